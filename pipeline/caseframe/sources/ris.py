"""RIS, as reference managers and databases export it: `TY  - JOUR` … `ER  -`.

The tags' use differs from exporter to exporter, so for each thing the candidates are tried in turn. An id counts as
PMID only where it is called one, comes from a PubMed address, or where the database is named as PubMed or MEDLINE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Origin, Record, fold_space
from caseframe.sources.abstracts import cut_copyright, split_labels
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmid, find_doi, find_pmcid, find_pmid
from caseframe.sources.languages import language_code
from caseframe.sources.records import cut_records, read_records
from caseframe.sources.titles import clean_title

FORMAT: Final = "ris"

_TAG: Final = re.compile(r"\ufeff?([A-Z][A-Z0-9]) {1,2}-(?: (.*)|\s*)$", re.DOTALL)
_TYPE_LINE: Final = re.compile(r"^TY {1,2}- ?[A-Z]{2,10}[ \t]*\r?$", re.MULTILINE)
_ID_TAGS: Final = ("AN", "ID", "C7", "C2", "C1", "M1", "M2", "N1", "U1", "U2", "U3", "UR", "L1", "L2", "L3", "LK")
_PUBMED: Final = re.compile(r"\b(?:pubmed|medline|nlm)\b", re.IGNORECASE)
_TITLES: Final = ("TI", "T1", "CT", "ST", "BT")
_JOURNALS: Final = ("JO", "JF", "T2", "JA", "J1", "J2")
_DATES: Final = ("DA", "PY", "Y1", "Y2")
_MARKUP: Final = re.compile(r"</?(?:i|b|p|em|sub|sup|strong|br|jats:\w+|h\d)\b[^<>]{0,80}>", re.IGNORECASE)
_TYPES: Final = {"JOUR": "Journal Article", "CASE": "Legal Case", "CHAP": "Book Chapter", "BOOK": "Book"}


def sniff(head: str, name: str) -> bool:
    """Whether a record opens with `TY  - `."""
    head = head.lstrip("\ufeff")
    first = _TYPE_LINE.search(head)
    return first is not None and len(head[: first.start()].strip()) < 200


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The records of a RIS file."""
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    records = (
        record
        for record in cut_records(lines, options.max_record_bytes, _Starts())
        if record.too_long or _is_record(record.lines)
    )
    return read_records(records, file, FORMAT, options.max_record_bytes, _article)


class _Starts:
    """Tells the first line of a record: `TY`, or any line after `ER`."""

    def __init__(self) -> None:
        self._ended = False

    def __call__(self, line: str) -> bool:
        tag = line.lstrip("\ufeff")[:4].rstrip()
        new = self._ended or line.lstrip("\ufeff").startswith(("TY  -", "TY -"))
        self._ended = line.startswith(("ER  -", "ER -")) and tag == "ER"
        return new


def _is_record(lines: list[str]) -> bool:
    """Whether there is a tag besides `ER`; a preface without tags is no record."""
    return any((match := _TAG.match(line)) is not None and match[1] != "ER" for line in lines)


def _article(lines: list[str], origin: Origin) -> Article:
    fields = _fields(lines)
    if "TY" not in fields:
        raise BrokenRecord("The record has no TY line", "Each record must start with TY  - and end with ER  -")
    title = _first(fields, _TITLES)
    year, date = _dated(fields)
    others = " ; ".join(value for tag in _ID_TAGS for value in fields.get(tag, ()))
    return Article.build(
        title=clean_title(title),
        abstract=split_labels(cut_copyright(_abstract(fields))),
        pmid=_pmid(fields, others),
        pmcid=find_pmcid(others),
        doi=find_doi(_first(fields, ("DO", "DI")) or _first_doi(fields)),
        origin=origin,
        vernacular_title=_vernacular(fields, title),
        authors=tuple(name for tag in ("AU", "A1") for name in fields.get(tag, ()) if name),
        journal=_first(fields, _JOURNALS if fields["TY"][0] != "CHAP" else ("T2", "BT")),
        year=year,
        date=date,
        language=language_code(re.split(r"[;,/]", _first(fields, ("LA",)))[0]),
        publication_types=_publication_types(fields),
        keywords=_keywords(fields),
    )


def _fields(lines: list[str]) -> dict[str, list[str]]:
    """The values of each tag; a line without a tag goes on with the value before it, as a line of its own."""
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if match := _TAG.match(line):
            found.append((match[1], [match[2] or ""]))
        elif found:
            found[-1][1].append(line.strip())
    fields: dict[str, list[str]] = {}
    for tag, parts in found:
        fields.setdefault(tag, []).append("\n".join(parts).strip())
    return fields


def _first(fields: dict[str, list[str]], tags: tuple[str, ...]) -> str:
    """The first value there is of these tags, in a line, without markup."""
    for tag in tags:
        for value in fields.get(tag, ()):
            if text := fold_space(_MARKUP.sub("", value)):
                return text
    return ""


def _abstract(fields: dict[str, list[str]]) -> str:
    for tag in ("AB", "N2"):
        if text := "\n".join(_MARKUP.sub(" ", value) for value in fields.get(tag, ())).strip():
            return text
    return ""


def _vernacular(fields: dict[str, list[str]], title: str) -> str:
    """`TT` is the translated title of a record whose title is in the original language."""
    translated = _first(fields, ("TT",))
    return translated if translated != title else ""


def _dated(fields: dict[str, list[str]]) -> tuple[int | None, str]:
    """The fullest date; `DA` may lack the year (`DA  - Aug 15`)."""
    found = [parse_date(value) for tag in _DATES[1:] for value in fields.get(tag, ())]
    years = [year for year, _ in found if year is not None]
    full = [parse_date(value) for value in fields.get("DA", ())]
    if years:
        found += [dated for dated in full if dated[0] == years[0]]
        found += [parse_date(f"{years[0]} {value}") for value in fields.get("DA", ()) if parse_date(value)[0] is None]
        found = [dated for dated in found if dated[0] == years[0]]
    return max(found or full, key=lambda dated: len(dated[1]), default=(None, ""))


def _pmid(fields: dict[str, list[str]], others: str) -> str:
    """A PMID that is called so, or the accession number of a record from PubMed."""
    if pmid := find_pmid(others):
        return pmid
    databases = " ".join(value for tag in ("DB", "DP", "N1") for value in fields.get(tag, ()))
    if _PUBMED.search(databases):
        return next(
            (pmid for tag in ("AN", "ID", "C7") for value in fields.get(tag, ()) if (pmid := clean_pmid(value))), ""
        )
    return ""


def _first_doi(fields: dict[str, list[str]]) -> str:
    """A DOI that stands elsewhere: type of work, address, notes."""
    tags = ("M3", "UR", "L3", "LK", "ID", "N1", "AN")
    return next((doi for tag in tags for value in fields.get(tag, ()) if (doi := find_doi(value))), "")


def _publication_types(fields: dict[str, list[str]]) -> tuple[str, ...]:
    """`M3` where it tells the type of work, else what `TY` stands for."""
    told = [
        fold_space(part) for value in fields.get("M3", ()) if not find_doi(value) for part in re.split(r"[;\n]", value)
    ]
    return tuple(filter(None, told)) or tuple(filter(None, [_TYPES.get(fields["TY"][0], "")]))


def _keywords(fields: dict[str, list[str]]) -> tuple[str, ...]:
    parts = (part for value in fields.get("KW", ()) for part in re.split(r"[;\n]", value))
    return tuple(dict.fromkeys(keyword for part in parts if (keyword := fold_space(part).lstrip("*"))))
