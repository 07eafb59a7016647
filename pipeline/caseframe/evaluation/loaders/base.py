"""What the readers of span corpora share: documents, with annotations not yet held against their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from caseframe.errors import GoldError
from caseframe.schema import Article, Origin, fold_space

Fragments = tuple[tuple[int, int], ...]
"""Half-open stretches of characters; more than one where an annotation is discontinuous."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation as its corpus gives it."""

    label: str
    fragments: Fragments
    origin: Origin
    """The line, or the document, that it stands in."""
    words: str | None = None
    """What it should cover; None where the corpus does not say, and its offsets are trusted."""
    note: str = ""
    """What had to be done to read it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its annotations. `notes` counts what had to be done to the document."""

    article: Article
    annotations: tuple[Annotation, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)


Reader = Callable[[Sequence[Path]], Iterator[Document]]
"""A loader: the documents of a corpus, in its order. Raises GoldError for what breaks its format."""


def exact_article(article_id: str, text: str, origin: Origin, *, titled: bool = False) -> Article:
    r"""The article of a text, character by character; with `titled`, its first line is the title.

    >>> article = exact_article("7", "A toe\nIt healed.\n", Origin("toes.txt", 0), titled=True)
    >>> article.title, article.text
    ('A toe', 'A toe\nIt healed.\n')
    """
    title, _, abstract = text.partition("\n") if titled else ("", "", text)
    if not title or not abstract:
        # Only two parts that both hold something are joined by a newline.
        title, abstract = "", text
    return Article(article_id, title=title, abstract=abstract, origin=origin)


def flaw(text: str, annotation: Annotation) -> str:
    """Why an annotation does not fit its text; empty where it does.

    White space counts as equal to any other, for formats write a line end as a blank. The words of a discontinuous
    annotation are its pieces joined by blanks, or all from the first to the last.
    """
    fragments = annotation.fragments
    if not annotation.label:
        return "it has no type"
    if not fragments:
        return "it has no place in the text"
    if any(start < 0 or end > len(text) for start, end in fragments):
        return f"it points outside the text, which has {len(text):,} characters"
    if any(start >= end or text[start:end].isspace() for start, end in fragments):
        return "it covers no words"
    if annotation.words is None:
        return ""
    joined = " ".join(text[start:end] for start, end in fragments)
    hull = text[min(start for start, _ in fragments) : max(end for _, end in fragments)]
    if fold_space(annotation.words) in (fold_space(joined), fold_space(hull)):
        return ""
    return f"the text reads {joined[:200]!r} there"


def numbered_id(file: str, number: int) -> str:
    """The id of a document that has none of its own: its file and its number in it.

    >>> numbered_id("corpora/toes.tar.xz!train/toes.tsv", 3)
    'toes.tsv#3'
    """
    return f"{PurePosixPath(file.replace('!', '/')).name}#{number}"


def malformed(at: str, what: str, cure: str) -> GoldError:
    """The error of a line or document that does not follow its format."""
    return GoldError(f"{at}: {what}", cure)
