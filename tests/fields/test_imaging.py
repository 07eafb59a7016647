from __future__ import annotations

import pytest
from spacy.language import Language

from caseframe.fields import imaging
from caseframe.pipeline import STAGES, register
from caseframe.stages.tokenizer import blank


@pytest.fixture(scope="module")
def nlp() -> Language:
    register()
    language = blank()
    for stage in STAGES:
        language.add_pipe(stage)
    return language


def values(nlp: Language, text: str) -> list[str]:
    return [str(finding.value) for finding in imaging.find(nlp(text))]


def test_modalities_in_many_words(nlp: Language) -> None:
    text = "Plain radiographs, a CT scan, magnetic resonance imaging and bone scintigraphy showed a lytic lesion."
    assert values(nlp, text) == ["radiograph", "ct", "mri", "bone_scan"]


def test_the_longest_name_wins(nlp: Language) -> None:
    assert values(nlp, "PET/CT and CT angiography were done.") == ["pet_ct", "ct_angiography"]


@pytest.mark.parametrize("text", ["A CT-guided biopsy was taken.", "Ultrasound guided drainage was done."])
def test_guidance_is_no_study(nlp: Language, text: str) -> None:
    assert values(nlp, text) == []


def test_an_adjective_is_less_sure_than_a_study(nlp: Language) -> None:
    union, study = imaging.find(nlp("Radiographic union was seen. Radiographic examination showed union."))
    assert union.confidence < study.confidence


def test_a_short_form_defined_otherwise_is_no_imaging(nlp: Language) -> None:
    assert values(nlp, "We report transverse testicular ectopia (TTE). TTE is rare.") == []


def test_not_performed_is_absent(nlp: Language) -> None:
    (finding,) = imaging.find(nlp("No MRI was performed."))
    assert (finding.value, finding.assertion) == ("mri", "absent")
