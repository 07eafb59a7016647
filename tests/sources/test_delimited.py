from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import MissingColumn
from caseframe.schema import fold_space
from caseframe.sources import delimited


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_quoted_line_ends(reading: Any, delimiter: str, end: str) -> None:
    rows = [
        ["PMID", "Article Title", "Abstract Note", "Publication Year", "Keywords"],
        ["7", "A hip, of oak; or | not", 'One.\nTwo "quoted".\tThree.', "2001", "hip; oak"],
    ]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    found = reading.article(delimited, "\ufeff" + out.getvalue())
    assert (found.pmid, found.title, found.year) == ("7", "A hip, of oak; or | not", 2001)
    assert found.abstract == 'One. Two "quoted". Three.'
    assert found.keywords == ("hip", "oak")


def test_every_column(reading: Any) -> None:
    text = (
        "pmid,PMCID,DOI,Journal/Book,Publication Date,Language,Publication_Types,MeSH Terms,Authors,Title,Abstract\n"
        '7,900,10.1000/x,J Bone,2001 May 3,en,Case Reports; Letter,Hip/*surgery; Oak,"Hill, A; Stone, B",Hip,'
        '"AIM: Oak. RESULTS: Good."\n'
    )
    found = reading.article(delimited, text)
    assert (found.pmcid, found.doi, found.journal, found.date) == ("PMC900", "10.1000/x", "J Bone", "2001-05-03")
    assert (found.language, found.publication_types) == ("eng", ("Case Reports", "Letter"))
    assert found.authors == ("Hill, A", "Stone, B")
    assert [(heading.descriptor, heading.major) for heading in found.mesh] == [("Hip", True), ("Oak", False)]
    assert reading.labelled(found) == [("AIM", "Oak."), ("RESULTS", "Good.")]


def test_column_map(reading: Any) -> None:
    text = "nr,head,words,title\n5,Hip of oak,It held.,Mr\n"
    found = reading.article(delimited, text, columns={"title": "head", "abstract": "WORDS", "article_id": "nr"})
    assert (found.article_id, found.text) == ("5", "Hip of oak\nIt held.")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"abstract": "summary text"}, ["t.csv", "'summary text'", "pmid, name"]),
        ({}, ["t.csv", "title or an abstract", "pmid, name"]),
    ],
)
def test_missing_columns(reading: Any, columns: dict[str, str], words: list[str]) -> None:
    with pytest.raises(MissingColumn) as caught:
        reading.records(delimited, "pmid,name\n7,Hip\n", "t.csv", columns=columns)
    assert all(word in caught.value.message for word in words) and caught.value.cure


def test_a_map_of_something_unknown(reading: Any) -> None:
    with pytest.raises(MissingColumn, match="colour"):
        reading.records(delimited, "pmid,title\n7,Hip\n", columns={"colour": "title"})


GOOD = "title,abstract\n"


@pytest.mark.parametrize(
    "bad",
    [
        "too,many,cells",
        "too few",
        "a NUL,in\0side",
        '"an open quote,that is never closed',
        "long," + "x" * 3000,
        'long,"' + "line\n" * 900 + '"',
        ",",
    ],
)
def test_bad_rows_cost_only_themselves(reading: Any, bad: str) -> None:
    found = reading.records(delimited, f"{GOOD}A,one\n{bad}\nB,two\nC,three\n", max_record_bytes=2000)
    texts = [record.text for record in found if hasattr(record, "text")]
    assert texts == ["A\none", "B\ntwo", "C\nthree"]
    assert (bad == ",") or any(not hasattr(record, "text") for record in found)


def test_inch_marks_are_no_quotes(reading: Any) -> None:
    found = reading.articles(delimited, 'title\tabstract\nNail\tA 5" nail\nPin\tA 3" pin\n')
    assert [article.abstract for article in found] == ['A 5" nail', 'A 3" pin']


def test_empty_files(reading: Any) -> None:
    assert reading.records(delimited, "") == reading.records(delimited, "title,abstract\n\n,,\n") == []


CELL = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r\ufeff"), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
def test_what_csv_writes_comes_back(reading: Any, rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("title", "sections"), *rows])
    found = reading.articles(delimited, out.getvalue(), "t.csv")
    assert [article.title for article in found] == [fold_space(title) for title, _ in rows]


@given(st.lists(st.text() | st.sampled_from(['"', "a,b", '"a', 'b",c', "a,b,c", ""])))
def test_random_lines_never_raise(reading: Any, lines: list[str]) -> None:
    found = reading.records(delimited, (GOOD + "\n".join(lines)).encode("utf-8", "replace"), "t.csv")
    assert [record.origin.record for record in found] == list(range(1, len(found) + 1))
