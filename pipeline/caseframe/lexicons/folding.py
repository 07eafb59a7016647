"""Folding of word forms: case, plural, British spelling, dashes. Terms and texts are folded alike before they meet."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar
from unicodedata import combining, normalize

CACHED_WORDS = 6_000
"""How many words each cache of what words are keeps, so that memory is flat however many articles come: all are full
after a thousand abstracts. 23 words of a new one are then unknown, 16 if 10,000 were kept, 9 of 20,000."""
CACHED_PHRASES = 3_000
"""Likewise of phrases, most of which come again in the same article or never."""
Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(dict[Key, Value]):
    """What `make` gave for its keys, never None. To look up many keys, `map(remembered.__getitem__, keys)` is twice as
    quick as a function with `lru_cache`.

    When `most` are known they become the older ones, and take the place of those that were: the usual ones stay.
    """

    def __init__(self, make: Callable[[Key], Value], most: int = CACHED_WORDS) -> None:
        super().__init__()
        self.make, self._most = make, most
        self._older: dict[Key, Value] = {}

    def __missing__(self, key: Key) -> Value:
        if len(self) >= self._most:
            self._older = dict(self)
            self.clear()
        value = self._older.get(key)
        if value is None:
            value = self.make(key)
        self[key] = value
        return value


# British stems that have one American spelling wherever they stand in a medical word, with letters that each holds.
_SPELLING = tuple(
    (letters, re.compile(pattern), american)
    for letters, pattern, american in (
        ("our", r"(tum|col|fav|lab|behavi|od|hum|harb|vap|vig)our", r"\1or"),
        ("aem", r"haem|(?<=[a-z])aem(?=i|ic|ia)", lambda match: "hem" if match[0] == "haem" else "em"),
        ("oe", r"^oe(?=dem|soph|str)", "e"),
        ("oedem", r"(?<=[a-z])oedem", "edem"),
        ("oesoph", r"(?<=[a-z])oesoph", "esoph"),
        ("rrhoea", r"rrhoea", "rrhea"),
        ("pnoea", r"pnoea", "pnea"),
        ("foet", r"foet(?=us|al)", "fet"),
        ("coeli", r"^coeli", "celi"),
        ("caec", r"^caec", "cec"),
        ("faec", r"^faec", "fec"),
        ("caesar", r"^caesar", "cesar"),
        ("aetio", r"^aetio", "etio"),
        ("amoeb", r"^amoeb", "ameb"),
        ("naesth", r"naesth", "nesth"),
        ("paed", r"paed(?=i|o)", "ped"),
        ("phaeo", r"^phaeo", "pheo"),
        ("ynaec", r"ynaec", "ynec"),
        ("leuco", r"leuco(?!vorin)", "leuko"),
        ("leukaem", r"leukaem", "leukem"),
        ("sulph", r"sulph", "sulf"),
        ("re", r"(cent|fib|lit|calib)re(?=s?$)", r"\1er"),
        ("isation", r"isation", "ization"),
        ("is", r"(?<=[aio]l)is(?=ed$|es$|ing$|e$)", "iz"),
        ("is", r"(?<!prom)(?<=[^c][eo][rmt])is(?=ed$|es$|ing$|e$)", "iz"),
        ("is", r"(metastas|minim|optim|sensit|traumat|colon|immun|organ|recogn)is(?=ed$|es$|ing$|e$)", r"\1iz"),
        ("nis", r"(recog|orga|immu|synchro|mecha|colo|homoge|hyali)nis(?=e$|ed$|es$|ing$)", r"\1niz"),
        ("lys", r"lys(?=ed$|ing$)", "lyz"),
        ("grey", r"^grey", "gray"),
        ("mould", r"^mould", "mold"),
        ("orthopaed", r"orthopaed", "orthoped"),
    )
)
_BRITISH_HINT = re.compile(r"our|ae|oe|ulph|leuc|re$|res$|is[ei]|isation|lys|grey|mould")

_IRREGULAR = {
    "feet": "foot", "teeth": "tooth", "women": "woman", "men": "man", "children": "child", "femora": "femur",
    "phalanges": "phalanx", "ganglia": "ganglion", "appendices": "appendix", "indices": "index", "foramina": "foramen",
    "lumina": "lumen", "crises": "crisis", "lenses": "lens", "viscera": "viscus", "corpora": "corpus",
    "humeri": "humerus", "foci": "focus", "emboli": "embolus", "thrombi": "thrombus", "bronchi": "bronchus",
    "menisci": "meniscus", "radii": "radius", "nuclei": "nucleus", "calculi": "calculus", "sulci": "sulcus",
    "gyri": "gyrus", "nevi": "nevus", "naevi": "nevus", "naevus": "nevus", "calcanei": "calcaneus", "tali": "talus",
    "thalami": "thalamus", "hila": "hilum", "septa": "septum", "diverticula": "diverticulum", "ova": "ovum",
    "acetabula": "acetabulum", "cholesteatomata": "cholesteatoma", "calyces": "calyx", "testes": "testis",
    "grafts": "graft", "knives": "knife", "wives": "wife", "halves": "half", "calves": "calf", "lives": "life",
    "viruses": "virus", "sinuses": "sinus", "fetuses": "fetus", "uteruses": "uterus", "plexuses": "plexus",
    "abscesses": "abscess", "biases": "bias", "pancreata": "pancreas", "metaphyses": "metaphysis",
    "cortices": "cortex", "vertices": "vertex", "matrices": "matrix", "cervices": "cervix", "apices": "apex",
    "varices": "varix", "pelves": "pelvis", "atria": "atrium", "potatoes": "potato", "mosquitoes": "mosquito",
}  # fmt: skip
_SINGULAR = frozenset(
    "diabetes herpes rabies scabies biceps triceps quadriceps forceps lens series ascites caries facies pancreas atlas "
    "rickets measles mumps feces species gas bias cannabis texas always perhaps across plus less access "
    "process thus his this its as is was has does various previous was yaws tabes pes cutis "
    "kaposis overseas ies lues pertussis hives".split()
)
_LATIN_A = re.compile(
    r"(?:vertebr|fibul|tibi|scapul|sequel|burs|fistul|maxill|patell|pleur|uln|clavicul|papill|petechi|pupill|"
    r"cochle|trache|mamm|fasci|lamin|ser|stri|vesicul|bull|macul|aort|larv|conjunctiv)ae$"
)


_CUT = re.compile("[-‐‑–—−/_]")


def american(word: str) -> str:
    """The American spelling of a lower-case word: `oedema` becomes `edema`."""
    if _BRITISH_HINT.search(word):
        for letters, pattern, spelling in _SPELLING:
            if letters in word:
                word = pattern.sub(spelling, word)
    return word


def singular(word: str) -> str:
    """The singular of a lower-case English or Latin noun: `metastases` becomes `metastasis`."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word in _SINGULAR or word.endswith(("ss", "us", "is", "'s")):
        return word
    if word.endswith("omata"):
        return word[:-2]
    if word.endswith("ae") and _LATIN_A.search(word):
        return word[:-1]
    if not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word
    if word.endswith(("stases", "theses", "yses", "ereses")) or (
        word.endswith("oses") and word not in ("doses", "noses", "overdoses")
    ):
        return word[:-2] + "is"
    if word.endswith("noses") and word.startswith(("diag", "prog")):
        return word[:-2] + "is"
    if word.endswith("aches") and word.startswith(("ache", "head", "tooth", "back", "stomach", "ear", "belly")):
        return word[:-1]
    if word.endswith("uses") and len(word) > 5 and not word.endswith(("auses", "ouses", "fuses", "cuses", "buses")):
        return word[:-2]
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


def _fold(word: str) -> str:
    """The matching form of one word.

    Short words in capitals (`CT`, `ALL`, `GIST`) keep them, so that an abbreviation never meets an everyday word.
    Accents fall: `Sjögren` is `sjogren`.
    """
    if not word.isascii():
        word = word.replace("’", "'").replace("‐", "-").replace("‑", "-").replace("–", "-").replace("−", "-")
        # A word of marks alone stays: the empty part means the end of a term.
        word = "".join(char for char in normalize("NFD", word) if not combining(char)) or word
    if 2 <= len(word) <= 5 and word[0].isupper():
        stem = word[:-1] if word.endswith("s") else word
        if stem.isupper() and len(stem) > 1:
            return stem
    return singular(american(word.lower()))


FOLDED = Remembered[str, str](_fold)


def fold_word(word: str) -> str:
    """The matching form of one word; those of many are looked up in `FOLDED`."""
    return FOLDED[word]


@lru_cache(maxsize=CACHED_WORDS)
def fold_parts(word: str) -> tuple[str, ...]:
    """The folded parts of a token, cut at hyphens, slashes, underscores: `giant-cell` gives `('giant', 'cell')`."""
    if word.isalpha():
        return (fold_word(word),)
    return tuple(fold_word(part) for part in _CUT.split(word) if part) or (word,)


@lru_cache(maxsize=CACHED_PHRASES)
def canonical(text: str) -> str:
    """A canonical value for words that no lexicon lists: lower case, American spelling, last word singular.

    A possessive falls, as in the names of the lexicons: `Meigs' syndrome`, `Cushing's syndrome` are named without it.
    """
    words = re.sub(r"\s?'s?(?=\s)", "", text.replace("’", "'").replace("–", "-").replace("−", "-")).split()
    if not words:
        return ""
    folded = [american(word.lower()) for word in words]
    folded[-1] = singular(folded[-1])
    return " ".join(folded)
