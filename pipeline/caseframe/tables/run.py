"""Reading a run directory again: the cases of an article with their findings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import duckdb

from caseframe.errors import RunError
from caseframe.schema import Assertion, Attributes, Finding
from caseframe.tables.rows import Row, describe


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as a person reads it."""

    shown: str
    assertion: str
    text: str
    section: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with its findings by field."""

    case_id: str
    title: str
    journal: str
    year: int | None
    kind: str
    findings: dict[str, list[FindingView]] = field(default_factory=dict)


def find_cases(run: Path, article: str) -> list[CaseView]:
    """The cases of one article, given by PMID or article id.

    An article without cases gives one CaseView that holds what is said of the article itself. Raises RunError where the
    folder holds no run, or the run no such article.
    """
    _check(run)
    articles = _rows(run, "articles", "article_id = ? OR pmid = ? OR pmcid = ?", [article, article, article])
    if not articles:
        raise RunError(f"{run} has no article {article!r}", "Give a PMID or an article_id of its articles table")
    row = articles[0]
    cases = _rows(run, "cases", "article_id = ?", [row["article_id"]])
    findings = _rows(run, "findings", "article_id = ?", [row["article_id"]])
    own = [finding for finding in findings if not finding["case_id"]]
    if not cases:
        return [_view({**row, "case_id": row["article_id"], "kind": "no case"}, own)]
    return [
        _view(case, own + [finding for finding in findings if finding["case_id"] == case["case_id"]]) for case in cases
    ]


def read_findings(run: Path) -> dict[str, list[tuple[int, Finding]]]:
    """All findings of a run by article id, each with the number of its case (0: of the article itself).

    Articles without findings are there too. Raises RunError where the folder holds no run.
    """
    _check(run)
    found: dict[str, list[tuple[int, Finding]]] = {
        str(row["article_id"]): [] for row in _rows(run, "articles", "true", [])
    }
    for row in _rows(run, "findings", "true", []):
        found[str(row["article_id"])].append((case_of(row), as_finding(row)))
    return found


def read_articles(run: Path, article_ids: Sequence[str]) -> dict[str, tuple[Row, list[Row], list[Row]]]:
    """Articles of a run by id: the row of each, the rows of its cases, the rows of its findings.

    Ids that the run does not have are left out. Raises RunError where the folder holds no run.
    """
    _check(run)
    among = "list_contains(?, article_id)"
    articles = _rows(run, "articles", among, [list(article_ids)])
    ids = [str(row["article_id"]) for row in articles]
    cases, findings = (_by_article(_rows(run, table, among, [ids])) for table in ("cases", "findings"))
    return {name: (row, cases.get(name, []), findings.get(name, [])) for name, row in zip(ids, articles, strict=True)}


def _by_article(rows: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(str(row["article_id"]), []).append(row)
    return grouped


def case_of(row: Row) -> int:
    """Number of the case that a row of `findings` belongs to; 0 where it is the article's own."""
    return int(str(row["case_id"]).rpartition("/")[2]) if row["case_id"] else 0


def as_finding(row: Row) -> Finding:
    """The finding that a row of `findings` holds, without its cue."""
    attributes = json.loads(str(row["attributes"])) if row["attributes"] else {}
    number = row["number"]
    return Finding(
        field=str(row["field"]),
        value=float(number) if isinstance(number, float) else str(row["value"]),
        text=str(row["text"]),
        start=int(str(row["start"])),
        end=int(str(row["end"])),
        assertion=cast(Assertion, row["assertion"]),
        code=str(row["code"]),
        unit=str(row["unit"]),
        when_days=cast("float | None", row["when_days"]),
        attributes=Attributes({k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items()}),
        confidence=float(str(row["confidence"])),
        source=str(row["source"]),
        sentence=str(row["sentence"]),
        section=str(row["section"]),
    )


def _check(run: Path) -> None:
    if not (run / "articles").is_dir():
        raise RunError(f"{run} holds no run", "Give the directory that caseframe extract wrote with -o")


def _rows(run: Path, table: str, where: str, values: list[object]) -> list[Row]:
    pattern = str(run / table / "part-*.parquet")
    with duckdb.connect() as connection:
        cursor = connection.execute(f"SELECT * FROM read_parquet(?) WHERE {where}", [pattern, *values])
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _view(case: Row, findings: list[Row]) -> CaseView:
    by_field: dict[str, list[FindingView]] = {}
    for row in findings:
        by_field.setdefault(str(row["field"]), []).append(_finding(row))
    year = case.get("year")
    return CaseView(
        str(case["case_id"]),
        str(case["title"]),
        str(case["journal"]),
        int(year) if isinstance(year, int) else None,
        str(case["kind"]),
        by_field,
    )


def _finding(row: Row) -> FindingView:
    notes = [str(row["code"])] if row["code"] else []
    attributes = json.loads(str(row["attributes"])) if row["attributes"] else {}
    attributes.pop("when_days", None)  # told by the finding itself
    if attributes:
        notes.append(describe(attributes))
    if isinstance(row["when_days"], float):
        notes.append(f"day {row['when_days']:g}")
    value = f"{row['value']} {row['unit']}".rstrip()
    shown = f"{value} ({'; '.join(notes)})" if notes else value
    return FindingView(
        shown,
        str(row["assertion"]),
        str(row["text"]),
        str(row["section"]),
        int(str(row["start"])),
        int(str(row["end"])),
    )
