"""Splits that share articles: a score on what a system was fitted on says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from caseframe.errors import GoldError
from caseframe.evaluation.reading import place
from caseframe.evaluation.records import FieldCorpus, SpanCorpus
from caseframe.schema import Article

MIN_CHARS: Final = 200
"""Texts shorter than this are compared by id alone: single sentences are the same in many articles."""


def refuse_shared(corpora: Mapping[str, FieldCorpus | SpanCorpus]) -> None:
    """Raises GoldError where two of the corpora, given by name, have an article of the same id or of the same text."""
    seen: dict[str, tuple[str, Article]] = {}
    for name, corpus in corpora.items():
        for article in corpus.articles:
            for key in _keys(article):
                other, first = seen.setdefault(key, (name, article))
                if other != name:
                    raise _shared(other, first, name, article)


def _keys(article: Article) -> Iterator[str]:
    yield f"id {article.article_id}"
    if len(article.text) >= MIN_CHARS:
        yield f"text {article.sha256}"


def _shared(name: str, first: Article, other: str, second: Article) -> GoldError:
    same = "the article" if first.article_id == second.article_id else "the text of"
    ids = " and ".join(dict.fromkeys((first.article_id, second.article_id)))
    return GoldError(
        f"{name} and {other} share {same} {ids}: {place(first.origin)}, and {place(second.origin)}",
        "Take it out of one of the two; if its id is only a number in its file, give the files names of their own",
    )
