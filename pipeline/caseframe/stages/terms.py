"""Lexicon terms: which words name a concept of the lexicons.

Writes `doc.spans["terms"]`: each span's `label_` is the field the term fills, its `kb_id_` the term's key, and
`span._.term` the `Term` itself. Terms of different fields may overlap; within one field the longest wins. Terms joined
by a slash (`radiotherapy/TMZ`) are found each; their span is the whole token. A short form whose long form is a term,
as defined in the same document, counts as that term and no other: `RA` is no arthritis where it is the right atrium.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.lexicons import (
    CompiledLexicon,
    Entry,
    Lexicon,
    Term,
    builtin_entries,
    builtin_lexicon,
    load_lexicon,
    surface_parts,
)
from caseframe.lexicons.folding import CACHED_WORDS, fold_parts
from caseframe.stages.extensions import text_of, texts_of

SPANS = "terms"
_HYPHENS = frozenset("-‐‑–−")
_TERMS: dict[str, Term] = {}


def term_of(span: Span) -> Term | None:
    """The term that a span of `doc.spans["terms"]` names."""
    return _TERMS.get(span.kb_id_)


if not Span.has_extension("term"):
    Span.set_extension("term", getter=term_of)


@Language.factory(
    "caseframe_terms",
    assigns=["doc.spans"],
    default_config={"lexicons": [], "builtin": True},
)
def create_terms(nlp: Language, name: str, lexicons: list[str], builtin: bool) -> TermMatcher:
    """Factory of `caseframe_terms`. `lexicons`: paths of further TSV files; `builtin`: also use the shipped ones."""
    return TermMatcher(lexicons=lexicons, builtin=builtin)


class Hit(NamedTuple):
    """A term's surface in a Doc: its tokens, the term's key, and how many folded parts it has."""

    start: int
    end: int
    key: str
    parts: int


class TermMatcher:
    """Finds the terms of the lexicons in a Doc."""

    def __init__(self, *, lexicons: Iterable[str] = (), builtin: bool = True, entries: Iterable[Entry] = ()) -> None:
        self.lexicons, self.builtin = tuple(map(str, lexicons)), builtin
        """Paths of the files it was made of, and whether the shipped ones are among them."""
        rows: list[Entry] = []
        self._compiled: list[CompiledLexicon] = []
        for loaded in (load_lexicon(Path(path)) for path in self.lexicons):
            if isinstance(loaded, CompiledLexicon):
                self._compiled.append(loaded)
            else:
                rows.extend(loaded)
        rows.extend(entries)
        shipped = builtin_entries() if builtin else ()
        only_shipped = builtin and not rows and not self._compiled
        # The field modules look things up in the shipped one, too.
        self.lexicon = builtin_lexicon() if only_shipped else Lexicon((*shipped, *rows), self._compiled)
        self._met = {key for key in self.lexicon.terms for lexicon in self._compiled if key in lexicon}
        rows.extend(
            entry for lexicon in self._compiled for key in self._met if key in lexicon for entry in lexicon.entries(key)
        )
        self._stems = _stems_of_abbreviated((*shipped, *rows))
        _TERMS.update(self.lexicon.terms)

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["terms"]`."""
        defined = _defined(doc)
        found = _longest([hit for hit in self._hits(doc) if not self._defined_otherwise(defined, hit)])
        if defined:
            found.extend(_short_forms(doc, defined, found))
        spans = [Span(doc, start, end, label=_TERMS[key].field, kb_id=key) for start, end, key in sorted(found)]
        doc.spans[SPANS] = spans
        return doc

    def _hits(self, doc: Doc) -> list[Hit]:
        parts: list[str] = []
        first: list[int] = []  # token that begins with this part, -1 inside a token
        last: list[int] = []  # token that ends with this part, -1 inside a token
        words = texts_of(doc)
        shouting = _shouting(words)
        folded = [word.lower() if i in shouting else word for i, word in enumerate(words)] if shouting else words
        for i, sides in enumerate(map(_pieces, folded)):
            if words[i] in _HYPHENS and i and not (doc[i].whitespace_ or doc[i - 1].whitespace_):
                continue  # spaCy's own tokenizer parts "giant-cell", which to the lexicon is "giant cell"
            for pieces in sides:
                parts += pieces
                if len(pieces) == 1:
                    first.append(i)
                    last.append(i)
                else:
                    inside = [-1] * (len(pieces) - 1)
                    first += (i, *inside)
                    last += (*inside, i)
        hits = [
            Hit(first[start], last[end - 1] + 1, key, end - start)
            for start, end, keys in self.lexicon.matches(parts)
            if first[start] >= 0 and last[end - 1] >= 0
            for key in keys
        ]
        for key in {hit.key for hit in hits if self._compiled}:
            self._meet(key)
        return hits

    def _meet(self, key: str) -> None:
        """Takes in a term of a compiled lexicon that a text names, as if its rows had been read before."""
        _TERMS[key] = self.lexicon.terms[key]
        if key not in self._met:
            self._met.add(key)
            rows = [entry for lexicon in self._compiled if key in lexicon for entry in lexicon.entries(key)]
            self._stems.update(_stems_of_abbreviated(rows))

    def _defined_otherwise(self, defined: Mapping[tuple[int, int], str], hit: Hit) -> bool:
        """Whether a hit is a short form that the document defines as something that shares no word with the term."""
        long_form = defined.get((hit.start, hit.end))
        stems = self._stems.get(hit.key) if long_form is not None else None
        return stems is not None and stems.isdisjoint(_stems(long_form or ""))


def _defined(doc: Doc) -> dict[tuple[int, int], str]:
    """The long forms of the short forms of a Doc, by token bounds."""
    spans = doc.spans.get("abbreviations", ())
    return {(span.start, span.end): span._.long_form or "" for span in spans}


@lru_cache(maxsize=CACHED_WORDS)
def _pieces(word: str) -> tuple[tuple[str, ...], ...]:
    """The folded parts of each of the words that slashes join."""
    return tuple(fold_parts(side) for side in _sides(word))


def _sides(word: str) -> list[str]:
    """The words that slashes join, or the word itself."""
    if "/" not in word:
        return [word]
    return [side for side in word.split("/") if side] or [word]


def _stems(words: str) -> set[str]:
    """The beginnings of the words of a term, long enough to tell them apart: `tomographic` and `tomography` agree."""
    return {part[:6] for part in surface_parts(words) if len(part) > 2}


def _stems_of_abbreviated(entries: Iterable[Entry]) -> dict[str, set[str]]:
    """The stems of all surface forms of the terms that have a form in capitals, by term key."""
    rows = list(entries)
    stems: dict[str, set[str]] = {e.term.key: set() for e in rows if e.surface.isupper() and " " not in e.surface}
    for entry in rows:
        if entry.term.key in stems:
            stems[entry.term.key] |= _stems(entry.surface.lower())
    return stems


def _shouting(words: Sequence[str]) -> set[int]:
    """Tokens that stand between words in capitals, as in a title set in capitals; there case says nothing."""
    upper = {i for i, word in enumerate(words) if word.isupper() and len(word) > 1 and word.isalpha()}
    result = set()
    for i in upper:
        near = range(max(0, i - 3), min(len(words), i + 4))
        around = [j for j in near if words[j].isalpha() and len(words[j]) > 2]
        if len(around) > 3 and sum(j in upper for j in around) >= len(around) - 1:
            result.add(i)
    return result


def _longest(hits: Iterable[Hit]) -> list[tuple[int, int, str]]:
    """Within a field, drops each hit that lies inside a longer one, or overlaps a longer one before it."""
    kept: list[tuple[int, int, str]] = []
    taken: dict[str, list[tuple[int, int, int]]] = {}
    for start, end, key, parts in sorted(hits, key=lambda hit: (hit.start - hit.end, -hit.parts, hit.start, hit.key)):
        others = taken.setdefault(_TERMS[key].field, [])
        for a, b, n in others:
            if start < b and a < end and (start, end, parts) != (a, b, n):
                break
        else:
            others.append((start, end, parts))
            kept.append((start, end, key))
    return kept


def _short_forms(
    doc: Doc, defined: Mapping[tuple[int, int], str], found: Sequence[tuple[int, int, str]]
) -> list[tuple[int, int, str]]:
    """Hits for the abbreviations whose long form is a term."""
    text, words, begins = text_of(doc), texts_of(doc), doc.to_array("IDX").tolist()
    by_text: dict[str, list[str]] = {}
    for start, end, key in found:
        by_text.setdefault(text[begins[start] : begins[end - 1] + len(words[end - 1])], []).append(key)
    covered = {(start, end, _TERMS[key].field) for start, end, key in found}
    return [
        (start, end, key)
        for (start, end), long_form in defined.items()
        for key in by_text.get(long_form, ())
        if (start, end, _TERMS[key].field) not in covered
    ]
