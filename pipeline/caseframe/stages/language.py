"""Whether a text reads as English; in abstracts of other languages the English stages find little."""

from __future__ import annotations

from spacy.strings import StringStore
from spacy.tokens import Doc

# The commonest function words of English prose; no other language of the literature uses several of them often.
_FUNCTION_WORDS = frozenset("the of and in a to with was is for by were that as on from at an this be are we".split())
_HASHES = frozenset(map(StringStore().add, _FUNCTION_WORDS))
_MIN_SHARE = 0.12
_MIN_WORDS = 15


def is_english(doc: Doc) -> bool:
    """Whether at least 12 % of the words are English function words.

    Texts under 15 words count as English, unless most of their words are of another script.
    """
    count = int(doc.to_array("IS_ALPHA").sum())
    if count < _MIN_WORDS:
        return 2 * sum(token.is_alpha and token.is_ascii for token in doc) >= count
    return sum(map(_HASHES.__contains__, doc.to_array("LOWER").tolist())) / count >= _MIN_SHARE
