"""Articles that make a stage raise, loop, hang, eat memory, or take the process with them: each costs only itself."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from runs import CASE, line

from caseframe.pipeline import assemble
from caseframe.tables.parquet import read_rows

pytestmark = pytest.mark.slow

# A stage as a user would bring it: a module and an entry point that say where spaCy finds it.
STAGE = """
import os, signal, time
from spacy.language import Language

@Language.factory("faulty")
def create(nlp, name):
    return faulty

def faulty(doc):
    word = next((token.text for token in doc if token.text.isupper() and len(token.text) > 3), "")
    if word == "RAISE":
        raise RuntimeError("a stage fails")
    if word == "LOOP":
        while True:
            time.sleep(0.01)
    if word == "HANG":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        while True:
            time.sleep(0.01)
    if word == "EATS":
        doc.user_data["eaten"] = [bytes(1 << 26) for _ in range(1 << 10)]
    if word == "DIES":
        os.kill(os.getpid(), signal.SIGKILL)
    return doc
"""
# The time a watcher gives a worker that does not heed its own alarm is for real articles.
MAIN = "from caseframe.batch import workers; workers._GRACE_SECONDS = 1; from caseframe.cli import main; main()"
ERRORS = {3: "RuntimeError", 9: "TimeLimit", 14: "MemoryError", 20: "WorkerDied", 26: "TimeLimit"}
WORDS = {3: "RAISE", 9: "LOOP", 14: "EATS", 20: "DIES", 26: "HANG"}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline with that stage."""
    plugin = tmp_path / "plugin"
    (plugin / "faulty-1.0.dist-info").mkdir(parents=True)
    (plugin / "faulty.py").write_text(STAGE, encoding="utf-8")
    (plugin / "faulty-1.0.dist-info" / "METADATA").write_text("Name: faulty\nVersion: 1.0\n", encoding="utf-8")
    points = "[spacy_factories]\nfaulty = faulty:create\n"
    (plugin / "faulty-1.0.dist-info" / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(plugin))
    monkeypatch.setenv("PYTHONPATH", str(plugin), prepend=os.pathsep)
    importlib.import_module("faulty")
    nlp = assemble(entities="none")
    nlp.add_pipe("faulty", first=True)
    nlp.to_disk(tmp_path / "model", exclude=["vocab"])
    return tmp_path / "model"


def test_each_costs_only_itself(model: Path, tmp_path: Path) -> None:
    source, config = tmp_path / "a.jsonl", tmp_path / "job.yaml"
    abstracts = {n: f"{WORDS.get(n, 'Here')} {CASE.format(age=20 + n)}" for n in range(1, 31)}
    source.write_text("".join(line(n, abstract=text) + "\n" for n, text in abstracts.items()), encoding="utf-8")
    config.write_text(
        f"pipeline: {{model: {model}}}\nlimits: {{seconds_per_article: 5, memory_mib: 1200}}\noutput: {{formats: []}}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-W", "ignore", "-c", MAIN, "extract", str(source), "-o", str(tmp_path / "run")]
    result = subprocess.run(
        [*command, "-c", str(config), "--engine", "local"], check=False, capture_output=True, text=True
    )
    assert result.returncode == 3, result.stderr
    lines = (tmp_path / "run" / "failures.jsonl").read_text(encoding="utf-8").splitlines()
    failures = {int(failure["article_id"].removeprefix("pmid:")): failure for failure in map(json.loads, lines)}
    assert {number: failure["error"] for number, failure in failures.items()} == ERRORS
    assert all(
        failure["cure"] and failure["message"] and failure["stage"] == "process" for failure in failures.values()
    )
    assert "SIGKILL" in failures[20]["message"] and "memory" in failures[14]["message"]
    assert all(failure["record"] == number for number, failure in failures.items())
    kept = {int(str(row["pmid"])) for row in read_rows(tmp_path / "run" / "articles")}
    assert kept == abstracts.keys() - ERRORS.keys()
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["fates"]["failed"] == len(ERRORS) and run["fates"]["extracted"] == len(kept)
    assert run["reasons"]["failed"] == dict(sorted(Counter(ERRORS.values()).items()))
