"""Field-level gold held against its texts."""

from __future__ import annotations

from pathlib import Path

from caseframe.errors import GoldError
from caseframe.evaluation.gold import GoldArticle, check_hash, read_gold, read_texts
from caseframe.evaluation.reading import place
from caseframe.evaluation.records import FieldCorpus
from caseframe.schema import Article


def load_fields(gold: Path, texts: Path) -> FieldCorpus:
    """The articles of a gold file with their texts, in the order of the gold.

    Raises GoldError, with file and line, for what is wrong with either file alone (see `read_gold`, `read_texts`), for
    gold without a text, a text without gold (silence would count as "nothing to be found"), a hash that is not that of
    the text, and words that the text does not have.
    """
    articles = {article.article_id: article for article in read_texts(texts)}
    annotated = {article.article_id: article for article in read_gold(gold)}
    for article_id, found in annotated.items():
        if article_id not in articles:
            raise GoldError(
                f"{place(found.origin)}: the article {article_id} has no text in {texts}",
                "Add its text, or take it out",
            )
        _check(found, articles[article_id])
    for article_id, article in articles.items():
        if article_id not in annotated:
            raise GoldError(
                f"{place(article.origin)}: the article {article_id} has no gold in {gold}",
                "Add its line, with empty `cases` if nothing is to be found, or take the text out",
            )
    return FieldCorpus(tuple(articles[article_id] for article_id in annotated), tuple(annotated.values()))


def _check(gold: GoldArticle, article: Article) -> None:
    check_hash(gold.text_sha256, article, place(gold.origin))
    for finding in gold.findings:
        if finding.text not in article.text:
            raise GoldError(
                f"{place(gold.origin)}, case {finding.case}: the text of {article.article_id} does not have the words "
                f"of {finding.field}, {finding.text!r}",
                "Give the words as they stand in the text, character by character",
            )
