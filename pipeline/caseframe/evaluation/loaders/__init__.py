"""Loaders: corpora of typed spans in the usual formats, and the project's own gold of fields.

A new format is a module beside these, with a `read(paths)` that yields its documents, and a line in `LOADERS`. What its
annotations mean for the text, which labels are wanted and what becomes of annotations in pieces is the same for all of
them (`alignment`), so that no loader can lose an annotation without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from caseframe.errors import GoldError
from caseframe.evaluation.loaders import bioc, brat, docbin, iob, marked, pubtator
from caseframe.evaluation.loaders.alignment import Discontinuous, align
from caseframe.evaluation.loaders.base import Reader
from caseframe.evaluation.loaders.fields import load_fields
from caseframe.evaluation.loaders.leaks import refuse_shared
from caseframe.evaluation.records import SpanCorpus

__all__ = ["LOADERS", "load_fields", "load_spans", "refuse_shared"]

LOADERS: Final[dict[str, Reader]] = {
    "marked": marked.read,
    "brat": brat.read,
    "pubtator": pubtator.read,
    "bioc": bioc.read,
    "iob": iob.read,
    "docbin": docbin.read,
}
"""The readers of span corpora by name."""


def load_spans(
    loader: str,
    paths: Sequence[Path],
    *,
    labels: Mapping[str, str | None] | None = None,
    discontinuous: Discontinuous = "hull",
    spans_key: str = "",
) -> SpanCorpus:
    """Loads a corpus of typed spans: files, folders, archives, or a folder in one (`corpus.tar.xz!corpus/devel`).

    `labels` maps labels of the corpus to others, None drops one; labels that are not in the map keep their names.
    `discontinuous` says what becomes of annotations in pieces: one span from the first piece to the last (`hull`), a
    span a piece (`split`), or none (`drop`). `spans_key` asks for the spans under that key of a DocBin's Docs.

    Every annotation is a span of a document, or in `unaligned` with the reason, or counted in `notes` as dropped.

    Raises GoldError for an unknown loader, for paths without a document, for what breaks the format, for two documents
    of the same id, and for a label in the map that the corpus does not have.
    """
    if loader not in LOADERS:
        raise GoldError(f"There is no loader {loader!r}", f"The loaders are: {', '.join(LOADERS)}")
    if spans_key and loader != "docbin":
        raise GoldError(f"The loader {loader} knows no spans key ({spans_key!r})", "Leave it out; it is for docbin")
    documents = docbin.read(paths, spans_key) if spans_key else LOADERS[loader](paths)
    corpus = align(documents, labels, discontinuous)
    if not corpus.documents:
        names = ", ".join(str(path) for path in paths) or "no path"
        raise GoldError(f"There is no document for the loader {loader} in {names}", "Look at the paths and the loader")
    return corpus
