"""The wheel alone is enough: built, installed in a fresh environment, used in a folder that knows no checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CASE = (
    "A 61-year-old woman with chordoma of the sacrum underwent en bloc resection. There was no recurrence at 2 years."
)

pytestmark = pytest.mark.slow


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command without anything of this environment; its output is shown where it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    result = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    (built,) = folder.glob("caseframe-*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts' folder of a fresh environment with the wheel and nothing but what it asks for."""
    folder = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel, folder=folder)
    return scripts


def test_what_the_wheel_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for folder in ("lexicons/data", "stages/rules", "fields/rules", "tables/rules", "report/rules"):
        shipped = {path.name for path in (ROOT / "pipeline" / "caseframe" / folder).glob("*.tsv")}
        packed = {name.rpartition("/")[2] for name in names if name.startswith(f"caseframe/{folder}/")}
        assert shipped and shipped <= packed
    for name in (
        "configs/extract/default.yaml",
        "configs/evaluate/casebook.yaml",
        "evaluation/templates/report.html.j2",
        "review/static/review.js",
        "review/templates/article.html.j2",
        "pages/templates/base.html.j2",
        "report/templates/table.js.j2",
        "models/caseframe/config.cfg",
        "models/caseframe_entities/network",
        "models/caseframe_screener/abstract.tsv",
        "models/README.md",
        "py.typed",
    ):
        assert f"caseframe/{name}" in names
    rooms = {name.split("/")[0] for name in names}
    assert len(rooms) == 2 and all(room.startswith("caseframe") for room in rooms), rooms
    strangers = [name for name in names if any(part in name for part in ("tests", "outputs", "seeds", "__pycache__"))]
    assert not strangers


def test_the_fresh_environment_is_whole(scripts: Path, tmp_path: Path) -> None:
    run(scripts / "python", "-m", "pip", "check", folder=tmp_path)


def test_the_command_line_extracts_from_another_folder(scripts: Path, tmp_path: Path) -> None:
    records = [
        {"pmid": "1", "title": "A chordoma", "abstract": CASE},
        {"pmid": "2", "title": "Another", "abstract": CASE.replace("61", "47")},
    ]
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    result = run(scripts / "caseframe", "extract", "articles.jsonl", "-o", "run", folder=tmp_path)
    assert "Warning" not in result.stderr, result.stderr
    made = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"cases.csv", "findings.csv", "evidence.xlsx", "caseframe.duckdb", "run.json", "articles", "cases"} <= made
    cases = (tmp_path / "run" / "cases.csv").read_text(encoding="utf-8-sig")
    assert "pmid:1/1" in cases and "47" in cases and "chordoma" in cases
    shown = run(scripts / "caseframe", "show", "2", "run", folder=tmp_path).stdout
    assert "47" in shown and "chordoma" in shown


def test_the_python_api_finds_its_model_and_words(scripts: Path, tmp_path: Path) -> None:
    code = f"""
import json, pathlib
import caseframe, spacy
from caseframe.pipeline import shipped_model
frame = caseframe.to_frame([caseframe.extract({CASE!r})])
doc = spacy.load(shipped_model())({CASE!r})
print(json.dumps({{
    "where": str(pathlib.Path(caseframe.__file__).parent),
    "model": str(shipped_model()),
    "values": dict(zip(frame.field, frame.value)),
    "terms": sorted({{span.text for span in doc.spans["terms"]}}),
    "same": caseframe.load()({CASE!r})._.extraction == doc._.extraction,
}}))
"""
    told = json.loads(run(scripts / "python", "-c", code, folder=tmp_path).stdout)
    environment = scripts.parent.resolve()
    assert Path(told["where"]).resolve().is_relative_to(environment)
    assert Path(told["model"]).resolve().is_relative_to(environment)
    assert told["values"]["age"] == "61" and told["values"]["diagnosis"] == "chordoma"
    assert "chordoma" in told["terms"] and told["same"]
