"""The page of a run: nothing of an article runs, the numbers hold, broken runs say what to do."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest
from lxml import etree, html

from caseframe.errors import OutputError, RunError
from caseframe.report import page as page_module
from caseframe.report.page import write_report
from caseframe.schema import Extraction
from caseframe.tables.choosing import parse_finding_condition
from caseframe.tables.evidence import Run, open_run

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\u202egnorts\u202c \u200f 'single' \"double\" &amp; <!-- -->",
    "=HYPERLINK(\"http://evil.example\")",
)  # fmt: skip
WriteRun = Callable[..., Run]
MakeCase = Callable[..., Extraction]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, write_run: WriteRun, make_case: MakeCase) -> Run:
    cases = [
        make_case(
            n,
            title=HOSTILE[n % 4],
            age=20 + n,
            recurred=n if n % 2 else None,
            recurrence=None if n % 2 else "absent",
            follow_up=24,
            year=2000 + n,
        )
        for n in range(1, 9)
    ]
    path = tmp_path_factory.mktemp("runs") / "a <b> run"
    path.mkdir()
    (path / "failures.jsonl").write_text(
        json.dumps({"file": "<b>.xml", "record": 3, "message": HOSTILE[0], "cure": "Mend it"}) + "\n{torn"
    )
    return write_run(path, cases)


@pytest.fixture(scope="module")
def written(run: Run) -> str:
    report = write_report(run)
    assert report.page == run.path / "report.html" and report.cases == 8 and report.cases_left_out == 0
    return report.page.read_text(encoding="utf-8")


def test_no_script_but_its_own_may_run(written: str) -> None:
    tree = html.fromstring(written)
    scripts = tree.xpath("//script")
    assert [script.get("type") for script in scripts] == ["text/plain", None]
    (policy,) = tree.xpath("//meta[@http-equiv]/@content")
    digest = b64encode(hashlib.sha256(scripts[1].text.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert not tree.xpath("//img | //link | //iframe | //object | //*[@src]")
    assert not [name for node in tree.iter(etree.Element) for name in node.attrib if name.startswith("on")]
    outside = [link for link in tree.xpath("//@href") if "://" in link]
    assert not outside, outside


def test_text_stands_as_text(written: str) -> None:
    tree = html.fromstring(written)
    cells = [cell.text_content() for cell in tree.xpath("//section[@id='records']//td")]
    assert HOSTILE[0] in cells and "Mend it" in cells
    assert "<b>.xml, record 3" in tree.xpath("string(//section[@id='records']//tbody//th)")
    assert "\u202e" not in written and "\u200f" not in written


def test_every_link_inside_and_beside_leads_somewhere(written: str, run: Run) -> None:
    tree = html.fromstring(written)
    ids = set(tree.xpath("//@id"))
    for link in tree.xpath("//a/@href"):
        assert (link[1:] in ids) if link.startswith("#") else (run.path / unquote(link)).exists(), link
    assert len(ids) == len(tree.xpath("//@id"))


def test_pictures_come_as_files_with_their_data(written: str, run: Run) -> None:
    folder = run.path / "report_figures"
    names = {path.name for path in folder.iterdir()}
    stems = {name.rpartition(".")[0] for name in names} - {"coverage"}
    assert stems == {
        "flow", "age_sex", "type_by_site", "procedures_by_year", "implants", "swimmer", "recurrence_free",
    }  # fmt: skip
    assert names == {f"{stem}.{suffix}" for stem in stems for suffix in ("svg", "png", "csv")} | {"coverage.csv"}
    for path in folder.glob("*.svg"):
        root = etree.parse(path).getroot()
        assert not root.findall(".//{*}script") and root.get("width")
    ages = (folder / "age_sex.csv").read_text(encoding="utf-8-sig").splitlines()
    assert ages == ["age,female", "0–9,0", "10–19,0", "20–29,8"]
    assert "No curve: 8 patients with a time, 0 events" in written
    assert page_module.BIAS in html.fromstring(written).text_content()


def test_coverage_counts_the_cases(written: str) -> None:
    tree = html.fromstring(written)
    rows = {row.get("data-field"): [cell.text_content() for cell in row[2:]] for row in tree.xpath("//tr[@data-field]")}
    assert rows["age"] == ["8", "0"] and rows["recurrence"] == ["8", "0"] and rows["margin"] == ["0", "8"]


def test_the_same_run_gives_the_same_bytes(run: Run, written: str, tmp_path: Path) -> None:
    report = write_report(run, tmp_path / "report.html")
    assert report.page.read_text(encoding="utf-8") == written
    for path in report.pictures.iterdir():
        assert path.read_bytes() == (run.path / "report_figures" / path.name).read_bytes(), path.name


def test_a_page_of_chosen_cases_counts_the_others(run: Run, tmp_path: Path) -> None:
    other = write_report(run, tmp_path / "none.html", where=[parse_finding_condition("diagnosis=appendicitis")])
    page = other.page.read_text(encoding="utf-8")
    assert other.cases == 0
    assert "not diagnosis=appendicitis" in page and "cases with diagnosis=appendicitis" in page
    kept = write_report(run, tmp_path / "all.html", where=[parse_finding_condition("diagnosis!=appendicitis")])
    assert kept.cases == 8


def test_an_empty_run_has_a_page(tmp_path: Path, write_run: WriteRun) -> None:
    report = write_report(write_run(tmp_path / "run", []))
    assert "No case was found in 0 articles" in report.page.read_text(encoding="utf-8")


def test_a_large_table_says_what_it_lacks(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_CASES", 3)
    report = write_report(run, tmp_path / "small.html")
    assert report.cases_left_out == 5
    text = html.fromstring(report.page.read_text(encoding="utf-8")).text_content()
    assert "first 3 of 8 cases" in text


def spoil_state(run: Path) -> None:
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "state": "running"}))


def spoil_part(run: Path) -> None:
    (run / "cases" / "part-00000-00000.parquet").write_bytes(b"PAR1 torn")


def spoil_version(run: Path) -> None:
    part = run / "findings" / "part-00000-00000.parquet"
    pq.write_table(pq.read_table(part).drop_columns(["assertion"]), part)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (spoil_state, "is not finished. Wait until"),
        (spoil_part, "is broken. Run caseframe extract again"),
        (spoil_version, "has no column 'assertion': CaseFrame 0.1.0 wrote this run"),
        (lambda run: (run / "run.json").unlink(), "holds no run. Give the directory"),
        (lambda run: (run / "run.json").write_text("{"), "cannot be read"),
        (lambda run: (run / "run.json").write_text("[]"), "describes no run"),
        (lambda run: (run / "findings" / "part-00000-00000.parquet").unlink(), "is incomplete: findings"),
    ],
)
def test_a_run_that_cannot_be_read_says_what_to_do(
    spoil: Callable[[Path], object], told: str, tmp_path: Path, write_run: WriteRun, make_case: MakeCase
) -> None:
    write_run(tmp_path / "run", [make_case()])
    spoil(tmp_path / "run")
    with pytest.raises(RunError, match=re.escape(told)):
        open_run(tmp_path / "run")


def test_a_place_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Give a place"):
        write_report(run, tmp_path / "file" / "report.html")
    with pytest.raises(OutputError, match=r"ends in \.html"):
        write_report(run, tmp_path / "report.pdf")


def test_the_command(run: Run, tmp_path: Path) -> None:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from caseframe.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, "report", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    done = call(str(run.path), "-o", str(tmp_path / "r.html"))
    assert done.returncode == 0 and "r.html" in done.stdout and (tmp_path / "r_figures" / "flow.svg").exists()
    failed = call(str(tmp_path))
    assert failed.returncode == 1 and "holds no run" in failed.stderr and "Traceback" not in failed.stderr


def test_the_data_of_a_run(run: Run) -> None:
    frame = run.to_pandas()
    assert list(frame.age) == list(range(21, 29)) and "8" in repr(run)
    findings = run.to_pandas("findings")
    assert findings.loc[findings.field == "implant", "attributes"].iloc[0] == {"material": ["titanium"]}
    with pytest.raises(RunError, match="no table 'persons'"):
        run.to_pandas("persons")  # type: ignore[arg-type]
