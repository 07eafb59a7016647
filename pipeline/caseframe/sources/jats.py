"""JATS and its NLM forerunner: PubMed Central's full-text XML, one `article` in a file or a set of them.

The text is the title with its subtitle, the abstract by sections, and the body where `ReadOptions.body` asks for it.
A section's paragraphs are joined by a blank; its title is the label, titles of nested sections make a path
("Case report / Treatment"). Marks that point to references and footnotes are no part of the text, nor are figures,
tables, displayed formulas and their captions. Abstracts of a special kind (graphical, for lay readers) and those in
other languages are kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from lxml import etree

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Origin, OtherAbstract, Record, fold_space
from caseframe.sources.base import ReadOptions, failure
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi
from caseframe.sources.languages import language_code
from caseframe.sources.records import without_text
from caseframe.sources.xml import RawRecord, RecordCutter, first_text, formula, parse, text_of

FORMAT: Final = "jats"

_SNIFFED: Final = re.compile(
    r"<(?:[\w.-]+:)?pmc-articleset[\s>]|<!DOCTYPE\s+(?:article|pmc-articleset)\b"
    r"|<(?:[\w.-]+:)?article\s[^>]*?\b(?:article-type|dtd-version)\s*="
    r"|<(?:[\w.-]+:)?article[\s>].{0,2000}?<(?:[\w.-]+:)?(?:front|journal-meta|article-meta)[\s>]",
    re.DOTALL,
)
_PMID: Final = re.compile(rb"pub-id-type=[\"']pmid[\"'][^>]*>\s*(\d{1,10})\s*<")
_ARTICLE_BYTES_PER_RECORD: Final = 4
"""A full text may be that many times as long as a record of a bibliography."""

_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_TYPES: Final = {"case-report": "Case Reports"}
_MAIN_ABSTRACTS: Final = frozenset({"", "section", "sections", "structured", "normal", "main", "abstract", "short"})

_LEFT_OUT: Final = frozenset(
    "fig fig-group table-wrap table-wrap-group disp-formula disp-formula-group tex-math graphic inline-graphic media "
    "supplementary-material inline-supplementary-material fn fn-group ref-list object-id caption alt-text "
    "long-desc permissions attrib index-term floats-group chem-struct-wrap private-char".split()
)
_NO_BLOCKS: Final = _LEFT_OUT | {"title", "label", "sec-meta"}
_BLOCKS: Final = frozenset(
    "p list list-item def-list def-item term def disp-quote boxed-text statement verse-group verse-line sec title "
    "speech preformat break label array code question answer".split()
)
_SUPPLEMENT: Final = re.compile(
    r"(?:electronic |online )?supplementary (?:electronic |online )?materials?$", re.IGNORECASE
)
_WRAPPER: Final = re.compile(r"(?:\d+\.?\s*)?(?:structured )?(?:abstract|summary)\.?", re.IGNORECASE)
"""The title of a section that only wraps the others; it is no label."""
_MARKS: Final = frozenset("fn table-fn aff author-notes corresp contrib".split())
_MARK: Final = "\ufffc"
_MARK_RUN: Final = rf"{_MARK}(?:[\s,;–-]*{_MARK})*"
_BRACKETED_MARKS: Final = re.compile(rf"\s*(?:\[\s*{_MARK_RUN}\s*\]|\(\s*{_MARK_RUN}\s*\))")
_BARE_MARKS: Final = re.compile(rf"\s*{_MARK_RUN}(?=\s*[.,;:!?)\]]|\s|$)|{_MARK_RUN}")


def sniff(head: str, name: str) -> bool:
    """Whether the file is JATS."""
    del name
    return _SNIFFED.search(head) is not None


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The articles of a JATS file."""
    limit = options.max_record_bytes * _ARTICLE_BYTES_PER_RECORD
    for number, raw in enumerate(RecordCutter(("article",), ("pmc-articleset",), limit).cut(stream), start=1):
        origin = Origin(file, number, FORMAT)
        try:
            yield _article(parse(raw), origin, options)
        except BrokenRecord as error:
            yield failure(origin, error, _id_of_broken(raw))


def _id_of_broken(raw: RawRecord) -> str:
    pmid = _PMID.search(raw.raw, 0, 1 << 16)
    return f"pmid:{pmid[1].decode()}" if pmid else ""


def _article(root: etree._Element, origin: Origin, options: ReadOptions) -> Article:
    front = root.find("front")
    meta = front.find("article-meta") if front is not None else None
    if front is None or meta is None:
        raise BrokenRecord("The <article> has no <front> with <article-meta>", "Leave it out if it is no JATS article")
    language = _language(root) or "eng"  # English is the default that JATS sets.
    main, others = _abstracts(meta)
    year, date = _date(meta)
    article = Article.build(
        title=_title(meta),
        abstract=_sections(main, ()) if main is not None else (),
        body=_sections(root.find("body"), ()) if options.body else (),
        pmid=clean_pmid(_id(meta, "pmid")),
        pmcid=clean_pmcid(_id(meta, "pmcid", "pmc")),
        doi=find_doi(_id(meta, "doi")),
        vernacular_title=_vernacular_title(meta),
        other_abstracts=others,
        authors=tuple(_authors(meta)),
        journal=first_text(front, "journal-meta//journal-title", "journal-meta//journal-id[@journal-id-type='nlm-ta']"),
        year=year,
        date=date,
        language=language,
        publication_types=tuple(_TYPES.get(kind, kind) for kind in [root.get("article-type", "")] if kind),
        keywords=_keywords(meta, language),
        origin=origin,
    )
    if not article.text:
        raise without_text()
    return article


def _language(element: etree._Element) -> str:
    """The code of the element's own `xml:lang`."""
    return language_code(element.get(_LANG, ""))


def _title(meta: etree._Element) -> str:
    """Title and subtitle, with a colon between them."""
    title = _text(meta.find("title-group/article-title"))
    for element in meta.iterfind("title-group/subtitle"):
        if subtitle := _text(element):
            title = f"{title}{' ' if title[-1:] in ':?!.-–—' else ': '}{subtitle}" if title else subtitle
    return title


def _vernacular_title(meta: etree._Element) -> str:
    """The first translated title that is not in English."""
    for title in meta.iterfind("title-group//trans-title"):
        parent = title.getparent()
        language = _language(title) or (_language(parent) if parent is not None else "")
        if language != "eng" and (text := _text(title)):
            return text
    return ""


def _abstracts(meta: etree._Element) -> tuple[etree._Element | None, tuple[OtherAbstract, ...]]:
    """The abstract proper, and all others."""
    main = None
    others = []
    for abstract in (*meta.iterfind("abstract"), *meta.iterfind("trans-abstract")):
        kind = abstract.get("abstract-type", "").lower()
        if main is None and kind in _MAIN_ABSTRACTS and abstract.tag == "abstract":
            main = abstract
        elif text := _joined(abstract):
            others.append(OtherAbstract(text, _language(abstract), kind))
    return main, tuple(others)


def _joined(abstract: etree._Element) -> str:
    return "\n".join(text for _, text in _sections(abstract, ()) if text)


def _sections(element: etree._Element | None, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The labelled texts in order; what stands beside the subsections belongs to the section itself."""
    label = " / ".join(path)
    blocks: list[str] = []
    for child in element if element is not None else ():
        if child.tag == "sec":
            yield label, " ".join(blocks)
            blocks = []
            title = _text(child.find("title")).rstrip(" :")
            if not _SUPPLEMENT.match(title):
                yield from _sections(child, path if not title or _WRAPPER.fullmatch(title) else (*path, title))
        elif child.tag not in _NO_BLOCKS and (text := _text(child)):
            blocks.append(text)
    yield label, " ".join(blocks)


def _text(element: etree._Element | None) -> str:
    """The running text of an element, without marks, figures and the like."""
    if element is None:
        return ""
    pieces: list[str] = []
    _collect(element, pieces)
    text = "".join(pieces)
    if _MARK in text:
        text = _BARE_MARKS.sub("", _BRACKETED_MARKS.sub("", text))
    return fold_space(text)


def _collect(element: etree._Element, pieces: list[str]) -> None:
    pieces.append((element.text or "").replace(_MARK, ""))
    for child in element:
        tag = child.tag
        if tag == "math":
            pieces.append(formula(child))
        elif _is_mark(child):
            pieces.append(_MARK)
        elif tag in _BLOCKS:
            pieces.append(" ")
            _collect(child, pieces)
            pieces.append(" ")
        elif tag not in _LEFT_OUT:
            _collect(child, pieces)
        pieces.append((child.tail or "").replace(_MARK, ""))


def _is_mark(element: etree._Element) -> bool:
    """Whether the element only points to a reference or a footnote; a reference named in words is text."""
    if element.tag == "sup":
        inside = [child for child in element if child.tag == "xref"]
        return bool(inside) and all(_is_mark(child) for child in inside) and not _letters(element, inside)
    if element.tag != "xref":
        return False
    kind = element.get("ref-type", "")
    return kind in _MARKS or (kind == "bibr" and not any(map(str.isalpha, text_of(element))))


def _letters(element: etree._Element, children: list[etree._Element]) -> bool:
    """Whether there are words between the children."""
    return any(map(str.isalnum, (element.text or "") + "".join(child.tail or "" for child in children)))


def _id(meta: etree._Element, *kinds: str) -> str:
    return first_text(meta, *(f"article-id[@pub-id-type='{kind}']" for kind in kinds))


def _authors(meta: etree._Element) -> Iterator[str]:
    """Authors as `Last FM`; groups by their name."""
    for contributor in meta.iterfind("contrib-group/contrib"):
        if contributor.get("contrib-type", "author") != "author":
            continue
        given = contributor.find(".//given-names")
        surname = first_text(contributor, ".//surname")
        if surname:
            yield " ".join(part for part in (surname, _initials(given), first_text(contributor, ".//suffix")) if part)
        elif group := _text(contributor.find(".//collab")) or first_text(contributor, "string-name"):
            yield group


def _initials(given: etree._Element | None) -> str:
    """`MJ` of "Mary Jane", of "Mary-Jane" and of "M.J."."""
    if given is None:
        return ""
    if stated := given.get("initials"):
        return re.sub(r"[\s.]", "", stated)
    names = re.split(r"[\s.-]+", text_of(given))
    return "".join(name if name.isupper() and len(name) <= 3 else name[:1].upper() for name in names if name)


def _keywords(meta: etree._Element, language: str) -> tuple[str, ...]:
    """The keywords in the article's own language, each once; lists of abbreviations are none."""
    found = [
        _text(keyword)
        for group in meta.iterfind("kwd-group")
        if "abbr" not in group.get("kwd-group-type", "").lower() and (_language(group) or language) == language
        for keyword in group.iterfind(".//kwd")
    ]
    return tuple(dict.fromkeys(keyword for keyword in found if keyword))


def _date(meta: etree._Element) -> tuple[int | None, str]:
    """The earliest of the dates that are most complete; when it came to PMC counts only if nothing else is said."""
    published: list[tuple[str, int]] = []
    released: list[tuple[str, int]] = []
    for element in meta.iterfind("pub-date"):
        kind = element.get("pub-type") or element.get("date-type") or ""
        year, date = _one_date(element)
        if year:
            (released if kind in ("pmc-release", "nihms-submitted", "retraction") else published).append((date, year))
    dates = published or released
    if not dates:
        return None, ""
    date, year = min(dates, key=lambda dated: (-len(dated[0]), dated[0]))
    return year, date


def _one_date(element: etree._Element) -> tuple[int | None, str]:
    month = first_text(element, "month")
    parts = (first_text(element, "year"), month, first_text(element, "day") if month else "")
    text = ("-" if month.isdigit() else " ").join(part for part in parts if part)
    return parse_date(text or element.get("iso-8601-date", "") or first_text(element, "string-date"))
