"""Linear models over named features, kept as TSV files that a person can read: feature, then a weight a class.

Features come in bags: what their names begin with, and what follows it, as in `("before=", ["a", "large"])`. So no name
is put together for the many words that a model does not know. Where a few values make many names, the bag is a function
and the values: it is asked once for each of their combinations. A model may weigh numbers too (`surroundings.py`): the
weights of the n-th are the row `vector n`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from caseframe.errors import ModelError
from caseframe.stages.entity_network import Floats
from caseframe.stages.screening import logistic

Namer = Callable[..., Iterable[str]]
Bag = tuple[str | Namer, Iterable[Any]]
"""The beginning of the names of some features, and what follows it in each; after an empty one whole names.

Or a function that makes names of a few values, and a tuple of these. What is a tuple is taken to come again:
`LinearModel.sums` adds it up once.
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

    >>> names_of([("", ["titled"]), ("before=", ["a", "large"]), (lambda n: [f"{n} times", "again"], (2,))])
    ['titled', 'before=a', 'before=large', '2 times', 'again']
    """
    return [name for begin, bag in bags for name in _named(begin, bag)]


def _named(begin: str | Namer, bag: Iterable[Any]) -> Iterable[str]:
    return (begin + rest for rest in bag) if isinstance(begin, str) else begin(*bag)


class LinearModel:
    """Probabilities of classes from named features, of each class by itself."""

    def __init__(self, classes: tuple[str, ...], weights: Mapping[str, tuple[float, ...]]) -> None:
        self.classes = classes
        self.weights = dict(weights)
        # The rows of the features that begin alike, the sums of bags, the models of one class: made when asked for.
        self._rows: dict[str, dict[str, tuple[float, ...]]] = {}
        self._sums: dict[Bag, tuple[float, ...]] = {}
        self._alone: dict[str, LinearModel] = {}
        self._none = (0.0,) * len(classes)
        self._bias = self.weights.get(BIAS, self._none)
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

    def weighed(self, numbers: Floats) -> list[list[float]]:
        """The summed weights of each class for rows of numbers; an empty list for each where the model weighs none."""
        return (numbers @ self._vectors).tolist() if len(self._vectors) else [[] for _ in numbers]

    def sums(self, bags: Iterable[Bag], weighed: Sequence[float] = ()) -> list[float]:
        """The summed weights of each class, those of the mention's numbers (`weighed`) among them."""
        rows: list[Sequence[float]] = [self._bias, weighed] if weighed else [self._bias]
        known, tables = self._sums, self._rows
        for begin, bag in bags:
            if type(bag) is tuple:
                row = known.get((begin, bag))
                rows.append(self._summed(begin, bag) if row is None else row)
            else:
                table = tables.get(begin) or self._beginning(begin)  # type: ignore[arg-type]
                rows += filter(None, map(table.get, bag))
        return list(map(sum, zip(*rows, strict=True)))

    def each(self, bags: Iterable[Bag], weighed: Sequence[float] = ()) -> dict[str, float]:
        """Probability of each class by itself: the logistic function of its sum."""
        return {name: logistic(value) for name, value in zip(self.classes, self.sums(bags, weighed), strict=True)}

    def of(self, name: str, bags: Iterable[Bag], weighed: Sequence[float] = ()) -> float:
        """Probability of one class by itself."""
        column = self.classes.index(name)
        model = self._alone.get(name)
        if model is None:
            rows = ((feature, row[column]) for feature, row in self.weights.items() if not feature.startswith(VECTOR))
            model = LinearModel((name,), {feature: (weight,) for feature, weight in rows if weight})
            self._alone[name] = model
        return logistic(model.sums(bags, weighed[column : column + 1])[0])

    def _summed(self, begin: str | Namer, bag: tuple[Any, ...]) -> tuple[float, ...]:
        """The summed weights of each class for a bag that comes again."""
        if len(self._sums) >= MOST_BAGS:
            self._sums.clear()
        prefix, rests = (begin, bag) if isinstance(begin, str) else ("", begin(*bag))
        found = filter(None, map(self._beginning(prefix).get, rests))
        row = self._sums[begin, bag] = tuple(map(sum, zip(self._none, *found, strict=True)))
        return row

    def _beginning(self, begin: str) -> dict[str, tuple[float, ...]]:
        """The weights of the features that begin alike, by what follows."""
        table = self._rows.get(begin)
        if table is None:
            rows = self.weights.items()
            table = self._rows[begin] = {name[len(begin) :]: row for name, row in rows if name.startswith(begin)}
        return table


@cache
def shipped(name: str) -> LinearModel:
    """The weights of `rules/<name>.tsv`, read once a process."""
    return LinearModel.read(Path(str(files("caseframe.fields") / "rules" / f"{name}.tsv")))
