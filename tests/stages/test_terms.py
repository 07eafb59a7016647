from __future__ import annotations

import pytest
import spacy
from spacy.language import Language

from caseframe.lexicons import Entry, Lexicon, Term
from caseframe.pipeline import register
from caseframe.stages.terms import TermMatcher
from caseframe.stages.tokenizer import blank


def entry(surface: str, preferred: str, field: str) -> Entry:
    return Entry(surface, Term(preferred, field))


ENTRIES = (
    entry("radiotherapy", "radiotherapy", "therapy"),
    entry("TMZ", "temozolomide", "therapy"),
    entry("temozolomide", "temozolomide", "therapy"),
    entry("echocardiography", "echocardiography", "imaging"),
    entry("TTE", "echocardiography", "imaging"),
    entry("CT", "ct", "imaging"),
    entry("computed tomography", "ct", "imaging"),
    entry("PET", "pet", "imaging"),
    entry("PET/CT", "pet_ct", "imaging"),
    entry("Sjögren's syndrome", "sjogren syndrome", "diagnosis"),
)


@pytest.fixture(scope="module")
def nlp() -> Language:
    register()
    language = blank()
    language.add_pipe("caseframe_abbreviations")
    return language


def terms(nlp: Language, text: str) -> list[tuple[str, str]]:
    doc = TermMatcher(builtin=False, entries=ENTRIES)(nlp(text))
    return [(span.text, span._.term.preferred) for span in doc.spans["terms"]]


def test_terms_joined_by_a_slash_are_found_each(nlp: Language) -> None:
    found = terms(nlp, "She had radiotherapy/TMZ.")
    assert sorted(found) == [("radiotherapy/TMZ", "radiotherapy"), ("radiotherapy/TMZ", "temozolomide")]


def test_of_one_span_the_term_with_more_parts_wins(nlp: Language) -> None:
    assert terms(nlp, "PET/CT was done.") == [("PET/CT", "pet_ct")]


def test_a_short_form_defined_as_something_else_is_not_the_term(nlp: Language) -> None:
    assert terms(nlp, "Transverse testicular ectopia (TTE) is rare; TTE was found.") == []


def test_a_short_form_defined_by_a_variant_stays_the_term(nlp: Language) -> None:
    assert ("CT", "ct") in terms(nlp, "A computed tomographic (CT) image. CT was repeated.")


def test_accents_and_possessives_fold(nlp: Language) -> None:
    assert [name for _, name in terms(nlp, "Sjögren’s syndrome, Sjogren syndrome")] == ["sjogren syndrome"] * 2


def test_underscores_fold_as_blanks() -> None:
    lexicon = Lexicon([entry("blood_loss", "blood_loss", "measurement")])
    assert [term.preferred for term in lexicon.lookup("blood loss")] == ["blood_loss"]


def test_other_tokenizers_may_part_at_hyphens() -> None:
    spacys_own = spacy.blank("en")
    spacys_own.add_pipe("caseframe_terms")
    doc = spacys_own("Giant-cell tumours recurred.")
    assert [span.text for span in doc.spans["terms"] if span.label_ == "diagnosis"][:1] == ["Giant-cell tumours"]
