"""The Doc extension that every stage shares: `doc._.article`, the Article a Doc was made from, or None."""

from __future__ import annotations

from spacy.language import Language
from spacy.tokens import Doc

from caseframe.schema import Article
from caseframe.stages import packing  # noqa: F401  (so that what extensions hold can be packed)

if not Doc.has_extension("article"):
    Doc.set_extension("article", default=None)


def make_doc(nlp: Language, article: Article) -> Doc:
    """Tokenizes an article; token offsets are offsets into `article.text`."""
    doc = nlp.make_doc(article.text)
    doc._.article = article
    return doc
