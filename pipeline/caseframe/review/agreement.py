"""Two reviewers side by side: what they agree on, what an adjudicator must settle, and Cohen's kappa a field.

A unit is one thing that both have judged: a finding of the pipeline, an addition of either, or a field of a case for
which nobody has anything. Each says of it `as found`, `nothing`, or the reading that they gave it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from caseframe.review.records import Found, Item, Sheet, reading_of
from caseframe.schema import ARTICLE_FIELDS, CASE_FIELDS, FIELDS, Finding

AS_FOUND = "as found"
NOTHING = "nothing"
_Z = 1.959964  # of the normal distribution, for 95 %


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that both reviewers have judged, with what each of them says of it."""

    id: str
    case: int
    field: str
    first: Item | None
    second: Item | None

    @property
    def machine(self) -> Finding | None:
        """What the pipeline found there."""
        return next((item.machine for item in (self.first, self.second) if item and item.machine), None)

    @property
    def readings(self) -> tuple[Finding | None, Finding | None]:
        """What each says; None for nothing."""
        first, second = (item.reading if item else None for item in (self.first, self.second))
        return first, second

    @property
    def labels(self) -> tuple[str, str]:
        """What each says, as a category."""
        first, second = (self._label(reading) for reading in self.readings)
        return first, second

    @property
    def agreed(self) -> bool:
        """Whether both say the same."""
        first, second = self.labels
        return first == second

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all: no finding of the pipeline, none of a reviewer."""
        return self.first is None and self.second is None

    def _label(self, reading: Finding | None) -> str:
        if reading is None:
            return NOTHING
        said = reading_of(reading)
        if self.machine is not None and said == reading_of(self.machine):
            return AS_FOUND
        return repr(said)


def compare(found: Found, first: Sheet, second: Sheet) -> tuple[Unit, ...]:
    """The units of an article, in the order of the form."""
    cases = sorted({*found.kinds, *(item.case for sheet in (first, second) for item in sheet.items if item.case)})
    places = [(0, field) for field in ARTICLE_FIELDS] + [(case, field) for case in cases for field in CASE_FIELDS]
    units: list[Unit] = []
    for case, field in places:
        mine, other = (
            [item for item in sheet.items if (item.case, item.field) == (case, field)] for sheet in (first, second)
        )
        units.extend(_units(case, field, mine, other))
    return tuple(units)


def _units(case: int, field: str, first: Sequence[Item], second: Sequence[Item]) -> list[Unit]:
    left, right = [item for item in first if item.reading], [item for item in second if item.reading]
    pairs = _pairs(left, right, single=not FIELDS[field].many)
    used = {item.id for pair in pairs for item in pair if item}
    both = {item.id: item for item in second}
    pairs += [(item, both[item.id]) for item in first if item.id in both and item.id not in used]
    pairs.sort(key=lambda pair: min(item.shown.start for item in pair if item))
    if not pairs:
        return [Unit(f"{case}/{field}", case, field, None, None)]
    return [Unit("|".join(item.id if item else "" for item in pair), case, field, *pair) for pair in pairs]


def _pairs(left: list[Item], right: list[Item], *, single: bool) -> list[tuple[Item | None, Item | None]]:
    """Pairs what is the same thing: by reading, by finding, by words; what is left stands alone."""
    tests: tuple[Callable[[Item, Item], bool], ...] = (
        lambda a, b: a.id == b.id and _said(a) == _said(b),
        lambda a, b: _said(a) == _said(b),
        lambda a, b: a.id == b.id,
        lambda a, b: a.shown.start < b.shown.end and b.shown.start < a.shown.end,
        lambda a, b: single,
    )
    left, right = list(left), list(right)
    pairs: list[tuple[Item | None, Item | None]] = []
    for same in tests:
        for item in tuple(left):
            partner = next((each for each in right if same(item, each)), None)
            if partner is not None:
                pairs.append((item, partner))
                left.remove(item)
                right.remove(partner)
    pairs += [(item, None) for item in left]
    pairs += [(None, item) for item in right]
    return pairs


def _said(item: Item) -> object:
    return reading_of(item.shown)


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement of two reviewers on the units of a field; `kappa` is None where both always said the same one thing."""

    field: str
    units: int
    agreed: int
    kappa: float | None
    low: float | None = None
    high: float | None = None

    @property
    def share(self) -> float:
        """Observed agreement."""
        return self.agreed / self.units if self.units else 0.0


def kappa_of(field: str, labels: Sequence[tuple[str, str]]) -> Kappa:
    """Cohen's kappa with its 95 % interval (large-sample standard error of Cohen 1960, cut at -1 and 1).

    There is no interval where they agree on all units or on none, since that error is then zero whatever their number.

    Source: J. Cohen, A coefficient of agreement for nominal scales, Educ Psychol Meas 20 (1960) 37-46.
    """
    n = len(labels)
    agreed = sum(a == b for a, b in labels)
    first, second = Counter(a for a, _ in labels), Counter(b for _, b in labels)
    by_chance = sum(first[label] * second[label] for label in first)
    if n == 0 or by_chance == n * n:
        return Kappa(field, n, agreed, None)
    observed, expected = agreed / n, by_chance / (n * n)
    kappa = (observed - expected) / (1 - expected)
    if agreed in (0, n):
        return Kappa(field, n, agreed, kappa)
    error = math.sqrt(observed * (1 - observed) / n) / (1 - expected)
    return Kappa(field, n, agreed, kappa, max(-1.0, kappa - _Z * error), min(1.0, kappa + _Z * error))


def kappas(units: Iterable[Unit]) -> list[Kappa]:
    """Kappa of each field that has units, in the order of the schema, and of `all` together."""
    labels: dict[str, list[tuple[str, str]]] = {name: [] for name in FIELDS}
    for unit in units:
        labels[unit.field].append(unit.labels)
    rows = [kappa_of(field, pairs) for field, pairs in labels.items() if pairs]
    return [*rows, kappa_of("all", [pair for pairs in labels.values() for pair in pairs])]
