"""The article of a PubMed record that has been parsed to a tree, whatever its shape.

Titles lose what PubMed adds to them: the brackets around a translated title and the final full stop, so that a title
reads as the publisher (and JATS) gives it. A full stop that belongs to the last word ("et al.", "U.S.") stays.
Section labels are kept apart from the text, as are copyright statements and abstracts in other languages. Inline markup
that was escaped ("PM&lt;sub&gt;2.5&lt;/sub&gt;", as some exports hold it) goes as the unescaped does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from caseframe.schema import Article, MeshHeading, Origin, OtherAbstract
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi
from caseframe.sources.languages import language_code
from caseframe.sources.titles import clean_title
from caseframe.sources.xml import at, first_text, text_of, texts

_ESCAPED_MARKUP: Final = re.compile(r"</?(?:i|b|u|sub|sup|em|strong)>")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,3}")
_PARTS_OF_NAME: Final = ("LastName", "ForeName", "FirstName", "Initials", "Suffix", "CollectiveName")


def article_of(root: etree._Element, origin: Origin) -> Article:
    """The article of a `PubmedArticle` or a bare `MedlineCitation`."""
    citation = root if root.tag == "MedlineCitation" else root.find("MedlineCitation")
    article = citation.find("Article") if citation is not None else None
    pmid, version = _pmid(citation)
    ids = _article_ids(root)
    title, vernacular = title_of(first_text(article, "ArticleTitle")), title_of(first_text(article, "VernacularTitle"))
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


def book_of(root: etree._Element, origin: Origin) -> Article:
    """A book or a chapter of one; the book's title stands for the journal."""
    document = root.find("BookDocument")
    pmid, version = _pmid(document)
    ids = _article_ids(root)
    year, date = _date(document, "Book/PubDate", "ContributionDate")
    book_title = first_text(document, "Book/BookTitle")
    return Article.build(
        title=title_of(first_text(document, "ArticleTitle")) or book_title,
        abstract=_abstract(document, "Abstract"),
        pmid=pmid or clean_pmid(ids.get("pubmed", "")),
        doi=find_doi(ids.get("doi", "") or first_text(document, "Book/ELocationID[@EIdType='doi']")),
        version=version,
        vernacular_title=title_of(first_text(document, "VernacularTitle")),
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
    return clean_pmid(text_of(element)), version_of(element.get("Version", ""))


def version_of(stated: str) -> int:
    """The number of a record's version; 1 for what is none."""
    return int(stated) if _VERSION.fullmatch(stated) else 1


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
    return language_of(first_text(article, "Language"))


def language_of(stated: str) -> str:
    """The code of a language, or what is stated where none is known."""
    return language_code(stated) or stated


def title_of(element_text: str) -> str:
    """A title as the publisher gives it."""
    return clean_title(without_markup(element_text))


def without_markup(text: str) -> str:
    """The text without inline markup that was escaped."""
    return _ESCAPED_MARKUP.sub("", text) if "<" in text else text


def _abstract(article: etree._Element | None, path: str) -> Iterator[tuple[str, str]]:
    """The labelled parts, with the label as printed, else PubMed's category."""
    for part in at(article, f"{path}/AbstractText"):
        category = part.get("NlmCategory", "")
        yield (
            part.get("Label") or ("" if category == "UNASSIGNED" else category),
            without_markup(text_of(part)),
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
        year, date = date_of(*(told.get(name, "") for name in ("Year", "Month", "Day", "MedlineDate")))
        if year:
            return year, date
    return None, ""


def date_of(year: str, month: str, day: str, in_words: str) -> tuple[int | None, str]:
    """Year and date of the parts of a date, or of what MEDLINE writes where it has no such parts."""
    between = "-" if month.isdigit() else " "
    return parse_date(in_words or between.join(filter(None, (year, month, day if month else ""))))


def _authors(article: etree._Element | None, path: str) -> list[str]:
    """Authors as `Last FM`; groups by their name."""
    names = []
    for author in at(article, f"{path}/Author"):
        parts = _parts(author, *_PARTS_OF_NAME)
        first = parts.get("ForeName") or parts.get("FirstName", "")
        rest = (parts.get(name, "") for name in ("Initials", "Suffix", "CollectiveName"))
        names.append(name_of(parts.get("LastName", ""), first, *rest))
    return [name for name in names if name]


def name_of(last: str, first: str, initials: str, suffix: str, collective: str) -> str:
    """A person as `Last FM Suffix`, who has no last name as the group."""
    if not last:
        return collective
    initials = initials or "".join(word[0] for word in first.replace("-", " ").split())
    return " ".join(filter(None, (last, initials, suffix)))


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
