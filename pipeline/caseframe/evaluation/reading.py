"""Reading gold and corpora strictly: what is cut off, no UTF-8 or no JSON is an error with its file and line.

The readers of articles are lenient, since a dump is never perfect; a gold standard that is read half would give wrong
scores without a word.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from caseframe.errors import GoldError, SourceError
from caseframe.schema import Origin
from caseframe.sources.base import MAX_RECORD_BYTES, raw_lines
from caseframe.sources.opening import Input, Part, Unwanted, iter_inputs

_INSIDE = "!"


def open_parts(paths: Sequence[Path], unwanted: Unwanted | None = None) -> Iterator[Part]:
    """The files under the paths, decompressed, and the members of archives, one after the other.

    `archive.tar.xz!folder` stands for the members of the archive in that folder. What is found in folders and archives
    is left out where its name is `unwanted`, by default what holds no articles (pictures, read-me files).
    Raises GoldError where a path does not exist or cannot be read.
    """
    for path in paths:
        outer, inside = str(path), ""
        if not path.exists():
            outer, _, inside = outer.partition(_INSIDE)
        try:
            for source in iter_inputs([outer], unwanted):
                for part in source.parts(unwanted):
                    if not inside or _is_inside(part.name.partition(_INSIDE)[2], inside):
                        yield part
        except SourceError as error:
            raise gold_error(outer, error) from error


def _is_inside(member: str, folder: str) -> bool:
    return member == folder or member.startswith(f"{folder.rstrip('/')}/")


def place(origin: Origin) -> str:
    """How messages name a line.

    >>> place(Origin("gold.jsonl", 3))
    'gold.jsonl, line 3'
    """
    return f"{origin.file}, line {origin.record}" if origin.record else origin.file


def gold_error(name: str, error: SourceError) -> GoldError:
    """The error of a reader of articles as one of gold, with the name of the file."""
    return GoldError(error.message if name in error.message else f"{name}: {error.message}", error.cure)


def read_bytes(stream: BinaryIO, name: str, max_bytes: int = MAX_RECORD_BYTES) -> bytes:
    """All bytes of a file.

    Raises GoldError where there are more than `max_bytes`, and where the file ends early.
    """
    try:
        raw = stream.read(max_bytes + 1)
    except SourceError as error:
        raise gold_error(name, error) from error
    if len(raw) > max_bytes:
        raise _too_long(name, max_bytes)
    return raw


def read_text(stream: BinaryIO, name: str) -> str:
    """All of a text file, its line ends as they are.

    Raises GoldError where it is too long for a document, is no UTF-8 or ends early.
    """
    return _utf8(read_bytes(stream, name), name)


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without line ends and byte order mark.

    Raises GoldError for a line that is too long or no UTF-8, and where the file ends early.
    """
    try:
        for number, raw in enumerate(raw_lines(stream), start=1):
            at = f"{name}, line {number}"
            if len(raw) > MAX_RECORD_BYTES:
                raise _too_long(at, MAX_RECORD_BYTES)
            yield number, _utf8(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw, at)
    except SourceError as error:
        raise gold_error(name, error) from error


def read_objects(stream: BinaryIO, name: str) -> Iterator[tuple[int, dict[str, object]]]:
    """The objects of JSON Lines with the numbers of their lines; blank lines are passed over.

    Raises GoldError for a line that is no JSON object, names a key twice, or holds half a character (a lone surrogate)
    or a number that is none (NaN).
    """
    for number, line in read_lines(stream, name):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_unique, parse_constant=_refuse)
            if "\\ud" in line.lower():
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise GoldError(f"{name}, line {number}: no JSON: {error}", "Mend the line") from error
        if not isinstance(value, dict):
            raise GoldError(f"{name}, line {number}: no JSON object", "Write one object, `{…}`, a line")
        yield number, value


def read_ids(path: Path) -> set[str]:
    """Article ids, one a line; raises GoldError where the file cannot be read."""
    try:
        with path.open("rb") as stream:
            return {line.strip() for _, line in read_lines(stream, str(path)) if line.strip()}
    except OSError as error:
        raise GoldError(f"{path}: {error.strerror}", "Give a file of article ids, one a line") from error


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """The objects of a JSON Lines file, compressed or not, with the numbers of their lines.

    Raises GoldError as `read_objects` does, and where the file cannot be opened or holds nothing.
    """
    empty = True
    try:
        with Input(str(path)).open() as stream:
            for numbered in read_objects(stream, str(path)):
                empty = False
                yield numbered
    except SourceError as error:
        raise gold_error(str(path), error) from error
    if empty:
        raise GoldError(f"{path} is empty", "Look whether this is the right file; see docs/schema.md for the format")


def _utf8(raw: bytes, at: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GoldError(f"{at}: no UTF-8 at byte {error.start}", "Save the file as UTF-8") from error


def _too_long(at: str, max_bytes: int) -> GoldError:
    return GoldError(f"{at}: longer than {max_bytes:,} bytes", "Look whether this is the right file")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in names if names.count(key) > 1)!r} stands twice")
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
