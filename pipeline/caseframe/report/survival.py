"""Kaplan-Meier curves over pooled single patients: who enters, when the event came, how many are left out and why."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from caseframe.report.facts import Facts

LEAST = 5
"""Patients that a curve needs at least."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Months to the event or to the end of follow-up; `left_out` says why other patients are not among them."""

    months: tuple[float, ...]
    happened: tuple[bool, ...]
    left_out: dict[str, int]

    @property
    def events(self) -> int:
        """How many had the event."""
        return sum(self.happened)


@dataclass(frozen=True, slots=True)
class Curve:
    """The estimate from each time on; bounds are of the 95 % interval (Greenwood's variance, log-log scale)."""

    months: tuple[float, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """First time at which half or fewer are free of the event; None where that is not reached."""
        return next((at for at, share in zip(self.months, self.survival, strict=True) if share <= 0.5), None)


def kaplan_meier(sample: Sample) -> Curve:
    """The product-limit estimate, beginning with 1 at month 0; raises ValueError without an event."""
    if not sample.events:
        raise ValueError("no event, no curve")
    ended = [at for at, happened in zip(sample.months, sample.happened, strict=True) if happened]
    censored = [at for at, happened in zip(sample.months, sample.happened, strict=True) if not happened]
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        # Where all or none are left the interval has no width, and SciPy says that its formula has no value.
        warnings.simplefilter("ignore", RuntimeWarning)
        estimate = stats.ecdf(stats.CensoredData(uncensored=ended, right=censored)).sf
        interval = estimate.confidence_interval(method="log-log")
        lows, highs = np.array(interval.low.probabilities), np.array(interval.high.probabilities)
    points = [(0.0, 1.0, 1.0, 1.0)]
    for at, share, low, high in zip(estimate.quantiles, estimate.probabilities, lows, highs, strict=True):
        if share >= 1:
            low = high = 1.0
        elif share <= 0:
            low, high = 0.0, points[-1][3]
        points.append((float(at), float(share), float(low), float(high)))
    return Curve(*(tuple(column) for column in zip(*points, strict=True)))


def at_risk(sample: Sample, times: Sequence[float]) -> list[int]:
    """How many are under observation and free of the event just before each time."""
    return [sum(at >= time for at in sample.months) for time in times]


def recurrence_free(cases: Iterable[Facts]) -> Sample:
    """Single patients whose text says whether the disease came back, and when or until when it had not."""

    def outcome(case: Facts) -> tuple[float, bool] | str:
        if case.recurrence == "present":
            at = _first(case, "recurrence")
            return "came back, time not told" if at is None else (at, True)
        if case.recurrence != "absent":
            return "not told whether it came back"
        end = max(case.free_until or 0.0, case.follow_up or 0.0)
        return (end, False) if end > 0 else "did not come back, follow-up not told"

    return _sample(cases, outcome)


def implant_survival(cases: Iterable[Facts]) -> Sample:
    """Single patients with an implant, until its failure or revision; what is not told counts as not happened."""

    def outcome(case: Facts) -> tuple[float, bool] | str:
        if any(event.kind == "implant_failure" for event in case.events):
            at = _first(case, "implant_failure")
            return "failed, time not told" if at is None else (at, True)
        return (case.follow_up, False) if case.follow_up else "did not fail, follow-up not told"

    return _sample((case for case in cases if case.implants), outcome)


def _sample(cases: Iterable[Facts], outcome: Callable[[Facts], tuple[float, bool] | str]) -> Sample:
    inside: list[tuple[float, bool]] = []
    left_out: Counter[str] = Counter()
    for case in cases:
        found = "a group of patients" if case.kind != "patient" else outcome(case)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            inside.append(found)
    return Sample(tuple(at for at, _ in inside), tuple(happened for _, happened in inside), dict(left_out))


def _first(case: Facts, kind: str) -> float | None:
    return min((event.months for event in case.events if event.kind == kind and event.months), default=None)
