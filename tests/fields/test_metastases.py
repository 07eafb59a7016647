"""Where a tumour has spread, or that it has not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spacy.language import Language

from caseframe.fields.metastases import DISTANT, find
from caseframe.schema import Extraction

LEAD = "A 19-year-old man with osteosarcoma of the humerus underwent wide resection. "


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("CT showed lung and liver metastases.", ["lung", "liver"]),
        ("Pulmonary metastasis developed.", ["lung"]),
        ("Bone, liver, and lung metastases were seen.", ["bone", "liver", "lung"]),
        ("Liver, lung or bone metastases were suspected.", ["liver", "lung", "bone"]),
        ("Multiple brain metastases were found.", ["brain"]),
        ("Lymph node metastases were found.", ["lymph node"]),
        ("He had metastases to the lung, liver and brain.", ["lung", "liver", "brain"]),
        ("Metastases in the liver, both lungs and the brain were found.", ["liver", "lung", "brain"]),
        ("The tumour had metastasised to the scapula.", ["scapula"]),
        ("Multiple metastatic lesions were detected in the spine.", ["spine"]),
        ("CT found extensive vertebral, pelvic, lymph node metastasis.", ["vertebra", "pelvis", "lymph node"]),
        ("There were metastases in the lung, glimbal streaks and liver.", ["lung", "liver"]),
        ("Bone metastases (MBM), especially in the spine and both femurs, were seen.", ["bone", "spine", "femur"]),
        ("There was metastasis including: sacrum, the left ilium.", ["sacrum", "ilium"]),
        ("Metastatic adenocarcinoma in the lymph nodes and lungs was found.", ["lymph node", "lung"]),
        ("A 60-year-old man had lung metastases. The metastases grew.", ["lung"]),
        ("Metastases were found at the last visit.", [DISTANT]),
        ("There were metastases from breast cancer.", [DISTANT]),
    ],
)
def test_sites_of_spread(nlp: Language, text: str, sites: list[str]) -> None:
    found = list(find(nlp(text)))
    assert [finding.value for finding in found] == sites
    assert {finding.assertion for finding in found} <= {"present", "possible"}


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("It was a renal cell carcinoma metastatic to the scapula.", ["scapula"]),
        ("Renal cell carcinoma metastases were found in the lung.", ["lung"]),
        ("Breast cancer metastases were treated.", [DISTANT]),
        ("A colorectal liver metastasis was resected.", ["liver"]),
        ("It was a metastatic carcinoma of the breast.", [DISTANT]),
        ("A sarcoma of the femur, lung and liver metastases were found.", ["lung", "liver"]),
        ("CT showed a mass in the lung, and bone metastases.", ["bone"]),
    ],
)
def test_the_organ_of_the_primary_is_no_site_of_spread(nlp: Language, text: str, sites: list[str]) -> None:
    assert [finding.value for finding in find(nlp(text))] == sites


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("CT showed no distant metastasis.", DISTANT, "no distant metastasis"),
        ("There were no lung metastases.", "lung", "no lung metastases"),
        ("Staging showed no evidence of metastases.", DISTANT, "no evidence of metastases"),
    ],
)
def test_a_denial_is_absent_and_part_of_the_words(nlp: Language, text: str, value: str, words: str) -> None:
    (finding,) = find(nlp(text))
    assert (finding.value, finding.assertion, finding.text) == (value, "absent", words)


def test_each_site_has_its_code_and_its_words(nlp: Language) -> None:
    lung, liver = find(nlp("CT showed lung and liver metastases."))
    assert (lung.code, lung.text) == ("ICDO3:C34.9", "lung and liver metastases")
    assert (liver.code, liver.text) == ("ICDO3:C22.0", "liver metastases")


def test_metastatic_as_an_adjective_is_less_sure(nlp: Language) -> None:
    (adjective,) = find(nlp("A metastatic melanoma was resected."))
    (noun,) = find(nlp("Metastases were resected."))
    assert adjective.confidence < noun.confidence


def test_no_spread_without_its_word(nlp: Language) -> None:
    assert list(find(nlp("A melanoma of the lung and liver was resected."))) == []


def test_spread_reaches_the_row_with_its_time(extract: Callable[..., Extraction]) -> None:
    (case,) = extract(LEAD + "Two years later, he developed lung and liver metastases.").cases
    spread = [finding for finding in case.findings if finding.field == "metastasis"]
    assert [(finding.value, finding.assertion, finding.when_days) for finding in spread] == [
        ("lung", "present", 730),
        ("liver", "present", 730),
    ]


def test_its_denial_reaches_the_row(extract: Callable[..., Extraction]) -> None:
    (case,) = extract(LEAD + "There was no distant metastasis at 2 years.").cases
    (finding,) = (finding for finding in case.findings if finding.field == "metastasis")
    assert (finding.value, finding.assertion) == (DISTANT, "absent")
