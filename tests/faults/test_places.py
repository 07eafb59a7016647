"""Full disks, inputs that cannot be read, vanish or are damaged: told with their cure; nothing else is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import CASE, light, line, tables, write_inputs

from caseframe.batch.run import run_extraction
from caseframe.errors import NoArticles, OutputError, ResumeRefused
from caseframe.tables.parquet import read_rows

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("many_shards")]


MAIN = "from caseframe.cli import main; main()"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.name != "posix" or os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("workers", [None, 2])
def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(small_disk: Path, tmp_path: Path, workers: int | None) -> None:
    source = write_inputs(tmp_path / "in", files=6, records=30)
    run_extraction([source], tmp_path / "whole", light())
    out = small_disk / "run"
    with pytest.raises(OutputError, match=r"No space left.*--resume"):
        run_extraction([source], out, light(), workers=workers)
    done = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert done["state"] == "running" and (out / "manifest.jsonl").stat().st_size > 0
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    run_extraction([source], out, light(), workers=workers, resume=True)
    assert tables(out) == tables(tmp_path / "whole")


def test_inputs_that_cannot_be_read_cost_only_themselves(tmp_path: Path) -> None:
    source = write_inputs(tmp_path / "in", files=2)
    (source / "gone.jsonl").symlink_to(tmp_path / "nowhere.jsonl")
    (source / "empty.jsonl").touch()
    (source / "noise.bin").write_bytes(bytes(range(256)) * 99)
    summary = run_extraction([source], tmp_path / "run", light(), workers=2)
    lines = (tmp_path / "run" / "failures.jsonl").read_text(encoding="utf-8").splitlines()
    told = {Path(failure["file"]).name: failure for failure in map(json.loads, lines) if not failure["record"]}
    assert set(told) == {"gone.jsonl", "empty.jsonl", "noise.bin"} and all(each["cure"] for each in told.values())
    assert summary.counts["read"] == 43 and summary.failed == 4 + 3


def test_an_input_that_vanishes_while_it_works(tmp_path: Path) -> None:
    source = write_inputs(tmp_path / "in", files=3)

    def vanish(name: str, counts: object) -> None:
        (source / "2.jsonl").unlink(missing_ok=True)

    summary = run_extraction([source], tmp_path / "run", light(), progress=vanish)
    last = json.loads((tmp_path / "run" / "failures.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["file"].endswith("2.jsonl") and last["error"] == "BrokenFile" and last["cure"]
    assert summary.counts["articles"] > 0
    with pytest.raises(ResumeRefused, match=r"2\.jsonl"):
        run_extraction([source], tmp_path / "run", light(), resume=True)


def test_an_input_that_is_not_there_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoArticles, match="nowhere"):
        run_extraction([tmp_path / "nowhere.jsonl"], tmp_path / "run", light())
    assert not (tmp_path / "run").exists()


def test_one_record_in_fifty_is_damaged(tmp_path: Path) -> None:
    record = (
        '<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><ArticleTitle>A fall</ArticleTitle><Abstract>'
        "<AbstractText>{text}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>\n"
    )
    records = [record.format(pmid=n, text=CASE.format(age=20 + n % 60)) for n in range(1, 301)]
    damages = ["</Abstract>", "<Article>", "</PubmedArticle>", "<PMID", "</AbstractText>", "</MedlineCitation>"]
    bad = {number: damages[index] for index, number in enumerate(range(25, 300, 50))}
    for number, damage in bad.items():
        records[number - 1] = records[number - 1].replace(damage, "<\x00&broken")
    (tmp_path / "a.xml").write_text("<PubmedArticleSet>" + "".join(records) + "</PubmedArticleSet>", encoding="utf-8")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        MAIN,
        "extract",
        str(tmp_path / "a.xml"),
        "-o",
        str(tmp_path / "run"),
    ]
    (tmp_path / "light.yaml").write_text("pipeline: {entities: none}\noutput: {formats: []}\n", encoding="utf-8")
    result = subprocess.run(
        [*command, "-c", str(tmp_path / "light.yaml"), "--workers", "2"], check=False, capture_output=True, text=True
    )
    assert result.returncode == 3, result.stderr
    assert f"{len(bad)} records failed, see {tmp_path / 'run' / 'failures.jsonl'}" in result.stderr.replace("\n", " ")
    kept = sorted(int(str(row["pmid"])) for row in read_rows(tmp_path / "run" / "articles"))
    assert kept == [number for number in range(1, 301) if number not in bad]
    fates = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["fates"]
    assert fates["read"] == 300 and fates["failed"] == len(bad) and fates["extracted"] == 300 - len(bad)


def test_rows_that_cannot_be_written_cost_only_their_article(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(line(1) + "\n" + line(2, journal="\ud800") + "\n" + line(3) + "\n", encoding="utf-8")
    summary = run_extraction([source], tmp_path / "run", light())
    assert summary.counts["articles"] + summary.failed == 3 and summary.counts["articles"] >= 2
