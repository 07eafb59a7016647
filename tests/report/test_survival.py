"""Kaplan-Meier curves against values worked out by hand, and who enters them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.report.facts import Facts, facts_of
from caseframe.report.survival import Sample, at_risk, implant_survival, kaplan_meier, recurrence_free
from caseframe.schema import Extraction
from caseframe.tables.evidence import Run

# Remission of 21 patients on 6-mercaptopurine, weeks (Freireich 1963): the textbook's table.
ENDED = (6, 6, 6, 7, 10, 13, 16, 22, 23)
CENSORED = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
FREIREICH = Sample((*map(float, ENDED), *map(float, CENSORED)), (True,) * 9 + (False,) * 12, {})
TABLE = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def test_the_textbook() -> None:
    curve = kaplan_meier(FREIREICH)
    shares = dict(zip(curve.months, curve.survival, strict=True))
    assert {at: round(shares[at], 3) for at in TABLE} == TABLE
    assert curve.median == 23 and curve.months[0] == 0 and curve.survival[0] == 1
    # Greenwood at 10: S^2 (3/(21*18) + 1/(17*16) + 1/(15*14)); the band is log-log.
    share = shares[10]
    error = math.sqrt(3 / (21 * 18) + 1 / (17 * 16) + 1 / (15 * 14)) / abs(math.log(share))
    low, high = (share ** math.exp(sign * 1.959964 * error) for sign in (1, -1))
    place = curve.months.index(10)
    assert curve.low[place] == pytest.approx(low, abs=1e-4) and curve.high[place] == pytest.approx(high, abs=1e-4)
    assert at_risk(FREIREICH, (0, 6, 7, 10, 22, 23, 35, 36)) == [21, 21, 17, 15, 7, 6, 1, 0]


def test_without_an_event_there_is_no_curve() -> None:
    with pytest.raises(ValueError, match="no event"):
        kaplan_meier(Sample((1.0, 2.0), (False, False), {}))


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=30))
def test_a_curve_falls_within_its_band(patients: list[tuple[int, bool]]) -> None:
    sample = Sample(tuple(float(at) for at, _ in patients), tuple(event for _, event in patients), {})
    if not sample.events:
        return
    curve = kaplan_meier(sample)
    assert list(curve.months) == sorted(curve.months)
    assert list(curve.survival) == sorted(curve.survival, reverse=True)
    for low, share, high in zip(curve.low, curve.survival, curve.high, strict=True):
        assert 0 <= low <= share + 1e-9 and share <= high + 1e-9 <= 1 + 1e-8


def facts(write_run: Callable[..., Run], folder: Path, extractions: Iterable[Extraction]) -> list[Facts]:
    return [case for evidence in write_run(folder, extractions) for case in facts_of(evidence)]


def test_who_enters_the_recurrence_free_curve(
    tmp_path: Path, write_run: Callable[..., Run], make_case: Callable[..., Extraction]
) -> None:
    cases = facts(
        write_run,
        tmp_path,
        [
            make_case(1, recurred=12, follow_up=24),
            make_case(2, recurrence="absent", follow_up=36),
            make_case(3, recurrence="absent", recurred=48, follow_up=36),
            make_case(4, recurrence="present", follow_up=36),
            make_case(5, recurrence="absent"),
            make_case(6, follow_up=36),
            make_case(7, recurred=12, kind="cohort"),
            make_case(8, recurrence="possible", follow_up=36),
        ],
    )
    sample = recurrence_free(cases)
    assert [round(at, 6) for at in sample.months] == [12, 36, 48] and sample.happened == (True, False, False)
    assert sample.left_out == {
        "came back, time not told": 1,
        "did not come back, follow-up not told": 1,
        "not told whether it came back": 2,
        "a group of patients": 1,
    }


def test_an_implant_fails_by_what_the_rules_list(
    tmp_path: Path, write_run: Callable[..., Run], make_case: Callable[..., Extraction]
) -> None:
    cases = facts(write_run, tmp_path, [make_case(1, failed=6, follow_up=24), make_case(2, follow_up=24), make_case(3)])
    sample = implant_survival(cases)
    assert [round(at, 6) for at in sample.months] == [6, 24] and sample.happened == (True, False)
    assert sample.left_out == {"did not fail, follow-up not told": 1}
