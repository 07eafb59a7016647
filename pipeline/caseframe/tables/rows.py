"""From an Extraction to table rows: the columns of `articles`, `cases` and `findings`, and how a cell reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import pyarrow as pa

from caseframe.lexicons import hierarchy
from caseframe.lexicons.hierarchy import Hierarchy
from caseframe.schema import ARTICLE_FIELDS, CASE_FIELDS, FIELDS, Article, Attributes, Case, Extraction, Finding

Row = dict[str, object]

_ARTICLE_COLUMNS: dict[str, pa.DataType] = {
    "article_id": pa.string(),
    "pmid": pa.string(),
    "pmcid": pa.string(),
    "doi": pa.string(),
    "version": pa.int32(),
    "title": pa.string(),
    "vernacular_title": pa.string(),
    "authors": pa.list_(pa.string()),
    "journal": pa.string(),
    "year": pa.int32(),
    "date": pa.string(),
    "language": pa.string(),
    "english": pa.bool_(),
    "publication_types": pa.list_(pa.string()),
    "mesh": pa.list_(pa.string()),
    "keywords": pa.list_(pa.string()),
    "text": pa.string(),
    "sections": pa.string(),
    "sha256": pa.string(),
    "n_cases": pa.int32(),
    "n_findings": pa.int32(),
    "file": pa.string(),
    "record": pa.int64(),
    "format": pa.string(),
}

_FINDING_COLUMNS: dict[str, pa.DataType] = {
    "article_id": pa.string(),
    "case_id": pa.string(),
    "field": pa.string(),
    "value": pa.string(),
    "number": pa.float64(),
    "unit": pa.string(),
    "code": pa.string(),
    "link_name": pa.string(),
    "link_score": pa.float64(),
    "site_code": pa.string(),
    "groups": pa.list_(pa.string()),
    "text": pa.string(),
    "start": pa.int32(),
    "end": pa.int32(),
    "sentence": pa.string(),
    "section": pa.string(),
    "assertion": pa.string(),
    "cue_start": pa.int32(),
    "cue_end": pa.int32(),
    "when_days": pa.float64(),
    "attributes": pa.string(),
    "confidence": pa.float64(),
    "source": pa.string(),
}

ARTICLES = pa.schema(_ARTICLE_COLUMNS)
FINDINGS = pa.schema(_FINDING_COLUMNS)
_CELL_TYPES: dict[str, pa.DataType] = {"number": pa.float64(), "integer": pa.int64()}
# Assertions that a cell shows, and how. Hypothetical and family findings stay in `findings` only.
_SHOWN = {"present": "{}", "absent": "no {}", "possible": "possible {}", "historical": "{} (history)"}


def cases_schema(*, evidence: bool = False) -> pa.Schema:
    """Columns of `cases`: one a field, what stands above it, and `<field>_evidence` where asked for."""
    columns: dict[str, pa.DataType] = {
        "article_id": pa.string(),
        "case_id": pa.string(),
        "case": pa.int32(),
        "kind": pa.string(),
        "pmid": pa.string(),
        "title": pa.string(),
        "journal": pa.string(),
        "year": pa.int32(),
    }
    for name in (*ARTICLE_FIELDS, *CASE_FIELDS):
        columns[name] = _CELL_TYPES.get(FIELDS[name].type, pa.string())
        if name in hierarchy.COLUMNS:
            columns[hierarchy.COLUMNS[name]] = pa.string()
        if evidence:
            columns[f"{name}_evidence"] = pa.string()
    return pa.schema(columns)


def case_id(article: Article, case: Case) -> str:
    """Id of a case in all tables: the article's id, a slash, the case's number."""
    return f"{article.article_id}/{case.number}"


def article_row(extraction: Extraction, *, english: bool) -> Row:
    """The row of `articles`."""
    article = extraction.article
    return {
        "article_id": article.article_id,
        "pmid": article.pmid,
        "pmcid": article.pmcid,
        "doi": article.doi,
        "version": article.version,
        "title": article.title,
        "vernacular_title": article.vernacular_title,
        "authors": list(article.authors),
        "journal": article.journal,
        "year": article.year,
        "date": article.date,
        "language": article.language,
        "english": english,
        "publication_types": list(article.publication_types),
        "mesh": ["/".join((heading.descriptor, *heading.qualifiers)) for heading in article.mesh],
        "keywords": list(article.keywords),
        "text": article.text,
        "sections": json.dumps([[s.label, s.start, s.end] for s in article.sections], ensure_ascii=False),
        "sha256": article.sha256,
        "n_cases": len(extraction.cases),
        "n_findings": sum(1 for _ in extraction),
        "file": article.origin.file,
        "record": article.origin.record,
        "format": article.origin.format,
    }


def finding_rows(extraction: Extraction, kinds: Hierarchy | None = None) -> list[Row]:
    """The rows of `findings`, in the order of cases and text; `kinds` tells groups (default: the shipped lexicons)."""
    article = extraction.article
    kinds = kinds or hierarchy.hierarchy()
    return [_finding_row(article, case, finding, kinds) for case, finding in extraction]


def _finding_row(article: Article, case: Case | None, finding: Finding, kinds: Hierarchy) -> Row:
    return {
        "article_id": article.article_id,
        "case_id": case_id(article, case) if case else "",
        "field": finding.field,
        "value": str(finding.value),
        "number": float(finding.value) if isinstance(finding.value, int | float) else None,
        "unit": finding.unit,
        "code": finding.code,
        "link_name": finding.link_name,
        "link_score": finding.link_score,
        "site_code": finding.site_code,
        "groups": _groups(finding, kinds),
        "text": finding.text,
        "start": finding.start,
        "end": finding.end,
        "sentence": finding.sentence,
        "section": finding.section,
        "assertion": finding.assertion,
        "cue_start": finding.cue[0] if finding.cue else None,
        "cue_end": finding.cue[1] if finding.cue else None,
        "when_days": finding.when_days,
        "attributes": attributes_json(finding.attributes),
        "confidence": round(finding.confidence, 4),
        "source": finding.source,
    }


def _groups(finding: Finding, kinds: Hierarchy) -> list[str]:
    """What stands above a finding, the nearest first."""
    own = [name for name in (_category(finding),) if name]
    above = kinds.above(finding.field, finding.value, finding.code) if isinstance(finding.value, str) else ()
    return list(dict.fromkeys((*own, *above)))


def _category(finding: Finding) -> str:
    """The category of a procedure, which its words told; empty where they told none."""
    category = str(finding.attributes.get("category", ""))
    return "" if category == "other" else category


def attributes_json(attributes: Attributes) -> str:
    """Attributes as JSON with sorted keys; empty where there are none."""
    return json.dumps(dict(attributes), ensure_ascii=False, sort_keys=True) if attributes else ""


def case_rows(extraction: Extraction, kinds: Hierarchy | None = None, *, evidence: bool = False) -> list[Row]:
    """The rows of `cases`. The article's own fields are repeated on each."""
    article = extraction.article
    kinds = kinds or hierarchy.hierarchy()
    rows = []
    for case in extraction.cases:
        row: Row = {
            "article_id": article.article_id,
            "case_id": case_id(article, case),
            "case": case.number,
            "kind": case.kind,
            "pmid": article.pmid,
            "title": article.title,
            "journal": article.journal,
            "year": article.year,
        }
        by_field: dict[str, list[Finding]] = {}
        for finding in (*extraction.findings, *case.findings):
            by_field.setdefault(finding.field, []).append(finding)
        for name in (*ARTICLE_FIELDS, *CASE_FIELDS):
            findings = by_field.get(name, [])
            row[name] = cell(name, findings)
            if name in hierarchy.COLUMNS:
                row[hierarchy.COLUMNS[name]] = _group_cell(findings, kinds)
            if evidence:
                row[f"{name}_evidence"] = " | ".join(dict.fromkeys(f.text for f in findings if f.text)) or None
        rows.append(row)
    return rows


def cell(field: str, findings: Iterable[Finding]) -> str | int | float | None:
    """What a table cell shows: a number, or the values joined with `; `, denials as `no …`; None for nothing."""
    shown = [finding for finding in findings if finding.assertion in _SHOWN]
    if FIELDS[field].type in _CELL_TYPES:
        numbers = [finding.value for finding in shown if isinstance(finding.value, int | float)]
        return numbers[0] if numbers else None
    values = dict.fromkeys(_SHOWN[finding.assertion].format(finding.value) for finding in shown)
    return "; ".join(values) or None


def _group_cell(findings: Iterable[Finding], kinds: Hierarchy) -> str | None:
    """What stands nearest above the values of a cell, those that are denied left out."""
    held = [finding for finding in findings if finding.assertion in _SHOWN and finding.assertion != "absent"]
    nearest = (_category(finding) or kinds.group(finding.field, str(finding.value), finding.code) for finding in held)
    return "; ".join(dict.fromkeys(name for name in nearest if name)) or None


def describe(attributes: Mapping[str, object]) -> str:
    """Attributes as a person reads them: `material: titanium; manufacture: 3d_printed, custom_made`."""
    return "; ".join(f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in attributes.items())


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
