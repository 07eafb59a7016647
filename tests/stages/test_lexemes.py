from __future__ import annotations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.attrs import LIKE_NUM  # type: ignore[import-not-found]
from spacy.lang.lex_attrs import word_shape
from spacy.vocab import Vocab

from caseframe.stages.lexemes import quicken, shape_of
from caseframe.stages.tokenizer import blank

OURS, SPACYS = blank().vocab, spacy.blank("en").vocab
WORDS = """patient Patient MRI pain ten Second twenty-first 3rd third 3,5 1/2 x ß É Ǆ ǅ ª ٣ ( ) ' " “ ” $ € % . ,
www.example.org example.com a@b.org http://x.y/z the The L3-S1 3D-printed ℃ _ – 漢字 Ω""".split()


def told(vocab: Vocab, word: str) -> dict[str, object]:
    lexeme = vocab[word]
    names = [name for name in dir(lexeme) if name.startswith(("is_", "like_")) or name.endswith("_")]
    return {name: getattr(lexeme, name) for name in names if not name.startswith("_")}


@pytest.mark.parametrize("word", [*WORDS, "a" * 99, "a" * 100, "\n", " "])
def test_words_are_told_as_spacy_tells_them(word: str) -> None:
    assert told(OURS, word) == told(SPACYS, word)


@given(st.text(min_size=1, max_size=12).filter(str.isprintable))
def test_any_word_is_told_as_spacy_tells_it(word: str) -> None:
    assert told(OURS, word) == told(SPACYS, word)
    assert shape_of(word) == word_shape(word)


def test_another_language_keeps_its_numbers() -> None:
    vocab = spacy.blank("de").vocab
    before = dict(vocab.lex_attr_getters)
    quicken(vocab)
    assert vocab.lex_attr_getters[LIKE_NUM] is before[LIKE_NUM]
