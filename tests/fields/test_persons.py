import pytest
from spacy.language import Language

from caseframe.fields.study import study_of
from caseframe.pipeline import extract_article
from caseframe.schema import Article
from caseframe.stages.extensions import make_doc

TWO = (
    "We report two patients with chordoma. Case 1 was a 61-year-old man who underwent sacrectomy. He developed a urinary "
    "tract infection. Case 2, a 48-year-old woman, received radiotherapy. Both patients were alive at 24 months."
)


def article(title: str, text: str) -> Article:
    return Article.build(title=title, abstract=[("", text)], pmid="1")


def values(nlp: Language, title: str, text: str, field: str) -> list[list[object]]:
    result = extract_article(article(title, text), nlp)
    return [[finding.value for finding in case.findings if finding.field == field] for case in result.cases]


def test_two_patients_told_singly_get_a_case_each(nlp: Language) -> None:
    title = "Sacral chordoma: report of two cases"
    assert values(nlp, title, TWO, "age") == [[61], [48]]
    assert values(nlp, title, TWO, "sex") == [["male"], ["female"]]
    first, second = values(nlp, title, TWO, "procedure")
    assert "sacrectomy" in first and "sacrectomy" not in second
    assert values(nlp, title, TWO, "follow_up") == [[24], [24]]


def test_ordinal_words_turn_the_talk(nlp: Language) -> None:
    text = "The first patient was a 9-year-old boy. The second patient was a 12-year-old girl. The second had no recurrence."
    assert values(nlp, "Two cases of osteoblastoma", text, "age") == [[9], [12]]


def test_the_same_patient_in_title_and_text_is_one(nlp: Language) -> None:
    text = "A 34-year-old man presented with hip pain. The man, 34 years old, was treated by curettage."
    assert values(nlp, "Chondroblastoma in a 34-year-old man", text, "age") == [[34]]


def test_a_relative_is_not_the_patient(nlp: Language) -> None:
    text = "A 40-year-old woman with a goitre was seen. Her 62-year-old mother had died of cancer."
    assert values(nlp, "Goitre in a woman", text, "age") == [[40]]


def test_a_group_is_one_cohort(nlp: Language) -> None:
    text = (
        "We retrospectively reviewed 14 patients with giant cell tumor of the distal radius, 8 women and 6 men with a mean "
        "age of 32.5 years (range, 18-51 years). All were treated by curettage. The mean follow-up was 60 months."
    )
    result = extract_article(article("Giant cell tumor of the distal radius: a case series", text), nlp)
    (case,) = result.cases
    found = {finding.field: finding for finding in case.findings}
    assert case.kind == "cohort"
    assert {finding.field: finding.value for finding in result.findings} == {
        "study_design": "case_series",
        "n_patients": 14,
    }
    assert found["age"].value == 32.5 and found["age"].attributes["statistic"] == "mean"
    assert found["sex"].value == "mixed"
    assert found["follow_up"].value == 60 and found["follow_up"].attributes["statistic"] == "mean"


@pytest.mark.parametrize(
    ("title", "text", "design"),
    [
        ("Osteoid osteoma of the talus", "We present the case of a 15-year-old boy with ankle pain.", "case_report"),
        ("Osteosarcoma in a dog", "A 7-year-old female dog was presented with lameness.", "other"),
        (
            "Denosumab versus curettage: a randomized trial",
            "In this randomized clinical trial 40 patients were compared with a control group (p < 0.05).",
            "other",
        ),
        ("A new human chordoma cell line", "The cell line was characterized and injected into mice.", "other"),
    ],
)
def test_designs(nlp: Language, title: str, text: str, design: str) -> None:
    doc = make_doc(nlp, article(title, text))
    for _, component in nlp.pipeline[:-1]:
        doc = component(doc)
    assert study_of(doc).design == design


def test_other_articles_have_no_cases(nlp: Language) -> None:
    assert extract_article(article("Osteosarcoma in a dog", "A 7-year-old dog was lame."), nlp).cases == ()


def test_a_letter_after_the_age_is_the_sex(nlp: Language) -> None:
    assert values(nlp, "Chordoma: a case report", "A 45-year-old F presented with sacral pain.", "sex") == [["female"]]


def test_one_and_the_other_are_two(nlp: Language) -> None:
    text = (
        "We report two cases of osteoid osteoma. One patient had night pain and underwent curettage. "
        "The other patient was treated by radiofrequency ablation and had no pain."
    )
    result = extract_article(article("Osteoid osteoma of the talus", text), nlp)
    assert [finding.value for finding in result.findings] == ["case_report", 2]
    first, second = [[f.value for f in case.findings if f.field == "procedure"] for case in result.cases]
    assert "curettage" in first and "curettage" not in second


def test_relatives_with_an_age_are_patients_where_the_report_tells_of_both(nlp: Language) -> None:
    text = "We describe a 61-year-old mother and her 35-year-old son with multiple exostoses. Both underwent excision."
    assert values(nlp, "Exostoses in a family", text, "age") == [[61], [35]]
    assert values(nlp, "Exostoses in a family", text, "sex") == [["female"], ["male"]]


def test_each_of_several_patients_has_the_sex_of_its_pronoun(nlp: Language) -> None:
    text = (
        "We present two patients with chordoma. The first patient underwent sacrectomy, and she walked at 3 months. "
        "A second patient received radiotherapy; he was free of pain."
    )
    assert values(nlp, "Two chordomas", text, "sex") == [["female"], ["male"]]


def test_they_are_all_of_them(nlp: Language) -> None:
    text = (
        "Patient 1 was a 29-year-old woman with hip dysplasia. Patient 2 was a 51-year-old woman with coxarthrosis. "
        "They underwent arthroplasty, and they were pain-free after 6 months."
    )
    assert values(nlp, "Hip arthroplasty: two cases", text, "follow_up") == [[6], [6]]
