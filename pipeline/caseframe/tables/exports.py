"""The formats that a run, or its reviewed tables, can be exported to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from caseframe.errors import ConfigError, OutputError, OutputExists
from caseframe.tables.bioc import write_bioc
from caseframe.tables.brat import write_brat
from caseframe.tables.checklists import write_checklists
from caseframe.tables.evidence import Evidence
from caseframe.tables.phenopackets import write_phenopackets
from caseframe.tables.references import write_bibtex, write_ris
from caseframe.tables.studies import write_studies


@dataclass(frozen=True, slots=True)
class Export:
    """A format: the file or folder it makes, what it holds, who writes it and gives the number of what was written."""

    target: str
    holds: str
    write: Callable[[Iterable[Evidence], Path], int]


EXPORTS: dict[str, Export] = {
    "ris": Export("articles.ris", "references", write_ris),
    "bibtex": Export("articles.bib", "references", write_bibtex),
    "revman": Export("studies.csv", "studies", write_studies),
    "checklist": Export("checklists.csv", "cases", write_checklists),
    "phenopackets": Export("phenopackets", "patients", write_phenopackets),
    "bioc": Export("articles.bioc.json", "articles", write_bioc),
    "brat": Export("brat", "articles", write_brat),
}


def export_formats(texts: Iterable[str] | None, *, also: Sequence[str] = ()) -> tuple[str, ...]:
    """The formats named in texts like `ris,bibtex`; all of `EXPORTS` for none.

    Raises ConfigError for one that is neither there nor in `also`.
    """
    names = tuple(
        dict.fromkeys(name.strip().lower() for text in texts or () for name in text.split(",") if name.strip())
    )
    unknown = [name for name in names if name not in EXPORTS and name not in also]
    if unknown:
        raise ConfigError(f"no export format {unknown[0]!r}", f"The formats are {', '.join((*EXPORTS, *also))}")
    return names or tuple(EXPORTS)


def write_exports(
    records: Iterable[Evidence], out: Path, formats: Sequence[str], *, overwrite: bool = False
) -> dict[Path, tuple[int, str]]:
    """Writes each format to the folder `out`; gives the path of each with how many of what it holds.

    `records` is read once or twice a format: a Run, or anything else that can be iterated again. Raises OutputExists
    where something is there and `overwrite` is not set, OutputError where nothing can be written.
    """
    made: dict[Path, tuple[int, str]] = {}
    try:
        for name in formats:
            _make_room(out / EXPORTS[name].target, overwrite=overwrite)
        for name in formats:
            path = out / EXPORTS[name].target
            made[path] = (EXPORTS[name].write(records, path), EXPORTS[name].holds)
    except OSError as error:
        raise OutputError(
            f"{error.filename or out}: {error.strerror or error}", "Give a folder that can be written with -o"
        ) from error
    return made


def _make_room(path: Path, *, overwrite: bool) -> None:
    """Makes the folder of an export; one of an earlier export goes only with `overwrite`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    if not overwrite:
        raise OutputExists(f"{path} is there already", "Give another -o, or --overwrite to replace it")
    if path.is_dir():
        shutil.rmtree(path)
