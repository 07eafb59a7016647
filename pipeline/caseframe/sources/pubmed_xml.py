"""PubMed XML: `PubmedArticleSet` files as PubMed exports them and as the baseline and update files hold them.

Every `PubmedArticle`, `PubmedBookArticle`, bare `MedlineCitation` and every PMID of a `DeleteCitation` is a record.

Titles lose what PubMed adds to them: the brackets around a translated title and the final full stop, so that a title
reads as the publisher (and JATS) gives it. A full stop that belongs to the last word ("et al.", "U.S.") stays.
Section labels are kept apart from the text, as are copyright statements and abstracts in other languages. Inline markup
that was escaped ("PM&lt;sub&gt;2.5&lt;/sub&gt;", as some exports hold it) goes as the unescaped does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final

from lxml import etree

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Deletion, MeshHeading, Origin, OtherAbstract, Record
from caseframe.sources.base import ReadOptions, failure
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi
from caseframe.sources.languages import language_code
from caseframe.sources.records import without_text
from caseframe.sources.titles import clean_title
from caseframe.sources.xml import RawRecord, RecordCutter, at, first_text, parse, text_of, texts

FORMAT: Final = "pubmed_xml"

_ROOTS: Final = ("PubmedArticleSet", "PubmedBookArticleSet", "MedlineCitationSet")
_TAGS: Final = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation", "DeleteDocument", "MedlineCitation")
_SNIFFED: Final = re.compile(
    rf"<(?:[\w.-]+:)?(?:{'|'.join(_ROOTS + _TAGS)})[\s/>]|<!DOCTYPE\s+(?:{'|'.join(_ROOTS)})\b"
)
_ESCAPED_MARKUP: Final = re.compile(r"</?(?:i|b|u|sub|sup|em|strong)>")
_PARTS_OF_NAME: Final = ("LastName", "ForeName", "FirstName", "Initials", "Suffix", "CollectiveName")
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
        for record in _records(raw, file, number + 1):
            number += 1
            yield record


def _records(raw: RawRecord, file: str, number: int) -> Iterator[Record]:
    """The record, or the deletions, that a piece of XML says; a failure where it cannot be read."""
    origin = Origin(file, number, FORMAT)
    try:
        root = parse(_without_references(raw))
    except BrokenRecord as error:
        pmid = _PMID.search(raw.raw)
        yield failure(origin, error, f"pmid:{pmid[1].decode()}" if pmid and raw.tag not in _DELETIONS else "")
        return
    if raw.tag in _DELETIONS:
        for offset, pmid_text in enumerate(texts(root, "PMID")):
            yield Deletion(f"pmid:{clean_pmid(pmid_text) or pmid_text}", Origin(file, number + offset, FORMAT))
    else:
        article = (_book if raw.tag == "PubmedBookArticle" else _article)(root, origin)
        yield article if article.text else failure(origin, without_text(), article.article_id)


def _without_references(record: RawRecord) -> RawRecord:
    """The record without the list of what it cites, which nothing here reads and which is half of a recent record."""
    raw = record.raw
    start, end = raw.find(b"<ReferenceList>"), raw.rfind(_END_OF_REFERENCES)
    if not 0 <= start < end or b"<!" in raw or record.flaw:
        return record
    return replace(record, raw=raw[:start] + raw[end + len(_END_OF_REFERENCES) :])


_END_OF_REFERENCES: Final = b"</ReferenceList>"
_DELETIONS: Final = ("DeleteCitation", "DeleteDocument")


def _article(root: etree._Element, origin: Origin) -> Article:
    citation = root if root.tag == "MedlineCitation" else root.find("MedlineCitation")
    article = citation.find("Article") if citation is not None else None
    pmid, version = _pmid(citation)
    ids = _article_ids(root)
    title, vernacular = _title(first_text(article, "ArticleTitle")), _title(first_text(article, "VernacularTitle"))
    year, date = _date(article, "Journal/JournalIssue/PubDate", "ArticleDate")
    return Article.build(
        title=vernacular if title in ("", "Not Available") else title,
        abstract=_abstract(article, "Abstract"),
        pmid=pmid or clean_pmid(ids.get("pubmed", "")),
        pmcid=clean_pmcid(ids.get("pmc", "")),
        doi=find_doi(ids.get("doi", "") or first_text(article, "ELocationID[@EIdType='doi']")),
        version=version,
        vernacular_title=vernacular,
        other_abstracts=tuple(_other_abstracts(citation)),
        authors=tuple(_authors(article, "AuthorList")),
        journal=first_text(article, "Journal/Title", "Journal/ISOAbbreviation")
        or first_text(citation, "MedlineJournalInfo/MedlineTA"),
        year=year,
        date=date,
        language=_language(article),
        publication_types=tuple(texts(article, "PublicationTypeList/PublicationType")),
        mesh=tuple(_mesh(citation)),
        keywords=_once(texts(citation, "KeywordList/Keyword")),
        origin=origin,
    )


def _book(root: etree._Element, origin: Origin) -> Article:
    """A book or a chapter of one; the book's title stands for the journal."""
    document = root.find("BookDocument")
    pmid, version = _pmid(document)
    ids = _article_ids(root)
    year, date = _date(document, "Book/PubDate", "ContributionDate")
    book_title = first_text(document, "Book/BookTitle")
    return Article.build(
        title=_title(first_text(document, "ArticleTitle")) or book_title,
        abstract=_abstract(document, "Abstract"),
        pmid=pmid or clean_pmid(ids.get("pubmed", "")),
        doi=find_doi(ids.get("doi", "") or first_text(document, "Book/ELocationID[@EIdType='doi']")),
        version=version,
        vernacular_title=_title(first_text(document, "VernacularTitle")),
        authors=tuple(_authors(document, "AuthorList") or _authors(document, "Book/AuthorList")),
        journal=book_title,
        year=year,
        date=date,
        language=_language(document),
        publication_types=tuple(texts(document, "PublicationType")),
        keywords=_once(texts(document, "KeywordList/Keyword")),
        origin=origin,
    )


def _pmid(citation: etree._Element | None) -> tuple[str, int]:
    """PMID and version; a PMID is a number, anything else is none."""
    element = citation.find("PMID") if citation is not None else None
    if element is None:
        return "", 1
    pmid, version = text_of(element), element.get("Version", "")
    return clean_pmid(pmid), int(version) if re.fullmatch(r"[1-9]\d{0,3}", version, re.ASCII) else 1


def _article_ids(root: etree._Element) -> dict[str, str]:
    """The ids of this article by their kind; those of its references stand elsewhere."""
    ids: dict[str, str] = {}
    for holder in ("PubmedData", "PubmedBookData", "BookDocument"):
        for element in at(root, f"{holder}/ArticleIdList/ArticleId"):
            if text := text_of(element):
                ids.setdefault(element.get("IdType", ""), text)
    return ids


def _language(article: etree._Element | None) -> str:
    """The first language: that of the text where there are several."""
    stated = first_text(article, "Language")
    return language_code(stated) or stated


def _title(element_text: str) -> str:
    return clean_title(_ESCAPED_MARKUP.sub("", element_text))


def _abstract(article: etree._Element | None, path: str) -> Iterator[tuple[str, str]]:
    """The labelled parts, with the label as printed, else PubMed's category."""
    for part in at(article, f"{path}/AbstractText"):
        category = part.get("NlmCategory", "")
        yield (
            part.get("Label") or ("" if category == "UNASSIGNED" else category),
            _ESCAPED_MARKUP.sub("", text_of(part)),
        )


def _other_abstracts(citation: etree._Element | None) -> Iterator[OtherAbstract]:
    for other in at(citation, "OtherAbstract"):
        if text := "\n".join(texts(other, "AbstractText")):
            yield OtherAbstract(text, other.get("Language", ""), other.get("Type", ""))


def _date(article: etree._Element | None, *paths: str) -> tuple[int | None, str]:
    """Year and date at the first of the paths that has a year."""
    for path in paths:
        element = next(iter(at(article, path)), None)
        if element is None:
            continue
        told = _parts(element, "MedlineDate", "Year", "Month", "Day")
        if "MedlineDate" in told:
            year, date = parse_date(told["MedlineDate"])
        else:
            month = told.get("Month", "")
            between = "-" if month.isdigit() else " "
            parts = (told.get("Year"), month, told.get("Day") if month else "")
            year, date = parse_date(between.join(part for part in parts if part))
        if year:
            return year, date
    return None, ""


def _authors(article: etree._Element | None, path: str) -> list[str]:
    """Authors as `Last FM`; groups by their name."""
    names = []
    for author in at(article, f"{path}/Author"):
        parts = _parts(author, *_PARTS_OF_NAME)
        last, first = parts.get("LastName", ""), parts.get("ForeName") or parts.get("FirstName", "")
        initials = parts.get("Initials") or "".join(word[0] for word in first.replace("-", " ").split())
        name = " ".join(part for part in (last, initials, parts.get("Suffix")) if part)
        names.append(name if last else parts.get("CollectiveName", ""))
    return [name for name in names if name]


def _mesh(citation: etree._Element | None) -> Iterator[MeshHeading]:
    """The headings; one is major if its descriptor or any of its qualifiers is."""
    for heading in at(citation, "MeshHeadingList/MeshHeading"):
        names = list(heading)
        descriptor = next((name for name in names if name.tag == "DescriptorName"), None)
        if descriptor is None:
            continue
        qualifiers = [name for name in names if name.tag == "QualifierName"]
        yield MeshHeading(
            text_of(descriptor),
            descriptor.get("UI", ""),
            any(name.get("MajorTopicYN") == "Y" for name in (descriptor, *qualifiers)),
            tuple(text_of(qualifier) for qualifier in qualifiers),
        )


def _parts(element: etree._Element, *names: str) -> dict[str, str]:
    """The first text that is not empty of each of the named children."""
    parts: dict[str, str] = {}
    for child in element.iterchildren(*names):
        if text := text_of(child):
            parts.setdefault(child.tag, text)
    return parts


def _once(names: Iterator[str]) -> tuple[str, ...]:
    """The names, each once; authors' and indexers' lists overlap."""
    return tuple(dict.fromkeys(names))
