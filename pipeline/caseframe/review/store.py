"""`review.sqlite`: every decision, in the order it was made, by whom and when. Rows are added, never changed.

A step is on the disk before it is confirmed. A page tells the number of the last step that it knows, so that two pages
on the same article cannot write over each other unseen.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caseframe.errors import BadDecision, ReviewConflict, ReviewError
from caseframe.review.database import FILE, check, connected, make
from caseframe.review.kept import as_decision, decision_row
from caseframe.review.records import Decision, Role, Step

REVIEWERS = 2
"""So many reviewers make a review; when they have finished an article, it is closed to changes."""
MAX_NAME = 80
_LONGEST_STEP = 300.0  # seconds; who takes longer has left the desk

_COLUMNS = ("uid", "article_id", "sha256", "reviewer", "role", "at", "seconds")
_STANDING = "number NOT IN (SELECT undoes FROM steps WHERE undoes IS NOT NULL) AND undoes IS NULL"


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose steps on which text of an article: those of one reviewer, or those of all adjudicators together."""

    article_id: str
    sha256: str
    reviewer: str
    role: Role = "reviewer"


@dataclass(frozen=True, slots=True)
class Work:
    """A step as far as figures need it: seconds, and how many decisions of each kind."""

    seconds: float
    decided: dict[str, int]


class Store:
    """The decisions of a run. Use `open_store` to get one."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only

    def names(self) -> list[str]:
        """Everybody who has decided something, in the order they came."""
        return [row["name"] for row in self._rows("SELECT name FROM reviewers ORDER BY since, name")]

    def steps(self, desk: Desk) -> tuple[list[Step], int]:
        """The steps that stand (undone ones do not), and the number of the last step of all, undone or not.

        Steps on other texts of the article are among them.
        """
        return self.steps_of([desk])[0]

    def steps_of(self, desks: Iterable[Desk]) -> list[tuple[list[Step], int]]:
        """The same for many desks, in one reading."""
        with self._connect() as connection:
            return [(_steps(connection, *_standing(desk)), _revision(connection, desk)) for desk in desks]

    def finished(self) -> dict[tuple[str, str], list[str]]:
        """Article id and text hash to those who have finished it, in the order they did."""
        done: dict[tuple[str, str], list[str]] = {}
        for row in self._rows(f"SELECT article_id, sha256, reviewer FROM ({_FINISHED}) ORDER BY at, number"):
            done.setdefault((row["article_id"], row["sha256"]), []).append(row["reviewer"])
        return done

    def begun(self, reviewer: str) -> set[str]:
        """Articles on which a reviewer has steps that stand."""
        query = f"SELECT DISTINCT article_id FROM steps WHERE role = 'reviewer' AND reviewer = ? AND {_STANDING}"
        return {row["article_id"] for row in self._rows(query, reviewer)}

    def work(self, reviewer: str) -> list[Work]:
        """The steps of a reviewer that stand, with what they decided, in order."""
        rows = self._rows(
            "SELECT number, seconds, kind, count(*) AS decided FROM steps JOIN decisions ON step = number "
            f"WHERE role = 'reviewer' AND reviewer = ? AND {_STANDING} GROUP BY number, kind ORDER BY number",
            reviewer,
        )
        made: dict[int, Work] = {}
        for row in rows:
            made.setdefault(row["number"], Work(row["seconds"], {})).decided[row["kind"]] = row["decided"]
        return list(made.values())

    def log(self) -> Iterator[dict[str, object]]:
        """Every decision and every undoing, as rows, in order: the whole history."""
        yield from map(dict, self._rows(
            "SELECT s.number AS step, s.at, s.reviewer, s.role, s.article_id, s.seconds, s.undoes, d.kind, d.finding, "
            "d.case_number, d.field, d.machine, d.reading, d.comment FROM steps s LEFT JOIN decisions d "
            "ON d.step = s.number ORDER BY s.number, d.place"
        ))  # fmt: skip

    def append(self, desk: Desk, decisions: Sequence[Decision], *, revision: int, seconds: float = 0.0) -> int:
        """Adds a step and gives its number; it is on the disk when this returns.

        Raises ReviewConflict where the article has later steps than the page knows, or is closed to this desk, and
        ReviewError where the file cannot be written.
        """
        with self._writing() as connection:
            self._check(connection, desk, revision)
            number = _insert_step(connection, desk, seconds, undoes=None)
            connection.executemany(
                "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(number, place, *decision_row(decision)) for place, decision in enumerate(decisions)],
            )
            return number

    def undo(self, desk: Desk, *, revision: int) -> int:
        """Takes back the last step that stands, by a step that says so. Errors as of `append`."""
        mine, values = _mine(desk)
        with self._writing() as connection:
            self._check(connection, desk, revision)
            last = connection.execute(
                f"SELECT max(number) FROM steps WHERE {mine} AND sha256 = ? AND {_STANDING}", [*values, desk.sha256]
            ).fetchone()[0]
            if last is None:
                raise ReviewConflict("There is nothing to undo on this article", "Decide something first")
            return _insert_step(connection, desk, 0.0, undoes=last)

    def merge(self, other: Store) -> int:
        """Takes over the steps that another review file of the same run has more; gives how many."""
        with other._connect() as source, self._writing() as connection:
            known = {row["uid"] for row in connection.execute("SELECT uid FROM steps")}
            rows = [row for row in source.execute("SELECT * FROM steps ORDER BY number") if row["uid"] not in known]
            uids = {row["number"]: row["uid"] for row in source.execute("SELECT number, uid FROM steps")}
            for row in source.execute("SELECT * FROM reviewers"):
                connection.execute("INSERT INTO reviewers VALUES (?, ?) ON CONFLICT DO NOTHING", tuple(row))
            for row in rows:
                undoes = _number_of(connection, uids[row["undoes"]]) if row["undoes"] is not None else None
                number = _insert(connection, [*(row[name] for name in _COLUMNS), undoes])
                for each in source.execute("SELECT * FROM decisions WHERE step = ?", [row["number"]]):
                    connection.execute(
                        "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *tuple(each)[1:])
                    )
            return len(rows)

    def _check(self, connection: sqlite3.Connection, desk: Desk, revision: int) -> None:
        done = [row["reviewer"] for row in connection.execute(
            f"SELECT reviewer FROM ({_FINISHED}) WHERE article_id = ? AND sha256 = ?", [desk.article_id, desk.sha256]
        )]  # fmt: skip
        if desk.role == "reviewer" and len(done) >= REVIEWERS:
            raise ReviewConflict(
                f"{' and '.join(done)} have finished this article, so it is closed",
                "Their differences are settled under Adjudication; go on with the next article",
            )
        if desk.role == "adjudicator" and len(done) < REVIEWERS:
            raise ReviewConflict(
                "This article has not been finished by two reviewers", "Wait until both have finished it"
            )
        if _revision(connection, desk) != revision:
            raise out_of_date()

    def _rows(self, query: str, *values: str) -> list[sqlite3.Row]:
        with self._connect() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self.read_only:
            raise ReviewConflict("This review is open for reading only", "Start it again without --read-only")
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _connect(self) -> AbstractContextManager[sqlite3.Connection]:
        return connected(self.path, read_only=self.read_only)


_FINISHED = (
    "SELECT min(number) AS number, min(at) AS at, article_id, sha256, reviewer "
    f"FROM steps JOIN decisions ON step = number WHERE kind = 'finish' AND role = 'reviewer' AND {_STANDING} "
    "GROUP BY article_id, sha256, reviewer"
)


def checked_name(name: str) -> str:
    """A reviewer's name with its blanks folded; raises BadDecision where it is none."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise BadDecision("That is no name", f"Type your name or initials, at most {MAX_NAME} characters")
    return name


def out_of_date() -> ReviewConflict:
    """What a page is told that does not know the last step."""
    return ReviewConflict(
        "This article was changed in another window since this page was loaded",
        "The page now shows the newest state. Look whether your decision still fits, then save it again",
    )


def open_store(run: Path, *, read_only: bool = False) -> Store:
    """Opens the review of a run, and makes it where there is none.

    Raises ReviewError where the file is none of CaseFrame's reviews, is of a later version, is locked or cannot be
    written.
    """
    path = run / FILE
    if not read_only:
        make(path)
    elif not path.exists():
        raise ReviewError(f"{path} is not there: nobody has reviewed this run", "Start without --read-only first")
    check(path)
    return Store(path, read_only=read_only)


def merge_reviews(run: Path, other: Path) -> int:
    """Takes over the steps of another review file of the same run; gives how many. Errors as of `open_store`."""
    if not other.is_file():
        raise ReviewError(f"{other} is not there", "Give the review.sqlite of the other reviewer's copy of the run")
    check(other)
    return open_store(run).merge(Store(other, read_only=True))


def _mine(desk: Desk) -> tuple[str, list[str]]:
    if desk.role == "adjudicator":
        return "article_id = ? AND role = 'adjudicator'", [desk.article_id]
    return "article_id = ? AND role = 'reviewer' AND reviewer = ?", [desk.article_id, desk.reviewer]


def _standing(desk: Desk) -> tuple[str, list[str]]:
    mine, values = _mine(desk)
    return f"{mine} AND {_STANDING}", values


def _revision(connection: sqlite3.Connection, desk: Desk) -> int:
    mine, values = _mine(desk)
    return int(connection.execute(f"SELECT coalesce(max(number), 0) FROM steps WHERE {mine}", values).fetchone()[0])


def _number_of(connection: sqlite3.Connection, uid: str) -> int:
    return int(connection.execute("SELECT number FROM steps WHERE uid = ?", [uid]).fetchone()[0])


def _insert_step(connection: sqlite3.Connection, desk: Desk, seconds: float, undoes: int | None) -> int:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute("INSERT INTO reviewers VALUES (?, ?) ON CONFLICT DO NOTHING", [desk.reviewer, now])
    seconds = min(max(seconds, 0.0), _LONGEST_STEP)
    uid = uuid.uuid4().hex
    values = [uid, desk.article_id, desk.sha256, desk.reviewer, desk.role, now, seconds, undoes]
    return _insert(connection, values)


def _insert(connection: sqlite3.Connection, values: Sequence[object]) -> int:
    columns = ", ".join((*_COLUMNS, "undoes"))
    number = connection.execute(f"INSERT INTO steps ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values).lastrowid
    assert number is not None
    return number


def _steps(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Step]:
    decisions: dict[int, list[Decision]] = {}
    numbers = f"SELECT number FROM steps WHERE {where}"
    for row in connection.execute(f"SELECT * FROM decisions WHERE step IN ({numbers}) ORDER BY step, place", values):
        decisions.setdefault(row["step"], []).append(as_decision(row))
    return [
        Step(row["number"], row["article_id"], row["sha256"], row["reviewer"], row["role"], row["at"], row["seconds"],
             tuple(decisions.get(row["number"], ())))
        for row in connection.execute(f"SELECT * FROM steps WHERE {where} ORDER BY number", values)
    ]  # fmt: skip
