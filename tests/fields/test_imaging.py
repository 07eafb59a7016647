from __future__ import annotations

import pytest
from spacy.language import Language

from caseframe.fields import imaging


def values(stages: Language, text: str) -> list[str]:
    return [str(finding.value) for finding in imaging.find(stages(text))]


def test_modalities_in_many_words(stages: Language) -> None:
    text = "Plain radiographs, a CT scan, magnetic resonance imaging and bone scintigraphy showed a lytic lesion."
    assert values(stages, text) == ["radiograph", "ct", "mri", "bone_scan"]


def test_the_longest_name_wins(stages: Language) -> None:
    assert values(stages, "PET/CT and CT angiography were done.") == ["pet_ct", "ct_angiography"]


@pytest.mark.parametrize("text", ["A CT-guided biopsy was taken.", "Ultrasound guided drainage was done."])
def test_guidance_is_no_study(stages: Language, text: str) -> None:
    assert values(stages, text) == []


def test_an_adjective_is_less_sure_than_a_study(stages: Language) -> None:
    union, study = imaging.find(stages("Radiographic union was seen. Radiographic examination showed union."))
    assert union.confidence < study.confidence


def test_a_short_form_defined_otherwise_is_no_imaging(stages: Language) -> None:
    assert values(stages, "We report transverse testicular ectopia (TTE). TTE is rare.") == []


def test_not_performed_is_absent(stages: Language) -> None:
    (finding,) = imaging.find(stages("No MRI was performed."))
    assert (finding.value, finding.assertion) == ("mri", "absent")
