"""The article of a PubMed record that is written as PubMed writes it, read without a tree.

Nearly all records have their elements in the order of PubMed's document type, attributes in double quotes, and nothing
but plain markup in their texts. For those one regular expression finds the parts and a few more the items in them,
in a fraction of the time that a tree takes. A record that differs in anything is left to `pubmed_tree`, which reads
all; what is read here is what it would read.

That the record is well-formed is left to expat, which tells it quicker than any parser that keeps what it reads. In
what is well-formed an element that holds none of its own name ends at the first end tag of that name, so that the
grammar need not look into elements that nobody reads. It has no place for comments, CDATA sections and prefixes.
Journals and MeSH headings, many of which come again, are held to expressions that leave expat nothing to find.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from xml.parsers import expat

from caseframe.schema import Article, MeshHeading, Origin, fold_space
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi
from caseframe.sources.pubmed_tree import date_of, language_of, name_of, title_of, version_of, without_markup

_MAX_BYTES: Final = 1 << 20
_MAX_TAGS: Final = 200
"""What a text may hold of tags: fewer than are too deep for a parser."""
_KEPT: Final = 1 << 13
"""How much of what many records say in the same words is kept, so as to read it once."""
_ATTRIBUTE: Final = r' (?!xml)[A-Za-z]++="[^"<>]*+"'
_S: Final = r"[ \t\r\n]*+"
_LEAF: Final = "[^<]*+"
_TEXT: Final = f"({_LEAF})"
_WORDS: Final = r"([^\s<&][^<&]*+)"
_SOUND: Final = r"(?:[^<>&\x00-\x1f\ufffe\uffff]++|&(?:amp|lt|gt|quot|apos);)*+"
"""The content of an element without children in which a parser could find nothing wrong."""


class _Unusual(Exception):
    """The record differs from what the grammar knows."""


def _element(name: str, content: str) -> str:
    """A pattern of an element and the white space behind it."""
    return rf"<{name}(?:{_ATTRIBUTE})*+>{content}</{name}>{_S}"


def _any(name: str) -> str:
    """A pattern of an element's content: anything but comments, CDATA sections and elements of the same name."""
    return rf"{_LEAF}(?:</?(?!{name}[\s/>])[A-Za-z]{_LEAF})*+"


def _kept(name: str) -> str:
    """A pattern of an element whose content is kept under its name."""
    return _element(name, f"(?P<{name}>{_any(name)})")


def _skipped(names: str) -> str:
    """A pattern of elements nobody reads, in this order: any number of each."""
    return "".join(f"(?:{_element(name, _any(name))})*+" for name in names.split())


def _optional(*patterns: str) -> str:
    return "".join(f"(?:{pattern})?" for pattern in patterns)


def _sound(*names: str) -> str:
    """A pattern of elements without attributes, in this order, each of which may be there; their texts are kept."""
    return _optional(*(f"<{name}>({_SOUND})</{name}>{_S}" for name in names))


def _rows(item: str) -> re.Pattern[str]:
    """For `_items`: an item, or as the last group all that is left where there is none."""
    return re.compile(rf"{_S}{item}|{_S}([^ \t\r\n].*)", re.DOTALL)


_RECORD: Final = re.compile(
    rf"<PubmedArticle>{_S}<MedlineCitation(?:{_ATTRIBUTE})*+>{_S}"
    rf'<PMID Version="([0-9]++)">{_TEXT}</PMID>{_S}'
    rf"{_skipped('DateCreated DateCompleted DateRevised')}<Article(?:{_ATTRIBUTE})*+>{_S}"
    rf"{_kept('Journal')}{_kept('ArticleTitle')}{_skipped('Pagination')}"
    rf"((?:{_element('ELocationID', _LEAF)})*+){_optional(_kept('Abstract'), _kept('AuthorList'))}"
    rf"{_element('Language', _TEXT)}{_skipped('Language DataBankList GrantList')}{_kept('PublicationTypeList')}"
    rf"{_optional(_kept('VernacularTitle'), _kept('ArticleDate'))}{_skipped('ArticleDate')}</Article>{_S}"
    rf"{_skipped('MedlineJournalInfo ChemicalList SupplMeshList CitationSubset CommentsCorrectionsList')}"
    rf"{_skipped('GeneSymbolList')}{_optional(_kept('MeshHeadingList'))}"
    rf"{_skipped('NumberOfReferences PersonalNameSubjectList OtherID')}"
    rf"((?:{_element('KeywordList', _any('KeywordList'))})*+)"
    rf"{_skipped('CoiStatement SpaceFlightMission InvestigatorList GeneralNote')}</MedlineCitation>{_S}"
    rf"<PubmedData>{_S}{_skipped('History PublicationStatus')}{_kept('ArticleIdList')}"
    rf"{_skipped('ObjectList ReferenceList')}</PubmedData>{_S}</PubmedArticle>"
)
_DATE_PARTS: Final = _sound("Year", "Month", "Day", "Season", "MedlineDate")
_DATE: Final = re.compile(_S + _DATE_PARTS)
_JOURNAL: Final = re.compile(
    rf'{_S}(?:<ISSN(?: IssnType="[A-Za-z]++")?>{_SOUND}</ISSN>{_S})?'
    rf'<JournalIssue(?: CitedMedium="[A-Za-z]++")?>{_S}{_sound("Volume", "Issue")}'
    rf"<PubDate>(?P<date>{_S}{_DATE_PARTS})</PubDate>{_S}</JournalIssue>{_S}"
    rf"<Title>(?P<title>{_SOUND})</Title>{_S}{_sound('ISOAbbreviation')}"
)
_AUTHOR: Final = _rows(
    rf"<Author(?:{_ATTRIBUTE})*+>{_S}"
    + _optional(*(_element(n, _WORDS) for n in ("LastName", "ForeName", "Initials", "Suffix", "CollectiveName")))
    + rf"{_skipped('Identifier AffiliationInfo')}</Author>"
)
_ABSTRACT: Final = _rows(
    rf'(?:<AbstractText(?: Label="([^"<>]*+)")?+(?: NlmCategory="([A-Z]*+)")?+>({_any("AbstractText")})</AbstractText>'
    rf"|{_element('CopyrightInformation', _any('CopyrightInformation'))})"
)
_PUBLICATION_TYPE: Final = _rows(_element("PublicationType", _TEXT))
_BEHIND_HEADING: Final = "</MeshHeading>"
_SIGNS: Final = r'UI="([A-Z0-9]*+)" MajorTopicYN="([YN])"(?: Type="[A-Za-z]++")?+'
_DESCRIPTOR: Final = re.compile(rf"{_S}<MeshHeading>{_S}<DescriptorName {_SIGNS}>({_SOUND})")
_QUALIFIER: Final = _rows(rf"<QualifierName {_SIGNS}>({_SOUND})</QualifierName>")
_KEYWORD: Final = _rows(rf"(?:</?KeywordList(?:{_ATTRIBUTE})*+>|{_kept('Keyword')})")
_ID: Final = _rows(r'<ArticleId IdType="([a-z]++)">([^\s<]++)</ArticleId>')
_DOI: Final = re.compile(rf'<ELocationID(?:{_ATTRIBUTE})*? EIdType="doi"(?:{_ATTRIBUTE})*+>{_TEXT}<')
_INLINE: Final = re.compile(r"</?(?:i|b|u|sub|sup)>")
_REFERENCE: Final = re.compile(r"&(?:#([0-9]+)|#x([0-9A-Fa-f]+)|([a-z]+));")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def usual_article(raw: bytes, origin: Origin) -> Article | None:
    """The article of a `PubmedArticle` in UTF-8; None where a tree is needed to tell, or to tell what is wrong."""
    if len(raw) > _MAX_BYTES:
        return None
    try:
        text = raw.decode()
        found = _RECORD.fullmatch(text)
        if found is None:
            return None
        expat.ParserCreate(namespace_separator="}").Parse(_unchecked(text, found), True)
        return _article(*found.groups(""), origin=origin)
    except (UnicodeDecodeError, expat.ExpatError, _Unusual):
        return None


def _unchecked(text: str, found: re.Match[str]) -> str:
    """The record without the contents of its journal and MeSH headings, which must be sound to be read."""
    start, stop = found.span("Journal")
    begin, end = found.span("MeshHeadingList")
    return text[:start] + (text[stop:begin] + text[end:] if found["MeshHeadingList"] else text[stop:])


def _article(
    version: str,
    pmid: str,
    journal: str,
    title: str,
    locations: str,
    abstract: str,
    authors: str,
    language: str,
    types: str,
    vernacular: str,
    article_date: str,
    mesh: str,
    keywords: str,
    ids: str,
    *,
    origin: Origin,
) -> Article:
    """The article of the parts that the grammar found."""
    journal_title, year, date = _journal(journal)
    if not year and article_date:
        year, date = _date(article_date)
    id_of: dict[str, str] = {}
    for kind, number, _ in _items(_ID, ids):
        id_of.setdefault(kind, _text(number))
    doi = id_of.get("doi") or next(filter(None, map(_text, _DOI.findall(locations))), "")
    own_title, vernacular_title = title_of(_content(title)), title_of(_content(vernacular))
    return Article.build(
        title=vernacular_title if own_title in ("", "Not Available") else own_title,
        abstract=[
            (_text(label or ("" if category == "UNASSIGNED" else category)), without_markup(_content(words)))
            for label, category, words, _ in _items(_ABSTRACT, abstract)
        ],
        pmid=clean_pmid(_text(pmid)) or clean_pmid(id_of.get("pubmed", "")),
        pmcid=clean_pmcid(id_of.get("pmc", "")),
        doi=find_doi(doi),
        version=version_of(version),
        vernacular_title=vernacular_title,
        authors=tuple(_authors(authors)),
        journal=journal_title,
        year=year,
        date=date,
        language=_language(language),
        publication_types=_publication_types(types),
        mesh=_headings(mesh),
        keywords=tuple(dict.fromkeys(filter(None, (_text(words) for words, _ in _items(_KEYWORD, keywords))))),
        origin=origin,
    )


def _items(pattern: re.Pattern[str], part: str) -> list[tuple[str, ...]]:
    """The groups of the items that make up a part; the last group is empty."""
    items: list[tuple[str, ...]] = pattern.findall(part) if part else []
    if items and items[-1][-1]:
        raise _Unusual
    return items


def _text(content: str) -> str:
    """The text of an element without its markup, white space folded."""
    return fold_space(_content(content))


def _content(content: str) -> str:
    """The text of an element without its markup."""
    if "<" in content and (content.count("<") > _MAX_TAGS or "<" in (content := _INLINE.sub("", content))):
        raise _Unusual
    return _REFERENCE.sub(_character, content) if "&" in content else content


def _character(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    return _NAMED[name] if name else chr(int(decimal or hexadecimal, 10 if decimal else 16))


def _authors(part: str) -> Iterator[str]:
    """The names that are not empty."""
    for last, first, initials, suffix, collective, _ in _items(_AUTHOR, part):
        if last and initials and not suffix:
            yield fold_space(f"{last} {initials}")
        elif name := name_of(*map(fold_space, (last, first, initials, suffix, collective))):
            yield name


def _headings(part: str) -> tuple[MeshHeading, ...]:
    """The MeSH headings; most of them have been seen before."""
    *headings, rest = part.split(_BEHIND_HEADING)
    if rest.strip(" \t\r\n"):
        raise _Unusual
    return tuple(map(_heading, headings))


@lru_cache(_KEPT // 2)
def _journal(content: str) -> tuple[str, int | None, str]:
    """The title of the journal, and the year and date of its issue."""
    found = _JOURNAL.fullmatch(content)
    if found is None or not (title := _text(found["title"])):
        raise _Unusual
    return title, *_date(found["date"])


@lru_cache(_KEPT)
def _date(content: str) -> tuple[int | None, str]:
    """Year and date of the parts of a date."""
    found = _DATE.fullmatch(content)
    if found is None:
        raise _Unusual
    year, month, day, _, in_words = map(_text, found.groups(""))
    return date_of(year, month, day, in_words)


@lru_cache(_KEPT)
def _language(content: str) -> str:
    stated = _text(content)
    if not stated:
        raise _Unusual
    return language_of(stated)


@lru_cache(_KEPT)
def _publication_types(content: str) -> tuple[str, ...]:
    return tuple(filter(None, (_text(words) for words, _ in _items(_PUBLICATION_TYPE, content))))


@lru_cache(2 * _KEPT)
def _heading(xml: str) -> MeshHeading:
    before, end, behind = xml.partition("</DescriptorName>")
    if not end:
        raise _Unusual
    identifier, major, descriptor = _descriptor(before)
    some_major, qualifiers = _qualifiers(behind)
    return MeshHeading(descriptor, identifier, major or some_major, qualifiers)


@lru_cache(_KEPT)
def _descriptor(xml: str) -> tuple[str, bool, str]:
    """The unique id of the descriptor, whether it is a major topic, and its name."""
    found = _DESCRIPTOR.fullmatch(xml)
    if found is None:
        raise _Unusual
    return found[1], found[2] == "Y", _text(found[3])


@lru_cache(_KEPT)
def _qualifiers(xml: str) -> tuple[bool, tuple[str, ...]]:
    """Whether one of them is major, and their names."""
    found = _items(_QUALIFIER, xml)
    return any(major == "Y" for _, major, _, _ in found), tuple(_text(words) for _, _, words, _ in found)
