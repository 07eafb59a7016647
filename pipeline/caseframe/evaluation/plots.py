"""Plots of a report as inline SVG: F1 per type, confusion of types, reliability, risk against coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from caseframe.pages.figures import (
    HEAT,
    MUTED,
    SERIES,
    WIDTH,
    add_legend,
    axis_label,
    figure_of,
    series_look,
    svg_element,
)

NOTHING = "(none)"
REST = "(rest)"
Pairs = Mapping[tuple[str, str], int]
Estimate = tuple[float, float, float]
"""A value and the bounds of its interval."""


def plot_f1(scores: Mapping[str, Mapping[str, Estimate]], identifier: str, title: str) -> str:
    """F1 with intervals, one row a type, systems side by side.

    `scores`: system to type to (F1, low, high). A type that a system lacks has no dot.
    """
    types = list(dict.fromkeys(name for rows in scores.values() for name in rows))
    with figure_of(0.8 + len(types) * max(0.24, 0.13 * len(scores))) as figure:
        axes = figure.add_subplot()
        _dots(axes, scores, types)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("F1")
        add_legend(figure, axes)
        return svg_element(figure, identifier, title, _words_of_f1(scores))


def plot_differences(differences: Mapping[str, Estimate], identifier: str, title: str) -> str:
    """Differences with intervals, one row a type, about a line at 0. `differences`: type to (difference, low, high)."""
    with figure_of(0.8 + len(differences) * 0.24) as figure:
        axes = figure.add_subplot()
        axes.axvline(0, color=MUTED, linewidth=1, linestyle="--")
        _dots(axes, {"": differences}, list(differences))
        widest = max([0.05, *(abs(bound) for row in differences.values() for bound in row)])
        axes.set_xlim(-1.05 * widest, 1.05 * widest)
        axes.set_xlabel("difference of F1")
        words = ", ".join(f"{name} {value:+.3f}" for name, (value, _, _) in differences.items())
        return svg_element(figure, identifier, title, words)


def _dots(axes: Axes, series: Mapping[str, Mapping[str, Estimate]], types: Sequence[str]) -> None:
    """A row for each type, in it a dot with its interval for each series that has the type."""
    step = 0.7 / max(1, len(series))
    for number, (name, rows) in enumerate(series.items()):
        shift = (number - (len(series) - 1) / 2) * step
        known = [type_ for type_ in types if type_ in rows]
        low, high = (
            [max(0.0, sign * (rows[type_][end] - rows[type_][0])) for type_ in known] for sign, end in ((-1, 1), (1, 2))
        )
        axes.errorbar(
            [rows[type_][0] for type_ in known],
            [types.index(type_) + shift for type_ in known],
            xerr=[low, high],
            linestyle="none",
            elinewidth=1.2,
            markersize=4.5,
            label=axis_label(name),
            **series_look(number),
        )
    axes.set_yticks(range(len(types)), [axis_label(name) for name in types])
    axes.set_ylim(len(types) - 0.4, -0.6)


def plot_confusion(pairs: Pairs, order: Sequence[str], identifier: str, title: str, *, most: int = 24) -> str:
    """Counts of (gold type, predicted type) as a shaded table; `NOTHING` stands for the side that is absent.

    Shades are shares of the gold type. Rows are in the given `order`, types that it lacks after them. Types beyond the
    `most` frequent are one row and column, `REST`.
    """
    pairs, types = _folded(pairs, order, most)
    totals: Counter[str] = Counter()
    for (gold, _), count in pairs.items():
        totals[gold] += count
    size = 1.0 + 0.27 * len(types) + 0.08 * max(map(len, map(axis_label, types)), default=0)
    with figure_of(size, width=max(WIDTH, size + 0.5)) as figure:
        axes = figure.add_subplot()
        axes.grid(visible=False)
        for (gold, predicted), count in pairs.items():
            row, column = types.index(gold), types.index(predicted)
            share = count / totals[gold]
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=HEAT, edgecolor="none", alpha=0.06 + 0.5 * share)
            )
            axes.text(column, row, f"{count}", ha="center", va="center", fontsize=7)
        labels = [axis_label(name) for name in types]
        axes.set_xticks(range(len(types)), labels, rotation=90)
        axes.set_yticks(range(len(types)), labels)
        axes.set_xlim(-0.5, len(types) - 0.5)
        axes.set_ylim(len(types) - 0.5, -0.5)
        axes.set_xlabel("predicted")
        axes.set_ylabel("gold")
        axes.tick_params(length=0)
        return svg_element(figure, identifier, title, _words_of_confusion(pairs))


def plot_reliability(calibrations: Mapping[str, Mapping[str, Any]], identifier: str, title: str) -> str:
    """Share of right predictions against their confidence, by bins, over the counts of the bins.

    `calibrations`: system to `{"ece", "brier", "bins": [{"low", "high", "count", "confidence", "accuracy"}]}`.
    """
    with figure_of(4.4) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        for number, (system, calibration) in enumerate(calibrations.items()):
            bins = [each for each in calibration["bins"] if each["count"]]
            upper.plot(
                [each["confidence"] for each in bins],
                [each["accuracy"] for each in bins],
                markersize=5,
                label=f"{axis_label(system)}: ECE {calibration['ece']:.3f}, Brier {calibration['brier']:.3f}",
                **series_look(number),
            )
            width = [(each["high"] - each["low"]) * 0.9 / len(calibrations) for each in bins]
            left = [
                each["low"] + (each["high"] - each["low"]) * (0.05 + 0.9 * number / len(calibrations)) for each in bins
            ]
            counts = [each["count"] for each in bins]
            lower.bar(left, counts, width, align="edge", color=SERIES[number % len(SERIES)])
        upper.set_xlim(0, 1)
        upper.set_ylim(-0.02, 1.02)
        upper.set_ylabel("share right")
        lower.set_ylabel("count")
        lower.set_xlabel("confidence")
        add_legend(figure, upper, always=True)
        words = [
            f"{system}: expected calibration error {each['ece']:.3f}, Brier score {each['brier']:.3f}"
            for system, each in calibrations.items()
        ]
        return svg_element(figure, identifier, title, "; ".join(words))


def plot_risk_coverage(curves: Mapping[str, Mapping[str, Any]], identifier: str, title: str) -> str:
    """Precision against the share of cells filled, as the least confidence falls; the point of 90 % precision marked.

    `curves`: system to `{"at_precision_90": point or None, "curve": [{"threshold", "precision", "recall", "filled"}]}`.
    """
    with figure_of(3.8) as figure:
        axes = figure.add_subplot()
        axes.axhline(0.9, color=MUTED, linewidth=1, linestyle="--")
        widest = 1.0
        for number, (system, curve) in enumerate(curves.items()):
            points = sorted(curve["curve"], key=lambda point: (point["filled"], point["threshold"]))
            widest = max([widest, *(point["filled"] for point in points)])
            look = series_look(number)
            marker = look.pop("marker")
            axes.plot(
                [point["filled"] for point in points],
                [point["precision"] for point in points],
                linewidth=1.6,
                label=axis_label(system),
                **look,
            )
            at_90 = curve.get("at_precision_90")
            if at_90:
                axes.plot([at_90["filled"]], [at_90["precision"]], marker=marker, markersize=8, **look)
        axes.set_xlim(0, widest * 1.02)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("filled: predictions kept, as a share of the gold’s cells")
        axes.set_ylabel("precision")
        add_legend(figure, axes)
        words = [f"{system}: {at_precision_90(curve)}" for system, curve in curves.items()]
        return svg_element(figure, identifier, title, "; ".join(words))


def at_precision_90(curve: Mapping[str, Any]) -> str:
    """What a run fills at 90 % precision, in words; `curve` as in `plot_risk_coverage`."""
    point = curve.get("at_precision_90")
    if not point:
        return "no threshold of confidence reaches 90 % precision"
    return f"at 90 % precision the run fills {100 * point['filled']:.0f} % of the cells"


def _folded(pairs: Pairs, order: Sequence[str], most: int) -> tuple[dict[tuple[str, str], int], list[str]]:
    """The pairs with rare types as one, and the types in the order of their rows."""
    counts: Counter[str] = Counter()
    for pair, count in pairs.items():
        for name in {*pair} - {NOTHING}:
            counts[name] += count
    kept = {name for name, _ in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:most]}
    folded: Counter[tuple[str, str]] = Counter()
    for (gold, predicted), count in pairs.items():
        folded[
            gold if gold in kept or gold == NOTHING else REST,
            predicted if predicted in kept or predicted == NOTHING else REST,
        ] += count
    types = [name for name in dict.fromkeys([*order, *sorted(counts)]) if name in kept]
    types += [name for name in (REST, NOTHING) if any(name in pair for pair in folded)]
    return dict(folded), types


def _words_of_f1(scores: Mapping[str, Mapping[str, Estimate]]) -> str:
    return "; ".join(
        f"{system}: " + ", ".join(f"{name} {value:.2f}" for name, (value, _, _) in rows.items())
        for system, rows in scores.items()
    )


def _words_of_confusion(pairs: Pairs, most: int = 10) -> str:
    apart = sorted(((count, *pair) for pair, count in pairs.items() if pair[0] != pair[1]), reverse=True)
    named = [f"gold {gold} as {predicted} {count} times" for count, gold, predicted in apart[:most]]
    return "Most frequent: " + "; ".join(named) if named else "Every type was given its own."
