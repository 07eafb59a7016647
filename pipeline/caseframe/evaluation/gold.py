"""Loader of field-level gold: JSON Lines, one article a line, and the texts it speaks of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caseframe.errors import BrokenFile
from caseframe.schema import ASSERTIONS, FIELDS, Article, Assertion, Attributes, Origin

_CURE = "See docs/schema.md for the gold format"


@dataclass(frozen=True, slots=True)
class GoldFinding:
    """A finding as an annotator gave it: no offsets, but words that the article holds."""

    field: str
    value: str | int | float
    text: str = ""
    assertion: Assertion = "present"
    attributes: Attributes = Attributes()
    case: int = 0


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """The gold of one article; findings of the article itself have case 0."""

    article_id: str
    findings: tuple[GoldFinding, ...]


def read_gold(path: Path) -> Iterator[GoldArticle]:
    """Reads a gold file; a line that does not follow the format raises BrokenFile with its number."""
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield _article(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BrokenFile(f"{path}, line {number}: {error!r}", _CURE) from error


def _article(record: dict[str, object]) -> GoldArticle:
    findings = [
        GoldFinding(field=name, value=record[name])  # type: ignore[arg-type]
        for name in ("study_design", "n_patients")
        if record.get(name) is not None
    ]
    for case in record.get("cases", ()):  # type: ignore[attr-defined]
        for item in case["findings"]:
            if item["field"] not in FIELDS:
                raise ValueError(f"unknown field {item['field']!r}")
            if item.get("assertion", "present") not in ASSERTIONS:
                raise ValueError(f"unknown assertion {item['assertion']!r}")
            attributes = {k: tuple(v) if isinstance(v, list) else v for k, v in item.get("attributes", {}).items()}
            findings.append(
                GoldFinding(
                    item["field"],
                    item["value"],
                    item.get("text", ""),
                    item.get("assertion", "present"),
                    Attributes(attributes),
                    case["case"],
                )
            )
    return GoldArticle(str(record["article_id"]), tuple(findings))


def read_texts(path: Path) -> Iterator[Article]:
    """Reads the texts that stand beside a gold file: `article_id`, `title`, `sections` of `label` and `text`.

    A line that does not follow the format raises BrokenFile with its number.
    """
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield _text(json.loads(line), Origin(str(path), number, "gold"))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BrokenFile(f"{path}, line {number}: {error!r}", _CURE) from error


def _text(record: dict[str, Any], origin: Origin) -> Article:
    return Article.build(
        article_id=record["article_id"],
        title=record["title"],
        abstract=[(section["label"] or "", section["text"]) for section in record["sections"]],
        pmid=record.get("pmid") or "",
        pmcid=record.get("pmcid") or "",
        keywords=tuple(record.get("keywords") or ()),
        origin=origin,
    )
