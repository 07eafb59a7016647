"""Files for people and other tools: named after articles, written whole or not at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_PMID = re.compile(r"pmid:(\d+)(?:/(\d+))?", re.ASCII)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file: a path beside it, which takes its name only when all is written."""
    temporary = path.with_name(f"{path.name}.tmp")
    yield temporary
    temporary.replace(path)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that takes its name only when all is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream


def file_stem(identifier: str) -> str:
    """A file name of an article's or case's id: different for different ids, and fit for any file system.

    `pmid:9` becomes `9`, its second case `9_2`; all other ids end with a hash.
    """
    if match := _PMID.fullmatch(identifier):
        return match[1] + (f"_{match[2]}" if match[2] else "")
    plain = re.sub(r"[^A-Za-z0-9.-]+", "_", identifier).strip("._-")[:80]
    return f"{plain}-{hashlib.sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}".lstrip("-")
