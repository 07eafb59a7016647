"""How far a reviewer is, and what the pipeline's findings have saved them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from caseframe.review.runs import Entry
from caseframe.review.store import REVIEWERS, Work

ENOUGH = 5
"""Cells made by hand, fewer of which say nothing about how long one takes."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A reviewer's figures. `saved_seconds` is None as long as there are too few cells made by hand to compare with."""

    articles: int
    finished: int
    accepted: int
    corrected: int
    added: int
    rejected: int
    seconds: float
    by_hand: int
    saved_seconds: float | None

    @property
    def per_article(self) -> float | None:
        """Seconds at the page for each finished article."""
        return self.seconds / self.finished if self.finished else None


def progress_of(
    entries: Sequence[Entry], work: Sequence[Work], reviewer: str, finished: Mapping[tuple[str, str], Sequence[str]]
) -> Progress:
    """The figures of a reviewer from their steps.

    Time saved: each accepted cell would have cost what a cell made by hand takes (the median of additions and
    corrections); it cost the time to accept it, and rejecting what was wrong cost time too.
    """
    counts: Counter[str] = Counter()
    spent: dict[str, list[float]] = {}
    for step in work:
        counts.update(step.decided)
        if len(step.decided) == 1:
            spent.setdefault(next(iter(step.decided)), []).append(step.seconds)
    by_hand = spent.get("add", []) + spent.get("correct", [])
    saved = None
    if len(by_hand) >= ENOUGH:
        checking = sum(spent.get("accept", [])) + sum(spent.get("reject", []))
        saved = counts["accept"] * median(by_hand) - checking
    done = sum(reviewer in finished.get((entry.article_id, entry.sha256), ())[:REVIEWERS] for entry in entries)
    return Progress(
        articles=len(entries),
        finished=done,
        accepted=counts["accept"],
        corrected=counts["correct"],
        added=counts["add"],
        rejected=counts["reject"],
        seconds=sum(step.seconds for step in work),
        by_hand=len(by_hand),
        saved_seconds=saved,
    )


def duration(seconds: float) -> str:
    """Seconds as a person says them: `40 s`, `12 min`, `3 h 5 min`."""
    minutes = round(abs(seconds) / 60)
    if minutes == 0:
        return f"{round(abs(seconds))} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
