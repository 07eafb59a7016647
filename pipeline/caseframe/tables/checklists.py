"""Reporting checklists, answered from the fields: JBI for case reports, and the items of CARE that fields can answer.

JBI: Moola et al., JBI Manual for Evidence Synthesis, 2020. CARE: Gagnier et al., J Clin Epidemiol 2014;67:46. The rules
stand in `rules/checklists.tsv`. An item is *reported* where all fields of `all`, or one of `any`, has a finding in the
text that was read; that says nothing about how well it is reported, and an abstract leaves out what the article has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from caseframe.tables.delimited import write_csv
from caseframe.tables.evidence import Evidence
from caseframe.tables.rows import Row

REPORTED, MISSING = "reported", "not reported"
_HEAD = ("article_id", "case_id", "pmid", "title")
_TOLD = {"present", "absent", "possible", "historical"}


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a checklist and the fields that answer it."""

    checklist: str
    number: str
    asks: str
    all: tuple[str, ...]
    any: tuple[str, ...]

    @property
    def column(self) -> str:
        """Name of its column: `jbi_1`, `care_5a`."""
        return f"{self.checklist}_{self.number}"

    def answer(self, told: set[str]) -> str:
        """Whether the fields that are told answer it."""
        met = all(name in told for name in self.all) and (not self.any or any(name in told for name in self.any))
        return REPORTED if met else MISSING


@cache
def items() -> tuple[Item, ...]:
    """The items, in the order of their checklists."""
    with files("caseframe.tables").joinpath("rules/checklists.tsv").open(encoding="utf-8") as stream:
        return tuple(
            Item(row["checklist"], row["item"], row["asks"], tuple(row["all"].split()), tuple(row["any"].split()))
            for row in csv.DictReader(stream, delimiter="\t")
        )


def answers(evidence: Evidence, case: Row) -> dict[str, str]:
    """The columns of a case."""
    told = {str(row["field"]) for row in evidence.of(case) if row["assertion"] in _TOLD}
    return {item.column: item.answer(told) for item in items()}


def write_checklists(records: Iterable[Evidence], path: Path) -> int:
    """Writes a row a case, with a column an item; gives the number of cases."""
    rows = (
        {name: case.get(name) for name in _HEAD} | answers(evidence, case)
        for evidence in records
        for case in evidence.cases
    )
    return write_csv(path, rows, (*_HEAD, *(item.column for item in items())))
