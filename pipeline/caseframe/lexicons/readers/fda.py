"""The FDA's device product codes, `foiclass.txt`: names are turned round, `Catheter, Suction` is `Suction Catheter`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept, lines_of

_COLUMNS = ("PRODUCTCODE", "DEVICENAME", "MEDICALSPECIALTY", "REGULATIONNUMBER")
# https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfPCD/classification.cfm, medical specialties
_SPECIALTIES = {
    "AN": "anesthesiology", "CV": "cardiovascular", "CH": "clinical chemistry", "DE": "dental",
    "EN": "ear, nose and throat", "GU": "gastroenterology and urology", "HO": "general hospital", "HE": "hematology",
    "IM": "immunology", "MG": "medical genetics", "MI": "microbiology", "NE": "neurology",
    "OB": "obstetrics and gynecology", "OP": "ophthalmic", "OR": "orthopedic", "PA": "pathology",
    "PM": "physical medicine", "RA": "radiology", "SU": "general and plastic surgery", "TX": "toxicology",
}  # fmt: skip


def read_product_codes(stream: BinaryIO, file: str) -> Iterator[Concept]:
    """One concept a product code; its parent is its medical specialty: `dental device`.

    Raises LexiconError for missing columns and for rows that are cut.
    """
    header: list[str] = []
    for number, line in lines_of(stream, file):
        cells = line.split("|")
        if not header:
            header = cells
            if missing := [column for column in _COLUMNS if column not in header]:
                raise LexiconError(f"{file}: no column {', '.join(missing)}", "Fetch foiclass.txt from the FDA again")
            continue
        if not line.strip():
            continue
        if len(cells) < len(header):
            raise LexiconError(
                f"{file}, line {number}: {len(cells)} of {len(header)} cells", "Fetch foiclass.txt from the FDA again"
            )
        row = dict(zip(header, cells, strict=False))
        regulation = row["REGULATIONNUMBER"].strip()
        yield Concept(
            f"FDA:{row['PRODUCTCODE']}",
            turned(row["DEVICENAME"]),
            xrefs=(f"21CFR:{regulation}",) if regulation else (),
            parents=_parents(row["MEDICALSPECIALTY"].strip()),
            place=f"line {number}",
        )


def _parents(specialty: str) -> tuple[str, ...]:
    return (f"{_SPECIALTIES.get(specialty, specialty)} device",) if specialty else ()


def turned(name: str) -> str:
    """A name of the catalogue in the order of speech: `Analyzer, Gas, Helium` gives `Helium Gas Analyzer`."""
    plain = re.sub(r"\s*\([^)]*\)", "", name).strip().strip('"')
    return " ".join(part.strip() for part in reversed(plain.split(",")) if part.strip())
