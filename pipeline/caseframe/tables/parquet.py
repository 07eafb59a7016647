"""Parquet: the store of a run. Parts appear whole or not at all, and the same rows give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from caseframe.tables.rows import Row


def write_part(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Writes one part under a temporary name, syncs it and renames it."""
    write_table(path, pa.Table.from_pylist(list(rows), schema=schema))


def write_table(path: Path, table: pa.Table) -> None:
    """Writes a table as one part, whole or not at all, whatever happens to process, machine or disk."""
    with whole_file(path) as stream:
        pq.write_table(table, stream, compression="zstd")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name only when all of it is on the disk, and stays there after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may write the same part for a moment: one that was given up, and the one that replaced it.
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes the names in a folder last through a power cut."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def drop_articles(path: Path, article_ids: Collection[str]) -> int:
    """Rewrites a part without the rows of some articles; gives the number of rows that went."""
    table = pq.read_table(path)
    keep = pc.invert(pc.is_in(table.column("article_id"), value_set=pa.array(sorted(article_ids), pa.string())))
    kept = table.filter(keep)
    if len(kept) < len(table):
        write_table(path, kept)
    return len(table) - len(kept)


def parts(folder: Path) -> list[Path]:
    """The parts of a table in order."""
    return sorted(folder.glob("part-*.parquet"))


def count_rows(folder: Path) -> int:
    """Rows of a table, as its parts' footers give them."""
    return sum(pq.read_metadata(path).num_rows for path in parts(folder))


def read_rows(folder: Path, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """All rows of a table, part by part."""
    for path in parts(folder):
        yield from read_part(path, columns)


def read_part(path: Path, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of one part, in batches."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=list(columns) if columns else None):
            yield from batch.to_pylist()
