"""A small finished run, made by hand so that tests know every finding, and a page over it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from caseframe.review.app import make_app
from caseframe.review.runs import Run, open_reviewed
from caseframe.review.store import Store, open_store
from caseframe.schema import Article, Attributes, Case, Extraction, Finding
from caseframe.tables.parquet import write_part
from caseframe.tables.rows import ARTICLES, FINDINGS, article_row, case_rows, cases_schema, finding_rows

PORT = 4711
BASE = f"http://127.0.0.1:{PORT}"
TOKEN = "the-token"

TITLE = "Chordoma of the sacrum: a case report"
ABSTRACT = [
    ("Case", "A 61-year-old woman with chordoma of the sacrum underwent en bloc resection without infection."),
    ("Outcome", "She walked at 6 weeks. There was no recurrence after 2 years."),
]


def said(article: Article, field: str, value: str | float, words: str, **more: Any) -> Finding:
    """A finding at the first place of its words."""
    start = article.text.index(words)
    return Finding(field, value, words, start, start + len(words), source="test", **more)


def chordoma(pmid: str = "1", title: str = TITLE, abstract: list[tuple[str, str]] | None = None) -> Extraction:
    article = Article.build(title=title, abstract=abstract or ABSTRACT, pmid=pmid, journal="Spine", year=2020)
    return Extraction(
        article,
        (said(article, "study_design", "case_report", "a case report", confidence=0.99),),
        (
            Case(
                1,
                findings=(
                    said(article, "age", 61, "61-year-old", unit="year", confidence=0.98),
                    said(article, "sex", "female", "woman", confidence=0.97),
                    said(
                        article, "diagnosis", "chordoma", "chordoma", code="ICDO3:9370/3", confidence=0.9,
                        attributes=Attributes({"behavior": "malignant"}),
                    ),
                    said(article, "complication", "infection", "without infection", assertion="absent", confidence=0.6),
                    said(article, "outcome", "walking", "walked at 6 weeks", when_days=42.0, confidence=0.5),
                ),
            ),
        ),
    )  # fmt: skip


def write_run(path: Path, extractions: list[Extraction], **described: object) -> Path:
    """A run directory with these extractions, as `caseframe extract` leaves it."""
    write_part(
        path / "articles" / "part-00000-00000.parquet", [article_row(e, english=True) for e in extractions], ARTICLES
    )
    write_part(
        path / "cases" / "part-00000-00000.parquet", [row for e in extractions for row in case_rows(e)], cases_schema()
    )
    write_part(
        path / "findings" / "part-00000-00000.parquet", [row for e in extractions for row in finding_rows(e)], FINDINGS
    )
    content = {"state": "finished", "caseframe": "0.1.0", "config": {}, "counts": {"articles": len(extractions)}}
    (path / "run.json").write_text(json.dumps(content | described), encoding="utf-8")
    return path


@pytest.fixture
def article_of() -> Callable[..., Extraction]:
    """Makes the extraction of an article like that of `chordoma`."""
    return chordoma


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run of extractions; further words go to its run.json."""

    def make(*extractions: Extraction, name: str = "run", **described: object) -> Path:
        return write_run(tmp_path / name, list(extractions), **described)

    return make


@pytest.fixture
def run_path(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", [chordoma("1"), chordoma("2", "Another chordoma of the sacrum: a case report")])


@pytest.fixture
def run(run_path: Path) -> Run:
    return open_reviewed(run_path)


@pytest.fixture
def store(run_path: Path) -> Store:
    return open_store(run_path)


@dataclass
class Browser:
    """What a browser does, without one: pages, and decisions with the revision of the last page."""

    client: TestClient
    article_id: str = "pmid:1"
    revision: int = 0
    form: str = ""
    _csrf: str = ""

    def enter(self, token: str = TOKEN) -> Any:
        """Opens the address that the command printed."""
        return self.client.get(f"/?token={token}")

    def page(self, path: str = "") -> str:
        reply = self.client.get(path or f"/article?id={self.article_id}")
        assert reply.status_code == 200, reply.text
        found = re.search(r'data-revision="(\d+)"', reply.text)
        self.revision = int(found[1]) if found else self.revision
        self.form = reply.text
        return reply.text

    def csrf(self) -> str:
        if self._csrf:
            return self._csrf
        token = re.search(r'name="csrf" content="([^"]+)"', self.client.get("/").text)
        assert token
        self._csrf = token[1]
        return self._csrf

    def post(self, path: str, content: object, **headers: str) -> Any:
        return self.client.post(path, json=content, headers={"X-CSRF-Token": self.csrf(), "Origin": BASE, **headers})

    def do(self, action: str, *, url: str = "/article", status: int = 200, **content: object) -> dict[str, Any]:
        body = {"action": action, "revision": self.revision, "seconds": 3.0, **content}
        reply = self.post(f"{url}/steps?id={self.article_id}", body)
        assert reply.status_code == status, reply.text
        told: dict[str, Any] = reply.json()
        if "revision" in told:
            self.revision, self.form = told["revision"], told["form"]
        return told

    def line(self, field: str, nth: int = 0) -> str:
        """Id of a finding of the form."""
        return re.findall(rf'data-item="([^"]+)" data-case="\d+" data-field="{field}"', self.form)[nth]

    def finish(self) -> dict[str, Any]:
        """Accepts what is open, and is done."""
        open_lines = re.findall(r'data-item="([^"]+)"[^>]*data-status="open"', self.form)
        if open_lines:
            self.do("accept", findings=open_lines)
        return self.do("finish")


@pytest.fixture
def client_of() -> Iterator[Callable[..., TestClient]]:
    """Serves a run; the client has no cookie yet, but knows the address with the token as `opening`."""
    clients = []

    def serve(run: Run, store: Store, reviewer: str = "") -> TestClient:
        client = TestClient(make_app(run, store, token=TOKEN, port=PORT, reviewer=reviewer), base_url=BASE)
        clients.append(client)
        return client

    yield serve
    for client in clients:
        client.close()


@pytest.fixture
def visit(run: Run, store: Store, client_of: Callable[..., TestClient]) -> Callable[..., Browser]:
    """Opens the page as a reviewer; all of them look at the same run, unless another one is given."""

    def come(reviewer: str = "Ann", *, at: Path | None = None, to: Store | None = None) -> Browser:
        client = client_of(open_reviewed(at) if at else run, to or (open_store(at) if at else store), reviewer)
        browser = Browser(client)
        assert browser.enter().status_code == 200
        browser.page("/" if not reviewer else "")
        return browser

    return come
