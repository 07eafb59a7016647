"""The records of a review: what the pipeline found, what a reviewer decided, and the form as it then stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from caseframe.schema import FIELDS, Finding, Section

Kind = Literal["accept", "reject", "correct", "add", "not_reported", "comment", "finish", "settle"]
Role = Literal["reviewer", "adjudicator"]
Status = Literal["open", "accepted", "corrected", "rejected", "added"]
Reading = tuple[str, str, tuple[tuple[str, object], ...]]
"""What must be the same for two readings to agree: value, assertion, attributes. The words may differ."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A finding of the pipeline that waits for a decision; `case` is 0 where it is about the article itself."""

    id: str
    case: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Found:
    """What a run holds of one article."""

    article_id: str
    title: str
    journal: str
    year: int | None
    pmid: str
    text: str
    sha256: str
    sections: tuple[Section, ...]
    kinds: dict[int, str]
    """Number of each case to `patient` or `cohort`."""
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that a reviewer said; it never changes what the pipeline said, which is kept beside it."""

    kind: Kind
    finding: str = ""
    """Id of the suggestion or the addition, or of the disagreement that is settled."""
    case: int = 0
    field: str = ""
    machine: Finding | None = None
    reading: Finding | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Decisions that were confirmed together, and are undone together. `number` orders the steps of a review."""

    number: int
    article_id: str
    sha256: str
    """Hash of the text that the reviewer saw."""
    reviewer: str
    role: Role
    at: str
    """UTC, ISO 8601."""
    seconds: float
    """Time at the page since the step before."""
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the form: what the pipeline found (None: added by hand) and how it reads now (None: rejected)."""

    id: str
    case: int
    field: str
    machine: Finding | None
    reading: Finding | None
    status: Status
    by: str = ""
    at: str = ""
    comment: str = ""

    @property
    def shown(self) -> Finding:
        """The reading, or what was rejected."""
        found = self.reading or self.machine
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form of one article as one reviewer has filled it."""

    items: tuple[Item, ...] = ()
    not_reported: frozenset[tuple[int, str]] = frozenset()
    """Case and field of what the reviewer says the article does not tell."""
    comment: str = ""
    finished: bool = False
    revision: int = 0
    """Number of the last step; a page that knows another one is out of date."""
    stale: int = 0
    """Steps that were made on another text of the article, and no longer count."""

    @property
    def open(self) -> tuple[Item, ...]:
        """What still waits for a decision."""
        return tuple(item for item in self.items if item.status == "open")

    def item(self, item_id: str) -> Item | None:
        """The line with an id."""
        return next((item for item in self.items if item.id == item_id), None)


def reading_of(finding: Finding) -> Reading:
    """The part of a finding that two reviewers must agree on."""
    value = finding.value
    if FIELDS[finding.field].type in ("number", "integer"):
        said = f"{float(value):g}"
    else:
        said = " ".join(str(value).casefold().split())
    return said, finding.assertion, tuple(finding.attributes.items())


def typed(finding: Finding) -> str:
    """The value as somebody would type it: `61`, not `61.0`."""
    return f"{finding.value:g}" if isinstance(finding.value, float) else str(finding.value)
