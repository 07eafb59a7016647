"""Linking: which concept a name means that no lexicon lists as it stands.

`Linker.link(field, name)` tries, from the surest on: the normal form of the name, with sites as adjectives or as nouns
(`ovarian carcinoma`, `carcinoma of the ovary`); the same with misspelt words mended; the name without words that leave
it a kind of the same thing (`recurrent sacral chordoma` is a chordoma), as few and as little telling ones as will do.
What is left keeps the head of the name; a number, a `non` or a `pseudo` is never dropped. The score is the share of
such links that are right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Literal, NamedTuple

from caseframe.lexicons import builtin_entries, builtin_paths, read_lexicon
from caseframe.lexicons.folding import CACHED_PHRASES
from caseframe.lexicons.names import Concept, Names, names_path, open_names, site_nouns, with_nouns
from caseframe.lexicons.normal import folded_words, normal_words

How = Literal["same", "placed", "spelled", "broader"]

POOLS: dict[str, tuple[str, ...]] = {
    "diagnosis": ("diagnosis",),
    "comorbidity": ("diagnosis",),
    "complication": ("complication", "diagnosis"),
    "symptom": ("symptom", "diagnosis"),
    "metastasis": ("site",),
    "site": ("site",),
    "procedure": ("procedure",),
    "implant": ("implant",),
    "therapy": ("therapy",),
}
"""The fields of the lexicons among whose concepts the names of a field are looked for, the first ones first."""
THRESHOLD = 0.5
"""A link that is less sure is none."""
# Longer names are sentences, and have too many parts.
_MOST_WORDS = 9
_MOST_DROPPED = 5
_MOST_SITE_WORDS = 4
_NO_PART = frozenset({"of", "the"})
# What follows is not what the name is a kind of: "sarcoma of the thigh", "cyst mimicking a tumor".
_AFTER_HEAD = re.compile(
    r"[ ,]+(?:of|in|with|from|to|due|at|on|after|and|or|by|involving|arising|within|without|near|presenting|causing|"
    r"mimicking|simulating|resembling|masquerading|secondary|associated|complicated|invading|extending|following)[ ,]+"
)
_RELATIONS = re.compile(
    r"[ ,]+(?:with|from|due to|after|and|or|by|without|presenting|causing|mimicking|simulating|resembling|masquerading|"
    r"secondary to|associated|complicated|invading|extending|following)[ ,]+"
)
# People leave these words out of a name: "von Hippel-Lindau".
_KINDS = ("disease", "syndrome")
# What is nothing but these is no link.
_SAYS_LITTLE = frozenset("disease syndrome infection lesion mass condition finding injury".split())
# Nothing but these, where the name told what kind of tumor, is none either.
_ANY_TUMOR = frozenset("tumor neoplasia malignant benign cancer malignancy".split())
# Fields whose values may be a kind of a concept: what a symptom is a kind of says too little.
_BROADER = frozenset({"diagnosis", "comorbidity", "complication", "metastasis", "site", "procedure", "implant"})
# "Adverse events": complications as such, not one of them.
_ANY = "any"
# The lexicons whose names are values as they stand.
_CONDITIONS = ("diagnosis", "symptom", "complication")
# Words before a tumor's name that can be part of it, and those that part it from what stands before.
_MOST_AHEAD = 3
_BREAKS = frozenset("of and or with in from to the a an by for as on at no not non non- versus vs".split())
_ANY_MORPHOLOGY = "ICDO3:8000/"
# How much of the score each dropped word costs, by what kind of word it is; and what follows the name, as a whole.
_COSTS = {"free": 0.97, "head": 0.97, "site": 0.95, "kind": 0.88, "unknown": 0.86, "tail": 0.9}
_BASE: dict[How, float] = {"same": 1.0, "placed": 0.9, "spelled": 0.9, "broader": 0.97}
_NOT_MALIGNANT = re.compile(r"/[01]\Z")


class Link(NamedTuple):
    """The concept that a name means."""

    name: str
    """The preferred name of the concept whose code is given."""
    code: str
    """Empty where the lexicons give the concept none, nor anything that it is a kind of."""
    score: float
    """How sure the link is, in (0, 1]."""
    how: How
    preferred: str = ""
    """The concept's name where the name given is another way to write it and the field the same, else empty."""


class Linker:
    """Links names to the concepts of some lexicons."""

    def __init__(self, lexicons: Sequence[str] = (), builtin: bool = True) -> None:
        """`lexicons`: paths of further TSV files; `builtin`: the shipped ones too, whose concepts come first.

        Raises LexiconError where a file cannot be read.
        """
        self._given: tuple[tuple[str, ...], bool] | None = tuple(lexicons), builtin
        self._sources = [None, *map(Path, lexicons)] if builtin else [Path(path) for path in lexicons]
        self._opened: list[Names] | None = None
        self._plain = lru_cache(maxsize=CACHED_PHRASES)(self._link)
        self.exacter = lru_cache(maxsize=CACHED_PHRASES)(self._exacter)
        self._mended = lru_cache(maxsize=CACHED_PHRASES)(self._mend)
        self.site_in = lru_cache(maxsize=CACHED_PHRASES)(self._site_in)

    @classmethod
    def of_names(cls, names: Iterable[Names]) -> Linker:
        """A linker to the concepts of indexes that are open."""
        made = cls(builtin=False)
        made._given, made._opened = None, list(names)
        return made

    def __reduce__(self) -> tuple[Callable[..., Linker], tuple[tuple[str, ...], bool]]:
        if self._given is None:
            raise TypeError("a linker to open indexes does not leave its process")
        return linker, self._given

    @property
    def _names(self) -> list[Names]:
        if self._opened is None:
            self._opened = [_open(source) for source in self._sources]
        return self._opened

    def link(self, field: str, name: str, words: str = "", sites: tuple[str, ...] = ()) -> Link | None:
        """The concept that a name of a field means, as far as the lexicons go; None where that is too unsure.

        `words` are those of the text, `sites` the names of the sites of the same patient: a tumor whose place the words
        do not tell, and the lexicons' name does, is that of its own site.
        """
        link = self._plain(field, name)
        if link is None or not sites or not words or not _places(link.name):
            return link
        placed = self._placed(POOLS[field], link.name, words, sites)
        if placed is None or placed.name == link.name:
            return link
        return Link(placed.name, placed.code, _BASE["placed"], "placed", placed.name)

    def _exacter(self, code: str, before: str, words: str) -> Concept | None:
        """The tumor that the words name together with up to three words before them: `villous` `adenocarcinoma`.

        Its code has the behavior of `code`, that of the words alone, unless these name any tumor or `malignant` stands
        before.
        """
        named = normal_words(words)
        bare = [word for word in with_nouns(named) if word not in _site_words()]
        ahead = before.split()[-_MOST_AHEAD:]
        while ahead:
            told = () if _BREAKS.intersection(ahead) else normal_words(" ".join(ahead))
            for form in ({*told, *named}, {*told, *bare}) if told else ():
                found = self._find(("diagnosis",), form)
                if found is not None and _is_exacter(found.code, code, told):
                    return found
            del ahead[0]
        return None

    def _link(self, field: str, name: str) -> Link | None:
        pools = POOLS.get(field, ())
        words = normal_words(name)
        if not pools or not words or len(words) > _MOST_WORDS:
            return None
        how, same = self._same(pools, words)
        other_writing = (
            same is not None
            and same.name not in (name, _ANY)
            and same.field == pools[0]
            and not self._is_name(pools, name)
        )
        preferred = same.name if same and other_writing else ""
        if same and same.code:
            return Link(same.name, same.code, _BASE[how], how, preferred)
        if field in _BROADER and (best := self._broader(pools, name)) is not None:
            return best._replace(preferred=preferred)
        return Link(same.name, "", _BASE[how], how, preferred) if same else None

    def _same(self, pools: Sequence[str], words: Sequence[str]) -> tuple[How, Concept | None]:
        """The concept whose name has these words, or one of these kinds after them; mended where nothing else helps."""
        if (found := self._find(pools, words)) is not None:
            return "same", found
        if pools[0] == "diagnosis":
            for kind in _KINDS:
                if kind not in words and (found := self._find(pools, (*words, kind))) is not None:
                    return "same", found
        mended = tuple(sorted({self._mended(word) for word in words}))
        return "spelled", self._find(pools, mended) if mended != tuple(words) else None

    def _named(self, pools: Sequence[str], words: Sequence[str]) -> Concept | None:
        found: Concept | None = None
        for pool in pools:
            for names in self._names:
                for concept in names.of(pool, words):
                    if concept.code:
                        return concept
                    found = found or concept
        return found

    def _is_name(self, pools: Sequence[str], name: str) -> bool:
        """Whether a lexicon has a concept of just this name."""
        words = normal_words(name)
        among = {*pools, *_CONDITIONS} if not {*pools}.isdisjoint(_CONDITIONS) else pools
        return any(concept.name == name for pool in among for names in self._names for concept in names.of(pool, words))

    def _find(self, pools: Sequence[str], words: Iterable[str]) -> Concept | None:
        """A concept with a code before one without."""
        words = tuple(words)
        found = self._named(pools, words)
        if (found is None or not found.code) and (nouns := with_nouns(words)) != words:
            again = self._named(pools, nouns)
            found = again if again is not None and (found is None or again.code) else found
        return found

    def _mend(self, word: str) -> str:
        if any(word in names for names in self._names):
            return word
        return next((near for names in self._names if (near := names.nearest(word))), word)

    def _placed(self, pools: Sequence[str], known: str, words: str, sites: Sequence[str]) -> Concept | None:
        """The concept of these words at one of the sites, where the known one is of another place."""
        told = set(with_nouns(normal_words(words)))
        here = {word for site in sites for word in with_nouns(normal_words(site))}
        if not _places(known).isdisjoint(told | here):
            return None
        found = (self._find(pools, {*normal_words(words), *normal_words(site)}) for site in sites)
        return next((concept for concept in found if concept is not None and concept.code), None)

    def _broader(self, pools: Sequence[str], name: str) -> Link | None:
        """The likeliest concept of which the name names a kind."""
        core = _RELATIONS.split(name, maxsplit=1)[0]
        base = _BASE["broader"] * (_COSTS["tail"] if core != name else 1.0)
        words = tuple(sorted({self._mended(word) for word in normal_words(core)}))
        head = [self._mended(word) for part in _AFTER_HEAD.split(core, 1)[0].split() for word in normal_words(part)]
        kinds = {word: self._kind(word) for word in words}
        allowed = ("free",) if pools == ("site",) else tuple(_COSTS)
        droppable = [word for word in words if kinds[word] in allowed]
        ways: list[tuple[float, tuple[str, ...]]] = []
        for number in range(core == name, min(len(droppable), _MOST_DROPPED) + 1):
            for dropped in combinations(droppable, number):
                score = base * prod(_COSTS[kinds[word]] for word in dropped)
                if score >= THRESHOLD and _keeps_head(head, kinds, dropped):
                    ways.append((-score, dropped))
        for score, dropped in sorted(ways):
            left = [word for word in words if word not in dropped]
            little = _SAYS_LITTLE | (
                _ANY_TUMOR if any(kinds[word] in ("kind", "unknown") for word in dropped) else set()
            )
            found = None if little.issuperset(left) else self._find(pools, left)
            if found is not None and found.code and (code := _with_behavior(found.code, dropped)):
                return Link(found.name, code, round(-score, 3), "broader")
        return None

    def _kind(self, word: str) -> str:
        if any(char.isdigit() for char in word):
            return "number"
        return _qualifiers().get(word) or (
            "site" if word in _site_words() else "kind" if any(word in names for names in self._names) else "unknown"
        )

    def _site_in(self, name: str) -> Concept | None:
        """The site that words of a name mean, the longest with a code: `femoral neck` in `femoral neck fracture`."""
        words = [word for word in folded_words(name) if word not in _NO_PART]
        known = [word in _site_words() for word in words]
        if not any(known):
            return None
        for length in range(min(len(words), _MOST_SITE_WORDS), 0, -1):
            for start in range(len(words) - length + 1):
                if any(known[start : start + length]):
                    found = self._find(("site",), words[start : start + length])
                    if found is not None and found.code:
                        return found
        return None


def _is_exacter(code: str, known: str, told: Sequence[str]) -> bool:
    """Whether an ICD-O-3 code is that of a kind of the tumor with the known one."""
    if not code.startswith("ICDO3:") or code.startswith(_ANY_MORPHOLOGY) or code == known:
        return False
    return code[-1] == known[-1] or known.startswith(_ANY_MORPHOLOGY) or "malignant" in told


def _keeps_head(head: Sequence[str], kinds: Mapping[str, str], dropped: Sequence[str]) -> bool:
    for word in reversed(head):
        if word not in dropped:
            return True
        if kinds.get(word) != "head":
            return False
    return False


def _with_behavior(code: str, dropped: Sequence[str]) -> str:
    """An ICD-O-3 code with the behavior that the name tells beside the concept's; empty where they contradict."""
    if "malignant" in dropped:
        return _NOT_MALIGNANT.sub("/3", code)
    return "" if "benign" in dropped and code.endswith("/3") else code


def _open(path: Path | None) -> Names:
    """The index of a lexicon file, beside its compiled form where it has one; None means the shipped ones."""
    if path is None:
        shipped = builtin_paths()
        return open_names(shipped[0].parent / "names.compiled", shipped, builtin_entries)
    folder = names_path(path)
    return open_names(folder if folder.parent.is_dir() else None, [path], lambda: read_lexicon(path))


@cache
def _site_words() -> frozenset[str]:
    """The words of which names of sites are made."""
    return frozenset(word for name in site_nouns().items() for word in (name[0], *name[1]))


@lru_cache(maxsize=CACHED_PHRASES)
def _places(name: str) -> frozenset[str]:
    """The words for sites in a concept's name."""
    return frozenset(with_nouns(normal_words(name))) & _site_words()


@cache
def _qualifiers() -> Mapping[str, str]:
    """What kind of word a qualifier is."""
    path = Path(str(files("caseframe.lexicons") / "rules" / "qualifiers.tsv"))
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = (line.split("\t") for line in lines[1:])
    return {folded: how for how, words in rows for word in words.split() for folded in normal_words(word)}


@cache
def linker(lexicons: tuple[str, ...] = (), builtin: bool = True) -> Linker:
    """The linker of some lexicons; one a process."""
    return Linker(lexicons, builtin)
