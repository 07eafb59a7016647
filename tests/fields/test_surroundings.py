"""What the words about a span are like, as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from spacy.language import Language

from caseframe.fields.surroundings import surroundings
from caseframe.stages.entities import shipped_features
from caseframe.stages.entity_network import Floats

TEXT = "The knee was swollen. A large sarcoma of the left femur was resected widely."


def vectors(words: str) -> Floats:
    return shipped_features().vectors_of(words.split()).mean(axis=0)


def test_means_of_span_before_behind_and_sentence_less_the_whole(stages: Language) -> None:
    doc = stages(TEXT)
    inside, before, after, sentence = surroundings(doc, [(7, 8)]).reshape(4, -1)
    whole = vectors(" ".join(token.text for token in doc))
    assert doc[7].text == "sarcoma"
    assert inside == pytest.approx(vectors("sarcoma") - whole, abs=1e-4)
    assert before == pytest.approx(vectors("A large") - whole, abs=1e-4), "the sentence before does not count"
    assert after == pytest.approx(vectors("of the left femur") - whole, abs=1e-4)
    assert sentence == pytest.approx(
        vectors("A large sarcoma of the left femur was resected widely .") - whole, abs=1e-4
    )


def test_where_there_are_no_words_there_are_zeros(stages: Language) -> None:
    doc = stages("Sarcoma.")
    _, before, after, _ = surroundings(doc, [(0, 2)]).reshape(4, -1)
    assert not before.any()
    assert not after.any()


def test_each_span_has_a_row_of_its_own(stages: Language) -> None:
    doc = stages(TEXT)
    bounds = [(1, 2), (7, 8), (0, 9)]
    rows = surroundings(doc, bounds)
    assert all((row == surroundings(doc, [each])[0]).all() for row, each in zip(rows, bounds, strict=True))
    assert len(surroundings(doc, [])) == 0


def test_words_that_nobody_saw_have_surroundings_too(stages: Language) -> None:
    numbers = surroundings(stages("Xyzzyosarcoma plugh."), [(0, 1)])
    assert np.isfinite(numbers).all()
    assert numbers.any()
