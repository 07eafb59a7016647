"""Writes the generated pages: docs/schema.md from the registry of fields, docs/cli.md from the commands' help,
the table of the shipped lexicons in docs/vocabulary.md from their files.

    python docs/generate.py [--check]

With `--check` nothing is written; the exit code is 1 where a page is not what it should be.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from typer.main import get_command

from caseframe import schema
from caseframe.cli import app
from caseframe.lexicons.inventory import inventory

DOCS = Path(__file__).resolve().parent
_TABLE, _TABLE_END = "<!-- made by make docs from the files; do not edit -->", "<!-- end -->"


def pages() -> dict[Path, str]:
    """Path and content of every generated page."""
    made = {"schema.md": schema_page(), "cli.md": cli_page(), "vocabulary.md": vocabulary_page()}
    return {DOCS / name: "\n".join(lines) + "\n" for name, lines in made.items()}


def schema_page() -> Iterator[str]:
    yield "# The case-report schema"
    yield ""
    yield "Generated from `caseframe.schema` by `make docs`; do not edit."
    yield ""
    yield (DOCS / "schema_intro.md").read_text(encoding="utf-8").strip()
    yield ""
    yield "## Fields"
    yield ""
    yield "| field | of the | values | kind | what it holds |"
    yield "|---|---|---|---|---|"
    for spec in schema.FIELDS.values():
        kind = f"{spec.type} in {spec.unit}s" if spec.unit else spec.type
        if spec.choices:
            kind = ", ".join(f"`{choice}`" for choice in spec.choices)
        yield f"| `{spec.name}` | {spec.level} | {'many' if spec.many else 'one'} | {kind} | {spec.description} |"
    yield ""
    yield "## Attributes"
    yield ""
    yield "| field | attribute | kind | what it says |"
    yield "|---|---|---|---|"
    for spec in schema.FIELDS.values():
        for name, attribute in spec.attributes.items():
            kind = f"{attribute.type} in {attribute.unit}" if attribute.unit else attribute.type
            if attribute.choices:
                kind = ", ".join(f"`{choice}`" for choice in attribute.choices)
            yield f"| `{spec.name}` | `{name}` | {kind} | {attribute.description} |"
    yield ""
    yield "## Records"
    for record in (schema.Article, schema.Section, schema.Extraction, schema.Case, schema.Finding, schema.Failure):
        yield ""
        yield f"### {record.__name__}"
        yield ""
        yield (record.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        yield ""
        yield "Holds " + ", ".join(f"`{name}`" for name in record_fields(record)) + "."


def record_fields(record: type) -> list[str]:
    assert is_dataclass(record)
    return [each.name for each in fields(record)]


def cli_page() -> Iterator[str]:
    yield "# The command line"
    yield ""
    yield "Generated from the commands' own help by `make docs`; do not edit."
    yield ""
    yield "Exit codes: 0 all went well; 1 an error ended the command; 2 wrong usage; 3 the run ended, but some records"
    yield "failed; 130 stopped by Ctrl-C."
    for name, command in commands("caseframe", get_command(app)):
        yield ""
        yield f"## {name}"
        yield ""
        yield (command.help or "").strip()
        yield ""
        yield "| argument or option | what it does |"
        yield "|---|---|"
        for parameter in command.params:
            names = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
            if parameter.param_type_name == "argument":
                names = f"`{str(parameter.name).upper()}`"
            text = getattr(parameter, "help", "") or ""
            if names != "`--help`":
                yield f"| {names} | {text} |"


def commands(name: str, group: Any) -> Iterator[tuple[str, Any]]:
    for own, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(f"{name} {own}", command)
        else:
            yield f"{name} {own}", command


def vocabulary_page() -> Iterator[str]:
    """The page as it stands, with its table of the shipped lexicons anew."""
    before, _, rest = (DOCS / "vocabulary.md").read_text(encoding="utf-8").partition(_TABLE)
    yield f"{before}{_TABLE}"
    yield ""
    yield "| file | field | concepts | words for them | with a code | codes from | reviewed |"
    yield "|---|---|---|---|---|---|---|"
    total = Counter[str]()
    for row in inventory():
        figures = f"{row.concepts:,} | {row.words:,} | {row.coded:,}"
        systems = ", ".join(f"{system} {count:,}" for system, count in row.codes)
        yield f"| `{Path(row.lexicon).name}` | {row.field} | {figures} | {systems} | {row.reviewed} |"
        total.update(concepts=row.concepts, words=row.words, coded=row.coded)
    yield f"| all | | {total['concepts']:,} | {total['words']:,} | {total['coded']:,} | | |"
    yield ""
    yield f"{_TABLE_END}{rest.partition(_TABLE_END)[2]}".removesuffix("\n")


def main() -> int:
    wrong = [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in wrong:
            print(f"{path.name} is not up to date: make docs")
        return 1 if wrong else 0
    for path in wrong:
        path.write_text(pages()[path], encoding="utf-8")
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
