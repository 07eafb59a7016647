"""Mentions that only the learned entities know, and what the entities say of others."""

from __future__ import annotations

import pytest
from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.fields.conditions import conditions_of
from caseframe.fields.entities import CONDITIONS, features, find_open, open_mentions
from caseframe.stages.entities import SPANS


def marked(nlp: Language, text: str, *entities: tuple[str, str, float | None]) -> Doc:
    """The text after the stages, with entities given by their words, type and probability."""
    doc = nlp(text)
    spans = []
    for words, label, confidence in entities:
        start = text.index(words)
        span = doc.char_span(start, start + len(words), label=label)
        assert span is not None
        span._.confidence = confidence
        spans.append(span)
    doc.spans[SPANS] = spans
    return doc


def test_an_unlisted_operation_becomes_a_candidate(stages: Language) -> None:
    doc = marked(stages, "He underwent a glimbotripsy of the knee.", ("glimbotripsy", "PROCEDURE", 0.9))
    (finding,) = find_open(doc, [])
    assert (finding.field, finding.value, finding.text) == ("procedure", "glimbotripsy", "glimbotripsy")
    assert finding.confidence == pytest.approx(0.54) and finding.assertion == "present"


def test_it_is_denied_like_any_other(stages: Language) -> None:
    doc = marked(stages, "He recovered without a glimbotripsy.", ("glimbotripsy", "PROCEDURE", 0.9))
    assert [finding.assertion for finding in find_open(doc, [])] == ["absent"]


def test_what_a_field_module_found_is_not_found_again(stages: Language) -> None:
    doc = marked(stages, "He received glimbovir daily.", ("glimbovir", "DRUG", 0.9))
    (first,) = find_open(doc, [])
    assert first.field == "therapy"
    assert list(find_open(doc, [first])) == []


@pytest.mark.parametrize(
    ("text", "words", "label"),
    [
        ("The graft was harvested first.", "harvested", "PROCEDURE"),  # a verb without its object
        ("The scan showed 12 of them.", "12", "DEVICE"),  # no word
        ("We saw the wall of the chest.", "wall", "ANATOMY"),  # sites are a closed list
        ("It took three weeks.", "three weeks", "TIME"),  # no field of its own
    ],
)
def test_what_is_no_candidate(stages: Language, text: str, words: str, label: str) -> None:
    assert list(find_open(marked(stages, text, (words, label, 0.9)), [])) == []


def test_unlisted_conditions_get_their_roles_like_others(stages: Language) -> None:
    text = "A man had quexia and pneumonia."
    doc = marked(stages, text, ("quexia", "DISORDER", 0.8), ("pneumonia", "DISORDER", 0.9))
    assert [(c.value, c.origin) for c in conditions_of(doc) if c.span.text == "quexia"] == [("quexia", "DISORDER")]
    assert sum(condition.span.text == "pneumonia" for condition in conditions_of(doc)) == 1


def test_names_leave_out_side_and_degree(stages: Language) -> None:
    doc = marked(stages, "There was severe left quexia.", ("severe left quexia", "FINDING", 0.8))
    assert [name for _, name in open_mentions(doc, CONDITIONS, [])] == ["quexia"]


def test_features_tell_none_a_type_or_the_same_words(stages: Language) -> None:
    doc = marked(stages, "He had acute quexia of the knee.", ("acute quexia", "DISORDER", 0.8))

    def named(words: str) -> set[str]:
        start = doc.text.index(words)
        span = doc.char_span(start, start + len(words))
        assert isinstance(span, Span)
        return set(features(span))

    assert named("knee") == {"entity=none"}
    assert named("quexia") == {"entity=DISORDER", "entity sure=3"}
    assert "entity is DISORDER" in named("acute quexia")


def test_entities_of_another_pipeline_have_no_probability(stages: Language) -> None:
    doc = marked(stages, "He received glimbovir daily.", ("glimbovir", "DRUG", None))
    assert [finding.confidence for finding in find_open(doc, [])] == [0.6]
