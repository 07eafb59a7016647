"""The planner: cuts the inputs of a run into shards, which can be worked on alone, in any order, anywhere.

The cut depends on the inputs and the config, never on the engine or the number of workers, so that the tables don't
either. Small files share a shard. A large file is cut where few files would leave workers without work: JSON Lines by
bytes, other files by the numbers of their records, which are counted once, archives by every n-th of their members.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from caseframe.config import ExtractConfig, InputConfig
from caseframe.errors import SourceError
from caseframe.sources import STDIN, Input, ReadOptions, detect, read_members, reader_of
from caseframe.sources.base import decode

SMALLEST, LARGEST = 1 << 20, 16 << 20
"""Bytes of text that a shard has at least, where the input has so many, and about at most."""
SHARDS = 64
"""Files are cut until there are about so many shards, enough to keep some dozens of workers busy to the end."""
MAX_FILES = 500
MAX_CUTS = 8
"""A file that is read from its start for each of its shards is not cut more often: passing over records costs too."""
_EXPANDS = 5
"""Compressed files are counted as so many times their size."""
_COMPRESSED = (".gz", ".xz", ".zst", ".bz2", ".tgz", ".txz", ".tbz2", ".tzst", ".zip")
_BLANK = b"\xef\xbb\xbf \t\r\n\x1e"
_BLANK_CHARACTERS = "\ufeff \t\r\n\x1e"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """An input, or a stretch of it: its records from `first` to before `last`, or every n-th member of an archive."""

    number: int
    """Of the input in the run, from 0."""
    source: Input
    first: int = 1
    last: int | None = None
    stripe: int = 0
    stripes: int = 1
    start: int | None = None
    """Byte at which the records lie, to `stop`, where they can be found without what comes before."""
    stop: int | None = None
    format: str | None = None

    def to_json(self) -> dict[str, object]:
        """All that says what it holds; when the file was last changed plays no part."""
        content = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "source"}
        return {"input": self.source.name} | content

    @property
    def begins(self) -> bool:
        """Whether it is the first of its input."""
        return self.first == 1 and self.stripe == 0

    @property
    def ends(self) -> bool:
        """Whether it ends its input, so that what is wrong with the file as a whole is its to tell."""
        return self.last is None and self.stripe == 0


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a run's work, with its number from 0 in reading order."""

    number: int
    pieces: tuple[Piece, ...]
    weight: int = 0
    """About the bytes of text, for progress."""
    limit: int | None = None
    """Stop after so many extracted articles."""

    @property
    def id(self) -> str:
        """Its name in the manifest: the number, and a hash of what it holds."""
        what = json.dumps([piece.to_json() for piece in self.pieces])
        return f"{self.number:06d}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def plan_shards(inputs: Sequence[Input], config: ExtractConfig) -> list[Shard]:
    """Cuts the inputs; every record of them is in exactly one shard."""
    total = sum(_weight(source) for source in inputs)
    target = min(max(total // SHARDS, SMALLEST), LARGEST)
    cuts = 1 if config.select.limit is not None else min(MAX_CUTS, -(-SHARDS // max(len(inputs), 1)))
    shards: list[Shard] = []
    small: list[Piece] = []

    def close(pieces: Sequence[Piece], weight: int) -> None:
        if pieces:
            shards.append(Shard(len(shards), tuple(pieces), weight))

    filled = 0
    for number, source in enumerate(inputs):
        weight = _weight(source)
        large = source.size is None or weight > target
        if large or filled + weight > target or len(small) == MAX_FILES:
            close(small, filled)
            small, filled = [], 0
        if large:
            pieces = _cut(number, source, target, cuts, config.input)
            for piece in pieces:
                close([piece], weight // len(pieces))
        else:
            small.append(Piece(number, source, format=config.input.format))
            filled += weight
    close(small, filled)
    return shards


def read_options(config: InputConfig) -> ReadOptions:
    """How the readers are to read."""
    return ReadOptions(config.columns, config.body, config.max_record_mib << 20, config.encoding)


def _weight(source: Input) -> int:
    size = source.size or 0
    return size * _EXPANDS if source.name.lower().endswith(_COMPRESSED) else size


def _cut(number: int, source: Input, target: int, cuts: int, config: InputConfig) -> list[Piece]:
    whole = Piece(number, source, format=config.format)
    wanted = -(-_weight(source) // target)
    if source.name == STDIN or source.size is None or wanted < 2:
        return [whole]
    try:
        if source.is_archive():
            stripes = min(cuts, wanted)
            return [replace(whole, stripe=stripe, stripes=stripes) for stripe in range(stripes)]
        if _is_lines(source, config):
            return list(_byte_ranges(whole, target))
        return _record_ranges(whole, min(cuts, wanted), config) if cuts > 1 else [whole]
    except (SourceError, OSError):
        return [whole]  # reading it will tell


def _is_lines(source: Input, config: InputConfig) -> bool:
    """Whether every line is a record whatever comes before it: JSON Lines, not compressed, in UTF-8.

    With mapped columns a file is read as one, since only then a key that is missing everywhere can be told.
    """
    if config.columns or config.encoding:
        return False
    with source.open_raw() as raw:
        head = raw.read(64).lstrip(_BLANK)
        return head.startswith(b"{") and raw.seekable() and (config.format or detect(source)) == "jsonl"


def _byte_ranges(whole: Piece, target: int) -> Iterator[Piece]:
    """Stretches of about `target` bytes, each beginning with an object; one pass over the bytes counts the lines."""
    start = position = 0
    first = number = 1
    filled, begins = False, True
    with whole.source.open_raw() as raw:
        while line := raw.readline(_BLOCK):
            if begins and position - start >= target and line.startswith(b"{"):
                yield replace(whole, first=first, last=number, start=start, stop=position, format="jsonl")
                start, first = position, number
            position += len(line)
            filled = filled or _is_filled(line)
            begins = line.endswith(b"\n")
            if begins:
                number += filled
                filled = False
    yield replace(whole, first=first, start=start, stop=position, format="jsonl")


def _is_filled(line: bytes) -> bool:
    """Whether the reader makes a record of the line: it is not blank."""
    return bool(line.strip(_BLANK)) or bool(decode(line).strip(_BLANK_CHARACTERS))


def _record_ranges(whole: Piece, cuts: int, config: InputConfig) -> list[Piece]:
    """Equal numbers of records; one pass over the file counts them, without parsing where the reader can do so."""
    count = 0

    def note(number: int) -> bool:
        nonlocal count
        count = number
        return False

    reader_of(config.format or detect(whole.source))
    options = replace(read_options(config), wanted=note)
    for _, record in read_members(whole.source, config.format, options):
        count = max(count, record.origin.record)
    bounds = [1 + count * cut // cuts for cut in range(cuts + 1)]
    ranges = [replace(whole, first=a, last=b) for a, b in pairwise(bounds) if a < b]
    return [*ranges[:-1], replace(ranges[-1], last=None)] if len(ranges) > 1 else [whole]
