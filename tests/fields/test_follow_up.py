"""The longest time after treatment at which the patient's state is told."""

from __future__ import annotations

import pytest
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.fields.follow_up import SUM, find, months_of, told_by
from caseframe.pipeline import assemble_stages
from caseframe.schema import Article, Finding
from caseframe.stages.extensions import make_doc

LEAD = "A 40-year-old man with osteosarcoma of the femur underwent wide resection. "


def candidates(text: str) -> list[Finding]:
    nlp = assemble_stages()
    article = Article.build(title="Osteosarcoma: a case report", abstract=[("", LEAD + text)], pmid="1")
    return list(find(_staged(nlp, article)))


def _staged(nlp: Language, article: Article) -> Doc:
    doc = make_doc(nlp, article)
    for _, stage in nlp.pipeline:
        doc = stage(doc)
    return doc


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("The patient walked at 6 weeks. At 2 years he had no pain.", 24),
        ("He has had no pain for years, 36 months now since surgery.", 36),
        ("The follow-up period (up to 28 months) was uneventful for the patient.", 28),
        ("The patient did well in a 3-year observation period.", 36),
        ("The patient has lived with the prosthesis for about 5 years.", 60),
    ],
)
def test_the_longest_is_the_surest(text: str, months: float) -> None:
    best = max(candidates(text), key=lambda finding: finding.confidence)
    assert (best.value, best.unit) == (months, "month")


def test_a_time_that_goes_on_from_another_is_added_to_it() -> None:
    text = (
        "Twenty months after the resection, a recurrence was found in this patient and resected. "
        "The patient is alive without disease 12 months after the second resection."
    )
    sums = [finding for finding in candidates(text) if SUM in finding.source]
    assert [finding.value for finding in sums] == [32]
    assert sums[0].text.startswith("12 months")


def test_days_in_hospital_are_added_to_nothing() -> None:
    text = "The patient walked on postoperative day 3 and was discharged two days later. He was well at 6 months."
    assert not [finding for finding in candidates(text) if SUM in finding.source]


def test_a_group_has_its_mean() -> None:
    article = Article.build(
        title="Curettage of giant cell tumors: a series of 12 patients",
        abstract=[("", "Twelve patients underwent curettage. The mean follow-up was 40 months (range, 12-80 months).")],
        pmid="2",
    )
    (finding,) = find(_staged(assemble_stages(), article))
    assert (finding.value, finding.attributes["statistic"]) == (40, "mean")


@pytest.mark.parametrize(("days", "months"), [(365, 12), (730, 24), (182.4, 6), (7, 0.23), (45, 1.48)])
def test_months(days: float, months: float) -> None:
    assert months_of(days) == months


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("He died 3 months later.", ["death"]),
        ("She remains well.", ["state"]),
        ("He was discharged on day 5.", ["discharge"]),
        ("Two years later she presented with a mass.", ["event"]),
    ],
)
def test_what_a_sentence_tells(sentence: str, told: list[str]) -> None:
    assert list(told_by(sentence)) == told


def test_a_time_after_the_second_operation_does_not_count_from_the_first() -> None:
    text = (
        "At 14 months, a recurrence was found in this patient and excised. "
        "Two years after the second operation the patient has no further recurrence."
    )
    (total,) = (finding for finding in candidates(text) if SUM in finding.source)
    assert total.value == pytest.approx(38, rel=0.01)
