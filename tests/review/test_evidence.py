"""A reviewed run goes to every export of a run: with the reviewed values, and the pipeline's where nobody looked."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caseframe.errors import ReviewError
from caseframe.report.page import write_report
from caseframe.review.evidence import ReviewedEvidence
from caseframe.review.store import Store
from caseframe.tables.evidence import open_run
from caseframe.tables.exports import write_exports

Visit = Callable[..., Any]


def ages(path: Path) -> list[object]:
    return [case["age"] for evidence in ReviewedEvidence(path) for case in evidence.cases]


def test_what_was_corrected_is_exported(visit: Visit, run_path: Path, store: Store, tmp_path: Path) -> None:
    ann = visit("Ann")
    ann.do("correct", finding=ann.line("age"), reading={"value": "62"})
    ann.do("reject", findings=[ann.line("outcome")])
    with pytest.raises(ReviewError, match="no article is finished"):
        ReviewedEvidence(run_path)
    ann.finish()
    first, second = ReviewedEvidence(run_path)
    assert ages(run_path) == [62, 61] == ages(run_path)
    assert not [row for row in first.findings if row["field"] == "outcome"]
    machine_run = open_run(run_path)
    (machine, untouched) = machine_run
    assert [row["field"] for row in machine.findings].count("outcome") == 1
    assert second == untouched
    page = write_report(machine_run, tmp_path / "page.html", reviewed=ReviewedEvidence(run_path)).page
    assert "after the review" in page.read_text(encoding="utf-8")
    ages_shown = (tmp_path / "page_figures" / "age_sex.csv").read_text(encoding="utf-8-sig").splitlines()
    assert ages_shown[-1].startswith("60–69,2")
    write_exports(ReviewedEvidence(run_path), tmp_path / "out", ("revman",))
    with (tmp_path / "out" / "studies.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["Participants"].partition(";")[0] for row in csv.DictReader(stream)] == [
            "Age: 62 years",
            "Age: 61 years",
        ]


def test_the_command_takes_both_kinds_of_formats(visit: Visit, run_path: Path, store: Store) -> None:
    visit("Ann").finish()
    code = "from caseframe.cli import main; main()"
    arguments = ["export", str(run_path), "--reviewed", "--format", "csv,ris"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"cells.csv", "articles.ris", "gold.jsonl"} <= {path.name for path in (run_path / "reviewed").iterdir()}
