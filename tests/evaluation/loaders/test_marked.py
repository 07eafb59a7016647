"""Marked text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caseframe.evaluation.gold import read_texts
from caseframe.evaluation.loaders import load_spans


def line(marked: object, article_id: object = "pmid:1") -> str:
    return json.dumps({"article_id": article_id, "marked": marked}) + "\n"


def test_marks_become_spans_of_the_text_without_them(folder: Any, covered: Any) -> None:
    marked = "A [[DEVICE|cork toe]]\n[[PERSON|Diver]] lost a [[ANATOMY|toe]]."
    corpus = load_spans("marked", [folder(a__jsonl=line(marked))])
    (document,) = corpus.documents
    assert (document.article.article_id, document.article.title) == ("pmid:1", "A cork toe")
    assert document.article.text == "A cork toe\nDiver lost a toe."
    assert covered(corpus) == [("DEVICE", "cork toe"), ("PERSON", "Diver"), ("ANATOMY", "toe")]


@pytest.mark.parametrize(
    ("marked", "text", "words"),
    [
        ("[[DRUG|[18F]]] was given", "[18F] was given", "[18F]"),
        ("[[DRUG|[18F]FDG]]", "[18F]FDG", "[18F]FDG"),
        ("see [[[DRUG|FDG]]]", "see [FDG]", "FDG"),
        ("[x] [[DRUG|FDG]] [y]", "[x] FDG [y]", "FDG"),
        ("[[TWO WORDS|FDG]]", "FDG", "FDG"),
    ],
)
def test_brackets_of_the_text(folder: Any, covered: Any, marked: str, text: str, words: str) -> None:
    corpus = load_spans("marked", [folder(a__jsonl=line(marked))])
    assert corpus.documents[0].article.text == text
    assert [found for _, found in covered(corpus)] == [words]


def test_a_mark_without_words_is_unaligned(folder: Any) -> None:
    corpus = load_spans("marked", [folder(a__jsonl=line("a [[X|]] toe"))])
    assert [lost.reason for lost in corpus.unaligned] == ["it covers no words"]


@pytest.mark.parametrize(
    "marked",
    [
        "a [[X|toe",
        "a [[X|big [[Y|toe]]]] hurt",
        "a [[X toe]] hurt",
        "a toe]] hurt",
        "a [[X|toe]] and ]]",
        "a [[|toe]]",
        None,
        3,
    ],
)
def test_a_broken_mark_is_named(folder: Any, refused: Any, marked: object) -> None:
    path = folder(a__jsonl="\n" + line(marked))
    assert refused("marked", path).message.startswith(f"{path}/a.jsonl, line 2: ")


@pytest.mark.parametrize("content", ["{\n", "[]\n", '{"marked": "a toe"}\n'])
def test_a_broken_line_is_named(folder: Any, refused: Any, content: str) -> None:
    assert "a.jsonl, line 1: " in refused("marked", folder(a__jsonl=content)).message


@pytest.mark.data
def test_genuine_marks_stand_in_the_texts(data_dir: Path) -> None:
    texts = {article.article_id: article for article in read_texts(data_dir / "casefields_train" / "texts.jsonl")}
    for name, documents, number in (("train", 252, 9618), ("dev", 36, 1327)):
        corpus = load_spans("marked", [data_dir / "casementions" / f"{name}.jsonl"])
        assert (len(corpus.documents), corpus.annotations, corpus.unaligned) == (documents, number, ())
        for document in corpus.documents:
            known = texts[document.article.article_id]
            assert (document.article.text, document.article.title) == (known.text, known.title)
