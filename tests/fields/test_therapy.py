from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.fields import therapy
from caseframe.schema import Finding

Mark = Callable[..., Doc]


def found(stages: Language, text: str) -> dict[str, Finding]:
    return {str(finding.value): finding for finding in therapy.find(stages(text))}


def test_duration_and_timing_before_the_treatment(stages: Language) -> None:
    finding = found(stages, "After 3-months of neoadjuvant chemotherapy the tumour was resected.")["chemotherapy"]
    assert finding.attributes["timing"] == "neoadjuvant"
    assert finding.attributes["duration_days"] == pytest.approx(91, abs=1)


@pytest.mark.parametrize(
    ("words", "timing"),
    [
        ("preoperative radiotherapy", "neoadjuvant"),
        ("neo-adjuvant radiotherapy", "neoadjuvant"),
        ("adjuvant radiotherapy", "adjuvant"),
        ("postoperative radiotherapy", "adjuvant"),
        ("palliative radiotherapy", "palliative"),
    ],
)
def test_timing(stages: Language, words: str, timing: str) -> None:
    assert found(stages, f"She received {words}.")["radiotherapy"].attributes["timing"] == timing


def test_timing_is_not_asked_of_painkillers(stages: Language) -> None:
    assert "timing" not in found(stages, "Postoperative ibuprofen was given.")["ibuprofen"].attributes


def test_each_dose_goes_to_its_drug(stages: Language) -> None:
    findings = found(stages, "We gave atropine 0.5 mg and epinephrine 1 mg, then 400 mg of fluconazole daily.")
    doses = {name: (f.attributes.get("dose"), f.attributes.get("dose_unit")) for name, f in findings.items()}
    assert doses == {"atropine": (0.5, "mg"), "epinephrine": (1, "mg"), "fluconazole": (400, "mg/day")}


def test_radiation_dose_reaches_over_words(stages: Language) -> None:
    finding = found(stages, "He had radiotherapy of the pelvis and both hips (total dose 50 Gy in 25 fractions).")
    assert finding["radiotherapy"].attributes["dose"] == 50
    assert finding["radiotherapy"].attributes["dose_unit"] == "Gy"


def test_cycles_hold_for_all_drugs_told_together(stages: Language) -> None:
    findings = found(stages, "The patient received six cycles of doxorubicin, cisplatin and ifosfamide.")
    assert {name: f.attributes.get("cycles") for name, f in findings.items()} == {
        "doxorubicin": 6,
        "cisplatin": 6,
        "ifosfamide": 6,
    }


def test_duration_after_the_drug(stages: Language) -> None:
    finding = found(stages, "He was treated with oral doxycycline for 6 weeks.")["doxycycline"]
    assert finding.attributes["duration_days"] == 42


def test_a_time_point_is_no_duration(stages: Language) -> None:
    assert (
        "duration_days"
        not in found(stages, "Chemotherapy was begun and 3 months later she died.")["chemotherapy"].attributes
    )


def test_combined_treatment_gives_its_parts(stages: Language) -> None:
    findings = found(stages, "She was treated with neoadjuvant radiochemotherapy.")
    assert set(findings) == {"chemotherapy", "radiotherapy"}
    assert {f.text for f in findings.values()} == {"neoadjuvant radiochemotherapy"} or {
        f.text for f in findings.values()
    } == {"radiochemotherapy"}


@pytest.mark.parametrize(
    "text",
    [
        "He had an allergy to penicillin.",
        "Heparin-induced thrombocytopenia was suspected.",
        "Serum calcium was normal.",
        "The insulin level was raised.",
        "Estrogen receptor was positive.",
        "Oxygen saturation fell.",
    ],
)
def test_what_was_not_given_is_no_therapy(stages: Language, text: str) -> None:
    assert found(stages, text) == {}


def test_substances_of_the_body_count_where_given(stages: Language) -> None:
    assert set(found(stages, "She was given intravenous calcium and insulin.")) == {"calcium", "insulin"}


def test_regimen_and_generic_are_both_named(stages: Language) -> None:
    assert set(found(stages, "Chemotherapy with FOLFOX was started.")) == {"chemotherapy", "folfox"}


def test_drug_right_before_chemotherapy_says_it_all(stages: Language) -> None:
    findings = found(stages, "Temozolomide chemotherapy was given.")
    assert findings["chemotherapy"].confidence < 0.5 < findings["temozolomide"].confidence


def test_treatment_of_long_ago_is_historical(stages: Language) -> None:
    assert found(stages, "A sarcoma arose 20 years after radiotherapy.")["radiotherapy"].assertion == "historical"


def test_denied_treatment_is_absent(stages: Language) -> None:
    assert found(stages, "No adjuvant chemotherapy was given.")["chemotherapy"].assertion == "absent"


def test_offsets_hold(stages: Language) -> None:
    text = "Ewing’s sarcoma – 5 cycles of VDC/IE, then radiotherapy/TMZ (54 Gy)."
    for finding in therapy.find(stages(text)):
        assert text[finding.start : finding.end] == finding.text


@pytest.mark.parametrize("filler", ["1" * 5000, "and " * 2000, "(" * 3000, "a-" * 3000])
def test_hostile_text_takes_no_time(stages: Language, filler: str) -> None:
    doc = stages(f"Cisplatin 5 mg {filler} doxorubicin for 3 weeks {filler} chemotherapy")
    start = process_time()
    list(therapy.find(doc))
    assert process_time() - start < 2


def unlisted(doc: Doc) -> list[tuple[str, str]]:
    return [(str(finding.value), finding.text) for finding in therapy.find(doc)]


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("He received glimbovir for ten days.", "glimbovir", "glimbovir"),
        ("Glimbovir therapy was started.", "Glimbovir therapy", "glimbovir"),
        ("She was treated with intravenous glimbovir.", "intravenous glimbovir", "glimbovir"),
        ("He recovered on anti-worm therapy.", "anti-worm therapy", "anti-worm therapy"),
        ("She was treated with clarythromycin.", "clarythromycin", "clarithromycin"),
        ("Three months of tuberculosis medication were given.", "tuberculosis medication", "tuberculosis medication"),
    ],
)
def test_a_drug_that_no_lexicon_lists(marked: Mark, text: str, words: str, value: str) -> None:
    assert unlisted(marked(text, (words, "DRUG", 0.9))) == [(value, words)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Glimbovir is a protease.", "Glimbovir"),  # nobody got it
        ("She was treated for allergy to glimbovir.", "glimbovir"),
        ("He received first-line therapy.", "first-line therapy"),  # no name
        ("The treatment lowers dopamine synthesis.", "dopamine synthesis"),
        ("He was treated after a glimbovir overdose.", "glimbovir overdose"),
    ],
)
def test_what_the_entities_see_counts_only_where_it_was_given(marked: Mark, text: str, words: str) -> None:
    assert unlisted(marked(text, (words, "DRUG", 0.9))) == []


def test_a_listed_drug_is_told_once(marked: Mark) -> None:
    assert unlisted(marked("He received cisplatin.", ("cisplatin", "DRUG", 0.9))) == [("cisplatin", "cisplatin")]


def test_what_was_only_planned_is_hypothetical(stages: Language) -> None:
    assert found(stages, "Adjuvant chemotherapy was recommended.")["chemotherapy"].assertion == "hypothetical"
    assert found(stages, "Chemotherapy was planned and started.")["chemotherapy"].assertion == "present"
