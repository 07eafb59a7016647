"""Evaluations on disk compared: the first with each other one, on every data set that both have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from caseframe.errors import EvaluationError
from caseframe.evaluation.comparison import Comparison, compare
from caseframe.evaluation.metrics import failed_gates, type_names
from caseframe.evaluation.records import MODES, Item, Kind
from caseframe.evaluation.report import write_comparison
from caseframe.evaluation.store import (
    COMPARISON,
    Result,
    item_row,
    make_comparison_folder,
    read_metrics,
    read_results,
    select,
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison with the names of what was compared."""

    dataset: str
    kind: Kind
    a: str
    b: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ComparisonSummary:
    """All comparisons, and the gates that the last evaluation is below of."""

    comparisons: tuple[Compared, ...]
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Evaluation:
    name: str
    metrics: dict[str, Any]
    results: dict[str, Result]
    """By data set."""


def run_comparison(
    evaluations: Sequence[str], out: Path | None = None, *, gates: Mapping[str, float], overwrite: bool = False
) -> ComparisonSummary:
    """Compares the first evaluation with each other one; writes comparison.json and reports where `out` says so.

    An evaluation is given as its folder, or as `folder:system` where the folder holds several systems. Raises
    EvaluationError where there are fewer than two, or where they share no data set.
    """
    if len(evaluations) < 2:
        raise EvaluationError("one evaluation alone cannot be compared", "Give two or more folders")
    opened = _named([_open(each) for each in evaluations])
    compared = [pair for other in opened[1:] for pair in _pairs(opened[0], other)]
    if out:
        make_comparison_folder(out, overwrite=overwrite)
        content = {"format": 1, "comparisons": [_as_dict(each) for each in compared]}
        (out / COMPARISON).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        write_comparison(out, content)
    return ComparisonSummary(tuple(compared), tuple(failed_gates(opened[-1].metrics, gates)))


def _open(given: str) -> _Evaluation:
    path, system = Path(given), ""
    if not path.is_dir() and ":" in given:
        head, _, system = given.rpartition(":")
        path = Path(head)
    results = select(read_results(path), system, path)
    metrics = read_metrics(path)
    kept = [each for each in metrics["results"] if each["system"] == results[0].system]
    name = f"{path.name}:{system}" if system else path.name
    return _Evaluation(name, {**metrics, "results": kept}, {result.dataset: result for result in results})


def _named(evaluations: Sequence[_Evaluation]) -> list[_Evaluation]:
    """The evaluations with names that tell them apart."""
    names = [each.name for each in evaluations]
    if len(set(names)) == len(names):
        return list(evaluations)
    return [
        _Evaluation(f"{each.name} ({number})", each.metrics, each.results)
        for number, each in enumerate(evaluations, start=1)
    ]


def _pairs(a: _Evaluation, b: _Evaluation) -> Iterator[Compared]:
    shared = [name for name in a.results if name in b.results and a.results[name].kind == b.results[name].kind]
    if not shared:
        raise EvaluationError(f"{a.name} and {b.name} share no data set", "Evaluate both with the same data sets")
    for name in shared:
        one, other = a.results[name], b.results[name]
        types = type_names(one.kind, [*one.scores, *other.scores])
        comparison = compare(one.scores, other.scores, MODES[one.kind], types)
        yield Compared(name, one.kind, a.name, b.name, comparison)


def _as_dict(compared: Compared) -> dict[str, Any]:
    comparison = compared.comparison
    return {
        "dataset": compared.dataset,
        "kind": compared.kind,
        "a": compared.a,
        "b": compared.b,
        "articles": comparison.articles,
        "only_a": list(comparison.only_a),
        "only_b": list(comparison.only_b),
        "rows": [asdict(row) for row in comparison.rows],
        "newly_right": _items(compared, comparison.newly_right),
        "newly_wrong": _items(compared, comparison.newly_wrong),
    }


def _items(compared: Compared, items: Sequence[Item]) -> list[dict[str, object]]:
    return [{"dataset": compared.dataset, "system": compared.b, **item_row(item)} for item in items]
