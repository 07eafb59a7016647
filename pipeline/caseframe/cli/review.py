"""`caseframe review`: opens the review page of a run, and says where it is."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from caseframe.errors import ReviewError

EPILOG = (
    "Example: [bold]caseframe review outputs/sarcoma --reviewer Ann[/bold]; when a second reviewer is done, "
    "[bold]caseframe export outputs/sarcoma --reviewed[/bold]"
)
_out = Console()


def review(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1; 0 takes any that is free.")] = 0,
    read_only: Annotated[bool, typer.Option(help="Look at decisions, make none.")] = False,
    reviewer: Annotated[str, typer.Option(help="Name beside each decision; without it the page asks.")] = "",
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Queue only articles with this, or what is a kind of it: diagnosis=sarcoma; repeatable."),
    ] = None,
    merge: Annotated[
        Path | None,
        typer.Option(help="Before that, take over the decisions of another review.sqlite of the same run."),
    ] = None,
) -> None:
    """Check and correct the findings of a run in a local page, alone or as two reviewers with adjudication."""
    try:
        from caseframe.review.server import open_review  # the extra `review`
    except ModuleNotFoundError as error:
        raise ReviewError(f"{error.name} is not installed", "Install it with pip install 'caseframe[review]'") from None
    from caseframe.review.store import merge_reviews
    from caseframe.tables.choosing import parse_finding_condition

    conditions = [parse_finding_condition(text) for text in where or ()]

    if merge is not None:
        _out.print(Text(f"{merge_reviews(run, merge)} steps taken over from {merge}"))
    opened = open_review(run, port=port, read_only=read_only, reviewer=reviewer, where=conditions)
    _out.print(Text(f"{opened.address}\nDecisions are saved in {run / 'review.sqlite'} as you make them; Ctrl+C ends."),
               soft_wrap=True)  # fmt: skip
    opened.serve(started=lambda: _show(opened.address) if browser else None)


def _show(address: str) -> None:
    webbrowser.open(address)
