"""Columns of tokens and tags: CoNLL, IOB, IOB2, IOBES, BILOU; the token in the first column, the tag in the last.

A blank line ends a sentence; `-DOCSTART-` or a line `###id` begins a document. A file without such marks does not say
which sentences belong together: there each sentence is a document of its own. The text is the tokens joined by blanks,
the sentences of a document by line ends; the format knows no title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from caseframe.evaluation.loaders.base import Annotation, Document, exact_article, malformed, numbered_id
from caseframe.evaluation.reading import open_parts, read_lines
from caseframe.schema import Origin

FORMAT: Final = "iob"
REPAIRED: Final = "illegal tag sequence, repaired"
SENTENCES: Final = "sentences taken as documents, since the file has no -DOCSTART-"
_MARK: Final = re.compile(r"-DOCSTART-(?=\s|$)|###(\S+)\s*$")
_TAG: Final = re.compile(r"([BILOUES])-(\S.*)")
_SINGLE: Final = "SU"
_LAST: Final = "EL"
_CURE: Final = "A line is a token and, in its last column, O or a tag like B-Disease; a blank line ends a sentence"


@dataclass(frozen=True, slots=True)
class _Token:
    """A token with the parts of its tag (`O` has no label) and its line."""

    text: str
    prefix: str
    label: str
    line: int


@dataclass(slots=True)
class _Group:
    """The sentences between two marks of documents."""

    id: str = ""
    line: int = 1
    sentences: list[list[_Token]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entity:
    """Tokens `first` to `last` of a sentence; `repaired` where the tags were not a legal sequence."""

    label: str
    first: int
    last: int
    repaired: bool


def read(paths: Sequence[Path]) -> Iterator[Document]:
    """The documents of column files.

    Tag sequences that their scheme forbids are read as what they must mean, and counted: an inside without a beginning
    begins, a beginning without its end ends where its label ends. Raises GoldError for a line without token or tag.
    """
    for part in open_parts(paths):
        groups, marked = _groups(read_lines(part.stream, part.name), part.name)
        tokens = [sentence for group in groups for sentence in group.sentences]
        scheme = _Scheme.of(tokens)
        if not marked:
            groups = [_Group(line=sentence[0].line, sentences=[sentence]) for sentence in tokens]
        for number, group in enumerate(groups, start=1):
            article_id = group.id or numbered_id(part.name, number)
            yield _document(article_id, group, scheme, part.name, {} if marked else {SENTENCES: 1})


def _groups(lines: Iterable[tuple[int, str]], file: str) -> tuple[list[_Group], bool]:
    """The documents of a file, and whether they are marked."""
    groups = [_Group()]
    sentence: list[_Token] = []
    marked = False
    for number, line in lines:
        mark = _MARK.match(line)
        if line.strip() and not mark:
            sentence.append(_token(line, file, number))
            continue
        if sentence:
            groups[-1].sentences.append(sentence)
            sentence = []
        if mark:
            marked = True
            groups.append(_Group(mark[1] or "", number))
    if sentence:
        groups[-1].sentences.append(sentence)
    return [group for group in groups if group.sentences], marked


def _token(line: str, file: str, number: int) -> _Token:
    cells = line.split("\t") if "\t" in line else line.split()
    tag = cells[-1].strip()
    match = _TAG.fullmatch(tag)
    if len(cells) < 2 or not cells[0].strip() or not (match or tag == "O"):
        raise malformed(f"{file}, line {number}", f"{line[:60]!r} is no token with a tag", _CURE)
    return _Token(cells[0].strip(), match[1] if match else "O", match[2] if match else "", number)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """Which sequences are legal in a file."""

    ends: bool
    """Whether last and single tokens have tags of their own (IOBES, BILOU)."""
    inside_begins: bool
    """Whether an inside may begin an entity (IOB1, where B only parts two that touch)."""

    @classmethod
    def of(cls, sentences: Sequence[Sequence[_Token]]) -> _Scheme:
        """The scheme that the tags of a file follow."""
        ends, begins_apart = False, False
        for sentence in sentences:
            before = ""
            for token in sentence:
                ends = ends or token.prefix in _SINGLE + _LAST
                begins_apart = begins_apart or (token.prefix == "B" and token.label != before)
                before = token.label
        return cls(ends, not ends and not begins_apart)


def _document(article_id: str, group: _Group, scheme: _Scheme, file: str, notes: dict[str, int]) -> Document:
    text: list[str] = []
    annotations: list[Annotation] = []
    offset = 0
    for sentence in group.sentences:
        starts = []
        for token in sentence:
            starts.append(offset)
            offset += len(token.text) + 1
        text.append(" ".join(token.text for token in sentence))
        for entity in _entities(sentence, scheme):
            place = (starts[entity.first], starts[entity.last] + len(sentence[entity.last].text))
            origin = Origin(file, sentence[entity.first].line, FORMAT)
            note = REPAIRED if entity.repaired else ""
            annotations.append(Annotation(entity.label, (place,), origin, note=note))
    article = exact_article(article_id, "\n".join(text), Origin(file, group.line, FORMAT))
    return Document(article, tuple(annotations), notes)


def _entities(sentence: Sequence[_Token], scheme: _Scheme) -> Iterator[_Entity]:
    """The entities of a sentence, in order."""
    first, repaired = -1, False
    for nth, token in enumerate(sentence):
        inside = first >= 0 and token.prefix in "I" + _LAST and token.label == sentence[first].label
        if first >= 0 and not inside:
            yield _Entity(sentence[first].label, first, nth - 1, repaired or scheme.ends)
            first = -1
        if token.prefix == "O":
            continue
        if not inside:
            first = nth
            repaired = token.prefix in _LAST or (token.prefix == "I" and not scheme.inside_begins)
        if token.prefix in _SINGLE + _LAST:
            yield _Entity(token.label, first, nth, repaired)
            first = -1
    if first >= 0:
        yield _Entity(sentence[first].label, first, len(sentence) - 1, repaired or scheme.ends)
