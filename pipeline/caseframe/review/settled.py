"""The last word on each cell: one reviewer's, two reviewers' where they agree, the adjudicator's where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from caseframe.review.agreement import Unit, compare
from caseframe.review.records import Decision, Found, Item, Sheet, Step, reading_of
from caseframe.review.sheets import fill
from caseframe.review.store import REVIEWERS, Desk, Store
from caseframe.schema import Finding

State = Literal["not reviewed", "one reviewer", "in dispute", "two reviewers"]
CellState = Literal["accepted", "corrected", "rejected", "added", "in dispute", "not reviewed"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One finding with what the pipeline said, what stands now, and whose word that is."""

    case: int
    field: str
    machine: Finding | None
    reading: Finding | None
    state: CellState
    by: str = ""
    at: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """An article that two reviewers have finished, and what was settled of their disagreements."""

    found: Found
    reviewers: tuple[str, str]
    sheets: tuple[Sheet, Sheet]
    units: tuple[Unit, ...]
    settled: Mapping[str, tuple[Decision, Step]]
    revision: int

    def units_for(self, reviewers: tuple[str, str]) -> tuple[Unit, ...]:
        """The units with the reviewers in this order."""
        if reviewers == self.reviewers:
            return self.units
        return tuple(replace(unit, first=unit.second, second=unit.first) for unit in self.units)

    @property
    def disputed(self) -> tuple[Unit, ...]:
        """The units on which they disagree, settled or not."""
        return tuple(unit for unit in self.units if not unit.agreed)

    @property
    def open(self) -> tuple[Unit, ...]:
        """What still waits for the adjudicator."""
        return tuple(unit for unit in self.disputed if unit.id not in self.settled)


@dataclass(frozen=True, slots=True)
class Settled:
    """An article with its cells as the review leaves them."""

    found: Found
    state: State
    cells: tuple[Cell, ...]
    reviewers: tuple[str, ...] = ()
    comment: str = ""
    pair: Pair | None = None
    """The two reviewers side by side, where there are two."""


def sheet_of(store: Store, found: Found, reviewer: str) -> Sheet:
    """The form as a reviewer has filled it so far."""
    return fill(found, *store.steps(Desk(found.article_id, found.sha256, reviewer)))


def pair_of(store: Store, found: Found, reviewers: Sequence[str]) -> Pair:
    """The two who finished an article first, side by side."""
    return _pair(found, reviewers, store.steps_of(_desks(found, reviewers)))


def settle(store: Store, articles: Sequence[Found], finished: Mapping[tuple[str, str], Sequence[str]]) -> list[Settled]:
    """The last word on each of some articles; `finished` says who has finished which (see `Store.finished`)."""
    names = [finished.get((found.article_id, found.sha256), [])[:REVIEWERS] for found in articles]
    desks = [_desks(found, reviewers) for found, reviewers in zip(articles, names, strict=True)]
    steps = iter(store.steps_of(desk for each in desks for desk in each))
    return [
        _settled(found, reviewers, list(islice(steps, len(each))))
        for found, reviewers, each in zip(articles, names, desks, strict=True)
    ]


def _desks(found: Found, reviewers: Sequence[str]) -> list[Desk]:
    """The desks of those who finished an article, and behind two reviewers that of the adjudicators."""
    desks = [Desk(found.article_id, found.sha256, name) for name in reviewers[:REVIEWERS]]
    if len(desks) == REVIEWERS:
        desks.append(Desk(found.article_id, found.sha256, "", "adjudicator"))
    return desks


def _pair(found: Found, reviewers: Sequence[str], steps: Sequence[tuple[list[Step], int]]) -> Pair:
    first, second = (fill(found, *each) for each in steps[:REVIEWERS])
    words, revision = steps[REVIEWERS]
    settled = {
        decision.finding: (decision, step)
        for step in words
        if step.sha256 == found.sha256
        for decision in step.decisions
    }
    names = reviewers[0], reviewers[1]
    return Pair(found, names, (first, second), compare(found, first, second), settled, revision)


def _settled(found: Found, reviewers: Sequence[str], steps: Sequence[tuple[list[Step], int]]) -> Settled:
    if not reviewers:
        cells = (
            Cell(each.case, each.finding.field, each.finding, each.finding, "not reviewed")
            for each in found.suggestions
        )
        return Settled(found, "not reviewed", tuple(cells))
    if len(reviewers) < REVIEWERS:
        sheet = fill(found, *steps[0])
        return Settled(found, "one reviewer", tuple(map(_alone, sheet.items)), tuple(reviewers), sheet.comment)
    pair = _pair(found, reviewers, steps)
    state: State = "in dispute" if pair.open else "two reviewers"
    comment = "; ".join(filter(None, (sheet.comment for sheet in pair.sheets)))
    cells = (_cell(pair, unit) for unit in pair.units if not unit.empty)
    return Settled(found, state, tuple(cells), pair.reviewers, comment, pair)


def _alone(item: Item) -> Cell:
    state = _state(item.machine, item.reading)
    return Cell(item.case, item.field, item.machine, item.reading, state, item.by, item.at, item.comment)


def _cell(pair: Pair, unit: Unit) -> Cell:
    items = [item for item in (unit.first, unit.second) if item]
    by, at = ", ".join(pair.reviewers), max(item.at for item in items)
    comment = "; ".join(dict.fromkeys(item.comment for item in items if item.comment))
    if unit.agreed:
        reading = unit.readings[0]
        return Cell(unit.case, unit.field, unit.machine, reading, _state(unit.machine, reading), by, at, comment)
    if unit.id not in pair.settled:
        return Cell(unit.case, unit.field, unit.machine, None, "in dispute", by, at, comment)
    decision, step = pair.settled[unit.id]
    state = _state(unit.machine, decision.reading)
    return Cell(unit.case, unit.field, unit.machine, decision.reading, state, step.reviewer, step.at, comment)


def _state(machine: Finding | None, reading: Finding | None) -> CellState:
    if reading is None:
        return "rejected"
    if machine is None:
        return "added"
    return "accepted" if reading_of(machine) == reading_of(reading) else "corrected"
