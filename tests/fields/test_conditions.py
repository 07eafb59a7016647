"""Conditions and their parts: what is treated, what was there before, what brought the patient, what treatment caused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from caseframe.fields.conditions import conditions_of, find
from caseframe.lexicons import builtin_lexicon
from caseframe.pipeline import extract_article
from caseframe.schema import FIELDS, Extraction, Finding

Extract = Callable[..., Extraction]
TITLE = "Hemipelvectomy for chondrosarcoma: a case report"
LEAD = "A 40-year-old man with chondrosarcoma of the pelvis underwent hemipelvectomy. "


def of_field(extraction: Extraction, field: str) -> list[Finding]:
    (case,) = extraction.cases
    return [finding for finding in case.findings if finding.field == field]


# Mentions and their names


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("It was a giant-cell tumour of bone.", ["giant cell tumor of bone"]),
        ("Ewing's sarcoma was found.", ["ewing sarcoma"]),
        ("She had a fracture of the femoral neck.", ["femoral neck fracture"]),
        ("Femoral neck fractures were seen.", ["femoral neck fracture"]),
        ("A retroperitoneal haematoma developed.", ["retroperitoneal hematoma"]),
        ("There was a tear of the meniscus.", ["meniscus tear"]),
        ("Hyperkalaemia was noted.", ["hyperkalemia"]),
        ("He had loss of sphincter function.", ["sphincter dysfunction"]),
        ("It was Rosai–Dorfman disease.", ["rosai-dorfman disease"]),
        ("Cronkhite–Canada syndrome, Klippel‐Feil syndrome.", ["cronkhite-canada syndrome", "klippel-feil syndrome"]),
        ("It was Quimby–Olbers syndrome.", ["quimby-olbers syndrome"]),
        ("DVT (deep vein thrombosis) developed.", ["deep vein thrombosis", "deep vein thrombosis"]),
    ],
)
def test_names(nlp: Language, text: str, values: list[str]) -> None:
    assert [condition.value for condition in conditions_of(nlp(text))] == values


@pytest.mark.parametrize(
    "text",
    [
        "The diagnosis and prognosis were discussed.",
        "An anastomosis was made with a prosthesis.",
        "The course was uneventful, without complications.",
        "She walked to the door.",
        "",
    ],
)
def test_words_that_only_look_like_conditions(nlp: Language, text: str) -> None:
    doc = nlp(text)
    assert len(doc) == 0 or conditions_of(doc) == []


def test_no_mention_lies_in_another(nlp: Language) -> None:
    text = "Dedifferentiated chondrosarcoma, postoperative deep wound infection, left femoral neck fracture, knee pain."
    ends = [0]
    for condition in conditions_of(nlp(text)):
        assert condition.span.start >= ends[-1]
        ends.append(condition.span.end)
    assert len(ends) == 5


# Diagnosis


@pytest.mark.parametrize(
    ("diagnosis", "value", "code", "behavior"),
    [
        ("osteosarcoma of the distal femur", "osteosarcoma", "ICDO3:9180/3", "malignant"),
        ("giant cell tumour of bone of the distal femur", "giant cell tumor of bone", "ICDO3:9250/1", "uncertain"),
        ("an enchondroma of the distal femur", "enchondroma", "ICDO3:9220/0", "benign"),
    ],
)
def test_a_tumour_has_code_and_behavior(extract: Extract, diagnosis: str, value: str, code: str, behavior: str) -> None:
    text = f"A 34-year-old woman was diagnosed with {diagnosis}. She underwent resection."
    (finding,) = of_field(extract(text, f"Treatment of {value}: a case report"), "diagnosis")
    assert (finding.value, finding.code, finding.attributes["behavior"]) == (value, code, behavior)


@pytest.mark.parametrize(
    ("diagnosis", "attributes"),
    [
        ("a primary high-grade osteosarcoma", {"grade": "high", "primary_or_recurrent": "primary"}),
        ("a recurrent low grade osteosarcoma", {"grade": "low", "primary_or_recurrent": "recurrent"}),
        ("grade 2 chondrosarcoma", {"grade": "2"}),
        ("chondrosarcoma (grade II)", {"grade": "II"}),
        ("poorly-differentiated adenocarcinoma", {"grade": "poorly differentiated"}),
        ("osteosarcoma (stage IIB)", {"stage": "IIB"}),
        ("adenocarcinoma (T2N0M0)", {"stage": "T2N0M0"}),
        ("osteosarcoma measuring 8 x 6 cm", {"size_cm": 8}),
        ("osteosarcoma measuring 120 mm", {"size_cm": 12}),
        (
            "recurrent giant cell tumor of bone, Campanacci grade III",
            {"stage": "Campanacci grade III", "primary_or_recurrent": "recurrent"},
        ),
    ],
)
def test_attributes_of_a_diagnosis(nlp: Language, diagnosis: str, attributes: dict[str, object]) -> None:
    text = f"A 34-year-old woman was diagnosed with {diagnosis}. She underwent resection."
    (finding,) = (finding for finding in find(nlp(text)) if finding.field == "diagnosis")
    assert {name: value for name, value in finding.attributes.items() if name != "behavior"} == attributes


def test_a_fracture_is_named_with_its_bone(extract: Extract) -> None:
    text = "A 60-year-old woman with a fracture of the femoral neck underwent hip replacement."
    (finding,) = of_field(extract(text, "Femoral neck fracture: a case report"), "diagnosis")
    assert (finding.value, finding.code) == ("femoral neck fracture", "MESH:D005265")


@pytest.mark.parametrize(
    ("words", "value", "code"),
    [
        ("giant cell tumor", "giant cell tumor of bone", "ICDO3:9250/1"),
        ("giant cell tumor of the distal radius", "giant cell tumor of bone", "ICDO3:9250/1"),
        ("giant cell tumour of the sacrum", "giant cell tumor of bone", "ICDO3:9250/1"),
        ("giant cell tumor of the hand", "giant cell tumor of bone", "ICDO3:9250/1"),
        ("giant cell tumor of bone", "giant cell tumor of bone", "ICDO3:9250/1"),
        ("giant cell tumor of the tendon sheath", "tenosynovial giant cell tumor", "ICDO3:9252/0"),
        ("giant cell tumor of soft tissue", "giant cell tumor of soft tissue", "ICDO3:9251/1"),
        ("giant cell tumor of the heart", "giant cell tumor", ""),
        ("cardiac giant cell tumor", "giant cell tumor", ""),
        ("giant cell tumor of the left kidney", "giant cell tumor", ""),
        ("giant cell tumor of the larynx", "giant cell tumor", ""),
        ("duplication cyst of the stomach", "duplication cyst", ""),
        ("esophageal duplication cyst", "esophageal duplication cyst", ""),
        ("ductal adenocarcinoma of the pancreas", "pancreatic ductal adenocarcinoma", "ICDO3:8500/3"),
        ("ductal adenocarcinoma of the prostate", "ductal adenocarcinoma", "ICDO3:8500/3"),
        ("ductal carcinoma of the left breast", "invasive ductal carcinoma", "ICDO3:8500/3"),
        ("ductal carcinoma of the parotid gland", "ductal carcinoma", "ICDO3:8500/3"),
        ("mesenchymal hamartoma of the lung", "mesenchymal hamartoma", ""),
        ("mesenchymal hamartoma", "mesenchymal hamartoma of the liver", ""),
        ("intraductal papillary neoplasm of the pancreas", "intraductal papillary neoplasm", ""),
    ],
)
def test_a_short_name_is_that_of_its_usual_site_only_there(nlp: Language, words: str, value: str, code: str) -> None:
    text = f"A 34-year-old woman was diagnosed with {words}. She underwent resection."
    found = [(f.value, f.code) for f in find(nlp(text)) if f.field == "diagnosis"]
    assert (value, code) in found


def test_short_names_name_terms_and_topography_that_exist() -> None:
    terms = [term for term in builtin_lexicon().terms.values() if "usual" in term.attributes]
    assert len(terms) >= 10
    for term in terms:
        usual = builtin_lexicon().term(f"{term.field}:{term.attributes['usual']}")
        assert usual is not None and usual.attributes["behavior"] == term.attributes["behavior"], term
        assert re.fullmatch(r"C\d\d(\|C\d\d)*", str(term.attributes["usual_at"])), term


# Complications as such


@pytest.mark.parametrize(
    "text",
    [
        "The postoperative course was unremarkable.",
        "The plate was removed without incident.",
        "He recovered without any surgical problems.",
    ],
)
def test_a_smooth_course_denies_complications(stages: Language, text: str) -> None:
    told = {(finding.field, finding.value, finding.assertion) for finding in find(stages(LEAD + text))}
    assert ("complication", "any", "absent") in told


@pytest.mark.parametrize(
    "text",
    [
        "Her pregnancy was uneventful.",
        "The course was uneventful until the ninth day.",
        "There were no complications except a seroma.",
    ],
)
def test_a_course_that_was_smooth_but_for_something_denies_nothing(stages: Language, text: str) -> None:
    assert "any" not in {finding.value for finding in find(stages(LEAD + text))}


def test_what_it_was_taken_for_is_a_denied_diagnosis(stages: Language) -> None:
    doc = stages("A 40-year-old woman with a painful hip had been misdiagnosed with rheumatoid arthritis for years.")
    told = [(finding.field, finding.assertion) for finding in find(doc) if finding.value == "rheumatoid arthritis"]
    assert told == [("diagnosis", "absent")]


# Comorbidity


@pytest.mark.parametrize("words", ["a medical history of migraine", "a history of migraine"])
def test_what_the_patient_had_besides_is_historical(extract: Extract, words: str) -> None:
    (finding,) = of_field(extract(f"{LEAD}He had {words}.", TITLE), "comorbidity")
    assert (finding.value, finding.assertion) == ("migraine", "historical")


@pytest.mark.parametrize("words", ["a medical history of hypertension", "a history of hypertension"])
def test_what_lasts_is_present_whatever_its_history(stages: Language, words: str) -> None:
    told = {finding.value: finding.assertion for finding in find(stages(f"{LEAD}He had {words}."))}
    assert told["hypertension"] == "present"


def test_an_accident_is_of_the_past(stages: Language) -> None:
    doc = stages("A 30-year-old man who had a motorcycle accident presented with a painful scar of the knee.")
    (condition,) = [each for each in conditions_of(doc) if each.value == "motorcycle accident"]
    assert condition.course == "event"
    assert {finding.assertion for finding in find(doc) if finding.field == "comorbidity"} <= {"historical"}


def test_what_a_relative_had_is_neither_diagnosis_nor_symptom(extract: Extract) -> None:
    extraction = extract(LEAD + "His father had died of colon cancer.", TITLE)
    for field in ("diagnosis", "symptom", "complication"):
        assert "colon cancer" not in [finding.value for finding in of_field(extraction, field)]


# Symptoms


@pytest.mark.parametrize(
    ("complaint", "symptoms", "days"),
    [
        ("complained of knee pain and swelling for six months", {"knee pain"}, 182),
        ("presented with knee pain for two years", {"knee pain"}, 730),
        ("presented with a 3-month history of knee pain", {"knee pain"}, 91),
    ],
)
def test_presenting_symptoms_have_their_duration(
    extract: Extract, complaint: str, symptoms: set[str], days: float
) -> None:
    text = f"A 25-year-old woman {complaint}. Biopsy showed a giant cell tumour of bone. She underwent curettage."
    found = of_field(extract(text, "Giant cell tumour of bone: a case report"), "symptom")
    assert symptoms <= {finding.value for finding in found}
    for finding in found:
        if finding.value in symptoms:
            assert finding.attributes["duration_days"] == pytest.approx(days, abs=1)


# Complications


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A wound infection developed 3 weeks after surgery and was treated by debridement.", "wound infection"),
        ("Postoperatively, the patient developed a wound infection, which was treated with antibiotics.", "wound infection"),
    ],
)  # fmt: skip
def test_what_treatment_caused(extract: Extract, text: str, value: str) -> None:
    (finding,) = of_field(extract(LEAD + text, TITLE), "complication")
    assert (finding.value, finding.assertion) == (value, "present")


def test_a_complication_has_its_side(nlp: Language) -> None:
    found = find(nlp(LEAD + "Postoperatively, he developed a left foot drop."))
    (finding,) = (finding for finding in found if finding.field == "complication")
    assert (finding.value, finding.attributes["laterality"]) == ("foot drop", "left")


def test_denied_complications_are_absent(extract: Extract) -> None:
    text = "Postoperatively, there was no infection or dislocation."
    found = {finding.value: finding for finding in of_field(extract(LEAD + text, TITLE), "complication")}
    assert {value: finding.assertion for value, finding in found.items()} == {
        "infection": "absent",
        "dislocation": "absent",
    }
    assert found["infection"].text == "no infection"
    assert found["dislocation"].text == "no infection or dislocation"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("There were no complications.", "no complications"),
        ("The postoperative course was uneventful.", "uneventful"),
        ("He recovered without complications.", "without complications"),
    ],
)
def test_no_complication_at_all(extract: Extract, text: str, words: str) -> None:
    (finding,) = of_field(extract(LEAD + text, TITLE), "complication")
    assert (finding.value, finding.assertion, finding.text) == ("any", "absent", words)


def test_complications_without_a_name_fill_no_cell(nlp: Language) -> None:
    assert [finding for finding in find(nlp(LEAD + "Complications occurred.")) if finding.value == "any"] == []


# What does not count


@pytest.mark.parametrize(
    "text",
    [
        "Infection and loosening are common complications of pelvic reconstruction.",
        "If infection occurs, the implant should be removed.",
    ],
)
def test_what_can_happen_is_no_complication(extract: Extract, text: str) -> None:
    assert of_field(extract(LEAD + text, TITLE), "complication") == []


def test_a_general_statement_alone_has_no_patient(extract: Extract) -> None:
    extraction = extract("Pelvic reconstruction is challenging.")
    assert extraction.cases == ()
    assert [(finding.field, finding.value) for finding in extraction.findings] == [("study_design", "other")]


# Any text

PIECES = [
    "A 34-year-old man", "osteosarcoma", "of the sacrum", "no", "infection", "metastases to the", "lung", "and", ",", ".",
    "\n", " ", "  ", "\t", "\u00a0", "é", "ß", "İ", "🦴", "骨", "e\u0301", "(", "T2N0M0", "8 x 6 cm", "for 3 months", "history of",
    "underwent resection", "resolution of", "resolved", "Case 1", "grade", "left", "'s", "-", "pain", "0", "%",
]  # fmt: skip
texts = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join))


@given(texts)
def test_any_text_is_survived_and_every_finding_has_its_words(nlp: Language, text: str) -> None:
    extraction = extract_article(text, nlp)
    for case, finding in extraction:
        assert extraction.article.text[finding.start : finding.end] == finding.text != ""
        assert 0 <= finding.confidence <= 1
        assert FIELDS[finding.field].level == ("case" if case else "article")
        if finding.cue is not None:
            assert extraction.article.text[slice(*finding.cue)].strip()


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "a", ".", "5", "é", "\u200b", "🦴", "\n\n\n", "pain", "pain \u08ca", "metastases", "No"]
)
def test_the_shortest_texts(nlp: Language, text: str) -> None:
    extraction = extract_article(text, nlp)
    for _, finding in extraction:
        assert extraction.article.text[finding.start : finding.end] == finding.text
