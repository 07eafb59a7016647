"""What a pattern asks for stands in all that it matches, so that nothing is missed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.fields.study import cues
from caseframe.stages.needles import finditer, heads_of, may_match, needles_of, search

PATTERNS = {
    r"\bthe patient\b": {"the patient"},
    r"\b(?:mean|median) (?:age|follow[- ]up)\b": {"age", "follow"},
    r"(?P<a>recurr(?:ed|ence)|relapse)s?": {"curre", "lapse"},
    r"(?:no )?(?:signs? of )?recurrence": {"recurrence"},
    r"(?:alive|dead)? ?at \d+ (?:weeks|months|years)": {"weeks", "months", "years"},
    r"\bTumou?r\b": {"tumo"},
    r"(?i:CHEST)(?=x)": {"chest"},
    r"(?:abc){1,3}": {"abc"},
    r"(?>abc|def)g": {"abc", "def"},
    r"\d+ (?:mg|g)\b": set(),
    r"(?:tumour|\w+)": set(),
    r"(?:tumour)?": set(),
    r"naïveté": {"vet"},
    r"ab|cd": set(),
}


# What the word begins with at which a match begins.
HEADS = {
    r"\bthe patient\b": {"the"},
    r"\b(?:mean|Median) (?:age|follow[- ]up)\b": {"mea", "med"},
    r"\b(?:an?|no\b|(?:the |this )?index) case": {"a", "an", "no", "the", "thi", "ind"},
    r"\bfr?ee": {"fre", "fee"},
    r"\b[Tt]he other|\bR[01](?: resection)?\b": {"the", "r0"},
    r"\b(?:\d+|two)[- ]cases": {"0", "two"},
    r"\b(?:not )+seen": {"not"},
    r"\b(?=\w)(?!his )her\b": {"her"},
    r"(?i:\bCHEST)": {"che"},
    r"\b(?>pain|ache) free": {"pai", "ach"},
    r"\bT\d\b": {"t0"},
    r"\ban?[^\S\n]case": {"a", "an"},
    r"\ba[-– ]case": {"a"},
    r"\ba[^x]case": set(),
    r"\bn\w+": set(),
    r"\b(?:a )?\w+": set(),
    r"\bno": set(),
    r"\b(?:no )?": set(),
    r"\b[a-z]{3}": set(),
    r"\bé": set(),
    r"\b patient": set(),
    r"patient|\bcase": set(),
    r"(?a:\bcase)": set(),
}


@pytest.mark.parametrize("pattern", HEADS)
def test_the_beginnings_of_what_matches(pattern: str) -> None:
    assert heads_of(re.compile(pattern)) == HEADS[pattern]


def test_ascii_boundaries_are_others() -> None:
    assert not heads_of(re.compile(r"\bcase", re.ASCII)) and [*finditer(re.compile(r"\bcase", re.ASCII), "écase")]


@given(st.data(), st.sampled_from([pattern for pattern in HEADS if "?>" not in pattern and "?=" not in pattern]))
def test_matches_are_found_at_every_word(data: st.DataObject, pattern: str) -> None:
    compiled = re.compile(pattern, re.IGNORECASE)
    between = st.text(st.sampled_from(" -.,_é–aı²٣1"), max_size=3)
    text = "".join(data.draw(st.lists(st.one_of(between, st.from_regex(compiled, fullmatch=True)), max_size=8)))
    assert [match.span() for match in finditer(compiled, text)] == [match.span() for match in compiled.finditer(text)]


@pytest.mark.parametrize(("pattern", "first"), [(r"\b(?:case|report)s?\b", "cases"), ("[tp]or", "por")])
def test_the_first_match(pattern: str, first: str) -> None:
    compiled = re.compile(pattern)
    match = search(compiled, "Two (cases), reports")
    assert match is not None and match[0] == first
    assert search(compiled, "none") is None


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("flags", [re.NOFLAG, re.IGNORECASE])
def test_the_words_that_any_match_holds(pattern: str, flags: re.RegexFlag) -> None:
    assert needles_of(re.compile(pattern, flags)) == PATTERNS[pattern]


@given(st.data(), st.sampled_from([pattern for pattern in PATTERNS if "?>" not in pattern]), st.booleans())
def test_whatever_matches_is_searched(data: st.DataObject, pattern: str, ignoring: bool) -> None:
    compiled = re.compile(pattern, re.IGNORECASE if ignoring else 0)
    text = data.draw(st.from_regex(compiled))
    assert [match.span() for match in finditer(compiled, text)] == [match.span() for match in compiled.finditer(text)]


@given(st.data(), st.sampled_from(cues()))
def test_the_cues_of_a_design(data: st.DataObject, cue: object) -> None:
    pattern = cue.pattern  # type: ignore[attr-defined]
    text = data.draw(st.from_regex(pattern))
    assert may_match(pattern, text) and list(finditer(pattern, text))


@pytest.mark.parametrize("text", ["INFİLTRATİON", "ınfıltratıon", "kidneyſ infiltration", "\u212aidney infiltration"])
def test_letters_that_ignoring_case_takes_for_others(text: str) -> None:
    pattern = re.compile("infiltration|kidneys", re.IGNORECASE)
    assert pattern.search(text) and list(finditer(pattern, text))


def test_a_text_without_them_is_not_searched() -> None:
    pattern = re.compile(r"\b(?:died|deceased)\b")
    assert not may_match(pattern, "He walked home.") and not list(finditer(pattern, "He walked home."))
    assert not may_match(pattern, "He was undeceased")
    assert may_match(re.compile("died|deceased"), "He was undeceased")


def test_more_than_many_words_are_none() -> None:
    assert needles_of(re.compile("|".join(f"{n:03}x" for n in range(30))))
    assert not needles_of(re.compile("|".join(f"{chr(97 + n % 26)}{n:03}x" for n in range(50))))
