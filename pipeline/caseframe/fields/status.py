"""How the patient fared in the end: recurrence, vital_status and disease_status."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import (
    assertion_at,
    make_finding,
    sentence_chars,
    sentence_text,
    spans_in,
    spans_of,
    term_at,
    title_end,
    treated_for,
    when_at,
)
from caseframe.fields.follow_up import told_by
from caseframe.fields.study import study_of
from caseframe.schema import Assertion, AttributeValue, Finding
from caseframe.stages.extensions import sentence_bounds, text_of
from caseframe.stages.narrative import is_general
from caseframe.stages.needles import finditer
from caseframe.stages.timeline import follow_up_times

_SOURCE = "status"
# A state told earlier than this is still the course of the operation, and says little about survival.
_LATER_DAYS = 28

_RECURRENCE = re.compile(
    r"\b(?:(?:local(?:ly)?|tumou?r|disease|locoregional)[- ])?(?:recurrences?|relapses?|recurred|recur|relapsed"
    r"|re-?growth|restenosis)\b"
    r"|\b(?:locally )?recurrent (?:tumou?r|disease)\b|\bnot recurrent\b",
    re.IGNORECASE,
)
# "recurrence-free", "did not recur", "no signs of a relapse": denials beyond the reach of the assertion's cues.
_FREE = re.compile(r"[- ]free\b|\bnot\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|never|no (?:clues?|signs?|evidence)[^.;,]{0,30}) ?\Z", re.IGNORECASE)
_EXCLUDED = re.compile(r"(?: \w+){0,4}? (?:was|were) (?:\w+ )?(?:excluded|ruled out)\b", re.IGNORECASE)
_FEARED = re.compile(r"(?: \w+){0,4}? (?:was|were) (?:\w+ )?(?:feared|suspected|considered)\b", re.IGNORECASE)
# "a case of local recurrence of …", "risk of recurrence": what the patient came with, or general talk.
_PRESENTING = re.compile(
    r"\b(?:presented with|case of|admitted (?:for|with)|referred (?:for|with)|history of|risk of|rate of"
    r"|rates? of|prevent(?:ing)?|(?:assess|monitor|watch|screen)\w* for|surveillance for"
    r"|because of|treatment of|after|for|following) (?:an? |the |second |first |his |her )*$",
    re.IGNORECASE,
)
_DISEASE_FREE = re.compile(
    r"\b(?:(?:no|without)(?: any)?(?: clinical| radiolog\w+| radiograph\w+| imaging)?(?: or \w+)? (?:evidence"
    r"|signs?|indications?|clues?) (?:of|for|as to) (?:the )?"
    r"(?:\w+ )?(?:disease|tumou?r|residual|recurren\w+|relapse|metasta\w+|malignancy)"
    r"|(?:disease|tumou?r|relapse|recurrence|cancer)[- ]free|free (?:of|from) (?:the |any )?(?:disease|tumou?r"
    r"|recurrence|relapse|cancer)"
    r"|(?:complete|still in|remain\w* in) remission|no evidence of disease)\b",
    re.IGNORECASE,
)
# What a pathologist says of a piece of tissue is not how the patient is.
_OF_TISSUE = re.compile(
    r"\b(?:margins?|biops\w+|frozen|histo\w+|cytolog\w+|patholog\w+|intraoperative\w*|specimens?|nodes?)\b",
    re.IGNORECASE,
)
_WITH_DISEASE = re.compile(
    r"\balive with (?:\w+ )?(?:disease|tumou?r|metastas\w+)|\bliving with (?:the )?disease\b", re.IGNORECASE
)
_DISEASE_LEFT = re.compile(
    r"\b(?:partial (?:response|remission)|stable disease|residual (?:tumou?r|disease))\b", re.IGNORECASE
)
_DEAD = re.compile(
    r"\b(?:died|dying|did not survive|passed away|succumbed|deceased|expired|proved fatal"
    r"|(?:was|were) (?:\w+ )?fatal|(?:his|her|patient'?s?|the) (?:death|demise)"
    r"|death (?:of|occurred|due|from|\d+|after|within|was|followed)|fatal outcome|led to (?:his |her "
    r"|the )?death|postmortem|autopsy)\b",
    re.IGNORECASE,
)
_OTHERS_DEAD = re.compile(
    r"\b(?:mother|father|brother|sister|husband|wife|donor|relative|sibling|uncle|aunt|cousin|parents?|wives|siblings)\b",
    re.IGNORECASE,
)
# Of whom an adult's report tells besides the patient.
_CHILD = re.compile(
    r"\b(?:newborn|neonate|fetus|foetus|fetal|intrauterine|baby|babies|infants?|twins?|child|son|daughter|stillb\w+)\b",
    re.IGNORECASE,
)
_ADULT_YEARS = 14
_REACH_CHARS = 100
# "Two patients died", of a group: it is not the group that died.
_SOME = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|only|several|some|the other|patient who|\d+)\b",
    re.IGNORECASE,
)
_BY_DISEASE = re.compile(
    r"\b(?:progress\w*|metasta\w+|recurren\w+|tumou?r|cancer|sarcoma|carcinoma|lymphoma|leuka?emia|melanoma|disease"
    r"|dissemination)\b",
    re.IGNORECASE,
)
_ALIVE = re.compile(
    r"\b(?:alive|survived|survives|surviving|is living|long-term surviv\w+|survival of)\b", re.IGNORECASE
)
# "The flap survived".
_TISSUE_LIVES = re.compile(
    r"\b(?:flaps?|grafts?|implants?|replants?|organs?|tooth|teeth|limbs?|digits?|fingers?|toes?) (?:\w+ )?\Z",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:the|our|this|first|second|third|both|all|these) "
    r"(?:patients?|cases|child|boy|girl|infant|baby|man|woman|lady|gentleman|newborn|neonate)\b"
    r"|\b(?:he|she|his|her)\b|\bpatient (?:is|was|has|remain\w+|return\w+|report\w+)\b|\b(?:both"
    r"|all) (?:\w+ )?(?:patients|cases)\b"
    r"|\b(?:symptoms?|pain|function|vision|visual acuity|walk\w*|gait|asymptomatic|symptom-free|pain-free"
    r"|motion|strength"
    r"|remission|recurren\w+|relapse|well)\b",
    re.IGNORECASE,
)


def find(doc: Doc) -> Iterator[Finding]:
    """Yields recurrence, vital_status and disease_status."""
    if not len(doc) or study_of(doc).design == "other":
        return
    tumor = any(
        term_at(span).attributes.get("behavior") and assertion_at(span)[0] in ("present", "historical")
        for span in spans_of(doc, "terms", "diagnosis")
    )
    recurrence = list(_recurrence(doc))
    yield from recurrence[-1:] if len(study_of(doc).persons.people) < 2 else recurrence
    dead = list(_dead(doc))
    yield from dead
    yield from _disease_status(doc, tumor, recurrence, dead)
    follow_up = [span for span in spans_in(doc, "times") if _is_later(span) and not is_general(span)]
    if not dead or len(study_of(doc).persons.people) > 1:
        yield from _alive(doc, follow_up)


def _matches(doc: Doc, pattern: re.Pattern[str]) -> Iterator[Span]:
    """Spans of a pattern in sentences about the patient."""
    for match in finditer(pattern, text_of(doc)):
        span = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if span is not None and not is_general(span):
            yield span


def _recurrence(doc: Doc) -> Iterator[Finding]:
    end_of_title = title_end(doc)
    for span in _matches(doc, _RECURRENCE):
        assertion = _recurs(span)
        if assertion not in ("present", "absent") or span.start < end_of_title:
            continue
        when = _state_when(span) if assertion == "absent" else when_at(span)
        attributes: dict[str, AttributeValue] = {"when_days": when} if when is not None and when > 0 else {}
        yield make_finding(
            span,
            "recurrence",
            "local recurrence",
            source=_SOURCE,
            assertion=assertion,
            when_days=when,
            attributes=attributes,
            confidence=0.8,
        )


def _recurs(span: Span) -> Assertion | None:
    """Whether words for a recurrence tell of one that came or of one that did not; None where they tell of neither."""
    text, (first, last) = text_of(span.doc), sentence_chars(span)
    before, after = text[first : span.start_char], text[span.end_char : last]
    free = _FREE.search(text[span.start_char : span.end_char + len("-free")])
    if free or _DENIED.search(before) or _EXCLUDED.match(after):
        return "absent"
    assertion, _ = assertion_at(span)
    if _FEARED.match(after) or (assertion == "present" and _PRESENTING.search(before)):
        return None
    return assertion


def _state_when(span: Span) -> float | None:
    """When a lasting state was last seen: the latest time that the sentence tells after it, else what governs it."""
    end = sentence_bounds(span.doc, span.start)[1]
    later = [time._.days for time in follow_up_times(span.doc) if span.end <= time.start < end]
    return max(later) if later else when_at(span)


def _dead(doc: Doc) -> Iterator[Finding]:
    years = [person.years for person in study_of(doc).persons.people if person.years is not None]
    adult = bool(years) and min(years) > _ADULT_YEARS
    for span in _matches(doc, _DEAD):
        assertion, _ = assertion_at(span)
        before = text_of(doc)[max(sentence_chars(span)[0], span.start_char - _REACH_CHARS) : span.start_char]
        others = _OTHERS_DEAD.search(before) or _is_of_some(span) or (adult and _CHILD.search(sentence_text(span)))
        if assertion == "present" and not others:
            sure = 0.9 if re.search(r"died|passed|succumbed|expired|deceased", span.text, re.IGNORECASE) else 0.6
            yield make_finding(span, "vital_status", "dead", source=_SOURCE, assertion="present", confidence=sure)


def _is_of_some(span: Span) -> bool:
    """Whether a state is told of some patients of a group: "nine patients were disease-free, one had died"."""
    if study_of(span.doc).told_singly:
        return False
    return _SOME.search(text_of(span.doc)[sentence_chars(span)[0] : span.start_char]) is not None


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
    for span in _matches(doc, _DISEASE_LEFT):
        if assertion_at(span)[0] == "present" and not _OF_TISSUE.search(sentence_text(span)):
            yield make_finding(
                span, "disease_status", "alive_with_disease", source=_SOURCE, assertion="present", confidence=0.5
            )
    for span in _matches(doc, _DISEASE_FREE):
        if _OF_TISSUE.search(sentence_text(span)) or _is_of_some(span):
            continue
        yield make_finding(span, "disease_status", "no_evidence_of_disease", source=_SOURCE, assertion="present")
    for finding in recurrence[-1:]:
        span = doc.char_span(finding.start, finding.end)
        if finding.assertion == "absent" and span is not None:
            yield make_finding(
                span, "disease_status", "no_evidence_of_disease", source=_SOURCE, assertion="present", confidence=0.75
            )


def _alive(doc: Doc, follow_up: list[Span]) -> Iterator[Finding]:
    for span in _matches(doc, _ALIVE):
        before = text_of(doc)[max(sentence_chars(span)[0], span.start_char - 25) : span.start_char]
        if assertion_at(span)[0] == "present" and not _TISSUE_LIVES.search(before):
            yield make_finding(span, "vital_status", "alive", source=_SOURCE, assertion="present", confidence=0.9)
            return
    states = [each for each in map(_state_at, follow_up) if each is not None]
    for words, days, sure in sorted(states, key=lambda state: -state[2])[:1]:
        yield make_finding(
            words, "vital_status", "alive", source=_SOURCE, assertion="present", when_days=days, confidence=sure
        )


def _is_later(time: Span) -> bool:
    """Whether a time is one after treatment: with its days, or at least as a follow-up."""
    days = time._.days
    return time.label_ in ("follow_up", "after", "date") and (
        days >= 0 if days is not None else time.label_ == "follow_up"
    )


def _state_at(time: Span) -> tuple[Span, float | None, float] | None:
    """The words that tell of a person at a later time, the days, and how surely they tell that the person lives.

    "At the last follow-up" is later, whenever it was.
    """
    days = time._.days
    late = time.label_ == "follow_up" if days is None else days >= _LATER_DAYS
    sentence, begin = sentence_text(time), sentence_chars(time)[0]
    persons = list(finditer(_PERSON, sentence)) if late else []
    if not persons or treated_for(time):
        return None
    place = time.start_char - begin
    person = min(persons, key=lambda match: max(place - match.end(), match.start() - place))
    start = begin + person.start()
    said = time.doc.char_span(start, start + len(person[0]), alignment_mode="expand") or time
    told = told_by(sentence)
    sure = 0.5 + 0.2 * ("state" in told) + 0.1 * ("visit" in told) - 0.1 * ("event" in told)
    return time.doc[min(said.start, time.start) : max(said.end, time.end)], days, sure + time.start / 1e6
