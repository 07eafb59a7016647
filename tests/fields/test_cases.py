"""Dealing findings to patients: folding, cardinality, the more specific value, what does not count."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from caseframe.fields.cases import fold, settle, told_cases, weigh
from caseframe.fields.linear import names_of
from caseframe.schema import ASSERTIONS, FIELDS, Attributes, Extraction, Finding

Extract = Callable[..., Extraction]


def said(
    value: str | int | float,
    field: str = "diagnosis",
    *,
    at: int = 0,
    text: str = "",
    confidence: float = 0.8,
    **rest: object,
) -> Finding:
    text = text or str(value)
    return Finding(field, value, text, at, at + len(text), confidence=confidence, **rest)  # type: ignore[arg-type]


def folded(*findings: Finding) -> list[Finding]:
    return [finding for finding, _ in fold(findings)]


# Folding


def test_mentions_of_one_thing_become_one_finding() -> None:
    ((finding, mentions),) = fold([said("foot drop", at=5), said("foot drop", at=50), said("Foot-drop", at=90)])
    assert finding.start == 5
    assert len(mentions) == 3


def test_the_surest_words_win_then_the_fullest_then_the_first() -> None:
    sure, vague = said("ct", at=9, confidence=0.9), said("ct", at=1, text="computed tomography", confidence=0.5)
    assert folded(vague, sure) == [sure]
    full, short = said("ct", at=9, text="CT images"), said("ct", at=1, text="CT")
    assert folded(short, full) == [full]
    first, second = said("ct", at=1), said("ct", at=9)
    assert folded(second, first) == [first]


def test_present_beats_absent() -> None:
    absent = said("infection", "complication", assertion="absent", confidence=0.95)
    present = said("infection", "complication", at=40, confidence=0.6)
    assert folded(absent, present) == [present]


def test_attributes_and_times_are_united() -> None:
    first = said(
        "prosthesis", "implant", confidence=0.9, attributes=Attributes({"material": ("titanium",), "site": "sacrum"})
    )
    second = said(
        "prosthesis",
        "implant",
        at=30,
        attributes=Attributes({"material": ("peek", "titanium"), "brand": "Acme", "site": "pelvis"}),
    )
    (finding,) = folded(first, second)
    assert dict(finding.attributes) == {"material": ("titanium", "peek"), "site": "sacrum", "brand": "Acme"}


def test_results_are_dated_by_their_other_mentions_and_nothing_else_is() -> None:
    def when(field: str) -> float | None:
        (finding,) = folded(said("x", field, confidence=0.9), said("x", field, at=30, when_days=14.0))
        return finding.when_days

    assert when("outcome") == 14
    assert when("imaging") is None


def test_what_is_denied_lends_no_attributes() -> None:
    present = said("foot drop", "complication", attributes=Attributes({"laterality": "left"}))
    absent = said(
        "foot drop", "complication", assertion="absent", when_days=9.0, attributes=Attributes({"when_days": 9})
    )
    (finding,) = folded(absent, present)
    assert finding == present


def test_two_scores_of_one_instrument_are_two_things() -> None:
    before = said("vas", "measurement", attributes=Attributes({"number": 8}))
    after = said("vas", "measurement", at=20, attributes=Attributes({"number": 1}))
    assert folded(before, after, said("vas", "measurement", at=40, attributes=Attributes({"number": 1}))) == [
        before,
        after,
    ]


def test_other_fields_are_other_things() -> None:
    findings = [said("hip fracture"), said("hip fracture", "complication")]
    assert folded(*findings) == findings


# One case


def test_a_single_field_has_one_value_the_surest() -> None:
    (age,) = settle([said(34, "age", confidence=0.7), said(35, "age", at=40, confidence=0.9)])
    assert age.value == 35
    (age,) = settle([said(34, "age", at=7), said(35, "age", at=40)])
    assert age.value == 34, "the first of two that are as sure"


def test_the_more_specific_value_wins() -> None:
    kept = settle([said("sarcoma"), said("synovial sarcoma", at=20), said("tumor", at=40)])
    assert [finding.value for finding in kept] == ["synovial sarcoma", "tumor"]


def test_a_word_that_ends_another_is_vaguer() -> None:
    kept = settle([said("sarcoma"), said("osteosarcoma", at=20)])
    assert [finding.value for finding in kept] == ["osteosarcoma"]
    assert len(settle([said("hip", "site"), said("wholehip", "site", at=20)])) == 2, "short words end others by chance"


def test_but_not_over_another_assertion_or_another_head() -> None:
    findings = [
        said("infection", "complication", assertion="absent"),
        said("wound infection", "complication", at=20),
        said("wound dehiscence", "complication", at=40),
    ]
    assert list(settle(findings)) == findings


def test_every_site_of_spread_stands() -> None:
    findings = [said("lymph node", "metastasis"), said("cervical lymph node", "metastasis", at=20)]
    assert list(settle(findings)) == findings


def test_findings_stand_in_the_order_of_the_form_and_the_text() -> None:
    findings = [
        said("infection", "complication"),
        said("pain", "symptom", at=9),
        said("knee", "site", at=3),
        said("hip", "site"),
    ]
    assert [finding.value for finding in settle(findings)] == ["hip", "knee", "pain", "infection"]


numbers = st.integers(0, 30)
some_findings = st.lists(
    st.builds(
        said,
        st.sampled_from(["sarcoma", "synovial sarcoma", "hip", "left hip", "", "5"]),
        st.sampled_from([name for name, spec in FIELDS.items() if spec.level == "case"]),
        at=numbers,
        confidence=st.floats(0, 1),
        assertion=st.sampled_from(ASSERTIONS),
    ),
    max_size=12,
)


@given(some_findings)
def test_nothing_is_invented_and_single_fields_stay_single(findings: list[Finding]) -> None:
    kept = settle(folded(*findings))
    assert set(kept) <= set(folded(*findings))
    emptied = {finding.field for finding in findings} - {finding.field for finding in kept}
    assert emptied <= {"diagnosis", "comorbidity", "symptom"}, "of these one can stand for another"
    for name, spec in FIELDS.items():
        assert spec.many or sum(finding.field == name for finding in kept) <= 1


@given(some_findings)
def test_folding_twice_changes_nothing(findings: list[Finding]) -> None:
    once = folded(*findings)
    assert folded(*once) == once


# Patients


def test_each_patient_told_singly_is_a_case(extract: Extract) -> None:
    extraction = extract(
        "We report two cases. Case 1 was a 34-year-old man with osteosarcoma of the sacrum. "
        "Case 2 was a 12-year-old girl with Ewing sarcoma of the femur.",
        "Sacral tumors: report of two cases",
    )
    told = [
        {f.field: f.value for f in case.findings if f.field in ("age", "sex", "diagnosis")} for case in extraction.cases
    ]
    assert told == [
        {"age": 34, "sex": "male", "diagnosis": "osteosarcoma"},
        {"age": 12, "sex": "female", "diagnosis": "ewing sarcoma"},
    ]
    assert [(case.number, case.kind) for case in extraction.cases] == [(1, "patient"), (2, "patient")]


def test_a_group_is_one_cohort(extract: Extract) -> None:
    extraction = extract(
        "We reviewed 23 patients (12 men and 11 women; mean age 51 years) who underwent hemipelvectomy for chondrosarcoma.",
        "Hemipelvectomy for chondrosarcoma: a series of 23 patients",
    )
    assert [case.kind for case in extraction.cases] == ["cohort"]


def test_a_paper_without_patients_has_no_case(extract: Extract) -> None:
    assert extract("We searched PubMed for randomized trials.", "Hip arthroplasty: a systematic review").cases == ()


def test_general_and_hypothetical_statements_never_reach_the_row(extract: Extract) -> None:
    extraction = extract(
        "Pelvic reconstruction is challenging. Radiotherapy is recommended for patients with chordoma. "
        "A 40-year-old man with chondrosarcoma of the ilium underwent internal hemipelvectomy. "
        "If infection occurs, amputation should be considered.",
        "Internal hemipelvectomy for chondrosarcoma: a case report",
    )
    values = {str(finding.value) for case, finding in extraction if case}
    assert "internal hemipelvectomy" in values
    assert not values & {
        "pelvic reconstruction",
        "reconstruction",
        "radiotherapy",
        "chordoma",
        "infection",
        "amputation",
    }
    assert "hypothetical" not in {finding.assertion for _, finding in extraction}


def test_a_hypothetical_finding_is_dropped_before_it_is_folded(nlp: Language) -> None:
    doc = nlp("A 40-year-old man underwent amputation.")
    planned = said("amputation", "procedure", text="amputation", at=28, assertion="hypothetical")
    kin = said("chordoma", text="man", at=14, assertion="family")
    ((kind, cases),) = told_cases(doc, [planned, kin])
    assert (kind, cases) == ("patient", [])
    ((_, cases),) = told_cases(doc, [said("chordoma", "comorbidity", text="man", at=14, assertion="family")])
    assert [finding.value for finding, _ in cases] == ["chordoma"], "what runs in the family is told as such"


def test_improbable_findings_are_left_out_and_the_others_get_their_probability(
    nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the fitted weights say of a word changes with each fit; the rule does not.
    monkeypatch.setattr(
        "caseframe.fields.confidence.confidence_of",
        lambda field, bags, weighed: 0.1 if "value=wide" in names_of(bags) else 0.7,
    )
    doc = nlp("A 40-year-old man with osteosarcoma of the femur underwent wide resection of the osteosarcoma.")
    at = doc.text.index("osteosarcoma")
    sure = said("osteosarcoma", at=at, confidence=0.9, source="fields.conditions/1")
    unsure = said("wide", at=doc.text.index("wide"), confidence=0.2, source="fields.conditions/1")
    age = said(40, "age", text="40", at=2, confidence=0.95)
    kept = weigh(doc, fold([sure, unsure, age]))
    assert [finding.value for finding in kept] == ["osteosarcoma", 40]
    assert kept[0].confidence == 0.7 and kept[1].confidence == 0.95


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_text_without_words_has_no_case(extract: Extract, text: str) -> None:
    extraction = extract(text)
    assert (extraction.findings, extraction.cases) == ((), ())
