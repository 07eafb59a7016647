"""The pages of a review and what they ask for: queue, article, adjudication. Every change is on the disk when it is
confirmed; what cannot be saved comes back as a sentence, and stays on the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from caseframe._version import __version__
from caseframe.errors import BadDecision, CaseFrameError, ReviewConflict, RunError
from caseframe.review import views
from caseframe.review.actions import Said, decide, parse_action, parse_said, read
from caseframe.review.agreement import kappas
from caseframe.review.guard import Guard, Session
from caseframe.review.progress import progress_of
from caseframe.review.records import Decision, Found
from caseframe.review.runs import Entry, Run
from caseframe.review.settled import Pair, pair_of, settle, sheet_of
from caseframe.review.store import REVIEWERS, Desk, Store, checked_name, out_of_date
from caseframe.review.words import guess, suggest
from caseframe.schema import FIELDS

PAGE_SIZE = 50
_STATES = ("open", "begun", "finished", "closed", "all")


@dataclass(slots=True)
class Review:
    """A run, its decisions, and how the page was started."""

    run: Run
    store: Store
    fixed_reviewer: str = ""


def make_app(run: Run, store: Store, *, token: str, port: int, reviewer: str = "") -> Starlette:
    """The page as an ASGI application; it answers only who comes with the token (see guard.py)."""
    routes = [
        Route("/", queue_page),
        Route("/next", next_article),
        Route("/who", who_page, methods=["GET"]),
        Route("/who", set_reviewer, methods=["POST"]),
        Route("/article", article_page),
        Route("/article/steps", article_step, methods=["POST"]),
        Route("/article/editor", article_editor),
        Route("/adjudication", adjudication_page),
        Route("/adjudication/article", dispute_page),
        Route("/adjudication/steps", dispute_step, methods=["POST"]),
        Route("/adjudication/editor", dispute_editor),
        Route("/terms", terms),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    guard = Middleware(Guard, token=token, port=port, new_session=lambda: Session(reviewer))
    app = Starlette(routes=routes, middleware=[guard], exception_handlers={CaseFrameError: _told})
    app.state.review = Review(run, store, reviewer)
    return app


def _told(request: Request, error: Exception) -> Response:
    """An error as a sentence: as JSON to the script, as a page to the address line."""
    assert isinstance(error, CaseFrameError)
    status = 409 if isinstance(error, ReviewConflict) else 422 if isinstance(error, BadDecision) else 503
    if isinstance(error, RunError):
        status = 404
    if request.method == "POST" or request.url.path.endswith("/editor"):
        return JSONResponse({"message": str(error)}, status)
    return _html(request, "error", status=status, message=error.message, cure=error.cure)


def _review(request: Request) -> Review:
    review: Review = request.app.state.review
    return review


def _session(request: Request) -> Session:
    session: Session = request.scope["session"]
    return session


def _html(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    review, session = _review(request), _session(request)
    common = {
        "run_name": review.run.path.resolve().name,
        "reviewer": session.reviewer,
        "csrf": session.csrf,
        "may_change": not review.fixed_reviewer,
        "read_only": review.store.read_only,
    }
    return HTMLResponse(views.render(template, **common, **values), status)


def _named(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page for which the reviewer's name must be known."""

    def asked(request: Request) -> Response:
        return page(request) if _session(request).reviewer else RedirectResponse("/who", 303)

    return asked


def who_page(request: Request) -> Response:
    """Asks for the reviewer's name."""
    return _html(request, "who")


async def set_reviewer(request: Request) -> Response:
    """Notes the name for this browser."""
    name = checked_name(str((await _json(request)).get("name", "")))
    if _review(request).fixed_reviewer:
        raise ReviewConflict("The name was given with --reviewer", "Start again with another one")
    _session(request).reviewer = name
    return JSONResponse({"to": "/"})


# The queue


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


@_named
def queue_page(request: Request) -> Response:
    """The articles in the order of their uncertainty, and how far the reviewer is."""
    review, reviewer = _review(request), _session(request).reviewer
    words = request.query_params.get("q", "").strip().casefold()
    state = request.query_params.get("state", "open")
    rows = _queue(review, reviewer)
    wanted = {"open", "begun"} if state == "open" else {state} if state in _STATES and state != "all" else set(_STATES)
    shown = [row for row in rows if row[1] in wanted and words in f"{row[0].title} {row[0].article_id}".casefold()]
    page_count = max(1, math.ceil(len(shown) / PAGE_SIZE))
    page = min(max(_integer(request, "page", 1), 1), page_count)
    done = review.store.finished()
    return _html(
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
        twice=sum(len(done.get((entry.article_id, entry.sha256), ())) >= REVIEWERS for entry in review.run.entries),
    )


@_named
def next_article(request: Request) -> Response:
    """On to the least certain article that is not done; what was begun comes first."""
    rows = _queue(_review(request), _session(request).reviewer)
    before = request.query_params.get("after", "")
    waiting = [entry for state in ("begun", "open") for entry, is_state in rows if is_state == state]
    waiting = [entry for entry in waiting if entry.article_id != before] or waiting
    return RedirectResponse(f"/article?id={quote(waiting[0].article_id, safe='')}" if waiting else "/?state=all", 303)


# An article


def _desk(request: Request, found: Found) -> Desk:
    return Desk(found.article_id, found.sha256, _session(request).reviewer)


@_named
def article_page(request: Request) -> Response:
    """The text, and the form beside it."""
    review = _review(request)
    found = review.run.found(request.query_params.get("id", ""))
    sheet = sheet_of(review.store, found, _session(request).reviewer)
    finishers = review.store.finished().get((found.article_id, found.sha256), [])
    closed = finishers[:REVIEWERS] if len(finishers) >= REVIEWERS else []
    return _html(request, "article", closed=closed, **views.article_values(found, sheet))


async def article_step(request: Request) -> Response:
    """Saves a decision and gives the page's new state."""
    content = await _json(request)
    return await run_in_threadpool(_save, request, content)


def _save(request: Request, content: dict[str, Any]) -> Response:
    review = _review(request)
    found = review.run.found(request.query_params.get("id", ""))
    desk = _desk(request, found)
    revision, seconds = _revision(content), _seconds(content)
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
    values = views.article_values(found, sheet_of(_review(request).store, found, _session(request).reviewer))
    values["read_only"] = _review(request).store.read_only
    values["closed"] = []
    return {
        "revision": values["sheet"].revision,
        "finished": values["sheet"].finished,
        "text": views.render("_text", **values),
        "form": views.render("_form", **values),
    }


@_named
def article_editor(request: Request) -> Response:
    """The editor of a finding that is there, or of a new one from selected words."""
    review, query = _review(request), request.query_params
    found = review.run.found(query.get("id", ""))
    sheet = sheet_of(review.store, found, _session(request).reviewer)
    start, end = _integer(request, "start", -1), _integer(request, "end", -1)
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
            found, spec=FIELDS.get(field), case=_integer(request, "case", min(cases, default=1)), cases=cases,
            before=None, start=start, end=end, value=value,
        )  # fmt: skip
    return HTMLResponse(views.render("_editor", target=item.id if item else "", **values))


def terms(request: Request) -> Response:
    """Terms of a field that begin with, or hold, what was typed."""
    return JSONResponse(suggest(request.query_params.get("field", ""), request.query_params.get("q", "")))


# Adjudication


def _pairs(review: Review) -> list[Pair]:
    """All articles that two have finished."""
    done = review.store.finished()
    twice = [article_id for (article_id, _), names in done.items() if len(names) >= REVIEWERS]
    return [each.pair for each in settle(review.store, review.run.found_of(twice), done) if each.pair]


@_named
def adjudication_page(request: Request) -> Response:
    """What two reviewers have finished: their agreement a field, and the articles with disagreements."""
    pairs = _pairs(_review(request))
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        first, second = sorted(pair.reviewers)
        groups.setdefault((first, second), []).append(pair)
    tables = {
        names: kappas(unit for pair in group for unit in pair.units_for(names)) for names, group in groups.items()
    }
    pairs.sort(key=lambda pair: (not pair.open, -len(pair.disputed), pair.found.article_id))
    return _html(request, "adjudication", pairs=pairs, tables=tables)


def _pair(request: Request) -> Pair:
    review = _review(request)
    found = review.run.found(request.query_params.get("id", ""))
    reviewers = review.store.finished().get((found.article_id, found.sha256), [])
    if len(reviewers) < REVIEWERS:
        raise ReviewConflict("Two reviewers must finish this article first", "Until then each sees their own work only")
    return pair_of(review.store, found, reviewers)


@_named
def dispute_page(request: Request) -> Response:
    """The disagreements of one article."""
    return _html(request, "dispute", **views.dispute_values(_pair(request)))


async def dispute_step(request: Request) -> Response:
    """Saves the adjudicator's word and gives the page's new state."""
    content = await _json(request)
    return await run_in_threadpool(_settle, request, content)


def _settle(request: Request, content: dict[str, Any]) -> Response:
    review, pair = _review(request), _pair(request)
    desk = Desk(pair.found.article_id, pair.found.sha256, _session(request).reviewer, "adjudicator")
    revision = _revision(content)
    try:
        if content.get("action") == "undo":
            review.store.undo(desk, revision=revision)
        else:
            review.store.append(desk, [_settlement(pair, content)], revision=revision, seconds=_seconds(content))
    except ReviewConflict as error:
        return JSONResponse({"message": str(error), **_dispute_state(request)}, 409)
    return JSONResponse(_dispute_state(request))


def _dispute_state(request: Request) -> dict[str, object]:
    pair = _pair(request)
    values = {**views.dispute_values(pair), "read_only": _review(request).store.read_only}
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
            said: Said = parse_said(content.get("reading"))
            reading = read(said, FIELDS[unit.field], pair.found, first or second)
        case _:
            raise BadDecision("That is no choice", "Choose the first, the second, neither, or another reading")
    return Decision("settle", unit.id, unit.case, unit.field, unit.machine, reading)


@_named
def dispute_editor(request: Request) -> Response:
    """The editor of a third reading."""
    pair = _pair(request)
    unit = next((each for each in pair.disputed if each.id == request.query_params.get("finding")), None)
    if unit is None:
        raise BadDecision("This disagreement is no longer there", "Load the page again")
    values = views.editor_values(
        pair.found, spec=FIELDS[unit.field], case=unit.case, cases=[unit.case],
        before=unit.readings[0] or unit.readings[1] or unit.machine,
        start=_integer(request, "start", -1), end=_integer(request, "end", -1),
    )  # fmt: skip
    return HTMLResponse(views.render("_editor", target=unit.id, **values))


# What requests bring


async def _json(request: Request) -> dict[str, Any]:
    try:
        content = await request.json()
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BadDecision("The request is no JSON object", "Load the page again")
    return content


def _revision(content: dict[str, Any]) -> int:
    revision = content.pop("revision", None)
    if not isinstance(revision, int):
        raise BadDecision("The request does not say which state it knows", "Load the page again")
    return revision


def _seconds(content: dict[str, Any]) -> float:
    seconds = content.pop("seconds", 0)
    return float(seconds) if isinstance(seconds, int | float) and math.isfinite(seconds) else 0.0


def _integer(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default
