"""What every reader of terminologies gives: concepts; and the lines of a file, bounded and counted."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from caseframe.errors import LexiconError

MAX_LINE_CHARACTERS = 1_000_000
"""No terminology has longer lines; what is longer is no term."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept of a terminology, as the file gives it: no name is folded, no code changed."""

    id: str
    name: str
    exact: tuple[str, ...] = ()
    """Synonyms that mean the same."""
    related: tuple[str, ...] = ()
    """Words that are near it; broader and narrower ones are read by nobody."""
    xrefs: tuple[str, ...] = ()
    """Codes in other systems, as given."""
    parents: tuple[str, ...] = ()
    """Ids of what it is a kind of."""
    wholes: tuple[str, ...] = ()
    """Ids of what it is a part of."""
    obsolete: bool = False
    place: str = ""
    """Where it stands in its file: `line 12`."""


def lines_of(stream: BinaryIO, file: str, *, ended: bool = False) -> Iterator[tuple[int, str]]:
    """Numbered lines of a text file, without their ends. Bytes that are no UTF-8 are read as Windows-1252.

    Raises LexiconError for lines above MAX_LINE_CHARACTERS; with `ended` also where the last line has no end, in
    formats that programs write: such a file was cut off.
    """
    reader = io.TextIOWrapper(stream, encoding="utf-8-sig", errors=_WINDOWS)
    number = 0
    while line := reader.readline(MAX_LINE_CHARACTERS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARACTERS:
            raise LexiconError(
                f"{file}, line {number}: more than {MAX_LINE_CHARACTERS:,} characters",
                "No term is that long; look at it",
            )
        if ended and not line.endswith("\n"):
            raise LexiconError(f"{file}, line {number}: the file ends inside a line", "It is cut off: fetch it again")
        yield number, line.rstrip("\n")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_WINDOWS = "caseframe_windows_1252"
codecs.register_error(_WINDOWS, _as_windows)
