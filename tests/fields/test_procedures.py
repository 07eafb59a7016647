from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

import caseframe.stages.abbreviations
import caseframe.stages.assertion
import caseframe.stages.quantities
import caseframe.stages.sections
import caseframe.stages.sentences
import caseframe.stages.terms
import caseframe.stages.timeline  # noqa: F401
from caseframe.fields.morphology import category_of, correct, one_edit, procedure_word
from caseframe.fields.procedures import find
from caseframe.schema import CATEGORIES, Finding
from caseframe.stages.tokenizer import blank

Mark = Callable[..., Doc]


@cache
def pipeline() -> Language:
    nlp = blank()
    for stage in ("sentences", "sections", "abbreviations", "terms", "quantities", "assertion", "timeline"):
        nlp.add_pipe(f"caseframe_{stage}")
    return nlp


def found(text: str) -> list[Finding]:
    findings = list(find(pipeline()(text)))
    assert all(text[finding.start : finding.end] == finding.text for finding in findings)
    return findings


def values(text: str) -> list[str]:
    return [str(finding.value) for finding in found(text)]


def test_hemisacrectomy_and_sacral_reconstruction_are_two() -> None:
    text = "A man with a tumor of the sacrum had hemisacrectomy and sacral reconstruction with a printed implant."
    assert [(f.value, f.attributes["category"]) for f in found(text)] == [
        ("hemisacrectomy", "resection"),
        ("sacral reconstruction", "reconstruction"),
    ]


def test_a_misspelt_word_is_the_listed_one() -> None:
    assert values("After chemotherapy she underwent hemisacretomy with sparing of the nerves.") == ["hemisacrectomy"]
    assert procedure_word("laporotomy") == procedure_word("laparotomy") or correct("laporotomy") == "laparotomy"


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("sialolithectomy", "resection"),
        ("cheilorrhaphy", "reconstruction"),
        ("hysteropexy", "reconstruction"),
        ("sphenoidostomy", "other"),
        ("ileotransversostomy", "reconstruction"),
        ("metacarpodesis", "fusion"),
        ("acetabuloplasty", "reconstruction"),
        ("amnioscopy", "other"),
        ("tympanocentesis", "other"),
        ("nephropexies", "reconstruction"),
    ],
)
def test_unlisted_words_by_their_endings(word: str, category: str) -> None:
    read = procedure_word(word)
    assert read is not None
    assert read.category == category


@pytest.mark.parametrize(
    "word",
    [
        "anatomy",
        "dichotomy",
        "microscopy",
        "fluoroscopy",
        "apoplexy",
        "hyperplasia",
        "post-transplantation",
        "analysis",
    ],
)
def test_words_that_only_look_like_operations(word: str) -> None:
    assert procedure_word(word) is None


def test_a_well_formed_neighbour_is_no_misspelling() -> None:
    assert correct("jejunotomy") is None
    assert correct("ileotomy") is None
    assert one_edit("arthodesis", "arthrodesis")
    assert not one_edit("gastrectomy", "gastrostomy")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The tumor was resected en bloc.", ["tumor resection"]),
        ("We curetted the cavity.", ["curettage"]),
        ("The left leg was amputated.", ["leg amputation"]),
        ("A two-stage revision was performed.", ["two-stage revision"]),
        ("The mass was surgically removed.", ["tumor resection"]),
        ("The fracture was fixed with a plate.", ["fracture fixation"]),
        ("The abscess was drained.", ["abscess drainage"]),
        ("The right kidney was removed.", ["nephrectomy"]),
        ("Removal of the plate followed.", ["plate removal"]),
        ("She had a biopsy of the kidney.", ["kidney biopsy"]),
        ("Repair of the tricuspid valve was done.", ["tricuspid valve repair"]),
        ("Resection and reconstruction of the sacrum were done.", ["sacrectomy", "sacral reconstruction"]),
        ("A pacemaker was implanted.", ["pacemaker implantation"]),
        ("He was operated on.", ["surgery"]),
    ],
)
def test_nouns_and_verbs(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A 3D reconstruction of the CT images was made.",
        "Resection margins were negative.",
        "The dose was reduced and the infusion removed.",
        "Aortic dissection was seen.",
        "Malignant cells had replaced the marrow.",
        "Liver function had stabilized.",
        "The anatomy of the pelvis is complex.",
    ],
)
def test_what_is_no_operation(text: str) -> None:
    assert values(text) == []


def test_levels_approach_and_side_are_attributes() -> None:
    (laminectomy,) = found("An L2-L4 laminectomy was done via a posterior approach.")
    assert laminectomy.value == "laminectomy"
    assert laminectomy.attributes["levels"] == "L2-L4"
    assert laminectomy.attributes["approach"] == "posterior"
    (nephrectomy,) = found("Laparoscopic right nephrectomy was performed.")
    assert nephrectomy.value == "nephrectomy"
    assert (nephrectomy.attributes["approach"], nephrectomy.attributes["laterality"]) == ("laparoscopic", "right")


def test_every_finding_has_a_category_of_the_schema() -> None:
    text = "Craniotomy, kyphoplasty, open reduction, embolization, stenting, revision surgery and a flap followed."
    findings = found(text)
    assert len(findings) >= 6
    assert all(finding.attributes["category"] in CATEGORIES for finding in findings)


def test_an_earlier_operation_is_a_comorbidity() -> None:
    findings = found(
        "She had undergone a mastectomy with axillary dissection 6 years ago. A nephrectomy was performed."
    )
    assert [(f.field, f.value, f.assertion) for f in findings] == [
        ("comorbidity", "mastectomy", "historical"),
        ("comorbidity", "axillary lymph node dissection", "historical"),
        ("procedure", "nephrectomy", "present"),
    ]
    assert all("category" not in f.attributes for f in findings[:2])


def test_time_after_an_operation_of_the_told_course_keeps_it_a_procedure() -> None:
    findings = found("The patient underwent curettage. Two years after curettage there was no recurrence.")
    assert {(f.field, f.assertion) for f in findings} == {("procedure", "present")}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Bleeding began 1 year after a cesarean section.", "cesarean section"),
        ("An adrenal mass was found two years after taking a left mastectomy.", "mastectomy"),
        ("A man, status post hernia repair, had a fistula. Fistula after hernia repair is rare.", "hernia repair"),
        ("She received a hydrocelectomy because of swelling 3 years ago.", "hydrocelectomy"),
        ("Four years ago, he had a gastrectomy.", "gastrectomy"),
        ("A 30-year-old man had kyphosis. He underwent laminectomy at the age of 3 years.", "laminectomy"),
        ("A 30-year-old man had kyphosis. He underwent laminectomy at 9 years of age.", "laminectomy"),
        ("We report a post fracture in a woman 14 months after a stabilized knee arthroplasty.", "knee arthroplasty"),
    ],
)
def test_an_operation_of_long_ago(text: str, value: str) -> None:
    assert {(f.field, f.assertion) for f in found(text) if f.value == value} == {("comorbidity", "historical")}


def test_what_only_explains_the_present_trouble_is_as_old_as_the_text_says() -> None:
    findings = found("Band erosion after gastric banding. A woman had pain 4 years after gastric banding.")
    assert {f.field for f in findings if f.value == "gastric banding"} == {"comorbidity"}


def test_an_operation_at_a_later_age_belongs_to_the_course() -> None:
    findings = found("A 65-year-old woman had cancer. At the age of 68, she underwent partial hepatectomy.")
    assert [f.field for f in findings] == ["procedure"]


def test_a_long_history_does_not_make_an_operation_old() -> None:
    (biopsy,) = found("A man had a 1-year history of a rash that was biopsied.")
    assert biopsy.field == "procedure"


@pytest.mark.parametrize(
    ("text", "assertion"),
    [
        ("Amputation was offered, but the patient left.", "hypothetical"),
        ("A hip arthroplasty was planned; he died before it.", "hypothetical"),
        ("A hip arthroplasty was planned and then performed.", "present"),
        ("A hip arthroplasty was planned but not performed.", "absent"),
        ("Amputation was offered but declined.", "absent"),
        ("Amputation was performed.", "present"),
    ],
)
def test_planned_refused_done(text: str, assertion: str) -> None:
    (finding,) = found(text)
    assert finding.assertion == assertion


def test_the_side_of_a_paired_organ_is_the_one_the_text_knows() -> None:
    findings = found("A mass of the left kidney was seen. Nephrectomy was performed. A cholecystectomy followed.")
    assert {f.value: f.attributes.get("laterality") for f in findings} == {
        "nephrectomy": "left",
        "cholecystectomy": None,
    }
    (nephrectomy,) = found("The right kidney was normal, the left was not. Nephrectomy was performed.")
    assert "laterality" not in nephrectomy.attributes


def test_two_approaches_before_one_operation() -> None:
    (fusion,) = found("She underwent anterior and posterior spinal fusion L2-L5.")
    assert fusion.attributes["approach"] == "anterior and posterior"


def test_the_wall_that_was_resected_is_no_approach() -> None:
    (resection,) = found("She underwent resection of the dorsal vaginal wall.")
    assert "approach" not in resection.attributes


def test_what_came_after_an_operation_is_none() -> None:
    assert values("He had post-spinal fusion osteomyelitis.") == []
    assert values("A post-operative nephrectomy followed.") == ["nephrectomy"]


def test_the_lesion_of_a_text_on_a_tumor_is_the_tumor() -> None:
    assert values("A chordoma was seen. The lesion was removed.") == ["tumor resection"]
    assert values("A burn was seen. The lesion was removed.") == ["lesion resection"]


def test_never_denies_the_verb() -> None:
    assert [f.assertion for f in found("A pacemaker was never inserted.")] == ["absent"]


def test_general_words_and_repetitions_are_weak() -> None:
    surgery, nephrectomy, resection = found("Surgery was planned. Nephrectomy was done. After resection he recovered.")
    assert surgery.confidence < 0.4
    assert nephrectomy.confidence > 0.8
    assert resection.confidence < 0.4


def test_a_denied_operation_is_absent() -> None:
    assert [f.assertion for f in found("The wound healed without skin grafting.")] == ["absent"]


@given(st.text(max_size=120))
def test_any_text_is_read_without_error(text: str) -> None:
    found(text)


@given(
    st.sampled_from(["the tumor", "was", "resected", "of", "left", "nephrectomy", "and", ",", "biopsy", "L3"]).flatmap(
        lambda word: st.lists(st.sampled_from([word, "removed", "repair", "of", "the", "hip", "we", "."]), max_size=25)
    )
)
def test_any_order_of_words_keeps_the_offsets(words: list[str]) -> None:
    found(" ".join(words))


@given(st.text(alphabet="abcdehilmnoprstuy", max_size=18))
def test_any_word_has_a_known_category_or_none(word: str) -> None:
    assert category_of(word) in ("", *CATEGORIES)
    read = procedure_word(word)
    assert read is None or read.category in CATEGORIES


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("He underwent sequin removal.", "sequin removal", "sequin removal"),
        ("She underwent transvaginal removal of retained sequins.", "transvaginal removal", "retained sequins removal"),
    ],
)
def test_a_head_of_unknown_words_that_the_entities_see(marked: Mark, text: str, words: str, value: str) -> None:
    (finding,) = find(marked(text, (words, "PROCEDURE", 0.9)))
    assert finding.value == value and finding.text.startswith(words)


def test_without_them_such_a_head_says_too_little(stages: Language) -> None:
    assert list(find(stages("He underwent sequin removal."))) == []
