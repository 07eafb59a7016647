"""PubMed XML: `PubmedArticleSet` files as PubMed exports them and as the baseline and update files hold them.

Every `PubmedArticle`, `PubmedBookArticle`, bare `MedlineCitation` and every PMID of a `DeleteCitation` is a record.
What is usual is read by `pubmed_grammar`, all else by `pubmed_tree`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord
from caseframe.schema import Deletion, Origin, Record
from caseframe.sources.base import ReadOptions, failure
from caseframe.sources.identifiers import clean_pmid
from caseframe.sources.pubmed_grammar import usual_article
from caseframe.sources.pubmed_tree import article_of, book_of
from caseframe.sources.records import without_text
from caseframe.sources.xml import RawRecord, RecordCutter, parse, texts

FORMAT: Final = "pubmed_xml"

_ROOTS: Final = ("PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet")
_TAGS: Final = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument", "MedlineCitation")
_SNIFFED: Final = re.compile(
    rf"<(?:[\w.-]+:)?(?:{'|'.join(_ROOTS + _TAGS)})[\s/>]|<!DOCTYPE\s+(?:{'|'.join(_ROOTS)})\b"
)
_PMID: Final = re.compile(rb"<(?:[\w.-]+:)?PMID[^>]*>\s*(\d{1,10})\s*<")


def sniff(head: str, name: str) -> bool:
    """Whether the file is PubMed XML."""
    del name
    return _SNIFFED.search(head) is not None


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The articles and deletions of a PubMed XML file."""
    cutter = RecordCutter(_TAGS, _ROOTS, options.max_record_bytes, inner=("MedlineCitation",))
    number = 0
    for raw in cutter.cut(stream):
        # A piece with deletions is several records; only parsing tells how many.
        if options.wanted is not None and raw.tag not in _DELETIONS and not options.wanted(number + 1):
            number += 1
            continue
        piece, origin = _without_references(raw), Origin(file, number + 1, FORMAT)
        if piece.tag == "PubmedArticle" and not (piece.encoding or piece.flaw):
            article = usual_article(piece.raw, origin)
            if article is not None and article.text:
                number += 1
                yield article
                continue
        for record in _records(piece, origin):
            number += 1
            yield record


def _records(raw: RawRecord, origin: Origin) -> Iterator[Record]:
    """The record, or the deletions, that a piece of XML says; a failure where it cannot be read."""
    try:
        root = parse(raw)
    except BrokenRecord as error:
        pmid = _PMID.search(raw.raw)
        yield failure(origin, error, f"pmid:{pmid[1].decode()}" if pmid and raw.tag not in _DELETIONS else "")
        return
    if raw.tag in _DELETIONS:
        for offset, pmid_text in enumerate(texts(root, "PMID")):
            yield Deletion(f"pmid:{clean_pmid(pmid_text) or pmid_text}", replace(origin, record=origin.record + offset))
    else:
        article = (book_of if raw.tag == "PubmedBookArticle" else article_of)(root, origin)
        yield article if article.text else failure(origin, without_text(), article.article_id)


def _without_references(record: RawRecord) -> RawRecord:
    """The record without the list of what it cites, which nothing here reads and which is half of a recent record."""
    raw = record.raw
    if (start := raw.find(b"<ReferenceList>")) < 0 or (end := raw.rfind(_END_OF_REFERENCES)) < start:
        return record
    # A single byte is found much quicker than two, and few records have this one.
    if record.flaw or (b"!" in raw and b"<!" in raw):
        return record
    return replace(record, raw=raw[:start] + raw[end + len(_END_OF_REFERENCES) :])


_END_OF_REFERENCES: Final = b"</ReferenceList>"
_DELETIONS: Final = ("DeleteCitation", "DeleteDocument")
