"""The config of a training job."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from caseframe.errors import ConfigError
from caseframe.evaluation.job import SpanData
from caseframe.stages.entities import TYPES
from caseframe.training.job import Corpus, Rounds, Silver, Texts, TrainConfig, Vectors, load_training

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs" / "train").glob("*.yaml"))
EXAMPLE = ROOT / "configs" / "train" / "entities.yaml"
CORPUS = "corpora: [{name: a, loader: marked, paths: [a.jsonl]}]\n"
DEV = "dev: {name: d, loader: marked, paths: [d.jsonl]}\n"
VECTORS = "vectors: {texts: [{paths: [texts]}]}\n"


def job(tmp_path: Path, text: str) -> TrainConfig:
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    return load_training(path)


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEFRAME_DATA", "/data")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configs_are_right(path: Path) -> None:
    assert load_training(path).corpora


def test_the_commented_example_names_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    # What a corpus has in common with the data sets of evaluations is shown there.
    models: list[type[BaseModel]] = [TrainConfig, Texts, Vectors, Rounds, Silver]
    keys = {key for model in models for key in model.model_fields}
    keys |= set(Corpus.model_fields) - set(SpanData.model_fields) | {"name", "loader", "paths", "labels"}
    assert not {key for key in keys if f"{key}:" not in text}


def test_every_key_is_described() -> None:
    for model in (TrainConfig, Corpus, Texts, Vectors, Rounds, Silver):
        for name, field in model.model_fields.items():
            nested = isinstance(field.default, BaseModel)
            assert nested or field.description, f"{model.__name__}.{name}"


def test_the_example_gives_the_defaults() -> None:
    example = load_training(EXAMPLE)
    plain = TrainConfig(corpora=example.corpora, dev=example.dev, vectors=Vectors(texts=example.vectors.texts))
    silver = example.silver.model_copy(update={"texts": (), "abstracts": 0, "marks": None})
    assert example.model_copy(update={"silver": silver}) == plain
    corpus = example.corpora[0]
    assert corpus.model_copy(update={"copies": 1}) == Corpus(name=corpus.name, loader="marked", paths=corpus.paths)


def test_paths_are_relative_to_the_config(tmp_path: Path) -> None:
    made = job(tmp_path, CORPUS + DEV + VECTORS)
    assert made.corpora[0].paths == (tmp_path / "a.jsonl",)
    assert made.dev.paths == (tmp_path / "d.jsonl",)
    assert made.vectors.texts[0].paths == (tmp_path / "texts",)
    assert made.types == TYPES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "corpora"),
        (CORPUS + VECTORS, "dev: field required"),
        ("corpora: []\n" + DEV + VECTORS, "corpora"),
        (CORPUS + DEV, "vectors.texts: there must be texts to learn word vectors from, or `like`"),
        (CORPUS + DEV + VECTORS + "size: 3", "unknown key size"),
        (CORPUS + DEV + VECTORS + "student: {epoch: 3}", "unknown key student.epoch"),
        (CORPUS + DEV + VECTORS + "teacher: {dropout: 1}", "teacher.dropout"),
        (CORPUS + DEV + VECTORS + "teacher: {rate: 0}", "teacher.rate"),
        (CORPUS + DEV + VECTORS + "depth: 0", "depth"),
        (CORPUS + DEV + VECTORS + "types: []", "types"),
        (CORPUS + DEV + VECTORS + "types: [AGE, SEX, AGE]", "two types have the name AGE"),
        (CORPUS + DEV + VECTORS + "silver: {abstracts: 5}", "silver.texts: there must be texts"),
        ("corpora: [{name: a, loader: conll, paths: [a]}]\n" + DEV + VECTORS, "conll"),
        ("corpora: [{name: a, loader: brat, paths: [a], types: [TUMOR]}]\n" + DEV + VECTORS, "a: unknown type TUMOR"),
        (
            "corpora: [{name: a, loader: brat, paths: [a], labels: {Age: AGE, Sex: null, Mass: LUMP}}]\n"
            + DEV
            + VECTORS,
            "a: unknown type LUMP; types are AGE, SEX",
        ),
        (
            CORPUS + "dev: {name: d, loader: brat, paths: [a], labels: {Mass: LUMP}}\n" + VECTORS,
            "d: unknown type LUMP",
        ),
        (CORPUS + DEV + VECTORS + "seed: y", "seed"),
        (CORPUS + DEV.replace("name: d", "name: a") + VECTORS, "two data sets have the name a"),
        (
            "corpora: [{name: a, loader: brat, paths: [a], types: [AGE]}]\n"
            + DEV
            + VECTORS
            + "silver: {abstracts: 5, texts: [{paths: [b]}]}",
            "crf: it needs a corpus that marks every type",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        job(tmp_path, text)
    assert "job.yaml" in caught.value.message
    assert caught.value.cure == "Compare with configs/train/entities.yaml"


def test_types_of_ones_own(tmp_path: Path) -> None:
    made = job(
        tmp_path, "types: [LUMP]\n" + CORPUS.replace("[a.jsonl]", "[a.jsonl], labels: {Mass: LUMP}") + DEV + VECTORS
    )
    assert made.types == ("LUMP",)


def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASEFRAME_DATA")
    with pytest.raises(ConfigError, match=r"entities\.yaml: the environment has no CASEFRAME_DATA\. Set it: export"):
        load_training(EXAMPLE)
