"""The flow of records through a run, in the boxes of PRISMA 2020 (Page et al., BMJ 2021;372:n71)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caseframe.tables.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Box:
    """A box: what it counts, how many, and what they are made of."""

    title: str
    count: int
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A phase of the review: those that go on, and those that leave it there."""

    phase: str
    kept: Box
    out: Box | None = None


def reason(evidence: Evidence) -> str:
    """Why an article gives no case; empty where it gives one."""
    if evidence.cases:
        return ""
    if not evidence.article["english"]:
        return "not in English"
    designs = {row["value"] for row in evidence.findings if row["field"] == "study_design"}
    return "no report of cases" if "other" in designs else "no patient found"


def flow(info: Mapping[str, Any], excluded: Mapping[str, int], kinds: Mapping[str, int]) -> tuple[Step, ...]:
    """The steps from the records read to the cases; what goes on and what is left sum up at each.

    `info` is the content of `run.json`, `excluded` the articles without cases by reason, `kinds` the cases by kind.
    """
    fates = _fates(info)
    reasons = info.get("reasons", {})
    removed = {
        "replaced by a later record of the same article": fates["superseded"],
        "withdrawn articles": fates["deleted"],
        "notices of withdrawal": fates["deletion_notices"],
        **{f"failed: {name}": count for name, count in _split(reasons, "failed", fates).items()},
    }
    screened = {
        **{f"not {name}": count for name, count in _split(reasons, "filtered", fates).items()},
        **{f"{_SCREENS.get(name, name)}": count for name, count in _split(reasons, "screened_out", fates).items()},
    }
    left = sum(screened.values())
    sources = {str(source["name"]): int(source["counts"]["read"]) for source in info.get("inputs", ())}
    people = {
        "cases: patients told singly": kinds.get("patient", 0),
        "cases: groups told together": kinds.get("cohort", 0),
    }
    return (
        Step("Identified", _box("Records read", sources, fates["read"]), _box("Removed before screening", removed)),
        Step("Screened", Box("Records screened", fates["extracted"] + left), _box("Excluded by screening", screened)),
        Step("Assessed", Box("Articles extracted", fates["extracted"]), _box("Excluded, no cases in them", excluded)),
        Step("Included", _box("Articles included", people, fates["extracted"] - sum(excluded.values()))),
    )


_SCREENS = {"types": "no case report by publication type", "model": "no case report by title and abstract"}


def _fates(info: Mapping[str, Any]) -> Mapping[str, int]:
    """The fates of the records; those of a run of 0.1, which knew only `counts`, are made from these."""
    if "fates" in info:
        return Counter(info["fates"])
    counts = Counter(info["counts"])
    return Counter({**counts, "extracted": counts["articles"], "deletion_notices": counts["deleted"], "deleted": 0})


def _split(reasons: Mapping[str, Mapping[str, int]], fate: str, fates: Mapping[str, int]) -> Mapping[str, int]:
    """The records of a fate by reason."""
    return reasons.get(fate) or {_UNSPLIT[fate]: fates[fate]}


_UNSPLIT = {
    "filtered": "of the conditions asked for",
    "screened_out": "no case report",
    "failed": "could not be processed",
}


def _box(title: str, parts: Mapping[str, int], count: int | None = None) -> Box:
    """A box with its parts, the largest first; its count is their sum if it has none of its own."""
    told = sorted(((name, number) for name, number in parts.items() if number), key=lambda part: (-part[1], part[0]))
    return Box(title, sum(number for _, number in told) if count is None else count, tuple(told))
