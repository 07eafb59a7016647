"""What becomes of every record of a run: the numbers of a PRISMA flow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from caseframe.batch.ledger import Fate

# Each record that is read meets exactly one of these, so that they sum to `read`.
FATES = ("deletion_notices", "superseded", "deleted", "filtered", "screened_out", "failed", "extracted")
REASONED = ("filtered", "screened_out", "failed")
"""Fates whose records are told apart by reason: the condition, what screened, the error."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the records of a run, or of one of its inputs."""

    fates: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {fate: Counter() for fate in REASONED})

    def add(self, fate: Fate) -> None:
        """Takes in some records that met the same fate."""
        self.fates["read"] += fate.count
        self.fates[fate.fate] += fate.count
        if fate.fate in REASONED:
            self.reasons[fate.fate][fate.why] += fate.count

    def fates_json(self) -> dict[str, int]:
        """As it stands in `run.json`."""
        return {name: self.fates[name] for name in ("read", *FATES)}

    def reasons_json(self) -> dict[str, dict[str, int]]:
        """As it stands in `run.json`."""
        return {fate: dict(sorted(reasons.items())) for fate, reasons in self.reasons.items()}

    def counts(self) -> dict[str, int]:
        """The counts by their old names, where `superseded` holds the deleted too."""
        return {
            "read": self.fates["read"],
            "articles": self.fates["extracted"],
            "superseded": self.fates["superseded"] + self.fates["deleted"],
            "deleted": self.fates["deletion_notices"],
            "filtered": self.fates["filtered"],
            "screened_out": self.fates["screened_out"],
            "failed": self.fates["failed"],
        }
