"""A Doc knows its article; its text and sentences are found quickly and are the same as spaCy's."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from caseframe.schema import Article
from caseframe.stages.extensions import by_token, make_doc, sentence_of, text_between, text_of


@pytest.fixture(scope="module")
def plain() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def test_a_doc_carries_its_article_and_its_offsets(plain: Language) -> None:
    article = Article.build(title="Chordoma", abstract=[("CASE", "A man had pain."), ("", "He\u00a0walked.")])
    doc = make_doc(plain, article)
    assert doc._.article is article
    assert doc.text == text_of(doc) == article.text
    for token in doc:
        assert article.text[token.idx : token.idx + len(token)] == token.text


def test_a_doc_of_plain_text_has_no_article(plain: Language) -> None:
    doc = plain("A man had pain.")
    assert doc._.article is None
    assert text_of(doc) == "A man had pain."


def test_sentence_of_a_span_is_that_of_its_start(plain: Language) -> None:
    doc = plain("A man had pain. He walked. Then he slept.")
    assert sentence_of(doc[5:6]).text == "He walked."
    assert sentence_of(doc[0:1]).text == "A man had pain."
    assert sentence_of(doc[3:7]).text == "A man had pain.", "a span over two sentences belongs to the first"
    assert sentence_of(doc[len(doc) - 1 :]).text == "Then he slept."


def test_a_doc_without_sentences_is_one() -> None:
    doc = spacy.blank("en")("A man had pain. He walked.")
    assert sentence_of(doc[5:6]).text == doc.text


@given(st.text("aB .\n!?", min_size=1))
def test_every_token_stands_in_the_sentence_that_spacy_gives(plain: Language, text: str) -> None:
    doc = plain(text)
    for token in doc:
        span = doc[token.i : token.i + 1]
        assert (sentence_of(span).start, sentence_of(span).end) == (span.sent.start, span.sent.end)


@given(st.text("aB .\n!?"), st.integers(0, 9), st.integers(0, 9))
def test_the_text_between_tokens_is_that_of_their_span(plain: Language, text: str, start: int, end: int) -> None:
    doc = plain(text)
    start, end = min(start, len(doc)), min(end, len(doc))
    assert text_between(doc, start, end) == (doc[start:end].text if start < end else "")


def test_what_holds_by_token(plain: Language) -> None:
    doc = plain("A man had pain.")
    assert by_token(doc, [(1, 3, "x"), (2, 4, "y")], "") == ["", "x", "y", "y", "", ""]


@given(st.text())
def test_any_article_text_keeps_its_offsets(plain: Language, text: str) -> None:
    article = Article("x", abstract=text)
    doc = make_doc(plain, article)
    assert doc.text == text_of(doc) == article.text
