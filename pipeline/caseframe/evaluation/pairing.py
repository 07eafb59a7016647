"""Who goes with whom: the findings of both sides of one article, one to one, and why they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from caseframe.evaluation import causes
from caseframe.evaluation.context import sentence_around
from caseframe.evaluation.gold import GoldArticle, GoldFinding
from caseframe.evaluation.matching import alike, matched_pairs, occurrences, same_attribute, same_concept, same_words
from caseframe.evaluation.records import Cause, Tally
from caseframe.schema import FIELDS, AttributeValue, Extraction, Finding

Table = NDArray[np.bool_]
"""Gold x predicted."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A finding that stands alone, or two that belong together, by their rows and columns in the tables of `Sides`."""

    row: int | None
    column: int | None
    cause: Cause = ""
    matched: bool = False


class Sides:
    """The findings of both sides in an order of their content, and tables of what holds between them."""

    def __init__(self, gold: GoldArticle, extraction: Extraction) -> None:
        self.text = extraction.article.text
        self.gold = sorted(gold.findings, key=lambda finding: (_first_place(finding, self.text), repr(finding)))
        told = [(finding, case.number if case else 0) for case, finding in extraction]
        told.sort(key=lambda pair: (pair[0].start, pair[0].end, repr(pair)))
        self.found = [finding for finding, _ in told]
        self.cases = [case for _, case in told]
        self.concept = self.table(same_concept)
        self.alike = self.table(lambda g, p: alike(g, p, self.text))
        self.words = self.table(lambda g, p: same_words(g, p, self.text))
        self.assertion = self.table(lambda g, p: g.assertion == p.assertion)
        self.relaxed = self.alike & self.assertion
        self.exact = self.concept & self.assertion
        self.patient = self._same_patient()

    def table(self, holds: Callable[[GoldFinding, Finding], bool]) -> Table:
        """Where a relation holds between gold and predicted findings."""
        cells = [[holds(g, p) for p in self.found] for g in self.gold]
        return np.array(cells, dtype=bool).reshape(len(self.gold), len(self.found))

    def agreeing_attributes(self) -> NDArray[np.int64]:
        """How many attributes agree, of pairs that could match."""
        count = np.zeros(self.relaxed.shape, dtype=np.int64)
        for row, column in np.argwhere(self.relaxed):
            count[row, column] = sum(tally.right for _, tally in compared(self.gold[row], self.found[column]))
        return count

    def _same_patient(self) -> Table:
        """Pairs whose cases are one patient: cases go together so that they share as many findings as can be."""
        ours = sorted({g.case for g in self.gold if _is_of_case(g)})
        theirs = sorted({case for p, case in zip(self.found, self.cases, strict=True) if _is_of_case(p)})
        rows = [[i for i, g in enumerate(self.gold) if g.case == case and _is_of_case(g)] for case in ours]
        columns = [[i for i, case in enumerate(self.cases) if case == other] for other in theirs]

        def shared(table: Table) -> list[list[int]]:
            return [[len(matched_pairs(table[np.ix_(some, others)])) for others in columns] for some in rows]

        any_two = np.ones((len(ours), len(theirs)), dtype=bool)
        same_number = [[case == other for other in theirs] for case in ours]
        pairs = matched_pairs(any_two, shared(self.relaxed), shared(self.exact), same_number)
        same = self.table(lambda g, _: not _is_of_case(g))
        for row, column in pairs:
            same[np.ix_(rows[row], columns[column])] = True
        return same


def pair_up(sides: Sides, known: Sequence[causes.Stretch]) -> Iterator[Pair]:
    """Every finding of both sides once, with the first explanation that fits.

    The matches first, as `score_fields` says; of what is left, pairs that differ in the assertion, in the field, in the
    value of a single cell; then each finding that stands alone. `known` as in `causes.of_miss`.
    """
    free_gold, free_found = set(range(len(sides.gold))), set(range(len(sides.found)))

    def take(edges: Table, *preferences: NDArray[np.bool_ | np.int64]) -> Iterator[tuple[int, int]]:
        free = np.zeros_like(edges)
        free[np.ix_(sorted(free_gold), sorted(free_found))] = True
        for row, column in matched_pairs(edges & free, *preferences):
            free_gold.remove(row)
            free_found.remove(column)
            yield row, column

    for row, column in take(sides.relaxed, sides.exact, sides.patient, sides.words, sides.agreeing_attributes()):
        yield Pair(row, column, _cause_of_match(sides, row, column), matched=True)
    for row, column in take(sides.alike & (sides.concept | sides.words), sides.concept, sides.patient):
        yield Pair(row, column, "wrong_assertion")
    same_name = sides.table(causes.is_same_name)
    other_field = sides.table(lambda g, p: causes.is_wrong_field(g, p, sides.text))
    for row, column in take(other_field, same_name, sides.words, sides.patient, sides.assertion):
        yield Pair(row, column, "wrong_field")
    for row, column in take(sides.table(causes.is_wrong_value) & sides.patient, sides.words):
        yield Pair(row, column, "wrong_value")
    for row in sorted(free_gold):
        yield Pair(row, None, causes.of_miss(sides.gold[row], sides.text, known))
    for column in sorted(free_found):
        yield Pair(None, column, _cause_of_false(sides, column))


def attributes_of(predicted: Finding) -> dict[str, AttributeValue]:
    """The attributes of a prediction, with its time among them where the field has that attribute."""
    attributes = dict(predicted.attributes)
    if predicted.when_days is not None and "when_days" in FIELDS[predicted.field].attributes:
        attributes["when_days"] = predicted.when_days
    return attributes


def compared(gold: GoldFinding, predicted: Finding) -> Iterator[tuple[str, Tally]]:
    """The attributes of the field that one side or both have, each with a tally of one."""
    theirs = attributes_of(predicted)
    for name, spec in FIELDS[gold.field].attributes.items():
        ours, other = gold.attributes.get(name), theirs.get(name)
        if ours is not None and other is not None:
            right = same_attribute(spec, ours, other)
            yield name, Tally(right=int(right), wrong=int(not right))
        elif ours is not None or other is not None:
            yield name, Tally(missing=int(other is None), spurious=int(ours is None))


def _is_of_case(finding: GoldFinding | Finding) -> bool:
    return FIELDS[finding.field].level == "case"


def _first_place(finding: GoldFinding, text: str) -> int:
    return next(iter(occurrences(finding.text, text)), -1)


def _cause_of_match(sides: Sides, row: int, column: int) -> Cause:
    if not sides.patient[row, column]:
        return "wrong_patient"
    return "" if sides.exact[row, column] else causes.of_difference(sides.gold[row], sides.found[column])


def _cause_of_false(sides: Sides, column: int) -> Cause:
    predicted = sides.found[column]
    sentence, start = sentence_around(sides.text, predicted.start, predicted.end)
    return causes.of_false(predicted, sides.gold, sides.text, (start, start + len(sentence)))
