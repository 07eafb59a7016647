"""Vectors of words by their parts: the same as spaCy makes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.strings import StringStore

from caseframe.stages.entities import floret_vectors
from caseframe.stages.floret import vectors_of

TABLE = np.random.default_rng(0).normal(size=(997, 6)).astype("f")
words = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70), min_size=1, max_size=9)


@pytest.mark.parametrize(("minn", "maxn", "hash_count"), [(4, 5, 2), (2, 3, 4), (5, 9, 1)])
@given(words=words)
def test_the_vectors_of_spacy(minn: int, maxn: int, hash_count: int, words: list[str]) -> None:
    settings = {"minn": minn, "maxn": maxn, "hash_count": hash_count, "hash_seed": 2166136261}
    vectors = floret_vectors(TABLE, bow="<", eow=">", **settings)
    strings = vectors.strings = StringStore(words)
    assert (vectors_of(vectors, words) == vectors.get_batch([strings[word] for word in words])).all()


def test_no_words() -> None:
    vectors = floret_vectors(TABLE, minn=4, maxn=5, hash_count=2, hash_seed=1, bow="<", eow=">")
    assert vectors_of(vectors, []).shape == (0, 6)
