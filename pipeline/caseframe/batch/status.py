"""How a run stands, told from its directory alone: while it works, after it broke off, and when it is finished."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from caseframe.batch import manifest
from caseframe.batch.remote import looked_at
from caseframe.batch.rundir import MANIFEST, PLAN, PROGRESS, RUN_FILE, is_held, read_json
from caseframe.batch.shard import ShardResult
from caseframe.errors import RunError
from caseframe.sources.opening import is_url

State = Literal["planning", "extracting", "finishing", "finished", "broken off"]


@dataclass(frozen=True, slots=True)
class RunStatus:
    """How a run stands."""

    path: str
    state: State
    shards: int
    shards_done: int
    records: int
    """Read so far, those of unfinished shards included while it works."""
    failed: int
    failures: dict[str, int]
    """By class of error, of finished shards."""
    seconds: float
    """That the run, or its last session, has worked."""
    rate: float
    """Records a second of that."""
    remaining_seconds: float | None
    """By the bytes that are left; None where that cannot be told."""
    engine: str
    workers: int
    host: str
    pid: int | None
    cpu_seconds: float
    """Processor time of all finished shards."""
    peak_mib: int
    """Most memory that a process took for a shard."""


def run_status(run: Path | str) -> RunStatus:
    """Reads how the run in a directory, or at a URL, stands.

    Raises RunError where there is none, OutputError where the URL cannot be reached.
    """
    if not is_url(str(run)):
        return _status(Path(run), str(run), is_held(Path(run)))
    with looked_at(str(run)) as (folder, held):
        return _status(folder, str(run), held)


def _status(path: Path, name: str, held: bool) -> RunStatus:
    run = read_json(path / RUN_FILE)
    if run is None and not held:
        raise RunError(f"{name} holds no run", "Give the directory that caseframe extract writes to")
    run, progress = run or {}, read_json(path / PROGRESS) or {}
    results = list(manifest.read(path / MANIFEST))
    state = _state(held, run, progress)
    failures: Counter[str] = Counter()
    for result in results:
        failures.update(result.errors)
    if state == "finished":
        failures = Counter(run["reasons"]["failed"])
    records = run["counts"]["read"] if state == "finished" else _records(held, progress, results)
    seconds = run["seconds"] if state == "finished" else _seconds(held, progress)
    new = records - (0 if state == "finished" else progress.get("read_before", 0))
    return RunStatus(
        path=name,
        state=state,
        shards=progress.get("shards", 0) or _planned(path),
        shards_done=len(results),
        records=records,
        failed=run["counts"]["failed"] if state == "finished" else max(progress.get("failed", 0), failures.total()),
        failures=dict(sorted(failures.items())),
        seconds=round(seconds, 1),
        rate=round(new / seconds, 1) if seconds else 0.0,
        remaining_seconds=_remaining(progress, seconds) if state == "extracting" else None,
        engine=progress.get("engine", ""),
        workers=progress.get("workers", 0),
        host=progress.get("host", ""),
        pid=progress.get("pid"),
        cpu_seconds=round(sum(result.cpu_seconds for result in results), 1),
        peak_mib=max((result.peak_mib for result in results), default=0),
    )


def _state(held: bool, run: Mapping[str, Any], progress: Mapping[str, Any]) -> State:
    if held:
        phase = progress.get("phase")
        return "planning" if phase is None else "finishing" if phase == "finishing" else "extracting"
    return "finished" if run.get("state") == "finished" else "broken off"


def _records(held: bool, progress: Mapping[str, Any], results: list[ShardResult]) -> int:
    """Those of finished shards; while the run works, those of the others too, which count only when they are done."""
    done = sum(result.counts.get("read", 0) for result in results)
    return max(done, int(progress.get("read", 0))) if held else done


def _seconds(held: bool, progress: Mapping[str, Any]) -> float:
    if "started" not in progress:
        return 0.0
    return max(0.0, (time.time() if held else float(progress["updated"])) - float(progress["started"]))


def _remaining(progress: Mapping[str, Any], seconds: float) -> float | None:
    """From the bytes of finished shards a second; None until there are some."""
    done = int(progress["weight_done"]) - int(progress["weight_before"])
    left = int(progress["weight"]) - int(progress["weight_done"])
    return round(left * seconds / done, 1) if done > 0 and seconds else None


def _planned(path: Path) -> int:
    plan = read_json(path / PLAN)
    return len(plan["shards"]) if plan else 0
