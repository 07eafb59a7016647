"""The records of an evaluation: what loaders give, what systems predict, what the scorers make of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from caseframe.evaluation.gold import GoldArticle
from caseframe.schema import Article, AttributeValue, Origin

Kind = Literal["fields", "spans"]
FIELD_MODES = ("relaxed", "exact")
SPAN_MODES = ("overlap", "strict", "type", "boundary")
MODES: Mapping[Kind, tuple[str, ...]] = {"fields": FIELD_MODES, "spans": SPAN_MODES}
"""The ways an item can be right, by kind of data set; the first is the one that error analysis goes by."""

Cause = Literal[
    "",
    "missed_term",
    "left_out",
    "boundary",
    "wrong_value",
    "normalisation",
    "wrong_field",
    "wrong_assertion",
    "wrong_patient",
    "general_statement",
    "duplicate",
    "spurious",
]
"""Why an item is an error; empty where it is right."""


@dataclass(frozen=True, slots=True)
class Span:
    """A typed stretch of a text: characters `start` to `end`, half-open."""

    type: str
    start: int
    end: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Unaligned:
    """An annotation that could not be brought onto its text."""

    origin: Origin
    annotation: str
    reason: str


@dataclass(frozen=True, slots=True)
class SpanDocument:
    """A text with its annotated spans, in the order of the text."""

    article: Article
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class SpanCorpus:
    """A corpus of typed spans.

    `annotations` counts all that the files hold: those in `documents`, those in `unaligned`, and those that `notes`
    counts as dropped by wish. `notes` tells what was done to annotations ("discontinuous, taken whole": 12).
    """

    documents: tuple[SpanDocument, ...]
    annotations: int = 0
    unaligned: tuple[Unaligned, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def articles(self) -> tuple[Article, ...]:
        """The texts, in the order of the documents."""
        return tuple(document.article for document in self.documents)


@dataclass(frozen=True, slots=True)
class FieldCorpus:
    """Articles with the gold of their fields; both run side by side."""

    articles: tuple[Article, ...]
    gold: tuple[GoldArticle, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says: the gold, or the system. Offsets are -1 where there are no words."""

    type: str
    """Field or span type."""
    value: str | int | float = ""
    text: str = ""
    start: int = -1
    end: int = -1
    assertion: str = ""
    case: int = 0
    confidence: float = 1.0
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """A gold item, a predicted one, or two that belong together.

    `matched` is true where both sides agree by the first mode of MODES, `exact` where they agree by `exact` or
    `strict`. Two sides that are no match stand in one item where the one explains the other (another field, another
    assertion).
    """

    article_id: str
    gold: Side | None
    predicted: Side | None
    matched: bool = False
    exact: bool = False
    cause: Cause = ""
    sentence: str = ""
    sentence_start: int = 0
    """Offset of the sentence in the article's text."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often an attribute was right, wrong, missing (gold alone has it) or spurious (the system alone has it)."""

    right: int = 0
    wrong: int = 0
    missing: int = 0
    spurious: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.right + other.right,
            self.wrong + other.wrong,
            self.missing + other.missing,
            self.spurious + other.spurious,
        )


@dataclass(slots=True)
class Counts:
    """True positives and the totals of both sides."""

    matched: int = 0
    predicted: int = 0
    gold: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.matched + other.matched, self.predicted + other.predicted, self.gold + other.gold)

    @property
    def precision(self) -> float:
        """Share of predictions that are right; 0 without predictions."""
        return self.matched / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of gold that was found; 0 without gold."""
        return self.matched / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.predicted + self.gold
        return 2 * self.matched / total if total else 0.0


@dataclass(frozen=True, slots=True)
class ArticleScore:
    """What the scorers make of one article.

    `counts` by (type, mode): types that are empty on both sides are absent. `attributes` by (type, attribute), on
    matched pairs only; the attribute `assertion` tells of pairs that agree in all but perhaps the assertion.
    """

    article_id: str
    counts: Mapping[tuple[str, str], Counts]
    items: tuple[Item, ...] = ()
    attributes: Mapping[tuple[str, str], Tally] = field(default_factory=dict)
