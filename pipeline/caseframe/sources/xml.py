"""Hardened XML for untrusted files: records are cut out of the byte stream and each is parsed alone.

Cutting first keeps memory flat, and broken markup costs only the record it stands in. The document type declaration
is passed over with all its entities, so nothing in it can be expanded or fetched. Comments, CDATA sections and several
documents in one file are honoured, and so is XML that somebody saved as one JSON string.
"""

from __future__ import annotations

import codecs
import html.entities
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Final, Literal

from lxml import etree

from caseframe.errors import BrokenFile, BrokenRecord
from caseframe.schema import fold_space
from caseframe.sources.base import chunks, decode

Flaw = Literal["", "too long", "cut off"]

_TAIL: Final = 512
"""Bytes kept when nothing was found, longer than any tag looked for, so that one cut in two is found whole later."""
_HEAD: Final = 4096
_DOCTYPE_BYTES: Final = 1 << 20
_QUOTED: Final = rb"\"[^\"]*+\"|'[^']*+'"
_DOCTYPE: Final = re.compile(
    rb"<!DOCTYPE(?>[^\[>\"']|%(quoted)b)*+"
    rb"(?:\[(?>[^\]\"'<]|%(quoted)b|<!--(?>.*?-->)|<(?!!--))*+\]\s*+)?+>" % {b"quoted": _QUOTED},
    re.DOTALL,
)
_ENCODING: Final = re.compile(rb"encoding\s*=\s*\\?[\"']([A-Za-z][\w.-]*)")
_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_PREFIX: Final = re.compile(r"(?:</?|\s)([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*(?=[\s=/>])")
_NAMES: Final = re.compile(r"\w[\w-]*(?:/\w[\w-]*)*")
_XML_ENTITIES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    huge_tree=False,
    load_dtd=False,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The bytes of one record; of one that is too long only the beginning."""

    tag: str
    raw: bytes
    encoding: str | None = None
    flaw: Flaw = ""


class RecordCutter:
    """Cuts the elements called `tags` out of XML bytes, holding one at a time and of that at most `max_bytes`.

    An opening tag inside a record means that the end of that record is lost, and the next one starts there. Only the
    `inner` tags may stand inside others: they are records where no record is open (a bare `MedlineCitation`).
    `sets` are the elements around the records.
    """

    def __init__(
        self, tags: Collection[str], sets: Collection[str], max_bytes: int, inner: Collection[str] = ()
    ) -> None:
        self._outside = re.compile(
            rb"<(?:(?P<comment>!--)|(?P<doctype>!DOCTYPE)|(?P<prolog>\?xml\s[^>]{0,200}\?>)|(?P<set>/?%b(?!\s*/>))|(?P<record>%b))"
            % (_names(sets), _names(tags))
        )
        rivals = {tag: [other for other in tags if other == tag or other not in inner] for tag in tags}
        ends = {tag: rb"/(?:[\w.-]+:)?%b\s*>" % re.escape(tag.encode()) for tag in tags}
        nexts = {tag: rb"%b|/?%b" % (_names(rivals[tag]), _names(sets)) for tag in tags}
        self._end = {tag: re.compile(rb"<(?:(?P<end>%b)|(?:%b))" % (ends[tag], nexts[tag])) for tag in tags}
        self._token = {
            tag: re.compile(
                rb"<(?:(?P<end>%b)|(?P<comment>!--)|(?P<cdata>!\[CDATA\[)|(?:%b))" % (ends[tag], nexts[tag])
            )
            for tag in tags
        }
        self._end_and_next = {tag: re.compile(rb"<%b\s*<(?:%b)" % (ends[tag], nexts[tag])) for tag in tags}
        # Most records are plain: the first end tag is theirs if none of the doubtful marks comes before it.
        self._plain_end = {tag: f"</{tag}>".encode() for tag in tags}
        self._doubt = {tag: re.compile(rb"<(?:!|%b|/(?:%b))" % (_any_of(rivals[tag]), _any_of(sets))) for tag in tags}
        self._max_bytes = max_bytes

    def cut(self, stream: BinaryIO) -> Iterator[RawRecord]:
        """The records of the stream.

        Raises `BrokenFile` at the end where a set of records was opened and never closed.
        """
        window = _Window(_narrow(chunks(stream)))
        json_string = window.starts_with(b'"')
        encoding: str | None = None
        depth = 0
        ends_inside = False
        while match := self._next(window):
            # The groups are read first: they are views of the window.
            if name := match["record"]:
                tag = name.decode().rpartition(":")[2]
                window.drop(match.start())
                raw, flaw = self._take(window, tag)
                if json_string and not flaw:
                    raw, flaw = _from_json(raw)
                yield RawRecord(tag, raw, encoding, flaw)
                ends_inside = flaw == "cut off" and not window.buffer
            elif match["set"]:
                depth += -1 if match["set"].startswith(b"/") else 1
                window.drop(match.end())
            else:
                encoding = _declared(match["prolog"])
                window.drop(match.end())
        if depth > 0 and not ends_inside:
            raise BrokenFile(
                "The file ends before its closing tag", "Fetch it again: what comes before the end is read"
            )

    def _next(self, window: _Window) -> re.Match[bytes] | None:
        """The next start of a record, start or end of a set, or prolog."""
        while True:
            match = self._outside.search(window.buffer)
            if match is None:
                window.drop(max(0, len(window.buffer) - _TAIL))
                if not window.more():
                    return None
            elif match["comment"]:
                window.drop(match.end())
                window.drop_through(b"-->")
            elif match["doctype"]:
                window.drop(match.start())
                _drop_doctype(window)
            else:
                return match

    def _take(self, window: _Window, tag: str) -> tuple[bytes, Flaw]:
        """Takes the record at the start of the window."""
        end = self._plain_end[tag]
        seen = 0
        while (found := window.buffer.find(end, seen)) < 0 and len(window.buffer) <= self._max_bytes:
            seen = max(0, len(window.buffer) - len(end))
            if not window.more():
                break
        stop = found + len(end)
        if found >= 0 and stop <= self._max_bytes and not self._doubt[tag].search(window.buffer, 1, stop):
            return window.take(stop), ""
        return self._take_slowly(window, tag)

    def _take_slowly(self, window: _Window, tag: str) -> tuple[bytes, Flaw]:
        """Takes the record at the start of the window, looking at every tag that may matter."""
        position = 1
        while position <= self._max_bytes:
            match = self._token[tag].search(window.buffer, position)
            if match is None:
                position = max(position, len(window.buffer) - _TAIL)
                if len(window.buffer) > self._max_bytes:
                    break
                if not window.more():
                    return window.take(len(window.buffer)), "cut off"
            elif match["end"]:
                if match.end() > self._max_bytes:
                    break
                return window.take(match.end()), ""
            elif match["comment"] or match["cdata"]:
                closed = self._close(window, tag, b"-->" if match["comment"] else b"]]>", match.end())
                if closed is None:
                    break
                position = closed
            else:
                return window.take(match.start()), "cut off"
        return self._pass_over(window, tag)

    def _close(self, window: _Window, tag: str, mark: bytes, start: int) -> int | None:
        """Where the comment or CDATA section opened before `start` closes; None where it does not within the record.

        It is taken not to reach over the end of this record and the start of the next.
        """
        position = start
        while True:
            closed = window.buffer.find(mark, position)
            stop = closed if closed >= 0 else len(window.buffer)
            if self._end_and_next[tag].search(window.buffer, position, stop):
                return None
            if closed >= 0:
                return closed + len(mark)
            position = max(start, len(window.buffer) - _TAIL)
            if len(window.buffer) > self._max_bytes or not window.more():
                return None

    def _pass_over(self, window: _Window, tag: str) -> tuple[bytes, Flaw]:
        """Passes over a record that is too long or holds an unclosed comment; returns its beginning."""
        head = bytes(window.buffer[:_HEAD])
        passed, position = 0, 1
        while (match := self._end[tag].search(window.buffer, position)) is None:
            surplus = max(1, len(window.buffer) - _TAIL)
            passed += surplus
            window.drop(surplus)
            position = 0
            if not window.more():
                window.drop(len(window.buffer))
                return head, "too long" if passed + _TAIL > self._max_bytes else "cut off"
        stop = match.end() if match["end"] else match.start()
        window.drop(stop)
        return head, "too long" if passed + stop > self._max_bytes else "cut off"


class _Window:
    """The part of a byte stream that is looked at."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.buffer = bytearray()
        self._pieces = pieces

    def starts_with(self, mark: bytes) -> bool:
        """Whether this is what comes first, but for white space."""
        while not (start := self.buffer[:_TAIL].lstrip(b"\xef\xbb\xbf \r\n\t")):
            if len(self.buffer) >= _TAIL or not self.more():
                break
        return start.startswith(mark)

    def more(self) -> bool:
        """Takes in the next piece; False at the end."""
        piece = next(self._pieces, b"")
        self.buffer += piece
        return bool(piece)

    def drop(self, count: int) -> None:
        """Lets go of the first bytes."""
        del self.buffer[:count]

    def take(self, count: int) -> bytes:
        """Lets go of the first bytes and returns them."""
        taken = bytes(self.buffer[:count])
        self.drop(count)
        return taken

    def drop_through(self, mark: bytes) -> None:
        """Lets go of all up to the end of `mark`.

        Raises `BrokenFile` where it does not come.
        """
        while (found := self.buffer.find(mark)) < 0:
            self.drop(max(0, len(self.buffer) - len(mark)))
            if not self.more():
                raise BrokenFile("A comment between the records is never closed", "Close it, or fetch the file again")
        self.drop(found + len(mark))


def _names(tags: Iterable[str]) -> bytes:
    """A pattern of any of the element names, with or without a prefix."""
    return rb"(?:[\w.-]+:)?(?:%b)(?=[\s>])" % _any_of(tags)


def _any_of(names: Iterable[str]) -> bytes:
    return b"|".join(re.escape(name.encode()) for name in names)


def _drop_doctype(window: _Window) -> None:
    """Passes over the declaration with its internal subset, whatever that holds.

    One without an end is not waited for: the search for records goes on behind its first word.
    """
    while (match := _DOCTYPE.match(window.buffer)) is None:
        if len(window.buffer) > _DOCTYPE_BYTES or not window.more():
            window.drop(len(b"<!DOCTYPE"))
            return
    window.drop(match.end())


def _declared(prolog: bytes) -> str | None:
    """The encoding that a prolog names, where the bytes can be in it."""
    found = _ENCODING.search(prolog)
    if not found:
        return None
    try:
        name = codecs.lookup(found[1].decode()).name
    except LookupError:
        return None
    # A prolog that can be read as ASCII is not in a wide encoding, whatever it says; `_narrow` has seen to those.
    return None if name.startswith(("utf-", "utf_", "ascii")) else name


def _narrow(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """UTF-16 and UTF-32, with a byte order mark or without, as UTF-8; everything else as it is."""
    first = next(pieces, b"")
    while len(first) < 4 and (piece := next(pieces, b"")):
        first += piece
    wide = _wide_encoding(first[:4])
    if wide is None:
        yield first
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(wide)("replace")
    yield decoder.decode(first).encode()
    for piece in pieces:
        # A piece may hold only a part of a character; an empty piece would read as the end.
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "replace")


def _wide_encoding(start: bytes) -> str | None:
    """The wide encoding that XML with these first bytes is in."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return {b"<\0\0\0": "utf-32-le", b"\0\0\0<": "utf-32-be"}.get(start) or {
        b"<\0": "utf-16-le",
        b"\0<": "utf-16-be",
    }.get(start[:2])


def _from_json(raw: bytes) -> tuple[bytes, Flaw]:
    """A record out of a JSON string, its escapes undone."""
    try:
        return str(json.loads(b'"%b"' % raw, strict=False)).encode("utf-8", "replace"), ""
    except ValueError:
        return raw, "cut off"


def parse(record: RawRecord) -> etree._Element:
    """The element of a record, its names without namespaces. HTML's named entities are understood.

    Raises `BrokenRecord` with the parser's reason where the markup is broken.
    """
    if record.flaw == "too long":
        raise BrokenRecord(
            f"The <{record.tag}> is longer than a record may be",
            "Raise max_record_mib in the config if it is meant to be so long",
        )
    if record.flaw:
        raise BrokenRecord(f"The end of the <{record.tag}> is missing or hidden by an unclosed comment", _CURE)
    try:
        root = etree.fromstring(_source(record), _PARSER)
        return _plain_names(root) if root.nsmap or b"math" in record.raw else root
    except etree.XMLSyntaxError as error:
        reason = error
    except ValueError as error:
        raise BrokenRecord(f"The <{record.tag}> is no XML: {error}", _CURE) from error
    try:
        return _plain_names(etree.fromstring(_mended(record), _PARSER)[0])
    except (etree.XMLSyntaxError, ValueError, IndexError):
        raise BrokenRecord(f"The <{record.tag}> is broken XML: {_reason(reason)}", _CURE) from reason


_CURE: Final = "Mend the record or fetch it again; the other records of the file are read"


def _reason(error: etree.XMLSyntaxError) -> str:
    """The parser's message with the line counted in the record, without the name of a file there is not."""
    return re.sub(r"\s*\(<string>, line \d+\)$", "", str(error))[:300]


def _source(record: RawRecord) -> bytes | str:
    """What the parser is given: UTF-8 bytes as they are, else text.

    Bytes that are not UTF-8 although they should be are taken as Windows-1252, but only if no part of the record is
    UTF-8: a single bad byte must not spoil the other letters.
    """
    if record.encoding:
        return decode(record.raw, record.encoding)
    if record.raw.isascii():
        return record.raw
    lenient = record.raw.decode("utf-8", "replace")
    if "\ufffd" in lenient and all(character.isascii() or character == "\ufffd" for character in lenient):
        return decode(record.raw)
    return record.raw


def _mended(record: RawRecord) -> str:
    """The record with named entities of HTML written out and its undeclared prefixes declared, in a wrapper."""
    source = _source(record)
    # Undecodable bytes stay an error: as lone surrogates they are refused by the parser.
    text = source if isinstance(source, str) else source.decode("utf-8", "surrogateescape")
    text = _ENTITY.sub(_written_out, text)
    prefixes = sorted(set(_PREFIX.findall(text)) - {"xml", "xmlns"})
    declared = "".join(f' xmlns:{prefix}="undeclared:{prefix}"' for prefix in prefixes)
    return f"<wrapper{declared}>{text}</wrapper>"


def _written_out(entity: re.Match[str]) -> str:
    known = f"{entity[1]};"
    if entity[1] in _XML_ENTITIES or known not in html.entities.html5:
        return entity[0]
    return html.escape(html.entities.html5[known])


def _plain_names(root: etree._Element) -> etree._Element:
    """The tree with local names only."""
    for element in root.iter("{*}*" if root.nsmap else "{*}math"):
        for part in element.iter("{*}*") if element.tag.endswith("}math") else (element,):
            if "}" in part.tag:
                part.tag = local_name(part.tag)
    return root


def local_name(tag: str) -> str:
    """The name without namespace or prefix.

    >>> local_name("{http://www.w3.org/1998/Math/MathML}math")
    'math'
    """
    return tag.rpartition("}")[2].rpartition(":")[2]


def text_of(element: etree._Element | None, skip: Collection[str] = ()) -> str:
    """The text of an element without its markup, white space folded; `r<sup>2</sup>` is `r2`.

    What is inside the elements named in `skip` is left out. Formulas lose their annotations and inner white space.
    """
    if element is None:
        return ""
    if len(element) == 0:
        return fold_space(element.text or "")
    pieces: list[str] = []
    _collect(element, frozenset(skip), pieces)
    return fold_space("".join(pieces))


def _collect(element: etree._Element, skip: frozenset[str], pieces: list[str]) -> None:
    pieces.append(element.text or "")
    for child in element:
        tag = child.tag
        if tag == "math":
            pieces.append(formula(child))
        elif tag not in skip:
            _collect(child, skip, pieces)
        pieces.append(child.tail or "")


def formula(element: etree._Element) -> str:
    """The symbols of MathML in a row, fractions with a slash."""
    if element.tag in ("annotation", "annotation-xml"):
        return ""
    parts = [formula(child) for child in element]
    if not parts:
        return fold_space(element.text or "")
    return ("/" if element.tag == "mfrac" else "").join(part for part in parts if part)


def at(element: etree._Element | None, path: str) -> Iterable[etree._Element]:
    """The elements at a path, as `iterfind` gives them; names and slashes alone are followed much quicker."""
    if element is None:
        return ()
    steps = _steps(path)
    if not steps:
        return element.iterfind(path)
    found: Iterable[etree._Element] = element.iterchildren(steps[0])
    for step in steps[1:]:
        found = _below(found, step)
    return found


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")) if _NAMES.fullmatch(path) else ()


def _below(elements: Iterable[etree._Element], name: str) -> Iterator[etree._Element]:
    for element in elements:
        yield from element.iterchildren(name)


def texts(element: etree._Element | None, path: str) -> Iterator[str]:
    """The texts that are not empty of all elements at the path."""
    return filter(None, map(text_of, at(element, path)))


def first_text(element: etree._Element | None, *paths: str) -> str:
    """The first text that is not empty at one of the paths, tried in order."""
    for path in paths:
        for found in at(element, path):
            if text := text_of(found):
                return text
    return ""
