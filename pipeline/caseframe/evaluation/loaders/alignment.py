"""Brings annotations onto their texts: every one ends as a span, as an unaligned annotation, or in the notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from caseframe.errors import GoldError
from caseframe.evaluation.loaders.base import Annotation, Document, flaw
from caseframe.evaluation.reading import place
from caseframe.evaluation.records import Span, SpanCorpus, SpanDocument, Unaligned

Discontinuous = Literal["hull", "split", "drop"]

HULL: Final = "discontinuous, taken whole"
SPLIT: Final = "discontinuous, split"
SPLIT_PARTS: Final = "discontinuous, spans added by the split"
DROPPED: Final = "discontinuous, dropped by wish"
TRIMMED: Final = "white space at the ends, cut off"
REPEATED: Final = "the same span and type again, dropped"
SECOND_COPY: Final = "in a document that stands there twice, dropped"
COPIES: Final = "documents that stand there twice, taken once"
WITHOUT_ID: Final = "documents without an id, left out"
WITHOUT_TEXT: Final = "documents without text, left out"


def dropped_label(label: str) -> str:
    """The note of a label that the label map drops."""
    return f"label {label}, dropped by wish"


def align(
    documents: Iterable[Document], labels: Mapping[str, str | None] | None = None, discontinuous: Discontinuous = "hull"
) -> SpanCorpus:
    """The corpus of the documents.

    `labels` maps a label to another, or to None, which drops it; other labels keep their names. `discontinuous` says
    what becomes of annotations in pieces: one span from the first to the last (`hull`), a span a piece (`split`), or
    none (`drop`).

    Of the annotations, `len(unaligned)`, the spans of the documents (less SPLIT_PARTS) and the notes that say
    "dropped" make up `annotations`.

    Raises GoldError for two different documents of the same id and for a label in the map that no annotation has.
    """
    aligner = _Aligner(labels or {}, discontinuous)
    for document in documents:
        aligner.take(document)
    aligner.check_labels()
    return SpanCorpus(
        tuple(aligner.documents), aligner.annotations, tuple(aligner.unaligned), dict(sorted(aligner.notes.items()))
    )


class _Aligner:
    """The corpus so far."""

    def __init__(self, labels: Mapping[str, str | None], discontinuous: Discontinuous) -> None:
        self.documents: list[SpanDocument] = []
        self.unaligned: list[Unaligned] = []
        self.notes: Counter[str] = Counter()
        self.annotations = 0
        self._labels = labels
        self._discontinuous = discontinuous
        self._seen_labels: set[str] = set()
        self._by_id: dict[str, Document] = {}

    def take(self, document: Document) -> None:
        """Takes in a document with all its annotations."""
        article = document.article
        _check_characters(document)
        self.annotations += len(document.annotations)
        self._seen_labels.update(annotation.label for annotation in document.annotations if annotation.label)
        self.notes.update(document.notes)
        if not article.article_id.strip():
            self._leave_out(document, WITHOUT_ID, "its document has no id")
        elif not article.text.strip():
            self._leave_out(document, WITHOUT_TEXT, "its document has no text")
        elif self._is_new(document):
            spans: list[Span] = []
            for annotation in document.annotations:
                spans.extend(self._spans(article.text, annotation))
            self.documents.append(SpanDocument(article, self._without_repeats(spans)))
        else:
            self.notes[COPIES] += 1
            self.notes[SECOND_COPY] += len(document.annotations)

    def check_labels(self) -> None:
        """Raises GoldError for a label in the map that the corpus does not have, if it has any document."""
        for label in self._labels if self.documents else ():
            if label not in self._seen_labels:
                known = ", ".join(sorted(self._seen_labels)) or "none"
                raise GoldError(
                    f"The label map has {label!r}, which the corpus does not have", f"Its labels are: {known}"
                )

    def _leave_out(self, document: Document, note: str, reason: str) -> None:
        self.notes[note] += 1
        self.unaligned.extend(_unaligned(annotation, reason) for annotation in document.annotations)

    def _is_new(self, document: Document) -> bool:
        """Whether it is the first of its id; some corpora hold a document twice, word for word.

        Raises GoldError where the two differ.
        """
        first = self._by_id.setdefault(document.article.article_id, document)
        if first is document:
            return True
        if first.article.text == document.article.text and _content(first) == _content(document):
            return False
        raise GoldError(
            f"The document {document.article.article_id} stands there twice: "
            f"{place(first.article.origin)}, and {place(document.article.origin)}",
            "Take one of the two out, or give it an id of its own",
        )

    def _spans(self, text: str, annotation: Annotation) -> list[Span]:
        """What becomes of an annotation, in the order of the text."""
        label = self._labels.get(annotation.label, annotation.label)
        if label is None:
            self.notes[dropped_label(annotation.label)] += 1
            return []
        if reason := flaw(text, annotation):
            self.unaligned.append(_unaligned(annotation, reason))
            return []
        if annotation.note:
            self.notes[annotation.note] += 1
        pieces = self._pieces(text, annotation)
        spans = [Span(label, *_trimmed(text, start, end)) for start, end in pieces]
        if [(span.start, span.end) for span in spans] != pieces:
            self.notes[TRIMMED] += 1
        return spans

    def _pieces(self, text: str, annotation: Annotation) -> list[tuple[int, int]]:
        """The stretches that the annotation is to cover."""
        pieces = _joined(text, annotation)
        if len(pieces) == 1:
            return pieces
        if self._discontinuous == "drop":
            self.notes[DROPPED] += 1
            return []
        if self._discontinuous == "split":
            self.notes[SPLIT] += 1
            self.notes[SPLIT_PARTS] += len(pieces) - 1
            return pieces
        self.notes[HULL] += 1
        return [(pieces[0][0], pieces[-1][1])]

    def _without_repeats(self, spans: list[Span]) -> tuple[Span, ...]:
        """The spans in the order of the text, each once."""
        unique = sorted(set(spans), key=lambda span: (span.start, span.end, span.type))
        if repeats := len(spans) - len(unique):
            self.notes[REPEATED] += repeats
        return tuple(unique)


def _unaligned(annotation: Annotation, reason: str) -> Unaligned:
    places = ";".join(f"{start} {end}" for start, end in annotation.fragments)
    told = " ".join(part for part in (annotation.label, places, repr(annotation.words or "")) if part)
    return Unaligned(annotation.origin, told, reason)


def _content(document: Document) -> list[tuple[object, ...]]:
    return [(annotation.label, annotation.fragments, annotation.words) for annotation in document.annotations]


def _joined(text: str, annotation: Annotation) -> list[tuple[int, int]]:
    """The pieces in the order of the text; those that touch, overlap or are parted by white space alone are one.

    The last is how brat writes an annotation that goes on in the next line.
    """
    pieces: list[tuple[int, int]] = []
    for start, end in sorted(annotation.fragments):
        if pieces and not text[pieces[-1][1] : start].strip():
            pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
        else:
            pieces.append((start, end))
    return pieces


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    covered = text[start:end]
    return start + len(covered) - len(covered.lstrip()), end - len(covered) + len(covered.rstrip())


def _check_characters(document: Document) -> None:
    """Raises GoldError for half characters (lone surrogates), which cannot be written or hashed."""
    article = document.article
    try:
        (article.article_id + article.text).encode()
    except UnicodeEncodeError as error:
        raise GoldError(
            f"{place(article.origin)}: the text has half a character (a lone surrogate) at {error.start}",
            "Save the corpus as UTF-8",
        ) from error
