from __future__ import annotations

from time import process_time

import pytest
from spacy.language import Language

from caseframe.fields import measurements
from caseframe.schema import Finding


def measured(stages: Language, text: str) -> list[Finding]:
    return [finding for finding in measurements.find(stages(text)) if "number" in finding.attributes]


@pytest.mark.parametrize(
    ("text", "value", "number", "unit"),
    [
        ("The MSTS score was 26/30.", "msts", 26, "point"),
        ("Blood loss was 1,200 ml.", "blood_loss", 1200, "ml"),
        ("There was 940 ml of intraoperative blood loss.", "blood_loss", 940, "ml"),
        ("The operative time was 180 minutes.", "operative_time", 180, "min"),
        ("A Cobb angle of 45° was measured.", "cobb_angle", 45, "degree"),
        ("BMI was 47.4.", "body_mass_index", 47.4, None),
        ("The ejection fraction was only 15%.", "ejection_fraction", 15, "%"),
        ("QTc interval of 603 ms was seen.", "qtc_interval", 603, "ms"),
        ("Visual acuity was 20/40.", "visual_acuity", "20/40", None),
        ("Blood pressure was 140/80 mmHg.", "blood_pressure", "140/80", "mmHg"),
        ("He was in NYHA class III.", "nyha", 3, None),
        ("The Wexner score was 3.", "wexner", 3, None),
    ],
)
def test_number_and_unit(stages: Language, text: str, value: str, number: float | str, unit: str | None) -> None:
    (finding,) = measured(stages, text)
    assert (finding.value, finding.attributes["number"]) == (value, number)
    if unit is not None:
        assert finding.attributes["unit"] == unit


def test_maximum_from_the_text_or_the_lexicon(stages: Language) -> None:
    assert measured(stages, "The MSTS score was 26/30.")[0].attributes["maximum"] == 30
    assert measured(stages, "The Harris hip score was 92 points.")[0].attributes["maximum"] == 100


def test_before_and_after(stages: Language) -> None:
    findings = measured(stages, "The Harris hip score improved from 45 to 92 points at the last follow-up.")
    assert [(f.attributes["number"], f.attributes["phase"]) for f in findings] == [
        (45, "preoperative"),
        (92, "last_follow_up"),
    ]


def test_each_measure_has_its_own_number(stages: Language) -> None:
    findings = measured(stages, "Blood loss was 300 ml and the operative time was 95 min.")
    assert {f.value: f.attributes["number"] for f in findings} == {"blood_loss": 300, "operative_time": 95}


def test_a_quantity_of_another_kind_is_not_taken(stages: Language) -> None:
    assert measured(stages, "Blood loss was minimal and she was seen after 3 months.") == []


@pytest.mark.parametrize(
    "text", ["Constant pain of 3 weeks.", "He came from Asia with 2 lesions.", "The lesions had 1p loss."]
)
def test_everyday_words_measure_nothing(stages: Language, text: str) -> None:
    assert measured(stages, text) == []


def test_a_measure_without_number_is_little_worth(stages: Language) -> None:
    (finding,) = measurements.find(stages("The DASH questionnaire was filled in."))
    assert finding.value == "dash"
    assert finding.confidence < 0.5


def test_offsets_hold(stages: Language) -> None:
    text = "Follow-up – MSTS 27/30 (90 %), VAS 2, knee ROM 0–120°, LVEF 55 %."
    for finding in measurements.find(stages(text)):
        assert text[finding.start : finding.end] == finding.text


@pytest.mark.parametrize("filler", ["1" * 5000, "was " * 2000, "from " * 2000, "20/40 " * 500])
def test_hostile_text_takes_no_time(stages: Language, filler: str) -> None:
    doc = stages(f"MSTS score {filler} and visual acuity {filler} blood loss {filler}")
    start = process_time()
    list(measurements.find(doc))
    assert process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The operation took 120 minutes.", [("operative_time", 120.0, "min")]),
        ("Surgery lasted about 3 h.", [("operative_time", 3.0, "hour")]),
        ("A scoliosis of 40° was seen.", [("cobb_angle", 40.0, "degree")]),
        ("The scoliosis had curves of 62° and 48°.", [("cobb_angle", 62.0, "degree"), ("cobb_angle", 48.0, "degree")]),
        (
            "A kyphosis of 70° was corrected to 25°.",
            [("kyphosis_angle", 70.0, "degree"), ("kyphosis_angle", 25.0, "degree")],
        ),
        ("Elbow flexion of 110 degrees was reached.", [("range_of_motion", 110.0, "degree")]),
        ("He had lost 9 kg.", [("weight_loss", 9.0, "kg")]),
        ("There was a flexion contracture of 20°.", []),
        ("The operation was 5 years ago.", []),
    ],
)
def test_a_number_that_the_words_around_explain(
    stages: Language, text: str, told: list[tuple[str, float, str]]
) -> None:
    findings = [f for f in measurements.find(stages(text)) if "number" in f.attributes]
    assert [(f.value, f.attributes["number"], f.attributes.get("unit")) for f in findings] == told


def test_a_change_has_a_before_and_an_after(stages: Language) -> None:
    findings = measurements.find(stages("Active abduction improved from 40° to 120°."))
    assert [(f.attributes["number"], f.attributes["phase"]) for f in findings] == [
        (40.0, "preoperative"),
        (120.0, "postoperative"),
    ]


def test_little_blood_loss_needs_no_number(stages: Language) -> None:
    (finding,) = measurements.find(stages("Blood loss was minimal."))
    assert (finding.value, finding.text, finding.assertion) == ("blood_loss", "Blood loss was minimal", "present")


def test_what_was_corrected_to_is_postoperative(stages: Language) -> None:
    findings = measurements.find(stages("The scoliosis was corrected to 25°."))
    assert [f.attributes["phase"] for f in findings] == ["postoperative"]


def test_what_is_told_of_the_presentation_is_preoperative(stages: Language) -> None:
    text = (
        "A 40-year-old man presented with weakness. On examination the muscle strength was 3/5. He underwent surgery."
    )
    (finding,) = measurements.find(stages(text))
    assert finding.attributes["phase"] == "preoperative"


def test_a_range_in_brackets_is_no_second_number(stages: Language) -> None:
    findings = measured(stages, "Operative time was 95 min (78-112 min).")
    assert [f.attributes["number"] for f in findings] == [95]
