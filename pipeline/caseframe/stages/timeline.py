"""Timeline: when things happened, in days from the index operation or treatment.

Writes `doc.spans["times"]`: time expressions, `span._.days` the days (negative is before the treatment, None where the
words do not say), `label_` one of

`after`      a time after treatment ("2 weeks postoperatively", "at 6 months", "three months later")
`follow_up`  a time after treatment at which the patient was seen ("at 1-year follow-up", "followed for 24 months")
`before`     a time before it ("two years earlier", "3 days before admission")
`history`    how long something had lasted at presentation ("a 3-month history of")
`duration`   how long something lasted, with no place on the line ("for 6 weeks")
`date`       a calendar date; days only where the date of the treatment is told too

`kb_id_` is `chained` for a time that counts from the time told before it ("three months later", "the next two years"),
and makes `span._.when_days` hold for any span: the days of the time expression that governs it. Needs
`caseframe_quantities` before it; without sentence boundaries the whole text counts as one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.stages.extensions import lowers_of, offsets_of, sentence_bounds, set_on, text_between, text_of
from caseframe.stages.needles import finditer
from caseframe.stages.quantities import Quantity, quantities_of
from caseframe.stages.units import BLANK, DASH, DAYS_A_YEAR, NUMBER, ORDINAL, days_of, longest, number, ordinal

SPANS = "times"
LABELS = ("after", "follow_up", "before", "history", "duration", "date")
CHAINED = "chained"
_PLACED = "caseframe.placed_times"
_WINDOW = 70
_NEAR = 48


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
    rf"(?P<follow>(?:{BLANK}|{DASH})*(?:(?!and\b|or\b|after\b|later\b|with\b)\w+(?:{BLANK}|{DASH})){{0,4}}?(?:{_follow}|observation{BLANK}period)\b)"
    rf"|(?P<post>{BLANK}?(?:{DASH}{BLANK}?)?post(?:{DASH}|{BLANK})?(?:op(?:erative(?:ly)?)?|surg\w*|procedur\w*|treatment|therapy|injury|"
    rf"trauma\w*|transplant\w*|partum|natal\w*|discharge|resection|implantation|intervention\w*|\w+ectomy|\w+plasty|\w+)\b)"
    rf"|(?P<after>{BLANK}?,?{BLANK}(?:now{BLANK})?(?:after|following|since|from|of|out{BLANK}from)\b(?:{BLANK}(?!follow)[\w'-]+){{0,5}}?{BLANK}(?:{_treatment})\b)"
    rf"|(?P<bare_after>{BLANK}(?:now{BLANK})?(?:after|following|since)\b(?!{BLANK}{_follow}))"
    rf"|(?P<later>{BLANK}(?:later|thereafter|afterwards?|after(?=[,.;])|subsequently|hence)\b)"
    rf"|(?P<history>(?:{BLANK}|{DASH})(?:\w+{BLANK})?history\b|{BLANK}duration\b)"
    rf"|(?P<before>{BLANK}(?:ago|earlier|before|prior|previously|preceding|preoperatively|pre-?op\w*)\b)",
    re.IGNORECASE,
)
# What may stand before a duration and make it a time, read backwards from it.
_LEAD = re.compile(
    rf"(?P<follow>\b(?:{_follow}|followed)\b(?:{BLANK}(?:up|period|time|duration|visit|examination|assessment|interval|was|of|is|for|at|after|during|over|"
    rf"with|a|an|the|in|to|about|mean|median|average|total|additional|more|than|at{BLANK}least|ranged|from|until|postoperatively|minimum|maximum)\b)*"
    rf"{BLANK}?[(:=,]?{BLANK}?(?:(?:up{BLANK}to|at{BLANK}least|more{BLANK}than|over|about|approximately|nearly|range|median|mean){BLANK}|[>≥~]{BLANK}?)?)$"
    rf"|(?P<past>\b(?:for|over|during|in|within|of|since){BLANK}(?:the{BLANK})?(?:past|last|previous|preceding|prior){BLANK})$"
    rf"|(?P<next>\b(?:(?:for|over|during|in|within){BLANK})?(?:the|a|an)?{BLANK}?(?:next|following|subsequent|ensuing|further|additional|another|first){BLANK})$"
    rf"|(?P<history>\bhistory{BLANK}(?:of{BLANK})?(?:about{BLANK}|approximately{BLANK})?)$"
    rf"|(?P<at>\b(?:at|after|by|until|till|on|beyond|within|in|over|during|every){BLANK}(?:about|approximately|around|nearly|almost|over|more{BLANK}than|up{BLANK}to|"
    rf"less{BLANK}than|only|at{BLANK}least|a{BLANK}(?:mean|median|period|total){BLANK}of|an{BLANK}(?:average|interval){BLANK}of|the|a|an|>|<|≥|≤|~)?{BLANK}?)$"
    rf"|(?P<for>\bfor{BLANK}(?:about|approximately|around|nearly|almost|over|more{BLANK}than|up{BLANK}to|at{BLANK}least|a{BLANK}(?:period|total){BLANK}of|the|a|an)?{BLANK}?)$",
    re.IGNORECASE,
)
_PREGNANCY = re.compile(
    rf"['’]?(?:{BLANK}|{DASH})(?:of{BLANK})?(?:\w+{BLANK})?(?:gestation\w*|pregnan\w*)", re.IGNORECASE
)
_unit = r"(?P<unit{0}>minutes?|hours?|days?|weeks?|months?|years?)"
_COUNTED = re.compile(
    rf"\b(?:post(?:{DASH}|{BLANK})?op(?:erative)?|postsurgical){BLANK}{_unit.format(1)}{BLANK}?(?:no\.?|#)?{BLANK}?(?P<n1>{NUMBER})"
    rf"|\bPOD{BLANK}?[#-]?{BLANK}?(?P<n2>\d{{1,3}})\b"
    rf"|\b(?P<o3>{ORDINAL}){BLANK}(?:post(?:{DASH}|{BLANK})?op(?:erative)?|hospital|postsurgical|postpartum|postnatal){BLANK}{_unit.format(3)}\b"
    rf"|\b(?P<o4>{ORDINAL}){BLANK}{_unit.format(4)}{BLANK}(?:of{BLANK}(?:hospital\w*|{_follow}|admission|treatment|therapy|life)|after|following|post\w*)\b"
    rf"|\b(?:at|by|in|on|until|of){BLANK}the{BLANK}(?!first)(?:(?P<o7>{ORDINAL}){BLANK}and{BLANK})?(?P<o8>{ORDINAL}){BLANK}{_unit.format(8)}\b(?!{BLANK}of{BLANK}(?:life|age|gest))"
    rf"|\b(?:on|at|by|until){BLANK}(?:the{BLANK})?day{BLANK}(?P<n5>\d{{1,3}})\b|\bday{BLANK}(?P<n6>\d{{1,3}}){BLANK}(?:after|post|following|of)\b",
    re.IGNORECASE,
)
# What is counted stands in one of these ways.
_COUNTED_HINT = re.compile(
    r"(?:\d ?(?:st|nd|rd|th)|irst|econd|hird|[fxneylr]th) (?:\S{4,13} )?(?:day|week|month|year|hour)|"
    r"(?i:post[- ]?op(?:erative)?|surgical|\bon|\bthe) (?:day|week|month|year)|POD|(?i:\bday) \d",
)
_FIXED_HINT = re.compile(r"mmediate|next|ollowing|ubsequent|nsuing|ischarge|\blast|atest|inal|recent")
_FIXED = tuple(
    (re.compile(pattern, re.IGNORECASE), label, days, chained)
    for pattern, label, days, chained in (
        (rf"\bimmediate(?:ly)?{BLANK}(?:after|following)\b", "after", 0.0, False),
        (rf"\b(?:on{BLANK})?the{BLANK}(?:next|following|subsequent){BLANK}(?:day|morning)\b", "after", 1.0, False),
        (rf"\b(?:at|on|upon|until){BLANK}(?:hospital{BLANK})?discharge\b", "after", None, False),
        (
            rf"\b(?:at|on|until|in|during){BLANK}(?:(?:the|his|her|their){BLANK})?(?:last|latest|final|most{BLANK}recent)"
            rf"{BLANK}(?:clinical{BLANK})?{_follow}\b",
            "follow_up",
            None,
            False,
        ),
        (
            rf"\b(?:(?:over|during){BLANK}the{BLANK})?(?:next|following|subsequent|ensuing){BLANK}year\b",
            "after",
            DAYS_A_YEAR,
            True,
        ),
    )
)  # fmt: skip


def _from_duration(text: str, span: Span, quantity: Quantity) -> _Time:
    """What a duration says of the time line, by the words around it."""
    start, end = span.start_char, span.end_char
    days = quantity.high if quantity.statistic == "range" else quantity.value
    before = text[max(0, start - _WINDOW) : start]
    # Only where a follow-up is told the words before can be many.
    lead_match = _LEAD.search(before, 0 if "follow" in before.lower() else max(0, len(before) - _NEAR))
    lead = lead_match.lastgroup if lead_match is not None else ""
    tail_match = _TAIL.match(text, end, min(len(text), end + _WINDOW))
    tail = tail_match.lastgroup if tail_match is not None else ""
    begin = start - len(lead_match[0].lstrip()) if lead_match is not None else start
    stop = tail_match.end() if tail_match is not None else end
    if _PREGNANCY.match(text, end):
        return _Time(begin, end, "duration", None)
    if tail == "before":
        return _Time(start, stop, "before", None if days is None else -days)
    told = _same_sentence(text, start)
    if lead == "past" and _STATE.search(told) is not None and _COMPLAINT.search(told) is None:
        return _Time(begin, stop, "follow_up", days)
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
    if lead == "for" and _STATE.search(told) is not None:
        return _Time(begin, stop, "follow_up", days)
    return _Time(begin, stop, "duration", None)


# A state that lasts "for 3 years" after treatment is known at the end of them; a treatment or a pain is not.
_STATE = re.compile(
    r"\b(?:remain\w*|persist\w*|sustain\w*|li(?:ves?|ved|ving)|healthy|conservatively|stable|surviv\w*|free|alive|disease-free|recurrence-free|asymptomatic|well|maintain\w*|"
    r"follow(?:ed)?[- ]?up|without|control|observed|no (?:\w+ ){0,3}"
    r"(?:recurrence|relapse|symptoms?|complications?|progression))\b[^.;]{0,80}$",
    re.IGNORECASE,
)


# What had lasted when the patient came is history.
_COMPLAINT = re.compile(r"\b(?:complain\w*|present(?:ed|ing)|suffer\w*|history|admitted|referred)\b", re.IGNORECASE)


def _same_sentence(text: str, end: int) -> str:
    """The words before `end`, back to the last full stop."""
    lead = text[max(0, end - 130) : end]
    cut = max(lead.rfind(". "), lead.rfind("\n"))
    return lead[cut + 1 :]


_DOSED = re.compile(r"(?:mg|m2|m²|Gy|IU|g|AUC \d)\W*$")


def _counted(text: str) -> Iterator[_Time]:
    """`postoperative day 3`, `POD 3`, `the third postoperative day`, `4th year of follow-up`."""
    matches = list(finditer(_COUNTED, text))
    if not matches or _COUNTED_HINT.search(text) is None:
        return
    for match in matches:
        part = {name: value for name, value in match.groupdict().items() if value}
        key = max(name for name in part if name[0] in "no")  # of "the 17th and 24th months" the later
        value = ordinal(part[key]) if key[0] == "o" else number(part[key])
        name = next((part[name] for name in part if name.startswith("unit")), "day")
        if "n5" in part and _DOSED.search(text, max(0, match.start() - 12), match.start()):
            continue  # day 1 of a cycle
        follow = "follow" in match[0].lower()
        if value is not None:
            yield _Time(match.start(), match.end(), "follow_up" if follow else "after", round(value * days_of(name), 2))


def _fixed(text: str) -> Iterator[_Time]:
    found = [
        _Time(match.start(), match.end(), label, days, chained)
        for pattern, label, days, chained in _FIXED
        for match in finditer(pattern, text)
    ]
    if found and _FIXED_HINT.search(text) is not None:
        yield from found


def _ages(doc: Doc) -> Iterator[_Time]:
    """`at age 45 years`, of a patient first told to be 34: eleven years later."""
    ages = quantities_of(doc, "AGE")
    if not ages or ages[0]._.quantity.statistic or len(ages[0]._.quantity.values) > 1:
        return
    first = ages[0]._.quantity.value
    for span in ages[1:]:
        lead = _AT_AGE.search(text_of(doc)[max(0, span.start_char - _WINDOW) : span.start_char])
        if lead is not None and span._.quantity.value > first:
            days = round((span._.quantity.value - first) * DAYS_A_YEAR, 1)
            yield _Time(span.start_char - len(lead[0]), span.end_char, "after", days)


_AT_AGE = re.compile(
    rf"\b(?:(?:now|currently|until|at|by|to){BLANK})+(?:(?:the|an){BLANK})?(?:age{BLANK})?(?:of{BLANK})?$"
    rf"|\bwhen{BLANK}(?:\w+{BLANK}){{1,3}}(?:was|reached|turned)(?:{BLANK}age[d]?)?{BLANK}$",
    re.IGNORECASE,
)
_TREATED = re.compile(
    r"\b(?:underwent|undergone|surg\w+|operat\w+|resect\w+|excis\w+|perform\w+|implant\w+|transplant\w+|treat\w+|"
    r"\w+ectomy|\w+plasty|placement|placed|started|initiat\w+|received)\b",
    re.IGNORECASE,
)


def _dates(doc: Doc) -> Iterator[_Time]:
    """Calendar dates, counted from the first one at which the text tells of treatment."""
    text, zero = text_of(doc), None
    for span in quantities_of(doc, "DATE"):
        day = _ordinal_day(span._.quantity.canonical)
        days = None if zero is None or day is None or day < zero else round(day - zero, 1)
        yield _Time(span.start_char, span.end_char, "date", days)
        if zero is None and day is not None and _TREATED.search(_sentence_text(text, span.start_char, span.end_char)):
            zero = day


def _ordinal_day(canonical: str) -> float | None:
    """A number for a date that has a year; a missing month or day is the middle."""
    parts = canonical.split("-")
    if len(parts[0]) != 4:
        return None
    month = int(parts[1]) - 1 + 0.0 if len(parts) > 1 else 6.0
    day = int(parts[2]) - 1 if len(parts) > 2 else 15 if len(parts) > 1 else 0
    return round(int(parts[0]) * DAYS_A_YEAR + month * DAYS_A_YEAR / 12 + day, 1)


def _sentence_text(text: str, start: int, end: int) -> str:
    first = max(text.rfind(". ", 0, start), text.rfind("\n", 0, start)) + 1
    last = text.find(". ", end)
    return text[first : last if last >= 0 else len(text)]


def find_times(doc: Doc) -> list[_Time]:
    """All time expressions of a Doc with quantities, in its order, none overlapping another."""
    text = text_of(doc)
    found = [*_counted(text), *_fixed(text), *_ages(doc), *_dates(doc)]
    found.extend(_from_duration(text, span, span._.quantity) for span in quantities_of(doc, "DURATION"))
    return longest(found)


# ---------------------------------------------------------------------------------------------------- what governs what

_MAX_DISTANCE = 40
# A time on the far side costs this much: "At T1 A, at T2 B" leads with its times, "A at T1, B at T2" trails with them.
_AGAINST_STYLE = 8
_LEADING_TOKENS = 4
_BREAKS = frozenset((";", "but", "however", "whereas", "while", "although", "though", "until", "before", "despite"))
_VERBS = frozenset(
    "is are was were be been has have had did does do could can will would may might underwent showed shows became "
    "began felt went came took grew led made gave kept died lost".split()
)
_NO_VERBS = frozenset("need red bed seed breed bleed feed speed".split())
_PARTING = re.compile(r"discharged?\b|died\b|death\b|succumb\w*|expired\b|passed away", re.IGNORECASE)
_COURSE = re.compile(r"uneventful|uncomplicated|unremarkable|intra-?operative", re.IGNORECASE)
_DENIAL = re.compile(r"\b(?:no|without|not|any|none|free)\b", re.IGNORECASE)
_DENIAL_TOKENS = 3
_EXAMINATION = re.compile(
    r"\b(?:CT|MRI|scans?|imaging|examin\w*|evaluat\w*|radiograph\w*|follow\w*|endoscopy|biopsy)\b", re.IGNORECASE
)
_SAME_TIME_OPENS = ("at", "by", "since")
_SAME_TIME = re.compile(
    rf"(?:{'|'.join(_SAME_TIME_OPENS)}) (?:that|this|the same) (?:time|point|moment|visit|stage)\b", re.IGNORECASE
)


def when_of(span: Span) -> float | None:
    """Days from the treatment for any span: those of the time expression that governs it, None if none does."""
    governing = time_of(span)
    return None if governing is None else governing._.days


def time_of(span: Span) -> Span | None:
    """The time expression that governs a span: within it, in its clause, or leading its sentence.

    A sentence without a time takes none from its neighbours, unless it says so ("At that time …").
    """
    doc, start, end = span.doc, span.start, span.end
    if not _placed(doc):
        return None
    first, last = sentence_bounds(doc, start)
    times = _times_between(doc, first, last)
    if not times:
        return _same_time(doc, first, last)
    for time in times:
        if time.start < end and start < time.end:
            return time
    if _COURSE.search(text_between(doc, start, end)):
        return None
    reaching = [time for time in times if _governs(doc, time, span, first, last)]
    if not reaching:
        return None
    leads = times[0].start - first <= _LEADING_TOKENS
    return min(reaching, key=lambda time: _distance(time, span, leads=leads))


def _same_time(doc: Doc, first: int, last: int) -> Span | None:
    """The last time of the sentence before, where a sentence goes on from it."""
    if first == 0 or lowers_of(doc)[first] not in _SAME_TIME_OPENS:
        return None
    if not _SAME_TIME.match(text_between(doc, first, min(last, first + 4))):
        return None
    earlier = _times_between(doc, sentence_bounds(doc, first - 1)[0], first)
    return earlier[-1] if earlier else None


def _times_between(doc: Doc, first: int, last: int) -> list[Span]:
    numbers = [number for number, start, end in _placed(doc) if first <= start and end <= last]
    return [doc.spans[SPANS][number] for number in numbers]


def _placed(doc: Doc) -> list[tuple[int, int, int]]:
    """Number and token bounds of the times of a Doc whose days are known, looked up once a Doc that has times."""
    known: list[tuple[int, int, int]] | None = doc.user_data.get(_PLACED)
    if known is not None or SPANS not in doc.spans:
        return known or []
    spans = enumerate(doc.spans[SPANS])
    found = [(number, time.start, time.end) for number, time in spans if time._.days is not None]
    doc.user_data[_PLACED] = found
    return found


def _distance(time: Span, span: Span, *, leads: bool) -> int:
    if time.end <= span.start:
        return span.start - time.end + (0 if leads else _AGAINST_STYLE)
    return time.start - span.end + (_AGAINST_STYLE if leads else 0)


def _governs(doc: Doc, time: Span, span: Span, first: int, last: int) -> bool:
    """Whether a time of the same sentence reaches a span."""
    before = time.end <= span.start
    begin, end = (time.end, span.start) if before else (span.end, time.start)
    if end - begin > _MAX_DISTANCE:
        return False
    if time.label_ in ("before", "history"):
        return _reaches_back(time, text_between(doc, begin, end), before=before)
    if _parts(doc, time, span, first, last):
        return False
    breaks = _clause_breaks(lowers_of(doc), begin, end, first if before else span.start)
    if before:
        # What leads its clause reaches on into the next ones; what ends a clause does not, but for an examination.
        if not breaks or breaks[0] - time.end >= _LEADING_TOKENS - 1:
            return True
        return _EXAMINATION.search(text_between(doc, first, time.start)) is not None
    return not breaks


def _reaches_back(time: Span, between: str, *, before: bool) -> bool:
    """Times before treatment reach only what stands beside them: `a 3-month history of pain`, `excised 2 years ago`."""
    if time.label_ == "before":
        return not before and len(between.split()) <= 4 and not any(_is_verb(word) for word in between.split())
    return re.search(r"[;:.]|\b(?:and then|underwent|was|were|revealed|showed)\b", between) is None


def _parts(doc: Doc, time: Span, span: Span, first: int, last: int) -> bool:
    """Whether the time is that of a discharge or a death and the span tells something else."""
    start, end = max(first, time.start - 8), min(last, time.end + 8)
    parting = _PARTING.search(text_between(doc, start, end))
    if parting is None or _PARTING.search(text_between(doc, span.start, span.end)):
        return False
    place = offsets_of(doc)[start] + parting.start()
    denied = _DENIAL.search(text_between(doc, max(first, span.start - _DENIAL_TOKENS), span.end)) is not None
    return span.start_char < place or denied


def _clause_breaks(words: Sequence[str], begin: int, end: int, clause_start: int) -> list[int]:
    """Tokens between a time and a span at which another clause begins."""
    return [
        i
        for i in range(begin, end)
        if words[i] in _BREAKS or (words[i] == "and" and _opens_clause(words, i, clause_start))
    ]


def _opens_clause(words: Sequence[str], place: int, clause_start: int) -> bool:
    """Whether `and` joins a new subject and verb to a clause with a verb; `A and B were seen` is one clause."""
    if not any(map(_is_verb, words[clause_start:place])):
        return False
    for n, word in enumerate(words[place + 1 : place + 7]):
        if word in (",", ";", ".", "and"):
            return False
        if _is_verb(word):
            return n > 0
    return False


def _is_verb(word: str) -> bool:
    return word in _VERBS or (len(word) > 4 and word.endswith("ed") and word not in _NO_VERBS)


def follow_up_times(doc: Doc) -> list[Span]:
    """The time expressions that tell how long after treatment the patient's state is known, in text order."""
    return [
        span
        for span in doc.spans.get(SPANS, ())
        if span.label_ in ("follow_up", "after", "date") and span._.days is not None and span._.days >= 0
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
            set_on(span, "days", time.days)
            span.kb_id_ = CHAINED if time.chained else ""
            spans.append(span)
        doc.spans[SPANS] = spans
        doc.user_data.pop(_PLACED, None)
        return doc
