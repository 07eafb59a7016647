"""Two systems on the same articles: differences with intervals and p values, and the items whose fate changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from caseframe.errors import EvaluationError
from caseframe.evaluation.metrics import count_array
from caseframe.evaluation.records import SPAN_MODES, ArticleScore, Item, Side
from caseframe.evaluation.statistics import (
    Array,
    difference,
    f1,
    holm,
    macro_f1,
    micro_f1,
    p_value,
    resampled,
    swapped,
)

Key = tuple[str | int | float, ...]
"""What makes two items of two evaluations the same."""
KeyOf = Callable[[str, Side], Key]


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """F1 of both systems for a type, `micro` (all types together) or `macro` (mean of the types), in one mode."""

    type: str
    mode: str
    gold: int
    a: float
    b: float
    difference: float
    """b - a."""
    low: float
    high: float
    """Bounds of the paired bootstrap interval of the difference."""
    p_bootstrap: float
    p_randomisation: float
    p_holm: float
    """`p_randomisation` corrected by Holm for the number of rows."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of system a's results in system b.

    `newly_right` are gold items that b matches and a does not. `newly_wrong` are gold items that a matches and b does
    not, and false predictions of b that a does not make. Both are items of b, so that they tell what b says now.
    """

    articles: int
    """Articles that both have: all figures are of these."""
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    newly_right: tuple[Item, ...]
    newly_wrong: tuple[Item, ...]


def compare(
    a: Sequence[ArticleScore],
    b: Sequence[ArticleScore],
    modes: Sequence[str],
    types: Sequence[str],
    *,
    resamples: int = 1000,
    rounds: int = 9999,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compares two systems on the articles that both have, in the given modes, on the given types.

    `resamples` and `level` are those of the paired bootstrap, `rounds` those of the approximate randomisation.
    Raises EvaluationError where no article is shared, or an article has not the same gold on both sides.
    """
    first, second = _by_article(a, "first"), _by_article(b, "second")
    shared = [name for name in first if name in second]
    if not shared:
        raise EvaluationError(
            f"the evaluations share no article ({len(first)} and {len(second)} articles)",
            "Compare evaluations of the same data set",
        )
    ours, theirs = [first[name] for name in shared], [second[name] for name in shared]
    for one, other in zip(ours, theirs, strict=True):
        _refuse_other_gold(one, other)
    rows = [
        row
        for mode in modes
        for row in _rows(ours, theirs, mode, types, resamples=resamples, rounds=rounds, level=level, seed=seed)
    ]
    corrected = holm([row.p_randomisation for row in rows]).tolist()
    # Gold of fields has no place of its own; of spans the place tells equal words apart.
    key = _place if set(modes) & set(SPAN_MODES) else _content
    right, wrong = _changes(_items(ours, types), _items(theirs, types), key)
    return Comparison(
        len(shared),
        tuple(name for name in first if name not in second),
        tuple(name for name in second if name not in first),
        tuple(replace(row, p_holm=p) for row, p in zip(rows, corrected, strict=True)),
        right,
        wrong,
    )


def _by_article(scores: Iterable[ArticleScore], which: str) -> dict[str, ArticleScore]:
    found: dict[str, ArticleScore] = {}
    for score in scores:
        if score.article_id in found:
            raise EvaluationError(
                f"the {which} evaluation has article {score.article_id} twice",
                "Give each article of the data set an id of its own and evaluate again",
            )
        found[score.article_id] = score
    return found


def _refuse_other_gold(one: ArticleScore, other: ArticleScore) -> None:
    if _gold(one) != _gold(other):
        raise EvaluationError(
            f"article {one.article_id} has another gold in the first evaluation than in the second",
            "Evaluate both systems on the same version of the data set",
        )


def _gold(score: ArticleScore) -> tuple[dict[tuple[str, str], int], Counter[Key]]:
    totals = {key: counts.gold for key, counts in score.counts.items() if counts.gold}
    return totals, Counter(_content(item.article_id, item.gold) for item in score.items if item.gold)


def _rows(
    a: Sequence[ArticleScore],
    b: Sequence[ArticleScore],
    mode: str,
    types: Sequence[str],
    *,
    resamples: int,
    rounds: int,
    level: float,
    seed: int,
) -> list[ComparedRow]:
    """The rows of one mode: micro, macro, each type; all of them on the same resamples and swaps."""
    both = np.stack([count_array(a, types, mode), count_array(b, types, mode)], axis=1)
    totals = both.sum(axis=0).astype(float)
    seen = _scores(totals)
    drawn = _scores(resampled(both, resamples, seed))
    random = _scores(swapped(both[:, 0], both[:, 1], rounds, seed))
    gold = totals[0, :, 2].astype(int).tolist()
    rows = []
    for column, (name, size) in enumerate(zip(("micro", "macro", *types), (sum(gold), sum(gold), *gold), strict=True)):
        value = seen[1, column] - seen[0, column]
        found = difference(value, drawn[:, 1, column] - drawn[:, 0, column], level)
        p = p_value(value, random[:, 1, column] - random[:, 0, column])
        scores = float(seen[0, column]), float(seen[1, column])
        rows.append(
            ComparedRow(name, mode, size, *scores, found.value, found.low, found.high, found.p_value, p, p_holm=p)
        )
    return rows


def _scores(totals: Array) -> Array:
    """F1 of all types together, of their mean, and of each: [..., types, 3] -> [..., 2 + types]."""
    return np.concatenate([micro_f1(totals)[..., None], macro_f1(totals)[..., None], f1(totals)], axis=-1)


def _items(scores: Iterable[ArticleScore], types: Sequence[str]) -> list[Item]:
    wanted = set(types)
    return [
        item
        for score in scores
        for item in score.items
        if any(side and side.type in wanted for side in (item.gold, item.predicted))
    ]


def _content(article_id: str, side: Side) -> Key:
    return article_id, side.type, side.value, side.text, side.assertion, side.case


def _place(article_id: str, side: Side) -> Key:
    return *_content(article_id, side), side.start, side.end


def _changes(a: Sequence[Item], b: Sequence[Item], key: KeyOf) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """The items of b that are newly right, and those that are newly wrong; equal items are told apart by number."""
    gained, lost = _found(b, key) - _found(a, key), _found(a, key) - _found(b, key)
    made = _false(b, key) - _false(a, key)
    right, wrong = [], []
    for item in b:
        if item.matched:
            if item.gold and _take(gained, key(item.article_id, item.gold)):
                right.append(item)
            continue
        is_lost = item.gold is not None and _take(lost, key(item.article_id, item.gold))
        is_made = item.predicted is not None and _take(made, key(item.article_id, item.predicted))
        if is_lost or is_made:
            wrong.append(item)
    return tuple(right), tuple(wrong)


def _found(items: Iterable[Item], key: KeyOf) -> Counter[Key]:
    return Counter(key(item.article_id, item.gold) for item in items if item.gold and item.matched)


def _false(items: Iterable[Item], key: KeyOf) -> Counter[Key]:
    return Counter(key(item.article_id, item.predicted) for item in items if item.predicted and not item.matched)


def _take(left: Counter[Key], key: Key) -> bool:
    """Takes one of a kind, where one is left."""
    if not left[key]:
        return False
    left[key] -= 1
    return True
