from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language

import caseframe.stages.sentences
from caseframe.stages.sentences import sentence_starts
from caseframe.stages.tokenizer import blank

assert caseframe.stages.sentences
# scispaCy's tokenizer rules hold "||" within a set of characters.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")


@cache
def splitter() -> Language:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    return nlp


@pytest.fixture
def nlp() -> Language:
    return splitter()


# A bar marks each boundary that should be found; the text is what is left without the bars.
SPLIT = [
    "A 34-year-old man had hip pain. |He could not walk.",
    "The implant is shown in Fig. 2 and in Figs. 3 and 4. |It had healed.",
    "The tumour weighed approx. 300 g. |It was removed en bloc.",
    "Moreau et al. described this first. |We saw it twice.",
    "This was found by Moreau et al. |The second report came later.",
    "A fusion of L3-S1 was done. |Screws reached L3.",
    "A nodule of 3.5 mm vs. 4 mm before. |No growth.",
    "Several drugs (e.g. Cisplatin, i.e. a platinum compound) were given. |She recovered.",
    "Dr. A. B. Moreau saw her. |Mrs. V. was well.",
    "The patient was in bed no. 3 of ward No. 12. |She slept.",
    "There was none in No. 3. |We looked.",
    "The difference was significant (p < 0.05). |Others were not.",
    "The rate was 0.05. |Others were higher.",
    "It had spread to the lung [12]. |Nothing was done.",
    "It had spread to the lung.[12] |Nothing was done.",
    "It had spread to the lung. [3,4-6] |Nothing was done.",
    "The cause was a metastasis.12 |The lung was clear.",
    "The cause was a metastasis.3,4 |The lung was clear.",
    "The cause was a metastasis.¹² |The lung was clear.",
    "He was seen in the E.R. |The pain had gone.",
    "She came from the U.S. |She was 40.",
    "The U.S. Food agency agreed. |So did we.",
    "The ulcer healed.The scar was soft.".replace(".The", ".|The"),
    "The level was 3 mmol/L. |Sodium was low.",
    "Retention over 24 h. |Recovery took a week.",
    "He took 5 mg b.i.d. for a week. |It helped.",
    "He had hepatitis B. |Cirrhosis followed.",
    "Growth of S. aureus and E. coli was seen. |Both were sensitive.",
    "The stain was positive for granzyme B. |Cells were large.",
    "A defect of factor V. |Bleeding stopped.",
    "She lacked vitamin D. |Supplements were given.",
    "The mutation was c.35G>T, p. Gly12Val in exon 2. |It was new.",
    "Loci on chr. 8 and chr. 17 were gained. |Others were lost.",
    "Was it infection? |We could not tell! |Cultures were sterile.",
    'He said "it hurts." |Then he left.',
    'It was a so-called "skip lesion". |There were two.',
    "The scan (Fig. 3. Panel A shows the tumour) was repeated. |It was clear.",
    "We operated twice. |(Both operations were long. |Neither was planned.) |He walked.",
    "The device (Acme Inc.) was used. |It broke.",
    "She was well. |mRNA was measured. |p53 was positive.",
    "The margins were wide. |18 months later he died.",
    "The aims were: 1. the diagnosis and 2. the treatment. |Both failed.",
    "1. The first case. |2. The second case.",
    "Pain, fever, etc. |Nothing helped.",
    "The lesion was solitary; it was resected; it did not recur.",
    "Results: pain was gone. |Conclusion: it works.",
    "Line one ends here\n|and line two follows.\n|1. A list begins.",
    "A title without a stop\n|The abstract. |It goes on.",
    "The MR. |Valves were normal.".replace("The MR", "There was severe MR"),
    "The stent (diameter 5.5 mm (range 5.0-6.0)) held. |It was patent.",
    "The dose was 2 Gy x 25. |Mucositis followed . |It passed.",
    "An unclosed bracket (n = 5. |The rest (of them) was well.",
    "A process of 90 to 110 min. |Blood loss was low.",
    "She was treated with rituximab (375 mg/m2 i.v.) weekly. |She improved.",
]


@pytest.mark.parametrize("marked", SPLIT)
def test_boundaries(nlp: Language, marked: str) -> None:
    sentences = marked.split("|")
    doc = nlp("".join(sentences))
    assert [sentence.text_with_ws for sentence in doc.sents] == sentences


def test_every_token_is_decided(nlp: Language) -> None:
    doc = nlp("One sentence. Another one.")
    assert doc.has_annotation("SENT_START", require_complete=True)
    assert [token.text for token in doc if token.is_sent_start] == ["One", "Another"]
    assert doc[1].is_sent_start is False


def test_empty_text_and_blanks(nlp: Language) -> None:
    assert list(nlp("").sents) == []
    assert len(list(nlp(" \n \n ").sents)) == 1
    assert [s.text.strip() for s in nlp("\n\nPain. Fever.").sents] == ["Pain.", "Fever."]


def test_other_annotations_stay(nlp: Language) -> None:
    doc = nlp.make_doc("Pain was severe. Fever was not.")
    doc[0].tag_ = "NN"
    doc.set_ents([doc.char_span(0, 4, label="SIGN")])
    doc = nlp.get_pipe("caseframe_sentences")(doc)
    assert doc[0].tag_ == "NN"
    assert [ent.text for ent in doc.ents] == ["Pain"]


def test_component_is_picklable(nlp: Language) -> None:
    component = pickle.loads(pickle.dumps(nlp.get_pipe("caseframe_sentences")))
    assert len(list(component(nlp.make_doc("Pain. Fever.")).sents)) == 2


def test_long_runs_take_no_time() -> None:
    for hostile in (
        "\n" * 200_000,
        " " * 200_000,
        "." * 50_000,
        "a. " * 30_000,
        "(" * 50_000 + ". A",
        "1. a " * 30_000,
    ):
        assert all(0 < start < len(hostile) for start in sentence_starts("x" + hostile + "y") if start < len(hostile))


PIECES = st.sampled_from(
    ["Fig.", " ", "\n", ".", "The", "p", "(", ")", "[1]", "12", "vs.", "?", '"', "E.", "mm", "ß", "", "α", "…"]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_sentences_cover_any_text(text: str) -> None:
    starts = list(sentence_starts(text))
    assert all(0 < start < len(text) and not text[start].isspace() for start in starts)
    doc = splitter()(text)
    assert "".join(sentence.text_with_ws for sentence in doc.sents) == text
    for sentence in doc.sents:
        assert "\n" not in sentence.text.strip()


@pytest.mark.data
def test_maccrobat_lines_are_found(data_dir: Path) -> None:
    """The corpus has about a sentence a line; joined with blanks, the lines are found again."""
    right = wrong = missed = 0
    for path in sorted((data_dir / "corpora" / "maccrobat").glob("*.txt")):
        lines = [" ".join(line.split()) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        gold, position = set(), 0
        for line in lines[:-1]:
            position += len(line) + 1
            gold.add(position)
        found = set(sentence_starts(" ".join(lines)))
        right, wrong, missed = right + len(found & gold), wrong + len(found - gold), missed + len(gold - found)
    assert right / (right + wrong) > 0.993
    assert right / (right + missed) > 0.995
