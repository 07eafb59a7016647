"""The flow of records: every box is what goes on, and what is left is told."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from caseframe.batch.fates import FATES
from caseframe.report.flow import flow

INFO: dict[str, Any] = {
    "inputs": [{"name": "b.xml", "counts": {"read": 200}}, {"name": "a.xml", "counts": {"read": 1000}}],
    "fates": {
        "read": 1200, "deletion_notices": 2, "superseded": 31, "deleted": 2, "filtered": 400, "screened_out": 640,
        "failed": 3, "extracted": 122,
    },
    "reasons": {
        "filtered": {"year>=2010": 400},
        "screened_out": {"model": 130, "types": 510},
        "failed": {"BrokenRecord": 2, "ValueError": 1},
    },
}  # fmt: skip


def test_the_numbers_of_a_run() -> None:
    identified, screened, assessed, included = flow(INFO, {"no patient found": 20}, {"patient": 110, "cohort": 2})
    assert identified.kept.parts == (("a.xml", 1000), ("b.xml", 200)) and identified.kept.count == 1200
    assert identified.out and identified.out.count == 38
    assert ("failed: BrokenRecord", 2) in identified.out.parts
    assert screened.kept.count == 1162 and screened.out
    assert screened.out.parts == (
        ("no case report by publication type", 510),
        ("not year>=2010", 400),
        ("no case report by title and abstract", 130),
    )
    assert assessed.kept.count == 122 and assessed.out and assessed.out.count == 20
    assert included.kept.count == 102
    assert included.kept.parts == (("cases: patients told singly", 110), ("cases: groups told together", 2))


def test_a_run_of_the_first_version_has_counts_only() -> None:
    counts = {"read": 10, "articles": 4, "superseded": 1, "deleted": 2, "filtered": 2, "failed": 1}
    identified, screened, assessed, _ = flow({"counts": counts}, {}, {})
    assert identified.out and identified.out.count == 4
    assert screened.kept.count == 6 and screened.out and screened.out.count == 2
    assert assessed.kept.count == 4


@given(st.lists(st.integers(0, 50), min_size=len(FATES), max_size=len(FATES)), st.data())
def test_what_goes_on_and_what_is_left_sum_up(numbers: list[int], data: st.DataObject) -> None:
    fates = dict(zip(FATES, numbers, strict=True))
    excluded = data.draw(st.integers(0, fates["extracted"]))
    steps = flow({"fates": {"read": sum(numbers), **fates}}, {"no patient found": excluded}, {})
    for step, after in pairwise(steps):
        assert step.out and step.kept.count == step.out.count + after.kept.count
