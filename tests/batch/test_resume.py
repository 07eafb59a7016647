"""`--resume` goes on with the same run only, and says what is another; a run that ended is left as it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from runs import light, line, tables, write_inputs

from caseframe.batch import manifest
from caseframe.batch.run import run_extraction
from caseframe.errors import ResumeRefused

pytestmark = pytest.mark.usefixtures("many_shards")


@pytest.fixture
def broken_off(tmp_path: Path) -> tuple[Path, Path]:
    """Inputs and the directory of a run that was broken off in the middle."""
    source, out = write_inputs(tmp_path / "in"), tmp_path / "run"

    def stop(name: str, counts: Counter[str]) -> None:
        if counts["read"] == 45:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_extraction([source], out, light(), progress=stop)
    return source, out


def test_it_goes_on_to_the_same_bytes_and_may_be_asked_again(broken_off: tuple[Path, Path], tmp_path: Path) -> None:
    source, out = broken_off
    run_extraction([source], tmp_path / "whole", light())
    for _ in range(2):
        run_extraction([source], out, light(), resume=True, workers=2)
        assert tables(out) == tables(tmp_path / "whole")


def test_damaged_lines_and_lost_parts_are_done_again(broken_off: tuple[Path, Path], tmp_path: Path) -> None:
    source, out = broken_off
    run_extraction([source], tmp_path / "whole", light())
    lines = (out / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"read": ', b'"read": 1')
    (out / "manifest.jsonl").write_bytes(b"".join([*lines, lines[-1][:20]]))
    kept = [result.number for result in manifest.read(out / "manifest.jsonl")]
    assert kept == list(range(1, len(lines)))
    max((out / "articles").glob("part-*.parquet")).unlink()
    run_extraction([source], out, light(), resume=True)
    assert tables(out) == tables(tmp_path / "whole")


def test_another_config_is_refused_by_key_and_value(broken_off: tuple[Path, Path]) -> None:
    source, out = broken_off
    other = light(output={"formats": ["csv"], "part_size": 9})
    with pytest.raises(ResumeRefused, match=r"output\.part_size was 4, is 9"):
        run_extraction([source], out, other, resume=True)


def test_another_version_is_refused(broken_off: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = broken_off
    monkeypatch.setattr("caseframe.batch.rundir.__version__", "9.9")
    with pytest.raises(ResumeRefused, match=r"begun by caseframe .*, this is 9\.9"):
        run_extraction([source], out, light(), resume=True)


def test_other_words_are_refused(tmp_path: Path) -> None:
    source, out, words = write_inputs(tmp_path / "in", files=1), tmp_path / "run", tmp_path / "words.tsv"
    words.write_text("term\tpreferred\tfield\tcode\tattributes\nfoo graft\tfoo graft\timplant\t\t\n", encoding="utf-8")
    job = light(pipeline={"entities": "none", "lexicons": [str(words)]})
    run_extraction([source], out, job)
    words.write_text(words.read_text(encoding="utf-8").replace("foo", "bar"), encoding="utf-8")
    with pytest.raises(ResumeRefused, match=r"words\.tsv"):
        run_extraction([source], out, job, resume=True)


def test_other_inputs_are_refused_by_name(broken_off: tuple[Path, Path]) -> None:
    source, out = broken_off
    (source / "0.jsonl").touch()
    run_extraction([source], out, light(), resume=True)  # touched, but the same
    (source / "3.jsonl").write_text(line(1) + "\n", encoding="utf-8")
    with pytest.raises(ResumeRefused, match=r"3\.jsonl is new"):
        run_extraction([source], out, light(), resume=True)
    (source / "3.jsonl").unlink()
    (source / "2.jsonl").unlink()
    with pytest.raises(ResumeRefused, match=r"began with .*2\.jsonl there is nothing"):
        run_extraction([source], out, light(), resume=True)
    (source / "2.jsonl").write_text(line(1) + "\n", encoding="utf-8")
    with pytest.raises(ResumeRefused, match=r"2\.jsonl is another file"):
        run_extraction([source], out, light(), resume=True)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    source, out = write_inputs(tmp_path / "in", files=1), tmp_path / "run"
    out.mkdir()
    (out / "thesis.docx").touch()
    with pytest.raises(ResumeRefused, match="no run"):
        run_extraction([source], out, light(), resume=True)
    (out / "thesis.docx").unlink()
    (out / "run.json.123.tmp").touch()  # a run that died before its first word
    assert run_extraction([source], out, light(), resume=True).counts["read"] == 20


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(workers: str, tmp_path: Path) -> None:
    source, out = tmp_path / "a.jsonl", tmp_path / "run"
    source.write_text("".join(line(n) + "\n" for n in range(1, 20_000)), encoding="utf-8")
    (tmp_path / "light.yaml").write_text("pipeline: {entities: none}\n", encoding="utf-8")
    main = "from caseframe.cli import main; main()"
    command = [sys.executable, "-W", "ignore", "-c", main, "extract", str(source), "-o", str(out)]
    with subprocess.Popen(
        [*command, "-c", str(tmp_path / "light.yaml"), "--workers", workers],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        ends = time.monotonic() + 120
        while time.monotonic() < ends and not _records(out):
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
        assert process.stderr is not None
        told = process.stderr.read().strip()
    assert process.returncode == 130
    assert len(told.splitlines()) == 1 and "--resume" in told and "caseframe status" in told


def _records(out: Path) -> int:
    try:
        return int(json.loads((out / "progress.json").read_text(encoding="utf-8"))["read"])
    except (OSError, ValueError):
        return 0
