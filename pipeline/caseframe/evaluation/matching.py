"""Field-level scoring by the rules of docs/schema.md: one-to-one maximum matching, exact and relaxed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from caseframe.evaluation.gold import GoldArticle, GoldFinding
from caseframe.evaluation.records import Counts
from caseframe.lexicons import surface_parts
from caseframe.schema import FIELDS, Extraction, Finding

_AFTER_HEAD = re.compile(r"\s(?:of|in|with|to|at|from|for|due|on|by|after|without)\s|,|\(")


def head_word(phrase: str) -> str:
    """The folded head of an English noun phrase: the last word before its first preposition, comma or bracket."""
    head = _AFTER_HEAD.split(f"{phrase} ", maxsplit=1)[0].strip() or phrase
    parts = surface_parts(head)
    return parts[-1] if parts else ""


def same_value(field: str, gold: str | int | float, predicted: str | int | float) -> bool:
    """Equality of canonical values: numbers within 1 % (age: half a year), words after folding."""
    if isinstance(gold, int | float) and isinstance(predicted, int | float):
        tolerance = 0.5 if field == "age" else 0.01 * abs(gold)
        return abs(gold - predicted) <= tolerance
    return surface_parts(str(gold)) == surface_parts(str(predicted))


def exact(gold: GoldFinding, predicted: Finding) -> bool:
    """Canonical value and assertion agree."""
    return gold.assertion == predicted.assertion and same_value(gold.field, gold.value, predicted.value)


def relaxed(gold: GoldFinding, predicted: Finding, text: str) -> bool:
    """Assertion agrees, and the spans overlap or the head words agree; numbers and closed choices must be equal."""
    if gold.assertion != predicted.assertion:
        return False
    if same_value(gold.field, gold.value, predicted.value):
        return True
    if FIELDS[gold.field].type != "term":
        return False
    if head_word(str(gold.value)) == head_word(str(predicted.value)):
        return True
    return any(
        start < predicted.end and predicted.start < start + len(gold.text) for start in occurrences(gold.text, text)
    )


def occurrences(words: str, text: str) -> Iterable[int]:
    """Every offset at which `words` stand in `text`."""
    start = text.find(words) if words else -1
    while start >= 0:
        yield start
        start = text.find(words, start + 1)


def matched_pairs(matrix: Sequence[Sequence[bool]]) -> list[tuple[int, int]]:
    """A maximum one-to-one matching of a bipartite graph given as gold x predicted."""
    if not matrix or not matrix[0]:
        return []
    weights = np.asarray(matrix, dtype=np.int8)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if weights[r, c]]


def score_article(gold: GoldArticle, extraction: Extraction) -> dict[str, tuple[Counts, Counts]]:
    """Per field the (exact, relaxed) counts of one article; fields empty on both sides are left out."""
    scores = {}
    predictions = [finding for _, finding in extraction]
    for field in FIELDS:
        wanted = [finding for finding in gold.findings if finding.field == field]
        found = [finding for finding in predictions if finding.field == field]
        if not wanted and not found:
            continue
        exact_pairs = matched_pairs([[exact(g, p) for p in found] for g in wanted])
        relaxed_pairs = matched_pairs([[relaxed(g, p, extraction.article.text) for p in found] for g in wanted])
        scores[field] = (
            Counts(len(exact_pairs), len(found), len(wanted)),
            Counts(len(relaxed_pairs), len(found), len(wanted)),
        )
    return scores


def total(scores: Iterable[dict[str, tuple[Counts, Counts]]]) -> dict[str, tuple[Counts, Counts]]:
    """Sums article scores by field."""
    sums: dict[str, tuple[Counts, Counts]] = {}
    for score in scores:
        for field, (exact_counts, relaxed_counts) in score.items():
            before = sums.get(field, (Counts(), Counts()))
            sums[field] = (before[0] + exact_counts, before[1] + relaxed_counts)
    return {field: sums[field] for field in FIELDS if field in sums}


def micro(sums: dict[str, tuple[Counts, Counts]]) -> tuple[Counts, Counts]:
    """Counts over all fields together."""
    return (
        sum((pair[0] for pair in sums.values()), Counts()),
        sum((pair[1] for pair in sums.values()), Counts()),
    )
