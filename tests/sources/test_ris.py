from __future__ import annotations

from typing import Any

import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st

from caseframe.sources import ris

RECORD = """TY  - JOUR
AU  - Miller, Anna
AU  - Stone, Bob
TI  - [A spoon as splint for the finger of a cook].
T2  - Journal of Kitchen Surgery
AB  - AIM: To save the finger. METHODS: A spoon
was bent. RESULTS: He cooks. (c) 2011 Kitchen Press.
PY  - 2011
DA  - Aug 15
KW  - finger
KW  - spoon; splint
DO  - https://doi.org/10.1000/jks.1
AN  - 30000001
C2  - PMC900
DB  - PubMed
LA  - English
M3  - Case Reports
ER  -
"""


def test_every_field(reading: Any) -> None:
    found = reading.article(ris, RECORD)
    assert found.title == "A spoon as splint for the finger of a cook"
    assert reading.labelled(found) == [
        ("AIM", "To save the finger."),
        ("METHODS", "A spoon was bent."),
        ("RESULTS", "He cooks."),
    ]
    assert found.authors == ("Miller, Anna", "Stone, Bob")
    assert (found.pmid, found.pmcid, found.doi) == ("30000001", "PMC900", "10.1000/jks.1")
    assert (found.journal, found.year, found.date) == ("Journal of Kitchen Surgery", 2011, "2011-08-15")
    assert (found.language, found.publication_types) == ("eng", ("Case Reports",))
    assert found.keywords == ("finger", "spoon", "splint")


@pytest.mark.parametrize(
    ("line", "pmid"),
    [
        ("AN  - 30000001", ""),
        ("N1  - PMID: 30000001", "30000001"),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/30000001/", "30000001"),
        ("AN  - 30000001\nDB  - Embase", ""),
        ("ID  - 30000001\nDP  - NLM", "30000001"),
    ],
)
def test_a_pmid_only_where_it_is_evident(reading: Any, line: str, pmid: str) -> None:
    assert reading.article(ris, f"TY  - JOUR\nTI  - T\n{line}\nER  - \n").pmid == pmid


def test_other_tags(reading: Any) -> None:
    text = (
        "TY  - JOUR\nT1  - <i>Title</i> of one\nN2  - <p>Words.</p>\nA1  - Hill, C\nY1  - 2003/05//\n"
        "JF  - Bones\nM3  - 10.1000/x\nER  - "
    )
    found = reading.article(ris, text)
    assert (found.title, found.abstract, found.authors) == ("Title of one", "Words.", ("Hill, C",))
    assert (found.date, found.journal, found.doi, found.publication_types) == (
        "2003-05",
        "Bones",
        "10.1000/x",
        ("Journal Article",),
    )


def test_records_without_their_end_stay_apart(reading: Any) -> None:
    text = "\ufeffTY  - JOUR\r\nTI  - One\r\n\r\nTY  - JOUR\r\nTI  - Two\r\nER  - \r\n"
    assert [found.title for found in reading.articles(ris, text)] == ["One", "Two"]


def test_reads_what_rispy_writes(reading: Any) -> None:
    entries = [
        {
            "type_of_reference": "JOUR",
            "title": f"Title {n}",
            "abstract": f"Words {n}.",
            "doi": f"10.1000/{n}",
            "year": "2001",
        }
        for n in range(5)
    ]
    found = reading.articles(ris, rispy.dumps(entries))
    assert [(article.title, article.abstract, article.doi, article.year) for article in found] == [
        (entry["title"], entry["abstract"], entry["doi"], 2001) for entry in entries
    ]


def test_failures_cost_only_their_record(reading: Any) -> None:
    empty = "TY  - JOUR\nAU  - Nobody\nER  - \n"
    lost = "TI  - Without a start\nER  - \n"
    long = "TY  - JOUR\nTI  - Long\nAB  - " + "word " * 1000 + "\nER  - \n"
    found = reading.records(ris, RECORD + empty + lost + long + RECORD, max_record_bytes=2000)
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Failure", "Failure", "Article"]
    assert "TY" in found[2].message


@given(st.lists(st.text() | st.sampled_from(["TY  - JOUR", "ER  - ", "TI  - x", "AB  - y", "DA  - 1", "KW  - ;"])))
def test_random_lines_never_raise(reading: Any, lines: list[str]) -> None:
    found = reading.records(ris, "\n".join(lines).encode("utf-8", "replace"))
    assert [record.origin.record for record in found] == list(range(1, len(found) + 1))
