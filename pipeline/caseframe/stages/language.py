"""Whether a text reads as English; in abstracts of other languages the English stages find little."""

from __future__ import annotations

from spacy.tokens import Doc

from caseframe.stages.extensions import lowers_of

# The commonest function words of English prose; no other language of the literature uses several of them often.
_FUNCTION_WORDS = frozenset("the of and in a to with was is for by were that as on from at an this be are we".split())
_MIN_SHARE = 0.12
_MIN_WORDS = 15


def is_english(doc: Doc) -> bool:
    """Whether at least 12 % of the words are English function words.

    Texts under 15 words count as English, unless most of their words are of another script.
    """
    words = [word for word in lowers_of(doc) if word.isalpha()]
    if len(words) < _MIN_WORDS:
        return 2 * sum(map(str.isascii, words)) >= len(words)
    return sum(word in _FUNCTION_WORDS for word in words) / len(words) >= _MIN_SHARE
