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
import caseframe.stages.sentences
import caseframe.stages.terms
import caseframe.stages.timeline  # noqa: F401
from caseframe.fields.implants import find
from caseframe.schema import FIELDS, Finding
from caseframe.stages.tokenizer import blank

Mark = Callable[..., Doc]


@cache
def pipeline() -> Language:
    nlp = blank()
    for stage in ("sentences", "abbreviations", "terms", "quantities", "assertion", "timeline"):
        nlp.add_pipe(f"caseframe_{stage}")
    return nlp


def found(text: str) -> list[Finding]:
    findings = list(find(pipeline()(text)))
    assert all(text[finding.start : finding.end] == finding.text for finding in findings)
    return findings


def surest(text: str) -> dict[str, Finding]:
    """The surest finding of each value."""
    best: dict[str, Finding] = {}
    for finding in found(text):
        known = best.get(str(finding.value))
        if known is None or finding.confidence > known.confidence:
            best[str(finding.value)] = finding
    return best


def test_a_device_told_three_ways_is_one() -> None:
    devices = surest(
        "We report sacral reconstruction with a 3D-printed implant. The implant was made as a customized titanium "
        "prosthesis. It was composed of a porous mesh and a dense strut. The implant was placed in the defect and "
        "fixed with a screw-rod system up to the level of L3."
    )
    assert set(devices) == {"prosthesis", "screw-rod system"}
    prosthesis = devices["prosthesis"]
    assert prosthesis.text == "customized titanium prosthesis"
    assert prosthesis.attributes["material"] == ("titanium",)
    assert set(prosthesis.attributes["manufacture"]) == {"3d_printed", "custom_made"}  # type: ignore[arg-type]
    assert prosthesis.attributes["features"] == ("porous mesh", "dense strut")
    assert "fixation" not in prosthesis.attributes
    assert devices["screw-rod system"].attributes["fixation"] == ("up to L3",)


def test_maker_fixation_and_site() -> None:
    device = surest("A cemented modular megaprosthesis (MUTARS, Implantcast) was implanted in the distal femur.")[
        "megaprosthesis"
    ]
    assert device.attributes["brand"] == "MUTARS"
    assert device.attributes["fixation"] == ("cemented",)
    assert device.attributes["manufacture"] == ("modular",)
    assert "femur" in str(device.attributes["site"])


def test_different_heads_are_different_devices() -> None:
    text = "The cavity was filled with bone cement and the femur was fixed with a locking plate and K-wires."
    assert set(surest(text)) == {"bone cement", "locking plate", "kirschner wire"}


@pytest.mark.parametrize(
    "text",
    [
        "The growth plate was closed.",
        "Two working ports were inserted.",
        "Radiofrequency catheter ablation was done.",
        "He felt pins and needles.",
        "Graft rejection followed kidney transplantation.",
        "The basement membrane was thick.",
        "Improvised explosive devices caused the injury.",
    ],
)
def test_what_is_no_device(text: str) -> None:
    assert [finding for finding in found(text) if finding.confidence >= 0.4] == []


def test_an_event_of_a_device_is_weak_evidence_of_it() -> None:
    (finding,) = found("Implant failure was feared.")
    assert finding.confidence < 0.4


def test_an_earlier_device_in_the_body_is_present() -> None:
    finding = surest("He had a history of pacemaker implantation 5 years ago.")["pacemaker"]
    assert (finding.field, finding.assertion) == ("implant", "present")


def test_a_denied_device_is_absent() -> None:
    findings = surest("The defect was closed without a mesh.")
    assert findings["mesh"].assertion == "absent"


def test_an_operation_leaves_its_device() -> None:
    assert "coil" in surest("Coil embolization of the aneurysm was successful.")


def test_verbs_leave_devices_too() -> None:
    assert set(surest("The artery was stented.")) == {"stent"}
    assert set(surest("We performed instrumented spinal fusion.")) == {"spinal instrumentation"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The gap was filled with allogeneic bone.", "bone graft"),
        ("Bone chips were packed into the defect.", "bone graft"),
        ("The painful Birmingham hip resurfacing was revised.", "hip resurfacing prosthesis"),
        ("An intertrochanteric nail was inserted.", "cephalomedullary nail"),
        ("A tilting disc valve was implanted.", "mechanical valve"),
    ],
)
def test_devices_by_their_many_names(text: str, value: str) -> None:
    assert set(surest(text)) == {value}


def test_membrane_oxygenation_is_no_membrane() -> None:
    assert found("Extra corporeal membrane oxygenation was started.") == []


def test_bone_marrow_is_no_bone_graft() -> None:
    assert found("Autologous bone marrow transplantation followed.") == []


@pytest.mark.parametrize(
    ("text", "words", "values"),
    [
        ("A retrievable glimbo filter was inserted.", "retrievable glimbo filter", ["filter"]),
        ("We chose a Glimbo-valve.", "Glimbo-valve", ["heart valve prosthesis"]),
        ("The native valve was spared.", "native valve", []),
        ("The filter was inserted.", "filter", []),
        ("A glimbo scalpel was used.", "glimbo scalpel", []),
    ],
)
def test_a_device_that_no_lexicon_lists(marked: Mark, text: str, words: str, values: list[str]) -> None:
    assert [finding.value for finding in find(marked(text, (words, "DEVICE", 0.9)))] == values


def test_a_brand_alone_names_its_device() -> None:
    assert surest("The cavity was packed with gelfoam.")["gelatin sponge"].attributes["brand"] == "Gelfoam"


def test_an_abbreviation_that_the_text_defines_otherwise_is_no_device() -> None:
    assert surest("Vertebral artery dissection (VAD) was found. VAD was treated.") == {}


def test_attributes_are_those_of_the_schema() -> None:
    text = "A porous titanium cage and a custom-made cementless acetabular cup (Stryker) were used."
    known = FIELDS["implant"].attributes
    findings = found(text)
    assert len(findings) == 2
    for finding in findings:
        for name, value in finding.attributes.items():
            assert isinstance(value, tuple if known[name].type == "list" else str)


@given(
    st.lists(st.sampled_from("the implant prosthesis titanium plate It consisted of a porous mesh ( ) , . L3".split()))
)
def test_any_order_of_words_keeps_the_offsets(words: list[str]) -> None:
    found(" ".join(words))


@given(st.text(max_size=100))
def test_any_text_is_read_without_error(text: str) -> None:
    found(text)
