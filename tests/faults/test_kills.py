"""`kill -9` at any moment: nothing is lost, nothing comes twice, and the resumed run ends with the same bytes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from runs import light, tables, write_inputs

from caseframe.batch.run import run_extraction
from caseframe.batch.status import run_status

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("many_shards")]

PARENT_KILLS, WORKER_KILLS = 22, 8


@pytest.fixture(scope="module")
def killable() -> Iterator[subprocess.Popen[str]]:
    helper = Path(__file__).parents[1] / "helpers" / "killable.py"
    command = [sys.executable, "-W", "ignore", str(helper)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert answer(process) == "ready"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def started(process: subprocess.Popen[str], out: Path, source: Path) -> int:
    assert process.stdin is not None
    process.stdin.write(f"{out} {source}\n")
    process.stdin.flush()
    return int(answer(process))


def test_the_run_is_killed_again_and_again(killable: subprocess.Popen[str], tmp_path: Path) -> None:
    source = write_inputs(tmp_path / "in", files=2, records=20)
    began = time.monotonic()
    started(killable, tmp_path / "whole", source)
    assert answer(killable) == "0"
    lasts = time.monotonic() - began
    expected = tables(tmp_path / "whole")
    random = Random(9)
    kills = run = 0
    while kills < PARENT_KILLS:
        out = tmp_path / f"run{run}"
        process = started(killable, out, source)
        time.sleep(random.uniform(0, lasts))
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        code = int(answer(killable))
        assert code in (0, -signal.SIGKILL)
        kills += code != 0
        # Every run is resumed until it ends, killed or not on the way.
        if code == 0 or random.random() < 0.2:
            started(killable, out, source)
            assert answer(killable) == "0"
            assert tables(out) == expected
            assert run_status(out).state == "finished"
            run += 1
    started(killable, tmp_path / f"run{run}", source)
    assert answer(killable) == "0"
    assert tables(tmp_path / f"run{run}") == expected


def test_workers_are_killed_again_and_again(tmp_path: Path) -> None:
    source = write_inputs(tmp_path / "in", files=2, records=20)
    run_extraction([source], tmp_path / "whole", light(), workers=2)
    random = Random(5)
    ended = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        while not ended.wait(random.uniform(0.2, 3.0)) and len(killed) < WORKER_KILLS:
            alive = [child.pid for child in multiprocessing.active_children() if child.pid not in killed]
            if alive:
                victim = random.choice(alive)
                assert victim is not None
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                killed.append(victim)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        for number in itertools.takewhile(lambda _: len(killed) < WORKER_KILLS, itertools.count()):
            out = tmp_path / f"run{number}"
            summary = run_extraction([source], out, light(), workers=2)
            assert summary.counts["read"] == 40 and tables(out) == tables(tmp_path / "whole")
    finally:
        ended.set()
        killer.join()
