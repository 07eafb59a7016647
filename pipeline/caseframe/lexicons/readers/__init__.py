"""Terminologies of other makers: one module a format; `open_concepts` tells the format by content."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

from caseframe.errors import LexiconError, SourceError
from caseframe.lexicons.readers.base import Concept
from caseframe.lexicons.readers.delimited import read_table
from caseframe.lexicons.readers.fda import read_product_codes
from caseframe.lexicons.readers.obo import read_obo
from caseframe.lexicons.readers.obograph import read_obograph
from caseframe.lexicons.readers.oncotree import read_oncotree
from caseframe.lexicons.readers.rdf import read_rdf
from caseframe.lexicons.readers.umls import read_mrconso
from caseframe.sources.opening import Input, head_text

__all__ = ["Concept", "open_concepts"]

MAX_JSON_BYTES = 2 << 30
_HEAD = 1 << 16
_MRCONSO_COLUMNS = 18


def open_concepts(
    path: Path, *, columns: Mapping[str, str] | None = None, vocabularies: Collection[str] = ()
) -> Iterator[Concept]:
    """The concepts of a terminology file, packed or not, in the file's order.

    `columns` names the headings of a table, `vocabularies` the sources to take from MRCONSO. Raises LexiconError, with
    file and line, for what cannot be read.
    """
    try:
        with closing(Input(str(path)).open()) as stream:
            yield from _read(stream, path, columns or {}, vocabularies)
    except SourceError as error:
        raise LexiconError(f"{path}: {error.message}", error.cure) from error


def _read(stream: BinaryIO, path: Path, columns: Mapping[str, str], vocabularies: Collection[str]) -> Iterator[Concept]:
    file = str(path)
    peeked: bytes = stream.peek(_HEAD)[:_HEAD]  # type: ignore[attr-defined]
    if b"\0" in peeked:
        raise LexiconError(
            f"{file}: no text, or text in UTF-16",
            "Save it as UTF-8; a picture, a workbook or a database is no terminology",
        )
    head = head_text(peeked)
    start = head.lstrip()
    first = start.partition("\n")[0]
    if not start:
        raise LexiconError(f"{file}: an empty file", "Give a terminology: OBO, JSON, OWL, SKOS, RRF, CSV or TSV")
    if start.startswith("{"):
        return _read_json(stream, file)
    if start.startswith("<"):
        return read_rdf(stream, file, "xml")
    if start.startswith(("@prefix", "@base", "PREFIX", "BASE")) or path.name.endswith((".ttl", ".ttl.gz")):
        return read_rdf(stream, file, "turtle")
    if first.startswith("<") or path.name.endswith((".nt", ".nt.gz")):
        return read_rdf(stream, file, "nt")
    if first.startswith("format-version:") or "\n[Term]" in head:
        return read_obo(stream, file)
    if "PRODUCTCODE" in first and "|" in first:
        return read_product_codes(stream, file)
    if first.count("|") >= _MRCONSO_COLUMNS:
        return read_mrconso(stream, file, vocabularies)
    return read_table(stream, file, columns)


def _read_json(stream: BinaryIO, file: str) -> Iterator[Concept]:
    text = stream.read(MAX_JSON_BYTES)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LexiconError(f"{file}: no valid JSON: {error}", "Fetch the file again") from None
    content = cast(dict[str, object], content)
    return read_obograph(content, file) if "graphs" in content else read_oncotree(content, file)
