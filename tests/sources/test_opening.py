from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import random
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import NoArticles, UnknownFormat
from caseframe.schema import Article, Failure, Record
from caseframe.sources import FORMATS, STDIN, Input, iter_inputs, open_articles, read_input, reader_of
from caseframe.sources.opening import head_text


def pubmed(*pmids: int, text: str = "Some words.") -> bytes:
    records = "".join(
        f"<PubmedArticle><MedlineCitation><PMID Version='1'>{pmid}</PMID><Article><ArticleTitle>Title {pmid}."
        f"</ArticleTitle><Abstract><AbstractText>{text}</AbstractText></Abstract></Article></MedlineCitation>"
        "</PubmedArticle>\n"
        for pmid in pmids
    )
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<PubmedArticleSet>\n{records}</PubmedArticleSet>\n".encode()


def jats(pmid: int) -> bytes:
    return (
        f"<article article-type='case-report'><front><article-meta><article-id pub-id-type='pmid'>{pmid}</article-id>"
        "<title-group><article-title>A case</article-title></title-group></article-meta></front></article>"
    ).encode()


def tar_of(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def zip_of(members: dict[str, bytes], *, store: bool = False) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED if store else zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def pmids(records: Iterator[Record] | list[Record]) -> list[str]:
    """PMIDs of the articles; the kind of error for each failure."""
    return [record.pmid if isinstance(record, Article) else getattr(record, "error", "deletion") for record in records]


def failures(records: list[Record]) -> list[Failure]:
    return [record for record in records if isinstance(record, Failure)]


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def noise(count: int, seed: int = 1) -> str:
    """Words that do not compress to nothing."""
    letters = random.Random(seed)
    return " ".join("".join(letters.choices("abcdefghij", k=8)) for _ in range(count))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.compress,
}


class TestCompression:
    @pytest.mark.parametrize("kind", PACKERS)
    @pytest.mark.parametrize("suffix", ["right", ".xml"])
    def test_known_by_content(self, tmp_path: Path, kind: str, suffix: str) -> None:
        name = f"a.xml.{kind}" if suffix == "right" else f"a{suffix}"
        path = put(tmp_path / name, PACKERS[kind](pubmed(1, 2)))
        assert pmids(open_articles(path)) == ["1", "2"]
        with Input(str(path)).open() as stream:
            assert stream.read() == pubmed(1, 2)

    @pytest.mark.parametrize("kind", PACKERS)
    def test_several_frames(self, tmp_path: Path, kind: str) -> None:
        whole = pubmed(1, 2)
        pack = PACKERS[kind]
        assert pmids(open_articles(put(tmp_path / "a", pack(whole[:150]) + pack(whole[150:])))) == ["1", "2"]

    def test_suffix_without_compression(self, tmp_path: Path) -> None:
        assert pmids(open_articles(put(tmp_path / "a.xml.gz", pubmed(1)))) == ["1"]

    def test_packed_twice(self, tmp_path: Path) -> None:
        assert pmids(open_articles(put(tmp_path / "a.gz.gz", gzip.compress(gzip.compress(pubmed(1)))))) == ["1"]

    @pytest.mark.parametrize("kind", PACKERS)
    @pytest.mark.parametrize("cut", [0.5, 0.9, 0.999])
    def test_cut_off(self, tmp_path: Path, kind: str, cut: float) -> None:
        packed = PACKERS[kind](pubmed(*range(1, 400), text=noise(40)))
        path = put(tmp_path / "a.xml", packed[: int(len(packed) * cut)])
        found = list(open_articles([path, put(tmp_path / "b.xml", pubmed(1000))]))
        articles = pmids([record for record in found if isinstance(record, Article)])
        assert articles == [*map(str, range(1, len(articles))), "1000"]
        (failure,) = failures(found)
        assert (failure.error, failure.origin.file) == ("BrokenFile", str(path))
        assert "cut off" in failure.message
        assert failure.cure

    def test_all_before_the_cut_is_read(self, tmp_path: Path) -> None:
        whole = pubmed(*range(1, 300), text="x")
        # Cut right behind the last record: the stored data are all there, only the trailer is missing.
        packed = gzip.compress(whole, compresslevel=0)[:-8]
        assert pmids(open_articles(put(tmp_path / "a.gz", packed))) == [*map(str, range(1, 300)), "BrokenFile"]

    def test_rubbish_behind_the_end(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.gz", gzip.compress(pubmed(1)) + b"rubbish")
        assert pmids(open_articles(path)) == ["1", "BrokenFile"]

    def test_zeros_behind_the_end(self, tmp_path: Path) -> None:
        assert pmids(open_articles(put(tmp_path / "a.gz", gzip.compress(pubmed(1)) + bytes(9000)))) == ["1"]

    @pytest.mark.parametrize("kind", ["gz", "zst", "xz"])
    def test_bomb_takes_no_memory(self, tmp_path: Path, kind: str) -> None:
        start, end = pubmed(1, text="@").split(b"@")
        path = put(tmp_path / "a.xml", PACKERS[kind](start + b" " * (60 << 20) + end + pubmed(2)))
        tracemalloc.start()
        found = pmids(open_articles(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == ["BrokenRecord", "2"]
        assert peak < 30 << 20

    @given(data=st.binary(max_size=300), kind=st.sampled_from(sorted(PACKERS)))
    def test_damage_never_raises(self, tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str) -> None:
        packed = PACKERS[kind](pubmed(1, 2, 3))
        path = tmp_path_factory.getbasetemp() / "damaged.xml"
        path.write_bytes(packed[: len(packed) // 2] + data)
        assert all(isinstance(record, Article | Failure) for record in open_articles(path))


class TestArchives:
    MEMBERS: ClassVar = {
        "set/a.nxml": jats(1),
        "set/figure.jpg": b"\xff\xd8",
        "set/b.xml.gz": gzip.compress(pubmed(2, 3)),
        "README.md": b"# About",
        "__MACOSX/set/._a.nxml": b"x",
    }

    @pytest.mark.parametrize("kind", ["", *PACKERS])
    def test_tar(self, tmp_path: Path, kind: str) -> None:
        packed = PACKERS[kind](tar_of(self.MEMBERS)) if kind else tar_of(self.MEMBERS)
        path = put(tmp_path / f"a.tar.{kind}", packed)
        found = list(open_articles(path))
        assert pmids(found) == ["1", "2", "3"]
        assert [str(record.origin) for record in found] == [
            f"{path}!set/a.nxml, record 1",
            f"{path}!set/b.xml.gz, record 1",
            f"{path}!set/b.xml.gz, record 2",
        ]

    def test_zip(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.zip", zip_of(self.MEMBERS))
        assert pmids(open_articles(path)) == ["1", "2", "3"]
        assert len(list(iter_inputs([path]))) == 1

    def test_bad_member_costs_only_itself(self, tmp_path: Path) -> None:
        members = {
            "a.xml": pubmed(1),
            "b.dat": b"\0\1\2\3",
            "c.xml.gz": gzip.compress(pubmed(2))[:-9],
            "d.xml": pubmed(3),
        }
        for path in (put(tmp_path / "a.tar", tar_of(members)), put(tmp_path / "a.zip", zip_of(members))):
            found = list(open_articles(path))
            assert [record.pmid for record in found if isinstance(record, Article)] == ["1", "2", "3"]
            assert [(failure.origin.file, failure.error) for failure in failures(found)] == [
                (f"{path}!b.dat", "UnknownFormat"),
                (f"{path}!c.xml.gz", "BrokenFile"),
            ]

    def test_damaged_and_locked_members_of_a_zip(self, tmp_path: Path) -> None:
        packed = zip_of({"a.xml": pubmed(1), "b.xml": pubmed(2), "c.xml": pubmed(3)}, store=True)
        damaged = packed.replace(b"Title 1.", b"Title X.")
        assert pmids(open_articles(put(tmp_path / "a.zip", damaged))) == ["BrokenFile", "2", "3"]
        locked = bytearray(packed)
        locked[packed.index(b"PK\x01\x02") + 8] |= 1
        locked[6] |= 1
        assert pmids(open_articles(put(tmp_path / "b.zip", bytes(locked)))) == ["BrokenFile", "2", "3"]

    def test_cut_off_archives(self, tmp_path: Path) -> None:
        members = {f"{number}.xml": pubmed(number, text=noise(300, number)) for number in range(1, 30)}
        for name, packed in (("a.tar", tar_of(members)), ("a.tar.gz", gzip.compress(tar_of(members)))):
            found = list(open_articles(put(tmp_path / name, packed[: len(packed) // 2])))
            articles = [record.pmid for record in found if isinstance(record, Article)]
            assert articles == [*map(str, range(1, len(articles) + 1))]
            assert len(articles) > 10
            assert {failure.error for failure in failures(found)} == {"BrokenFile"}
        packed = zip_of(members)
        assert pmids(open_articles(put(tmp_path / "a.zip", packed[: len(packed) // 2]))) == ["BrokenFile"]

    def test_archive_in_archive_is_refused(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.tar", tar_of({"in.zip": zip_of({"a.xml": pubmed(1)}), "b.xml": pubmed(2)}))
        assert pmids(open_articles(path)) == ["UnknownFormat", "2"]

    def test_office_document(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.xlsx", zip_of({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"}))
        (failure,) = failures(list(open_articles(path)))
        assert "CSV" in failure.cure

    def test_members_are_not_written_anywhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = put(tmp_path / "in" / "a.tar", tar_of({"../../evil.xml": pubmed(1), "/abs.xml": pubmed(2)}))
        monkeypatch.chdir(path.parent)
        assert pmids(open_articles(path)) == ["1", "2"]
        assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.tar"]


class TestFolders:
    def test_recursion_in_a_fixed_order(self, tmp_path: Path) -> None:
        for name, pmid in (("b/2.xml", 2), ("a/c/4.xml", 4), ("a/1.xml", 1), ("z.xml", 9), ("b/1.xml.gz", 3)):
            put(tmp_path / name, gzip.compress(pubmed(pmid)) if name.endswith("gz") else pubmed(pmid))
        assert pmids(open_articles(tmp_path)) == ["9", "1", "4", "3", "2"]
        inputs = list(iter_inputs([tmp_path]))
        assert inputs == list(iter_inputs([tmp_path]))
        assert all(source.size and source.modified and source.listed for source in inputs)

    def test_other_files(self, tmp_path: Path) -> None:
        put(tmp_path / "a.xml", pubmed(1))
        for name in ("README.md", "LICENSE", "a.png", ".hidden.xml", "a.xml.gz.md5", ".git/b.xml"):
            put(tmp_path / name, b"\0 not an article")
        odd = put(tmp_path / "odd.dat", b"\0\1\2")
        empty = put(tmp_path / "empty.xml", b"")
        found = list(open_articles(tmp_path))
        assert [(failure.origin.file, failure.error) for failure in failures(found)] == [
            (str(empty), "BrokenFile"),
            (str(odd), "UnknownFormat"),
        ]
        assert pmids(found)[0] == "1"

    def test_links_that_loop_or_lead_nowhere(self, tmp_path: Path) -> None:
        put(tmp_path / "in/a.xml", pubmed(1))
        (tmp_path / "in/loop").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "in/nowhere.xml").symlink_to(tmp_path / "gone.xml")
        found = list(open_articles(tmp_path))
        assert pmids(found) == ["1", "BrokenFile"]

    def test_pipes_are_passed_over(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.xml")
        put(tmp_path / "z.xml", pubmed(1))
        assert pmids(open_articles(tmp_path)) == ["1"]

    def test_patterns(self, tmp_path: Path) -> None:
        put(tmp_path / "x/b.xml", pubmed(2))
        put(tmp_path / "a.xml", pubmed(1))
        put(tmp_path / "c.txt", b"words and words")
        assert pmids(open_articles(f"{tmp_path}/**/*.xml")) == ["1", "2"]

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(NoArticles, match="no articles under"):
            list(open_articles(tmp_path))
        with pytest.raises(NoArticles, match="missing"):
            list(open_articles([put(tmp_path / "a.xml", pubmed(1)), tmp_path / "missing.xml"]))
        with pytest.raises(NoArticles, match="no path"):
            list(open_articles([]))


class TestFormats:
    @pytest.mark.parametrize("name", FORMATS)
    def test_every_reader_keeps_the_contract(self, name: str) -> None:
        reader = reader_of(name)
        assert name == reader.FORMAT
        assert reader.sniff("", "") is False
        assert not reader.sniff("\x7fELF\0\0", "program")

    def test_format_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(UnknownFormat, match="'docx'"):
            list(open_articles(put(tmp_path / "a.xml", pubmed(1)), format="docx"))

    def test_unknown_content_of_a_named_file(self, tmp_path: Path) -> None:
        (failure,) = failures(list(open_articles(put(tmp_path / "a.png", b"\x89PNG\r\n\x1a\n\0"))))
        assert failure.error == "UnknownFormat"
        assert "pubmed_xml" in failure.cure

    def test_named_format_goes_before_content(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.xml", b"<!-- a long remark " + b"." * 9000 + b" -->" + pubmed(1))
        assert pmids(open_articles(path)) == ["UnknownFormat"]
        assert pmids(open_articles(path, format="pubmed_xml")) == ["1"]

    def test_fault_of_a_reader_is_a_failure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> Iterator[Record]:
            raise ValueError("boom")
            yield

        paths = [put(tmp_path / "a.xml", pubmed(1)), put(tmp_path / "b.nxml", jats(2))]
        monkeypatch.setattr(reader_of("pubmed_xml"), "read", fail)
        found = list(open_articles(paths))
        assert pmids(found) == ["BrokenFile", "2"]
        assert "boom" in failures(found)[0].message

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252"])
    def test_head_of_any_encoding(self, encoding: str) -> None:
        text = "<?xml version='1.0'?><a>é</a>"
        assert head_text(text.encode(encoding)) == text

    def test_head_cut_inside_a_character(self) -> None:
        assert head_text("aé".encode()[:-1]) == "a"


class TestPlaces:
    def test_urls(self) -> None:
        files = fsspec.filesystem("memory")
        files.pipe(
            {
                "/opening/b/2.xml.gz": gzip.compress(pubmed(2)),
                "/opening/a.xml": pubmed(1),
                "/opening/figure.png": b"\x89PNG",
                "/opening/c.zip": zip_of({"m.xml": pubmed(3)}),
            }
        )
        assert pmids(open_articles("memory://opening/a.xml")) == ["1"]
        assert pmids(open_articles("memory://opening/b/2.xml.gz")) == ["2"]
        assert sorted(pmids(open_articles("memory://opening"))) == ["1", "2", "3"]
        assert pmids(open_articles("memory://opening/**/*.xml*")) == ["1", "2"]
        listed = list(iter_inputs(["memory://opening"]))
        assert [source.name for source in listed] == [
            "memory:///opening/a.xml",
            "memory:///opening/b/2.xml.gz",
            "memory:///opening/c.zip",
        ]
        assert all(source.size for source in listed)
        assert pmids(open_articles("memory://opening/missing.xml")) == ["BrokenFile"]

    def test_url_of_an_unknown_kind(self) -> None:
        with pytest.raises(NoArticles, match="nowhere://x"):
            list(open_articles("nowhere://x"))

    @pytest.mark.parametrize(
        "packed", [pubmed(1), gzip.compress(pubmed(1)), gzip.compress(tar_of({"a.xml": pubmed(1)}))]
    )
    def test_standard_input(self, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(packed))
        monkeypatch.setattr(sys, "stdin", stdin)
        (article,) = open_articles(STDIN)
        assert isinstance(article, Article)
        assert article.pmid == "1"
        assert article.origin.file.startswith("-")
        assert not stdin.buffer.closed

    def test_zip_on_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(zip_of({"a.xml": pubmed(1)}))))
        assert pmids(open_articles(STDIN)) == ["UnknownFormat"]


class TestInput:
    def test_is_a_shard(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.xml", pubmed(1, 2))
        (source,) = iter_inputs([path])
        again = pickle.loads(pickle.dumps(source))
        assert again == source
        assert pmids(read_input(again)) == ["1", "2"]
        assert pmids(read_input(again, "pubmed_xml")) == ["1", "2"]

    def test_hash_is_of_the_bytes(self, tmp_path: Path) -> None:
        one, two = put(tmp_path / "a", pubmed(1)), put(tmp_path / "b", gzip.compress(pubmed(1)))
        assert len(Input(str(one)).sha256()) == 64
        assert Input(str(one)).sha256() != Input(str(two)).sha256()
        assert Input(STDIN).sha256() == ""

    def test_reading_can_stop_early(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.tar.gz", gzip.compress(tar_of({"a.xml": pubmed(1, 2), "b.xml": pubmed(3)})))
        records = open_articles(path)
        assert next(records).article_id == "pmid:1"
        # An open file left behind would be a warning, and warnings are errors here.
        records.close()  # type: ignore[attr-defined]


@pytest.mark.data
def test_archive_of_jats(data_dir: Path) -> None:
    found = list(open_articles(data_dir / "articles" / "jats_sample.tar.xz"))
    assert len(found) == 600
    assert all(isinstance(record, Article) for record in found)
