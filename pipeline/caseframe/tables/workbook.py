"""XLSX: the workbook a reviewer opens. One sheet a record type, and one that explains the columns."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from caseframe.schema import FIELDS
from caseframe.tables.cells import safe
from caseframe.tables.rows import Row, describe

# Excel's own bounds.
MAX_ROWS = 1_048_576
MAX_CHARS = 32_767

_WIDTHS = {
    "title": 50, "text": 36, "sentence": 70, "value": 26, "attributes": 36, "diagnosis": 32, "procedure": 34,
    "implant": 28, "symptom": 30, "comorbidity": 28, "outcome": 30, "complication": 30, "site": 24, "therapy": 24,
    "measurement": 22, "journal": 24, "article_id": 16, "case_id": 18, "age": 7, "sex": 8, "year": 7, "case": 6,
    "n_patients": 9,
}  # fmt: skip
_DEFAULT_WIDTH = 15
_WRAPPED_FROM = 24
FINDING_COLUMNS = (
    "article_id", "case_id", "field", "value", "number", "unit", "assertion", "text", "sentence", "section",
    "when_days", "attributes", "code", "confidence", "start", "end", "source",
)  # fmt: skip
ARTICLE_COLUMNS = (
    "article_id", "pmid", "pmcid", "doi", "title", "authors", "journal", "year", "language", "english",
    "publication_types", "mesh", "keywords", "n_cases", "n_findings", "file", "record",
)  # fmt: skip
_COLUMN_NOTES = {
    "article_id": "Id of the article: PMID, else PMCID, else DOI, else the file and record it came from.",
    "case_id": "Id of the case (patient or cohort): article id, slash, number. Empty for the article's own findings.",
    "pmid": "PubMed id.",
    "pmcid": "PubMed Central id.",
    "doi": "Digital object identifier.",
    "title": "Title of the article.",
    "authors": "Authors, in their order.",
    "journal": "Journal, or the book that holds a chapter.",
    "year": "Year of publication.",
    "language": "Language that the source gives (ISO 639-2).",
    "publication_types": "Publication types of the source.",
    "mesh": "MeSH headings with their qualifiers.",
    "keywords": "Keywords of the authors.",
    "case": "Number of the case in its article, in the order of the text.",
    "kind": "patient, or cohort: a group that the article reports together.",
    "field": "The field a finding fills; see the rows below.",
    "value": "Canonical value: lower case, singular, American spelling, abbreviations expanded.",
    "number": "The value as a number, where it is one.",
    "unit": "Unit of the number.",
    "assertion": "present, absent (denied), possible, hypothetical (planned, advised, general), historical, family.",
    "text": "The words in the article; in the articles table the whole text.",
    "sentence": "The sentence that holds the words.",
    "section": "Section of the abstract.",
    "when_days": "Days from the index operation; negative is before it.",
    "attributes": "What else is said of the finding.",
    "code": "Code in a terminology, e.g. ICD-O-3.",
    "confidence": "How sure the pipeline is, 0 to 1.",
    "start": "Offset of the first character of the words in the article's text.",
    "end": "Offset behind the last one.",
    "source": "Component and version that found it.",
    "english": "Whether the text reads as English; other texts are kept, but little is found in them.",
    "n_cases": "Cases found in the article.",
    "n_findings": "Findings in the article.",
    "file": "File the article was read from.",
    "record": "Its number in that file.",
}


def write_workbook(
    path: Path,
    *,
    cases: Iterable[Row],
    findings: Iterable[Row],
    articles: Iterable[Row],
    case_columns: Sequence[str],
) -> None:
    """Writes the sheets Cases, Findings, Articles and Columns. A line stands for rows past Excel's limit."""
    temporary = path.with_suffix(".tmp")
    workbook = _workbook(temporary, "CaseFrame evidence tables")
    _sheet(workbook, "Cases", cases, case_columns, frozen_columns=2)
    _sheet(workbook, "Findings", (_readable(row) for row in findings), FINDING_COLUMNS)
    _sheet(workbook, "Articles", articles, ARTICLE_COLUMNS, frozen_columns=1)
    _sheet(workbook, "Columns", _explanations(case_columns), ("sheet", "column", "explanation", "values"))
    workbook.close()
    temporary.replace(path)


def _readable(row: Row) -> Row:
    attributes = row.get("attributes")
    return {**row, "attributes": describe(json.loads(str(attributes)))} if attributes else row


def _sheet(
    workbook: Workbook, name: str, rows: Iterable[Row], columns: Sequence[str], *, frozen_columns: int = 0
) -> None:
    sheet: Worksheet = workbook.add_worksheet(name)
    header = workbook.add_format({"bold": True, "bg_color": "#DCE6F1", "bottom": 1, "text_wrap": True, "valign": "top"})
    plain = workbook.add_format({"valign": "top"})
    wrapped = workbook.add_format({"valign": "top", "text_wrap": True})
    for number, column in enumerate(columns):
        width = _WIDTHS.get(column, 60 if column in ("explanation", "values") else _DEFAULT_WIDTH)
        sheet.set_column(number, number, width, wrapped if width >= _WRAPPED_FROM else plain)
    sheet.freeze_panes(1, frozen_columns)
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column, header)
    last = 0
    for last, row in enumerate(rows, 1):
        if last == MAX_ROWS - 1:
            sheet.write_string(last, 0, "More rows than a sheet can hold: read the Parquet tables or caseframe.duckdb")
            break
        for number, column in enumerate(columns):
            _write(sheet, last, number, safe(row.get(column)))
    sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)


def _write(sheet: Worksheet, row: int, column: int, value: object) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value)[:MAX_CHARS])


def _explanations(case_columns: Sequence[str]) -> Iterable[Row]:
    for sheet, columns in (("Cases", case_columns), ("Findings", FINDING_COLUMNS), ("Articles", ARTICLE_COLUMNS)):
        for column in columns:
            spec = FIELDS.get(column.removesuffix("_evidence"))
            if spec is None:
                yield {"sheet": sheet, "column": column, "explanation": _COLUMN_NOTES.get(column, "")}
            elif column.endswith("_evidence"):
                yield {"sheet": sheet, "column": column, "explanation": f"The words behind {spec.name}."}
            else:
                unit = f" Unit: {spec.unit}." if spec.unit else ""
                choices = ", ".join(spec.choices)
                yield {"sheet": sheet, "column": column, "explanation": spec.description + unit, "values": choices}


def write_sheets(path: Path, title: str, sheets: Mapping[str, tuple[Iterable[Row], Sequence[str]]]) -> None:
    """Writes a workbook of any tables, each with the columns it is to show."""
    temporary = path.with_suffix(".tmp")
    workbook = _workbook(temporary, title)
    for name, (rows, columns) in sheets.items():
        _sheet(workbook, name, (_readable(row) for row in rows), columns)
    workbook.close()
    temporary.replace(path)


def _workbook(path: Path, title: str) -> Workbook:
    workbook = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    # A fixed creation date keeps the same tables byte-identical.
    workbook.set_properties({"title": title, "created": datetime.datetime(2000, 1, 1)})
    return workbook
