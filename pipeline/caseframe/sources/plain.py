"""Plain text, one article a file: a short first line is the title, the rest is the abstract.

Inline headings are left where they are; the stage that finds sections reads them. A file whose name is a PMID or a
PMCID (`28120579.txt`, `PMC5290028.txt`) says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from caseframe.schema import Article, Origin, Record
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.identifiers import ids_of_file
from caseframe.sources.records import cut_records, read_records

FORMAT: Final = "plain"

TITLE_LENGTH: Final = 300
_SUFFIXES: Final = frozenset({"", ".txt", ".text"})
_WRAPPED: Final = 100
"""Lines of which none is longer were broken to fit; longer ones are paragraphs."""
_LETTER: Final = re.compile(r"[^\W\d_]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def sniff(head: str, name: str) -> bool:
    """Whether a `.txt` file, or one without a suffix, starts like text: letters, no control characters, no markup."""
    if _suffix(name) not in _SUFFIXES or _CONTROL.search(head):
        return False
    start = head.strip("\ufeff \t\r\n")
    letters = len(_LETTER.findall(start))
    return letters >= 3 and letters * 3 >= len("".join(start.split())) and not start.startswith(("<", "{", "["))


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The one article of a text file."""
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    records = cut_records(lines, options.max_record_bytes, lambda line: False)
    return read_records(records, file, FORMAT, options.max_record_bytes, _article)


def title_and_paragraphs(lines: Iterable[str]) -> tuple[str, list[str]]:
    """The title, if the first line is short and more follows, and the paragraphs of the rest."""
    rest = [line.replace("\ufeff", "").strip() for line in lines]
    while rest and not rest[0]:
        rest.pop(0)
    title = ""
    if rest and len(rest[0]) < TITLE_LENGTH and any(rest[1:]):
        title, rest = rest[0], rest[1:]
    return title, paragraphs(rest)


def paragraphs(lines: list[str]) -> list[str]:
    """The paragraphs: parted by blank lines, and by every line end unless lines were broken to fit."""
    if all(len(line) <= _WRAPPED for line in lines):
        return [part for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip()]
    return [line for line in lines if line.strip()]


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _article(lines: list[str], origin: Origin) -> Article:
    title, parts = title_and_paragraphs(lines)
    pmid, pmcid = ids_of_file(origin.file)
    return Article.build(title=title, abstract=[("", part) for part in parts], pmid=pmid, pmcid=pmcid, origin=origin)
