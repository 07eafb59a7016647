"""BioC, as XML and as JSON, document by document.

Titles and abstracts are told by the passages' `type` and `section_type`; tables, figures, references and what else
surrounds an article are left out, and the body is read only where it is asked for. The `bioc` package is not used for
reading: it expands entities and holds what it reads.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from lxml import etree

from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Origin, Record, fold_space
from caseframe.sources.abstracts import cut_copyright, split_labels
from caseframe.sources.base import HEAD_BYTES, ReadOptions, decode
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi, find_pmcid
from caseframe.sources.json_stream import ElementCutter, RawValue
from caseframe.sources.languages import language_code
from caseframe.sources.records import parsed, too_long
from caseframe.sources.titles import clean_title
from caseframe.sources.xml import RawRecord, RecordCutter, parse

FORMAT: Final = "bioc"

_COLLECTION: Final = re.compile(r"<(?:collection|document)[\s>]")
_COLLECTION_TYPE: Final = re.compile(r"<!DOCTYPE\s+collection\b|<collection[\s>]")
_PASSAGE: Final = re.compile(r"<(?:passage|infon|source|date|key)[\s>/]")
_JSON_START: Final = re.compile(r"[\ufeff\s]*[\[{]")
_JSON_DOCUMENTS: Final = re.compile(r'"(?:documents|PubTator3)"\s*:\s*\[')
_JSON_PASSAGES: Final = re.compile(r'"passages"\s*:\s*\[')

_TITLES: Final = frozenset({"title", "front", "article_title", "document_title"})
_HEADINGS: Final = re.compile(r"(?:.*_)?title(?:_\d+)?(?:_.*)?")
_LEFT_OUT: Final = re.compile(
    r"table|fig|ref|footnote|keyword|kwd|author|auth_cont|comp_int|ack|abbr|suppl|appendix|affil|copyright|funding|"
    r"review_info|journal|case_id|metadata|formula",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Passage:
    """The text of a passage with what is said of it."""

    text: str
    infons: Mapping[str, str]

    @property
    def type(self) -> str:
        return self.infons.get("type", "").strip().casefold().replace(" ", "_").replace("-", "_")

    @property
    def section(self) -> str:
        return self.infons.get("section_type", "").strip().casefold()


@dataclass(frozen=True, slots=True)
class _Document:
    """What a document holds, from whichever of the two forms."""

    id: str
    infons: Mapping[str, str]
    passages: tuple[_Passage, ...]


def sniff(head: str, name: str) -> bool:
    """Whether it is a BioC collection or document."""
    if _JSON_START.match(head):
        if _JSON_PASSAGES.search(head):
            return True
        return _JSON_DOCUMENTS.search(head) is not None and re.search(r'"(?:infons|source|date|key)"', head) is not None
    start = head.lstrip("\ufeff \t\r\n")
    return start.startswith("<") and bool(_COLLECTION_TYPE.search(head) or _lone_document(head)) and _is_bioc(head)


def _lone_document(head: str) -> bool:
    return _COLLECTION.search(head) is not None and "<passage" in head


def _is_bioc(head: str) -> bool:
    return _PASSAGE.search(head) is not None or "BioC" in head


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The documents of a BioC file."""
    peekable = stream if hasattr(stream, "peek") else io.BufferedReader(cast(io.RawIOBase, stream), HEAD_BYTES)
    head = decode(bytes(peekable.peek(HEAD_BYTES)[:HEAD_BYTES]))
    return _read_json(peekable, head, file, options) if is_json(head) else _read_xml(peekable, file, options)


def is_json(head: str) -> bool:
    """Whether a BioC file that starts so is JSON; else it is XML."""
    return _JSON_START.match(head) is not None


def xml_documents(stream: BinaryIO, max_bytes: int) -> Iterator[RawRecord]:
    """The documents of a BioC XML file, unparsed."""
    return RecordCutter(("document",), ("collection",), max_bytes).cut(stream)


def json_documents(stream: BinaryIO, head: str, max_bytes: int) -> Iterator[RawValue]:
    """The documents of a BioC JSON file, unparsed: in collections, in an array, or one after another.

    The last, a line each, is how PubTator sends them. `head` is the beginning of the file.
    """
    documents, passages = _JSON_DOCUMENTS.search(head), _JSON_PASSAGES.search(head)
    if documents and (not passages or documents.start() < passages.start()):
        return ElementCutter(max_bytes, {"documents", "PubTator3"}).cut(stream)
    return ElementCutter(max_bytes, top_level=not head.lstrip("\ufeff \t\r\n").startswith("[")).cut(stream)


def _read_xml(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    for number, raw in enumerate(xml_documents(stream, options.max_record_bytes), start=1):
        yield parsed(lambda raw, origin: _article(_from_xml(raw), origin, options), raw, Origin(file, number, FORMAT))


def _read_json(stream: BinaryIO, head: str, file: str, options: ReadOptions) -> Iterator[Record]:
    for number, raw in enumerate(json_documents(stream, head, options.max_record_bytes), start=1):
        origin = Origin(file, number, FORMAT)
        if raw.too_long:
            yield too_long(options.max_record_bytes).failure(origin)
        else:
            yield parsed(lambda raw, origin: _article(_from_json(raw), origin, options), raw, origin)


def _from_xml(raw: RawRecord) -> _Document:
    root = parse(raw)
    return _Document(
        root.findtext("id") or "", _infons(root), tuple(_passage(part) for part in root.iterfind("passage"))
    )


def _infons(element: etree._Element) -> dict[str, str]:
    return {infon.get("key", ""): infon.text or "" for infon in element.iterfind("infon")}


def _passage(element: etree._Element) -> _Passage:
    """A passage; its text may be given by sentences."""
    text = element.findtext("text")
    if text is None:
        text = " ".join(sentence.findtext("text") or "" for sentence in element.iterfind("sentence"))
    return _Passage(text, _infons(element))


def json_document(raw: RawValue) -> Mapping[str, Any]:
    """The value of a document in BioC JSON; its passages are a list.

    Raises `BrokenRecord` for what is no JSON or has no list of passages.
    """
    try:
        value = json.loads(decode(raw.raw))
    except RecursionError:
        raise BrokenRecord("The document is nested too deep", "Look at it in the file") from None
    except ValueError as error:
        raise BrokenRecord(f"The document is no JSON: {error}", "Mend it or fetch it again") from error
    if not isinstance(value, dict) or not isinstance(value.get("passages"), list):
        raise BrokenRecord("The document has no list of passages", "Look whether this is BioC")
    return value


def _from_json(raw: RawValue) -> _Document:
    value = json_document(raw)
    passages = tuple(_json_passage(part) for part in value["passages"] if isinstance(part, dict))
    infons = _json_infons(value)
    for key in ("pmid", "pmcid", "doi", "journal", "year", "date"):
        if isinstance(value.get(key), str | int):
            infons.setdefault(key, str(value[key]))
    return _Document(str(value.get("id") or value.get("_id") or ""), infons, passages)


def _json_infons(value: Mapping[str, object]) -> dict[str, str]:
    infons = value.get("infons")
    return {str(key): str(item) for key, item in infons.items()} if isinstance(infons, dict) else {}


def _json_passage(value: Mapping[str, object]) -> _Passage:
    text = value.get("text")
    if not isinstance(text, str) or not text:
        sentences = value.get("sentences")
        parts = sentences if isinstance(sentences, list) else []
        text = " ".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))
    return _Passage(text, _json_infons(value))


def _article(document: _Document, origin: Origin, options: ReadOptions) -> Article:
    infons = _all_infons(document)
    text = _Text(document.passages)
    identifier = document.id.strip()
    pmid = clean_pmid(infons.get("article-id_pmid") or infons.get("pmid", ""))
    pmcid = clean_pmcid(infons.get("article-id_pmc") or infons.get("pmcid") or infons.get("pmc", "")) or find_pmcid(
        identifier
    )
    if not pmid and not (pmcid and pmcid.removeprefix("PMC") == identifier):
        pmid = clean_pmid(identifier)
    doi = find_doi(infons.get("article-id_doi") or infons.get("doi") or identifier)
    year, date = _dated(infons)
    return Article.build(
        article_id="" if pmid or pmcid or doi else identifier,
        title=clean_title(text.title),
        abstract=text.abstract,
        body=text.body if options.body else (),
        pmid=pmid,
        pmcid=pmcid,
        doi=doi,
        origin=origin,
        authors=_authors(infons),
        journal=_journal(infons),
        year=year,
        date=date,
        language=language_code(infons.get("language", "")),
        publication_types=_items(infons.get("publication_types") or infons.get("article-type", "")),
        keywords=_items(infons.get("kwd") or infons.get("keywords", "")),
    )


def _all_infons(document: _Document) -> dict[str, str]:
    """What is said of the document and of its first passage, which carries the article's ids."""
    first = document.passages[0].infons if document.passages else {}
    return {**first, **document.infons}


class _Text:
    """The passages dealt to title, abstract and body; headings become labels."""

    def __init__(self, passages: tuple[_Passage, ...]) -> None:
        self.title = ""
        self.abstract: list[tuple[str, str]] = []
        self.body: list[tuple[str, str]] = []
        self._heading = {"abstract": "", "body": ""}
        for passage in passages:
            if fold_space(passage.text):
                self._deal(passage)

    def _deal(self, passage: _Passage) -> None:
        kind, section = passage.type, passage.section
        is_title = section == "title" or (kind in _TITLES and section in {"", "title", "front"})
        if is_title:
            self.title = self.title or fold_space(passage.text)
        elif section == "abstract" or (not section and "abstract" in kind):
            self._take("abstract", self.abstract, passage)
        elif not _LEFT_OUT.match(section) and not _LEFT_OUT.match(kind):
            self._take("body", self.body, passage)

    def _take(self, name: str, parts: list[tuple[str, str]], passage: _Passage) -> None:
        if _HEADINGS.fullmatch(passage.type):
            heading = fold_space(passage.text).rstrip(":")
            self._heading[name] = "" if heading.casefold() == "abstract" else heading
            return
        label = self._heading[name] or passage.infons.get("label", "")
        text = cut_copyright(passage.text) if name == "abstract" else passage.text
        parts.extend([(label, text)] if label or name == "body" else split_labels(text))


def _dated(infons: Mapping[str, str]) -> tuple[int | None, str]:
    year = parse_date(infons.get("year", ""))
    date = parse_date(infons.get("date") or infons.get("journal", ""))
    return date if date[0] and (year[0] is None or year[0] == date[0]) else year


def _journal(infons: Mapping[str, str]) -> str:
    """The journal; PubTator writes a whole citation in its place."""
    return fold_space(
        re.split(r"[;.] ?(?=(?:1[5-9]|20)\d\d\b)|;", infons.get("journal-title") or infons.get("journal", ""))[0]
    )


def _authors(infons: Mapping[str, str]) -> tuple[str, ...]:
    """`name_0: surname:Kim;given-names:Doyoung` of PMC, or a list of names."""
    names = []
    for key, value in infons.items():
        if re.fullmatch(r"name_\d+", key):
            parts = dict(part.partition(":")[::2] for part in value.split(";"))
            initials = "".join(word[0] for word in parts.get("given-names", "").replace("-", " ").split())
            names.append(fold_space(f"{parts.get('surname', '')} {initials}"))
    return tuple(name for name in names if name) or _items(infons.get("authors", ""), r"[,;]")


def _items(text: str, separator: str = r"[;|\n]") -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for part in re.split(separator, text) if (item := fold_space(part))))
