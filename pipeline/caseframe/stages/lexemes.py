"""What spaCy works out of each word that it meets first, worked out sooner where the word is letters alone.

A new word costs spaCy two dozen functions, most of them in Python and letter by letter. The values are the same here:
`token.shape_`, `token.like_num` and all others stay as users of spaCy know them.
"""

from __future__ import annotations

from collections.abc import Callable

from spacy import attrs
from spacy.lang.en import lex_attrs as english
from spacy.lang.lex_attrs import LEX_ATTRS, word_shape
from spacy.vocab import Vocab

Getter = Callable[[str], object]

_LIKE_NUM: Getter = english.LEX_ATTRS[attrs.LIKE_NUM]
_NUMBERS = frozenset((*english._num_words, *english._ordinal_words))
# As far as spaCy looks at a run of like characters, and at a word at all.
_RUN = "xxxx"
_LONG = 100


def shape_of(word: str) -> str:
    """The same as spaCy's `word_shape`."""
    if word.isalpha() and word.islower() and len(word) < _LONG:
        return _RUN[: len(word)]
    return word_shape(word)


def _like_num(word: str) -> bool:
    return word.lower() in _NUMBERS if word.isalpha() else bool(_LIKE_NUM(word))


def _never_letters(otherwise: Getter) -> Getter:
    """For what holds for no word of letters alone."""
    return lambda word: not word.isalpha() and otherwise(word)


_QUICKER: dict[int, Getter] = {
    attrs.LOWER: str.lower,
    attrs.IS_ALPHA: str.isalpha,
    attrs.IS_DIGIT: str.isdigit,
    attrs.IS_LOWER: str.islower,
    attrs.IS_SPACE: str.isspace,
    attrs.IS_TITLE: str.istitle,
    attrs.IS_UPPER: str.isupper,
    attrs.IS_ASCII: str.isascii,
    attrs.SHAPE: shape_of,
    attrs.LIKE_NUM: _like_num,
    **{
        attribute: _never_letters(LEX_ATTRS[attribute])
        for attribute in (
            attrs.LIKE_EMAIL, attrs.LIKE_URL, attrs.IS_PUNCT, attrs.IS_BRACKET, attrs.IS_QUOTE, attrs.IS_LEFT_PUNCT,
            attrs.IS_RIGHT_PUNCT, attrs.IS_CURRENCY,
        )
    },
}  # fmt: skip


def quicken(vocab: Vocab) -> None:
    """Has a vocabulary work out its new words sooner, as far as it does so as spaCy does for English."""
    getters: dict[int, Getter] = vocab.lex_attr_getters  # type: ignore[attr-defined]
    known = {**LEX_ATTRS, **english.LEX_ATTRS}
    getters.update({each: quicker for each, quicker in _QUICKER.items() if getters.get(each) is known[each]})
