"""`caseframe status`: how a run stands while it works, when it broke off, and when it is done."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from runs import light, write_inputs
from typer.testing import CliRunner

from caseframe.batch.run import run_extraction
from caseframe.batch.status import RunStatus, run_status
from caseframe.cli import app
from caseframe.errors import RunBusy, RunError

pytestmark = pytest.mark.usefixtures("many_shards")


def test_a_run_from_its_first_record_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_inputs(tmp_path / "in"), tmp_path / "run"
    monkeypatch.setattr("caseframe.batch.progress._EVERY_SECONDS", 0)
    seen: list[RunStatus] = []

    def look(name: str, counts: Counter[str]) -> None:
        seen.append(run_status(out))
        if counts["read"] == 45:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_extraction([source], out, light(), progress=look)
    assert {status.state for status in seen} == {"extracting"}
    assert [status.records for status in seen] == list(range(1, 46))
    assert seen[-1].shards > seen[-1].shards_done > 0 == seen[0].shards_done
    assert seen[-1].remaining_seconds is not None and seen[-1].rate > 0
    broken = run_status(out)
    assert broken.state == "broken off" and broken.shards_done == seen[-1].shards_done
    assert 0 < broken.records < 45 and broken.failures == {"BrokenRecord": broken.records // 10}
    run_extraction([source], out, light(), resume=True)
    done = run_status(out)
    assert done.state == "finished" and done.records == 60 and done.failed == 6
    assert done.shards_done == done.shards and done.failures == {"BrokenRecord": 6} and done.remaining_seconds is None


def test_a_second_run_into_the_same_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseframe.batch.rundir._LOCK_SECONDS", 0)
    source, out = write_inputs(tmp_path / "in", files=1), tmp_path / "run"

    def meddle(name: str, counts: Counter[str]) -> None:
        with pytest.raises(RunBusy, match="another run"):
            run_extraction([source], out, light(), resume=True)

    assert run_extraction([source], out, light(), progress=meddle).counts["read"] == 20


def test_the_command_prints_a_table_or_json(tmp_path: Path) -> None:
    source, out = write_inputs(tmp_path / "in", files=1), tmp_path / "run"
    run_extraction([source], out, light())
    runner = CliRunner()
    table = runner.invoke(app, ["status", str(out)])
    assert table.exit_code == 0 and "finished" in table.stdout and "BrokenRecord 2" in table.stdout
    told = json.loads(runner.invoke(app, ["status", str(out), "--json"]).stdout)
    assert told["state"] == "finished" and told["records"] == 20 and told["failures"] == {"BrokenRecord": 2}


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        run_status(tmp_path)
