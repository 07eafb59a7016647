"""Publication dates as sources write them: `2015 Aug 15`, `1998 Dec-1999 Jan`, `2000 Spring`, `15 Aug 2015`.

Of a range the start counts; a season or a quarter says no month, so only the year is kept. What is no date is no error.
"""

from __future__ import annotations

import datetime
import re
from typing import Final

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier",
            "feb february fev fevrier février",
            "mar march mars mär märz",
            "apr april avr avril",
            "may mai",
            "jun june juin juni",
            "jul july juil juillet juli",
            "aug august aout août",
            "sep sept september septembre",
            "oct october octobre okt oktober",
            "nov november novembre",
            "dec december décembre decembre dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}
_YEAR: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_NUMERIC: Final = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?![\d])")
_COMPACT: Final = re.compile(r"^\s*(1[5-9]\d\d|20\d\d)(\d\d)(\d\d)\s*$")
_WORD: Final = re.compile(r"[^\W\d_]+")
_DAY_AFTER: Final = re.compile(r"[\s.]*(\d{1,2})(?!\d)(?:st|nd|rd|th)?")
_DAY_BEFORE: Final = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\.?\s*(?:of\s+)?$")


def parse_date(text: str) -> tuple[int | None, str]:
    """Reads the year and the date as far as it is known.

    >>> parse_date("2015 Aug 15")
    (2015, '2015-08-15')
    >>> parse_date("1998 Dec-1999 Jan")
    (1998, '1998-12')
    >>> parse_date("2000 Spring")
    (2000, '2000')
    >>> parse_date("no date")
    (None, '')
    """
    text = text[:200]
    if compact := _COMPACT.match(text):
        return _dated(*(int(part) for part in compact.groups()))
    numeric = _NUMERIC.search(text)
    if numeric and numeric[2]:
        return _dated(int(numeric[1]), int(numeric[2]), int(numeric[3] or 0))
    found = _YEAR.search(text)
    if not found:
        return None, ""
    month, day = _month_and_day(text)
    return _dated(int(found[1]), month, day)


def _month_and_day(text: str) -> tuple[int, int]:
    """The first month named and the day beside it; 0 where there is none."""
    for word in _WORD.finditer(text):
        month = _MONTHS.get(word[0].casefold())
        if month is None:
            continue
        day = _DAY_AFTER.match(text, word.end()) or _DAY_BEFORE.search(text, 0, word.start())
        return month, int(day[1]) if day else 0
    return 0, 0


def _dated(year: int, month: int = 0, day: int = 0) -> tuple[int, str]:
    """The ISO date down to the last part that can be true: 30 February is February."""
    if not 1 <= month <= 12:
        return year, f"{year:04d}"
    try:
        return year, datetime.date(year, month, day).isoformat()
    except ValueError:
        return year, f"{year:04d}-{month:02d}"
