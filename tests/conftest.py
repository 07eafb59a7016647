"""Fixtures that all tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from spacy.language import Language

from caseframe.config import ExtractConfig
from caseframe.pipeline import assemble
from caseframe.schema import Extraction
from caseframe.tables.evidence import Run, open_run
from caseframe.tables.parquet import write_part
from caseframe.tables.rows import ARTICLES, FINDINGS, article_row, case_rows, cases_schema, finding_rows

ROOT = Path(__file__).resolve().parent.parent

# Deadlines would make slow machines fail; examples stay few so that the suite stays quick.
settings.register_profile("caseframe", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("caseframe")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The development data, where there is any."""
    folder = Path(os.environ.get("CASEFRAME_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "articles").is_dir():
        pytest.skip(f"no development data in {folder} (set CASEFRAME_DATA)")
    return folder


@pytest.fixture(scope="session")
def nlp() -> Language:
    """The whole pipeline, assembled once."""
    return assemble()


WriteRun = Callable[..., Run]


@pytest.fixture(scope="session")
def write_run() -> WriteRun:
    """Writes a finished run of given extractions, as `caseframe extract` would, and opens it."""

    def write(path: Path, extractions: Iterable[Extraction], *, part_size: int = 2, **info: object) -> Run:
        done = list(extractions)
        for number, start in enumerate(range(0, max(1, len(done)), part_size)):
            chunk = done[start : start + part_size]
            name = f"part-00000-{number:05d}.parquet"
            write_part(path / "articles" / name, [article_row(each, english=True) for each in chunk], ARTICLES)
            write_part(path / "cases" / name, [row for each in chunk for row in case_rows(each)], cases_schema())
            write_part(path / "findings" / name, [row for each in chunk for row in finding_rows(each)], FINDINGS)
        counts = {"read": len(done), "articles": len(done), "superseded": 0, "deleted": 0, "filtered": 0, "failed": 0}
        content = {
            "state": "finished",
            "caseframe": "0.1.0",
            "config": json.loads(ExtractConfig().model_dump_json()),
            "inputs": [{"name": "a.jsonl", "sha256": "0" * 64, "counts": counts}],
            "counts": {**counts, "cases": sum(len(each.cases) for each in done)},
            **info,
        }
        (path / "run.json").write_text(json.dumps(content), encoding="utf-8")
        return open_run(path)

    return write
