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


def test_version_and_help() -> None:
    assert run("--version").stdout.strip() == f"caseframe {__version__}"
    help_text = run("extract", "--help").stdout
    assert "Example" in help_text and "--where" in help_text
    assert run("extract").returncode == 2
