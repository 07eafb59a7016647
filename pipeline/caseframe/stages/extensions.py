"""What all stages share: `doc._.article`, the Article a Doc was made from, or None, and quick ways to its text and
sentences.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.schema import Article
from caseframe.stages import packing  # noqa: F401  (so that what extensions hold can be packed)

# Where spaCy keeps `doc._.article`; to ask for it there is much quicker.
_ARTICLE: Any = ("._.", "article", None, None)

if not Doc.has_extension("article"):
    Doc.set_extension("article", default=None)


def make_doc(nlp: Language, article: Article) -> Doc:
    """Tokenizes an article; token offsets are offsets into `article.text`."""
    doc = nlp.make_doc(article.text)
    doc._.article = article
    return doc


def text_of(doc: Doc) -> str:
    """The text of a Doc; `doc.text` puts it together from the tokens on each call."""
    article = doc.user_data.get(_ARTICLE)
    return article.text if isinstance(article, Article) else doc.text


# Words by spaCy's hash of them: to make a Token for each place of a Doc, only to ask for its text, takes four times as
# long as to look the text up.
_KNOWN: dict[int, str] = {}
_MOST_WORDS = 200_000


def texts_of(doc: Doc) -> list[str]:
    """The text of every token."""
    return _words(doc, "ORTH")


def lowers_of(doc: Doc) -> list[str]:
    """The text of every token in lower case, as `token.lower_` gives it."""
    return _words(doc, "LOWER")


def _words(doc: Doc, attribute: str) -> list[str]:
    keys = doc.to_array(attribute).tolist()
    try:
        return [_KNOWN[key] for key in keys]
    except KeyError:
        if len(_KNOWN) > _MOST_WORDS:
            _KNOWN.clear()
        strings = doc.vocab.strings
        _KNOWN.update((key, strings[key]) for key in keys if key not in _KNOWN)
        return [_KNOWN[key] for key in keys]


_STARTS = "caseframe.sentence_starts"


def sentence_of(span: Span) -> Span:
    """The sentence that holds the start of a span.

    The same as `span.sent`, which looks through the whole Doc on each call; here the bounds are found once a Doc. Call
    it only when the sentences are set for good. A Doc without sentences is one sentence.
    """
    doc = span.doc
    starts = doc.user_data.get(_STARTS)
    if starts is None:
        starts = [token.i for token in doc if token.is_sent_start or token.i == 0]
        doc.user_data[_STARTS] = starts
    position = bisect_right(starts, span.start) - 1
    end = starts[position + 1] if position + 1 < len(starts) else len(doc)
    return Span(doc, starts[position], end)
