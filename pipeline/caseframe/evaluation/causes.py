"""Why a field is wrong: names for the ways in which gold and predicted findings differ (`records.Cause`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from caseframe.evaluation.gold import GoldFinding
from caseframe.evaluation.matching import head_word, overlaps, relaxed, same_words, words_of
from caseframe.evaluation.records import Cause
from caseframe.lexicons import builtin_lexicon
from caseframe.schema import FIELDS, Finding

Stretch = tuple[int, int]
"""Characters of the article's text, half-open."""

_LITTLE_WORDS = frozenset("a an and at by for from in of on the to with".split())
_NUMBERS = ("number", "integer")
_PERSON = re.compile(r"\b(?:he|she|his|her|him|(?:the|this|our) (?:patient|man|woman|boy|girl|child))\b", re.IGNORECASE)


def of_difference(gold: GoldFinding, predicted: Finding) -> Cause:
    """Why a matched pair has not the same canonical value.

    `normalisation`: two names of one concept. `boundary`: one name holds all words of the other. `wrong_value`: what
    was made of the words is another thing.
    """
    ours, theirs = str(gold.value), str(predicted.value)
    if _preferred(ours) & _preferred(theirs) or _same_name(ours, theirs):
        return "normalisation"
    words = _content(ours), _content(theirs)
    # Before the codes, which are coarse: a carcinoma of the lung has that of any carcinoma.
    if words[0] <= words[1] or words[1] <= words[0]:
        return "boundary"
    return (
        "normalisation" if (_codes(ours) | {gold.code}) & (_codes(theirs) | {predicted.code}) - {""} else "wrong_value"
    )


@lru_cache(maxsize=100_000)
def _preferred(name: str) -> frozenset[str]:
    """What the shipped lexicons call a name, in whatever field."""
    return frozenset(term.preferred for term in builtin_lexicon().lookup(name))


@lru_cache(maxsize=100_000)
def _codes(name: str) -> frozenset[str]:
    return frozenset(term.code for term in builtin_lexicon().lookup(name))


@lru_cache(maxsize=100_000)
def _content(name: str) -> frozenset[str]:
    """The words that bear the meaning; those that name a site alone by the site's name (femoral: femur)."""
    words = [word for word in words_of(name) if word not in _LITTLE_WORDS]
    sites = [next((t.preferred for t in builtin_lexicon().lookup(word) if t.field == "site"), word) for word in words]
    return frozenset(part for site in sites for part in words_of(site))


def _same_name(one: str, other: str) -> bool:
    """Whether two names differ in word order, little words or blanks, or in that one abbreviates the other."""
    if _content(one) == _content(other) or "".join(words_of(one)) == "".join(words_of(other)):
        return True
    return _abbreviates(one, other) or _abbreviates(other, one)


def _abbreviates(short: str, long: str) -> bool:
    initials = ["".join(word[0] for word in words).lower() for words in (words_of(long), long.split())]
    return len(short) > 1 and short.lower() in initials


def is_wrong_field(gold: GoldFinding, predicted: Finding, text: str) -> bool:
    """Whether a prediction tells of what the gold tells, in another field of the case.

    Words or heads must agree, since a site stands within the words of most conditions (femur in a femoral fracture).
    """
    ours, theirs = FIELDS[gold.field], FIELDS[predicted.field]
    if ours is theirs or "article" in (ours.level, theirs.level):
        return False
    if ours.type in _NUMBERS or theirs.type in _NUMBERS:
        return ours.type in _NUMBERS and theirs.type in _NUMBERS and same_words(gold, predicted, text)
    if is_same_name(gold, predicted):
        return True
    if not same_words(gold, predicted, text):
        return False
    if head_word(str(gold.value)) == head_word(str(predicted.value)):
        return True
    # The words of a closed choice say other things besides ("pain-free at two years": alive).
    return ours.type == theirs.type == "term" and head_word(gold.text) == head_word(predicted.text)


def is_same_name(gold: GoldFinding, predicted: Finding) -> bool:
    """Whether the values are the same words, whatever the fields."""
    return isinstance(gold.value, str) and words_of(gold.value) == words_of(str(predicted.value))


def is_wrong_value(gold: GoldFinding, predicted: Finding) -> bool:
    """Whether a prediction fills the one cell that a gold number or closed choice has with another value."""
    spec = FIELDS[gold.field]
    return gold.field == predicted.field and spec.type != "term" and not spec.many


def of_miss(gold: GoldFinding, text: str, known: Sequence[Stretch]) -> Cause:
    """Why a gold finding has no prediction.

    `left_out`: among its words is a `known` stretch that names the thing, or its kind. `missed_term`: there is none.
    """
    heads = {head_word(str(gold.value))}
    if FIELDS[gold.field].type == "term":
        heads.add(head_word(gold.text))
    named = (heads & _heads(text[start:end]) for start, end in known if overlaps(gold.text, text, start, end))
    return "left_out" if any(named) else "missed_term"


@lru_cache(maxsize=100_000)
def _heads(name: str) -> frozenset[str]:
    """The head words of a name and of what the shipped lexicons call it."""
    return frozenset(head_word(each) for each in {name} | _preferred(name))


def of_false(predicted: Finding, gold: Sequence[GoldFinding], text: str, sentence: Stretch) -> Cause:
    """Why a prediction has no gold finding.

    `duplicate`: one that it fits, or that has its name in another field, is taken. `general_statement`: its `sentence`
    names no person and holds the words of no finding of a case, or there is no case at all. `spurious`: neither.
    """
    if any(relaxed(finding, predicted, text) or is_same_name(finding, predicted) for finding in gold):
        return "duplicate"
    told = [finding for finding in gold if FIELDS[finding.field].level == "case"]
    if told and _PERSON.search(text, *sentence):
        return "spurious"
    folded = frozenset(words_of(text[slice(*sentence)]))
    if any(overlaps(each.text, text, *sentence) or _names(each) <= folded for each in told):
        return "spurious"
    return "general_statement"


def _names(finding: GoldFinding) -> frozenset[str]:
    """The words of a term's value; what no text holds for the other values."""
    return frozenset(words_of(str(finding.value)) if FIELDS[finding.field].type == "term" else ("",))
