"""What the work on a shard tells of itself while it goes on, for progress and for the time limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

Progress = Callable[[str, Counter[str]], None]
"""Called with the name of the input and the counts so far (`read`, `failed`), after each record or now and then."""


class Watch(Protocol):
    """Is told of every step."""

    def reading(self, seq: int) -> None:
        """The record with this number in the shard is being read."""

    def working(self, first: int, last: int) -> None:
        """The articles among these records are with the pipeline."""

    def idle(self) -> None:
        """Something goes on that may take its time: a model is loaded, a file written or hashed."""

    def counted(self, source: str, counts: Counter[str]) -> None:
        """Counts of the shard so far, at a record of this input."""


class Unwatched:
    """Nobody looks."""

    def reading(self, seq: int) -> None:
        """Nothing."""

    def working(self, first: int, last: int) -> None:
        """Nothing."""

    def idle(self) -> None:
        """Nothing."""

    def counted(self, source: str, counts: Counter[str]) -> None:
        """Nothing."""


class Told(Unwatched):
    """Adds the counts of a shard to those before it and passes them on."""

    def __init__(self, before: Counter[str], progress: Progress | None) -> None:
        self._before = before
        self._progress = progress

    def counted(self, source: str, counts: Counter[str]) -> None:
        """Passes them on."""
        if self._progress is not None:
            self._progress(source, self._before + counts)
