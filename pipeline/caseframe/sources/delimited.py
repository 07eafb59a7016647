"""Tables as text: CSV and TSV, parted by commas, semicolons, tabs or bars; quoted cells may hold line ends.

A row that does not fit its header costs only itself: where a quote was left open and took further lines in, these
are read again without it.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord, SourceError
from caseframe.schema import Article, Origin, Record
from caseframe.sources import columns
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.records import parsed, too_long

FORMAT: Final = "delimited"

_DELIMITERS: Final = ",\t;|"
_SUFFIXES: Final = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_CURE: Final = "Quote cells that hold the delimiter, quotes or line ends, and double the quotes in them"
_MAX_LINES: Final = 2000
"""No quoted cell goes on for so many lines: the quote was left open."""


def sniff(head: str, name: str) -> bool:
    """Whether it is called `.csv` or `.tsv`, or its first line is a header with a title or an abstract."""
    if PurePosixPath(name).suffix.lower() in _SUFFIXES:
        return not head.lstrip("\ufeff \r\n\t").startswith(("<", "{"))
    header = _first_line(head)
    cells = _cells(header, _delimiter(header, name))
    if len(cells) < 2 or len(header) > 4000 or not all(0 < len(cell.strip()) <= 60 for cell in cells):
        return False
    known = columns.known_columns(cells)
    return bool({"title", "abstract"} & known.keys()) and len(known) > 1


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The rows of a table.

    Raises `MissingColumn` where a mapped column, or any with text, is missing.
    """
    csv.field_size_limit(max(csv.field_size_limit(), min(options.max_record_bytes, 2**31 - 1)))
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    header = next((line for line in lines if line.strip("\ufeff \t,;|")), None)
    if header is None:
        return
    delimiter = _delimiter(header, file)
    rows = _Rows(lines, delimiter, options.max_record_bytes)
    names = [name.strip("\ufeff \n") for name in rows.header(header)]
    mapping = columns.map_columns(names, options.columns, file)
    places = {attribute: names.index(column) for attribute, column in mapping.items()}
    for number, row in enumerate(rows.rows(len(names)), start=1):
        origin = Origin(file, number, FORMAT)
        if isinstance(row, SourceError):
            yield row.failure(origin)
        else:
            yield parsed(lambda row, origin: _article(row, places, origin, options), row, origin)


def _article(row: list[str], places: dict[str, int], origin: Origin, options: ReadOptions) -> Article:
    return columns.article({attribute: row[place] for attribute, place in places.items()}, origin, body=options.body)


class _Rows:
    """Reads rows of a table, each from as few lines as it needs."""

    def __init__(self, lines: Iterable[str], delimiter: str, max_bytes: int) -> None:
        self._source = iter(lines)
        self._delimiter = delimiter
        self._max_bytes = max_bytes
        self._again: deque[str] = deque()
        self._used: list[str] = []
        self._size = 0

    def header(self, first: str) -> list[str]:
        """The header, which begins with the line given."""
        self._again.append(first)
        self._used, self._size = [], 0
        return self._parse()

    def rows(self, width: int) -> Iterator[list[str] | BrokenRecord]:
        """The rows, each of `width` cells; an error in place of one that cannot be read. Empty rows are passed over."""
        while True:
            self._used, self._size = [], 0
            try:
                row = self._fitted(self._parse(), width)
            except StopIteration:
                return
            except BrokenRecord as error:
                # Lines after the first may be good rows that an open quote took in.
                following = self._used[1:]
                if any(len(_cells(line, self._delimiter)) == width for line in following):
                    self._again.extendleft(reversed(following))
                yield error
                continue
            if any(cell.strip() for cell in row):
                yield row

    def _parse(self) -> list[str]:
        try:
            return next(csv.reader(self._lines(), delimiter=self._delimiter))
        except csv.Error as error:
            raise BrokenRecord(f"The row cannot be read: {error}", _CURE) from error

    def _lines(self) -> Iterator[str]:
        """The lines for one row, as many as it asks for."""
        while True:
            if self._again:
                line = self._again.popleft()
            elif (following := next(self._source, None)) is not None:
                line = following
            elif self._used:
                raise BrokenRecord("A quote is opened and not closed before the end of the file", _CURE)
            else:
                return
            self._used.append(line)
            self._size += (len(line) if line.isascii() else len(line.encode("utf-8", "replace"))) + 1
            if self._size > self._max_bytes + 1:
                raise too_long(self._max_bytes)
            if len(self._used) > _MAX_LINES:
                raise BrokenRecord(f"A quote is opened and not closed within {_MAX_LINES:,} lines", _CURE)
            yield f"{line}\n"

    def _fitted(self, row: list[str], width: int) -> list[str]:
        if any("\0" in line for line in self._used):
            raise BrokenRecord("The row holds a NUL character", "Export the table again as UTF-8 text")
        while len(row) > width and not row[-1].strip():
            row.pop()
        if len(row) == width or not any(cell.strip() for cell in row):
            return row
        raise BrokenRecord(f"The row has {len(row)} cells where the header has {width}", _CURE)


def _first_line(head: str) -> str:
    return next((line for line in head.lstrip("\ufeff").splitlines() if line.strip()), "")


def _cells(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return []


def _delimiter(header: str, name: str) -> str:
    """The delimiter with which most columns are known, then the suffix's own, then the most frequent."""
    own = _SUFFIXES.get(PurePosixPath(name).suffix.lower(), "")

    def merit(delimiter: str) -> tuple[int, bool, int]:
        cells = _cells(header, delimiter)
        known = len(columns.known_columns(cells)) if len(cells) > 1 else 0
        return known, len(cells) > 1 and delimiter == own, len(cells)

    return max(_DELIMITERS, key=merit)
