"""What every reader of a format shares: its options, the shape of its module and lenient decoding.

A reader is a module with

- `FORMAT`, its name;
- `sniff(head, name)`: whether a file that starts with `head` (about 8 KiB, decoded leniently) and is called `name`
  (without a compression suffix) is of this format;
- `read(stream, file, options)`: the records of the file, one by one, so that memory does not grow with the file.

A record that cannot be read becomes a `Failure` and costs nothing else. What is wrong with the file as a whole is
raised as a `SourceError`, after all good records; the opener makes one `Failure` of it and goes on with the next file.
The opener's streams raise `BrokenFile` where the compressed data end early or are damaged, once all that came before
has been handed out: readers just let it through, and keep an unfinished record to themselves. To lose nothing they
read by line or with `chunks`, for a plain `stream.read(size)` drops what it holds when an error comes.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Protocol, cast

from caseframe.errors import SourceError
from caseframe.schema import Failure, Origin, Record

HEAD_BYTES: Final = 8192
CHUNK_BYTES: Final = 1 << 18
MAX_RECORD_BYTES: Final = 16 << 20
_WIDE_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class ReadOptions:
    """How to read: the column map of tables, whether body text is wanted, the bound of a record, a known encoding."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Article attribute -> name of its column or key (CSV, TSV, JSON Lines)."""
    body: bool = False
    """Whether to read the body text as well (JATS, BioC)."""
    max_record_bytes: int = MAX_RECORD_BYTES
    encoding: str | None = None
    """The encoding of text files, where it is known; UTF-8 is tried first without it."""
    first: int = 1
    """Number of the first record, where only a stretch of a file is read."""
    wanted: Callable[[int], bool] | None = None
    """Asked for each record by its number, in order: readers that can pass over the others without parsing them."""


class Reader(Protocol):
    """The module of a format."""

    FORMAT: str

    def sniff(self, head: str, name: str) -> bool:
        """Whether a file with this start and name is of the format."""

    def read(self, stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
        """The records of the file."""


def failure(origin: Origin, error: SourceError, article_id: str = "") -> Failure:
    """The failure of the record at `origin`."""
    return error.failure(origin, article_id)


def chunks(stream: BinaryIO, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The stream piece by piece; an error in it comes after all that could be read."""
    read = getattr(stream, "read1", stream.read)
    while piece := read(size):
        yield piece


def raw_lines(stream: BinaryIO, max_bytes: int = MAX_RECORD_BYTES) -> Iterator[bytes]:
    r"""The lines, each without its `\n` or `\r\n`.

    A line longer than `max_bytes` is cut to `max_bytes + 1` bytes, which tells the reader that it was too long.
    """
    while line := stream.readline(max_bytes + 1):
        whole = line
        while len(line) > max_bytes and not line.endswith(b"\n"):
            line = stream.readline(max_bytes + 1)
        yield whole[: max_bytes + 1].removesuffix(b"\n").removesuffix(b"\r")


def decode(raw: bytes, encoding: str | None = None) -> str:
    """Text of bytes: in the encoding given, else UTF-8, else Windows-1252. It never fails."""
    for name in (encoding, "utf-8", "cp1252"):
        if name:
            try:
                return raw.decode(name)
            except (UnicodeError, LookupError):
                continue
    return raw.decode("latin-1")


def decode_lines(stream: BinaryIO, encoding: str | None = None, max_bytes: int = MAX_RECORD_BYTES) -> Iterator[str]:
    """The lines of a text file, without line ends and byte order mark, decoded one by one with `decode`.

    UTF-16 and UTF-32 are known by their byte order mark. A line that is too long is cut, as `raw_lines` says.
    """
    peekable = stream if hasattr(stream, "peek") else io.BufferedReader(cast(io.RawIOBase, stream))
    start = bytes(peekable.peek(4)[:4])
    for mark, wide in _WIDE_MARKS:
        if start.startswith(mark):
            yield from _wide_lines(peekable, wide, max_bytes)
            return
    for number, raw in enumerate(raw_lines(peekable, max_bytes)):
        yield decode(raw.removeprefix(codecs.BOM_UTF8) if number == 0 else raw, encoding)


def _wide_lines(stream: BinaryIO, encoding: str, max_bytes: int) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
    while line := text.readline(max_bytes + 1):
        whole = line
        while len(line) > max_bytes and not line.endswith("\n"):
            line = text.readline(max_bytes + 1)
        yield whole.rstrip("\r\n")
    text.detach()
