"""The last word on an article, decided from the ledger: as a plain reading of the records, one by one, would have it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.batch.ledger import EXTRACTED, FAILED, FILTERED, LEDGER, NOTICE, SCREENED, decide


@dataclass(frozen=True)
class Entry:
    article: str
    version: int
    fate: str


ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from("abc"),
        st.integers(1, 3),
        st.sampled_from([EXTRACTED, EXTRACTED, FILTERED, SCREENED, FAILED, NOTICE]),
    ),
    max_size=30,
)


def read_one_by_one(entries: list[Entry]) -> list[str]:
    """What becomes of each record when they are read in order and each looks at the one that stands."""
    fates = [entry.fate for entry in entries]
    standing: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if entry.fate == FAILED:
            continue
        before = standing.get(entry.article)
        if entry.fate == NOTICE:
            if before is not None:
                fates[standing.pop(entry.article)] = "deleted"
        elif before is not None and entry.version < entries[before].version:
            fates[number] = "superseded"
        else:
            if before is not None:
                fates[before] = "superseded"
            standing[entry.article] = number
    return fates


def chunks_of(entries: list[Entry], shard_size: int) -> list[int]:
    return [number % shard_size // 4 for number in range(len(entries))]


@given(entries=ENTRIES, shard_size=st.integers(3, 12))
def test_the_ledger_decides_as_reading_one_by_one(
    entries: list[Entry], shard_size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    chunks = chunks_of(entries, shard_size)
    rows = [
        {
            "shard": number // shard_size,
            "seq": number % shard_size,
            "input": number // 10,
            "member": 0,
            "record": number % 10 + 1,
            "article_id": entry.article,
            "version": entry.version if entry.fate != NOTICE else 0,
            "fate": entry.fate,
            "why": "",
            "chunk": chunks[number] if entry.fate == EXTRACTED else None,
        }
        for number, entry in enumerate(entries)
    ]
    files = []
    for shard in range(len(entries) // shard_size, -1, -1):  # the order of the files plays no part
        files.append(folder / f"{shard}.parquet")
        pq.write_table(pa.Table.from_pylist([r for r in rows if r["shard"] == shard], schema=LEDGER), files[-1])
    expected = read_one_by_one(entries)
    with decide(files, folder / "scratch") as verdict:
        counted: Counter[tuple[int, str]] = Counter()
        for fate in verdict.fates():
            counted[fate.input, fate.fate] += fate.count
        dropped = {(stale.shard, stale.chunk, each) for stale in verdict.stale() for each in stale.article_ids}
    assert counted == Counter((number // 10, fate) for number, fate in enumerate(expected))
    places = [(n // shard_size, chunks[n], entry.article) for n, entry in enumerate(entries)]
    written = {places[n] for n, entry in enumerate(entries) if entry.fate == EXTRACTED}
    kept = {places[n] for n, fate in enumerate(expected) if fate == EXTRACTED}
    assert dropped == written - kept
