"""What the pictures need to know of a case, read from its rows once."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from caseframe.schema import ARTICLE_FIELDS, CASE_FIELDS
from caseframe.tables.evidence import Evidence, attributes_of
from caseframe.tables.rows import Row

DAYS_A_MONTH = 365 / 12
_TUMOR = re.compile(r"ICDO3:\d{4}/\d")
_TOLD = {"present", "absent", "possible", "historical"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a patient: `recurrence`, `complication`, `implant_failure`, `fusion` or `death`."""

    kind: str
    months: float | None
    """Months from the index operation; None where the text does not say when."""


@dataclass(frozen=True, slots=True)
class Device:
    """An implant: what it is, of what, how it was made."""

    name: str
    materials: tuple[str, ...]
    makes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A case in short; numbers are years of age and months of follow-up."""

    case_id: str
    label: str
    """Its PMID and its first diagnosis."""
    kind: str
    year: int | None
    age: float | None
    sex: str
    diagnoses: tuple[str, ...]
    tumors: tuple[str, ...]
    """The diagnoses that have an ICD-O-3 morphology code."""
    sites: tuple[str, ...]
    procedures: tuple[tuple[str, str], ...]
    """Operations, each with its category."""
    implants: tuple[Device, ...]
    follow_up: float | None
    recurrence: str
    """`present`, `absent` or empty, as the text says."""
    free_until: float | None
    """Months up to which no recurrence was told."""
    events: tuple[Event, ...]
    filled: frozenset[str]
    """Names of the fields that have a finding."""


def facts_of(evidence: Evidence) -> Iterator[Facts]:
    """The facts of each case of an article."""
    for case in evidence.cases:
        yield _facts(evidence.article, case, evidence.of(case))


def _facts(article: Row, case: Row, findings: list[Row]) -> Facts:
    def said(field: str, *assertions: str) -> list[Row]:
        return [row for row in findings if row["field"] == field and row["assertion"] in (assertions or ("present",))]

    recurrences = said("recurrence", "present", "absent")
    diagnoses = said("diagnosis")
    return Facts(
        case_id=str(case["case_id"]),
        label=_label(article, case, diagnoses),
        kind=str(case["kind"]),
        year=cast("int | None", case["year"]),
        age=cast("float | None", case["age"]),
        sex=next((str(row["value"]) for row in said("sex")), ""),
        diagnoses=_values(diagnoses),
        tumors=_values(row for row in diagnoses if _TUMOR.match(str(row["code"]))),
        sites=_values(said("site")),
        procedures=tuple((str(row["value"]), str(attributes_of(row).get("category", ""))) for row in said("procedure")),
        implants=tuple(map(_device, said("implant"))),
        follow_up=cast("float | None", case["follow_up"]),
        recurrence=str(recurrences[0]["assertion"]) if recurrences else "",
        free_until=max((_months(row) or 0.0 for row in recurrences if row["assertion"] == "absent"), default=None),
        events=tuple(_events([row for row in findings if row["assertion"] == "present"])),
        filled=frozenset(str(row["field"]) for row in findings if row["assertion"] in _TOLD),
    )


def _label(article: Row, case: Row, diagnoses: Sequence[Row]) -> str:
    name = str(article["pmid"] or article["article_id"])
    if isinstance(case["case"], int) and case["case"] > 1:
        name = f"{name}/{case['case']}"
    return " ".join((name, *(str(row["value"]) for row in diagnoses[:1])))


def _values(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(row["value"]) for row in rows))


def _device(row: Row) -> Device:
    attributes = attributes_of(row)
    materials, makes = (_listed(attributes.get(name)) for name in ("material", "manufacture"))
    return Device(str(row["value"]), materials, makes)


def _listed(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),) if value else ()


def _months(row: Row) -> float | None:
    days = row["when_days"]
    return days / DAYS_A_MONTH if isinstance(days, int | float) and days >= 0 else None


def _events(findings: Iterable[Row]) -> Iterator[Event]:
    for row in findings:
        field, value, months = str(row["field"]), str(row["value"]), _months(row)
        if field in ("recurrence", "complication"):
            yield Event(field, months)
        if field == "vital_status" and value == "dead":
            yield Event("death", months)
        for kind in _kinds().get((field, value), ()):
            yield Event(kind, months)
        if field == "procedure" and attributes_of(row).get("category") == "revision":
            yield Event("implant_failure", months)


@cache
def _kinds() -> dict[tuple[str, str], tuple[str, ...]]:
    """(field, value) -> the events that it is, from `rules/events.tsv`."""
    kinds: dict[tuple[str, str], tuple[str, ...]] = {}
    with files("caseframe.report").joinpath("rules/events.tsv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            key = (row["field"], row["value"])
            kinds[key] = (*kinds.get(key, ()), row["event"])
    return kinds


def coverage(cases: Iterable[Facts]) -> list[tuple[str, int]]:
    """Every field with the number of cases that have it, in the order of the form."""
    counts = dict.fromkeys((*ARTICLE_FIELDS, *CASE_FIELDS), 0)
    for case in cases:
        for field in case.filled:
            counts[field] += 1
    return list(counts.items())
