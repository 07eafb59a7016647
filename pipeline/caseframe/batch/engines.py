"""Engines: who works on the shards of a run. Whichever it is, the shards and what they write are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from typing import Literal, Protocol

from caseframe.batch.plan import Shard
from caseframe.batch.shard import Job, ShardResult, process_shard
from caseframe.batch.watch import Progress, Told
from caseframe.errors import ConfigError

EngineName = Literal["inline", "local", "ray"]
Take = Callable[[], Shard | None]
"""Gives the next shard to work on; None where there is none, or none yet: it is asked again after each result."""


class Engine(Protocol):
    """Works on shards."""

    name: str
    workers: int

    def run(self, take: Take, job: Job, progress: Progress | None) -> Generator[ShardResult]:
        """The results as they come. No more shards are taken than there are workers; closing it ends the work."""


class Inline:
    """This process, one shard after the other: for small runs, debugging and standard input."""

    name = "inline"
    workers = 1

    def run(self, take: Take, job: Job, progress: Progress | None) -> Generator[ShardResult]:
        """Works on the shards in order."""
        before: Counter[str] = Counter()
        while (shard := take()) is not None:
            result = process_shard(shard, job, Told(before, progress))
            before += Counter(result.counts)
            yield result


def make_engine(name: EngineName | None = None, workers: int | None = None, address: str | None = None) -> Engine:
    """The engine of that name; without one, `local` for several workers, `ray` for an address, else `inline`.

    Raises ConfigError where they don't fit together, WorkerError where Ray is not installed or not there.
    """
    if name is None:
        name = "ray" if address else "local" if workers is not None and workers > 1 else "inline"
    if address and name != "ray":
        raise ConfigError(f"--address is of no use to the engine {name}", "Leave it out, or give --engine ray")
    if name == "inline":
        if workers is not None and workers > 1:
            raise ConfigError(f"The engine inline has no {workers} workers", "Give --engine local")
        return Inline()
    if name == "ray":
        from caseframe.batch.cluster import Cluster  # Ray is optional, and slow to load

        return Cluster(workers, address)
    from caseframe.batch.workers import Local

    return Local(workers or 1)
