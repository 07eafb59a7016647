from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.sources import identifiers as ids
from caseframe.sources.languages import language_code
from caseframe.sources.titles import clean_title


@pytest.mark.parametrize(
    ("text", "pmid"),
    [
        ("28120579", "28120579"),
        (" PMID: 28120579 ", "28120579"),
        ("28120579.0", "28120579"),
        ("https://pubmed.ncbi.nlm.nih.gov/28120579/", "28120579"),
        ("PMC5290028", ""),
        ("12-34", ""),
        ("0", ""),
        ("", ""),
    ],
)
def test_pmids(text: str, pmid: str) -> None:
    assert ids.clean_pmid(text) == pmid


def test_pmcids() -> None:
    assert (
        ids.clean_pmcid("5290028")
        == ids.clean_pmcid("pmc5290028")
        == ids.clean_pmcid("PMC5290028 [free]")
        == "PMC5290028"
    )
    assert ids.clean_pmcid("none") == ids.find_pmcid("XPMC12") == ""


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("https://doi.org/10.3349/ymj.2017.58.2.453.", "10.3349/ymj.2017.58.2.453"),
        ("doi:10.1016/S0140-6736(05)67889-3", "10.1016/S0140-6736(05)67889-3"),
        ("(10.1000/a.1)", "10.1000/a.1"),
        ("no doi 10.1", ""),
    ],
)
def test_dois(text: str, doi: str) -> None:
    assert ids.find_doi(text) == doi


def test_ids_of_files() -> None:
    assert ids.ids_of_file("a/b.zip!c/28120579.txt") == ("28120579", "")
    assert ids.ids_of_file("PMC5290028.txt") == ("", "PMC5290028")
    assert ids.ids_of_file("notes/0012.txt") == ids.ids_of_file("1.txt") == ("", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "eng"),
        ("ENG", "eng"),
        ("English", "eng"),
        ("de-AT", "ger"),
        ("deu", "ger"),
        ("fra", "fre"),
        ("und", ""),
        ("klingon", ""),
    ],
)
def test_languages(text: str, code: str) -> None:
    assert language_code(text) == code


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("[Tumor of the sacrum].", "Tumor of the sacrum"),
        ("[Tumor of the sacrum.]", "Tumor of the sacrum"),
        ("[Old] and [new].", "[Old] and [new]"),
        ("A reply to Smith et al.", "A reply to Smith et al."),
        ("Does it heal?", "Does it heal?"),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert clean_title(text) == title


@given(st.text())
def test_nothing_raises(text: str) -> None:
    for function in (
        ids.clean_pmid,
        ids.clean_pmcid,
        ids.find_pmid,
        ids.find_doi,
        ids.ids_of_file,
        language_code,
        clean_title,
    ):
        function(text)
