"""Readers: dumps of articles in any of the usual formats, as a stream of records.

`open_articles(paths)` finds the files, tells their formats by content and yields their articles one by one, whatever
the compression. A new format is a module beside these and a line in `FORMATS`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, cast

from caseframe.errors import BrokenFile, NoArticles, SourceError, UnknownFormat
from caseframe.schema import Origin, Record
from caseframe.sources.base import HEAD_BYTES, Reader, ReadOptions, failure
from caseframe.sources.opening import STDIN, Input, Part, head_text, iter_inputs

__all__ = [
    "FORMATS",
    "STDIN",
    "WHOLE_FILE",
    "Input",
    "ReadOptions",
    "detect",
    "iter_inputs",
    "open_articles",
    "read_input",
    "read_members",
    "read_stretch",
    "reader_of",
]

FORMATS: Final[dict[str, str]] = {
    "pubmed_xml": "PubMed XML, from the website or the baseline and update files",
    "jats": "JATS, the full-text XML of PubMed Central",
    "bioc": "BioC, XML or JSON",
    "medline": "MEDLINE tagged (.nbib), PubMed's citation manager format",
    "ris": "RIS, of reference managers",
    "pubmed_text": "PubMed's abstract text export",
    "pubmed_page": "a saved PubMed page as text",
    "pubtator": "PubTator",
    "jsonl": "JSON Lines, one article a line",
    "delimited": "CSV or TSV with a heading",
    "plain": "plain text, one article a file",
}
"""The formats in the order in which they are tried: the surest signs first."""

_MODULES: Final = {"bioc": "bioc_format"}
WHOLE_FILE: Final = 0
"""The record number of what is wrong with a file as a whole."""


@functools.cache
def reader_of(name: str) -> Reader:
    """The reader of a format.

    Raises `UnknownFormat` for a name that is none.
    """
    if name not in FORMATS:
        raise UnknownFormat(f"There is no format called {name!r}", f"The formats are: {', '.join(FORMATS)}")
    return cast(Reader, importlib.import_module(f"{__name__}.{_MODULES.get(name, name)}"))


def open_articles(
    paths: Iterable[str | Path] | str | Path, *, format: str | None = None, options: ReadOptions | None = None
) -> Iterator[Record]:
    """The records of all files under the paths, in a fixed order.

    What cannot be read is a `Failure` among them and costs nothing else.

    Raises `NoArticles` where there is nothing at all under the paths, `UnknownFormat` for a format that is none.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if format is not None:
        reader_of(format)
    found = False
    for source in iter_inputs(given):
        for record in read_input(source, format, options):
            found = True
            yield record
    if not found:
        names = ", ".join(str(path) for path in given) or "no path"
        raise NoArticles(f"There are no articles under {names}", f"The formats read are: {', '.join(FORMATS)}")


def read_input(source: Input, format: str | None = None, options: ReadOptions | None = None) -> Iterator[Record]:
    """The records of one file, or of all members of an archive; what cannot be read is a `Failure`."""
    return (record for _, record in read_members(source, format, options))


def read_members(
    source: Input,
    format: str | None = None,
    options: ReadOptions | None = None,
    wanted: Callable[[int], bool] | None = None,
) -> Iterator[tuple[int, Record]]:
    """The records, each with the number of the archive's member that it stands in, from 1 (0: in the file itself).

    Members that are not `wanted` are passed over.
    """
    try:
        for number, part in enumerate(source.parts(), start=1):
            member = 0 if part.name == source.name else number
            if wanted is None or not member or wanted(member):
                for record in _read_part(part, format, options or ReadOptions()):
                    yield member, record
    except SourceError as error:
        yield 0, failure(Origin(source.name, WHOLE_FILE), error)


def read_stretch(source: Input, start: int, stop: int, format: str, options: ReadOptions) -> Iterator[Record]:
    """The records of the bytes from `start` to `stop`, which must be whole records; `options.first` numbers them."""
    try:
        with source.stretch(start, stop) as part:
            yield from _read_part(part, format, options)
    except SourceError as error:
        yield failure(Origin(source.name, WHOLE_FILE, format), error)


def detect(source: Input) -> str:
    """The format of a file, or of the first member of an archive; empty where none can be told."""
    try:
        part = next(iter(source.parts()), None)
        return _detect(head_text(_head(part)), part.inner_name) if part else ""
    except SourceError:
        return ""


def _read_part(part: Part, format: str | None, options: ReadOptions) -> Iterator[Record]:
    name = format or ""
    try:
        head = _head(part)
        if not head:
            raise BrokenFile("The file is empty", "Fetch it again, or leave it out")
        name = name or _detect(head_text(head), part.inner_name)
        yield from reader_of(name).read(part.stream, part.name, options)
    except SourceError as error:
        yield failure(Origin(part.name, WHOLE_FILE, name), error)
    except Exception as error:
        # A fault of a reader must not end a run of a thousand files.
        fault = BrokenFile(f"The reader failed: {type(error).__name__}: {error}"[:500], "Please report this file")
        yield failure(Origin(part.name, WHOLE_FILE, name), fault)


def _head(part: Part) -> bytes:
    return part.stream.peek(HEAD_BYTES)[:HEAD_BYTES]


def _detect(head: str, name: str) -> str:
    """The first format that knows the content.

    Raises `UnknownFormat` where none does.
    """
    for format_name in FORMATS:
        if reader_of(format_name).sniff(head, name):
            return format_name
    raise UnknownFormat("No reader knows this content", f"Name its format; there are: {', '.join(FORMATS)}")
