"""From the scores of articles to figures with intervals: the `metrics` part of metrics.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caseframe.errors import GateFailed
from caseframe.evaluation.coverage import coverage
from caseframe.evaluation.job import MetricsConfig
from caseframe.evaluation.records import MODES, ArticleScore, Item, Kind, Tally
from caseframe.evaluation.statistics import (
    Point,
    at_precision,
    bootstrap,
    calibration,
    macro_f1,
    micro_f1,
    risk_coverage,
)
from caseframe.schema import ASSERTIONS, CASE_FIELDS, FIELDS

Row = dict[str, Any]
PRECISIONS = (80, 90, 95)
_CURVE_POINTS = 200


def measure(kind: Kind, scores: Sequence[ArticleScore], settings: MetricsConfig) -> Row:
    """All metrics of one system on one data set; the keys stand in docs/evaluation.md."""
    metrics: Row = {"field" if kind == "fields" else "span": _tables(kind, scores, settings)}
    items = [item for score in scores for item in score.items]
    if kind == "fields":
        tallies = _tallies(scores)
        metrics["assertion"] = _assertions(items, tallies)
        metrics["attribute"] = _attributes(tallies)
        metrics["patient"] = _patients(items)
    metrics.update(_confidence(items, settings))
    causes = Counter(item.cause for item in items if item.cause)
    metrics["errors"] = dict(causes.most_common())
    return metrics


def lookup(metrics: Row, path: str) -> Iterator[tuple[str, float | None]]:
    """The figures that a path names, each with its full path `dataset/system/path`.

    A path is `field.micro.relaxed_f1`, with `dataset/system/` before it for one result alone. Without that it means the
    first system, on every data set that has the metric.
    """
    *where, keys = path.split("/")
    first = metrics["results"][0]["system"] if metrics["results"] else ""
    for result in metrics["results"]:
        names = [result["dataset"], result["system"]]
        if (where and where != names) or (not where and result["system"] != first):
            continue
        value = _walk(result["metrics"], keys.split("."))
        if value is None or isinstance(value, int | float):
            yield "/".join((*names, keys)), value


def failed_gates(metrics: dict[str, Any], gates: Mapping[str, float]) -> Iterator[str]:
    """One line for each metric that is below its gate. Raises GateFailed for a path that names no metric."""
    for path, least in gates.items():
        found = list(lookup(metrics, path))
        if not found:
            raise GateFailed(f"no metric has the path {path}", "See the keys under `metrics` in metrics.json")
        for name, value in found:
            if value is None or value < least:
                yield f"{name} is {value if value is None else format(value, '.4f')}, less than {least:g}"


def _walk(tree: object, keys: list[str]) -> object:
    """The value under keys, some of which hold dots themselves (`implant.material`); a list where there is none."""
    if not keys:
        return tree
    if isinstance(tree, dict):
        for length in range(len(keys), 0, -1):
            key = ".".join(keys[:length])
            if key in tree:
                return _walk(tree[key], keys[length:])
    return []


def type_names(kind: Kind, scores: Sequence[ArticleScore]) -> list[str]:
    """The types that gold or predictions hold: fields in the order of the form, span types by name."""
    found = {type_ for score in scores for type_, _ in score.counts}
    return [name for name in FIELDS if name in found] if kind == "fields" else sorted(found)


def count_array(scores: Sequence[ArticleScore], types: Sequence[str], mode: str) -> NDArray[np.int64]:
    """Counts of a mode as an array [articles, types, 3]; the last axis is matched, predicted, gold."""
    array = np.zeros((len(scores), len(types), 3), dtype=np.int64)
    for row, score in enumerate(scores):
        for column, type_ in enumerate(types):
            counts = score.counts.get((type_, mode))
            if counts:
                array[row, column] = counts.matched, counts.predicted, counts.gold
    return array


def _tables(kind: Kind, scores: Sequence[ArticleScore], settings: MetricsConfig) -> Row:
    types = type_names(kind, scores)
    groups = {"micro": types}
    if kind == "fields":
        groups["micro_case"] = [name for name in types if name in CASE_FIELDS]
    groups |= {name: [name] for name in types}
    tables: Row = {name: _row(kind, scores, members, settings) for name, members in groups.items()}
    tables["macro"] = _macro(kind, scores, types, settings)
    if kind == "fields":
        for name, shares in coverage(scores).items():
            tables[name] |= {"filled_right": shares.right, "filled_wrong": shares.wrong, "left_empty": shares.empty}
    return {name: tables[name] for name in ("micro", *(["micro_case"] if kind == "fields" else []), "macro", *types)}


def _row(kind: Kind, scores: Sequence[ArticleScore], types: Sequence[str], settings: MetricsConfig) -> Row:
    row: Row = {}
    for mode in MODES[kind]:
        counts = count_array(scores, types, mode)
        matched, predicted, gold = (int(number) for number in counts.sum(axis=(0, 1)))
        interval = bootstrap(counts, micro_f1, resamples=settings.resamples, level=settings.level, seed=settings.seed)
        row.setdefault("gold", gold)
        row.setdefault("predicted", predicted)  # `boundary` counts a pair under the gold's type; the first mode tells
        row |= {
            f"{mode}_matched": matched,
            f"{mode}_precision": matched / predicted if predicted else 0.0,
            f"{mode}_recall": matched / gold if gold else 0.0,
            f"{mode}_f1": interval.value,
            f"{mode}_f1_low": interval.low,
            f"{mode}_f1_high": interval.high,
        }
    return row


def _macro(kind: Kind, scores: Sequence[ArticleScore], types: Sequence[str], settings: MetricsConfig) -> Row:
    row: Row = {}
    for mode in MODES[kind]:
        counts = count_array(scores, types, mode)
        interval = bootstrap(counts, macro_f1, resamples=settings.resamples, level=settings.level, seed=settings.seed)
        row |= {f"{mode}_f1": interval.value, f"{mode}_f1_low": interval.low, f"{mode}_f1_high": interval.high}
    return row


def _tallies(scores: Sequence[ArticleScore]) -> dict[tuple[str, str], Tally]:
    sums: dict[tuple[str, str], Tally] = {}
    for score in scores:
        for key, tally in score.attributes.items():
            sums[key] = sums.get(key, Tally()) + tally
    return sums


def _share(right: int, total: int) -> float | None:
    return right / total if total else None


def _assertions(items: Sequence[Item], tallies: dict[tuple[str, str], Tally]) -> Row:
    """Accuracy over pairs that agree in all but perhaps the assertion; P, R, F1 of each assertion over all findings."""
    tally = sum((tally for (_, name), tally in tallies.items() if name == "assertion"), Tally())
    pairs = tally.right + tally.wrong
    row: Row = {"accuracy": _share(tally.right, pairs), "pairs": pairs}
    for assertion in ASSERTIONS:
        gold = sum(item.gold is not None and item.gold.assertion == assertion for item in items)
        predicted = sum(item.predicted is not None and item.predicted.assertion == assertion for item in items)
        right = sum(item.matched and item.gold is not None and item.gold.assertion == assertion for item in items)
        if gold or predicted:
            row[assertion] = {
                "gold": gold,
                "predicted": predicted,
                "relaxed_precision": right / predicted if predicted else 0.0,
                "relaxed_recall": right / gold if gold else 0.0,
                "relaxed_f1": 2 * right / (gold + predicted),
            }
    return row


def _attributes(tallies: dict[tuple[str, str], Tally]) -> Row:
    named = {f"{type_}.{name}": tally for (type_, name), tally in sorted(tallies.items()) if name != "assertion"}
    rows = {"micro": sum(named.values(), Tally()), **named}
    return {name: _tally_row(tally) for name, tally in rows.items()}


def _tally_row(tally: Tally) -> Row:
    total = tally.right + tally.wrong + tally.missing + tally.spurious
    return {
        "accuracy": _share(tally.right, total),
        "right": tally.right,
        "wrong": tally.wrong,
        "missing": tally.missing,
        "spurious": tally.spurious,
    }


def _patients(items: Sequence[Item]) -> Row:
    """Share of matched findings that stand with the right patient."""
    pairs = [item for item in items if item.matched and item.gold and item.gold.case]
    right = sum(item.cause != "wrong_patient" for item in pairs)
    return {"accuracy": _share(right, len(pairs)), "pairs": len(pairs)}


def _confidence(items: Sequence[Item], settings: MetricsConfig) -> Row:
    """Calibration and risk-coverage of what was predicted; nothing where a system gives no confidence."""
    confidence = np.array([item.predicted.confidence for item in items if item.predicted])
    right = np.array([item.matched for item in items if item.predicted], dtype=bool)
    gold = sum(item.gold is not None for item in items)
    if not gold or not len(confidence) or np.all(confidence == 1.0):
        return {}
    bins = calibration(confidence, right, bins=settings.bins)
    curve = risk_coverage(confidence, right, gold)
    points = [
        {"threshold": float(t), "precision": float(p), "recall": float(r), "filled": float(f)}
        for t, p, r, f in zip(curve.threshold, curve.precision, curve.recall, curve.filled, strict=True)
    ]
    step = max(1, -(-len(points) // _CURVE_POINTS))
    kept = points[::step]
    if points and kept[-1] is not points[-1]:
        kept.append(points[-1])
    return {
        "calibration": {"ece": bins.ece, "brier": bins.brier, "bins": [asdict(each) for each in bins.bins]},
        "risk_coverage": {
            **{f"at_precision_{wanted}": _point(at_precision(curve, wanted / 100)) for wanted in PRECISIONS},
            "curve": kept,
        },
    }


def _point(point: Point | None) -> Row | None:
    return asdict(point) if point else None
