"""PubMed's "Abstract (text)" export: numbered records of paragraphs.

A record is a citation, a title, authors, addresses, remarks ("Comment in"), the abstract, a copyright notice and the
ids, each a paragraph. Which paragraph is which is told by its first words and its place, never by the abstract's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Origin, OtherAbstract, Record, fold_space
from caseframe.sources.abstracts import cut_copyright, is_copyright_line, split_labels
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import find_doi, find_pmcid
from caseframe.sources.languages import language_code
from caseframe.sources.records import LineRecord, read_records
from caseframe.sources.titles import clean_title

FORMAT: Final = "pubmed_text"

_NUMBERED: Final = re.compile(r"(\d{1,7})[.:] +\S")
_CITATION: Final = re.compile(r"\d{1,7}[.:] +(?P<journal>\S.*?)[.;:]? +(?P<date>(?:1[5-9]|20)\d\d\b[^;:]*)", re.DOTALL)
_IDS: Final = re.compile(r"(?:DOI|PMCID|PMID): ?\S")
_IDS_AT_END: Final = re.compile(r"\n((?:(?:DOI|PMCID|PMID): ?\S[^\n]*(?:\n|\Z))+)\Z")
_PMID: Final = re.compile(r"^PMID: *(\d{1,9})", re.MULTILINE)
_DOI_LINE: Final = re.compile(r"^DOI: *(\S.*)$", re.MULTILINE)
_PMCID_LINE: Final = re.compile(r"^PMCID: *(\S.*)$", re.MULTILINE)
_PROOF: Final = re.compile(r"^(?:PMID: ?\d|DOI: ?10\.|Author information:)", re.MULTILINE)
_CITED_DOI: Final = re.compile(r"\bdoi:\s*(10\.\S+)", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"\[Article in ([^\];]+)(?:;([^\]]*))?\]", re.DOTALL)
_ADDRESSES: Final = re.compile(r"Author information: ?")
_GROUP: Final = re.compile(r"Collaborators: ?")
_REMARK: Final = re.compile(
    r"(?:Comment (?:in|on)|Erratum (?:in|for)|Update (?:in|of)|Republished (?:in|from)|Retraction (?:in|of)|"
    r"Partial retraction (?:in|of)|Corrected and republished (?:in|from)|Retracted and republished (?:in|from)|"
    r"Expression of concern (?:in|for)|Summary for patients in|Original report in|Reprint (?:in|of)|"
    r"Associated (?:data|dataset)|Dataset (?:described in|use reported in)|Patient summary in|Cites|Preprint (?:in|of))"
    r"\s*\n\s",
    re.IGNORECASE,
)
_INTEREST: Final = re.compile(r"(?:Conflicts? of interest|Competing interests?|Disclosures?)(?: statements?)?: ", re.I)
_OTHER: Final = re.compile(r"(Publisher|Plain Language Summary|plain-language-summary): ?", re.IGNORECASE)
_EXCERPT: Final = re.compile(r"(?:Excerpt|Abstract)\s*\n")
_AUTHOR: Final = re.compile(
    r"[^\W\d_][\w.'’ʼ-]*(?: [\w.'’ʼ-]+){0,5} [A-Z][A-Za-z-]{0,4}(?: (?:Jr|Sr|[1-9](?:st|nd|rd|th)|I{2,3}|IV))?\.?"
)
_FOOTNOTES: Final = re.compile(r"\(#?\d*\)|\(\*\)")
_SMALL_WORDS: Final = frozenset("of and the for in on de la del der et du".split())


def sniff(head: str, name: str) -> bool:
    """Whether it starts with a numbered citation, and ids or addresses follow."""
    first, _, rest = head.lstrip("\ufeff\r\n\t ").replace("\r\n", "\n").partition("\n\n")
    return (
        _is_citation(first)
        and re.search(r"^(?:PMID: ?\d|DOI: ?10\.|Author information:)", rest, re.MULTILINE) is not None
    )


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The records of an abstract text export."""
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    records = _cut(_paragraphs(lines, options.max_record_bytes), options.max_record_bytes)
    return read_records(records, file, FORMAT, options.max_record_bytes, _article)


def _is_citation(paragraph: str) -> bool:
    """Whether a paragraph is `1. Journal. 2015 May;1(2):3-4. doi: …`."""
    return len(paragraph) < 1500 and _CITATION.match(paragraph) is not None


def _paragraphs(lines: Iterable[str], max_bytes: int) -> Iterator[tuple[int, LineRecord]]:
    """The paragraphs with the number of blank lines before each."""
    blanks, paragraph = 2, LineRecord()
    for line in lines:
        if line.strip():
            paragraph.add(line, max_bytes)
            continue
        if paragraph.size:
            yield blanks, paragraph
            blanks, paragraph = 0, LineRecord()
        blanks += 1
    if paragraph.size:
        yield blanks, paragraph


def _cut(paragraphs: Iterable[tuple[int, LineRecord]], max_bytes: int) -> Iterator[LineRecord]:
    """The records, each with its paragraphs as its lines.

    A citation begins a record after two blank lines. Where blank lines were squeezed it does so after the ids of the
    record before, if it has the next number: a numbered list in an abstract is neither.
    """
    record, number, closed = LineRecord(), 0, False
    for blanks, lines in paragraphs:
        paragraph = "\n".join(line.rstrip() for line in lines.lines)
        numbered = _NUMBERED.match(paragraph)
        if numbered and _is_citation(paragraph) and (blanks > 1 or (closed and int(numbered[1]) == number + 1)):
            if record.size:
                yield record
            record, number, closed = LineRecord(), int(numbered[1]), False
        closed = closed or _PMID.search(paragraph) is not None
        record.add(paragraph, max_bytes)
        if lines.too_long:
            record.size, record.too_long = max_bytes + 1, True
            record.lines.clear()
    if record.size:
        yield record


def _article(paragraphs: list[str], origin: Origin) -> Article:
    citation = _CITATION.match(paragraphs[0])
    if citation is None:
        raise BrokenRecord("The record does not start with a numbered citation", "Export it from PubMed again")
    if len(paragraphs) < 2 or _IDS.match(paragraphs[1]):
        raise BrokenRecord("The record has no title", "Export it from PubMed again")
    authors, rest = _take_authors([part for paragraph in paragraphs[2:] for part in _without_ids(paragraph)])
    parts = _Parts(rest)
    year, date = parse_date(citation["date"])
    pmid, pmcid = _PMID.search(parts.ids), _PMCID_LINE.search(parts.ids)
    language, other_language = parts.languages
    return Article.build(
        title=clean_title(paragraphs[1]),
        abstract=[part for text in parts.abstract for part in split_labels(text)],
        pmid=pmid[1] if pmid else "",
        pmcid=find_pmcid(pmcid[1]) if pmcid else "",
        doi=_doi(parts.ids, paragraphs[0]),
        origin=origin,
        other_abstracts=tuple(OtherAbstract(text, other_language, kind) for kind, text in parts.others),
        authors=tuple(authors),
        journal=fold_space(citation["journal"]).removeprefix("In: "),
        year=year,
        date=date,
        language=language,
    )


def _without_ids(paragraph: str) -> list[str]:
    """The paragraph, and apart from it the ids that follow it without a blank line."""
    ids = _IDS_AT_END.search(paragraph)
    return [paragraph[: ids.start()], ids[1]] if ids and ids.start() else [paragraph]


def _doi(ids: str, citation: str) -> str:
    found = _DOI_LINE.search(ids) or _CITED_DOI.search(citation)
    return find_doi(found[1]) if found else ""


def _take_authors(paragraphs: list[str]) -> tuple[list[str], list[str]]:
    """The authors and the other paragraphs.

    They stand before addresses or collaborators; without those, a paragraph of names is known by its form.
    """
    for number, paragraph in enumerate(paragraphs[:3]):
        if _LANGUAGE.fullmatch(paragraph.strip()):
            continue
        following = paragraphs[number + 1] if number + 1 < len(paragraphs) else ""
        before_addresses = _ADDRESSES.match(following) or _GROUP.match(following)
        if not _has_name(paragraph) and (before_addresses or _looks_like_authors(paragraph)):
            names = [fold_space(_FOOTNOTES.sub("", name)).strip(" .") for name in re.split(r"[,;]\s", paragraph)]
            return [name for name in names if name], paragraphs[:number] + paragraphs[number + 1 :]
        break
    return [], paragraphs


def _has_name(paragraph: str) -> bool:
    """Whether a paragraph's first words say what it is."""
    patterns = (_ADDRESSES, _GROUP, _REMARK, _IDS, _INTEREST, _OTHER, _LANGUAGE, _EXCERPT)
    return any(pattern.match(paragraph) for pattern in patterns)


def _looks_like_authors(paragraph: str) -> bool:
    """Whether most of it are names with initials, or it is the name of a group."""
    text = fold_space(_FOOTNOTES.sub("", paragraph))
    names = re.split(r"[,;] ", text)
    alike = sum(_AUTHOR.fullmatch(name) is not None for name in names)
    if alike * 2 > len(names):
        return True
    words = text.rstrip(".").split()
    return len(text) < 120 and len(words) > 1 and all(word[0].isupper() or word in _SMALL_WORDS for word in words)


class _Parts:
    """The paragraphs after the authors, told apart."""

    def __init__(self, paragraphs: list[str]) -> None:
        self.abstract: list[str] = []
        self.others: list[tuple[str, str]] = []
        self.languages: tuple[str, str] = ("", "")
        ids: list[str] = []
        for paragraph in paragraphs:
            if language := _LANGUAGE.fullmatch(paragraph.strip()):
                self.languages = _languages(language)
            elif other := _OTHER.match(paragraph):
                self.others.append((other[1], fold_space(paragraph[other.end() :])))
            elif _IDS.match(paragraph):
                ids.append(paragraph)
            elif not _has_name(paragraph) or _EXCERPT.match(paragraph):
                self._take_text(paragraph, closed=bool(ids))
        self.ids = "\n".join(ids)

    def _take_text(self, paragraph: str, *, closed: bool) -> None:
        """A paragraph of the abstract; what comes after the ids, and a copyright notice, is none."""
        if closed or (self.abstract and is_copyright_line(paragraph)) or _is_notice(paragraph):
            return
        heading = _EXCERPT.match(paragraph)
        if text := cut_copyright(paragraph[heading.end() :] if heading else paragraph):
            self.abstract.append(text)


def _is_notice(paragraph: str) -> bool:
    """Whether it starts as a copyright notice does, abstract or not."""
    return is_copyright_line(paragraph) and re.match(r"(?:Crown )?(?:Copyright|©|\([cC]\) ?\d)", paragraph) is not None


def _languages(match: re.Match[str]) -> tuple[str, str]:
    """The article's language and that of the publisher's abstract: `[Article in German; Abstract available in …]`."""
    articles = re.split(r",\s*|\s+and\s+", fold_space(match[1]))
    other = re.search(r"in\s+(\w+)", match[2] or "")
    return language_code(articles[0]), language_code(other[1]) if other else ""
