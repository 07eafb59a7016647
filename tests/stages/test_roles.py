"""Roles of sentences: abstracts written for this test, each sentence with its role."""

from __future__ import annotations

import pickle
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.errors import LexiconError
from caseframe.pipeline import register
from caseframe.schema import Article
from caseframe.stages.extensions import make_doc
from caseframe.stages.roles import (
    AFTER,
    BEGIN,
    END,
    ROLES,
    RoleTagger,
    builtin_weights,
    marginals,
    read_weights,
    role_of,
    role_scores,
    sentence_features,
)
from caseframe.stages.telling import kinds_of, sentences_of
from caseframe.stages.tokenizer import blank

# spaCy's own suffixes, which scispaCy's tokenizer compiles anew.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")

UNLABELLED = {
    "femur": """
background Giant cell tumours of bone are rare and usually benign lesions that occur in young adults.
background Very few such cases have so far been described in the literature.
case We report a 29-year-old woman with a giant cell tumour of the distal femur.
case Magnetic resonance imaging revealed a lytic lesion of the left femur.
treatment The patient underwent curettage and cementation.
outcome There was no recurrence at the two-year follow-up.
conclusion Surgeons should be aware that such tumours are often misdiagnosed.
""",
    "heart": """
background Cardiac myxoma is the most common primary tumour of the heart.
case A 54-year-old man was admitted to our hospital with sudden weakness of his right arm.
case Echocardiography showed a mobile mass in the left atrium.
treatment He underwent emergency resection of the mass.
outcome His recovery was uneventful and he was discharged after ten days.
conclusion This case highlights that clinicians must consider myxoma in young patients with stroke.
""",
}
SENTENCES = [
    (name, sentence, role)
    for name, text in UNLABELLED.items()
    for role, sentence in (line.split(" ", 1) for line in text.strip().splitlines())
]


@cache
def make_nlp() -> Language:
    register()
    nlp = blank()
    for name in ("sentences", "sections", "abbreviations", "terms", "quantities", "roles"):
        nlp.add_pipe(f"caseframe_{name}")
    return nlp


@cache
def tagged(name: str) -> Doc:
    return make_nlp()(" ".join(line.split(" ", 1)[1] for line in UNLABELLED[name].strip().splitlines()))


def labelled(*sections: tuple[str, str]) -> Doc:
    nlp = make_nlp()
    return nlp(make_doc(nlp, Article.build(title="A sacral chordoma", abstract=list(sections))))


def roles(doc: Doc) -> list[str]:
    return [span.label_ for span in doc.spans["roles"]]


@pytest.mark.parametrize(("name", "sentence", "role"), SENTENCES)
def test_sentence(name: str, sentence: str, role: str) -> None:
    doc = tagged(name)
    start = doc.text.index(sentence)
    span = doc.char_span(start, start + len(sentence))
    assert span is not None
    assert span._.role == role, span._.role_scores


def test_the_same_words_play_another_role_elsewhere() -> None:
    sentence = "Local recurrence was seen."
    first = make_nlp()(f"{sentence} The tumour was resected. It is a rare disease. Surgeons should be aware of it.")
    last = make_nlp()(f"A 30-year-old man had pain. The tumour was resected. {sentence}")
    assert role_scores(first[0:1])["outcome"] < role_scores(last[-2:])["outcome"]


def test_a_printed_label_wins_over_the_words() -> None:
    told = "He underwent resection of the mass."
    doc = labelled(("Background", told), ("Case presentation", "Surgeons should consider it."), ("Conclusions", told))
    assert roles(doc)[0] == "title"
    assert roles(doc)[1] == "background"
    assert roles(doc)[2] in ("case", "treatment", "outcome")
    assert roles(doc)[3] == "conclusion"


def test_within_a_labelled_case_the_words_tell_the_part() -> None:
    doc = labelled(
        ("Background", "Chordomas are rare."),
        (
            "Case presentation",
            "A 60-year-old man presented with sacral pain. He underwent en bloc resection of the sacrum. "
            "He was alive without recurrence at the last follow-up.",
        ),
        ("Conclusions", "Resection should be considered."),
    )
    assert roles(doc) == ["title", "background", "case", "treatment", "outcome", "conclusion"]


def test_the_scores_do_not_see_the_printed_labels() -> None:
    texts = ["Chordomas are rare.", "A 60-year-old man presented with pain.", "Surgeons should consider resection."]
    named, wrong = (
        labelled(*zip(labels, texts, strict=True))
        for labels in (("Background", "Case", "Conclusion"), ("Conclusion", "Background", "Case"))
    )
    assert [role_scores(span) for span in named.spans["roles"]] == [role_scores(span) for span in wrong.spans["roles"]]


def test_appendages_and_titles_take_no_part() -> None:
    doc = labelled(("Case", "A man had pain."), ("Trial registration", "ABC 123."))
    assert roles(doc) == ["title", "case", "other"]
    assert role_scores(doc[0:1]) == role_scores(doc[-1:]) == {}


def test_every_sentence_is_a_span_with_a_role() -> None:
    doc = tagged("femur")
    assert [(s.start, s.end) for s in doc.spans["roles"]] == [(s.start, s.end) for s in doc.sents]
    assert set(roles(doc)) <= set(ROLES)


def test_scores_are_a_distribution() -> None:
    for span in tagged("heart").spans["roles"]:
        scores = span._.role_scores
        assert tuple(scores) == ROLES
        assert sum(scores.values()) == pytest.approx(1)


def test_without_the_component_there_is_no_role() -> None:
    doc = blank()("Sarcomas are rare.")
    assert (role_of(doc[0:1]), role_scores(doc[0:1])) == ("", {})


def test_without_other_components_the_doc_is_one_sentence() -> None:
    doc = RoleTagger()(blank()("He underwent surgery. He recovered."))
    assert [span.text for span in doc.spans["roles"]] == [doc.text]


def test_an_empty_doc() -> None:
    assert roles(RoleTagger()(blank()(""))) == []


def test_a_title_alone() -> None:
    nlp = make_nlp()
    assert roles(nlp(make_doc(nlp, Article.build(title="A sacral chordoma")))) == ["title"]


def test_docs_can_be_stored_and_the_component_pickled() -> None:
    doc = pickle.loads(pickle.dumps(RoleTagger()))(blank()("A 30-year-old man was admitted."))
    for copy in (pickle.loads(pickle.dumps(doc)), Doc(doc.vocab).from_bytes(doc.to_bytes())):
        assert role_of(copy[0:1]) == role_of(doc[0:1]) != ""
        assert role_scores(copy[0:1]) == role_scores(doc[0:1])


def brute_force(sums: np.ndarray, begin: np.ndarray, after: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The marginals by going through every sequence."""
    result = np.zeros_like(sums)
    for path in np.ndindex(*(sums.shape[1],) * len(sums)):
        total = begin[path[0]] + end[path[-1]] + sum(sums[i, role] for i, role in enumerate(path))
        weight = np.exp(total + sum(after[a, b] for a, b in pairwise(path)))
        for i, role in enumerate(path):
            result[i, role] += weight
    return result / result.sum(axis=1, keepdims=True)


@given(st.integers(1, 4), st.integers(0, 10_000))
def test_marginals_are_those_of_all_sequences(count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    sums, begin, after, end = (draw.normal(0, 2, shape) for shape in ((count, 3), 3, (3, 3), 3))
    assert marginals(sums, begin, after, end) == pytest.approx(brute_force(sums, begin, after, end))


def test_marginals_bear_large_sums() -> None:
    flat = np.zeros(2)
    result = marginals(np.array([[900.0, 0.0], [0.0, 900.0]] * 60), flat, np.zeros((2, 2)), flat)
    assert result.argmax(axis=1).tolist() == [0, 1] * 60


def test_no_feature_tells_a_printed_label() -> None:
    doc = labelled(("Background", "Chordomas are rare."), ("Case presentation", "A man had pain."))
    sentences = sentences_of(doc)
    features = {name for names in sentence_features(doc, sentences, kinds_of(doc)) for name in names}
    assert "section: title" not in features
    assert not [name for name in features if "presentation" in name or "section" in name]


def test_the_shipped_weights_say_what_a_reader_expects() -> None:
    weights = read_weights(builtin_weights())
    assert builtin_weights().stat().st_size < 1_500_000
    assert ROLES[weights["underwent"].argmax()] == "treatment"
    assert ROLES[weights["shape: age"].argmax()] == "case"
    assert ROLES[weights["shape: advice"].argmax()] == "conclusion"
    assert ROLES[weights[BEGIN].argmax()] == "background"
    assert weights[AFTER + "background"][ROLES.index("case")] > weights[AFTER + "conclusion"][ROLES.index("case")]


def table(**changed: str) -> str:
    rows = {name: "\t".join([name, *"00000"]) for name in (BEGIN, END, *(AFTER + role for role in ROLES))}
    return "\n".join(["# mine", "\t".join(("feature", *ROLES)), *rows.values(), *changed.values()]) + "\n"


def test_own_weights_take_the_place_of_the_shipped(tmp_path: Path) -> None:
    path = tmp_path / "weights.tsv"
    path.write_text(table(pain="pain\t0\t0\t3\t0\t0", rare="rare\t0\t0\t0\t3\t0"), encoding="utf-8")
    nlp = blank()
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("caseframe_roles", config={"weights": str(path)})
    assert roles(nlp("Pain. Rare.")) == ["treatment", "outcome"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("feature\tcase\n", "line 1: the columns"),
        (table(rare="rare\t1\t2\tmuch\t3\t4"), "line 10: .*no weights"),
        (table(rare="rare\t1\t2"), "line 10: 2 weights"),
        ("\n".join(line for line in table().splitlines() if not line.startswith(END)), r"no line \(end\)"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "weights.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LexiconError, match=said):
        read_weights(path)


_WORDS = st.sampled_from(
    "The patient was rare is should ? . He 34-year-old we report a case of 3 months % \n ( BACKGROUND: \t".split(" ")
)


@given(st.lists(_WORDS, max_size=25).map(" ".join) | st.text(max_size=80))
def test_never_raises_and_covers_the_doc(text: str) -> None:
    doc = make_nlp()(text)
    assert "".join(span.text_with_ws for span in doc.spans["roles"]) == doc.text
    assert all(span.label_ in (*ROLES, "title", "other") for span in doc.spans["roles"])
