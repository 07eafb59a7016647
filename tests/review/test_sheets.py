"""The form after any steps: whatever is decided, the pipeline's own value stays beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseframe.review.records import Decision, Found, Step, Suggestion
from caseframe.review.runs import Run
from caseframe.review.sheets import fill
from caseframe.review.spans import Mark, paragraphs
from caseframe.schema import Section

KINDS = st.sampled_from(["accept", "reject", "correct", "comment", "add", "not_reported", "finish"])


@pytest.fixture
def found(run: Run) -> Found:
    return run.found("pmid:1")


def decision(found: Found, kind: Any, at: int) -> Decision:
    each = found.suggestions[at % len(found.suggestions)]
    if kind == "finish":
        return Decision(kind)
    if kind == "add":
        return Decision(kind, f"r-{at}", each.case, each.finding.field, reading=each.finding)
    reading = (
        replace(each.finding, value="other")
        if kind == "correct" and isinstance(each.finding.value, str)
        else each.finding
    )
    return Decision(kind, each.id, each.case, each.finding.field, each.finding, reading, f"{at}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.tuples(KINDS, st.integers(0, 30)), max_size=30))
def test_no_history_loses_what_the_pipeline_said(found: Found, chosen: list[tuple[str, int]]) -> None:
    steps = [
        Step(number, found.article_id, found.sha256, "Ann", "reviewer", "now", 1.0, (decision(found, kind, at),))
        for number, (kind, at) in enumerate(chosen, 1)
    ]
    sheet = fill(found, steps, len(steps))
    kept = {item.id: item.machine for item in sheet.items if item.machine}
    assert kept == {each.id: each.finding for each in found.suggestions}
    for item in sheet.items:
        assert (item.reading is None) == (item.status == "rejected")
        assert item.status != "accepted" or item.reading == item.machine
        assert (item.machine is None) == (item.status == "added")


def test_steps_on_another_text_are_counted_and_not_applied(found: Found) -> None:
    step = Step(
        1, found.article_id, "0" * 64, "Ann", "reviewer", "now", 1.0, (decision(found, "reject", 0), Decision("finish"))
    )
    sheet = fill(found, [step], 1)
    assert sheet.stale == 1 and len(sheet.open) == 6 and not sheet.finished and sheet.revision == 1


def made_anew(found: Found, *kept: int) -> Found:
    """The article as another run finds it: some findings as before, and one more."""
    more = Suggestion("new", 1, replace(found.suggestions[3].finding, value="chondrosarcoma"))
    return replace(found, suggestions=(*(found.suggestions[number] for number in kept), more))


def reviewed(found: Found, *, finished: bool) -> list[Step]:
    accepted = [decision(found, "accept", number) for number in range(5)] + [decision(found, "reject", 5)]
    done = [Decision("finish")] if finished else []
    return [Step(1, found.article_id, found.sha256, "Ann", "reviewer", "then", 1.0, (*accepted, *done))]


def test_what_was_accepted_stays_when_a_new_run_does_not_find_it(found: Found) -> None:
    sheet = fill(made_anew(found, 0, 1), reviewed(found, finished=False), 1)
    assert {item.id: item.status for item in sheet.items} == {
        **{each.id: "accepted" for each in found.suggestions[:2]},
        **{each.id: "added" for each in found.suggestions[2:5]},
        "new": "open",
    }
    kept = [item.reading for item in sheet.items if item.status == "added"]
    assert kept == [each.finding for each in found.suggestions[2:5]]


def test_a_finished_article_stays_finished_whatever_a_new_run_finds(found: Found) -> None:
    sheet = fill(made_anew(found, 0, 1), reviewed(found, finished=True), 1)
    assert sheet.finished and not sheet.open
    (new,) = [item for item in sheet.items if item.id == "new"]
    assert (new.status, new.by, new.at) == ("rejected", "Ann", "then")


def test_the_same_reading_at_other_words_is_known_again(found: Found) -> None:
    before = found.suggestions[3]
    moved = replace(before, id="moved", finding=replace(before.finding, start=0, end=8, text=found.text[:8]))
    sheet = fill(replace(found, suggestions=(moved,)), reviewed(found, finished=True), 1)
    (item,) = [item for item in sheet.items if item.field == "diagnosis"]
    assert (item.id, item.status, item.by) == ("moved", "accepted", "Ann")


@given(
    st.text(max_size=80), st.lists(st.tuples(st.integers(-5, 90), st.integers(-5, 90)), max_size=12), st.integers(0, 80)
)
def test_marks_never_change_the_text(text: str, spans: list[tuple[int, int]], cut: int) -> None:
    cut = min(cut, len(text))
    sections = (Section("", cut, len(text)),) if cut < len(text) else ()
    found = Found("a", "", "", None, "", text, "", sections, {}, ())
    marks = [Mark(start, end, str(number), "age") for number, (start, end) in enumerate(spans)]
    made = paragraphs(found, marks)
    stretches = [stretch for paragraph in made for stretch in paragraph.stretches]
    assert [stretch.start for stretch in stretches] == [
        sum(len(s.text) for s in stretches[:n]) for n in range(len(stretches))
    ]
    assert sum(len(stretch.text) for stretch in stretches) == len(text)
    for mark in marks:
        covered = [s for s in stretches if mark in s.marks]
        if 0 <= mark.start < mark.end <= len(text):
            assert sum(len(s.text) for s in covered) == mark.end - mark.start
        else:
            assert not covered
