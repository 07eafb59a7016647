"""Worker processes, watched from outside: one that dies or hangs is replaced, and costs at most the record that did it.

A worker gets a shard, never an article, and gives back what stands in the manifest. It tells on a small board in shared
memory what it does; so it is known at which record it died. A shard on which a worker died is done again, as it was:
chance deaths change no byte. Articles among which workers die twice are then worked on one by one; the one that takes a
worker with it once more is a failure, and the others are kept.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import BaseContext
from typing import Any, Literal

import pyarrow as pa

from caseframe.batch.limits import limit_memory
from caseframe.batch.plan import Shard
from caseframe.batch.rundir import joined
from caseframe.batch.shard import Care, Job, ShardResult, process_shard
from caseframe.batch.watch import Progress
from caseframe.errors import CaseFrameError, WorkerError
from caseframe.schema import Failure, Origin

Phase = Literal["idle", "reading", "working"]
_PHASES: tuple[Phase, ...] = ("idle", "reading", "working")
_PHASE, _FIRST, _LAST, _SINCE, _READ, _FAILED = range(6)
_POLL_SECONDS = 0.2
_START_SECONDS = 300
_GRACE_SECONDS = 10
_MOST_DEATHS = 24
"""Of workers on one shard; then the rest of it is left."""
_MOST_IDLE_DEATHS = 10
_DEATHS_TOGETHER = 2
"""Of workers among the same articles, before these are worked on one by one."""
_FULL = 0.75
"""Share of the memory limit beyond which a process makes place for a new one between two shards."""
_NO_MEMORY = 77
"""Exit code of a worker that ran out of memory outside of an article's own work."""
_NO_ROOM = "it ran out of memory"
_LOOK = "Look at it in the file; if memory is short, raise limits.memory_mib or use fewer workers"


@dataclass(frozen=True, slots=True)
class Death:
    """How a worker ended before its shard did, and what it was doing."""

    phase: Phase
    first: int
    last: int
    """The records that it was at."""
    reason: str
    hung: bool = False


class _Board:
    """What a worker is doing, in memory shared with its watcher."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def reading(self, seq: int) -> None:
        self._step(1, seq, seq)

    def working(self, first: int, last: int) -> None:
        self._step(2, first, last)

    def idle(self) -> None:
        self._step(0, 0, 0)

    def counted(self, source: str, counts: Counter[str]) -> None:
        self.cells[_READ], self.cells[_FAILED] = counts["read"], counts["failed"]

    def _step(self, phase: int, first: int, last: int) -> None:
        self.cells[_PHASE], self.cells[_FIRST], self.cells[_LAST] = phase, first, last
        self.cells[_SINCE] = time.monotonic()


class Worker:
    """A process that works on shards, one at a time, and its successors."""

    def __init__(self, job: Job, context: BaseContext | None = None) -> None:
        self._job = job
        self._context = context or start_method()
        self._board = _Board(self._context.RawArray("d", 6))
        self._process: Any = None
        self._connection: Connection | None = None
        self._closed = False

    @property
    def counts(self) -> Counter[str]:
        """Of the shard it is at."""
        return Counter(read=int(self._board.cells[_READ]), failed=int(self._board.cells[_FAILED]))

    def process(self, shard: Shard) -> ShardResult:
        """Works on a shard until it is done, with as many processes as that takes.

        Raises what the work raises, and WorkerError where no process can be had that lives.
        """
        care = Care()
        deaths: list[Death] = []
        try:
            while isinstance(outcome := self._attempt(shard, care), Death):
                deaths.append(outcome)
                care = next_care(care, deaths)
            if outcome.peak_mib > _FULL * (self._job.config.limits.memory_mib or sys.maxsize):
                self._end()  # what it has hoarded goes with it
            return outcome
        finally:
            self._board.counted("", Counter())

    def close(self) -> None:
        """Ends the process."""
        self._closed = True
        self._end()

    def _attempt(self, shard: Shard, care: Care) -> ShardResult | Death:
        connection = self._started()
        if connection is None:
            return self._death(hung=False)
        with suppress(OSError):  # it is dead already, which the next step will see
            connection.send((shard, care))
        while (answer := self._answer(connection)) is None:
            if self._hangs():
                return self._death(hung=True)
        if isinstance(answer, ShardResult):
            return answer
        if isinstance(answer, Exception):
            raise answer
        return self._death(hung=False)

    def _answer(self, connection: Connection) -> ShardResult | Exception | Literal["ready", "dead"] | None:
        """What the worker sends; None while there is nothing."""
        try:
            return connection.recv() if connection.poll(_POLL_SECONDS) else None
        except (EOFError, OSError):
            return "dead"

    def _hangs(self) -> bool:
        seconds = self._job.config.limits.seconds_per_article
        phase, since = self._board.cells[_PHASE], float(self._board.cells[_SINCE])
        if seconds is None or phase == 0:
            return False
        # The worker's own alarm comes first, and goes through what it was at one by one; this is for what it can't end.
        return time.monotonic() - since > 2 * seconds + _GRACE_SECONDS

    def _death(self, *, hung: bool) -> Death:
        cells = self._board.cells
        process = self._process
        phase = _PHASES[int(cells[_PHASE])]
        self._end()
        if self._closed:
            raise WorkerError("The run was ended", "Go on with --resume")
        reason = "it hung" if hung else _ended(process.exitcode)
        return Death(phase, int(cells[_FIRST]), int(cells[_LAST]), reason, hung)

    def _started(self) -> Connection | None:
        """The way to a process that is ready; None where it died before it was."""
        if self._connection is not None and self._process.is_alive():
            return self._connection
        self._end()
        connection, theirs = self._context.Pipe()
        self._connection = connection
        self._board.idle()
        self._process = self._context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, self._board.cells, self._job), daemon=True
        )
        self._process.start()
        theirs.close()
        ends = time.monotonic() + _START_SECONDS
        while (answer := self._answer(connection)) is None:
            if time.monotonic() > ends:
                raise WorkerError(
                    f"No worker process starts within {_START_SECONDS} seconds", "Try --engine inline, which needs none"
                )
        if isinstance(answer, Exception):
            raise answer
        return connection if answer == "ready" else None

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.join()


def next_care(care: Care, deaths: Sequence[Death]) -> Care:
    """How to go on after the last of these deaths. Raises WorkerError where it is no record's fault."""
    last = deaths[-1]
    # Deaths while the same was done, among other articles perhaps.
    same = [each for each in deaths if each.phase == last.phase and each.first <= last.first and last.last <= each.last]
    if last.phase == "idle" and (len(same) > _MOST_IDLE_DEATHS or (last.reason == _NO_ROOM and len(same) > 1)):
        raise WorkerError(
            f"Workers die before they come to work: {last.reason}",
            "Raise limits.memory_mib, use fewer workers, or see with --engine inline what happens",
        )
    if len(deaths) >= _MOST_DEATHS or (last.phase == "reading" and len(same) > 1):
        what = f"The file cannot be read on from here: {last.reason}"
        return replace(care, unreadable={**care.unreadable, last.first: _lost("read", last, what)})
    if last.phase != "working" or len(same) < (1 if last.hung else _DEATHS_TOGETHER):
        return care
    if last.first < last.last:
        return replace(care, singly=care.singly | {last.first})
    if len(same) > (1 if last.hung else _DEATHS_TOGETHER):
        what = f"The process that worked on the article ended: {last.reason}"
        return replace(care, lost={**care.lost, last.first: _lost("process", last, what)})
    return care


def _lost(stage: Literal["read", "process"], death: Death, message: str) -> Failure:
    return Failure(Origin("", 0), stage, "TimeLimit" if death.hung else "WorkerDied", message, _LOOK)


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}" + (", often for want of memory" if code == -9 else "")
    return _NO_ROOM if code == _NO_MEMORY else f"exit code {code}"


class Local:
    """Processes on this machine."""

    name = "local"

    def __init__(self, workers: int, context: BaseContext | None = None) -> None:
        self.workers = workers
        self._context = context

    def run(self, take: Callable[[], Shard | None], job: Job, progress: Progress | None) -> Generator[ShardResult]:
        """Works on as many shards at a time as there are workers, each watched by a thread of its own."""
        idle = [Worker(job, self._context) for _ in range(self.workers)]
        everyone = tuple(idle)
        before: Counter[str] = Counter()
        busy: dict[Future[ShardResult], Worker] = {}
        pool = ThreadPoolExecutor(self.workers)
        source = ""
        try:
            while True:
                while idle and (shard := take()) is not None:
                    source = shard.pieces[0].source.name
                    worker = idle.pop()
                    busy[pool.submit(worker.process, shard)] = worker
                if not busy:
                    return
                done, _ = wait(busy, timeout=0.5, return_when=FIRST_COMPLETED)
                if progress is not None:
                    progress(source, sum((worker.counts for worker in busy.values()), before))
                for future in done:
                    idle.append(busy.pop(future))
                    result = future.result()
                    before += Counter(result.counts)
                    yield result
        finally:
            for worker in everyone:
                worker.close()
            pool.shutdown()


def start_method() -> BaseContext:
    """How processes are started: forked from a server that has imported what they need, and has no threads.

    A plain fork would copy locks that other threads hold; a fresh interpreter takes seconds to import spaCy.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _serve(connection: Connection, cells: Any, job: Job) -> None:
    """A worker's life: shards come in, results or errors go out, until nobody is there to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    board = _Board(cells)
    with suppress(EOFError, OSError), nullcontext() if job.url else joined(job.out):
        limit_memory(job.config.limits.memory_mib)
        connection.send("ready")
        while True:
            shard, care = connection.recv()
            board.idle()
            connection.send(_outcome(shard, job, board, care))


def _outcome(shard: Shard, job: Job, board: _Board, care: Care) -> ShardResult | Exception:
    try:
        return process_shard(shard, job, board, care)
    except CaseFrameError as error:
        return error
    except MemoryError:
        os._exit(_NO_MEMORY)
    except Exception as error:
        return WorkerError(f"{type(error).__name__} at shard {shard.id}: {error}", "Please report this message")


def _end_with_parent() -> None:
    """Ends this process with the one that started it, at once: nobody else may write after it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    grandparent = os.getppid()
    while not wait_for([parent.sentinel], timeout=1) and os.getppid() == grandparent:
        continue
    os._exit(1)
