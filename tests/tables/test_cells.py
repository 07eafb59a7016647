import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.tables.cells import safe
from caseframe.tables.delimited import write_csv


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=x"])
def test_formulas_are_escaped(text: str) -> None:
    assert str(safe(text)).startswith("'")


def test_numbers_and_plain_text_stay() -> None:
    assert safe(-3.5) == -3.5
    assert safe("giant cell tumor") == "giant cell tumor"
    assert safe(["a", "b"]) == "a; b"
    assert safe(None) is None


@given(st.lists(st.text(), max_size=6))
def test_csv_holds_every_cell(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv(path, [{"a": cell} for cell in cells], ["a"])
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    assert [row[0] if row else "" for row in rows] == [str(safe(cell)) for cell in cells]


def test_csv_starts_with_a_mark_for_spreadsheets(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [], ["a"])
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
