"""Linear models over named features, kept as TSV files that a person can read: feature, then a weight a class.

A model may weigh numbers too (`surroundings.py`): the weights of the n-th are the row `vector n`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from itertools import chain, count, takewhile
from pathlib import Path

import numpy as np

from caseframe.errors import ModelError
from caseframe.stages.entity_network import Floats
from caseframe.stages.screening import logistic

BIAS = "(bias)"
VECTOR = "vector"
# A word beside a mention can be a line break.
_CHARACTER = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}
_ESCAPED = str.maketrans({character: escape for escape, character in _CHARACTER.items()})
_ESCAPE = re.compile(r"\\[tnr\\]")
_CURE = "Fit the weights again, or restore the file"


class LinearModel:
    """Probabilities of classes from named features, of each class by itself."""

    def __init__(self, classes: tuple[str, ...], weights: Mapping[str, tuple[float, ...]]) -> None:
        self.classes = classes
        self.weights = dict(weights)
        rows = takewhile(lambda row: row is not None, (self.weights.get(f"{VECTOR} {n}") for n in count()))
        # Numbers come in double precision: weights of another would be converted at each product.
        self._vectors = np.array(list(rows), dtype="f").astype("float64").reshape(-1, len(classes))

    @classmethod
    def read(cls, path: Path) -> LinearModel:
        """Reads a model: a header line `feature` and the classes, then a line a feature.

        Raises ModelError for a line that lacks a name or a weight.
        """
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        classes = tuple(lines[0].split("\t")[1:])
        weights = {}
        for line in lines[1:]:
            feature, *cells = line.split("\t")
            if not feature or len(cells) != len(classes):
                raise ModelError(f"{path}: the line {line!r} is no feature with {len(classes)} weights", _CURE)
            weights[_ESCAPE.sub(lambda match: _CHARACTER[match[0]], feature)] = tuple(float(cell) for cell in cells)
        return cls(classes, weights)

    def write(self, path: Path, comment: str) -> None:
        """Writes the model, features by name."""
        rows = ["\t".join(("feature", *self.classes))]
        rows.extend(
            "\t".join((feature.translate(_ESCAPED), *(f"{weight:.3f}".rstrip("0").rstrip(".") for weight in weights)))
            for feature, weights in sorted(self.weights.items())
        )
        path.write_text("\n".join([f"# {line}" for line in comment.splitlines()] + rows) + "\n", encoding="utf-8")

    def sums(self, features: Iterable[str], numbers: Floats | None = None) -> list[float]:
        """The summed weights of each class, those of `numbers` too where the model weighs numbers."""
        rows = [row for row in map(self.weights.get, chain((BIAS,), features)) if row is not None]
        if numbers is not None and len(self._vectors):
            rows.append(tuple((numbers @ self._vectors).tolist()))
        return list(map(sum, zip(*rows, strict=True))) if rows else [0.0] * len(self.classes)

    def each(self, features: Iterable[str], numbers: Floats | None = None) -> dict[str, float]:
        """Probability of each class by itself: the logistic function of its sum."""
        return {name: logistic(value) for name, value in zip(self.classes, self.sums(features, numbers), strict=True)}

    def of(self, name: str, features: Iterable[str], numbers: Floats | None = None) -> float:
        """Probability of one class by itself."""
        column = self.classes.index(name)
        total = sum([row[column] for row in map(self.weights.get, chain((BIAS,), features)) if row is not None])
        if numbers is not None and len(self._vectors):
            total += float(numbers @ self._vectors[:, column])
        return logistic(total)


@cache
def shipped(name: str) -> LinearModel:
    """The weights of `rules/<name>.tsv`, read once a process."""
    return LinearModel.read(Path(str(files("caseframe.fields") / "rules" / f"{name}.tsv")))
