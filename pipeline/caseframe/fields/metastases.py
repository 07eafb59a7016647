"""metastasis: where a tumour has spread, or that it has (not) spread at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_of, term_at
from caseframe.fields.phrases import phrase
from caseframe.schema import Finding
from caseframe.stages.extensions import sentence_of, text_of
from caseframe.stages.narrative import is_general
from caseframe.stages.needles import finditer

_SOURCE = "metastases"
_HEAD = re.compile(
    r"\b(?:metastas[ie]s|metastatic|mets|metastasi[sz]ed|secondary deposits?|secondaries)\b", re.IGNORECASE
)
_TO = re.compile(
    r"\A(?: \([^()]{1,12}\))?(?:,? (?:tumou?r|disease|lesions?|deposits?|foci|spread|nodules?|involvement"
    r"|mass(?:es)?|were|was|found|detected|identified|located|noted|seen|developed|present|appeared|observed|also|multiple|especially"
    r"|mainly|predominantly|particularly))*"
    r",? (?:(?:to|in|into|of|within|at|involving|on) |(?:including|such as|namely):? )",
    re.IGNORECASE,
)
# "metastatic adenocarcinoma in the lymph nodes": with "of" after the tumour it would be the primary's organ.
_TUMOR_IN = re.compile(r"\A (?:[\w-]+ ){1,4}(?:to|in|into|within|involving) ")
_BETWEEN = re.compile(
    r"(?:[,;:/ ]|\b(?:and|the|both|his|her|left|right|bilateral|multiple|or|also|to|in|upper|lower|parts?|of|well"
    r"|as)\b)*",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[,;] ?(?:[\w-]+ ){0,2}[\w-]+,? ?(?:and |or )?(?:the )?", re.IGNORECASE)
_REACH_CHARS = 160
_LINK = re.compile(r",? ?(?:and|or)|/|,|and/or")
DISTANT = "distant metastasis"


def find(doc: Doc) -> Iterator[Finding]:
    """Yields one finding a site of spread; where none is named, `distant metastasis`."""
    sites = spans_of(doc, "terms", "site")
    unnamed: list[Finding] = []
    is_named = False
    for match in finditer(_HEAD, text_of(doc)):
        head = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if head is None:
            continue
        adjective = head.text.lower() == "metastatic"
        before, after = _sites_before(doc, head, sites), _sites_after(doc, head, sites)
        # "renal cancer metastatic to bone": what stands before is the origin.
        named = after or before if adjective else [*before, *after]
        if not named:
            # "metastatic melanoma" tells of spread, but less surely of whose.
            confidence = 0.45 if adjective else 0.6
            unnamed.append(make_finding(head, "metastasis", DISTANT, source=_SOURCE, confidence=confidence))
        for site in named:
            words = doc[min(site.start, head.start) : max(site.end, head.end)]
            term = term_at(site)
            finding = make_finding(words, "metastasis", term.preferred, source=_SOURCE, code=term.code, confidence=0.8)
            is_named = is_named or (finding.assertion == "present" and not is_general(words))
            yield finding
    yield from (finding for finding in unnamed if finding.assertion != "present" or not is_named)


def _sites_before(doc: Doc, head: Span, sites: list[Span]) -> list[Span]:
    """The sites in "lung and liver metastases", "bone, liver, and lung metastases", "pulmonary metastasis".

    None in "renal cell carcinoma metastases", where the organ is part of the primary's name, and of two that stand side
    by side ("colorectal liver metastasis") the latter.
    """
    full = phrase(doc, head.start, head.end)
    inside = [site for site in sites if full.start <= site.start and site.end <= head.start]
    if not inside or _names_a_tumor(doc, inside[-1]):
        return []
    before = [inside[-1]]
    for site in reversed(sites):
        if site.end > before[0].start:
            continue
        if not _LINK.fullmatch(doc[site.end : before[0].start].text.lower()) or _is_told_apart(doc, site):
            break
        before.insert(0, site)
    return before


def _names_a_tumor(doc: Doc, site: Span) -> bool:
    """Whether a site is part of a tumour's name: "renal" in "renal cell carcinoma", not in "renal metastasis"."""
    return any(
        span.start <= site.start < site.end < span.end and not _HEAD.search(span.text)
        for span in spans_of(doc, "terms", "diagnosis")
    )


def _is_told_apart(doc: Doc, site: Span) -> bool:
    """ "a tumor of the femur, lung and liver metastases": the femur is no item of the list."""
    return site.start > 0 and doc[site.start - 1].lower_ in ("the", "of", "his", "her", "in")


def _sites_after(doc: Doc, head: Span, sites: list[Span]) -> list[Span]:
    """The sites in "metastases to the lung, liver and bone"."""
    text = text_of(doc)
    end = min(sentence_of(head).end_char, head.end_char + _REACH_CHARS)
    match = _TO.match(text[head.end_char : end])
    if match is None and head.text.lower() == "metastatic":
        match = _TUMOR_IN.match(text[head.end_char : end])
    if match is None:
        return []
    named: list[Span] = []
    position = head.end_char + match.end()
    for site in sites:
        if site.start_char < position or site.end_char > end:
            continue
        between = text[position : site.start_char]
        # In a list that has begun an item may be no site of the lexicon: "in the lung, paraspinal muscles and liver".
        if not _BETWEEN.fullmatch(between) and not (named and _ITEM.fullmatch(between)):
            break
        named.append(site)
        position = site.end_char
    return named
