"""The tumour lexicon: its size, its consistency, and names that a reader would look up."""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import pytest

from caseframe.lexicons import Entry, Lexicon, read_lexicon, surface_parts
from caseframe.schema import BEHAVIORS

BEHAVIOR_OF = {"0": "benign", "1": "uncertain", "2": "in_situ", "3": "malignant", "6": "metastatic", "9": "malignant"}


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return list(read_lexicon(Path(str(files("caseframe.lexicons") / "data" / "tumors.tsv"))))


@pytest.fixture(scope="module")
def lexicon(entries: list[Entry]) -> Lexicon:
    return Lexicon(entries)


def test_has_the_promised_size(lexicon: Lexicon) -> None:
    terms = lexicon.of_field("diagnosis")
    coded = [term for term in terms.values() if term.code]
    assert len(terms) >= 1200
    assert len(coded) >= 1000
    assert len(lexicon.terms) == len(terms), "no other field than diagnosis"


@pytest.mark.parametrize(
    ("group", "least"),
    [("bone tumor", 70), ("soft tissue tumor", 140), ("vascular tumor", 40), ("nerve sheath tumor", 20),
     ("odontogenic tumor", 35), ("lymphoma", 40), ("leukemia", 40), ("neuroepithelial tumor", 55)],
)  # fmt: skip
def test_groups_are_covered(lexicon: Lexicon, group: str, least: int) -> None:
    assert sum(term.attributes.get("group") == group for term in lexicon.terms.values()) >= least


def test_behavior_follows_the_digit_of_the_code(lexicon: Lexicon) -> None:
    wrong = [
        term.preferred
        for term in lexicon.terms.values()
        if term.code.startswith("ICDO3:") and term.attributes["behavior"] != BEHAVIOR_OF[term.code[-1]]
    ]
    assert wrong == []
    assert {term.attributes["behavior"] for term in lexicon.terms.values() if "behavior" in term.attributes} <= set(
        BEHAVIORS
    )


def test_preferred_names_are_lower_case_american(lexicon: Lexicon) -> None:
    for term in lexicon.terms.values():
        assert term.preferred == term.preferred.lower()
        assert "tumour" not in term.preferred and "haem" not in term.preferred and "leukaem" not in term.preferred


def test_a_surface_names_one_concept_and_stands_once(entries: list[Entry]) -> None:
    surfaces: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in entries:
        surfaces[tuple(surface_parts(entry.surface))].append(entry.term.preferred)
    assert {surface: names for surface, names in surfaces.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("surface", "preferred", "code", "behavior"),
    [
        ("Osteogenic sarcoma", "osteosarcoma", "9180/3", "malignant"),
        ("parosteal osteosarcoma", "parosteal osteosarcoma", "9192/3", "malignant"),
        ("Dedifferentiated chondrosarcoma", "dedifferentiated chondrosarcoma", "9243/3", "malignant"),
        ("periosteal chondrosarcomas", "periosteal chondrosarcoma", "9221/3", "malignant"),
        ("Ewing's sarcoma", "ewing sarcoma", "9260/3", "malignant"),
        ("Ewing sarcoma", "ewing sarcoma", "9260/3", "malignant"),
        ("giant-cell tumour of bone", "giant cell tumor of bone", "9250/1", "uncertain"),
        ("GCTB", "giant cell tumor of bone", "9250/1", "uncertain"),
        ("chordoma", "chordoma", "9370/3", "malignant"),
        ("adamantinoma of the tibia", "adamantinoma", "9261/3", "malignant"),
        ("enchondroma", "enchondroma", "9220/0", "benign"),
        ("osteoid osteomas", "osteoid osteoma", "9191/0", "benign"),
        ("well-differentiated liposarcoma", "well-differentiated liposarcoma", "8851/3", "malignant"),
        ("MPNST", "malignant peripheral nerve sheath tumor", "9540/3", "malignant"),
        ("desmoid tumour", "desmoid fibromatosis", "8821/1", "uncertain"),
        ("PVNS", "pigmented villonodular synovitis", "9252/0", "benign"),
        ("giant cell tumor of the tendon sheath", "tenosynovial giant cell tumor", "9252/0", "benign"),
        ("gastro-intestinal stromal tumour", "gastrointestinal stromal tumor", "8936/1", "uncertain"),
        ("GIST", "gastrointestinal stromal tumor", "8936/1", "uncertain"),
        ("hepatocellular carcinoma", "hepatocellular carcinoma", "8170/3", "malignant"),
        ("hepatocellular carcinoma in situ", None, "", ""),
        ("cancer of the stomach", "gastric cancer", "8000/3", "malignant"),
        ("carcinoma of the breast", "breast carcinoma", "8010/3", "malignant"),
        ("Krukenberg tumour", "krukenberg tumor", "8490/6", "metastatic"),
        ("DCIS", "ductal carcinoma in situ", "8500/2", "in_situ"),
        ("non-Hodgkin's lymphoma", "non-hodgkin lymphoma", "9591/3", "malignant"),
        ("chronic lymphocytic leukaemia", "b-cell chronic lymphocytic leukemia", "9823/3", "malignant"),
        ("glioblastoma multiforme", "glioblastoma", "9440/3", "malignant"),
        ("acoustic neuroma", "vestibular schwannoma", "9560/0", "benign"),
        ("phaeochromocytoma", "pheochromocytoma", "8700/0", "benign"),
    ],
)  # fmt: skip
def test_finds_what_a_report_calls_it(
    lexicon: Lexicon, surface: str, preferred: str | None, code: str, behavior: str
) -> None:
    terms = lexicon.lookup(surface)
    if preferred is None:
        assert terms == []
        return
    assert [term.preferred for term in terms] == [preferred]
    assert terms[0].code == f"ICDO3:{code}"
    assert terms[0].attributes["behavior"] == behavior


def test_lesions_that_are_no_tumors_have_no_morphology(lexicon: Lexicon) -> None:
    for surface in ("aneurysmal bone cyst", "fibrous dysplasia", "osteofibrous dysplasia", "ganglion cyst"):
        (term,) = lexicon.lookup(surface)
        assert not term.code.startswith("ICDO3:")


def test_words_for_any_tumour_are_marked_and_mass_is_none(lexicon: Lexicon) -> None:
    for surface in ("tumour", "neoplasm", "cancer", "sarcoma", "carcinoma", "malignancy"):
        assert lexicon.lookup(surface)[0].attributes.get("generic") == "yes"
    assert lexicon.lookup("osteosarcoma")[0].attributes.get("generic") is None
    assert lexicon.lookup("mass") == lexicon.lookup("lesion") == []


def test_short_forms_need_their_capitals(lexicon: Lexicon) -> None:
    assert lexicon.lookup("ABC")[0].preferred == "aneurysmal bone cyst"
    assert lexicon.lookup("abc") == []
