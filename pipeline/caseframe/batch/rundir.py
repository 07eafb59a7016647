"""The run directory: made, checked, continued, and held by one run at a time."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from caseframe._version import __version__
from caseframe.config import ExtractConfig
from caseframe.errors import OutputError, OutputExists, ResumeRefused, RunBusy
from caseframe.tables.parquet import parts, whole_file

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

TABLES = ("articles", "cases", "findings")
RUN_FILE = "run.json"
PLAN = "plan.json"
MANIFEST = "manifest.jsonl"
FAILURES = "failures.jsonl"
PROGRESS = "progress.json"
LEDGER_FOLDER = "ledger"
LOCK, WORKERS_LOCK = ".lock", ".workers"
_MADE = (RUN_FILE, PLAN, MANIFEST, FAILURES, PROGRESS, LOCK, WORKERS_LOCK)
_LOCKS = (LOCK, WORKERS_LOCK)
_REPORTS = ("cases.csv", "findings.csv", "evidence.xlsx", "caseframe.duckdb", "report.html")
_FOLDERS = ("report_figures", "exports")
_SAME = "Resume with the same config, inputs and version, or give another -o"
_LOCK_SECONDS = 10


def part_file(out: Path, table: str, shard: int, chunk: int) -> Path:
    """A part of a table: the number of the shard, then of the chunk in it."""
    return out / table / f"part-{shard:06d}-{chunk:05d}.parquet"


def ledger_file(out: Path, shard: int) -> Path:
    """What became of each record of a shard."""
    return out / LEDGER_FOLDER / f"part-{shard:06d}.parquet"


def failures_file(out: Path, shard: int) -> Path:
    """The failures of a shard."""
    return out / LEDGER_FOLDER / f"part-{shard:06d}.failures.jsonl"


def config_json(config: ExtractConfig) -> dict[str, object]:
    """The config as it stands in `run.json`."""
    content = json.loads(config.model_dump_json())
    assert isinstance(content, dict)
    return content


def digests(config: ExtractConfig) -> dict[str, str]:
    """SHA-256 of the lexicons and models that a config names by path: with others the rest of a run would differ."""
    named = (*config.pipeline.lexicons, config.pipeline.model, config.pipeline.entities)
    return {name: _digest(Path(name)) for name in named if name and Path(name).exists()}


def _digest(path: Path) -> str:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, content: object) -> None:
    """Writes a JSON file whole or not at all."""
    with whole_file(path) as stream:
        stream.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """What a JSON file holds; None where there is none, or it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@contextmanager
def opened_run(path: Path, config: ExtractConfig, *, overwrite: bool, resume: bool) -> Iterator[None]:
    """The directory of a run, made or opened to go on, and held against other runs inside the block.

    Raises OutputExists where it holds something and neither `overwrite` nor `resume` is set, ResumeRefused where the
    run was begun with another config or version, RunBusy where another run writes there, OutputError where it cannot
    be written.
    """
    try:
        used = path.exists() and (not path.is_dir() or any(path.iterdir()))
        if used and not path.is_dir():
            raise OutputError(f"{path} is a file", "Give a directory with -o")
        if used and not resume and not overwrite:
            raise OutputExists(
                f"{path} is not empty", "Give another -o, or --overwrite to replace the run, or --resume to continue it"
            )
        path.mkdir(parents=True, exist_ok=True)
        with held(path):
            if used and resume:
                _check(path, config)
            elif used:
                _clear(path)
            for table in (*TABLES, LEDGER_FOLDER):
                (path / table).mkdir(exist_ok=True)
            (path / FAILURES).touch()
            yield
    except OSError as error:
        raise OutputError(
            f"{path}: {error.strerror or error}", "Give a directory that can be written with -o; --resume goes on"
        ) from error


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Holds a run directory against other runs.

    Raises RunBusy where another run is there, or a worker that a dead one left does not end.
    """
    with _lock(path / LOCK, exclusive=True), ExitStack() as left:
        left.enter_context(_lock(path / WORKERS_LOCK, exclusive=True))
        left.close()
        yield


@contextmanager
def joined(path: Path) -> Iterator[None]:
    """Holds a run directory as one of the workers of its run."""
    with _lock(path / WORKERS_LOCK, exclusive=False):
        yield


def is_held(path: Path) -> bool:
    """Whether a run is writing there now."""
    if fcntl is None or not (path / LOCK).exists():
        return False
    with (path / LOCK).open("r") as lock:
        return not _locked(lock.fileno(), fcntl.LOCK_SH)


@contextmanager
def _lock(path: Path, *, exclusive: bool) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    with path.open("a") as lock:
        ends = time.monotonic() + _LOCK_SECONDS
        while not _locked(lock.fileno(), fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH):
            if time.monotonic() > ends:
                raise RunBusy(f"{path.parent}: another run is writing there", "Wait for its end, see caseframe status")
            time.sleep(0.05)
        yield


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def drop_unfinished(path: Path, finished: Mapping[int, int]) -> None:
    """Removes what a broken run left of shards that it did not finish; `finished` gives the chunks of the others."""
    for table in TABLES:
        for part in parts(path / table):
            _, shard, chunk = part.stem.split("-")
            if int(chunk) >= finished.get(int(shard), 0):
                part.unlink()
    drop_scratch(path)


def drop_scratch(path: Path) -> None:
    """Removes the temporary files of workers that died while they wrote."""
    for folder in (path, *(path / table for table in (*TABLES, LEDGER_FOLDER))):
        for left in folder.glob("*.tmp"):
            left.unlink()


def is_complete(path: Path, shard: int, chunks: int) -> bool:
    """Whether all that a finished shard wrote is there."""
    files = [part_file(path, table, shard, chunk) for table in TABLES for chunk in range(chunks)]
    return all(file.is_file() for file in (*files, ledger_file(path, shard), failures_file(path, shard)))


def _check(path: Path, config: ExtractConfig) -> None:
    """Raises ResumeRefused where the run that is there cannot be gone on with."""
    before = read_json(path / RUN_FILE)
    if before is None:
        # It may have died before it wrote a word.
        if any(file.name not in (*_MADE, *TABLES, LEDGER_FOLDER) and file.suffix != ".tmp" for file in path.iterdir()):
            raise ResumeRefused(f"{path} holds no run that can be continued", "Give --overwrite, or another -o")
        return
    if before.get("caseframe") != __version__:
        raise ResumeRefused(
            f"{path}: the run was begun by caseframe {before.get('caseframe')}, this is {__version__}", _SAME
        )
    # Other limits change what fails, and may be what it takes to go on.
    was, now = ({**content, "limits": None} for content in (before.get("config", {}), config_json(config)))
    changed = list(_changes(was, now))
    if changed:
        raise ResumeRefused(f"{path}: the config changed: {'; '.join(changed)}", _SAME)
    files = [name for name, digest in digests(config).items() if before.get("files", {}).get(name) != digest]
    if files:
        raise ResumeRefused(f"{path}: files that the config names changed: {', '.join(files)}", _SAME)


def _changes(before: object, now: object, key: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in sorted(before.keys() | now.keys()):
            yield from _changes(before.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif before != now:
        yield f"{key} was {json.dumps(before)}, is {json.dumps(now)}"


def _clear(path: Path) -> None:
    """Removes a former run; where there is anything that no run wrote, such as a review, all of it stays."""
    folders, files = (*TABLES, LEDGER_FOLDER, *_FOLDERS), (*_MADE, *_REPORTS)
    strangers = sorted({file.name for file in path.iterdir() if file.suffix != ".tmp"} - {*folders, *files})
    if strangers:
        raise OutputExists(
            f"{path} holds files that are no part of a run ({strangers[0]})",
            "Give an empty directory with -o, or move them away",
        )
    for folder in folders:
        shutil.rmtree(path / folder, ignore_errors=True)
    for file in path.iterdir():
        if file.name not in _LOCKS:
            file.unlink()
