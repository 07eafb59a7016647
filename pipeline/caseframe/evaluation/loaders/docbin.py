"""spaCy's DocBin (`.spacy`): the entities of its Docs, or the spans under a key of theirs; their offsets are trusted.

A Doc's id is its user data `article_id`, else the name of the file with the number of the Doc. The format knows no
title.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import spacy
from spacy.tokens import Doc, DocBin, Span

from caseframe.errors import GoldError
from caseframe.evaluation.loaders.base import Annotation, Document, exact_article, numbered_id
from caseframe.evaluation.reading import open_parts, read_bytes
from caseframe.schema import Origin

FORMAT: Final = "docbin"
WITHOUT_KEY: Final = "documents without the spans key, taken as without spans"
_MAX_BYTES: Final = 1 << 30
"""Bound of what a file may hold; its compressed bytes could expand a thousand times."""
_CURE: Final = "Write it with spacy.tokens.DocBin.to_disk"


def read(paths: Sequence[Path], spans_key: str = "") -> Iterator[Document]:
    """The documents of `.spacy` files; with `spans_key`, the spans under that key in place of the entities.

    Raises GoldError for what is no DocBin, and where no Doc of a file has the key.
    """
    for part in open_parts(paths):
        docs = list(_docs(read_bytes(part.stream, part.name, _MAX_BYTES), part.name))
        keys = Counter(key for doc in docs for key in doc.spans)
        if spans_key and spans_key not in keys:
            raise GoldError(
                f"{part.name}: no document has spans {spans_key!r}",
                f"The keys are: {', '.join(sorted(keys)) or 'none'}",
            )
        for number, doc in enumerate(docs, start=1):
            yield _document(doc, spans_key, Origin(part.name, number, FORMAT))


def _docs(raw: bytes, name: str) -> Iterator[Doc]:
    try:
        unpacked = zlib.decompressobj().decompress(raw, _MAX_BYTES)
        if len(unpacked) == _MAX_BYTES:
            raise ValueError(f"it holds {_MAX_BYTES:,} bytes or more")
        yield from DocBin().from_bytes(raw).get_docs(spacy.blank("en").vocab)
    except Exception as error:  # whatever the bytes make zlib, msgpack, numpy or spaCy say
        raise GoldError(f"{name} is no DocBin: {type(error).__name__}: {error}"[:300], _CURE) from error


def _document(doc: Doc, spans_key: str, origin: Origin) -> Document:
    spans: Iterable[Span] = doc.spans.get(spans_key, ()) if spans_key else doc.ents
    annotations = tuple(Annotation(span.label_, ((span.start_char, span.end_char),), origin) for span in spans)
    article_id = str(doc.user_data.get("article_id") or numbered_id(origin.file, origin.record))
    notes = {WITHOUT_KEY: 1} if spans_key and spans_key not in doc.spans else {}
    return Document(exact_article(article_id, doc.text, origin), annotations, notes)
