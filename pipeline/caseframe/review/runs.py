"""The run that is reviewed: checked before the page opens, its articles as reviewers see them, the queue's figures."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from caseframe.errors import RunError
from caseframe.pages.text import shortened
from caseframe.review.records import Found, Suggestion
from caseframe.schema import CASE_FIELDS, FIELDS, Finding, Section
from caseframe.tables.choosing import FindingCondition, unmet
from caseframe.tables.evidence import open_run
from caseframe.tables.parquet import read_rows
from caseframe.tables.rows import Row
from caseframe.tables.run import as_finding, case_of, read_articles


@dataclass(frozen=True, slots=True)
class Entry:
    """An article of the queue."""

    article_id: str
    sha256: str
    title: str
    pmid: str
    year: int | None
    cases: int
    findings: int
    uncertainty: float
    """Cells that are expected to need a correction: what the pipeline is unsure of, and what it should have found."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run and its articles, the least certain first; with `where` only those that meet its conditions."""

    path: Path
    version: str
    entries: tuple[Entry, ...]
    where: tuple[FindingCondition, ...] = ()

    def found(self, article_id: str) -> Found:
        """What the run holds of an article; raises RunError where it holds none."""
        found = self.found_of([article_id])
        if not found:
            raise RunError(f"{self.path} has no article {shortened(article_id)!r}", "Go back to the queue")
        return found[0]

    def found_of(self, article_ids: Sequence[str]) -> list[Found]:
        """What the run holds of some articles, in this order; raises RunError where its tables cannot be read."""
        try:
            rows = read_articles(self.path, article_ids)
        except (OSError, duckdb.Error) as error:
            raise RunError(
                f"{self.path}: the tables cannot be read ({error})", "Extract again with --overwrite"
            ) from error
        return [_found(*rows[article_id]) for article_id in article_ids if article_id in rows]


def _found(article: Row, cases: Iterable[Row], findings: Iterable[Row]) -> Found:
    sections = json.loads(str(article["sections"])) if article["sections"] else []
    year = article["year"]
    article_id = str(article["article_id"])
    return Found(
        article_id=article_id,
        title=str(article["title"] or ""),
        journal=str(article["journal"] or ""),
        year=year if isinstance(year, int) else None,
        pmid=str(article["pmid"] or ""),
        text=str(article["text"] or ""),
        sha256=str(article["sha256"]),
        sections=tuple(Section(label, start, end) for label, start, end in sections),
        kinds={int(str(case["case"])): str(case["kind"]) for case in cases},
        suggestions=tuple(_suggestions(article_id, ((case_of(row), as_finding(row)) for row in findings))),
    )


def open_reviewed(path: Path, where: Sequence[FindingCondition] = ()) -> Run:
    """Opens a finished run for review; with `where` the articles of which one case meets all conditions.

    Raises RunError where the folder holds no run, where the run is being written or was broken off, where its tables
    are damaged or of a version that cannot be read, and where no article meets the conditions.
    """
    run = open_run(path)
    entries = _entries(path)
    if where:
        chosen = _chosen(path, where)
        entries = [entry for entry in entries if entry.article_id in chosen]
        if not entries:
            raise RunError(
                f"{path}: no case has {', '.join(map(str, where))}",
                "Look into the column groups of findings.csv for what the run has, or leave --where out",
            )
    return Run(path, str(run.info.get("caseframe", "")), tuple(entries), tuple(where))


def _chosen(path: Path, where: Sequence[FindingCondition]) -> set[str]:
    """The ids of the articles that meet the conditions."""
    cases: defaultdict[str, list[Row]] = defaultdict(list)
    findings: defaultdict[str, list[Row]] = defaultdict(list)
    for row in read_rows(path / "cases", ["article_id", "case_id"]):
        cases[str(row["article_id"])].append(row)
    asked = {condition.field for condition in where}
    for row in read_rows(path / "findings", ["article_id", "case_id", "field", "value", "groups", "assertion"]):
        if row["field"] in asked:
            findings[str(row["article_id"])].append(row)
    return {article for article in cases if not unmet(where, cases[article], findings[article])}


def _entries(path: Path) -> list[Entry]:
    unsure: defaultdict[str, float] = defaultdict(float)
    filled: dict[str, set[str]] = {}
    for row in read_rows(path / "findings", ["case_id", "article_id", "field", "confidence"]):
        unsure[str(row["article_id"])] += 1.0 - float(str(row["confidence"]))
        filled.setdefault(str(row["case_id"]), set()).add(str(row["field"]))
    cases: dict[str, list[str]] = {}
    for row in read_rows(path / "cases", ["article_id", "case_id"]):
        cases.setdefault(str(row["article_id"]), []).append(str(row["case_id"]))
    usual = _usual([filled.get(case, set()) for each in cases.values() for case in each])
    columns = ["article_id", "sha256", "title", "pmid", "year", "n_findings"]
    entries = []
    for row in read_rows(path / "articles", columns):
        article_id = str(row["article_id"])
        missing = sum(
            usual[field]
            for case in cases.get(article_id, [])
            for field in CASE_FIELDS
            if field not in filled.get(case, set())
        )
        year = row["year"]
        entries.append(
            Entry(
                article_id,
                str(row["sha256"]),
                str(row["title"] or ""),
                str(row["pmid"] or ""),
                year if isinstance(year, int) else None,
                len(cases.get(article_id, [])),
                int(str(row["n_findings"])),
                unsure[article_id] + missing,
            )
        )
    return sorted(entries, key=lambda entry: (-entry.uncertainty, entry.article_id))


def _usual(cases: list[set[str]]) -> dict[str, float]:
    """How often each field is filled: a gap where nearly all other cases have something is more of a surprise."""
    counts = Counter(field for fields in cases for field in fields)
    return {field: counts[field] / len(cases) if cases else 0.0 for field in CASE_FIELDS}


def _suggestions(article_id: str, findings: Iterable[tuple[int, Finding]]) -> Iterable[Suggestion]:
    """Findings with ids that stay the same as long as the run finds the same."""
    seen: Counter[str] = Counter()
    for case, finding in findings:
        if FIELDS[finding.field].type == "integer" and isinstance(finding.value, float):
            finding = replace(finding, value=int(finding.value))
        parts = (article_id, case, finding.field, finding.start, finding.end, finding.value, finding.assertion)
        digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:12]
        seen[digest] += 1
        yield Suggestion(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}", case, finding)
