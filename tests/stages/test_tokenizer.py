from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.attrs import ORTH  # type: ignore[import-not-found]
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc

from caseframe.stages import tokenizer as module
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


@cache
def forgetful() -> Tokenizer:
    """spaCy's own, with the same rules."""
    ours = nlp().tokenizer
    assert isinstance(ours, Tokenizer)
    affixes = ours.prefix_search, ours.suffix_search, ours.infix_finditer
    return Tokenizer(nlp().vocab, ours.rules, *affixes, ours.token_match, ours.url_match)


def tokens_of(doc: Doc) -> list[tuple[str, str, str]]:
    return [(token.text, token.whitespace_, token.norm_) for token in doc]


def assert_same_tokens(text: str) -> None:
    expected = tokens_of(forgetful()(text))
    assert tokens_of(nlp()(text)) == expected
    assert tokens_of(nlp()(text)) == expected, "another time, from memory"


PIECES = (
    "the tumour tumour, tumour. tumour; (tumour tumour) (tumour). (HR) HR. HR.) H. 12 12. 12, (12) 3.5 3.5, .5 3-4 "
    "12-year-old 12-L 3mm 3mm. 5-mm -5 L3-S1 e.g. (e.g. vs. vs vs.) i.e., p.m. Dr. Jan. cannot and/or I'm patient's "
    "patients' 'patient' :) :( : ) ( (: x:3 =3 < 3 <3 c. s. 's ' \u2019s 8) 8-) a\u2013b a\u2013 ,b a,b a;b: (see) "
    "(1.5%), [12] [12]. 45,X/46,XY. normal.The \n \n\n \t \u00a0 p.V255M http://a.org a@b.org :-) )-: o.O xD"
).split(" ")


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([" ", "", "\n", "  "]))
def test_remembered_pieces_are_the_tokens_of_spacy(pieces: list[str], joint: str) -> None:
    assert_same_tokens(joint.join(pieces))


@given(st.text(alphabet="aBc1 .,:;()-'\n%/3", max_size=60))
def test_any_text_has_the_tokens_of_spacy(text: str) -> None:
    assert_same_tokens(text)


def test_special_cases_have_the_tokens_of_spacy() -> None:
    for special in forgetful().rules:
        for text in (special, f"the {special} was", f"({special}).", f"a{special}, {special} :", f"{special}{special}"):
            assert_same_tokens(text)


def test_a_new_rule_holds_for_pieces_that_were_seen() -> None:
    fresh = blank()
    assert [token.text for token in fresh("custom-made")] == ["custom-made"]
    assert isinstance(fresh.tokenizer, Tokenizer)
    fresh.tokenizer.add_special_case("custom-made", [{ORTH: "custom-"}, {ORTH: "made"}])
    assert [token.text for token in fresh("custom-made")] == ["custom-", "made"]


def test_more_pieces_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT_PIECES", 3)
    fresh = blank()
    for text in ("one (two) three, four. five", "one six", "(two) seven eight nine", "one", "(two) one"):
        assert tokens_of(fresh(text)) == tokens_of(forgetful()(text))


@given(st.text(max_size=200))
def test_tokens_are_the_text(text: str) -> None:
    doc = nlp()(text)
    assert doc.text == text
    assert all(text[token.idx : token.idx + len(token)] == token.text for token in doc)
