from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import BrokenFile, MissingColumn
from caseframe.schema import Article
from caseframe.sources import jsonl
from caseframe.sources.base import ReadOptions
from caseframe.sources.json_stream import ElementCutter


def lines(*objects: object) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in objects)


def test_keys_of_every_kind(reading: Any) -> None:
    found = reading.article(
        jsonl,
        lines(
            {
                "PMID": 7,
                "pmcId": "PMC900",
                "articleTitle": "Hip",
                "sections": [{"label": "Aim", "text": "Oak."}, {"text": "Held."}],
                "year": 2001.0,
                "keywords": ["hip", "oak"],
                "authors": [{"name": "Hill A"}, "Stone B"],
                "lang": "de",
                "journal": None,
            }
        ),
    )
    assert (found.pmid, found.pmcid, found.title, found.year, found.language) == ("7", "PMC900", "Hip", 2001, "ger")
    assert reading.labelled(found) == [("Aim", "Oak."), ("", "Held.")]
    assert found.keywords == ("hip", "oak")
    assert found.authors == ("Hill A", "Stone B")


def test_sections_as_texts_pairs_and_object(reading: Any) -> None:
    for sections in (["One.", "Two."], [["", "One."], ["", "Two."]], {"": "One.", " ": "Two."}):
        assert reading.article(jsonl, lines({"title": "T", "sections": sections})).abstract == "One.\nTwo."


def test_text_where_there_is_no_abstract(reading: Any) -> None:
    assert reading.article(jsonl, lines({"text": "Hip of oak\nIt held.\nWell."})).title == "Hip of oak"
    found = reading.article(jsonl, lines({"title": "Hip of oak.", "text": "Hip of oak.\nIt held."}))
    assert found.text == "Hip of oak.\nIt held."


def test_paths_into_objects(reading: Any) -> None:
    value = {"article": {"head": "Hip", "parts": [{"t": "It held."}]}, "title": "wrong"}
    found = reading.article(jsonl, lines(value), columns={"title": "article.head", "abstract": "article.parts.0.t"})
    assert found.text == "Hip\nIt held."


def test_a_path_that_no_object_has(reading: Any) -> None:
    reader = jsonl.read(io.BytesIO(lines({"title": "Hip"}).encode()), "t.jsonl", ReadOptions({"abstract": "a.b"}))
    assert isinstance(next(reader), Article)
    with pytest.raises(MissingColumn, match=r"t\.jsonl has no key 'a\.b'.*title"):
        next(reader)
    assert len(reading.articles(jsonl, lines({"title": "A"}, {"title": "B", "x": "C"}), columns={"abstract": "x"})) == 2


BAD = ['{"title": "cut', "[1, 2]", "17", '"words"', '{"size": 3}', "{'title': 'x'}", '{"title": 1e999}{', "[" * 100000]


@pytest.mark.parametrize("bad", BAD)
def test_bad_lines_cost_only_themselves(reading: Any, bad: str) -> None:
    found = reading.records(jsonl, lines({"title": "A"}) + bad + "\n" + lines({"title": "B"}))
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Article"]
    assert found[1].error == "BrokenRecord" and found[1].cure


def test_a_line_that_is_too_long(reading: Any) -> None:
    found = reading.records(jsonl, lines({"title": "A"}, {"title": "B" * 3000}, {"title": "C"}), max_record_bytes=1000)
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Article"]


def test_an_array(reading: Any) -> None:
    values = [{"title": 'A "]}" \\ {['}, 5, {"title": "B" * 3000}, {"title": "C", "x": [[{}]]}]
    for indent in (None, 2):
        found = reading.records(jsonl, json.dumps(values, indent=indent), max_record_bytes=1000)
        assert [type(record).__name__ for record in found] == ["Article", "Failure", "Failure", "Article"]
    assert reading.articles(jsonl, "[]") == []


def test_an_array_with_a_broken_element(reading: Any) -> None:
    found = reading.records(jsonl, '[{"title": "A"}, {"title" "B"}, {"title": "C"}]')
    assert [type(record).__name__ for record in found] == ["Article", "Failure", "Article"]


def test_an_array_that_is_cut_off() -> None:
    reader = jsonl.read(io.BytesIO(b'[{"title": "A"}, {"title": "B'), "f", ReadOptions())
    assert isinstance(next(reader), Article)
    with pytest.raises(BrokenFile):
        next(reader)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class InPieces(io.BytesIO):
    """Gives a few bytes at a time."""

    def __init__(self, raw: bytes, size: int) -> None:
        super().__init__(raw)
        self.size = size

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read(self.size)


@given(st.lists(JSON), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_elements_are_cut_exactly(values: list[object], size: int, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(
        {"before": [1, {"documents": 3}], "documents": values, "after": ["x"]}, indent=indent, ensure_ascii=ascii_only
    )
    stream = InPieces(text.encode("utf-8", "replace"), size)
    found = [json.loads(value.raw) for value in ElementCutter(1 << 20, {"documents"}).cut(stream)]
    expected = [json.loads(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")) for value in values]
    nested = sum(json.dumps(value).count('"documents"') for value in values)
    assert nested or found == expected


@given(
    st.lists(
        st.text() | st.sampled_from(["{}", "[", '{"title": "x"}', '{"text": [1, {}]}', '{"abstract": {"a": null}}'])
    )
)
def test_random_lines_never_raise(reading: Any, values: list[str]) -> None:
    text = "{}\n" + "\n".join(values)
    found = reading.records(jsonl, text.encode("utf-8", "replace"))
    assert [record.origin.record for record in found] == list(range(1, len(found) + 1))


@given(JSON)
def test_any_value_under_any_key(reading: Any, value: object) -> None:
    keys = ("title", "abstract", "sections", "text", "pmid", "year", "keywords", "mesh", "authors", "language", "body")
    (found,) = reading.records(jsonl, lines(dict.fromkeys(keys, value)).encode("utf-8", "replace"), body=True)
    assert found.origin.record == 1


@pytest.mark.data
def test_the_real_collection(data_dir: Path) -> None:
    with gzip.open(data_dir / "articles" / "case_report_abstracts.jsonl.gz") as stream:
        count = sum(
            isinstance(record, Article) and bool(record.abstract) for record in jsonl.read(stream, "x", ReadOptions())
        )
    assert count == 9307


@pytest.mark.data
def test_the_gold_texts_are_the_articles_texts(data_dir: Path) -> None:
    path = data_dir / "casefields_dev" / "texts.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open("rb") as stream:
        found = [record for record in jsonl.read(stream, "x", ReadOptions()) if isinstance(record, Article)]
    assert [(article.article_id, article.sha256) for article in found] == [
        (row["article_id"], row["text_sha256"]) for row in rows
    ]
