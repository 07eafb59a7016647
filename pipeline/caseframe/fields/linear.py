"""Linear models over named features, kept as TSV files that a person can read: feature, then a weight a class.

Features come in bags: what their names begin with, and what follows it, as in `("before=", ["a", "large"])`. So no name
is put together for the many words that a model does not know. A model may weigh numbers too (`surroundings.py`): the
weights of the n-th are the row `vector n`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import count, takewhile
from pathlib import Path

import numpy as np

from caseframe.errors import ModelError
from caseframe.stages.entity_network import Floats
from caseframe.stages.screening import logistic

Bag = tuple[str, Iterable[str]]
"""The beginning of the names of some features, and what follows it in each; after an empty one whole names.

What is a tuple is taken to come again: `LinearModel.sums` adds it up once.
"""
MOST_BAGS = 4_000
"""The sums of so many are kept."""
BIAS = "(bias)"
VECTOR = "vector"
# A word beside a mention can be a line break.
_CHARACTER = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}
_ESCAPED = str.maketrans({character: escape for escape, character in _CHARACTER.items()})
_ESCAPE = re.compile(r"\\[tnr\\]")
_CURE = "Fit the weights again, or restore the file"


def names_of(bags: Iterable[Bag]) -> list[str]:
    """The names of the features in some bags.

    >>> names_of([("", ["titled"]), ("before=", ["a", "large"])])
    ['titled', 'before=a', 'before=large']
    """
    return [begin + rest for begin, bag in bags for rest in bag]


class LinearModel:
    """Probabilities of classes from named features, of each class by itself."""

    def __init__(self, classes: tuple[str, ...], weights: Mapping[str, tuple[float, ...]]) -> None:
        self.classes = classes
        self.weights = dict(weights)
        # The rows of the features that begin alike, and the weights of a class among them; made when first asked for.
        self._rows: dict[str, dict[str, tuple[float, ...]]] = {}
        self._columns: dict[tuple[str, str], dict[str, float]] = {}
        self._sums: dict[Bag, tuple[float, ...]] = {}
        self._none = (0.0,) * len(classes)
        self._places = {name: column for column, name in enumerate(classes)}
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

    def sums(self, bags: Iterable[Bag], numbers: Floats | None = None) -> list[float]:
        """The summed weights of each class, those of `numbers` too where the model weighs numbers."""
        rows = [self.weights[BIAS]] if BIAS in self.weights else []
        for begin, bag in bags:
            if isinstance(bag, tuple):
                rows.append(self._summed(begin, bag))
            else:
                rows += self._rows_of(begin, bag)
        if numbers is not None and len(self._vectors):
            rows.append(tuple((numbers @ self._vectors).tolist()))
        return list(map(sum, zip(self._none, *rows, strict=True)))

    def each(self, bags: Iterable[Bag], numbers: Floats | None = None) -> dict[str, float]:
        """Probability of each class by itself: the logistic function of its sum."""
        return {name: logistic(value) for name, value in zip(self.classes, self.sums(bags, numbers), strict=True)}

    def of(self, name: str, bags: Iterable[Bag], numbers: Floats | None = None) -> float:
        """Probability of one class by itself."""
        column = self._places[name]
        weights = [self.weights[BIAS][column]] if BIAS in self.weights else []
        for begin, bag in bags:
            table = self._columns.get((name, begin))
            if table is None:
                rows = self._beginning(begin)
                table = self._columns[name, begin] = {rest: row[column] for rest, row in rows if row[column]}
            weights += filter(None, map(table.get, bag))
        total = sum(weights)
        if numbers is not None and len(self._vectors):
            total += float(numbers @ self._vectors[:, column])
        return logistic(total)

    def _summed(self, begin: str, bag: tuple[str, ...]) -> tuple[float, ...]:
        row = self._sums.get((begin, bag))
        if row is None:
            if len(self._sums) >= MOST_BAGS:
                self._sums.clear()
            row = self._sums[begin, bag] = tuple(map(sum, zip(self._none, *self._rows_of(begin, bag), strict=True)))
        return row

    def _rows_of(self, begin: str, bag: Iterable[str]) -> Iterator[tuple[float, ...]]:
        table = self._rows.get(begin)
        if table is None:
            table = self._rows[begin] = dict(self._beginning(begin))
        return filter(None, map(table.get, bag))

    def _beginning(self, begin: str) -> Iterator[tuple[str, tuple[float, ...]]]:
        """The weights of the features that begin alike, by what follows."""
        return ((name[len(begin) :], row) for name, row in self.weights.items() if name.startswith(begin))


@cache
def shipped(name: str) -> LinearModel:
    """The weights of `rules/<name>.tsv`, read once a process."""
    return LinearModel.read(Path(str(files("caseframe.fields") / "rules" / f"{name}.tsv")))
