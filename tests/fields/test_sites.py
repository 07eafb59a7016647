"""Sites: what counts as one, its side, and how surely the case lies there."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

from caseframe.fields.sites import MIN_PROBABILITY, Context, find, probabilities_of, sites_of
from caseframe.schema import Finding


def candidates(stages: Language, text: str) -> list[tuple[str, str, str]]:
    return [(site.span.text, site.term.preferred, site.laterality) for site in sites_of(stages(text))]


def findings(stages: Language, text: str) -> list[Finding]:
    return list(find(stages(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resection of the left distal femur.", ("left distal femur", "distal femur", "left")),
        ("A right-sided adrenal mass was seen.", ("right-sided adrenal", "adrenal gland", "right")),
        ("Sacral osteosarcoma was resected.", ("Sacral", "sacrum", "")),
        ("Femoral fractures were fixed.", ("Femoral", "femur", "")),
        ("He had a left giant renal tumour.", ("left giant renal", "kidney", "left")),
        ("Both knees were replaced.", ("Both knees", "knee", "bilateral")),
        ("Tumours of the left and right kidneys.", ("left and right kidneys", "kidney", "bilateral")),
        ("A lump on the right side of his neck.", ("right side of his neck", "neck", "right")),
        ("A lesion of the proximal tibia (left) was found.", ("proximal tibia", "proximal tibia", "left")),
        ("A mass in the thigh on the right.", ("thigh", "thigh", "right")),
        ("A tumor in the right lobe of the liver.", ("right lobe of the liver", "liver", "right")),
        ("A myxoma of the left atrium.", ("left atrium", "left atrium", "")),
        ("Surgery for both colon and breast cancer.", ("colon", "colon", "")),
        ("She underwent left nephrectomy.", ("left nephrectomy", "kidney", "left")),
        ("Hemisacrectomy was done.", ("Hemisacrectomy", "sacrum", "")),
        ("A fracture of L2 was fixed.", ("L2", "lumbar vertebra", "")),
        ("Stenosis at C4-C6.", ("C4-C6", "cervical spine", "")),
        ("Fusion from L4 to S1.", ("L4 to S1", "lumbosacral spine", "")),
    ],
)
def test_words_value_and_side(stages: Language, text: str, expected: tuple[str, str, str]) -> None:
    assert candidates(stages, text)[0] == expected


@pytest.mark.parametrize(
    "text",
    [
        "A chest radiograph was taken.",
        "Abdominal computed tomography was normal.",
        "Chest and abdominal CT showed nothing.",
        "Contrast-enhanced chest, abdominal and pelvic CT was done.",
        "Renal ultrasonography was repeated.",
        "The defect was filled with an iliac crest bone graft.",
        "A free fibular graft was harvested.",
        "A femoral vein catheter was placed.",
        "A lumbar puncture was done.",
        "Liver function and renal enzymes were normal.",
        "She received oral antibiotics.",
        "Oral prednisolone was started.",
        "A latissimus dorsi flap covered the wound.",
        "He was called back.",
        "It was the sole reason.",
    ],
)
def test_pictures_ways_in_and_donors_are_no_sites(stages: Language, text: str) -> None:
    assert candidates(stages, text) == []


def test_parts_named_like_regions(stages: Language) -> None:
    values = [value for _, value, _ in candidates(stages, "A mass in the neck and body of the pancreas was resected.")]
    assert values == ["body of pancreas"]
    assert [value for _, value, _ in candidates(stages, "A mass in the neck of the patient.")][:1] != [
        "body of pancreas"
    ]


def test_a_side_told_once_holds_for_the_site(stages: Language) -> None:
    text = "Tumour of the femur\nA 20-year-old man had a tumour of the left femur."
    assert [side for _, value, side in candidates(stages, text) if value == "femur"] == ["left", "left"]
    both = "A tumour of the left femur. The right femur was normal. The femur was fixed."
    assert [side for _, _, side in candidates(stages, both)] == ["left", "right", ""]


def test_findings_carry_code_side_words_and_confidence(stages: Language) -> None:
    text = "A 30-year-old woman presented with a giant cell tumor of the right proximal humerus."
    (finding,) = findings(stages, text)
    assert (finding.field, finding.value, finding.code) == ("site", "proximal humerus", "ICDO3:C40.0")
    assert finding.text == "right proximal humerus" == text[finding.start : finding.end]
    assert dict(finding.attributes) == {"laterality": "right"}
    assert finding.assertion == "present"
    assert finding.source.startswith("fields.sites/")
    assert MIN_PROBABILITY <= finding.confidence <= 1


def test_where_the_tumour_lies_is_surer_than_what_is_by_the_way(stages: Language) -> None:
    doc = stages(
        "A 40-year-old man had a chondrosarcoma of the left scapula. Computed tomography of the chest was normal. "
        "The mass of the scapula was resected."
    )
    sites = sites_of(doc)
    probabilities = probabilities_of(Context(doc, sites), sites)
    sure = {site.term.preferred: sure for site, sure in zip(sites, probabilities, strict=True)}
    assert sure["scapula"] > 0.6 > sure["chest"]
    assert {finding.value for finding in find(doc)} == {"scapula"}


def test_denied_and_relatives_sites_are_none(stages: Language) -> None:
    text = "There was no evidence of hepatic lesions. His mother had breast cancer."
    assert findings(stages, text) == []


def test_levels_that_are_sacral(stages: Language) -> None:
    assert [value for _, value, _ in candidates(stages, "A tumour at S1-S3.")] == ["sacrum"]


def test_a_text_without_sites(stages: Language) -> None:
    assert findings(stages, "") == []
    assert findings(stages, "We thank the reviewers.") == []


def test_findings_can_be_pickled(stages: Language) -> None:
    found = findings(stages, "A 50-year-old man had an osteosarcoma of the left femur.")
    assert found and pickle.loads(pickle.dumps(found)) == found


WORDS = st.sampled_from(
    "left right both bilateral the of and , ( ) . femur femoral neck sacral L5 L3-S1 CT graft nephrectomy mass "
    "pancreas body head renal back - / on side no".split()
)


@given(st.lists(WORDS, max_size=25))
def test_offsets_hold_for_any_order_of_words(stages: Language, words: list[str]) -> None:
    text = " ".join(words)
    doc = stages(text)
    for site in sites_of(doc):
        assert site.span.start <= site.core.start < site.core.end <= site.span.end
        assert site.laterality in ("", "left", "right", "bilateral", "midline")
    for finding in find(doc):
        assert text[finding.start : finding.end] == finding.text
