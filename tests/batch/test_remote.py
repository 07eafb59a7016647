"""Runs whose folder is a URL: no renames, no appends, no locks; the same bytes, and no less safe."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from runs import light, tables, write_inputs
from typer.testing import CliRunner

from caseframe.batch import remote
from caseframe.batch.run import run_extraction
from caseframe.batch.status import run_status
from caseframe.batch.store import Store
from caseframe.cli import app
from caseframe.errors import OutputError, OutputExists, ResumeRefused, RunBusy, RunError

pytestmark = pytest.mark.usefixtures("many_shards")

URL = "memory://bucket/run"


@pytest.fixture(autouse=True)
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryFileSystem]:
    """A store in memory that can do what object stores can."""
    files = fsspec.filesystem("memory")
    files.store.clear()

    def refuse(*given: object, **named: object) -> None:
        raise NotImplementedError("object stores cannot do that")

    for name in ("mv", "mv_file", "move", "rename", "cp_file"):
        monkeypatch.setattr(MemoryFileSystem, name, refuse, raising=False)
    yield files
    files.store.clear()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_inputs(tmp_path / "in")


@pytest.fixture
def expected(tmp_path: Path, source: Path) -> dict[str, str]:
    run_extraction([source], tmp_path / "whole", light())
    return tables(tmp_path / "whole")


def fetched(url: str, folder: Path) -> dict[str, str]:
    store = Store(url)
    for name in store.names():
        if not name.startswith(remote.LINES):
            store.get(name, folder / name)
    return tables(folder)


def stop_at(record: int) -> Any:
    def stop(name: str, counts: Counter[str]) -> None:
        if counts["read"] == record:
            raise KeyboardInterrupt

    return stop


def test_a_run_at_a_url_writes_the_same_bytes(tmp_path: Path, source: Path, expected: dict[str, str]) -> None:
    summary = run_extraction([source], URL, light(output={"formats": ["csv", "duckdb"], "part_size": 4}))
    assert summary.path == URL and summary.failed == 6 == 2 * len(summary.first_failures)
    assert fetched(URL, tmp_path / "got") == expected
    assert not (tmp_path / "got" / "caseframe.duckdb").exists(), "its views would name files of a folder that is gone"
    status = run_status(URL)
    assert status.state == "finished" and status.records == 60 and status.shards_done == status.shards > 5
    assert remote.LEASE not in Store(URL).names()


def test_a_run_that_broke_off_is_resumed(tmp_path: Path, source: Path, expected: dict[str, str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_extraction([source], URL, light(), progress=stop_at(45))
    broken = run_status(URL)
    assert broken.state == "broken off" and 0 < broken.shards_done < broken.shards
    with pytest.raises(ResumeRefused, match=rf"{URL}: the config changed: .*part_size was 4, is 9"):
        run_extraction([source], URL, light(output={"formats": ["csv"], "part_size": 9}), resume=True)
    with pytest.raises(OutputExists, match=rf"{URL} is not empty"):
        run_extraction([source], URL, light())
    seen: list[int] = []
    run_extraction([source], URL, light(), resume=True, progress=lambda name, counts: seen.append(counts["read"]))
    assert seen[0] == broken.records + 1, "what was done is not done again"
    assert fetched(URL, tmp_path / "got") == expected
    run_extraction([source], URL, light(), resume=True)
    assert fetched(URL, tmp_path / "again") == expected


def test_lost_and_damaged_objects_are_made_again(
    tmp_path: Path, bucket: MemoryFileSystem, source: Path, expected: dict[str, str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_extraction([source], URL, light(), progress=stop_at(45))
    store = Store(URL)
    names = store.names()
    line, part = (next(name for name in names if name.startswith(kind)) for kind in (remote.LINES, "articles/"))
    bucket.pipe_file(f"/bucket/run/{line}", store.read([line])[0].replace(b'"read": ', b'"read": 1'))
    store.drop([part, next(name for name in reversed(names) if name.startswith("findings/"))])
    run_extraction([source], URL, light(), resume=True)
    assert fetched(URL, tmp_path / "got") == expected


@pytest.mark.parametrize("sent", [0, 1, 2, 9, 21, 40])
def test_a_store_that_fails_ends_the_run_which_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: Path, expected: dict[str, str], sent: int
) -> None:
    put, left = MemoryFileSystem.put_file, [sent]

    def fails(self: MemoryFileSystem, *given: Any, **named: Any) -> None:
        if left[0] == 0:
            raise ConnectionError("the network is down")
        left[0] -= 1
        put(self, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(MemoryFileSystem, "put_file", fails)
        with pytest.raises(OutputError, match=rf"{URL}: the network is down.*--resume"):
            run_extraction([source], URL, light())
    run_extraction([source], URL, light(), resume=True)
    assert fetched(URL, tmp_path / "got") == expected


def test_a_former_run_is_replaced_whole(tmp_path: Path, source: Path, expected: dict[str, str]) -> None:
    run_extraction([write_inputs(tmp_path / "many", files=4)], URL, light())
    run_extraction([source], URL, light(), overwrite=True)
    assert fetched(URL, tmp_path / "got") == expected
    Store(URL).put(next(source.iterdir()), "review.sqlite")
    with pytest.raises(OutputExists, match=rf"{URL} holds files that are no part of a run \(review.sqlite\)"):
        run_extraction([source], URL, light(), overwrite=True)
    assert "run.json" in Store(URL).names()


def test_processes_send_their_parts_themselves(tmp_path: Path, source: Path, expected: dict[str, str]) -> None:
    url = f"file://{tmp_path}/deep/run"
    run_extraction([source], url, light(), workers=2)
    assert fetched(url, tmp_path / "got") == expected


def test_a_killed_run_is_no_longer_in_the_way(tmp_path: Path, source: Path, expected: dict[str, str]) -> None:
    url = f"file://{tmp_path}/run"
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[3]); from runs import light\n"
        "from caseframe.batch import plan; plan.SMALLEST = 1000\n"
        "from caseframe.batch.run import run_extraction\n"
        "stop = lambda name, counts: counts['read'] == 45 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "run_extraction([sys.argv[1]], sys.argv[2], light(), progress=stop)"
    )
    helpers = str(Path(__file__).parents[1] / "helpers")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(source), url, helpers], check=False)
    assert done.returncode == -9 and (tmp_path / "run" / remote.LEASE).exists()
    assert run_status(url).state == "broken off"
    run_extraction([source], url, light(), resume=True)
    assert fetched(url, tmp_path / "got") == expected


@pytest.mark.parametrize(
    ("host", "age", "busy"),
    [("elsewhere", 1, True), ("elsewhere", 1000, False), (socket.gethostname(), 1, True)],
)
def test_a_sign_of_life_keeps_others_away(
    bucket: MemoryFileSystem, source: Path, host: str, age: float, busy: bool
) -> None:
    lease = {"host": host, "pid": os.getpid(), "time": time.time() - age}
    bucket.pipe_file(f"/bucket/run/{remote.LEASE}", json.dumps(lease).encode())
    if busy:
        with pytest.raises(RunBusy, match=rf"{URL}: another run"):
            run_extraction([source], URL, light())
    else:
        assert run_extraction([source], URL, light()).counts["read"] == 60


def test_the_signs_go_on_while_it_works(monkeypatch: pytest.MonkeyPatch, source: Path) -> None:
    monkeypatch.setattr(remote, "_SIGN_SECONDS", 0.01)
    monkeypatch.setattr("caseframe.batch.progress._EVERY_SECONDS", 0)
    seen = set()

    def look(name: str, counts: Counter[str]) -> None:
        time.sleep(0.02)
        status = run_status(URL)
        seen.add((status.state, status.records))
        with pytest.raises(RunBusy):
            run_extraction([source], URL, light(), resume=True)

    run_extraction([source], URL, light(), progress=look)
    assert {state for state, _ in seen} <= {"planning", "extracting"} and len(seen) > 10


def test_what_is_no_run_and_no_store_is_told(source: Path) -> None:
    with pytest.raises(RunError, match=f"{URL} holds no run"):
        run_status(URL)
    for url in ("nonsense://bucket/run", "s4://x/y"):
        with pytest.raises(OutputError, match=url):
            run_extraction([source], url, light())


def test_the_commands_take_urls(source: Path) -> None:
    runner = CliRunner()
    config = source.parent / "light.yaml"
    config.write_text("pipeline: {entities: none}\noutput: {formats: []}\n", encoding="utf-8")
    made = runner.invoke(app, ["extract", str(source), "-o", URL, "-c", str(config)])
    assert made.exit_code == 3 and f"see {URL}/failures.jsonl" in made.output
    told = runner.invoke(app, ["status", URL, "--json"])
    assert json.loads(told.stdout)["path"] == URL and json.loads(told.stdout)["state"] == "finished"
