"""Evaluations and comparisons as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from caseframe.evaluation.differences import Compared
from caseframe.evaluation.records import MODES, Item, Kind

_HEADS = ("field", "span")


def evaluation_tables(metrics: Mapping[str, Any]) -> Group:
    """All results of an evaluation: one table a data set and system, one that compares the systems."""
    parts: list[RenderableType] = []
    for result in metrics["results"]:
        parts += [_result_table(result), *(Text(line, style="dim") for line in _captions(result)), Text()]
    for dataset in dict.fromkeys(result["dataset"] for result in metrics["results"]):
        results = [result for result in metrics["results"] if result["dataset"] == dataset]
        if len(results) > 1:
            parts.append(_overview(dataset, results))
    parts.extend(Text(f"{each['dataset']}: {each['system']} is left out, {each['why']}") for each in metrics["skipped"])
    return Group(*parts)


def _tables_of(result: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(result["metrics"][head] for head in _HEADS if head in result["metrics"])
    return found


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(row: Mapping[str, Any], mode: str) -> str:
    return f"{row[f'{mode}_f1_low']:.3f}–{row[f'{mode}_f1_high']:.3f}"


def _result_table(result: Mapping[str, Any]) -> Table:
    seconds = result["seconds"] or float("inf")
    title = (
        f"{result['system']} on {result['dataset']}: {result['articles']} articles, "
        f"{result['words'] / seconds:,.0f} words/s; {MODES[result['kind']][0]}"
    )
    return _score_table(title, result["kind"], _tables_of(result))


def training_table(dev: str, metrics: Mapping[str, Any]) -> Table:
    """What a trained component scores on its dev set."""
    return _score_table(f"{dev}, overlap", "spans", metrics["span"])


def _score_table(title: str, kind: Kind, tables: Mapping[str, Any]) -> Table:
    first, second = MODES[kind][:2]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in ("gold", "found", "P", "R", "F1", "interval", f"{second} F1"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, row in tables.items():
        figures = ["", "", "", ""]
        if name != "macro":
            figures = [str(row["gold"]), str(row["predicted"])]
            figures += [_figure(row[f"{first}_precision"]), _figure(row[f"{first}_recall"])]
        figures += [_figure(row[f"{first}_f1"]), _interval(row, first), _figure(row[f"{second}_f1"])]
        table.add_row(name, *figures)
    return table


def _captions(result: Mapping[str, Any]) -> Iterator[str]:
    metrics, alignment = result["metrics"], result["alignment"]
    if "assertion" in metrics:
        accuracies = (metrics["assertion"], metrics["attribute"]["micro"], metrics["patient"])
        names = ("assertion", "attributes", "patient")
        yield "right, of what was found: " + ", ".join(
            f"{name} {_figure(each['accuracy'])}" for name, each in zip(names, accuracies, strict=True)
        )
    if "calibration" in metrics:
        point = metrics["risk_coverage"]["at_precision_90"]
        filled = (
            f"fills {point['filled']:.0%} of the cells, {point['recall']:.0%} rightly" if point else "is not reached"
        )
        yield f"calibration error {metrics['calibration']['ece']:.3f}; precision 0.90: {filled}"
    causes = ", ".join(f"{cause.replace('_', ' ')} {count}" for cause, count in metrics["errors"].items())
    if causes:
        yield f"errors: {causes}"
    if alignment["unaligned"]:
        yield f"{alignment['unaligned']} of {alignment['annotations']} annotations did not meet their text"
    if result["failed"]:
        yield f"{result['failed']} articles failed"


def _overview(dataset: str, results: Sequence[Mapping[str, Any]]) -> Table:
    modes = MODES[results[0]["kind"]][:2]
    table = Table(title=f"all systems on {dataset}, micro F1", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for column in (modes[0], "interval", modes[1], "interval", "words/s"):
        table.add_column(column, justify="right", no_wrap=True)
    for result in results:
        micro = _tables_of(result)["micro"]
        figures = [text for mode in modes for text in (_figure(micro[f"{mode}_f1"]), _interval(micro, mode))]
        speed = f"{result['words'] / result['seconds']:,.0f}" if result["seconds"] else ""
        table.add_row(result["system"], *figures, speed)
    return table


def comparison_tables(compared: Compared, most: int) -> Group:
    """The differences of two systems, and at most so many items that became right, and wrong."""
    comparison = compared.comparison
    parts: list[RenderableType] = [_difference_table(compared, mode) for mode in MODES[compared.kind][:2]]
    for which, only in (("A", comparison.only_a), ("B", comparison.only_b)):
        if only:
            parts.append(Text(f"{len(only)} articles are in {which} only, {only[0]} among them"))
    for name, items in (("newly right", comparison.newly_right), ("newly wrong", comparison.newly_wrong)):
        parts.append(Text(f"{name}: {len(items)}"))
        parts.extend(Text(f"  {_item_line(item)}") for item in items[:most])
    return Group(*parts)


def _difference_table(compared: Compared, mode: str) -> Table:
    """F1 of both systems in one mode; `p` is that of the approximate randomisation, then as Holm corrects it."""
    title = f"{compared.dataset}, {mode} F1: A {compared.a}, B {compared.b}, {compared.comparison.articles} articles"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in ("gold", "A", "B", "B - A", "interval", "p", "p Holm"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in compared.comparison.rows:
        if row.mode == mode:
            figures = (f"{row.a:.3f}", f"{row.b:.3f}", f"{row.difference:+.3f}", f"{row.low:+.3f}–{row.high:+.3f}")
            table.add_row(row.type, str(row.gold), *figures, f"{row.p_randomisation:.3f}", f"{row.p_holm:.3f}")
    return table


def _item_line(item: Item) -> str:
    sides = []
    for name, side in (("gold", item.gold), ("found", item.predicted)):
        if side:
            words = f" “{side.text}”" if side.text else ""
            assertion = f" [{side.assertion}]" if side.assertion not in {"", "present"} else ""
            sides.append(f"{name} {side.type} {side.value}{assertion}{words}".rstrip())
    cause = f" ({item.cause.replace('_', ' ')})" if item.cause else ""
    return f"{item.article_id}: {'; '.join(sides)}{cause}"
