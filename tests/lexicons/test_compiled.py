"""A compiled lexicon finds what its rows find."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from caseframe.lexicons import COLUMNS, CompiledLexicon, Entry, Lexicon, Term, load_lexicon, read_lexicon
from caseframe.lexicons.compiled import compile_lexicon, compiled_path, open_compiled
from caseframe.schema import Attributes
from caseframe.stages.abbreviations import create_abbreviations
from caseframe.stages.terms import SPANS, TermMatcher
from caseframe.stages.tokenizer import blank

ROWS = (
    ("desk tumor", "desk tumor", "diagnosis", "D:1", "kind=disease"),
    ("tumor of desks", "desk tumor", "diagnosis", "", ""),
    ("Ewing's desk", "ewing desk", "diagnosis", "D:2", ""),
    ("ewing desk", "ewing desk", "diagnosis", "", ""),
    ("DTX", "desk therapy", "therapy", "", ""),
    ("desk therapy", "desk therapy", "therapy", "D:3", ""),
    ("osteosarcoma", "osteosarcoma", "diagnosis", "D:4", "kind=disease"),
    ("desk sarcoma", "osteosarcoma", "diagnosis", "", ""),
    ("MRI", "magnetic resonance imaging", "imaging", "", ""),
    ("magnetic resonance imaging", "magnetic resonance imaging", "imaging", "D:5", ""),
)


def written(path: Path, rows: tuple[tuple[str, ...], ...] = ROWS) -> Path:
    path.write_text("".join("\t".join(row) + "\n" for row in (COLUMNS, *rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def language() -> Language:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    create_abbreviations(nlp, "abbreviations")
    nlp.add_pipe("caseframe_abbreviations")
    return nlp


def found(nlp: Language, matcher: TermMatcher, text: str) -> list[tuple[str, str, Term]]:
    doc = matcher(nlp(text))
    return [(span.text, span.kb_id_, span._.term) for span in doc.spans[SPANS]]


@pytest.mark.parametrize("builtin", [True, False])
def test_texts_are_marked_as_by_the_rows(tmp_path: Path, language: Language, builtin: bool) -> None:
    path = written(tmp_path / "desk.tsv")
    text = (
        "A tumour of desks and Ewing's desk, an Ewing desk; DTX was given. Dioxin test (DTX) was done, then DTX. "
        "A desk-sarcoma, osteosarcomas, MRI, pain of the knee."
    )
    plain = found(language, TermMatcher(lexicons=[str(path)], builtin=builtin), text)
    compile_lexicon(path, read_lexicon(path))
    matcher = TermMatcher(lexicons=[str(path)], builtin=builtin)
    assert found(language, matcher, text) == plain == found(language, matcher, text)
    codes = {term.preferred: term.code for _, _, term in plain}
    assert codes["osteosarcoma"] == "D:4"
    assert {"desk tumor", "ewing desk"} <= set(codes)


_words = st.sampled_from("desk lamp tumor TMR of left Ewing's chairs".split())
_phrases = st.lists(_words, min_size=1, max_size=4).map(" ".join)
_entries = st.lists(
    st.builds(
        lambda surface, preferred, field, code: Entry(
            surface, Term(preferred, field, code, Attributes({"kind": "x"} if code else {}))
        ),
        _phrases,
        st.sampled_from(("desk tumor", "lamp", "chair")),
        st.sampled_from(("diagnosis", "site")),
        st.just("D:1"),
    ),
    max_size=8,
)


@given(_entries, _entries.filter(bool), st.lists(_words, max_size=12))
def test_every_hit_is_that_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, first: list[Entry], second: list[Entry], text: list[str]
) -> None:
    path = tmp_path_factory.mktemp("compiled") / "x.tsv"
    path.write_text("", encoding="utf-8")
    rows, both = Lexicon([*first, *second]), Lexicon(first, [compile_lexicon(path, second)])
    parts = [word.lower() if word != "TMR" else word for word in text]

    def hits(lexicon: Lexicon) -> list[tuple[int, int, list[str]]]:
        return sorted((start, end, sorted(keys)) for start, end, keys in lexicon.matches(parts))

    assert hits(both) == hits(rows)
    for entry in (*first, *second):
        named = {term.key: term for term in both.lookup(entry.surface)}
        assert named == {term.key: term for term in rows.lookup(entry.surface)}


def test_an_edited_file_is_compiled_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "desk.tsv")
    assert isinstance(load_lexicon(path), tuple), "what no import wrote is read row by row"
    assert open_compiled(path) is None
    compile_lexicon(path, read_lexicon(path))
    assert isinstance(load_lexicon(path), CompiledLexicon)
    written(path, (*ROWS, ("desk lamp", "desk lamp", "implant", "", "role=head")))
    assert open_compiled(path) is None
    lexicon = load_lexicon(path)
    assert isinstance(lexicon, CompiledLexicon)
    assert lexicon.term("implant:desk lamp").lexicon == "desk"
    assert lexicon.concepts == 6


def test_a_damaged_compiled_form_is_made_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "desk.tsv")
    compile_lexicon(path, read_lexicon(path))
    (compiled_path(path) / "surfaces.marisa").write_bytes(b"nothing")
    lexicon = load_lexicon(path)
    assert isinstance(lexicon, CompiledLexicon)
    assert lexicon.surfaces == 10
