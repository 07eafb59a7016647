"""The queue: articles in the order of their uncertainty, how far the reviewer is, and the way to the next one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from caseframe._version import __version__
from caseframe.errors import ReviewConflict
from caseframe.review.progress import progress_of
from caseframe.review.runs import Entry
from caseframe.review.store import REVIEWERS, checked_name
from caseframe.review.web import Review, content_of, html_page, integer, named, review_of, reviewer_of, session_of

PAGE_SIZE = 50
_SHOWN = {
    "open": ("open", "begun"),
    "finished": ("finished",),
    "closed": ("closed",),
    "all": ("open", "begun", "finished", "closed"),
}
"""What each choice of the filter shows."""


def who_page(request: Request) -> Response:
    """Asks for the reviewer's name."""
    return html_page(request, "who")


async def set_reviewer(request: Request) -> Response:
    """Notes the name for this browser."""
    name = checked_name(str((await content_of(request)).get("name", "")))
    if review_of(request).fixed_reviewer:
        raise ReviewConflict("The name was given with --reviewer", "Start again with another one")
    session_of(request).reviewer = name
    return JSONResponse({"to": "/"})


def _state_of(entry: Entry, reviewer: str, done: Mapping[tuple[str, str], list[str]], begun: set[str]) -> str:
    finishers = done.get((entry.article_id, entry.sha256), [])
    if reviewer in finishers:
        return "finished"
    if len(finishers) >= REVIEWERS:
        return "closed"
    return "begun" if entry.article_id in begun else "open"


def _queue(review: Review, reviewer: str) -> list[tuple[Entry, str]]:
    done = review.store.finished()
    begun = review.store.begun(reviewer)
    return [(entry, _state_of(entry, reviewer, done, begun)) for entry in review.run.entries]


@named
def queue_page(request: Request) -> Response:
    """The articles in the order of their uncertainty, and how far the reviewer is."""
    review, reviewer = review_of(request), reviewer_of(request)
    words = request.query_params.get("q", "").strip().casefold()
    asked = request.query_params.get("state", "open")
    state = asked if asked in _SHOWN else "all"
    rows = _queue(review, reviewer)
    shown = [
        row for row in rows if row[1] in _SHOWN[state] and words in f"{row[0].title} {row[0].article_id}".casefold()
    ]
    page_count = max(1, math.ceil(len(shown) / PAGE_SIZE))
    page = min(max(integer(request, "page", 1), 1), page_count)
    done = review.store.finished()
    return html_page(
        request,
        "queue",
        rows=shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        total=len(shown),
        page=page,
        page_count=page_count,
        state=state,
        words=request.query_params.get("q", ""),
        progress=progress_of(review.run.entries, review.store.work(reviewer), reviewer, done),
        made_by=review.run.version if review.run.version != __version__ else "",
        where=" and ".join(map(str, review.run.where)),
        twice=sum(len(done.get((entry.article_id, entry.sha256), ())) >= REVIEWERS for entry in review.run.entries),
    )


@named
def next_article(request: Request) -> Response:
    """On to the least certain article that is not done; what was begun comes first."""
    rows = _queue(review_of(request), reviewer_of(request))
    before = request.query_params.get("after", "")
    waiting = [entry for state in ("begun", "open") for entry, is_state in rows if is_state == state]
    waiting = [entry for entry in waiting if entry.article_id != before] or waiting
    return RedirectResponse(f"/article?id={quote(waiting[0].article_id, safe='')}" if waiting else "/?state=all", 303)
