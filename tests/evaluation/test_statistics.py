"""Scores, intervals, tests, calibration, risk and coverage: values worked out by hand, laws, simulations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from caseframe.evaluation import statistics
from caseframe.evaluation.statistics import (
    Bin,
    Interval,
    Point,
    Statistic,
    approximate_randomisation,
    at_precision,
    bootstrap,
    calibration,
    difference,
    f1,
    holm,
    macro_f1,
    macro_precision,
    macro_recall,
    micro_f1,
    micro_precision,
    micro_recall,
    p_value,
    paired_bootstrap,
    precision,
    recall,
    resampled,
    risk_coverage,
    swapped,
)

RIGHT, WRONG, MISSED = (1, 1, 1), (0, 1, 1), (0, 0, 1)


def array(*rows: object) -> np.ndarray:
    return np.array(rows, dtype=float)


# Scores


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((3, 4, 5), (0.75, 0.6, 6 / 9)),
        ((2, 2, 2), (1, 1, 1)),
        ((0, 3, 2), (0, 0, 0)),
        ((0, 0, 2), (0, 0, 0)),
        ((0, 3, 0), (0, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_precision_recall_and_f1(counts: tuple[int, int, int], expected: tuple[float, float, float]) -> None:
    assert [float(score(array(*counts))) for score in (precision, recall, f1)] == pytest.approx(expected)


def test_micro_takes_all_types_together_and_macro_each_for_itself() -> None:
    totals = array((8, 10, 16), (0, 2, 4))
    assert [float(score(totals)) for score in (micro_precision, micro_recall, micro_f1)] == [8 / 12, 0.4, 0.5]
    assert [float(score(totals)) for score in (macro_precision, macro_recall, macro_f1)] == pytest.approx(
        [0.4, 0.25, 8 / 26]
    )


def test_macro_leaves_out_types_that_are_empty_but_not_those_that_are_missed_or_invented() -> None:
    assert macro_f1(array(RIGHT, (0, 0, 0))) == 1
    assert macro_f1(array(RIGHT, (0, 0, 3))) == 0.5
    assert macro_f1(array(RIGHT, (0, 3, 0))) == 0.5
    assert macro_f1(array((0, 0, 0), (0, 0, 0))) == 0


def test_scores_run_over_leading_axes() -> None:
    totals = np.arange(24).reshape(2, 4, 3)
    assert f1(totals).shape == (2, 4)
    assert micro_f1(totals).shape == macro_f1(totals).shape == (2,)
    assert macro_f1(totals)[1] == macro_f1(totals[1])


# Intervals


def test_an_interval_worked_out_by_hand() -> None:
    # Two articles, one right and one wrong: F1 is 0, 0.5, 1 in 1/4, 1/2, 1/4 of the resamples.
    counts = [RIGHT, WRONG]
    assert bootstrap(counts, f1) == Interval(0.5, 0, 1)
    assert bootstrap(counts, f1, level=0.4) == Interval(0.5, 0.5, 0.5)


def test_articles_that_are_all_alike_leave_no_doubt() -> None:
    assert bootstrap([(1, 2, 2)] * 9, f1) == Interval(0.5, 0.5, 0.5)


def test_resamples_hold_as_many_articles_and_each_as_often() -> None:
    counts = np.eye(5)[:, :, None] * np.ones(3)
    totals = resampled(counts, 4000, seed=3)
    assert totals.shape == (4000, 5, 3)
    assert (totals.sum(axis=1) == 5).all()
    assert totals.mean(axis=0) == pytest.approx(np.ones((5, 3)), abs=0.06)
    # An article is absent from a resample with (4/5)^5.
    assert (totals[:, 0, 0] == 0).mean() == pytest.approx(0.8**5, abs=0.03)


def test_a_type_that_a_resample_lacks_is_not_held_against_macro_but_against_its_own_score() -> None:
    # The second type is in one of eight articles, and right; some resamples have none of it.
    counts = np.zeros((8, 2, 3))
    counts[:, 0] = RIGHT
    counts[0, 1] = RIGHT
    assert bootstrap(counts, macro_f1) == Interval(1, 1, 1)
    assert bootstrap(counts[:, 1], f1) == Interval(1, 0, 1)


def test_drawing_in_pieces_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [RIGHT, WRONG, MISSED, (2, 3, 4)]
    whole = resampled(counts, 101, seed=5)
    monkeypatch.setattr(statistics, "_CHUNK", 28)
    assert (resampled(counts, 101, seed=5) == whole).all()
    assert swapped(counts, counts, 101).shape == (101, 2, 3)


@pytest.mark.parametrize("score", [f1, precision, recall])
def test_seeds_reproduce(score: Statistic) -> None:
    counts = [RIGHT, WRONG, MISSED, (3, 5, 4), (2, 2, 7)]
    other = [WRONG, RIGHT, RIGHT, (4, 5, 4), (1, 2, 7)]
    assert bootstrap(counts, score, seed=4) == bootstrap(counts, score, seed=4)
    assert (resampled(counts, 50, seed=4) != resampled(counts, 50, seed=5)).any()
    assert paired_bootstrap(counts, other, score, seed=4) == paired_bootstrap(counts, other, score, seed=4)
    assert approximate_randomisation(counts, other, score, seed=4) == approximate_randomisation(
        counts, other, score, seed=4
    )


def article_counts() -> st.SearchStrategy[tuple[int, int, int]]:
    return st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 4)).map(
        lambda t: (t[0], t[0] + t[1], t[0] + t[2])
    )


def two_systems() -> st.SearchStrategy[tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]]:
    pairs = st.lists(st.tuples(article_counts(), article_counts()), min_size=1, max_size=12)
    return pairs.map(lambda found: ([a for a, _ in found], [b for _, b in found]))


@given(st.lists(article_counts(), min_size=1, max_size=12), st.sampled_from([precision, recall, f1]))
def test_an_interval_holds_its_value(counts: list[tuple[int, int, int]], score: Statistic) -> None:
    found = bootstrap(counts, score, resamples=400)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.lists(article_counts(), min_size=2, max_size=12))
def test_a_higher_level_is_a_wider_interval(counts: list[tuple[int, int, int]]) -> None:
    narrow, wide = bootstrap(counts, f1, level=0.5), bootstrap(counts, f1, level=0.95)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def simulated(random: np.random.Generator, articles: int, skill: float) -> np.ndarray:
    """Articles of unequal length and difficulty; matched / gold and matched / predicted are `skill` on average."""
    gold = 1 + random.poisson(6, articles)
    own = np.clip(skill + random.normal(0, 0.15, articles), 0, 1)
    matched = random.binomial(gold, own)
    return np.stack([matched, gold, gold], axis=1)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(11)
    skill = 0.6
    hits = 0
    for seed in range(300):
        found = bootstrap(simulated(random, 60, skill), f1, resamples=400, seed=seed)
        hits += found.low <= skill <= found.high
    # 95 % of 300 is 285; the standard error is 3.8, and percentile intervals are a little narrow.
    assert 270 <= hits <= 297


# Tests of two systems


def test_a_difference_that_all_articles_show() -> None:
    found = paired_bootstrap([(1, 2, 2)] * 6, [(2, 2, 2)] * 6, f1)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert found.p_value == 2 / 1001


def test_systems_are_resampled_together() -> None:
    # Both are right in the same articles, b in one gold item more: never worse in any resample.
    a = [(index % 2 * 4, 5, 5) for index in range(10)]
    b = [(index % 2 * 4 + 1, 5, 5) for index in range(10)]
    found = paired_bootstrap(a, b, f1)
    assert (found.low, found.high) == pytest.approx((0.2, 0.2))
    assert found.p_value == 2 / 1001


def test_p_of_the_paired_bootstrap_by_hand() -> None:
    # c = 1 of 4 replicates has lost the sign: 2 (1 + 1) / (4 + 1).
    assert difference(0.3, array(0.1, 0.2, -0.1, 0.4)).p_value == 0.8
    assert difference(-0.3, array(-0.1, -0.2, -0.1, -0.4)).p_value == 0.4
    assert difference(0.3, array(0.1, 0.2, 0.0, 0.4)).p_value == 0.8
    assert difference(0.3, array(-0.1, -0.2, 0.0, 0.4)).p_value == 1


def test_p_of_randomisation_by_hand() -> None:
    assert p_value(0.3, array(0.1, -0.3, 0.3, -0.5)) == 4 / 5
    assert p_value(-0.6, array(0.1, -0.3, 0.3, -0.5)) == 1 / 5


@pytest.mark.parametrize("articles", [1, 2, 3, 5])
def test_randomisation_comes_near_to_all_swaps(articles: int) -> None:
    # Only where all articles or none are swapped is the difference as large: 2 of 2^n ways.
    p = approximate_randomisation([WRONG] * articles, [RIGHT] * articles, f1)
    assert p == pytest.approx(2 / 2**articles, abs=0.015)


def test_randomisation_is_never_surer_than_its_rounds() -> None:
    assert approximate_randomisation([WRONG] * 40, [RIGHT] * 40, f1, rounds=199) == 1 / 200


def test_swaps_keep_the_sum_of_both() -> None:
    a, b = [RIGHT, WRONG, (2, 5, 3)], [MISSED, RIGHT, (3, 3, 3)]
    totals = swapped(a, b, 64, seed=2)
    assert (totals.sum(axis=1) == np.sum(a, axis=0) + np.sum(b, axis=0)).all()
    assert len(np.unique(totals[:, 0], axis=0)) == 8


@given(st.lists(article_counts(), min_size=1, max_size=12))
def test_a_system_does_not_differ_from_itself(counts: list[tuple[int, int, int]]) -> None:
    found = paired_bootstrap(counts, counts, f1, resamples=200)
    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert approximate_randomisation(counts, counts, f1, rounds=200) == 1


@given(two_systems())
def test_either_system_can_come_first(systems: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]) -> None:
    a, b = systems
    there, back = paired_bootstrap(a, b, f1, resamples=200), paired_bootstrap(b, a, f1, resamples=200)
    assert there.value == -back.value
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.p_value == back.p_value
    assert approximate_randomisation(a, b, f1, rounds=200) == approximate_randomisation(b, a, f1, rounds=200)


@given(two_systems())
def test_p_values_are_shares(systems: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]) -> None:
    a, b = systems
    assert 2 / 201 <= paired_bootstrap(a, b, f1, resamples=200).p_value <= 1
    assert 1 / 201 <= approximate_randomisation(a, b, f1, rounds=200) <= 1


def false_alarms(test: Callable[[np.ndarray, np.ndarray, int], float], runs: int = 300) -> int:
    """How often a test at 5 % tells two equally good systems apart."""
    random = np.random.default_rng(7)
    return sum(test(simulated(random, 40, 0.6), simulated(random, 40, 0.6), seed) <= 0.05 for seed in range(runs))


def test_equal_systems_are_seldom_told_apart() -> None:
    # 5 % of 300 is 15, the standard error 3.8.
    randomised = false_alarms(lambda a, b, seed: approximate_randomisation(a, b, f1, rounds=399, seed=seed))
    resampling = false_alarms(lambda a, b, seed: paired_bootstrap(a, b, f1, resamples=399, seed=seed).p_value)
    assert 4 <= randomised <= 27
    assert 4 <= resampling <= 33


def test_a_better_system_is_told_apart() -> None:
    random = np.random.default_rng(5)
    worse, better = simulated(random, 60, 0.5), simulated(random, 60, 0.75)
    assert paired_bootstrap(worse, better, f1).low > 0
    assert paired_bootstrap(better, worse, f1).high < 0
    assert approximate_randomisation(worse, better, f1, rounds=999) <= 0.01


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.5]) == pytest.approx([1, 1])
    assert holm([0.2]) == pytest.approx([0.2])
    assert len(holm([])) == 0


# Calibration


def test_calibration_by_hand() -> None:
    found = calibration([0.05, 0.15, 0.95, 0.95], [False, True, True, False])
    # |0.05 - 0| + |0.15 - 1| + 2 |0.95 - 0.5|, by 4
    assert found.ece == pytest.approx(0.45)
    assert found.brier == pytest.approx((0.0025 + 0.7225 + 0.0025 + 0.9025) / 4)
    low, second, high = found.bins
    assert low == Bin(0, 0.1, 1, pytest.approx(0.05), 0)
    assert second == Bin(0.1, 0.2, 1, pytest.approx(0.15), 1)
    assert high == Bin(0.9, 1, 2, pytest.approx(0.95), 0.5)


def test_a_confidence_on_an_edge_is_in_the_upper_bin() -> None:
    found = calibration([0.0, 0.1, 0.3, 0.6, 0.7, 1.0], [1] * 6)
    assert [each.low for each in found.bins] == [0, 0.1, 0.3, 0.6, 0.7, 0.9]


def test_a_system_that_knows_is_calibrated() -> None:
    assert calibration([1, 1, 0, 0], [1, 1, 0, 0]).ece == 0
    assert calibration([1, 1, 0, 0], [1, 1, 0, 0]).brier == 0
    assert calibration([1, 1], [0, 0]).ece == calibration([1, 1], [0, 0]).brier == 1
    assert calibration([0.5, 0.5], [0, 1]).ece == 0


def judged() -> st.SearchStrategy[list[tuple[float, bool]]]:
    return st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


@given(judged(), st.integers(1, 20))
def test_bins_hold_every_prediction(predictions: list[tuple[float, bool]], bins: int) -> None:
    confidence, right = zip(*predictions, strict=True)
    found = calibration(confidence, right, bins)
    assert sum(each.count for each in found.bins) == len(predictions)
    assert sum(each.count * each.accuracy for each in found.bins) == pytest.approx(sum(right))
    assert 0 <= found.ece <= 1
    assert 0 <= found.brier <= 1
    for each in found.bins:
        assert each.low - 1e-9 <= each.confidence <= each.high + 1e-9


# Risk and coverage


def test_risk_and_coverage_by_hand() -> None:
    curve = risk_coverage([0.5, 0.9, 0.2, 0.9], [True, True, True, False], gold_total=5)
    assert [curve.point(index) for index in range(len(curve.threshold))] == [
        Point(0.9, 1 / 2, 1 / 5, 2 / 5),
        Point(0.5, 2 / 3, 2 / 5, 3 / 5),
        Point(0.2, 3 / 4, 3 / 5, 4 / 5),
    ]


def test_the_lowest_threshold_that_is_precise_enough() -> None:
    curve = risk_coverage([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], gold_total=4)
    assert at_precision(curve, 0.9) == Point(0.9, 1, 0.25, 0.25)
    # 0.8 is not precise enough, 0.7 is again.
    assert at_precision(curve, 0.6) == Point(0.7, 2 / 3, 0.5, 0.75)
    assert at_precision(curve, 0.5) == Point(0.6, 0.5, 0.5, 1)
    assert at_precision(risk_coverage([0.9], [0], gold_total=1), 0.1) is None


def test_nineteen_right_of_twenty_is_95_percent() -> None:
    point = at_precision(risk_coverage([0.7] * 20, [1] * 19 + [0], gold_total=38), 0.95)
    assert point == Point(0.7, 0.95, 0.5, 20 / 38)


def test_a_system_that_says_nothing_has_no_curve() -> None:
    curve = risk_coverage([], [], gold_total=3)
    assert len(curve.threshold) == len(curve.filled) == 0
    assert at_precision(curve, 0.5) is None


@given(judged(), st.integers(0, 9))
def test_the_curve_goes_down_and_fills(predictions: list[tuple[float, bool]], missed: int) -> None:
    confidence, right = zip(*predictions, strict=True)
    gold = sum(right) + missed
    assume(gold)
    curve = risk_coverage(confidence, right, gold)
    assert len(curve.threshold) == len(set(confidence))
    assert (np.diff(curve.threshold) < 0).all()
    assert (np.diff(curve.filled) > 0).all()
    assert (np.diff(curve.recall) >= 0).all()
    assert curve.recall == pytest.approx(curve.precision * curve.filled)
    assert curve.filled[-1] == len(predictions) / gold


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap([], f1), "at least one article"),
        (lambda: bootstrap([1, 2, 3], f1), r"shape \(3,\)"),
        (lambda: bootstrap([RIGHT], f1, resamples=0), "at least 1"),
        (lambda: bootstrap([RIGHT], f1, level=1.0), "level is 1.0"),
        (lambda: bootstrap([RIGHT], f1, level=95), "level is 95"),
        (lambda: paired_bootstrap([RIGHT], [RIGHT, WRONG], f1), "compare the same articles"),
        (lambda: approximate_randomisation([RIGHT], [RIGHT, WRONG], f1), "compare the same articles"),
        (lambda: approximate_randomisation([RIGHT], [RIGHT], f1, rounds=0), "at least 1"),
        (lambda: calibration([0.5], [1, 0]), "one of each"),
        (lambda: calibration([], []), "no predictions"),
        (lambda: calibration([1.1], [1]), "not between 0 and 1"),
        (lambda: calibration([float("nan")], [1]), "not between 0 and 1"),
        (lambda: calibration([0.5], [2]), r"right \(1\) or not \(0\)"),
        (lambda: calibration([0.5], [1], bins=0), "0 bins"),
        (lambda: risk_coverage([0.5], [1, 0], 3), "one of each"),
        (lambda: risk_coverage([0.5, 0.5], [1, 1], 1), "1 gold items for 2 right predictions"),
        (lambda: risk_coverage([0.5], [0], 0), "0 gold items"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
