from __future__ import annotations

from collections import Counter

import pytest

from caseframe.lexicons import Entry, builtin_lexicon, builtin_paths, read_lexicon
from caseframe.schema import FIELDS

ROLES = {"head", "material", "manufacture", "feature", "fixation", "brand"}


def rows(name: str = "devices.tsv") -> list[Entry]:
    return list(read_lexicon(next(path for path in builtin_paths() if path.name == name)))


def test_holds_three_hundred_devices_materials_and_makes() -> None:
    counts = Counter(str(term.attributes["role"]) for term in {entry.term for entry in rows()})
    assert set(counts) == ROLES
    assert counts["head"] >= 200
    assert sum(counts.values()) >= 300


def test_manufacture_values_are_those_of_the_schema() -> None:
    made = {entry.term.preferred for entry in rows() if entry.term.attributes["role"] == "manufacture"}
    assert made == set(FIELDS["implant"].attributes["manufacture"].choices)


def test_the_head_that_a_brand_implies_is_a_head() -> None:
    heads = {entry.term.preferred for entry in rows() if entry.term.attributes["role"] == "head"}
    implied = {str(entry.term.attributes["head"]) for entry in rows() if "head" in entry.term.attributes}
    assert len(implied) > 10
    assert implied - heads <= {"liquid embolic", "tubal occlusion device", "adhesion barrier"}


@pytest.mark.parametrize(
    ("surface", "preferred", "role"),
    [
        ("tumour endoprosthesis", "megaprosthesis", "head"),
        ("screw-rod constructs", "screw-rod system", "head"),
        ("K-wires", "kirschner wire", "head"),
        ("three-dimensional printed", "3d_printed", "manufacture"),
        ("customised", "custom_made", "manufacture"),
        ("polyetheretherketone", "PEEK", "material"),
        ("Ti6Al4V", "titanium", "material"),
        ("uncemented", "cementless", "fixation"),
        ("silver-coated", "silver coating", "feature"),
        ("Waldemar Link", "LINK", "brand"),
    ],
)
def test_synonyms(surface: str, preferred: str, role: str) -> None:
    terms = [term for term in builtin_lexicon().lookup(surface) if term.field == "implant"]
    assert [(term.preferred, term.attributes["role"]) for term in terms] == [(preferred, role)]


def test_margin_values_are_those_of_the_schema() -> None:
    assert {entry.term.preferred for entry in rows("margins.tsv")} == set(FIELDS["margin"].choices) - {""}
