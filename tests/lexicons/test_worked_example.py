"""The worked example of docs/vocabulary.md does what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from caseframe.cli import app
from caseframe.tables.evidence import open_run
from caseframe.tables.parquet import read_rows

PAGE = Path(__file__).resolve().parents[2] / "docs" / "vocabulary.md"


def blocks(section: str) -> list[tuple[str, str]]:
    """The indented blocks of a section, each with the paragraph before it."""
    pattern = re.compile(r"(?P<before>[^\n]+)\n\n(?P<block>(?:    [^\n]+\n)+)")
    return [
        (match["before"], "".join(line[4:] + "\n" for line in match["block"].splitlines()))
        for match in pattern.finditer(section)
    ]


def test_from_an_empty_file_to_the_evidence_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("### Worked: cardiac devices") : text.index("### What it costs")]
    (terms, reports, commands) = blocks(section)
    for before, content in (terms, reports):
        name = re.findall(r"`([\w.]+)`:$", before)[0]
        (tmp_path / name).write_text(content, encoding="utf-8")
    for command in commands[1].splitlines():
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}: {result.output}"
    run = Path("outputs/cardiac")
    codes = {
        (row["value"], row["code"], row["text"]) for row in read_rows(run / "findings") if row["field"] == "implant"
    }
    assert ("leadless pacemaker", "FDA:PNJ", "leadless pacing capsule") in codes
    assert ("left atrial appendage occluder", "cardiac:C3", "appendage plug") in codes
    assert {row["pmid"] for row in read_rows(run / "cases")} == {"901", "902"}
    assert open_run(run).info["reasons"]["filtered"] == {"implant=cardiac device": 1}
    assert (run / "evidence.xlsx").exists() and (run / "report.html").exists()
