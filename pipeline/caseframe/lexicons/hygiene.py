"""Which words of a terminology are no terms in a text: abbreviations, everyday words, names no author writes."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from spacy.lang.en.stop_words import STOP_WORDS

from caseframe.lexicons.entries import surface_parts

MIN_LETTERS = 3
MAX_CHARACTERS = 120
MAX_PARTS = 15
_UNSPECIFIED = re.compile(r",? (?:\(?NOS\)?|not otherwise specified|unspecified)\Z", re.IGNORECASE)


def cleaned(word: str) -> str:
    """A word without quotes around it and without `, NOS`; blanks are single."""
    plain = " ".join(word.split())
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "'\"":
        plain = plain[1:-1]
    return _UNSPECIFIED.sub("", plain)


def danger_of(word: str) -> str:
    """Why a word is not to be looked for in texts; empty where it is safe."""
    if len(word) > MAX_CHARACTERS or len(surface_parts(word)) > MAX_PARTS:
        return "too long"
    if sum(char.isalpha() for char in word) < MIN_LETTERS:
        return "too short"
    if len(word) == MIN_LETTERS and word.isupper():
        return "abbreviation of three letters"
    return "everyday word" if " ".join(surface_parts(word)) in _everyday() else ""


@cache
def _everyday() -> frozenset[str]:
    path = Path(str(files("caseframe.lexicons") / "rules" / "everyday.tsv"))
    rows = path.read_text(encoding="utf-8").splitlines()
    words = {row for row in rows if row and not row.startswith("#")} | STOP_WORDS
    return frozenset(" ".join(surface_parts(word)) for word in words)
