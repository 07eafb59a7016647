"""Findings get the codes of what they mean, and of the sites in their words; nothing else of them changes."""

from __future__ import annotations

from dataclasses import replace

from caseframe.fields.linking import linked
from caseframe.lexicons.linking import linker
from caseframe.pipeline import load
from caseframe.schema import Article, Case, Extraction, Finding


def finding(field: str, value: str | float, text: str = "", **rest: object) -> Finding:
    words = text or str(value)
    return Finding(field, value, words, 0, len(words), **rest)  # type: ignore[arg-type]


def after(*findings: Finding) -> tuple[Finding, ...]:
    extraction = Extraction(Article("text"), (), (Case(1, findings=findings),))
    return linked(extraction, linker()).cases[0].findings


def test_a_value_of_no_lexicon_gets_the_code_of_what_it_is_a_kind_of() -> None:
    (found,) = after(finding("diagnosis", "recurrent sacral chordoma"))
    assert (found.value, found.code, found.link_name) == ("recurrent sacral chordoma", "ICDO3:9370/3", "chordoma")
    assert found.link_score is not None and 0.5 < found.link_score < 1
    assert found.site_code == "ICDO3:C41.4"


def test_a_code_that_the_words_gave_stays() -> None:
    (found,) = after(finding("diagnosis", "ganglioneuroma", code="ICDO3:9490/3"))
    assert (found.code, found.link_name, found.link_score) == ("ICDO3:9490/3", "ganglioneuroma", 1.0)


def test_an_operation_has_its_own_code_and_that_of_its_site() -> None:
    resection, removal = after(
        finding("procedure", "proximal humerus resection", "resection of the proximal humerus"),
        finding("procedure", "nephrectomy"),
    )
    assert (resection.link_name, resection.site_code) == ("resection", "ICDO3:C40.0") and resection.code
    assert removal.site_code == "ICDO3:C64.9" and removal.code.startswith("MAXO:")


def test_two_ways_to_write_one_name_become_one_finding_the_surest() -> None:
    found = after(
        finding("diagnosis", "humerus fracture", confidence=0.4),
        finding("diagnosis", "humeral fracture", confidence=0.9),
        finding("diagnosis", "humeral fracture", assertion="absent"),
        finding("measurement", "vas"),
        finding("measurement", "vas"),
    )
    assert [each.value for each in found] == ["humeral fracture", "humeral fracture", "vas", "vas"]
    assert found[0].confidence == 0.9 and found[1].assertion == "absent"


def test_what_is_no_term_stays_as_it_is() -> None:
    given = (finding("age", 54.0), finding("sex", "female"), finding("outcome", "union"))
    assert after(*given) == given


def test_the_fields_and_assertions_of_an_article_do_not_change() -> None:
    doc = load()("A 61-year-old woman had a large chordoma of the sacrum without metastasis. Sacrectomy was done.")
    extraction = doc._.extraction
    bare = replace(
        extraction,
        cases=tuple(
            replace(
                case,
                findings=tuple(replace(f, code="", link_name="", link_score=None, site_code="") for f in case.findings),
            )
            for case in extraction.cases
        ),
    )
    again = linked(bare, linker())
    told = [(f.field, f.assertion, f.value, f.code) for _, f in extraction]
    assert [(f.field, f.assertion, f.value, f.code) for _, f in again] == told
    assert ("diagnosis", "present", "chordoma", "ICDO3:9370/3") in told


def test_words_before_a_tumor_give_it_a_more_exact_code_and_no_other_name() -> None:
    text = "She had a squamous cell carcinoma of the esophagus; he, had villous, adenocarcinoma."
    place = text.index("carcinoma of")
    told = Finding(
        "diagnosis", "esophageal carcinoma", "carcinoma of the esophagus", place, place + 26, code="ICDO3:8010/3"
    )
    place = text.index("adenocarcinoma")
    apart = Finding("diagnosis", "adenocarcinoma", "adenocarcinoma", place, place + 14, code="ICDO3:8140/3")
    extraction = Extraction(Article("text", abstract=text), (), (Case(1, findings=(told, apart)),))
    first, second = linked(extraction, linker()).cases[0].findings
    assert (first.value, first.code, first.link_name) == (
        "esophageal carcinoma",
        "ICDO3:8070/3",
        "squamous cell carcinoma",
    )
    assert second.code == "ICDO3:8140/3"
