"""A sheet of random findings to judge, and what the judgements come to."""

from __future__ import annotations

import gzip
import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

from caseframe.batch.run import run_extraction
from caseframe.config import ExtractConfig

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
judge_sheet = import_module("judge_sheet")

HEADER = "article_id,field,value,start,end,verdict,reason\n"


def test_the_precision_and_its_interval(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(HEADER + "a,age,34,0,2,right,\n" * 9 + "a,site,femur,3,8,wrong,of a symptom\n", encoding="utf-8")
    rows = judge_sheet.read_sheet(sheet)
    right, count, low, high = judge_sheet.precision(rows)
    assert (right, count) == (9, 10)
    # Wilson's interval of 9 in 10.
    assert (low, high) == (pytest.approx(0.5958, abs=1e-3), pytest.approx(0.9821, abs=1e-3))
    assert [line.split()[0] for line in judge_sheet.summarize(rows)] == ["age", "site", "all"]


def test_a_row_that_nobody_judged_is_named(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(HEADER + "a,age,34,0,2,right,\nb,age,35,0,2,,\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="line 3"):
        judge_sheet.read_sheet(sheet)


def test_articles_are_drawn_without_those_left_out(tmp_path: Path) -> None:
    lines = [json.dumps({"article_id": f"x:{number}"}) for number in range(20)]
    with gzip.open(tmp_path / "all.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    (tmp_path / "gold.jsonl").write_text("\n".join(lines[:10]), encoding="utf-8")
    for name in ("one", "two"):
        judge_sheet.articles(
            tmp_path / "all.jsonl.gz", tmp_path / name, number=5, seed=3, without=[tmp_path / "gold.jsonl"]
        )
    drawn = (tmp_path / "one").read_text(encoding="utf-8")
    assert drawn == (tmp_path / "two").read_text(encoding="utf-8")
    ids = {int(json.loads(line)["article_id"][2:]) for line in drawn.splitlines()}
    assert len(ids) == 5 and min(ids) >= 10


def test_the_sheet_holds_no_sentence(tmp_path: Path) -> None:
    text = "A 34-year-old man with chordoma of the sacrum underwent sacrectomy. He walked at 6 months."
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"pmid": "1", "title": "Chordoma: a case report", "abstract": text}), encoding="utf-8")
    run_extraction([source], tmp_path / "run", ExtractConfig())
    judge_sheet.draw(tmp_path / "run", tmp_path / "sheet.csv", number=4, seed=0, read=False)
    lines = (tmp_path / "sheet.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 5 and lines[0] + "\n" == HEADER
    assert not any("underwent" in line for line in lines)
