"""What teachers elsewhere say of unmarked texts (benchmarks/teacher): for each token how probable each tag is."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caseframe.errors import TrainingError

Halves = NDArray[np.float16]


def digest_of_text(text: str) -> str:
    """What a text is found again by."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Marks:
    """A file of marks: texts by their digests, tokens end to end, of each token the tags that are probable at all."""

    def __init__(self, path: Path, tags: Sequence[str]) -> None:
        """Raises TrainingError where the file cannot be read or has other tags than these."""
        self._path = path
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                digests, lengths, counts = (arrays[name] for name in ("digests", "lengths", "counts"))
                self._which, self._probable, own = (arrays[name] for name in ("which", "probabilities", "tags"))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"{path}: no marks of teachers: {error}", "Make them with benchmarks/teacher/mark.py"
            ) from error
        if tuple(own.tolist()) != tuple(tags):
            raise TrainingError(f"{path}: its marks are of other types", "Make them anew for the types of this config")
        self._width = len(tags)
        ends = np.cumsum(lengths, dtype="int64")
        self._places = dict(
            zip(digests.tolist(), zip((ends - lengths).tolist(), ends.tolist(), strict=True), strict=True)
        )
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype="int64")])

    def __contains__(self, text: str) -> bool:
        return digest_of_text(text) in self._places

    def of(self, text: str, tokens: int) -> Halves:
        """The probability of each tag for each token; raises TrainingError where the text was cut into others."""
        start, end = self._places[digest_of_text(text)]
        if end - start != tokens:
            raise TrainingError(
                f"{self._path}: marks of {end - start} tokens for a text of {tokens}: {text[:60]!r}",
                "Make them anew with this version (benchmarks/teacher)",
            )
        starts = self._starts[start : end + 1]
        table = np.zeros((tokens, self._width), dtype="f")
        rows = np.repeat(np.arange(tokens), np.diff(starts))
        table[rows, self._which[starts[0] : starts[-1]]] = self._probable[starts[0] : starts[-1]]
        return np.asarray(table / table.sum(1, keepdims=True), dtype="float16")
