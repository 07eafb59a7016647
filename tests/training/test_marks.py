"""Marks that teachers made elsewhere: what is read back, what is refused, and a student that learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import TrainingError
from caseframe.stages.entity_network import tags_of
from caseframe.training.marks import Marks, digest_of_text

TAGS = tags_of(["NEOPLASM", "ANATOMY"])
TEXTS = {"Chordoma of the sacrum.": 5, "Pain.": 2}


def written(path: Path, opinions: Mapping[str, Any], **others: Any) -> Path:
    """A file as benchmarks/teacher/mark.py writes it, from a table in 8 bits (token, tag) of each text."""
    table = np.concatenate(list(opinions.values()))
    token, tag = np.nonzero(table)
    arrays = {
        "tags": np.array(TAGS),
        "digests": np.array([digest_of_text(text) for text in opinions]),
        "lengths": np.array([len(each) for each in opinions.values()], dtype="uint32"),
        "counts": np.bincount(token, minlength=len(table)).astype("uint8"),
        "which": tag.astype("uint8"),
        "probabilities": table[token, tag],
    }
    np.savez_compressed(path, **(arrays | others))
    return path


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    opinions = {text: random.integers(1, 255, (tokens, len(TAGS)), dtype="uint8") for text, tokens in TEXTS.items()}
    return written(tmp_path / "marks.npz", opinions)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1))
def test_each_text_gets_its_own_probabilities(
    tmp_path_factory: pytest.TempPathFactory, seed: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    opinions = {}
    for text, tokens in TEXTS.items():
        table = random.integers(1, 255, (tokens, len(TAGS))) * (random.random((tokens, len(TAGS))) < share)
        table[:, 0] = 9  # no token is without any tag
        opinions[text] = table.astype("uint8")
    read = Marks(written(tmp_path_factory.mktemp("marks") / "marks.npz", opinions), TAGS)
    for text, tokens in TEXTS.items():
        found = read.of(text, tokens)
        assert found.dtype == np.float16
        assert np.allclose(found, opinions[text] / opinions[text].sum(1, keepdims=True), atol=1e-3)


def test_which_texts_it_knows(marks: Path) -> None:
    read = Marks(marks, TAGS)
    assert all(text in read for text in TEXTS)
    assert "Pain" not in read


def test_other_tokens(marks: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"marks\.npz: marks of 2 tokens for a text of 3: 'Pain\.'\. Make them anew"
    ):
        Marks(marks, TAGS).of("Pain.", 3)


def test_other_types(marks: Path) -> None:
    with pytest.raises(TrainingError, match=r"marks\.npz: its marks are of other types\. Make them anew"):
        Marks(marks, tags_of(["NEOPLASM", "DRUG"]))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 broken", b"words"])
def test_no_marks(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "marks.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"marks\.npz: no marks of teachers: .*benchmarks/teacher/mark\.py"):
        Marks(path, TAGS)


def test_an_array_is_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "marks.npz", tags=np.array(TAGS))
    with pytest.raises(TrainingError, match=r"no marks of teachers: .*digests"):
        Marks(tmp_path / "marks.npz", TAGS)
