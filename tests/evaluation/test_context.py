"""The sentence that an error stands in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caseframe.evaluation.context import sentence_around

TEXT = "A tale of a rib\nThe rib was removed by Dr. Novak. Pain ceased within 3.5 weeks. He rowed again."


def sentence_of(words: str) -> str:
    start = TEXT.index(words)
    sentence, offset = sentence_around(TEXT, start, start + len(words))
    assert TEXT[offset:].startswith(sentence)
    return sentence


def test_the_sentence_of_words_is_found() -> None:
    assert sentence_of("tale") == "A tale of a rib"
    assert sentence_of("removed") == "The rib was removed by Dr. Novak."
    assert sentence_of("3.5 weeks") == "Pain ceased within 3.5 weeks."
    assert sentence_of("again.") == "He rowed again."


def test_words_across_a_boundary_have_both_sentences() -> None:
    assert sentence_of("weeks. He") == "Pain ceased within 3.5 weeks. He rowed again."


def test_words_at_the_edges_of_a_sentence_stay_in_it() -> None:
    assert sentence_of("Novak.") == sentence_of("The") == "The rib was removed by Dr. Novak."


def test_words_without_a_place_have_no_sentence() -> None:
    assert sentence_around(TEXT, -1, -1) == ("", 0)
    assert sentence_around("", 0, 0) == ("", 0)


@given(st.text(alphabet="aB. \n", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_a_sentence_holds_its_words(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    sentence, offset = sentence_around(text, start, end)
    assert text[offset : offset + len(sentence)] == sentence == sentence.strip()
    assert text[start:end].strip() in sentence
