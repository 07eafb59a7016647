"""The lexicons at the reviewer's hand: which field selected words belong to, and terms that fit what was typed."""

from __future__ import annotations

from functools import cache

from caseframe.lexicons import Term, builtin_lexicon
from caseframe.schema import FIELDS

_MOST = 8


@cache
def terms_of(field: str) -> dict[str, Term]:
    """The shipped terms of a field by preferred name."""
    return dict(builtin_lexicon().of_field(field))


def guess(words: str, field: str = "") -> tuple[str, str]:
    """Field and canonical value of words as the lexicons have them; a field that is given stays.

    Words that no lexicon knows are their own value, in lower case where the field's values are terms.
    """
    words = " ".join(words.split())[:300]
    named = [term for term in builtin_lexicon().lookup(words) if term.field in FIELDS and field in ("", term.field)]
    if named:
        return named[0].field, named[0].preferred
    is_term = field in FIELDS and FIELDS[field].type == "term"
    return field, words.lower() if is_term or not field else ""


def suggest(field: str, typed: str) -> list[str]:
    """At most eight terms of a field: those that begin with what was typed, then those that hold it."""
    sought = " ".join(typed.casefold().split())
    if not sought or field not in FIELDS:
        return []
    names = terms_of(field)
    exact = [name for name in guess(typed, field)[1:] if name in names]
    starting = sorted((name for name in names if name.casefold().startswith(sought)), key=len)
    holding = sorted((name for name in names if sought in name.casefold()), key=len)
    return list(dict.fromkeys([*exact, *starting, *holding]))[:_MOST]
