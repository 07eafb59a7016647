"""Pages of reports: templates to files, text made inert for Markdown, items as tables and as data of the browser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from caseframe.evaluation.excerpts import Row, excerpt, side_words, visible
from caseframe.evaluation.report_tables import UNKNOWN, Table, name_of

Thing = TypeVar("Thing")
_MARKS = {"": ("", ""), "gold": ("⟦", "⟧"), "predicted": ("⟪", "⟫"), "both": ("⟦⟪", "⟫⟧")}


def render(folder: Path, name: str, page: Mapping[str, Any], *, html: bool = True, markdown: bool = True) -> None:
    """Writes `name`.html and `name`.md from their templates."""
    environment = _environment()
    script = environment.get_template("browser.js.j2").render()
    parts = {
        "style": Markup(environment.get_template("style.css.j2").render()),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    for suffix in (["html"] if html else []) + (["md"] if markdown else []):
        text = environment.get_template(f"{name}.{suffix}.j2").render({**page, **parts})
        if suffix == "md":
            text = re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", text))
        (folder / f"{name}.{suffix}").write_text(text, encoding="utf-8", errors="replace", newline="\n")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("caseframe.evaluation"),
        autoescape=lambda name: ".html" in (name or ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = inert
    environment.filters["tight"] = lambda text: str(text).replace(" %", "\u00a0%")
    return environment


def inert(text: object) -> str:
    """A text as one line that no Markdown reader takes for markup, HTML or the end of a table's cell."""
    text = " ".join(visible(text).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


def spread(items: Sequence[Thing], most: int) -> list[Thing]:
    """At most `most` items, evenly from all."""
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]


def example_table(items: Iterable[Row], caption: str) -> Table:
    """Items with their sentences, the gold's words in ⟦ ⟧, the predicted ones in ⟪ ⟫."""
    rows = tuple(
        (
            name_of(item["article_id"]),
            _side(item, "gold"),
            _side(item, "predicted"),
            "".join(words.join(_MARKS[whose]) for words, whose in excerpt(item).pieces()),
        )
        for item in items
    )
    return Table(caption, ("Article", "Gold", "Predicted", "Sentence"), "llll", rows)


def _side(item: Row, side: str) -> str:
    words = side_words(item, side)
    if words is None:
        return UNKNOWN
    type_, value, text, details = words
    return f"{type_}: {value}" + (f" “{text}”" if text else "") + (f" ({details})" if details else "")
