"""How sure a finding is, and from where on it counts."""

from __future__ import annotations

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.fields import confidence
from caseframe.fields.cases import fold
from caseframe.fields.linear import names_of
from caseframe.schema import CASE_FIELDS, FIELDS, Finding

TEXT = "Osteosarcoma of the femur\nA 40-year-old man with osteosarcoma had no pain. He underwent resection of the osteosarcoma."


@pytest.fixture(scope="module")
def doc(nlp: Language) -> Doc:
    return nlp(TEXT)


def mention(words: str, value: str, field: str, *, nth: int = 0, confidence: float = 0.75, **rest: object) -> Finding:
    at = -1
    for _ in range(nth + 1):
        at = TEXT.lower().index(words, at + 1)
    return Finding(field, value, TEXT[at : at + len(words)], at, at + len(words), confidence=confidence, **rest)  # type: ignore[arg-type]


def told_of(doc: Doc, *findings: Finding) -> set[str]:
    """The features of the first of some findings of a case."""
    folded = fold(findings)
    finding, group = folded[0]
    return set(names_of(confidence.features(confidence.Context(doc, folded), finding, group)))


@pytest.mark.parametrize("field", confidence.FIELDS)
def test_every_weighed_field_has_a_least_probability(field: str) -> None:
    assert FIELDS[field].level == "case"
    assert 0.2 <= confidence.least(field) <= 0.7


def test_the_fields_that_are_not_weighed_are_those_of_the_person() -> None:
    assert set(CASE_FIELDS) - set(confidence.FIELDS) == {"age", "sex"}


def test_features_say_what_was_said_and_where(doc: Doc) -> None:
    names = told_of(
        doc, mention("osteosarcoma", "osteosarcoma", "diagnosis", nth=1, source="fields.conditions/1", code="X")
    )
    assert {"said=7", "source=fields.conditions", "assertion=present", "mentions=1"} <= names
    assert {"value=osteosarcoma", "head=osteosarcoma", "words=1"} <= names
    assert {"before=man", "before=with", "after=had", "inside=osteosarcoma", "in title=False"} <= names
    assert "before=femur" not in names, "words of another sentence do not count"


def test_repetition_counts(doc: Doc) -> None:
    mentions = [mention("osteosarcoma", "osteosarcoma", "diagnosis", nth=n) for n in range(3)]
    assert {"mentions=3", "said=7&mentions=3"} <= told_of(doc, *mentions)


def test_what_else_was_said_counts(doc: Doc) -> None:
    pain = mention("pain", "pain", "symptom", confidence=0.5)
    surer = mention("resection", "x", "symptom", confidence=0.9)
    other = mention("pain", "pain", "complication", confidence=0.8)
    assert "rivals=0" in told_of(doc, pain)
    assert {"rivals=1", "also=complication", "said more surely of another field"} <= told_of(doc, pain, surer, other)


def test_attributes_count(doc: Doc) -> None:
    names = told_of(doc, mention("pain", "pain", "symptom", attributes={"duration_days": 91, "side": "left"}))
    assert {"has duration_days", "has side", "side=left"} <= names


def test_a_finding_outside_the_text_has_no_features(doc: Doc) -> None:
    beyond = Finding("symptom", "pain", "pain", len(TEXT) + 5, len(TEXT) + 9)
    assert list(confidence.features(confidence.Context(doc, [(beyond, [beyond])]), beyond, [beyond])) == []


def test_more_certain_words_make_a_more_certain_finding(doc: Doc) -> None:
    pain = mention("pain", "pain", "symptom")
    (weighed,) = confidence.weighed(confidence.Context(doc, [(pain, [pain])]), [pain])
    for field in ("diagnosis", "symptom", "complication"):
        sure, unsure = (confidence.confidence_of(field, [("said=", [n])], weighed) for n in "92")
        assert sure > unsure
