"""Reading and matching of term lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import LexiconError
from caseframe.lexicons import (
    Entry,
    Lexicon,
    Term,
    builtin_entries,
    builtin_lexicon,
    builtin_paths,
    parse_attributes,
    read_lexicon,
    surface_parts,
)
from caseframe.lexicons.folding import fold_word
from caseframe.schema import FIELDS, Attributes

HEADER = "term\tpreferred\tfield\tcode\tattributes"
ROWS = (
    "# Tumours of the desk.",
    HEADER,
    "osteosarcoma\tosteosarcoma\tdiagnosis\tICDO3:9180/3\tbehavior=malignant;group=bone tumor",
    "osteogenic sarcoma\tosteosarcoma\tdiagnosis\t\t",
    "",
    "Ewing's sarcoma\tewing sarcoma\tdiagnosis\t\t",
    "ewing sarcoma\tewing sarcoma\tdiagnosis\tICDO3:9260/3\t",
)


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def entry(surface: str, preferred: str = "", field: str = "diagnosis") -> Entry:
    return Entry(surface, Term(preferred or surface, field))


# Reading


def test_synonyms_inherit_code_and_attributes(tmp_path: Path) -> None:
    entries = list(read_lexicon(written(tmp_path / "desk.tsv", *ROWS)))
    assert [item.surface for item in entries] == [
        "osteosarcoma",
        "osteogenic sarcoma",
        "Ewing's sarcoma",
        "ewing sarcoma",
    ]
    assert entries[1].term == entries[0].term
    assert entries[0].term == Term(
        "osteosarcoma",
        "diagnosis",
        "ICDO3:9180/3",
        Attributes({"behavior": "malignant", "group": "bone tumor"}),
        "desk",
    )
    assert entries[2].term.code == "ICDO3:9260/3", "also where the concept's own row comes later"
    assert entries[0].term.key == "diagnosis:osteosarcoma"


def test_the_columns_may_stand_in_any_order_with_others_between(tmp_path: Path) -> None:
    path = written(
        tmp_path / "x.tsv",
        "field\tnote\tpreferred\tattributes\tcode\tterm",
        "site\tmine\tsacrum\t\tICDO3:C41.4\tsacrum",
    )
    (item,) = read_lexicon(path, "mine")
    assert item == Entry("sacrum", Term("sacrum", "site", "ICDO3:C41.4", Attributes(), "mine"))


def test_quotes_are_characters_as_any_other(tmp_path: Path) -> None:
    (item,) = read_lexicon(written(tmp_path / "x.tsv", HEADER, '"lazy" eye\t"lazy" eye\tsymptom\t\t'))
    assert item.surface == '"lazy" eye'


@pytest.mark.parametrize(
    ("lines", "message", "cure"),
    [
        (["term\tpreferred\tfield"], "no column code, attributes", "The header is term"),
        ([HEADER, "a\ta\tdiagnose\t\t"], "line 2: field 'diagnose'", "diagnosis"),
        ([HEADER, "a\t\tsite\t\t"], "line 2: no term or no preferred", "Fill both"),
        ([HEADER, "# note", "b\ta\tsite\t\t"], "line 3: no row for the preferred term 'a' itself", "Add a row"),
        ([HEADER, "a\ta\tsite\t\t", "b\ta\tsymptom\t\t"], "line 3: no row for the preferred term 'a'", "Add a row"),
        ([HEADER, "a\ta\tsite\t\t", "a\ta\tsite\t\t"], "line 3: 'a' stands twice", "Keep one"),
        ([HEADER, "a\ta\tsite\t\tgroup"], "line 2: attributes 'group'", "key=value"),
        ([HEADER, "a\ta\tsite\t\t=bone"], "line 2: attributes '=bone'", "key=value"),
    ],
)
def test_a_bad_row_is_named_with_its_cure(tmp_path: Path, lines: list[str], message: str, cure: str) -> None:
    path = written(tmp_path / "mine.tsv", *lines)
    with pytest.raises(LexiconError) as caught:
        list(read_lexicon(path))
    assert str(path) in caught.value.message and message in caught.value.message
    assert cure in caught.value.cure


def test_attributes_of_a_cell() -> None:
    assert parse_attributes("behavior=malignant; group = bone tumor;") == {
        "behavior": "malignant",
        "group": "bone tumor",
    }
    assert parse_attributes("formula=a=b") == {"formula": "a=b"}
    assert parse_attributes("") == {}


# Matching


def matches(lexicon: Lexicon, text: str) -> list[tuple[int, int, list[str]]]:
    return list(lexicon.matches(surface_parts(text)))


def test_hyphen_blank_case_plural_and_spelling_do_not_matter() -> None:
    lexicon = Lexicon([entry("giant cell tumor")])
    for surface in ("giant-cell tumour", "Giant Cell Tumors", "giant cell-tumor", "Giant-Cell Tumours"):
        assert [term.preferred for term in lexicon.lookup(surface)] == ["giant cell tumor"], surface


def test_the_possessive_does_not_matter() -> None:
    lexicon = Lexicon([entry("Ewing's sarcoma", "ewing sarcoma")])
    for surface in ("Ewing's sarcoma", "Ewing’s sarcoma", "Ewing sarcoma"):
        assert [term.preferred for term in lexicon.lookup(surface)] == ["ewing sarcoma"], surface


def test_lookup_takes_a_surface_as_a_whole() -> None:
    lexicon = Lexicon([entry("giant cell tumor")])
    assert lexicon.lookup("giant cell") == lexicon.lookup("giant cell tumor of bone") == lexicon.lookup("") == []


def test_all_hits_are_told_overlapping_ones_too() -> None:
    lexicon = Lexicon([entry("femoral neck", field="site"), entry("femoral neck fracture"), entry("fracture")])
    assert matches(lexicon, "left femoral neck fracture") == [
        (1, 3, ["site:femoral neck"]),
        (1, 4, ["diagnosis:femoral neck fracture"]),
        (3, 4, ["diagnosis:fracture"]),
    ]


def test_one_surface_can_name_several_terms_each_once() -> None:
    lexicon = Lexicon(
        [entry("pain", field="symptom"), entry("pain", field="complication"), entry("Pains", "pain", "symptom")]
    )
    ((start, end, keys),) = matches(lexicon, "pain")
    assert (start, end, sorted(keys)) == (0, 1, ["complication:pain", "symptom:pain"])
    assert list(lexicon.of_field("symptom")) == ["pain"]


def test_within_a_field_a_later_lexicon_has_the_last_word_on_a_surface() -> None:
    lexicon = Lexicon([entry("cold"), entry("cold", field="symptom"), entry("cold", "common cold")])
    assert {term.key for term in lexicon.lookup("cold")} == {"diagnosis:common cold", "symptom:cold"}


def test_a_later_lexicon_may_define_a_term_anew_or_only_add_words_for_it() -> None:
    shipped = Term("pain", "symptom", "HP:1", lexicon="symptoms")
    mine = Term("pain", "symptom", "MY:1", lexicon="mine")
    bare = Term("pain", "symptom", lexicon="mine")
    assert Lexicon([Entry("pain", shipped), Entry("pain", mine)]).lookup("pain") == [mine]
    assert Lexicon([Entry("pain", shipped), Entry("ouch", bare)]).lookup("ouch") == [shipped]


words = st.sampled_from("bone tumor giant cell of left CT femur".split())
surfaces = st.lists(words, min_size=1, max_size=3).map(" ".join)


@given(st.lists(surfaces, max_size=6), st.lists(words, max_size=12))
def test_a_hit_is_a_term_and_every_term_is_hit(names: list[str], parts: list[str]) -> None:
    lexicon = Lexicon(entry(name) for name in names)
    text = [fold_word(part) for part in parts]
    found = {(start, end, key) for start, end, keys in lexicon.matches(text) for key in keys}
    expected = {
        (start, start + len(name.split()), f"diagnosis:{name}")
        for name in names
        for start in range(len(parts))
        if parts[start : start + len(name.split())] == name.split()
    }
    assert found == expected


@given(st.text())
def test_any_text_has_parts(text: str) -> None:
    assert all(surface_parts(text))
    assert builtin_lexicon().lookup(text) is not None


# The shipped lexicons together


def test_every_shipped_surface_is_found_again() -> None:
    lexicon = builtin_lexicon()
    assert [item.surface for item in builtin_entries() if item.term not in lexicon.lookup(item.surface)] == []


def test_folding_a_shipped_term_twice_changes_nothing() -> None:
    for item in builtin_entries():
        parts = surface_parts(item.surface)
        assert [fold_word(part) for part in parts] == parts, item.surface


def test_every_condition_field_is_filled_by_a_lexicon() -> None:
    names = {path.stem for path in builtin_paths()}
    assert names >= {
        "tumors",
        "sites",
        "procedures",
        "devices",
        "conditions",
        "symptoms",
        "complications",
        "outcomes",
        "therapies",
    }
    fields = {term.field for term in builtin_lexicon().terms.values()}
    assert fields <= set(FIELDS)
    assert fields >= {
        "diagnosis",
        "site",
        "procedure",
        "implant",
        "symptom",
        "complication",
        "outcome",
        "therapy",
        "imaging",
    }
