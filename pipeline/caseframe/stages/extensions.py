"""What all stages share: `doc._.article`, the Article a Doc was made from, or None, and quick ways to its text and
sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from sys import intern
from typing import Any, TypeVar

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.lexicons.folding import Remembered
from caseframe.schema import Article
from caseframe.stages import packing  # noqa: F401  (so that what extensions hold can be packed)

T = TypeVar("T")
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


def set_on(span: Span, name: str, value: object) -> None:
    """The same as `span._.name = value`, which looks the name up each time, without a look at what it may be."""
    data: Any = span.doc.user_data
    data["._.", name, span.start_char, span.end_char] = value


WORDS = "caseframe.words"
LOWERS = "caseframe.lower_words"
_OFFSETS = "caseframe.offsets"
# Words by spaCy's hash of them: to make a Token for each place of a Doc, only to ask for its text, takes four times as
# long as to look the text up.
_KNOWN = Remembered[int, str](str)
_LOWER = Remembered[str, str](lambda word: intern(word.lower()))


def texts_of(doc: Doc) -> list[str]:
    """The text of every token, which our own tokenizer leaves on the Doc. Made once a Doc: not to be changed."""
    words: list[str] | None = doc.user_data.get(WORDS)
    if words is None or len(words) != len(doc):
        strings = doc.vocab.strings
        _KNOWN.make = lambda key: intern(strings[key])
        words = doc.user_data[WORDS] = list(map(_KNOWN.__getitem__, doc.to_array("ORTH").tolist()))
    return words


def lowers_of(doc: Doc) -> list[str]:
    """The same in lower case, as `token.lower_` gives it. Made once a Doc: not to be changed."""
    words: list[str] | None = doc.user_data.get(LOWERS)
    if words is None or len(words) != len(doc):
        words = doc.user_data[LOWERS] = [word if word.islower() else _LOWER[word] for word in texts_of(doc)]
    return words


def offsets_of(doc: Doc) -> list[int]:
    """Where every token begins in the text, and where the text ends. Made once a Doc: not to be changed."""
    offsets: list[int] | None = doc.user_data.get(_OFFSETS)
    if offsets is None:
        offsets = doc.user_data[_OFFSETS] = [*doc.to_array("IDX").tolist(), len(text_of(doc))]
    return offsets


def text_between(doc: Doc, start: int, end: int) -> str:
    """The text of some tokens, as `doc[start:end].text` gives it, which makes each of them anew."""
    if end <= start:
        return ""
    offsets = offsets_of(doc)
    return text_of(doc)[offsets[start] : offsets[end - 1] + len(texts_of(doc)[end - 1])]


def forget_notes(doc: Doc) -> None:
    """Takes away what the functions here noted on a Doc that is done."""
    for key in (_SENTENCES, _BOUNDS, _OFFSETS, WORDS, LOWERS):
        doc.user_data.pop(key, None)


def by_token(doc: Doc, stretches: Iterable[tuple[int, int, T]], elsewhere: T) -> list[T]:
    """What holds at each token, and behind the last: what the stretch (start, end, what holds there) over it says."""
    held = [elsewhere] * (len(doc) + 1)
    for start, end, what in stretches:
        held[start:end] = [what] * (end - start)
    return held


_SENTENCES = "caseframe.sentences_in_order"
_BOUNDS = "caseframe.sentence_bounds"


def bounds_of_sentences(doc: Doc) -> list[tuple[int, int]]:
    """The token bounds of the sentences of a Doc; all of it is one where no sentence was found. Not to be changed:
    where there are some they are found once.
    """
    bounds: list[tuple[int, int]] | None = doc.user_data.get(_SENTENCES)
    if bounds is None:
        begins = doc.to_array("SENT_START") == 1
        begins[:1] = True
        bounds = list(pairwise([*begins.nonzero()[0].tolist(), len(doc)]))
        if len(bounds) > 1:
            doc.user_data[_SENTENCES] = bounds
    return bounds


def forget_sentences(doc: Doc) -> None:
    """Takes away what was noted of the sentences of a Doc, which are set anew."""
    doc.user_data.pop(_SENTENCES, None)
    doc.user_data.pop(_BOUNDS, None)


def sentence_bounds(doc: Doc, place: int) -> tuple[int, int]:
    """Bounds, as tokens, of the sentence that holds a token.

    They are found once a Doc: ask only when the sentences are set for good. A Doc without sentences is one sentence.
    """
    bounds: list[tuple[int, int]] | None = doc.user_data.get(_BOUNDS)
    if bounds is None:
        bounds = doc.user_data[_BOUNDS] = _all_bounds(doc)
    return bounds[place]


def _all_bounds(doc: Doc) -> list[tuple[int, int]]:
    """For each token the bounds of its sentence; what lies behind the last token belongs to the last sentence."""
    sentences = bounds_of_sentences(doc) or [(0, 0)]
    bounds: list[tuple[int, int]] = []
    for start, end in sentences:
        bounds.extend([(start, end)] * (end - start))
    return [*bounds, sentences[-1]]


def sentence_of(span: Span) -> Span:
    """The sentence that holds the start of a span: the same as `span.sent`, which looks through the whole Doc on each
    call. See `sentence_bounds`.
    """
    return Span(span.doc, *sentence_bounds(span.doc, span.start))
