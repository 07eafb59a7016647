"""PubTator: `PMID|t|title`, `PMID|a|abstract`, annotations in tab-separated lines, a blank line between documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Origin, Record
from caseframe.sources.abstracts import split_labels
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.identifiers import clean_pmid, find_pmcid
from caseframe.sources.records import cut_records, read_records

FORMAT: Final = "pubtator"

TEXT_LINE: Final = re.compile(r"\ufeff?([^|\t\n]{1,60})\|([a-z])\|(.*)", re.DOTALL)
"""A line of text: the document's id, `t` or `a`, the text."""
_TITLE: Final = re.compile(r"[^|\t\n]{1,60}\|t\|")


def sniff(head: str, name: str) -> bool:
    """Whether the first line is `id|t|…`."""
    return _TITLE.match(head.lstrip("\ufeff\r\n\t ")) is not None


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The documents of a PubTator file."""
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    records = cut_records(lines, options.max_record_bytes, RecordStarts())
    return read_records(records, file, FORMAT, options.max_record_bytes, _article)


class RecordStarts:
    """Tells the first line of a document: one after a blank line, or a title where the blank line is missing."""

    def __init__(self) -> None:
        self._after_blank = True

    def __call__(self, line: str) -> bool:
        """Whether a document begins with this line; asked of every line in turn."""
        new = self._after_blank or _TITLE.match(line) is not None
        self._after_blank = not line.strip()
        return new


def _article(lines: list[str], origin: Origin) -> Article:
    texts: dict[str, str] = {}
    name = ""
    for line in lines:
        if match := TEXT_LINE.match(line):
            name = name or match[1].strip()
            texts[match[2]] = f"{texts.get(match[2], '')} {match[3]}".strip()
        elif line.strip() and "\t" not in line:
            raise BrokenRecord(
                f"The line {line.strip()[:60]!r} is neither text nor annotation",
                "Text lines are id|t|title and id|a|abstract, annotations are separated by tabs",
            )
    if not texts:
        raise BrokenRecord("The document has annotations but no text", "Add its lines id|t|title and id|a|abstract")
    pmid, pmcid = clean_pmid(name), find_pmcid(name)
    return Article.build(
        article_id="" if pmid or pmcid else name,
        title=texts.get("t", ""),
        abstract=split_labels(texts.get("a", "")),
        pmid=pmid,
        pmcid=pmcid,
        origin=origin,
    )
