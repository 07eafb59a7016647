"""measurement: scores and quantities of the patient, each number with its unit, maximum and phase.

A number belongs to the instrument that stands before it in its clause, or right after it ("940 g of blood loss"). The
lexicon says which kinds of quantity a measure takes (`takes`), what its best value is (`maximum`, where more is
`better`) and whether it is told as a grade (`graded`); names that are everyday words too (`everyday`) count in capitals
only. A measure without a number is named, not measured, and is little worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_in, spans_of
from caseframe.schema import AttributeValue, Finding
from caseframe.stages.extensions import sentence_of, text_of
from caseframe.stages.quantities import Quantity
from caseframe.stages.roles import role_of
from caseframe.stages.timeline import when_of

_SOURCE = "measurement"
_MEASURED, _TOLD, _NAMED = 0.8, 0.6, 0.2

_SCORE_KINDS = frozenset({"SCORE", "PERCENT"})
# Between a measure and its number: no other sentence, no other number's business, at most so many letters.
_GAP_CHARS = 70
_NO_GAP = re.compile(r"[;]|\.\s|\b(?:aged?|year-old|gestation|follow-up of|respectively)\b", re.IGNORECASE)
_BEFORE_MEASURE = re.compile(
    r"\s*(?:points?\s)?(?:(?:of|on|in|for)\s)?(?:(?:the|his|her|a|an)\s)?(?:[\w-]+\s){0,2}", re.IGNORECASE
)
_SPACE = re.compile(r"\s*")
# A number that stands for itself after its measure: "BMI was 47.4", "Wexner score of 3".
_PLAIN = re.compile(
    r"\s*(?:\([\w\s/-]{1,30}\)\s*)?(?:scores?|index|value|scale|class(?:ification)?|grade|status|level|interval|"
    r"of the \w+ \w+|functional class|questionnaire)?\s*"
    r"(?:(?:was|were|is|of|at|to|=|:|-|remained|improved|increased|decreased|fell|rose|dropped|reached|showed|only|"
    r"about|approximately|from|as|low as|high as|normal|still|found|measured|calculated|by)\s*){0,5}\(?\s*"
    r"(?P<number>[-−]?\d+(?:\.\d+)?)(?!\s?(?:years?|months?|weeks?|days?|hours?|patients?|cases?|-year|-month|:|\d|/\d))"
    r"(?:\s*/\s*(?P<maximum>\d+))?(?:\s?(?P<unit>points?|%|ms|msec|SDS?)\b)?",
    re.IGNORECASE,
)
_GRADE = re.compile(
    r"\s*(?:\([\w\s-]{1,20}\)\s*)?(?:(?:was|were|is|of|to|at|grade|class|classification|functional|status|type|score|"
    r"score of|scale|=|:|-|improved|from|a|an|the)\s*){0,5}\(?\s*"
    r"(?P<grade>IV|I{1,3}|V|[A-E]|[0-6])(?!\w|\.\d|\s?(?:years?|months?|weeks?|days?))",
)
_ROMAN = {"I": 1.0, "II": 2.0, "III": 3.0, "IV": 4.0, "V": 5.0}
_PREOPERATIVE = re.compile(
    r"\b(?:pre-?operative(?:ly)?|pre-?treatment|before (?:the )?(?:surgery|operation|treatment|procedure)|prior to|"
    r"baseline|initial(?:ly)?|(?:on|at|upon) (?:admission|presentation|examination|arrival|the time of diagnosis)|"
    r"presented|presenting|admitted|history of|at first)\b",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"\b(?:last|latest|final|most recent|long-term) (?:\w+ )?(?:follow-?up|visit|examination|review|control)|"
    r"\bfollow-?ups?\b|\b\d+[- ](?:months?|years?) (?:after|later|follow|post)|"
    r"\bat (?:\w+ )?(?:\w+ )?(?:months?|years?)\b|\b(?:latest|final)\b",
    re.IGNORECASE,
)
_POSTOPERATIVE = re.compile(
    r"\b(?:post-?operative(?:ly)?|after (?:the )?(?:\w+ )?(?:surgery|operation|treatment|procedure|removal|resection)|"
    r"following (?:the )?(?:\w+ )?(?:surgery|operation|treatment))\b",
    re.IGNORECASE,
)
_PHASES = (("last_follow_up", _LAST), ("postoperative", _POSTOPERATIVE), ("preoperative", _PREOPERATIVE))
_CHANGE = re.compile(
    r"\b(?:improve|increas|decreas|declin|reduc|ros|rise|fell|fall|drop|from|recover|return|chang)\w*", re.IGNORECASE
)
_TO = re.compile(r"\bto\b|→|versus", re.IGNORECASE)
_OF_NORMAL = re.compile(r"\s*of (?:the )?normal", re.IGNORECASE)
# Words that tell what the number after them measures, by the kind of the number.
_IMPLIED = tuple(
    (kind, re.compile(rf"{pattern}$", re.IGNORECASE), name)
    for kind, pattern, name in (
        ("ANGLE", r"\bscolio\w+\b(?:(?!\bat\b|kypho)[^.;]){0,50}", "cobb_angle"),
        ("ANGLE", r"\bkypho\w+\b(?:(?!\bat\b|scolio)[^.;]){0,50}", "kyphosis_angle"),
        (
            "ANGLE",
            r"\b(?:flexion|extension|abduction|adduction|rotation|pronation|supination|elevation|range of movement)\b"
            r"(?:(?!contracture|deformity|fixed)[^.;,]){0,30}",
            "range_of_motion",
        ),
        (
            "DURATION",
            r"\b(?:operation|surgery|procedure|operating)\s(?:lasted|took|time|duration)\s"
            r"(?:(?:was|of|for|a|total|about|approximately|nearly|around|only|less than|more than)\s)*",
            "operative_time",
        ),
        ("WEIGHT", r"\blost\s(?:(?:about|approximately|more than|over|up to|nearly|around)\s)?", "weight_loss"),
    )
)
_IMPLIED_KINDS = frozenset(kind for kind, _, _ in _IMPLIED)
_BRACKET_TOKENS = 3
_CORRECTED = re.compile(r"\b(?:correct|reduc|restor)ed\b", re.IGNORECASE)
_SMALL = re.compile(r"\s(?:was|were|is) (?:minimal|negligible|minor|insignificant|scant|little)\b", re.IGNORECASE)
_LONG_AFTER = 80  # days; a value taken later is one of a follow-up
_UNITS = {"°": "degree", "beats/minute": "beats/min", "points": "point", "msec": "ms", "sds": "SDS", "sd": "SDS"}


@dataclass(frozen=True, slots=True)
class _Measured:
    """A measure with one of its numbers and the words that hold both."""

    measure: Span
    words: Span
    number: AttributeValue
    unit: str = ""
    maximum: float | None = None
    statistic: str = ""
    phase: str = ""
    name: str = ""
    """The measure, where it is not the term of its words."""


def find(doc: Doc) -> Iterator[Finding]:
    """Yields every number of a measure; a measure without one as a finding of little confidence."""
    measures = [span for span in spans_of(doc, "terms", "measurement") if not _is_everyday(span)]
    measured = list(_measured(doc, measures))
    seen = {item.measure.start for item in measured}
    for item in _in_turn(doc, measured):
        yield _finding(item)
    for span in measures:
        small = _SMALL.match(text_of(doc), span.end_char)
        if span.start not in seen and small is not None:
            words = _stretch(span, small.end() - span.end_char)
            yield make_finding(
                words, "measurement", span._.term.preferred, source=_SOURCE, assertion="present", confidence=_TOLD
            )
        elif span.start not in seen and not span.text.islower():
            yield make_finding(span, "measurement", span._.term.preferred, source=_SOURCE, confidence=_NAMED)


def _is_everyday(span: Span) -> bool:
    """Whether a name is here an everyday word: "constant", "dash"."""
    return "everyday" in span._.term.attributes and len(span) == 1 and not span.text.isupper()


def _finding(item: _Measured) -> Finding:
    attributes: dict[str, AttributeValue] = {"number": item.number}
    if item.unit:
        attributes["unit"] = item.unit
    if item.maximum is not None:
        attributes["maximum"] = item.maximum
    if item.statistic in ("mean", "median"):
        attributes["statistic"] = item.statistic
    phase = item.phase or _phase(item.words)
    if phase:
        attributes["phase"] = phase
    return make_finding(
        item.words,
        "measurement",
        item.name or item.measure._.term.preferred,
        source=_SOURCE,
        unit=item.unit,
        attributes=attributes,
        confidence=_MEASURED,
    )


# ------------------------------------------------------------------------------------- numbers and measures


def _in_turn(doc: Doc, items: Sequence[_Measured]) -> Iterator[_Measured]:
    """The numbers with their phases: of "from 20 prior to surgery to 85" the second is the later one."""
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        previous = items[number - 1] if number else None
        if not item.phase and following is not None and _leads_to(doc, item, following):
            yield replace(item, phase=_phase(item.words) or "preoperative")
        elif not item.phase and previous is not None and _leads_to(doc, previous, item):
            late = _LAST.search(sentence_of(item.words).text) is not None
            yield replace(item, phase="last_follow_up" if late else "postoperative")
        else:
            yield item


def _leads_to(doc: Doc, first: _Measured, second: _Measured) -> bool:
    """Whether two numbers of one measure are told as a change from the first to the second."""
    if first.measure.start != second.measure.start or first.words.end >= second.words.end:
        return False
    between = text_of(doc)[first.words.end_char : second.words.end_char]
    before = text_of(doc)[max(0, first.words.start_char - 30) : first.words.end_char]
    return _TO.search(between) is not None and _CHANGE.search(before) is not None


def _measured(doc: Doc, measures: Sequence[Span]) -> Iterator[_Measured]:
    quantities = [span for span in spans_in(doc, "quantities") if span._.quantity.value is not None]
    taken: set[int] = set()
    for number, span in enumerate(quantities):
        if number and _is_range_of(doc, quantities[number - 1], span):
            continue
        measure = _measure_of(doc, span, measures)
        if measure is not None:
            taken.add(measure.start)
            yield from _numbers(doc, measure, span)
        else:
            yield from _implied(doc, span)
    for measure in measures:
        if measure.start not in taken:
            yield from _plain(doc, measure)


def _is_range_of(doc: Doc, first: Span, second: Span) -> bool:
    """Whether the second of two quantities is the range of the first: "95 min (78-112 min)"."""
    told = second._.quantity
    spread = told.low is not None or len(told.values) > 1
    if not spread or first.label_ != second.label_ or second.start - first.end > _BRACKET_TOKENS:
        return False
    return doc[first.end : second.start].text.strip() in ("(", "[", "(range", "(range,", "(range:")


def _implied(doc: Doc, quantity: Span) -> Iterator[_Measured]:
    """What a quantity measures by the words before it; "curves of 102° and 63°" are two."""
    if quantity.label_ not in _IMPLIED_KINDS:
        return
    start = max(sentence_of(quantity).start_char, quantity.start_char - _GAP_CHARS)
    before = text_of(doc)[start : quantity.start_char]
    for kind, pattern, name in _IMPLIED:
        match = pattern.search(before) if quantity.label_ == kind else None
        if match is None:
            continue
        words = doc.char_span(start + match.start(), quantity.end_char, alignment_mode="expand") or quantity
        told, values = quantity._.quantity, quantity._.quantity.values
        if len(values) == 2 and told.low is not None and _CHANGE.search(match[0]):
            for number, phase in zip(values, ("preoperative", "postoperative"), strict=True):
                yield _Measured(words[:1], words, number, _unit(told), phase=phase, name=name)
            return
        apart = values if kind == "ANGLE" and told.low is None and len(values) > 1 else (_number(told),)
        for number in apart:
            yield _Measured(words[:1], words, number, _unit(told), statistic=told.statistic, name=name)
        return


def _measure_of(doc: Doc, quantity: Span, measures: Sequence[Span]) -> Span | None:
    """The measure that a quantity is a value of: one that holds it, right after it, or before it in its clause."""
    fitting = [m for m in measures if sentence_of(m) == sentence_of(quantity) and _fits(m, quantity)]
    for measure in fitting:
        if measure.start < quantity.end and quantity.start < measure.end:
            return measure
    after = next((m for m in fitting if m.start >= quantity.end), None)
    before = next((m for m in reversed(fitting) if m.end <= quantity.start), None)
    if after is not None and _leads(text_of(doc)[quantity.end_char : after.start_char], before is None):
        return after
    if before is not None:
        gap = text_of(doc)[before.end_char : quantity.start_char]
        if len(gap) <= _GAP_CHARS and not _NO_GAP.search(gap):
            return before
    return None


def _leads(gap: str, alone: bool) -> bool:
    """Whether the words between a quantity and a measure after it bind them: "940 g of intraoperative blood loss"."""
    return _SPACE.fullmatch(gap) is not None or (
        _BEFORE_MEASURE.fullmatch(gap) is not None and (alone or " of " in gap or " on " in gap)
    )


def _fits(measure: Span, quantity: Span) -> bool:
    """Whether a measure takes this kind of quantity."""
    kind = quantity.label_
    if kind == "PERCENT" and _OF_NORMAL.match(text_of(quantity.doc)[quantity.end_char : quantity.end_char + 15]):
        return False
    if kind == "DURATION" and _MILLISECOND.search(quantity.text):
        kind = "MILLISECOND"
    takes = str(measure._.term.attributes.get("takes", "")).upper()
    if takes:
        return kind in takes.split(",")
    if measure._.term.preferred == "visual_acuity":
        return kind == "SCORE"
    return kind in _SCORE_KINDS


def _numbers(doc: Doc, measure: Span, quantity_span: Span) -> Iterator[_Measured]:
    """The one or two numbers that a quantity gives: "45 to 92 points" after "improved from" is before and after."""
    quantity = quantity_span._.quantity
    words = doc[min(measure.start, quantity_span.start) : max(measure.end, quantity_span.end)]
    unit = _unit(quantity)
    maximum = quantity.maximum
    if maximum is None and quantity.kind == "SCORE":
        best = _maximum(measure)
        maximum = best if best is not None and quantity.value is not None and quantity.value <= best else None
    pair = quantity.low is not None and len(quantity.values) == 2 and quantity.statistic != "range"
    lead = text_of(doc)[measure.end_char : quantity_span.start_char] if measure.end <= quantity_span.start else ""
    if (pair or quantity.statistic == "range") and len(quantity.values) == 2 and _CHANGE.search(lead):
        first, last = quantity.values
        after = "last_follow_up" if _LAST.search(sentence_of(quantity_span).text) else "postoperative"
        yield _Measured(measure, words, first, unit, maximum, quantity.statistic, "preoperative")
        yield _Measured(measure, words, last, unit, maximum, quantity.statistic, after)
        return
    yield _Measured(measure, words, _number(quantity), unit, maximum, quantity.statistic)


def _number(quantity: Quantity) -> AttributeValue:
    """The figure; acuities and blood pressures as they are written, arcs of motion by their end."""
    value = quantity.value if quantity.value is not None else 0.0
    values = quantity.values
    if quantity.kind == "BLOOD_PRESSURE" and len(values) == 2:
        return f"{values[0]:g}/{values[1]:g}"
    if quantity.kind == "SCORE" and quantity.unit == "decimal" and len(values) == 2:
        return f"{values[0]:g}/{values[1]:g}"
    if quantity.kind == "ANGLE" and values:
        return max(values)
    if quantity.kind == "DURATION":
        return _duration(quantity)[0]
    if quantity.kind == "SIZE" and _MILLIMETRE.search(quantity.text):
        return round(value * 10, 3)
    if quantity.kind == "WEIGHT" and quantity.unit == "g" and _KILOGRAM.search(quantity.text):
        return round(value / 1000, 3)
    return value


def _unit(quantity: Quantity) -> str:
    if quantity.kind == "DURATION":
        return _duration(quantity)[1]
    if quantity.unit == "decimal":
        return ""
    if quantity.kind == "SIZE" and _MILLIMETRE.search(quantity.text):
        return "mm"
    if quantity.kind == "WEIGHT" and quantity.unit == "g" and _KILOGRAM.search(quantity.text):
        return "kg"
    return _UNITS.get(quantity.unit, quantity.unit)


_IN_DAYS = re.compile(r"\b(?:day|week|month|year)", re.IGNORECASE)
_MILLIMETRE = re.compile(r"\d\s?-?mm\b|millimet", re.IGNORECASE)
_KILOGRAM = re.compile(r"\d\s?-?kg\b|kilogram|\bkilos?\b", re.IGNORECASE)
_MILLISECOND = re.compile(r"\bm(?:illi)?s(?:ec\w*)?\b|\dms\b", re.IGNORECASE)
_WRITTEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*-?(?P<unit>ms|msec|milliseconds?|s|sec\w*|min\w*|h|hrs?|hours?)\b", re.IGNORECASE
)


def _duration(quantity: Quantity) -> tuple[float, str]:
    """A duration in the unit that it was written in: minutes of an operation, days of a stay."""
    written = _WRITTEN.search(quantity.text)
    if written is not None and not _IN_DAYS.search(quantity.text):
        unit = written["unit"].lower()
        short = "ms" if unit.startswith(("ms", "milli")) else {"s": "second", "m": "min", "h": "hour"}[unit[0]]
        return float(written["number"]), short
    return quantity.value or 0.0, "day"


def _plain(doc: Doc, measure: Span) -> Iterator[_Measured]:
    """The number or grade that follows a measure without being a quantity of its own."""
    text = text_of(doc)[measure.end_char : min(sentence_of(measure).end_char, measure.end_char + _GAP_CHARS)]
    best = _maximum(measure)
    if "graded" in measure._.term.attributes:
        grade = _GRADE.match(text)
        if grade is not None:
            level = grade["grade"]
            number: AttributeValue = _ROMAN.get(level, level) if not level.isdigit() else float(level)
            yield _Measured(measure, _stretch(measure, grade.end("grade")), number, "", best)
            return
    plain = _PLAIN.match(text)
    if plain is None:
        return
    unit = (plain["unit"] or "").lower()
    value = float(plain["number"].replace("−", "-"))
    stated = float(plain["maximum"]) if plain["maximum"] else best
    maximum = stated if stated is not None and value <= stated else None
    yield _Measured(measure, _stretch(measure, plain.end("number")), value, _UNITS.get(unit, unit), maximum)


def _stretch(measure: Span, chars: int) -> Span:
    """A measure and so many characters after it, as whole tokens."""
    span = measure.doc.char_span(measure.start_char, measure.end_char + chars, alignment_mode="expand")
    return measure if span is None else span


def _maximum(measure: Span) -> float | None:
    """The best possible value; of scales on which less is better there is none."""
    attributes = measure._.term.attributes
    if attributes.get("better") != "high" or "maximum" not in attributes:
        return None
    return float(str(attributes["maximum"]))


# -------------------------------------------------------------------------------------------------- phase


def _phase(words: Span) -> str:
    """When a number was taken: told in its clause, or by its time from the operation, or of the whole sentence."""
    doc, sentence = words.doc, sentence_of(words)
    before = text_of(doc)[max(sentence.start_char, words.start_char - 60) : words.end_char]
    after = text_of(doc)[words.end_char : min(sentence.end_char, words.end_char + 50)]
    after = re.split(r"[;]|\.\s|\bto \d|,? (?:and|but|which) ", after)[0]
    told = _told_phase(after) or _told_phase(before)
    if told:
        return told
    when = when_of(words)
    if when is not None:
        return "preoperative" if when <= 0 else "postoperative" if when < _LONG_AFTER else "last_follow_up"
    if _CORRECTED.search(words.text):
        return "postoperative"
    if role_of(words) == "case":
        return "preoperative"
    return "last_follow_up" if _LAST.search(text_of(doc)[sentence.start_char : words.start_char]) else ""


def _told_phase(words: str) -> str:
    for phase, pattern in _PHASES:
        if pattern.search(words):
            return phase
    return ""
