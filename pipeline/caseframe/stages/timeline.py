"""Timeline: when things happened, in days from the index operation or treatment.

Writes `doc.spans["times"]`: time expressions, `span._.days` the days (negative is before the treatment, None where the words
do not say), `label_` one of

`after`      a time after treatment ("2 weeks postoperatively", "at 6 months", "three months later")
`follow_up`  a time after treatment at which the patient was seen ("at 1-year follow-up", "followed for 24 months")
`before`     a time before it ("two years earlier", "3 days before admission")
`history`    how long something had lasted at presentation ("a 3-month history of")
`duration`   how long something lasted, with no place on the line ("for 6 weeks")
`date`       a calendar date; days only where the date of the treatment is told too

and makes `span._.when_days` hold for any span: the days of the time expression that governs it. Needs `caseframe_quantities`
before it; without sentence boundaries the whole text counts as one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.stages.quantities import SPANS as QUANTITIES
from caseframe.stages.quantities import Quantity
from caseframe.stages.units import BLANK, DASH, DAYS_A_YEAR, NUMBER, ORDINAL, days_of, number, ordinal

SPANS = "times"
LABELS = ("after", "follow_up", "before", "history", "duration", "date")
_WINDOW = 70


@dataclass(frozen=True, slots=True)
class _Time:
    """A time expression in a text; `chained` if it counts from the time told before it."""

    start: int
    end: int
    label: str
    days: float | None
    chained: bool = False


_follow = rf"follow(?:ed|ing)?(?:{DASH}|{BLANK})?up"
_treatment = (
    r"surger\w*|operation\w*|procedures?|interventions?|treatments?|therapy|resection|excision|transplant\w*|implantation|"
    r"reconstruction|replacement|repair|discharge|admission|\w+ectomy|\w+plasty|\w+tomy|injury|trauma|accident|onset|"
    r"diagnosis|presentation|delivery|birth|irradiation|radiotherapy|chemotherapy|initiation|injection"
)
# What may follow a duration and make it a time. First match wins.
_TAIL = re.compile(
    rf"(?P<follow>(?:{BLANK}|{DASH})*(?:\w+{BLANK}){{0,2}}?(?:of{BLANK}|at{BLANK})?(?:\w+(?:{BLANK}|{DASH})){{0,2}}?{_follow}\b)"
    rf"|(?P<post>{BLANK}?(?:{DASH}{BLANK}?)?post(?:{DASH}|{BLANK})?(?:op(?:erative(?:ly)?)?|surg\w*|procedur\w*|treatment|therapy|injury|"
    rf"trauma\w*|transplant\w*|partum|natal\w*|discharge|resection|implantation|intervention\w*|\w+ectomy|\w+plasty|\w+)\b)"
    rf"|(?P<after>{BLANK}?,?{BLANK}(?:after|following|since|from|of|out{BLANK}from)\b(?:{BLANK}(?!follow)[\w'-]+){{0,5}}?{BLANK}(?:{_treatment})\b)"
    rf"|(?P<bare_after>{BLANK}(?:after|following|since)\b(?!{BLANK}{_follow}))"
    rf"|(?P<later>{BLANK}(?:later|thereafter|afterwards?|after(?=[,.;])|subsequently|hence)\b)"
    rf"|(?P<history>(?:{BLANK}|{DASH})(?:\w+{BLANK})?history\b|{BLANK}duration\b)"
    rf"|(?P<before>{BLANK}(?:ago|earlier|before|prior|previously|preceding|preoperatively|pre-?op\w*)\b)",
    re.IGNORECASE,
)
# What may stand before a duration and make it a time, read backwards from it.
_LEAD = re.compile(
    rf"(?P<follow>\b(?:{_follow}|followed)\b(?:{BLANK}(?:up|period|time|duration|visit|examination|assessment|interval|was|of|is|for|at|after|during|over|"
    rf"with|a|an|the|in|to|about|mean|median|average|total|additional|more|than|at{BLANK}least|ranged|from|until|postoperatively|minimum|maximum)\b)*{BLANK}?[(:=,]?{BLANK}?)$"
    rf"|(?P<past>\b(?:for|over|during|in|within|of|since){BLANK}(?:the{BLANK})?(?:past|last|previous|preceding|prior){BLANK})$"
    rf"|(?P<next>\b(?:(?:for|over|during|in|within){BLANK})?(?:the|a|an)?{BLANK}?(?:next|following|subsequent|ensuing|further|additional|another|first){BLANK})$"
    rf"|(?P<history>\bhistory{BLANK}(?:of{BLANK})?(?:about{BLANK}|approximately{BLANK})?)$"
    rf"|(?P<at>\b(?:at|after|by|until|till|on|beyond|within|in|over|during|every){BLANK}(?:about|approximately|around|nearly|almost|over|more{BLANK}than|up{BLANK}to|"
    rf"less{BLANK}than|only|at{BLANK}least|a{BLANK}(?:mean|median|period|total){BLANK}of|an{BLANK}(?:average|interval){BLANK}of|the|a|an|>|<|≥|≤|~)?{BLANK}?)$"
    rf"|(?P<for>\bfor{BLANK}(?:about|approximately|around|nearly|almost|over|more{BLANK}than|up{BLANK}to|at{BLANK}least|a{BLANK}(?:period|total){BLANK}of|the|a|an)?{BLANK}?)$",
    re.IGNORECASE,
)
_unit = r"(?P<unit{0}>minutes?|hours?|days?|weeks?|months?|years?)"
_COUNTED = re.compile(
    rf"\b(?:post(?:{DASH}|{BLANK})?op(?:erative)?|postsurgical){BLANK}{_unit.format(1)}{BLANK}?(?:no\.?|#)?{BLANK}?(?P<n1>{NUMBER})"
    rf"|\bPOD{BLANK}?[#-]?{BLANK}?(?P<n2>\d{{1,3}})\b"
    rf"|\b(?P<o3>{ORDINAL}){BLANK}(?:post(?:{DASH}|{BLANK})?op(?:erative)?|hospital|postsurgical|postpartum|postnatal){BLANK}{_unit.format(3)}\b"
    rf"|\b(?P<o4>{ORDINAL}){BLANK}{_unit.format(4)}{BLANK}(?:of{BLANK}(?:hospital\w*|{_follow}|admission|treatment|therapy|life)|after|following|post\w*)\b"
    rf"|\bon{BLANK}(?:the{BLANK})?day{BLANK}(?P<n5>\d{{1,3}})\b|\bday{BLANK}(?P<n6>\d{{1,3}}){BLANK}(?:after|post|following|of)\b",
    re.IGNORECASE,
)
_FIXED = tuple(
    (re.compile(pattern, re.IGNORECASE), label, days, chained)
    for pattern, label, days, chained in (
        (rf"\bimmediate(?:ly)?{BLANK}(?:after|following|post(?:{DASH}|{BLANK})?op\w*)\b|\bintra(?:{DASH})?operative(?:ly)?\b", "after", 0.0, False),
        (rf"\b(?:on{BLANK})?the{BLANK}(?:next|following|subsequent){BLANK}(?:day|morning)\b", "after", 1.0, False),
        (rf"\b(?:at|on|upon|until){BLANK}(?:hospital{BLANK})?discharge\b", "after", None, False),
        (rf"\b(?:at|on|until|in|during){BLANK}(?:the|his|her|their)?{BLANK}?(?:last|latest|final|most{BLANK}recent){BLANK}(?:clinical{BLANK})?{_follow}\b", "follow_up", None, False),
        (rf"\b(?:the|over{BLANK}the|during{BLANK}the)?{BLANK}?(?:next|following|subsequent|ensuing){BLANK}(?=year\b)year\b", "after", DAYS_A_YEAR, True),
    )
)  # fmt: skip


def _from_duration(text: str, span: Span, quantity: Quantity) -> _Time:
    """What a duration says of the time line, by the words around it."""
    start, end, days = span.start_char, span.end_char, quantity.value
    lead_match = _LEAD.search(text[max(0, start - _WINDOW) : start])
    lead = lead_match.lastgroup if lead_match is not None else ""
    tail_match = _TAIL.match(text, end, min(len(text), end + _WINDOW))
    tail = tail_match.lastgroup if tail_match is not None else ""
    begin = start - len(lead_match[0].lstrip()) if lead_match is not None else start
    stop = tail_match.end() if tail_match is not None else end
    if tail == "before":
        return _Time(start, stop, "before", None if days is None else -days)
    if lead in ("past", "history") or tail == "history":
        return _Time(begin, stop, "history", None if days is None else -days)
    if lead == "follow" or tail == "follow":
        return _Time(begin, stop, "follow_up", days)
    if tail in ("post", "after", "bare_after"):
        return _Time(start, stop, "after", days)
    if tail == "later" or lead == "next":
        return _Time(begin if lead == "next" else start, stop, "after", days, chained=True)
    if lead == "at":
        return _Time(begin, stop, "after", days)
    return _Time(begin, stop, "duration", None)


def _counted(text: str) -> Iterator[_Time]:
    """`postoperative day 3`, `POD 3`, `the third postoperative day`, `4th year of follow-up`."""
    for match in _COUNTED.finditer(text):
        part = {name: value for name, value in match.groupdict().items() if value}
        key = next(name for name in part if name[0] in "no")
        value = ordinal(part[key]) if key[0] == "o" else number(part[key])
        name = next((part[name] for name in part if name.startswith("unit")), "day")
        follow = "follow" in match[0].lower()
        if value is not None:
            yield _Time(match.start(), match.end(), "follow_up" if follow else "after", round(value * days_of(name), 2))


def _fixed(text: str) -> Iterator[_Time]:
    for pattern, label, days, chained in _FIXED:
        for match in pattern.finditer(text):
            yield _Time(match.start(), match.end(), label, days, chained)


def find_times(doc: Doc) -> list[_Time]:
    """All time expressions of a Doc with quantities, in its order, none overlapping another."""
    text = doc.text
    found = [*_counted(text), *_fixed(text)]
    for span in doc.spans.get(QUANTITIES, ()):
        quantity = span._.quantity
        if span.label_ == "DURATION":
            found.append(_from_duration(text, span, quantity))
        elif span.label_ == "DATE":
            found.append(_Time(span.start_char, span.end_char, "date", None))
    kept: list[_Time] = []
    for one in sorted(found, key=lambda time: (time.start - time.end, time.start)):
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda time: time.start)


# ----------------------------------------------------------------------------------------------------- what governs what

_MAX_COST = 60


def when_of(span: Span) -> float | None:
    """Days from the treatment for any span: those of the time expression that governs it, None if none does."""
    governing = time_of(span)
    return None if governing is None else governing._.days


def time_of(span: Span) -> Span | None:
    """The time expression of the same sentence that governs a span."""
    doc = span.doc
    times = doc.spans.get(SPANS, ())
    if not times:
        return None
    first, last = _sentence(span)
    best: Span | None = None
    best_cost = _MAX_COST
    for time in times:
        if time.start < first or time.end > last or time._.days is None:
            continue
        cost = _cost(doc, span, time)
        if cost < best_cost:
            best, best_cost = time, cost
    return best


def _sentence(span: Span) -> tuple[int, int]:
    doc = span.doc
    if not doc.has_annotation("SENT_START"):
        return 0, len(doc)
    sentence = span.sent
    return sentence.start, sentence.end


def _cost(doc: Doc, span: Span, time: Span) -> int:
    """How far a time is from a span: tokens between, more for each clause boundary."""
    if time.start < span.end and span.start < time.end:
        return 0
    between = doc[time.end : span.start] if time.end <= span.start else doc[span.end : time.start]
    cost = len(between)
    for token in between:
        if token.text == ";":
            cost += 20
        elif token.lower_ in ("but", "before", "until"):
            cost += 10
    return cost


def follow_up_times(doc: Doc) -> list[Span]:
    """The time expressions that tell how long after treatment the patient's state is known, in text order."""
    return [
        span
        for span in doc.spans.get(SPANS, ())
        if span.label_ in ("follow_up", "after") and span._.days is not None and span._.days >= 0
    ]


if not Span.has_extension("days"):
    Span.set_extension("days", default=None)
if not Span.has_extension("when_days"):
    Span.set_extension("when_days", getter=when_of)


@Language.factory("caseframe_timeline", assigns=["doc.spans", "span._.days"])
def create_timeline(nlp: Language, name: str) -> Timeline:
    """Factory of `caseframe_timeline`."""
    return Timeline()


class Timeline:
    """Finds the time expressions of a Doc and puts them on the line."""

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["times"]`."""
        spans: list[Span] = []
        for time in find_times(doc):
            span = doc.char_span(time.start, time.end, label=time.label, alignment_mode="expand")
            if span is None or (spans and span.start < spans[-1].end):
                continue
            span._.days = time.days
            spans.append(span)
        doc.spans[SPANS] = spans
        return doc
