"""`caseframe export`: a run, as it is or as it was reviewed, for those who go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from caseframe.review.export import Exported

EPILOG = (
    "Example: [bold]caseframe export outputs/sarcoma --format ris,revman[/bold]; after a review "
    "[bold]caseframe export outputs/sarcoma --reviewed[/bold], then "
    "[bold]caseframe evaluate outputs/sarcoma/reviewed/evaluate.yaml -o outputs/sarcoma_scores[/bold]"
)
_out = Console()


def export(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="As reviewed: corrected tables, agreement, gold.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder to write to; default: RUN/exports, RUN/reviewed.")
    ] = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            help="Formats, e.g. ris,bibtex: ris, bibtex, revman, checklist, phenopackets, bioc, brat; with --reviewed "
            "csv, xlsx, parquet too. Default: the former, with --reviewed the latter."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an export that is there already.")] = False,
) -> None:
    """Write a run for other tools, or what a review left: each cell with the pipeline's value and the reviewed one."""
    from caseframe.tables.evidence import open_run  # pyarrow takes its time to load
    from caseframe.tables.exports import export_formats, write_exports

    if not reviewed:
        _tell_written(write_exports(open_run(run), out or run / "exports", export_formats(format), overwrite=overwrite))
        return
    from caseframe.review.evidence import ReviewedEvidence
    from caseframe.review.export import FOLDER, FORMATS, export_review

    names = export_formats(format, also=FORMATS) if format else FORMATS
    tables = [name for name in names if name in FORMATS]
    if tables:
        _tell(export_review(run, out, formats=tables, overwrite=overwrite))
    if others := [name for name in names if name not in FORMATS]:
        _tell_written(write_exports(ReviewedEvidence(run), out or run / FOLDER, others, overwrite=overwrite))


def _tell_written(written: Mapping[Path, tuple[int, str]]) -> None:
    for path, (count, things) in written.items():
        _out.print(Text(f"{path}: {count:,} {things}"), soft_wrap=True)


def _tell(done: Exported) -> None:
    from caseframe.review.progress import duration

    table = Table(title=f"{done.path}", title_justify="left", show_header=False, box=None)
    for name in ("two reviewers", "one reviewer", "in dispute", "not reviewed"):
        table.add_row(f"articles, {name}", f"{done.articles[name]:,}")
    table.add_row("articles in gold.jsonl", f"{done.gold:,}")
    for name in ("accepted", "corrected", "added", "rejected"):
        table.add_row(f"cells {name}", f"{done.cells[name]:,}")
    for names, rows in done.kappas.items():
        kappa = rows[-1].kappa
        told = "undefined" if kappa is None else f"{kappa:.2f}"
        table.add_row(f"kappa of {' and '.join(names)}", f"{told} ({rows[-1].units:,} units)")
    for name, each in done.progress.items():
        saved = "too early to tell what was saved" if each.saved_seconds is None else (
            f"{duration(each.saved_seconds)} {'saved' if each.saved_seconds >= 0 else 'lost'}")  # fmt: skip
        table.add_row(f"time of {name}", f"{duration(each.seconds)}, {saved}")
    _out.print(table, highlight=False)
    if done.unfit:
        _out.print(Text(f"{len(done.unfit)} articles are in no gold, since their text has other parts than title and "
                        f"sections: {done.unfit[0]} …"), soft_wrap=True)  # fmt: skip
