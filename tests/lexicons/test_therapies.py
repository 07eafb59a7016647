from __future__ import annotations

from collections import defaultdict

import pytest

from caseframe.lexicons import Entry, builtin_lexicon, builtin_paths, read_lexicon, surface_parts

KINDS = {"drug", "class", "regimen", "chemotherapy", "radiotherapy", "other"}


def rows(name: str) -> list[Entry]:
    path = next(path for path in builtin_paths() if path.stem == name)
    return list(read_lexicon(path))


def test_more_than_250_drugs_and_regimens() -> None:
    terms = {entry.term for entry in rows("therapies")}
    assert sum(term.attributes["kind"] in ("drug", "regimen") for term in terms) >= 250


def test_every_therapy_has_a_kind() -> None:
    assert {str(entry.term.attributes["kind"]) for entry in rows("therapies")} == KINDS


@pytest.mark.parametrize("name", ["therapies", "imaging"])
def test_no_surface_names_two_concepts(name: str) -> None:
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for entry in rows(name):
        owners[tuple(surface_parts(entry.surface))].add(entry.term.preferred)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def test_parts_of_combined_treatment_are_therapies_themselves() -> None:
    therapies = builtin_lexicon().of_field("therapy")
    parts = [part for term in therapies.values() for part in str(term.attributes.get("parts", "")).split("+") if part]
    assert parts
    assert set(parts) <= set(therapies)


@pytest.mark.parametrize(
    ("surface", "preferred"),
    [
        ("Adriamycin", "doxorubicin"),
        ("5-FU", "fluorouracil"),
        ("mFOLFOX6", "folfox"),
        ("R-CHOP", "r-chop"),
        ("MAP chemotherapy", "map regimen"),
        ("VDC/IE", "vac/ie"),
        ("external beam radiotherapy", "radiotherapy"),
        ("Gamma Knife", "gamma knife radiosurgery"),
        ("proton beam therapy", "proton therapy"),
        ("haemodialysis", "hemodialysis"),
        ("ECMO", "extracorporeal membrane oxygenation"),
        ("physiotherapy", "physical therapy"),
        ("amphotericin B", "amphotericin b"),
    ],
)
def test_synonyms_name_their_therapy(surface: str, preferred: str) -> None:
    assert [term.preferred for term in builtin_lexicon().lookup(surface) if term.field == "therapy"] == [preferred]


@pytest.mark.parametrize(
    ("surface", "preferred"),
    [
        ("CT images", "ct"),
        ("computed tomographic scan", "ct"),
        ("computed tomography (CT) angiography", "ct_angiography"),
        ("plain X-rays", "radiograph"),
        ("roentgenogram", "radiograph"),
        ("MR imaging", "mri"),
        ("18F-FDG PET/CT", "pet_ct"),
        ("bone scintigraphy", "bone_scan"),
        ("transoesophageal echocardiography", "echocardiography"),
        ("DEXA", "dxa"),
    ],
)
def test_synonyms_name_their_modality(surface: str, preferred: str) -> None:
    assert [term.preferred for term in builtin_lexicon().lookup(surface) if term.field == "imaging"] == [preferred]
