"""review.sqlite: append-only, crash-safe, one history of several reviewers."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caseframe.errors import ReviewConflict, ReviewError
from caseframe.review.database import FILE
from caseframe.review.records import Decision
from caseframe.review.runs import Run
from caseframe.review.store import Desk, Store, merge_reviews, open_store

Make = Callable[..., Any]


def desk(run: Run, reviewer: str = "Ann", article_id: str = "pmid:1") -> Desk:
    return Desk(article_id, run.found(article_id).sha256, reviewer)


def accept(finding: str = "f") -> Decision:
    return Decision("accept", finding, 1, "age")


def standing(store: Store) -> list[object]:
    """Findings of the decisions that are not undone, in order."""
    log = list(store.log())
    undone = {row["undoes"] for row in log}
    return [row["finding"] for row in log if row["kind"] and row["step"] not in undone]


def test_what_was_added_is_read_again(run: Run, store: Store) -> None:
    finding = run.found("pmid:1").suggestions[3].finding
    decision = Decision("correct", "f", 1, "diagnosis", finding, finding, "why")
    number = store.append(desk(run), [decision], revision=0, seconds=7.5)
    (step,), revision = store.steps(desk(run))
    assert step.decisions == (decision,) and revision == number == step.number
    assert (step.reviewer, step.role, step.seconds) == ("Ann", "reviewer", 7.5)
    assert store.names() == ["Ann"] and store.begun("Ann") == {"pmid:1"} and store.begun("Ben") == set()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE steps SET reviewer = 'Ann'", "DELETE FROM steps", "UPDATE decisions SET kind = 'reject'", "DELETE FROM decisions", "DELETE FROM reviewers"],
)  # fmt: skip
def test_rows_are_never_changed(run: Run, store: Store, statement: str) -> None:
    store.append(desk(run), [accept()], revision=0)
    connection = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError, match="added, never changed"):
        connection.execute(statement)
    connection.close()


def test_undoing_is_a_step_too(run: Run, store: Store) -> None:
    first = store.append(desk(run), [accept("a")], revision=0)
    second = store.append(desk(run), [accept("b")], revision=first)
    third = store.undo(desk(run), revision=second)
    steps, revision = store.steps(desk(run))
    assert [step.decisions[0].finding for step in steps] == ["a"] and revision == third
    fourth = store.undo(desk(run), revision=third)
    assert store.steps(desk(run)) == ([], fourth)
    assert [row["undoes"] for row in store.log()] == [None, None, second, first]
    with pytest.raises(ReviewConflict, match="nothing to undo"):
        store.undo(desk(run), revision=fourth)


def test_a_page_that_is_out_of_date_is_told(run: Run, store: Store) -> None:
    number = store.append(desk(run), [accept()], revision=0)
    with pytest.raises(ReviewConflict, match="another window"):
        store.append(desk(run), [accept()], revision=0)
    store.append(desk(run, "Ben"), [accept()], revision=0)  # another reviewer's desk
    store.append(desk(run), [accept()], revision=number)


def test_two_finish_and_the_article_is_closed(run: Run, store: Store) -> None:
    finish = [Decision("finish")]
    adjudicator = Desk("pmid:1", desk(run).sha256, "Cleo", "adjudicator")
    store.append(desk(run, "Ann"), finish, revision=0)
    with pytest.raises(ReviewConflict, match="two reviewers"):
        store.append(adjudicator, [Decision("settle", "u")], revision=0)
    last = store.append(desk(run, "Ben"), finish, revision=0)
    assert store.finished() == {("pmid:1", desk(run).sha256): ["Ann", "Ben"]}
    for name in ("Ben", "Dora"):
        with pytest.raises(ReviewConflict, match="closed"):
            store.append(desk(run, name), [accept()], revision=last if name == "Ben" else 0)
    store.append(adjudicator, [Decision("settle", "u")], revision=0)


def test_times_are_cut_where_nobody_sat_there(run: Run, store: Store) -> None:
    number = store.append(desk(run), [accept()], revision=0, seconds=86_400)
    store.append(desk(run), [accept()], revision=number, seconds=-5)
    assert [step.seconds for step in store.work("Ann")] == [300.0, 0.0]


def _die_with_open_file(path: Path, sha256: str) -> None:
    store = open_store(path)
    number = store.append(Desk("pmid:1", sha256, "Ann"), [accept("kept")], revision=0)
    try:
        with store._writing() as connection:
            connection.execute("INSERT INTO reviewers VALUES ('half', 'done')")
            os._exit(9 if number else 1)
    finally:
        pass


def test_a_crash_loses_nothing_that_was_confirmed(run: Run, run_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_die_with_open_file, args=(run_path, desk(run).sha256))
    process.start()
    process.join(30)
    assert process.exitcode == 9
    store = open_store(run_path)
    assert standing(store) == ["kept"] and store.names() == ["Ann"]


def test_reviews_of_two_copies_are_merged(run: Run, run_path: Path, make_run: Make, article_of: Make) -> None:
    elsewhere = make_run(article_of("1"), article_of("2"), name="copy")
    mine, other = open_store(run_path), open_store(elsewhere)
    mine.append(desk(run, "Ann"), [accept("mine")], revision=0)
    number = other.append(desk(run, "Ben"), [accept("x")], revision=0)
    number = other.append(desk(run, "Ben"), [accept("y")], revision=number)
    other.undo(desk(run, "Ben"), revision=number)
    assert merge_reviews(run_path, other.path) == 3
    assert merge_reviews(run_path, other.path) == 0
    assert mine.names() == ["Ann", "Ben"]
    assert standing(mine) == ["mine", "x"]
    number = other.append(desk(run, "Ben"), [accept("z")], revision=other.steps(desk(run, "Ben"))[1])
    assert merge_reviews(run_path, other.path) == 1
    assert standing(mine) == ["mine", "x", "z"]


def test_merging_what_is_no_review(run_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="is not there"):
        merge_reviews(run_path, tmp_path / "none.sqlite")
    (tmp_path / "text").write_text("no database at all, but long enough to be read as one" * 20, encoding="utf-8")
    with pytest.raises(ReviewError, match="damaged or is no review"):
        merge_reviews(run_path, tmp_path / "text")


def test_a_file_of_another_program_is_left_alone(run_path: Path) -> None:
    connection = sqlite3.connect(run_path / FILE)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = (run_path / FILE).read_bytes()
    with pytest.raises(ReviewError, match="no review of CaseFrame"):
        open_store(run_path)
    assert (run_path / FILE).read_bytes() == before


def test_a_file_of_a_later_version(run_path: Path) -> None:
    path = open_store(run_path).path
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ReviewError, match="later CaseFrame"):
        open_store(run_path)


def test_reading_only(run: Run, run_path: Path) -> None:
    with pytest.raises(ReviewError, match="nobody has reviewed"):
        open_store(run_path, read_only=True)
    assert not (run_path / FILE).exists()
    open_store(run_path).append(desk(run), [accept()], revision=0)
    looking = open_store(run_path, read_only=True)
    assert standing(looking) == ["f"]
    with pytest.raises(ReviewConflict, match="reading only"):
        looking.append(desk(run), [accept()], revision=1)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that bind (not as root)")
def test_a_folder_that_cannot_be_written(run: Run, run_path: Path) -> None:
    open_store(run_path).append(desk(run), [accept()], revision=0)
    (run_path / FILE).chmod(0o444)
    run_path.chmod(0o555)
    try:
        with pytest.raises(ReviewError, match="cannot be written"):
            open_store(run_path)
        assert standing(open_store(run_path, read_only=True)) == ["f"]
    finally:
        run_path.chmod(0o755)


def test_a_database_that_turns_read_only(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def only_reading(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = real(*arguments, **more)
        connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr("caseframe.review.database.sqlite3.connect", only_reading)
    told = r"cannot be written\. Make the file and its folder writable"
    with pytest.raises(ReviewError, match=told):
        store.append(desk(run), [accept()], revision=0)
    with pytest.raises(ReviewError, match=told):
        open_store(store.path.parent)
