"""The reports of an evaluation and of a comparison: Markdown to read anywhere, HTML with plots and browsable items.

The page is one file without network: text from articles enters it only as escaped text or through `textContent`, and
its content policy allows no script but its own. The same metrics and items give the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from caseframe.evaluation import plots, report_tables
from caseframe.evaluation.excerpts import Row, packed
from caseframe.evaluation.pages import example_table, render, spread
from caseframe.evaluation.records import MODES
from caseframe.evaluation.report_tables import (
    Metrics,
    Table,
    cause_words,
    interval_words,
    kind_of,
    name_of,
    percent,
    results_of,
    rows_of,
    types_of,
    whole,
)
from caseframe.pages.text import visible

MOST_ITEMS = 20_000
"""Items that a page holds at most."""
MOST_CAUSES = 5
"""Causes that the Markdown report gives examples of."""
EXAMPLES = 10
"""Examples of a cause, or of a change, in a Markdown report."""


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG element and the words under it."""

    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a report tells of one system on one data set."""

    anchor: str
    system: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...]
    words: tuple[str, ...]
    examples: tuple[tuple[str, Table], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What a report tells of one data set: plots of all systems, then every system."""

    anchor: str
    dataset: str
    plots: tuple[Plot, ...]
    runs: tuple[Run, ...]


def write_report(
    folder: Path, metrics: Metrics, items: Sequence[Row], *, html: bool = True, markdown: bool = True
) -> None:
    """Writes `report.html` and `report.md` into `folder`, those that are asked for.

    `metrics` is the content of `metrics.json`, `items` are the rows of `items.parquet`.
    """
    errors = [item for item in items if item["cause"]]
    shown = spread(errors, MOST_ITEMS)
    page = {
        "title": "Evaluation report",
        "date": visible(metrics.get("date", "")),
        "versions": _versions(metrics),
        "brief": [report_tables.in_brief(result, _of(errors, result)) for result in results_of(metrics)],
        "problems": list(report_tables.problems(metrics)),
        "datasets": report_tables.datasets(metrics),
        "systems": report_tables.systems(metrics),
        "comparison": report_tables.comparison(metrics),
        "sections": _sections(metrics, items, plotted=html),
        "causes": [report_tables.causes(errors, "Causes of error, over all systems and data sets")]
        if len(metrics["results"]) > 1
        else [],
        "config": visible(json.dumps(metrics.get("config", {}), indent=2, ensure_ascii=False)),
        "errors": whole(len(errors)),
        "shown": whole(len(shown)) if len(shown) < len(errors) else "",
        "data": Markup(_packed_errors(shown)),
    }
    render(folder, "report", page, html=html, markdown=markdown)


def _versions(metrics: Metrics) -> str:
    versions = {"CaseFrame": metrics.get("caseframe", ""), **metrics.get("versions", {})}
    return ", ".join(f"{visible(name)} {visible(version)}" for name, version in versions.items() if version)


def _of(items: Iterable[Row], result: Metrics) -> list[Row]:
    key = (result["dataset"], result["system"])
    return [item for item in items if (item["dataset"], item["system"]) == key]


def _sections(metrics: Metrics, items: Sequence[Row], *, plotted: bool) -> list[Section]:
    by_dataset: dict[str, list[Metrics]] = {}
    for result in results_of(metrics):
        by_dataset.setdefault(result["dataset"], []).append(result)
    return [
        Section(
            f"d{number}",
            name_of(dataset),
            tuple(_shared_plots(results, metrics, f"d{number}")) if plotted else (),
            tuple(
                _run(result, metrics, _of(items, result), f"d{number}-s{place}", plotted=plotted)
                for place, result in enumerate(results, 1)
            ),
        )
        for number, (dataset, results) in enumerate(by_dataset.items(), 1)
    ]


def _shared_plots(results: Sequence[Metrics], metrics: Metrics, anchor: str) -> Iterable[Plot]:
    """The plots of one data set that have all systems in them."""
    dataset = name_of(results[0]["dataset"])
    measured = [result for result in results if types_of(result)]
    if measured:
        mode = MODES[kind_of(results[0])][0]
        labels = {name: label for result in reversed(measured) for name, label in _labels(result).items()}
        scores = {result["system"]: _f1_by_type(result, labels) for result in measured}
        title = f"F1 ({mode}) on {dataset}"
        caption = f"{title}, with the {interval_words(metrics)}; in brackets the number of gold items."
        yield Plot(Markup(plots.plot_f1(scores, f"{anchor}-f1", title)), caption)
    calibrations = _with_metric(results, "calibration")
    if calibrations:
        title = f"Reliability of the confidence on {dataset}"
        caption = (
            f"{title}: share of right predictions among those of a like confidence; on the dashed line a confidence is "
            "what it says. Below, the number of predictions. ECE: expected calibration error."
        )
        yield Plot(Markup(plots.plot_reliability(calibrations, f"{anchor}-reliability", title)), caption)
    curves = {name: curve for name, curve in _with_metric(results, "risk_coverage").items() if curve["curve"]}
    if curves:
        title = f"Risk and coverage on {dataset}"
        words = "; ".join(f"{name_of(name)}: {plots.at_precision_90(curve)}" for name, curve in curves.items())
        caption = f"{title}: precision as less sure predictions are kept. The mark is where it is 90 % ({words})."
        yield Plot(Markup(plots.plot_risk_coverage(curves, f"{anchor}-risk", title)), caption)


def _with_metric(results: Iterable[Metrics], name: str) -> dict[str, Any]:
    return {result["system"]: result["metrics"][name] for result in results if result["metrics"].get(name)}


def _labels(result: Metrics) -> dict[str, str]:
    """What a plot calls all types together and each type: with the number of gold items."""
    rows = rows_of(result)
    names = {"micro": "all (micro)", **{name: name for name in types_of(result)}}
    return {name: f"{label} ({whole(rows[name].get('gold'))})" for name, label in names.items() if name in rows}


def _f1_by_type(result: Metrics, labels: Mapping[str, str]) -> dict[str, plots.Estimate]:
    rows, key = rows_of(result), f"{MODES[kind_of(result)][0]}_f1"
    return {
        label: (row[key], row.get(f"{key}_low", row[key]), row.get(f"{key}_high", row[key]))
        for name, label in labels.items()
        if (row := rows.get(name, {})).get(key) is not None
    }


def _run(result: Metrics, metrics: Metrics, items: Sequence[Row], anchor: str, *, plotted: bool) -> Run:
    errors = [item for item in items if item["cause"]]
    system, dataset = name_of(result["system"]), name_of(result["dataset"])
    tables = [
        report_tables.by_type(result, metrics),
        report_tables.assertions(result),
        report_tables.attributes(result),
        report_tables.causes(errors, f"{system} on {dataset}: causes of error") if errors else None,
    ]
    return Run(
        anchor,
        system,
        tuple(table for table in tables if table),
        tuple(_confusion(items, types_of(result), f"{system} on {dataset}", anchor)) if plotted else (),
        tuple(_patient_words(result)),
        tuple(_examples(errors)),
    )


def _confusion(items: Iterable[Row], types: Sequence[str], run: str, anchor: str) -> Iterable[Plot]:
    pairs = Counter((item["gold_type"] or plots.NOTHING, item["predicted_type"] or plots.NOTHING) for item in items)
    if pairs:
        title = f"{run}: gold against predicted"
        caption = (
            f"{title}, counts of items; the shade is the share of the gold’s row. {plots.NOTHING}: the other side has "
            "nothing. On the diagonal both sides agree on what it is, not always on its value."
        )
        yield Plot(Markup(plots.plot_confusion(pairs, types, f"{anchor}-confusion", title)), caption)


def _patient_words(result: Metrics) -> Iterable[str]:
    patient = result["metrics"].get("patient")
    if patient and patient.get("pairs"):
        yield (
            f"The finding stands with the right patient in {percent(patient['accuracy'])} of {whole(patient['pairs'])} "
            "matched pairs."
        )


def _examples(errors: Sequence[Row]) -> Iterable[tuple[str, Table]]:
    """Tables of examples for the most frequent causes."""
    counts = Counter(item["cause"] for item in errors)
    for cause, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_CAUSES]:
        chosen = spread([item for item in errors if item["cause"] == cause], EXAMPLES)
        yield cause, example_table(chosen, f"{cause_words(cause)}: {len(chosen)} of {whole(count)}")


def _packed_errors(errors: Sequence[Row]) -> str:
    facets = {
        "Data set": [name_of(item["dataset"]) for item in errors],
        "System": [name_of(item["system"]) for item in errors],
        "Field or type": [name_of(item["type"]) for item in errors],
        "Cause": [cause_words(item["cause"]) for item in errors],
    }
    return packed(errors, facets)


def write_comparison(folder: Path, comparison: Metrics) -> None:
    """Writes `comparison.md` and `comparison.html` into `folder`, from the content of `comparison.json`."""
    pairs = comparison["comparisons"]
    changes = [(pair, change, item) for pair in pairs for change in report_tables.CHANGES for item in pair[change]]
    shown = spread(changes, MOST_ITEMS)
    page = {
        "title": "Comparison of evaluations",
        "brief": [report_tables.difference_in_brief(pair) for pair in pairs],
        "overview": report_tables.overview(pairs),
        "sections": [_pair(pair, f"c{number}") for number, pair in enumerate(pairs, 1)],
        "items": whole(len(changes)),
        "shown": whole(len(shown)) if len(shown) < len(changes) else "",
        "data": Markup(_packed_changes(shown)),
    }
    render(folder, "comparison", page)


@dataclass(frozen=True, slots=True)
class Pair:
    """What a comparison tells of two systems on one data set."""

    anchor: str
    title: str
    words: tuple[str, ...]
    plots: tuple[Plot, ...]
    tables: tuple[Table, ...]
    examples: tuple[Table, ...]


def _pair(pair: Metrics, anchor: str) -> Pair:
    title = report_tables.pair_name(pair)
    mode = MODES[kind_of(pair)][0]
    rows = [row for row in pair["rows"] if row["mode"] == mode]
    differences = {
        f"{report_tables.type_words(row['type'])} ({whole(row['gold'])})": (row["difference"], row["low"], row["high"])
        for row in rows
    }
    named = f"Difference of F1 ({mode}): {title}"
    caption = f"{named}, with paired bootstrap intervals; right of 0 the second is better. In brackets the gold items."
    svg = plots.plot_differences(differences, f"{anchor}-difference", named) if differences else ""
    return Pair(
        anchor,
        title,
        tuple(report_tables.articles_apart(pair)),
        (Plot(Markup(svg), caption),) if svg else (),
        tuple(report_tables.differences(pair, mode) for mode in MODES[kind_of(pair)]),
        tuple(
            example_table(
                spread(pair[change], EXAMPLES),
                f"{words}: {min(EXAMPLES, len(pair[change]))} of {whole(len(pair[change]))}",
            )
            for change, words in report_tables.CHANGES.items()
            if pair[change]
        ),
    )


def _packed_changes(changes: Sequence[tuple[Metrics, str, Row]]) -> str:
    facets = {
        "Comparison": [report_tables.pair_name(pair) for pair, _, _ in changes],
        "Field or type": [name_of(item["type"]) for _, _, item in changes],
        "Cause": [cause_words(item["cause"]) for _, _, item in changes],
        "Change": [report_tables.CHANGES[change] for _, change, _ in changes],
    }
    return packed([item for _, _, item in changes], facets)
