"""From records to HTML: what each template is given, and the environment that escapes all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment

from caseframe.pages.render import environment_of
from caseframe.pages.text import shortened, visible
from caseframe.review.progress import duration
from caseframe.review.records import Found, Item, Sheet, typed
from caseframe.review.settled import Pair
from caseframe.review.spans import GROUP_OF, GROUPS, Mark, paragraphs
from caseframe.schema import ARTICLE_FIELDS, ASSERTIONS, CASE_FIELDS, FIELDS, FieldSpec, Finding
from caseframe.tables.rows import describe


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of the form with its lines; `not_reported` where the reviewer said so."""

    spec: FieldSpec
    group: str
    items: tuple[Item, ...]
    not_reported: bool


@dataclass(frozen=True, slots=True)
class CaseForm:
    """The form of one case; number 0 is the article itself."""

    number: int
    title: str
    rows: tuple[FieldRow, ...]


def render(template: str, **values: Any) -> str:
    """A template as HTML; everything in `values` is escaped."""
    return _environment().get_template(f"{template}.html.j2").render(values)


@cache
def _environment() -> Environment:
    environment = environment_of("caseframe.review")
    environment.filters.update(
        duration=duration,
        seen=visible,
        value=value_of,
        notes=notes_of,
        words=words_of,
        short=shortened,
        field_label=lambda mark: FIELDS[mark.field].label,
    )
    environment.globals.update(FIELDS=FIELDS, GROUPS=GROUPS, GROUP_OF=GROUP_OF, ASSERTIONS=ASSERTIONS)
    return environment


def value_of(finding: Finding) -> str:
    """A value as a person reads it, with its unit; underscores of the vocabularies are blanks."""
    shown = typed(finding)
    if FIELDS[finding.field].choices:
        shown = shown.replace("_", " ")
    unit = FIELDS[finding.field].unit
    return visible(shortened(f"{shown} {unit}{'' if shown == '1' else 's'}" if unit else shown))


def notes_of(finding: Finding) -> str:
    """Attributes, time and code in one line."""
    attributes = {name: value for name, value in finding.attributes.items() if name != "when_days"}
    notes = [describe(attributes)] if attributes else []
    if finding.when_days is not None:
        notes.append(f"day {finding.when_days:g}")
    if finding.code:
        notes.append(finding.code)
    return visible(shortened("; ".join(notes)))


def words_of(finding: Finding) -> str:
    """The words behind a value, cut where they are long."""
    return visible(shortened(finding.text))


def forms(found: Found, sheet: Sheet) -> list[CaseForm]:
    """The form of the article and of each of its cases, those that the reviewer added among them."""
    made = [CaseForm(0, "Article", _rows(0, ARTICLE_FIELDS, sheet))]
    for number in case_numbers(found, sheet):
        kind = found.kinds.get(number, "patient, added")
        title = "Cohort" if kind == "cohort" else f"Patient {number}"
        made.append(CaseForm(number, title + (" (added)" if number not in found.kinds else ""),
                             _rows(number, CASE_FIELDS, sheet)))  # fmt: skip
    return made


def case_numbers(found: Found, sheet: Sheet) -> list[int]:
    """Numbers of the cases that the run or the reviewer has."""
    return sorted({*found.kinds, *(item.case for item in sheet.items if item.case)})


def _rows(case: int, fields: Sequence[str], sheet: Sheet) -> tuple[FieldRow, ...]:
    return tuple(
        FieldRow(
            FIELDS[field],
            GROUP_OF[field],
            tuple(item for item in sheet.items if (item.case, item.field) == (case, field)),
            (case, field) in sheet.not_reported,
        )
        for field in fields
    )


def article_values(found: Found, sheet: Sheet) -> dict[str, Any]:
    """What the page of an article and its two fragments are given."""
    marks = [
        Mark(item.shown.start, item.shown.end, item.id, item.field, faded=item.reading is None) for item in sheet.items
    ]
    return {
        "found": found,
        "sheet": sheet,
        "forms": forms(found, sheet),
        "paragraphs": paragraphs(found, marks),
        "decided": len(sheet.items) - len(sheet.open),
    }


def dispute_values(pair: Pair) -> dict[str, Any]:
    """What the page of an adjudication and its fragments are given."""
    marks = [
        Mark(reading.start, reading.end, unit.id, unit.field, faded=unit.id in pair.settled)
        for unit in pair.disputed
        for reading in filter(None, (*unit.readings, unit.machine))
    ]
    return {"found": pair.found, "pair": pair, "paragraphs": paragraphs(pair.found, marks)}


def editor_values(
    found: Found, *, spec: FieldSpec | None, case: int, cases: Sequence[int], before: Finding | None,
    start: int = -1, end: int = -1, value: str = "",
) -> dict[str, Any]:  # fmt: skip
    """What the editor of a reading is given: the finding to start from, or selected words."""
    if before is not None and start < 0:
        start, end = before.start, before.end
    return {
        "spec": spec,
        "case": case,
        "cases": cases,
        "before": before,
        "start": start,
        "end": end,
        "selected": found.text[start:end] if 0 <= start < end else "",
        "value": value or (typed(before) if before else ""),
        "attributes": {name: _attribute(item) for name, item in before.attributes.items()} if before else {},
    }


def _attribute(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
