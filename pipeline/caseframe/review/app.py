"""The page of a review as a web application: what lies at which address, and how errors are told.

Every change is on the disk when it is confirmed; what cannot be saved comes back as a sentence, and stays on the page.
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from caseframe.errors import BadDecision, CaseFrameError, ReviewConflict, RunError
from caseframe.review import adjudication, articles, queue
from caseframe.review.guard import Guard, Session
from caseframe.review.runs import Run
from caseframe.review.store import Store
from caseframe.review.web import Review, html_page


def make_app(run: Run, store: Store, *, token: str, port: int, reviewer: str = "") -> Starlette:
    """The page as an ASGI application; it answers only who comes with the token (see guard.py)."""
    routes = [
        Route("/", queue.queue_page),
        Route("/next", queue.next_article),
        Route("/who", queue.who_page, methods=["GET"]),
        Route("/who", queue.set_reviewer, methods=["POST"]),
        Route("/article", articles.article_page),
        Route("/article/steps", articles.article_step, methods=["POST"]),
        Route("/article/editor", articles.article_editor),
        Route("/adjudication", adjudication.adjudication_page),
        Route("/adjudication/article", adjudication.dispute_page),
        Route("/adjudication/steps", adjudication.dispute_step, methods=["POST"]),
        Route("/adjudication/editor", adjudication.dispute_editor),
        Route("/terms", articles.terms),
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
    return html_page(request, "error", status=status, message=error.message, cure=error.cure)
