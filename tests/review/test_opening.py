"""Before the page opens: runs that cannot be reviewed, ports that are taken; and the command line around it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caseframe.errors import BadDecision, ReviewError, RunError
from caseframe.review.runs import open_reviewed
from caseframe.review.server import open_review
from caseframe.tables.choosing import parse_finding_condition

Make = Callable[..., Any]
COMMAND = [sys.executable, "-W", "ignore", "-c", "from caseframe.cli import main; main()"]


def test_the_least_certain_come_first_and_gaps_count(make_run: Make, article_of: Make) -> None:
    from dataclasses import replace

    sure, unsure, gap = (article_of(str(number)) for number in (1, 2, 3))
    (case,) = unsure.cases
    doubtful = tuple(replace(finding, confidence=0.2) for finding in case.findings)
    unsure = replace(unsure, cases=(replace(case, findings=doubtful),))
    gap = replace(gap, cases=(replace(case, findings=case.findings[2:]),))
    run = open_reviewed(make_run(sure, unsure, gap, name="three"))
    assert [entry.article_id for entry in run.entries] == ["pmid:2", "pmid:3", "pmid:1"]
    assert run.entries[1].uncertainty - run.entries[2].uncertainty == pytest.approx(2 * 2 / 3 - 0.02 - 0.03)


def test_a_queue_of_what_was_asked_for(make_run: Make, article_of: Make, client_of: Make) -> None:
    from dataclasses import replace

    from caseframe.review.store import open_store

    chordoma, other = article_of("1"), article_of("2")
    (case,) = other.cases
    gout = [replace(f, value="gout", code="") if f.field == "diagnosis" else f for f in case.findings]
    path = make_run(chordoma, replace(other, cases=(replace(case, findings=tuple(gout)),)))

    def queued(*where: str) -> list[str]:
        return [e.article_id for e in open_reviewed(path, [parse_finding_condition(each) for each in where]).entries]

    assert queued("diagnosis=bone tumor") == queued("diagnosis=Chordomas") == ["pmid:1"]
    assert queued("diagnosis!=bone tumor") == ["pmid:2"]
    assert sorted(queued("sex=female")) == ["pmid:1", "pmid:2"]
    assert queued("sex=female", "diagnosis=gout") == ["pmid:2"]
    assert sorted(queued("complication!=infection")) == ["pmid:1", "pmid:2"], "what is denied is not the case's"
    with pytest.raises(RunError, match="no case has diagnosis=sarcoma"):
        queued("diagnosis=sarcoma")
    chosen = open_reviewed(path, [parse_finding_condition("diagnosis=bone tumor")])
    client = client_of(chosen, open_store(path), "Ann")
    client.get("/?token=the-token")
    page = client.get("/").text
    assert "Only articles with diagnosis=bone tumor" in page
    assert "pmid:1" in page.replace("%3A", ":") and "pmid:2" not in page.replace("%3A", ":")
    assert client.get("/article?id=pmid:2").status_code == 200, "the queue is narrower, the run is not"


def test_ids_stay_when_the_run_is_made_again(make_run: Make, article_of: Make) -> None:
    first, second = (open_reviewed(make_run(article_of(), name=name)).found("pmid:1") for name in ("a", "b"))
    assert [each.id for each in first.suggestions] == [each.id for each in second.suggestions]
    assert len({each.id for each in first.suggestions}) == 6


def test_runs_that_cannot_be_reviewed(make_run: Make, article_of: Make, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        open_review(tmp_path / "nothing")
    with pytest.raises(RunError, match="not finished"):
        open_review(make_run(article_of(), name="running", state="running"))
    broken = make_run(article_of(), name="broken")
    (broken / "findings" / "part-00000-00000.parquet").write_bytes(b"half a file")
    with pytest.raises(RunError, match="broken"):
        open_review(broken)
    gone = make_run(article_of(), name="gone")
    (gone / "findings" / "part-00000-00000.parquet").unlink()
    with pytest.raises(RunError, match="incomplete"):
        open_review(gone)
    for path in ("nothing", "running", "broken", "gone"):
        assert not (tmp_path / path / "review.sqlite").exists()


def test_a_port_that_is_taken(run_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ReviewError, match=rf"port {port} .* cannot be opened.*Give another --port"):
            open_review(run_path, port=port)


def test_only_this_machine_is_listened_to(run_path: Path) -> None:
    opened = open_review(run_path)
    assert opened.listener.getsockname()[0] == "127.0.0.1"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{30,}", opened.address)
    opened.listener.close()


@pytest.mark.parametrize("name", [" ", "x" * 81, "a\x1bb"])
def test_names_that_are_none(run_path: Path, name: str) -> None:
    with pytest.raises(BadDecision, match="no name"):
        open_review(run_path, reviewer=name)


def test_the_command_serves_until_it_is_interrupted(run_path: Path) -> None:
    process = subprocess.Popen([*COMMAND, "review", str(run_path), "--no-browser"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(address.split("?")[0].rstrip("/") + "/?token=wrong") as reply:
            raise AssertionError(reply.status)
    except urllib.error.HTTPError as error:
        assert error.code == 401 and b"whole address" in error.read()
        error.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode in (0, 130, -signal.SIGINT)


def test_errors_are_one_line(run_path: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (["review", str(tmp_path / "none")], "holds no run"),
        (["review", str(run_path), "--where", "diagnosis=sarcoma"], "no case has diagnosis=sarcoma"),
        (["review", str(run_path), "--where", "age=3"], "Write FIELD=VALUE"),
        (["export", str(run_path), "--reviewed"], "nobody has reviewed"),
    ):
        result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
        assert result.returncode == 1 and message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_a_run_of_another_version_that_fits_is_opened(make_run: Make, article_of: Make) -> None:
    path = make_run(article_of(), name="old", caseframe="0.0.1")
    assert open_reviewed(path).version == "0.0.1" and json.loads((path / "run.json").read_text())["state"] == "finished"
