"""Cases chosen by what was found of them."""

from __future__ import annotations

import pytest

from caseframe.errors import ConfigError
from caseframe.schema import Article, Attributes, Case, Extraction, Finding
from caseframe.tables.choosing import chosen_cases, parse_finding_condition, unmet
from caseframe.tables.rows import case_rows, finding_rows


def finding(field: str, value: str, assertion: str = "present", **rest: object) -> Finding:
    return Finding(field, value, "Two", 0, 3, assertion=assertion, **rest)  # type: ignore[arg-type]


EXTRACTION = Extraction(
    Article.build(title="Two of the desk", abstract=[], pmid="9"),
    (),
    (
        Case(
            1,
            findings=(
                finding("diagnosis", "osteosarcoma"),
                finding("site", "distal femur"),
                finding("comorbidity", "gout", "absent"),
                finding("procedure", "unheard plasty", attributes=Attributes({"category": "reconstruction"})),
            ),
        ),
        Case(2, findings=(finding("diagnosis", "appendicitis"), finding("diagnosis", "liposarcoma", "family"))),
    ),
)
CASES, FINDINGS = case_rows(EXTRACTION), finding_rows(EXTRACTION)


@pytest.mark.parametrize(
    ("conditions", "cases"),
    [
        (["diagnosis=sarcoma"], [1]),
        (["diagnosis=Bone Tumours"], [1]),
        (["diagnosis = osteosarcoma", "site=lower limb"], [1]),
        (["diagnosis=osteosarcoma", "site=hand"], []),
        (["diagnosis!=sarcoma"], [2]),
        (["site=femur"], [1]),
        (["procedure=reconstruction"], [1]),
        (["comorbidity=gout"], []),
        ([], [1, 2]),
    ],
)
def test_cases_are_chosen_by_value_and_by_what_stands_above(conditions: list[str], cases: list[int]) -> None:
    parsed = [parse_finding_condition(text) for text in conditions]
    assert [row["case"] for row in chosen_cases(parsed, CASES, FINDINGS)] == cases
    assert bool(unmet(parsed, CASES, FINDINGS)) == (not cases)


def test_the_first_condition_that_fails_is_told() -> None:
    parsed = [parse_finding_condition(text) for text in ("diagnosis=sarcoma", "site=hand")]
    assert unmet(parsed, CASES, FINDINGS) == "site=hand"
    assert unmet(parsed, [], []) == "diagnosis=sarcoma"


@pytest.mark.parametrize("text", ["", "diagnosis", "diagnosis>sarcoma", "year=2010", "age=3", "diagnosis="])
def test_other_conditions_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="Write FIELD=VALUE"):
        parse_finding_condition(text)


def test_groups_stand_in_the_tables() -> None:
    assert [row["diagnosis_group"] for row in CASES] == ["bone tumor", "disease"]
    assert CASES[0]["site_region"] == "lower limb" and CASES[1]["site_region"] is None
    assert CASES[0]["procedure_category"] == "reconstruction"
    assert next(row for row in FINDINGS if row["value"] == "distal femur")["groups"] == ["lower limb", "femur", "limb"]
