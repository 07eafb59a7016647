"""Numbers and units as articles write them: the words, the digits, the unit symbols, and what each is worth.

Everything here works on plain strings; `quantities` puts the pieces together and `timeline` reads the durations.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from caseframe.stages.needles import heads_in

DAYS_A_MONTH = 30.4
DAYS_A_YEAR = 365.0

# A blank that is no line break: a quantity never runs from the title into the abstract.
BLANK = r"[^\S\n]"
DASH = r"[-‐‑‒–—−]"
GAP = rf"{BLANK}?(?:{DASH}{BLANK}?)?"
"""What may stand between a number and its unit: `3 months`, `3-months`, `79- year`, `12cm`."""

_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_NUMBER_WORDS = {**_ONES, **_TEENS, **_TENS, "zero": 0}
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
    "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}

_one = "|".join(_ONES)
_teen = "|".join(_TEENS)
_ten = "|".join(_TENS)
_link = rf"(?:{BLANK}|{DASH})"
_small = rf"(?:(?:{_ten})(?:{_link}(?:{_one})(?![a-z]))?|{_teen}|{_one}|zero)(?![a-z])"
_word = rf"(?:(?:{_one}|an?){_link}hundred(?:(?:{_link}and)?{_link}{_small})?|a{BLANK}dozen|{_small})"
_half = rf"(?:{_link}and{_link}(?:an?{_link}|one{_link})?half(?![a-z])|{BLANK}?[½¼¾⅓⅔]|(?:{_link}and)?{_link}1/2)"
DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,9}(?:[.,·]\d{1,4}(?!\d))?|\.\d{1,4}(?!\d))"
NUMBER = rf"(?:{DIGITS}{_half}?|[½¼¾⅓⅔]|(?i:{_word}{_half}?))"
"""One number in digits or words. No capturing groups, so that it can stand in any pattern."""
_ordinal = "|".join(_ORDINALS)
ORDINAL = rf"(?:\d{{1,3}}{BLANK}?(?:st|nd|rd|th)(?![a-z])|(?i:(?:(?:{_ten}){DASH})?(?:{_ordinal})(?![a-z])))"

_DIGIT_START = re.compile(rf"[\d½¼¾⅓⅔](?<![A-Za-z0-9_].)(?<!\d[.,·].)(?<![A-Za-z]{DASH}.)")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
# For texts with a letter whose lower case is one of ASCII or takes more room, as those of few do.
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
# The words with which a number begins, by their first letters.
_WORD_STARTS: dict[str, list[str]] = {}
for _each in (*_ONES, *_TEENS, *_TENS, "zero", "hundred", "dozen"):
    _WORD_STARTS.setdefault(_each[:3], []).append(_each)


def number_starts(text: str) -> list[int]:
    """Where numbers begin: no digit that ends a name (`CD4`, `IL-6`), no word inside another (`often`)."""
    starts = [match.start() for match in _DIGIT_START.finditer(text)]
    lower = text.translate(_LOWER) if "\u0130" in text or "\u212a" in text else text.lower()
    for word in (word for head in _WORD_STARTS.keys() & heads_in(text) for word in _WORD_STARTS[head]):
        for place in _places_of(word, lower):
            if lower[max(0, place - 1) : place] not in ("_", "0"):
                # "a hundred" and "a dozen" begin with their article.
                begins_before = word in ("hundred", "dozen") and lower[max(0, place - 2) : place] == "a "
                starts.append(place - 2 if begins_before else place)
    return sorted(starts)


def _places_of(word: str, lower: str) -> Iterator[int]:
    """Where a word stands that is no part of a longer one."""
    place = lower.find(word)
    while place >= 0:
        end = place + len(word)
        if lower[max(0, place - 1) : place] not in _LETTERS and lower[end : end + 1] not in _LETTERS:
            yield place
        place = lower.find(word, end)


_HALF = re.compile(rf"{_link}and{_link}(?:(?:an?{_link}|one{_link})?half|1/2)$|\s1/2$", re.IGNORECASE)


@lru_cache(maxsize=4096)
def number(text: str) -> float | None:
    """The value of a number in digits or words: `1,003`, `3,5`, `2½`, `sixty-two`; None for others."""
    text = text.strip().lower().replace("·", ".")
    extra = 0.0
    if text and text[-1] in _FRACTIONS:
        extra, text = _FRACTIONS[text[-1]], text[:-1].strip()
        if not text:
            return extra
    half = _HALF.search(text)
    if half is not None:
        extra, text = extra + 0.5, text[: half.start()]
    whole = _digits(text) if text[:1].isdigit() or text[:1] == "." else _words(text)
    return None if whole is None else whole + extra


def ordinal(text: str) -> int | None:
    """The value of an ordinal: `third`, `twenty-first`, `19th`; None for others."""
    text = text.strip().lower()
    digits = re.match(r"\d+", text)
    if digits is not None:
        return int(digits[0])
    parts = re.split(DASH, text)
    if parts[-1] not in _ORDINALS:
        return None
    return _ORDINALS[parts[-1]] + (_TENS.get(parts[0], 0) if len(parts) > 1 else 0)


def _digits(text: str) -> float | None:
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _words(text: str) -> float | None:
    if re.fullmatch(r"a\s+dozen", text):
        return 12.0
    total, seen = 0, False
    for word in re.split(rf"{DASH}|\s+", text):
        if word in ("and", ""):
            continue
        if word == "hundred":
            total = max(total, 1) * 100
        elif word in _NUMBER_WORDS:
            total += _NUMBER_WORDS[word]
        elif word not in ("a", "an"):
            return None
        seen = seen or word not in ("a", "an")
    return float(total) if seen else None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit's kind of quantity, the name values are given in, and what one of it is worth in that."""

    kind: str
    name: str
    factor: float = 1.0


_TIME: tuple[tuple[str, float], ...] = (
    (r"(?i:seconds?|secs?)|s", 1 / 86400),
    (r"(?i:minutes?|mins?)", 1 / 1440),
    (r"(?i:hours?|hrs?)|h", 1 / 24),
    (r"(?i:days?)|d", 1.0),
    (r"(?i:weeks?|wks?)", 7.0),
    (r"(?i:fortnights?)", 14.0),
    (r"(?i:months?|mths?|mos?)", DAYS_A_MONTH),
    (r"(?i:years?|yrs?)|y", DAYS_A_YEAR),
    (r"(?i:decades?)", 10 * DAYS_A_YEAR),
)
TIME_UNIT = rf"(?:{'|'.join(pattern for pattern, _ in _TIME)})(?![A-Za-z0-9])"
LONG_TIME_UNIT = r"(?i:minutes?|hours?|days?|weeks?|fortnights?|months?|years?|decades?)(?![A-Za-z0-9])"
_TIME_DAYS = tuple((re.compile(pattern), days) for pattern, days in _TIME)


@lru_cache(maxsize=2048)
def days_of(unit: str) -> float:
    """What a unit of time is worth in days; a year has 365, a month 30.4."""
    for pattern, days in _TIME_DAYS:
        if pattern.fullmatch(unit):
            return days
    raise ValueError(f"no unit of time: {unit!r}")


_PER = rf"{BLANK}?(?:/|per{BLANK}){BLANK}?"
_AMOUNT = r"(?i:[mµμunpk]?(?:g|mol|iu|u|eq|l)|[mµμ]iu|units?|cells|copies|pg|ng)"
_POWER = rf"[×x]{BLANK}?10(?:[\^*]?\d{{1,2}}|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
_DOSE_PER = r"(?i:kg|m2|m²|day|d|hours?|h|min|week|dose|fraction|month)"
# Each row: kind, pattern (case-sensitive but where (?i:) says otherwise), canonical name, factor into it.
_TABLE: tuple[tuple[str, str, str, float], ...] = (
    # Composite units come before the simple ones they begin with.
    ("CONCENTRATION", rf"(?:{_POWER}{BLANK}?)?{_AMOUNT}{_PER}(?i:d?l|[mµμ]l|liters?|litres?|mm3|mm³|hpf)", "", 1.0),
    ("CONCENTRATION", rf"{_POWER}{BLANK}?(?:cells)?{_PER}[mµμ]?[lL]", "", 1.0),
    ("CONCENTRATION", rf"/{BLANK}?(?:mm3|mm³|[µμ][lL]|mL|ml|L|HPF|hpf)", "", 1.0),
    ("DOSE", rf"(?i:mg|mcg|[µμu]g|ng|g|iu|units?|u|ml|mmol|gy|meq){_PER}{_DOSE_PER}(?:{_PER}{_DOSE_PER})*", "", 1.0),
    ("RATE", rf"(?i:beats|breaths|cycles|times|bpm|ml|l){_PER}(?i:min(?:utes?)?|day|h(?:our)?)", "", 1.0),
    ("RATE", rf"mm{_PER}(?i:h(?:r|our)?|(?:1st|first){BLANK}hour)", "mm/h", 1.0),
    ("RATE", rf"(?i:bpm|hz|khz)|/{BLANK}?min(?:ute)?", "", 1.0),
    ("BMI", rf"(?i:kg{_PER}(?:m2|m²|m\^2))", "kg/m2", 1.0),
    ("PRESSURE", rf"(?i:mm{BLANK}?hg|cm{BLANK}?h2o|kpa)", "", 1.0),
    ("AREA", r"(?:mm2|mm²)", "cm2", 0.01),
    ("AREA", r"(?:cm2|cm²|(?i:square centimet(?:er|re)s?))", "cm2", 1.0),
    ("AREA", r"(?:m2|m²)", "cm2", 10_000.0),
    ("VOLUME", r"(?i:mm3|mm³|[µμ]l|microlit(?:er|re)s?)", "ml", 0.001),
    ("VOLUME", r"(?i:ml|cc|cm3|cm³|millilit(?:er|re)s?)", "ml", 1.0),
    ("VOLUME", r"(?i:dl)", "ml", 100.0),
    ("VOLUME", r"(?i:l|lit(?:er|re)s?)", "ml", 1000.0),
    ("SIZE", r"(?i:mm|millimet(?:er|re)s?)", "cm", 0.1),
    ("SIZE", r"(?i:cms?|centimet(?:er|re)s?)", "cm", 1.0),
    ("SIZE", r"(?i:met(?:er|re)s?)", "cm", 100.0),
    ("SIZE", r"(?i:inch(?:es)?)", "cm", 2.54),
    ("SIZE", r"(?i:[µμ]m|microns?|micromet(?:er|re)s?)", "cm", 0.0001),
    ("WEIGHT", r"(?i:kgs?|kilograms?)", "g", 1000.0),
    ("WEIGHT", r"(?i:pounds?|lbs?)", "g", 453.592),
    ("WEIGHT", r"(?:gm?s?|(?i:grams?))", "g", 1.0),
    ("DOSE", r"(?i:mg|milligrams?)", "mg", 1.0),
    ("DOSE", r"(?i:[µμu]g|mcg|micrograms?)", "µg", 1.0),
    ("DOSE", r"(?i:cgy)", "Gy", 0.01),
    ("DOSE", r"(?i:gy|grays?)", "Gy", 1.0),
    ("DOSE", r"(?:(?i:international units|iu|units?)|U)", "IU", 1.0),
    ("DOSE", r"(?:MBq|GBq|mCi|mSv|mmol|mEq)", "", 1.0),
    ("PERCENT", rf"(?:%|％|(?i:per{BLANK}?cent(?:age points?)?)(?![a-z]))", "%", 1.0),
    ("TEMPERATURE", rf"(?:[°º˚]{BLANK}?C|℃|(?i:degrees?{BLANK}(?:celsius|centigrade)))", "°C", 1.0),
    ("TEMPERATURE", rf"(?:[°º˚]{BLANK}?F|(?i:degrees?{BLANK}fahrenheit))", "°F", 1.0),
    ("ANGLE", r"(?:[°º˚]|(?i:degrees?|deg))", "°", 1.0),
    ("SCORE", r"(?i:points?)", "point", 1.0),
    ("COUNT", r"(?i:cycles?)", "cycle", 1.0),
    ("COUNT", r"(?i:courses?)", "course", 1.0),
    ("COUNT", r"(?i:fractions?)", "fraction", 1.0),
    ("COUNT", r"(?i:sessions?)", "session", 1.0),
    ("COUNT", r"(?i:doses)", "dose", 1.0),
)  # fmt: skip
# Signs end where they end; a word or symbol of letters must not run on.
_ENDS_ANYWHERE = ("PERCENT", "ANGLE")
UNIT = "(?:" + "|".join(
    rf"(?:{pattern})" + ("" if kind in _ENDS_ANYWHERE else r"(?![A-Za-z0-9])") for kind, pattern, _, _ in _TABLE
) + ")"  # fmt: skip
_UNITS = tuple((re.compile(pattern), Unit(kind, name, factor)) for kind, pattern, name, factor in _TABLE)


@lru_cache(maxsize=2048)
def unit(text: str) -> Unit:
    """The unit that a symbol or word names; one without a canonical name keeps its own, blanks and `per` folded."""
    for pattern, found in _UNITS:
        if pattern.fullmatch(text):
            return found if found.name else Unit(found.kind, _folded(text), found.factor)
    raise ValueError(f"no unit: {text!r}")


def _folded(text: str) -> str:
    text = re.sub(rf"{BLANK}?\bper{BLANK}", "/", text.replace("μ", "µ").replace("mcg", "µg"))
    return re.sub(r"\s+", "", text)


class _Stretch(Protocol):
    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


_S = TypeVar("_S", bound=_Stretch)


def longest(stretches: Iterable[_S]) -> list[_S]:
    """The longest stretches of which none overlaps another, in text order; of two alike the first."""
    starts: list[int] = []
    kept: list[_S] = []
    for one in sorted(stretches, key=lambda stretch: (stretch.start - stretch.end, stretch.start)):
        place = bisect(starts, one.start)
        free_before = place == 0 or kept[place - 1].end <= one.start
        if free_before and (place == len(kept) or one.end <= kept[place].start):
            starts.insert(place, one.start)
            kept.insert(place, one)
    return kept
