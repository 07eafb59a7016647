"""age and sex."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from caseframe.schema import Extraction, Finding

Extract = Callable[..., Extraction]
TITLE = "Osteosarcoma: a case report"


def of_field(extraction: Extraction, field: str) -> list[Finding]:
    (case,) = extraction.cases
    return [finding for finding in case.findings if finding.field == field]


@pytest.mark.parametrize(
    ("text", "years", "words"),
    [
        ("A 34-year-old man underwent resection.", 34, "34-year-old"),
        ("A woman aged 71 years underwent resection.", 71, None),
        ("The patient, a 3-month-old boy, underwent resection.", 0.25, "3-month-old"),
        ("An 18-month-old boy underwent resection.", 1.5, "18-month-old"),
        ("A 6-week-old girl underwent resection.", 0.12, "6-week-old"),
        ("A newborn boy underwent resection.", 0, "newborn"),
        ("The patient underwent resection at the age of 71 years.", 71, None),
    ],
)
def test_age_in_years(extract: Extract, text: str, years: float, words: str | None) -> None:
    (age,) = of_field(extract(text, TITLE), "age")
    assert age.value == pytest.approx(years, abs=0.005)
    assert age.unit == "year"
    assert words is None or age.text == words


def test_a_whole_number_of_years_is_an_integer(extract: Extract) -> None:
    (age,) = of_field(extract("A 34-year-old man underwent resection.", TITLE), "age")
    assert repr(age.value) == "34"


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("A 34-year-old woman underwent resection.", "female"),
        ("A 12-year-old boy underwent resection.", "male"),
        ("A 34-year-old lady underwent resection.", "female"),
        ("A 34-year-old female patient underwent resection.", "female"),
        ("The patient underwent resection. She walked after 2 weeks.", "female"),
        ("The patient underwent resection. His pain resolved.", "male"),
        ("The patient underwent hysterectomy.", "female"),
    ],
)
def test_sex(extract: Extract, text: str, sex: str) -> None:
    (finding,) = of_field(extract(text, TITLE), "sex")
    assert finding.value == sex


def test_the_sex_of_an_organ_is_not_the_patients(extract: Extract) -> None:
    assert of_field(extract("The patient was treated. The female genitalia were normal.", TITLE), "sex") == []


def test_the_age_of_a_relative_is_not_the_patients(extract: Extract) -> None:
    text = "A 34-year-old man underwent resection. His 60-year-old mother had breast cancer."
    extraction = extract(text, TITLE)
    assert [finding.value for finding in of_field(extraction, "age")] == [34]
    assert [finding.value for finding in of_field(extraction, "sex")] == ["male"]


def test_what_is_not_said_stays_empty(extract: Extract) -> None:
    extraction = extract("The patient underwent resection.", TITLE)
    assert of_field(extraction, "age") == of_field(extraction, "sex") == []


@pytest.mark.parametrize(
    ("text", "sex", "age", "statistic"),
    [
        ("We treated 23 patients (12 men and 11 women; mean age 51 years).", "mixed", 51, "mean"),
        ("Twelve women underwent hemipelvectomy. Their median age was 33 years (range, 20 to 60 years).", "female", 33, "median"),
        ("Twelve women underwent hemipelvectomy. The median age was 30 years, and the mean age was 33 years.", "female", 33, "mean"),
    ],
)  # fmt: skip
def test_a_cohort_has_its_mean_or_median(extract: Extract, text: str, sex: str, age: float, statistic: str) -> None:
    extraction = extract(text, "Hemipelvectomy for chondrosarcoma: a case series")
    (case,) = extraction.cases
    assert case.kind == "cohort"
    assert [finding.value for finding in of_field(extraction, "sex")] == [sex]
    assert [(f.value, f.attributes["statistic"]) for f in of_field(extraction, "age")] == [(age, statistic)]


def test_two_patients_have_their_own(extract: Extract) -> None:
    text = "Patient 1 was a 34-year-old man with osteosarcoma. Patient 2 was a 12-year-old girl with chordoma."
    extraction = extract(text, "Two sacral tumors: report of two cases")
    told = [{f.field: f.value for f in case.findings if f.field in ("age", "sex")} for case in extraction.cases]
    assert told == [{"age": 34, "sex": "male"}, {"age": 12, "sex": "female"}]
