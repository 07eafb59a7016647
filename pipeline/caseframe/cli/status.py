"""`caseframe status`: how a run stands, as a table or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from caseframe.batch.status import RunStatus, run_status

_TOLD = {
    "planning": "looking at the inputs",
    "extracting": "at work",
    "finishing": "at work on the last tables",
    "finished": "finished",
    "broken off": "broken off: no process works on it; go on with the same command and --resume",
}


def status(
    run: Annotated[str, typer.Argument(help="Run directory, or the URL of one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print how a run stands, while it works too: shards, records, rate, time to go, failures."""
    found = run_status(run)
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
    else:
        Console().print(_table(found), highlight=False)


def _table(status: RunStatus) -> Table:
    """What a person wants to know."""
    table = Table(title=status.path, title_justify="left", show_header=False, box=None)
    rows = [
        ("state", _TOLD[status.state]),
        ("shards", f"{status.shards_done:,} of {status.shards:,} done"),
        ("records", f"{status.records:,} read, {status.rate:,.0f} a second"),
        ("time", _duration(status.seconds) + _remaining(status)),
        ("failed", f"{status.failed:,}" + "".join(f"; {name} {count:,}" for name, count in status.failures.items())),
    ]
    if status.state in ("planning", "extracting", "finishing") and status.pid is not None:
        workers = "worker" if status.workers == 1 else "workers"
        rows.append(("process", f"{status.pid} on {status.host}, engine {status.engine}, {status.workers} {workers}"))
    if status.peak_mib:
        rows.append(("processor", f"{_duration(status.cpu_seconds)} in finished shards"))
        rows.append(("memory", f"{status.peak_mib:,} MiB at most in one process"))
    for name, text in rows:
        table.add_row(name, Text(text))
    return table


def _remaining(status: RunStatus) -> str:
    return f", about {_duration(status.remaining_seconds)} to go" if status.remaining_seconds is not None else ""


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
