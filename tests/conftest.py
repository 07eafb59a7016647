"""Fixtures that all tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from spacy.language import Language

from caseframe.batch import plan
from caseframe.config import ExtractConfig
from caseframe.pipeline import assemble
from caseframe.schema import Article, Attributes, Case, Extraction, Finding
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


TEXT = (
    "A {age}-year-old woman underwent hemisacrectomy for osteosarcoma of the sacrum. A titanium plate was placed. "
    "Infection was denied; local recurrence was seen later, and she was followed up for a time."
)
MakeCase = Callable[..., Extraction]


@pytest.fixture(scope="session")
def make_case() -> MakeCase:
    """An article with one patient: `recurred`, `failed` and `follow_up` are months; None leaves a field out.

    `findings` are further ones: field, value, words, assertion.
    """

    def make(
        number: int = 1,
        *,
        title: str = "Sacral osteosarcoma",
        age: float | None = 40,
        follow_up: float | None = None,
        recurred: float | None = None,
        recurrence: str | None = None,
        failed: float | None = None,
        year: int | None = 2015,
        text: str = TEXT,
        kind: str = "patient",
        findings: tuple[tuple[str, object, str, str], ...] = (),
        **article_fields: Any,
    ) -> Extraction:
        article_fields = {"pmid": str(number), "year": year, "journal": "J Test", **article_fields}
        article = Article.build(title=title, abstract=[("Case", text.format(age=age))], **article_fields)

        def find(field: str, value: object, words: str, assertion: str = "present", **rest: object) -> Finding:
            start = article.text.index(words)
            begin = article.text.rfind(". ", 0, start) + 2 if ". " in article.text[:start] else start
            end = article.text.find(".", start) + 1 or len(article.text)
            sentence = article.text[begin:end]
            return Finding(
                field, value, words, start, start + len(words), assertion, sentence=sentence, section="Case", **rest
            )  # type: ignore[arg-type]

        found = [
            find("sex", "female", "woman", confidence=0.99),
            find("diagnosis", "osteosarcoma", "osteosarcoma", code="ICDO3:9180/3", confidence=0.9),
            find("site", "sacrum", "sacrum", confidence=0.8),
            find("procedure", "hemisacrectomy", "hemisacrectomy", attributes=Attributes({"category": "resection"})),
            find("implant", "plate", "titanium plate", attributes=Attributes({"material": ("titanium",)})),
            find("complication", "infection", "Infection was denied", "absent", confidence=0.4),
        ]
        if age is not None:
            found.append(find("age", age, f"{age}-year-old", unit="year"))
        if follow_up is not None:
            found.append(find("follow_up", follow_up, "followed up", unit="month"))
        if recurrence or recurred is not None:
            days = None if recurred is None else recurred * 365 / 12
            found.append(
                find("recurrence", "local recurrence", "local recurrence", recurrence or "present", when_days=days)
            )
        if failed is not None:
            found.append(find("complication", "loosening", "plate", when_days=failed * 365 / 12))
        found += [find(*given) for given in findings]
        design = find("study_design", "case_report", "woman")
        return Extraction(article, (design,), (Case(1, kind, tuple(found)),))  # type: ignore[arg-type]

    return make


@pytest.fixture
def many_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are cut into shards of a few records."""
    monkeypatch.setattr(plan, "SMALLEST", 1000)
