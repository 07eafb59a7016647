"""What hides in the running text of an abstract: section labels, and copyright lines that are no part of it."""

from __future__ import annotations

import re
from typing import Final

from caseframe.schema import fold_space

LABEL_WORDS: Final = frozenset(
    """
    abstract aim aims analysis application approach approaches assessment background case cases challenges comparison
    conclusion conclusions condition consideration considerations content context course data database databases design
    diagnosis diagnoses discussion disease duration endpoint endpoints ethics evaluation evidence examination
    experimental exposure exposures finding findings follow-up followup funding goal goals history hypothesis
    implication implications importance innovation intervention interventions interpretation introduction investigation
    investigations keypoints learning lessons level limitation limitations main management material materials measure
    measurements measures message method methodology methods motivation novelty objective objectives observation
    observations opinion outcome outcomes outlook overview participant participants patient patients perspective
    perspectives points population practice presentation principle problem procedure procedures prognosis purpose
    question questions rationale recommendation recommendations registration relevance report reports resolution result
    results review sample setting settings significance sources state statement strategy strengths study subject
    subjects summary symptom symptoms synthesis technique techniques theme therapeutic therapy topic treatment
    treatments trial uncertainty unlabelled unlabeled value variables
    """.split()
)
"""Words of which at least one stands in the labels of structured abstracts."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LINE_START: Final = r"(?:\A|(?<=[.!?)\]:;\"”'\n]\n))"
_SENTENCE_START: Final = rf"(?:{_LINE_START}|(?<=[.!?)\]] )|(?<=[.!?][\"”'] ))"
_CAPITALS: Final = re.compile(rf"{_SENTENCE_START}([A-Z][A-Z0-9&/,'’() \n-]{{2,90}}):(?=\s)")
_ANY_CASE: Final = re.compile(rf"{_LINE_START}([A-Z][A-Za-z&/,'’() -]{{2,60}}):(?=\s)")

_HOLDERS: Final = (
    r"Trust|Verlag|Society|Press|Elsevier|Wiley|Blackwell|Ltd|Limited|Inc|LLC|Associat|Foundation|Academy|College|"
    r"Springer|Karger|Thieme|Lippincott|Williams|Author|Publish|Group|Institute|University|Federation|Crown|reserved|"
    r"BMJ|IEEE|AlphaMed|Macmillan|Nature|Taylor|Sage|SAGE|Informa|Copyright"
)
_SIGN: Final = r"(?:\(c\)|\(C\)|©|Copyright)"
_COPYRIGHT: Final = re.compile(
    rf"(?:(?:Crown )?{_SIGN}[\s:,]*(?:\(c\)|\(C\)|©)?\s*(?:(?:19|20)\d\d|(?=[^.]{{0,120}}\b(?:{_HOLDERS})))"
    rf"|Published by (?=[^.]{{0,120}}\b(?:{_HOLDERS}))|All rights reserved|This article is protected by copyright"
    r"|(?:19|20)\d\d (?:©|\(c\)|Elsevier|Wiley|S\. Karger))"
)
_JOURNAL_LINE: Final = re.compile(
    r"(?<=[.!?)] )(?:(?:[A-Z][\w&-]*\.?|of|and|the|in|for|&|\([A-Z][\w ]{1,30}\)),? ){1,9}"
    r"(?:19|20)\d\d(?: [A-Z][a-z]{2}(?: \d{1,2})?)?"
    r"[;,] ?\d{1,4}(?: ?\([^)]{1,12}\))?: ?[A-Za-z]?\d+(?:[-–][A-Za-z]?\d+)?\.?$"
)
_TRUNCATED: Final = re.compile(r"\s*\(ABSTRACT TRUNCATED[^)]{0,40}\)$")
_TAIL: Final = 500
_NEW_SENTENCE: Final = re.compile(r"(?<=[.!?)]) (?=[A-Z(©\d])")
_LICENCE: Final = re.compile(
    r"©|\(c\) ?(?:19|20)\d\d|copyright|rights reserved|published by|permission|permissions|licen[cs]e|"
    r"(?:Verlag|Karger|Elsevier|Wiley|Springer|Blackwell|Lippincott)\b",
    re.IGNORECASE,
)


def is_copyright_line(text: str) -> bool:
    """Whether a paragraph of its own says nothing but whose the article is."""
    return len(text) < 600 and _LICENCE.search(text) is not None


def cut_copyright(text: str) -> str:
    """The abstract without the copyright notice and the journal's own citation at its end.

    >>> cut_copyright("It helped. Cancer 2015;121:2799-2807. (c) 2015 American Cancer Society.")
    'It helped.'
    """
    text = text.rstrip()
    while True:
        shorter = _cut_once(text)
        if shorter == text:
            return text
        text = shorter


def _cut_once(text: str) -> str:
    """One notice less, if the text ends with one."""
    start = max(0, len(text) - _TAIL)
    if truncated := _TRUNCATED.search(text, start):
        return text[: truncated.start()]
    if "." not in text[start:]:
        return text
    breaks = [match.end() for match in _NEW_SENTENCE.finditer(text, start)]
    for position in breaks:
        if _COPYRIGHT.match(text, position):
            return text[:position].rstrip()
    tail = max(0, len(text) - 160)
    if (line := _JOURNAL_LINE.search(text, tail)) and any(character.isdigit() for character in text[-12:]):
        return text[: line.start()].rstrip()
    return text


def _is_label(words: str, *, strict: bool) -> bool:
    """Whether these words can be a label; in a text that has labels, long headings of any words are too."""
    found = _WORD.findall(words)
    if len(found) == 1 and found[0] != words.strip():
        return False
    if any(word.casefold() in LABEL_WORDS for word in found):
        return len(found) <= 12
    return not strict and words.isupper() and (1 < len(found) <= 9 or (len(found) == 1 and len(found[0]) > 6))


def split_labels(text: str) -> list[tuple[str, str]]:
    r"""The parts of an abstract with their labels; one part without label if it has no two labels.

    A label is in capitals, ends with a colon and starts a sentence; at the start of a line it may be in small letters
    (`Methods:`), of words that labels are made of.

    >>> split_labels("AIM: To see. METHODS: We looked.")
    [('AIM', 'To see.'), ('METHODS', 'We looked.')]
    """
    if ":" not in text:
        return [("", text)]
    found = {match.start(1): match for match in _CAPITALS.finditer(text)}
    for match in _ANY_CASE.finditer(text):
        if _is_label(match[1], strict=True):
            found.setdefault(match.start(1), match)
    sure = [match for match in found.values() if _is_label(match[1], strict=True)]
    if len(sure) < 2:
        return [("", text)]
    opened = min(match.start(1) for match in sure) == 0
    labels = [found[key] for key in sorted(found) if _is_label(found[key][1], strict=not opened)]
    parts = [("", text[: labels[0].start(1)])]
    for label, following in zip(labels, [*labels[1:], None], strict=True):
        parts.append((fold_space(label[1]), text[label.end() : following.start(1) if following else None]))
    return [(label, part.strip()) for label, part in parts if part.strip()]
