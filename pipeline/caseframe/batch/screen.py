"""Screening: which articles are worth the costly stages, told from publication types and, without them, by a model."""

from __future__ import annotations

from caseframe.config import Screen
from caseframe.schema import Article
from caseframe.stages.screening import load

_CASE_REPORTS = "case reports"


def screened_out(article: Article, screen: Screen) -> str:
    """What takes the article for no case report, `types` or `model`; empty where it is to be extracted.

    The type Case Reports always keeps an article. `types` takes every other type as a no, and keeps what has no type.
    `model` takes the types for that only where an indexer was at work, which MeSH headings show: until then PubMed
    has nothing but the publisher's Journal Article. What no indexer saw is judged by title and abstract.
    """
    if screen == "none":
        return ""
    types = {kind.casefold() for kind in article.publication_types}
    if _CASE_REPORTS in types:
        return ""
    if types and (screen == "types" or article.mesh):
        return "types"
    if screen == "types" or load().keeps(article.title, article.abstract):
        return ""
    return "model"
