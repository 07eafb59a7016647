import pytest
from spacy.language import Language

from caseframe.pipeline import extract_article
from caseframe.schema import Article, Finding


def found(nlp: Language, text: str, field: str) -> list[Finding]:
    lead = "A 40-year-old man with osteosarcoma of the femur underwent wide resection. "
    article = Article.build(title="Osteosarcoma: a case report", abstract=[("", lead + text)], pmid="1")
    (case,) = extract_article(article, nlp).cases
    for finding in case.findings:
        assert article.text[finding.start : finding.end] == finding.text
    return [finding for finding in case.findings if finding.field == field]


def test_no_recurrence_is_absent_with_its_time(nlp: Language) -> None:
    (finding,) = found(nlp, "At 2-year follow-up, he had no local recurrence.", "recurrence")
    assert (finding.assertion, finding.when_days) == ("absent", 730)
    assert finding.text.startswith("no ")


def test_the_last_word_on_recurrence_counts(nlp: Language) -> None:
    text = "There was no recurrence at 6 months. Two years later, a local recurrence was found in the scar."
    (finding,) = found(nlp, text, "recurrence")
    assert finding.assertion == "present"


def test_no_evidence_of_disease(nlp: Language) -> None:
    (finding,) = found(nlp, "He was disease-free 3 years after surgery.", "disease_status")
    assert finding.value == "no_evidence_of_disease"


def test_death_of_disease(nlp: Language) -> None:
    text = "He died of pulmonary metastases 8 months after surgery."
    assert [f.value for f in found(nlp, text, "vital_status")] == ["dead"]
    assert [f.value for f in found(nlp, text, "disease_status")] == ["died_of_disease"]


def test_alive_by_a_state_at_a_later_time(nlp: Language) -> None:
    assert [f.value for f in found(nlp, "At 18 months, the patient walked without pain.", "vital_status")] == ["alive"]
    assert found(nlp, "The postoperative radiograph showed a stable implant.", "vital_status") == []


def test_the_death_of_another_is_not_the_patients(nlp: Language) -> None:
    assert found(nlp, "His father had died of a stroke.", "vital_status") == []


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("At the 1-year follow-up he was well.", 12),
        ("He was followed for 30 months.", 30),
        ("He walked at 6 weeks. At 2 years he had no pain.", 24),
        ("Three months after surgery, he returned to work.", 3),
    ],
)
def test_follow_up_is_the_longest_time(nlp: Language, text: str, months: float) -> None:
    (finding,) = found(nlp, text, "follow_up")
    assert finding.value == pytest.approx(months, rel=0.01)
    assert finding.unit == "month"


@pytest.mark.parametrize(
    "text",
    [
        "The lesion did not recur.",
        "At 4 years, he was recurrence-free.",
        "There were no clues as to a relapse.",
        "The tumor was not recurrent at 12 months.",
    ],
)
def test_recurrence_is_denied(nlp: Language, text: str) -> None:
    (finding,) = found(nlp, text, "recurrence")
    assert finding.assertion == "absent"


def test_a_piece_of_tissue_free_of_tumor_is_no_disease_status(nlp: Language) -> None:
    assert found(nlp, "The resection margins were tumor free.", "disease_status") == []


@pytest.mark.parametrize(
    "text",
    ["The newborn died on the next day.", "Her aunt had died of the same tumor."],
)
def test_the_death_of_a_child_or_relative_is_not_the_patients(nlp: Language, text: str) -> None:
    assert found(nlp, text, "vital_status") == []


def test_the_death_of_some_is_not_that_of_the_group(nlp: Language) -> None:
    text = "We reviewed 14 patients with osteosarcoma who underwent resection. Two patients died of metastases."
    article = Article.build(title="Osteosarcoma: a case series", abstract=[("", text)], pmid="3")
    (case,) = extract_article(article, nlp).cases
    assert "vital_status" not in [finding.field for finding in case.findings]


@pytest.mark.parametrize("text", ["He survived for a year before dying of pneumonia.", "The infection proved fatal."])
def test_ways_to_tell_a_death(nlp: Language, text: str) -> None:
    assert [finding.value for finding in found(nlp, text, "vital_status")] == ["dead"]


def test_the_words_of_alive_are_short(nlp: Language) -> None:
    (finding,) = found(nlp, "The patient was seen in our clinic, and at 2 years he walked well.", "vital_status")
    assert finding.text == "at 2 years he"


def test_alive_at_the_last_follow_up_whenever_that_was(nlp: Language) -> None:
    (finding,) = found(nlp, "At the last follow-up, the patient walked without pain.", "vital_status")
    assert (finding.value, finding.when_days) == ("alive", None)


@pytest.mark.parametrize("text", ["The flap survived completely.", "Both grafts survived."])
def test_a_flap_that_survived_is_no_person(nlp: Language, text: str) -> None:
    assert found(nlp, text, "vital_status") == []


def test_what_was_watched_for_is_no_recurrence(nlp: Language) -> None:
    assert found(nlp, "The patient was monitored for tumor recurrence.", "recurrence") == []


def test_a_recurrence_that_was_excluded_is_absent_and_one_that_was_feared_none(nlp: Language) -> None:
    (finding,) = found(nlp, "Tumor recurrence was likewise excluded.", "recurrence")
    assert finding.assertion == "absent"
    assert found(nlp, "Recurrence and lung cancer were feared.", "recurrence") == []


def test_some_of_a_group_without_disease_are_not_the_group(nlp: Language) -> None:
    text = "We reviewed 14 patients with osteosarcoma who underwent resection. Nine patients were disease-free."
    article = Article.build(title="Osteosarcoma: a case series", abstract=[("", text)], pmid="4")
    (case,) = extract_article(article, nlp).cases
    assert "disease_status" not in [finding.field for finding in case.findings]
