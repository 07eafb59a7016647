"""What the tests of the fields share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.pipeline import assemble_stages, extract_article
from caseframe.schema import Article, Extraction
from caseframe.stages.entities import SPANS

Extract = Callable[..., Extraction]
Mark = Callable[..., Doc]


@pytest.fixture(scope="session")
def extract(nlp: Language) -> Extract:
    """Extracts from an abstract, with its title where given, and checks that every finding has its words."""

    def extract(abstract: str, title: str = "", **rest: object) -> Extraction:
        article = Article.build(title=title, abstract=[("", abstract)], pmid="1", **rest)  # type: ignore[arg-type]
        extraction = extract_article(article, nlp)
        for _, finding in extraction:
            assert article.text[finding.start : finding.end] == finding.text != ""
        return extraction

    return extract


@pytest.fixture(scope="session")
def stages() -> Language:
    """The language stages without the fields."""
    return assemble_stages()


@pytest.fixture(scope="session")
def marked(stages: Language) -> Mark:
    """Makes the Doc of a text after the stages, with entities given by their words, type and probability."""

    def marked(text: str, *entities: tuple[str, str, float | None]) -> Doc:
        doc = stages(text)
        spans = []
        for words, label, confidence in entities:
            start = text.index(words)
            span = doc.char_span(start, start + len(words), label=label)
            assert span is not None
            span._.confidence = confidence
            spans.append(span)
        doc.spans[SPANS] = spans
        return doc

    return marked
