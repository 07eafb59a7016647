"""What a review leaves: corrected tables whose cells tell both values, and gold that the evaluation reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from caseframe.errors import OutputExists, ReviewError
from caseframe.evaluation.gold import read_gold
from caseframe.evaluation.job import load_job
from caseframe.evaluation.run import run_evaluation
from caseframe.review.export import export_review
from caseframe.review.store import Store, open_store

Visit = Callable[..., Any]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def of(cells: list[dict[str, str]], field: str) -> list[dict[str, str]]:
    return [cell for cell in cells if cell["field"] == field]


def review_by_one(visit: Visit) -> None:
    ann = visit("Ann")
    ann.do("correct", finding=ann.line("age"), reading={"value": "62"})
    ann.do("reject", findings=[ann.line("outcome")])
    ann.do("comment", finding=ann.line("age"), text="=1+1")
    ann.do("add", case=1, field="follow_up", reading={"value": "24", "start": 0, "end": 8})
    ann.do("add", case=2, field="sex", reading={"value": "male", "start": 0, "end": 8})
    ann.finish()


def test_each_cell_tells_both_values_who_and_when(visit: Visit, run_path: Path, store: Store) -> None:
    review_by_one(visit)
    done = export_review(run_path)
    assert done.path == run_path / "reviewed" and done.gold == 1
    assert done.articles == {"one reviewer": 1, "not reviewed": 1}
    cells = rows(done.path / "cells.csv")
    (age,) = [cell for cell in of(cells, "age") if cell["case_id"] == "pmid:1/1"]
    assert (age["state"], age["machine_value"], age["value"], age["number"]) == ("corrected", "61", "62", "62.0")
    assert age["reviewed_by"] == "Ann" and age["reviewed_at"].endswith("+00:00") and age["comment"] == "'=1+1"
    (outcome,) = [cell for cell in of(cells, "outcome") if cell["case_id"] == "pmid:1/1"]
    assert (outcome["state"], outcome["machine_value"], outcome["value"]) == ("rejected", "walking", "")
    (follow_up,) = [cell for cell in of(cells, "follow_up") if cell["case_id"] == "pmid:1/1"]
    assert (follow_up["state"], follow_up["machine_value"], follow_up["text"]) == ("added", "", "Chordoma")
    assert of(cells, "metastasis")[0]["state"] == "not reported"
    assert {cell["state"] for cell in cells if cell["article_id"] == "pmid:2"} == {"not reviewed"}
    cases = {row["case_id"]: row for row in rows(done.path / "cases.csv")}
    assert cases["pmid:1/1"]["age"] == "62.0" and cases["pmid:1/1"]["outcome"] == ""
    assert cases["pmid:1/1"]["complication"] == "no infection" and cases["pmid:1/1"]["review"] == "one reviewer"
    assert cases["pmid:1/2"]["sex"] == "male" and cases["pmid:2/1"]["review"] == "not reviewed"
    assert cases["pmid:2/1"]["outcome"] == "walking"


def test_all_formats_hold_the_same(visit: Visit, run_path: Path, store: Store, tmp_path: Path) -> None:
    review_by_one(visit)
    done = export_review(run_path, tmp_path / "out")
    cells = rows(done.path / "cells.csv")
    assert pq.read_table(done.path / "cells.parquet").num_rows == len(cells)
    book = openpyxl.load_workbook(done.path / "reviewed.xlsx", read_only=True)
    assert book.sheetnames == ["Cases", "Cells", "Agreement", "History", "Columns"]
    assert len(list(book["Cells"].iter_rows())) == len(cells) + 1
    history = rows(done.path / "history.csv")
    assert [row["kind"] for row in history][:3] == ["correct", "reject", "comment"]
    assert json.loads(history[0]["machine"])["value"] == 61.0 and json.loads(history[0]["reading"])["value"] == 62.0
    only = export_review(run_path, tmp_path / "only", formats=["parquet"])
    assert not list(only.path.glob("*.csv")) and not list(only.path.glob("*.xlsx"))


def test_the_gold_is_read_by_the_evaluation(visit: Visit, run_path: Path, store: Store, tmp_path: Path) -> None:
    review_by_one(visit)
    done = export_review(run_path)
    (gold,) = read_gold(done.path / "gold.jsonl")
    found = {(finding.case, finding.field): finding for finding in gold.findings}
    assert found[1, "age"].value == 62 and found[2, "sex"].value == "male" and (1, "outcome") not in found
    assert (
        found[1, "diagnosis"].attributes["behavior"] == "malignant" and found[1, "complication"].assertion == "absent"
    )
    metrics = run_evaluation(load_job(done.path / "evaluate.yaml"), tmp_path / "scores").metrics
    fields = metrics["results"][0]["metrics"]["field"]
    assert fields["diagnosis"]["exact_f1"] == 1.0 and fields["age"]["exact_f1"] == 0.0
    assert fields["outcome"]["gold"] == 0 and fields["outcome"]["predicted"] == 1


def test_two_reviewers_and_the_adjudicator(visit: Visit, run_path: Path, store: Store, tmp_path: Path) -> None:
    ann, ben = visit("Ann"), visit("Ben")
    ann.do("reject", findings=[ann.line("outcome")])
    ann.finish()
    ben.finish()
    done = export_review(run_path, tmp_path / "before")
    assert done.articles["in dispute"] == 1 and done.gold == 0
    (outcome,) = [c for c in of(rows(done.path / "cells.csv"), "outcome") if c["article_id"] == "pmid:1"]
    assert outcome["state"] == "in dispute" and outcome["value"] == "" and outcome["reviewed_by"] == "Ann, Ben"
    cleo = visit("Cleo")
    unit = cleo.page("/adjudication/article?id=pmid:1").split('data-item="')[1].split('"')[0]
    cleo.do("settle", url="/adjudication", unit=unit, choice="second")
    done = export_review(run_path, tmp_path / "after")
    assert done.articles["two reviewers"] == 1 and done.gold == 1
    cells = rows(done.path / "cells.csv")
    (outcome,) = [c for c in of(cells, "outcome") if c["article_id"] == "pmid:1"]
    assert (outcome["state"], outcome["value"], outcome["reviewed_by"]) == ("accepted", "walking", "Cleo")
    assert {c["reviewed_by"] for c in of(cells, "age") if c["article_id"] == "pmid:1"} == {"Ann, Ben"}
    agreement = {row["field"]: row for row in rows(done.path / "agreement.csv")}
    assert (
        agreement["outcome"]["agreed"] == "0"
        and agreement["all"]["units"] == "21"
        and agreement["all"]["agreed"] == "20"
    )
    assert list(done.kappas) == [("Ann", "Ben")] and done.progress["Ann"].rejected == 1


def test_what_cannot_be_exported_is_told(visit: Visit, run_path: Path, store: Store) -> None:
    (run_path / "review.sqlite").unlink()
    with pytest.raises(ReviewError, match="nobody has reviewed"):
        export_review(run_path)
    open_store(run_path)
    ann = visit("Ann")
    ann.do("comment", text="begun")
    with pytest.raises(ReviewError, match="no article is finished"):
        export_review(run_path)
    ann.finish()
    with pytest.raises(ReviewError, match="unknown format 'ods'"):
        export_review(run_path, formats=["ods"])
    export_review(run_path)
    with pytest.raises(OutputExists, match="not empty"):
        export_review(run_path)
    export_review(run_path, overwrite=True)


def test_time_saved_needs_cells_made_by_hand(visit: Visit, run_path: Path) -> None:
    ann = visit("Ann")
    ann.do("accept", findings=[ann.line("age")])
    page = ann.page("/")
    assert "too early" in page
    ann.page()
    for nth, value in enumerate(("a", "b", "c", "d")):
        ann.do("add", case=1, field="symptom", reading={"value": value, "start": nth, "end": nth + 1}, seconds=30)
    ann.do("correct", finding=ann.line("study_design"), reading={"value": "other"}, seconds=30)
    ann.do("accept", findings=[ann.line("sex"), ann.line("diagnosis"), ann.line("complication"), ann.line("outcome")])
    # five accepted cells at 30 s by hand, less two times 3 s to accept them
    assert "2 min" in ann.page("/").split("time saved")[1]
