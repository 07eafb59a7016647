"""Tables of terms, CSV or TSV: one concept a row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept, lines_of

HEADINGS = {
    "id": ("id", "code", "identifier", "concept_id", "conceptid"),
    "name": ("name", "label", "preferred", "preferred_name", "preferred name", "term", "description"),
    "synonyms": ("synonyms", "synonym", "exact_synonyms", "alternatives"),
    "xrefs": ("xrefs", "xref", "mappings"),
    "parents": ("parents", "parent", "parent_id", "broader"),
}
"""What a column can be, and the headings that are known for it without being told."""
_SEVERAL = re.compile(r"\s*[|;]\s*")


def read_table(stream: BinaryIO, file: str, columns: Mapping[str, str]) -> Iterator[Concept]:
    """Reads a table; `columns` names the heading of each of HEADINGS' keys where it is another one.

    Cells with several values part them by `|` or `;`. Raises LexiconError for headings that are not there, and rows
    with more cells than the header or without a name.
    """
    rows = _rows(stream, file)
    _, header = next(rows, (0, []))
    places = _places(header, columns, file)
    for number, cells in rows:
        if len(cells) > len(header):
            raise LexiconError(
                f"{file}, line {number}: {len(cells)} cells under {len(header)} headings",
                "Quote cells that hold commas",
            )
        row = {key: cells[place].strip() if place < len(cells) else "" for key, place in places.items()}
        if not row["name"]:
            raise LexiconError(f"{file}, line {number}: no name", "Fill the cell, or remove the row")
        several = {
            key: tuple(filter(None, _SEVERAL.split(row.get(key, "")))) for key in ("synonyms", "xrefs", "parents")
        }
        yield Concept(
            row.get("id") or row["name"],
            row["name"],
            several["synonyms"],
            xrefs=several["xrefs"],
            parents=several["parents"],
            place=f"line {number}",
        )


def _rows(stream: BinaryIO, file: str) -> Iterator[tuple[int, list[str]]]:
    lines = ((number, line) for number, line in lines_of(stream, file) if line.strip() and not line.startswith("#"))
    delimiter = ""
    for number, line in lines:
        delimiter = delimiter or max("\t,;|", key=line.count)
        try:
            yield number, next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise LexiconError(
                f"{file}, line {number}: {error}", "Close the quotes; a cell holds no line break"
            ) from None


def _places(header: list[str], columns: Mapping[str, str], file: str) -> dict[str, int]:
    headings = [heading.strip() for heading in header]
    folded = [heading.casefold() for heading in headings]
    places: dict[str, int] = {}
    for key, known in HEADINGS.items():
        if key in columns:
            if columns[key] not in headings:
                raise LexiconError(
                    f"{file}: no column {columns[key]!r}", f"Its columns are {', '.join(headings)[:300]}"
                )
            places[key] = headings.index(columns[key])
        else:
            found = [folded.index(heading) for heading in known if heading in folded]
            if found:
                places[key] = found[0]
    if "name" not in places:
        raise LexiconError(
            f"{file}: no column of names among {', '.join(headings)[:300]}",
            "Say which it is: --column name=HEADING, and if there is one --column id=HEADING",
        )
    return places
