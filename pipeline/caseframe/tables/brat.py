"""brat standoff: a folder with `x.txt` and `x.ann` for each article, and the configuration that brat asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from caseframe.schema import ASSERTIONS, FIELDS
from caseframe.tables.evidence import Evidence
from caseframe.tables.files import file_stem, whole_file
from caseframe.tables.rows import Row

_WORDS = re.compile(r"[^\n]+")


def write_brat(records: Iterable[Evidence], folder: Path) -> int:
    """Writes the files of each article; gives their number.

    A finding is a text-bound annotation whose type is its field, with an attribute for an assertion other than present
    and a note for value, case, code and confidence. Words across a line break are in pieces, as brat wants them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for evidence in records:
        count += 1
        stem = file_stem(str(evidence.article["article_id"]))
        with whole_file(folder / f"{stem}.txt") as stream:
            stream.write(str(evidence.article["text"] or ""))
        with whole_file(folder / f"{stem}.ann") as stream:
            stream.writelines(f"{line}\n" for line in _lines(evidence.findings))
    with whole_file(folder / "annotation.conf") as stream:
        stream.writelines(f"{line}\n" for line in _configuration())
    return count


def _lines(findings: Iterable[Row]) -> Iterator[str]:
    notes = 0
    for number, row in enumerate(findings, 1):
        start = int(str(row["start"]))
        pieces = list(_WORDS.finditer(str(row["text"])))
        if not pieces:
            continue
        places = ";".join(f"{start + piece.start()} {start + piece.end()}" for piece in pieces)
        yield f"T{number}\t{row['field']} {places}\t{' '.join(piece[0] for piece in pieces)}"
        if row["assertion"] != "present":
            yield f"A{number}\tAssertion T{number} {row['assertion']}"
        notes += 1
        yield f"#{notes}\tAnnotatorNotes T{number}\t{_note(row)}"


def _note(row: Row) -> str:
    case = str(row["case_id"]).rpartition("/")[2] if row["case_id"] else ""
    parts = (
        str(row["value"]),
        str(row["unit"] or ""),
        str(row["code"] or ""),
        f"case {case}" if case else "",
        f"confidence {float(str(row['confidence'])):.2f}",
        str(row["attributes"] or ""),
    )
    return " ".join("; ".join(filter(None, parts)).split())


def _configuration() -> Iterator[str]:
    yield "[entities]"
    yield from FIELDS
    yield "[relations]"
    yield "[events]"
    yield "[attributes]"
    yield f"Assertion\tArg:<ENTITY>, Value:{'|'.join(each for each in ASSERTIONS if each != 'present')}"
