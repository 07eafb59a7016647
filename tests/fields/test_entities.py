"""Mentions that only the learned entities know, and what the entities say of others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spacy.tokens import Doc, Span

from caseframe.fields.conditions import conditions_of
from caseframe.fields.entities import CONDITIONS, features, find_open, open_mentions
from caseframe.fields.linear import names_of

Mark = Callable[..., Doc]


def test_an_unlisted_operation_becomes_a_candidate(marked: Mark) -> None:
    doc = marked("He underwent a glimbotripsy of the knee.", ("glimbotripsy", "PROCEDURE", 0.9))
    (finding,) = find_open(doc, [])
    assert (finding.field, finding.value, finding.text) == ("procedure", "glimbotripsy", "glimbotripsy")
    assert finding.confidence == pytest.approx(0.54) and finding.assertion == "present"


def test_an_abbreviation_is_named_by_its_long_form(marked: Mark) -> None:
    doc = marked("A glimbose storage deviation (GSD) was found. GSD is rare.", ("GSD", "DISORDER", 0.9))
    (mention,) = open_mentions(doc, CONDITIONS, [])
    assert mention[1] == "glimbose storage deviation"


@pytest.mark.parametrize(
    "words", ["other symptoms", "complications", "systemic disease", "vascular involvement", "negative"]
)
def test_a_learned_mention_that_names_nothing_is_no_condition(marked: Mark, words: str) -> None:
    assert conditions_of(marked(f"There were {words} later.", (words, "DISORDER", 0.9))) == []


def test_it_is_denied_like_any_other(marked: Mark) -> None:
    doc = marked("He recovered without a glimbotripsy.", ("glimbotripsy", "PROCEDURE", 0.9))
    assert [finding.assertion for finding in find_open(doc, [])] == ["absent"]


def test_what_a_field_module_found_is_not_found_again(marked: Mark) -> None:
    doc = marked("He was fitted with a glimbofix.", ("glimbofix", "DEVICE", 0.9))
    (first,) = find_open(doc, [])
    assert first.field == "implant"
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
def test_what_is_no_candidate(marked: Mark, text: str, words: str, label: str) -> None:
    assert list(find_open(marked(text, (words, label, 0.9)), [])) == []


def test_unlisted_conditions_get_their_roles_like_others(marked: Mark) -> None:
    text = "A man had quexia and pneumonia."
    doc = marked(text, ("quexia", "DISORDER", 0.8), ("pneumonia", "DISORDER", 0.9))
    assert [(c.value, c.origin) for c in conditions_of(doc) if c.span.text == "quexia"] == [("quexia", "DISORDER")]
    assert sum(condition.span.text == "pneumonia" for condition in conditions_of(doc)) == 1


def test_names_leave_out_side_and_degree(marked: Mark) -> None:
    doc = marked("There was severe left quexia.", ("severe left quexia", "FINDING", 0.8))
    assert [name for _, name in open_mentions(doc, CONDITIONS, [])] == ["quexia"]


def test_features_tell_none_a_type_or_the_same_words(marked: Mark) -> None:
    doc = marked("He had acute quexia of the knee.", ("acute quexia", "DISORDER", 0.8))

    def named(words: str) -> set[str]:
        start = doc.text.index(words)
        span = doc.char_span(start, start + len(words))
        assert isinstance(span, Span)
        return set(names_of([features(span)]))

    assert named("knee") == {"entity=none"}
    assert named("quexia") == {"entity=DISORDER", "entity sure=3"}
    assert "entity is DISORDER" in named("acute quexia")


def test_entities_of_another_pipeline_have_no_probability(marked: Mark) -> None:
    doc = marked("He was fitted with a glimbofix.", ("glimbofix", "DEVICE", None))
    assert [finding.confidence for finding in find_open(doc, [])] == [0.6]
