"""Figures in the house's style: made with matplotlib, shown as inline SVG.

`svg_element` gives the text of one `<svg>` element without namespace, script, style sheet or outside reference, so that
it can stand in an HTML page under a strict content policy. Colours are CSS variables of the page with a fallback; text
stays text. The same data gives the same bytes.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from lxml import etree
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from caseframe.pages.text import shortened, visible

INK, MUTED, GRID, HEAT = "#1b2230", "#5a6475", "#d8dde5", "#2f7fd0"
SERIES = ("#0b62a8", "#c04a00", "#00755a", "#8e4a99", "#7a5c00", "#b02a4c", "#3f4b5f", "#007a8a")
_MARKERS = "osD^vPXh"
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "line",
    HEAT: "heat",
    **{colour: f"series-{number}" for number, colour in enumerate(SERIES, 1)},
}
# Any, since matplotlib names its settings in types that change with its version.
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "caseframe",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}
_REFERENCE = re.compile(r"#([\w.-]+)")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, remove_comments=True)
_METADATA = ("Creator", "Date", "Format", "Type")
WIDTH = 7.6
"""Width of a plot in inches; 72 units of the SVG are an inch."""


@contextmanager
def figure_of(height: float, width: float = WIDTH) -> Iterator[Figure]:
    """A figure in the report's style, whatever the user's own settings of matplotlib; sizes in inches."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # Names in scripts that the measuring font lacks: the browser has its own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield Figure(figsize=(width, height), layout="constrained")


def series_look(number: int) -> dict[str, Any]:
    """Colour and marker of the series with this number, from 0."""
    return {"color": SERIES[number % len(SERIES)], "marker": _MARKERS[number % len(_MARKERS)]}


def add_legend(figure: Figure, axes: Axes, *, always: bool = False) -> None:
    """A legend above the axes where there is more than one series, in a figure that is taller by it."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1 or always:
        columns = max(1, 80 // (max(map(len, labels), default=0) + 8))
        figure.set_figheight(figure.get_figheight() + 0.2 * math.ceil(len(labels) / columns))
        figure.legend(handles, labels, loc="outside upper left", ncols=columns)


def axis_label(name: str, most: int = 40) -> str:
    """A name as an axis can show it."""
    return shortened(" ".join(visible(name).split()), most)


def save_figure(figure: Figure, stem: Path) -> None:
    """Writes `stem`.svg and `stem`.png (200 dpi) on white, for a paper or a slide; the same figure, the same bytes."""
    figure.savefig(stem.with_suffix(".svg"), metadata=dict.fromkeys(_METADATA), facecolor="white")
    figure.savefig(stem.with_suffix(".png"), dpi=200, metadata={"Software": None}, facecolor="white")


def svg_element(figure: Figure, identifier: str, title: str, description: str) -> str:
    """The figure as one element for an HTML page: ids unique by `identifier`, colours by the page's variables."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(_METADATA))
    root = etree.fromstring(buffer.getvalue(), _PARSER)
    etree.strip_elements(root, "{*}metadata", "{*}style", with_tail=False)
    referenced = {
        match[1] for node in root.iter() for value in node.attrib.values() for match in _REFERENCE.finditer(str(value))
    }
    for node in root.iter():
        node.tag = etree.QName(node).localname
        for name, value in list(node.attrib.items()):
            del node.attrib[name]
            if name != "id" or value in referenced:
                node.set(etree.QName(name).localname, _attribute(name, value, identifier, referenced))
    etree.cleanup_namespaces(root)
    box = root.get("viewBox", "").split()
    for name in list(root.attrib):
        del root.attrib[name]
    # The inherited attributes stand for matplotlib's style sheet, which would reach the whole page.
    attributes = {
        "viewBox": " ".join(box),
        "width": box[2],
        "role": "img",
        "aria-labelledby": f"{identifier}-title {identifier}-description",
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    for name, value in attributes.items():
        root.set(name, value)
    for place, (name, words) in enumerate((("title", title), ("desc", description))):
        node = etree.Element(name, id=f"{identifier}-{'title' if name == 'title' else 'description'}")
        node.text = visible(words)
        root.insert(place, node)
    return etree.tostring(root, encoding="unicode")


def _attribute(name: str, value: str, identifier: str, referenced: set[str]) -> str:
    if name == "id":
        return f"{identifier}-{value}"
    if name == "style":
        return re.sub(r"#[0-9a-f]{6}\b", lambda match: _colour(match[0]), value)
    return _REFERENCE.sub(lambda match: f"#{identifier}-{match[1]}" if match[1] in referenced else match[0], value)


def _colour(code: str) -> str:
    return f"var(--{_VARIABLES[code]}, {code})" if code in _VARIABLES else code
