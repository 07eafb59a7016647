"""Small corpora and systems that the tests of evaluation jobs share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy

TEXTS = {
    "one": "A 34-year-old man with osteosarcoma of the sacrum underwent hemisacrectomy. He had no infection.",
    "two": "A 51-year-old woman with chordoma of the sacrum underwent sacrectomy. She walked after 2 weeks.",
}
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file below the test's folder."""

    def to(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return to


@pytest.fixture
def fields(write: Write) -> str:
    """A data set of fields, as a line of a job: two articles of one patient each."""
    texts = [
        {"article_id": name, "title": "", "sections": [{"label": "", "text": text}]} for name, text in TEXTS.items()
    ]
    gold = [
        article("one", age=(34, "34-year-old"), sex=("male", "man"), diagnosis=("osteosarcoma", "osteosarcoma")),
        article("two", age=(52, "51-year-old"), sex=("female", "woman"), diagnosis=("chordoma", "chordoma")),
    ]
    write("texts.jsonl", "".join(json.dumps(line) + "\n" for line in texts))
    write("gold.jsonl", "".join(json.dumps(line) + "\n" for line in gold))
    return "{name: two, loader: fields, gold: gold.jsonl, texts: texts.jsonl}"


def article(name: str, **findings: tuple[str | int, str]) -> dict[str, object]:
    made = [{"field": field, "value": value, "text": text} for field, (value, text) in findings.items()]
    return {"article_id": name, "cases": [{"case": 1, "findings": made}]}


@pytest.fixture
def spans(write: Write) -> str:
    """A data set of typed spans: six of them in two texts."""
    write(
        "marked.jsonl",
        json.dumps(
            {"article_id": "one", "marked": "[[SEX|man]] with [[NEOPLASM|osteosarcoma]] of the [[ANATOMY|sacrum]]"}
        )
        + "\n"
        + json.dumps(
            {"article_id": "two", "marked": "[[SEX|woman]] with [[NEOPLASM|chordoma]] of the [[ANATOMY|sacrum]]"}
        )
        + "\n",
    )
    return "{name: spans, loader: marked, paths: [marked.jsonl]}"


@pytest.fixture
def ruler(tmp_path: Path) -> str:
    """A foreign spaCy pipeline, as a system of a job: it knows the tumours and takes the sacrum for a tumour."""
    nlp = spacy.blank("en")
    patterns = [{"label": "TUMOR", "pattern": word} for word in ("osteosarcoma", "chordoma", "sacrum")]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.to_disk(tmp_path / "ruler")
    return f"{{name: ruler, model: {tmp_path / 'ruler'}, spans: [ents], labels: {{TUMOR: NEOPLASM}}}}"
