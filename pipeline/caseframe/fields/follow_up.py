"""follow_up: the longest time after treatment at which the patient's state is told; of a group its mean or median.

Every time after treatment is a candidate, the less sure the more longer ones there are. "Two years later … 18 months
after the second resection" is three and a half years after the first: where the story goes on from a time that it told
before, the sum is a candidate too. Which of them it is `confidence.py` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, section_of, spans_in, spans_of, treated_for
from caseframe.fields.study import study_of
from caseframe.schema import AttributeValue, Finding
from caseframe.stages.extensions import sentence_of, text_of
from caseframe.stages.narrative import is_general
from caseframe.stages.needles import search
from caseframe.stages.timeline import CHAINED, follow_up_times
from caseframe.stages.units import DAYS_A_YEAR

_SOURCE = "follow_up"
SUM = "follow_up.sum"
"""The source of a follow-up that no words tell, but two that follow one another."""
_SURE_OF_SUM = 0.4
_DAYS_A_MONTH = 30.4
# "Two years after the second operation" does not count from the first.
_AGAIN = re.compile(
    r"\b(?:after|following|since) (?:the |a |his |her )?(?:second|third|last|final|latest|repeat\w*|revision"
    r"|re-?operation|re-?resection|re-?excision|salvage)\b",
    re.IGNORECASE,
)
_AGAIN_CHARS = 40
# Shorter times tell of the course in hospital; nothing is added to them.
_LEAST_STEP_DAYS = 14
# What the sentence of a time tells: how the patient is, or what happened then.
_TELLS = tuple(
    (name, re.compile(rf"\b(?:{words})\b", re.IGNORECASE))
    for name, words in (
        ("state", r"is|are|remain\w*|continu\w*|has been|doing|alive|surviv\w*|well|asymptomatic|without|no|free"
                  r"|stable|maintain\w*|normal|able|healed|resolved|improved"),
        ("death", r"died|death|succumbed|passed away|expired"),
        ("discharge", r"discharged?"),
        ("visit", r"follow(?:ed|ing)?[- ]?up|visit\w*|examin\w*|evaluat\w*|CT|MRI|scans?|radiograph\w*|imaging|X-ray"),
        ("event", r"present(?:s|ed)|develop(?:s|ed)|admitted|readmitted|recurred|relapsed|underwent|complain\w*"
                  r"|noticed|returned"),
    )
)  # fmt: skip
_MONTHS = (0.5, 1, 3, 6, 12, 36, 120)
# How far from "follow-up" the mean or median of a group may stand, in tokens before and behind it.
_BEFORE, _BEHIND = 8, 4


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the candidates for `follow_up` of a Doc, in months."""
    if not len(doc) or study_of(doc).design == "other":
        return
    central = None if study_of(doc).told_singly else _of_group(doc)
    if central is not None:
        quantity = central._.quantity
        yield _finding(central, quantity.value, {"statistic": quantity.statistic}, _sure(quantity.value))
        return
    attributes: dict[str, AttributeValue] = {} if study_of(doc).told_singly else {"statistic": "maximum"}
    for times in _by_person(doc):
        told = [(time, time._.days) for time in times if time._.days > 0]
        for longer, (time, days) in enumerate(sorted(told, key=lambda pair: -pair[1])):
            yield _finding(time, days, attributes, _sure(days) / (1 + 0.25 * longer))
        for time, days, sure in _sums(told):
            yield _finding(time, days, attributes, sure, source=SUM)


def _sure(days: float) -> float:
    return min(0.9, 0.7 + days / 10_000)


def _of_group(doc: Doc) -> Span | None:
    """The mean or median follow-up of a group."""
    for span in spans_of(doc, "quantities", "DURATION"):
        if span._.quantity.statistic in ("mean", "median"):
            sentence = sentence_of(span)
            near = doc[max(sentence.start, span.start - _BEFORE) : min(sentence.end, span.end + _BEHIND)]
            if "follow" in near.text.lower() and span._.quantity.value is not None:
                return span
    return None


def _by_person(doc: Doc) -> Iterator[list[Span]]:
    """The times after treatment, those of one patient together, each in text order."""
    persons = study_of(doc).persons
    told = [(persons.of(time.start_char), time) for time in follow_up_times(doc) if not is_general(time)]
    told.sort(key=lambda pair: -1 if pair[0] is None else pair[0])
    for _, group in groupby(told, key=lambda pair: pair[0]):
        yield [time for _, time in group]


def _sums(told: list[tuple[Span, float]]) -> Iterator[tuple[Span, float, float]]:
    """The times that go on from the one told before, the days that both come to, and how sure that is.

    A time told again is the same one; a title's tells of the end, and how long a treatment took is no time after it.
    """
    reached, known = 0.0, {0.0}
    for time, days in told:
        if section_of(time) == "title" or treated_for(time) or days in known:
            continue
        known.add(days)
        again = _AGAIN.search(text_of(time.doc)[time.start_char : time.end_char + _AGAIN_CHARS]) is not None
        goes_on = again or time.kb_id_ == CHAINED or (days < reached and time.label_ == "after")
        if goes_on and min(days, reached) >= _LEAST_STEP_DAYS:
            days += reached
            yield time, days, _SURE_OF_SUM + 0.3 * again
        reached = max(reached, days)


def _finding(
    span: Span, days: float, attributes: dict[str, AttributeValue], confidence: float, source: str = _SOURCE
) -> Finding:
    return make_finding(
        span,
        "follow_up",
        months_of(days),
        unit="month",
        source=source,
        assertion="present",
        attributes=attributes,
        confidence=round(confidence, 2),
    )


def months_of(days: float) -> float:
    """Days as months: whole ones where the words surely meant whole ones, else with two decimals."""
    years = days / DAYS_A_YEAR
    months = 12 * years if years == int(years) else days / _DAYS_A_MONTH
    return round(months) if abs(months - round(months)) < 0.06 and months >= 1 else round(months, 2)


@lru_cache(maxsize=256)
def told_by(sentence: str) -> tuple[str, ...]:
    """What a sentence tells: `state`, `death`, `discharge`, `visit`, `event`."""
    return tuple(name for name, pattern in _TELLS if search(pattern, sentence))


def features(span: Span, finding: Finding, findings: Sequence[Finding]) -> Iterator[str]:
    """Names of features of a follow-up: how its time is told, what its sentence tells, which are longer or later."""
    label = next((time.label_ for time in spans_in(span.doc, "times") if time.start < span.end <= time.end), "none")
    others = [other for other in findings if _is_told(other) and other is not finding]
    longer = sum(float(other.value) > float(finding.value) for other in others)
    later = sum(other.start > finding.start for other in others)
    yield f"time={label}"
    yield f"longer={min(longer, 3)}"
    yield f"told later={min(later, 3)}"
    yield f"longer={min(longer, 1)}&told later={min(later, 1)}"
    yield f"time={label}&longer={min(longer, 1)}"
    yield f"time={label}&told later={min(later, 1)}"
    for name in told_by(finding.sentence):
        yield f"tells {name}&longer={min(longer, 1)}"
        yield f"tells {name}&told later={min(later, 1)}"
    yield f"months={sum(float(finding.value) >= bound for bound in _MONTHS)}"


def _is_told(finding: Finding) -> bool:
    return finding.field == "follow_up" and not finding.source.startswith(f"fields.{SUM}")
