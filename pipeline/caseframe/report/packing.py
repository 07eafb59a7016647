"""The evidence table as data of the page: compact, compressed, offsets ready for a browser.

The content, as JSON, gzip and base64:

    fields      [{name, label, type, choices, unit}], in the order of the form
    assertions  [name]
    words       strings that findings point to: values, sections, codes, units with attributes
    articles    [[id, pmid, title, journal, year, text]]
    cases       [[article, number, kind, [finding]]]
    finding     [field, value, assertion, start, end, sentence start, sentence end, per cent, section, code, notes]

Offsets count UTF-16 code units of the article's text as it stands in the page, which is what browsers count.
"""

from __future__ import annotations

import base64
import gzip
import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from caseframe.pages.text import shortened, visible
from caseframe.schema import ARTICLE_FIELDS, ASSERTIONS, CASE_FIELDS, FIELDS
from caseframe.tables.evidence import Evidence, attributes_of
from caseframe.tables.rows import Row, describe

MOST_TEXT = 12_000
"""Characters of an article that go into a page whole; of a longer one go the sentences with findings."""
MOST_SENTENCE = 700
"""Characters of a sentence that are shown around the words."""
_GAP = "\n…\n"
Span = tuple[int, int]


@dataclass
class Packer:
    """Takes articles one by one, gives the packed content at the end."""

    names: tuple[str, ...] = (*ARTICLE_FIELDS, *CASE_FIELDS)
    words: dict[str, int] = field(default_factory=dict)
    articles: list[list[object]] = field(default_factory=list)
    cases: list[list[object]] = field(default_factory=list)

    def add(self, evidence: Evidence) -> None:
        """Adds an article with its cases."""
        text = visible(evidence.article["text"])
        spans = [sentence_of(text, row) for row in evidence.findings]
        kept = [(0, len(text))] if len(text) <= MOST_TEXT else merged([*spans, (0, min(len(text), 300))])
        shown = _GAP.join(text[start:end] for start, end in kept)
        places = [_moved(kept, span) for span in spans]
        words = [_moved(kept, _inside(row, span)) for row, span in zip(evidence.findings, spans, strict=True)]
        beyond = [at for at, letter in enumerate(shown) if ord(letter) > 0xFFFF]
        article = evidence.article
        self.articles.append(
            [
                visible(article["article_id"]),
                visible(article["pmid"]),
                shortened(visible(article["title"]), 400),
                shortened(visible(article["journal"]), 120),
                article["year"],
                shown,
            ]
        )
        findings = {
            number: [
                self.names.index(str(row["field"])),
                self._word(row["value"]),
                ASSERTIONS.index(row["assertion"]),
                *(at + bisect_left(beyond, at) for at in (*words[number], *places[number])),
                round(100 * float(str(row["confidence"]))),
                self._word(row["section"]),
                self._word(row["code"]),
                self._word(_notes(row)),
            ]
            for number, row in enumerate(evidence.findings)
        }
        numbers = {id(row): number for number, row in enumerate(evidence.findings)}
        for case in evidence.cases:
            own = [findings[numbers[id(row)]] for row in evidence.of(case)]
            self.cases.append([len(self.articles) - 1, case["case"], case["kind"], own])

    def _word(self, text: object) -> int:
        return self.words.setdefault(shortened(visible(text), 300), len(self.words))

    def packed(self) -> str:
        """The content as base64 text, which no HTML takes for markup; the same cases give the same text."""
        content: dict[str, Any] = {
            "fields": [_field(name) for name in self.names],
            "assertions": ASSERTIONS,
            "words": list(self.words),
            "articles": self.articles,
            "cases": self.cases,
        }
        raw = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode()


def _field(name: str) -> dict[str, object]:
    spec = FIELDS[name]
    return {
        "name": name,
        "label": spec.label,
        "type": spec.type,
        "choices": [choice.replace("_", " ") for choice in spec.choices],
        "unit": spec.unit,
        "about": spec.description,
    }


def _notes(row: Row) -> str:
    attributes = attributes_of(row)
    attributes.pop("when_days", None)
    days = row["when_days"]
    parts = [str(row["unit"] or ""), describe(attributes)]
    if isinstance(days, int | float):
        parts.append(f"day {days:g}")
    return " · ".join(filter(None, parts))


def sentence_of(text: str, row: Row) -> Span:
    """Where a finding's sentence stands in its text, cut around the words where it is long.

    What a reviewer added has no sentence of its own: its bounds are the nearest full stops and line breaks.
    """
    start, end = int(str(row["start"])), int(str(row["end"]))
    sentence = visible(row["sentence"] or "")
    begin = text.find(sentence, max(0, end - len(sentence))) if sentence else -1
    low, high = (begin, begin + len(sentence)) if 0 <= begin <= start else _around(text, start, end)
    end = min(end, start + MOST_SENTENCE)
    room = max(0, MOST_SENTENCE - (end - start)) // 2
    return max(low, start - room), max(end, min(high, end + room))


def _around(text: str, start: int, end: int) -> Span:
    before = max(text.rfind(". ", 0, start) + 2 if ". " in text[:start] else 0, text.rfind("\n", 0, start) + 1)
    after = min((at for at in (text.find(". ", end) + 1, text.find("\n", end)) if at > 0), default=len(text))
    return before, max(after, end)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap made one."""
    kept: list[Span] = []
    for start, end in sorted(spans):
        if kept and start <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((start, end))
    return kept


def _inside(row: Row, sentence: Span) -> Span:
    start, end = int(str(row["start"])), int(str(row["end"]))
    return start, min(end, sentence[1])


def _moved(kept: Sequence[Span], span: Span) -> Span:
    """A span of the whole text in the text that is made of the kept stretches."""
    shift = 0
    for start, end in kept:
        if start <= span[0] and span[1] <= end:
            return span[0] - start + shift, span[1] - start + shift
        shift += end - start + len(_GAP)
    raise AssertionError("every sentence is kept")
