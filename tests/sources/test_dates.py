from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.sources.dates import parse_date


@pytest.mark.parametrize(
    ("text", "year", "date"),
    [
        ("2015 Aug 15", 2015, "2015-08-15"),
        ("1998 Dec-1999 Jan", 1998, "1998-12"),
        ("2015 Dec 28-2016 Jan 3", 2015, "2015-12-28"),
        ("2000 Spring", 2000, "2000"),
        ("Winter 1999", 1999, "1999"),
        ("1999 1st Quart", 1999, "1999"),
        ("1998-1999", 1998, "1998"),
        ("2015 Jul-Aug", 2015, "2015-07"),
        ("2015/08/15", 2015, "2015-08-15"),
        ("2015///", 2015, "2015"),
        ("2015-08-15T00:00:00Z", 2015, "2015-08-15"),
        ("20150815", 2015, "2015-08-15"),
        ("15 août 2015", 2015, "2015-08-15"),
        ("May 2nd, 2011", 2011, "2011-05-02"),
        ("2015 Feb 30", 2015, "2015-02"),
        ("2015-13", 2015, "2015"),
        ("in press", None, ""),
        ("", None, ""),
        ("12015", None, ""),
    ],
)
def test_reads_what_sources_write(text: str, year: int | None, date: str) -> None:
    assert parse_date(text) == (year, date)


@given(st.dates(datetime.date(1800, 1, 1), datetime.date(2099, 12, 31)))
def test_every_day_in_every_style(day: datetime.date) -> None:
    for style in ("%Y %b %d", "%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%Y%m%d"):
        assert parse_date(day.strftime(style)) == (day.year, day.isoformat())


@given(st.text())
def test_never_fails_and_agrees_with_itself(text: str) -> None:
    year, date = parse_date(text)
    assert (date == "") if year is None else date.startswith(f"{year:04d}")
