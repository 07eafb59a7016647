import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import caseframe
from caseframe.errors import EvaluationError, GateFailed, GoldError, ModelError, OutputExists, SystemFailed
from caseframe.evaluation.differences import run_comparison
from caseframe.evaluation.job import EvaluateConfig, load_job
from caseframe.evaluation.metrics import failed_gates
from caseframe.evaluation.run import Summary, run_evaluation
from caseframe.evaluation.store import read_metrics, read_results

from .conftest import Write

ROOT = Path(__file__).resolve().parents[2]
QUICK = "metrics: {resamples: 100}\n"
NO_REPORT = "report: {html: false, markdown: false}\n"


def run(write: Write, datasets: str, systems: str = "", rest: str = "", out: str = "out", **options: bool) -> Summary:
    systems = f"systems: [{systems}]\n" if systems else ""
    path = write("job.yaml", f"datasets: [{datasets}]\n{systems}{QUICK}{rest or NO_REPORT}")
    return run_evaluation(load_job(path), path.parent / out, **options)


def test_fields_are_scored_and_every_error_is_a_row(write: Write, fields: str) -> None:
    summary = run(write, fields, rest="gates: {field.age.exact_f1: 0.5, field.sex.exact_f1: 1}\n")
    (result,) = summary.metrics["results"]
    field = result["metrics"]["field"]
    assert (result["articles"], result["kind"], result["alignment"]["annotations"]) == (2, "fields", 6)
    assert field["age"]["relaxed_f1"] == 0.5 and field["sex"]["relaxed_f1"] == 1.0
    assert field["age"]["filled_right"] == 0.5 and field["age"]["filled_wrong"] == 0.5
    assert field["age"]["relaxed_f1_low"] <= 0.5 <= field["age"]["relaxed_f1_high"]
    assert summary.below == ()
    with (summary.folder / "errors.csv").open(encoding="utf-8-sig", newline="") as stream:
        errors = list(csv.DictReader(stream))
    age = next(row for row in errors if row["type"] == "age")
    assert (age["gold_value"], age["predicted_value"], age["cause"]) == ("52", "51", "wrong_value")
    assert "51-year-old" in age["sentence"]
    assert len(errors) == pq.read_metadata(summary.folder / "errors.parquet").num_rows
    assert {path.name for path in summary.folder.iterdir()} == {
        "metrics.json", "items.parquet", "counts.parquet", "errors.parquet", "errors.csv", "report.md", "report.html",
    }  # fmt: skip


def test_several_systems_on_several_data_sets(write: Write, fields: str, spans: str, ruler: str) -> None:
    ours = "{name: caseframe, spans: [terms], labels: {diagnosis: NEOPLASM, site: ANATOMY}}"
    summary = run(write, f"{fields}, {spans}", f"{ours}, {ruler}")
    results = {(each["dataset"], each["system"]): each for each in summary.metrics["results"]}
    assert set(results) == {("two", "caseframe"), ("spans", "caseframe"), ("spans", "ruler")}
    assert summary.metrics["skipped"] == [{"dataset": "two", "system": "ruler", "why": "the system fills no fields"}]
    ruled = results["spans", "ruler"]["metrics"]["span"]
    # two tumours right; each sacrum found as a tumour; no anatomy, no sex
    assert ruled["micro"]["strict_matched"] == 2 and ruled["micro"]["predicted"] == 4 and ruled["micro"]["gold"] == 6
    assert ruled["NEOPLASM"]["strict_precision"] == 0.5 and ruled["SEX"]["strict_f1"] == 0.0
    assert ruled["macro"]["strict_f1"] == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert results["spans", "ruler"]["metrics"]["errors"] == {"wrong_field": 2, "missed_term": 2}
    assert results["spans", "caseframe"]["metrics"]["span"]["ANATOMY"]["strict_f1"] == 1.0


def test_only_some_types_and_fields(write: Write, fields: str, spans: str) -> None:
    only = spans.replace("paths", "only: [ANATOMY], paths")
    summary = run(write, only, "{name: a, spans: [terms], labels: {site: ANATOMY}}")
    assert set(summary.metrics["results"][0]["metrics"]["span"]) == {"micro", "macro", "ANATOMY"}
    assert summary.metrics["results"][0]["alignment"]["notes"] == {"of other types, not scored": 4}
    path = write("job.yaml", f"datasets: [{fields}]\nmetrics: {{fields: [sex], resamples: 100}}\n")
    metrics = caseframe.evaluate(path, path.parent / "python")
    assert set(metrics["results"][0]["metrics"]["field"]) == {"micro", "micro_case", "macro", "sex"}


def test_a_command_is_a_system(write: Write, spans: str) -> None:
    script = write(
        "peer.py",
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    record = json.loads(line)\n"
        "    start = record['text'].find('sacrum')\n"
        "    span = {'start': start, 'end': start + 6, 'type': 'ANATOMY', 'confidence': 0.5}\n"
        "    print(json.dumps({'id': record['id'], 'spans': [span]}))\n",
    )
    summary = run(write, spans, f"{{name: peer, command: [python3, {script.name}]}}")
    metrics = summary.metrics["results"][0]["metrics"]
    assert metrics["span"]["ANATOMY"]["strict_f1"] == 1.0
    assert metrics["calibration"]["ece"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit(7)", "ended with exit code 7"),
        ("pass", "gave no line for one"),
        ("print('no json')", "line 1 of its output"),
        ('print(\'{"id": "one"}\')', "line 1 of its output"),
        ('print(\'{"id": "one", "spans": [{"start": "0", "end": 1, "type": "A"}]}\')', "integers"),
        (
            'for i in (\'one\', \'two\'): print(\'{"id": "%s", "spans": [{"start": 5, "end": 999, "type": "A"}]}\' % i)',
            "5-999 outside its text",
        ),
    ],
)
def test_a_command_that_breaks_the_protocol_is_named(write: Write, spans: str, code: str, message: str) -> None:
    write("peer.py", code)
    with pytest.raises(SystemFailed, match=message) as caught:
        run(write, spans, "{name: peer, command: [python3, peer.py]}")
    assert "peer" in str(caught.value)


def test_a_command_that_is_not_there(write: Write, spans: str) -> None:
    with pytest.raises(SystemFailed, match="no_such_program"):
        run(write, spans, "{name: peer, command: [no_such_program]}")
    with pytest.raises(ModelError, match="no_such_model"):
        run(write, spans, "{name: peer, model: no_such_model}", out="other")


def test_a_finished_run_is_a_system(write: Write, fields: str, tmp_path: Path) -> None:
    from caseframe.batch.run import run_extraction
    from caseframe.config import ExtractConfig

    lines = (tmp_path / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    source = [{"id": each["article_id"], "abstract": each["sections"][0]["text"]} for each in records]
    path = write("articles.jsonl", "".join(json.dumps(line) + "\n" for line in source))
    run_extraction([str(path)], tmp_path / "run", ExtractConfig())
    summary = run(write, fields, "{name: caseframe}, {name: finished, run: run}")
    ours, finished = (result["metrics"] for result in summary.metrics["results"])
    assert finished["field"] == ours["field"] and finished["attribute"] == ours["attribute"]
    for each in (records[0], {**records[0], "article_id": "three"}):
        write("texts.jsonl", json.dumps({**each, "sections": [{"label": "", "text": "osteosarcoma"}]}) + "\n")
        gold = {"article_id": each["article_id"], "cases": []}
        write("gold.jsonl", json.dumps(gold) + "\n")
        with pytest.raises(SystemFailed, match=r"has no article three|the text of one is another one"):
            run(write, fields, "{name: finished, run: run}", overwrite=True)


def test_splits_that_share_an_article_are_refused(write: Write, spans: str) -> None:
    twice = (
        spans.replace("name: spans", "name: train, split: train") + ", " + spans.replace("loader", "split: dev, loader")
    )
    with pytest.raises(GoldError, match="share"):
        run(write, twice)
    same = spans.replace("name: spans", "name: a, split: dev") + ", " + spans.replace("loader", "split: dev, loader")
    assert len(run(write, same, "{name: a, spans: [terms]}").metrics["results"]) == 2


def test_an_article_that_fails_counts_as_empty(write: Write, fields: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from caseframe.evaluation import systems

    def fail(nlp: object, article: caseframe.Article) -> object:
        if article.article_id == "two":
            raise RuntimeError("it broke")
        return original(nlp, article)  # type: ignore[arg-type]

    original = systems.run
    monkeypatch.setattr(systems, "run", fail)
    summary = run(write, fields)
    assert [failure.article_id for failure in summary.failures] == ["two"]
    assert summary.metrics["results"][0]["failed"] == 1
    assert summary.metrics["results"][0]["metrics"]["field"]["sex"]["relaxed_recall"] == 0.5


def test_an_evaluation_is_replaced_only_by_wish(write: Write, fields: str, tmp_path: Path) -> None:
    run(write, fields)
    with pytest.raises(OutputExists, match="not empty"):
        run(write, fields)
    run(write, fields, overwrite=True)
    write("out/thesis.docx", "years of work")
    with pytest.raises(OutputExists, match="holds other files"):
        run(write, fields, overwrite=True)
    assert (tmp_path / "out" / "thesis.docx").exists()


def test_what_was_written_is_read_again(write: Write, fields: str) -> None:
    summary = run(write, fields)
    (result,) = read_results(summary.folder)
    assert [score.article_id for score in result.scores] == ["one", "two"]
    assert read_metrics(summary.folder) == json.loads(json.dumps(summary.metrics))
    ages = [item for score in result.scores for item in score.items if item.gold and item.gold.type == "age"]
    assert [item.matched for item in ages] == [True, False]
    assert ages[0].gold and ages[0].gold.value == 34.0


def test_the_same_job_gives_the_same_bytes(write: Write, fields: str) -> None:
    first, second = run(write, fields, out="a"), run(write, fields, out="b")
    for name in ("items.parquet", "counts.parquet", "errors.csv"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert first.metrics["results"][0]["metrics"] == second.metrics["results"][0]["metrics"]


def test_gates(write: Write, fields: str) -> None:
    metrics = run(write, fields).metrics
    assert list(failed_gates(metrics, {"field.micro.relaxed_f1": 0.1, "errors.wrong_value": 1})) == []
    assert list(failed_gates(metrics, {"field.age.relaxed_f1": 0.6})) == [
        "two/caseframe/field.age.relaxed_f1 is 0.5000, less than 0.6"
    ]
    assert list(failed_gates(metrics, {"two/caseframe/field.age.relaxed_f1": 0.5})) == []
    for path in ("field.agee.relaxed_f1", "field.age", "two/other/field.age.relaxed_f1", "calibration.bins"):
        with pytest.raises(GateFailed, match="no metric"):
            list(failed_gates(metrics, {path: 0.5}))


def test_evaluations_are_compared(write: Write, fields: str, tmp_path: Path) -> None:
    run(write, fields, "{name: all}", out="a")
    run(write, fields, "{name: some, overrides: {components.caseframe_cases.fields: [age]}}", out="b")
    out = tmp_path / "comparison"
    summary = run_comparison([str(tmp_path / "a"), str(tmp_path / "b")], out, gates={"field.age.relaxed_f1": 0.6})
    (compared,) = summary.comparisons
    assert (compared.a, compared.b, compared.comparison.articles) == ("a", "b", 2)
    sex = next(row for row in compared.comparison.rows if (row.type, row.mode) == ("sex", "relaxed"))
    assert (sex.a, sex.b, sex.difference) == (1.0, 0.0, -1.0)
    assert {item.gold.type for item in compared.comparison.newly_wrong if item.gold} >= {"sex", "diagnosis"}
    assert summary.below
    assert {path.name for path in out.iterdir()} == {"comparison.json", "comparison.md", "comparison.html"}
    same = run_comparison([str(tmp_path / "a"), str(tmp_path / "a")], gates={}).comparisons[0]
    assert same.a != same.b and not same.comparison.newly_right and not same.comparison.newly_wrong
    assert {row.p_randomisation for row in same.comparison.rows} == {1.0}


def test_systems_of_one_folder_are_compared(write: Write, spans: str, ruler: str, tmp_path: Path) -> None:
    run(write, spans, f"{{name: ours, spans: [terms], labels: {{diagnosis: NEOPLASM, site: ANATOMY}}}}, {ruler}")
    folder = tmp_path / "out"
    summary = run_comparison([f"{folder}:ours", f"{folder}:ruler"], gates={})
    assert [each.b for each in summary.comparisons] == ["out:ruler"]
    with pytest.raises(EvaluationError, match=r"holds 2 systems.*out:ours"):
        run_comparison([str(folder), str(folder)], gates={})
    with pytest.raises(EvaluationError, match="has no system none"):
        run_comparison([f"{folder}:none", f"{folder}:ours"], gates={})


def test_what_cannot_be_compared(write: Write, fields: str, spans: str, tmp_path: Path) -> None:
    run(write, fields, out="a")
    run(write, spans, out="b")
    with pytest.raises(EvaluationError, match="share no data set"):
        run_comparison([str(tmp_path / "a"), str(tmp_path / "b")], gates={})
    with pytest.raises(EvaluationError, match="two or more"):
        run_comparison([str(tmp_path / "a")], gates={})
    with pytest.raises(EvaluationError, match=r"none.*caseframe evaluate wrote"):
        run_comparison([str(tmp_path / "none"), str(tmp_path / "a")], gates={})
    (tmp_path / "b" / "items.parquet").write_bytes(b"PAR1")
    with pytest.raises(EvaluationError, match="caseframe evaluate wrote"):
        run_comparison([str(tmp_path / "b"), str(tmp_path / "b")], gates={})


def test_the_casebook_passes_its_gates(tmp_path: Path) -> None:
    job = load_job(ROOT / "configs" / "evaluate" / "casebook.yaml")
    assert isinstance(job, EvaluateConfig) and job.gates
    summary = run_evaluation(job, tmp_path / "out")
    assert summary.below == () and summary.failures == ()
    assert summary.metrics["results"][0]["articles"] >= 25


def test_the_documented_paths_lead_to_figures(write: Write, fields: str, spans: str) -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    metrics = run(write, fields).metrics
    for path in ("field.micro.relaxed_f1", "field.macro.relaxed_f1", "assertion.accuracy", "patient.accuracy",
                 "attribute.micro.accuracy", "calibration.ece", "calibration.brier"):  # fmt: skip
        assert path in page
        assert list(failed_gates(metrics, {path: -1.0})) == [] or "None" in next(failed_gates(metrics, {path: -1.0}))


def test_labels_of_one_source(write: Write, spans: str) -> None:
    labels = "{terms/diagnosis: NEOPLASM, terms/*: null, site: ANATOMY}"
    summary = run(write, spans, f"{{name: a, spans: [terms], labels: {labels}}}")
    tables = summary.metrics["results"][0]["metrics"]["span"]
    assert {name: row["predicted"] for name, row in tables.items() if name.isupper()} == {
        "ANATOMY": 0, "NEOPLASM": 2, "SEX": 0,
    }  # fmt: skip


def test_the_same_span_under_one_label_counts_once(write: Write, spans: str) -> None:
    summary = run(write, spans, "{name: a, spans: [terms, terms], labels: {site: ANATOMY, '*': null}}")
    assert summary.metrics["results"][0]["metrics"]["span"]["ANATOMY"]["predicted"] == 2


def test_line_ends_inside_a_text_break_no_command(write: Write) -> None:
    write("marked.jsonl", json.dumps({"article_id": "a", "marked": "one\u2028two [[X|three]]"}) + "\n")
    write(
        "peer.py",
        'import sys\nfor line in sys.stdin.buffer:\n    sys.stdout.buffer.write(b\'{"id": "a", "spans": [], "text": "\\xe2\\x80\\xa8"}\\n\')\n',
    )
    summary = run(
        write, "{name: m, loader: marked, paths: [marked.jsonl]}", "{name: peer, command: [python3, peer.py]}"
    )
    assert summary.metrics["results"][0]["articles"] == 1
