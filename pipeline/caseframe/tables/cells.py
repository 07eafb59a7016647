"""What a spreadsheet may make of a cell: text that starts like a formula is escaped, control characters go."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"\A[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def safe(value: object) -> object:
    """A cell value that no spreadsheet runs as a formula; lists are joined with `; `. Numbers stay numbers."""
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    if not isinstance(value, str):
        return value
    value = _CONTROL.sub("", value)
    return f"'{value}" if _FORMULA.match(value) else value
