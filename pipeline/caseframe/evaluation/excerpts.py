"""Items as a report shows them: the sentence cut around its words, the words of both sides, all of it inert text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from caseframe.pages.text import script_json, shortened

Row = Mapping[str, Any]
"""An item as a row of `items.parquet` (store.item_row)."""
Stretch = tuple[int, int]
"""Characters of an excerpt, half-open."""

SIDES = ("gold", "predicted")
SENTENCE = 600
"""Characters of a sentence that are shown at most."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a sentence around an item's words, and where the words of each side stand in it."""

    text: str
    gold: Stretch | None = None
    predicted: Stretch | None = None

    def pieces(self) -> list[tuple[str, str]]:
        """The text in pieces with whose words they are: `gold`, `predicted`, `both` or nobody's (empty)."""
        cuts = sorted({0, len(self.text), *(self.gold or ()), *(self.predicted or ())})
        return [(self.text[a:b], self._whose(a)) for a, b in pairwise(cuts)]

    def _whose(self, at: int) -> str:
        gold, predicted = (bool(side and side[0] <= at < side[1]) for side in (self.gold, self.predicted))
        return "both" if gold and predicted else "gold" if gold else "predicted" if predicted else ""


def excerpt(item: Row, most: int = SENTENCE) -> Excerpt:
    """The sentence of an item, cut to `most` characters around its words where it is longer."""
    sentence = item["sentence"] or ""
    places = {side: _place(item, side, len(sentence)) for side in SIDES}
    begin, end = _window(len(sentence), [place for place in places.values() if place], most)
    before, after = "… " if begin else "", " …" if end < len(sentence) else ""
    moved = {side: _moved(place, begin, end, len(before)) for side, place in places.items()}
    return Excerpt(f"{before}{sentence[begin:end]}{after}", **moved)


def _place(item: Row, side: str, size: int) -> Stretch | None:
    """Where a side's words stand in the sentence; None where they do not."""
    start, end = item[f"{side}_start"], item[f"{side}_end"]
    if start is None or end is None or start < 0:
        return None
    offset = item["sentence_start"] or 0
    start, end = max(start - offset, 0), min(end - offset, size)
    return (start, end) if start < end else None


def _window(size: int, places: Sequence[Stretch], most: int) -> Stretch:
    if size <= most:
        return 0, size
    first = min((start for start, _ in places), default=0)
    last = max((end for _, end in places), default=0)
    begin = max(0, min(first - max(0, most - (last - first)) // 2, size - most))
    return begin, begin + most


def _moved(place: Stretch | None, begin: int, end: int, shift: int) -> Stretch | None:
    if place is None or place[0] >= end or place[1] <= begin:
        return None
    return max(place[0], begin) - begin + shift, min(place[1], end) - begin + shift


def side_words(item: Row, side: str) -> tuple[str, str, str, str] | None:
    """What a side says, for a reader: type, value, words (empty where they are the value), all else it says."""
    if item[f"{side}_type"] is None:
        return None
    value, text = (shortened(item[f"{side}_{name}"]) for name in ("value", "text"))
    return shortened(item[f"{side}_type"]), value or text, "" if text == value else text, _details(item, side)


def _details(item: Row, side: str) -> str:
    confidence, case = item.get(f"{side}_confidence"), item[f"{side}_case"]
    details = [
        item[f"{side}_assertion"],
        f"patient {case:.0f}" if case else "",
        *_attributes(item[f"{side}_attributes"]),
        f"confidence {confidence:.2f}" if confidence is not None else "",
    ]
    return shortened(", ".join(filter(None, details)))


def _attributes(text: str | None) -> list[str]:
    """`name: value` of every attribute in a JSON object."""
    attributes: Mapping[str, object] = json.loads(text) if text else {}
    return [
        f"{name}: {' + '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in attributes.items()
    ]


def packed(items: Sequence[Row], facets: Mapping[str, Sequence[str]]) -> str:
    """Items as JSON for the page's browser, safe to stand in a `<script type="application/json">`.

    `facets`: title of a filter to the value of every item. Sentences and the facets' values stand once. Offsets are
    Unicode characters of the excerpt. No `<`, `>` or `&` is left that HTML could take for its own.
    """
    values = {title: list(dict.fromkeys(column)) for title, column in facets.items()}
    numbers = {title: {value: number for number, value in enumerate(known)} for title, known in values.items()}
    sentences: dict[str, int] = {}
    rows = []
    for row, item in enumerate(items):
        shown = excerpt(item)
        rows.append(
            [
                [numbers[title][column[row]] for title, column in facets.items()],
                shortened(item["article_id"]),
                sentences.setdefault(shown.text, len(sentences)),
                shown.gold or 0,
                shown.predicted or 0,
                side_words(item, "gold") or 0,
                side_words(item, "predicted") or 0,
                int(bool(item["matched"])),
            ]
        )
    content = {
        "facets": [{"title": title, "values": known} for title, known in values.items()],
        "sentences": list(sentences),
        "items": rows,
    }
    return script_json(content)
