"""The reviewed run as Evidence, for every export that the run itself has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from caseframe.errors import ReviewError
from caseframe.review.corrected import corrected
from caseframe.review.runs import open_reviewed
from caseframe.review.settled import Settled, settle
from caseframe.review.store import open_store
from caseframe.tables.evidence import Evidence, open_run
from caseframe.tables.rows import case_rows, finding_rows

_AT_ONCE = 500


class ReviewedEvidence:
    """Article by article what stands after the review; what is not reviewed stands as the pipeline left it."""

    def __init__(self, path: Path) -> None:
        """Raises RunError where there is no run, ReviewError where no article of it is reviewed."""
        self._run, self._evidence = open_reviewed(path), open_run(path)
        self._store = open_store(path, read_only=True)
        self._done = {key: names for key, names in self._store.finished().items() if names}
        if not self._done:
            raise ReviewError(
                f"{self._store.path}: no article is finished", "Finish at least one with caseframe review"
            )

    def __iter__(self) -> Iterator[Evidence]:
        evidence = iter(self._evidence)
        while batch := list(islice(evidence, _AT_ONCE)):
            found = self._run.found_of([str(each.article["article_id"]) for each in batch])
            for each, settled in zip(batch, settle(self._store, found, self._done), strict=True):
                yield _corrected(each, settled) if settled.reviewers else each


def _corrected(evidence: Evidence, settled: Settled) -> Evidence:
    extraction = corrected(settled)
    return Evidence(evidence.article, tuple(case_rows(extraction)), tuple(finding_rows(extraction)))
