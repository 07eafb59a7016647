"""Units and kappa: checked by hand, and against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from caseframe.review.agreement import AS_FOUND, NOTHING, compare, kappa_of, kappas
from caseframe.review.records import Decision, Found, Step
from caseframe.review.runs import Run
from caseframe.review.sheets import fill

Make = Callable[..., Any]
LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40)


def steps(found: Found, *decisions: Decision) -> list[Step]:
    return [Step(1, found.article_id, found.sha256, "Ann", "reviewer", "2026-01-01T00:00:00+00:00", 1.0, decisions)]


def on(found: Found, kind: Any, field: str, **changed: Any) -> Decision:
    each = next(item for item in found.suggestions if item.finding.field == field)
    reading = replace(each.finding, **changed) if kind in ("correct", "accept") else None
    return Decision(kind, each.id, each.case, field, each.finding, reading)


def added(found: Found, field: str, value: str, words: str, name: str) -> Decision:
    start = found.text.index(words)
    like = found.suggestions[1].finding
    reading = replace(like, field=field, value=value, unit="", text=words, start=start, end=start + len(words))
    return Decision("add", name, 1, field, reading=reading)


def accepting(found: Found) -> list[Decision]:
    return [
        Decision("accept", each.id, each.case, each.finding.field, each.finding, each.finding)
        for each in found.suggestions
    ]


def units(found: Found, first: list[Decision], second: list[Decision]) -> dict[str, Any]:
    all_units = compare(found, fill(found, steps(found, *first)), fill(found, steps(found, *second)))
    return {unit.field: unit for unit in all_units}


def test_everything_accepted_is_agreement(run: Run) -> None:
    found = run.found("pmid:1")
    made = units(found, accepting(found), accepting(found))
    assert all(unit.agreed for unit in made.values())
    assert made["age"].labels == (AS_FOUND, AS_FOUND) and made["site"].labels == (NOTHING, NOTHING)
    assert made["site"].empty and not made["age"].empty


def test_rejecting_and_adding_the_same_is_a_correction_by_another_way(run: Run) -> None:
    found = run.found("pmid:1")
    corrected = [*accepting(found), on(found, "correct", "diagnosis", value="chondrosarcoma")]
    replaced = [
        *accepting(found),
        on(found, "reject", "diagnosis"),
        added(found, "diagnosis", "Chondrosarcoma", "chordoma", "r-1"),
    ]
    like = found.suggestions[3].finding
    replaced[-1] = replace(replaced[-1], reading=replace(replaced[-1].reading, attributes=like.attributes))
    unit = units(found, corrected, replaced)["diagnosis"]
    assert unit.agreed, unit.labels


@pytest.mark.parametrize(
    ("changed", "agreed"),
    [({"value": "osteosarcoma"}, False), ({"assertion": "possible"}, False), ({"text": "c", "end": 1}, True)],
)
def test_value_and_assertion_must_agree_but_not_the_words(run: Run, changed: dict[str, Any], agreed: bool) -> None:
    found = run.found("pmid:1")
    other = [*accepting(found), on(found, "correct", "diagnosis", **changed)]
    assert units(found, accepting(found), other)["diagnosis"].agreed is agreed


def test_an_addition_of_one_is_a_disagreement_and_of_both_is_none(run: Run) -> None:
    found = run.found("pmid:1")
    mine = [*accepting(found), added(found, "site", "sacrum", "sacrum", "r-1")]
    theirs = [*accepting(found), added(found, "site", "Sacrum", "of the sacrum", "r-2")]
    assert not units(found, mine, accepting(found))["site"].agreed
    assert units(found, mine, theirs)["site"].agreed


def test_a_single_field_has_one_unit_even_where_the_words_are_far_apart(run: Run) -> None:
    found = run.found("pmid:1")
    mine = [*accepting(found), added(found, "follow_up", "24", "2 years", "r-1")]
    theirs = [*accepting(found), added(found, "follow_up", "1.5", "6 weeks", "r-2")]
    all_units = compare(found, fill(found, steps(found, *mine)), fill(found, steps(found, *theirs)))
    assert len([unit for unit in all_units if unit.field == "follow_up"]) == 1


def test_kappa_by_hand() -> None:
    # 20 x yes/yes, 5 x yes/no, 10 x no/yes, 15 x no/no: the textbook's 0.4
    labels = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    row = kappa_of("age", labels)
    assert row.kappa == pytest.approx(0.4) and row.share == 0.7 and row.units == 50
    assert row.low is not None and row.high is not None
    assert row.high - row.kappa == pytest.approx(1.959964 * math.sqrt(0.7 * 0.3 / 50) / 0.5)


@given(LABELS)
def test_kappa_is_that_of_scikit_learn(labels: list[tuple[str, str]]) -> None:
    row = kappa_of("age", labels)
    if len({label for pair in labels for label in pair}) == 1:
        assert row.kappa is None and row.agreed == row.units
    else:
        assert row.kappa == pytest.approx(cohen_kappa_score(*zip(*labels, strict=True)))
        if row.agreed in (0, row.units):
            assert row.low is None and row.high is None
        else:
            assert row.low is not None and row.high is not None and -1 <= row.low < row.kappa < row.high <= 1


@given(LABELS)
def test_kappa_does_not_care_who_is_first(labels: list[tuple[str, str]]) -> None:
    assert kappa_of("age", labels).kappa == pytest.approx(kappa_of("age", [(b, a) for a, b in labels]).kappa)


def test_kappas_in_the_order_of_the_schema(run: Run) -> None:
    found = run.found("pmid:1")
    sheet = fill(found, steps(found, *accepting(found)))
    rows = kappas(compare(found, sheet, sheet))
    assert [row.field for row in rows][:3] == ["study_design", "n_patients", "age"] and rows[-1].field == "all"
    assert rows[-1].units == sum(row.units for row in rows[:-1]) == 21 and rows[-1].kappa == 1.0
