"""From the steps of a reviewer to the form as it stands: later decisions win, nothing of the pipeline is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from caseframe.review.records import Decision, Found, Item, Sheet, Status, Step, reading_of
from caseframe.schema import FIELDS

_ORDER = {name: place for place, name in enumerate(FIELDS)}
_STATUS: dict[str, Status] = {"accept": "accepted", "reject": "rejected", "correct": "corrected"}


def fill(found: Found, steps: Iterable[Step], revision: int = 0) -> Sheet:
    """The form after the steps, in their order; those made on another text of the article are counted, not applied.

    The run may have been made anew since. What a reviewer accepted stays, whether the run still finds it or not; of an
    article that they finished they said all, so that what only the new run finds is rejected.
    """
    items = {each.id: Item(each.id, each.case, each.finding.field, each.finding, each.finding, "open")
             for each in found.suggestions}  # fmt: skip
    unreported: set[tuple[int, str]] = set()
    comment, stale = "", 0
    finish: Step | None = None
    for step in steps:
        if step.sha256 != found.sha256:
            stale += 1
            continue
        for decision in step.decisions:
            if decision.kind == "finish":
                finish = step
            elif decision.kind == "not_reported":
                unreported.add((decision.case, decision.field))
            elif decision.kind == "comment" and not decision.finding:
                comment = decision.comment
            else:
                _apply(items, unreported, decision, step)
    if finish:
        _complete(items, finish)
    ordered = sorted(items.values(), key=lambda item: (item.case, _ORDER[item.field], item.shown.start))
    return Sheet(tuple(ordered), frozenset(unreported), comment, finish is not None, revision, stale)


def _apply(items: dict[str, Item], unreported: set[tuple[int, str]], decision: Decision, step: Step) -> None:
    before = items.get(decision.finding)
    if decision.kind == "add" or (before is None and decision.kind in ("accept", "correct")):
        place = decision.finding, decision.case, decision.field
        items[decision.finding] = Item(*place, None, decision.reading, "added", step.reviewer, step.at)
        unreported.discard((decision.case, decision.field))
    elif before is None:
        return  # the run no longer has the finding, and nothing is lost without it
    elif decision.kind == "comment":
        items[decision.finding] = replace(before, comment=decision.comment)
    elif decision.kind == "reject" and before.machine is None:
        del items[decision.finding]
    else:
        items[decision.finding] = _decided(before, decision, step)
        if decision.kind != "reject":
            unreported.discard((before.case, before.field))


def _decided(before: Item, decision: Decision, step: Step) -> Item:
    accepted = before.machine or before.reading
    reading = {"accept": accepted, "reject": None}.get(decision.kind, decision.reading)
    status = "added" if before.machine is None else _STATUS[decision.kind]
    return replace(before, reading=reading, status=status, by=step.reviewer, at=step.at)


def _complete(items: dict[str, Item], finish: Step) -> None:
    """Decides what a new run found in a finished article: the same as before is accepted, all else is rejected."""
    for item in [item for item in items.values() if item.status == "open"]:
        same = next((each for each in items.values() if each.status == "added" and _same(each, item)), None)
        by, at = (same.by, same.at) if same else (finish.reviewer, finish.at)
        reading = item.machine if same else None
        items[item.id] = replace(item, reading=reading, status="accepted" if same else "rejected", by=by, at=at)
        if same:
            del items[same.id]


def _same(one: Item, other: Item) -> bool:
    place = (one.case, one.field) == (other.case, other.field)
    return place and reading_of(one.shown) == reading_of(other.shown)
