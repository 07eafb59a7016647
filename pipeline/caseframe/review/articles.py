"""The page of an article: its text beside the form, the editor, and what is decided there."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from caseframe.errors import ReviewConflict
from caseframe.review import views
from caseframe.review.actions import decide, parse_action
from caseframe.review.records import Found
from caseframe.review.settled import sheet_of
from caseframe.review.store import REVIEWERS, Desk, out_of_date
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
from caseframe.review.words import guess, suggest
from caseframe.schema import FIELDS


def _desk(request: Request, found: Found) -> Desk:
    return Desk(found.article_id, found.sha256, reviewer_of(request))


@named
def article_page(request: Request) -> Response:
    """The text, and the form beside it."""
    review = review_of(request)
    found = review.run.found(request.query_params.get("id", ""))
    sheet = sheet_of(review.store, found, reviewer_of(request))
    return html_page(request, "article", closed=_closed_by(review, found), **views.article_values(found, sheet))


def _closed_by(review: Review, found: Found) -> list[str]:
    """The two who have finished the article; nobody as long as it is open."""
    finishers = review.store.finished().get((found.article_id, found.sha256), [])
    return finishers[:REVIEWERS] if len(finishers) >= REVIEWERS else []


async def article_step(request: Request) -> Response:
    """Saves a decision and gives the page's new state."""
    content = await content_of(request)
    return await run_in_threadpool(_save, request, content)


def _save(request: Request, content: dict[str, Any]) -> Response:
    review = review_of(request)
    found = review.run.found(request.query_params.get("id", ""))
    desk = _desk(request, found)
    revision, seconds = revision_of(content), seconds_of(content)
    try:
        if content.get("action") == "undo":
            review.store.undo(desk, revision=revision)
        else:
            sheet = sheet_of(review.store, found, desk.reviewer)
            if sheet.revision != revision:
                raise out_of_date()
            decisions = decide(parse_action(content), found, sheet)
            review.store.append(desk, decisions, revision=revision, seconds=seconds)
    except ReviewConflict as error:
        return JSONResponse({"message": str(error), **_article_state(request, found)}, 409)
    return JSONResponse(_article_state(request, found))


def _article_state(request: Request, found: Found) -> dict[str, object]:
    values = views.article_values(found, sheet_of(review_of(request).store, found, reviewer_of(request)))
    values["read_only"] = review_of(request).store.read_only
    values["closed"] = _closed_by(review_of(request), found)
    return {
        "revision": values["sheet"].revision,
        "finished": values["sheet"].finished,
        "text": views.render("_text", **values),
        "form": views.render("_form", **values),
    }


@named
def article_editor(request: Request) -> Response:
    """The editor of a finding that is there, or of a new one from selected words."""
    review, query = review_of(request), request.query_params
    found = review.run.found(query.get("id", ""))
    sheet = sheet_of(review.store, found, reviewer_of(request))
    start, end = integer(request, "start", -1), integer(request, "end", -1)
    item = sheet.item(query.get("finding", ""))
    cases = views.case_numbers(found, sheet)
    if item is not None:
        values = views.editor_values(
            found, spec=FIELDS[item.field], case=item.case, cases=cases, before=item.shown, start=start, end=end
        )
    else:
        words = found.text[start:end] if 0 <= start < end else ""
        field, value = guess(words, query.get("field", ""))
        values = views.editor_values(
            found, spec=FIELDS.get(field), case=integer(request, "case", min(cases, default=1)), cases=cases,
            before=None, start=start, end=end, value=value,
        )  # fmt: skip
    return HTMLResponse(views.render("_editor", target=item.id if item else "", **values))


def terms(request: Request) -> Response:
    """Terms of a field that begin with, or hold, what was typed."""
    return JSONResponse(suggest(request.query_params.get("field", ""), request.query_params.get("q", "")))
