"""Resection margins: R0, R1, wide, marginal, intralesional, negative ("margins were free of tumor"), positive.

Terms of the lexicon name most; sentences about margins ("the resection margins were tumor free") are read by what
stands near the word. A margin of a lesion on an image ("ill-defined margins") is none of a resection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc

from caseframe.fields.base import make_finding, spans_of, term_at
from caseframe.schema import Assertion, Finding
from caseframe.stages.extensions import text_of
from caseframe.stages.needles import finditer, search

SOURCE = "margins"
FIELD = "margin"

# A text that tells of a margin has one of these, or a degree.
_TOLD = ("margin", "resect", "excis", "border", "edge", "intralesional")
_DEGREE = re.compile(r"\bR[01]\b", re.IGNORECASE)
# Bare words of the lexicon's values, which say nothing of a margin by themselves.
_BARE = frozenset("wide marginal intralesional negative positive r0 r1".split())
_FREE = (
    r"(?:tumou?r|disease|cancer)[- ](?:free|negative)|free|clear|negative|uninvolved|not involved|clean|unremarkable|"
    r"without (?:residual )?(?:tumou?r|cancer|disease|involvement)|"
    r"no (?:residual )?(?:tumou?r|cancer|malignan\w+|neoplas\w+)(?: cells?)?"
)
_TAKEN = (
    r"(?:tumou?r[- ])?positive|involved|infiltrated|invaded|incomplete|inadequate|affected|not (?:free|clear|negative)"
)
_MARGIN = (
    r"(?:(?:surgical|resection|excision|resected|operative|specimen|deep|lateral|section|cut)[ -]+)*"
    r"(?:margins?|borders?|edges?)"
)
_VERB = r"(?:was|were|are|is|being|appeared|proved|showed|to be|had)"
_SAID_OF = re.compile(
    rf"\b(?P<words>{_MARGIN}(?: \w+){{0,5}}? {_VERB}(?: \w+){{0,3}}? (?:(?P<taken>{_TAKEN})|(?P<free>{_FREE})))\b", re.I
)
_IN_MARGIN = re.compile(
    r"\b(?P<words>(?:(?P<free>no|without(?: any)?|absence of) (?:\w+ ){0,4}?|(?P<taken>residual |remaining )?)"
    r"(?:tumou?r|cancer|malignant|neoplastic|carcinoma)(?: cells?| tissue)?(?: \w+){0,2}? (?:in|at|on|to) "
    rf"(?:the |all )?{_MARGIN})\b",
    re.I,
)
_FREE_MARGINS = re.compile(
    r"\b(?P<words>(?:(?P<taken>positive|involved)|(?P<free>negative|clear|free|tumou?r-free|clean|adequate))"
    r"(?: (?:grossly|macroscopic(?:ally)?|microscopic(?:ally)?|histologic(?:al(?:ly)?)?|free|surgical|resection|deep))*"
    r" margins?)\b",
    re.I,
)
_MEASURED = re.compile(
    r"\b(?P<words>(?:wide )?(?:local )?(?:resection|excision)s? with (?:an? )?(?:\d+(?:\.\d+)?[ -]?(?:mm|cm) )?"
    r"(?P<kind>wide|marginal|intralesional|negative|clear|free|positive)(?: surgical| resection)? margins?)\b",
    re.I,
)
_R = re.compile(r"\b(?P<words>R(?P<degree>[01])(?:[- ](?:resection|status|margins?|situation|excision))?)\b")
_R_SAID = re.compile(r"\b(?:resect|margin|excis|status|remov|surg)", re.I)
_KIND_OF_RESECTION = re.compile(
    r"\b(?P<words>(?P<kind>wide|marginal|intralesional|en bloc wide)(?: \w+){0,2}? "
    r"(?:resection|excision|margins?|surgery|curettage))\b",
    re.I,
)
_KINDS = {"clear": "negative", "free": "negative", "en bloc wide": "wide"}


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the resection margins that a Doc tells of."""
    found: list[tuple[int, int, str, float]] = []
    for start, end, value, confidence in _candidates(doc):
        if all(end <= a or start >= b for a, b, _, _ in found):
            found.append((start, end, value, confidence))
    for start, end, value, confidence in sorted(found):
        span = doc.char_span(start, end, alignment_mode="expand")
        if span is not None:
            # The denial is part of what makes a margin negative: the margin itself is told as present.
            assertion: Assertion | None = "present" if value in ("negative", "R0") else None
            yield make_finding(span, FIELD, value, source=SOURCE, assertion=assertion, confidence=confidence)


def _candidates(doc: Doc) -> Iterator[tuple[int, int, str, float]]:
    """Places and values, the surest first."""
    text = text_of(doc)
    lower = text.lower()
    if not any(word in lower for word in _TOLD) and search(_DEGREE, text) is None:
        return
    for pattern in (_IN_MARGIN, _SAID_OF, _FREE_MARGINS):
        for match in finditer(pattern, text):
            value = _negative_or_positive(match)
            if value:
                yield *match.span("words"), value, 0.85
    for match in finditer(_MEASURED, text):
        kind = match["kind"].lower()
        yield *match.span("words"), _KINDS.get(kind, kind), 0.85
    for span in spans_of(doc, "terms", FIELD):
        if span.text.lower() not in _BARE:
            yield span.start_char, span.end_char, term_at(span).preferred, 0.8
    for match in finditer(_KIND_OF_RESECTION, text):
        kind = match["kind"].lower()
        yield *match.span("words"), _KINDS.get(kind, kind), 0.7
    for match in finditer(_R, text):
        if match["words"] != f"R{match['degree']}" or _R_SAID.search(_around(text, match)):
            yield *match.span("words"), f"R{match['degree']}", 0.8


def _negative_or_positive(match: re.Match[str]) -> str:
    if match["free"]:
        return "negative"
    return "positive" if match["taken"] else ""


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 60) : match.end() + 60]
