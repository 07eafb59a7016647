"""The manifest: an append-only file of JSON Lines, one a finished shard, each with a checksum.

A line that was torn by a crash or damaged later is passed over; its shard is done again.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from caseframe.batch.shard import ShardResult
from caseframe.tables.parquet import whole_file

_CHECK = "check"


def append(path: Path, result: ShardResult) -> None:
    """Adds a shard; then the line is on the disk."""
    with path.open("ab") as stream:
        stream.write(line(result))
        stream.flush()
        os.fsync(stream.fileno())


def read(path: Path) -> Iterator[ShardResult]:
    """The shards whose lines are whole."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for each in lines:
        try:
            content = json.loads(each)
            if content.pop(_CHECK) == _checksum(content):
                yield ShardResult(**content)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue


def rewrite(path: Path, results: Iterable[ShardResult]) -> None:
    """Puts these lines in the place of all, so that what is appended does not follow a torn one."""
    with whole_file(path) as stream:
        stream.writelines(map(line, results))


def line(result: ShardResult) -> bytes:
    """A shard as it stands in the manifest."""
    content = asdict(result)
    return json.dumps(content | {_CHECK: _checksum(content)}, ensure_ascii=False).encode() + b"\n"


def _checksum(content: dict[str, object]) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"
