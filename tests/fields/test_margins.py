from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

import caseframe.stages.assertion
import caseframe.stages.sentences
import caseframe.stages.terms
import caseframe.stages.timeline  # noqa: F401
from caseframe.fields.margins import find
from caseframe.schema import FIELDS
from caseframe.stages.tokenizer import blank


@cache
def pipeline() -> Language:
    nlp = blank()
    for stage in ("sentences", "terms", "assertion", "timeline"):
        nlp.add_pipe(f"caseframe_{stage}")
    return nlp


def margins(text: str) -> list[tuple[str, str]]:
    findings = list(find(pipeline()(text)))
    assert all(text[finding.start : finding.end] == finding.text for finding in findings)
    return [(str(finding.value), finding.assertion) for finding in findings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A wide resection was performed.", "wide"),
        ("Marginal excision of the tumor was done.", "marginal"),
        ("It was treated by intralesional curettage.", "intralesional"),
        ("The margins were free of tumor.", "negative"),
        ("The surgical margins were negative.", "negative"),
        ("Histology showed clear resection margins.", "negative"),
        ("There were no tumor cells at the resection margin.", "negative"),
        ("The resection margins were positive.", "positive"),
        ("Residual tumor at the resection margin was seen.", "positive"),
        ("An R0 resection was achieved.", "R0"),
        ("The resection was R1.", "R1"),
    ],
)
def test_margins(text: str, value: str) -> None:
    assert margins(text) == [(value, "present")]


@pytest.mark.parametrize(
    "text",
    [
        "The lesion had sclerotic margins on radiographs.",
        "The test was negative and the nodes were positive.",
        "A wide range of motion returned.",
        "The R1 region of the gene was sequenced.",
        "Marginal zone lymphoma was diagnosed.",
    ],
)
def test_what_is_no_resection_margin(text: str) -> None:
    assert margins(text) == []


@given(st.lists(st.sampled_from("wide marginal margins were free of tumor no R0 resection positive . at the".split())))
def test_values_and_offsets_hold_for_any_order_of_words(words: list[str]) -> None:
    assert all(value in FIELDS["margin"].choices for value, _ in margins(" ".join(words)))
