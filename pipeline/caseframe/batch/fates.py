"""What becomes of every record of a run: the numbers of a PRISMA flow."""

from __future__ import annotations

from collections.abc import Mapping

# Each record that is read meets exactly one of these, so that they sum to `read`.
FATES = ("deletion_notices", "superseded", "deleted", "filtered", "screened_out", "failed", "extracted")
REASONED = ("filtered", "screened_out", "failed")
"""Fates whose records are told apart by reason: the condition, what screened, the error."""


def fates_of(counts: Mapping[str, int]) -> dict[str, int]:
    """The fates as `run.json` holds them, of a run's counts, in which `superseded` holds the deleted too."""
    fates = {
        "deletion_notices": counts["deleted"],
        "superseded": counts["superseded"] - counts["withdrawn"],
        "deleted": counts["withdrawn"],
        "filtered": counts["filtered"],
        "screened_out": counts["screened_out"],
        "failed": counts["failed"],
        "extracted": counts["articles"],
    }
    return {"read": counts["read"], **fates}
