"""XLSX: the workbook a reviewer opens. One sheet a record type, and one that explains the columns."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from caseframe.schema import ASSERTIONS, FIELDS
from caseframe.tables.cells import safe
from caseframe.tables.files import whole
from caseframe.tables.rows import Row, describe

VOCABULARIES = "Vocabularies"
# Excel's own bounds.
MAX_ROWS = 1_048_576
MAX_CHARS = 32_767
_MOST_LINKS = 60_000

_WIDTHS = {
    "title": 50, "text": 36, "sentence": 70, "value": 26, "attributes": 36, "diagnosis": 32, "procedure": 34,
    "implant": 28, "symptom": 30, "comorbidity": 28, "outcome": 30, "complication": 30, "site": 24, "therapy": 24,
    "measurement": 22, "journal": 24, "article_id": 16, "case_id": 18, "age": 7, "sex": 8, "year": 7, "case": 6,
    "n_patients": 9, "cell": 26, "groups": 30,
}  # fmt: skip
_DEFAULT_WIDTH = 15
_WRAPPED_FROM = 24
_LEGEND: tuple[Row, ...] = (
    {"cell": "infection", "meaning": "The text says so. Several values are joined with “; ”."},
    {"cell": "no infection", "meaning": "The text denies it."},
    {"cell": "possible infection", "meaning": "The text leaves it open."},
    {"cell": "hysterectomy (history)", "meaning": "Before the episode that the case tells."},
    {"cell": "no any", "meaning": "Complications are denied as a whole."},
    {"cell": "(empty)", "meaning": "The text does not say, or the pipeline missed it."},
    {"cell": "grey, slanted", "meaning": "In Findings: denied, possible, planned, earlier, or of relatives."},
    {"cell": "blue bar", "meaning": "In Findings: how sure the pipeline is, 0 to 1."},
    {"cell": "arrow at a cell", "meaning": "The words of its vocabulary; other words are asked about, not refused."},
    {"cell": "'=…", "meaning": "An apostrophe before text that a spreadsheet would take for a formula."},
)
FINDING_COLUMNS = (
    "article_id", "case_id", "field", "value", "number", "unit", "assertion", "text", "sentence", "section",
    "when_days", "attributes", "code", "link_name", "link_score", "site_code", "groups", "confidence", "start", "end",
    "source",
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
    "link_name": "Name of the concept that has the code: the value's own, or what it is a kind of.",
    "link_score": "How sure it is that this is the concept, 0 to 1.",
    "site_code": "Code of the site that the words name as well: femoral neck fracture, nephrectomy.",
    "groups": "What the value is a kind or a part of, the nearest first.",
    "diagnosis_group": "The group of each diagnosis: bone tumor, carcinoma, infection, injury …",
    "site_region": "The region of each site.",
    "procedure_category": "The category of each procedure: resection, fixation, reconstruction …",
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
    """Writes the sheets Cases, Findings, Articles, Columns, Vocabularies and Legend.

    Cells of a closed vocabulary offer its words, which stand in Vocabularies and can be added to there. A line stands
    for rows past Excel's limit.
    """
    with whole(path) as temporary:
        workbook = _workbook(temporary, "CaseFrame evidence tables")
        lists = _lists()
        _sheet(workbook, "Cases", cases, case_columns, frozen_columns=2, lists=lists)
        _sheet(workbook, "Findings", (_readable(row) for row in findings), FINDING_COLUMNS, lists=lists)
        _sheet(workbook, "Articles", articles, ARTICLE_COLUMNS, frozen_columns=1)
        _sheet(workbook, "Columns", _explanations(case_columns), ("sheet", "column", "explanation", "values"))
        _sheet(workbook, VOCABULARIES, _vocabulary_rows(), tuple(_vocabularies()))
        _sheet(workbook, "Legend", _LEGEND, ("cell", "meaning"))
        workbook.close()


def _readable(row: Row) -> Row:
    attributes = row.get("attributes")
    return {**row, "attributes": describe(json.loads(str(attributes)))} if attributes else row


def _sheet(
    workbook: Workbook,
    name: str,
    rows: Iterable[Row],
    columns: Sequence[str],
    *,
    frozen_columns: int = 0,
    lists: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Writes a sheet; `lists` has the ranges with the words that columns offer."""
    sheet: Worksheet = workbook.add_worksheet(name)
    header = workbook.add_format({"bold": True, "bg_color": "#DCE6F1", "bottom": 1, "text_wrap": True, "valign": "top"})
    plain = workbook.add_format({"valign": "top"})
    wrapped = workbook.add_format({"valign": "top", "text_wrap": True})
    for number, column in enumerate(columns):
        width = _WIDTHS.get(column, 60 if column in ("explanation", "values", "meaning") else _DEFAULT_WIDTH)
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
            _write(sheet, last, number, safe(row.get(column)), link=column == "pmid" and last <= _MOST_LINKS)
    last = max(last, 1)
    sheet.autofilter(0, 0, last, len(columns) - 1)
    for number, column in enumerate(columns):
        if column in lists:
            sheet.data_validation(1, number, last, number, _offer(lists[column]))
    if name == "Findings":
        _shade(workbook, sheet, columns, last)


def _offer(words: str) -> dict[str, object]:
    """A list to choose from; another value is asked about, not refused."""
    return {
        "validate": "list",
        "source": words,
        "error_type": "warning",
        "error_title": "Not in the vocabulary",
        "error_message": f"The words are in the sheet {VOCABULARIES}. Keep this one?",
    }


def _shade(workbook: Workbook, sheet: Worksheet, columns: Sequence[str], last: int) -> None:
    """What is not present is grey and slanted; confidence has bars."""
    row = f"${xl_col_to_name(columns.index('assertion'))}2"
    other = workbook.add_format({"font_color": "#5A6475", "italic": True})
    rule = {"type": "formula", "criteria": f'=AND({row}<>"",{row}<>"present")', "format": other}
    sheet.conditional_format(1, 0, last, len(columns) - 1, rule)
    place = columns.index("confidence")
    bar = {"type": "data_bar", "bar_color": "#9CC3E6", "min_type": "num", "max_type": "num"}
    sheet.conditional_format(1, place, last, place, {**bar, "min_value": 0, "max_value": 1})


def _write(sheet: Worksheet, row: int, column: int, value: object, *, link: bool = False) -> None:
    if value is None or value == "":
        return
    if link and str(value).isascii() and str(value).isdigit():
        sheet.write_url(row, column, f"https://pubmed.ncbi.nlm.nih.gov/{value}/", string=str(value))
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value)[:MAX_CHARS])


def _vocabularies() -> dict[str, tuple[str, ...]]:
    """The closed vocabularies by the column that they are for: of findings, and of fields with one value a case."""
    fields = {name: spec.choices for name, spec in FIELDS.items() if spec.choices and not spec.many}
    return {"assertion": ASSERTIONS, "field": tuple(FIELDS), **fields}


def _vocabulary_rows() -> Iterator[Row]:
    known = _vocabularies()
    for words in zip_longest(*known.values()):
        yield dict(zip(known, words, strict=True))


def _lists() -> dict[str, str]:
    """The range of each vocabulary in its sheet."""
    ranges = {}
    for number, (column, words) in enumerate(_vocabularies().items()):
        letter = xl_col_to_name(number)
        ranges[column] = f"={VOCABULARIES}!${letter}$2:${letter}${len(words) + 1}"
    return ranges


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
    with whole(path) as temporary:
        workbook = _workbook(temporary, title)
        for name, (rows, columns) in sheets.items():
            _sheet(workbook, name, (_readable(row) for row in rows), columns)
        workbook.close()


def _workbook(path: Path, title: str) -> Workbook:
    workbook = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    # A fixed creation date keeps the same tables byte-identical.
    workbook.set_properties({"title": title, "created": datetime.datetime(2000, 1, 1)})
    return workbook
