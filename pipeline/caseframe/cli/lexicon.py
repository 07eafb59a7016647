"""`caseframe lexicon`: terminologies of others become lexicons; which there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from caseframe.errors import ConfigError

EPILOG = (
    "Example: [bold]caseframe lexicon import uberon.obo --field site --source uberon[/bold], then "
    "[bold]caseframe extract … --lexicon lexicons/uberon.tsv[/bold]"
)
FOLDER = Path("lexicons")
lexicon = typer.Typer(
    help="Bring your own vocabulary: import terminologies, list lexicons.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@lexicon.command("import", epilog=EPILOG)
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="OBO, OBO Graphs JSON, OWL, SKOS, OncoTree JSON, FDA product codes, MRCONSO.RRF, CSV, TSV; packed too."
        ),
    ],
    field: Annotated[str, typer.Option(help="Field that the concepts fill.")] = "diagnosis",
    source: Annotated[
        str, typer.Option(help="Name of the lexicon, and of the system of its codes; default: the file's name.")
    ] = "",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of lexicons.")] = FOLDER,
    branch: Annotated[
        list[str] | None, typer.Option(help="Take only this concept, by id or name, and what is under it; repeatable.")
    ] = None,
    related: Annotated[bool, typer.Option("--related", help="Take related synonyms too, not only exact ones.")] = False,
    attribute: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for every concept, instead of the field's own; repeatable.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Tables: KEY=HEADING, KEY one of id, name, synonyms, xrefs, parents; repeatable."),
    ] = None,
    vocabulary: Annotated[
        list[str] | None, typer.Option(help="MRCONSO: take only this source vocabulary; repeatable.")
    ] = None,
    own_names: Annotated[
        bool,
        typer.Option("--own-names", help="Keep the file's names and codes where the shipped lexicons have others."),
    ] = False,
) -> None:
    """Make a lexicon of a terminology: what is dangerous in texts is left out, and listed."""
    from caseframe.lexicons.importing import ImportSettings, import_lexicon

    settings = ImportSettings(
        field=field,
        source=source,
        branches=tuple(branch or ()),
        related=related,
        attributes=_pairs(attribute, "--attribute"),
        columns=_pairs(column, "--column"),
        vocabularies=tuple(vocabulary or ()),
        aligned=not own_names,
    )
    done = import_lexicon(file, out, settings)
    table = Table(title=str(done.path), title_justify="left", show_header=False, box=None)
    rows = [("concepts read", done.read), ("concepts taken", done.taken), ("of the same name, joined", done.merged)]
    rows += [("words for them", done.words), *((f"left out: {why}", n) for why, n in sorted(done.reasons.items()))]
    for told, count in rows:
        table.add_row(told, f"{count:,}")
    console = Console()
    console.print(table, highlight=False)
    if done.reasons:
        console.print(f"What was left out: {done.left_out}", highlight=False, soft_wrap=True)


@lexicon.command("list")
def list_(
    folder: Annotated[Path, typer.Argument(help="Folder of lexicons.")] = FOLDER,
) -> None:
    """List the shipped lexicons and those of a folder: fields, concepts, words, codes."""
    from caseframe.lexicons.inventory import inventory

    table = Table(box=None, pad_edge=False)
    for heading in ("lexicon", "field", "concepts", "words", "with a code", "codes from"):
        table.add_column(heading, justify="right" if heading in ("concepts", "words", "with a code") else "left")
    for row in inventory(folder):
        figures = (f"{row.concepts:,}", f"{row.words:,}", f"{row.coded:,}")
        table.add_row(str(row.lexicon), row.field, *figures, ", ".join(system for system, _ in row.codes))
    Console().print(table, highlight=False)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in given or ()]
    if wrong := [item for item, pair in zip(given or (), pairs, strict=True) if not (pair[0] and pair[2])]:
        raise ConfigError(f"{option} {wrong[0]!r}", f"Write {option} KEY=VALUE")
    return {key: value for key, _, value in pairs}
