"""The run directory: made, checked, continued. Its manifest says which inputs are finished, so that a run can go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from caseframe.config import ExtractConfig
from caseframe.errors import OutputError, OutputExists, ResumeRefused
from caseframe.schema import Failure
from caseframe.tables.parquet import parts

TABLES = ("articles", "cases", "findings")
RUN_FILE = "run.json"
MANIFEST = "manifest.jsonl"
FAILURES = "failures.jsonl"


@dataclass(frozen=True, slots=True)
class Finished:
    """An input that was read to its end: what it was, what came of it."""

    input: str
    number: int
    digest: str
    counts: dict[str, int]
    deleted: list[str]


class RunDirectory:
    """Where one run writes. Use `open_run` to get one."""

    def __init__(self, path: Path, config: ExtractConfig, finished: dict[int, Finished]) -> None:
        self.path = path
        self.config = config
        self.finished = finished

    def table(self, name: str) -> Path:
        """Folder of a table's parts."""
        return self.path / name

    def parts_of(self, table: str, number: int) -> list[Path]:
        """The parts of one input, in order."""
        return sorted(self.table(table).glob(f"part-{number:05d}-*.parquet"))

    def part(self, table: str, number: int, chunk: int) -> Path:
        """Path of one part: the number of the input, then of the chunk in it."""
        return self.path / table / f"part-{number:05d}-{chunk:05d}.parquet"

    def finish(self, entry: Finished) -> None:
        """Notes an input as done."""
        self.finished[entry.number] = entry
        with (self.path / MANIFEST).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")

    def fail(self, number: int, failure: Failure) -> None:
        """Adds a line to `failures.jsonl`; `number` is the input it belongs to."""
        line = {
            "file": failure.origin.file,
            "record": failure.origin.record,
            "format": failure.origin.format,
            "stage": failure.stage,
            "error": failure.error,
            "message": failure.message,
            "cure": failure.cure,
            "article_id": failure.article_id,
            "input": number,
        }
        with (self.path / FAILURES).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def drop_unfinished(self) -> None:
        """Removes what an interrupted run left of inputs that it did not finish."""
        for table in TABLES:
            for path in parts(self.table(table)):
                if int(path.stem.split("-")[1]) not in self.finished:
                    path.unlink()
            for path in self.table(table).glob("*.tmp"):
                path.unlink()
        failures = self.path / FAILURES
        if failures.exists():
            lines = failures.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if _input_of(line) in self.finished]
            failures.write_text("".join(kept), encoding="utf-8")


def open_run(path: Path, config: ExtractConfig, *, overwrite: bool = False, resume: bool = False) -> RunDirectory:
    """Makes the directory of a run, or opens it to go on.

    Raises OutputExists where it holds something and neither `overwrite` nor `resume` is set, ResumeRefused where the
    config is another one than the run began with, OutputError where it cannot be written.
    """
    finished: dict[int, Finished] = {}
    try:
        used = path.exists() and (not path.is_dir() or any(path.iterdir()))
        if used and not path.is_dir():
            raise OutputError(f"{path} is a file", "Give a directory with -o")
        if used and resume:
            finished = {entry.number: entry for entry in _read_manifest(path, config)}
        elif used and overwrite:
            _clear(path)
        elif used:
            raise OutputExists(
                f"{path} is not empty", "Give another -o, or --overwrite to replace the run, or --resume to continue it"
            )
        for table in TABLES:
            (path / table).mkdir(parents=True, exist_ok=True)
        (path / MANIFEST).touch()
        (path / FAILURES).touch()
    except OSError as error:
        raise OutputError(
            f"{path}: {error.strerror or error}", "Give a directory that can be written with -o"
        ) from error
    run = RunDirectory(path, config, finished)
    if resume:
        run.drop_unfinished()
    else:
        write_json(path / RUN_FILE, {"config": config_json(config), "state": "running"})
    return run


def config_json(config: ExtractConfig) -> dict[str, object]:
    """The config as it stands in `run.json`."""
    content = json.loads(config.model_dump_json())
    assert isinstance(content, dict)
    return content


def write_json(path: Path, content: object) -> None:
    """Writes a JSON file whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def _read_manifest(path: Path, config: ExtractConfig) -> Iterator[Finished]:
    try:
        before = json.loads((path / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ResumeRefused(f"{path} holds no run that can be continued", "Give --overwrite, or another -o") from None
    now = config_json(config)
    changed = [key for key in now if before.get("config", {}).get(key) != now[key]]
    if changed:
        raise ResumeRefused(
            f"{path}: the config changed in {', '.join(changed)}", "Resume with the same config, or give another -o"
        )
    with (path / MANIFEST).open(encoding="utf-8") as stream:
        for line in stream:
            try:
                yield Finished(**json.loads(line))
            except (ValueError, TypeError):
                return  # the line that was being written when the run died


def _clear(path: Path) -> None:
    """Removes a former run, and nothing that no run wrote."""
    for folder in (*TABLES, "report_figures"):
        shutil.rmtree(path / folder, ignore_errors=True)
    known = (
        RUN_FILE,
        MANIFEST,
        FAILURES,
        "cases.csv",
        "findings.csv",
        "evidence.xlsx",
        "caseframe.duckdb",
        "report.html",
    )
    for name in known:
        (path / name).unlink(missing_ok=True)
    if any(path.iterdir()):
        raise OutputExists(f"{path} holds files that are no part of a run", "Give an empty directory with -o")


def _input_of(line: str) -> int:
    try:
        return int(json.loads(line)["input"])
    except (ValueError, KeyError, TypeError):
        return -1
