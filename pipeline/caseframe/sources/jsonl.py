"""JSON Lines, an object a line, or one JSON array of objects; an object has the keys that tables have as columns.

Sections may be given as a list of texts or of `{"label": …, "text": …}`; a map may name a key inside of others by a
dotted path (`abstract=article.abstract`).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from caseframe.errors import BrokenRecord, MissingColumn
from caseframe.schema import Article, Origin, Record
from caseframe.sources import columns
from caseframe.sources.base import ReadOptions, decode, decode_lines
from caseframe.sources.json_stream import ElementCutter, RawValue
from caseframe.sources.records import parsed, too_long

FORMAT: Final = "jsonl"

_START: Final = re.compile(r"[\ufeff\s]*(?:\[\s*)?\{\s*(?:\"|\}|$)")
_FOREIGN: Final = re.compile(r'"(?:passages|documents|PubTator3)"\s*:\s*\[')
_LABELS: Final = ("label", "heading", "name", "title", "section", "type")
_TEXTS: Final = ("text", "content", "value", "abstract", "body")
_MAX_DEPTH_ERROR: Final = "The object is nested too deep"


def sniff(head: str, name: str) -> bool:
    """Whether it starts with an object or an array of them, and is not BioC."""
    if not _START.match(head) or _FOREIGN.search(head):
        return False
    keys = {columns.normal_name(key) for key in re.findall(r'"([^"\\]{1,60})"\s*:', head)}
    known = {name for names in (columns.NAMES[field] for field in columns.TEXTS) for name in names}
    return bool(keys & known) or PurePosixPath(name).suffix.lower() in {".jsonl", ".ndjson", ".json"}


def read(stream: BinaryIO, file: str, options: ReadOptions) -> Iterator[Record]:
    """The objects of the file.

    Raises `MissingColumn` at the end if no object had a mapped key, or any with text.
    """
    columns.check_attributes(options.columns)
    reader = _Objects(file, options)
    for number, raw in enumerate(_values(stream, options), start=options.first):
        yield reader.record(raw, Origin(file, number, FORMAT))
    reader.check()


def _values(stream: BinaryIO, options: ReadOptions) -> Iterator[RawValue]:
    """The values: of the lines, or of the array."""
    peekable = stream if hasattr(stream, "peek") else io.BufferedReader(cast(io.RawIOBase, stream))
    start = bytes(peekable.peek(64)[:64]).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"["):
        yield from ElementCutter(options.max_record_bytes).cut(peekable)
        return
    for line in decode_lines(peekable, options.encoding, options.max_record_bytes):
        if stripped := line.strip("\ufeff \t\r\n\x1e"):
            raw = stripped.encode("utf-8", "replace")
            long = len(raw) > options.max_record_bytes
            yield RawValue(b"" if long else raw, long)


class _Objects:
    """Makes articles of objects and remembers which mapped keys it has met."""

    def __init__(self, file: str, options: ReadOptions) -> None:
        self._file = file
        self._options = options
        self._missing = set(options.columns)
        self._seen: dict[str, None] = {}
        self._count = 0

    def record(self, raw: RawValue, origin: Origin) -> Record:
        """The article of a value, or the failure of it."""
        if raw.too_long:
            return too_long(self._options.max_record_bytes).failure(origin)
        return parsed(self._article, raw.raw, origin)

    def check(self) -> None:
        """Raises `MissingColumn` if a mapped key was in no object at all."""
        if self._count and self._missing:
            attribute = min(self._missing)
            here = ", ".join(self._seen) or "none"
            raise MissingColumn(
                f"{self._file} has no key {self._options.columns[attribute]!r} for the {attribute} in any object; "
                f"its keys are: {here}",
                "Correct the column map; a path into nested objects is written with dots",
            )

    def _article(self, raw: bytes, origin: Origin) -> Article:
        values = _object(raw)
        self._count += 1
        if len(self._seen) < 40:
            self._seen.update(dict.fromkeys(list(values)[:40]))
        found = self._mapped(values)
        if not columns.TEXTS & found.keys():
            raise BrokenRecord(
                f"The object has neither title nor abstract; its keys are: {', '.join(list(values)[:20]) or 'none'}",
                "Name the keys in the config, e.g. input: {columns: {abstract: Summary}}",
            )
        cells = {attribute: _cell(value) for attribute, value in found.items()}
        return columns.article(cells, origin, body=self._options.body)

    def _mapped(self, values: Mapping[str, object]) -> dict[str, object]:
        """The values by article attribute."""
        found = {attribute: values[name] for attribute, name in columns.known_columns(values).items()}
        for attribute, path in self._options.columns.items():
            value = _at(values, path)
            found.pop(attribute, None)
            if value is not None:
                self._missing.discard(attribute)
                found[attribute] = value
        return {attribute: value for attribute, value in found.items() if value is not None}


def _object(raw: bytes) -> dict[str, object]:
    try:
        value = json.loads(decode(raw))
    except RecursionError:
        raise BrokenRecord(_MAX_DEPTH_ERROR, "Flatten it") from None
    except ValueError as error:
        raise BrokenRecord(
            f"The line or element is no JSON: {error}", "Mend it; each must be one JSON object"
        ) from error
    if not isinstance(value, dict):
        raise BrokenRecord(f"A JSON object is expected, here is {type(value).__name__}", "Give one object an article")
    return value


def _at(values: Mapping[str, object], path: str) -> object:
    """The value at a key, or at a dotted path of keys and list positions; None where there is none."""
    if path in values:
        return values[path]
    here: object = values
    for step in path.split("."):
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return None
    return here


def _cell(value: object) -> columns.Cell:
    """A JSON value as a cell: text, a list of texts, or labelled parts."""
    if isinstance(value, Mapping):
        labelled = _labelled(value)
        return [labelled] if labelled else [(str(label), _plain(text)) for label, text in value.items()]
    if isinstance(value, list):
        return _list_cell(value)
    return _plain(value)


def _list_cell(values: Iterable[object]) -> columns.Cell:
    parts = []
    for value in values:
        if isinstance(value, Mapping):
            parts.append(_labelled(value) or ("", " ".join(_plain(item) for item in value.values())))
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value):
            parts.append((_plain(value[0]), _plain(value[1])))
        else:
            parts.append(("", _plain(value)))
    return parts


def _labelled(value: Mapping[str, object]) -> tuple[str, str] | None:
    """The label and text of an object that has them."""
    keys = {columns.normal_name(key): key for key in value}
    text = next((keys[name] for name in _TEXTS if name in keys), None)
    if text is None:
        return None
    label = next((keys[name] for name in _LABELS if name in keys), None)
    return _plain(value[label]) if label else "", _plain(value[text])


def _plain(value: object) -> str:
    """A value as text; nothing for null and booleans."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return "\n".join(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return "\n".join(_plain(item) for item in value.values())
    return str(value)
