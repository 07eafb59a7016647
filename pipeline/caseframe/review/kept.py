"""Decisions and findings as the file keeps them: columns, and JSON that a person can read."""

from __future__ import annotations

import json
import sqlite3

from caseframe.review.records import Decision
from caseframe.schema import Attributes, Finding


def decision_row(decision: Decision) -> tuple[object, ...]:
    """The columns of a decision behind step and place."""
    return (
        decision.kind, decision.finding, decision.case, decision.field,
        _dumped(decision.machine), _dumped(decision.reading), decision.comment,
    )  # fmt: skip


def as_decision(row: sqlite3.Row) -> Decision:
    """The decision of a row."""
    return Decision(
        row["kind"], row["finding"], row["case_number"], row["field"],
        _loaded(row["machine"]), _loaded(row["reading"]), row["comment"],
    )  # fmt: skip


_KEPT = ("field", "value", "text", "start", "end", "assertion", "code", "unit", "when_days", "confidence", "source",
         "sentence", "section")  # fmt: skip


def _dumped(finding: Finding | None) -> str | None:
    if finding is None:
        return None
    kept = {name: getattr(finding, name) for name in _KEPT}
    return json.dumps({**kept, "attributes": dict(finding.attributes)}, ensure_ascii=False, sort_keys=True)


def _loaded(text: str | None) -> Finding | None:
    if text is None:
        return None
    kept = json.loads(text)
    attributes = {
        name: tuple(value) if isinstance(value, list) else value for name, value in kept.pop("attributes").items()
    }
    return Finding(**kept, attributes=Attributes(attributes))
