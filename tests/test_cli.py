import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from caseframe import __version__

CASE = (
    "A 34-year-old man with osteosarcoma of the sacrum underwent hemisacrectomy. He walked 2 weeks postoperatively without "
    "infection."
)


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "from caseframe.cli import main; main()", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "160", "PATH": "", "LANG": "C.UTF-8"},
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "a.jsonl"
    record = {"pmid": "77", "title": "Sacral osteosarcoma: a case report", "abstract": CASE}
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return path


def test_extract_then_show(source: Path, tmp_path: Path) -> None:
    result = run("extract", str(source), "-o", str(tmp_path / "run"))
    assert result.returncode == 0, result.stderr
    assert re.search(r"articles extracted\s+1", result.stdout)
    assert not result.stderr  # no progress bar without a terminal
    shown = run("show", "77", str(tmp_path / "run"))
    assert "hemisacrectomy" in shown.stdout and "“34-year-old”" in shown.stdout


def test_standard_input(source: Path, tmp_path: Path) -> None:
    result = run("extract", "-", "-o", str(tmp_path / "run"), "-q", stdin=source.read_text(encoding="utf-8"))
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


def test_failures_show_in_the_exit_code(source: Path, tmp_path: Path) -> None:
    broken = tmp_path / "b.jsonl"
    broken.write_text(source.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    result = run("extract", str(broken), "-o", str(tmp_path / "run"))
    assert result.returncode == 3
    first, last = result.stderr.strip().splitlines()
    assert "b.jsonl, record 2: " in first
    assert "1 record failed" in last and "failures.jsonl" in last


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("extract", "missing.xml", "-o", "{out}"), "missing.xml"),
        (("extract", "{source}", "-o", "{out}", "--where", "yeer=1"), "condition 'yeer=1'"),
        (("extract", "{source}", "-o", "{out}", "-c", "none.yaml"), "none.yaml: no such config file"),
        (("show", "1", "{out}"), "holds no run"),
        (("evaluate", "none.yaml", "-o", "{out}"), "none.yaml: no such config file"),
        (("compare", "{out}", "{out}"), "metrics.json"),
    ],
)
def test_errors_are_one_line_with_the_cure(
    source: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    filled = [argument.format(source=source, out=tmp_path / "run") for argument in arguments]
    result = run(*filled)
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1 and message in result.stderr
    assert "Traceback" in run("--debug", *filled).stderr


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("job")
    text = {"article_id": "one", "title": "", "sections": [{"label": "", "text": CASE}]}
    finding = {"field": "age", "value": 34, "text": "34-year-old"}
    gold = {"article_id": "one", "cases": [{"case": 1, "findings": [finding]}]}
    (folder / "texts.jsonl").write_text(json.dumps(text) + "\n", encoding="utf-8")
    (folder / "gold.jsonl").write_text(json.dumps(gold) + "\n", encoding="utf-8")
    path = folder / "job.yaml"
    path.write_text(
        "datasets: [{name: mine, loader: fields, gold: gold.jsonl, texts: texts.jsonl}]\n"
        "systems: [{name: all}, {name: ages, overrides: {components.caseframe_cases.fields: [age]}}]\n"
        "report: {html: false}\n",
        encoding="utf-8",
    )
    return path


def test_evaluate_then_compare(job: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    result = run("evaluate", str(job), "-o", out, "--fail-under", "field.age.exact_f1=1")
    assert result.returncode == 0, result.stderr
    assert "ages on mine" in result.stdout and re.search(r"age +1 +1 +1\.000", result.stdout)
    assert not result.stderr
    compared = run("compare", f"{out}:all", f"{out}:ages", "-o", str(tmp_path / "difference"))
    assert compared.returncode == 0, compared.stderr
    assert re.search(r"sex +0 +0\.000", compared.stdout) and "newly wrong: 0" in compared.stdout


def test_a_gate_that_fails_sets_the_exit_code(job: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    result = run("evaluate", str(job), "-o", out, "-q", "--fail-under", "field.micro.relaxed_f1=0.99")
    assert result.returncode == 1 and not result.stdout
    assert re.search(r"mine/all/field\.micro\.relaxed_f1 is 0\.\d+, less than 0\.99", result.stderr)
    compared = run("compare", f"{out}:ages", f"{out}:all", "--fail-under", "field.micro.relaxed_f1=0.99")
    assert compared.returncode == 1 and "less than 0.99" in compared.stderr


def test_version_and_help() -> None:
    assert run("--version").stdout.strip() == f"caseframe {__version__}"
    help_text = run("extract", "--help").stdout
    assert "Example" in help_text and "--where" in help_text
    assert run("extract").returncode == 2
