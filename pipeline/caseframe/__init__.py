"""CaseFrame turns dumps of biomedical case reports into evidence tables in which every cell is traceable to its words.

>>> import caseframe
>>> result = caseframe.extract("A 34-year-old man underwent hemisacrectomy for osteosarcoma of the sacrum.")
>>> [(finding.field, finding.value) for case in result.cases for finding in case.findings if finding.field == "age"]
[('age', 34)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from caseframe._version import __version__
from caseframe.pipeline import assemble, extract_all, extract_article, load
from caseframe.schema import FIELDS, Article, Case, Deletion, Extraction, Failure, FieldSpec, Finding, Record, Section
from caseframe.sources import open_articles
from caseframe.tables.evidence import Run, open_run

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "FIELDS",
    "Article",
    "Case",
    "Extraction",
    "Failure",
    "FieldSpec",
    "Finding",
    "Record",
    "Run",
    "Section",
    "__version__",
    "assemble",
    "evaluate",
    "extract",
    "load",
    "open_run",
    "read",
    "to_frame",
]


def read(*paths: str | Path, format: str | None = None) -> Iterator[Record]:
    """Streams the records of files, folders, archives, URLs: Articles, Deletions, a Failure for each broken one."""
    return open_articles(paths, format=format)


@overload
def extract(source: str | Article) -> Extraction: ...
@overload
def extract(source: Path) -> Iterator[Extraction | Failure]: ...
def extract(source: str | Article | Path) -> Extraction | Iterator[Extraction | Failure]:
    """Extracts the cases of a text or an Article, or streams those of all articles under a Path.

    A string is a text, never a path. Records under a path that cannot be read or processed come as a Failure.
    """
    if isinstance(source, Path):
        return _extract_path(source)
    return extract_article(source)


def _extract_path(path: Path) -> Iterator[Extraction | Failure]:
    records = (record for record in open_articles([path]) if not isinstance(record, Deletion))
    for result in extract_all(load(), records):
        yield result if isinstance(result, Failure) else result[1]


def to_frame(results: Iterable[Extraction | Failure], failures: list[Failure] | None = None) -> DataFrame:
    """A pandas DataFrame, one row a finding; `failures` takes the records that failed, without it the first one raises.

    The columns are those of the `findings` table, with the article's `pmid` and `title`; `attributes` are dicts.
    """
    from caseframe.tables import frame  # pandas takes its time to load

    return frame.to_frame(results, failures)


def evaluate(config: str | Path, out: str | Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Runs an evaluation job (a YAML file) and gives its figures, as metrics.json holds them; `out` is its folder.

    Raises ConfigError, GoldError, ModelError or SystemFailed where it cannot be run. Gates are not applied.
    """
    from caseframe.evaluation.job import load_job  # scipy and matplotlib take their time to load
    from caseframe.evaluation.run import run_evaluation

    return run_evaluation(load_job(Path(config)), Path(out), overwrite=overwrite).metrics
