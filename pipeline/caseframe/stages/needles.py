"""Regular expressions that are searched only where a text has a word that any match must hold.

Where a pattern begins with a word boundary or a choice, `re` tries it at every character. To look for plain words is
many times quicker, and most patterns match nothing in most texts. What is found is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

_MOST = 40
"""More words than these take as long as the search itself."""
_SHORTEST = 3
# Letters that `re.IGNORECASE` takes for ASCII ones, and `str.lower` does not make so.
_ASCII = str.maketrans({"İ": "i", "ı": "i", "ſ": "s"})


def may_match(pattern: re.Pattern[str], text: str) -> bool:
    """Whether there is any use in a search: False where a pattern cannot match anything in a text."""
    # By identity, since a pattern's hash is that of its whole code; it is kept, so that no other one gets its id.
    known = _KNOWN.get(id(pattern))
    if known is None:
        known = _KNOWN[id(pattern)] = pattern, needles_of(pattern)
    needles = known[1]
    if not needles:
        return True
    lower = _lowered(text)
    return any(needle in lower for needle in needles)


def finditer(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """All matches, as `pattern.finditer` gives them."""
    return pattern.finditer(text) if may_match(pattern, text) else iter(())


_KNOWN: dict[int, tuple[re.Pattern[str], frozenset[str]]] = {}


@lru_cache(maxsize=256)
def _lowered(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_ASCII).lower()


def needles_of(pattern: re.Pattern[str]) -> frozenset[str]:
    """Words in lower case of which every match of a pattern holds one; none where there are none, or too many."""
    # The parser has no public door; the shape of what it gives has not changed since Python 2.
    return _of_sequence(import_module("re._parser").parse(pattern.pattern, pattern.flags)) or frozenset()


def _of_sequence(parts: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """What a part of a sequence asks for, of the part whose words are the least likely to stand in a text."""
    found: list[frozenset[str]] = []
    run = ""
    for kind, what in parts:
        if str(kind) == "LITERAL" and what < 128:
            run += chr(what).lower()
            continue
        found.append(frozenset((run,)))
        run = ""
        if (asked := _of_part(str(kind), what)) is not None:
            found.append(asked)
    found.append(frozenset((run,)))
    usable = [each for each in found if len(each) <= _MOST and min(map(len, each)) >= _SHORTEST]
    return min(usable, key=lambda each: (sum(4.0 ** -len(needle) for needle in each), len(each)), default=None)


def _of_part(kind: str, what: Any) -> frozenset[str] | None:
    if kind == "SUBPATTERN":
        return _of_sequence(what[-1])
    if kind == "ATOMIC_GROUP":
        return _of_sequence(what)
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and what[0] > 0:
        return _of_sequence(what[2])
    if kind == "BRANCH":
        branches = [_of_sequence(branch) for branch in what[1]]
        return None if None in branches else frozenset().union(*(each for each in branches if each))
    return None
