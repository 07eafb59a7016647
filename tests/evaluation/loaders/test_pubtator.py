"""PubTator."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.evaluation.loaders import load_spans
from caseframe.evaluation.loaders.alignment import COPIES, SECOND_COPY

TWO = """
101|t|A toe of cork
101|a|A diver lost a toe. It was replaced.
101\t2\t5\ttoe\tBody\tX1
101\t29\t32\ttoe\tBody\tX1|X2\ttoe|foot
101\tCID\tX1\tX2

102|t|
102|a|No title here
102\t4\t9\ttitle\tWord
"""


def test_title_and_abstract_one_character_apart(folder: Any, covered: Any) -> None:
    corpus = load_spans("pubtator", [folder(a__txt=TWO)])
    first, second = (document.article for document in corpus.documents)
    assert (first.article_id, first.title) == ("101", "A toe of cork")
    assert first.text == "A toe of cork\nA diver lost a toe. It was replaced."
    assert (second.article_id, second.text) == ("102", "\nNo title here")
    assert covered(corpus) == [("Body", "toe"), ("Body", "toe"), ("Word", "title")]
    assert (corpus.annotations, corpus.notes) == (3, {})


def test_blanks_at_the_ends_of_texts_are_kept(folder: Any, covered: Any) -> None:
    corpus = load_spans("pubtator", [folder(a__txt="1|t| A toe \n1|a| It hurt.\n1\t13\t17\thurt\tX\n")])
    assert corpus.documents[0].article.text == " A toe \n It hurt."
    assert covered(corpus) == [] and "reads 'urt.'" in corpus.unaligned[0].reason


def test_missing_blank_lines_and_windows_ends(folder: Any, covered: Any) -> None:
    text = TWO.replace("\n\n", "\n").replace("\n", "\r\n")
    assert covered(load_spans("pubtator", [folder(a__txt=text)])) == [
        ("Body", "toe"),
        ("Body", "toe"),
        ("Word", "title"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("101\t2\t5\ttoe", "is neither text nor annotation"),
        ("101\ttwo\t5", "is neither text nor annotation"),
        ("101\t2\tfive\ttoe\tBody", "is neither text nor annotation"),
        ("101\t2\t5\ttoe\t ", "is neither text nor annotation"),
        ("101\t2\t99999999999\ttoe\tBody", "is neither text nor annotation"),
        ("101 2 5 toe Body", "stands in the document 101"),
        ("102\t2\t5\ttoe\tBody", "stands in the document 101"),
        ("101|a|more text\n", "text comes after annotations"),
        ("\n101\t2\t5\ttoe\tBody", "no text comes before"),
    ],
)
def test_a_malformed_line_is_named(folder: Any, refused: Any, line: str, message: str) -> None:
    path = folder(a__txt=f"101|t|A toe\n101|a|It hurt.\n101\t2\t5\ttoe\tBody\n{line}\n")
    error = refused("pubtator", path)
    number = 5 if line.startswith("\n") else 4
    assert error.message.startswith(f"{path}/a.txt, line {number}: ")
    assert message in error.message
    assert "tab-separated" in error.cure


def test_a_document_that_stands_there_twice(folder: Any, accounted: Any, refused: Any) -> None:
    document = "7|t|A toe\n7|a|It hurt.\n7\t2\t5\ttoe\tBody\n\n"
    corpus = load_spans("pubtator", [folder(a__txt=document * 2)])
    assert (len(corpus.documents), corpus.notes) == (1, {COPIES: 1, SECOND_COPY: 1})
    assert accounted(corpus) == corpus.annotations == 2
    path = folder(a__txt=document, b__txt=document.replace("hurt", "healed"))
    assert refused("pubtator", path).message == (
        f"The document 7 stands there twice: {path}/a.txt, line 1, and {path}/b.txt, line 1"
    )


@given(
    title=st.text(st.sampled_from("ab ß"), max_size=10),
    abstract=st.text(st.sampled_from("ab ß"), max_size=20),
    spans=st.lists(st.tuples(st.integers(-3, 35), st.integers(-3, 35), st.booleans()), max_size=6),
)
def test_every_annotation_is_accounted_for(accounted: Any, title: str, abstract: str, spans: Any) -> None:
    text = f"{title}\nc{abstract}"
    lines = [f"7|t|{title}\n7|a|c{abstract}\n"]
    for start, end, right in spans:
        words = text[max(start, 0) : max(end, 0)].replace("\n", " ") if right else "toe"
        lines.append(f"7\t{start}\t{end}\t{words}\tBody\tX1\n")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "a.txt").write_text("".join(lines), encoding="utf-8", newline="")
        corpus = load_spans("pubtator", [Path(name)])
    assert corpus.documents[0].article.text == text
    assert corpus.annotations == len(spans) == accounted(corpus)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "documents", "annotations"),
    [
        ("ncbi_disease/train.pubtator.txt", 592, 5145),
        ("ncbi_disease/dev.pubtator.txt", 100, 787),
        ("bc5cdr/train.pubtator.txt", 500, 9385),
    ],
)
def test_genuine_corpora(data_dir: Path, accounted: Any, name: str, documents: int, annotations: int) -> None:
    corpus = load_spans("pubtator", [data_dir / "corpora" / name])
    assert (len(corpus.documents), corpus.annotations) == (documents, annotations)
    assert accounted(corpus) == annotations
    assert corpus.unaligned == ()
