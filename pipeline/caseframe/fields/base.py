"""What all field modules share: making a Finding from a span, with its sentence, section, assertion and time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from spacy.tokens import Doc, Span

from caseframe.lexicons import Term, surface_parts
from caseframe.lexicons.folding import CACHED_PHRASES, FOLDED
from caseframe.schema import NO_ATTRIBUTES, Assertion, Attributes, AttributeValue, Finding
from caseframe.stages.assertion import assertion_of
from caseframe.stages.extensions import by_token, sentence_bounds, text_of, texts_of
from caseframe.stages.terms import term_of
from caseframe.stages.timeline import time_of

VERSION = "0.1.0"
# What the field modules note on a Doc; `caseframe_cases` takes it away in the end.
_GROUPS = "caseframe.groups"
_ROWS = "caseframe.rows"
_LABELLED = "caseframe.labelled_groups"
_SECTIONS = "caseframe.sections_by_token"
_SENTENCES = "caseframe.sentences"
_ASSERTIONS = "caseframe.assertions"
_TIMES = "caseframe.governing_times"
_PLACES = "caseframe.places"
_FOLDED = "caseframe.folded"
# A denial further away than this is told apart from the words it denies.
_MAX_DENIAL_TOKENS = 12
_BEYOND_CHARS = 30
_TREATED_FOR = re.compile(r" of (?:[\w-]+ ){0,3}(?:\w*therapy|treatment|traction|antibiotics|dialysis|\w+ation)\b")
_PROPOSED = re.compile(
    r"[^.;,:]{0,25}?\b(?:was|were|had been|has been) (?:\w+ly )?"
    r"(?:planned|recommended|advised|offered|proposed|contemplated|considered|discussed)\b"
    r"(?!,? (?:and|then) (?:\w+ )?(?:performed|done|carried|administered|started|given|initiated|accepted|undertaken))",
    re.IGNORECASE,
)
_PROPOSED_CHARS = 90
_TIMELESS = frozenset(
    {"study_design", "n_patients", "age", "sex", "diagnosis", "site", "comorbidity", "implant", "therapy"}
)
# What happens to the patient after the treatment; only this is dated by other mentions of it.
RESULTS = frozenset({"outcome", "complication", "recurrence", "vital_status", "disease_status", "follow_up"})


def make_finding(
    span: Span,
    field: str,
    value: str | int | float,
    *,
    source: str,
    code: str = "",
    unit: str = "",
    assertion: Assertion | None = None,
    when_days: float | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
    confidence: float = 0.8,
) -> Finding:
    """A Finding over `span`; assertion and time come from the stages unless given.

    The words of an absent finding include the denial, as the schema has it.
    """
    label, cue = assertion_at(span)
    if assertion is None:
        assertion = label
    else:
        cue = cue if assertion == label else None
    words = _with_denial(span, cue) if assertion == "absent" and cue is not None else span
    doc = span.doc
    text, start, end = text_of(doc), words.start_char, words.end_char
    doc.user_data.setdefault(_PLACES, {})[start, end] = words
    return Finding(
        field=field,
        value=value,
        text=text[start:end],
        start=start,
        end=end,
        assertion=assertion,
        code=code,
        unit=unit,
        when_days=_when(span, field) if when_days is None else when_days,
        attributes=Attributes(attributes) if attributes else NO_ATTRIBUTES,
        confidence=confidence,
        source=f"fields.{source}/{VERSION}",
        sentence=sentence_text(span).strip(),
        section=section_of(span),
        cue=(cue.start_char, cue.end_char) if cue is not None else None,
    )


@lru_cache(maxsize=CACHED_PHRASES)
def parts_of(words: str) -> tuple[str, ...]:
    """The folded parts of some words, by which values are compared."""
    return tuple(surface_parts(words))


def span_of(doc: Doc, finding: Finding) -> Span | None:
    """The tokens that hold the words of a finding, found once; None where it lies outside the text."""
    known: dict[tuple[int, int], Span | None] = doc.user_data.setdefault(_PLACES, {})
    place = finding.start, finding.end
    if place not in known:
        known[place] = doc.char_span(*place, alignment_mode="expand")
    return known[place]


def was_only_proposed(span: Span) -> bool:
    """Whether the words after a treatment say that it was planned or offered, not that it was done or refused."""
    end = min(sentence_chars(span)[1], span.end_char + _PROPOSED_CHARS)
    told = _PROPOSED.match(text_of(span.doc)[span.end_char : end])
    return told is not None and assertion_at(span)[0] == "present"


def assertion_at(span: Span) -> tuple[Assertion, Span | None]:
    """The assertion of a span and its cue, as `stages.assertion.assertion_of` finds them; asked once a span."""
    known: dict[tuple[int, int], tuple[Assertion, Span | None]] = span.doc.user_data.setdefault(_ASSERTIONS, {})
    place = span.start, span.end
    told = known.get(place)
    if told is None:
        told = known[place] = assertion_of(span)
    return told


def _when(span: Span, field: str) -> float | None:
    """When something happened. What a patient has, and where, is of no time; a title's time is that of its result."""
    if field in _TIMELESS or (section_of(span) == "title" and field not in RESULTS):
        return None
    time = time_at(span)
    if time is None or (field == "procedure" and (treated_for(time) or _counts_from(time, span))):
        return None
    return time._.days  # type: ignore[no-any-return]


def time_at(span: Span) -> Span | None:
    """The time expression that governs a span, as `stages.timeline.time_of` finds it; asked once a span."""
    known: dict[tuple[int, int], Span | None] = span.doc.user_data.setdefault(_TIMES, {})
    place = span.start, span.end
    if place not in known:
        known[place] = time_of(span)
    return known[place]


def when_at(span: Span) -> float | None:
    """Days from the treatment for any span: those of the time expression that governs it, None if none does."""
    time = time_at(span)
    return None if time is None else time._.days


def _counts_from(time: Span, span: Span) -> bool:
    """Whether a time counts from the very thing ("5 months after enterectomy" is not when that was done)."""
    between = span.doc[time.end : span.start].text.lower() if time.end <= span.start else ""
    inside = time.start < span.end and span.start < time.end
    return inside or between.startswith(("after", "following", "since"))


def treated_for(time: Span) -> bool:
    """Whether a time tells how long a treatment took ("after 3 months of chemotherapy"), not how long ago one was."""
    return _TREATED_FOR.search(text_of(time.doc)[time.start_char : time.end_char + _BEYOND_CHARS]) is not None


def section_of(span: Span) -> str:
    """The kind of the section that holds a span: `title`, `background`, `case` …; empty where there is none."""
    return sections_by_token(span.doc)[span.start]


def sections_by_token(doc: Doc) -> list[str]:
    """The kind of the section of each token. Found once a Doc: not to be changed."""
    known: list[str] | None = doc.user_data.get(_SECTIONS)
    if known is None:
        rows = [(section.start, section.end, section.label_) for section in reversed(spans_in(doc, "sections"))]
        known = doc.user_data[_SECTIONS] = by_token(doc, rows, "")
    return known


def sentence_chars(span: Span) -> tuple[int, int]:
    """Bounds, as characters, of the sentence that holds the start of a span."""
    return _sentence(span)[:2]


def sentence_text(span: Span) -> str:
    """The text of the sentence that holds the start of a span."""
    return _sentence(span)[2]


def _sentence(span: Span) -> tuple[int, int, str]:
    """The bounds of that sentence, as characters, and its text."""
    doc = span.doc
    sentences: dict[tuple[int, int], tuple[int, int, str]] = doc.user_data.setdefault(_SENTENCES, {})
    bounds = sentence_bounds(doc, span.start)
    known = sentences.get(bounds)
    if known is None:
        whole = Span(doc, *bounds)
        start, end = whole.start_char, whole.end_char
        known = sentences[bounds] = start, end, text_of(doc)[start:end]
    return known


def spans_in(doc: Doc, group: str) -> list[Span]:
    """The spans of a group, made once a Doc, for a SpanGroup makes each anew whenever it is read: not to be changed."""
    groups: dict[str, list[Span]] = doc.user_data.setdefault(_GROUPS, {})
    if group not in groups:
        groups[group] = list(doc.spans.get(group, ()))
    return groups[group]


def rows_in(doc: Doc, group: str) -> list[tuple[int, int, str, Span]]:
    """Those spans with their token bounds and labels before them, which to ask a span for takes five times as long."""
    groups: dict[str, list[tuple[int, int, str, Span]]] = doc.user_data.setdefault(_ROWS, {})
    rows = groups.get(group)
    if rows is None:
        rows = groups[group] = [(span.start, span.end, span.label_, span) for span in spans_in(doc, group)]
    return rows


def term_at(span: Span) -> Term:
    """The term of a span of `doc.spans["terms"]`; to ask `span._.term` takes ten times as long."""
    term = term_of(span)
    assert term is not None, span
    return term


def title_end(doc: Doc) -> int:
    """Token behind the title; 0 where there is none."""
    return next((section.end for section in spans_in(doc, "sections") if section.label_ == "title"), 0)


def folded_words(doc: Doc) -> list[str]:
    """The folded form of every token, made once a Doc."""
    words: list[str] | None = doc.user_data.get(_FOLDED)
    if words is None:
        words = doc.user_data[_FOLDED] = list(map(FOLDED.__getitem__, texts_of(doc)))
    return words


def spans_of(doc: Doc, group: str, label: str) -> list[Span]:
    """The spans of a group that carry a label, in text order. Made once a Doc: not to be changed."""
    groups: dict[str, dict[str, list[Span]]] = doc.user_data.setdefault(_LABELLED, {})
    labelled = groups.get(group)
    if labelled is None:
        labelled = groups[group] = {}
        for _, _, own, span in rows_in(doc, group):
            labelled.setdefault(own, []).append(span)
    return labelled.get(label, [])


def _with_denial(span: Span, cue: Span) -> Span:
    start, end = min(span.start, cue.start), max(span.end, cue.end)
    return span.doc[start:end] if end - start - len(span) <= _MAX_DENIAL_TOKENS else span
