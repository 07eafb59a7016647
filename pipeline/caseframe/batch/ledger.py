"""The ledger: a row for every record of a run, from which its last word on every article is decided when all is read.

The order in which shards were worked on plays no part: a record's place is its input, member and number. All of it is
done by DuckDB over the shards' Parquet files, out of memory where it must, so that millions of records take no dict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

_COLUMNS: dict[str, pa.DataType] = {
    "shard": pa.int32(),
    "seq": pa.int32(),
    "input": pa.int32(),
    "member": pa.int32(),
    "record": pa.int64(),
    "article_id": pa.string(),
    "version": pa.int32(),
    "fate": pa.string(),
    "why": pa.string(),
    "chunk": pa.int32(),
}
LEDGER = pa.schema(_COLUMNS)
"""`chunk` is the part of the shard that holds an extracted article; `why` tells the fates with reasons apart."""
EXTRACTED, FILTERED, SCREENED, FAILED, NOTICE = "extracted", "filtered", "screened_out", "failed", "deletion_notices"
MEMORY = "2GB"
"""What DuckDB may use before it goes to disk."""

# Records of ids that come once need no comparison, and they are nearly all. Hashes find the others in less memory than
# ids; a few that only share a hash are compared for nothing.
_REPEATED = f"""
CREATE TABLE repeated AS
SELECT hash(article_id) AS key FROM records WHERE fate <> '{FAILED}' GROUP BY key HAVING count(*) > 1
"""
# An article's life ends with a deletion; a record after it begins another one.
_VERDICTS = f"""
CREATE TABLE verdicts AS
WITH lives AS (
    SELECT *,
        count_if(fate = '{NOTICE}') OVER (PARTITION BY article_id ORDER BY input, member, record) AS life,
        count_if(fate = '{NOTICE}') OVER (PARTITION BY article_id) AS lives
    FROM records SEMI JOIN repeated ON hash(article_id) = key WHERE fate <> '{FAILED}'
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY article_id, life ORDER BY version DESC, input DESC, member DESC, record DESC
    ) AS place
    FROM lives WHERE fate <> '{NOTICE}'
)
SELECT shard, seq, article_id, chunk, fate AS own,
    CASE WHEN place > 1 THEN 'superseded' WHEN life < lives THEN 'deleted' ELSE fate END AS fate
FROM ranked
"""
_STALE = f"""
SELECT shard, chunk, list_sort(list(article_id)) FROM (
    SELECT shard, chunk, article_id FROM verdicts WHERE own = '{EXTRACTED}'
    GROUP BY shard, chunk, article_id HAVING NOT bool_or(fate = '{EXTRACTED}')
) GROUP BY shard, chunk ORDER BY shard, chunk
"""
_FATES = """
SELECT records.input, coalesce(verdicts.fate, records.fate) AS final, coalesce(records.why, ''), count(*)
FROM records LEFT JOIN verdicts USING (shard, seq) GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Stale:
    """Articles of a part that do not count any more."""

    shard: int
    chunk: int
    article_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fate:
    """How many records of an input met a fate, and why."""

    input: int
    fate: str
    why: str
    count: int


class Verdict:
    """What the ledger says when all is read. Use `decide` to get one."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def stale(self) -> Iterator[Stale]:
        """What is to be dropped from the parts, in their order."""
        cursor = self._connection.cursor().execute(_STALE)
        while row := cursor.fetchone():
            yield Stale(row[0], row[1], frozenset(row[2]))

    def fates(self) -> list[Fate]:
        """All fates by input."""
        return [Fate(*row) for row in self._connection.execute(_FATES).fetchall()]


@contextmanager
def decide(files: Sequence[Path], scratch: Path) -> Iterator[Verdict]:
    """Decides over the shards' ledgers; `scratch` is a folder for what does not fit into memory."""
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("SET temp_directory = ?", [str(scratch)])
        connection.execute("SET preserve_insertion_order = false")
        connection.read_parquet([str(path) for path in files]).create_view("records")
        connection.execute(_REPEATED)
        connection.execute(_VERDICTS)
        yield Verdict(connection)
