"""How the patient fared in the end: recurrence, vital_status, disease_status and follow_up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_in, title_end, treated_for
from caseframe.fields.study import study_of
from caseframe.schema import AttributeValue, Finding
from caseframe.stages.assertion import assertion_of
from caseframe.stages.extensions import sentence_of, text_of
from caseframe.stages.narrative import is_general
from caseframe.stages.timeline import follow_up_times, when_of
from caseframe.stages.units import DAYS_A_YEAR

_SOURCE = "status"
_DAYS_A_MONTH = 30.4
# A state told earlier than this is still the course of the operation, and says little about survival.
_LATER_DAYS = 28

_RECURRENCE = re.compile(
    r"\b(?:(?:local(?:ly)?|tumou?r|disease|locoregional)[- ])?(?:recurrences?|relapses?|recurred|relapsed"
    r"|re-?growth|restenosis)\b"
    r"|\blocally recurrent (?:tumou?r|disease)\b",
    re.IGNORECASE,
)
# "a case of local recurrence of …", "risk of recurrence": what the patient came with, or general talk.
_PRESENTING = re.compile(
    r"\b(?:presented with|case of|admitted (?:for|with)|referred (?:for|with)|history of|risk of|rate of"
    r"|rates? of|prevent(?:ing)?"
    r"|because of|treatment of|after|for|following) (?:an? |the |second |first |his |her )*$",
    re.IGNORECASE,
)
_DISEASE_FREE = re.compile(
    r"\b(?:(?:no|without)(?: any)?(?: clinical| radiolog\w+| radiograph\w+| imaging)?(?: or \w+)? (?:evidence"
    r"|signs?|indications?) of (?:the )?"
    r"(?:\w+ )?(?:disease|tumou?r|residual|recurren\w+|relapse|metasta\w+|malignancy)"
    r"|(?:disease|tumou?r|relapse|recurrence|cancer)[- ]free|free (?:of|from) (?:the |any )?(?:disease|tumou?r"
    r"|recurrence|relapse|cancer)"
    r"|complete remission|no evidence of disease)\b",
    re.IGNORECASE,
)
_WITH_DISEASE = re.compile(
    r"\balive with (?:\w+ )?(?:disease|tumou?r|metastas\w+)|\bliving with (?:the )?disease\b", re.IGNORECASE
)
_DEAD = re.compile(
    r"\b(?:died|did not survive|passed away|succumbed|deceased|expired|(?:his|her|patient'?s?|the) (?:death|demise)"
    r"|death (?:of|occurred|due|from|\d+|after|within|was|followed)|fatal outcome|led to (?:his |her "
    r"|the )?death|postmortem|autopsy)\b",
    re.IGNORECASE,
)
_OTHERS_DEAD = re.compile(
    r"\b(?:mother|father|brother|sister|husband|wife|donor|relative|sibling|uncle|parents?)\b", re.IGNORECASE
)
_BY_DISEASE = re.compile(
    r"\b(?:progress\w*|metasta\w+|recurren\w+|tumou?r|cancer|sarcoma|carcinoma|lymphoma|leuka?emia|melanoma|disease"
    r"|dissemination)\b",
    re.IGNORECASE,
)
_ALIVE = re.compile(
    r"\b(?:alive|survived|survives|surviving|is living|long-term surviv\w+|survival of)\b", re.IGNORECASE
)
_PERSON = re.compile(
    r"\b(?:the|our|this|first|second) (?:patient|child|boy|girl|infant|baby|man|woman|lady|gentleman|newborn|neonate)\b"
    r"|\b(?:he|she)\b|\bpatient (?:is|was|has|remain\w+|return\w+|report\w+)\b|\b(?:both"
    r"|all) (?:\w+ )?(?:patients|cases)\b"
    r"|\b(?:symptoms?|pain|function|vision|visual acuity|walk\w*|gait|asymptomatic|symptom-free|pain-free"
    r"|motion|strength"
    r"|remission|recurren\w+|relapse|well)\b",
    re.IGNORECASE,
)


def find(doc: Doc) -> Iterator[Finding]:
    """Yields recurrence, vital_status, disease_status and follow_up."""
    if not len(doc) or study_of(doc).design == "other":
        return
    tumor = any(
        span._.term.attributes.get("behavior") and assertion_of(span)[0] in ("present", "historical")
        for span in spans_in(doc, "terms")
        if span.label_ == "diagnosis"
    )
    recurrence = list(_recurrence(doc))
    yield from recurrence[-1:] if len(study_of(doc).persons.people) < 2 else recurrence
    dead = list(_dead(doc))
    yield from dead
    yield from _disease_status(doc, tumor, recurrence, dead)
    follow_up = [span for span in follow_up_times(doc) if not is_general(span)]
    if not dead or len(study_of(doc).persons.people) > 1:
        yield from _alive(doc, follow_up)
    yield from _follow_up(doc, follow_up)


def _matches(doc: Doc, pattern: re.Pattern[str]) -> Iterator[Span]:
    """Spans of a pattern in sentences about the patient."""
    for match in pattern.finditer(text_of(doc)):
        span = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if span is not None and not is_general(span):
            yield span


def _recurrence(doc: Doc) -> Iterator[Finding]:
    end_of_title = title_end(doc)
    for span in _matches(doc, _RECURRENCE):
        assertion, _ = assertion_of(span)
        before = text_of(doc)[sentence_of(span).start_char : span.start_char]
        if assertion not in ("present", "absent") or span.start < end_of_title:
            continue
        if assertion == "present" and _PRESENTING.search(before):
            continue
        when = _state_when(span) if assertion == "absent" else when_of(span)
        attributes: dict[str, AttributeValue] = {"when_days": when} if when is not None and when > 0 else {}
        yield make_finding(
            span,
            "recurrence",
            "local recurrence",
            source=_SOURCE,
            when_days=when,
            attributes=attributes,
            confidence=0.8,
        )


def _state_when(span: Span) -> float | None:
    """When a lasting state was last seen: the latest time that the sentence tells after it, else what governs it."""
    sentence = sentence_of(span)
    later = [time._.days for time in follow_up_times(span.doc) if span.end <= time.start < sentence.end]
    return max(later) if later else when_of(span)


def _dead(doc: Doc) -> Iterator[Finding]:
    for span in _matches(doc, _DEAD):
        assertion, _ = assertion_of(span)
        before = text_of(doc)[max(sentence_of(span).start_char, span.start_char - 40) : span.start_char]
        if assertion == "present" and not _OTHERS_DEAD.search(before):
            sure = 0.9 if re.search(r"died|passed|succumbed|expired|deceased", span.text, re.IGNORECASE) else 0.6
            yield make_finding(span, "vital_status", "dead", source=_SOURCE, assertion="present", confidence=sure)


def _disease_status(doc: Doc, tumor: bool, recurrence: list[Finding], dead: list[Finding]) -> Iterator[Finding]:
    if dead and tumor:
        for finding in dead:
            if _BY_DISEASE.search(finding.sentence):
                span = doc.char_span(finding.start, finding.end)
                if span is not None:
                    yield make_finding(
                        span, "disease_status", "died_of_disease", source=_SOURCE, assertion="present", confidence=0.6
                    )
        return
    for span in _matches(doc, _WITH_DISEASE):
        yield make_finding(span, "disease_status", "alive_with_disease", source=_SOURCE, assertion="present")
    if not tumor:
        return
    for span in _matches(doc, _DISEASE_FREE):
        yield make_finding(span, "disease_status", "no_evidence_of_disease", source=_SOURCE, assertion="present")
    for finding in recurrence[-1:]:
        span = doc.char_span(finding.start, finding.end)
        if finding.assertion == "absent" and span is not None:
            yield make_finding(
                span, "disease_status", "no_evidence_of_disease", source=_SOURCE, assertion="present", confidence=0.75
            )


def _alive(doc: Doc, follow_up: list[Span]) -> Iterator[Finding]:
    for span in _matches(doc, _ALIVE):
        if assertion_of(span)[0] == "present":
            yield make_finding(span, "vital_status", "alive", source=_SOURCE, assertion="present", confidence=0.9)
            return
    for time in reversed(follow_up):
        days = time._.days
        if treated_for(time):
            continue
        state = _PERSON.search(sentence_of(time).text)
        if days is not None and days >= _LATER_DAYS and state is not None:
            start = sentence_of(time).start_char + state.start()
            said = doc.char_span(start, start + len(state[0]), alignment_mode="expand") or time
            words = doc[min(said.start, time.start) : max(said.end, time.end)]
            yield make_finding(
                words, "vital_status", "alive", source=_SOURCE, assertion="present", when_days=days, confidence=0.7
            )
            return


def _follow_up(doc: Doc, times: list[Span]) -> Iterator[Finding]:
    """The longest time after treatment; for a cohort its mean or median, where it is told."""
    cohort = not study_of(doc).told_singly
    known = [(time, time._.days) for time in times if time._.days is not None and time._.days > 0]
    if cohort:
        for span in spans_in(doc, "quantities"):
            quantity = span._.quantity
            sentence = sentence_of(span)
            near = doc[max(sentence.start, span.start - 8) : min(sentence.end, span.end + 4)].text.lower()
            if span.label_ == "DURATION" and quantity.statistic in ("mean", "median") and "follow" in near:
                yield _months(span, quantity.value, {"statistic": quantity.statistic})
                return
    if len(study_of(doc).persons.people) > 1:
        for time, days in known:
            yield _months(time, days, {})
    elif known:
        time, days = max(known, key=lambda pair: pair[1])
        yield _months(time, days, {"statistic": "maximum"} if cohort else {})


def _months(span: Span, days: float, attributes: dict[str, AttributeValue]) -> Finding:
    years = days / DAYS_A_YEAR
    months = 12 * years if years == int(years) else days / _DAYS_A_MONTH
    value = round(months) if abs(months - round(months)) < 0.06 and months >= 1 else round(months, 2)
    return make_finding(
        span,
        "follow_up",
        value,
        unit="month",
        source=_SOURCE,
        assertion="present",
        attributes=attributes,
        confidence=min(0.9, 0.7 + days / 10_000),
    )
