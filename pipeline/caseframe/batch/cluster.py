"""Ray: the shards of a run on the machines of a cluster, which share the folders of input and output.

Each actor watches a worker process of its own, exactly as a run on one machine does: what a record does to its process
is dealt with where it happens. Ray deals with machines that go.
"""

from __future__ import annotations

import importlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

from caseframe.batch.plan import Shard
from caseframe.batch.shard import Job, ShardResult
from caseframe.batch.watch import Progress
from caseframe.batch.workers import Worker
from caseframe.errors import CaseFrameError, WorkerError

_START = "See whether it runs with ray status, or start it: ray start --head"
_MOST_LOSSES = 3
"""Machines that may be lost over one shard."""


def _knock(address: str) -> None:
    """Raises WorkerError where nobody is at the address: Ray would try for many minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise WorkerError(f"There is no Ray at {address}: {error}", _START) from error


class Seat:
    """A worker's place on some machine; Ray makes an actor of it."""

    def __init__(self, job: Job) -> None:
        self._worker = Worker(job)

    def process(self, shard: Shard) -> ShardResult | CaseFrameError:
        """Works on a shard; an error is given back, since Ray would wrap it."""
        try:
            return self._worker.process(shard)
        except CaseFrameError as error:
            return error


class Cluster:
    """Ray on this machine, or the cluster at an address."""

    name = "ray"

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        """Raises WorkerError where Ray is not installed or not there."""
        try:
            ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise WorkerError("The engine ray needs Ray", "pip install 'caseframe[ray]'") from error
        self._ray = ray
        if address and ":" in address and "://" not in address:
            _knock(address)
        try:
            if not ray.is_initialized():
                # One of its own, also where somebody else's runs on this machine.
                own = {"address": "local", "num_cpus": workers, "include_dashboard": False}
                how = {"address": address} if address else own
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **how)
        except (ConnectionError, ValueError, RuntimeError) as error:
            where = f"at {address}" if address else "on this machine"
            reason = " ".join(str(error).split())[:300]
            raise WorkerError(
                f"There is no Ray {where}: {reason}",
                _START,
            ) from error
        self.workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))

    def run(self, take: Callable[[], Shard | None], job: Job, progress: Progress | None) -> Generator[ShardResult]:
        """Works on as many shards at a time as there are workers."""
        ray = self._ray
        actor = ray.remote(num_cpus=1, max_restarts=-1)(Seat)
        idle = [actor.remote(job) for _ in range(self.workers)]
        everyone = tuple(idle)
        busy: dict[Any, tuple[Any, Shard]] = {}
        losses: Counter[int] = Counter()
        before: Counter[str] = Counter()
        try:
            while True:
                while idle and (shard := take()) is not None:
                    seat = idle.pop()
                    busy[seat.process.remote(shard)] = (seat, shard)
                if not busy:
                    return
                done, _ = ray.wait(list(busy), num_returns=1, timeout=0.5)
                for future in done:
                    seat, shard = busy.pop(future)
                    result = self._result(future, shard, losses)
                    if result is None:
                        busy[seat.process.remote(shard)] = (seat, shard)
                        continue
                    idle.append(seat)
                    before += Counter(result.counts)
                    yield result
                if progress is not None and busy:
                    progress(next(iter(busy.values()))[1].pieces[0].source.name, before)
        finally:
            for seat in everyone:
                ray.kill(seat)

    def _result(self, future: Any, shard: Shard, losses: Counter[int]) -> ShardResult | None:
        """What came of the shard; None where the machine was lost and it must be done again."""
        try:
            result: ShardResult | CaseFrameError = self._ray.get(future)
        except self._ray.exceptions.RayError as error:
            losses[shard.number] += 1
            if losses[shard.number] > _MOST_LOSSES:
                reason = " ".join(str(error).split())[:300]
                raise WorkerError(f"Shard {shard.id} was lost again and again: {reason}", "See ray status") from error
            return None
        if isinstance(result, CaseFrameError):
            raise result
        return result
