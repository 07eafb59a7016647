"""Names for errors, one by one; whole articles are in test_scoring_cases.py."""

from __future__ import annotations

import pytest

from caseframe.evaluation.causes import is_wrong_field, is_wrong_value, of_difference, of_false, of_miss
from caseframe.evaluation.gold import GoldFinding
from caseframe.evaluation.records import Cause
from caseframe.schema import Finding


def said(text: str, field: str, value: str | float, words: str, code: str = "") -> Finding:
    start = text.index(words)
    return Finding(field, value, words, start, start + len(words), code=code)


@pytest.mark.parametrize(
    ("field", "gold", "found", "cause"),
    [
        ("procedure", "tracheotomy", "tracheostomy", "normalisation"),  # one row of a lexicon
        ("therapy", "erythropoietin", "epoetin alfa", "normalisation"),
        ("measurement", "bmi", "body_mass_index", "normalisation"),
        ("diagnosis", "xyz", "xeroderma yieldosum zonale", "normalisation"),  # no lexicon has it: the initials
        ("symptom", "limb weakness", "weakness of the limbs", "normalisation"),
        ("procedure", "colon biopsy", "colonic biopsy", "normalisation"),
        ("implant", "screw rod", "screwrod", "normalisation"),
        ("diagnosis", "lung carcinoma", "carcinoma", "boundary"),  # though the codes are the same
        ("diagnosis", "carcinoma", "lung carcinoma", "boundary"),
        ("procedure", "total parotidectomy", "total conservative parotidectomy", "boundary"),
        ("symptom", "hip pain", "knee pain", "wrong_value"),
        ("procedure", "partial resection", "lesion resection", "wrong_value"),
    ],
)
def test_difference_of_a_matched_pair(field: str, gold: str, found: str, cause: Cause) -> None:
    assert of_difference(GoldFinding(field, gold), Finding(field, found, "", 0, 0)) == cause


def test_a_code_makes_two_names_one_concept() -> None:
    gold = GoldFinding("diagnosis", "malady of the north", code="X:1")
    assert of_difference(gold, Finding("diagnosis", "southern disease", "", 0, 0, code="X:1")) == "normalisation"
    assert of_difference(gold, Finding("diagnosis", "southern disease", "", 0, 0, code="X:2")) == "wrong_value"
    assert of_difference(gold, Finding("diagnosis", "southern disease", "", 0, 0)) == "wrong_value"


SWOLLEN = "Later a painful swelling of the leg and a femoral fracture were seen at two years."


@pytest.mark.parametrize(
    ("gold", "found", "wrong"),
    [
        # The same name, wherever it stands.
        (GoldFinding("symptom", "swelling", "painful swelling"), ("complication", "swelling", "leg"), True),
        # Overlapping words, heads agree: of the values, or of the words.
        (GoldFinding("symptom", "leg swelling", "swelling of the leg"), ("complication", "swelling", "swelling"), True),
        (GoldFinding("symptom", "edema", "painful swelling"), ("complication", "lump", "swelling"), True),
        # A site within a condition's words.
        (GoldFinding("diagnosis", "femoral fracture", "femoral fracture"), ("site", "femur", "femoral"), False),
        (GoldFinding("site", "femur", "femoral"), ("diagnosis", "femoral fracture", "femoral fracture"), False),
        # The same field is never another one.
        (GoldFinding("symptom", "swelling", "swelling"), ("symptom", "swelling", "swelling"), False),
        # The words of a closed choice say other things besides.
        (GoldFinding("outcome", "healing", "seen"), ("vital_status", "alive", "seen"), False),
        # Numbers only with numbers, and only of the same words.
        (GoldFinding("age", 2, "two years"), ("follow_up", 24, "two years"), True),
        (GoldFinding("age", 2, "two years"), ("follow_up", 2, "Later"), False),
        (GoldFinding("age", 2, "two years"), ("outcome", "survival", "two years"), False),
        # What is said of the article is not said of a case.
        (GoldFinding("study_design", "other", "seen"), ("therapy", "other", "seen"), False),
    ],
)
def test_the_right_words_in_another_field(gold: GoldFinding, found: tuple[str, str | float, str], wrong: bool) -> None:
    assert is_wrong_field(gold, said(SWOLLEN, *found), SWOLLEN) is wrong


def test_another_value_of_a_single_cell() -> None:
    assert is_wrong_value(GoldFinding("age", 34), Finding("age", 43, "", 0, 0))
    assert not is_wrong_value(GoldFinding("age", 34), Finding("follow_up", 43, "", 0, 0))
    assert not is_wrong_value(GoldFinding("margin", "R0"), Finding("margin", "R1", "", 0, 0))
    assert not is_wrong_value(GoldFinding("diagnosis", "sarcoma"), Finding("diagnosis", "myoma", "", 0, 0))


@pytest.mark.parametrize(
    ("gold", "known", "cause"),
    [
        (GoldFinding("diagnosis", "femoral fracture", "femoral fracture"), "fracture", "left_out"),
        (GoldFinding("diagnosis", "femoral fracture", "femoral fracture"), "femoral", "missed_term"),
        (GoldFinding("diagnosis", "femoral fracture", "femoral fracture"), "swelling", "missed_term"),
        (GoldFinding("site", "femur", "femoral fracture"), "femoral", "left_out"),  # the lexicon's adjective
        (GoldFinding("follow_up", 24, "two years"), "years", "missed_term"),  # no lexicon holds a number
        (GoldFinding("n_patients", 1), "swelling", "missed_term"),
    ],
)
def test_missed(gold: GoldFinding, known: str, cause: Cause) -> None:
    start = SWOLLEN.index(known)
    assert of_miss(gold, SWOLLEN, [(start, start + len(known))]) == cause


def test_missed_knows_every_place_of_the_words() -> None:
    text = "Pain, then pain."
    assert of_miss(GoldFinding("symptom", "pain", "ain"), text, [(11, 15)]) == "left_out"


FEVER = "Sarcomas are rare. Fever came early. The woman had fever. A resection of the sarcoma was done."
GOLD = (GoldFinding("symptom", "fever", "had fever"), GoldFinding("procedure", "sarcoma resection", ""))


@pytest.mark.parametrize(
    ("field", "value", "words", "cause"),
    [
        ("symptom", "fever", "Fever", "duplicate"),
        ("complication", "fever", "Fever", "duplicate"),
        ("diagnosis", "sarcoma", "Sarcomas", "general_statement"),
        ("outcome", "early onset", "early", "spurious"),  # the sentence holds the word of a value
        ("sex", "female", "woman", "spurious"),  # the sentence names a person
        ("outcome", "completion", "done", "spurious"),  # the sentence holds the words of another
    ],
)
def test_false(field: str, value: str, words: str, cause: Cause) -> None:
    found = said(FEVER, field, value, words)
    start = FEVER.rfind(". ", 0, found.start) + 1
    assert of_false(found, GOLD, FEVER, (start, FEVER.index(".", found.start))) == cause


def test_without_a_case_all_is_a_general_statement() -> None:
    found = said(FEVER, "sex", "female", "woman")
    assert of_false(found, [GoldFinding("study_design", "other")], FEVER, (37, 57)) == "general_statement"
