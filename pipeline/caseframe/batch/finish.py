"""The end of a run: what no longer counts is dropped, failures are gathered, and the tables that people open are made.

All of it can be done again from the start, to the same result, when it was broken off.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from caseframe.batch.fates import Tally
from caseframe.batch.ledger import decide
from caseframe.batch.rundir import FAILURES, LEDGER_FOLDER, TABLES, drop_scratch, failures_file, ledger_file, part_file
from caseframe.config import OutputConfig
from caseframe.tables.database import write_views
from caseframe.tables.delimited import write_csv
from caseframe.tables.parquet import count_rows, drop_articles, parts, read_rows, whole_file, write_part
from caseframe.tables.rows import ARTICLES, FINDINGS, cases_schema
from caseframe.tables.workbook import write_workbook


def settle(out: Path, shards: Sequence[int]) -> dict[int, Tally]:
    """Drops from the parts what a later word made stale, and gathers the failures; gives the tallies by input."""
    drop_scratch(out)
    tallies: dict[int, Tally] = {}
    scratch = out / f"{LEDGER_FOLDER}.tmp"
    with decide([ledger_file(out, number) for number in shards], scratch) as verdict:
        for stale in verdict.stale():
            for table in TABLES:
                drop_articles(part_file(out, table, stale.shard, stale.chunk), stale.article_ids)
        for fate in verdict.fates():
            tallies.setdefault(fate.input, Tally()).add(fate)
    shutil.rmtree(scratch, ignore_errors=True)
    with whole_file(out / FAILURES) as stream:
        for number in shards:
            stream.write(failures_file(out, number).read_bytes())
    return tallies


def write_tables(out: Path, config: OutputConfig, *, views: bool = True) -> dict[str, int]:
    """Writes the further tables that the config asks for; gives the rows of cases and findings.

    `views`: whether the folder stays where it is, so that DuckDB's views can name its files.
    """
    schema = cases_schema(evidence=config.evidence)
    if not parts(out / "articles"):
        # Tables without rows, so that views and readers find their columns.
        for table, columns in (("findings", FINDINGS), ("cases", schema), ("articles", ARTICLES)):
            write_part(part_file(out, table, 0, 0), [], columns)
    if "csv" in config.formats:
        write_csv(out / "cases.csv", read_rows(out / "cases"), schema.names)
        write_csv(out / "findings.csv", read_rows(out / "findings"), FINDINGS.names)
    if "xlsx" in config.formats:
        write_workbook(
            out / "evidence.xlsx",
            cases=read_rows(out / "cases"),
            findings=read_rows(out / "findings"),
            articles=read_rows(out / "articles"),
            case_columns=schema.names,
        )
    if views and "duckdb" in config.formats:
        write_views(out, out / "caseframe.duckdb")
    return {table: count_rows(out / table) for table in ("cases", "findings")}
