"""Plots: one inert, named SVG element with what the data says, the same bytes for the same data."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import matplotlib
import pytest
from lxml import etree

from caseframe.evaluation.plots import (
    NOTHING,
    REST,
    at_precision_90,
    plot_confusion,
    plot_differences,
    plot_f1,
    plot_reliability,
    plot_risk_coverage,
)

SCORES = {
    "rules": {"site (80)": (0.8, 0.7, 0.9), "age (40)": (0.9, 0.85, 0.95)},
    "other": {"site (80)": (0.5, 0.4, 0.6)},
}
CALIBRATION = {
    "ece": 0.0412,
    "brier": 0.1,
    "bins": [
        {"low": 0.0, "high": 0.5, "count": 0, "confidence": 0.0, "accuracy": 0.0},
        {"low": 0.5, "high": 1.0, "count": 7, "confidence": 0.8, "accuracy": 0.7},
    ],
}
CURVE = {
    "at_precision_90": {"threshold": 0.6, "precision": 0.91, "recall": 0.57, "filled": 0.634},
    "curve": [
        {"threshold": 0.9, "precision": 1.0, "recall": 0.3, "filled": 0.3},
        {"threshold": 0.6, "precision": 0.91, "recall": 0.57, "filled": 0.634},
    ],
}
PAIRS = {("site", "site"): 9, ("site", NOTHING): 3, (NOTHING, "age"): 2, ("age", "site"): 1}
PLOTS: dict[str, Callable[[], str]] = {
    "f1": lambda: plot_f1(SCORES, "p", "A title"),
    "differences": lambda: plot_differences({"site": (0.1, -0.1, 0.2)}, "p", "A title"),
    "confusion": lambda: plot_confusion(PAIRS, ["age", "site"], "p", "A title"),
    "reliability": lambda: plot_reliability({"rules": CALIBRATION}, "p", "A title"),
    "risk": lambda: plot_risk_coverage({"rules": CURVE}, "p", "A title"),
}


def words(svg: str) -> list[str]:
    return [node.text or "" for node in etree.fromstring(svg).iter("text")]


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_one_inert_element_with_a_name(name: str) -> None:
    svg = PLOTS[name]()
    root = etree.fromstring(svg)
    assert root.tag == "svg" and root.get("role") == "img" and root[0].text == "A title" and root[1].text
    assert {node.tag for node in root.iter()} <= {
        "svg", "title", "desc", "defs", "clipPath", "rect", "path", "use", "g", "text",
    }  # fmt: skip
    assert "http" not in svg and "xmlns" not in svg and "<!--" not in svg
    ids = root.xpath("//@id")
    assert all(each.startswith("p-") for each in ids) and len(ids) == len(set(ids))
    used = re.findall(r"url\(#([^)]+)\)", svg) + [link.removeprefix("#") for link in root.xpath("//@href")]
    assert used and set(used) <= set(ids)


@pytest.mark.parametrize("name", PLOTS)
def test_colours_follow_the_page(name: str) -> None:
    svg = PLOTS[name]()
    assert "var(--ink, #" in svg and not re.search(
        r"(?<!, )#[0-9a-f]{6}\b", re.sub(r'(href|id)="[^"]*"|url\([^)]*\)', "", svg)
    )


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_data_gives_the_same_bytes_whatever_the_users_settings(name: str) -> None:
    before = PLOTS[name]()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        assert PLOTS[name]() == before
        assert matplotlib.rcParams["font.size"] == 30


def test_f1_has_a_dot_for_each_system_that_has_the_type() -> None:
    svg = plot_f1(SCORES, "p", "t")
    assert {"rules", "other", "site (80)", "age (40)", "F1"} <= set(words(svg))
    dots = [node for node in etree.fromstring(svg).iter("use") if "series-" in node.get("style", "")]
    assert len(dots) == 3 + 2, "three scores, two entries of the legend"
    assert "rules: site (80) 0.80, age (40) 0.90; other: site (80) 0.50" in svg


def test_confusion_counts_and_orders_the_types() -> None:
    svg = plot_confusion(PAIRS, ["age", "site"], "p", "t")
    told = words(svg)
    assert told[:4] == ["age", "site", NOTHING, "predicted"]
    assert sorted(word for word in told if word.isdigit()) == ["1", "2", "3", "9"]
    assert "Most frequent: gold site as (none) 3 times; gold (none) as age 2 times" in svg


def test_rare_types_of_a_confusion_are_one_row() -> None:
    pairs = {(f"t{number}", f"t{number}"): 50 - number for number in range(40)}
    told = words(plot_confusion(pairs, [], "p", "t", most=10))
    assert "t9" in told and "t10" not in told and told.count(REST) == 2
    assert str(sum(50 - number for number in range(10, 40))) in told


def test_reliability_tells_its_errors_and_leaves_out_empty_bins() -> None:
    svg = plot_reliability({"rules": CALIBRATION}, "p", "t")
    assert "rules: ECE 0.041, Brier 0.100" in words(svg)
    assert len([node for node in etree.fromstring(svg).iter("use") if "series-1" in node.get("style", "")]) == 1 + 1


@pytest.mark.parametrize(
    ("curve", "sentence"),
    [
        (CURVE, "at 90 % precision the run fills 63 % of the cells"),
        ({"at_precision_90": None, "curve": []}, "no threshold of confidence reaches 90 % precision"),
    ],
)
def test_the_point_of_90_percent_precision_is_told(curve: dict[str, Any], sentence: str) -> None:
    assert at_precision_90(curve) == sentence
    assert f"rules: {sentence}" in plot_risk_coverage({"rules": curve}, "p", "t")


@pytest.mark.parametrize("name", ["中文 العربية", "$x_1$ & <b>", "a\x00b\u202ec\n", "n" * 300, ""])
def test_any_name_can_be_drawn(name: str) -> None:
    svg = plot_f1({name: {name: (0.5, 0.5, 0.5)}, "b": {}}, "p", name)
    told = words(svg)
    assert max(map(len, told)) <= 40 and not re.search("[\x00\u202e]", svg)
    assert plot_confusion({(name or NOTHING, name or NOTHING): 1}, [], "p", name)


def test_more_predictions_than_cells_fit_the_plot() -> None:
    points = [{"threshold": 0.5, "precision": 0.4, "recall": 0.9, "filled": 2.25}]
    assert "2.0" in words(plot_risk_coverage({"rules": {"at_precision_90": None, "curve": points}}, "p", "t"))
