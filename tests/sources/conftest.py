"""One small sample of each format, and reading from a string."""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

import pytest

from caseframe.schema import Article, Failure, Record
from caseframe.sources.base import ReadOptions


class Reading:
    """Reads text with the module of a format."""

    @staticmethod
    def records(module: ModuleType, text: str | bytes, file: str = "sample", **options: Any) -> list[Record]:
        raw = text if isinstance(text, bytes) else text.encode()
        return list(module.read(io.BytesIO(raw), file, ReadOptions(**options)))

    def articles(self, module: ModuleType, text: str | bytes, file: str = "sample", **options: Any) -> list[Article]:
        """The articles; a failure among them fails the test."""
        found = self.records(module, text, file, **options)
        assert not [record for record in found if not isinstance(record, Article)], found
        return [record for record in found if isinstance(record, Article)]

    def article(self, module: ModuleType, text: str | bytes, file: str = "sample", **options: Any) -> Article:
        (found,) = self.articles(module, text, file, **options)
        return found

    def failures(self, module: ModuleType, text: str | bytes, file: str = "sample", **options: Any) -> list[Failure]:
        return [record for record in self.records(module, text, file, **options) if isinstance(record, Failure)]

    @staticmethod
    def labelled(found: Article) -> list[tuple[str, str]]:
        """The sections' labels and texts."""
        return [(section.label, found.text[section.start : section.end]) for section in found.sections]


@pytest.fixture(scope="session")
def reading() -> Reading:
    """Reads text with the module of a format."""
    return Reading()


@pytest.fixture(scope="session")
def samples() -> dict[str, tuple[str, str]]:
    """A file name and content of each format."""
    return SAMPLES


SAMPLES: dict[str, tuple[str, str]] = {
    "medline": (
        "x.nbib",
        "PMID- 101\nOWN - NLM\nDP  - 2019 May 4\nTI  - Wedge osteotomy of the radius.\nAB  - A farmer was treated.\n",
    ),
    "pubmed_text": (
        "x.txt",
        "1. J Bone. 2019 May;4(2):10-12. doi: 10.1000/jb.1.\n\nWedge osteotomy of the radius.\n\nMiller A(1).\n\n"
        "Author information:\n(1)Clinic, Town.\n\nA farmer was treated.\n\nDOI: 10.1000/jb.1\nPMID: 101\n",
    ),
    "pubmed_page": (
        "x.txt",
        "Wedge osteotomy of the radius\n- PMID: 101\n- DOI: 10.1000/jb.1\nWedge osteotomy of the radius\nAbstract\n"
        "A farmer was treated.\nReferences\n- Old A. Bones. 1990.\n",
    ),
    "ris": ("x.ris", "TY  - JOUR\nTI  - Wedge osteotomy of the radius\nAB  - A farmer was treated.\nER  - \n"),
    "bioc xml": (
        "x.xml",
        '<?xml version="1.0"?><!DOCTYPE collection SYSTEM "BioC.dtd"><collection><source>s</source><date/><key/>'
        '<document><id>101</id><passage><infon key="type">title</infon><offset>0</offset>'
        "<text>Wedge osteotomy of the radius</text></passage></document></collection>",
    ),
    "bioc json": (
        "x.json",
        '{"source": "s", "documents": [{"id": "101", "infons": {}, "passages": '
        '[{"infons": {"type": "title"}, "text": "Wedge osteotomy of the radius"}]}]}',
    ),
    "pubtator": ("x.txt", "101|t|Wedge osteotomy of the radius\n101|a|A farmer was treated.\n101\t0\t5\tWedge\tX\n"),
    "csv": ("x.csv", "pmid,title,abstract\n101,Wedge osteotomy of the radius,A farmer was treated.\n"),
    "tsv": ("x.txt", "PMID\tTitle\tAbstract\n101\tWedge osteotomy of the radius\tA farmer was treated.\n"),
    "jsonl": ("x.jsonl", '{"pmid": "101", "title": "Wedge osteotomy", "abstract": "A farmer was treated."}\n'),
    "json": ("x.json", '[{"pmid": 101, "title": "Wedge osteotomy", "abstract": "A farmer was treated."}]'),
    "plain": ("x.txt", "Wedge osteotomy of the radius\nA farmer was treated. He went home.\n"),
    "pubmed xml": (
        "x.xml",
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>101</PMID></MedlineCitation></PubmedArticle>"
        "</PubmedArticleSet>",
    ),
    "jats": ("x.nxml", "<article><front><article-meta><title-group/></article-meta></front></article>"),
}
