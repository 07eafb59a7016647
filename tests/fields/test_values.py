"""What a reader who checks every cell would correct: values with words too many, things of others, things told twice."""

from __future__ import annotations

import pytest
from spacy.language import Language

from caseframe.fields import conditions, outcomes
from caseframe.fields.study import study_of
from caseframe.lexicons.folding import canonical, singular
from caseframe.pipeline import extract_article, load


def named(stages: Language, text: str) -> list[str]:
    return [condition.value for condition in conditions.conditions_of(stages(text))]


def results(stages: Language, text: str) -> dict[str, str]:
    return {str(finding.value): finding.assertion for finding in outcomes.find(stages(text))}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("She had a 3-cm enlarging neck mass.", "neck mass"),
        ("A woman with longstanding 40-year-old hypertension came.", "hypertension"),
        ("He suffered acute occlusion following septal rupture.", "septal rupture"),
        ("There was leg stiffness.", "leg stiffness"),
    ],
)
def test_a_phrase_holds_no_measures_and_no_words_of_course(stages: Language, text: str, value: str) -> None:
    assert value in named(stages, text)


@pytest.mark.parametrize(
    "text",
    [
        "He was fit and well and worked in the trauma unit.",
        "The polymerase chain reaction was negative.",
        "It was unresponsive to steroids.",
        "Trypanosoma was seen.",
        "He had systemic disease.",
    ],
)
def test_words_that_only_look_like_a_condition_name_none(stages: Language, text: str) -> None:
    assert named(stages, text) == []


def test_each_field_calls_a_condition_by_its_own_name_unless_the_text_says_a_name(stages: Language) -> None:
    (found,) = conditions.conditions_of(stages("There was desaturation."))
    assert found.value_as("symptom") == "hypoxia" and found.value_as("complication") == "hypoxemia"
    (found,) = conditions.conditions_of(stages("There was hoarseness."))
    assert found.value_as("symptom") == found.value_as("complication") == "hoarseness"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The fistula resolved completely.", {"fistula resolution": "present"}),
        ("The metastases in the liver disappeared.", {"metastasis resolution": "present"}),
        ("There was resolution of Cushing's syndrome.", {"cushing syndrome resolution": "present"}),
        ("High resolution CT was done.", {}),
        ("He was unable to walk.", {}),
        ("The training progressed.", {}),
        ("The isolates were recovered.", {}),
        ("There was no problem with wound healing.", {"wound healing": "present"}),
    ],
)
def test_outcomes_name_their_object_and_are_results(stages: Language, text: str, found: dict[str, str]) -> None:
    assert results(stages, text) == found


def symptoms(text: str) -> dict[str, object]:
    extraction = extract_article(text, load())
    return {str(f.value): f.attributes.get("duration_days") for _, f in extraction if f.field == "symptom"}


def test_a_duration_belongs_to_the_symptom_beside_it() -> None:
    told = symptoms("A 30-year-old man presented with cough for two weeks, fever for 3 days and no weight loss.")
    assert told["cough"] == 14 and told["fever"] == 3 and told.get("weight loss") is None


def test_a_thing_stands_in_one_of_the_fields_that_exclude_each_other() -> None:
    text = "We report a 50-year-old man with HIV infection. HIV infection was diagnosed in 1990. He had lymphoma."
    fields = [f.field for _, f in extract_article(text, load()) if f.value == "hiv infection"]
    assert len({"diagnosis", "comorbidity", "symptom"} & set(fields)) <= 1


def test_the_grade_of_one_tumor_is_not_that_of_another() -> None:
    text = "A 70-year-old woman had a villous adenoma of the bladder and an urothelial carcinoma of high grade."
    grades = {
        str(f.value): f.attributes.get("grade") for _, f in extract_article(text, load()) if f.field == "diagnosis"
    }
    assert grades.get("villous adenoma") is None and grades["urothelial carcinoma"] == "high"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("In this study seven patients with dystonia received botulinum toxin. Two patients dropped out.", 7),
        ("We studied two female and two male adult patients with ataxia.", 4),
        ("Nine patients were enrolled. In one case the lead broke.", 9),
    ],
)
def test_the_patients_reported_are_counted(stages: Language, text: str, count: int) -> None:
    assert study_of(stages(text)).n_patients == count


def test_spelling_and_number() -> None:
    assert canonical("Meigs’ syndromes") == "meigs syndrome"
    assert canonical("recognised leucodystrophy") == "recognized leukodystrophy"
    assert [singular(word) for word in ("headaches", "boluses", "causes", "cortices")] == [
        "headache", "bolus", "cause", "cortex",
    ]  # fmt: skip
