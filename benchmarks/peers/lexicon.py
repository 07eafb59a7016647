"""CaseFrame's lexicon as the peers read it: the TSV file that `export_lexicon.py` writes. Standard library only."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from protocol import Mark

COLUMNS = ("form", "field", "case")


class Form(NamedTuple):
    """A surface form and the field that its term fills. `exact`: only in this very case (`ALL`, `CT`)."""

    form: str
    field: str
    exact: bool


def read_forms(path: Path, fields: Iterable[str] = ()) -> Iterator[Form]:
    """Reads an exported lexicon, all fields or some. Raises ValueError where the file is no such lexicon."""
    wanted = frozenset(fields)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: the columns are not {', '.join(COLUMNS)}; write it with export_lexicon.py")
        for row in rows:
            if not wanted or row["field"] in wanted:
                yield Form(row["form"], row["field"], row["case"] == "exact")


def arguments(description: str) -> argparse.ArgumentParser:
    """The options of every peer that matches the lexicon."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lexicon", type=Path, required=True, help="what export_lexicon.py wrote")
    parser.add_argument("--fields", nargs="*", default=(), help="use only the forms of these fields")
    return parser


def longest(marks: Iterable[Mark]) -> list[Mark]:
    """Within a type, drops every mark that overlaps a longer one, or an equally long one before it."""
    kept: list[Mark] = []
    taken: dict[str, set[int]] = {}
    for mark in sorted(marks, key=lambda mark: (mark.start - mark.end, mark.start)):
        characters = taken.setdefault(mark.type, set())
        # Nothing kept is shorter, so what overlaps this mark holds one of its ends.
        if mark.start not in characters and mark.end - 1 not in characters:
            characters.update(range(mark.start, mark.end))
            kept.append(mark)
    return kept
