"""What stands above a value: its group, region or category, and what these are kinds of.

Told by the lexicons (the attributes `group`, `region`, `category`, `kind`, and `parents` of imported terms), by the
code, by the ending of the word (`liposarcoma`), and by the head of a longer name: a `pleomorphic liposarcoma` and a
`liposarcoma of the thigh` are liposarcomas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from caseframe.lexicons import CompiledLexicon, Entry, Lexicon, Term, builtin_entries, builtin_lexicon, load_lexicon
from caseframe.lexicons.folding import CACHED_PHRASES

COLUMNS = {"diagnosis": "diagnosis_group", "site": "site_region", "procedure": "procedure_category"}
"""The fields whose values have a column of what stands nearest above them, and its name."""
# Which attributes name a group; `kind` is the widest, and comes last.
_GROUPING = {
    "diagnosis": ("group", "kind"),
    "comorbidity": ("group", "kind"),
    "complication": ("group", "kind"),
    "site": ("region",),
    "procedure": ("category",),
    "therapy": ("kind",),
}
# An attribute that two terms must share before the one is taken for a kind of the other by its name.
_AGREE = {"diagnosis": "behavior", "site": "region", "procedure": "category"}
_CODE = re.compile(r"ICDO3:(\d{4})/(\d)")
_AFTER_HEAD = re.compile(r" (?:of|in|with|from|after|due to|at) ")
# A category that says nothing.
_NO_GROUP = {"other"}


@dataclass(frozen=True, slots=True)
class _CodeRange:
    first: int
    last: int
    behaviors: tuple[str, ...]
    above: str


@dataclass(frozen=True, slots=True)
class _Rules:
    groups: dict[str, str]
    endings: tuple[tuple[str, str], ...]
    codes: tuple[_CodeRange, ...]


class Hierarchy:
    """What stands above the values of a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        described = [term.attributes for term in lexicon.terms.values()]
        self._groups = {
            field: {str(each[name]) for each in described for name in names if name in each}
            for field, names in _GROUPING.items()
        }
        self.above = lru_cache(maxsize=CACHED_PHRASES)(self._above)

    def group(self, field: str, value: str, code: str = "") -> str:
        """The group, region or category that stands nearest above a value; else what does, or nothing."""
        above = self.above(field, value, code)
        return next((name for name in above if name in self._groups.get(field, ())), "".join(above[:1]))

    def _above(self, field: str, value: str, code: str = "") -> tuple[str, ...]:
        """The names of all that stands above a value, the nearest first; nothing where nobody knows.

        `code` is what a finding has; without one that of the value's term counts.
        """
        found: dict[str, None] = {}
        waiting = list(self._next(field, value, code))
        while waiting:
            name = waiting.pop(0)
            if name not in found and name != value and name not in _NO_GROUP:
                found[name] = None
                waiting += self._next(field, name)
        return tuple(found)

    def _next(self, field: str, value: str, code: str = "") -> Iterator[str]:
        term = self._term(field, value)
        described = term.attributes if term else {}
        grouping = [name for name in _GROUPING.get(field, ()) if name in described]
        yield from (str(described[name]) for name in grouping if name != "kind")
        yield from (name for name in str(described.get("parents", "")).split("|") if name)
        if (head := self._head(field, value, term)) is not None:
            yield head.preferred
        if field in ("diagnosis", "comorbidity"):
            yield from _by_rules(value, code or (term.code if term else ""))
        yield from (str(described[name]) for name in grouping if name == "kind")

    def _term(self, field: str, value: str) -> Term | None:
        return self._lexicon.term(f"{field}:{value}")

    def _head(self, field: str, value: str, term: Term | None) -> Term | None:
        """The longest name inside a name that is its head, if it is a term of the same field and agrees with it."""
        agree = _AGREE.get(field)
        if agree is None or any(" " in ending and value.endswith(ending) for ending, _ in _rules().endings):
            return None
        for name in _heads(value):
            head = self._term(field, name)
            if head and agree in head.attributes:
                same = term is not None and head.attributes[agree] == term.attributes.get(agree)
                return head if same or field == "diagnosis" or (field == "procedure" and term is None) else None
        return None


def _heads(value: str) -> Iterator[str]:
    """What a name can be a kind of by its form, the longest first."""
    core = _AFTER_HEAD.split(value, maxsplit=1)[0]
    if core != value:
        yield core
    words = core.split()
    yield from (" ".join(words[start:]) for start in range(1, len(words)))


def _by_rules(value: str, code: str) -> Iterator[str]:
    rules = _rules()
    if value in rules.groups:
        yield rules.groups[value]
    endings = [(ending, above) for ending, above in rules.endings if value.endswith(ending)]
    if endings:
        yield max(endings, key=lambda rule: len(rule[0]))[1]
    elif match := _CODE.match(code):
        number, behavior = int(match[1]), match[2]
        yield from (
            each.above for each in rules.codes if each.first <= number <= each.last and behavior in each.behaviors
        )


@cache
def _rules() -> _Rules:
    path = Path(str(files("caseframe.lexicons") / "rules" / "groups.tsv"))
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = [line.split("\t") for line in lines[1:]]
    codes = []
    for how, what, above in rows:
        if how == "code":
            numbers, _, behaviors = what.partition("/")
            first, _, last = numbers.partition("-")
            codes.append(_CodeRange(int(first), int(last or first), tuple(behaviors.split(",")), above))
    groups = {what: above for how, what, above in rows if how == "group"}
    endings = tuple((what, above) for how, what, above in rows if how == "ending")
    return _Rules(groups, endings, tuple(codes))


@lru_cache(maxsize=4)
def hierarchy(lexicons: tuple[str, ...] = (), builtin: bool = True) -> Hierarchy:
    """The hierarchy of the shipped lexicons and of further files; one a process for the same arguments.

    Raises LexiconError where a file cannot be read.
    """
    if not lexicons and builtin:
        return Hierarchy(builtin_lexicon())
    loaded = [load_lexicon(Path(path)) for path in lexicons]
    rows: list[Entry] = [entry for each in loaded if not isinstance(each, CompiledLexicon) for entry in each]
    compiled = [each for each in loaded if isinstance(each, CompiledLexicon)]
    return Hierarchy(Lexicon([*(builtin_entries() if builtin else ()), *rows], compiled))
