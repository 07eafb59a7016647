"""BioC JSON: articles with their findings as annotations, for annotators and text-mining tools."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from caseframe._version import __version__
from caseframe.tables.evidence import Evidence
from caseframe.tables.files import whole_file
from caseframe.tables.rows import Row

_KEY = (
    "One document an article; passages are the title and the sections, offsets count Unicode characters of the whole "
    "text. An annotation is a finding: type is the field, value the canonical value, case the patient's number."
)


def write_bioc(records: Iterable[Evidence], path: Path) -> int:
    """Writes one BioC collection, a document a line; gives the number of articles."""
    head = {"source": "CaseFrame", "date": "", "key": _KEY, "version": __version__, "infons": {}}
    count = 0
    with whole_file(path) as stream:
        stream.write(f'{json.dumps(head, ensure_ascii=False)[:-1]}, "documents": [')
        for count, evidence in enumerate(records, 1):
            stream.write("\n" if count == 1 else ",\n")
            stream.write(json.dumps(_document(evidence), ensure_ascii=False))
        stream.write("\n]}\n")
    return count


def passages_of(article: Row) -> Iterator[tuple[str, str, int, int]]:
    """The stretches of an article's text that make up all of it but line breaks: type, label, start, end."""
    text, title = str(article["text"] or ""), str(article["title"] or "")
    at = 0
    if title and text.startswith(title):
        at = len(title)
        yield "title", "", 0, at
    sections = json.loads(str(article["sections"])) if article["sections"] else []
    for label, start, end in sorted(sections, key=lambda section: int(section[1])):
        if start > at and text[at:start].strip():
            yield "abstract", "", at + text[at].startswith("\n"), start
        yield "abstract", str(label), int(start), int(end)
        at = int(end)
    if text[at:].strip():
        yield "abstract", "", at + text[at].startswith("\n"), len(text)


def _document(evidence: Evidence) -> dict[str, object]:
    article = evidence.article
    text = str(article["text"] or "")
    ids = {name: article[name] for name in ("pmid", "pmcid", "doi") if article[name]}
    placed: set[int] = set()
    passages = []
    for kind, label, start, end in passages_of(article):
        own = [
            number
            for number, row in enumerate(evidence.findings)
            if start <= int(str(row["start"])) < max(end, start + 1) and number not in placed
        ]
        placed.update(own)
        passages.append(
            {
                "offset": start,
                "infons": {"type": kind, **({"section_title": label} if label else {})},
                "text": text[start:end],
                "sentences": [],
                "annotations": [_annotation(number, evidence.findings[number]) for number in own],
                "relations": [],
            }
        )
    return {"id": str(article["article_id"]), "infons": ids, "passages": passages, "annotations": [], "relations": []}


def _annotation(number: int, row: Row) -> dict[str, object]:
    infons = {
        "type": row["field"],
        "value": row["value"],
        "assertion": row["assertion"],
        "case": str(row["case_id"]).rpartition("/")[2] if row["case_id"] else "",
        "code": row["code"],
        "unit": row["unit"],
        "confidence": str(row["confidence"]),
        "attributes": row["attributes"],
        "when_days": "" if row["when_days"] is None else str(row["when_days"]),
    }
    start, end = int(str(row["start"])), int(str(row["end"]))
    return {
        "id": f"F{number + 1}",
        "infons": {name: str(value) for name, value in infons.items() if value},
        "text": str(row["text"]),
        "locations": [{"offset": start, "length": end - start}],
    }
