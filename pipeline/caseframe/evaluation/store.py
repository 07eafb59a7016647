"""What an evaluation leaves on disk, so that it can be compared later: metrics, items, counts, errors.

metrics.json      all figures, under stable keys
items.parquet     every gold and predicted item with its fate
counts.parquet    true positives and totals by article, type and mode: what intervals are made of
errors.parquet    the items that are errors, also as errors.csv
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from caseframe.errors import EvaluationError, OutputError, OutputExists
from caseframe.evaluation.records import ArticleScore, Cause, Counts, Item, Kind, Side
from caseframe.schema import Attributes
from caseframe.tables.delimited import write_csv
from caseframe.tables.parquet import read_part, write_part
from caseframe.tables.rows import Row, attributes_json

METRICS = "metrics.json"
ITEMS = "items.parquet"
COUNTS = "counts.parquet"
ERRORS = ("errors.parquet", "errors.csv")
REPORTS = ("report.md", "report.html")
COMPARISON = "comparison.json"
COMPARISON_REPORTS = ("comparison.md", "comparison.html")
FORMAT = 1
_CURE = "Give a directory that caseframe evaluate wrote"

_SIDE: dict[str, pa.DataType] = {
    "type": pa.string(),
    "value": pa.string(),
    "number": pa.float64(),
    "text": pa.string(),
    "start": pa.int32(),
    "end": pa.int32(),
    "assertion": pa.string(),
    "case": pa.int32(),
    "attributes": pa.string(),
}
_ITEM_COLUMNS: dict[str, pa.DataType] = {
    "dataset": pa.string(),
    "system": pa.string(),
    "article_id": pa.string(),
    "type": pa.string(),
    "matched": pa.bool_(),
    "exact": pa.bool_(),
    "cause": pa.string(),
    **{f"gold_{name}": kind for name, kind in _SIDE.items()},
    **{f"predicted_{name}": kind for name, kind in _SIDE.items()},
    "predicted_confidence": pa.float64(),
    "sentence": pa.string(),
    "sentence_start": pa.int32(),
}
_ITEM = pa.schema(_ITEM_COLUMNS)
_COUNT_COLUMNS: dict[str, pa.DataType] = {
    "dataset": pa.string(),
    "system": pa.string(),
    "article_id": pa.string(),
    "type": pa.string(),
    "mode": pa.string(),
    "matched": pa.int32(),
    "predicted": pa.int32(),
    "gold": pa.int32(),
}
_COUNT = pa.schema(_COUNT_COLUMNS)


@dataclass(frozen=True, slots=True)
class Result:
    """The scores of one system on one data set."""

    dataset: str
    system: str
    kind: Kind
    scores: tuple[ArticleScore, ...]


def make_folder(folder: Path, *, overwrite: bool = False) -> None:
    """Makes the folder of an evaluation; a former evaluation in it is replaced only where `overwrite` says so.

    Raises OutputExists where the folder holds something else, OutputError where it cannot be written.
    """
    _make(folder, {METRICS, ITEMS, COUNTS, *ERRORS, *REPORTS}, overwrite)


def make_comparison_folder(folder: Path, *, overwrite: bool = False) -> None:
    """Makes the folder of a comparison, as `make_folder` does."""
    _make(folder, {COMPARISON, *COMPARISON_REPORTS}, overwrite)


def _make(folder: Path, known: set[str], overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in folder.iterdir()}
        if there and not overwrite:
            raise OutputExists(f"{folder} is not empty", "Give another -o, or --overwrite to replace what is there")
        if there - known:
            raise OutputExists(f"{folder} holds other files than these commands write", "Give an empty one with -o")
        for name in there:
            (folder / name).unlink()
    except OSError as error:
        raise OutputError(
            f"{folder}: {error.strerror or error}", "Give a folder that can be written with -o"
        ) from error


def write_results(folder: Path, metrics: Mapping[str, Any], results: Iterable[Result], *, errors: bool) -> list[Row]:
    """Writes everything but the reports; gives the rows of items."""
    rows: list[Row] = []
    counts: list[Row] = []
    for result in results:
        key = {"dataset": result.dataset, "system": result.system}
        for score in result.scores:
            rows.extend({**key, **item_row(item)} for item in score.items)
            counts.extend({**key, **row} for row in _count_rows(score))
    write_part(folder / ITEMS, rows, _ITEM)
    write_part(folder / COUNTS, counts, _COUNT)
    if errors:
        wrong = [row for row in rows if row["cause"]]
        write_part(folder / ERRORS[0], wrong, _ITEM)
        write_csv(folder / ERRORS[1], wrong, _ITEM.names)
    (folder / METRICS).write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return rows


def item_row(item: Item) -> Row:
    """An item as a flat row."""
    side = item.gold or item.predicted
    assert side is not None
    return {
        "article_id": item.article_id,
        "type": side.type,
        "matched": item.matched,
        "exact": item.exact,
        "cause": item.cause,
        **_side_row("gold", item.gold),
        **_side_row("predicted", item.predicted),
        "predicted_confidence": item.predicted.confidence if item.predicted else None,
        "sentence": item.sentence,
        "sentence_start": item.sentence_start,
    }


def _side_row(name: str, side: Side | None) -> Row:
    if side is None:
        return {f"{name}_{column}": None for column in _SIDE}
    values = {field.name: getattr(side, field.name) for field in fields(side)}
    values["number"] = float(side.value) if isinstance(side.value, int | float) else None
    values["value"] = str(side.value)
    values["attributes"] = attributes_json(Attributes(side.attributes))
    return {f"{name}_{column}": values[column] for column in _SIDE}


def _count_rows(score: ArticleScore) -> Iterator[Row]:
    if not score.counts:  # an article that is empty on both sides still counts as an article
        yield {"article_id": score.article_id, "type": "", "mode": "", "matched": 0, "predicted": 0, "gold": 0}
    for (type_, mode), counts in score.counts.items():
        yield {
            "article_id": score.article_id,
            "type": type_,
            "mode": mode,
            "matched": counts.matched,
            "predicted": counts.predicted,
            "gold": counts.gold,
        }


def read_metrics(folder: Path) -> dict[str, Any]:
    """The content of `metrics.json`; raises EvaluationError where there is none that can be read."""
    path = folder / METRICS
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        if metrics["format"] != FORMAT:
            raise EvaluationError(f"{path} has format {metrics['format']}, not {FORMAT}", "Evaluate again")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{path}: {error}", _CURE) from error
    return cast("dict[str, Any]", metrics)


def read_results(folder: Path) -> list[Result]:
    """The scores of an evaluation, without their attributes; raises EvaluationError where they cannot be read."""
    metrics = read_metrics(folder)
    kinds = {(each["dataset"], each["system"]): each["kind"] for each in metrics["results"]}
    try:
        items = _by_article(map(_item, read_part(folder / ITEMS)))
        counts = _by_article(map(_count, read_part(folder / COUNTS)))
    except (OSError, pa.ArrowException) as error:
        raise EvaluationError(f"{folder}: {error}", _CURE) from error
    found = []
    for (dataset, system), kind in kinds.items():
        articles = counts.get((dataset, system), {})
        scores = tuple(
            ArticleScore(
                article,
                dict(pair for pair in pairs if pair[0][0]),
                tuple(items.get((dataset, system), {}).get(article, ())),
            )
            for article, pairs in articles.items()
        )
        found.append(Result(dataset, system, kind, scores))
    return found


def _by_article(rows: Iterable[tuple[tuple[str, str], str, Any]]) -> dict[tuple[str, str], dict[str, list[Any]]]:
    found: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for key, article, value in rows:
        found.setdefault(key, {}).setdefault(article, []).append(value)
    return found


def _count(row: Row) -> tuple[tuple[str, str], str, tuple[tuple[str, str], Counts]]:
    numbers = (int(str(row[name])) for name in ("matched", "predicted", "gold"))
    key = (str(row["dataset"]), str(row["system"]))
    return key, str(row["article_id"]), ((str(row["type"]), str(row["mode"])), Counts(*numbers))


def _item(row: Row) -> tuple[tuple[str, str], str, Item]:
    item = Item(
        str(row["article_id"]),
        _side(row, "gold"),
        _side(row, "predicted"),
        bool(row["matched"]),
        bool(row["exact"]),
        cast(Cause, row["cause"]),
        str(row["sentence"]),
        int(str(row["sentence_start"])),
    )
    return (str(row["dataset"]), str(row["system"])), item.article_id, item


def _side(row: Row, name: str) -> Side | None:
    if row[f"{name}_type"] is None:
        return None
    number, attributes = row[f"{name}_number"], row[f"{name}_attributes"]
    confidence = row.get(f"{name}_confidence")
    return Side(
        type=str(row[f"{name}_type"]),
        value=number if isinstance(number, float) else str(row[f"{name}_value"]),
        text=str(row[f"{name}_text"]),
        start=int(str(row[f"{name}_start"])),
        end=int(str(row[f"{name}_end"])),
        assertion=str(row[f"{name}_assertion"]),
        case=int(str(row[f"{name}_case"])),
        confidence=confidence if isinstance(confidence, float) else 1.0,
        attributes=json.loads(str(attributes)) if attributes else {},
    )


def select(results: Sequence[Result], system: str, folder: Path) -> list[Result]:
    """The results of one system; without a name there must be one system only."""
    names = list(dict.fromkeys(result.system for result in results))
    if not system and len(names) == 1:
        return list(results)
    if system not in names:
        what = f"has no system {system}" if system else f"holds {len(names)} systems"
        raise EvaluationError(f"{folder} {what}", f"Name one as {folder}:{names[0]}; there are {', '.join(names)}")
    return [result for result in results if result.system == system]
