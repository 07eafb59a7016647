"""Text saved or copied from PubMed's page of an article.

Two shapes are known. The saved page starts with the title, `- PMID:`, `- PMCID:` and `- DOI:` lines and the title
again. The page copied from a browser starts with the journal, a line `. 2017 Mar;58(2):…`, title, authors, addresses
and a line `PMID: … PMCID: … DOI: …`. After that both have headings: only what stands under "Abstract" is text;
references, figures, links and the page's buttons are none. A file may hold several pages one after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, MeshHeading, Origin, OtherAbstract, Record, fold_space
from caseframe.sources.abstracts import cut_copyright, is_copyright_line, split_labels
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import find_doi, find_pmcid
from caseframe.sources.languages import language_code
from caseframe.sources.medline import mesh_heading
from caseframe.sources.records import LineRecord, read_records
from caseframe.sources.titles import clean_title

FORMAT: Final = "pubmed_page"

_ID_BULLET: Final = re.compile(r"[-•*] *(?:PMID|PMCID|DOI): *\S+")
_PMID_BULLET: Final = re.compile(r"[-•*] *PMID: *\d+$")
_PMID_LINE: Final = re.compile(r"(?:[-•*] *)?PMID: *(\d{1,9})(?=\s|$)(?! *[.;,])")
_PMCID_LINE: Final = re.compile(r"(?:^|\s)PMCID: *(PMC\d+)", re.MULTILINE)
_DOI_LINE: Final = re.compile(r"(?:^|\s|[-•*] )DOI: *(10\.\S+)", re.MULTILINE | re.IGNORECASE)
_CITATION: Final = re.compile(
    r"(?P<journal>[^.]{0,120}?)\. *(?P<date>(?:1[5-9]|20)\d\d\b[^;:]*)[;:.].*?(?:doi|;|:|Online)", re.I
)
_DOTTED_CITATION: Final = re.compile(r"\. *(?:1[5-9]|20)\d\d\b.*[;:]")
_LANGUAGE: Final = re.compile(r"\[?Article in ([A-Z][a-z]+)")
_SIDE_NUMBERS: Final = re.compile(r"(?:\s*[\d*#†‡§¶]+(?=[\s,;]|$))+")
_OTHER_LANGUAGE: Final = re.compile(r"\b(?:in|available in)\s+([A-Z][a-z]+)\b")

_TYPES: Final = frozenset(
    """
    case reports|review|editorial|letter|comment|clinical trial|randomized controlled trial|meta-analysis|
    systematic review|observational study|comparative study|multicenter study|practice guideline|guideline|news|
    historical article|biography|published erratum|retracted publication|evaluation study|validation study|
    video-audio media
    """.replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_FURNITURE: Final = re.compile(
    r"(?:free (?:pmc )?article|expand|collapse|affiliations? (?:expand|collapse)|actions?|"
    r"search in (?:pubmed|mesh|nlm catalog)|add to search|item in clipboard|display options|format|"
    r"abstract pubmed pmid|share|permalink|copy|cite|save|email|"
    r"send to|favorites|collections|full text links?|page navigation|title & authors|see all .*|show (?:more|all).*|"
    r"see more .*|no linked .*|pubmed|similar articles in pubmed|-|•|\W*)",
    re.IGNORECASE,
)
_ABSTRACT: Final = re.compile(r"abstract(?: in english)?:?", re.IGNORECASE)
_NO_ABSTRACT: Final = re.compile(r"no abstract (?:is )?available\.?", re.IGNORECASE)
_KEYWORDS: Final = re.compile(r"(?:key ?words?|author keywords)\s*: *(.*)", re.IGNORECASE)
_OTHER_ABSTRACT: Final = re.compile(
    r"(plain language summary|(?:publisher )?abstract (?:available )?in (?!english)[A-Za-z]+(?: .*)?)", re.IGNORECASE
)
_HEADINGS: Final = {
    "affiliations": "addresses",
    "affiliation": "addresses",
    "author information": "addresses",
    "collaborators": "addresses",
    "contributors": "addresses",
    "publication types": "types",
    "publication type": "types",
    "mesh terms": "mesh",
    **dict.fromkeys(
        """
        conflict of interest statement|conflict of interest|conflicts of interest|figures|figure|references|substances|
        supplementary concepts|grants and funding|grant support|linkout - more resources|full text sources|
        other literature sources|medical|research materials|miscellaneous|molecular biology databases|similar articles|
        cited by|related information|comment in|comment on|erratum in|erratum for|update in|update of|retraction in|
        retraction of|republished in|republished from|associated data|supplementary info|summary for patients in|
        personal name as subject|secondary source id|full text links|patient summary in|expression of concern in|cites|
        supplementary information|publication history|related links
        """.replace("\n", "")
        .replace("        ", "")
        .split("|"),
        "other",
    ),
}


def sniff(head: str, name: str) -> bool:
    """Whether ids stand in a list under a title, or an id line comes before "Abstract"."""
    lines = [line.strip() for line in head.lstrip("\ufeff").splitlines() if line.strip()]
    for number, line in enumerate(lines[1:120], start=1):
        if _PMID_BULLET.match(line):
            return not _ID_BULLET.match(lines[0])
        if _PMID_LINE.match(line) and not line.startswith("PMID-"):
            # The abstract text export has its ids after the abstract and starts with a number.
            return not re.match(r"\d+[.:] ", lines[0]) and any(map(_is_abstract_mark, lines[number + 1 : number + 8]))
    return False


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The pages of a file."""
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    pages = _cut(lines, options.max_record_bytes)
    return read_records(pages, file, FORMAT, options.max_record_bytes, _article)


def _is_abstract_mark(line: str) -> bool:
    return bool(_ABSTRACT.fullmatch(line) or _NO_ABSTRACT.fullmatch(line))


def _cut(lines: Iterable[str], max_bytes: int) -> Iterator[LineRecord]:
    """The pages. A further one is noticed only at its second line or later, so its first lines are taken back."""
    page, has_ids, recent = LineRecord(), False, _Recent()
    for line in lines:
        text = line.replace("\ufeff", "").strip()
        begins = _PMID_BULLET.match(text) or _DOTTED_CITATION.match(text)
        if begins and has_ids and (taken := recent.header(by_journal=text.startswith("."))):
            # Of a page that is too long the lines are gone already.
            del page.lines[len(page.lines) - len(taken) :]
            if not page.blank:
                yield page
            page, has_ids = LineRecord(), False
            for earlier in taken:
                page.add(earlier, max_bytes)
        has_ids = has_ids or _PMID_LINE.match(text) is not None
        page.add(text, max_bytes)
        recent.add(text)
    if not page.blank:
        yield page


class _Recent:
    """The last lines, blank ones included."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        self._lines = [*self._lines[-7:], line]

    def header(self, *, by_journal: bool) -> list[str]:
        """The lines at the end that begin the next page: its title, or its journal with the type of article."""
        number = len(self._lines) - 1
        while number >= 0 and not self._lines[number]:
            number -= 1
        if number < 0 or self._lines[number] in {"-", "•"} or _ID_BULLET.match(self._lines[number]):
            return []
        before = [place for place in range(number) if self._lines[place]]
        if by_journal and before and self._lines[before[-1]].casefold() in _TYPES:
            number = before[-1]
        return self._lines[number:]


def _article(lines: list[str], origin: Origin) -> Article:
    lines = [line for line in lines if line]
    place = next((number for number, line in enumerate(lines) if _PMID_LINE.match(line)), None)
    if place is None:
        raise BrokenRecord("The page has no PMID line", "Save the article's page from PubMed again")
    ids = "\n".join(
        [lines[place], *(line for line in lines[place + 1 : place + 4] if re.match(r"\W*(?:PMCID|DOI):", line))]
    )
    header = _Header(lines[:place])
    body = _Body(lines[place + 1 :], header.title)
    # Pages that were put together without a line end between them have the last line of one before the next's title.
    title = body.title if body.title and header.title.endswith(body.title) else header.title
    pmid, pmcid, doi = _PMID_LINE.match(lines[place]), _PMCID_LINE.search(ids), _DOI_LINE.search(ids)
    return Article.build(
        title=clean_title(title),
        abstract=split_labels("\n".join(body.abstract)),
        pmid=pmid[1] if pmid else "",
        pmcid=find_pmcid(pmcid[1]) if pmcid else "",
        doi=find_doi(doi[1]) if doi else find_doi(header.citation),
        origin=origin,
        other_abstracts=body.others,
        authors=tuple(header.authors),
        journal=header.journal,
        year=header.date[0],
        date=header.date[1],
        language=header.language or body.language,
        publication_types=tuple(dict.fromkeys(body.types or header.types)),
        mesh=tuple(body.mesh),
        keywords=tuple(body.keywords),
    )


class _Header:
    """What stands before the ids."""

    def __init__(self, lines: list[str]) -> None:
        self.types: list[str] = []
        self.journal = self.citation = self.language = self.title = ""
        self.date: tuple[int | None, str] = (None, "")
        self.authors: list[str] = []
        lines = [line for line in lines if not _FURNITURE.fullmatch(line)]
        while lines and lines[0].casefold() in _TYPES:
            self.types.append(lines.pop(0))
        lines = self._take_citation(lines)
        if lines:
            self.title = lines.pop(0).removesuffix(" - PubMed")
        self._take_names(lines)

    def _take_citation(self, lines: list[str]) -> list[str]:
        """Journal and date, in one line or two; the lines after them."""
        for number, line in enumerate(lines[:3]):
            if _DOTTED_CITATION.match(line) and number:
                self.journal, self.citation = lines[number - 1], line
            elif (match := _CITATION.match(line)) and match["journal"] and number == 0:
                self.journal, self.citation = match["journal"], line[len(match["journal"]) :]
            else:
                continue
            self.date = parse_date(re.split(r"[;:]", self.citation)[0])
            return lines[number + 1 :]
        return lines

    def _take_names(self, lines: list[str]) -> None:
        """The authors are the first line after the title that is no remark; addresses follow under their heading."""
        for line in lines:
            if language := _LANGUAGE.match(line):
                self.language = language_code(language[1])
            elif line.casefold().rstrip(":") in _HEADINGS:
                return
            elif not self.authors and line != self.title and not line.startswith("["):
                names = (fold_space(_SIDE_NUMBERS.sub("", name)).strip(" .") for name in re.split(r"[,;]", line))
                self.authors = [name for name in names if name]


class _Body:
    """What stands after the ids, by its headings."""

    def __init__(self, lines: list[str], title: str) -> None:
        self.abstract: list[str] = []
        self.keywords: list[str] = []
        self.types: list[str] = []
        self.mesh: list[MeshHeading] = []
        self.language = ""
        self._others: list[tuple[str, list[str]]] = []
        self._under = ""
        self._before_headings: list[str] = []
        for line in lines:
            if line != title and not self._is_mark(line):
                self._take(line)

    @property
    def title(self) -> str:
        """The title as it is repeated after the ids."""
        return self._before_headings[0] if self._before_headings else ""

    @property
    def others(self) -> tuple[OtherAbstract, ...]:
        """Plain-language summaries and abstracts in other languages."""
        return tuple(_other_abstract(heading, " ".join(lines)) for heading, lines in self._others if lines)

    def _is_mark(self, line: str) -> bool:
        """Whether the line is a heading or a button; a heading says what the next lines are."""
        if _ABSTRACT.fullmatch(line) and not self.abstract:
            self._under = "abstract"
        elif _NO_ABSTRACT.fullmatch(line):
            self._under = "other"
        elif keywords := _KEYWORDS.match(line):
            if self._under in {"abstract", "another", "other", ""} and not self.keywords:
                self.keywords = [word for part in keywords[1].split(";") if (word := part.strip().rstrip("."))]
            self._under = "other"
        elif heading := _HEADINGS.get(line.casefold().rstrip(":")):
            self._under = heading
        elif _OTHER_ABSTRACT.fullmatch(line) and self._under in {"abstract", "other"}:
            self._under = "another"
            self._others.append((line, []))
        else:
            return self._under != "abstract" and _FURNITURE.fullmatch(line) is not None
        return True

    def _take(self, line: str) -> None:
        """A line under its heading."""
        item = line.removeprefix("- ").removeprefix("• ")
        if self._under == "abstract":
            self._take_text(line)
        elif self._under == "types":
            self.types.append(item)
        elif self._under == "mesh":
            self.mesh.append(mesh_heading(item))
        elif self._under == "another":
            self._others[-1][1].append(line)
        elif not self._under:
            if language := _LANGUAGE.match(line):
                self.language = language_code(language[1])
            elif not _ID_BULLET.match(line):
                self._before_headings.append(line)

    def _take_text(self, line: str) -> None:
        """A line of the abstract; a copyright notice ends it."""
        if self.abstract and is_copyright_line(line) and not cut_copyright(f"X. {line}").removeprefix("X."):
            self._under = "other"
        elif text := cut_copyright(line):
            self.abstract.append(text)


def _other_abstract(heading: str, text: str) -> OtherAbstract:
    language = _OTHER_LANGUAGE.search(heading)
    return OtherAbstract(fold_space(text), language_code(language[1]) if language else "", heading)
