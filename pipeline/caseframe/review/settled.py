"""The last word on each cell: one reviewer's, two reviewers' where they agree, the adjudicator's where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from caseframe.review.agreement import Unit, compare
from caseframe.review.records import Decision, Found, Sheet, Step, reading_of
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
class Settled:
    """An article with its cells as the review leaves them."""

    found: Found
    state: State
    cells: tuple[Cell, ...]
    reviewers: tuple[str, ...] = ()
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


def sheet_of(store: Store, found: Found, reviewer: str) -> Sheet:
    """The form as a reviewer has filled it so far."""
    return fill(found, *store.steps(Desk(found.article_id, found.sha256, reviewer)))


def pair_of(store: Store, found: Found, reviewers: Sequence[str]) -> Pair:
    """The two who finished an article first, side by side."""
    first, second = reviewers[:REVIEWERS]
    sheets = sheet_of(store, found, first), sheet_of(store, found, second)
    steps, revision = store.steps(Desk(found.article_id, found.sha256, "", "adjudicator"))
    settled = {
        decision.finding: (decision, step)
        for step in steps
        if step.sha256 == found.sha256
        for decision in step.decisions
    }
    return Pair(found, (first, second), sheets, compare(found, *sheets), settled, revision)


def settle(store: Store, found: Found, finished: Sequence[str]) -> Settled:
    """The last word on an article, given who has finished it."""
    if not finished:
        cells = (Cell(each.case, each.finding.field, each.finding, each.finding, "not reviewed")
                 for each in found.suggestions)  # fmt: skip
        return Settled(found, "not reviewed", tuple(cells))
    if len(finished) < REVIEWERS:
        sheet = sheet_of(store, found, finished[0])
        cells = (Cell(item.case, item.field, item.machine, item.reading, _state(item.machine, item.reading), item.by,
                      item.at, item.comment) for item in sheet.items)  # fmt: skip
        return Settled(found, "one reviewer", tuple(cells), tuple(finished), sheet.comment)
    pair = pair_of(store, found, finished)
    state: State = "in dispute" if pair.open else "two reviewers"
    comment = "; ".join(filter(None, (sheet.comment for sheet in pair.sheets)))
    cells = (_cell(pair, unit) for unit in pair.units if not unit.empty)
    return Settled(found, state, tuple(cells), pair.reviewers, comment)


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
