"""Marked text: JSON Lines of `article_id` and `marked`, "a [[TYPE|words]] of"; the first line is the title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from caseframe.evaluation.loaders.base import Annotation, Document, exact_article, malformed
from caseframe.evaluation.reading import open_parts, place, read_objects
from caseframe.schema import Origin

FORMAT: Final = "marked"
_MARK: Final = re.compile(r"\[\[([^\[\]|\s][^\[\]|\n]*)\|")
_LEFT: Final = re.compile(r"\[\[|\]\]")
_CURE: Final = 'Marks look like "a [[TYPE|giant cell tumor]] of"; they are never nested'


def read(paths: Sequence[Path]) -> Iterator[Document]:
    """The documents of JSON Lines files of marked texts.

    Raises GoldError for a line without id or text, and for a mark that is not closed, is nested or has no type.
    """
    for part in open_parts(paths):
        for number, record in read_objects(part.stream, part.name):
            origin = Origin(part.name, number, FORMAT)
            article_id, marked = record.get("article_id"), record.get("marked")
            if not isinstance(article_id, str) or not isinstance(marked, str):
                raise malformed(place(origin), "`article_id` and `marked` must both be there, as texts", _CURE)
            yield _document(article_id, marked, origin)


def _document(article_id: str, marked: str, origin: Origin) -> Document:
    pieces: list[str] = []
    annotations: list[Annotation] = []
    length = position = 0
    openings = list(_MARK.finditer(marked))
    stops = [*(opening.start() for opening in openings[1:]), len(marked)]
    for opening, stop in zip(openings, stops, strict=False):
        closing = _closing(marked, opening.end(), stop)
        if closing < 0:
            raise malformed(place(origin), f"the mark {opening[0]!r} has no end before the next", _CURE)
        plain, words = _plain(marked[position : opening.start()], origin), marked[opening.end() : closing]
        pieces += [plain, words]
        start = length + len(plain)
        length = start + len(words)
        annotations.append(Annotation(opening[1], ((start, length),), origin, words))
        position = closing + len("]]")
    text = "".join([*pieces, _plain(marked[position:], origin)])
    return Document(exact_article(article_id, text, origin, titled=True), tuple(annotations))


def _closing(marked: str, start: int, stop: int) -> int:
    """Where the mark whose words begin at `start` closes before `stop`; -1 where it does not.

    Words may hold brackets: in `[[DRUG|[18F]]]` the mark ends with the last two.
    """
    first = closing = marked.find("]]", start, stop)
    while closing >= 0:
        words = marked[start:closing]
        if words.count("[") == words.count("]"):
            return closing
        closing = marked.find("]]", closing + 1, stop)
    return first


def _plain(text: str, origin: Origin) -> str:
    """Text between marks, which holds none."""
    if left := _LEFT.search(text):
        raise malformed(place(origin), f"a broken mark: {text[left.start() :][:60]!r}", _CURE)
    return text
