"""When a gold and a predicted finding are the same, by the rules of docs/schema.md, and who goes with whom."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from caseframe.evaluation.gold import GoldFinding
from caseframe.lexicons import surface_parts
from caseframe.schema import FIELDS, AttributeSpec, AttributeValue, Finding

_AFTER_HEAD = re.compile(r"\s(?:of|in|with|to|at|from|for|due|on|by|after|without)\s|,|\(")
_TOLERANCE = 0.01
_AGE_TOLERANCE_YEARS = 0.5


@lru_cache(maxsize=100_000)
def words_of(phrase: str) -> tuple[str, ...]:
    """The folded parts of a phrase: case, plural, hyphens and British spelling make no difference."""
    return tuple(surface_parts(phrase))


@lru_cache(maxsize=100_000)
def head_word(phrase: str) -> str:
    """The folded head of an English noun phrase: the last word before its first preposition, comma or bracket."""
    head = _AFTER_HEAD.split(f"{phrase} ", maxsplit=1)[0].strip() or phrase
    return (words_of(head) or ("",))[-1]


def same_value(field: str, gold: str | int | float, predicted: str | int | float) -> bool:
    """Equality of canonical values: numbers within 1 % of the gold (age: half a year), words after folding."""
    if isinstance(gold, int | float) and isinstance(predicted, int | float):
        tolerance = _AGE_TOLERANCE_YEARS if field == "age" else _TOLERANCE * abs(gold)
        return abs(gold - predicted) <= tolerance
    return words_of(str(gold)) == words_of(str(predicted))


def same_attribute(spec: AttributeSpec, gold: AttributeValue, predicted: AttributeValue) -> bool:
    """Equality of an attribute: lists as sets, numbers within 1 % of the gold, words after folding, in any case."""
    if spec.type != "list" and isinstance(gold, int | float) and isinstance(predicted, int | float):
        return abs(gold - predicted) <= _TOLERANCE * abs(gold)
    return _members(gold) == _members(predicted)


def _members(value: AttributeValue) -> set[tuple[str, ...]]:
    return {words_of(member.lower()) for member in (value if isinstance(value, tuple) else (str(value),))}


def same_concept(gold: GoldFinding, predicted: Finding) -> bool:
    """Field agrees, and the canonical value or the code."""
    if gold.field != predicted.field:
        return False
    return same_value(gold.field, gold.value, predicted.value) or bool(gold.code and gold.code == predicted.code)


def same_words(gold: GoldFinding, predicted: Finding, text: str) -> bool:
    """The prediction's words overlap the gold's at any place where they stand in `text`."""
    return overlaps(gold.text, text, predicted.start, predicted.end)


def alike(gold: GoldFinding, predicted: Finding, text: str) -> bool:
    """All that `relaxed` asks for but the assertion."""
    if same_concept(gold, predicted):
        return True
    if gold.field != predicted.field or FIELDS[gold.field].type != "term":
        return False
    return head_word(str(gold.value)) == head_word(str(predicted.value)) or same_words(gold, predicted, text)


def exact(gold: GoldFinding, predicted: Finding) -> bool:
    """Canonical value or code, and assertion agree."""
    return gold.assertion == predicted.assertion and same_concept(gold, predicted)


def relaxed(gold: GoldFinding, predicted: Finding, text: str) -> bool:
    """Assertion agrees, and the words overlap or the head words agree; numbers and closed choices must be equal."""
    return gold.assertion == predicted.assertion and alike(gold, predicted, text)


@lru_cache(maxsize=4096)
def occurrences(words: str, text: str) -> tuple[int, ...]:
    """Every offset at which `words` stand in `text`, in order."""
    return tuple(match.start() for match in re.finditer(f"(?={re.escape(words)})", text)) if words else ()


def overlaps(words: str, text: str, start: int, end: int) -> bool:
    """Whether `words` stand in `text` at some place that shares characters with `start` to `end`."""
    return any(place < end and start < place + len(words) for place in occurrences(words, text))


def matched_pairs(matrix: ArrayLike, *preferences: ArrayLike) -> list[tuple[int, int]]:
    """A maximum one-to-one matching of a bipartite graph given as gold x predicted, as (row, column) by row.

    Among the maximum matchings it is one with the largest sum of the first of `preferences` (small numbers >= 0 of the
    same shape), among those one with the largest sum of the second, and so on. The assignment is solved on one sum of
    weights in which a unit of each outweighs all that the later ones can add up to.
    """
    edges = np.asarray(matrix, dtype=bool)
    if not edges.size:
        return []
    weights = np.zeros(edges.shape)
    for preferred in reversed((edges, *preferences)):
        unit = min(edges.shape) * weights.max() + 1
        weights += unit * np.where(edges, preferred, 0)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if edges[r, c]]
