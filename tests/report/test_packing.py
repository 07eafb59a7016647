"""The data of the table: whatever the text, offsets lead to the words, in the units of a browser."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caseframe.pages.text import visible
from caseframe.report.packing import MOST_SENTENCE, MOST_TEXT, Packer
from caseframe.schema import Article, Case, Extraction, Finding
from caseframe.tables.evidence import Evidence, Run
from caseframe.tables.rows import article_row, case_rows, finding_rows


def evidence_of(extraction: Extraction) -> Evidence:
    return Evidence(
        article_row(extraction, english=True), tuple(case_rows(extraction)), tuple(finding_rows(extraction))
    )


def unpacked(packer: Packer) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(packer.packed())))


def slices(content: Any, finding: list[int]) -> tuple[str, str]:
    """The words and the sentence as a browser slices them, in UTF-16."""
    text = content["articles"][0][5].encode("utf-16-le")
    return tuple(  # type: ignore[return-value]
        text[2 * start : 2 * end].decode("utf-16-le") for start, end in (finding[3:5], finding[5:7])
    )


@given(
    before=st.text(max_size=40),
    words=st.text(min_size=1, max_size=20),
    after=st.text(max_size=40),
    repeat=st.sampled_from([1, 3, 900]),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_offsets_lead_to_the_words(before: str, words: str, after: str, repeat: int) -> None:
    text = before * repeat + words + after * repeat
    start = len(before) * repeat
    finding = Finding("symptom", "pain", words, start, start + len(words), sentence=text)
    article = Article("x", abstract=text)
    packer = Packer()
    packer.add(evidence_of(Extraction(article, (), (Case(1, findings=(finding,)),))))
    content = unpacked(packer)
    shown, sentence = slices(content, content["cases"][0][3][0])
    assert shown == visible(words)
    assert shown in sentence and len(sentence) <= MOST_SENTENCE + len(words)


def test_a_long_text_keeps_its_sentences(write_run: Callable[..., Run], make_case: Callable[..., Extraction]) -> None:
    filler = "Nothing of note was seen here. " * 4000
    packer = Packer()
    extraction = make_case(text=filler + "A {age}-year-old woman underwent hemisacrectomy for osteosarcoma of the sacrum with a "
                           "titanium plate. Infection was denied.")  # fmt: skip
    packer.add(evidence_of(extraction))
    content = unpacked(packer)
    assert len(content["articles"][0][5]) < MOST_TEXT
    found = {slices(content, finding)[0] for finding in content["cases"][0][3]}
    assert {"osteosarcoma", "titanium plate", "Infection was denied"} <= found


def test_five_thousand_cases_fit(make_case: Callable[..., Extraction]) -> None:
    packer = Packer()
    filler = " ".join(f"On day {n} the wound had healed without {n * 37 % 101} of the usual signs." for n in range(20))
    for number in range(1000):
        packer.add(evidence_of(make_case(number, age=number % 90, follow_up=number % 60, text=f"{{age}}-year-old woman. {number} {filler} "
            "She underwent hemisacrectomy for osteosarcoma of the sacrum with a titanium plate. Infection was denied; followed up.")))  # fmt: skip
    assert 5 * len(packer.packed()) < 15_000_000


def test_the_same_cases_give_the_same_text(tmp_path: Path, make_case: Callable[..., Extraction]) -> None:
    first, second = Packer(), Packer()
    for packer in (first, second):
        packer.add(evidence_of(make_case()))
    assert first.packed() == second.packed()


def test_words_without_a_sentence_are_shown_between_full_stops() -> None:
    text = "Title here\nFirst one. She had pain at night. Then none."
    start = text.index("pain")
    finding = Finding("symptom", "pain", "pain", start, start + 4)
    packer = Packer()
    article = Article("x", title="Title here", abstract=text.partition("\n")[2])
    packer.add(evidence_of(Extraction(article, (), (Case(1, findings=(finding,)),))))
    content = unpacked(packer)
    assert slices(content, content["cases"][0][3][0]) == ("pain", "She had pain at night.")
