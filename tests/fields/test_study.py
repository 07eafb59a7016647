"""study_design and n_patients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spacy.language import Language

from caseframe.fields.study import cues
from caseframe.pipeline import extract_article
from caseframe.schema import FIELDS, Extraction

Extract = Callable[..., Extraction]


def own(extraction: Extraction) -> dict[str, object]:
    return {finding.field: finding.value for finding in extraction.findings}


@pytest.mark.parametrize(
    ("title", "text", "design", "patients"),
    [
        ("Osteosarcoma of the sacrum: a case report", "We report a man with a tumor of the sacrum.", "case_report", 1),
        ("Hepatoblastoma", "A 3-month-old boy with a hepatoblastoma underwent hepatectomy.", "case_report", 1),
        (
            "Sacral tumors: report of two cases",
            "Case 1 was a 34-year-old man with osteosarcoma. Case 2 was a 12-year-old girl with Ewing sarcoma.",
            "case_report",
            2,
        ),
        (
            "Hemipelvectomy for chondrosarcoma",
            "We retrospectively reviewed 23 patients who underwent hemipelvectomy. The mean age was 51 years.",
            "case_series",
            23,
        ),
        (
            "Denosumab in giant cell tumor of bone",
            "Twelve patients with giant cell tumor of bone were treated with denosumab. All were followed for a year.",
            "case_series",
            12,
        ),
    ],
)
def test_reports_and_series(extract: Extract, title: str, text: str, design: str, patients: int) -> None:
    assert own(extract(text, title)) == {"study_design": design, "n_patients": patients}


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Hip arthroplasty: a systematic review and meta-analysis", "We searched PubMed for trials."),
        ("Osteosarcoma in a mouse model", "Eight mice were implanted with osteosarcoma cells."),
        ("Cement or no cement", "Patients were randomized to cemented or cementless stems in this randomized trial."),
    ],
)
def test_other_work(extract: Extract, title: str, text: str) -> None:
    extraction = extract(text, title)
    assert own(extraction)["study_design"] == "other"
    assert extraction.cases == ()


def test_the_publication_type_speaks(extract: Extract) -> None:
    text = "Patients were treated."
    assert own(extract(text, "A trial", publication_types=("Randomized Controlled Trial",)))["study_design"] == "other"
    told = extract("A 34-year-old man was operated on.", "A review of sarcoma", publication_types=("Case Reports",))
    assert own(told)["study_design"] == "case_report"


LAGOON = (
    "Phytoplankton was sampled monthly at twelve stations of a coastal lagoon. Diatoms were dominant in spring, whereas "
    "cyanobacteria were abundant in summer. Biomass was positively correlated with water temperature and with the "
    "concentration of dissolved nitrogen. Experiments in mesocosms showed that the addition of phosphate increased growth "
    "rates of both groups, and that grazing by zooplankton was most effective at low salinity. A model based on these data "
    "reproduced the observed distribution of species. These results suggest that nutrient inputs from agriculture control "
    "the seasonal dynamics of the community, and that future warming may favor cyanobacteria in shallow waters."
)


def test_an_abstract_that_reads_as_no_case_report_is_none(extract: Extract) -> None:
    extraction = extract(LAGOON, "Seasonal dynamics of phytoplankton in a coastal lagoon")
    assert own(extraction)["study_design"] == "other"
    assert extraction.cases == ()


def test_the_publication_type_is_not_doubted(extract: Extract) -> None:
    told = extract(
        LAGOON, "Seasonal dynamics of phytoplankton in a coastal lagoon", publication_types=("Case Reports",)
    )
    assert own(told)["study_design"] == "case_report"


def test_a_note_without_title_is_not_doubted(nlp: Language) -> None:
    note = "The mean dose was compared between groups. The patient was a 34-year-old man."
    assert own(extract_article(note, nlp))["study_design"] == "case_report"


def test_patients_cited_from_elsewhere_do_not_count(extract: Extract) -> None:
    extraction = extract(
        "Only 30 patients have been reported in the literature. We report a 50-year-old woman with a chordoma of the clivus."
    )
    assert own(extraction) == {"study_design": "case_report", "n_patients": 1}


def test_the_words_are_those_that_say_so(extract: Extract) -> None:
    extraction = extract("Twenty-three patients were treated.", "Hemipelvectomy: a case series of 23 patients")
    (count,) = (finding for finding in extraction.findings if finding.field == "n_patients")
    assert (count.text, count.section) == ("23 patients", "title")


def test_cues_are_sound() -> None:
    assert {cue.design for cue in cues()} <= {*FIELDS["study_design"].choices, "animal"}
    assert {cue.where for cue in cues()} == {"title", "text"}
    assert all(cue.weight > 0 for cue in cues())
    assert not [cue.pattern.pattern for cue in cues() if cue.pattern.search("")], "a cue that holds for any text"
    assert not [
        cue.pattern.pattern
        for cue in cues()
        if any(
            map(
                str.isupper,
                cue.pattern.pattern.replace("\\B", "").replace("\\S", "").replace("\\W", "").replace("\\D", ""),
            )
        )
    ]
    assert len({(cue.where, cue.pattern.pattern) for cue in cues()}) == len(cues()), "no cue twice"


@pytest.mark.parametrize(
    ("title", "text", "design", "patients"),
    [
        (
            "Two case reports of hibernoma",
            "We saw hibernoma in two patients. Both underwent excision.",
            "case_report",
            2,
        ),
        (
            "Chordoma of the clivus: a case report",
            "A man with chordoma underwent resection. The technique was used before in 10 patients.",
            "case_report",
            1,
        ),
        (
            "Sacral chordoma",
            "We present a case series of sacral chordomas treated by carbon ions.",
            "case_series",
            None,
        ),
        (
            "Resection of the vena cava",
            "We report two patients. In first case, the vein was replaced. In the second case, it was sutured.",
            "case_report",
            2,
        ),
    ],
)
def test_what_a_title_says_of_the_number(
    extract: Extract, title: str, text: str, design: str, patients: int | None
) -> None:
    found = own(extract(text, title))
    assert (found["study_design"], found.get("n_patients")) == (design, patients)


def test_animals_and_models_are_other_work(extract: Extract) -> None:
    found = own(extract("We present two models of scoliosis.", "Scoliosis in a murine model of neurofibromatosis"))
    assert found["study_design"] == "other"
