"""DuckDB: a small file of views over a run's Parquet tables."""

from __future__ import annotations

from pathlib import Path

import duckdb

from caseframe.tables.files import whole

TABLES = ("articles", "cases", "findings")


def write_views(folder: Path, path: Path) -> None:
    """Makes `caseframe.duckdb` with one view a table, and `evidence`, which joins findings to their article.

    The views name the Parquet files by absolute path: call this again after moving a run (`extract --resume` does).
    """
    with whole(path) as temporary:
        temporary.unlink(missing_ok=True)
        with duckdb.connect(str(temporary)) as connection:
            for table in TABLES:
                pattern = str(folder.resolve() / table / "part-*.parquet").replace("'", "''")
                connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{pattern}')")
            connection.execute(
                "CREATE VIEW evidence AS SELECT a.title, a.journal, a.year, f.* "
                "FROM findings f JOIN articles a USING (article_id)"
            )
