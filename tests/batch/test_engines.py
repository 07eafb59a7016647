"""Whoever does the work, the bytes are the same; what doesn't fit together is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runs import light, line, tables, write_inputs

from caseframe.batch.engines import EngineName, make_engine
from caseframe.batch.run import run_extraction
from caseframe.errors import ConfigError, WorkerError

pytestmark = pytest.mark.usefixtures("many_shards")


def test_processes_and_one_process_write_the_same_bytes(tmp_path: Path) -> None:
    source = write_inputs(tmp_path / "in")
    one = run_extraction([source], tmp_path / "one", light())
    several = run_extraction([source], tmp_path / "several", light(), workers=2)
    assert several.counts == one.counts and one.counts["superseded"] and one.failed == 6
    assert one.first_failures == several.first_failures and len(one.first_failures) == 3
    assert tables(tmp_path / "one") == tables(tmp_path / "several")
    shards = json.loads((tmp_path / "one" / "plan.json").read_text(encoding="utf-8"))["shards"]
    assert len(shards) > 5


@pytest.mark.slow
def test_ray_and_one_process_write_the_same_bytes(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    source = write_inputs(tmp_path / "in")
    run_extraction([source], tmp_path / "one", light())
    try:
        run_extraction([source], tmp_path / "ray", light(), engine="ray", workers=2)
    finally:
        ray.shutdown()
    assert tables(tmp_path / "one") == tables(tmp_path / "ray")


@pytest.mark.slow
def test_a_cluster_of_two_workers_writes_the_bytes_of_one_process(tmp_path: Path) -> None:
    """A head that does no work and two nodes of one processor each; the run knows only the address."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    source = write_inputs(tmp_path / "in")
    run_extraction([source], tmp_path / "inline", light(), engine="inline")
    run_extraction([source], tmp_path / "local", light(), engine="local", workers=2)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        run_extraction([source], tmp_path / "ray", light(), engine="ray", address=cluster.address)
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert tables(tmp_path / "ray") == tables(tmp_path / "inline") == tables(tmp_path / "local")


def test_the_limit_takes_the_first_articles_whoever_works(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text("".join(line(n, 20 + n) + "\n" for n in range(40)), encoding="utf-8")
    job = light(select={"limit": 7})
    one = run_extraction([source], tmp_path / "one", job)
    several = run_extraction([source], tmp_path / "several", job, workers=2)
    assert one.counts["articles"] == one.counts["read"] == 7 and several.counts == one.counts
    assert tables(tmp_path / "one") == tables(tmp_path / "several")


def test_a_model_that_cannot_be_loaded_is_told_once(tmp_path: Path) -> None:
    source = write_inputs(tmp_path / "in", files=1)
    job = light(pipeline={"model": str(tmp_path / "none")})
    for workers in (1, 2):
        with pytest.raises(Exception, match="none") as caught:
            run_extraction([source], tmp_path / f"run{workers}", job, workers=workers)
        assert type(caught.value).__name__ == "ModelError"


@pytest.mark.parametrize(
    ("engine", "workers", "address", "name"),
    [(None, None, None, "inline"), (None, 1, None, "inline"), (None, 3, None, "local"), ("local", None, None, "local")],
)
def test_the_engine_that_options_mean(
    engine: EngineName | None, workers: int | None, address: str | None, name: str
) -> None:
    assert make_engine(engine, workers, address).name == name


def test_options_that_do_not_fit_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="address"):
        make_engine("local", 2, "auto")
    with pytest.raises(ConfigError, match="inline"):
        make_engine("inline", 2)
    with pytest.raises(ConfigError, match="Standard input"):
        run_extraction(["-"], tmp_path / "run", light(), workers=2)
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(WorkerError, match=r"pip install 'caseframe\[ray\]'"):
        make_engine("ray")
