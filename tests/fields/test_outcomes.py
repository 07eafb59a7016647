"""How the patient did: by the lexicon, by verbs, by nouns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spacy.language import Language

from caseframe.fields.outcomes import find
from caseframe.schema import Extraction

LEAD = "A 45-year-old woman with chondrosarcoma of the pelvis underwent hemipelvectomy. "


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Bone fusion was seen on radiographs.", "bone fusion"),
        ("She was able to walk without support.", "walking"),
        ("He returned to work.", "return to work"),
        ("Full weight bearing was allowed.", "full weight bearing"),
        ("Poor functional recovery was noted.", "functional recovery"),
        ("The wound healed uneventfully.", "wound healing"),
    ],
)
def test_by_the_lexicon(nlp: Language, text: str, value: str) -> None:
    assert value in [finding.value for finding in find(nlp(text))]


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("The headache resolved after surgery.", "headache resolution", "headache resolved"),
        ("The lesion disappeared.", "lesion resolution", "lesion disappeared"),
        ("The fracture healed.", "fracture healing", "fracture healed"),
        ("Her condition worsened.", "clinical deterioration", "condition worsened"),
        ("The tumour progressed.", "tumor progression", "tumour progressed"),
    ],
)
def test_by_verbs(nlp: Language, text: str, value: str, words: str) -> None:
    (finding,) = find(nlp(text))
    assert (finding.value, finding.text) == (value, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("There was complete resolution of the edema.", "edema resolution"),
        ("There was a resolution of the oedema.", "edema resolution"),
        ("He had improvement in visual acuity at 6 months.", "visual acuity improvement"),
        ("The disappearance of all lesions was noted.", "lesion resolution"),
    ],
)
def test_by_nouns(nlp: Language, text: str, value: str) -> None:
    assert [finding.value for finding in find(nlp(text))] == [value]


@pytest.mark.parametrize("text", ["His symptoms were not relieved.", "There was no relief of pain."])
def test_a_denied_outcome_is_absent(nlp: Language, text: str) -> None:
    (finding,) = find(nlp(text))
    assert finding.assertion == "absent"


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        ("Excellent bony fusion was noticed.", "excellent"),
        ("The headache resolved completely.", "excellent"),
        ("The wound healed well.", "good"),
        ("The functional recovery was moderate.", "fair"),
        ("The functional recovery was poor.", "poor"),
        ("Her condition worsened.", "poor"),
        ("Bone fusion was seen.", None),
    ],
)
def test_quality(nlp: Language, text: str, quality: str | None) -> None:
    (finding,) = find(nlp(text))
    assert finding.attributes.get("quality") == quality


def test_time_after_the_operation(nlp: Language) -> None:
    (finding,) = find(nlp("Bone fusion was seen 6 months after surgery."))
    assert finding.attributes["when_days"] == pytest.approx(182, abs=1)


@pytest.mark.parametrize("text", ["She complained of a headache.", "The patient was operated on.", "Resolved."])
def test_no_outcome_of_nothing(nlp: Language, text: str) -> None:
    assert [finding for finding in find(nlp(text)) if len(str(finding.value).split()) > 1] == []


def test_outcomes_reach_the_row(extract: Callable[..., Extraction]) -> None:
    (case,) = extract(LEAD + "She walked with a cane at 6 months. She returned to work after 1 year.").cases
    outcomes = [(f.value, f.attributes.get("when_days")) for f in case.findings if f.field == "outcome"]
    assert outcomes == [("walking", pytest.approx(182, abs=1)), ("return to work", 365)]


@pytest.mark.parametrize(
    "text",
    [
        "Bone fusion is difficult to achieve after hemipelvectomy.",
        "Patients with chondrosarcoma may return to work after hemipelvectomy.",
    ],
)
def test_general_statements_do_not(extract: Callable[..., Extraction], text: str) -> None:
    (case,) = extract(f"{text} {LEAD}").cases
    assert [finding for finding in case.findings if finding.field == "outcome"] == []


def test_a_name_is_no_outcome(nlp: Language) -> None:
    assert list(find(nlp("The tumor was staged by the rules of the Union for Cancer Control."))) == []


def test_no_loss_of_correction_is_a_correction(nlp: Language) -> None:
    (finding,) = find(nlp("There was no loss of deformity correction at 2 years."))
    assert (finding.value, finding.assertion) == ("deformity correction", "present")


def test_a_wound_that_the_surgeon_closes_is_no_outcome(nlp: Language) -> None:
    assert list(find(nlp("The wound was closed in layers."))) == []
