"""OBO 1.2 and 1.4: the stanzas `[Term]` with names, synonyms, xrefs, `is_a` and `part_of`.

A reader of our own, since the strict grammars of fastobo and pronto refuse UBERON's and MAxO's released files for the
form of an xref that nobody here looks at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept, lines_of

_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(EXACT|BROAD|NARROW|RELATED)?')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "W": " "}
_FETCH = "Fetch the file again; it is not whole"


@dataclass
class _Stanza:
    number: int
    tags: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def first(self, tag: str) -> str:
        """The first value of a tag, or nothing."""
        return self.tags[tag][0][1] if tag in self.tags else ""


def read_obo(stream: BinaryIO, file: str) -> Iterator[Concept]:
    """The terms of an OBO file, in its order; other stanzas are passed over.

    Raises LexiconError, naming file and line, for a line that is no `tag: value`, a term without id or name, a synonym
    without its quotes, and a file that ends inside a line.
    """
    for stanza in _stanzas(stream, file):
        yield _concept(stanza, file)


def _stanzas(stream: BinaryIO, file: str) -> Iterator[_Stanza]:
    stanza: _Stanza | None = None
    for number, line in lines_of(stream, file, ended=True):
        text = line.strip()
        if text.startswith("["):
            if not text.endswith("]"):
                raise LexiconError(f"{file}, line {number}: {text[:60]!r} is no stanza", _FETCH)
            if stanza:
                yield stanza
            stanza = _Stanza(number) if text == "[Term]" else None
        elif stanza and text and not text.startswith("!"):
            tag, colon, value = text.partition(":")
            if not colon:
                raise LexiconError(f"{file}, line {number}: {text[:60]!r} is no tag and value", _FETCH)
            stanza.tags.setdefault(tag, []).append((number, value.strip()))
    if stanza:
        yield stanza


def _concept(stanza: _Stanza, file: str) -> Concept:
    identifier = _bare(stanza.first("id"))
    obsolete = stanza.first("is_obsolete").startswith("true")
    place = f"{file}, line {stanza.number}"
    if not identifier or not (stanza.first("name") or obsolete):
        raise LexiconError(f"{place}: a term without id or name", _FETCH)
    name = _unescaped(stanza.first("name"))
    exact: list[str] = []
    related: list[str] = []
    for number, value in stanza.tags.get("synonym", ()):
        match = _SYNONYM.match(value)
        if not match:
            raise LexiconError(f"{file}, line {number}: a synonym without its quotes: {value[:60]!r}", _FETCH)
        if match[2] in ("EXACT", "RELATED", None):
            (exact if match[2] == "EXACT" else related).append(_unescaped(match[1]))
    return Concept(
        identifier,
        name,
        tuple(exact),
        tuple(related),
        tuple(_bare(value) for _, value in stanza.tags.get("xref", ()) if value),
        # What holds of some instances only (general class inclusion axioms) makes no kind.
        tuple(_bare(value) for _, value in stanza.tags.get("is_a", ()) if "{gci_" not in value),
        tuple(_wholes(stanza)),
        obsolete,
        f"line {stanza.number}",
    )


def _wholes(stanza: _Stanza) -> Iterator[str]:
    for _, value in stanza.tags.get("relationship", ()):
        relation, _, target = value.partition(" ")
        if "{gci_" not in value and relation in ("part_of", "BFO:0000050"):
            yield _bare(target)


def _bare(value: str) -> str:
    """An identifier without the comment, the qualifiers and the description that follow it."""
    head = re.split(r'\s+[!{"]', value.strip(), maxsplit=1)[0]
    return _unescaped(head.strip())


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text
