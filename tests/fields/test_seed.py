"""The worked example of the schema, line by line: a saved PubMed page of a patient with a printed sacrum."""

from __future__ import annotations

from pathlib import Path

import pytest
from spacy.language import Language

from caseframe.pipeline import extract_article
from caseframe.schema import Article, AttributeValue, Extraction, Finding
from caseframe.sources import open_articles

SEED = Path(__file__).resolve().parents[2] / "seeds" / "000_5ba38cf4d6869200.txt"


@pytest.fixture(scope="module")
def extraction(nlp: Language) -> Extraction:
    (article,) = open_articles([SEED])
    assert isinstance(article, Article)
    return extract_article(article, nlp)


def findings(extraction: Extraction, field: str) -> list[Finding]:
    return [finding for _, finding in extraction if finding.field == field]


# field, value, assertion, attributes, words that the finding's words lie in (any place where they are is right)
EXPECTED: list[tuple[str, str | int, str, dict[str, AttributeValue], str]] = [
    ("study_design", "case_report", "present", {}, "present a case of"),
    ("n_patients", 1, "present", {}, "present a case of"),
    ("diagnosis", "osteosarcoma", "present", {"behavior": "malignant"}, "sacral osteosarcoma"),
    ("site", "sacrum", "present", {}, "sacral"),
    ("procedure", "hemisacrectomy", "present", {"category": "resection"}, "hemisacrectomy and sacral reconstruction"),
    ("procedure", "sacral reconstruction", "present", {"category": "reconstruction"}, "hemisacrectomy and sacral reconstruction"),
    ("implant", "prosthesis", "present", {"site": "sacrum"}, "customized titanium prosthesis"),
    ("implant", "screw-rod system", "present", {}, "screw-rod system up to the level of L3"),
    ("therapy", "chemotherapy", "present", {"timing": "neoadjuvant"}, "After 3-months of neoadjuvant chemotherapy"),
    ("imaging", "ct", "present", {}, "CT images"),
    ("outcome", "pain relief", "present", {}, "Postoperative pain was significantly low"),
    ("outcome", "walking", "present", {"when_days": 14}, "walk as early as 2 weeks postoperatively"),
    ("outcome", "bone fusion", "present", {"quality": "excellent", "when_days": 365}, "excellent bony fusion"),
    ("complication", "foot drop", "present", {"laterality": "left"}, "left-side foot drop"),
    ("complication", "sphincter dysfunction", "absent", {}, "without loss of sphincter function"),
    ("follow_up", 12, "present", {}, "1-year follow-up"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "assertion", "attributes", "words"), EXPECTED)
def test_every_line_of_the_worked_example(
    extraction: Extraction,
    field: str,
    value: str | int,
    assertion: str,
    attributes: dict[str, AttributeValue],
    words: str,
) -> None:
    (finding,) = (finding for finding in findings(extraction, field) if finding.value == value)
    assert finding.assertion == assertion
    assert attributes.items() <= dict(finding.attributes).items()
    assert finding.text.lower() in words.lower()
    assert extraction.article.text[finding.start : finding.end] == finding.text


def test_codes(extraction: Extraction) -> None:
    assert [finding.code for finding in findings(extraction, "diagnosis")] == ["ICDO3:9180/3"]
    assert [finding.code for finding in findings(extraction, "site")] == ["ICDO3:C41.4"]


def test_the_printed_prosthesis(extraction: Extraction) -> None:
    (prosthesis,) = (finding for finding in findings(extraction, "implant") if finding.value == "prosthesis")
    assert prosthesis.text == "customized titanium prosthesis"
    attributes = prosthesis.attributes
    assert attributes["material"] == ("titanium",)
    assert set(attributes["manufacture"]) == {"3d_printed", "custom_made"}  # type: ignore[arg-type]
    assert set(attributes["features"]) == {"porous mesh", "dense strut"}  # type: ignore[arg-type]


def test_the_screws_reach_l3(extraction: Extraction) -> None:
    (system,) = (finding for finding in findings(extraction, "implant") if finding.value == "screw-rod system")
    assert system.attributes["fixation"] == ("up to L3",)


def test_three_months_of_chemotherapy(extraction: Extraction) -> None:
    (chemotherapy,) = findings(extraction, "therapy")
    assert chemotherapy.attributes["duration_days"] == pytest.approx(91, abs=1)


def test_the_denial_is_part_of_the_words(extraction: Extraction) -> None:
    (denied,) = (finding for finding in findings(extraction, "complication") if finding.assertion == "absent")
    assert denied.text == "without loss of sphincter function"
    assert denied.cue is not None
    assert extraction.article.text[slice(*denied.cue)] == "without"


@pytest.mark.parametrize(
    "field", ["age", "sex", "recurrence", "vital_status", "disease_status", "metastasis", "margin"]
)
def test_what_the_abstract_does_not_say_is_empty(extraction: Extraction, field: str) -> None:
    assert findings(extraction, field) == []


def test_it_is_one_patient(extraction: Extraction) -> None:
    assert [(case.number, case.kind) for case in extraction.cases] == [(1, "patient")]


def test_one_finding_each(extraction: Extraction) -> None:
    assert len(findings(extraction, "implant")) == 2
    assert len(findings(extraction, "procedure")) == 2
    assert len(findings(extraction, "imaging")) == 1
    assert len(findings(extraction, "complication")) == 2


@pytest.mark.parametrize(
    "words",
    [
        "partial or complete spondylectomy in a wide variety of spinal diseases",
        "anatomical complexity, excessive loadbearing, and wide defects",
    ],
)
def test_general_statements_yield_nothing(extraction: Extraction, words: str) -> None:
    start = extraction.article.text.index(words)
    said = [finding for _, finding in extraction if start <= finding.start < start + len(words)]
    assert said == []
    assert not [finding for _, finding in extraction if "spondylectomy" in str(finding.value)]


@pytest.mark.parametrize(
    "furniture",
    [
        "References",
        "Zileli",
        "Fourney",
        "Neurosurg Focus",
        "LinkOut",
        "Figures",
        "Conflict of interest",
        "Keywords",
        "PMID",
    ],
)
def test_the_pages_furniture_is_no_text(extraction: Extraction, furniture: str) -> None:
    assert furniture in SEED.read_text(encoding="utf-8")
    assert furniture not in extraction.article.text


def test_the_record_has_its_ids(extraction: Extraction) -> None:
    article = extraction.article
    assert (article.pmid, article.pmcid, article.doi) == ("28120579", "PMC5290028", "10.3349/ymj.2017.58.2.453")
    assert article.text.startswith("Sacral Reconstruction") and article.text.endswith("spinal diseases.")
