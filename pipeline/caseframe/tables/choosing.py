"""Cases by what was found of them: `diagnosis=sarcoma` means sarcoma and all that is a kind of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from caseframe.errors import ConfigError
from caseframe.lexicons import surface_parts
from caseframe.schema import CASE_FIELDS, FIELDS
from caseframe.tables.rows import Row

CHOOSABLE = tuple(name for name in CASE_FIELDS if FIELDS[name].type not in ("number", "integer"))
"""The fields whose values are words."""
_CONDITION = re.compile(r"\s*(?P<field>[a-z_]+)\s*(?P<op>!?=)\s*(?P<value>.+?)\s*\Z")
# What is denied, feared or a relative's is not the case's.
_HELD = ("present", "possible", "historical")


@dataclass(frozen=True, slots=True)
class FindingCondition:
    """One condition on the findings of a case."""

    field: str
    op: Literal["=", "!="]
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.op}{self.value}"

    def __call__(self, findings: Iterable[Row]) -> bool:
        """Whether the rows of `findings` of a case meet it: by value, or by what stands above the value."""
        wanted = surface_parts(self.value)
        held = (row for row in findings if row["field"] == self.field and row["assertion"] in _HELD)
        names = (name for row in held for name in (str(row["value"]), *cast(Sequence[str], row["groups"] or ())))
        return any(surface_parts(name) == wanted for name in names) == (self.op == "=")


def parse_finding_condition(text: str) -> FindingCondition:
    """Reads `diagnosis=sarcoma` or `site!=hand`; raises ConfigError for another field or operator."""
    match = _CONDITION.match(text)
    if not match or match["field"] not in CHOOSABLE:
        raise ConfigError(
            f"condition {text!r}", f"Write FIELD=VALUE or FIELD!=VALUE, FIELD one of {', '.join(CHOOSABLE)}"
        )
    return FindingCondition(match["field"], cast(Literal["=", "!="], match["op"]), match["value"])


def unmet(conditions: Sequence[FindingCondition], cases: Sequence[Row], findings: Sequence[Row]) -> str:
    """Which condition an article does not meet, all of which one of its cases must meet; empty where it does."""
    told = [_unmet(conditions, case["case_id"], findings) for case in cases] or [_unmet(conditions, "", findings)]
    return "" if "" in told else told[0]


def chosen_cases(conditions: Sequence[FindingCondition], cases: Iterable[Row], findings: Sequence[Row]) -> list[Row]:
    """The rows of `cases` that meet all conditions."""
    return [case for case in cases if not _unmet(conditions, case["case_id"], findings)]


def _unmet(conditions: Sequence[FindingCondition], case_id: object, findings: Sequence[Row]) -> str:
    own = [row for row in findings if row["case_id"] in ("", case_id)]
    return next((str(condition) for condition in conditions if not condition(own)), "")
