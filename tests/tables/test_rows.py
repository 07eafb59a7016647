from caseframe.schema import Article, Attributes, Case, Extraction, Finding
from caseframe.tables.rows import FINDINGS, article_row, case_rows, cases_schema, cell, describe, finding_rows

ARTICLE = Article.build(title="T", abstract=[("Case", "Foot drop; no infection. Age 34.")], pmid="9")


def finding(field: str, value: str | int, assertion: str = "present", **rest: object) -> Finding:
    return Finding(field, value, "Foot", 2, 6, assertion=assertion, **rest)  # type: ignore[arg-type]


EXTRACTION = Extraction(
    ARTICLE,
    (finding("study_design", "case_report"), finding("n_patients", 1)),
    (
        Case(
            1,
            findings=(
                finding("age", 34, unit="year"),
                finding("complication", "foot drop", attributes=Attributes({"laterality": "left"}), cue=(2, 4)),
                finding("complication", "infection", "absent"),
                finding("comorbidity", "hysterectomy", "historical"),
                finding("comorbidity", "gout", "family"),
            ),
        ),
    ),
)


def test_a_cell_tells_denials_and_history_apart() -> None:
    (row,) = case_rows(EXTRACTION)
    assert row["complication"] == "foot drop; no infection"
    assert row["comorbidity"] == "hysterectomy (history)"
    assert row["age"] == 34 and row["n_patients"] == 1 and row["study_design"] == "case_report"
    assert row["diagnosis"] is None


def test_evidence_columns_on_request() -> None:
    (row,) = case_rows(EXTRACTION, evidence=True)
    assert row["complication_evidence"] == "Foot"
    assert list(row) == cases_schema(evidence=True).names


def test_finding_rows_have_every_column_and_the_articles_own_have_no_case() -> None:
    rows = finding_rows(EXTRACTION)
    assert all(list(row) == FINDINGS.names for row in rows)
    assert [row["case_id"] for row in rows][:3] == ["", "", "pmid:9/1"]
    drop = next(row for row in rows if row["value"] == "foot drop")
    assert drop["attributes"] == '{"laterality": "left"}' and drop["cue_start"] == 2
    assert next(row for row in rows if row["field"] == "age")["number"] == 34.0


def test_article_row_counts() -> None:
    row = article_row(EXTRACTION, english=True)
    assert (row["n_cases"], row["n_findings"], row["sha256"]) == (1, 7, ARTICLE.sha256)


def test_cell_of_nothing_is_empty() -> None:
    assert cell("age", []) is None and cell("sex", []) is None


def test_describe_reads_lists() -> None:
    assert describe({"when_days": 14.0, "material": ["titanium", "PEEK"]}) == "when days: 14; material: titanium, PEEK"
