"""What a reviewer finds in the cells that gold fills: the right thing, another thing, nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from caseframe.evaluation.records import MODES, ArticleScore
from caseframe.schema import CASE_FIELDS, FIELDS


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of the gold cells, 0 to 1: filled right, filled otherwise, left empty. They add up to 1."""

    right: float
    wrong: float
    empty: float


def coverage(scores: Iterable[ArticleScore]) -> dict[str, Coverage]:
    """The coverage of each field that has gold, of all fields (`micro`) and of those of the case (`micro_case`).

    Within an article, an unmatched gold finding that has an unmatched prediction of its field beside it, one to one, is
    a cell filled otherwise.
    """
    relaxed = MODES["fields"][0]
    cells: dict[str, list[int]] = {}
    for score in scores:
        for (field, mode), counts in score.counts.items():
            if mode != relaxed:
                continue
            missed = counts.gold - counts.matched
            wrong = min(missed, counts.predicted - counts.matched)
            for name in ("micro", *(("micro_case",) if field in CASE_FIELDS else ()), field):
                before = cells.get(name, (0, 0, 0))
                cells[name] = [a + b for a, b in zip(before, (counts.matched, wrong, missed - wrong), strict=True)]
    names = ("micro", "micro_case", *FIELDS)
    return {name: _shares(cells[name]) for name in names if sum(cells.get(name, ()))}


def _shares(cells: list[int]) -> Coverage:
    right, wrong, empty = (number / sum(cells) for number in cells)
    return Coverage(right, wrong, empty)
