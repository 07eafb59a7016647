from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from caseframe.errors import ConfigError
from caseframe.evaluation.job import EvaluateConfig, FieldData, SpanData, SystemConfig, load_job, parse_gates
from caseframe.evaluation.loaders import LOADERS

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs" / "evaluate").glob("*.yaml"))
DATA = "datasets: [{name: a, loader: marked, paths: [a.jsonl]}]\n"


def job(tmp_path: Path, text: str) -> EvaluateConfig:
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return load_job(path)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configs_are_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEFRAME_DATA", "/data")
    assert load_job(path).datasets


def keys_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def test_the_commented_example_names_every_key() -> None:
    text = (ROOT / "configs" / "evaluate" / "casebook.yaml").read_text(encoding="utf-8")
    models = [EvaluateConfig, FieldData, SpanData, SystemConfig]
    models += [EvaluateConfig.model_fields[name].annotation for name in ("metrics", "report")]  # type: ignore[list-item]
    missing = {key for model in models for key in keys_of(model) if f"{key}:" not in text}
    assert not missing


def test_the_example_gives_the_defaults() -> None:
    example = load_job(ROOT / "configs" / "evaluate" / "casebook.yaml")
    plain = EvaluateConfig(datasets=example.datasets)
    system = example.systems[0].model_copy(update={"folder": plain.systems[0].folder})
    assert example.model_copy(update={"systems": (system,), "gates": {}}) == plain


def test_every_loader_can_be_asked_for() -> None:
    assert set(get_args(SpanData.model_fields["loader"].annotation)) == set(LOADERS)


def test_paths_are_relative_to_the_config(tmp_path: Path) -> None:
    made = job(tmp_path, DATA + "systems: [{name: other, command: [cat]}]\n")
    assert isinstance(made.datasets[0], SpanData)
    assert made.datasets[0].paths == (tmp_path / "a.jsonl",)
    assert made.systems[0].folder == tmp_path


def test_a_model_is_a_folder_beside_the_config_or_a_name(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    systems = "systems: [{name: a, model: mine, entities: none}, {name: b, model: en_core_web_sm, entities: mine}]\n"
    one, other = job(tmp_path, DATA + systems).systems
    assert (one.model, one.entities) == (str(tmp_path / "mine"), "none")
    assert (other.model, other.entities) == ("en_core_web_sm", str(tmp_path / "mine"))


def test_variables_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPORA", "/corpora")
    made = job(tmp_path, "datasets: [{name: a, loader: brat, paths: ['${CORPORA}/a', '${NONE_SUCH:-/b}/b']}]\n")
    assert isinstance(made.datasets[0], SpanData)
    assert made.datasets[0].paths == (Path("/corpora/a"), Path("/b/b"))
    with pytest.raises(ConfigError, match=r"job\.yaml: the environment has no NONE_SUCH.*export NONE_SUCH"):
        job(tmp_path, "datasets: [{name: a, loader: brat, paths: ['${NONE_SUCH}/a']}]\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "datasets"),
        ("datasets: []", "datasets"),
        ("datasets: [{name: a, loader: conll, paths: [a]}]", "conll"),
        ("datasets: [{name: a, loader: brat, paths: []}]", "paths"),
        ("datasets: [{name: a/b, loader: brat, paths: [a]}]", "letters, digits"),
        ("datasets: [{name: a, loader: brat, paths: [a]}, {name: a, loader: brat, paths: [b]}]", "two data sets"),
        (DATA + "systems: [{name: s, model: m, run: r}]", "one of model, run, command"),
        (DATA + "systems: [{name: s}, {name: s}]", "two systems have the name s"),
        (DATA + "metrics: {fields: [diagnoses]}", "unknown diagnoses"),
        (DATA + "metric: {}", "unknown key metric"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        job(tmp_path, text)
    assert "job.yaml" in str(caught.value)


def test_gates_of_the_command_line() -> None:
    assert parse_gates(["field.micro.relaxed_f1=0.6"]) == {"field.micro.relaxed_f1": 0.6}
    for wrong in ("field.micro", "a=b", "="):
        with pytest.raises(ConfigError, match="is no gate"):
            parse_gates([wrong])
