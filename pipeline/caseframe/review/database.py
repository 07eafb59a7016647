"""The file of a review: how it is opened, made and checked, and what is said where that cannot be done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from caseframe.errors import ReviewError

FILE = "review.sqlite"
_APPLICATION = 0x43465256  # CFRV
_VERSION = 1
_WAIT_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE reviewers (name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 80), since TEXT NOT NULL);
CREATE TABLE steps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    article_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    reviewer TEXT NOT NULL REFERENCES reviewers (name),
    role TEXT NOT NULL CHECK (role IN ('reviewer', 'adjudicator')),
    at TEXT NOT NULL,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    undoes INTEGER UNIQUE REFERENCES steps (number)
);
CREATE INDEX steps_of_article ON steps (article_id, role, reviewer);
CREATE TABLE decisions (
    step INTEGER NOT NULL REFERENCES steps (number),
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    finding TEXT NOT NULL,
    case_number INTEGER NOT NULL,
    field TEXT NOT NULL,
    machine TEXT,
    reading TEXT,
    comment TEXT NOT NULL,
    PRIMARY KEY (step, place)
);
"""
_APPEND_ONLY = "".join(
    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'decisions are added, never changed'); END;\n"
    for table in ("reviewers", "steps", "decisions")
    for verb in ("update", "delete")
)


@contextmanager
def connected(path: Path, *, read_only: bool) -> Iterator[sqlite3.Connection]:
    """A connection for the length of the block; raises ReviewError, with its cure, for what SQLite cannot do."""
    try:
        connection = _open(path, read_only=read_only)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _explained(path, error) from error


def make(path: Path) -> None:
    """Makes the tables where there are none, and tells at once whether the file can be written."""
    with connected(path, read_only=False) as connection:
        if not _tables(connection):
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if not _tables(connection):  # another start may have been quicker
            for statement in (*_SCHEMA.split(";\n"), *_APPEND_ONLY.splitlines()):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.commit()
        else:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute(f"PRAGMA user_version = {version}")  # a lock alone is granted on a read-only disk too
            connection.rollback()


def check(path: Path) -> None:
    """Raises ReviewError where the file is none of CaseFrame's reviews, or of a later version."""
    with connected(path, read_only=True) as connection:
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
    if application != _APPLICATION:
        raise ReviewError(f"{path} is no review of CaseFrame", "Move the file away, then start again")
    if version > _VERSION:
        raise ReviewError(f"{path} was made by a later CaseFrame", "Update CaseFrame, then start again")


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    address = path.resolve().as_uri()
    try:
        connection = sqlite3.connect(
            f"{address}?mode=ro" if read_only else address, uri=True, timeout=_WAIT_SECONDS, isolation_level=None
        )
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        if not read_only:
            raise
        # A folder that cannot be written holds no write-ahead log either, so the file alone is all there is.
        connection = sqlite3.connect(f"{address}?immutable=1", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _explained(path: Path, error: sqlite3.Error) -> ReviewError:
    why = str(error)
    if "locked" in why or "busy" in why:
        return ReviewError(f"{path} is locked by another program", "Close what holds it, then try again")
    if "readonly" in why or "unable to open" in why:
        return ReviewError(
            f"{path} cannot be written", "Make the file and its folder writable, or start with --read-only"
        )
    if "not a database" in why or "malformed" in why:
        return ReviewError(f"{path} is damaged or is no review ({why})", "Bring back a copy, or move the file away")
    if "full" in why:
        return ReviewError(f"{path}: the disk is full", "Make room, then try again")
    return ReviewError(f"{path}: {why}", "Nothing of this step was saved; try again")
