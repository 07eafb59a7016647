"""brat standoff: a text in `x.txt`, its annotations in `x.ann`, or in `x.a1` and `x.a2` as in the BioNLP shared tasks.

Of the annotations the text-bound ones (T) are read; relations, events, attributes, modifications, normalisations,
equivalences and notes are legal and left aside. Triggers of events are text-bound too: drop their labels where they are
not wanted. The format knows no title: all of the text counts as abstract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from caseframe.errors import GoldError
from caseframe.evaluation.loaders.base import Annotation, Document, Fragments, exact_article, malformed
from caseframe.evaluation.reading import open_parts, place, read_text
from caseframe.schema import Origin
from caseframe.sources.opening import holds_no_articles

FORMAT: Final = "brat"
_TEXT: Final = ".txt"
_ANNOTATIONS: Final = (".ann", ".a1", ".a2")
_SUFFIXES: Final = (_TEXT, *_ANNOTATIONS)
_LEFT_ASIDE: Final = re.compile(r"[REAMN#]\S*\t|\*\t")
_PLACE: Final = r"[0-9]{1,9} [0-9]{1,9}"
_TEXT_BOUND: Final = re.compile(rf"(T\d+)\t(\S+) ({_PLACE}(?:;{_PLACE})*)\t(.*)", re.DOTALL)
_CURE: Final = "Text-bound annotations are T1<TAB>Type start end<TAB>words, in pieces T1<TAB>Type 0 5;9 12<TAB>words"

Files = Mapping[str, str]
"""The contents of the files of a document by their suffixes."""


def read(paths: Sequence[Path]) -> Iterator[Document]:
    """The documents of folders, archives or files; of a file that is named, its partners beside it are read too.

    Raises GoldError for annotations without text, a text without annotation file, and lines that are no standoff.
    """
    found: dict[str, dict[str, str]] = {}
    for part in open_parts(_with_partners(paths), _unwanted):
        stem, suffix = _split(part.name)
        if suffix:
            content = read_text(part.stream, part.name)
            # A file may be named and stand in a folder that is named as well.
            if content != found.setdefault(stem, {}).setdefault(suffix, content):
                raise GoldError(f"{part.name} stands there twice, with different contents", "Take one of the two out")
    for stem, files in found.items():
        yield _document(stem, files)


def _unwanted(name: str) -> bool:
    suffix = PurePosixPath(name).suffix
    return suffix not in _ANNOTATIONS and (suffix != _TEXT or holds_no_articles(name))


def _split(name: str) -> tuple[str, str]:
    suffix = PurePosixPath(name).suffix
    return (name.removesuffix(suffix), suffix) if suffix in _SUFFIXES else (name, "")


def _with_partners(paths: Sequence[Path]) -> list[Path]:
    """The paths, and after each file of the format those that belong to it."""
    wanted = []
    for path in paths:
        wanted.append(path)
        if path.suffix in _SUFFIXES:
            partners = [path.with_suffix(suffix) for suffix in _SUFFIXES if suffix != path.suffix]
            wanted += [partner for partner in partners if partner.is_file()]
    return wanted


def _document(stem: str, files: Files) -> Document:
    names = [f"{stem}{suffix}" for suffix in _ANNOTATIONS if suffix in files]
    if _TEXT not in files:
        raise GoldError(f"{names[0]} has no text {PurePosixPath(stem).name}{_TEXT} beside it", "Put the text beside it")
    if not names:
        raise GoldError(
            f"{stem}{_TEXT} has no annotations beside it (.ann, or .a1 and .a2)",
            "Put them beside it, an empty file if there is nothing to be found in the text, or take the text away",
        )
    article = exact_article(PurePosixPath(stem).name, files[_TEXT], Origin(f"{stem}{_TEXT}", 0, FORMAT))
    return Document(article, tuple(_annotations(stem, files)))


def _annotations(stem: str, files: Files) -> Iterator[Annotation]:
    lines: dict[str, Origin] = {}
    for suffix in _ANNOTATIONS:
        name = f"{stem}{suffix}"
        content = files.get(suffix, "").removeprefix("\ufeff")
        for number, line in enumerate(content.replace("\r\n", "\n").split("\n"), start=1):
            origin = Origin(name, number, FORMAT)
            if not line.strip() or _LEFT_ASIDE.match(line):
                continue
            match = _TEXT_BOUND.fullmatch(line)
            if match is None:
                raise malformed(place(origin), f"{line[:60]!r} is no line of brat", _CURE)
            first = lines.setdefault(match[1], origin)
            if first is not origin:
                raise malformed(place(origin), f"{match[1]} stands in {place(first)} already", "Number it anew")
            yield Annotation(match[2], _fragments(match[3]), origin, match[4])


def _fragments(places: str) -> Fragments:
    pairs = (pair.partition(" ") for pair in places.split(";"))
    return tuple((int(start), int(end)) for start, _, end in pairs)
