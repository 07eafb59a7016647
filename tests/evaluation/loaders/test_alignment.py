"""What holds for all loaders: labels, copies, what is left out, errors of the whole corpus, shared articles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caseframe.errors import GoldError
from caseframe.evaluation.loaders import LOADERS, load_spans, refuse_shared
from caseframe.evaluation.loaders.alignment import WITHOUT_TEXT, align, dropped_label
from caseframe.evaluation.loaders.base import Annotation, Document, exact_article
from caseframe.evaluation.records import FieldCorpus, SpanCorpus, SpanDocument
from caseframe.schema import Article, Origin

TOES = (
    '{"article_id": "1", "marked": "[[BODY|Toes]] and [[BODY|thumbs]] of a [[PERSON|diver]]"}\n'
    '{"article_id": "2", "marked": "A [[DEVICE|cork]]"}\n'
)
LONG = "A diver lost a toe, and a carver made another of cork. " * 5


def test_labels_are_mapped_kept_or_dropped(folder: Any, covered: Any, accounted: Any) -> None:
    corpus = load_spans("marked", [folder(a__jsonl=TOES)], labels={"BODY": "Anatomy", "PERSON": None})
    assert covered(corpus) == [("Anatomy", "Toes"), ("Anatomy", "thumbs"), ("DEVICE", "cork")]
    assert corpus.notes == {dropped_label("PERSON"): 1} == {"label PERSON, dropped by wish": 1}
    assert accounted(corpus) == corpus.annotations == 4


def test_a_label_that_the_corpus_never_has(folder: Any, refused: Any) -> None:
    error = refused("marked", folder(a__jsonl=TOES), labels={"BODY": "X", "Body": None})
    assert "'Body'" in error.message
    assert "BODY, DEVICE, PERSON" in error.cure


def test_an_unknown_loader_is_told_with_the_known(refused: Any, tmp_path: Path) -> None:
    assert refused("conll", tmp_path).cure == "The loaders are: marked, brat, pubtator, bioc, iob, docbin"


@pytest.mark.parametrize("loader", LOADERS)
def test_paths_without_a_document(loader: str, tmp_path: Path, refused: Any) -> None:
    assert f"no document for the loader {loader} in {tmp_path}" in refused(loader, tmp_path, labels={"X": "Y"}).message
    assert "absent" in refused(loader, tmp_path / "absent").message
    assert "no path" in refused(loader).message


def test_a_document_without_text_is_left_out(accounted: Any) -> None:
    origin = Origin("a.txt", 1)
    empty = Document(exact_article("1", " \n", origin), (Annotation("X", ((0, 1),), origin, "toe"),))
    corpus = align([empty])
    assert (corpus.documents, corpus.notes) == ((), {WITHOUT_TEXT: 1})
    assert corpus.unaligned[0].reason == "its document has no text"
    assert corpus.unaligned[0].annotation == "X 0 1 'toe'"
    assert accounted(corpus) == 1


@pytest.mark.parametrize(
    "text", ["", "\n", "A toe", "A toe\n", "\nA toe", "A toe\nIt hurt", "A\n\nB", " A\n B \n", "A\rB\u2028C"]
)
@pytest.mark.parametrize("titled", [True, False])
def test_the_text_of_an_article_is_the_corpus_text(text: str, titled: bool) -> None:
    assert exact_article("1", text, Origin("a.txt", 1), titled=titled).text == text


def spans_of(*articles: Article) -> SpanCorpus:
    return SpanCorpus(tuple(SpanDocument(article) for article in articles))


def article(article_id: str, text: str, file: str) -> Article:
    return exact_article(article_id, text, Origin(file, 3))


def test_splits_that_share_nothing() -> None:
    short = [article(name, "CONCLUSION :", f"{name}.txt") for name in ("a", "b")]
    refuse_shared({"train": spans_of(short[0], article("1", LONG, "x.txt")), "dev": spans_of(short[1])})


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (
            article("1", "Another text", "dev.txt"),
            "train and dev share the article 1: train.txt, line 3, and dev.txt, line 3",
        ),
        (
            article("2", LONG, "dev.txt"),
            "train and dev share the text of 1 and 2: train.txt, line 3, and dev.txt, line 3",
        ),
    ],
)
def test_splits_that_share_an_article_are_refused(second: Article, told: str) -> None:
    with pytest.raises(GoldError) as caught:
        refuse_shared({"train": FieldCorpus((article("1", LONG, "train.txt"),), ()), "dev": spans_of(second)})
    assert caught.value.message == told
    assert "Take it out of one of the two" in caught.value.cure


@pytest.mark.data
def test_genuine_splits_share_nothing(data_dir: Path) -> None:
    corpora = data_dir / "corpora"
    for loader, paths in {
        "marked": [data_dir / "casementions" / "train.jsonl", data_dir / "casementions" / "dev.jsonl"],
        "pubtator": [corpora / "ncbi_disease" / f"{name}.pubtator.txt" for name in ("train", "dev")],
    }.items():
        refuse_shared({path.name: load_spans(loader, [path]) for path in paths})
