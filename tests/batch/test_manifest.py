"""The manifest: lines that are torn or damaged are found; the others hold."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from caseframe.batch import manifest
from caseframe.batch.shard import ShardResult


def result(number: int) -> ShardResult:
    return ShardResult(number, f"{number:06d}-abc", {"read": 7}, {"BrokenRecord": 1}, {"0": "ff"}, 2, 1.5, 1.4, 300)


def written(path: Path) -> list[ShardResult]:
    results = [result(number) for number in range(4)]
    for each in results:
        manifest.append(path, each)
    return results


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    results = written(tmp_path / "manifest.jsonl")
    assert list(manifest.read(tmp_path / "manifest.jsonl")) == results


def test_no_manifest_is_an_empty_one(tmp_path: Path) -> None:
    assert not list(manifest.read(tmp_path / "manifest.jsonl"))


@given(where=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_costs_only_the_lines_it_is_in(where: int, byte: int, cut: bool, tmp_path_factory: object) -> None:
    folder: Path = tmp_path_factory.mktemp("manifest")  # type: ignore[attr-defined]
    path = folder / "manifest.jsonl"
    results = written(path)
    content = bytearray(path.read_bytes())
    where %= len(content)
    if cut:
        del content[where:]
    else:
        content[where] = byte
    path.write_bytes(content)
    left = list(manifest.read(path))
    # A byte may be a line's end, and so damage the line on its other side too.
    assert all(each in results for each in left) and len(left) >= (content.count(b"\n") if cut else 2)
    manifest.rewrite(path, left)
    manifest.append(path, result(9))
    assert list(manifest.read(path)) == [*left, result(9)]
