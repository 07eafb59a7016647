"""How something went, by the build of the phrase."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from spacy.language import Language

from caseframe.fields.courses import Course, courses
from caseframe.fields.outcomes import find
from caseframe.pipeline import assemble_stages


@pytest.fixture(scope="module")
def stages() -> Language:
    return assemble_stages()


def only(stages: Language, text: str) -> Course:
    (course,) = courses(stages(text))
    return course


@pytest.mark.parametrize(
    ("text", "build", "value", "words"),
    [
        ("The headache resolved.", "verb", "headache resolution", "headache resolved"),
        ("Serum bilirubin returned to normal.", "verb", "serum bilirubin normalization", "Serum bilirubin returned"),
        ("The bleeding was finally controlled.", "verb", "bleeding control", "bleeding was finally controlled"),
        ("There was complete disappearance of the rash.", "noun", "rash resolution", "disappearance of the rash"),
        ("The graft was patent.", "state", "graft patency", "graft was patent"),
        ("Her renal function remained stable.", "state", "stable renal function", "renal function remained stable"),
        ("The patient remained stable.", "state", "stable condition", "patient remained stable"),
        ("The drug alleviated her symptoms.", "object", "symptom relief", "alleviated her symptoms"),
        ("There was a good functional result.", "result", "functional recovery", "good functional result"),
        ("He made an uneventful postoperative recovery.", "name", "recovery", "uneventful postoperative recovery"),
        ("The foot was successfully reconstructed.", "success", "treatment success", "successfully reconstructed"),
        ("The first closure failed.", "success", "treatment failure", "closure failed"),
        ("She returned to her usual activities.", "return", "return to usual activities", "returned to her usual activities"),
        ("He was back on active duty.", "return", "return to work", "back on active duty"),
        ("The drug controlled the bleeding.", "object", "bleeding control", "controlled the bleeding"),
        ("He is without any neurological complaints.", "gone", "asymptomatic", "without any neurological complaints"),
    ],
)  # fmt: skip
def test_builds(stages: Language, text: str, build: str, value: str, words: str) -> None:
    course = only(stages, text)
    assert (course.build, course.value, course.span.text) == (build, value, words)


@pytest.mark.parametrize(
    "text",
    ["Her symptoms did not improve.", "The lesion failed to regress.", "The drug failed to control the bleeding."],
)
def test_what_did_not_happen_is_absent(stages: Language, text: str) -> None:
    assert only(stages, text).assertion == "absent"


@pytest.mark.parametrize(
    "text",
    [
        "The fracture was reduced.",
        "Reduction of the hip joint followed.",
        "The international normalized ratio was 1.2.",
        "She returned to the clinic.",
        "The facial nerve was preserved.",
        "A splenectomy was avoided by preservation of the spleen.",
        "The third week resolved.",
        "The dose was reduced in the second trial, and the therapy was maintained.",
        "Symptoms may improve.",
    ],
)
def test_what_is_done_or_measured_is_no_course(stages: Language, text: str) -> None:
    assert courses(stages(text)) == []


def test_a_fusion_that_was_performed_is_no_outcome(stages: Language) -> None:
    assert list(find(stages("Posterolateral bone fusion was performed."))) == []
    assert [finding.value for finding in find(stages("Bone fusion was seen at 6 months."))] == ["bone fusion"]


def test_courses_do_not_overlap(stages: Language) -> None:
    found = courses(
        stages("Complete resolution of symptoms was achieved. The graft was patent, and the pain resolved.")
    )
    assert len(found) > 2
    assert all(one.span.end <= other.span.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    "filler", ["returned to normal " * 500, "no pain and " * 500, "good functional " * 500, "was " * 2000]
)
def test_hostile_text_takes_no_time(stages: Language, filler: str) -> None:
    doc = stages(filler)
    start = process_time()
    courses(doc)
    assert process_time() - start < 2
