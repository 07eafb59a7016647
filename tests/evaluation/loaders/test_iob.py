"""Columns of tokens and tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caseframe.evaluation.loaders import load_spans
from caseframe.evaluation.loaders.iob import REPAIRED, SENTENCES

CONLL = """-DOCSTART- -X- O O

A DT B-NP O
diver NN I-NP B-Person
lost VB B-VP O

big JJ B-NP B-Body
toes NN I-NP I-Body

-DOCSTART- -X- O O

None NN B-NP O
"""


def columns(*tags: str) -> str:
    """Tokens a, b, c … with the tags, in one sentence."""
    return "".join(f"{chr(97 + nth)}\t{tag}\n" for nth, tag in enumerate(tags))


def test_documents_sentences_and_offsets(folder: Any, covered: Any) -> None:
    corpus = load_spans("iob", [folder(toes__conll=CONLL)])
    assert [(d.article.article_id, d.article.text) for d in corpus.documents] == [
        ("toes.conll#1", "A diver lost\nbig toes"),
        ("toes.conll#2", "None"),
    ]
    assert covered(corpus) == [("Person", "diver"), ("Body", "big toes")]
    assert corpus.notes == {}


def test_without_marks_each_sentence_is_a_document(folder: Any) -> None:
    corpus = load_spans("iob", [folder(toes__tsv="A\tO\ntoe\tB-Body\n\n\nIt\tO\nhurt\tO\n")])
    assert [(d.article.article_id, d.article.text) for d in corpus.documents] == [
        ("toes.tsv#1", "A toe"),
        ("toes.tsv#2", "It hurt"),
    ]
    assert corpus.notes == {SENTENCES: 2}


def test_ids_in_marks_are_taken(folder: Any) -> None:
    corpus = load_spans("iob", [folder(a__txt="###MEDLINE:101\n\nA\tO\n\n###MEDLINE:102\n\nB\tO\n")])
    assert [d.article.article_id for d in corpus.documents] == ["MEDLINE:101", "MEDLINE:102"]


@pytest.mark.parametrize(
    ("tags", "spans", "repaired"),
    [
        # IOB2
        (("B-X", "I-X", "O", "B-X", "B-X"), ["a b", "d", "e"], 0),
        (("O", "I-X", "I-X", "B-Y"), ["b c", "d"], 1),
        (("B-X", "I-Y", "I-Y"), ["a", "b c"], 1),
        # IOB1: B only between two that touch
        (("I-X", "I-X", "O", "I-Y", "I-X"), ["a b", "d", "e"], 0),
        (("I-X", "B-X", "I-X", "O"), ["a", "b c"], 0),
        # IOBES
        (("B-X", "I-X", "E-X", "S-Y", "O"), ["a b c", "d"], 0),
        (("B-X", "I-X", "O", "S-Y"), ["a b", "d"], 1),
        (("B-X", "B-X", "E-X"), ["a", "b c"], 1),
        (("O", "E-X", "I-X", "E-X"), ["b", "c d"], 2),
        (("S-Y", "B-X"), ["a", "b"], 1),
        # BILOU
        (("B-X", "L-X", "U-Y", "U-Y"), ["a b", "c", "d"], 0),
        (("B-X", "L-Y", "U-X"), ["a", "b", "c"], 2),
        # Labels with hyphens
        (("B-X-1", "I-X-1"), ["a b"], 0),
    ],
)
def test_schemes_and_repairs(
    folder: Any, covered: Any, accounted: Any, tags: tuple[str, ...], spans: list[str], repaired: int
) -> None:
    corpus = load_spans("iob", [folder(a__tsv=columns(*tags))])
    assert [words for _, words in covered(corpus)] == spans
    assert corpus.notes.get(REPAIRED, 0) == repaired
    assert accounted(corpus) == corpus.annotations == len(spans)


@pytest.mark.parametrize("line", ["toe", "toe\tX", "toe\tB", "toe\tB-", "\tO", "toe\tZ-Body", "toe\t"])
def test_a_malformed_line_is_named(folder: Any, refused: Any, line: str) -> None:
    path = folder(a__tsv=f"A\tO\n{line}\n")
    assert refused("iob", path).message.startswith(f"{path}/a.tsv, line 2: ")


def test_two_files_of_one_name_are_told(tmp_path: Path, refused: Any) -> None:
    for name, token in (("train", "A"), ("devel", "B")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "toes.tsv").write_text(f"{token}\tO\n")
    assert "toes.tsv#1 stands there twice" in refused("iob", tmp_path).message


@pytest.mark.data
@pytest.mark.slow
def test_genuine_columns(data_dir: Path, accounted: Any) -> None:
    corpus = load_spans("iob", [data_dir / "corpora" / "bc5cdr" / "devel.iob.tsv"])
    assert len(corpus.documents) == 4581
    assert corpus.annotations == accounted(corpus) == 9593
    assert (corpus.unaligned, corpus.notes) == ((), {SENTENCES: 4581})
