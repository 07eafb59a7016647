"""How a sentence is told: its words as features, and the shapes by which a reader knows a patient's story.

What `caseframe_roles` and `caseframe_narrative` both read off a sentence; nothing here is fitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from spacy.tokens import Doc, Span

from caseframe.lexicons.folding import CACHED_WORDS
from caseframe.stages.extensions import lowers_of

Value = TypeVar("Value")

# Searched in the sentence in lower case.
_SHAPES = {
    name: re.compile("|".join(alternatives))
    for name, alternatives in {
        "age": (
            r"\d\s?-?\s?(?:years?|yrs?|months?|weeks?|days?)?[- ]?(?:old|aged?)\b",
            r"\bage[ds]? (?:of )?\d",
            r"\by/o\b",
        ),
        "we report": (
            r"\b(?:we|authors?|paper|article|report|study) (?:here(?:in|by)? |also )?"
            r"(?:report|describe|present|illustrate)(?:s|ed)?\b",
            r"\b(?:reported|described|presented)(?: here)?\.$",
        ),
        "the patient": (
            r"(?<=\w )(?:patients?|child|infant|boy|girl|man|woman|cases?) "
            r"(?:was|were|had|has|did|under\w+|present\w+|develop\w+|receiv\w+|recover\w+|remain\w+|complain\w+|"
            r"die\w+)\b",
        ),
        "time after": (
            r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)) ?-?"
            r"(?:hours?|days?|weeks?|months?|years?)\b",
            r"\bfollow-?up\b",
        ),
    }.items()
}
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
# A shape is searched only where one of these stands; to look for a word is much cheaper.
_NEEDS = {
    "age": ("old", "age", "y/o"),
    "we report": ("report", "descri", "present", "illustrat"),
    "the patient": ("patient", "child", "infant", "boy", "girl", "man", "case"),
    "time after": ("hour", "day", "week", "month", "year", "follow"),
}
# Any of these says that a patient is being told of.
PATIENT_TOLD = ("age", "the patient", "pronoun")


# Features of words in lower case.
_WORDS: dict[str, str] = {}
_MOST_WORDS = CACHED_WORDS


def words_of(doc: Doc) -> list[str]:
    """Each token as a feature: lower case, any number alike, empty for white space."""
    words = lowers_of(doc)
    try:
        return [_WORDS[word] for word in words]
    except KeyError:
        if len(_WORDS) > _MOST_WORDS:
            _WORDS.clear()
        _WORDS.update((word, "<num>" if any(map(str.isdigit, word)) else word.strip()) for word in words)
        return [_WORDS[word] for word in words]


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


def shapes_of(text: str, words: Sequence[str]) -> list[str]:
    """Names of the shapes of a sentence, given in lower case without white space at its end, and of its words."""
    return [*_shapes_in(text), *(name for name, listed in _WORD_SHAPES.items() if not listed.isdisjoint(words))]


@lru_cache(maxsize=4096)  # two components ask for the same sentence, each when it works on a batch of Docs
def _shapes_in(text: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, pattern in _SHAPES.items()
        if (name not in _NEEDS or any(word in text for word in _NEEDS[name])) and pattern.search(text)
    )


def bounds_of_sentences(doc: Doc) -> list[tuple[int, int]]:
    """The token bounds of the sentences of a Doc; all of it is one where no sentence was found."""
    begins = doc.to_array("SENT_START") == 1
    begins[:1] = True
    return list(pairwise([*begins.nonzero()[0].tolist(), len(doc)]))


def sentences_of(doc: Doc) -> list[Span]:
    """The sentences of a Doc; all of it where no sentence was found."""
    return [Span(doc, start, end) for start, end in bounds_of_sentences(doc)]


def kinds_of(doc: Doc, sentences: Sequence[Span]) -> list[str]:
    """The kind of section of each sentence (`sections.KINDS`); `text` where nothing tells."""
    sections = [(section.start, section.end, section.label_) for section in doc.spans.get("sections", ())]
    return [
        next((kind for start, end, kind in sections if start <= sent.start < end), "") or "text" for sent in sentences
    ]
