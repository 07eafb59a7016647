"""What follows from the deaths of workers, and how a shard is worked on with what is known of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from runs import light, line
from spacy.language import Language

from caseframe.batch.plan import plan_shards
from caseframe.batch.shard import Care, Job, ShardResult, process_shard
from caseframe.batch.workers import Death, next_care
from caseframe.errors import WorkerError
from caseframe.schema import Failure, Origin
from caseframe.sources import iter_inputs
from caseframe.tables.parquet import read_rows


def after(*deaths: Death) -> Care:
    care = Care()
    for number in range(1, len(deaths) + 1):
        care = next_care(care, deaths[:number])
    return care


def at(first: int, last: int | None = None, *, hung: bool = False, phase: Any = "working") -> Death:
    return Death(phase, first, first if last is None else last, "killed", hung)


def test_one_death_changes_nothing() -> None:
    assert after(at(64, 127)) == Care()


def test_deaths_among_the_same_articles_part_them_and_find_the_one() -> None:
    assert after(at(0, 63), at(0, 63)) == Care(singly=frozenset({0}))
    care = after(at(0, 63), at(0, 63), at(3))
    assert set(care.lost) == {3} and care.lost[3].error == "WorkerDied" and care.lost[3].cure
    assert set(after(at(0, 63), at(0, 63), at(3), at(0, 63), at(9)).lost) == {3, 9}


def test_an_article_that_stands_alone_has_three_tries() -> None:
    assert not after(at(5), at(5)).lost
    assert set(after(at(5), at(5), at(5)).lost) == {5}


def test_deaths_here_and_there_lose_nothing() -> None:
    assert after(*(at(64 * batch, 64 * batch + 63) for batch in range(10))) == Care()


def test_what_hangs_is_found_at_once() -> None:
    care = after(at(0, 63, hung=True))
    assert care.singly == {0} and not care.lost
    assert after(at(0, 63, hung=True), at(5, hung=True)).lost[5].error == "TimeLimit"


def test_a_file_that_kills_its_reader_is_left_there() -> None:
    care = after(at(7, phase="reading"), at(7, phase="reading"))
    assert set(care.unreadable) == {7} and care.unreadable[7].stage == "read"


def test_endless_deaths_end() -> None:
    assert set(after(*(at(seq) for seq in range(24))).unreadable) == {23}
    with pytest.raises(WorkerError, match="before they come to work"):
        after(*(at(0, phase="idle") for _ in range(11)))


def worked_on(tmp_path: Path, care: Care | None = None, **parts: object) -> tuple[ShardResult, list[str]]:
    source = tmp_path / "a.jsonl"
    source.write_text("".join(line(n, 20 + n) + "\n" for n in range(1, 9)), encoding="utf-8")
    config = light(**parts)
    (shard,) = plan_shards(list(iter_inputs([source])), config)
    result = process_shard(shard, Job(tmp_path / "run", config), care=care)
    return result, [str(row["pmid"]) for row in read_rows(tmp_path / "run" / "articles")]


def failure(stage: Any) -> Failure:
    return Failure(Origin("", 0), stage, "WorkerDied", "It ended", "Look")


def test_lost_records_are_failures_with_their_place(tmp_path: Path) -> None:
    result, kept = worked_on(tmp_path, Care(lost={2: failure("process")}))
    assert kept == ["1", "2", "4", "5", "6", "7", "8"] and result.errors == {"WorkerDied": 1}
    (told,) = (tmp_path / "run" / "ledger").glob("*.failures.jsonl")
    assert '"record": 3' in told.read_text() and '"article_id": "pmid:3"' in told.read_text()


def test_reading_ends_where_no_reader_survives(tmp_path: Path) -> None:
    result, kept = worked_on(tmp_path, Care(unreadable={5: failure("read")}))
    assert kept == ["1", "2", "3", "4", "5"] and result.counts["read"] == 6 and result.counts["failed"] == 1


def test_a_file_that_no_reader_survives_at_all_is_a_failure(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(line(1) + "\n", encoding="utf-8")
    (shard,) = plan_shards(list(iter_inputs([source])), light())
    result = process_shard(shard, Job(tmp_path / "run", light()), care=Care(unreadable={0: failure("read")}))
    assert result.counts == {"read": 1, "failed": 1} and result.chunks == 0


def test_one_by_one_gives_the_same_parts(tmp_path: Path) -> None:
    worked_on(tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").rglob("*.parquet")}
    worked_on(tmp_path, Care(singly=frozenset({0})))
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "run").rglob("*.parquet")}


def test_a_slow_article_is_a_failure_and_the_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from caseframe.batch import shard

    real = shard.extract_all

    def slow(nlp: Language, articles: Any, *rest: Any) -> Any:
        if any(article.pmid == "4" for article in articles):
            time.sleep(60)
        return real(nlp, articles, *rest)

    monkeypatch.setattr(shard, "extract_all", slow)
    began = time.monotonic()
    result, kept = worked_on(tmp_path, limits={"seconds_per_article": 1.5})
    assert kept == ["1", "2", "3", "5", "6", "7", "8"] and result.errors == {"TimeLimit": 1}
    assert time.monotonic() - began < 30
