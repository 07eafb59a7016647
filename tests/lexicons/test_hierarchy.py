"""What stands above a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.lexicons import COLUMNS, Entry, Lexicon, Term, builtin_entries, read_lexicon
from caseframe.lexicons.compiled import compile_lexicon
from caseframe.lexicons.hierarchy import Hierarchy, hierarchy
from caseframe.schema import Attributes


@pytest.mark.parametrize(
    ("value", "above"),
    [
        ("osteosarcoma", {"bone tumor", "sarcoma", "cancer", "neoplasm"}),
        ("pleomorphic liposarcoma", {"soft tissue tumor", "liposarcoma", "sarcoma"}),
        ("liposarcoma of the desk", {"liposarcoma", "sarcoma"}),
        ("malignant peripheral nerve sheath tumor", {"nerve sheath tumor", "sarcoma"}),
        ("metastatic renal cell carcinoma", {"renal cell carcinoma", "carcinoma"}),
        ("unheard desk sarcoma", {"sarcoma"}),
        ("myeloid sarcoma", {"leukemia"}),
        ("carcinosarcoma", {"carcinoma"}),
        ("hip fracture", {"injury"}),
    ],
)
def test_diagnoses_have_groups_and_kinds(value: str, above: set[str]) -> None:
    assert above <= set(hierarchy().above("diagnosis", value))


@pytest.mark.parametrize(
    "value", ["giant cell tumor of bone", "carcinosarcoma", "myeloid sarcoma", "sarcomatoid carcinoma"]
)
def test_what_is_no_sarcoma(value: str) -> None:
    assert "sarcoma" not in hierarchy().above("diagnosis", value)


def test_a_code_tells_where_the_name_does_not() -> None:
    assert "sarcoma" in hierarchy().above("diagnosis", "unheard growth", "ICDO3:9180/3")
    assert "sarcoma" not in hierarchy().above("diagnosis", "unheard growth", "ICDO3:9180/0")
    assert hierarchy().above("diagnosis", "unheard growth", "DESK:1") == ()


def test_sites_have_regions_and_a_head_in_the_same_region_only() -> None:
    assert hierarchy().above("site", "distal femur")[:2] == ("lower limb", "femur")
    assert "head" not in hierarchy().above("site", "femoral head")
    assert hierarchy().group("site", "femoral head") == "lower limb"


def test_procedures_have_categories_and_heads() -> None:
    assert hierarchy().above("procedure", "total hip arthroplasty") == ("arthroplasty", "hip arthroplasty")
    assert "resection" in hierarchy().above("procedure", "unheard cholecystectomy")


def test_the_group_is_that_of_the_lexicons() -> None:
    assert hierarchy().group("diagnosis", "metastatic renal cell carcinoma") == "carcinoma"
    assert hierarchy().group("diagnosis", "unheard growth") == ""


def test_nothing_stands_above_itself() -> None:
    for entry in builtin_entries():
        assert entry.term.preferred not in hierarchy().above(entry.term.field, entry.term.preferred)


@pytest.mark.parametrize("compiled", [True, False])
def test_parents_of_own_lexicons(tmp_path: Path, compiled: bool) -> None:
    path = tmp_path / "desk.tsv"
    rows = (
        COLUMNS,
        ("pacing lead", "pacing lead", "implant", "D:2", "role=head;parents=cardiac device|lead"),
        ("cardiac device", "cardiac device", "implant", "D:1", "parents=device"),
    )
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    if compiled:
        compile_lexicon(path, read_lexicon(path))
    kinds = hierarchy((str(path),))
    assert kinds.above("implant", "pacing lead") == ("cardiac device", "lead", "device")
    assert kinds.group("implant", "pacing lead") == "cardiac device"
    assert "sarcoma" in kinds.above("diagnosis", "osteosarcoma")


_names = st.sampled_from(["a", "b", "c", "d"])


@given(st.lists(st.tuples(_names, st.lists(_names, max_size=3)), max_size=6))
def test_circles_end(rows: list[tuple[str, list[str]]]) -> None:
    entries = [
        Entry(name, Term(name, "implant", attributes=Attributes({"parents": "|".join(parents)} if parents else {})))
        for name, parents in rows
    ]
    for name, _ in rows:
        above = Hierarchy(Lexicon(entries)).above("implant", name)
        assert name not in above and len(set(above)) == len(above)
