from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from caseframe.sources import pubtator

TWO = """101|t|A toe of cork
101|a|A diver lost a toe. It was replaced.
101\t2\t5\ttoe\tBody\tX1

PMC900|t|A thumb of felt
PMC900|a|
"""


def test_documents(reading: Any) -> None:
    first, second = reading.articles(pubtator, TWO)
    assert (first.pmid, first.title, first.abstract) == ("101", "A toe of cork", "A diver lost a toe. It was replaced.")
    assert (second.pmcid, second.text) == ("PMC900", "A thumb of felt")


def test_blank_lines_missing_or_with_windows_ends(reading: Any) -> None:
    text = TWO.replace("\n\n", "\n").replace("\n", "\r\n")
    assert [found.title for found in reading.articles(pubtator, text)] == ["A toe of cork", "A thumb of felt"]


def test_other_ids_are_kept(reading: Any) -> None:
    assert reading.article(pubtator, "note-7|t|A toe\n").article_id == "note-7"


def test_failures_cost_only_their_document(reading: Any) -> None:
    text = TWO + "\n7\t0\t1\tA\tB\n\nno text here\n\n9|t|Long\n9|a|" + "word " * 500 + "\n\n" + TWO
    found = reading.records(pubtator, text, max_record_bytes=1000)
    assert [type(record).__name__ for record in found] == ["Article"] * 2 + ["Failure"] * 3 + ["Article"] * 2


@given(st.lists(st.text() | st.sampled_from(["1|t|x", "1|a|y", "1\t0\t1\tx\ty", ""])))
def test_random_lines_never_raise(reading: Any, lines: list[str]) -> None:
    found = reading.records(pubtator, "\n".join(lines).encode("utf-8", "replace"))
    assert [record.origin.record for record in found] == list(range(1, len(found) + 1))
