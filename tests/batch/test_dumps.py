"""Whole dumps: many formats in folders and archives, some of them broken. No record is lost, and every offset holds."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from caseframe.batch.run import RunSummary, run_extraction
from caseframe.config import ExtractConfig
from caseframe.tables.parquet import read_rows

TABLES_ONLY = ExtractConfig.model_validate({"output": {"formats": []}})


def story(age: int) -> str:
    return (
        f"A {age}-year-old woman fell from a ladder and sustained a fracture of the left femur. Intramedullary nailing was performed. "
        "There was no infection, and she walked without pain after 6 months."
    )


def pubmed(pmid: int, age: int, *, broken: bool = False) -> str:
    end = "</Abstrac>" if broken else "</Abstract>"
    return (
        f"<PubmedArticle><MedlineCitation><PMID Version='1'>{pmid}</PMID><Article><ArticleTitle>A fall</ArticleTitle>"
        f"<Abstract><AbstractText>{story(age)}</AbstractText>{end}</Article></MedlineCitation></PubmedArticle>\n"
    )


def jats(pmid: int, age: int) -> str:
    return (
        "<article><front><article-meta>"
        f"<article-id pub-id-type='pmid'>{pmid}</article-id><title-group><article-title>A fall</article-title></title-group>"
        f"<abstract><p>{story(age)}</p></abstract></article-meta></front></article>"
    )


def nbib(pmid: int, age: int) -> str:
    return f"PMID- {pmid}\nTI  - A fall.\nAB  - {story(age)}\n\n"


def ris(pmid: int, age: int) -> str:
    return f"TY  - JOUR\nTI  - A fall\nAB  - {story(age)}\nAN  - {pmid}\nDB  - PubMed\nER  - \n"


def line(pmid: int, age: int) -> str:
    return json.dumps({"pmid": str(pmid), "title": "A fall", "abstract": story(age)}) + "\n"


def tar_gz(path: Path, members: dict[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))


def write_dump(root: Path) -> None:
    """Articles in nine files of eight formats; two replace earlier ones, one is deleted, four records are broken."""
    (root / "b" / "c").mkdir(parents=True)
    (root / "README.md").write_text("# Not an article\n", encoding="utf-8")
    first = pubmed(1, 21) + pubmed(2, 22, broken=True) + pubmed(3, 23) + pubmed(4, 24)
    (root / "1.xml").write_text(f"<PubmedArticleSet>\n{first}</PubmedArticleSet>\n", encoding="utf-8")
    update = pubmed(3, 33) + "<DeleteCitation><PMID Version='1'>4</PMID></DeleteCitation>\n"
    with gzip.open(root / "2.xml.gz", "wt", encoding="utf-8") as stream:
        stream.write(f"<PubmedArticleSet>\n{update}</PubmedArticleSet>\n")
    (root / "b" / "export.nbib").write_text(nbib(11, 41) + nbib(12, 42), encoding="utf-8")
    (root / "b" / "notes.txt").write_text(f"A fall from a ladder\n{story(43)}\n", encoding="utf-8")
    (root / "b" / "old.txt").write_bytes(b"\x00\x01\x02\x03 no text at all \x00")
    (root / "b" / "c" / "table.csv").write_text(f'pmid,title,abstract\n14,A fall,"{story(44)}"\n', encoding="utf-8")
    (root / "b" / "c" / "lines.jsonl").write_text(line(15, 45) + "{torn off\n" + line(1, 61), encoding="utf-8")
    lines = "".join(line(100 + n, 20 + n) for n in range(400)).encode()
    packed = gzip.compress("".join(line(n, 30 + n) for n in (21, 22)).encode() + lines)
    (root / "b" / "c" / "torn.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    tar_gz(root / "d.tar.gz", {"x/1.nxml": jats(31, 51), "x/2.nxml": jats(32, 52), "x/fig.png": "no article"})
    with zipfile.ZipFile(root / "e.zip", "w") as archive:
        archive.writestr("refs.ris", ris(33, 53) + ris(34, 54))


def balanced(summary: RunSummary) -> bool:
    counts = summary.counts
    return counts["read"] == sum(counts[part] for part in ("articles", "superseded", "deleted", "filtered", "failed"))


def check_offsets(run: Path) -> Counter[str]:
    """Holds every finding against its article's text, and its cue; gives the number of findings a field."""
    counts: Counter[str] = Counter()
    texts = {row["article_id"]: str(row["text"]) for row in read_rows(run / "articles", ["article_id", "text"])}
    for row in read_rows(run / "findings"):
        text = texts[row["article_id"]]
        start, end = int(str(row["start"])), int(str(row["end"]))
        assert 0 <= start < end <= len(text) and text[start:end] == row["text"], row
        if row["cue_start"] is not None:
            assert 0 <= int(str(row["cue_start"])) < int(str(row["cue_end"])) <= len(text), row
        counts[str(row["field"])] += 1
    return counts


def check_tables(run: Path, summary: RunSummary) -> None:
    """Each article once, each case and finding of an article that is there, as many of each as the summary says."""
    articles = [row["article_id"] for row in read_rows(run / "articles", ["article_id"])]
    assert len(articles) == len(set(articles)) == summary.counts["articles"]
    cases = [(row["article_id"], row["case_id"]) for row in read_rows(run / "cases", ["article_id", "case_id"])]
    assert len(cases) == len(set(cases)) == summary.counts["cases"]
    findings = [(row["article_id"], row["case_id"]) for row in read_rows(run / "findings", ["article_id", "case_id"])]
    assert len(findings) == summary.counts["findings"]
    assert set(findings) <= set(cases) | {(article, "") for article in articles}
    failures = run / "failures.jsonl"
    lines = failures.read_text(encoding="utf-8").splitlines() if failures.exists() else []
    assert len(lines) == summary.failed


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunSummary]:
    """The run directory of the hand-made dump and the run's summary."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "dump").mkdir()
    write_dump(folder / "dump")
    return folder / "run", run_extraction([folder / "dump"], folder / "run", TABLES_ONLY)


def test_a_mixed_dump_keeps_every_good_record(mixed: tuple[Path, RunSummary]) -> None:
    run, summary = mixed
    assert balanced(summary)
    check_tables(run, summary)
    ages = {str(row["article_id"]): row["age"] for row in read_rows(run / "cases")}
    expected = {1: 61, 3: 33, 11: 41, 12: 42, 14: 44, 15: 45, 31: 51, 32: 52, 33: 53, 34: 54}
    assert {pmid: ages.get(f"pmid:{pmid}") for pmid in expected} == expected
    assert "pmid:2" not in ages and "pmid:4" not in ages
    assert sum(article_id.endswith("notes.txt#1") for article_id in ages) == 1
    # Records 1 and 3 came again, record 4 was withdrawn.
    assert summary.counts["superseded"] == 3 and summary.counts["deleted"] == 1


def test_a_mixed_dump_tells_what_is_broken(mixed: tuple[Path, RunSummary]) -> None:
    run, _ = mixed
    failures = [json.loads(text) for text in (run / "failures.jsonl").read_text(encoding="utf-8").splitlines()]
    told = {(Path(failure["file"]).name, failure["record"]): failure for failure in failures}
    assert set(told) == {("1.xml", 2), ("old.txt", 0), ("lines.jsonl", 2), ("torn.jsonl.gz", 0)}
    assert all(failure["message"] and failure["cure"] and failure["error"] for failure in failures)
    assert told["torn.jsonl.gz", 0]["error"] == "BrokenFile"


def test_a_torn_gzip_keeps_what_came_before_the_tear(mixed: tuple[Path, RunSummary]) -> None:
    run, _ = mixed
    rows = list(read_rows(run / "articles", ["article_id", "file"]))
    ids = {str(row["article_id"]) for row in rows if str(row["file"]).endswith("torn.jsonl.gz")}
    assert {"pmid:21", "pmid:22", "pmid:100"} <= ids and len(ids) < 402


def test_offsets_of_a_mixed_dump_hold(mixed: tuple[Path, RunSummary]) -> None:
    run, _ = mixed
    assert {"age", "sex", "procedure", "complication", "follow_up"} <= set(check_offsets(run))


@pytest.mark.data
@pytest.mark.slow
def test_genuine_pubmed_xml_loses_no_record(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "articles" / "pubmed_xml"
    tag = re.compile(rb"<Pubmed(?:Book)?Article[ >]")
    there = sum(len(tag.findall(gzip.decompress(path.read_bytes()))) for path in sorted(folder.glob("*.gz")))
    summary = run_extraction([folder], tmp_path / "run", TABLES_ONLY)
    assert summary.counts["read"] == there >= 942 and balanced(summary)
    assert summary.counts["failed"] == 2, "two of the records have neither title nor abstract"
    check_tables(tmp_path / "run", summary)
    assert sum(check_offsets(tmp_path / "run").values()) == summary.counts["findings"]


@pytest.mark.data
@pytest.mark.slow
def test_genuine_jats_loses_no_record(data_dir: Path, tmp_path: Path) -> None:
    summary = run_extraction([data_dir / "articles" / "jats_sample.tar.xz"], tmp_path / "run", TABLES_ONLY)
    assert summary.counts["read"] == 600 and balanced(summary)
    check_tables(tmp_path / "run", summary)
    assert sum(check_offsets(tmp_path / "run").values()) == summary.counts["findings"]


@pytest.mark.data
@pytest.mark.slow
def test_genuine_text_exports_lose_no_record(data_dir: Path, tmp_path: Path) -> None:
    summary = run_extraction([data_dir / "articles" / "text_exports"], tmp_path / "run", TABLES_ONLY)
    assert summary.counts["read"] == 1422 + 473 and balanced(summary)
    check_tables(tmp_path / "run", summary)
    assert sum(check_offsets(tmp_path / "run").values()) == summary.counts["findings"]


@pytest.mark.data
@pytest.mark.slow
def test_the_first_abstracts_of_the_collection(data_dir: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample.jsonl"
    with gzip.open(data_dir / "articles" / "case_report_abstracts.jsonl.gz", "rt", encoding="utf-8") as stream:
        sample.write_text("".join(itertools.islice(stream, 400)), encoding="utf-8")
    summary = run_extraction([sample], tmp_path / "run", TABLES_ONLY)
    assert summary.counts["read"] == summary.counts["articles"] == 400 and summary.failed == 0
    check_tables(tmp_path / "run", summary)
    assert sum(check_offsets(tmp_path / "run").values()) == summary.counts["findings"] > 4000
