"""Parquet: the store of a run. Parts appear whole or not at all, and the same rows give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from caseframe.tables.rows import Row


def write_part(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Writes one part under a temporary name, syncs it and renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    table = pa.Table.from_pylist(list(rows), schema=schema)
    with temporary.open("wb") as stream:
        pq.write_table(table, stream, compression="zstd")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def drop_articles(path: Path, article_ids: set[str]) -> int:
    """Rewrites a part without the rows of some articles; gives the number of rows that went."""
    table = pq.read_table(path)
    keep = [article_id not in article_ids for article_id in table.column("article_id").to_pylist()]
    if not all(keep):
        kept = table.filter(pa.array(keep))
        temporary = path.with_suffix(".tmp")
        pq.write_table(kept, temporary, compression="zstd")
        temporary.replace(path)
    return len(keep) - sum(keep)


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
