"""The page on a port of this machine, for as long as the command runs."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from caseframe.errors import ReviewError
from caseframe.review.app import make_app
from caseframe.review.runs import open_reviewed
from caseframe.review.store import checked_name, open_store
from caseframe.tables.choosing import FindingCondition

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that is ready to be served: its whole address, with the token."""

    address: str
    app: Starlette
    listener: socket.socket

    def serve(self, *, started: Callable[[], None] = lambda: None) -> None:
        """Serves until interrupted; calls `started` when the port answers."""
        # The access log would hold the token.
        config = uvicorn.Config(self.app, log_level="error", access_log=False, server_header=False, lifespan="off")
        server = uvicorn.Server(config)
        started()  # the socket listens already: a browser that comes early waits in its queue
        server.run(sockets=[self.listener])


def open_review(
    run: Path,
    *,
    port: int = 0,
    read_only: bool = False,
    reviewer: str = "",
    where: Sequence[FindingCondition] = (),
) -> Opened:
    """Opens run, decisions and port; port 0 takes any that is free. With `where` the queue has only what meets it.

    Raises RunError or ReviewError, each with its cure, where one of them cannot be opened.
    """
    reviewer = checked_name(reviewer) if reviewer else ""
    opened = open_reviewed(run, where)
    store = open_store(run, read_only=read_only)
    listener = _listen(port)
    port = int(listener.getsockname()[1])
    token = secrets.token_urlsafe(24)
    app = make_app(opened, store, token=token, port=port, reviewer=reviewer)
    return Opened(f"http://{HOST}:{port}/?token={token}", app, listener)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise ReviewError(
            f"port {port} of {HOST} cannot be opened ({error.strerror})", "Give another --port, or none for a free one"
        ) from error
    return listener
