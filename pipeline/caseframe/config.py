"""Configs: YAML files read into pydantic models; a wrong key or type names file, key and what was expected."""

from __future__ import annotations

import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from caseframe.errors import ConfigError
from caseframe.schema import FIELDS

Screen = Literal["none", "types", "model"]
OutputFormat = Literal["csv", "xlsx", "duckdb"]
Model = TypeVar("Model", bound=BaseModel)
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class Strict(BaseModel):
    """A part of a config: an unknown key is an error, nothing can be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PipelineConfig(Strict):
    """Which stages run and with which words."""

    model: str | None = Field(default=None, description="Folder of a spaCy pipeline to use instead of the shipped one.")
    lexicons: tuple[str, ...] = Field(default=(), description="Further lexicon files (TSV), added to the shipped ones.")
    builtin_lexicons: bool = Field(default=True, description="Whether the shipped lexicons are used.")
    entities: str = Field(
        default="builtin",
        description="Who finds mentions that no lexicon knows: builtin, none, a folder that `caseframe train` wrote, "
        "a spaCy pipeline by package or folder, scispacy, or hf:org/model.",
    )
    fields: tuple[str, ...] = Field(default=(), description="Fields to fill; empty means all.")


class InputConfig(Strict):
    """How articles are read."""

    format: str | None = Field(default=None, description="Format of every file; found by content when null.")
    columns: dict[str, str] = Field(default={}, description="CSV, TSV, JSONL: article attribute to column name.")
    body: bool = Field(default=False, description="Also read the full text where there is one (JATS, BioC).")
    encoding: str | None = Field(
        default=None, description="Encoding of text formats; UTF-8, else Windows-1252, when null."
    )
    max_record_mib: Annotated[int, Field(ge=1, le=1024)] = Field(default=16, description="Larger records are failures.")


class SelectConfig(Strict):
    """Which articles are extracted."""

    where: tuple[str, ...] = Field(default=(), description="Conditions, all of which must hold, e.g. `year>=2010`.")
    limit: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Stop after so many articles.")
    screen: Screen = Field(
        default="none",
        description="Extract only case reports and series: none (all), by their publication types, or by types and, "
        "where no indexer gave any, by a model that reads title and abstract.",
    )


class OutputConfig(Strict):
    """What a run writes beside its Parquet tables."""

    formats: tuple[OutputFormat, ...] = Field(default=("csv", "xlsx", "duckdb"), description="Further tables to write.")
    evidence: bool = Field(
        default=False, description="Add a `<field>_evidence` column with the words to each field of `cases`."
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(default=0.0, description="Findings below are left out.")
    part_size: Annotated[int, Field(ge=1)] = Field(default=1000, description="Articles in one Parquet part.")


class LimitsConfig(Strict):
    """What one article and one process may cost."""

    seconds_per_article: Annotated[float, Field(gt=0)] | None = Field(
        default=120, description="An article that takes longer is a failure."
    )
    memory_mib: Annotated[int, Field(ge=256)] | None = Field(
        default=4096, description="Memory of a worker process; an article that needs more is a failure (Linux)."
    )


class ExtractConfig(Strict):
    """An extraction job."""

    pipeline: PipelineConfig = PipelineConfig()
    input: InputConfig = InputConfig()
    select: SelectConfig = SelectConfig()
    limits: LimitsConfig = LimitsConfig()
    output: OutputConfig = OutputConfig()


def shipped(name: Literal["configs", "models"]) -> Path:
    """A folder that is shipped: in the wheel inside the package, in a checkout at the top."""
    packaged = Path(str(files("caseframe") / name))
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / name


def default_config_path() -> Path:
    """The commented default config."""
    return shipped("configs") / "extract" / "default.yaml"


def load_extract_config(path: Path | None = None) -> ExtractConfig:
    """Reads an extraction config; without a path, the default one."""
    path = path or default_config_path()
    config = read_config(ExtractConfig, path, example="configs/extract/default.yaml")
    unknown = [name for name in config.pipeline.fields if name not in FIELDS]
    if unknown:
        raise ConfigError(f"{path}: pipeline.fields: unknown {', '.join(unknown)}", f"Fields are {', '.join(FIELDS)}")
    return config


def read_config(model: type[Model], path: Path, *, example: str) -> Model:
    """Reads a YAML file into a pydantic model; `example` names a file that shows every key."""
    content = _with_variables(read_yaml(path), path)
    try:
        return model.model_validate(content, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}", f"Compare with {example}") from None


def _with_variables(content: object, path: Path) -> object:
    """Puts the environment's values in the place of `${NAME}` and `${NAME:-default}`."""
    if isinstance(content, dict):
        return {key: _with_variables(value, path) for key, value in content.items()}
    if isinstance(content, list):
        return [_with_variables(value, path) for value in content]
    if not isinstance(content, str):
        return content

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1], match[2])
        if found is None:
            raise ConfigError(f"{path}: the environment has no {match[1]}", f"Set it: export {match[1]}=…")
        return found

    return _VARIABLE.sub(value, content)


def read_yaml(path: Path) -> object:
    """Reads one YAML 1.2 document (`no` is a word, not a truth value; a key that stands twice is an error)."""
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config file", "Give the path of a YAML file with -c") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "The config must be a readable UTF-8 file") from None
    except YAMLError as error:
        raise ConfigError(
            f"{path}: no valid YAML: {' '.join(str(error).split())}", "Mend the file at the line it names"
        ) from None


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(top level)"
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}"
    given = json.dumps(first.get("input"), default=str)
    return f"{key}: {first['msg'][:1].lower()}{first['msg'][1:]}, got {given[:80]}"
