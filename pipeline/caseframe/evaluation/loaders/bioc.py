"""BioC, as XML and as JSON: the passages of a document with their annotations.

Passages stand in the text where their offsets say, gaps filled with white space. Annotations of several locations are
discontinuous; their label is the infon `type`. The first passage is the title where its own type says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lxml import etree

from caseframe.errors import SourceError
from caseframe.evaluation.loaders.base import Annotation, Document, Fragments, exact_article, flaw, malformed
from caseframe.evaluation.reading import gold_error, open_parts
from caseframe.schema import Origin
from caseframe.sources.base import HEAD_BYTES, MAX_RECORD_BYTES, decode
from caseframe.sources.bioc_format import FORMAT, is_json, json_document, json_documents, xml_documents
from caseframe.sources.opening import Part
from caseframe.sources.records import too_long
from caseframe.sources.xml import parse

MOVED: Final = "passages whose offsets overlap, set one after the other"
RELATIVE: Final = "offsets counted from the start of the passage"
_MAX_GAP: Final = 1 << 16
_CURE: Final = "Look whether this is BioC, and mend the document"

Value = Mapping[str, Any]
"""A document, passage, sentence or annotation in the shape that BioC JSON has."""


@dataclass(frozen=True, slots=True)
class _Mention:
    """An annotation element. `base` is the offset of the passage or sentence that holds it."""

    label: str
    locations: tuple[tuple[int, int], ...]
    """Offset and length."""
    words: str | None
    base: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """A passage, or a sentence of one that gives its text by sentences."""

    offset: int
    text: str
    between: str
    """What parts it from the unit before."""
    mentions: tuple[_Mention, ...]


@dataclass(slots=True)
class _Text:
    """A text that grows unit by unit."""

    text: str = ""
    moved: int = 0
    placed: list[tuple[_Mention, int]] = field(default_factory=list)
    """Mentions, each with what is to be added to its offsets."""

    def add(self, unit: _Unit, at: str) -> None:
        """Sets a unit where its offset says, or, where that is taken, after what is there.

        Raises GoldError for an offset far behind the end, which would fill the memory.
        """
        gap = unit.offset - len(self.text)
        if gap > _MAX_GAP:
            raise malformed(at, f"the offset {unit.offset} leaves a gap of {gap:,} characters", _CURE)
        if unit.text:
            self.moved += gap < 0
            filling = unit.between if self.text and gap else ""
            self.text += filling.ljust(gap) + unit.text
        shift = len(self.text) - len(unit.text) - unit.offset if unit.text else 0
        self.placed.extend((mention, shift) for mention in unit.mentions)


def read(paths: Sequence[Path]) -> Iterator[Document]:
    """The documents of BioC files.

    Raises GoldError for a document that is broken or too long, and for offsets that are no numbers.
    """
    for part in open_parts(paths):
        try:
            for number, value in enumerate(_values(part), start=1):
                yield _document(value, Origin(part.name, number, FORMAT), f"{part.name}, document {number}")
        except SourceError as error:
            raise gold_error(part.name, error) from error


def _values(part: Part) -> Iterator[Value]:
    head = decode(part.stream.peek(HEAD_BYTES)[:HEAD_BYTES])
    if not is_json(head):
        for record in xml_documents(part.stream, MAX_RECORD_BYTES):
            yield _from_xml(parse(record))
        return
    for raw in json_documents(part.stream, head, MAX_RECORD_BYTES):
        if raw.too_long:
            raise too_long(MAX_RECORD_BYTES)
        yield json_document(raw)


def _from_xml(element: etree._Element) -> Value:
    """An element in the shape of BioC JSON."""
    value: dict[str, Any] = {
        "id": element.findtext("id") or "",
        "infons": {infon.get("key", ""): infon.text or "" for infon in element.iterfind("infon")},
        "locations": [dict(location.attrib) for location in element.iterfind("location")],
    }
    for tag in ("passage", "sentence", "annotation"):
        value[f"{tag}s"] = [_from_xml(part) for part in element.iterfind(tag)]
    for tag in ("offset", "text"):
        found = element.find(tag)
        if found is not None:
            value[tag] = found.text or ""
    return value


def _document(value: Value, origin: Origin, at: str) -> Document:
    text = _Text()
    passages = _list(value, "passages", at)
    for passage in passages:
        for unit in _units(passage, at):
            text.add(unit, at)
    text.placed.extend((mention, 0) for mention in _mentions(value, 0, at))
    article = exact_article(
        str(value.get("id") or ""), text.text, origin, titled=bool(passages) and _is_title(passages[0])
    )
    annotations = tuple(_annotation(article.text, mention, shift, origin) for mention, shift in text.placed)
    return Document(article, annotations, {MOVED: text.moved} if text.moved else {})


def _is_title(passage: Value) -> bool:
    infons = _infons(passage)
    kinds = f"{infons.get('type', '')} {infons.get('section_type', '')}".casefold().split()
    return "title" in kinds or "front" in kinds


def _units(passage: Value, at: str) -> Iterator[_Unit]:
    offset = _number(passage.get("offset"), "offset of a passage", at)
    sentences = _list(passage, "sentences", at)
    text = _words(passage, at) or ""
    if text or not sentences:
        inner = [_mentions(part, _number(part.get("offset"), "offset of a sentence", at), at) for part in sentences]
        yield _Unit(offset, text, "\n", sum(inner, _mentions(passage, offset, at)))
        return
    for nth, part in enumerate(sentences):
        start = _number(part.get("offset"), "offset of a sentence", at)
        own = _mentions(passage, offset, at) if nth == 0 else ()
        yield _Unit(start, _words(part, at) or "", " " if nth else "\n", own + _mentions(part, start, at))


def _mentions(value: Value, base: int, at: str) -> tuple[_Mention, ...]:
    return tuple(
        _Mention(str(_infons(item).get("type", "")).strip(), _locations(item, at), _words(item, at), base)
        for item in _list(value, "annotations", at)
    )


def _locations(annotation: Value, at: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        (
            _number(location.get("offset"), "offset of an annotation", at),
            _number(location.get("length"), "length of an annotation", at),
        )
        for location in _list(annotation, "locations", at)
    )


def _annotation(text: str, mention: _Mention, shift: int, origin: Origin) -> Annotation:
    """The annotation at its offsets in the document or, where only those fit, in its passage."""
    given = Annotation(mention.label, _fragments(mention, shift), origin, mention.words)
    if mention.words is None or not flaw(text, given):
        return given
    relative = Annotation(mention.label, _fragments(mention, shift + mention.base), origin, mention.words, RELATIVE)
    return given if flaw(text, relative) else relative


def _fragments(mention: _Mention, shift: int) -> Fragments:
    return tuple((offset + shift, offset + shift + length) for offset, length in mention.locations)


def _infons(value: Value) -> Mapping[str, Any]:
    infons = value.get("infons")
    return infons if isinstance(infons, dict) else {}


def _words(value: Value, at: str) -> str | None:
    text = value.get("text")
    if text is not None and not isinstance(text, str):
        raise malformed(at, f"a text is {text!r}"[:200], _CURE)
    return text


def _list(value: Value, key: str, at: str) -> list[Value]:
    found = value.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise malformed(at, f"`{key}` is no list of objects", _CURE)
    return found


def _number(value: object, what: str, at: str) -> int:
    """A whole number, given as such or as text."""
    text = str(value).strip()
    if isinstance(value, bool) or len(text) > 9 or not (text.isascii() and text.removeprefix("-").isdigit()):
        raise malformed(at, f"the {what} is {value!r}"[:200], _CURE)
    return int(text)
