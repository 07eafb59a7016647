"""Narrative: abstracts written for this test, sentence by sentence; `P` tells of the patient, `G` of the world."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.errors import LexiconError
from caseframe.pipeline import register
from caseframe.schema import Article
from caseframe.stages.extensions import make_doc
from caseframe.stages.narrative import (
    BIAS,
    THRESHOLD,
    NarrativeTagger,
    builtin_weights,
    is_general,
    lift_titles,
    narrative_score,
    read_weights,
)
from caseframe.stages.tokenizer import blank

# spaCy's own suffixes, which scispaCy's tokenizer compiles anew.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")

UNLABELLED = {
    "femur": """
G Giant cell tumours of bone are rare and usually benign lesions that occur in young adults.
G Wide resection may be considered, but reconstruction of the joint remains a challenge.
G Very few such cases have so far been described in the literature.
P We report a 29-year-old woman with a giant cell tumour of the distal femur.
P She presented with knee pain and swelling for three months.
P Magnetic resonance imaging revealed a lytic lesion of the left femur.
P The patient underwent curettage and cementation.
P There was no recurrence at the two-year follow-up.
G Surgeons should be aware that such tumours are often misdiagnosed.
""",
    "heart": """
G Cardiac myxoma is the most common primary tumour of the heart.
G Embolic stroke can be the first sign of the disease.
P A 54-year-old man was admitted to our hospital with sudden weakness of his right arm.
P Echocardiography showed a mobile mass in the left atrium.
P He underwent emergency resection of the mass.
P His recovery was uneventful and he was discharged after ten days.
G This case highlights that clinicians must consider myxoma in young patients with stroke.
""",
    "spine": """
G Reconstruction of the sacrum is difficult because of its complex anatomy.
P In this report we describe the case of a 12-year-old boy with a sacral sarcoma.
P After three months of chemotherapy the tumour was removed.
P A custom-made prosthesis was implanted and fixed with screws.
P The boy walked two weeks after the operation.
G Custom-made implants are a promising option for patients with large defects.
G Further studies with longer follow-up are needed before they can be recommended.
""",
}

LABELLED: dict[str, list[tuple[str, str]]] = {
    "fistula": [
        ("Title", "P Fistula of the colon after diverticulitis: a case report"),
        ("Background", "G Colonic fistulas are a rare complication of diverticulitis."),
        ("Background", "G They are usually treated by resection."),
        ("Case presentation", "P A 66-year-old man presented with abdominal pain."),
        ("Case presentation", "P Computed tomography showed an abscess."),
        ("Case presentation", "P Resection was performed."),
        ("Case presentation", "P He recovered well and left after eight days."),
        ("Conclusions", "G Surgeons should consider a fistula in patients with recurrent abscess."),
        ("Conclusions", "G Early operation may be the best option."),
    ],
    "shoulder": [
        ("Title", "P Charcot arthropathy of the shoulder in syringomyelia"),
        (
            "Introduction",
            "G Neuropathic arthropathy of the shoulder is rare and is most often caused by syringomyelia.",
        ),
        ("Introduction", "G The diagnosis is often delayed."),
        ("Case report", "P We present the case of a 47-year-old woman with a swollen left shoulder."),
        ("Case report", "P Radiographs revealed destruction of the humeral head."),
        ("Case report", "P At one year her pain had resolved."),
        ("Discussion", "G Arthroplasty is controversial in such cases and should be reserved for selected patients."),
        ("Conclusion", "G Magnetic resonance imaging of the spine is recommended in neuropathic joints."),
    ],
    "series": [
        ("Title", "P Three patients with chordoma treated by carbon ions"),
        ("Background", "G Chordomas are slow-growing tumours for which surgery is the standard treatment."),
        ("Methods", "P Three patients underwent carbon ion radiotherapy between 2009 and 2012."),
        ("Results", "P All patients were alive after three years of follow-up."),
        ("Results", "P One patient developed a skin ulcer, which healed within six months."),
        ("Conclusions", "G Carbon ions may be an option where resection is not possible."),
    ],
}


@cache
def make_nlp() -> Language:
    register()
    nlp = blank()
    for name in ("sentences", "sections", "abbreviations", "terms", "quantities", "roles", "narrative"):
        nlp.add_pipe(f"caseframe_{name}")
    return nlp


@cache
def tagged(name: str) -> Doc:
    nlp = make_nlp()
    if name in UNLABELLED:
        return nlp(" ".join(line[2:] for line in UNLABELLED[name].strip().splitlines()))
    parts: dict[str, list[str]] = {}
    for label, line in LABELLED[name][1:]:
        parts.setdefault(label, []).append(line[2:])
    abstract = [(label, " ".join(lines)) for label, lines in parts.items()]
    return nlp(make_doc(nlp, Article.build(title=LABELLED[name][0][1][2:], abstract=abstract)))


SENTENCES = [(name, line[2:], line[0]) for name, text in UNLABELLED.items() for line in text.strip().splitlines()] + [
    (name, line[2:], line[0]) for name, lines in LABELLED.items() for _, line in lines
]


@pytest.mark.parametrize(("name", "sentence", "expected"), SENTENCES)
def test_sentence(name: str, sentence: str, expected: str) -> None:
    doc = tagged(name)
    start = doc.text.index(sentence)
    span = doc.char_span(start, start + len(sentence))
    assert span is not None
    assert is_general(span) == (expected == "G"), narrative_score(span)


def test_there_are_many_cases() -> None:
    assert len(SENTENCES) >= 40


def test_every_sentence_is_a_span_with_a_label() -> None:
    doc = tagged("fistula")
    spans = list(doc.spans["narrative"])
    assert [(span.start, span.end) for span in spans] == [(sent.start, sent.end) for sent in doc.sents]
    assert {span.label_ for span in spans} == {"patient", "general"}


def test_the_extensions_hold_for_any_span() -> None:
    doc = tagged("femur")
    start = doc.text.index("knee pain")
    patient, general = doc.char_span(start, start + 9), doc[0:4]
    assert patient is not None
    assert (patient._.is_general, general._.is_general) == (False, True)
    assert patient._.narrative_score == narrative_score(patient) > 0.9
    assert general._.narrative_score == narrative_score(general) < 0.3


def test_scores_are_probabilities() -> None:
    for name in (*UNLABELLED, *LABELLED):
        assert all(0 < narrative_score(span) < 1 for span in tagged(name).spans["narrative"])


def test_without_the_component_nothing_is_general() -> None:
    doc = blank()("Sarcomas are rare.")
    assert not is_general(doc[0:1])
    assert narrative_score(doc[0:1]) == 1.0


def test_without_sentence_boundaries_the_doc_is_one() -> None:
    doc = NarrativeTagger()(blank()("He underwent surgery. He recovered."))
    assert [span.text for span in doc.spans["narrative"]] == [doc.text]


def test_an_empty_doc() -> None:
    doc = NarrativeTagger()(blank()(""))
    assert list(doc.spans["narrative"]) == []


def test_a_title_follows_the_text() -> None:
    assert lift_titles([0.2, 0.9, 0.1], [True, False, False]) == [0.45, 0.9, 0.1]
    assert lift_titles([0.6, 0.1], [True, False]) == [0.6, 0.1]
    assert lift_titles([0.3], [True]) == [0.3]


def test_the_threshold_can_be_set() -> None:
    nlp = blank()
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("caseframe_narrative", config={"threshold": 1.0})
    doc = nlp("She was admitted. She died.")
    assert {span.label_ for span in doc.spans["narrative"]} == {"general"}


def test_the_component_can_be_pickled_and_docs_stored() -> None:
    tagger = pickle.loads(pickle.dumps(NarrativeTagger()))
    doc = tagger(blank()("A 30-year-old man was admitted."))
    for copy in (pickle.loads(pickle.dumps(doc)), Doc(doc.vocab).from_bytes(doc.to_bytes())):
        assert narrative_score(copy[0:1]) == narrative_score(doc[0:1])


def test_the_shipped_weights_can_be_read_by_people() -> None:
    weights = read_weights(builtin_weights())
    assert len(weights) < 200
    assert 0 < weights[THRESHOLD] < 0.5
    assert weights["shape: the patient"] > 1 > -1 > weights["role: story 0"]
    assert all(feature.strip() and feature == feature.lower() for feature in weights)


def test_own_weights_take_the_place_of_the_shipped(tmp_path: Path) -> None:
    path = tmp_path / "weights.tsv"
    path.write_text(f"# mine\n{BIAS}\t0\n{THRESHOLD}\t0.5\nsarcoma\t-3\n", encoding="utf-8")
    nlp = blank()
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("caseframe_narrative", config={"weights": str(path)})
    doc = nlp("Sarcoma. Pain.")
    assert [span.label_ for span in doc.spans["narrative"]] == ["general", "patient"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{BIAS}\t0\n{THRESHOLD}\t0.5\nrare\tmuch\n", "line 3: weight 'much'"),
        (f"{BIAS}\t0\n{THRESHOLD}\t0.5\nrare\n", "line 3: weight ''"),
        (f"{THRESHOLD}\t0.5\n", r"no \(bias\)"),
        (f"{BIAS}\t0.5\n", r"no \(threshold\)"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "weights.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LexiconError, match=said):
        read_weights(path)


_WORDS = st.sampled_from(
    "The patient was rare is should ? . He 34-year-old we report a case of 3 months % \n ( literature \t".split(" ")
)


@given(st.lists(_WORDS, max_size=25).map(" ".join) | st.text(max_size=80))
def test_never_raises_and_covers_the_doc(text: str) -> None:
    doc = make_nlp()(text)
    spans = list(doc.spans["narrative"])
    assert "".join(span.text_with_ws for span in spans) == doc.text
    assert all(0 <= narrative_score(span) <= 1 for span in spans)
