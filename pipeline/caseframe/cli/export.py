"""`caseframe export`: a run, as it was reviewed, for those who go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from caseframe.errors import ReviewError

if TYPE_CHECKING:
    from caseframe.review.export import Exported

EPILOG = (
    "Example: [bold]caseframe export outputs/sarcoma --reviewed[/bold], then "
    "[bold]caseframe evaluate outputs/sarcoma/reviewed/evaluate.yaml -o outputs/sarcoma_scores[/bold]"
)
_out = Console()


def export(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="As reviewed: corrected tables, agreement, gold.")
    ] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write to; default: RUN/reviewed.")] = None,
    format: Annotated[
        list[str] | None, typer.Option(help="Tables to write: csv, xlsx, parquet; default: all of them.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an export that is there already.")] = False,
) -> None:
    """Write what a review left: each cell with the pipeline's value, the reviewed one, by whom and when."""
    from caseframe.review.export import FORMATS, export_review  # pyarrow takes its time to load

    if not reviewed:
        raise ReviewError(
            "nothing is asked for", "Give --reviewed; the tables of the run itself stand in its directory"
        )
    done = export_review(run, out, formats=format or FORMATS, overwrite=overwrite)
    _tell(done)


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
