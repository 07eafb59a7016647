"""How a sentence is told: its words as features, and the shapes by which a reader knows a patient's story.

What `caseframe_roles` and `caseframe_narrative` both read off a sentence; nothing here is fitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from sys import intern
from typing import TypeVar

from spacy.tokens import Doc, Span

from caseframe.lexicons.folding import Remembered
from caseframe.stages.extensions import bounds_of_sentences, by_token, lowers_of, offsets_of, text_of

Value = TypeVar("Value")

# Each is searched in the sentence in lower case, where one of the words before it stands: to look for those is cheaper.
_SHAPES = tuple(
    (name, tuple(needs.split()), re.compile(pattern))
    for name, needs, pattern in (
        ("age", "old aged", r"\d\s?-?\s?(?:years?|yrs?|months?|weeks?|days?)?[- ]?(?:old|aged?)\b"),
        ("age", "age", r"\bage[ds]? (?:of )?\d"),
        ("age", "y/o", r"\by/o\b"),
        (
            "we report",
            "report descri present illustrat",
            r"\b(?:we|authors?|paper|article|report|study) (?:here(?:in|by)? |also )?"
            r"(?:report|describe|present|illustrate)(?:s|ed)?\b",
        ),
        ("we report", "reported described presented", r"\b(?:reported|described|presented)(?: here)?\.$"),
        (
            "the patient",
            "patient child infant boy girl man case",
            r" (?<=\w )(?:patients?|child|infant|boy|girl|man|woman|cases?) "
            r"(?:was|were|had|has|did|under\w+|present\w+|develop\w+|receiv\w+|recover\w+|remain\w+|complain\w+|"
            r"die\w+)\b",
        ),
        (
            "time after",
            "hour day week month year",
            r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)) ?-?"
            r"(?:hours?|days?|weeks?|months?|years?)\b",
        ),
        ("time after", "follow", r"\bfollow-?up\b"),
    )
)
_WORD_SHAPES = {
    name: frozenset(words.split())
    for name, words in {
        "pronoun": "he she his her him",
        "past tense": "was were had did underwent showed revealed became felt came took led found",
        "present tense": "is are has have can may remain remains occur occurs include includes account accounts "
        "represent represents",
        "advice": "should must recommend suggest consider considered highlight highlights emphasize emphasizes "
        "emphasise emphasises awareness clinician clinicians surgeons physicians",
    }.items()
}
_SHAPED = frozenset().union(*_WORD_SHAPES.values())
# Any of these says that a patient is being told of.
PATIENT_TOLD = frozenset(("age", "the patient", "pronoun"))


_FEATURES = Remembered[str, str](lambda word: "<num>" if any(map(str.isdigit, word)) else intern(word.strip()))


def words_of(doc: Doc) -> list[str]:
    """Each token as a feature: lower case, any number alike, empty for white space."""
    return [word if word.isalpha() else _FEATURES[word] for word in lowers_of(doc)]


def pairs_of(words: Sequence[str]) -> Iterator[str]:
    """Each two neighbouring words as a feature."""
    return (f"{first} {second}" for first, second in pairwise(words))


def pairs_in(table: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
    """What a table of features holds for pairs of words: by the first, then by the second one."""
    pairs: dict[str, dict[str, Value]] = {
        feature.split(" ")[0]: {} for feature in table if feature.count(" ") == 1 and ":" not in feature
    }
    for feature, value in table.items():
        first, _, second = feature.partition(" ")
        if second and first in pairs:
            pairs[first][second] = value
    return pairs


def shapes_of(text: str, words: Sequence[str]) -> tuple[str, ...]:
    """Names of the shapes of a sentence, given in lower case without white space at its end, and of its words."""
    found = _SHAPED.intersection(words)
    return (*_shapes_in(text), *(name for name, listed in _WORD_SHAPES.items() if not listed.isdisjoint(found)))


def _shapes_in(text: str) -> dict[str, None]:
    found: dict[str, None] = {}
    for name, needs, pattern in _SHAPES:
        for word in needs:
            if word in text:
                if name not in found and pattern.search(text):
                    found[name] = None
                break
    return found


def sentences_of(doc: Doc) -> list[Span]:
    """The sentences of a Doc; all of it where no sentence was found."""
    return [Span(doc, start, end) for start, end in bounds_of_sentences(doc)]


Told = tuple[int, int, list[str], tuple[str, ...]]
"""A sentence: its token bounds, its words as features, its shapes."""
_TOLD = "caseframe.told_sentences"


def told_in(doc: Doc) -> list[Told]:
    """The sentences of a Doc, read once: not to be changed."""
    bounds = bounds_of_sentences(doc)
    known: list[Told] | None = doc.user_data.get(_TOLD)
    if known is None or [(start, end) for start, end, *_ in known] != bounds:
        known = doc.user_data[_TOLD] = list(_told(doc, bounds))
    return known


def _told(doc: Doc, bounds: Sequence[tuple[int, int]]) -> Iterator[Told]:
    text, offsets, words_of_doc = text_of(doc), offsets_of(doc), words_of(doc)
    for start, end in bounds:
        words = [word for word in words_of_doc[start:end] if word]
        yield start, end, words, shapes_of(text[offsets[start] : offsets[end]].rstrip().lower(), words)


def forget_told(doc: Doc) -> None:
    """Takes away what was read of the sentences of a Doc."""
    doc.user_data.pop(_TOLD, None)


def kinds_of(doc: Doc) -> list[str]:
    """The kind of section of each sentence of a Doc (`sections.KINDS`); `text` where nothing tells."""
    sections = [(section.start, section.end, section.label_ or "text") for section in doc.spans.get("sections", ())]
    kinds = by_token(doc, reversed(sections), "text")
    return [kinds[start] for start, _ in bounds_of_sentences(doc)]
