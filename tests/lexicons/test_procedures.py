from __future__ import annotations

import re
from collections import Counter

import pytest

from caseframe.lexicons import Entry, builtin_lexicon, builtin_paths, read_lexicon, surface_parts
from caseframe.schema import CATEGORIES


def rows() -> list[Entry]:
    return list(read_lexicon(next(path for path in builtin_paths() if path.name == "procedures.tsv")))


def test_holds_five_hundred_procedures_of_every_category() -> None:
    concepts = {entry.term.preferred: entry.term for entry in rows()}
    counts = Counter(str(term.attributes["category"]) for term in concepts.values())
    assert len(concepts) >= 500
    assert set(counts) == set(CATEGORIES)
    assert {entry.term.field for entry in rows()} == {"procedure"}


def test_preferred_names_are_lower_case_and_every_code_has_its_form() -> None:
    codes = []
    for term in {entry.term for entry in rows()}:
        assert term.preferred == term.preferred.lower(), term
        if term.code:
            assert re.fullmatch(r"MAXO:\d{7}|MESH:D\d+", term.code), term
            codes.append(term.code)
    assert len(codes) == len(set(codes)), "one concept a code"


def test_no_surface_form_names_two_procedures() -> None:
    named: dict[tuple[str, ...], str] = {}
    for entry in rows():
        known = named.setdefault(tuple(surface_parts(entry.surface)), entry.term.preferred)
        assert known == entry.term.preferred, entry.surface


@pytest.mark.parametrize(
    ("surface", "preferred", "category"),
    [
        ("hemi-sacrectomy", "hemisacrectomy", "resection"),
        ("hindquarter amputation", "hindquarter amputation", "amputation"),
        ("ACDF", "anterior cervical discectomy and fusion", "fusion"),
        ("TLIF", "transforaminal lumbar interbody fusion", "fusion"),
        ("ORIF", "open reduction and internal fixation", "fixation"),
        ("total hip replacements", "total hip arthroplasty", "arthroplasty"),
        ("caesarean section", "cesarean section", "other"),
        ("Whipple's procedure", "pancreaticoduodenectomy", "resection"),
        ("CABG", "coronary artery bypass grafting", "grafting"),
        ("TACE", "transarterial chemoembolization", "embolization"),
        ("core-needle biopsies", "core needle biopsy", "biopsy"),
        ("Van Nes rotationplasty", "rotationplasty", "reconstruction"),
        ("total en bloc spondylectomy", "total en bloc spondylectomy", "resection"),
    ],
)
def test_synonyms_abbreviations_and_spellings(surface: str, preferred: str, category: str) -> None:
    terms = [term for term in builtin_lexicon().lookup(surface) if term.field == "procedure"]
    assert [(term.preferred, term.attributes["category"]) for term in terms] == [(preferred, category)]
