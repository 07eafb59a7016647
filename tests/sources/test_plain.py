from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from caseframe.schema import Article
from caseframe.sources import plain


def test_title_and_paragraphs(reading: Any) -> None:
    found = reading.article(
        plain, "\ufeff\r\nA tooth of shell\r\n\r\nA sailor lost\r\na tooth.\r\n\r\nIt was replaced.\r\n"
    )
    assert found.title == "A tooth of shell"
    assert found.abstract == "A sailor lost a tooth.\nIt was replaced."


def test_long_lines_are_paragraphs(reading: Any) -> None:
    long = "A sailor lost a tooth and another one and many more " * 3
    assert reading.article(plain, f"Title\n{long}\nThe end.\n").abstract == f"{long.strip()}\nThe end."


def test_no_title(reading: Any) -> None:
    assert reading.article(plain, "Only one line.").title == ""
    assert reading.article(plain, "word " * 80 + "\nMore.").title == ""


def test_ids_from_the_file_name(reading: Any) -> None:
    assert reading.article(plain, "A", "notes/28120579.txt").article_id == "pmid:28120579"
    assert reading.article(plain, "A", "PMC900.txt").article_id == "pmcid:PMC900"
    assert reading.article(plain, "A", "note.txt").article_id == "note.txt#1"


def test_wrong_encoding_is_read(reading: Any) -> None:
    assert reading.article(plain, "Müller's Säge\nHält.".encode("cp1252")).text == "Müller's Säge\nHält."
    assert reading.article(plain, "Müller\nSäge.".encode("utf-16")).text == "Müller\nSäge."


def test_too_long_and_empty(reading: Any) -> None:
    (failure,) = reading.failures(plain, "word\n" * 1000, max_record_bytes=1000)
    assert "1,000 bytes" in failure.message
    (failure,) = reading.failures(plain, "word " * 1000, max_record_bytes=1000)
    assert "1,000 bytes" in failure.message
    assert reading.records(plain, " \n\n") == []


def test_only_text_is_taken() -> None:
    assert plain.sniff("A man fell.", "case.txt") and plain.sniff("A man fell.", "case")
    assert not plain.sniff("A man fell.", "case.csv")
    assert not plain.sniff("\x00\x01 binary", "case.txt")
    assert not plain.sniff("1,2,3\n4,5,6\n", "case.txt")
    assert not plain.sniff("<html>words</html>", "case.txt")


@given(st.text())
def test_every_word_is_kept(reading: Any, text: str) -> None:
    raw = text.encode("utf-8", "replace")
    for found in reading.records(plain, raw):
        if isinstance(found, Article):
            assert found.text.split() == raw.decode().replace("\ufeff", "").split()
