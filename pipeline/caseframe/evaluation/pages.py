"""Pages of reports: templates to files, items as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from caseframe.evaluation.excerpts import Row, excerpt, side_words
from caseframe.evaluation.report_tables import UNKNOWN, Table, name_of
from caseframe.pages.render import write_page

Thing = TypeVar("Thing")
_MARKS = {"": ("", ""), "gold": ("⟦", "⟧"), "predicted": ("⟪", "⟫"), "both": ("⟦⟪", "⟫⟧")}


def render(folder: Path, name: str, page: Mapping[str, Any], *, html: bool = True, markdown: bool = True) -> None:
    """Writes `name`.html and `name`.md from their templates."""
    for suffix in (["html"] if html else []) + (["md"] if markdown else []):
        path = folder / f"{name}.{suffix}"
        write_page(path, "caseframe.evaluation", f"{name}.{suffix}.j2", page, script="browser.js.j2")


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
