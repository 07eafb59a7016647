"""MEDLINE/NBIB, the tagged format that PubMed saves as `.nbib` or "PubMed" text.

A record starts with `PMID- `; a field's further lines are indented by six blanks. The abstract's sections stand inline
("METHODS: …") and become labelled sections; copyright notices at its end are cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, MeshHeading, Origin, OtherAbstract, Record, fold_space
from caseframe.sources.abstracts import cut_copyright, split_labels
from caseframe.sources.base import ReadOptions, decode_lines
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi
from caseframe.sources.languages import language_code
from caseframe.sources.records import cut_records, read_records
from caseframe.sources.titles import clean_title

FORMAT: Final = "medline"

_TAG: Final = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}- ?(?!-)(.*)", re.DOTALL)
_ONCE: Final = frozenset({"PMID", "OWN", "STAT", "TI"})
_RECORD: Final = re.compile(r"^PMID ?- ?\d+[ \t]*\r?$", re.MULTILINE)
_OTHER_TAG: Final = re.compile(r"^(?:OWN |STAT|TI  |DP  |AB  |AU  |FAU |SO  |JT  |TA  |BTI |LA  |PT  )- ", re.MULTILINE)
_NO_ABSTRACT: Final = re.compile(r"(?:Publisher: )?Abstract available from the publisher\.?", re.IGNORECASE)
_OTHER_KIND: Final = re.compile(r"(Publisher|AIDS|KIE|PIP|NASA|plain-language-summary): ?")


def sniff(head: str, name: str) -> bool:
    """Whether a line `PMID- …` is there and further tags after it."""
    head = head.lstrip("\ufeff")
    record = _RECORD.search(head)
    return record is not None and not head[: record.start()].strip() and bool(_OTHER_TAG.search(head, record.end()))


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The records of a MEDLINE file."""
    lines = decode_lines(stream, options.encoding, options.max_record_bytes)
    records = cut_records(lines, options.max_record_bytes, _Starts())
    return read_records(records, file, FORMAT, options.max_record_bytes, _article)


class _Starts:
    """Tells the first line of a record: its PMID, or, after a blank line, a tag again that a record has but once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._blank = False

    def __call__(self, line: str) -> bool:
        tag = line[:4].rstrip() if line[4:5] == "-" else ""
        if tag not in _ONCE:
            self._blank = self._blank or not line.strip()
            return False
        new = tag == "PMID" or (self._blank and tag in self._seen)
        if new:
            self._seen, self._blank = set(), False
        self._seen.add(tag)
        return new


def tagged_values(lines: list[str]) -> list[tuple[str, str]]:
    """The tags with their values in the order of the record, wrapped lines joined."""
    found: list[tuple[str, list[str]]] = []
    value: list[str] = []
    for line in lines:
        match = None if line.startswith(" ") else _TAG.match(line)
        if match:
            value = [match[2]]
            found.append((match[1], value))
        elif not line:
            # What stands behind a blank line belongs to no field, be it a broken tag.
            value = []
        else:
            value.append(line)
    return [(tag, fold_space(" ".join(parts))) for tag, parts in found]


def _article(lines: list[str], origin: Origin) -> Article:
    tagged = tagged_values(lines)
    if not tagged:
        raise BrokenRecord("No line of the record has a MEDLINE tag", "Save the citations anew in the PubMed format")
    fields: dict[str, list[str]] = {}
    for tag, value in tagged:
        fields.setdefault(tag, []).append(value)
    first = {tag: values[0] for tag, values in fields.items()}
    year, date = parse_date(first.get("DP") or first.get("DEP", ""))
    book = first.get("BTI", "")
    return Article.build(
        title=clean_title(first.get("TI") or book),
        abstract=split_labels(_main_abstract(fields)),
        pmid=clean_pmid(first.get("PMID", "")),
        pmcid=clean_pmcid(first.get("PMC", "")),
        doi=_doi(fields),
        origin=origin,
        vernacular_title=clean_title(first.get("TT", "")),
        other_abstracts=_other_abstracts(fields),
        authors=_authors(tagged),
        journal=first.get("JT") or first.get("TA") or (book if first.get("TI") else ""),
        year=year,
        date=date,
        language=next((code for value in fields.get("LA", ()) if (code := language_code(value))), ""),
        publication_types=tuple(fields.get("PT", ())),
        mesh=tuple(mesh_heading(value) for value in fields.get("MH", ()) if value.strip("*/ ")),
        keywords=tuple(keyword for value in fields.get("OT", ()) if (keyword := value.lstrip("*").strip())),
    )


def _main_abstract(fields: dict[str, list[str]]) -> str:
    text = " ".join(fields.get("AB", ()))
    for notice in fields.get("CI", ()):
        if notice:
            text = text.removesuffix(notice).rstrip()
    return cut_copyright(text)


def _other_abstracts(fields: dict[str, list[str]]) -> tuple[OtherAbstract, ...]:
    """`OAB` with the language that `OABL` gives it; the word that the publisher has one is none."""
    languages = fields.get("OABL", [])
    found = []
    for number, text in enumerate(fields.get("OAB", ())):
        if not text or _NO_ABSTRACT.fullmatch(text):
            continue
        language = language_code(languages[number]) if number < len(languages) else ""
        kind = _OTHER_KIND.match(text)
        found.append(OtherAbstract(text[kind.end() :] if kind else text, language, kind[1] if kind else ""))
    return tuple(found)


def _doi(fields: dict[str, list[str]]) -> str:
    """The DOI among the article's and location's ids."""
    for tag in ("LID", "AID"):
        for value in fields.get(tag, ()):
            if value.endswith("[doi]"):
                return find_doi(value.removesuffix("[doi]").rstrip())
    return ""


def _authors(tagged: list[tuple[str, str]]) -> tuple[str, ...]:
    """Persons (`AU`) and groups (`CN`) in the order of the record; `FAU` where there is no short form."""
    person = "AU" if any(tag == "AU" for tag, _ in tagged) else "FAU"
    return tuple(value for tag, value in tagged if tag in (person, "CN") and value)


def mesh_heading(text: str) -> MeshHeading:
    """A heading as MEDLINE writes it: `*Bone Neoplasms/surgery/*pathology`, or PubMed's page, `Sacrum / surgery*`.

    >>> mesh_heading("Bone Neoplasms/*surgery")
    MeshHeading(descriptor='Bone Neoplasms', ui='', major=True, qualifiers=('surgery',))
    """
    descriptor, *qualifiers = (part.replace("*", "").strip() for part in text.split("/"))
    return MeshHeading(descriptor, major="*" in text, qualifiers=tuple(filter(None, qualifiers)))
