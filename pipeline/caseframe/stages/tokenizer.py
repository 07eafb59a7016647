"""The biomedical tokenizer: scispaCy's rules, which keep `3D-printed`, `L3-S1` and `34-yr-old` whole.

The tokens are those of spaCy's `Tokenizer` with these rules. What stands between two blanks is always parted alike, so
each such piece is parted once a process; spaCy forgets within a memory zone, and applies its rules in Python.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from sys import intern
from types import SimpleNamespace

import spacy
from scispacy.custom_tokenizer import combined_rule_tokenizer
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
from spacy.util import registry

from caseframe.lexicons.folding import CACHED_WORDS
from caseframe.stages.extensions import LOWERS, WORDS
from caseframe.stages.lexemes import quicken

# When so many pieces are known they become the older ones, and take the place of those that were: the usual ones stay.
_KEPT_PIECES = CACHED_WORDS
_LONGEST_KEPT = 40
_MOST_PARTS = 12
_SPACES = [(*(False for _ in range(count - 1)), True) for count in range(_MOST_PARTS + 1)]
# No rule parts these otherwise, but for special cases: words and numbers, in brackets or not, and a stop.
_PLAIN = re.compile(
    r"(\(?)((?:[A-Za-z]+|\d+(?:\.\d+)?)(?:-[A-Za-z]+)*)(\)?)((?:[,;:]|(?:(?<=[a-z\d)])|(?<=[A-Z]{2}))\.)?)", re.ASCII
)

Parts = tuple[tuple[str, ...], tuple[bool, ...], tuple[str, ...]]
"""The tokens of a piece of text, whether a blank follows each (it does after the last one), and them in lower case."""


@contextmanager
def quiet_regexes() -> Iterator[None]:
    """Hides the warnings that Python gives on the sets in scispaCy's infixes: users can do nothing about them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Possible (nested set|set union)", FutureWarning)
        yield


class RememberingTokenizer(Tokenizer):  # type: ignore[misc]  # spaCy tells no types of it
    """A spaCy `Tokenizer` that remembers how it parted what stands between blanks."""

    _known: dict[str, Parts]
    _older: dict[str, Parts]

    def __call__(self, string: str) -> Doc:
        """Tokenizes a text; the same tokens as `Tokenizer` gives."""
        words: list[str] = []
        lowers: list[str] = []
        spaces: list[bool] = []
        if len(self._known) > _KEPT_PIECES:
            self._known, self._older = {}, self._known
        known = self._known
        for line in string.split("\n"):
            for piece in line.split(" "):
                parts = known.get(piece) or self._learn(piece)
                if parts is None:
                    return self._afresh(string)
                words += parts[0]
                spaces += parts[1]
                lowers += parts[2]
            spaces[-1] = False
            words.append("\n")
            lowers.append("\n")
            spaces.append(False)
        del words[-1], lowers[-1], spaces[-1]
        return Doc(self.vocab, words=words, spaces=spaces, user_data={WORDS: words, LOWERS: lowers})

    def _flush_cache(self) -> None:
        """Called by spaCy at first, and whenever a rule changes."""
        super()._flush_cache()
        self._known, self._older = {}, {}

    def _afresh(self, string: str) -> Doc:
        doc: Doc = super().__call__(string)
        return doc

    def _learn(self, piece: str) -> Parts | None:
        """Parts a piece; None where what it becomes may depend on the pieces beside it."""
        parts = self._older.get(piece)
        if parts is None:
            words = self._parted(piece)
            if words is None:
                return None
            # One object a word, so that wherever it is looked up it is found by its identity.
            words = tuple(map(intern, words))
            lowers = tuple(intern(word.lower()) for word in words)
            parts = words, _SPACES[len(words)], words if lowers == words else lowers
        if len(piece) <= _LONGEST_KEPT:
            self._known[piece] = parts
        return parts

    def _parted(self, piece: str) -> tuple[str, ...] | None:
        rules = self.rules
        if piece.isalpha() and piece.isascii() and piece not in rules:
            return (piece,)
        plain = _PLAIN.fullmatch(piece)
        if plain is not None:
            words = tuple(filter(None, plain.groups()))
            if not any(run in rules for run in _runs(words)):
                return words
        if piece.split() != [piece]:  # two blanks, or another one than these
            return None
        doc = self._afresh(piece)
        words = tuple(token.text for token in doc)
        # A special case may have a norm of its own, and one that spaCy puts together from tokens may reach further.
        if len(words) > _MOST_PARTS or any(token.norm != self.vocab[token.orth].norm for token in doc):
            return None
        return None if any(run in rules and self._may_join(run) for run in _runs(words)) else words

    def _may_join(self, special: str) -> bool:
        """Whether a special case is also looked for across tokens, and not an affix itself, as `'s` is."""
        suffix = self.find_suffix(special)
        return suffix != len(special) and bool(suffix or self.find_prefix(special) or self.find_infix(special))


def _runs(words: Sequence[str]) -> Iterator[str]:
    """All stretches of neighbouring words, each as one."""
    return ("".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))


@registry.tokenizers("caseframe.tokenizer.v1")
def create_tokenizer() -> Callable[[Language], Tokenizer]:
    """Registered for spaCy configs as `caseframe.tokenizer.v1`."""

    def make(nlp: Language) -> Tokenizer:
        quicken(nlp.vocab)
        # scispaCy's rules start from those of the language, of which it makes a tokenizer; a thousand special cases are
        # told to one alone, ours.
        defaults = nlp.Defaults
        language = SimpleNamespace(
            vocab=nlp.vocab,
            Defaults=SimpleNamespace(tokenizer_exceptions={}),
            tokenizer=SimpleNamespace(token_match=defaults.token_match),
        )
        with quiet_regexes():
            plain = combined_rule_tokenizer(language)
        return RememberingTokenizer(
            nlp.vocab,
            rules={**defaults.tokenizer_exceptions, **plain.rules},
            prefix_search=plain.prefix_search,
            suffix_search=plain.suffix_search,
            infix_finditer=plain.infix_finditer,
            token_match=plain.token_match,
            url_match=plain.url_match,
        )

    return make


def blank() -> Language:
    """An English pipeline with the tokenizer and no component."""
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "caseframe.tokenizer.v1"}}})
