"""Reviewed articles as rows: a cell with the pipeline's value and the reviewed one, the case as it now reads, gold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from caseframe.review.records import typed
from caseframe.review.settled import Cell, Settled
from caseframe.schema import ARTICLE_FIELDS, CASE_FIELDS, FIELDS, Article, Case, Extraction, Finding
from caseframe.tables.rows import Row, attributes_json, case_rows, cases_schema

_STANDS = ("accepted", "corrected", "added")
_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int32()
_CELL_COLUMNS: dict[str, pa.DataType] = {
    "article_id": _TEXT, "case_id": _TEXT, "field": _TEXT, "state": _TEXT,
    "machine_value": _TEXT, "machine_assertion": _TEXT, "machine_attributes": _TEXT, "machine_confidence": _NUMBER,
    "value": _TEXT, "number": _NUMBER, "unit": _TEXT, "assertion": _TEXT, "code": _TEXT, "attributes": _TEXT,
    "when_days": _NUMBER, "text": _TEXT, "start": _WHOLE, "end": _WHOLE,
    "reviewed_by": _TEXT, "reviewed_at": _TEXT, "comment": _TEXT,
}  # fmt: skip
CELLS = pa.schema(_CELL_COLUMNS)
CELL_NOTES = {
    "article_id": "Id of the article.",
    "case_id": "Id of the case: article id, slash, number. Empty for what is said of the article itself.",
    "field": "The field of the form.",
    "state": "accepted, corrected, added, rejected, not reported, in dispute (waits for adjudication), not reviewed.",
    "machine_value": "What the pipeline found; empty where a reviewer added it.",
    "machine_assertion": "How the pipeline took it: present, absent, possible …",
    "machine_attributes": "What else the pipeline said of it.",
    "machine_confidence": "How sure the pipeline was, 0 to 1.",
    "value": "What stands after the review; empty where nothing does.",
    "number": "The value as a number, where it is one.",
    "unit": "Unit of the number.",
    "assertion": "present, absent (denied), possible, hypothetical, historical, family.",
    "code": "Code in a terminology, e.g. ICD-O-3.",
    "attributes": "What else is said of it.",
    "when_days": "Days from the index operation; negative is before it.",
    "text": "The words in the article.",
    "start": "Offset of the first character of the words in the article's text.",
    "end": "Offset behind the last one.",
    "reviewed_by": "Whose word this is: both reviewers where they agree, else the adjudicator.",
    "reviewed_at": "When, in UTC.",
    "comment": "Remarks of the reviewers.",
}


def cases_table() -> pa.Schema:
    """Columns of the corrected `cases`: those of a run, then how it was reviewed, and by whom."""
    return pa.schema([*cases_schema(), pa.field("review", _TEXT), pa.field("reviewed_by", _TEXT)])


def cell_rows(settled: Settled) -> Iterator[Row]:
    """The cells of an article; a field of a reviewed case for which nobody has anything is `not reported`."""
    for cell in settled.cells:
        yield _cell_row(settled, cell)
    if settled.state == "not reviewed":
        return
    told = {(cell.case, cell.field) for cell in settled.cells}
    places = [(0, field) for field in ARTICLE_FIELDS] + [(case, f) for case in _numbers(settled) for f in CASE_FIELDS]
    for case, field in places:
        if (case, field) not in told:
            row: Row = dict.fromkeys(CELLS.names)
            by = ", ".join(settled.reviewers)
            yield row | {**_place(settled, case, field), "state": "not reported", "reviewed_by": by}


def _numbers(settled: Settled) -> list[int]:
    return sorted({*settled.found.kinds, *(cell.case for cell in settled.cells if cell.case)})


def _place(settled: Settled, case: int, field: str) -> Row:
    article_id = settled.found.article_id
    return {"article_id": article_id, "case_id": f"{article_id}/{case}" if case else "", "field": field}


def _cell_row(settled: Settled, cell: Cell) -> Row:
    machine, reading = cell.machine, cell.reading if cell.state in _STANDS else None
    words = reading or machine
    return {
        **_place(settled, cell.case, cell.field),
        "state": cell.state,
        "machine_value": typed(machine) if machine else None,
        "machine_assertion": machine.assertion if machine else None,
        "machine_attributes": attributes_json(machine.attributes) if machine else None,
        "machine_confidence": machine.confidence if machine else None,
        "value": typed(reading) if reading else None,
        "number": float(reading.value) if reading and isinstance(reading.value, int | float) else None,
        "unit": reading.unit if reading else None,
        "assertion": reading.assertion if reading else None,
        "code": reading.code if reading else None,
        "attributes": attributes_json(reading.attributes) if reading else None,
        "when_days": reading.when_days if reading else None,
        "text": words.text if words else None,
        "start": words.start if words else None,
        "end": words.end if words else None,
        "reviewed_by": cell.by,
        "reviewed_at": cell.at,
        "comment": cell.comment,
    }


def corrected(settled: Settled) -> Extraction:
    """The article's cases as they read now: reviewed where they are, else as the pipeline left them.

    What is in dispute is in none of them. A case of which nothing is left stays, empty.
    """
    found = settled.found
    article = Article(
        found.article_id, title=found.title, pmid=found.pmid, journal=found.journal, year=found.year
    )  # the text stays in the run
    by_case: dict[int, list[Finding]] = {0: [], **{number: [] for number in _numbers(settled)}}
    for cell in settled.cells:
        if cell.reading is not None and cell.state in (*_STANDS, "not reviewed"):
            by_case[cell.case].append(cell.reading)
    own = tuple(by_case.pop(0))
    cases = tuple(
        Case(number, "cohort" if found.kinds.get(number) == "cohort" else "patient", tuple(findings))
        for number, findings in by_case.items()
    )
    return Extraction(article, own, cases)


def reviewed_case_rows(settled: Settled) -> list[Row]:
    """The rows of the corrected `cases`."""
    by = ", ".join(settled.reviewers)
    return [row | {"review": settled.state, "reviewed_by": by} for row in case_rows(corrected(settled))]


def gold_record(settled: Settled) -> dict[str, Any]:
    """The article as a line of a gold file (docs/schema.md)."""
    extraction = corrected(settled)
    record: dict[str, Any] = {"article_id": settled.found.article_id, "text_sha256": settled.found.sha256}
    record |= {finding.field: _plain(finding.value) for finding in extraction.findings}
    record["cases"] = [
        {"case": case.number, "findings": [_gold_finding(finding) for finding in case.findings]}
        for case in extraction.cases
    ]
    if settled.comment:
        record["notes"] = settled.comment
    return record


def _gold_finding(finding: Finding) -> dict[str, Any]:
    known = FIELDS[finding.field].attributes
    attributes = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in finding.attributes.items()
        if name in known
    }
    if "when_days" in known and finding.when_days is not None:
        attributes.setdefault("when_days", finding.when_days)
    made = {
        "field": finding.field,
        "value": _plain(finding.value),
        "text": finding.text,
        "assertion": finding.assertion,
    }
    return made | ({"attributes": attributes} if attributes else {}) | ({"code": finding.code} if finding.code else {})


def _plain(value: str | int | float) -> str | int | float:
    """Whole numbers as gold files have them: `61`, not `61.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def text_record(settled: Settled) -> dict[str, Any]:
    """The article's text as a line of the file that stands beside a gold file."""
    found = settled.found
    return {
        "article_id": found.article_id,
        "pmid": found.pmid,
        "title": found.title,
        "sections": [{"label": each.label, "text": found.text[each.start : each.end]} for each in found.sections],
        "text_sha256": found.sha256,
    }
