"""Regular expressions that are tried only where a text has the words that any match must hold.

Where a pattern begins with a word boundary or a choice, `re` tries it at every character. To look for plain words is
many times quicker, and most patterns match nothing in most texts. A pattern whose matches all begin with one of some
words is tried only where those stand; any other is searched where a word stands that every match holds. What is found
is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

_MOST = 40
"""More words than these take as long as the search itself."""
_FEW = 4
"""So few are looked for, too, where a pattern is tried at its heads."""
_SHORTEST = 3
# Letters that `re.IGNORECASE` takes for ASCII ones, and `str.lower` does not make so.
_ASCII = (("İ", "i"), ("ı", "i"), ("ſ", "s"))


# The beginnings of words are told apart by so many letters.
_LETTERS = 3
_EDGE = "\b"
_BEGUN = re.compile(rf"{_EDGE}+(0|[a-z_]\w\w|[a-z_]\w?(?=\W))")
_MOST_HEADS = 100
_MOST_REPEATS = 4
_REPEATS = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
# Digits are alike; what is no part of a word is a blank.
_PLAIN = str.maketrans({
    char: "0" if char.isdigit() else " " for char in map(chr, range(128)) if not (char.isalpha() or char == "_")
})  # fmt: skip


class _Asked(NamedTuple):
    """What any match of a pattern asks for; the pattern is kept, so that no other one gets its id."""

    pattern: re.Pattern[str]
    heads: frozenset[str]
    wanted: dict[str, str]
    """What a head looks like in the text of `_Words`."""
    needles: frozenset[str]
    few: tuple[str, ...]


class _Words(NamedTuple):
    """A text as words: a blank before each and behind the last, at the offset where the word begins in the text."""

    text: str
    heads: frozenset[str]
    places: dict[str, list[int]]
    """Where the words with a head stand, as far as a pattern has asked."""


# By identity, since a pattern's hash is that of its whole code.
_KNOWN: dict[int, _Asked] = {}


def _asked_by(pattern: re.Pattern[str]) -> _Asked:
    known = _KNOWN.get(id(pattern))
    if known is None:
        heads = heads_of(pattern)
        wanted = {head: f" {head}" if head == "0" or len(head) == _LETTERS else f" {head} " for head in heads}
        needles = needles_of(pattern)
        few = tuple(sorted(needles)) if len(needles) <= _FEW else ()
        known = _KNOWN[id(pattern)] = _Asked(pattern, heads, wanted, needles, few)
    return known


def may_match(pattern: re.Pattern[str], text: str) -> bool:
    """Whether there is any use in a search: False where a pattern cannot match anything in a text."""
    asked = _asked_by(pattern)
    if asked.heads:
        return not asked.heads.isdisjoint(_words(_lowered(text)).heads)
    if not asked.needles:
        return True
    lower = _lowered(text)
    return any(needle in lower for needle in asked.needles)


def heads_in(text: str) -> frozenset[str]:
    """How the words of a text begin: three letters in lower case, or a shorter word; `0` for a number."""
    return _words(_lowered(text)).heads


def finditer(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """All matches, as `pattern.finditer` gives them."""
    asked = _asked_by(pattern)
    if asked.heads:
        lower = _lowered(text)
        words = _words(lower)
        found = asked.heads & words.heads
        if not found or (asked.few and not any(needle in lower for needle in asked.few)):
            return iter(())
        return _begun_by(asked, found, text, words)
    return pattern.finditer(text) if may_match(pattern, text) else iter(())


def search(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first match, as `pattern.search` gives it."""
    return next(finditer(pattern, text), None)


def _begun_by(asked: _Asked, heads: Iterable[str], text: str, words: _Words) -> Iterator[re.Match[str]]:
    """The matches of a pattern that begin where a word begins with one of the heads."""
    match_at, places, known = asked.pattern.match, list[int](), words.places
    for head in heads:
        at = known.get(head)
        if at is None:
            at = known[head] = _places(asked.wanted[head], words.text)
        places += at
    places.sort()
    end = 0
    for place in places:
        if place >= end and (match := match_at(text, place)) is not None:
            yield match
            end = match.end()


def _places(wanted: str, words: str) -> list[int]:
    places = []
    place = words.find(wanted)
    while place >= 0:
        places.append(place)
        place = words.find(wanted, place + 1)
    return places


@lru_cache(maxsize=256)
def _words(lower: str) -> _Words:
    if not lower.isascii():
        for char in set(_NOT_ASCII.findall(lower)):
            lower = lower.replace(char, "0" if char.isdecimal() else "_" if char.isalnum() else " ")
    words = f" {lower.translate(_PLAIN)} "
    heads = {word[:_LETTERS] for word in words.split()}
    if " 0" in words:
        heads.add("0")
    return _Words(words, frozenset(heads), {})


@lru_cache(maxsize=256)
def _lowered(text: str) -> str:
    if not text.isascii():
        for letter, plain in _ASCII:
            text = text.replace(letter, plain)
    return text.lower()


def needles_of(pattern: re.Pattern[str]) -> frozenset[str]:
    """Words in lower case of which every match of a pattern holds one; none where there are none, or too many."""
    return _of_sequence(_parsed(pattern)) or frozenset()


def _parsed(pattern: re.Pattern[str]) -> Iterable[tuple[Any, Any]]:
    # The parser has no public door; the shape of what it gives has not changed since Python 2.
    return import_module("re._parser").parse(pattern.pattern, pattern.flags)  # type: ignore[no-any-return]


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
    if kind in _REPEATS and what[0] > 0:
        return _of_sequence(what[2])
    if kind == "BRANCH":
        branches = [_of_sequence(branch) for branch in what[1]]
        return None if None in branches else frozenset().union(*(each for each in branches if each))
    return None


def heads_of(pattern: re.Pattern[str]) -> frozenset[str]:
    """What the word begins with at which any match of a pattern begins: three letters in lower case, or a shorter word.

    A number is `0`. None where a match can begin with something else, or with too much.
    """
    begun = None if pattern.flags & re.ASCII else _extended({""}, _parsed(pattern))
    heads = [_BEGUN.match(each) for each in begun or ()]
    return frozenset(head[1] for head in heads if head) if all(heads) else frozenset()


def _extended(begun: set[str], parts: Iterable[tuple[Any, Any]]) -> set[str] | None:
    """The beginnings of matches, extended by the parts of a pattern until they tell the word; None where they cannot.

    In them `_EDGE` is where a word begins or ends.
    """
    for kind, what in parts:
        short = {each for each in begun if not _BEGUN.match(each)}
        if not short:
            break
        longer = _with_part(short, str(kind), what)
        if longer is None or len(longer) > _MOST_HEADS:
            return None
        begun = (begun - short) | longer
    return begun


def _with_part(begun: set[str], kind: str, what: Any) -> set[str] | None:
    if kind == "LITERAL":
        return _with_letters(begun, [what])
    if kind == "IN":
        return _with_letters(begun, _letters(what))
    if kind == "AT":
        return {each + _EDGE for each in begun} if str(what) == "AT_BOUNDARY" else begun
    if kind in ("ASSERT", "ASSERT_NOT"):
        return begun
    if kind == "SUBPATTERN":
        return None if what[1] & re.ASCII else _extended(begun, what[-1])
    if kind == "ATOMIC_GROUP":
        return _extended(begun, what)
    if kind == "BRANCH":
        branches = [_extended(begun, branch) for branch in what[1]]
        return None if None in branches else set().union(*(each for each in branches if each))
    return _repeated(begun, *what) if kind in _REPEATS else None


def _letters(items: Iterable[tuple[Any, Any]]) -> list[int]:
    """The characters of a set such as `[a-d]`, where one blank stands for all; none where it holds too many."""
    kinds = [str(what if str(kind) == "CATEGORY" else kind) for kind, what in items]
    if kinds[:2] == ["NEGATE", "CATEGORY_NOT_SPACE"]:
        return [ord(" ")]
    letters: list[int] = []
    for kind, what in items:
        if str(kind) == "LITERAL":
            letters.append(what)
        elif str(kind) == "RANGE":
            letters.extend(range(what[0], what[1] + 1))
        elif str(what) == "CATEGORY_DIGIT":
            letters.append(ord("0"))
        else:
            return []
    return letters


def _with_letters(begun: set[str], letters: Iterable[int]) -> set[str] | None:
    chars = {chr(letter).lower() for letter in letters}
    plain = {(char if char.isalnum() or char == "_" else " ").translate(_PLAIN) for char in chars}
    return {each + letter for each in begun for letter in plain} if plain and "".join(plain).isascii() else None


def _repeated(begun: set[str], least: int, most: int, parts: Iterable[tuple[Any, Any]]) -> set[str] | None:
    found: set[str] = set()
    for count in range(min(most, _MOST_REPEATS) + 1):
        if count >= least:
            found |= begun
        if all(map(_BEGUN.match, begun)):
            return found | begun
        if count == most:
            return found
        longer = _extended(begun, parts)
        if longer is None:
            return None
        begun = longer
    return None
