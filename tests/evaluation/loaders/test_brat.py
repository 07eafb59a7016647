"""brat standoff."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.evaluation.loaders import load_spans
from caseframe.evaluation.loaders.alignment import DROPPED, HULL, REPEATED, SPLIT, SPLIT_PARTS, TRIMMED

TOE = "  A diver lost a left\nbig toe.\n"
TOE_ANN = """T1\tPerson 4 9\tdiver
T2\tAnatomy 17 29\tleft big toe
E1\tInjury:T2 Theme:T1
R1\tPART-OF Arg1:T2 Arg2:T1
A1\tLaterality E1 left
M1\tNegation E1
N1\tReference T2 UBERON:0003631\tbig toe
*\tEquiv T1 T2
#1\tAnnotatorNotes T1\tsure?

"""
TEXT = "The left arm and the leg hurt."
ARM = "T1\tAnatomy 4 8;21 24\tleft leg\n"


def test_text_and_offsets_stay_as_they_are(folder: Any, covered: Any) -> None:
    corpus = load_spans("brat", [folder(toe__txt=TOE, toe__ann=TOE_ANN)])
    (document,) = corpus.documents
    assert document.article.text == TOE
    assert document.article.article_id == "toe"
    assert covered(corpus) == [("Person", "diver"), ("Anatomy", "left\nbig toe")]
    assert (corpus.annotations, corpus.unaligned, corpus.notes) == (2, (), {})


@pytest.mark.parametrize(
    ("discontinuous", "words", "notes"),
    [
        ("hull", ["left arm and the leg"], {HULL: 1}),
        ("split", ["left", "leg"], {SPLIT: 1, SPLIT_PARTS: 1}),
        ("drop", [], {DROPPED: 1}),
    ],
)
def test_pieces(folder: Any, covered: Any, accounted: Any, discontinuous: Any, words: list[str], notes: object) -> None:
    corpus = load_spans("brat", [folder(a__txt=TEXT, a__ann=ARM)], discontinuous=discontinuous)
    assert [found for _, found in covered(corpus)] == words
    assert corpus.notes == notes
    assert accounted(corpus) == corpus.annotations == 1


@pytest.mark.parametrize("discontinuous", ["hull", "split", "drop"])
def test_pieces_that_only_a_line_end_parts_are_one(folder: Any, covered: Any, discontinuous: Any) -> None:
    ann = "T1\tAnatomy 17 21;22 29\tleft big toe\n"
    corpus = load_spans("brat", [folder(toe__txt=TOE, toe__ann=ann)], discontinuous=discontinuous)
    assert covered(corpus) == [("Anatomy", "left\nbig toe")]
    assert corpus.notes == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T1\tX 4 8\tright", "the text reads 'left' there"),
        ("T1\tX 5 9\tleft", "the text reads 'eft ' there"),
        ("T1\tX 28 40\thurt", "it points outside the text, which has 30 characters"),
        ("T1\tX 4 4\t", "it covers no words"),
        ("T1\tX 8 4\tleft", "it covers no words"),
        ("T1\tX 3 4\t ", "it covers no words"),
        ("T1\tX 4 8;21 24\tleft arm", "the text reads 'left leg' there"),
    ],
)
def test_what_does_not_fit_is_unaligned_and_never_moved(folder: Any, accounted: Any, line: str, reason: str) -> None:
    path = folder(a__txt=TEXT, a__ann=f"\n{line}\n")
    corpus = load_spans("brat", [path])
    (lost,) = corpus.unaligned
    assert lost.reason == reason
    assert (lost.origin.file, lost.origin.record) == (f"{path}/a.ann", 2)
    assert corpus.documents[0].spans == ()
    assert accounted(corpus) == corpus.annotations == 1


def test_white_space_at_the_ends_and_repeats_are_told(folder: Any, covered: Any, accounted: Any) -> None:
    ann = "T1\tX 3 9\t left \nT2\tX 4 8\tleft\nT3\tY 4 8\tleft\n"
    corpus = load_spans("brat", [folder(a__txt=TEXT, a__ann=ann)])
    assert covered(corpus) == [("X", "left"), ("Y", "left")]
    assert corpus.notes == {TRIMMED: 1, REPEATED: 1}
    assert accounted(corpus) == 3


def test_entities_and_triggers_of_the_shared_tasks(folder: Any, covered: Any) -> None:
    path = folder(a__txt=TEXT, a__a1="T1\tPart 9 12\tarm\n", a__a2="T2\tPain 25 29\thurt\nE1\tPain:T2 Theme:T1\n")
    assert covered(load_spans("brat", [path])) == [("Part", "arm"), ("Pain", "hurt")]


@pytest.mark.parametrize("named", ["toe.ann", "toe.txt"])
def test_a_named_file_brings_its_partner(folder: Any, named: str) -> None:
    path = folder(toe__txt=TOE, toe__ann=TOE_ANN, other__txt=TEXT, other__ann="")
    corpus = load_spans("brat", [path / named])
    assert [document.article.article_id for document in corpus.documents] == ["toe"]
    assert load_spans("brat", [path / "toe.ann", path / "toe.txt"]) == corpus


def tar_bytes(*files: tuple[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return packed.getvalue()


FILES = {
    "toes/README": "Toes.",
    "toes/train/toe.ann": TOE_ANN,
    "toes/train/toe.txt": TOE,
    "toes/devel/arm.txt": TEXT,
    "toes/devel/arm.ann": ARM,
    "toes/tools.conf": "[x]",
}


def test_archives_and_folders_in_them(tmp_path: Path) -> None:
    path = tmp_path / "toes.tar.xz"
    path.write_bytes(tar_bytes(*FILES.items()))
    assert [d.article.article_id for d in load_spans("brat", [path]).documents] == ["toe", "arm"]
    devel = load_spans("brat", [Path(f"{path}!toes/devel")])
    assert [d.article.article_id for d in devel.documents] == ["arm"]
    assert devel.documents[0].article.origin.file == f"{path}!toes/devel/arm.txt"
    zipped = tmp_path / "toes.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert [d.spans for d in load_spans("brat", [zipped]).documents] == [
        d.spans for d in load_spans("brat", [path]).documents
    ]


def test_a_member_that_stands_there_twice_is_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "toes.tar.xz"
    path.write_bytes(tar_bytes(("toe.txt", TOE), ("toe.ann", TOE_ANN), ("toe.ann", "")))
    assert refused("brat", path).message == f"{path}!toe.ann stands there twice, with different contents"


def test_a_cut_archive_is_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "toes.tar.xz"
    path.write_bytes(tar_bytes(*FILES.items())[:-60])
    assert str(path) in refused("brat", path).message


@pytest.mark.parametrize(
    "line",
    [
        "T1 X 4 8 left",
        "T1\tX 4 8",
        "T1\tX 4\tleft",
        "T1\tX four 8\tleft",
        "T1\tX -4 8\tleft",
        "T1\tX 4 8;\tleft",
        "T1\tX 4 99999999999999999999\tleft",
        "T\tX 4 8\tleft",
        "Q1\tX 4 8\tleft",
        "left",
    ],
)
def test_a_malformed_line_is_named(folder: Any, refused: Any, line: str) -> None:
    path = folder(a__txt=TEXT, a__ann=f"T9\tX 4 8\tleft\n{line}\n")
    error = refused("brat", path)
    assert error.message.startswith(f"{path}/a.ann, line 2: ")
    assert "start end" in error.cure


def test_a_number_given_twice_is_named(folder: Any, refused: Any) -> None:
    path = folder(a__txt=TEXT, a__a1="T1\tX 4 8\tleft\n", a__a2="T1\tX 9 12\tarm\n")
    assert refused("brat", path).message == f"{path}/a.a2, line 1: T1 stands in {path}/a.a1, line 1 already"


def test_annotations_without_text_and_text_without_annotations(folder: Any, refused: Any, tmp_path: Path) -> None:
    path = folder(a__txt=TEXT, a__ann="", b__ann="T1\tX 4 8\tleft\n")
    assert f"{path}/b.ann has no text b.txt beside it" in refused("brat", path).message
    (path / "b.ann").unlink()
    (path / "c.txt").write_text(TEXT)
    error = refused("brat", path)
    assert f"{path}/c.txt has no annotations beside it" in error.message
    assert "empty file" in error.cure


def test_text_that_is_no_utf8_is_named(folder: Any, refused: Any) -> None:
    path = folder(a__txt="Ménière".encode("latin-1"), a__ann="")
    assert refused("brat", path).message == f"{path}/a.txt: no UTF-8 at byte 1"


def test_windows_line_ends_count_in_the_text_and_not_in_the_annotations(folder: Any, covered: Any) -> None:
    path = folder(a__txt="A toe.\r\nA thumb.\r\n", a__ann="T1\tX 10 15\tthumb\r\n")
    corpus = load_spans("brat", [path])
    assert covered(corpus) == [("X", "thumb")]
    assert corpus.documents[0].article.text.endswith("\r\n")


@given(
    text=st.text(st.sampled_from("ab \nß\U0001f9b4"), max_size=30),
    spans=st.lists(
        st.tuples(
            st.sampled_from("XYZ"),
            st.lists(st.tuples(st.integers(0, 35), st.integers(0, 35)), min_size=1, max_size=3),
            st.booleans(),
        ),
        max_size=8,
    ),
    discontinuous=st.sampled_from(["hull", "split", "drop"]),
    labels=st.sampled_from([{}, {"X": None}, {"X": "Y"}]),
)
def test_every_annotation_is_accounted_for(
    accounted: Any, text: str, spans: Any, discontinuous: Any, labels: dict[str, str | None]
) -> None:
    lines = []
    for number, (label, fragments, right) in enumerate(spans):
        words = " ".join(text[start:end] for start, end in fragments).replace("\n", " ") if right else "toe"
        places = ";".join(f"{start} {end}" for start, end in fragments)
        lines.append(f"T{number}\t{label} {places}\t{words}\n")
    # The label that the map needs, so that the map is never wrong.
    lines.append("T99\tX 0 99\ttoe\n")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "a.txt").write_bytes(f"z{text}".encode())
        (Path(name) / "a.ann").write_text("".join(lines), encoding="utf-8", newline="")
        corpus = load_spans("brat", [Path(name)], labels=labels, discontinuous=discontinuous)
    assert corpus.documents[0].article.text == f"z{text}"
    assert corpus.annotations == len(lines) == accounted(corpus)
    for span in corpus.documents[0].spans:
        found = corpus.documents[0].article.text[span.start : span.end]
        assert found and found == found.strip()


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "documents", "annotations"),
    [
        ("maccrobat", 150, 18414),
        ("anatem.tar.xz", 808, 9085),
        ("bionlp13cg.tar.xz", 400, 24489),
        ("rct_outcomes.tar.xz", 640, 5845),
    ],
)
def test_genuine_corpora(data_dir: Path, accounted: Any, name: str, documents: int, annotations: int) -> None:
    corpus = load_spans("brat", [data_dir / "corpora" / name])
    assert (len(corpus.documents), corpus.annotations) == (documents, annotations)
    assert accounted(corpus) == annotations
    assert corpus.unaligned == ()
