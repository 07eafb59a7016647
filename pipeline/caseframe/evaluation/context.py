"""The sentence that an error stands in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import lru_cache

from caseframe.stages.sentences import sentence_starts


def sentence_around(text: str, start: int, end: int) -> tuple[str, int]:
    """The sentence that holds characters `start` to `end`, and its offset; several where the words cross a boundary.

    Words without a place (`start` below 0) have no sentence: an empty string, offset 0.
    """
    if start < 0:
        return "", 0
    bounds = _bounds(text)
    first = bounds[max(bisect_right(bounds, start) - 1, 0)]
    last = bounds[min(bisect_left(bounds, max(end, start + 1)), len(bounds) - 1)]
    stretch = text[first:last]
    sentence = stretch.strip()
    return sentence, first + len(stretch) - len(stretch.lstrip()) if sentence else first


@lru_cache(maxsize=8)
def _bounds(text: str) -> tuple[int, ...]:
    """Where sentences start, from 0 on, and the end of the text."""
    return tuple(sorted({0, *sentence_starts(text), len(text)}))
