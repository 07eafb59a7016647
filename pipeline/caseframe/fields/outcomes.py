"""outcome: how the patient did, by the lexicon and by the build of phrases (`courses.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import assertion_at, make_finding, sentence_chars, spans_of, term_at, when_at
from caseframe.fields.courses import courses
from caseframe.schema import Assertion, AttributeValue, Finding
from caseframe.stages.extensions import lowers_of, sentence_bounds, text_of

_SOURCE = "outcomes"
# Outcomes that say little without their object: "resolution", of what? The object is looked for in the words beside.
_BARE = frozenset(
    "resolution improvement regression normalization stabilization progression recovery relief healing shrinkage "
    "remission".split()
)
# "high resolution CT", "residual mass resection": words that make something else of an outcome's.
_NO_OUTCOME_AFTER = frozenset("high low spatial temporal image ultrahigh".split())
_NO_OUTCOME_BEFORE = frozenset(
    "resection excision removal chemotherapy radiotherapy surgery rate rates portion area surface region zone "
    "radiograph radiographs view views dome".split()
)
# "Posterolateral bone fusion was performed": what is done is no outcome.
_DONE = re.compile(
    r"(?: \S+){0,3}? (?:was|were) (?:also |then |subsequently )?(?:performed|conducted|carried out|attempted"
    r"|undertaken)\b"
)
_UNABLE = re.compile(
    r"\b(?:unable|inability|could not|cannot|can not|difficult\w*|not able|failed) (?:to |in |with )?\Z",
    re.IGNORECASE,
)
# "without problems of wound healing": what is denied is the trouble.
_TROUBLE = re.compile(
    r"\b(?:problems?|difficult\w+|complications?|delay\w*|disturbances?|loss|compromise|impairments?|deficits?)\b",
    re.IGNORECASE,
)
_QUALITY = (
    ("excellent", re.compile(r"\b(?:excellent|complete(?:ly)?|full(?:y)?|perfect|total(?:ly)?|dramatic(?:ally)?)\b",
                             re.I)),
    ("good", re.compile(r"\b(?:good|well|satisf\w+|favou?rable|successful(?:ly)?|significant(?:ly)?|uneventful(?:ly)?"
                        r"|remarkabl[ey]|marked(?:ly)?)\b", re.I)),
    ("fair", re.compile(r"\b(?:fair|moderate(?:ly)?|partial(?:ly)?|slight(?:ly)?|acceptable|mild(?:ly)?)\b", re.I)),
    ("poor", re.compile(r"\b(?:poor(?:ly)?|unsatisfactory|unfavou?rable|worse\w*|dismal)\b", re.I)),
)  # fmt: skip
_QUALITY_CHARS = 30
_BAD_NOUNS = frozenset({"deterioration", "progression", "worsening"})


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the outcomes of a Doc."""
    taken: list[tuple[int, int]] = []
    told = courses(doc)
    for span in spans_of(doc, "terms", "outcome"):
        if not _is_outcome(span):
            continue
        term = term_at(span)
        bare = term.preferred in _BARE
        if not (bare and any(each.span.start < span.end and span.start < each.span.end for each in told)):
            taken.append((span.start, span.end))
            present: Assertion | None = "present" if _denies_trouble(span) else None
            quality = str(term.attributes.get("quality", ""))
            yield _finding(span, term.preferred, quality, 0.7, present)
    for span, value, build, assertion in told:
        if all(span.end <= start or end <= span.start for start, end in taken):
            quality = "poor" if value.split()[-1] in _BAD_NOUNS else ""
            yield _finding(span, value, quality, 0.6, assertion, f"{_SOURCE}.{build}")


def _is_outcome(span: Span) -> bool:
    """Whether the words beside a term leave it an outcome; "unable to walk" is a symptom."""
    doc, words = span.doc, lowers_of(span.doc)
    first, last = sentence_bounds(doc, span.start)
    if len(span) == 1 and span.text.istitle() and span.start > first:
        return False  # the Union for International Cancer Control
    if span.start > first and words[span.start - 1] in _NO_OUTCOME_AFTER:
        return False
    if span.end < last and words[span.end] in _NO_OUTCOME_BEFORE:
        return False
    if _DONE.match(text_of(doc), span.end_char) is not None:
        return False
    before = text_of(doc)[max(sentence_chars(span)[0], span.start_char - _QUALITY_CHARS) : span.start_char]
    if span.text.lower() == "recovered" and before.endswith(("was ", "were ", "been ")):
        return False  # "isolates were recovered"
    return _UNABLE.search(before) is None


def _denies_trouble(span: Span) -> bool:
    """Whether a denial is part of the outcome ("no neurological deficit"), or denies only trouble with it."""
    label, cue = assertion_at(span)
    if label != "absent" or cue is None:
        return False
    return span.start <= cue.start < span.end or _TROUBLE.search(span.doc[cue.end : span.start].text) is not None


def _finding(
    span: Span, value: str, quality: str, confidence: float, assertion: Assertion | None = None, source: str = _SOURCE
) -> Finding:
    when = when_at(span)
    attributes: dict[str, AttributeValue] = {}
    if when is not None and when >= 0:
        attributes["when_days"] = when
    if quality := quality or _quality(span):
        attributes["quality"] = quality
    return make_finding(
        span, "outcome", value, source=source, assertion=assertion, attributes=attributes, confidence=confidence
    )


def _quality(span: Span) -> str:
    first, last = sentence_chars(span)
    begin = max(first, span.start_char - _QUALITY_CHARS)
    end = min(last, span.end_char + _QUALITY_CHARS // 2)
    around = text_of(span.doc)[begin:end]
    return next((quality for quality, pattern in _QUALITY if pattern.search(around)), "")
