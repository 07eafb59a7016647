"""The normal form of a name: what two ways to write one name have in common.

`Fracture, femoral` and `femoral fractures`, `carcinoma of the breast` and `breast carcinoma, NOS`, `factor VIII` and
`factor 8`, `Ewing's` and `Ewing`, `α-fetoprotein` and `alpha fetoprotein` have one normal form each. It is the set of
the folded words that say something, so that their order, and how often they stand, says nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

from caseframe.lexicons.folding import CACHED_WORDS, fold_word

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_ROMAN = {
    "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10",
    "xi": "11", "xii": "12", "xiii": "13",
}  # fmt: skip
# Without a class word beside them only these are numbers: IV is also a vein, X a chromosome.
_PLAIN_ROMAN = frozenset("ii iii vii viii ix xii xiii".split())
_ROMAN_LETTER = re.compile(r"(i{1,3}|iv|v|vi{1,3})([abc])")
# Words whose numbers are often Roman.
_NUMBERED = frozenset("type grade stage class group factor phase level zone nerve degree category".split())
_SAY_NOTHING = frozenset("of the an in on at to by with and for from nos NOS unspecified".split())
# "Not otherwise specified", as a set of words.
_NOT_OTHERWISE = frozenset("not otherwise specified classified".split())
# Terminologies tell by these what kind of thing a name names; and "giant cell tumor (GCT)" names it twice.
_ASIDE = re.compile(
    r"\((?:disorder|disease|finding|morphologic abnormality|procedure|body structure|[A-Z][A-Z0-9]{1,5}s?)\)"
)
_POSSESSIVE = re.compile(r"['’]s?(?!\w)")
_WORD = re.compile(r"[^\W_]+")
_SAME = {
    "neoplasm": "tumor", "tumorous": "tumor", "carcinomatous": "carcinoma", "leukemic": "leukemia",
    "disorder": "disease", "illness": "disease",
}  # fmt: skip
_MOST_FOLDINGS = 10


def normal_words(name: str) -> tuple[str, ...]:
    """The words of a name's normal form, sorted; those of the name as it is where none says anything."""
    words = set(folded_words(name))
    numbered = not _NUMBERED.isdisjoint(words)
    said = {_number(word, numbered) for word in words} - _SAY_NOTHING
    if {"not", "otherwise"} <= said:
        said -= _NOT_OTHERWISE
    return tuple(sorted(said or words))


def folded_words(name: str) -> list[str]:
    """The folded words of a name, in their order."""
    if not name.isascii() or "(" in name or "'" in name:
        name = _spelled(_POSSESSIVE.sub("", _ASIDE.sub(" ", name)).replace("'", "").replace("’", ""))
    return [_folded(word) for word in _WORD.findall(name)]


@lru_cache(maxsize=CACHED_WORDS)
def normal_form(name: str) -> str:
    """The normal form as one string, the key under which names meet: `breast carcinoma`. It is its own normal form."""
    return " ".join(normal_words(name))


def _spelled(name: str) -> str:
    """Greek letters as words, compatible forms (ligatures, full width) as the plain ones."""
    return "".join(
        f" {_GREEK[char]} " if (char := each.lower()) in _GREEK else each for each in normalize("NFKC", name)
    )


@lru_cache(maxsize=CACHED_WORDS)
def _folded(word: str) -> str:
    """The folded form of a word that folding does not change any more: `caseses` is `case`, as `cases` is."""
    for _ in range(_MOST_FOLDINGS):
        folded = "".join(_WORD.findall(normalize("NFKC", fold_word(word))))
        folded = _SAME.get(folded, folded)
        if folded == word or not folded:
            break
        word = folded
    return word


def _number(word: str, numbered: bool) -> str:
    """A Roman numeral as digits: with a class word any, in capitals those that are nothing else."""
    lower = word.lower()
    if lower in _ROMAN and (numbered or lower in _PLAIN_ROMAN):
        return _ROMAN[lower]
    if numbered and (match := _ROMAN_LETTER.fullmatch(lower)):
        return _ROMAN[match[1]] + match[2]
    return word
