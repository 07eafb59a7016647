"""Which lexicons there are, and how much of what each holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from caseframe.lexicons import Entry, builtin_paths, read_lexicon


@dataclass(frozen=True, slots=True)
class Holding:
    """What one lexicon file holds for one field."""

    lexicon: str
    """`shipped/sites.tsv`, or the path of a file of one's own."""
    field: str
    concepts: int
    words: int
    coded: int
    codes: tuple[tuple[str, int], ...]
    """Systems of codes, and how many concepts have one of each, by name."""
    reviewed: str
    """The date on which a person last went through the file, as its head says; empty where it does not."""


def inventory(folder: Path | None = None) -> Iterator[Holding]:
    """The shipped lexicons, then those of a folder where there is one, by name and field."""
    for path in builtin_paths():
        yield from holdings(path, f"shipped/{path.name}")
    for path in sorted(folder.glob("*.tsv")) if folder else ():
        if not path.name.endswith(".left_out.tsv"):
            yield from holdings(path, str(path))


def holdings(path: Path, name: str) -> Iterator[Holding]:
    """What a lexicon file holds, field by field. Raises LexiconError as `read_lexicon`."""
    reviewed = _reviewed(path)
    by_field: dict[str, list[Entry]] = {}
    for entry in read_lexicon(path):
        by_field.setdefault(entry.term.field, []).append(entry)
    for field, entries in sorted(by_field.items()):
        terms = {entry.term.key: entry.term for entry in entries}
        coded = [term.code for term in terms.values() if term.code]
        codes = Counter(code.partition(":")[0] for code in coded)
        yield Holding(name, field, len(terms), len(entries), len(coded), tuple(sorted(codes.items())), reviewed)


def _reviewed(path: Path) -> str:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            if not line.startswith("#"):
                break
            if match := re.match(r"# Reviewed: (\d{4}-\d\d-\d\d)\s*\Z", line):
                return match[1]
    return ""
