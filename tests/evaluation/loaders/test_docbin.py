"""spaCy's DocBin."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from caseframe.evaluation.loaders import docbin, load_spans


def doc(text: str, *spans: tuple[int, int, str], key: str = "", article_id: str = "") -> Doc:
    """A Doc with spans of tokens, as entities or under a key."""
    made = spacy.blank("en")(text)
    found = [made[start:end] for start, end, _ in spans]
    for span, (_, _, label) in zip(found, spans, strict=True):
        span.label_ = label
    if key:
        made.spans[key] = found
    else:
        made.set_ents(found)
    if article_id:
        made.user_data["article_id"] = article_id
    return made


def saved(path: Path, *docs: Doc) -> Path:
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def test_entities_with_their_offsets(tmp_path: Path, covered: Any) -> None:
    path = saved(
        tmp_path / "toes.spacy", doc("A  big toe hurt.\n", (2, 4, "Body"), article_id="pmid:1"), doc("None here.")
    )
    corpus = load_spans("docbin", [path])
    assert [(d.article.article_id, d.article.text) for d in corpus.documents] == [
        ("pmid:1", "A  big toe hurt.\n"),
        ("toes.spacy#2", "None here."),
    ]
    assert covered(corpus) == [("Body", "big toe")]
    assert corpus.annotations == 1


def test_spans_under_a_key(tmp_path: Path, covered: Any, refused: Any) -> None:
    path = saved(tmp_path / "toes.spacy", doc("A big toe.", (1, 3, "Body"), (2, 3, "Part"), key="sc"), doc("None."))
    corpus = load_spans("docbin", [path], spans_key="sc")
    assert covered(corpus) == [("Body", "big toe"), ("Part", "toe")]
    assert corpus.notes == {docbin.WITHOUT_KEY: 1}
    assert load_spans("docbin", [path]).annotations == 0
    error = refused("docbin", path, spans_key="parts")
    assert str(path) in error.message and "The keys are: sc" in error.cure


def test_a_spans_key_is_for_docbin_alone(tmp_path: Path, refused: Any) -> None:
    assert "brat knows no spans key" in refused("brat", tmp_path, spans_key="sc").message


@pytest.mark.parametrize("content", [b"", b"toe", zlib.compress(b"toe"), zlib.compress(b"\x80")])
def test_what_is_no_docbin_is_named(tmp_path: Path, refused: Any, content: bytes) -> None:
    path = tmp_path / "toes.spacy"
    path.write_bytes(content)
    assert f"{path} is no DocBin" in refused("docbin", path).message


def test_what_expands_without_bound_is_refused(tmp_path: Path, refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docbin, "_MAX_BYTES", 1 << 16)
    path = tmp_path / "toes.spacy"
    path.write_bytes(zlib.compress(b"\0" * (1 << 20)))
    assert "it holds 65,536 bytes or more" in refused("docbin", path).message
