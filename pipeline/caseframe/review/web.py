"""What the pages share: the review they are about, who asks, what a request brings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from caseframe.errors import BadDecision, ReviewConflict
from caseframe.review import views
from caseframe.review.guard import Session
from caseframe.review.runs import Run
from caseframe.review.store import Store


@dataclass(slots=True)
class Review:
    """A run, its decisions, and how the page was started."""

    run: Run
    store: Store
    fixed_reviewer: str = ""


def review_of(request: Request) -> Review:
    """The review that is served."""
    review: Review = request.app.state.review
    return review


def session_of(request: Request) -> Session:
    """Who asks."""
    session: Session = request.scope["session"]
    return session


def reviewer_of(request: Request) -> str:
    """The name of who asks; raises ReviewConflict where it is not known yet."""
    name = session_of(request).reviewer
    if not name:
        raise ReviewConflict("Nobody has said who reviews", "Give your name first: go back to the queue")
    return name


def html_page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page from a template; `values` are what it needs beside what all pages show."""
    review, session = review_of(request), session_of(request)
    common = {
        "run_name": review.run.path.resolve().name,
        "reviewer": session.reviewer,
        "csrf": session.csrf,
        "may_change": not review.fixed_reviewer,
        "read_only": review.store.read_only,
    }
    return HTMLResponse(views.render(template, **common, **values), status)


def named(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page for which the reviewer's name must be known."""

    def asked(request: Request) -> Response:
        return answer(request) if session_of(request).reviewer else RedirectResponse("/who", 303)

    return asked


async def content_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request; raises BadDecision where it is none."""
    try:
        content = await request.json()
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BadDecision("The request is no JSON object", "Load the page again")
    return content


def revision_of(content: dict[str, Any]) -> int:
    """Takes out the number of the last step that the page knows; raises BadDecision where there is none."""
    revision = content.pop("revision", None)
    if not isinstance(revision, int):
        raise BadDecision("The request does not say which state it knows", "Load the page again")
    return revision


def seconds_of(content: dict[str, Any]) -> float:
    """Takes out the seconds at the page; 0 where they are no number."""
    seconds = content.pop("seconds", 0)
    return float(seconds) if isinstance(seconds, int | float) and math.isfinite(seconds) else 0.0


def integer(request: Request, name: str, default: int) -> int:
    """A whole number of the address; `default` where it is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default
