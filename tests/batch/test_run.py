"""Runs over small dumps: every record is accounted for, the last word wins, broken runs go on."""

import json
from collections import Counter
from pathlib import Path

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest
from runs import light, tables

from caseframe.batch.finish import settle
from caseframe.batch.run import RunSummary, run_extraction
from caseframe.config import ExtractConfig
from caseframe.errors import CaseFrameError, ConfigError, NoArticles, OutputError, OutputExists, ResumeRefused
from caseframe.lexicons.importing import ImportSettings, import_lexicon
from caseframe.tables.parquet import read_rows

CASE = "A {age}-year-old man underwent hemisacrectomy for osteosarcoma. He walked at 2 weeks without infection."


def line(pmid: int, age: int = 30, **rest: object) -> str:
    return json.dumps(
        {"pmid": str(pmid), "title": "Sacral osteosarcoma: a case report", "abstract": CASE.format(age=age)} | rest
    )


def dump(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def config(**output: object) -> ExtractConfig:
    return ExtractConfig.model_validate({"output": {"formats": [], **output}})


def ages(out: Path) -> dict[str, object]:
    return {str(row["pmid"]): row["age"] for row in read_rows(out / "cases")}


def balanced(summary: RunSummary) -> bool:
    counts = Counter(summary.counts)
    parts = ("articles", "superseded", "deleted", "filtered", "failed")
    return counts["read"] == sum(counts[part] for part in parts)


def test_how_many_words_a_process_keeps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = dump(tmp_path, "a.jsonl", *(line(n, 20 + n, title=f"Osteosarcoma of word{n}") for n in range(30)))
    one_by_one = light(output={"part_size": 7, "formats": ["csv"]})
    written = []
    for known in (0, 10_000_000):
        monkeypatch.setattr("caseframe.batch.shard._WORDS_KEPT", known)
        run_extraction([source], tmp_path / f"{known}", one_by_one)
        written.append(tables(tmp_path / f"{known}"))
    assert written[0] == written[1]


def test_tables_of_a_run(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1, 30), "{broken", line(2, 40, title="=cmd()"))
    out = tmp_path / "run"
    summary = run_extraction([source], out, ExtractConfig())
    assert balanced(summary) and summary.counts["articles"] == 2 and summary.failed == 1
    failure = json.loads((out / "failures.jsonl").read_text(encoding="utf-8"))
    assert failure["record"] == 2 and failure["cure"]
    assert ages(out) == {"1": 30.0, "2": 40.0}
    book = openpyxl.load_workbook(out / "evidence.xlsx")
    assert book.sheetnames == ["Cases", "Findings", "Articles", "Columns", "Vocabularies", "Legend"]
    titles = [row[5].value for row in book["Cases"].iter_rows(min_row=2)]
    assert titles == ["Sacral osteosarcoma: a case report", "'=cmd()"]
    assert book["Cases"].freeze_panes == "C2" and book["Cases"].auto_filter.ref
    explained = {row[1].value: row[2].value for row in book["Columns"].iter_rows(min_row=2)}
    assert all(explained.values()), [column for column, text in explained.items() if not text]
    with duckdb.connect(str(out / "caseframe.duckdb"), read_only=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM evidence WHERE field = 'age'").fetchone() or (0,)
    assert count == 2
    assert "'=cmd()" in (out / "cases.csv").read_text(encoding="utf-8-sig")
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["state"] == "finished" and run["counts"]["articles"] == 2 and len(run["inputs"][0]["sha256"]) == 64
    assert run["inputs"][0]["counts"]["articles"] == 2 and "cases" not in run["inputs"][0]["counts"]


def test_offsets_hold_in_the_tables(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run_extraction([dump(tmp_path, "a.jsonl", *(line(n, n + 20) for n in range(1, 6)))], out, config())
    texts = {row["article_id"]: str(row["text"]) for row in read_rows(out / "articles")}
    rows = list(read_rows(out / "findings"))
    assert len(rows) > 20
    for row in rows:
        assert texts[row["article_id"]][row["start"] : row["end"]] == row["text"]  # type: ignore[misc]
        assert row["text"] in str(row["sentence"]) or row["assertion"] != "present"


def test_the_last_word_on_an_article_wins_across_files_and_parts(tmp_path: Path) -> None:
    first = dump(tmp_path, "a.jsonl", line(1, 30), line(2, 31), line(3, 32), line(1, 33))
    second = dump(tmp_path, "b.jsonl", line(2, 34))
    summary = run_extraction([first, second], tmp_path / "run", config(part_size=2))
    assert ages(tmp_path / "run") == {"1": 33.0, "2": 34.0, "3": 32.0}
    assert summary.counts["superseded"] == 2 and balanced(summary)
    assert summary.counts["cases"] == 3


def test_deletions_and_lower_versions(tmp_path: Path) -> None:
    xml = "<PubmedArticleSet>{}</PubmedArticleSet>"
    record = (
        '<PubmedArticle><MedlineCitation><PMID Version="{version}">{pmid}</PMID><Article><ArticleTitle>Osteosarcoma: a case '
        "report</ArticleTitle><Abstract><AbstractText>A {age}-year-old man was treated.</AbstractText></Abstract></Article>"
        "</MedlineCitation></PubmedArticle>"
    )
    base = tmp_path / "1.xml"
    base.write_text(
        xml.format("".join(record.format(pmid=p, version=2, age=20 + p) for p in (1, 2, 3))), encoding="utf-8"
    )
    update = tmp_path / "2.xml"
    older = record.format(pmid=1, version=1, age=70)
    newer = record.format(pmid=3, version=3, age=80)
    update.write_text(xml.format(older + newer + "<DeleteCitation><PMID>2</PMID></DeleteCitation>"), encoding="utf-8")
    summary = run_extraction([base, update], tmp_path / "run", config())
    assert ages(tmp_path / "run") == {"1": 21.0, "3": 80.0}
    assert summary.counts["deleted"] == 1 and balanced(summary)
    fates = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["fates"]
    assert fates == {
        "read": 6,
        "deletion_notices": 1,
        "superseded": 2,
        "deleted": 1,
        "filtered": 0,
        "screened_out": 0,
        "failed": 0,
        "extracted": 2,
    }


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", *(line(n, n + 20) for n in range(1, 5)))
    for name in ("x", "y"):
        run_extraction(
            [source], tmp_path / name, ExtractConfig.model_validate({"output": {"formats": ["csv", "xlsx"]}})
        )
    for file in ("cases.csv", "findings.csv", "evidence.xlsx", "cases/part-000000-00000.parquet"):
        assert (tmp_path / "x" / file).read_bytes() == (tmp_path / "y" / file).read_bytes(), file


def test_a_used_directory_is_refused_unless_told(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1, 30))
    out = tmp_path / "run"
    run_extraction([source], out, config())
    with pytest.raises(OutputExists, match="--overwrite"):
        run_extraction([source], out, config())
    run_extraction([dump(tmp_path, "b.jsonl", line(9, 50))], out, config(), overwrite=True)
    assert ages(out) == {"9": 50.0}


def test_overwrite_never_removes_what_no_run_wrote(tmp_path: Path) -> None:
    out = tmp_path / "home"
    out.mkdir()
    (out / "thesis.docx").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputExists, match="no part of a run"):
        run_extraction([dump(tmp_path, "a.jsonl", line(1))], out, config(), overwrite=True)
    assert (out / "thesis.docx").exists()


def test_overwrite_leaves_a_run_that_was_reviewed_whole(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1, 30))
    out = tmp_path / "run"
    run_extraction([source], out, config())
    (out / "review.sqlite").touch()
    with pytest.raises(OutputExists, match=r"no part of a run \(review\.sqlite\)"):
        run_extraction([dump(tmp_path, "b.jsonl", line(9, 50))], out, config(), overwrite=True)
    assert ages(out) == {"1": 30.0}


def test_output_that_is_a_file(tmp_path: Path) -> None:
    out = tmp_path / "file"
    out.write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file"):
        run_extraction([dump(tmp_path, "a.jsonl", line(1))], out, config())
    with pytest.raises(OutputError, match="can be written"):
        run_extraction([tmp_path / "a.jsonl"], out / "below", config())


def test_a_broken_run_goes_on_to_the_same_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [dump(tmp_path, f"{n}.jsonl", line(n, 20 + n), line(10 + n, 50), "{") for n in range(3)]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_extraction(sources, whole, config(part_size=1))
    seen = []

    def die(source: str, counts: Counter[str]) -> None:
        seen.append(source)
        if counts["read"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_extraction(sources, broken, config(part_size=1), progress=die)
    summary = run_extraction(sources, broken, config(part_size=1), resume=True)
    assert balanced(summary) and summary.counts["read"] == 9
    for table in ("articles", "cases", "findings"):
        names = sorted(path.name for path in (whole / table).iterdir())
        assert sorted(path.name for path in (broken / table).iterdir()) == names
        for name in names:
            assert pq.read_table(whole / table / name).equals(pq.read_table(broken / table / name))
    assert (whole / "failures.jsonl").read_text() == (broken / "failures.jsonl").read_text()


def test_resume_refuses_another_config(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1))
    run_extraction([source], tmp_path / "run", config())
    with pytest.raises(ResumeRefused, match="output"):
        run_extraction([source], tmp_path / "run", config(part_size=7), resume=True)


def test_resume_refuses_other_inputs(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1))
    run_extraction([source], tmp_path / "run", config())
    dump(tmp_path, "a.jsonl", line(2))
    with pytest.raises(ResumeRefused, match=r"a\.jsonl is another file"):
        run_extraction([source], tmp_path / "run", config(), resume=True)


def test_conditions_on_what_is_found_take_what_stands_above(tmp_path: Path) -> None:
    appendix = "A {age}-year-old man presented with appendicitis. Appendectomy was done."
    source = dump(
        tmp_path, "a.jsonl", line(1), line(2, title="Appendicitis", abstract=appendix.format(age=31)), line(3, 33)
    )
    job = ExtractConfig.model_validate({"select": {"where": ["diagnosis=sarcoma"]}, "output": {"formats": []}})
    summary = run_extraction([source], tmp_path / "run", job)
    assert ages(tmp_path / "run") == {"1": 30.0, "3": 33.0}
    assert summary.counts["filtered"] == 1
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["reasons"]["filtered"] == {"diagnosis=sarcoma": 1}
    assert {row["diagnosis_group"] for row in read_rows(tmp_path / "run" / "cases")} == {"bone tumor"}


def test_an_imported_lexicon_is_used_and_told(tmp_path: Path) -> None:
    terms = tmp_path / "desk.csv"
    terms.write_text("id,name,parents\n7,hemi desk resection,desk surgery\n", encoding="utf-8")
    lexicon = import_lexicon(terms, tmp_path / "lexicons", ImportSettings(field="procedure")).path
    abstract = "A 40-year-old man underwent hemi-desk resections for osteosarcoma."
    source = dump(tmp_path, "a.jsonl", line(1, abstract=abstract))
    job = ExtractConfig.model_validate({"pipeline": {"lexicons": [str(lexicon)]}, "output": {"formats": []}})
    run_extraction([source], tmp_path / "run", job)
    found = {row["value"]: row for row in read_rows(tmp_path / "run" / "findings") if row["field"] == "procedure"}
    assert found["hemi desk resection"]["code"] == "desk:7"
    assert "desk surgery" in found["hemi desk resection"]["groups"]


def test_conditions_and_limit(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", *(line(n, 20 + n, year=2000 + n) for n in range(1, 9)))
    job = ExtractConfig.model_validate({"select": {"where": ["year>=2004"], "limit": 3}, "output": {"formats": []}})
    summary = run_extraction([source], tmp_path / "run", job)
    assert ages(tmp_path / "run") == {"4": 24.0, "5": 25.0, "6": 26.0}
    assert summary.counts["filtered"] == 3
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["fates"]["filtered"] == 3 and run["reasons"]["filtered"] == {"year>=2004": 3}
    bad = ExtractConfig.model_validate({"select": {"where": ["yeer>1"]}})
    with pytest.raises(ConfigError):
        run_extraction([source], tmp_path / "other", bad)


def test_minimum_confidence_and_fields(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1, 30))
    job = ExtractConfig.model_validate(
        {"pipeline": {"fields": ["age", "sex"]}, "output": {"formats": [], "min_confidence": 0.5}}
    )
    run_extraction([source], tmp_path / "run", job)
    rows = list(read_rows(tmp_path / "run" / "findings"))
    assert {row["field"] for row in rows} <= {"age", "sex"} and rows
    assert all(float(str(row["confidence"])) >= 0.5 for row in rows)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoArticles):
        run_extraction([tmp_path / "empty"], tmp_path / "run", config())
    assert not (tmp_path / "run").exists()
    with pytest.raises(CaseFrameError):
        run_extraction([tmp_path / "missing.xml"], tmp_path / "run2", config())


def test_an_article_that_breaks_a_stage_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import caseframe.pipeline as pipeline

    monkeypatch.setattr(pipeline, "MAX_TEXT_CHARS", 300)
    source = dump(tmp_path, "a.jsonl", line(1, 30), line(2, 31, abstract="word " * 200), line(3, 32))
    summary = run_extraction([source], tmp_path / "run", config())
    assert summary.failed == 1 and ages(tmp_path / "run") == {"1": 30.0, "3": 32.0}
    failure = json.loads((tmp_path / "run" / "failures.jsonl").read_text(encoding="utf-8"))
    assert failure["stage"] == "process" and failure["article_id"] == "pmid:2"


def test_other_languages_are_kept_and_marked(tmp_path: Path) -> None:
    german = (
        "Wir berichten über einen Patienten mit einem Osteosarkom des Kreuzbeins, der nach der Operation gehen konnte."
    )
    source = dump(tmp_path, "a.jsonl", line(1), line(2, abstract=german, title="Osteosarkom", language="ger"))
    run_extraction([source], tmp_path / "run", config())
    marks = {row["pmid"]: (row["english"], row["language"]) for row in read_rows(tmp_path / "run" / "articles")}
    assert marks["1"][0] is True and marks["2"] == (False, "ger")


def test_what_a_dead_worker_left_half_written_is_no_part_of_a_finished_run(tmp_path: Path) -> None:
    source = dump(tmp_path, "a.jsonl", line(1, 30))
    out = tmp_path / "run"
    run_extraction([source], out, config())
    left = out / "cases" / "part-000000-00000.123.tmp"
    left.touch()
    settle(out, [0])
    assert not left.exists() and ages(out) == {"1": 30}
