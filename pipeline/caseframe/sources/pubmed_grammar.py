"""The article of a PubMed record that is written as PubMed writes it, read without a tree.

Nearly all records have their elements in the order of PubMed's document type, attributes in double quotes, and nothing
but plain markup in their texts. For those one regular expression finds the parts and a few more the items in them,
in a fraction of the time that a tree takes. A record that differs in anything is left to `pubmed_tree`, which reads
all; what is read here is what it would read.

That the record is well-formed is left to expat, which tells it quicker than any parser that keeps what it reads. In
what is well-formed an element that holds none of its own name ends at the first end tag of that name, so that the
grammar need not look into elements that nobody reads. It has no place for comments, CDATA sections and prefixes.
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
_LEAF: Final = "[^<]*+"
_TEXT: Final = f"({_LEAF})"
_WORDS: Final = r"([^\s<&][^<&]*+)"


class _Unusual(Exception):
    """The record differs from what the grammar knows."""


def _element(name: str, content: str) -> str:
    """A pattern of an element and the white space behind it."""
    return rf"<{name}(?:{_ATTRIBUTE})*+>{content}</{name}>\s*+"


def _any(name: str) -> str:
    """A pattern of an element's content: anything but comments, CDATA sections and elements of the same name."""
    return rf"{_LEAF}(?:</?(?!{name}[\s/>])[A-Za-z]{_LEAF})*+"


def _kept(name: str) -> str:
    return _element(name, f"({_any(name)})")


def _skipped(names: str) -> str:
    """A pattern of elements nobody reads, in this order: any number of each."""
    return "".join(f"(?:{_element(name, _any(name))})*+" for name in names.split())


def _optional(*patterns: str) -> str:
    return "".join(f"(?:{pattern})?" for pattern in patterns)


def _rows(item: str) -> re.Pattern[str]:
    """For `_items`: an item, or as the last group all that is left where there is none."""
    return re.compile(rf"\s*+{item}|\s*+([^\s].*)", re.DOTALL)


_RECORD: Final = re.compile(
    rf"<PubmedArticle>\s*+<MedlineCitation(?:{_ATTRIBUTE})*+>\s*+"
    rf'<PMID Version="([0-9]++)">{_TEXT}</PMID>\s*+'
    rf"{_skipped('DateCreated DateCompleted DateRevised')}<Article(?:{_ATTRIBUTE})*+>\s*+"
    rf"{_kept('Journal')}{_kept('ArticleTitle')}{_skipped('Pagination')}"
    rf"((?:{_element('ELocationID', _LEAF)})*+){_optional(_kept('Abstract'), _kept('AuthorList'))}"
    rf"{_element('Language', _TEXT)}{_skipped('Language DataBankList GrantList')}{_kept('PublicationTypeList')}"
    rf"{_optional(_kept('VernacularTitle'), _kept('ArticleDate'))}{_skipped('ArticleDate')}</Article>\s*+"
    rf"{_skipped('MedlineJournalInfo ChemicalList SupplMeshList CitationSubset CommentsCorrectionsList')}"
    rf"{_skipped('GeneSymbolList')}{_optional(_kept('MeshHeadingList'))}"
    rf"{_skipped('NumberOfReferences PersonalNameSubjectList OtherID')}"
    rf"((?:{_element('KeywordList', _any('KeywordList'))})*+)"
    rf"{_skipped('CoiStatement SpaceFlightMission InvestigatorList GeneralNote')}</MedlineCitation>\s*+"
    rf"<PubmedData>\s*+{_skipped('History PublicationStatus')}{_kept('ArticleIdList')}"
    rf"{_skipped('ObjectList ReferenceList')}</PubmedData>\s*+</PubmedArticle>"
)
_JOURNAL: Final = re.compile(
    rf"\s*+{_skipped('ISSN')}<JournalIssue(?:{_ATTRIBUTE})*+>\s*+{_skipped('Volume Issue')}{_kept('PubDate')}"
    rf"</JournalIssue>\s*+{_element('Title', _TEXT)}{_skipped('ISOAbbreviation')}"
)
_DATE: Final = re.compile(
    r"\s*+" + _optional(*(_element(name, _TEXT) for name in ("Year", "Month", "Day")), _skipped("Season"))
    + _optional(_element("MedlineDate", _TEXT))
)  # fmt: skip
_AUTHOR: Final = _rows(
    rf"<Author(?:{_ATTRIBUTE})*+>\s*+"
    + _optional(*(_element(n, _WORDS) for n in ("LastName", "ForeName", "Initials", "Suffix", "CollectiveName")))
    + rf"{_skipped('Identifier AffiliationInfo')}</Author>"
)
_ABSTRACT: Final = _rows(
    rf'(?:<AbstractText(?: Label="([^"<>]*+)")?+(?: NlmCategory="([A-Z]*+)")?+>({_any("AbstractText")})</AbstractText>'
    rf"|{_element('CopyrightInformation', _any('CopyrightInformation'))})"
)
_PUBLICATION_TYPE: Final = _rows(_element("PublicationType", _TEXT))
_END_OF_HEADING: Final = "</MeshHeading>"
_SIGNS: Final = r'((?: [A-Za-z]++="[A-Za-z0-9]*+")*+)'
_IDENTIFIER: Final = re.compile(r' UI="([^"]*+)"')
_MAJOR: Final = ' MajorTopicYN="Y"'
_HEADING: Final = re.compile(
    rf"\s*+<MeshHeading>\s*+<DescriptorName{_SIGNS}>{_TEXT}</DescriptorName>\s*+"
    rf"((?:{_element('QualifierName', _LEAF)})*+)"
)
_QUALIFIER: Final = _rows(rf"<QualifierName{_SIGNS}>{_TEXT}</QualifierName>")
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
        found = _RECORD.fullmatch(raw.decode())
        if found is None:
            return None
        expat.ParserCreate(namespace_separator="}").Parse(raw, True)
        return _article(*found.groups(""), origin=origin)
    except (UnicodeDecodeError, expat.ExpatError, _Unusual):
        return None


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
    *headings, rest = part.split(_END_OF_HEADING)
    if rest and not rest.isspace():
        raise _Unusual
    return tuple(map(_heading, headings))


@lru_cache(_KEPT)
def _journal(content: str) -> tuple[str, int | None, str]:
    """The title of the journal, and the year and date of its issue."""
    found = _JOURNAL.fullmatch(content)
    if found is None or not (title := _text(found[2])):
        raise _Unusual
    return title, *_date(found[1])


@lru_cache(_KEPT)
def _date(content: str) -> tuple[int | None, str]:
    """Year and date of the parts of a date."""
    found = _DATE.fullmatch(content)
    if found is None:
        raise _Unusual
    return date_of(*map(_text, found.groups("")))


@lru_cache(_KEPT)
def _language(content: str) -> str:
    stated = _text(content)
    if not stated:
        raise _Unusual
    return language_of(stated)


@lru_cache(_KEPT)
def _publication_types(content: str) -> tuple[str, ...]:
    return tuple(filter(None, (_text(words) for words, _ in _items(_PUBLICATION_TYPE, content))))


@lru_cache(_KEPT)
def _heading(xml: str) -> MeshHeading:
    found = _HEADING.fullmatch(xml)
    if found is None:
        raise _Unusual
    signs, descriptor, rest = found.groups()
    identifier = _IDENTIFIER.search(signs)
    some_major, qualifiers = _qualifiers(rest) if rest else (False, ())
    return MeshHeading(
        _text(descriptor), identifier[1] if identifier else "", _MAJOR in signs or some_major, qualifiers
    )


@lru_cache(_KEPT)
def _qualifiers(xml: str) -> tuple[bool, tuple[str, ...]]:
    """Whether one of them is major, and their names."""
    found = _items(_QUALIFIER, xml)
    return any(_MAJOR in signs for signs, _, _ in found), tuple(_text(words) for _, words, _ in found)
