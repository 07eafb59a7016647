from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from caseframe.schema import MeshHeading, OtherAbstract
from caseframe.sources import pubmed_page

SAVED = """A clavicle of cherry wood in a violin maker
- PMID: 30000001
- PMCID: PMC900
- DOI: 10.1000/jbc.57
A clavicle of cherry wood in a violin maker
Abstract
The clavicle is seldom made of wood. We present a man who asked for it.
He plays again.
Keywords: clavicle; wood; music.
Conflict of interest statement
The authors play the viola.
Figures


References
-
- Old A, Older B. Wood in bones. J Bone. 1950;1:2. - PubMed
-
- Oldest C. Abstract thoughts. J Bone. 1940;1:2. PMID: 12345
Publication types
- Case Reports
- Review
MeSH terms
- Adult
- Clavicle / surgery*
Substances
- Lignin
LinkOut - more resources
Full Text Sources
Other Literature Sources
"""

COPIED = """Case Reports
J Bone
. 2017 Mar;58(2):453-457. doi: 10.1000/jb.58.2.453.
Ebony for the lost patella of a pianist
Anna Maria Miller 1 2, Bob Stone #1, Cy Hill 2 3
Affiliations
1 Clinic of Wood, Town.
2 Harbour, Sea.
PMID: 30000002 PMCID: PMC901 DOI: 10.1000/jb.58.2.453
Free PMC article
Abstract
in English, German
Background: The patella is small.
Case presentation: A pianist lost it.
Conclusion: Ebony fits.

Copyright © 2017 Wood Press. All rights reserved.
Plain language summary
A knee of wood.
Keywords: patella; ebony.
Similar articles
Ivory in knees.
Elder D. J Bone. 2001. PMID: 777
Cited by
Nobody yet.
Publication types
Case Reports
Actions
Search in PubMed
Search in MeSH
Add to Search
MeSH terms
Patella / injuries
Grants and funding
G 1/Forest
"""


def test_saved_page(reading: Any) -> None:
    found = reading.article(pubmed_page, SAVED)
    assert found.text == (
        "A clavicle of cherry wood in a violin maker\n"
        "The clavicle is seldom made of wood. We present a man who asked for it. He plays again."
    )
    assert (found.pmid, found.pmcid, found.doi) == ("30000001", "PMC900", "10.1000/jbc.57")
    assert found.keywords == ("clavicle", "wood", "music")
    assert found.publication_types == ("Case Reports", "Review")
    assert found.mesh == (MeshHeading("Adult"), MeshHeading("Clavicle", major=True, qualifiers=("surgery",)))


def test_page_copied_from_a_browser(reading: Any) -> None:
    found = reading.article(pubmed_page, COPIED.replace("in English, German\n", ""))
    assert found.title == "Ebony for the lost patella of a pianist"
    assert reading.labelled(found) == [
        ("Background", "The patella is small."),
        ("Case presentation", "A pianist lost it."),
        ("Conclusion", "Ebony fits."),
    ]
    assert found.authors == ("Anna Maria Miller", "Bob Stone", "Cy Hill")
    assert (found.journal, found.year, found.date) == ("J Bone", 2017, "2017-03")
    assert (found.pmid, found.pmcid, found.doi) == ("30000002", "PMC901", "10.1000/jb.58.2.453")
    assert found.publication_types == ("Case Reports",)
    assert found.mesh == (MeshHeading("Patella", qualifiers=("injuries",)),)
    assert found.keywords == ("patella", "ebony")
    assert found.other_abstracts == (OtherAbstract("A knee of wood.", "", "Plain language summary"),)


def test_no_abstract(reading: Any) -> None:
    text = "A letter\n- PMID: 5\nA letter\n[Article in German]\nNo abstract available\nReferences\n- Old A. Wood.\n"
    found = reading.article(pubmed_page, text)
    assert (found.text, found.language) == ("A letter", "ger")


def test_several_pages_in_a_file(reading: Any) -> None:
    copied = COPIED.replace("in English, German\n", "")
    for pages in ([SAVED, SAVED, SAVED], [copied, copied], [SAVED, copied, SAVED]):
        found = reading.articles(pubmed_page, "\n".join(pages))
        assert [article.text for article in found] == [reading.article(pubmed_page, page).text for page in pages]
        assert [article.origin.record for article in found] == list(range(1, len(pages) + 1))


def test_pages_put_together_without_line_ends(reading: Any) -> None:
    found = reading.articles(pubmed_page, SAVED.strip() + SAVED.strip())
    assert [article.title for article in found] == ["A clavicle of cherry wood in a violin maker"] * 2


def test_windows_line_ends(reading: Any) -> None:
    assert reading.article(pubmed_page, SAVED.replace("\n", "\r\n")).text == reading.article(pubmed_page, SAVED).text


def test_failures_cost_only_their_page(reading: Any) -> None:
    long = SAVED.replace("He plays again.", "He plays again.\n" * 300)
    found = reading.records(pubmed_page, SAVED + long + SAVED, max_record_bytes=2000)
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Article"]
    (failure,) = reading.failures(pubmed_page, "A title\nAbstract\nNo ids here.\n")
    assert "PMID" in failure.message


@given(
    st.lists(
        st.text()
        | st.sampled_from(["- PMID: 1", "PMID: 2", "Abstract", ". 2000;1:2", "Keywords: a", "MeSH terms", "/*"])
    )
)
def test_random_lines_never_raise(reading: Any, lines: list[str]) -> None:
    found = reading.records(pubmed_page, "\n".join(lines).encode("utf-8", "replace"))
    assert [record.origin.record for record in found] == list(range(1, len(found) + 1))
