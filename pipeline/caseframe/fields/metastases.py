"""metastasis: where a tumour has spread, or that it has (not) spread at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_in
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
_LAST_LINK = re.compile(r",? ?(?:and|or)|/")
DISTANT = "distant metastasis"


def find(doc: Doc) -> Iterator[Finding]:
    """Yields one finding a site of spread, else `distant metastasis`."""
    sites = [span for span in spans_in(doc, "terms") if span.label_ == "site"]
    for match in _HEAD.finditer(text_of(doc)):
        head = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if head is None:
            continue
        if head.text.lower() == "metastatic":  # "renal cancer metastatic to bone": what stands before is the origin
            named = _sites_after(doc, head, sites) or _sites_before(doc, head, sites)
        else:
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
    """The sites in "lung and liver metastases", "bone, liver, and lung metastases", "pulmonary metastasis".

    None in "renal cell carcinoma metastases", where the organ is part of the primary's name.
    """
    full = phrase(doc, head.start, head.end)
    before = [site for site in sites if full.start <= site.start and site.end <= head.start]
    if not before:
        return []
    if _names_a_tumor(doc, before[-1]):
        return []
    listed = False
    for site in reversed(sites):
        if site.end >= before[0].start:
            continue
        between = doc[site.end : before[0].start].text.lower()
        listed = listed or bool(_LAST_LINK.fullmatch(between))
        if not listed or (between != "," and not _LAST_LINK.fullmatch(between)) or _is_told_apart(doc, site):
            break
        before.insert(0, site)
    return before


def _names_a_tumor(doc: Doc, site: Span) -> bool:
    """Whether a site is part of a tumour's name: "renal" in "renal cell carcinoma", not in "renal metastasis"."""
    return any(
        span.label_ == "diagnosis" and span.start <= site.start < site.end < span.end and not _HEAD.search(span.text)
        for span in spans_in(doc, "terms")
    )


def _is_told_apart(doc: Doc, site: Span) -> bool:
    """ "a tumor of the femur, lung and liver metastases": the femur is no item of the list."""
    return site.start > 0 and doc[site.start - 1].lower_ in ("the", "of", "his", "her", "in")


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
