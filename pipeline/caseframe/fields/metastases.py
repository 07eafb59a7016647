"""metastasis: where a tumour has spread, or that it has (not) spread at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding
from caseframe.fields.phrases import phrase
from caseframe.schema import Finding
from caseframe.stages.extensions import sentence_of, text_of

_SOURCE = "metastases"
_HEAD = re.compile(
    r"\b(?:metastas[ie]s|metastatic|mets|metastasi[sz]ed|secondary deposits?|secondaries)\b", re.IGNORECASE
)
_TO = re.compile(
    r"\A(?: (?:tumou?r|disease|lesions?|deposits?|foci|spread|nodules?|involvement|mass(?:es)?|were|was|found"
    r"|detected|identified"
    r"|located|noted|seen|developed|present|appeared|observed|also|multiple))*,? (?:to|in|into|of|within|at"
    r"|involving|on) ",
    re.IGNORECASE,
)
_FROM = re.compile(r"\A(?: \w+)? (?:from|of) ", re.IGNORECASE)
_REACH_CHARS = 80
DISTANT = "distant metastasis"


def find(doc: Doc) -> Iterator[Finding]:
    """Yields one finding a site of spread, else `distant metastasis`."""
    sites = [span for span in doc.spans.get("terms", ()) if span.label_ == "site"]
    for match in _HEAD.finditer(text_of(doc)):
        head = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if head is None:
            continue
        named = _sites_before(doc, head, sites) or _sites_after(doc, head, sites)
        if not named:
            if head.text.lower() == "metastatic":
                # "metastatic melanoma" tells of spread, but less surely of whose.
                yield make_finding(head, "metastasis", DISTANT, source=_SOURCE, confidence=0.45)
            else:
                yield make_finding(head, "metastasis", DISTANT, source=_SOURCE, confidence=0.6)
        for site in named:
            words = doc[min(site.start, head.start) : max(site.end, head.end)]
            term = site._.term
            yield make_finding(words, "metastasis", term.preferred, source=_SOURCE, code=term.code, confidence=0.8)


def _sites_before(doc: Doc, head: Span, sites: list[Span]) -> list[Span]:
    """The sites in "lung and liver metastases", "pulmonary metastasis"."""
    full = phrase(doc, head.start, head.end)
    before = [site for site in sites if full.start <= site.start and site.end <= head.start]
    if before:
        first = before[0].start
        joined = doc[max(0, first - 2) : first]
        if len(joined) == 2 and joined[1].lower_ in ("and", ",", "or", "/"):
            before = [site for site in sites if site.end == first - 1] + before
    return before


def _sites_after(doc: Doc, head: Span, sites: list[Span]) -> list[Span]:
    """The sites in "metastases to the lung, liver and bone"."""
    end = min(sentence_of(head).end_char, head.end_char + _REACH_CHARS)
    match = _TO.match(text_of(doc)[head.end_char : end])
    if match is None:
        return []
    named: list[Span] = []
    position = head.end_char + match.end()
    for site in sites:
        if site.start_char < position or site.end_char > end:
            continue
        between = text_of(doc)[position : site.start_char]
        if re.fullmatch(
            r"(?:[,;/ ]|\b(?:and|the|both|his|her|left|right|bilateral|multiple|or|also|to|in|upper|lower)\b)*", between
        ):
            named.append(site)
            position = site.end_char
        else:
            break
    return named
