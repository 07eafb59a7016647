"""Quantities: ages, durations, sizes, doses, scores, vertebral levels, dates, numbers of patients.

Writes `doc.spans["quantities"]`: each span's `label_` is the kind and `span._.quantity` a `Quantity`. A stretch of
text is one quantity, the longest reading of it. Numbers may be words; ranges and means keep all their figures.

Works on the text, not on tokens: tokenizers disagree about `5x4x3cm` and `34-yr-old`. Every reading starts where a
number starts (or at one of a few words, such as `newborn`), so that text without numbers costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import median

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.stages.extensions import set_on, text_of
from caseframe.stages.needles import finditer, search
from caseframe.stages.units import (
    BLANK,
    DASH,
    DAYS_A_YEAR,
    GAP,
    LONG_TIME_UNIT,
    NUMBER,
    ORDINAL,
    TIME_UNIT,
    UNIT,
    Unit,
    days_of,
    longest,
    number,
    number_starts,
    ordinal,
    unit,
)

SPANS = "quantities"
KINDS = (
    "AGE", "DURATION", "SIZE", "AREA", "VOLUME", "WEIGHT", "DOSE", "CONCENTRATION", "SCORE", "PERCENT", "LEVEL", "DATE",
    "BMI", "ANGLE", "TEMPERATURE", "PRESSURE", "BLOOD_PRESSURE", "RATE", "PATIENTS", "COUNT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a stretch of text measures. Values are in `unit`: AGE in years, DURATION in days, SIZE in cm, and so on."""

    kind: str
    value: float | None = None
    """The figure; of a range its middle, of a list the largest (of ages the median), of scores the latest."""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    maximum: float | None = None
    """The best possible score (26/30), or the whole that a count is part of (12 of 23 patients)."""
    values: tuple[float, ...] = ()
    """Every figure, in the order of the text."""
    comparator: str = ""
    """One of `>`, `>=`, `<`, `<=`, `~`, or empty."""
    statistic: str = ""
    """`mean`, `median`, `range`, or empty."""
    canonical: str = ""
    """A LEVEL as `L3-S1`, a DATE as `2015-03-12`."""
    instrument: str = ""
    """What a SCORE was measured with, as the text calls it."""
    fractions: int | None = None
    """In how many fractions a radiation dose was given."""
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Found:
    """A quantity and where in the text it stands."""

    start: int
    end: int
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class _Item:
    """One number of a series with its unit, if it has one of its own."""

    value: float
    unit: str
    end: int
    digits: bool


@dataclass(frozen=True, slots=True)
class _Series:
    """Numbers joined by dashes, `to`, `and`, commas, `±` or `×`."""

    items: tuple[_Item, ...]
    joins: tuple[str, ...]

    @property
    def end(self) -> int:
        return self.items[-1].end

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(item.value for item in self.items)

    def cut(self, count: int) -> _Series:
        """The first `count` numbers."""
        return _Series(self.items[:count], self.joins[: count - 1])


_NUMBER = re.compile(NUMBER)
_UNIT = re.compile(rf"{GAP}(?:(?P<time>{TIME_UNIT})|(?P<unit>{UNIT}))")
_JOIN = re.compile(
    rf"{BLANK}?(?:(?P<error>±|\+/[-−]|\+-)|(?P<product>[×xX*✕](?!{BLANK}?10(?:\^|\*|[⁰¹²³⁴-⁹]|\d{{1,2}}{BLANK}?(?:/|IU|U|copies|cells)))|by(?={BLANK}))){BLANK}?"
    rf"|(?P<range>(?:{DASH})?{BLANK}(?:to|or|through|up{BLANK}to){BLANK}(?:an?{BLANK})?|{BLANK}?{DASH}{BLANK}?)"
    rf"|(?P<list>,?{BLANK}and{BLANK}|,{BLANK}(?:and{BLANK})?|{BLANK}&{BLANK}|(?={BLANK}\d)(?<=s|r|h){BLANK})"
)
# A number after one of these names something; it measures nothing.
_LABEL = re.compile(
    r"(?:\b(?i:cases?|patients?|grades?|stages?|types?|day|phase|fig(?:ure)?s?\.?|table|no\.?|number|levels?|groups?|"
    rf"class|POD|case{BLANK}no\.?|chapter|chromosome|gravida|para|G|P|exon|codon|factor|zone|segments?)|#){BLANK}?(?:[(#]{BLANK}?)?$"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_LEAD_CHARS = 90
# So far before a number a pattern may begin that ends at the number and has no repetition.
_NEAR = 32


def _series(text: str, start: int) -> _Series | None:
    """The series of numbers that begins at `start`."""
    items: list[_Item] = []
    joins: list[str] = []
    match = _NUMBER.match(text, start)
    while match is not None and len(items) < 8:
        value = number(match[0])
        if value is None:
            break
        own = _UNIT.match(text, match.end())
        name = (own["time"] or own["unit"]) if own else ""
        items.append(_Item(value, name, own.end() if own else match.end(), match[0][0].isdigit()))
        join = _JOIN.match(text, items[-1].end)
        if join is None:
            break
        if join.lastgroup == "list" and _YEAR.fullmatch(match[0]):
            break  # "in 2006, 39 years after"
        match = _NUMBER.match(text, join.end())
        joins.append(str(join.lastgroup))
    return _Series(tuple(items), tuple(joins[: len(items) - 1])) if items else None


def _single(text: str, end: int) -> _Series | None:
    value = number(text)
    return None if value is None else _Series((_Item(value, "", end, text[0].isdigit()),), ())


@lru_cache(maxsize=2048)
def _is_time(name: str) -> bool:
    return _TIME.fullmatch(name) is not None


_TIME = re.compile(TIME_UNIT)


def _kind_of(name: str) -> str:
    return "DURATION" if _is_time(name) else unit(name).kind


def _measured(series: _Series) -> _Series | None:
    """The longest beginning of a series that ends with a unit and measures one kind of thing; None if nothing does."""
    units = [(n, item.unit) for n, item in enumerate(series.items) if item.unit]
    if not units:
        return None
    kind = _kind_of(units[0][1])
    last = units[0][0]
    for n, name in units[1:]:
        if _kind_of(name) != kind:
            break
        last = n
    for n in range(last):  # "Case 2, 3 months": a comma or `and` joins like with like only
        if series.joins[n] == "list" and series.items[n].digits != series.items[n + 1].digits:
            return series.cut(n + 1) if series.items[n].unit else None
    return series.cut(last + 1)


@dataclass(frozen=True, slots=True)
class _Summary:
    """What a series of converted values amounts to."""

    value: float
    low: float | None = None
    high: float | None = None
    statistic: str = ""


def _summary(values: tuple[float, ...], joins: tuple[str, ...], lead: str) -> _Summary:
    if not joins:
        return _Summary(values[0])
    if joins[0] == "error":
        return _Summary(values[0], statistic="mean")
    is_range = joins[0] == "range" or (joins[0] == "list" and _BETWEEN.search(lead) is not None)
    if len(values) == 2 and is_range:
        low, high = min(values), max(values)
        return _Summary((low + high) / 2, low, high, "range")
    return _Summary(max(values))


_BETWEEN = re.compile(rf"\bbetween{BLANK}(?:the{BLANK}ages{BLANK}of{BLANK})?$", re.IGNORECASE)
_STATISTIC = re.compile(r"\b(mean|average|averaging|averaged|median)\b[^.;\d]{0,60}$", re.IGNORECASE)
_STATISTIC_AFTER = re.compile(rf"{BLANK}?\((mean|average|median)\)|{BLANK}on{BLANK}(average)\b", re.IGNORECASE)
_COMPARATORS = {
    "at_least": (r"[≥⩾]|>\s?=|\bat least|\bno less than|\ba minimum of", ">="),
    "at_most": (r"[≤⩽]|<\s?=|\bat most|\bup to|\bno more than|\ba maximum of|\bwithin", "<="),
    "more": (
        r">|\b(?:more|longer|greater|larger|older|higher)(?: than)?|\bover|\bexceeding|\bbeyond|\babove", ">"
    ),
    "less": (r"<|\b(?:less|fewer|shorter|smaller|younger|lower) than|\bunder|\bbelow", "<"),
    "about": (r"[~∼≈]|\b(?:about|approximately|approx\.?|around|nearly|almost|roughly|some|circa)", "~"),
}  # fmt: skip
_COMPARATOR = re.compile(
    rf"(?:{'|'.join(f'(?P<{name}>{pattern})' for name, (pattern, _) in _COMPARATORS.items())}){BLANK}?(?:an?{BLANK})?$",
    re.IGNORECASE,
)


# What a comparator ends with, or the article after it.
_COMPARED = (
    "=", "≥", "⩾", "≤", "⩽", ">", "<", "~", "∼", "≈", "least", "than", "of", "most", "to", "within", "more", "longer",
    "greater", "larger", "older", "higher", "over", "exceeding", "beyond", "above", "under", "below", "about", "ely",
    "approx", "approx.", "around", "nearly", "almost", "roughly", "some", "circa", "a", "an",
)  # fmt: skip


def _comparator(lead: str) -> str:
    if not lead.rstrip().lower().endswith(_COMPARED):
        return ""
    found = _COMPARATOR.search(lead, max(0, len(lead) - _NEAR))
    return _COMPARATORS[str(found.lastgroup)][1] if found is not None else ""


def _statistic(text: str, end: int, lead: str) -> str:
    found = _STATISTIC.search(lead) or _STATISTIC_AFTER.match(text, end)
    if found is None:
        return ""
    return "median" if "median" in found[0].lower() else "mean"


# ---------------------------------------------------------------------------------------------------------------- times

_OLD = re.compile(
    rf"(?:{BLANK}|{DASH})*(?:olds?(?![A-Za-z])|of{BLANK}age\b|(?:after|of){BLANK}life\b)"
    rf"|(?:{BLANK}|{DASH}){{1,3}}(?=(?:male|female|man|woman|boy|girl|lady|gentleman|infant|neonate|child)\b)",
    re.IGNORECASE,
)
_YO_AT_NUMBER = re.compile(rf"(?P<number>{NUMBER}){GAP}(?:y/o|y\.o\.?|yo|yom|yof)(?![A-Za-z])", re.IGNORECASE)
_AGE_WORDS = (
    r"of|at|was|were|is|being|mean|median|average|range[sd]?|ranging|from|between|diagnosis|surgery|operation|"
    r"presentation|onset|treatment|the|time|about|approximately|around|over|under|than|more|less|years?|group|patients?|"
    r"our|his|her|their|cases|only|in|for|all|to|admission|transplantation|death|initial|first|these|referral"
)
_AGED = re.compile(
    rf"\b(?:ag(?:e|es|ed|eing))(?:{BLANK}(?:{_AGE_WORDS})\b)*{BLANK}?"
    rf"(?:[,:=(~<>≥≤]{BLANK}?(?:range[sd]?:?{BLANK}(?:of{BLANK})?)?)?$",
    re.IGNORECASE,
)


def _is_aged(lead: str) -> bool:
    return "ag" in lead.lower() and _AGED.search(lead) is not None


_HISTORY_OF = re.compile(
    rf"{BLANK}(?:histor|course|duration|follow|after|before|ago|later|earlier|prior|post)", re.IGNORECASE
)
_RANGE_TAIL = re.compile(
    rf"{BLANK}?(?P<open>[(\[,;])?{BLANK}?(?P<word>rang(?:e[sd]?|ing)\b)?"
    rf"(?:{BLANK}?[:=,])?{BLANK}?(?:of|from|between)?{BLANK}?"
    rf"(?P<low>{NUMBER})(?:{GAP}(?P<unit1>{TIME_UNIT}))?{BLANK}?(?:{DASH}|to|and){BLANK}?(?P<high>{NUMBER})"
    rf"(?:{GAP}(?P<unit2>{TIME_UNIT}))?(?:{BLANK}?(?:old|of{BLANK}age))?(?P<close>{BLANK}?[)\]])?",
    re.IGNORECASE,
)


def _converted(series: _Series) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """The values of a series of times in days; `5 years and 3 months` is one.

    A number without unit takes the next one's.
    """
    days: list[float] = []
    name = ""
    for item in reversed(series.items):
        name = item.unit or name
        days.append(item.value * days_of(name))
    days.reverse()
    factors = [days_of(item.unit) if item.unit else 0.0 for item in series.items]
    values, joins = [days[0]], []
    for n in range(1, len(days)):
        sums = series.joins[n - 1] in ("list", "range") and factors[n - 1] > factors[n] > 0
        if sums and (series.joins[n - 1] == "list" or n == 1):
            values[-1] += days[n]
        else:
            values.append(days[n])
            joins.append(series.joins[n - 1])
    return tuple(values), tuple(joins)


def _time(text: str, start: int, series: _Series, lead: str) -> Found:
    """The age or duration that a series of times is."""
    days, joins = _converted(series)
    end = series.end
    old = _OLD.match(text, end)
    is_age = old is not None or (_is_aged(lead) and not _HISTORY_OF.match(text, end))
    if old is not None:
        end += len(old[0].rstrip(" -‐‑–"))
    summary = _summary(days, joins, lead)
    if is_age and joins and set(joins) == {"list"} and not summary.statistic:
        summary = _Summary(median(days))
    statistic = _statistic(text, end, lead) or summary.statistic
    low, high = summary.low, summary.high
    if statistic in ("mean", "median") or is_age:
        tail = _RANGE_TAIL.match(text, end)
        if tail is not None and (tail["word"] or tail["open"] == "("):
            name = tail["unit2"] or tail["unit1"] or series.items[-1].unit
            low = (number(tail["low"]) or 0.0) * days_of(tail["unit1"] or name)
            high = (number(tail["high"]) or 0.0) * days_of(name)
            end = tail.end()
    per = DAYS_A_YEAR if is_age else 1.0
    found = Quantity(
        "AGE" if is_age else "DURATION",
        _rounded(summary.value, series, is_age),
        "year" if is_age else "day",
        None if low is None else round(low / per, 2),
        None if high is None else round(high / per, 2),
        values=tuple(_rounded(value, series, is_age) for value in days),
        comparator=_comparator(lead),
        statistic=statistic,
    )
    return Found(start, end, replace(found, text=text[start:end]))


def _rounded(days: float, series: _Series, is_age: bool) -> float:
    """Days, or years; months become twelfths, so that 6 months are 0.5 years."""
    if not is_age:
        return round(days, 2)
    if all("mo" in item.unit.lower() for item in series.items if item.unit):
        return round(days / 30.4 / 12, 2)
    return round(days / DAYS_A_YEAR, 2)


def _bare_age(text: str, start: int, lead: str) -> Found | None:
    """An age without its unit: `aged 62`, `ages ranging from 23 to 78`, `12 yo`."""
    short = _YO_AT_NUMBER.match(text, start)
    if short is None and not _is_aged(lead):
        return None
    series = _series(text, start) if short is None else _single(short["number"], short.end("number"))
    if series is None or any(item.unit for item in series.items) or max(series.values) > 120:
        return None
    if short is None and _PATIENTS.match(text, series.end):
        return None
    summary = _summary(series.values, series.joins, lead)
    if series.joins and set(series.joins) == {"list"} and not summary.statistic:
        summary = _Summary(median(series.values))
    end = short.end() if short else series.end
    statistic = _statistic(text, end, lead) or summary.statistic
    found = Quantity(
        "AGE", summary.value, "year", summary.low, summary.high,
        values=series.values, comparator=_comparator(lead), statistic=statistic, text=text[start:end],
    )  # fmt: skip
    return Found(start, end, found)


# ------------------------------------------------------------------------------------------------------- other measures

_ACRONYMS = (
    "MSTS VAS NRS ODI NDI JOA mJOA HHS TESS KPS ECOG GCS WOMAC KSS KOOS HOOS DASH QuickDASH RS mRS AOFAS MMSE UCLA "
    "ASES IKDC APACHE SOFA NIHSS EDSS BASDAI DAS28 SF-36 SF36 EQ-5D PHQ-9 HAM-D HAMD BPRS PANSS CAPS MoCA MELD "
    "SUV SUVmax"
).split()
_INSTRUMENT = re.compile(
    rf"\b(?P<name>{'|'.join(_ACRONYMS)}|"
    r"(?i:(?:[\w-]+[^\S\n]){0,3}?(?:scores?|scale|index|scoring system)|karnofsky|glasgow coma|harris hip|lysholm|"
    r"constant|apgars?|visual analog(?:ue)?|oswestry|visual acuity|acuity|muscle (?:strength|power)|motor power))\b"
    r"(?P<rest>[^.;\d]{0,60})$"
)
# One of these, or of the acronyms, stands in any name of an instrument; the pattern itself is slow.
_INSTRUMENT_WORDS = (
    "scor", "scale", "index", "karnofsky", "glasgow", "harris", "lysholm", "constant", "apgar", "visual", "oswestry",
    "acuity", "muscle", "motor",
)  # fmt: skip
_CAPITALS = re.compile("[A-Z][A-Z]")
_WORD = re.compile(r"\w+")
_ACRONYM_WORDS = frozenset(name.partition("-")[0] for name in _ACRONYMS)
_RATIO = re.compile(
    rf"(?P<a>{NUMBER})(?:{BLANK}?/{BLANK}?|(?P<of>{BLANK}(?:out{BLANK})?of{BLANK}(?:the{BLANK}|our{BLANK}|a{BLANK}(?:possible|total|maximum){BLANK})?))"
    rf"(?P<b>{NUMBER})(?![\d.,]*\d)(?:{BLANK}?(?P<unit>points?\b|%|mm{BLANK}?Hg\b))?"
    rf"(?:{BLANK}?\({BLANK}?\d{{1,3}}(?:[.,]\d+)?{BLANK}?%{BLANK}?\))?(?!/)"
)
_NO_SCORE = re.compile(rf"{BLANK}?(?:\d{{3}}\b|(?i:hpf|high|{DASH}?[a-z]*power)|{UNIT}|{TIME_UNIT})")
_PRESSURE_LEAD = re.compile(r"(?:blood pressure|\bBP)\b[^.;\d]{0,40}$", re.IGNORECASE)
_PATIENTS = re.compile(
    rf"(?:{BLANK}|{DASH})(?:(?!(?:of|the|and|with|in|at|to|for|or|from|by|per|had|were|was|who|on|out|after|a|an|other|more)\b)"
    rf"[A-Za-z][A-Za-z'-]*{BLANK}){{0,4}}?"
    r"(?P<noun>patients?|cases?|subjects|individuals|men|women|males|females|children|adults|boys|girls|infants|neonates|"
    r"newborns|siblings|brothers|sisters|persons?|people|participants|volunteers|twins|adolescents|man|woman)\b(?![-'])",
    re.IGNORECASE,
)
_N_EQUALS = re.compile(rf"\b[nN]{BLANK}?={BLANK}?$")
_NOUNS = {"men": "man", "women": "woman", "children": "child", "people": "person"}
_DOSE_TAIL = re.compile(
    rf"{BLANK}(?:in|over|divided{BLANK}(?:in|into)|given{BLANK}in|using){BLANK}(?P<fractions>{NUMBER}){BLANK}(?:daily{BLANK})?(?:fractions|fx)\b",
    re.IGNORECASE,
)
_GRAM_IS_DOSE = re.compile(
    rf"(?:/|{BLANK}(?:of|daily|twice|once|every|per|orally|iv|i\.v|intravenous|intravenously|/|for|q\d))", re.IGNORECASE
)
_WEIGHING = re.compile(r"weigh(?:ed|ing|s|t)[^.;]{0,25}$", re.IGNORECASE)


def _measure(text: str, start: int, series: _Series, lead: str) -> Found:
    """A size, volume, dose, percentage, angle … with a unit."""
    names = [item.unit for item in series.items]
    units: list[Unit] = []
    for name in reversed(names):
        units.append(unit(name) if name else units[-1])
    units.reverse()
    kind, canonical = units[-1].kind, units[-1].name
    factor_of_last = units[-1].factor
    if "product" in series.joins and kind in ("SIZE", "AREA", "VOLUME"):
        kind, canonical = "SIZE", "cm"
        factor_of_last = 0.1 if "mm" in names[-1].lower() else 1.0
        factors = [factor_of_last if u.kind != "SIZE" else u.factor for u in units]
    else:
        factors = [u.factor for u in units]
    values = tuple(round(item.value * factor, 6) for item, factor in zip(series.items, factors, strict=True))
    end, fractions = series.end, None
    is_gram = kind == "WEIGHT" and names[-1] in ("g", "gm", "gs")
    if is_gram and _WEIGHING.search(lead) is None and _GRAM_IS_DOSE.match(text, end):
        kind = "DOSE"
    if kind == "DOSE":
        tail = _DOSE_TAIL.match(text, end)
        if tail is not None:
            end, fractions = tail.end(), int(number(tail["fractions"]) or 0)
    joins = series.joins
    summary = _Summary(max(values)) if "product" in joins else _summary(values, joins, lead)
    instrument = ""
    if kind == "SCORE":
        summary, instrument = _latest(values, joins, lead), _instrument(lead)
    found = Quantity(
        kind, round(summary.value, 6), canonical, summary.low, summary.high,
        values=values, comparator=_comparator(lead), statistic=_statistic(text, end, lead) or summary.statistic,
        instrument=instrument, fractions=fractions,
        text=text[start:end],
    )  # fmt: skip
    return Found(start, end, found)


def _instrument(lead: str) -> str:
    found = _instrument_in(lead)
    return _NAME_START.sub("", found["name"]) if found else ""


def _instrument_in(lead: str) -> re.Match[str] | None:
    lower = lead.lower()
    may_be = any(word in lower for word in _INSTRUMENT_WORDS) or (
        _CAPITALS.search(lead) is not None and not _ACRONYM_WORDS.isdisjoint(_WORD.findall(lead))
    )
    return _INSTRUMENT.search(lead) if may_be else None


# Words before an instrument's name that are none of it: "revealed a bacteriological index".
_NAME_START = re.compile(
    r"^.*\b(?:an?|the|of|by|with|in|was|were|had|his|her|their|and|on|mean|median|average|total|to|for|that|using|from)\s",
    re.IGNORECASE,
)
# The words between an instrument and its figure end with one of these, or with the name itself.
_SCORE_COMES = re.compile(
    r"(?:\b(?:of|was|were|is|from|to|than|about|approximately|at|scores?|scale|index|strength|power|acuity|constant|"
    r"karnofsky|lysholm|apgars?|[A-Z]{2,}[a-z]*|by)|[:=,(~<>≥≤])\s*$"
)
_RUNS_ON = re.compile(rf"{DASH}?[A-Za-z]|{BLANK}(?i:patients?|cases?|members?|of|months?|years?|weeks?|days?)\b")


def _latest(values: tuple[float, ...], joins: tuple[str, ...], lead: str) -> _Summary:
    """Scores that change ("from 8 to 2") end with the later one; a spread of scores has its middle."""
    if len(values) == 2 and joins[0] == "range" and not re.search(r"\brang|\bbetween", lead):
        return _Summary(values[1], min(values), max(values))
    return _summary(values, joins, lead)


def _bare_score(text: str, start: int, lead: str) -> Found | None:
    """A score without a unit, after the name of its instrument: `VAS 7 to 2`, `a Karnofsky score of 80`."""
    found = _instrument_in(lead)
    series = _series(text, start) if found is not None else None
    if found is None or series is None or series.items[0].unit:
        return None
    if _SCORE_COMES.search(found["name"] + found["rest"]) is None or len(found["rest"].split()) > 8:
        return None
    count = next((n for n, item in enumerate(series.items) if item.unit), len(series.items))
    for n in range(1, count):
        if series.joins[n - 1] == "list":
            count = n
            break
    series = series.cut(count)
    end = series.end
    if _RUNS_ON.match(text, end):
        return None
    summary = _latest(series.values, series.joins, lead)
    quantity = Quantity(
        "SCORE", summary.value, "", summary.low, summary.high, values=series.values, comparator=_comparator(lead),
        statistic=_statistic(text, end, lead) or summary.statistic, instrument=_instrument(lead), text=text[start:end],
    )  # fmt: skip
    return Found(start, end, quantity)


def _ratio(text: str, start: int, lead: str) -> Found | None:
    """`26/30 (87 %)`, `26 of 30`, `120/80 mmHg`, `12 of 23 patients`."""
    match = _RATIO.match(text, start)
    if match is None:
        return None
    part, whole = number(match["a"]), number(match["b"])
    if part is None or whole is None:
        return None
    end, values = match.end(), (part, whole)
    is_pressure = (match["unit"] or "").lower().startswith("mm") or _PRESSURE_LEAD.search(lead)
    if is_pressure and match["of"] is None:
        return Found(start, end, Quantity("BLOOD_PRESSURE", part, "mmHg", values=values, text=text[start:end]))
    patients = _PATIENTS.match(text, end)
    if patients is not None and part <= whole:
        quantity = Quantity("PATIENTS", part, _noun(patients["noun"]), maximum=whole, values=values)
        return Found(start, patients.end(), replace(quantity, text=text[start : patients.end()]))
    instrument = _instrument(lead)
    is_acuity = whole >= 20 if part == 20 else part == 6 and whole in (9, 12, 18, 24, 36, 60)
    if "acuity" in instrument.lower() or (is_acuity and not instrument and match["of"] is None):
        acuity = Quantity("SCORE", round(part / whole, 4) if whole else None, "decimal", values=values)
        return Found(start, end, replace(acuity, instrument=instrument or "visual acuity", text=text[start:end]))
    if part > whole or (match["of"] is not None and not (instrument or match["unit"])) or _NO_SCORE.match(text, end):
        return None
    if not instrument and whole not in (4, 5, 10, 15, 20, 30, 50, 100):
        return None
    score = Quantity("SCORE", part, "point", maximum=whole, values=values, comparator=_comparator(lead))
    return Found(start, end, replace(score, instrument=instrument, text=text[start:end]))


def _noun(word: str) -> str:
    word = word.lower()
    return _NOUNS.get(word, word.removesuffix("s"))


def _patients(text: str, start: int, lead: str) -> Found | None:
    """A count of patients: `five consecutive patients`, `n = 14`."""
    match = _NUMBER.match(text, start)
    value = number(match[0]) if match else None
    if match is None or value is None or value != int(value):
        return None
    if _N_EQUALS.search(lead):
        return Found(start, match.end(), Quantity("PATIENTS", value, "patient", values=(value,), text=match[0]))
    noun = _PATIENTS.match(text, match.end())
    if noun is None or (1900 <= value < 2100 and match[0].isdigit() and len(match[0]) == 4):
        return None
    quantity = Quantity("PATIENTS", value, _noun(noun["noun"]), values=(value,), comparator=_comparator(lead))
    return Found(start, noun.end(), replace(quantity, text=text[start : noun.end()]))


def _is_label(lead: str) -> bool:
    return _LABEL.search(lead, max(0, len(lead) - _NEAR)) is not None


def _at_number(text: str, start: int) -> Found | None:
    """What the number at `start` begins."""
    lead = text[max(0, start - _LEAD_CHARS) : start]
    lead = lead[lead.rfind("\n") + 1 :]
    if _YO_AT_NUMBER.match(text, start):
        return _bare_age(text, start, lead)
    series = _series(text, start)
    measured = _measured(series) if series is not None else None
    if measured is not None and not (measured.joins and not measured.items[0].unit and _is_label(lead)):
        time = _is_time(measured.items[-1].unit)
        return _time(text, start, measured, lead) if time else _measure(text, start, measured, lead)
    if _is_label(lead) and _instrument_in(lead) is None:
        return None
    return (
        _ratio(text, start, lead)
        or _bare_age(text, start, lead)
        or _patients(text, start, lead)
        or _bare_score(text, start, lead)
    )


# -------------------------------------------------------------------------------------------- words, levels, dates

_VAGUE = re.compile(
    rf"\b(?:(?P<vague>several|(?:a{BLANK})?few|some|many|a{BLANK}number{BLANK}of|a{BLANK}couple{BLANK}of)(?:{BLANK}|{DASH})"
    rf"(?P<many>{LONG_TIME_UNIT})|half(?:{BLANK}|{DASH})?an?(?:{BLANK}|{DASH})(?P<half>{LONG_TIME_UNIT})"
    rf"|(?P<single>an?{BLANK}(?P<one>{LONG_TIME_UNIT}))(?P<and>{BLANK}and{BLANK}a{BLANK}half)?)",
    re.IGNORECASE,
)
_RATE_LEAD = re.compile(
    r"(?:once|twice|thrice|times?|daily|weekly|doses?|packs?|cigarettes|mg|/|%|ml|g|drinks)\s$", re.IGNORECASE
)
_LIFE = re.compile(
    rf"\b(?:(?:his|her|their|the|early|mid|late)(?:{BLANK}|{DASH}))(?:(?:early|mid|late)(?:{BLANK}|{DASH}))?"
    rf"(?P<tens>twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties|[2-9]0['’]?s)\b"
    rf"|\b(?P<decade>{ORDINAL}){BLANK}decade(?:{BLANK}of{BLANK}(?:his|her|their)?{BLANK}?life)?\b"
    r"|\b(?P<birth>newborns?|neonates?)\b"
    r"|\b(?P<arian>quinquagenarian|sexagenarian|septuagenarian|octogenarian|nonagenarian|centenarian)s?\b",
    re.IGNORECASE,
)
# A literal hint first: the full pattern is slow and rarely needed.
_LIFE_HINT = re.compile(r"(?:ties|decade|ewborn|eonate|narian|0['’]?s)\b")
_LIFE_WORDS = ("ties", "decade", "ewborn", "eonate", "narian", "0s", "0's", "0’s")
_TENS_WORDS = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
    "nineties": 90, "quinquagenarian": 50, "sexagenarian": 60, "septuagenarian": 70, "octogenarian": 80,
    "nonagenarian": 90, "centenarian": 100,
}  # fmt: skip


def _words(text: str) -> Iterator[Found]:
    """Quantities without a number: `several months`, `half a year`, `in her forties`, `newborn`."""
    for match in finditer(_VAGUE, text):
        name = match["many"] or match["half"] or match["one"]
        value: float | None = None
        if match["half"]:
            value = days_of(match["half"]) / 2
        elif match["one"]:
            if _RATE_LEAD.search(text[max(0, match.start() - 12) : match.start()]):
                continue
            value = days_of(match["one"]) * (1.5 if match["and"] else 1)
        elif "couple" in match["vague"].lower():
            value = 2 * days_of(name)
        lead = text[max(0, match.start() - 30) : match.start()]
        quantity = Quantity("DURATION", None if value is None else round(value, 2), "day", comparator=_comparator(lead))
        values = () if value is None else (round(value, 2),)
        yield Found(match.start(), match.end(), replace(quantity, values=values, text=match[0]))
    if not any(word in text for word in _LIFE_WORDS) or _LIFE_HINT.search(text) is None:
        return
    for match in finditer(_LIFE, text):
        yield Found(match.start(), match.end(), replace(_life(match), text=match[0]))


def _life(match: re.Match[str]) -> Quantity:
    if match["birth"]:
        return Quantity("AGE", 0.0, "year", values=(0.0,))
    if match["decade"]:
        low = 10.0 * ((ordinal(match["decade"]) or 1) - 1)
    else:
        word = (match["tens"] or match["arian"]).lower()
        low = float(_TENS_WORDS.get(word) or int(word[:2]))
    return Quantity("AGE", low + 5, "year", low, low + 9, comparator="~")


_MONTHS = {
    name: n + 1
    for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())
}  # fmt: skip
_month = (
    r"(?P<m{0}>January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
)
_year = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"\b(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?{BLANK}(?:of{BLANK})?)?{_month.format(1)}{BLANK}(?:of{BLANK})?(?P<y1>{_year})\b"
    rf"|\b{_month.format(2)}{BLANK}(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?{BLANK}(?P<y2>{_year})\b"
    rf"|\b(?P<y3>{_year})-(?P<n3>\d\d)-(?P<d3>\d\d)\b"
    rf"|\b(?P<n4>\d{{1,2}})[/.](?P<d4>\d{{1,2}})[/.](?P<y4>{_year})\b"
    rf"|\b(?:in|since|until|during|from|year|between|by|after|before)(?:{BLANK}(?:early|late|mid|the{BLANK}year))?{BLANK}(?P<y5>{_year})\b(?!{BLANK}?(?:patients|cases|mg|ml|[a-z]*{BLANK}patients))"
    rf"|\b{_month.format(6)}{BLANK}(?P<d6>\d{{1,2}})(?:st|nd|rd|th)?\b(?![\d.,]\d)"
)


_YEAR_HINT = re.compile(r"(?:19|20)\d\d\b")
_DAY_HINT = re.compile(r"(?:[yhletr]|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)\.? \d{1,2}\b")
_MONTH_HINTS = tuple(month.title() for month in _MONTHS)


def _may_have_dates(text: str) -> bool:
    if _YEAR_HINT.search(text) is not None:
        return True
    return any(month in text for month in _MONTH_HINTS) and _DAY_HINT.search(text) is not None


def _dates(text: str) -> Iterator[Found]:
    """Calendar dates, as far as they are told: `12 May 2009`, `March 2015`, `in 2015`."""
    if not _may_have_dates(text):
        return
    for match in finditer(_DATE, text):
        part = {name: value for name, value in match.groupdict().items() if value}
        year = next((value for name, value in part.items() if name[0] == "y"), "")
        month = next((_MONTHS[value[:3].lower()] for name, value in part.items() if name[0] == "m"), 0)
        day = next((int(value) for name, value in part.items() if name[0] == "d"), 0)
        month = month or next((int(value) for name, value in part.items() if name[0] == "n"), 0)
        if "n4" in part and month > 12:
            month, day = day, month
        if month > 12 or day > 31:
            continue
        start = match.start("y5") if "y5" in part else match.start()
        pieces = [year] + ([f"{month:02d}"] if month else []) + ([f"{day:02d}"] if day else [])
        canonical = "-".join(pieces) if year else "--" + "-".join(pieces[1:])
        yield Found(start, match.end(), Quantity("DATE", canonical=canonical, text=text[start : match.end()]))


_level = r"(?:C[1-8]|T(?:h\.?|H)?(?:1[0-2]|[1-9])|D(?:1[0-2]|[1-9])|L[1-6]|S[1-5])"
_LEVEL = re.compile(
    rf"(?<![A-Za-z0-9])(?<![A-Za-z]{DASH})(?P<a>{_level})(?:(?P<join>{BLANK}?{DASH}{BLANK}?|{BLANK}?/{BLANK}?|{BLANK}(?:to|through|thru|down{BLANK}to|and|&){BLANK}|(?=S1))"
    rf"(?:the{BLANK})?(?P<b>{_level}|(?<=[-‐‑–—/])(?:1[0-2]|[1-9])))?(?P<c>{DASH}{_level})?(?![A-Za-z0-9])(?!{BLANK}?[°%])"
)
_LEVEL_HINT = re.compile(r"[CTDLS](?:h\.?|H)?[1-9]")
_REGION = re.compile(
    r"(?:cervical|thoracic|dorsal|lumbar|sacral) (?:spinal )?(?:vertebra|segment|bod|level|spine)", re.IGNORECASE
)
_NAMED_LEVEL = re.compile(
    rf"\b(?P<first>{ORDINAL})(?:{BLANK}?(?:and|to|{DASH}){BLANK}?(?:the{BLANK})?(?P<second>{ORDINAL}))?{BLANK}"
    rf"(?P<region>cervical|thoracic|dorsal|lumbar|sacral)(?:{BLANK}(?:spinal{BLANK})?(?:vertebra[el]?|segments?|bod(?:y|ies)|level|spine))\b"
)
_NOT_LEVEL = re.compile(
    rf"\*|{DASH}?{BLANK}?(?:and|or|,|/){BLANK}?T[12]\b|{DASH}?{BLANK}?(?:W\b|WI\b|weight|N\d|[a-d]?N[0-3x]|M[01x]|signal|hyper|hypo|image|imaging|sequence|FLAIR|relax|map|"
    rf"complement|esterase|inhibitor|deposit|and{BLANK}C4|stage|tumou?r|nephro|glomerul|heart|sound|MRI|MR\b|gadolinium|"
    rf"cell|post|contrast|enhanc|mapping|fat|T2|T1|/T2|hormone|level(?:s)?{BLANK}(?:was|were|of))|[a-d]?N\d",
    re.IGNORECASE,
)
_SPINE = re.compile(
    r"vertebra|level|spin[ae]|lamina|pedicle|root|radicul|dermatom|fracture|dis[ck]|burst|compression|fusion|"
    r"corpectomy|laminectomy|cord|myelo|kypho|lumbar|thoracic|cervical|sacr|paravert|epidural|body|bodies|neuro|hemangioma",
    re.IGNORECASE,
)
_ORDER = "CTLS"


def _levels(text: str) -> Iterator[Found]:
    """Vertebral levels: `T12–L2`, `C5/6`, `L3 to S1`, `fourth lumbar vertebra`."""
    if search(_REGION, text) is not None:
        yield from map(_named_level, _NAMED_LEVEL.finditer(text))
    if _LEVEL_HINT.search(text) is None:
        return
    for match in _LEVEL.finditer(text):
        first, second = _level_name(match["a"], ""), _level_name(match["b"] or "", match["a"])
        if match["c"]:
            second = _level_name(match["c"][1:], match["a"])
        if _NOT_LEVEL.match(text, match.end()) or not _is_spinal(text, match, first, second):
            continue
        if second and match["join"].strip() in ("and", "&") and not _adjacent(first, second):
            yield Found(*match.span("a"), Quantity("LEVEL", canonical=first, text=match["a"]))
            yield Found(*match.span("b"), Quantity("LEVEL", canonical=second, text=match["b"]))
            continue
        yield Found(match.start(), match.end(), Quantity("LEVEL", canonical=_joined(first, second), text=match[0]))


def _is_spinal(text: str, match: re.Match[str], first: str, second: str) -> bool:
    """Whether `T2` or `C3` is a vertebra; a TNM stage, an MRI sequence or a complement factor is none."""
    if second and (first[0] != second[0] or first[0] in "LS" or match["join"].strip() not in ("/", "and")):
        return True
    if first in ("T1", "T2", "T3", "T4", "C3", "C4", "S1", "S2", "S3", "S4", "C1", "C2") or match["a"][0] == "D":
        return _SPINE.search(text, max(0, match.start() - 40), match.end() + 40) is not None
    return True


def _level_name(text: str, before: str) -> str:
    """`Th12` and `D12` are T12; a bare `6` after `C5` is C6."""
    if not text:
        return ""
    if text.isdigit():
        return before[0].replace("D", "T") + text
    return re.sub(r"^(?:Th\.?|TH|D)", "T", text)


def _place(level: str) -> tuple[int, int]:
    return _ORDER.index(level[0]), int(level[1:])


def _adjacent(first: str, second: str) -> bool:
    (region, n), (other, m) = _place(first), _place(second)
    return abs(n - m) == 1 if region == other else {first, second} in ({"C7", "T1"}, {"T12", "L1"}, {"L5", "S1"})


def _joined(first: str, second: str) -> str:
    if not second or first == second:
        return first
    return "-".join(sorted((first, second), key=_place))


def _named_level(match: re.Match[str]) -> Found:
    letter = {"cervical": "C", "thoracic": "T", "dorsal": "T", "lumbar": "L", "sacral": "S"}[match["region"].lower()]
    first = f"{letter}{ordinal(match['first'])}"
    second = f"{letter}{ordinal(match['second'])}" if match["second"] else ""
    return Found(match.start(), match.end(), Quantity("LEVEL", canonical=_joined(first, second), text=match[0]))


# ------------------------------------------------------------------------------------------------------ all together


def find_quantities(text: str) -> list[Found]:
    """All quantities of a text, in its order, none overlapping another."""
    found = [*_words(text), *_dates(text), *_levels(text)]
    end, previous = 0, None
    for start in number_starts(text):
        if start < end:
            continue
        quantity = _at_number(text, start) or _later_score(text, start, previous)
        if quantity is not None:
            quantity = _same_instrument(text, quantity, previous)
            found.append(quantity)
            found.extend(_hanging(text, quantity))
            end, previous = quantity.end, quantity
    return longest(found)


_ON_TO = re.compile(r"^[^.;]{0,45}\b(?:to|and)\s$")


def _later_score(text: str, start: int, before: Found | None) -> Found | None:
    """The second figure of "VAS improved from 8 preoperatively to 2 postoperatively"."""
    if before is None or before.quantity.kind != "SCORE" or _ON_TO.search(text[before.end : start]) is None:
        return None
    match = _NUMBER.match(text, start)
    value = number(match[0]) if match else None
    if match is None or value is None or _RUNS_ON.match(text, match.end()):
        return None
    first = before.quantity
    quantity = Quantity("SCORE", value, first.unit, values=(value,), instrument=first.instrument, text=match[0])
    return Found(start, match.end(), quantity)


def _same_instrument(text: str, found: Found, before: Found | None) -> Found:
    """ "The pain scale fell from 6/10 to 3/10": the second is of the same instrument."""
    if found.quantity.kind != "SCORE" or found.quantity.instrument or before is None or before.quantity.kind != "SCORE":
        return found
    if _ON_TO.search(text[before.end : found.start]) is None:
        return found
    return replace(found, quantity=replace(found.quantity, instrument=before.quantity.instrument))


_DASHES = frozenset(DASH[1:-1])
_HANGING = re.compile(rf"(?P<number>{NUMBER}){DASH}{BLANK}?(?:,{BLANK}|{BLANK}?(?:and|or){BLANK})(?:an?{BLANK})?$")


def _hanging(text: str, found: Found) -> list[Found]:
    """The first of "17- and 21-year-old", which shares the unit of the second."""
    quantity = found.quantity
    if quantity.kind not in ("AGE", "DURATION", "SIZE") or len(quantity.values) != 1:
        return []
    lead = text[max(0, found.start - 24) : found.start]
    if _DASHES.isdisjoint(lead):
        return []
    match = next((m for m in map(_HANGING.search, (lead, lead[lead.find(" ") + 1 :])) if m), None)
    value, own = number(match["number"]) if match else None, _NUMBER.match(text, found.start)
    second = number(own[0]) if own else None
    if match is None or value is None or not second or not quantity.value:
        return []
    start = found.start - len(match[0])
    value = round(value * quantity.value / second, 2)
    first = replace(quantity, value=value, values=(value,), text=match["number"])
    return [Found(start, start + len(match["number"]), first)]


if not Span.has_extension("quantity"):
    Span.set_extension("quantity", default=None)


@Language.factory("caseframe_quantities", assigns=["doc.spans", "span._.quantity"])
def create_quantities(nlp: Language, name: str) -> QuantityFinder:
    """Factory of `caseframe_quantities`."""
    return QuantityFinder()


class QuantityFinder:
    """Finds the quantities of a Doc."""

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["quantities"]`."""
        spans: list[Span] = []
        for found in find_quantities(text_of(doc)):
            span = doc.char_span(found.start, found.end, label=found.quantity.kind, alignment_mode="expand")
            if span is None or (spans and span.start < spans[-1].end):
                continue
            set_on(span, "quantity", found.quantity)
            spans.append(span)
        doc.spans[SPANS] = spans
        return doc


def quantities_of(doc: Doc, kind: str) -> list[Span]:
    """The spans of one kind of quantity, in text order."""
    return [span for span in doc.spans.get(SPANS, ()) if span.label_ == kind]
