"""A finished run, article by article: what reports show, exports write and notebooks go on with.

`Evidence` is the common coin: whoever corrects tables gives corrected Evidence to the same reports and exports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from caseframe.errors import RunError
from caseframe.tables.parquet import parts, read_part
from caseframe.tables.rows import ARTICLES, FINDINGS, Row, cases_schema

if TYPE_CHECKING:
    from pandas import DataFrame

TableName = Literal["articles", "cases", "findings"]
_SCHEMAS: dict[TableName, pa.Schema] = {"articles": ARTICLES, "cases": cases_schema(), "findings": FINDINGS}


@dataclass(frozen=True, slots=True)
class Evidence:
    """An article with its rows: `article` of `articles`, `cases` of `cases`, `findings` of `findings`."""

    article: Row
    cases: tuple[Row, ...]
    findings: tuple[Row, ...]

    def of(self, case: Row) -> list[Row]:
        """The findings of a case, those of the article itself before them."""
        return [row for row in self.findings if row["case_id"] in ("", case["case_id"])]


def attributes_of(row: Row) -> dict[str, object]:
    """The attributes of a row of `findings`."""
    found = json.loads(str(row["attributes"])) if row["attributes"] else {}
    return found if isinstance(found, dict) else {}


class Run:
    """A run that is finished; iterating it gives Evidence, article by article, with a part in memory at a time."""

    def __init__(self, path: str | Path) -> None:
        """Raises RunError where there is no run, an unfinished one, or one whose tables this version cannot read."""
        self.path = Path(path)
        self.info = _finished(self.path)
        for table in _SCHEMAS:
            for part in parts(self.path / table):
                _check_columns(part, table, str(self.info.get("caseframe", "another version")))
        stems = {table: [part.stem for part in parts(self.path / table)] for table in _SCHEMAS}
        for table, names in stems.items():
            if missing := sorted(set(stems["articles"]) ^ set(names)):
                raise RunError(
                    f"{self.path} is incomplete: {table} and articles differ in {missing[0]}", _AGAIN.format(self.path)
                )
        if not stems["articles"]:
            raise RunError(f"{self.path} has no tables", _AGAIN.format(self.path))

    def __iter__(self) -> Iterator[Evidence]:
        for part in parts(self.path / "articles"):
            cases, findings = (_by_article(self.path / table / part.name) for table in ("cases", "findings"))
            for article in read_part(part):
                name = str(article["article_id"])
                yield Evidence(article, tuple(cases.get(name, ())), tuple(findings.get(name, ())))

    def to_pandas(self, table: TableName = "cases") -> DataFrame:
        """A table as a pandas DataFrame; the attributes of `findings` are dicts."""
        from pandas import Series  # pandas takes its time to load

        if table not in _SCHEMAS:
            raise RunError(f"{self.path} has no table {table!r}", f"Ask for one of {', '.join(_SCHEMAS)}")
        rows = pa.concat_tables([pq.read_table(part) for part in parts(self.path / table)])
        frame = rows.to_pandas()
        if table == "findings":
            texts = rows.column("attributes").to_pylist()
            frame["attributes"] = Series([json.loads(text) if text else {} for text in texts], dtype=object)
        return frame

    def __repr__(self) -> str:
        counts = self.info.get("counts", {})
        told = ", ".join(f"{counts[name]:,} {name}" for name in _SCHEMAS if name in counts)
        return f"<Run {self.path}: {told}>"


_AGAIN = "Run caseframe extract again with -o {} --overwrite"


def open_run(path: str | Path) -> Run:
    """Opens what `caseframe extract` wrote; raises RunError where it is not there, not finished, or cannot be read."""
    return Run(path)


def _finished(path: Path) -> dict[str, Any]:
    """The content of `run.json` of a finished run."""
    try:
        info = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except OSError:
        raise RunError(f"{path} holds no run", "Give the directory that caseframe extract wrote with -o") from None
    except ValueError:
        raise RunError(f"{path / 'run.json'} cannot be read", _AGAIN.format(path)) from None
    if not isinstance(info, dict) or not isinstance(info.get("config"), dict):
        raise RunError(f"{path / 'run.json'} describes no run", _AGAIN.format(path))
    if info.get("state") != "finished":
        raise RunError(
            f"{path} is not finished",
            "Wait until caseframe extract has ended; if it was broken off, go on with the same command and --resume",
        )
    return info


def _check_columns(part: Path, table: TableName, version: str) -> None:
    try:
        names = set(pq.read_schema(part).names)
    except (OSError, pa.ArrowInvalid):
        raise RunError(f"{part} is broken", _AGAIN.format(part.parent.parent)) from None
    if missing := [name for name in _SCHEMAS[table].names if name not in names]:
        raise RunError(
            f"{part} has no column {missing[0]!r}: CaseFrame {version} wrote this run",
            _AGAIN.format(part.parent.parent),
        )


def _by_article(part: Path) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in read_part(part):
        grouped.setdefault(str(row["article_id"]), []).append(row)
    return grouped
