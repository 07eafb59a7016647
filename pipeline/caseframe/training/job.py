"""The config of a training job. See configs/train/entities.yaml for a commented example.

Paths are relative to the config's own folder; `${NAME}` stands for a variable of the environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from caseframe.config import Strict, read_config
from caseframe.evaluation.job import LocalPath, SpanData, refuse_twice
from caseframe.stages.entities import TYPES

EXAMPLE = "configs/train/entities.yaml"
Positive = Annotated[int, Field(ge=1)]


class Corpus(SpanData):
    """An annotated corpus to learn from, by one of the loaders of evaluations."""

    types: tuple[str, ...] = Field(
        default=(), description="The types that it marks wherever they are; of others nothing is learned. Empty: all."
    )
    copies: Positive = Field(default=1, description="How often it is seen beside the texts that the teachers mark.")


class Texts(Strict):
    """Unmarked articles, in any supported format."""

    paths: tuple[LocalPath, ...] = Field(default=(), description="Files, folders or archives.")
    columns: dict[str, str] = Field(default={}, description="CSV, JSONL: article attribute to column name.")
    body: bool = Field(default=False, description="Read the full text too.")


class Vectors(Strict):
    """Word vectors of floret kind, learned from unmarked texts."""

    like: LocalPath | None = Field(
        default=None, description="Folder of trained entities whose vectors are taken, instead of learning them."
    )
    texts: tuple[Texts, ...] = Field(default=(), description="What they are learned from.")
    dimensions: Positive = Field(default=100, description="Numbers a vector.")
    rows: Positive = Field(default=50_000, description="Rows of the table of hashed word parts.")
    epochs: Positive = Field(default=3, description="Rounds over the texts.")
    threads: Positive = Field(default=1, description="More are faster, and no longer give the same bytes.")


class Rounds(Strict):
    """One training of a network."""

    epochs: Positive = Field(default=22, description="Rounds over the examples.")
    batch: Positive = Field(default=8, description="Texts at once.")
    rate: Annotated[float, Field(gt=0)] = Field(default=0.0015, description="Highest learning rate.")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.3, description="Share of numbers that are hidden.")


class Silver(Strict):
    """Unmarked abstracts that teachers mark for the student."""

    texts: tuple[Texts, ...] = Field(default=(), description="Where they come from.")
    abstracts: Annotated[int, Field(ge=0)] = Field(default=0, description="How many at most; 0: no student.")
    shortest: Positive = Field(default=60, description="Tokens of the shortest.")
    longest: Positive = Field(default=500, description="Tokens of the longest.")
    marks: LocalPath | None = Field(
        default=None, description="What teachers elsewhere say of them (benchmarks/teacher), in place of our own."
    )


class TrainConfig(Strict):
    """A training job: vectors, teachers, what they agree on, a student, a last round on what people marked."""

    name: str = Field(default="caseframe_entities", description="Name of the component in meta.json.")
    seed: int = Field(default=0, description="The same seed, data and versions give the same weights.")
    types: tuple[str, ...] = Field(default=TYPES, min_length=1, description="What is learned to be found.")
    corpora: tuple[Corpus, ...] = Field(min_length=1, description="What people marked; never the dev set.")
    dev: SpanData = Field(description="What is measured on; no text of it is trained on.")
    width: Positive = Field(default=96, description="Numbers a token in the network.")
    depth: Positive = Field(default=3, description="Layers; a token sees as many neighbours to each side.")
    vectors: Vectors = Vectors()
    teachers: Positive = Field(default=1, description="Networks that mark the unmarked abstracts.")
    crf: bool = Field(default=True, description="One more teacher, a CRF over hand-made features.")
    teacher: Rounds = Rounds()
    silver: Silver = Silver()
    student: Rounds = Rounds(epochs=3, batch=16, rate=0.003, dropout=0)
    finish: Rounds = Rounds(epochs=4, rate=0.0005)

    @model_validator(mode="after")
    def _fits(self) -> TrainConfig:
        refuse_twice("data sets", [data.name for data in (*self.corpora, self.dev)])
        refuse_twice("types", self.types)
        for corpus in self.corpora:
            self._known(corpus.name, corpus.types)
        for data in (*self.corpora, self.dev):
            self._known(data.name, [name for name in data.labels.values() if name])
        if not self.vectors.texts and self.vectors.like is None:
            raise ValueError("vectors.texts: there must be texts to learn word vectors from, or `like`")
        if self.silver.abstracts and not self.silver.texts:
            raise ValueError("silver.texts: there must be texts for the teachers to mark")
        if (
            self.silver.abstracts
            and self.silver.marks is None
            and self.crf
            and all(corpus.types for corpus in self.corpora)
        ):
            raise ValueError("crf: it needs a corpus that marks every type (without `types`)")
        return self

    def _known(self, name: str, given: Sequence[str]) -> None:
        unknown = sorted(set(given) - set(self.types))
        if unknown:
            raise ValueError(f"{name}: unknown type {unknown[0]}; types are {', '.join(self.types)}")


def load_training(path: Path) -> TrainConfig:
    """Reads a training config; raises ConfigError that names file and key."""
    return read_config(TrainConfig, path, example=EXAMPLE)
