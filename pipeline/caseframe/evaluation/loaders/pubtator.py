"""PubTator: `id|t|title`, `id|a|abstract`, then annotations, `id<TAB>start<TAB>end<TAB>words<TAB>type<TAB>concept`.

Offsets count through title, one character, abstract. A composite mention (`D014786|D006311`) is one annotation;
concepts are left aside, relations (`id<TAB>CID<TAB>…`) are no annotations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from caseframe.evaluation.loaders.base import Annotation, Document, exact_article, malformed
from caseframe.evaluation.reading import open_parts, place, read_lines
from caseframe.schema import Origin
from caseframe.sources.pubtator import FORMAT, TEXT_LINE, RecordStarts

_NUMBER: Final = re.compile(r"-?\d{1,9}")
_CURE: Final = (
    "Text lines are id|t|title and id|a|abstract; annotations follow them, tab-separated: id, start, end, words, type"
)
Line = tuple[int, str]


def read(paths: Sequence[Path]) -> Iterator[Document]:
    """The documents of PubTator files.

    Raises GoldError for a line that is neither text nor annotation, for one that speaks of another document, and for
    annotations without text.
    """
    for part in open_parts(paths):
        for block in _blocks(read_lines(part.stream, part.name)):
            yield _document(block, part.name)


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines of one document after the other, blank ones left out."""
    starts = RecordStarts()
    block: list[Line] = []
    for number, line in lines:
        if starts(line) and block:
            yield block
            block = []
        if line.strip():
            block.append((number, line))
    if block:
        yield block


def _document(block: Sequence[Line], file: str) -> Document:
    texts: list[str] = []
    annotations: list[Annotation] = []
    first = TEXT_LINE.match(block[0][1])
    if first is None:
        raise malformed(f"{file}, line {block[0][0]}", f"no text comes before {block[0][1][:60]!r}", _CURE)
    article_id = first[1]
    for number, line in block:
        origin = Origin(file, number, FORMAT)
        text = TEXT_LINE.match(line)
        name = text[1] if text else line.partition("\t")[0]
        if name != article_id:
            raise malformed(place(origin), f"{line[:60]!r} stands in the document {article_id}", _CURE)
        if text and annotations:
            raise malformed(place(origin), "text comes after annotations", _CURE)
        if text:
            texts.append(text[3])
        elif annotation := _annotation(line.split("\t"), origin):
            annotations.append(annotation)
    origin = Origin(file, block[0][0], FORMAT)
    return Document(exact_article(article_id.strip(), "\n".join(texts), origin, titled=True), tuple(annotations))


def _annotation(cells: Sequence[str], origin: Origin) -> Annotation | None:
    """The annotation of a line; None for a relation, whose second cell is its type."""
    if len(cells) >= 4 and re.match(r"[A-Za-z]", cells[1]):
        return None
    if len(cells) < 5 or not _NUMBER.fullmatch(cells[1]) or not _NUMBER.fullmatch(cells[2]) or not cells[4].strip():
        told = "\t".join(cells)[:60]
        raise malformed(place(origin), f"{told!r} is neither text nor annotation", _CURE)
    return Annotation(cells[4].strip(), ((int(cells[1]), int(cells[2])),), origin, cells[3])
