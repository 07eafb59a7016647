"""Clues: what the sentence says of a condition, however far away the word that says it."""

from __future__ import annotations

import pytest
from spacy.language import Language
from spacy.tokens import Span

from caseframe.fields.clues import clues
from caseframe.fields.linear import names_of


def mention(stages: Language, marked: str) -> Span:
    """The span between braces of a sentence that passed the stages."""
    start, end = marked.index("{"), marked.index("}") - 1
    span = stages(marked.replace("{", "").replace("}", "")).char_span(start, end)
    assert span is not None
    return span


@pytest.mark.parametrize(
    ("marked", "clue"),
    [
        ("She presented with fever, chills, headache and {vomiting}.", "governed by=presents"),
        ("Three days later he developed a severe {wound infection}.", "governed by=develops"),
        ("The course was complicated by {pneumonia}.", "governed by=complicates"),
        ("She had a history of asthma, gout and {diabetes}.", "governed by=history"),
        ("The {pain} resolved within a week.", "followed by=improves"),
        ("A man with gout and {diabetes} underwent resection.", "of a person"),
        ("She had a {foot drop} after laminectomy.", "comes after=procedure"),
        ("There was {neutropenia} due to chemotherapy.", "comes of=therapy"),
        ("After resection of the rib she had {pneumonia}.", "ahead=after procedure"),
        ("He died of {heparin-induced thrombocytopenia}.", "inside -induced"),
        ("A {postoperative hematoma} was seen.", "inside=postoperative"),
    ],
)
def test_what_governs_a_condition(stages: Language, marked: str, clue: str) -> None:
    assert clue in names_of(clues(mention(stages, marked), "after"))


@pytest.mark.parametrize(
    ("marked", "clue"),
    [
        ("He presented with fever. A {fistula} was seen.", "governed by=presents"),
        ("A man underwent laminectomy with {bleeding}.", "of a person"),
        ("The {cyst} was found before laminectomy.", "comes after=procedure"),
    ],
)
def test_what_does_not(stages: Language, marked: str, clue: str) -> None:
    assert clue not in names_of(clues(mention(stages, marked), "after"))


def test_no_clue_is_told_twice(stages: Language) -> None:
    span = mention(stages, "After resection and after grafting the {seroma} came after drainage and after drainage.")
    found = names_of(clues(span, "before"))
    assert len(found) == len(set(found))
