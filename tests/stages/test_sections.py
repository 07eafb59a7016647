from __future__ import annotations

import gzip
import json
import pickle
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

import caseframe.stages.sections
import caseframe.stages.sentences
from caseframe.schema import Article, Section
from caseframe.stages.extensions import make_doc
from caseframe.stages.sections import KINDS, inline_label, kind_of
from caseframe.stages.tokenizer import blank

assert caseframe.stages.sections and caseframe.stages.sentences
# scispaCy's tokenizer rules hold "||" within a set of characters.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")


@cache
def pipeline() -> Language:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    nlp.add_pipe("caseframe_sections")
    return nlp


def run(text: str | Article) -> Doc:
    doc = make_doc(pipeline(), text) if isinstance(text, Article) else pipeline().make_doc(text)
    for _, component in pipeline().pipeline:
        doc = component(doc)
    return doc


def sections(text: str | Article) -> list[tuple[str, str, str]]:
    """(kind, heading, text without the blanks at its ends) of each section."""
    doc = run(text)
    return [(span.label_, span._.heading, span.text.strip()) for span in doc.spans["sections"]]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("BACKGROUND", "background"),
        ("Introduction:", "background"),
        ("Background & Aims", "background"),
        ("Background/Aims", "background"),
        ("Aim of the study", "background"),
        ("Backgroud", "background"),
        ("Materials and Methods", "methods"),
        ("Methods/Materials", "methods"),
        ("Study Design", "methods"),
        ("Case presentation", "case"),
        ("Case Presentations", "case"),
        ("CASE REPORT", "case"),
        ("Case 1", "case"),
        ("Patient concerns", "case"),
        ("Clinical findings", "case"),
        ("Findings", "case"),
        ("Background and case presentation", "case"),
        ("Presentation of a case with a rare shoulder disease", "case"),
        ("Diagnoses", "diagnosis"),
        ("Interventions", "intervention"),
        ("Treatment and outcome", "intervention"),
        ("Outcomes", "outcome"),
        ("Results", "results"),
        ("Methods and results", "results"),
        ("Methodology/Principal Findings", "results"),
        ("Results and discussion", "results"),
        ("Discussion and conclusions", "discussion"),
        ("Conclusions/Significance", "conclusion"),
        ("Lessons", "conclusion"),
        ("Clinical relevance", "conclusion"),
        ("Virtual Slides", "other"),
        ("Trial registration", "other"),
        ("Key words", "other"),
        ("Level of evidence", "other"),
        ("Weather", "other"),
        ("Abstract", "text"),
        ("", "text"),
        ("ᅟ", "text"),
    ],
)
def test_kind_of_label(label: str, kind: str) -> None:
    assert kind_of(label) == kind
    assert kind in KINDS


def test_labels_of_the_article() -> None:
    article = Article.build(
        title="A rare tumour",
        abstract=[
            ("BACKGROUND", "It is rare. It is large."),
            ("Case presentation", "A man had pain. He was treated."),
            ("Conclusions", "It heals."),
        ],
    )
    assert sections(article) == [
        ("title", "", "A rare tumour"),
        ("background", "BACKGROUND", "It is rare. It is large."),
        ("case", "Case presentation", "A man had pain. He was treated."),
        ("conclusion", "Conclusions", "It heals."),
    ]


def test_two_sections_of_one_label_keep_their_headings() -> None:
    article = Article.build(title="T", abstract=[("Case 1", "A man."), ("CASE 2", "A woman."), ("Case 1", "A boy.")])
    assert [heading for _, heading, _ in sections(article)] == ["", "Case 1", "CASE 2", "Case 1"]


def test_article_without_title_and_with_body() -> None:
    article = Article.build(abstract=[("", "Pain. Fever.")], body=[("Discussion", "It is rare.")])
    assert sections(article) == [("text", "", "Pain. Fever."), ("discussion", "Discussion", "It is rare.")]


def test_article_without_sections() -> None:
    assert sections(Article.build(title="Only a title")) == [("title", "", "Only a title")]


def test_labels_within_an_unlabelled_abstract() -> None:
    article = Article.build(
        title="A rare tumour",
        abstract=[("", "Background: It is rare. Case presentation: A man had pain. Conclusions: It heals.")],
    )
    assert sections(article) == [
        ("title", "", "A rare tumour"),
        ("background", "Background", "Background: It is rare."),
        ("case", "Case presentation", "Case presentation: A man had pain."),
        ("conclusion", "Conclusions", "Conclusions: It heals."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "BACKGROUND AND AIMS: Rare. CASE PRESENTATION: A man.",
            "background BACKGROUND AND AIMS, case CASE PRESENTATION",
        ),
        (
            "(1) Aims: To tell. (2) Methods: We saw. (3) Results: Two.",
            "background Aims, methods Methods, results Results",
        ),
        ("Background. It is rare. Results. Two were found.", "background Background, results Results"),
        ("BACKGROUND It is rare. CASE REPORT A man came.", "background BACKGROUND, case CASE REPORT"),
        ("Rationale:It is rare. Patient concerns:A man came.", "background Rationale, case Patient concerns"),
        ("Abstract Objective: To tell. Case: A man.", "background Objective, case Case"),
        ("Introduction — It is rare. Conclusion – It heals.", "background Introduction, conclusion Conclusion"),
        ("Methods & Results: We saw. Keywords: bone, cancer.", "results Methods & Results, other Keywords"),
    ],
)
def test_inline_labels(text: str, expected: str) -> None:
    assert ", ".join(f"{kind} {heading}" for kind, heading, _ in sections(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Results were good. Methods of this kind help.",
        "The background: it is rare. We saw results: none.",
        "Case 3 was a man. Patients recovered. Treatment was begun.",
        "He had fever. history: none.",
        "Conclusions are hard to draw.",
    ],
)
def test_words_that_are_no_labels(text: str) -> None:
    assert [(kind, heading) for kind, heading, _ in sections(text)] == [("text", "")]


def test_offset_after_the_label() -> None:
    text = "Pain. CASE REPORT:  A man."
    assert inline_label(text, 6, len(text)) == ("CASE REPORT", text.index("A man"))
    assert inline_label(text, 0, len(text)) is None


def test_labelled_sections_yield_only_to_appendages() -> None:
    article = Article.build(
        abstract=[("Case", "Results: pain was gone. Conflict of interest: none declared."), ("Discussion", "So.")]
    )
    assert [(kind, heading) for kind, heading, _ in sections(article)] == [
        ("case", "Case"),
        ("other", "Conflict of interest"),
        ("discussion", "Discussion"),
    ]


def test_title_of_plain_text() -> None:
    assert sections("A rare tumour\nA man came. He left.") == [
        ("title", "", "A rare tumour"),
        ("text", "", "A man came. He left."),
    ]
    assert [kind for kind, _, _ in sections("A man came. He left.")] == ["text"]
    assert [kind for kind, _, _ in sections("word " * 100 + "\nA man came.")] == ["text"]
    assert [kind for kind, _, _ in sections("BACKGROUND: It is rare.\nCASE REPORT: A man.")] == ["background", "case"]


def test_sections_never_cut_a_sentence() -> None:
    text = "A rare tumour\nA man had pain in the hip. He was treated."
    middle = text.index("pain")
    article = Article(
        article_id="x",
        title="A rare tumour",
        abstract=text[14:],
        sections=(Section("Case", 14, middle), Section("Outcome", middle, len(text))),
    )
    doc = run(article)
    starts = {sentence.start for sentence in doc.sents}
    assert all(section.start in starts for section in doc.spans["sections"])


def test_nothing_to_divide() -> None:
    assert sections("") == []
    assert sections("   ") == [("text", "", "")]


def test_headings_survive_bytes_and_other_processes() -> None:
    text = "BACKGROUND: It is rare. CASE REPORT: A man."
    doc = Doc(pipeline().vocab).from_bytes(run(text).to_bytes())
    assert [span._.heading for span in doc.spans["sections"]] == ["BACKGROUND", "CASE REPORT"]
    docs = list(pipeline().pipe([text, text], n_process=2))
    assert [[span._.heading for span in doc.spans["sections"]] for doc in docs] == [["BACKGROUND", "CASE REPORT"]] * 2
    pickle.loads(pickle.dumps(pipeline().get_pipe("caseframe_sections")))


PIECES = st.sampled_from(["Background:", "CASE REPORT", " ", "\n", ". ", "A man", "(1) ", "Results.", "", "pain", ":"])


@given(st.one_of(st.text(max_size=150), st.lists(PIECES, max_size=30).map("".join)))
def test_sections_cover_any_text(text: str) -> None:
    doc = run(text)
    assert "".join(span.text_with_ws for span in doc.spans["sections"]) == text
    assert all(span.label_ in KINDS for span in doc.spans["sections"])


@given(
    st.text(max_size=30),
    st.lists(st.tuples(st.sampled_from(["", "Case", "BACKGROUND", "x"]), st.text(max_size=40)), max_size=5),
)
def test_sections_cover_any_article(title: str, parts: list[tuple[str, str]]) -> None:
    article = Article.build(title=title, abstract=parts)
    doc = run(article)
    starts = {sentence.start for sentence in doc.sents}
    assert "".join(span.text_with_ws for span in doc.spans["sections"]) == article.text
    assert all(span.start in starts for span in doc.spans["sections"])


@pytest.mark.data
def test_frequent_labels_have_a_kind(data_dir: Path) -> None:
    labels: Counter[str] = Counter()
    with gzip.open(data_dir / "articles" / "case_report_abstracts.jsonl.gz", "rt", encoding="utf-8") as stream:
        for line in stream:
            labels.update(section["label"] or "" for section in json.loads(line)["sections"])
    unknown = {label for label, count in labels.items() if count >= 3 and kind_of(label) == "other"}
    assert {label.lower() for label in unknown} <= {"virtual slides", "virtual slide", "trial registration"}
