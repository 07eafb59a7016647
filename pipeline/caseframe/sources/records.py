"""Records of line-based formats: groups of lines that are bounded, so that no record is held that is too long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from caseframe.errors import BrokenRecord, SourceError
from caseframe.schema import Article, Failure, Origin, Record

Raw = TypeVar("Raw")
_LINE_COST: Final = 64
"""What a line takes in memory besides its characters; empty lines must not be free."""


@dataclass(slots=True)
class LineRecord:
    """The lines of one record; empty if it is too long."""

    lines: list[str] = field(default_factory=list)
    size: int = 0
    too_long: bool = False

    def add(self, line: str, max_bytes: int) -> None:
        """Takes a line in, or lets the record go when it grows too long."""
        self.size += (len(line) if line.isascii() else len(line.encode("utf-8", "replace"))) + 1
        if self.size > max_bytes or len(self.lines) * _LINE_COST > max_bytes + (1 << 16):
            self.too_long = True
            self.lines.clear()
        if not self.too_long:
            self.lines.append(line)

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return not self.too_long and not any(line and not line.isspace() for line in self.lines)


def cut_records(lines: Iterable[str], max_bytes: int, starts: Callable[[str], bool]) -> Iterator[LineRecord]:
    """Groups lines into records; `starts` is asked of every line in turn whether a new record begins with it."""
    record = LineRecord()
    for line in lines:
        if starts(line):
            if not record.blank:
                yield record
            record = LineRecord()
        record.add(line, max_bytes)
    if not record.blank:
        yield record


def too_long(max_bytes: int) -> BrokenRecord:
    """The error of a record over the bound."""
    return BrokenRecord(
        f"The record is longer than {max_bytes:,} bytes",
        "Look whether its end is marked as the format asks, or raise max_record_mib in the config",
    )


def without_text(what: str = "title nor abstract") -> BrokenRecord:
    """The error of a record in which nothing can be read."""
    return BrokenRecord(f"The record has neither {what}", "Look at it in the file; nothing can be extracted from it")


def read_records(
    records: Iterable[LineRecord],
    file: str,
    format_name: str,
    max_bytes: int,
    parse: Callable[[list[str], Origin], Article],
) -> Iterator[Record]:
    """Parses each record; what cannot be parsed becomes a failure of that record."""
    for number, record in enumerate(records, start=1):
        origin = Origin(file, number, format_name)
        yield too_long(max_bytes).failure(origin) if record.too_long else parsed(parse, record.lines, origin)


def parsed(parse: Callable[[Raw, Origin], Article], raw: Raw, origin: Origin) -> Article | Failure:
    """What `parse` makes of the record, or the failure that it raises."""
    try:
        article = parse(raw, origin)
    except SourceError as error:
        return error.failure(origin)
    if not article.text:
        return without_text().failure(origin, article.article_id)
    return article
