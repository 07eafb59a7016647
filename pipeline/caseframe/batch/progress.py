"""How far a run is: told while it works to whoever called it and, in `progress.json`, to `caseframe status`."""

from __future__ import annotations

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from caseframe.batch.engines import Engine
from caseframe.batch.plan import Shard
from caseframe.batch.rundir import PROGRESS
from caseframe.batch.shard import ShardResult
from caseframe.batch.watch import Progress

_EVERY_SECONDS = 1.0


class Reporter:
    """Adds what the running shards have counted to what is done, and says it now and then."""

    def __init__(
        self,
        out: Path,
        engine: Engine,
        shards: Sequence[Shard],
        done: Mapping[int, ShardResult],
        progress: Progress | None,
    ) -> None:
        self._path = out / PROGRESS
        self._progress = progress
        self._before = _counted(done.values())
        self._counts = Counter(self._before)
        self._weights = {shard.number: shard.weight for shard in shards}
        self._done_weight = self._first_weight = sum(self._weights[number] for number in done)
        self._fixed = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "engine": engine.name,
            "workers": engine.workers,
            "started": time.time(),
            "shards": len(shards),
            "read_before": self._before["read"],
            "weight": sum(self._weights.values()),
            "weight_before": self._first_weight,
        }
        self._shards_done = len(done)
        self._source = ""
        self._told = 0.0

    def __enter__(self) -> Reporter:
        self._write("extracting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write("finishing" if kind is None else "broken off")

    def tell(self, source: str, counts: Counter[str]) -> None:
        """Takes in the counts of this session, finished shards and running ones."""
        self._source, self._counts = source, self._before + counts
        if time.monotonic() - self._told >= _EVERY_SECONDS:
            self._write("extracting")
        if self._progress is not None:
            self._progress(source, self._counts)

    def finished(self, result: ShardResult) -> None:
        """Takes in a shard that is done."""
        self._shards_done += 1
        self._done_weight += self._weights[result.number]

    def _write(self, phase: str) -> None:
        self._told = time.monotonic()
        content = self._fixed | {
            "phase": phase,
            "updated": time.time(),
            "input": self._source,
            "read": self._counts["read"],
            "failed": self._counts["failed"],
            "shards_done": self._shards_done,
            "weight_done": self._done_weight,
        }
        temporary = self._path.with_suffix(".tmp")
        # It is told for convenience: a full disk must not end a run here.
        with suppress(OSError):
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
            temporary.replace(self._path)


def _counted(results: Iterable[ShardResult]) -> Counter[str]:
    total: Counter[str] = Counter()
    for result in results:
        total.update(result.counts)
    return total
