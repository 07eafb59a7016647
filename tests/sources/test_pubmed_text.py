from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.schema import Article, OtherAbstract
from caseframe.sources import pubmed_text
from caseframe.sources.base import ReadOptions

FULL = """
1. J Bone Carpentry. 2018 Dec 31;57(2 Suppl):364-376. doi: 10.1000/jbc.57. [Epub
ahead of print]

A plate of oak and a screw of brass for the broken tibia of a ship's carpenter: a
report of one case.

Miller A(1)(2), van der Berg BC(#)(2), Öz D Jr(1); Oak Study Group.

Collaborators: Stone E, Hill F.

Author information:
(1)Clinic of Wood, Town.
(2)Harbour, Sea. a.miller@example.org

Comment in
    J Bone Carpentry. 2019;58:1.
    J Bone Carpentry. 2019;58:2-3.

BACKGROUND: Oak is strong. It was used in three steps:
1. The bone was planed.
2. Glue was laid on.
RESULTS: He walked after
two weeks.

Copyright © 2019 Wood Press GmbH. All rights reserved.

DOI: 10.1000/jbc.57
PMCID: PMC900 [Available on 2020-02-01]
PMID: 30000001  [Indexed for MEDLINE]

Conflict of interest statement: The authors sell oak.
"""

SHORT = """
2. Lett Bones. 2001 Spring;3:1.

[Letter without abstract].

[Article in German; Abstract available in German from the publisher]

Wolf G.

Publisher: HINTERGRUND: Ein kurzer Brief.
PMID: 30000002
"""

GROUP = """
3. Lett Bones. 2001 Mar;3:2.

Correction of the letter.

Bone Letters Staff.

Erratum for
    Lett Bones. 2001;3:1.

[This corrects the article.].

DOI: 10.1000/lb.3
PMID: 30000003
"""


def test_every_part(reading: Any) -> None:
    found = reading.article(pubmed_text, FULL)
    title = "A plate of oak and a screw of brass for the broken tibia of a ship's carpenter: a report of one case"
    assert found.title == title
    assert reading.labelled(found) == [
        ("BACKGROUND", "Oak is strong. It was used in three steps: 1. The bone was planed. 2. Glue was laid on."),
        ("RESULTS", "He walked after two weeks."),
    ]
    assert found.authors == ("Miller A", "van der Berg BC", "Öz D Jr", "Oak Study Group")
    assert (found.pmid, found.pmcid, found.doi) == ("30000001", "PMC900", "10.1000/jbc.57")
    assert (found.journal, found.year, found.date) == ("J Bone Carpentry", 2018, "2018-12-31")


def test_record_without_abstract_in_another_language(reading: Any) -> None:
    found = reading.article(pubmed_text, SHORT)
    assert (found.title, found.abstract, found.language) == ("Letter without abstract", "", "ger")
    assert found.authors == ("Wolf G",)
    assert found.other_abstracts == (OtherAbstract("HINTERGRUND: Ein kurzer Brief.", "ger", "Publisher"),)
    assert found.date == "2001"


def test_group_as_author(reading: Any) -> None:
    found = reading.article(pubmed_text, GROUP)
    assert (found.authors, found.abstract) == (("Bone Letters Staff",), "[This corrects the article.].")


def test_no_authors_at_all(reading: Any) -> None:
    text = "1. J Bone. 2010;1:2.\n\nA title.\n\nThe patient was treated, and the bone healed well.\n\nPMID: 1\n"
    found = reading.article(pubmed_text, text)
    assert (found.authors, found.abstract) == ((), "The patient was treated, and the bone healed well.")


@pytest.mark.parametrize("squeezed", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_many_records(reading: Any, squeezed: bool, end: str) -> None:
    text = "\n\n".join((FULL, SHORT, GROUP))
    while squeezed and "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    found = reading.articles(pubmed_text, text.replace("\n", end))
    assert [article.pmid for article in found] == ["30000001", "30000002", "30000003"]
    assert [article.text for article in found] == [
        reading.article(pubmed_text, one).text for one in (FULL, SHORT, GROUP)
    ]


def test_a_numbered_list_begins_no_record(reading: Any) -> None:
    text = FULL.replace("RESULTS:", "\n2. Miller A. J Bone. 1999;1:1.\n\nRESULTS:")
    assert len(reading.articles(pubmed_text, text)) == 1


def test_failures_cost_only_their_record(reading: Any) -> None:
    long = "\n\n2. J Bone. 2010;1:2.\n\nLong.\n\n" + "word word\n" * 500 + "\nPMID: 2\n"
    untitled = "\n\n3. J Bone. 2010;1:2.\n\nPMID: 3\n\n"
    found = reading.records(pubmed_text, FULL + long + untitled + SHORT, max_record_bytes=3000)
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Failure", "Article"]
    assert "no title" in found[2].message
    assert found[3].pmid == "30000002"


def test_other_text_is_a_failure(reading: Any) -> None:
    assert [failure.error for failure in reading.failures(pubmed_text, "Just some words.\n\nMore.\n")] == [
        "BrokenRecord"
    ]


@given(
    st.lists(st.text() | st.sampled_from(["", "", "1. J. 2000;1:1.", "PMID: 1", "DOI: 10.1000/x", "Wolf G.", "A: b"]))
)
def test_random_lines_never_raise(reading: Any, lines: list[str]) -> None:
    found = reading.records(pubmed_text, "\n".join(lines).encode("utf-8", "replace"))
    assert bool(found) == any(line.strip() for line in "\n".join(lines).splitlines())


@pytest.mark.data
def test_the_real_export(data_dir: Path) -> None:
    with gzip.open(data_dir / "articles" / "text_exports" / "pubmed_abstract_text.txt.gz") as stream:
        found = list(pubmed_text.read(stream, "x.txt", ReadOptions()))
    articles = [record for record in found if isinstance(record, Article)]
    assert len(articles) == len(found) == 1422
    assert all(article.pmid and article.title and article.year and article.authors for article in articles)
    assert sum(bool(article.abstract) for article in articles) == 1411
    furniture = (
        "Author information",
        "Comment in",
        "Erratum in",
        "Indexed for MEDLINE",
        "PMID:",
        "Conflict of interest st",
    )
    assert not [article.pmid for article in articles if any(words in article.abstract for words in furniture)]
    assert not [article.pmid for article in articles if "©" in article.abstract[-100:]]
