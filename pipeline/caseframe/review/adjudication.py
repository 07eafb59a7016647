"""Adjudication: the agreement of two reviewers, and the last word on what they see otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from caseframe.errors import BadDecision, ReviewConflict
from caseframe.review import views
from caseframe.review.actions import parse_said, read
from caseframe.review.agreement import kappas
from caseframe.review.records import Decision
from caseframe.review.settled import Pair, pair_of, settle
from caseframe.review.store import REVIEWERS, Desk
from caseframe.review.web import (
    Review,
    content_of,
    html_page,
    integer,
    named,
    review_of,
    reviewer_of,
    revision_of,
    seconds_of,
)
from caseframe.schema import FIELDS


def _pairs(review: Review) -> list[Pair]:
    """All articles that two have finished."""
    done = review.store.finished()
    twice = [article_id for (article_id, _), names in done.items() if len(names) >= REVIEWERS]
    return [each.pair for each in settle(review.store, review.run.found_of(twice), done) if each.pair]


@named
def adjudication_page(request: Request) -> Response:
    """What two reviewers have finished: their agreement a field, and the articles with disagreements."""
    pairs = _pairs(review_of(request))
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        first, second = sorted(pair.reviewers)
        groups.setdefault((first, second), []).append(pair)
    tables = {
        names: kappas(unit for pair in group for unit in pair.units_for(names)) for names, group in groups.items()
    }
    pairs.sort(key=lambda pair: (not pair.open, -len(pair.disputed), pair.found.article_id))
    return html_page(request, "adjudication", pairs=pairs, tables=tables)


def _pair(request: Request) -> Pair:
    review = review_of(request)
    found = review.run.found(request.query_params.get("id", ""))
    reviewers = review.store.finished().get((found.article_id, found.sha256), [])
    if len(reviewers) < REVIEWERS:
        raise ReviewConflict("Two reviewers must finish this article first", "Until then each sees their own work only")
    return pair_of(review.store, found, reviewers)


@named
def dispute_page(request: Request) -> Response:
    """The disagreements of one article."""
    return html_page(request, "dispute", **views.dispute_values(_pair(request)))


async def dispute_step(request: Request) -> Response:
    """Saves the adjudicator's word and gives the page's new state."""
    content = await content_of(request)
    return await run_in_threadpool(_settle, request, content)


def _settle(request: Request, content: dict[str, Any]) -> Response:
    review, pair = review_of(request), _pair(request)
    desk = Desk(pair.found.article_id, pair.found.sha256, reviewer_of(request), "adjudicator")
    revision = revision_of(content)
    try:
        if content.get("action") == "undo":
            review.store.undo(desk, revision=revision)
        else:
            review.store.append(desk, [_settlement(pair, content)], revision=revision, seconds=seconds_of(content))
    except ReviewConflict as error:
        return JSONResponse({"message": str(error), **_dispute_state(request)}, 409)
    return JSONResponse(_dispute_state(request))


def _dispute_state(request: Request) -> dict[str, object]:
    pair = _pair(request)
    values = {**views.dispute_values(pair), "read_only": review_of(request).store.read_only}
    return {
        "revision": pair.revision,
        "finished": not pair.open,
        "text": views.render("_text", **values),
        "form": views.render("_disputes", **values),
    }


def _settlement(pair: Pair, content: Mapping[str, Any]) -> Decision:
    unit = next((each for each in pair.disputed if each.id == content.get("unit")), None)
    if unit is None:
        raise BadDecision("This disagreement is no longer there", "Load the page again")
    first, second = unit.readings
    match content.get("choice"):
        case "first":
            reading = first
        case "second":
            reading = second
        case "neither":
            reading = None
        case "other":
            reading = read(parse_said(content.get("reading")), FIELDS[unit.field], pair.found, first or second)
        case _:
            raise BadDecision("That is no choice", "Choose the first, the second, neither, or another reading")
    return Decision("settle", unit.id, unit.case, unit.field, unit.machine, reading)


@named
def dispute_editor(request: Request) -> Response:
    """The editor of a third reading."""
    pair = _pair(request)
    unit = next((each for each in pair.disputed if each.id == request.query_params.get("finding")), None)
    if unit is None:
        raise BadDecision("This disagreement is no longer there", "Load the page again")
    values = views.editor_values(
        pair.found, spec=FIELDS[unit.field], case=unit.case, cases=[unit.case],
        before=unit.readings[0] or unit.readings[1] or unit.machine,
        start=integer(request, "start", -1), end=integer(request, "end", -1),
    )  # fmt: skip
    return HTMLResponse(views.render("_editor", target=unit.id, **values))
