"""Gold of fields held against its texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caseframe.errors import GoldError
from caseframe.evaluation.loaders import load_fields, refuse_shared
from caseframe.schema import Article

Load = Callable[..., Any]


def text(article_id: str, title: str = "A cork toe") -> dict[str, Any]:
    return {"article_id": article_id, "title": title, "sections": [{"label": None, "text": "A diver lost a toe."}]}


def gold(article_id: str, words: str = "cork toe", **rest: object) -> dict[str, Any]:
    finding = {"field": "implant", "value": "toe", "text": words}
    return {"article_id": article_id, "cases": [{"case": 1, "findings": [finding]}], **rest}


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    def load(golds: list[object], texts: list[object]) -> Any:
        paths = tmp_path / "gold.jsonl", tmp_path / "texts.jsonl"
        for path, lines in zip(paths, (golds, texts), strict=True):
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return load_fields(*paths)

    return load


def test_articles_stand_in_the_order_of_the_gold(loaded: Load) -> None:
    corpus = loaded([gold("b"), gold("a")], [text("a"), text("b")])
    assert [article.article_id for article in corpus.articles] == ["b", "a"]
    assert [article.article_id for article in corpus.gold] == ["b", "a"]


def test_the_right_hash_is_taken(loaded: Load) -> None:
    sha256 = Article.build(article_id="a", title="A cork toe", abstract=[("", "A diver lost a toe.")]).sha256
    assert loaded([gold("a", text_sha256=sha256)], [text("a")]).gold[0].text_sha256 == sha256


@pytest.mark.parametrize(
    ("golds", "texts", "message"),
    [
        ([gold("a"), gold("c")], [text("a")], r"gold\.jsonl, line 2: the article c has no text in .*texts\.jsonl"),
        ([gold("a")], [text("a"), text("c")], r"texts\.jsonl, line 2: the article c has no gold in .*gold\.jsonl"),
        ([gold("a", "cork  toe")], [text("a")], r"gold\.jsonl, line 1, case 1: .* words of implant, 'cork  toe'"),
        (
            [gold("a", text_sha256="0" * 64)],
            [text("a")],
            r"gold\.jsonl, line 1: text_sha256 is not that of the text of a",
        ),
        ([gold("a"), gold("a")], [text("a")], r"gold\.jsonl, line 2: the article a stands in line 1 already"),
    ],
)
def test_gold_and_texts_that_do_not_fit(loaded: Load, golds: list[object], texts: list[object], message: str) -> None:
    with pytest.raises(GoldError, match=message) as caught:
        loaded(golds, texts)
    assert caught.value.cure


@pytest.mark.data
def test_genuine_gold_fits_its_texts(data_dir: Path) -> None:
    corpora = {
        name: load_fields(data_dir / name / "gold.jsonl", data_dir / name / "texts.jsonl")
        for name in ("casefields_train", "casefields_dev")
    }
    assert [len(corpus.articles) for corpus in corpora.values()] == [576, 88]
    assert sum(finding.case > 0 for article in corpora["casefields_dev"].gold for finding in article.findings) == 1224
    refuse_shared(corpora)
