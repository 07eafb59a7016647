"""Findings as a pandas DataFrame, for those who go on in Python."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from caseframe.errors import BrokenRecord
from caseframe.schema import Extraction, Failure
from caseframe.tables.rows import FINDINGS, Row, finding_rows

_COLUMNS = pa.schema([pa.field("pmid", pa.string()), pa.field("title", pa.string()), *FINDINGS])


def to_frame(results: Iterable[Extraction | Failure], failures: list[Failure] | None = None) -> pd.DataFrame:
    """One row a finding, with the columns of the `findings` table and the article's `pmid` and `title`.

    `attributes` are dicts here, not JSON. `failures` takes the records that could not be read or processed; without
    such a list the first of them raises BrokenRecord, so that none is lost unseen.
    """
    rows: list[Row] = []
    attributes: list[dict[str, object]] = []
    for result in results:
        if isinstance(result, Failure):
            _note(result, failures)
            continue
        own = {"pmid": result.article.pmid, "title": result.article.title}
        rows.extend(own | row for row in finding_rows(result))
        attributes.extend(dict(finding.attributes) for _, finding in result)
    frame = pa.Table.from_pylist(rows, schema=_COLUMNS).to_pandas(types_mapper=_dtype)
    frame["attributes"] = pd.Series(attributes, index=frame.index, dtype=object)
    return frame


def _dtype(kind: pa.DataType) -> pd.Int32Dtype | None:
    # The offsets of a cue may be missing, which would turn NumPy's integers to floats.
    return pd.Int32Dtype() if kind == pa.int32() else None


def _note(failure: Failure, failures: list[Failure] | None) -> None:
    if failures is None:
        raise BrokenRecord(
            f"{failure.origin}: {failure.message}", "Give to_frame a list as `failures` to go on without such records"
        )
    failures.append(failure)
