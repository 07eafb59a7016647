"""The command line: `caseframe extract`, `caseframe show`. It chooses; it holds no logic of its own.

Exit codes: 0 all went well; 1 an error ended the command; 2 wrong usage; 3 the run ended, but some records failed.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from caseframe._version import __version__
from caseframe.batch.run import Progress as OnProgress
from caseframe.batch.run import RunSummary, run_extraction
from caseframe.config import ExtractConfig, load_extract_config
from caseframe.errors import CaseFrameError
from caseframe.schema import CASE_FIELDS, FIELDS
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
    out: Annotated[Path, typer.Option("-o", "--out", help="Run directory to make.")],
    config: Annotated[
        Path | None,
        typer.Option("-c", "--config", help="YAML file; default: the shipped configs/extract/default.yaml."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Condition on articles, all must hold: year>=2010, type=case reports, words=osteosarcoma."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many articles.")] = None,
    format: Annotated[str | None, typer.Option(help="Format of the files, when it should not be guessed.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a run that is there already.")] = False,
    resume: Annotated[bool, typer.Option(help="Continue a run that was broken off.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print no progress and no summary.")] = False,
) -> None:
    """Read articles, extract their cases, write the evidence tables."""
    settings = _with_options(load_extract_config(config), where or [], limit, format)
    with _progress(quiet) as progress:
        summary = run_extraction(list(paths), out, settings, overwrite=overwrite, resume=resume, progress=progress)
    if not quiet:
        _summarise(summary)
    if summary.failed:
        _report_failures(summary)
        raise typer.Exit(SOME_FAILED)


@app.command()
def show(
    article: Annotated[str, typer.Argument(help="PMID, or another article id as it stands in the tables.")],
    run: Annotated[Path, typer.Argument(help="Run directory.")],
) -> None:
    """Print the cases of one article with the words behind each cell."""
    for case in find_cases(run, article):
        _print_case(case)


def _with_options(config: ExtractConfig, where: list[str], limit: int | None, format: str | None) -> ExtractConfig:
    select = config.select.model_copy(
        update={"where": (*config.select.where, *where), "limit": limit or config.select.limit}
    )
    reading = config.input.model_copy(update={"format": format or config.input.format})
    return config.model_copy(update={"select": select, "input": reading})


class _Bar:
    """A progress line: input, records, rate, failures. A terminal only."""

    def __init__(self) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.completed:,.0f} records"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TextColumn("{task.fields[failed]} failed"),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=_err, transient=True)
        self._task = self._bar.add_task("reading", total=None, rate=0.0, failed=0)

    def __enter__(self) -> OnProgress:
        self._bar.start()
        return self._update

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _update(self, source: str, counts: Counter[str]) -> None:
        task = self._bar.tasks[0]
        rate = counts["read"] / task.elapsed if task.elapsed else 0.0
        name = source if len(source) <= 40 else f"…{source[-39:]}"
        self._bar.update(self._task, completed=counts["read"], description=name, rate=rate, failed=counts["failed"])


def _progress(quiet: bool) -> AbstractContextManager[OnProgress | None]:
    return nullcontext(None) if quiet or not _err.is_terminal else _Bar()


def _summarise(summary: RunSummary) -> None:
    counts = summary.counts
    table = Table(title=f"{summary.path}", title_justify="left", show_header=False, box=None)
    rows = (
        ("records read", counts["read"]),
        ("articles extracted", counts["articles"]),
        ("superseded by a later record", counts["superseded"]),
        ("deletions", counts["deleted"]),
        ("left out by conditions", counts["filtered"]),
        ("failed", counts["failed"]),
        ("cases", counts["cases"]),
        ("findings", counts["findings"]),
    )
    for name, count in rows:
        if count or name in ("records read", "articles extracted", "failed"):
            table.add_row(name, f"{count:,}")
    table.add_row("seconds", f"{summary.seconds:.1f}")
    _out.print(table, highlight=False)


def _report_failures(summary: RunSummary) -> None:
    for failure in summary.first_failures:
        _err.print(Text(f"{failure.origin}: {failure.message.rstrip('.')}. {failure.cure}".rstrip()), soft_wrap=True)
    records = "record" if summary.failed == 1 else "records"
    line = f"caseframe: {summary.failed} {records} failed, see {summary.path / 'failures.jsonl'}"
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
