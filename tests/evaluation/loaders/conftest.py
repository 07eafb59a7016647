"""Helpers of the tests of loaders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caseframe.errors import GoldError
from caseframe.evaluation.loaders import load_spans
from caseframe.evaluation.loaders.alignment import SPLIT_PARTS
from caseframe.evaluation.records import SpanCorpus


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes the files of a corpus, `name="content"`, with `__` for the dot, and gives their folder."""

    def write(**files: str | bytes) -> Path:
        path = tmp_path / "corpus"
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            raw = content if isinstance(content, bytes) else content.encode()
            (path / name.replace("__", ".")).write_bytes(raw)
        return path

    return write


@pytest.fixture(scope="session")
def covered() -> Callable[[SpanCorpus], list[tuple[str, str]]]:
    """Types and words of all spans of a corpus, in its order."""

    def words(corpus: SpanCorpus) -> list[tuple[str, str]]:
        return [
            (span.type, document.article.text[span.start : span.end])
            for document in corpus.documents
            for span in document.spans
        ]

    return words


@pytest.fixture(scope="session")
def accounted() -> Callable[[SpanCorpus], int]:
    """How many annotations are accounted for: spans, unaligned ones, and those that the notes call dropped."""

    def count(corpus: SpanCorpus) -> int:
        spans = sum(len(document.spans) for document in corpus.documents) - corpus.notes.get(SPLIT_PARTS, 0)
        dropped = sum(number for note, number in corpus.notes.items() if "dropped" in note)
        return spans + dropped + len(corpus.unaligned)

    return count


@pytest.fixture
def refused() -> Callable[..., GoldError]:
    """The error that a load ends with."""

    def load(loader: str, *paths: Path, **options: Any) -> GoldError:
        with pytest.raises(GoldError) as caught:
            load_spans(loader, paths, **options)
        assert caught.value.message and caught.value.cure
        return caught.value

    return load
