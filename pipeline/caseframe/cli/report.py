"""`caseframe report`: a finished run as one page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from caseframe.tables.evidence import Evidence

EPILOG = "Example: [bold]caseframe report outputs/sarcoma[/bold], then open outputs/sarcoma/report.html"


def report(
    run: Annotated[Path, typer.Argument(help="Run directory that caseframe extract wrote.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="HTML file to write, pictures beside it; default: RUN/report.html."),
    ] = None,
    reviewed: Annotated[bool, typer.Option("--reviewed", help="Show the values as they stand after a review.")] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Show only cases with this, or what is a kind of it: diagnosis=sarcoma; repeatable."),
    ] = None,
) -> None:
    """Write the report of a run: flow of records, evidence table, pictures, survival, all in one page."""
    from caseframe.report.page import write_report  # matplotlib and scipy take their time to load
    from caseframe.tables.choosing import parse_finding_condition
    from caseframe.tables.evidence import open_run

    conditions = [parse_finding_condition(text) for text in where or ()]
    written = write_report(open_run(run), out, reviewed=_reviewed(run) if reviewed else None, where=conditions)
    if written.cases_left_out:
        typer.echo(
            f"The table of the page lacks {written.cases_left_out:,} of {written.cases:,} cases; pictures have all"
        )
    typer.echo(f"{written.page}, pictures in {written.pictures}")


def _reviewed(run: Path) -> Iterable[Evidence]:
    from caseframe.review.evidence import ReviewedEvidence

    return ReviewedEvidence(run)
