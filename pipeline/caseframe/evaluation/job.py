"""The config of an evaluation job: data sets, systems, metrics, gates. See configs/evaluate/ for commented examples.

Paths in a config are relative to the config's own folder; `${NAME}` stands for a variable of the environment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from caseframe.config import Strict, read_config
from caseframe.errors import ConfigError
from caseframe.schema import FIELDS

EXAMPLE = "configs/evaluate/casebook.yaml"


def _beside(path: object, info: ValidationInfo) -> object:
    """A path as seen from the folder of its config."""
    folder = (info.context or {}).get("folder")
    return folder / path if folder is not None and isinstance(path, str | Path) else path


def _beside_if_there(name: object, info: ValidationInfo) -> object:
    """A folder as seen from the config's, where there is one of the name; else the name, which may be of a package."""
    path = _beside(name, info)
    return str(path) if isinstance(path, Path) and path.is_dir() else name


def _plain(name: str) -> str:
    if not re.fullmatch(r"[\w+-][\w.+-]*", name):
        raise ValueError("a name has letters, digits, `-`, `_`, `.`, `+` only")
    return name


FolderOrName = Annotated[str, BeforeValidator(_beside_if_there)]
LocalPath = Annotated[Path, BeforeValidator(_beside)]
Name = Annotated[str, AfterValidator(_plain)]
Labels = dict[str, str | None]


class FieldData(Strict):
    """A data set of case-report fields: the project's gold format (docs/schema.md)."""

    name: Name = Field(description="How reports call it.")
    loader: Literal["fields"] = Field(description="The format.")
    gold: LocalPath = Field(description="JSON Lines, the fields of one article a line.")
    texts: LocalPath = Field(description="JSON Lines, the text of one article a line.")
    split: str = Field(default="", description="Two data sets of different splits may share no article.")


class SpanData(Strict):
    """A data set of typed spans, in one of the formats of corpora."""

    name: Name = Field(description="How reports call it.")
    loader: Literal["marked", "brat", "pubtator", "bioc", "iob", "docbin"] = Field(description="The format.")
    paths: tuple[LocalPath, ...] = Field(min_length=1, description="Files, folders or archives.")
    labels: Labels = Field(default={}, description="The corpus's label to the one that is scored; null drops it.")
    ids: LocalPath | None = Field(default=None, description="File of article ids, one a line: only these.")
    without: LocalPath | None = Field(default=None, description="File of article ids, one a line: not these.")
    only: tuple[str, ...] = Field(default=(), description="Score only these types; empty means all.")
    discontinuous: Literal["hull", "split", "drop"] = Field(
        default="hull", description="Spans in pieces: from first to last, each piece alone, or not at all."
    )
    spans_key: str = Field(default="", description="docbin: the key of doc.spans; empty means doc.ents.")
    split: str = Field(default="", description="Two data sets of different splits may share no article.")


Dataset = Annotated[FieldData | SpanData, Field(discriminator="loader")]


class SystemConfig(Strict):
    """A system under test: a pipeline, a finished run, or a command that speaks JSON Lines."""

    name: Name = Field(description="How reports call it.")
    model: FolderOrName | None = Field(
        default=None, description="Folder or package of any spaCy pipeline; null: the shipped one."
    )
    run: LocalPath | None = Field(default=None, description="Run directory of `caseframe extract`, for a model.")
    command: tuple[str, ...] = Field(
        default=(), description="Words of a command that reads texts and writes spans, in place of a model."
    )
    folder: LocalPath = Field(
        default=Path(), validate_default=True, description="Where the command runs; default: the config's own folder."
    )
    lexicons: tuple[LocalPath, ...] = Field(default=(), description="Further lexicon files (TSV).")
    builtin_lexicons: bool = Field(default=True, description="Whether the shipped lexicons are used.")
    entities: FolderOrName = Field(default="builtin", description="Who finds entities, as in the config of extract.")
    overrides: dict[str, Any] = Field(
        default={}, description="Settings of components by path, e.g. components.caseframe_terms.builtin: false."
    )
    disable: tuple[str, ...] = Field(default=(), description="Components to leave out.")
    spans: tuple[str, ...] = Field(
        default=("findings",),
        description="What counts as predicted spans: findings, ents, or keys of doc.spans (terms, quantities).",
    )
    labels: Labels = Field(
        default={},
        description="The system's label to the one that is scored; null drops it. `source/label` and `source/*` mean "
        "one source of spans alone, `*` all other labels.",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(default=0.0, description="Findings below are left out.")

    @model_validator(mode="after")
    def _one_kind(self) -> SystemConfig:
        if sum(given is not None and given != () for given in (self.model, self.run, self.command)) > 1:
            raise ValueError("give one of model, run, command")
        return self


class MetricsConfig(Strict):
    """How figures are computed."""

    resamples: Annotated[int, Field(ge=100, le=100_000)] = Field(default=1000, description="Bootstrap resamples.")
    level: Annotated[float, Field(gt=0.5, lt=1)] = Field(default=0.95, description="Level of the intervals.")
    seed: int = Field(default=0, description="Seed of the resamples.")
    bins: Annotated[int, Field(ge=2, le=100)] = Field(default=10, description="Bins of the calibration.")
    fields: tuple[str, ...] = Field(default=(), description="Score only these fields; empty means all.")


class ReportConfig(Strict):
    """What is written beside metrics.json."""

    html: bool = Field(default=True, description="report.html, with plots and browsable errors.")
    markdown: bool = Field(default=True, description="report.md.")
    errors: bool = Field(default=True, description="errors.parquet and errors.csv.")


class EvaluateConfig(Strict):
    """An evaluation job: every system is run on every data set."""

    datasets: tuple[Dataset, ...] = Field(min_length=1, description="What to measure on.")
    systems: tuple[SystemConfig, ...] = Field(
        default=(SystemConfig(name="caseframe"),), min_length=1, description="What to measure."
    )
    metrics: MetricsConfig = MetricsConfig()
    report: ReportConfig = ReportConfig()
    gates: dict[str, float] = Field(
        default={}, description="Metric path to the least value, e.g. field.micro.relaxed_f1: 0.60."
    )

    @model_validator(mode="after")
    def _names_once(self) -> EvaluateConfig:
        refuse_twice("data sets", [data.name for data in self.datasets])
        refuse_twice("systems", [system.name for system in self.systems])
        unknown = [name for name in self.metrics.fields if name not in FIELDS]
        if unknown:
            raise ValueError(f"metrics.fields: unknown {', '.join(unknown)}; fields are {', '.join(FIELDS)}")
        return self


def refuse_twice(what: str, names: Sequence[str]) -> None:
    """Raises ValueError where a name stands twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what} have the name {', '.join(twice)}")


def load_job(path: Path) -> EvaluateConfig:
    """Reads an evaluation config; raises ConfigError that names file and key."""
    return read_config(EvaluateConfig, path, example=EXAMPLE)


def parse_gates(options: Sequence[str]) -> dict[str, float]:
    """Gates from the command line, `PATH=VALUE` each."""
    gates = {}
    for option in options:
        path, _, value = option.partition("=")
        try:
            gates[path.strip()] = float(value)
        except ValueError:
            raise ConfigError(f"{option!r} is no gate", "Write PATH=VALUE, e.g. field.micro.relaxed_f1=0.60") from None
    return gates
