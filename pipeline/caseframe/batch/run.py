"""A run: articles in, tables out. Reads input by input, extracts, writes parts, and accounts for every record.

The last word on an article wins: a later record with the same id replaces the earlier one, unless its PMID version is
lower; a deletion removes it. What was replaced or removed in a part already written is dropped when the run ends.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from spacy.language import Language

from caseframe._version import __version__
from caseframe.batch.fates import REASONED, fates_of
from caseframe.batch.rundir import RUN_FILE, Finished, RunDirectory, config_json, open_run, write_json
from caseframe.batch.select import Condition, parse_condition
from caseframe.config import ExtractConfig
from caseframe.errors import NoArticles, ResumeRefused
from caseframe.pipeline import extract_all, load
from caseframe.schema import Article, Deletion, Failure, Record
from caseframe.sources import Input, ReadOptions, iter_inputs, read_input
from caseframe.stages.language import is_english
from caseframe.tables.database import write_views
from caseframe.tables.delimited import write_csv
from caseframe.tables.parquet import count_rows, drop_articles, parts, read_part, read_rows, write_part
from caseframe.tables.rows import ARTICLES, FINDINGS, Row, article_row, case_rows, cases_schema, finding_rows
from caseframe.tables.workbook import write_workbook

# Counted input by input; cases and findings are counted in the finished tables.
INPUT_COUNTS = ("read", "articles", "superseded", "withdrawn", "deleted", "filtered", "screened_out", "failed")
COUNTS = (*INPUT_COUNTS, "cases", "findings")
_SHOWN_FAILURES = 3
_LIBRARIES = ("spacy", "scispacy", "pyarrow", "lxml")

Progress = Callable[[str, Counter[str]], None]
"""Called with the name of the input and the counts so far, after each record."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What came of a run. `read == articles + superseded + filtered + failed + deletions` holds always."""

    path: Path
    counts: dict[str, int]
    seconds: float
    first_failures: tuple[Failure, ...] = ()
    """A few of the failures, for the last lines of a run; all of them stand in `failures.jsonl`."""

    @property
    def failed(self) -> int:
        """Records that could not be read or processed."""
        return self.counts["failed"]


@dataclass(slots=True)
class _Rows:
    article: Row
    cases: list[Row]
    findings: list[Row]
    version: int


@dataclass(slots=True)
class _State:
    """What a run keeps in memory: where each article's last word is, the part being filled, the counts."""

    run: RunDirectory
    counts: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {fate: Counter() for fate in REASONED})
    place: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Article id -> (stem of its part, version)."""
    stale: dict[str, set[str]] = field(default_factory=dict)
    """Stem of a part -> ids of articles in it that no longer count."""
    pending: dict[str, _Rows] = field(default_factory=dict)
    first_failures: list[Failure] = field(default_factory=list)

    def forget(self, article_id: str) -> bool:
        """Takes an article's earlier record out; whether there was one."""
        if self.pending.pop(article_id, None) is not None:
            return True
        known = self.place.pop(article_id, None)
        if known is None:
            return False
        self.stale.setdefault(known[0], set()).add(article_id)
        return True

    def known_version(self, article_id: str) -> int:
        """Version of the record that counts so far, 0 for none."""
        if article_id in self.pending:
            return self.pending[article_id].version
        return self.place.get(article_id, ("", 0))[1]


def run_extraction(
    paths: Sequence[str | Path],
    out: Path,
    config: ExtractConfig | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> RunSummary:
    """Extracts all articles under `paths` into the run directory `out`.

    Raises OutputError and its kin where `out` cannot be used, NoArticles where nothing at all could be read.
    """
    started = time.monotonic()
    config = config or ExtractConfig()
    conditions = [parse_condition(text) for text in config.select.where]
    options = ReadOptions(
        columns=config.input.columns,
        body=config.input.body,
        max_record_bytes=config.input.max_record_mib << 20,
        encoding=config.input.encoding,
    )
    inputs = list(iter_inputs(paths))
    if not inputs:
        raise NoArticles(f"no article in {', '.join(map(str, paths))}", "Give files or folders of a supported format")
    nlp = load(
        config.pipeline.model,
        lexicons=config.pipeline.lexicons,
        builtin_lexicons=config.pipeline.builtin_lexicons,
        entities=config.pipeline.entities,
        fields=config.pipeline.fields,
    )
    state = _State(open_run(out, config, overwrite=overwrite, resume=resume))
    _restore(state, inputs)
    for number, source in enumerate(inputs):
        if number in state.run.finished:
            continue
        records = read_input(source, config.input.format, options)
        if not _read_one(state, nlp, number, source, _selected(state, records, conditions, config), progress):
            break
    _finalise(state, config)
    seconds = time.monotonic() - started
    _describe(state, config, seconds)
    counts = {name: state.counts[name] for name in COUNTS}
    return RunSummary(out, counts, seconds, tuple(state.first_failures))


def _restore(state: _State, inputs: Sequence[Input]) -> None:
    """Takes up the inputs that an earlier, broken run finished; they must be the same as then."""
    for number in sorted(state.run.finished):
        entry = state.run.finished[number]
        if number >= len(inputs) or inputs[number].name != entry.input or inputs[number].sha256() != entry.digest:
            raise ResumeRefused(
                f"{state.run.path}: {entry.input} is another file than the run began with",
                "Resume with the same inputs in the same order, or give another -o",
            )
        state.counts.update(entry.counts)
        for path in state.run.parts_of("articles", number):
            for row in read_part(path, ["article_id", "version"]):
                article_id = str(row["article_id"])
                state.forget(article_id)
                state.place[article_id] = (path.stem, int(str(row["version"])))
        for article_id in entry.deleted:
            state.forget(article_id)


def _selected(
    state: _State, records: Iterable[Record], conditions: Sequence[Condition], config: ExtractConfig
) -> Iterable[Record]:
    """Counts every record and drops the articles that a condition excludes; ends at the limit."""
    for record in records:
        state.counts["read"] += 1
        unmet = isinstance(record, Article) and next((each for each in conditions if not each(record)), None)
        if unmet:
            state.counts["filtered"] += 1
            state.reasons["filtered"][str(unmet)] += 1
            continue
        yield record
        if config.select.limit is not None and state.counts["articles"] >= config.select.limit:
            return


def _read_one(
    state: _State, nlp: Language, number: int, source: Input, records: Iterable[Record], progress: Progress | None
) -> bool:
    """Runs one input; False where the limit of the run is reached."""
    before = Counter(state.counts)
    deleted: list[str] = []
    chunk = 0
    limit = state.run.config.select.limit
    with ExitStack() as zone:
        # The vocabulary forgets the words of a part when the part is written, so that memory stays flat.
        zone.enter_context(nlp.memory_zone())
        for record in records:
            if isinstance(record, Failure):
                _fail(state, number, record)
            elif isinstance(record, Deletion):
                deleted.append(record.article_id)
                _delete(state, record)
            else:
                _take(state, nlp, number, record)
            if len(state.pending) >= state.run.config.output.part_size:
                _write(state, number, chunk)
                chunk += 1
                zone.close()
                zone.enter_context(nlp.memory_zone())
            if progress is not None:
                progress(source.name, state.counts)
    _write(state, number, chunk)
    counts = {name: state.counts[name] - before[name] for name in INPUT_COUNTS}
    state.run.finish(Finished(source.name, number, source.sha256(), counts, deleted))
    return limit is None or state.counts["articles"] < limit


def _delete(state: _State, deletion: Deletion) -> None:
    if state.forget(deletion.article_id):
        state.counts["articles"] -= 1
        state.counts["superseded"] += 1
        state.counts["withdrawn"] += 1
    state.counts["deleted"] += 1


def _take(state: _State, nlp: Language, number: int, article: Article) -> None:
    if article.version < state.known_version(article.article_id):
        state.counts["superseded"] += 1
        return
    (result,) = extract_all(nlp, [article])
    if isinstance(result, Failure):
        _fail(state, number, result)
        return
    doc, extraction = result
    if state.forget(article.article_id):
        state.counts["superseded"] += 1
        state.counts["articles"] -= 1
    output = state.run.config.output
    extraction = extraction.at_least(output.min_confidence)
    rows = _Rows(
        article_row(extraction, english=is_english(doc)),
        case_rows(extraction, evidence=output.evidence),
        finding_rows(extraction),
        article.version,
    )
    state.pending[article.article_id] = rows
    state.counts["articles"] += 1


def _fail(state: _State, number: int, failure: Failure) -> None:
    state.counts["failed"] += 1
    state.reasons["failed"][failure.error] += 1
    state.run.fail(number, failure)
    if len(state.first_failures) < _SHOWN_FAILURES:
        state.first_failures.append(failure)


def _write(state: _State, number: int, chunk: int) -> None:
    """Writes what is pending as one part of each table."""
    if not state.pending:
        return
    run = state.run
    rows = list(state.pending.values())
    part = run.part("articles", number, chunk)
    write_part(run.part("findings", number, chunk), [row for each in rows for row in each.findings], FINDINGS)
    schema = cases_schema(evidence=run.config.output.evidence)
    write_part(run.part("cases", number, chunk), [row for each in rows for row in each.cases], schema)
    write_part(part, [each.article for each in rows], ARTICLES)
    for article_id, each in state.pending.items():
        state.place[article_id] = (part.stem, each.version)
    state.pending.clear()


def _finalise(state: _State, config: ExtractConfig) -> None:
    """Drops what was superseded, then writes the tables that people open."""
    run = state.run
    for stem, ids in sorted(state.stale.items()):
        for table in ("articles", "cases", "findings"):
            drop_articles(run.table(table) / f"{stem}.parquet", ids)
    state.counts["cases"] = count_rows(run.table("cases"))
    state.counts["findings"] = count_rows(run.table("findings"))
    if not parts(run.table("articles")):
        _write_empty(run)
    case_columns = cases_schema(evidence=config.output.evidence).names
    if "csv" in config.output.formats:
        write_csv(run.path / "cases.csv", read_rows(run.table("cases")), case_columns)
        write_csv(run.path / "findings.csv", read_rows(run.table("findings")), FINDINGS.names)
    if "xlsx" in config.output.formats:
        write_workbook(
            run.path / "evidence.xlsx",
            cases=read_rows(run.table("cases")),
            findings=read_rows(run.table("findings")),
            articles=read_rows(run.table("articles")),
            case_columns=case_columns,
        )
    if "duckdb" in config.output.formats:
        write_views(run.path, run.path / "caseframe.duckdb")


def _write_empty(run: RunDirectory) -> None:
    """Tables without rows, so that views and readers find their columns."""
    write_part(run.part("articles", 0, 0), [], ARTICLES)
    write_part(run.part("findings", 0, 0), [], FINDINGS)
    write_part(run.part("cases", 0, 0), [], cases_schema(evidence=run.config.output.evidence))


def _describe(state: _State, config: ExtractConfig, seconds: float) -> None:
    entries = state.run.finished
    write_json(
        state.run.path / RUN_FILE,
        {
            "state": "finished",
            "caseframe": __version__,
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in _LIBRARIES},
            "config": config_json(config),
            "inputs": [
                {"name": entries[n].input, "sha256": entries[n].digest, "counts": entries[n].counts}
                for n in sorted(entries)
            ],
            "counts": {name: state.counts[name] for name in COUNTS},
            "fates": fates_of(state.counts),
            "reasons": {fate: dict(sorted(reasons.items())) for fate, reasons in state.reasons.items()},
            "seconds": round(seconds, 1),
        },
    )
