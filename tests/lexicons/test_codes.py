"""The codes of the lexicons: their form and, where the tables are at hand, that they exist under a fitting name."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter, defaultdict
from importlib.resources import files
from pathlib import Path

import pytest

from caseframe.lexicons import Entry, Term, builtin_entries, read_lexicon, surface_parts
from caseframe.lexicons.hygiene import cleaned
from caseframe.lexicons.readers import open_concepts

FORMS = {
    "ICDO3": r"\d{4}/[012369]|C\d\d\.\d", "DOID": r"\d+", "HP": r"\d{7}", "MESH": r"[CD]\d{6,9}", "MAXO": r"\d{7}",
    "UBERON": r"\d{7}", "FDA": r"[A-Z]{3}",
}  # fmt: skip
"""The systems of codes that are shipped."""

# Says nothing of the kind of tumour.
EMPTY_WORDS = frozenset("nos of the and with in type , ( )".split())

# Right codes whose name in the first edition of ICD-O-3 shares no word with ours, and why they are right.
NAMED_OTHERWISE = {
    "maffucci syndrome": "enchondromas with hemangiomas: chondromatosis, 9220/1",
    "enchondromatosis": "ICD-O-3.2 and WHO 2020 name 9220/1 enchondromatosis",
    "pigmented villonodular synovitis": "older name of the diffuse tenosynovial giant cell tumor, 9252/0",
    "fibrothecoma": "thecoma with fibroma; WHO files it under thecoma, 8600/0",
    "low-grade fibromyxoid sarcoma": "WHO 2013 and 2020: 8840/3",
    "sclerosing epithelioid fibrosarcoma": "WHO 2013 and 2020: 8840/3",
    "buschke-lowenstein tumor": "giant condyloma is verrucous carcinoma, 8051/3",
    "neuroendocrine tumor": "since 2010 the name of the carcinoid tumor, 8240/3",
}


def _entries(name: str) -> list[Entry]:
    return list(read_lexicon(Path(str(files("caseframe.lexicons") / "data" / f"{name}.tsv"))))


@pytest.fixture(scope="module")
def names() -> dict[Term, list[str]]:
    """Each tumour with all its names."""
    found: dict[Term, list[str]] = {}
    for entry in _entries("tumors"):
        found.setdefault(entry.term, []).append(entry.surface)
    return found


@pytest.fixture(scope="module")
def labels(data_dir: Path) -> dict[str, list[str]]:
    """The names that ICD-O-3 gives each morphology code."""
    found: dict[str, list[str]] = {}
    with gzip.open(data_dir / "terms" / "icdo3_morphology.txt.gz", "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            found.setdefault(row["Code"], []).append(row["Label"])
    return found


@pytest.fixture(scope="module")
def topography(data_dir: Path) -> set[str]:
    """Every code in the ranges of the site table."""
    with gzip.open(data_dir / "terms" / "icdo3_site_type.csv.gz", "rt", encoding="utf-8", newline=None) as stream:
        ranges = {row["Site recode"] for row in csv.DictReader(stream)}
    codes = set()
    for cell in ranges:
        for part in cell.split(","):
            first, _, last = part.strip().partition("-")
            codes.update(range(int(first[1:]), int((last or first)[1:]) + 1))
    return {f"C{code // 10:02}.{code % 10}" for code in codes}


def words(name: str) -> set[str]:
    return set(surface_parts(name.lower())) - EMPTY_WORDS


def concepts() -> list[Term]:
    """Every shipped concept, once."""
    return [entry.term for entry in builtin_entries() if entry.surface == entry.term.preferred]


def test_every_code_has_the_form_of_its_system() -> None:
    for term in concepts():
        system, _, code = term.code.partition(":")
        assert not term.code or re.fullmatch(FORMS[system], code), term


@pytest.mark.parametrize(
    ("lexicon", "system", "form"), [("tumors", "ICDO3", r"\d{4}/[012369]"), ("sites", "ICDO3", r"C\d\d\.\d")]
)
def test_tumors_have_morphology_and_sites_topography(lexicon: str, system: str, form: str) -> None:
    codes = [entry.term.code for entry in _entries(lexicon) if entry.term.code.startswith(system)]
    assert codes and all(re.fullmatch(f"{system}:{form}", code) for code in codes)


def test_a_code_is_of_one_concept_of_a_field() -> None:
    """But for the ICD-O-3, whose classes hold several."""
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for term in concepts():
        if term.code and not term.code.startswith("ICDO3:"):
            owners[term.lexicon, term.code].add(term.preferred)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def test_what_two_fields_call_alike_has_one_code() -> None:
    codes: dict[str, set[str]] = defaultdict(set)
    for term in concepts():
        if term.code and term.field != "site":
            codes[term.preferred].add(term.code)
    assert {name: found for name, found in codes.items() if len(found) > 1} == {}


def test_most_concepts_have_a_code() -> None:
    coded = Counter(term.lexicon for term in concepts() if term.code)
    whole = Counter(term.lexicon for term in concepts())
    shares = {name: coded[name] / whole[name] for name in whole}
    for name in ("conditions", "tumors", "sites", "therapies"):
        assert shares[name] > 0.75, name
    for name in ("symptoms", "complications", "imaging"):
        assert shares[name] > 0.5, name


@pytest.mark.parametrize(
    ("field", "name", "code"),
    [
        ("therapy", "denosumab", "MESH:D000069448"),
        ("therapy", "insulin", ""),  # a drug, a class of drugs and a hormone
        ("imaging", "mri", "MESH:D008279"),
        ("complication", "deep vein thrombosis", "HP:0002625"),
        ("complication", "pneumonia", "DOID:552"),
        ("diagnosis", "pneumonia", "DOID:552"),
        ("symptom", "abdominal pain", "HP:0002027"),
        ("procedure", "amputation", "MESH:D000671"),
        ("implant", "bone plate", "MESH:D001860"),
        ("implant", "liner", ""),  # of a hip; MeSH's are dental inlays
        ("site", "tendon sheath", "UBERON:0000304"),
        ("diagnosis", "desmoplastic fibroblastoma", ""),  # no desmoplastic fibroma
        ("diagnosis", "isaacs syndrome", "HP:0034351"),
    ],
)
def test_codes_by_eye(field: str, name: str, code: str) -> None:
    (term,) = [term for term in concepts() if (term.field, term.preferred) == (field, name)]
    assert term.code == code


@pytest.fixture(scope="module")
def elsewhere(data_dir: Path) -> dict[str, set[tuple[str, ...]]]:
    """The folded names of each concept of the terminologies at hand."""
    found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for file in ("doid_ncit_subset.obo.gz", "maxo.obo.gz", "uberon_import.obo.gz", "uberon_musculoskeletal.obo.gz",
                 "uberon_appendicular.obo.gz", "fda_foiclass.txt.gz"):  # fmt: skip
        for concept in open_concepts(data_dir / "terms" / file):
            found[concept.id].update(tuple(surface_parts(cleaned(n).lower())) for n in (concept.name, *concept.exact))
    return found


@pytest.mark.data
@pytest.mark.parametrize("system", ["DOID", "MAXO", "UBERON", "FDA"])
def test_codes_exist_under_a_name_of_the_term(system: str, elsewhere: dict[str, set[tuple[str, ...]]]) -> None:
    words: dict[Term, set[tuple[str, ...]]] = defaultdict(set)
    for entry in builtin_entries():
        if entry.term.code.startswith(f"{system}:"):
            words[entry.term].add(tuple(surface_parts(entry.surface.lower())))
    known = [term for term in words if term.code in elsewhere]
    assert len(known) > 0.7 * len(words), "a part of the Disease Ontology is at hand"
    unnamed = [term for term in known if not words[term] & elsewhere[term.code]]
    assert len(unnamed) < 0.005 * len(known), "names of another release of the ontology"


@pytest.mark.data
def test_morphology_codes_exist(names: dict[Term, list[str]], labels: dict[str, list[str]]) -> None:
    missing = {
        term.preferred: term.code
        for term in names
        if term.code.startswith("ICDO3:") and term.code.removeprefix("ICDO3:") not in labels
    }
    assert missing == {}


@pytest.mark.data
def test_names_fit_their_code(names: dict[Term, list[str]], labels: dict[str, list[str]]) -> None:
    foreign = {
        term.preferred
        for term, surfaces in names.items()
        if term.code.startswith("ICDO3:") and not _fits(surfaces, labels[term.code.removeprefix("ICDO3:")])
    }
    assert foreign == set(NAMED_OTHERWISE)


def _fits(surfaces: list[str], titles: list[str]) -> bool:
    """Whether a name shares a word with a title of the code, ours as specific as "tumor" only where theirs is too."""
    plain = {"tumor", "cell", "benign", "malignant"}
    ours = [words(name) for name in surfaces]
    theirs = [words(title) for title in titles]
    return any((own & their) - plain or (own & their and their <= plain) for own in ours for their in theirs)


@pytest.mark.data
def test_topography_codes_exist(topography: set[str]) -> None:
    missing = {
        e.term.preferred: e.term.code
        for e in _entries("sites")
        if e.term.code.startswith("ICDO3:") and e.term.code[6:] not in topography
    }
    assert missing == {}
