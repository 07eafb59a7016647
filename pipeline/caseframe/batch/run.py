"""A run: articles in, tables out. The inputs are planned as shards, an engine works on them, a finish settles the rest.

The last word on an article wins: a later record with the same id replaces the earlier one, unless its PMID version is
lower; a deletion removes it. Every record is accounted for, and the same input, config and version give the same bytes,
whatever the engine, and however often the run was broken off and resumed.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from caseframe._version import __version__
from caseframe.batch import manifest
from caseframe.batch.engines import Engine, EngineName, make_engine
from caseframe.batch.fates import Tally
from caseframe.batch.finish import settle, write_tables
from caseframe.batch.plan import Piece, Shard, plan_shards
from caseframe.batch.progress import Reporter
from caseframe.batch.remote import Mirror, mirrored
from caseframe.batch.rundir import (
    FAILURES,
    MANIFEST,
    PLAN,
    RUN_FILE,
    config_json,
    digests,
    drop_unfinished,
    is_complete,
    opened_run,
    read_json,
    write_json,
)
from caseframe.batch.select import parse_conditions
from caseframe.batch.shard import Job, ShardResult, load_pipeline
from caseframe.batch.watch import Progress
from caseframe.config import ExtractConfig
from caseframe.errors import ConfigError, NoArticles, ResumeRefused
from caseframe.schema import Failure, Origin
from caseframe.sources import STDIN, Input, iter_inputs
from caseframe.sources.opening import is_url

__all__ = ["Progress", "RunSummary", "run_extraction"]

_SHOWN_FAILURES = 3
_LIBRARIES = ("spacy", "scispacy", "pyarrow", "lxml")
_AGAIN = "Resume with the same inputs in the same order, or give another -o"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What came of a run.

    `read == articles + superseded + deleted + filtered + screened_out + failed` holds always.
    """

    path: Path | str
    """The run directory, or its URL."""
    counts: dict[str, int]
    seconds: float
    first_failures: tuple[Failure, ...] = ()
    """A few of the failures, for the last lines of a run; all of them stand in `failures.jsonl`."""

    @property
    def failed(self) -> int:
        """Records that could not be read or processed."""
        return self.counts["failed"]


def run_extraction(
    paths: Sequence[str | Path],
    out: Path | str,
    config: ExtractConfig | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    engine: Engine | EngineName | None = None,
    workers: int | None = None,
    address: str | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Extracts all articles under `paths` into the run directory `out`, or into a folder at a URL that fsspec knows.

    `engine`, `workers` and `address` are those of `make_engine`. Raises OutputError and its kin where `out` cannot be
    used, NoArticles where nothing at all could be read, WorkerError where no worker can be had.
    """
    started = time.monotonic()
    config = config or ExtractConfig()
    parse_conditions(config.select.where)
    inputs = list(iter_inputs(paths))
    if not inputs:
        raise NoArticles(f"no article in {', '.join(map(str, paths))}", "Give files or folders of a supported format")
    chosen = _engine(engine, workers, address, inputs)
    if chosen.name == "inline":
        load_pipeline(config)  # so that a model that cannot be loaded is told before anything is written
    with mirrored(str(out)) if is_url(str(out)) else nullcontext() as mirror:
        folder = mirror.folder if mirror else Path(out)
        with opened_run(folder, config, overwrite=overwrite, resume=resume):
            shards = _planned(folder, inputs, config)
            done = _finished(folder, shards)
            if mirror:
                mirror.begin(done)
            _work(folder, config, shards, done, chosen, progress, mirror)
            if mirror:
                mirror.gather()
            tallies = settle(folder, sorted(done))
            rows = write_tables(folder, config.output, views=mirror is None)
            seconds = time.monotonic() - started
            counts = _describe(folder, config, inputs, done, tallies, rows, seconds)
            if mirror:
                mirror.finish()
        return RunSummary(out, counts, seconds, tuple(_first_failures(folder)))


def _engine(
    engine: Engine | EngineName | None, workers: int | None, address: str | None, inputs: Sequence[Input]
) -> Engine:
    chosen = make_engine(engine, workers, address) if engine is None or isinstance(engine, str) else engine
    if chosen.name != "inline" and any(source.name == STDIN for source in inputs):
        raise ConfigError("Standard input can be read by one process only", "Give --engine inline, or a file")
    return chosen


def _planned(out: Path, inputs: Sequence[Input], config: ExtractConfig) -> list[Shard]:
    """The shards of the run: those it began with, where it did, for inputs that are the same."""
    plan = read_json(out / PLAN)
    if plan is None:
        write_json(out / RUN_FILE, {"state": "running", **_setting(config)})
        shards = plan_shards(inputs, config)
        noted = [{"name": each.name, "size": each.size, "modified": each.modified} for each in inputs]
        pieces = [{"weight": shard.weight, "pieces": [piece.to_json() for piece in shard.pieces]} for shard in shards]
        write_json(out / PLAN, {"inputs": noted, "shards": pieces})
        return shards
    _check_inputs(out, inputs, plan)
    return [
        Shard(number, tuple(_piece(each, inputs) for each in entry["pieces"]), entry["weight"])
        for number, entry in enumerate(plan["shards"])
    ]


def _setting(config: ExtractConfig) -> dict[str, object]:
    """What must be the same when a run is resumed, beside the inputs."""
    return {"caseframe": __version__, "config": config_json(config), "files": digests(config)}


def _piece(entry: Mapping[str, Any], inputs: Sequence[Input]) -> Piece:
    return Piece(source=inputs[entry["number"]], **{name: value for name, value in entry.items() if name != "input"})


def _check_inputs(out: Path, inputs: Sequence[Input], plan: Mapping[str, Any]) -> None:
    """Raises ResumeRefused where the inputs are not those that the run began with."""
    before = [(entry["name"], entry["size"], entry["modified"]) for entry in plan["inputs"]]
    digests = {name: digest for result in manifest.read(out / MANIFEST) for name, digest in result.digests.items()}
    for number, (name, size, modified) in enumerate(before):
        now = inputs[number] if number < len(inputs) else None
        if now is None or now.name != name:
            raise ResumeRefused(
                f"{out}: where the run began with {name} there is {now.name if now else 'nothing'}", _AGAIN
            )
        if (now.size, now.modified) == (size, modified):
            continue
        known = digests.get(str(number))
        if now.size != size or known is None or now.sha256() != known:
            raise ResumeRefused(f"{out}: {name} is another file than the run began with", _AGAIN)
    if len(inputs) > len(before):
        raise ResumeRefused(f"{out}: {inputs[len(before)].name} is new since the run began", _AGAIN)


def _finished(out: Path, shards: Sequence[Shard]) -> dict[int, ShardResult]:
    """The shards that are done, by number; what others left is removed."""
    done = {
        result.number: result
        for result in manifest.read(out / MANIFEST)
        if result.number < len(shards)
        and result.id == shards[result.number].id
        and is_complete(out, result.number, result.chunks)
    }
    manifest.rewrite(out / MANIFEST, (done[number] for number in sorted(done)))
    drop_unfinished(out, {number: result.chunks for number, result in done.items()})
    return done


def _work(
    out: Path,
    config: ExtractConfig,
    shards: Sequence[Shard],
    done: dict[int, ShardResult],
    engine: Engine,
    progress: Progress | None,
    mirror: Mirror | None,
) -> None:
    """Has the engine work on what is not done; each shard that is done from then on is noted."""
    with Reporter(out, engine, shards, done, progress) as reporter:
        todo = _Todo(shards, done, config.select.limit)
        job = Job(out, config, mirror.store.url if mirror else "")
        with closing(engine.run(todo.take, job, reporter.tell)) as results:
            for result in results:
                if mirror:
                    mirror.note(result)
                manifest.append(out / MANIFEST, result)
                done[result.number] = result
                reporter.finished(result)


class _Todo:
    """The shards that are not done, in order."""

    def __init__(self, shards: Sequence[Shard], done: Mapping[int, ShardResult], limit: int | None) -> None:
        self._left = iter([shard for shard in shards if shard.number not in done])
        self._done = done
        self._limit = limit
        self._given: Shard | None = None

    def take(self) -> Shard | None:
        """The next one. Under a limit it waits for those before it, and may extract what they left."""
        if self._limit is None:
            return next(self._left, None)
        if self._given is not None and self._given.number not in self._done:
            return None
        left = self._limit - sum(result.counts.get("extracted", 0) for result in self._done.values())
        self._given = next(self._left, None) if left > 0 else None
        return replace(self._given, limit=left) if self._given else None


def _describe(
    out: Path,
    config: ExtractConfig,
    inputs: Sequence[Input],
    done: Mapping[int, ShardResult],
    tallies: Mapping[int, Tally],
    rows: dict[str, int],
    seconds: float,
) -> dict[str, int]:
    """Writes `run.json`; gives the counts of the run."""
    digests = {name: digest for result in done.values() for name, digest in result.digests.items()}
    whole = Tally()
    for tally in tallies.values():
        whole.fates.update(tally.fates)
        for fate, reasons in tally.reasons.items():
            whole.reasons[fate].update(reasons)
    counts = whole.counts() | rows
    write_json(
        out / RUN_FILE,
        {
            "state": "finished",
            **_setting(config),
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in _LIBRARIES},
            "inputs": [
                {
                    "name": source.name,
                    "sha256": digests.get(str(number), ""),
                    "counts": tallies.get(number, Tally()).counts(),
                }
                for number, source in enumerate(inputs)
                if number in tallies or str(number) in digests
            ],
            "counts": counts,
            "fates": whole.fates_json(),
            "reasons": whole.reasons_json(),
            "seconds": round(seconds, 1),
        },
    )
    return counts


def _first_failures(out: Path) -> Iterator[Failure]:
    with (out / FAILURES).open(encoding="utf-8") as stream:
        for line, _ in zip(stream, range(_SHOWN_FAILURES), strict=False):
            entry = json.loads(line)
            origin = Origin(entry["file"], entry["record"], entry["format"])
            yield Failure(origin, entry["stage"], entry["error"], entry["message"], entry["cure"], entry["article_id"])
