"""What counts say: scores with intervals, tests of two systems, calibration of confidence, risk against coverage.

Counts are arrays of whole numbers, an article a row: [articles, 3] or [articles, types, 3], the last axis matched,
predicted, gold. A statistic is a function of their sums over articles, [..., 3] or [..., types, 3], that returns one
number for each leading index, so that it runs over all resamples at once. Articles are drawn, never single items, as
the items of one article depend on each other.

Seeds make every figure reproducible: the same input and seed give the same numbers. Wrong arguments (arrays of
unequal length, no articles, a level outside 0 to 1) raise ValueError.

Sources: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile interval); Davison &
Hinkley, Bootstrap Methods and their Application, 1997, chapter 4 (the +1 in p values); Koehn 2004 (paired bootstrap);
Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989, and Yeh 2000 (approximate randomisation); Holm 1979;
Brier 1950; Naeini et al. 2015 (expected calibration error); El-Yaniv & Wiener 2010 (risk and coverage).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Statistic = Callable[[Array], Array]

_TIE = 1e-12
"""Differences of scores nearer to each other than this are the same: what is left is rounding."""
_CHUNK = 4_000_000
"""Numbers drawn at once."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and the bounds of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much higher the second of two systems scores, the bounds of the interval, and the two-sided p value."""

    value: float
    low: float
    high: float
    p_value: float


def precision(totals: Array) -> Array:
    """Matched by predicted, [..., 3] -> [...]; 0 without predictions."""
    return _share(totals[..., 0], totals[..., 1])


def recall(totals: Array) -> Array:
    """Matched by gold, [..., 3] -> [...]; 0 without gold."""
    return _share(totals[..., 0], totals[..., 2])


def f1(totals: Array) -> Array:
    """Harmonic mean of precision and recall, [..., 3] -> [...]; 0 without predictions and gold.

    So a type that few articles have gets a wide interval: a resample without it counts as 0.
    """
    return _share(2 * totals[..., 0], totals[..., 1] + totals[..., 2])


def micro_precision(totals: Array) -> Array:
    """Precision over all types together, [..., types, 3] -> [...]."""
    return precision(totals.sum(axis=-2))


def micro_recall(totals: Array) -> Array:
    """Recall over all types together, [..., types, 3] -> [...]."""
    return recall(totals.sum(axis=-2))


def micro_f1(totals: Array) -> Array:
    """F1 over all types together, [..., types, 3] -> [...]."""
    return f1(totals.sum(axis=-2))


def macro_precision(totals: Array) -> Array:
    """Mean precision of the types, [..., types, 3] -> [...]; for which types see `macro_f1`."""
    return _mean_of_types(precision(totals), totals)


def macro_recall(totals: Array) -> Array:
    """Mean recall of the types, [..., types, 3] -> [...]; for which types see `macro_f1`."""
    return _mean_of_types(recall(totals), totals)


def macro_f1(totals: Array) -> Array:
    """Mean F1 of the types, [..., types, 3] -> [...].

    A type without gold and predictions has no F1 (0/0) and is left out of the mean: in the whole set, and in each
    resample that happens to have none of it. 0 where all types are empty.
    """
    return _mean_of_types(f1(totals), totals)


def _mean_of_types(scores: Array, totals: Array) -> Array:
    there = totals[..., 1] + totals[..., 2] > 0
    return _share((scores * there).sum(axis=-1), there.sum(axis=-1).astype(float))


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)


def bootstrap(
    counts: npt.ArrayLike, statistic: Statistic, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile interval of a statistic, by resampling of articles (Efron & Tibshirani 1993)."""
    array = _counts(counts)
    return interval(statistic(array.sum(axis=0)), statistic(resampled(array, resamples, seed)), level)


def resampled(counts: npt.ArrayLike, resamples: int = 1000, seed: int = 0) -> Array:
    """Sums of counts [articles, ...] over resamples of as many articles, drawn with replacement: [resamples, ...]."""
    array = _counts(counts)
    number = len(array)
    random = np.random.default_rng(seed)
    # How often each article is drawn is a multinomial draw; a resample is then a weighted sum.
    even = np.full(number, 1 / number)
    return np.concatenate(
        [_weighted(random.multinomial(number, even, size=rows), array) for rows in _chunks(resamples, number)]
    )


def interval(value: float | Array, replicates: Array, level: float = 0.95) -> Interval:
    """The percentile interval of a value from its replicates [resamples]."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, not between 0 and 1")
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def paired_bootstrap(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    statistic: Statistic,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """How much higher b scores than a on the same articles, by resamples that both share (Koehn 2004).

    p is twice the share of resamples in which the difference has not the sign it has over all articles,
    2 (c + 1) / (n + 1), at most 1.
    """
    both = _pair(a, b)
    value = statistic(both[:, 1].sum(axis=0)) - statistic(both[:, 0].sum(axis=0))
    totals = resampled(both, resamples, seed)
    return difference(value, statistic(totals[:, 1]) - statistic(totals[:, 0]), level)


def difference(value: float | Array, replicates: Array, level: float = 0.95) -> Difference:
    """Interval and p value of a difference from its replicates [resamples], as `paired_bootstrap` says."""
    bounds = interval(value, replicates, level)
    flipped = int(np.count_nonzero(np.sign(bounds.value) * replicates <= _TIE))
    return Difference(bounds.value, bounds.low, bounds.high, min(1.0, 2 * (flipped + 1) / (len(replicates) + 1)))


def approximate_randomisation(
    a: npt.ArrayLike, b: npt.ArrayLike, statistic: Statistic, *, rounds: int = 9999, seed: int = 0
) -> float:
    """Two-sided p value that a and b differ on the same articles (Noreen 1989, Yeh 2000).

    In each round the two systems' counts are swapped article by article with probability 1/2; p = (c + 1) / (n + 1)
    with c the rounds whose difference is at least as large as the one that was seen.
    """
    both = _pair(a, b)
    value = statistic(both[:, 1].sum(axis=0)) - statistic(both[:, 0].sum(axis=0))
    totals = swapped(both[:, 0], both[:, 1], rounds, seed)
    return p_value(value, statistic(totals[:, 1]) - statistic(totals[:, 0]))


def swapped(a: npt.ArrayLike, b: npt.ArrayLike, rounds: int = 9999, seed: int = 0) -> Array:
    """Sums of both systems' counts [articles, ...] after random swaps: [rounds, 2, ...]."""
    both = _pair(a, b)
    random = np.random.default_rng(seed)
    change = both[:, 1] - both[:, 0]
    moved = np.concatenate(
        [
            _weighted(random.integers(0, 2, size=(rows, len(both)), dtype=np.int8), change)
            for rows in _chunks(rounds, len(both))
        ]
    )
    first, second = both.sum(axis=0)
    return np.stack([first + moved, second - moved], axis=1)


def p_value(value: float | Array, replicates: Array) -> float:
    """Two-sided p value of a difference from replicates [rounds] under the hypothesis that there is none."""
    reached = int(np.count_nonzero(np.abs(replicates) >= abs(float(value)) - _TIE))
    return (reached + 1) / (len(replicates) + 1)


def holm(p_values: npt.ArrayLike) -> Array:
    """P values corrected for their number, in the order given (Holm 1979)."""
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return corrected


def _counts(counts: npt.ArrayLike) -> Array:
    array = np.asarray(counts, dtype=float)
    if array.ndim < 2 or not len(array):
        raise ValueError(f"counts have shape {array.shape}, not [articles, ...] with at least one article")
    return array


def _pair(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Both systems' counts as [articles, 2, ...]."""
    first, second = _counts(a), _counts(b)
    if first.shape != second.shape:
        raise ValueError(f"the systems' counts have shapes {first.shape} and {second.shape}: compare the same articles")
    return np.stack([first, second], axis=1)


def _chunks(rows: int, width: int) -> Iterator[int]:
    """Sizes of the pieces in which so many rows are drawn."""
    if rows < 1:
        raise ValueError(f"{rows} resamples or rounds; give at least 1")
    size = max(1, _CHUNK // width)
    for start in range(0, rows, size):
        yield min(size, rows - start)


def _weighted(weights: npt.NDArray[np.int8] | npt.NDArray[np.int64], counts: Array) -> Array:
    """Weights [rows, articles] by counts [articles, ...]: [rows, ...]."""
    sums: Array = weights.astype(float) @ counts.reshape(len(counts), -1)
    return sums.reshape(len(weights), *counts.shape[1:])


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions with a confidence from `low` to below `high` (the last bin: to 1)."""

    low: float
    high: float
    count: int
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """The share of them that is right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidence can be read as a probability."""

    ece: float
    """Expected calibration error: mean distance of confidence and accuracy of the bins, weighted by their counts."""
    brier: float
    """Mean squared distance of confidence from 1 (right) or 0 (wrong)."""
    bins: tuple[Bin, ...]
    """Bins of equal width; those without a prediction are left out."""


def calibration(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> Calibration:
    """Calibration of predictions, given the confidence and whether it is right of each (Naeini 2015, Brier 1950)."""
    sure, is_right = _judged(confidence, right)
    if not len(sure):
        raise ValueError("no predictions, so no calibration")
    if bins < 1:
        raise ValueError(f"{bins} bins; give at least 1")
    edges = np.arange(bins + 1) / bins
    place = np.searchsorted(edges[1:-1], sure, side="right")
    count = np.bincount(place, minlength=bins)
    mean = _share(np.bincount(place, sure, bins).astype(float), count.astype(float))
    accuracy = _share(np.bincount(place, is_right, bins).astype(float), count.astype(float))
    return Calibration(
        ece=float((count * np.abs(mean - accuracy)).sum() / len(sure)),
        brier=float(np.mean((sure - is_right) ** 2)),
        bins=tuple(
            Bin(float(edges[i]), float(edges[i + 1]), int(count[i]), float(mean[i]), float(accuracy[i]))
            for i in np.flatnonzero(count)
        ),
    )


@dataclass(frozen=True, slots=True)
class Point:
    """What is gained and risked where predictions from a confidence of `threshold` on are kept."""

    threshold: float
    precision: float
    recall: float
    """Right kept predictions by gold."""
    filled: float
    """Kept predictions by gold; above 1 where there are more of them."""


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """A point for each confidence that occurs, from high to low, as arrays of one length; risk is 1 - precision."""

    threshold: Array
    precision: Array
    recall: Array
    filled: Array

    def point(self, index: int) -> Point:
        """One point of the curve."""
        return Point(
            float(self.threshold[index]),
            float(self.precision[index]),
            float(self.recall[index]),
            float(self.filled[index]),
        )


def risk_coverage(confidence: npt.ArrayLike, right: npt.ArrayLike, gold_total: int) -> RiskCoverage:
    """Precision against the share of gold that is filled, as the threshold falls (El-Yaniv & Wiener 2010).

    Coverage is told as a share of the gold, not of the predictions, since a reviewer counts cells. Predictions of the
    same confidence are kept together. Without predictions the curve has no points.
    """
    sure, is_right = _judged(confidence, right)
    if gold_total < max(1, int(is_right.sum())):
        raise ValueError(f"{gold_total} gold items for {int(is_right.sum())} right predictions; there must be as many")
    order = np.argsort(-sure, kind="stable")
    sure, is_right = sure[order], is_right[order]
    last = np.flatnonzero(np.append(sure[1:] != sure[:-1], True)) if len(sure) else np.empty(0, dtype=int)
    kept, hits = last + 1.0, np.cumsum(is_right)[last]
    return RiskCoverage(sure[last], hits / kept, hits / gold_total, kept / gold_total)


def at_precision(curve: RiskCoverage, wanted: float) -> Point | None:
    """The point with the lowest threshold whose precision is at least `wanted`; None where no point has it."""
    enough = np.flatnonzero(curve.precision >= wanted)
    return curve.point(int(enough[-1])) if len(enough) else None


def _judged(confidence: npt.ArrayLike, right: npt.ArrayLike) -> tuple[Array, Array]:
    sure, is_right = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    if sure.ndim != 1 or sure.shape != is_right.shape:
        raise ValueError(
            f"confidence has shape {sure.shape}, right has {is_right.shape}: give one of each a prediction"
        )
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("a confidence is not between 0 and 1")
    if not np.isin(is_right, (0, 1)).all():
        raise ValueError("a prediction is right (1) or not (0)")
    return sure, is_right
