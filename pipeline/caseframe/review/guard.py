"""Who may talk to the page: this machine, with the token of this start, from this page and no other."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000
"""Bytes of a request; a decision has some hundred."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the token stands in the first address
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ONWARD = (
    '<!doctype html><html lang="en"><title>CaseFrame</title><link rel="icon" href="data:,">'
    '<meta http-equiv="refresh" content="0; url=/">'
)
_LOST = (
    "This address lacks the token. Open the whole address that `caseframe review` printed; each start has a new one."
)


@dataclass(slots=True)
class Session:
    """A browser that came with the token, and the name its reviewer gave."""

    reviewer: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Guard:
    """ASGI middleware: host, token or cookie; origin and CSRF token of what changes something; headers of replies."""

    def __init__(self, app: ASGIApp, *, token: str, port: int, new_session: Callable[[], Session] = Session) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"caseframe_review_{port}"
        self._new_session = new_session
        self._sessions: dict[str, Session] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through with its session, or answers why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, safely)

    def _refusal(self, scope: Scope) -> Response | None:
        request = Request(scope)
        if request.headers.get("host", "") not in self._hosts:
            return PlainTextResponse("This page answers on 127.0.0.1 only.", 421)
        token = request.query_params.get("token")
        if token is not None and request.method == "GET":
            return self._welcome(request, token)
        session = self._sessions.get(self._cookie_of(request.headers))
        if session is None:
            return PlainTextResponse(_LOST, 401)
        scope["session"] = session
        if request.method not in ("GET", "HEAD"):
            return self._foreign(request, session)
        return None

    def _welcome(self, request: Request, token: str) -> Response:
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return PlainTextResponse(_LOST, 401)
        # Not a redirect: that would belong to the page whose link was followed, and a strict cookie would stay away.
        response = HTMLResponse(_ONWARD)
        if self._cookie_of(request.headers) not in self._sessions:
            name = secrets.token_urlsafe(32)
            self._sessions[name] = self._new_session()
            response.set_cookie(self._cookie, name, httponly=True, samesite="strict", path="/")
        return response

    def _cookie_of(self, headers: Headers) -> str:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self._cookie].value if self._cookie in cookies else ""

    def _foreign(self, request: Request, session: Session) -> Response | None:
        """The refusal of a change that this page did not ask for; None where it did."""
        headers = request.headers
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self._hosts:
            return PlainTextResponse("This came from another site.", 403)
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("This came from another site.", 403)
        if not secrets.compare_digest(headers.get("x-csrf-token", "").encode(), session.csrf.encode()):
            return PlainTextResponse("The page is out of date: load it again.", 403)
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return PlainTextResponse("The request is too large.", 413)
        return None
