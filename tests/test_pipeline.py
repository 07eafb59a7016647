"""Articles through the pipeline in batches: in order, each as it would be alone, and a bad one costs only itself."""

from collections.abc import Iterator

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from caseframe import pipeline
from caseframe.pipeline import extract_all, extract_article, load
from caseframe.schema import Article, Extraction, Failure, Origin

CASES = (
    "A {}-year-old man had a chordoma of the sacrum. En bloc sacrectomy was done. He walked after {} weeks.",
    "A {}-year-old woman presented with a wrist fracture. MRI was normal. No pain remained after {} months.",
)


def articles(count: int) -> list[Article]:
    return [
        Article(f"pmid:{n}", title=f"Case {n}", abstract=" ".join([CASES[n % 2].format(20 + n, n + 1)] * (n % 3 + 1)))
        for n in range(count)
    ]


def results(*given: Article | Failure, words: int = 10_000) -> list[Extraction | Failure]:
    found = extract_all(load(), given, batch_words=words)
    return [result if isinstance(result, Failure) else result[1] for result in found]


@pytest.mark.parametrize("words", [0, 40, 10_000])
def test_each_is_as_it_would_be_alone(words: int) -> None:
    given = articles(7)
    found = results(*given, words=words)
    assert found == [extract_article(article) for article in given]
    assert all(isinstance(each, Extraction) and each.cases for each in found)


def test_a_bad_article_fails_alone_and_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    good = articles(4)
    bad = Article("pmid:bad", abstract="word " * 200, origin=Origin("a.xml", 9))
    unread = Failure(Origin("a.xml", 3), "read", "XMLSyntaxError", "broken", "Mend it")
    wanted = results(*good)
    monkeypatch.setattr(pipeline, "MAX_TEXT_CHARS", 600)
    found = results(good[0], good[1], bad, unread, good[2], good[3])
    failure = found.pop(2)
    assert isinstance(failure, Failure) and found.pop(2) is unread and found == wanted
    assert (failure.stage, failure.article_id, failure.origin) == ("process", "pmid:bad", bad.origin)
    assert "1,000 characters, more than 600" in failure.message and failure.cure


def test_a_component_that_breaks_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    finder = load().get_pipe("caseframe_entities")
    find_all = finder.find_all

    def fails(docs: list[Doc]) -> list[list[object]]:
        if any("Case 2" in doc.text for doc in docs):
            raise RuntimeError("no entity today")
        return find_all(docs)

    wanted = results(*articles(5))
    monkeypatch.setattr(finder, "find_all", fails)
    found = results(*articles(5))
    failed = found[2]
    assert isinstance(failed, Failure) and "no entity today" in failed.message and failed.article_id == "pmid:2"
    assert found[:2] + found[3:] == wanted[:2] + wanted[3:]


def test_articles_stream() -> None:
    read = 0

    def endless() -> Iterator[Article]:
        nonlocal read
        for article in articles(1) * 1000:
            read += 1
            yield article

    assert next(extract_all(load(), endless(), batch_words=60))
    assert read < 10


def test_docs_of_other_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = Language()
    (result,) = extract_all(nlp, articles(1))
    assert isinstance(result, Failure) and "caseframe_cases" in result.message
