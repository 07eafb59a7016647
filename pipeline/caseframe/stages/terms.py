"""Lexicon terms: which words name a concept of the lexicons.

Writes `doc.spans["terms"]`: each span's `label_` is the field the term fills, its `kb_id_` the term's key, and
`span._.term` the `Term` itself. Terms of different fields may overlap; within one field the longest wins. Terms joined
by a slash (`radiotherapy/TMZ`) are found each; their span is the whole token. A short form whose long form is a term,
as defined in the same document, counts as that term and no other: `RA` is no arthritis where it is the right atrium.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from pathlib import Path

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
from caseframe.lexicons.folding import Remembered, fold_parts
from caseframe.stages.extensions import offsets_of, text_of, texts_of

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


Hit = tuple[int, int, int, str]
"""A term's surface in a Doc: how many tokens and how many folded parts it has, both negative so that the longest comes
first, where it starts, the term's key."""


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
        hits = self._hits(doc)
        if defined:
            hits = [hit for hit in hits if not self._defined_otherwise(defined, hit)]
        found = _longest(hits)
        if defined:
            found.extend(_short_forms(doc, defined, found))
        spans = [Span(doc, start, end, label=_TERMS[key].field, kb_id=key) for start, end, key in sorted(found)]
        doc.spans[SPANS] = spans
        return doc

    def _hits(self, doc: Doc) -> list[Hit]:
        words = texts_of(doc)
        shouting = _shouting(words)
        folded = [word.lower() if i in shouting else word for i, word in enumerate(words)] if shouting else words
        pieces = list(map(_PARTS.__getitem__, folded))
        if not _HYPHENS.isdisjoint(words):
            for i, word in enumerate(words):
                if word in _HYPHENS and i and not (doc[i].whitespace_ or doc[i - 1].whitespace_):
                    pieces[i] = ()  # spaCy's own tokenizer parts "giant-cell", which to the lexicon is "giant cell"
        parts = list(chain.from_iterable(pieces))
        begins, ends = _edges(folded, pieces, slashes="/" in text_of(doc))
        hits = [
            (begins[start] - ends[end], start - end, begins[start], key)
            for start, end, keys in self.lexicon.matches(parts)
            if start in begins and end in ends
            for key in keys
        ]
        if self._compiled:
            for key in {hit[-1] for hit in hits}:
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
        length, _, start, key = hit
        long_form = defined.get((start, start - length))
        stems = self._stems.get(key) if long_form is not None else None
        return stems is not None and stems.isdisjoint(_stems(long_form or ""))


def _defined(doc: Doc) -> dict[tuple[int, int], str]:
    """The long forms of the short forms of a Doc, by token bounds."""
    spans = doc.spans.get("abbreviations", ())
    return {(span.start, span.end): span._.long_form or "" for span in spans}


def _edges(
    words: Sequence[str], pieces: Sequence[tuple[str, ...]], *, slashes: bool
) -> tuple[dict[int, int], dict[int, int]]:
    """By the folded part the token that begins with it, and the token behind the one that ends before it.

    So do the words that slashes join; elsewhere inside a token no term begins or ends.
    """
    places = list(accumulate(map(len, pieces), initial=0))
    begins = dict(zip(places, range(len(words)), strict=False))
    ends = dict(zip(reversed(places[1:]), range(len(words), 0, -1), strict=True))
    if slashes:
        for i, word in enumerate(words):
            if "/" in word:
                place = places[i]
                for side in _sides(word):
                    begins[place] = i
                    place += len(fold_parts(side))
                    ends[place] = i + 1
    return begins, ends


def _sides(word: str) -> list[str]:
    """The words that slashes join, or the word itself."""
    if "/" not in word:
        return [word]
    return [side for side in word.split("/") if side] or [word]


def _parts_of(word: str) -> tuple[str, ...]:
    return tuple(part for side in _sides(word) for part in fold_parts(side))


# The folded parts of a word.
_PARTS = Remembered(_parts_of)


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
    result = set[int]()
    for i in upper if len(upper) > 2 else ():
        near = range(max(0, i - 3), min(len(words), i + 4))
        around = [j for j in near if words[j].isalpha() and len(words[j]) > 2]
        if len(around) > 3 and sum(j in upper for j in around) >= len(around) - 1:
            result.add(i)
    return result


def _longest(hits: Iterable[Hit]) -> list[tuple[int, int, str]]:
    """Within a field, drops each hit that lies inside a longer one, or overlaps a longer one before it."""
    kept: list[tuple[int, int, str]] = []
    taken: dict[str, list[tuple[int, int, int]]] = {}
    for length, parts, start, key in sorted(hits):
        end = start - length
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
    text, words, begins = text_of(doc), texts_of(doc), offsets_of(doc)
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
