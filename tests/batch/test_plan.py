"""The planner: every record of the inputs is in exactly one shard, with the number that it has in its file."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.batch import plan
from caseframe.batch.plan import plan_shards, read_options
from caseframe.batch.shard import read_piece
from caseframe.config import ExtractConfig
from caseframe.schema import Failure
from caseframe.sources import iter_inputs, open_articles

CONFIG = ExtractConfig()
TEXT = "A woman fell from a ladder and broke her femur. "


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SMALLEST", 3000)


def record(number: int) -> str:
    return json.dumps({"pmid": str(number), "title": f"Fall {number}", "abstract": TEXT * 5}) + "\n"


def pubmed(number: int) -> str:
    return (
        f"<PubmedArticle><MedlineCitation><PMID>{number}</PMID><Article><ArticleTitle>Fall {number}</ArticleTitle><Abstract>"
        f"<AbstractText>{TEXT * 5}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>\n"
    )


def jsonl(folder: Path) -> None:
    lines = "\ufeff" + "".join(record(n) + "\n \n" * (n % 3) for n in range(50)) + "{torn"
    (folder / "a.jsonl").write_text(lines, encoding="utf-8")


def xml(folder: Path) -> None:
    notice = "<DeleteCitation><PMID>7</PMID><PMID>8</PMID></DeleteCitation>"
    middle = "<PubmedArticle><broken></PubmedArticle>\n"
    records = [pubmed(n) for n in range(60)]
    content = "<PubmedArticleSet>" + "".join([*records[:20], notice, middle, *records[20:]]) + "</PubmedArticleSet>"
    (folder / "a.xml.gz").write_bytes(gzip.compress(content.encode(), 0))


def cut_off_xml(folder: Path) -> None:
    content = "<PubmedArticleSet>" + "".join(map(pubmed, range(60)))
    packed = gzip.compress(content.encode(), 0)
    (folder / "a.xml.gz").write_bytes(packed[: len(packed) * 2 // 3])


def csv(folder: Path) -> None:
    rows = "".join(f'{n},Fall {n},"{TEXT}\n{TEXT * 3}"\n' for n in range(60))
    (folder / "a.csv").write_text(f"pmid,title,abstract\n{rows}", encoding="utf-8")


def zipped(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for n in range(20):
            archive.writestr(f"{n}.jsonl", record(n) + record(100 + n))


def tarred(folder: Path) -> None:
    with tarfile.open(folder / "a.tar.gz", "w:gz", compresslevel=0) as archive:
        for n in range(20):
            content = (record(n) + record(100 + n)).encode()
            info = tarfile.TarInfo(f"{n}.jsonl")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def cut_off_tar(folder: Path) -> None:
    tarred(folder)
    path = folder / "a.tar.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def many(folder: Path) -> None:
    for n in range(30):
        (folder / f"{n:02}.jsonl").write_text(record(n), encoding="utf-8")


def unknown(folder: Path) -> None:
    (folder / "a.bin").write_bytes(bytes(range(256)) * 40)


@pytest.mark.parametrize(
    ("write", "at_least"),
    [
        (jsonl, 4),
        (xml, 4),
        (cut_off_xml, 4),
        (csv, 4),
        (zipped, 3),
        (tarred, 3),
        (cut_off_tar, 2),
        (many, 3),
        (unknown, 1),
    ],
)
def test_shards_hold_what_the_files_hold(write: Callable[[Path], None], at_least: int, tmp_path: Path) -> None:
    write(tmp_path)
    whole = list(open_articles([tmp_path]))
    inputs = list(iter_inputs([tmp_path]))
    shards = plan_shards(inputs, CONFIG)
    assert len(shards) >= at_least and [shard.number for shard in shards] == list(range(len(shards)))
    assert len({shard.id for shard in shards}) == len(shards)
    options = read_options(CONFIG.input)
    cut = [record for shard in shards for piece in shard.pieces for _, record in read_piece(piece, options)]
    if write in (zipped, tarred, cut_off_tar):
        # Every n-th member of an archive: in another order.
        assert sorted(map(repr, cut)) == sorted(map(repr, whole))
    else:
        assert cut == whole
    assert any(isinstance(each, Failure) for each in whole) == (write not in (csv, zipped, tarred, many))


def test_the_plan_is_the_same_every_time(tmp_path: Path) -> None:
    jsonl(tmp_path)
    inputs = list(iter_inputs([tmp_path]))
    assert plan_shards(inputs, CONFIG) == plan_shards(inputs, CONFIG)


def test_a_limit_leaves_files_whole(tmp_path: Path) -> None:
    xml(tmp_path)
    config = ExtractConfig.model_validate({"select": {"limit": 5}})
    assert len(plan_shards(list(iter_inputs([tmp_path])), config)) == 1


def test_mapped_columns_are_looked_for_in_the_whole_file(tmp_path: Path) -> None:
    jsonl(tmp_path)
    config = ExtractConfig.model_validate({"input": {"columns": {"journal": "magazine"}}})
    shards = plan_shards(list(iter_inputs([tmp_path])), config)
    told = [
        record
        for shard in shards
        for piece in shard.pieces
        for _, record in read_piece(piece, read_options(config.input))
        if record.origin.record == 0
    ]
    assert len(told) == 1 and isinstance(told[0], Failure) and told[0].error == "MissingColumn"


@given(
    lines=st.lists(
        st.sampled_from(["", " \t", "\x1e", "{", "[]", "\ufeff{", record(1).strip(), record(2).strip() * 9]), min_size=1
    )
)
def test_any_lines_are_cut_where_a_line_ends(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lines")
    (folder / "a.jsonl").write_text("\n".join([record(0).strip(), *lines]), encoding="utf-8")
    whole = list(open_articles([folder]))
    shards = plan_shards(list(iter_inputs([folder])), CONFIG)
    options = read_options(CONFIG.input)
    assert [r for shard in shards for piece in shard.pieces for _, r in read_piece(piece, options)] == whole
