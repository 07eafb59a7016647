"""The ICD-O-3 codes of the lexicons: their form and, where the tables are at hand, that they exist under a fitting name."""

from __future__ import annotations

import csv
import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

from caseframe.lexicons import Entry, Term, read_lexicon, surface_parts

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


def test_form_of_morphology_codes() -> None:
    wrong = {
        e.term.code
        for e in _entries("tumors")
        if e.term.code and not re.fullmatch(r"ICDO3:\d{4}/[012369]", e.term.code)
    }
    assert wrong == set()


def test_form_of_topography_codes() -> None:
    wrong = {
        e.term.code for e in _entries("sites") if e.term.code and not re.fullmatch(r"ICDO3:C\d\d\.\d", e.term.code)
    }
    assert wrong == set()


@pytest.mark.data
def test_morphology_codes_exist(names: dict[Term, list[str]], labels: dict[str, list[str]]) -> None:
    missing = {
        term.preferred: term.code for term in names if term.code and term.code.removeprefix("ICDO3:") not in labels
    }
    assert missing == {}


@pytest.mark.data
def test_names_fit_their_code(names: dict[Term, list[str]], labels: dict[str, list[str]]) -> None:
    foreign = {
        term.preferred
        for term, surfaces in names.items()
        if term.code and not _fits(surfaces, labels[term.code.removeprefix("ICDO3:")])
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
        e.term.preferred: e.term.code for e in _entries("sites") if e.term.code and e.term.code[6:] not in topography
    }
    assert missing == {}
