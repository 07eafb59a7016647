"""Findings as a DataFrame: whole, typed, and with nothing lost unseen."""

import subprocess
import sys

import pandas as pd
import pytest

import caseframe
from caseframe.errors import BrokenRecord
from caseframe.schema import Article, Attributes, Case, Extraction, Failure, Finding, Origin
from caseframe.tables.rows import FINDINGS

ARTICLE = Article.build(title="Hip fracture", abstract=[("", "No pain at 2 years.")], pmid="7")
AGE = Finding("age", 34, "Hip", 0, 3, unit="year")
PLATE = Finding("implant", "plate", "fracture", 4, 12, attributes=Attributes({"material": ("steel", "titanium")}))
PAIN = Finding("complication", "pain", "No pain", 13, 20, assertion="absent", cue=(13, 15), when_days=730.0)
RESULT = Extraction(
    ARTICLE, (Finding("study_design", "case_report", "Hip", 0, 3),), (Case(1, "patient", (AGE, PLATE, PAIN)),)
)
FAILURE = Failure(Origin("a.xml", 3), "read", "BrokenRecord", "it ends early")


def test_one_row_a_finding_with_every_column_of_the_table() -> None:
    frame = caseframe.to_frame([RESULT, RESULT])
    assert list(frame.columns) == ["pmid", "title", *FINDINGS.names]
    assert list(frame.field) == ["study_design", "age", "implant", "complication"] * 2
    assert set(frame.pmid) == {"7"} and set(frame.title) == {"Hip fracture"}
    assert list(frame.case_id[:2]) == ["", "pmid:7/1"]


def test_words_stand_at_their_offsets() -> None:
    for row in caseframe.to_frame([RESULT]).itertuples():
        assert ARTICLE.text[row.start : row.end] == row.text  # type: ignore[misc]


def test_attributes_are_dicts_and_missing_numbers_are_missing() -> None:
    frame = caseframe.to_frame([RESULT]).set_index("field")
    assert frame.attributes["implant"] == {"material": ("steel", "titanium")}
    assert frame.attributes["age"] == {}
    assert frame.number["age"] == 34 and pd.isna(frame.number["implant"])
    assert frame.cue_start["complication"] == 13 and frame.cue_start["age"] is pd.NA
    assert frame.start.dtype == pd.Int32Dtype()


def test_no_result_gives_an_empty_frame_with_the_same_types() -> None:
    empty, full = caseframe.to_frame([]), caseframe.to_frame([RESULT])
    assert len(empty) == 0 and list(empty.dtypes) == list(full.dtypes)


def test_a_failure_raises_or_is_handed_over() -> None:
    with pytest.raises(BrokenRecord, match=r"a\.xml, record 3: it ends early"):
        caseframe.to_frame([RESULT, FAILURE])
    failures: list[Failure] = []
    frame = caseframe.to_frame(iter([RESULT, FAILURE, RESULT]), failures)
    assert len(frame) == 8 and failures == [FAILURE]


def test_pandas_is_loaded_only_when_it_is_needed() -> None:
    code = "import sys, caseframe; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
