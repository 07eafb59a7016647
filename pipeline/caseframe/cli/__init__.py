"""The command line: one module or function a command. It chooses; it holds no logic of its own.

Exit codes: 0 all went well; 1 an error ended the command; 2 wrong usage; 3 the run ended, but some records failed;
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from caseframe._version import __version__
from caseframe.batch.engines import EngineName
from caseframe.batch.run import Progress as OnProgress
from caseframe.batch.run import RunSummary, run_extraction
from caseframe.cli.export import EPILOG as EXPORT_EPILOG
from caseframe.cli.export import export
from caseframe.cli.lexicon import lexicon
from caseframe.cli.report import EPILOG as REPORT_EPILOG
from caseframe.cli.report import report
from caseframe.cli.review import EPILOG as REVIEW_EPILOG
from caseframe.cli.review import review
from caseframe.cli.status import status
from caseframe.config import ExtractConfig, load_extract_config
from caseframe.errors import CaseFrameError
from caseframe.schema import CASE_FIELDS, FIELDS, Failure
from caseframe.tables.run import CaseView, find_cases

app = typer.Typer(
    help="Turns dumps of biomedical case reports into evidence tables in which every cell is traceable to its words.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
_out = Console()
_err = Console(stderr=True)
SOME_FAILED = 3
STOPPED = 130
_SHOWN = 5
Told = TypeVar("Told")
OnArticle = Callable[[str, str, int, int], None]
OnStep = Callable[[str, int, int], None]
_DEBUG = "--debug"


def main() -> None:
    """Entry point of the console script: errors print as one line, with a traceback only under `--debug`."""
    debug = _DEBUG in sys.argv
    try:
        app()
    except CaseFrameError as error:
        if debug:
            raise
        _err.print(Text(f"caseframe: {error}"), soft_wrap=True)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        _out.print(f"caseframe {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
    debug: Annotated[bool, typer.Option(_DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    """Turns dumps of biomedical case reports into evidence tables in which every cell is traceable to its words."""


@app.command(
    epilog="Example: [bold]caseframe extract pubmed/*.xml.gz -o outputs/sarcoma --where 'year>=2010' "
    "--where words=osteosarcoma[/bold]"
)
def extract(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders, archives or URLs of articles, in any supported format; - is standard input."
        ),
    ],
    out: Annotated[str, typer.Option("-o", "--out", help="Run directory to make, or a URL such as s3://bucket/run.")],
    config: Annotated[
        Path | None,
        typer.Option("-c", "--config", help="YAML file; default: the shipped configs/extract/default.yaml."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="Condition, all must hold: year>=2010, words=osteosarcoma; diagnosis=sarcoma (and kinds of it)."
        ),
    ] = None,
    lexicon: Annotated[
        list[str] | None, typer.Option(help="Lexicon file (TSV) to add to those of the config; repeatable.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many articles.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of the files, when it should not be guessed.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a run that is there already.")] = False,
    resume: Annotated[bool, typer.Option(help="Continue a run that was broken off.")] = False,
    engine: Annotated[
        EngineName | None,
        typer.Option(help="Who does the work: inline (this process), local (worker processes), ray (a cluster)."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that work at a time; more than one means --engine local.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Address of a Ray cluster: auto, or HOST:PORT.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress and no summary.")] = False,
) -> None:
    """Read articles, extract their cases, write the evidence tables."""
    settings = _with_options(load_extract_config(config), where or [], lexicon or [], limit, format)
    with _progress(quiet, _record_bar) as progress:
        try:
            summary = run_extraction(
                list(paths),
                out,
                settings,
                overwrite=overwrite,
                resume=resume,
                engine=engine,
                workers=workers,
                address=address,
                progress=progress,
            )
        except KeyboardInterrupt:
            told = f"caseframe: stopped. Go on with the same command and --resume; see caseframe status {out}"
            _err.print(Text(told), soft_wrap=True)
            raise typer.Exit(STOPPED) from None
    if not quiet:
        _summarise(summary)
    if summary.failed:
        _report_failures(summary)
        raise typer.Exit(SOME_FAILED)


app.command()(status)


@app.command()
def show(
    article: Annotated[str, typer.Argument(help="PMID, or another article id as it stands in the tables.")],
    run: Annotated[Path, typer.Argument(help="Run directory.")],
) -> None:
    """Print the cases of one article with the words behind each cell."""
    for case in find_cases(run, article):
        _print_case(case)


app.command(epilog=REPORT_EPILOG)(report)


@app.command(
    epilog="Example: [bold]caseframe evaluate configs/evaluate/casebook.yaml -o outputs/casebook "
    "--fail-under field.micro.relaxed_f1=0.60[/bold]"
)
def evaluate(
    config: Annotated[Path, typer.Argument(help="YAML file: data sets, systems, metrics, gates.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write metrics, errors and reports to.")],
    fail_under: Annotated[
        list[str] | None,
        typer.Option(help="Gate, PATH=VALUE, e.g. field.micro.relaxed_f1=0.60; below it the exit code is 1."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an evaluation that is there already.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress and no tables.")] = False,
) -> None:
    """Run systems on annotated data sets and measure them, with intervals and every error as a row."""
    from caseframe.cli.figures import evaluation_tables  # scipy and matplotlib take their time to load
    from caseframe.evaluation.job import load_job, parse_gates
    from caseframe.evaluation.run import run_evaluation

    job = load_job(config)
    job = job.model_copy(update={"gates": {**job.gates, **parse_gates(fail_under or [])}})
    with _progress(quiet, _article_bar) as progress:
        summary = run_evaluation(job, out, overwrite=overwrite, progress=progress)
    if not quiet:
        _out.print(evaluation_tables(summary.metrics), highlight=False)
        _out.print(Text(str(out)))
    _end_evaluation(summary.failures, summary.below)


@app.command(
    epilog="Example: [bold]caseframe compare outputs/before outputs/after[/bold]; of a folder with several systems, "
    "[bold]outputs/peers:caseframe outputs/peers:medspacy[/bold]"
)
def compare(
    evaluations: Annotated[
        list[str],
        typer.Argument(help="Two or more folders that caseframe evaluate wrote, FOLDER or FOLDER:SYSTEM; A is first."),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write the comparison to, items and reports.")
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(help="Gate on the last one's metrics, PATH=VALUE; below it the exit code is 1."),
    ] = None,
    items: Annotated[int, typer.Option(min=0, help="Print so many newly right and newly wrong items.")] = 10,
    overwrite: Annotated[bool, typer.Option(help="Replace a comparison that is there already.")] = False,
) -> None:
    """Compare evaluations of the same articles: differences with intervals and p-values, what became right or wrong."""
    from caseframe.cli.figures import comparison_tables
    from caseframe.evaluation.differences import run_comparison
    from caseframe.evaluation.job import parse_gates

    summary = run_comparison(evaluations, out, gates=parse_gates(fail_under or []), overwrite=overwrite)
    for comparison in summary.comparisons:
        _out.print(comparison_tables(comparison, items), highlight=False)
    _end_evaluation((), summary.below)


@app.command(
    epilog="Example: [bold]caseframe train configs/train/entities.yaml -o outputs/entities[/bold]; then "
    "[bold]pipeline: {entities: outputs/entities}[/bold] in the config of extract"
)
def train(
    config: Annotated[Path, typer.Argument(help="YAML file: corpora, dev set, vectors, teachers, student.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write the weights and meta.json to.")],
    work: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps the steps, so that a job that was broken off goes on; default: OUT.work."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress and no figures.")] = False,
) -> None:
    """Train the learned entities on annotated corpora and unmarked articles."""
    from caseframe.cli.figures import training_table
    from caseframe.training.job import load_training
    from caseframe.training.run import run_training

    job = load_training(config)
    with _progress(quiet, _step_bar) as progress:
        trained = run_training(job, out, work or Path(f"{out.absolute()}.work"), progress=progress)
    if not quiet:
        _out.print(training_table(job.dev.name, trained.metrics), highlight=False)
        _out.print(Text(f"{out}, {trained.seconds:.0f} s"))


app.add_typer(lexicon, name="lexicon")
app.command(epilog=REVIEW_EPILOG)(review)
app.command(epilog=EXPORT_EPILOG)(export)


def _with_options(
    config: ExtractConfig, where: list[str], lexicons: list[str], limit: int | None, format: str | None
) -> ExtractConfig:
    select = config.select.model_copy(
        update={"where": (*config.select.where, *where), "limit": limit or config.select.limit}
    )
    reading = config.input.model_copy(update={"format": format or config.input.format})
    words = config.pipeline.model_copy(update={"lexicons": (*config.pipeline.lexicons, *lexicons)})
    return config.model_copy(update={"select": select, "input": reading, "pipeline": words})


@contextmanager
def _record_bar() -> Iterator[OnProgress]:
    """A progress line: input, records, rate, failures. A terminal only."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} records"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("reading", total=None, rate=0.0, failed=0)

        def update(source: str, counts: Counter[str]) -> None:
            elapsed = bar.tasks[0].elapsed
            rate = counts["read"] / elapsed if elapsed else 0.0
            name = source if len(source) <= 40 else f"…{source[-39:]}"
            bar.update(task, completed=counts["read"], description=name, rate=rate, failed=counts["failed"])

        yield update


@contextmanager
def _article_bar() -> Iterator[OnArticle]:
    """A progress bar for each system on each data set. A terminal only."""
    with _step_bar() as update:
        yield lambda dataset, system, done, total: update(f"{system} on {dataset}", done, total)


@contextmanager
def _step_bar() -> Iterator[OnStep]:
    """A progress bar for each step. A terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def update(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done)

        yield update


def _progress(quiet: bool, bar: Callable[[], AbstractContextManager[Told]]) -> AbstractContextManager[Told | None]:
    return nullcontext(None) if quiet or not _err.is_terminal else bar()


def _summarise(summary: RunSummary) -> None:
    counts = summary.counts
    table = Table(title=f"{summary.path}", title_justify="left", show_header=False, box=None)
    rows = (
        ("records read", counts["read"]),
        ("articles extracted", counts["articles"]),
        ("superseded by a later record", counts["superseded"]),
        ("deletions", counts["deleted"]),
        ("left out by conditions", counts["filtered"]),
        ("screened out", counts["screened_out"]),
        ("failed", counts["failed"]),
        ("cases", counts["cases"]),
        ("findings", counts["findings"]),
    )
    for name, count in rows:
        if count or name in ("records read", "articles extracted", "failed"):
            table.add_row(name, f"{count:,}")
    table.add_row("seconds", f"{summary.seconds:.1f}")
    _out.print(table, highlight=False)


def _end_evaluation(failures: Sequence[Failure], below: Sequence[str]) -> None:
    """Says what failed; gates outweigh articles in the exit code."""
    for failure in failures[:_SHOWN]:
        _print_failure(failure)
    for line in below:
        _err.print(Text(f"caseframe: {line}"), soft_wrap=True)
    if below:
        raise typer.Exit(1)
    if failures:
        articles = "article" if len(failures) == 1 else "articles"
        _err.print(Text(f"caseframe: {len(failures)} {articles} failed; they count as empty"), soft_wrap=True)
        raise typer.Exit(SOME_FAILED)


def _print_failure(failure: Failure) -> None:
    _err.print(Text(f"{failure.origin}: {failure.message.rstrip('.')}. {failure.cure}".rstrip()), soft_wrap=True)


def _report_failures(summary: RunSummary) -> None:
    for failure in summary.first_failures:
        _print_failure(failure)
    records = "record" if summary.failed == 1 else "records"
    line = f"caseframe: {summary.failed} {records} failed, see {summary.path}/failures.jsonl"
    _err.print(Text(line), soft_wrap=True)


def _print_case(case: CaseView) -> None:
    _out.print(Text(case.title, style="bold"))
    _out.print(Text(f"{case.case_id}  {case.kind}  {case.journal} {case.year or ''}".rstrip(), style="dim"))
    table = Table(show_lines=False, pad_edge=False)
    for column in ("field", "value", "assertion", "words", "where"):
        table.add_column(column, overflow="fold")
    for name in ("study_design", "n_patients", *CASE_FIELDS):
        for finding in case.findings.get(name, []):
            table.add_row(
                FIELDS[name].label,
                Text(finding.shown),
                finding.assertion,
                Text(f"“{finding.text}”"),
                f"{finding.section} {finding.start}–{finding.end}".strip(),
            )
    _out.print(table)
