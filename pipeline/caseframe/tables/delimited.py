"""CSV: UTF-8 with a byte order mark, so that spreadsheets read accents right."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from caseframe.tables.cells import safe
from caseframe.tables.files import whole
from caseframe.tables.rows import Row


def write_csv(path: Path, rows: Iterable[Row], columns: Sequence[str]) -> int:
    """Writes rows with the given columns, cells made safe for spreadsheets; gives the number of rows."""
    count = 0
    with whole(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row in rows:
            count += 1
            writer.writerow([safe(row.get(column)) for column in columns])
    return count
