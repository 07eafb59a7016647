from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from caseframe.stages.tokenizer import blank

# scispaCy's tokenizer rules hold "||" within a set of characters.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")


@cache
def nlp() -> Language:
    return blank()


@pytest.mark.parametrize(
    "word",
    [
        "3D-printed",
        "L3-S1",
        "34-year-old",
        "34-yr-old",
        "custom-made",
        "TNF-α",
        "hs-CRP",
        "PET/CT",
        "p53",
        "mg/dL",
        "E.R.",
    ],
)
def test_words_stay_whole(word: str) -> None:
    assert [token.text for token in nlp()(f"the {word} was")] == ["the", word, "was"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pain (VAS 3/10).", "pain ( VAS 3/10 ) ."),
        ("3.5 mm vs. 4 mm", "3.5 mm vs. 4 mm"),
        ("healed.The scar", "healed . The scar"),
        ("tumor, fever; pain: none", "tumor , fever ; pain : none"),
        ("the patient's hip", "the patient 's hip"),
        ("5 × 3 cm", "5 × 3 cm"),
        ("20 % [12]", "20 % [ 12 ]"),
    ],
)
def test_punctuation_is_split(text: str, words: str) -> None:
    assert [token.text for token in nlp()(text)] == words.split()


def test_line_breaks_are_tokens_of_their_own() -> None:
    assert [token.text for token in nlp()("Title\nAbstract")] == ["Title", "\n", "Abstract"]


def test_config_round_trip() -> None:
    assert nlp().config["nlp"]["tokenizer"]["@tokenizers"] == "caseframe.tokenizer.v1"
    copy = blank()
    copy.from_bytes(nlp().to_bytes())
    assert [token.text for token in copy("3D-printed L3-S1.")] == ["3D-printed", "L3-S1", "."]


@given(st.text(max_size=200))
def test_tokens_are_the_text(text: str) -> None:
    doc = nlp()(text)
    assert doc.text == text
    assert all(text[token.idx : token.idx + len(token)] == token.text for token in doc)
