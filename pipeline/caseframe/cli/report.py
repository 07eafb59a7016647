"""`caseframe report`: a finished run as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = "Example: [bold]caseframe report outputs/sarcoma[/bold], then open outputs/sarcoma/report.html"


def report(
    run: Annotated[Path, typer.Argument(help="Run directory that caseframe extract wrote.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="HTML file to write, pictures beside it; default: RUN/report.html."),
    ] = None,
) -> None:
    """Write the report of a run: flow of records, evidence table, pictures, survival, all in one page."""
    from caseframe.report.page import write_report  # matplotlib and scipy take their time to load
    from caseframe.tables.evidence import open_run

    written = write_report(open_run(run), out)
    if written.cases_left_out:
        typer.echo(
            f"The table of the page lacks {written.cases_left_out:,} of {written.cases:,} cases; pictures have all"
        )
    typer.echo(f"{written.page}, pictures in {written.pictures}")
