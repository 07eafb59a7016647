"""The workbook of a run: closed vocabularies offer their words, denials are grey, PMIDs lead to PubMed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from caseframe.schema import ASSERTIONS, FIELDS, Extraction
from caseframe.tables.evidence import Run
from caseframe.tables.parquet import read_rows
from caseframe.tables.rows import cases_schema
from caseframe.tables.workbook import write_workbook


@pytest.fixture(scope="module")
def book(
    tmp_path_factory: pytest.TempPathFactory, write_run: Callable[..., Run], make_case: Callable[..., Extraction]
) -> Any:
    folder = tmp_path_factory.mktemp("book")
    cases = [make_case(1), make_case(2, title="=1+1", article_id="x#2", pmid="9 OR 1")]
    run = write_run(folder / "run", cases)
    tables = {name: read_rows(run.path / name) for name in ("cases", "findings", "articles")}
    write_workbook(folder / "evidence.xlsx", **tables, case_columns=cases_schema().names)
    return openpyxl.load_workbook(folder / "evidence.xlsx")


def offered(book: Any, sheet: str, column: str) -> list[str]:
    """The words that the cells of a column offer."""
    head = [cell.value for cell in book[sheet][1]].index(column) + 1
    for validation in book[sheet].data_validations.dataValidation:
        left, top, _, bottom = range_boundaries(str(validation.sqref))
        if left == head and validation.type == "list":
            assert top == 2 and bottom == book[sheet].max_row and validation.errorStyle == "warning"
            name, _, place = validation.formula1.lstrip("=").partition("!")
            return [row[0].value for row in book[name][place.replace("$", "")]]
    return []


def test_closed_vocabularies_offer_their_words(book: Any) -> None:
    assert offered(book, "Findings", "assertion") == list(ASSERTIONS)
    assert offered(book, "Findings", "field") == list(FIELDS)
    for name in ("sex", "study_design", "recurrence", "vital_status", "disease_status"):
        assert offered(book, "Cases", name) == list(FIELDS[name].choices)
    assert offered(book, "Cases", "diagnosis") == [] == offered(book, "Cases", "margin")


def test_only_a_pmid_is_a_link(book: Any) -> None:
    links = [row[4].hyperlink for row in book["Cases"].iter_rows(min_row=2)]
    assert links[0].target == "https://pubmed.ncbi.nlm.nih.gov/1/" and links[1] is None
    assert [row[4].value for row in book["Cases"].iter_rows(min_row=2)] == ["1", "9 OR 1"]


def test_findings_show_what_is_not_present(book: Any) -> None:
    kinds = {rule.type for rules in book["Findings"].conditional_formatting for rule in rules.rules}
    assert kinds == {"expression", "dataBar"}
    assert book["Findings"].freeze_panes == "A2" and book["Findings"].auto_filter.ref


def test_legend_and_formulas(book: Any) -> None:
    assert {row[0].value for row in book["Legend"].iter_rows(min_row=2)} >= {"no infection", "(empty)"}
    assert book["Cases"]["F3"].value == "'=1+1"
