from __future__ import annotations

import gzip
import io
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import BrokenFile
from caseframe.schema import Article, MeshHeading, OtherAbstract, fold_space
from caseframe.sources import medline
from caseframe.sources.base import ReadOptions

RECORD = """
PMID- 11111111
OWN - NLM
DP  - 1998 Dec-1999 Jan
TI  - [Prosthesis of the whole humerus after removal of a tumour: what is won and
      what is lost].
LID - S0001 [pii]
LID - 10.1000/hum.7 [doi]
AB  - BACKGROUND: The humerus is seldom replaced as a whole. CASE PRESENTATION: A girl
      of 12 years came with pain. CONCLUSIONS: She throws a ball again. J Bones
      1999;12:33-37. (c) 1999 Bone Society.
CI  - (c) 1999 Bone Society.
FAU - Weber, Anna Lisa
AU  - Weber AL
CN  - Study Group for Very Long Names of Groups that Need a Second Line of the
      Record
FAU - Roth, J
AU  - Roth J
LA  - ger
LA  - eng
PT  - Case Reports
PT  - Journal Article
TT  - Totalersatz des Humerus.
OAB - Publisher: Ein Kind mit Schmerz.
OABL- ger
OAB - Publisher: Abstract available from the publisher.
OABL- fre
TA  - J Bones
JT  - Journal of bones
MH  - *Bone Neoplasms/surgery/*pathology
MH  - Child
MH  - Humerus/*surgery
PMC - PMC777
OT  - *humerus
OT  - total replacement
"""


def test_every_field(reading: Any) -> None:
    found = reading.article(medline, RECORD, "a.nbib")
    assert found.title == "Prosthesis of the whole humerus after removal of a tumour: what is won and what is lost"
    assert reading.labelled(found) == [
        ("BACKGROUND", "The humerus is seldom replaced as a whole."),
        ("CASE PRESENTATION", "A girl of 12 years came with pain."),
        ("CONCLUSIONS", "She throws a ball again."),
    ]
    assert (found.article_id, found.pmcid, found.doi) == ("pmid:11111111", "PMC777", "10.1000/hum.7")
    assert (found.year, found.date, found.language) == (1998, "1998-12", "ger")
    assert found.vernacular_title == "Totalersatz des Humerus"
    assert found.other_abstracts == (OtherAbstract("Ein Kind mit Schmerz.", "ger", "Publisher"),)
    group = "Study Group for Very Long Names of Groups that Need a Second Line of the Record"
    assert found.authors == ("Weber AL", group, "Roth J")
    assert found.journal == "Journal of bones"
    assert found.publication_types == ("Case Reports", "Journal Article")
    assert found.mesh == (
        MeshHeading("Bone Neoplasms", major=True, qualifiers=("surgery", "pathology")),
        MeshHeading("Child"),
        MeshHeading("Humerus", major=True, qualifiers=("surgery",)),
    )
    assert found.keywords == ("humerus", "total replacement")
    assert (found.origin.file, found.origin.record, found.origin.format) == ("a.nbib", 1, "medline")


def test_book_chapter(reading: Any) -> None:
    found = reading.article(medline, "PMID- 5\nTI  - Nails\nBTI - The Workshop\nAB  - Long nails.\n")
    assert (found.title, found.journal) == ("Nails", "The Workshop")
    assert reading.article(medline, "PMID- 5\nBTI - The Workshop\n").title == "The Workshop"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark(reading: Any, end: str, mark: bytes) -> None:
    raw = mark + (RECORD.strip() + "\n" + RECORD.replace("11111111", "2")).replace("\n", end).encode()
    assert [found.pmid for found in reading.articles(medline, raw)] == ["11111111", "2"]


def test_windows_letters(reading: Any) -> None:
    assert reading.article(medline, "PMID- 5\nTI  - Müller's Säge\n".encode("cp1252")).title == "Müller's Säge"


def test_a_record_whose_pmid_line_is_broken_stays_apart(reading: Any) -> None:
    text = "PMID- 1\nOWN - NLM\nTI  - First.\n\nPMlD- 2\nOWN - NLM\nTI  - Second.\n\nPMID- 3\nOWN - NLM\nTI  - Third.\n"
    titles = [(found.pmid, found.title) for found in reading.articles(medline, text)]
    assert titles[0] == ("1", "First") and titles[-1] == ("3", "Third")
    assert ("", "Second") in titles


def test_failures_cost_only_their_record(reading: Any) -> None:
    long = "AB  - " + "word " * 600
    found = reading.records(
        medline,
        f"PMID- 1\nTI  - A\n\nPMID- 2\n{long}\n\nPMID- 3\nOWN - NLM\n\nPMID- 4\nTI  - D\n",
        max_record_bytes=1000,
    )
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Failure", "Article"]
    assert "1,000 bytes" in found[1].message and found[1].cure
    assert found[2].article_id == "pmid:3"


def test_text_without_tags_is_a_failure(reading: Any) -> None:
    (failure,) = reading.failures(medline, "nothing\nof use\n")
    assert failure.error == "BrokenRecord"


def test_a_stream_that_breaks_gives_all_records_before() -> None:
    class Broken(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            if line := super().readline(size):
                return line
            raise BrokenFile("cut off")

        def peek(self, size: int) -> bytes:
            return self.getvalue()[self.tell() : self.tell() + size]

    found = []
    with pytest.raises(BrokenFile):
        for record in medline.read(Broken(b"PMID- 1\nTI  - A\n\nPMID- 2\nTI  - B"), "f", ReadOptions()):
            found.append(record)  # noqa: PERF402
    assert [record.pmid for record in found if isinstance(record, Article)] == ["1"]


WORDS = st.lists(st.text("abcdeé,;()", min_size=1, max_size=12), min_size=1, max_size=60)


@given(WORDS, WORDS)
def test_wrapped_fields_come_back(reading: Any, title: list[str], abstract: list[str]) -> None:
    def field(tag: str, words: list[str]) -> str:
        return textwrap.fill(
            " ".join(words), 80, initial_indent=f"{tag:4}- ", subsequent_indent=" " * 6, break_on_hyphens=False
        )

    found = reading.article(medline, f"PMID- 7\n{field('TI', title)}\n{field('AB', abstract)}\n")
    assert (found.title, found.abstract) == (" ".join(title), " ".join(abstract))


@given(st.lists(st.text() | st.sampled_from(["PMID- 1", "TI  - x", "AB  - y", "MH  - */", "LID - [doi]", "OABL- "])))
def test_random_lines_never_raise(reading: Any, lines: list[str]) -> None:
    for number, record in enumerate(reading.records(medline, "\n".join(lines).encode("utf-8", "replace")), start=1):
        assert record.origin.record == number
        if isinstance(record, Article):
            assert record.text == fold_space(record.text.replace("\n", "")) or record.text


@pytest.mark.data
def test_the_real_export(data_dir: Path) -> None:
    with gzip.open(data_dir / "articles" / "text_exports" / "medline_tagged.nbib.gz") as stream:
        found = list(medline.read(stream, "x.nbib", ReadOptions()))
    assert len(found) == 473
    articles = [record for record in found if isinstance(record, Article)]
    assert len({article.pmid for article in articles if article.pmid and article.title and article.year}) == 473
    assert sum(bool(article.abstract) for article in articles) == 451
    assert not [article.pmid for article in articles if "(c) 20" in article.abstract[-80:]]
