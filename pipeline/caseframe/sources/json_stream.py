"""Cuts the records out of JSON without reading it as a whole: the elements of an array, or values one after another.

Only brackets, quotes and commas are looked at, so that an element with broken content costs only itself.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from caseframe.errors import BrokenFile
from caseframe.sources.base import chunks

_STRUCTURE: Final = re.compile(rb'[\[\]{}",]')
_IN_STRING: Final = re.compile(rb'["\\]')
_SPACE: Final = b" \t\r\n"
_KEY_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class RawValue:
    """The bytes of one element; empty if it is too long."""

    raw: bytes
    too_long: bool = False


class ElementCutter:
    """Cuts the elements of some arrays out of JSON: of those under the `keys`, or, with none, of the outermost array.

    With `top_level`, whole values that follow one another are the elements.
    """

    def __init__(self, max_bytes: int, keys: Collection[str] = (), *, top_level: bool = False) -> None:
        self._max_bytes = max_bytes
        self._keys = {key.encode() for key in keys}
        self._top_level = top_level
        self._stack: list[tuple[int, bool]] = []
        self._element = bytearray()
        self._open = False
        self._depth = 0
        self._too_long = False
        self._in_string = False
        self._escaped = False
        self._last_string = bytearray()

    def cut(self, stream: BinaryIO) -> Iterator[RawValue]:
        """The elements. Raises `BrokenFile` at the end if the JSON is not complete."""
        first = True
        for piece in chunks(stream):
            yield from self._scan(piece.removeprefix(codecs.BOM_UTF8) if first else piece)
            first = False
        if self._open and not self._depth and not self._in_string and self._at_elements():
            yield from self._close()
        if self._open or self._stack or self._in_string:
            raise BrokenFile("The JSON ends before its brackets are closed", "Fetch the file again; it was cut off")

    def _at_elements(self) -> bool:
        """Whether what comes next at this level is an element."""
        return self._stack[-1][1] if self._stack else self._top_level

    def _scan(self, piece: bytes) -> Iterator[RawValue]:
        position = 0
        while position < len(piece):
            if self._in_string:
                position = self._scan_string(piece, position)
                continue
            match = _STRUCTURE.search(piece, position)
            stop = match.start() if match else len(piece)
            self._take(piece[position:stop])
            if match is None:
                return
            yield from self._structure(match[0])
            position = match.end()

    def _scan_string(self, piece: bytes, position: int) -> int:
        """Goes on in a string; the position after what was read."""
        start = position
        while True:
            if self._escaped:
                self._escaped = False
                position += 1
            match = _IN_STRING.search(piece, position)
            if match is None:
                position = len(piece)
                break
            position = match.end()
            if match[0] == b'"':
                self._in_string = False
                break
            self._escaped = True
            if position >= len(piece):
                break
        self._take(piece[start:position])
        if not self._open and len(self._last_string) < _KEY_LENGTH:
            self._last_string += piece[start : min(position, start + _KEY_LENGTH)]
        return position

    def _structure(self, mark: bytes) -> Iterator[RawValue]:
        """Takes in a bracket, a quote or a comma outside of strings."""
        if mark == b'"':
            self._in_string = True
            self._begin()
            self._last_string.clear()
            self._take(mark)
        elif mark in (b"{", b"["):
            if not self._open and self._at_elements():
                self._begin()
            self._take(mark)
            if self._open:
                self._depth += 1
            else:
                self._stack.append((mark[0], self._holds_elements(mark)))
        elif mark == b",":
            if self._open and not self._depth:
                yield from self._close()
            elif self._open:
                self._take(mark)
        elif self._open and self._depth:
            self._take(mark)
            self._depth -= 1
            if not self._depth:
                yield from self._close()
        else:
            if self._open:
                yield from self._close()
            if self._stack:
                self._stack.pop()

    def _holds_elements(self, mark: bytes) -> bool:
        """Whether the array that opens here is one of those asked for."""
        if mark != b"[" or self._top_level:
            return False
        if not self._keys:
            return not self._stack
        inside_object = bool(self._stack) and self._stack[-1][0] == ord("{")
        return inside_object and bytes(self._last_string).rstrip(b'"') in self._keys

    def _begin(self) -> None:
        if not self._open and self._at_elements():
            self._open, self._too_long = True, False

    def _take(self, data: bytes) -> None:
        """Adds to the element, or begins one with a number or word; forgets one that grows too long."""
        if not self._open:
            if not data.strip(_SPACE) or not self._at_elements():
                return
            self._begin()
        if self._too_long:
            return
        self._element += data
        if len(self._element) > self._max_bytes:
            self._too_long = True
            self._element.clear()

    def _close(self) -> Iterator[RawValue]:
        raw, too_long = bytes(self._element).strip(_SPACE), self._too_long
        self._element.clear()
        self._open = self._too_long = False
        if raw or too_long:
            yield RawValue(raw, too_long)
