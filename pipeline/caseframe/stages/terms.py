"""Lexicon terms: which words name a concept of the lexicons.

Writes `doc.spans["terms"]`: each span's `label_` is the field the term fills, its `kb_id_` the term's key, and
`span._.term` the `Term` itself. Terms of different fields may overlap; within one field the longest wins. A short form
whose long form is a term, as defined in the same document, counts as that term.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.lexicons import Entry, Lexicon, Term, builtin_entries, read_lexicon
from caseframe.lexicons.folding import fold_parts

SPANS = "terms"
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


class TermMatcher:
    """Finds the terms of the lexicons in a Doc."""

    def __init__(self, *, lexicons: Iterable[str] = (), builtin: bool = True, entries: Iterable[Entry] = ()) -> None:
        rows = list(builtin_entries()) if builtin else []
        for path in lexicons:
            rows.extend(read_lexicon(Path(path)))
        rows.extend(entries)
        self.lexicon = Lexicon(rows)
        _TERMS.update(self.lexicon.terms)

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["terms"]`."""
        found = _longest(self._hits(doc))
        found.extend(_short_forms(doc, found))
        spans = [Span(doc, start, end, label=_TERMS[key].field, kb_id=key) for start, end, key in sorted(found)]
        doc.spans[SPANS] = spans
        return doc

    def _hits(self, doc: Doc) -> list[tuple[int, int, str]]:
        parts: list[str] = []
        first: list[int] = []  # token that begins with this part, -1 inside a token
        last: list[int] = []  # token that ends with this part, -1 inside a token
        shouting = _shouting(doc)
        for token in doc:
            word = token.text
            pieces = fold_parts(word.lower() if shouting[token.i] else word)
            for n, piece in enumerate(pieces):
                parts.append(piece)
                first.append(token.i if n == 0 else -1)
                last.append(token.i if n == len(pieces) - 1 else -1)
        return [
            (first[start], last[end - 1] + 1, key)
            for start, end, keys in self.lexicon.matches(parts)
            if first[start] >= 0 and last[end - 1] >= 0
            for key in keys
        ]


def _shouting(doc: Doc) -> list[bool]:
    """Tokens that stand between words in capitals, as in a title set in capitals; there case says nothing."""
    upper = [token.text.isupper() and len(token.text) > 1 and token.is_alpha for token in doc]
    result = [False] * len(doc)
    for i, is_upper in enumerate(upper):
        if is_upper:
            around = [j for j in range(max(0, i - 3), min(len(doc), i + 4)) if doc[j].is_alpha and len(doc[j].text) > 2]
            result[i] = len(around) > 3 and sum(upper[j] for j in around) >= len(around) - 1
    return result


def _longest(hits: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Within a field, drops each hit that lies inside a longer one, or overlaps a longer one before it."""
    kept: list[tuple[int, int, str]] = []
    taken: dict[str, list[tuple[int, int]]] = {}
    for start, end, key in sorted(hits, key=lambda hit: (hit[0] - hit[1], hit[0], hit[2])):
        others = taken.setdefault(_TERMS[key].field, [])
        if all(end <= a or start >= b or (start, end) == (a, b) for a, b in others):
            others.append((start, end))
            kept.append((start, end, key))
    return kept


def _short_forms(doc: Doc, found: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Hits for the abbreviations whose long form is a term."""
    short_spans = doc.spans.get("abbreviations", ())
    if not short_spans:
        return []
    by_text: dict[str, list[str]] = {}
    for start, end, key in found:
        by_text.setdefault(doc[start:end].text, []).append(key)
    covered = {(start, end, _TERMS[key].field) for start, end, key in found}
    return [
        (span.start, span.end, key)
        for span in short_spans
        for key in by_text.get(span._.long_form or "", ())
        if (span.start, span.end, _TERMS[key].field) not in covered
    ]
