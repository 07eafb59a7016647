"""Noun phrases without a parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Span

from caseframe.fields.phrases import MAX_MODIFIERS, core_words, phrase


def phrase_at(nlp: Language, text: str, head: str) -> Span:
    doc = nlp(text)
    i = max(token.i for token in doc if token.text == head)
    return phrase(doc, i, i + 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("She had a severe left femoral neck fracture.", "severe left femoral neck fracture"),
        ("CT showed a large retroperitoneal hematoma.", "large retroperitoneal hematoma"),
        ("He developed pneumonia.", "pneumonia"),
        ("The patient presented with painful swelling.", "painful swelling"),
        ("He underwent surgery. Hematoma followed.", "Hematoma"),
        ("There were 3 fractures.", "fractures"),
        ("He had (lumbar) stenosis.", "stenosis"),
        ("It was a rapidly growing tumor.", "growing tumor"),
        ("Pain and swelling.", "swelling"),
    ],
)
def test_a_phrase_ends_where_its_modifiers_end(nlp: Language, text: str, words: str) -> None:
    assert phrase_at(nlp, text, words.split()[-1]).text == words


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("She had a severe left femoral neck fracture.", ["femoral", "neck", "fracture"]),
        ("A large retroperitoneal hematoma was found.", ["retroperitoneal", "hematoma"]),
        ("He had persistent bilateral weakness.", ["weakness"]),
        ("It was a familial Quimby–Olbers syndrome.", ["familial", "Quimby-Olbers", "syndrome"]),
    ],
)
def test_side_degree_and_course_name_nothing(nlp: Language, text: str, core: list[str]) -> None:
    assert core_words(phrase_at(nlp, text, core[-1])) == core


def test_a_phrase_has_few_modifiers(nlp: Language) -> None:
    found = phrase_at(nlp, " ".join(["lumbar"] * 40 + ["stenosis"]), "stenosis")
    assert len(found) == MAX_MODIFIERS + 1


@given(st.lists(st.sampled_from("left femoral neck pain had . , and 3 ( é 🦴".split()), min_size=1, max_size=20))
def test_a_phrase_lies_in_its_sentence_and_ends_with_its_head(nlp: Language, words: list[str]) -> None:
    doc = nlp(" ".join(words))
    for token in doc:
        found = phrase(doc, token.i, token.i + 1)
        assert found[-1] == token
        assert found.start >= token.sent.start
        assert len(found) <= MAX_MODIFIERS + 1
