"""Titles as the publisher gives them, whatever the source put around them."""

from __future__ import annotations

import re
from typing import Final

from caseframe.schema import fold_space

_WORDS: Final = "al sp spp vs etc var nov Jr Sr Inc Ltd Co".split()
_ABBREVIATION: Final = re.compile(rf"(?:\.\.|\b(?:{'|'.join(_WORDS)})\.|\b\w(?:\.\w)+\.)$")
_ENDS: Final = ("..", *(f"{word}." for word in _WORDS))


def clean_title(text: str) -> str:
    """The title without the brackets of a translation and the final full stop that PubMed adds.

    >>> clean_title("[Tumor of the sacrum].")
    'Tumor of the sacrum'
    >>> clean_title("A reply to Smith et al.")
    'A reply to Smith et al.'
    """
    text = _without_stop(fold_space(text))
    if text.startswith("[") and text.endswith("]") and _closes_at_end(text):
        text = _without_stop(text[1:-1].strip())
    return text


def _without_stop(text: str) -> str:
    if not text.endswith("."):
        return text
    # The abbreviations are short, and a search from the start of a long title would take its time.
    if (text.endswith(_ENDS) or text[-3:-2] == ".") and _ABBREVIATION.search(text[-40:]):
        return text
    return text[:-1].rstrip()


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text is closed by its last character."""
    if text.find("[", 1) < 0:
        return text.find("]") == len(text) - 1
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return place == len(text) - 1
    return False
