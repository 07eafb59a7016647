"""What a review leaves: corrected tables, the history, agreement, and gold that `caseframe evaluate` reads."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from ruamel.yaml import YAML

from caseframe.errors import OutputError, OutputExists, ReviewError
from caseframe.evaluation.loaders import load_fields
from caseframe.review.agreement import Kappa, kappas
from caseframe.review.corrected import (
    CELL_NOTES,
    CELLS,
    cases_table,
    cell_rows,
    gold_record,
    reviewed_case_rows,
    text_record,
)
from caseframe.review.progress import Progress, progress_of
from caseframe.review.runs import Run, open_reviewed
from caseframe.review.settled import Pair, Settled, settle
from caseframe.review.store import Store, open_store
from caseframe.tables.delimited import write_csv
from caseframe.tables.files import whole_file
from caseframe.tables.parquet import write_part
from caseframe.tables.rows import Row
from caseframe.tables.workbook import write_sheets

FORMATS = ("csv", "xlsx", "parquet")
FOLDER = "reviewed"
_GOLD, _TEXTS, _JOB = "gold.jsonl", "texts.jsonl", "evaluate.yaml"
_AT_ONCE = 500
_KAPPA_COLUMNS: dict[str, pa.DataType] = {
    "reviewers": pa.string(),
    "field": pa.string(),
    "units": pa.int32(),
    "agreed": pa.int32(),
    "agreement": pa.float64(),
    "kappa": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
}
_HISTORY_COLUMNS: dict[str, pa.DataType] = {
    "step": pa.int64(),
    "at": pa.string(),
    "reviewer": pa.string(),
    "role": pa.string(),
    "article_id": pa.string(),
    "seconds": pa.float64(),
    "undoes": pa.int64(),
    "kind": pa.string(),
    "finding": pa.string(),
    "case_number": pa.int32(),
    "field": pa.string(),
    "machine": pa.string(),
    "reading": pa.string(),
    "comment": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and how far the review is."""

    path: Path
    articles: Counter[str]
    """Articles by how they were reviewed."""
    cells: Counter[str]
    """Cells by what became of them."""
    gold: int
    """Articles in the gold file."""
    unfit: tuple[str, ...]
    """Reviewed articles whose text cannot be rebuilt from title and sections, so that they are in no gold."""
    kappas: dict[tuple[str, str], list[Kappa]]
    progress: dict[str, Progress]


def export_review(
    run: Path, out: Path | None = None, *, formats: Sequence[str] = FORMATS, overwrite: bool = False
) -> Exported:
    """Writes the reviewed tables of a run to `out` (default: `reviewed` in the run).

    Raises ReviewError where nobody has finished an article or a format is unknown, OutputExists where `out` holds
    something and `overwrite` is not set, OutputError where it cannot be written.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ReviewError(f"unknown format {unknown[0]!r} of a reviewed run", f"The formats are {', '.join(FORMATS)}")
    opened, store = open_reviewed(run), open_store(run, read_only=True)
    done = {key: names for key, names in store.finished().items() if names}
    if not done:
        raise ReviewError(f"{store.path}: no article is finished", "Finish at least one with caseframe review")
    folder = out or run / FOLDER
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not overwrite:
        raise OutputExists(f"{folder} is not empty", "Give another -o, or --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _export(opened, store, done, folder, formats)
    except OSError as error:
        raise OutputError(
            f"{folder}: {error.strerror or error}", "Give a folder that can be written with -o"
        ) from error


def _export(
    run: Run, store: Store, done: dict[tuple[str, str], list[str]], folder: Path, formats: Sequence[str]
) -> Exported:
    settled: list[Settled] = []
    pairs: dict[tuple[str, str], list[Pair]] = {}
    ids = sorted(entry.article_id for entry in run.entries)
    for first_of_batch in range(0, len(ids), _AT_ONCE):
        settled += settle(store, run.found_of(ids[first_of_batch : first_of_batch + _AT_ONCE]), done)
    for each in settled:
        if each.pair:
            first, second = sorted(each.pair.reviewers)
            pairs.setdefault((first, second), []).append(each.pair)
    agreement = {
        names: kappas(unit for pair in group for unit in pair.units_for(names)) for names, group in pairs.items()
    }
    cells = [row for each in settled for row in cell_rows(each)]
    tables: dict[str, tuple[list[Row], pa.Schema]] = {
        "cases": ([row for each in settled for row in reviewed_case_rows(each)], cases_table()),
        "cells": (cells, CELLS),
        "agreement": (list(_kappa_rows(agreement)), pa.schema(_KAPPA_COLUMNS)),
        "history": (list(store.log()), pa.schema(_HISTORY_COLUMNS)),
    }
    _write_tables(folder, tables, formats)
    gold, unfit = _write_gold(folder, run, settled)
    return Exported(
        folder,
        Counter(each.state for each in settled),
        Counter(str(row["state"]) for row in cells),
        gold,
        tuple(unfit),
        agreement,
        {name: progress_of(run.entries, store.work(name), name, done) for name in store.names()},
    )


def _kappa_rows(agreement: dict[tuple[str, str], list[Kappa]]) -> Iterable[Row]:
    for names, rows in agreement.items():
        for row in rows:
            yield {
                "reviewers": ", ".join(names), "field": row.field, "units": row.units, "agreed": row.agreed,
                "agreement": row.share, "kappa": row.kappa, "low": row.low, "high": row.high,
            }  # fmt: skip


def _write_tables(folder: Path, tables: dict[str, tuple[list[Row], pa.Schema]], formats: Sequence[str]) -> None:
    for name, (rows, schema) in tables.items():
        if "csv" in formats:
            write_csv(folder / f"{name}.csv", rows, schema.names)
        if "parquet" in formats:
            write_part(folder / f"{name}.parquet", rows, schema)
    if "xlsx" in formats:
        notes: list[Row] = [{"column": name, "explanation": note} for name, note in CELL_NOTES.items()]
        sheets = {name.capitalize(): (rows, schema.names) for name, (rows, schema) in tables.items()}
        sheets["Columns"] = (notes, ["column", "explanation"])
        write_sheets(folder / "reviewed.xlsx", "CaseFrame reviewed tables", sheets)


def _write_gold(folder: Path, run: Run, settled: Sequence[Settled]) -> tuple[int, list[str]]:
    """Gold, texts and an evaluation job of what is settled; gives how many articles, and which do not fit."""
    ready = [each for each in settled if each.state in ("one reviewer", "two reviewers")]
    unfit = [each.found.article_id for each in ready if not _fits(each)]
    ready = [each for each in ready if _fits(each)]
    _write_lines(folder / _GOLD, (gold_record(each) for each in ready))
    _write_lines(folder / _TEXTS, (text_record(each) for each in ready))
    if ready:
        load_fields(folder / _GOLD, folder / _TEXTS)  # what cannot be read again must not be left behind unseen
    job = {
        "datasets": [{"name": "reviewed", "loader": "fields", "gold": _GOLD, "texts": _TEXTS}],
        "systems": [{"name": "extracted", "run": os.path.relpath(run.path.resolve(), folder.resolve())}],
    }
    with (folder / _JOB).open("w", encoding="utf-8") as stream:
        YAML().dump(job, stream)
    return len(ready), unfit


def _fits(settled: Settled) -> bool:
    """Whether title and sections make the text again, as gold files need it."""
    found = settled.found
    parts = [found.title, *(found.text[each.start : each.end] for each in found.sections)]
    return "\n".join(part for part in parts if part) == found.text


def _write_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    with whole_file(path) as stream:
        stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
