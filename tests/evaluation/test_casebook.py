"""The gold set that ships with the sources: it keeps to the schema and covers what it says it covers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from caseframe.evaluation.gold import GoldFinding
from caseframe.evaluation.loaders import load_fields, load_spans
from caseframe.evaluation.records import FieldCorpus, SpanCorpus
from caseframe.schema import ASSERTIONS, FIELDS

FOLDER = Path(__file__).parent.parent / "data" / "casebook"
TYPES = set("AGE SEX NEOPLASM DISORDER FINDING ANATOMY PROCEDURE DIAGNOSTIC DEVICE DRUG OUTCOME VALUE TIME".split())


@pytest.fixture(scope="module")
def corpus() -> FieldCorpus:
    return load_fields(FOLDER / "gold.jsonl", FOLDER / "texts.jsonl")


@pytest.fixture(scope="module")
def marked() -> SpanCorpus:
    return load_spans("marked", [FOLDER / "spans.jsonl"])


@pytest.fixture(scope="module")
def findings(corpus: FieldCorpus) -> list[GoldFinding]:
    return [finding for article in corpus.gold for finding in article.findings]


def test_it_is_as_large_as_it_says(corpus: FieldCorpus, findings: list[GoldFinding]) -> None:
    assert len(corpus.articles) == 41
    assert len(findings) > 1_200
    assert [article.article_id for article in corpus.articles] == [f"casebook:{n:03}" for n in range(1, 42)]


def test_every_field_and_every_assertion_appears(findings: list[GoldFinding]) -> None:
    assert {finding.field for finding in findings} == set(FIELDS)
    assert {finding.assertion for finding in findings} == set(ASSERTIONS)


def test_most_attributes_appear(findings: list[GoldFinding]) -> None:
    seen = {(finding.field, name) for finding in findings for name in finding.attributes}
    wanted = {(field, name) for field, spec in FIELDS.items() for name in spec.attributes}
    assert seen <= wanted
    assert len(seen) > 0.85 * len(wanted), sorted(wanted - seen)


def test_single_patients_groups_and_articles_without_a_patient(corpus: FieldCorpus) -> None:
    designs = Counter(finding.value for article in corpus.gold for finding in article.findings[:1])
    assert designs == {"case_report": 36, "case_series": 3, "other": 2}
    cases = Counter(len({finding.case for finding in article.findings} - {0}) for article in corpus.gold)
    assert cases == {0: 2, 1: 36, 2: 2, 3: 1}


def test_a_field_that_takes_one_value_has_one_a_case(corpus: FieldCorpus) -> None:
    for article in corpus.gold:
        counts = Counter((finding.case, finding.field) for finding in article.findings)
        twice = {key for key, count in counts.items() if count > 1 and not FIELDS[key[1]].many}
        assert not twice, article.article_id


def test_no_finding_is_given_twice(corpus: FieldCorpus) -> None:
    for article in corpus.gold:
        assert max(Counter(article.findings).values()) == 1, article.article_id


def test_values_and_attributes_are_of_the_kind_the_schema_gives(findings: list[GoldFinding]) -> None:
    for finding in findings:
        spec = FIELDS[finding.field]
        assert not spec.choices or finding.value in spec.choices, finding
        assert isinstance(finding.value, int | float) == (spec.type in {"number", "integer"}), finding
        for name, value in finding.attributes.items():
            choices = spec.attributes[name].choices
            assert not choices or set(value if isinstance(value, tuple) else [value]) <= set(choices), finding


def test_procedures_have_a_category(findings: list[GoldFinding]) -> None:
    assert all("category" in finding.attributes for finding in findings if finding.field == "procedure")


def test_denied_words_hold_the_denial(findings: list[GoldFinding]) -> None:
    bare = [f for f in findings if f.assertion == "absent" and f.text.lower() == str(f.value).lower()]
    assert not bare


def test_lengths_and_labels_are_those_of_abstracts(corpus: FieldCorpus) -> None:
    words = [len(article.text.split()) for article in corpus.articles]
    assert min(words) < 80 and max(words) < 300 and 150 < sum(words) / len(words) < 220
    labelled = sum(bool(article.sections[0].label) for article in corpus.articles)
    assert 20 <= labelled <= 30


def test_marks_strip_to_the_texts(corpus: FieldCorpus, marked: SpanCorpus) -> None:
    texts = {article.article_id: article.text for article in corpus.articles}
    assert {document.article.article_id: document.article.text for document in marked.documents} == texts


def test_every_type_is_marked_and_every_mark_is_on_its_words(marked: SpanCorpus) -> None:
    assert not marked.unaligned and marked.annotations > 2_000
    counts = Counter(span.type for document in marked.documents for span in document.spans)
    assert set(counts) == TYPES and min(counts.values()) >= 40
    for document in marked.documents:
        for span in document.spans:
            words = document.article.text[span.start : span.end]
            assert words == words.strip() and "\n" not in words, (document.article.article_id, words)
