"""Assertion: each case is a sentence with marked words and what is to be said of them."""

from __future__ import annotations

import pickle
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.errors import LexiconError
from caseframe.schema import ASSERTIONS
from caseframe.stages.assertion import (
    DIRECTIONS,
    PRECEDENCE,
    AssertionTagger,
    assertion_of,
    builtin_rules,
    compile_phrase,
    read_rules,
)
from caseframe.stages.tokenizer import blank

_MARK = re.compile(r"\{(\w+):([^}]*)\}")
HEADER = "phrase\tcategory\tdirection\tmax_scope\tcomment\n"


# spaCy's own suffixes, which scispaCy's tokenizer compiles anew.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")


@cache
def make_nlp() -> Language:
    nlp = blank()
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("caseframe_assertion")
    return nlp


@pytest.fixture(scope="module")
def nlp() -> Language:
    return make_nlp()


def parse(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The plain text and the marked stretches with what is expected of them."""
    text, marks, position = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[position : match.start()]
        marks.append((len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        position = match.end()
    return text + marked[position:], marks


DENIED = [
    # the denial before
    "There was no {absent:infection}.",
    "There was no {absent:infection}, {absent:loosening} or {absent:fracture}.",
    "No {absent:infection}, {absent:loosening}, or {absent:fracture} was observed.",
    "No {absent:recurrence} and no {absent:metastasis} were found.",
    "She walked without {absent:pain}.",
    "The wound healed without {absent:dehiscence}, {absent:infection} or {absent:necrosis}.",
    "He was free of {absent:pain} and {absent:swelling} at two years.",
    "The margins were free from {absent:tumour}.",
    "He denied {absent:fever}, {absent:chills} and {absent:night sweats}.",
    "She denies any {absent:trauma}.",
    "There was neither {absent:infection} nor {absent:loosening}.",
    "No {absent:fever} was noted, nor was there {absent:weight loss}.",
    "The smear was negative for {absent:tuberculosis}/{absent:malignancy}.",
    "The biopsy was negative for {absent:malignancy}.",
    "CT ruled out {absent:pulmonary embolism}.",
    "Radiographs failed to show a {absent:fracture}.",
    "MRI showed no evidence of {absent:recurrence}.",
    "There were no signs of {absent:loosening}.",
    "There was no clinical evidence of {absent:recurrence} or {absent:metastasis}.",
    "Bone scan showed absence of {absent:metastases}.",
    "In the absence of {absent:fever}, antibiotics were stopped.",
    "The patient did not have {absent:fever}.",
    "He did not develop {absent:paralysis}.",
    "The graft did not show any {absent:resorption}.",
    "She didn't report {absent:pain}.",
    "The patient has not had any {absent:complication}.",
    "The course was not complicated by {absent:infection}.",
    "He never had {absent:pain} again.",
    "None of the patients had {absent:recurrence}.",
    "Examination revealed no {absent:tenderness} or {absent:swelling}.",
    "The tumour was removed without the need for {absent:transfusion}.",
    "The patient refused {absent:amputation}.",
    "Surgery was done without causing {absent:nerve injury}.",
    "The histology was devoid of {absent:atypia}.",
    "Instead of {absent:amputation}, a wide resection was done.",
    "There was lack of {absent:ossification} on CT.",
    "With no {absent:complications}, she went home.",
    "The fracture was initially misdiagnosed as {absent:sprain}.",
    "After {present:surgery} the {absent:adjuvant therapy} was not started.",
    "The tumour was erroneously diagnosed as {absent:infection}.",
    # the denial after
    "{absent:Infection} was not observed.",
    "{absent:Infection}, {absent:loosening} and {absent:fracture} were not observed.",
    "{absent:Recurrence} was not detected at two years.",
    "{absent:Metastasis} was ruled out.",
    "{absent:Metastasis} has been ruled out by PET.",
    "{absent:Tuberculosis} was excluded by culture.",
    "{absent:Fever} was absent.",
    "{absent:Neurological deficits} were absent.",
    "{absent:Lymphadenopathy} could not be found.",
    "{absent:Recurrence} has not occurred.",
    "{absent:Local recurrence} did not occur.",
    "{absent:Chemotherapy} was not given.",
    "{absent:Adjuvant radiotherapy} was not performed.",
    "{absent:Amputation} could be avoided.",
    "{absent:Rheumatoid factor} and {absent:antinuclear antibodies} were negative.",
    "{absent:Transfusion} was not required.",
    "{absent:Bronchoscopy} was refused by the patient.",
    # the denial within the span
    "The patient had {absent:no headache}.",
    "He walks {absent:without pain}.",
    "{absent:No evidence of recurrence} was seen.",
    "{absent:Metastasis was not found}.",
    "The patient {absent:felt no pain}.",
    "She left {absent:without loss of sphincter function}.",
]

SCOPE_ENDS = [
    "He had no {absent:chest pain} but had {present:fever}.",
    "There was no {absent:fever}; {present:cough} persisted.",
    "No {absent:infection} occurred, and the {present:fracture} healed.",
    "There was no {absent:infection}, and the patient had {present:foot drop}.",
    "She had no {absent:fever}, however {present:cough} was present.",
    "There was no {absent:swelling} although {present:pain} persisted.",
    "He had no {absent:deficit} except {present:foot drop}.",
    "He had no {absent:deficit} apart from {present:foot drop}.",
    "No {absent:recurrence} after {present:resection}.",
    "There was no {absent:pain} on {present:palpation}.",
    "There was no {absent:recurrence} on {present:CT} at two years.",
    "MRI showed no {absent:metastasis} and he underwent {present:hemipelvectomy}.",
    "Without {absent:complications} she returned to {present:work}.",
    "{present:Chemotherapy} was given without {absent:toxicity}.",
    "{present:Swelling} was seen, and {absent:fever} was not observed.",
    "{absent:Recurrence} on {present:CT} was not seen.",
    "The {present:fracture} united, while {absent:infection} was not observed.",
    "He had no {absent:fever}. {present:Cough} was productive.",
    "There was no {absent:fever}, whereas {present:cough} was severe.",
    "No {absent:deficit} was seen in the {present:tumour}, which was {present:large}.",
    "There was no {absent:tumour} because of {present:embolisation}.",
    "She denied {absent:pain}, she had {present:swelling}.",
    "The lesion (no {absent:calcification}) was {present:large}.",
    "The {present:mass}, without {absent:calcification}, was resected.",
]

NOT_DENIED = [
    "There was no increase in {present:pain}.",
    "No change in the {present:lesion} was seen.",
    "Not only {present:pain} but also {present:swelling} was reported.",
    "The {present:tumour} was removed without difficulty.",
    "The operation was not without {present:complications}.",
    "Gram negative {present:sepsis} was diagnosed.",
    "The patient was {present:afebrile}.",
    "The course was {present:uneventful}.",
    "He is {present:disease-free}.",
    "A vascularised free {present:fibular flap} was used.",
    "{present:Sarcoma} has not been reported in this bone.",
    "The {present:pain} did not respond to {present:morphine}.",
    "The hypertension failed to respond to {present:renal stenting}.",
    "{present:Endoscopy} and {present:scintigraphy} were negative.",
    "The {present:pain} resolved.",
    "A nitric oxide (NO) {present:deficit} was found.",
    "Negative pressure {present:wound therapy} was applied.",
    "Without doubt, the {present:fracture} was old.",
    "{present:Reconstruction} was done with no delay.",
    "There is no consensus on {present:amputation}.",
    "No. 3 {present:plate} was used.",
    "The child had {present:failure to thrive}.",
    "In May 2012 {present:sunitinib} was started.",
]

POSSIBLE = [
    "A {possible:sarcoma} was suspected.",
    "Suspected {possible:osteomyelitis} was treated.",
    "The picture was suggestive of {possible:chondrosarcoma}.",
    "MRI suggested a {possible:fistula}.",
    "The lesion was suspicious for {possible:metastasis}.",
    "A probable {possible:infection} was treated.",
    "The mass was most likely a {possible:lipoma}.",
    "There was a suspicion of {possible:metastasis}.",
    "{possible:Malignancy} could not be excluded.",
    "The CT does not allow excluding {possible:malignancy}.",
    "We could not rule out {possible:sarcoma}.",
    "It is not certain whether {possible:infection} was present.",
    "The differential diagnosis included {possible:lymphoma}.",
    "The bleeding was thought to be {possible:haemobilia}.",
    "The tumour was mimicking {possible:osteomyelitis}.",
    "{possible:Sarcoma} was suggested by the radiologist.",
    "A possible {possible:fracture} was seen on {present:CT}.",
    "He was treated as early as possible with {present:heparin}.",
    "The findings were consistent with {present:osteosarcoma}.",
]

HYPOTHETICAL = [
    "{hypothetical:Amputation} should be considered.",
    "{hypothetical:Radiotherapy} may be considered in such cases.",
    "{hypothetical:Chemotherapy} could be considered.",
    "Antibiotics were given to prevent {hypothetical:infection}.",
    "A splint was used in order to avoid {hypothetical:dislocation}.",
    "There is a risk of {hypothetical:fracture}.",
    "Patients at risk for {hypothetical:thrombosis} need care.",
    "If {hypothetical:infection} occurs, the implant is removed.",
    "In case of {hypothetical:recurrence}, resection follows.",
    "We recommend that {hypothetical:biopsy} precedes resection.",
    "{hypothetical:Long-term follow-up} is recommended.",
    "Clinicians should suspect {hypothetical:sarcoma} early.",
    "The cage can cause {hypothetical:dysphagia}.",
    "He is a candidate for {hypothetical:limb salvage}.",
    "{hypothetical:Revision} is planned.",
]

HISTORICAL = [
    "She had a history of {historical:breast cancer}.",
    "He had a history of {historical:hypertension}, {historical:diabetes} and {historical:stroke}.",
    "His past medical history included {historical:cholecystectomy}.",
    "Her medical history was significant for {historical:mastectomy}.",
    "He had previously undergone {historical:laminectomy}.",
    "A man who had undergone {historical:nephrectomy} was admitted.",
    "She was previously treated with {historical:radiotherapy}.",
    "He underwent {historical:nephrectomy} 10 years earlier.",
    "{historical:Mastectomy} was performed five years ago.",
    "She had a {historical:car accident} 20 years previously.",
    "A patient status post {historical:arthroplasty} was seen.",
    "A woman with a known case of {historical:lymphoma} presented.",
    "She had prior {historical:radiotherapy} of the chest.",
    "Ten years ago, a {historical:prosthesis} was implanted.",
    "Three years ago, the patient had received a {historical:nail} for a {historical:fracture}, and now had {present:pain}.",
    "Eight years before admission, {historical:lipomas} of the arm were removed.",
    "Five years earlier she had a {historical:hip replacement} and a {historical:fusion}, then developed {present:pain}.",
    "A man with a history of {historical:sarcoma} presented with {present:cough}.",
    "A woman with a history of {historical:trauma} underwent {present:fusion}.",
    "A man with a history of {historical:trauma} and {historical:migraine} underwent {present:fusion}.",
    "She had undergone a {historical:mastectomy} with {historical:axillary dissection} and was admitted.",
    # how long a symptom has lasted is no history
    "He had a 3-month history of {present:pain}.",
    "He presented with a two-year history of {present:back pain} and {present:swelling}.",
    "She had a 6 months' history of {present:cough}.",
    "She gave a long history of {present:pain}.",
    "He presented with a history of {present:fever}.",
    "A previously healthy boy with {present:fever} was seen.",
    "Imaging was done prior to {present:resection}.",
    "Previous reports describe {present:recurrence}.",
    "There was no history of {absent:trauma}.",
    "He had no significant past medical history and presented with {present:fever}.",
]

FAMILY = [
    "There was a family history of {family:breast cancer}.",
    "Her mother had {family:osteosarcoma}.",
    "His father died of {family:lung cancer}.",
    "Two siblings were affected by {family:neurofibromatosis}.",
    "A family history of {family:sarcoma} was denied by the patient.",
    "There was {family:polyposis} in her family.",
    "Her family history was remarkable for {family:sarcoma}.",
    "Her mother noticed a {present:swelling}.",
    "The mother brought him for {present:limping}.",
]

# What a verb, a list or a revised diagnosis denies
DENIED_FURTHER = [
    "She has not developed {absent:a fistula} so far.",
    "{absent:A fistula} has not developed since then.",
    "Local swelling or {absent:ulceration} has not developed.",
    "{absent:Stiffness} never recurred.",
    "{absent:Leakage} did not ensue.",
    "Neither of the patients experienced {absent:rebleeding}.",
    "Neither patient developed {absent:sepsis}.",
    "There were no complications such as {absent:bleeding} or {absent:infection}.",
    "At nine years no {absent:recurrence} and {absent:metastasis} developed, and she walked.",
    "No evidence for {absent:recurrence} and/or {absent:metastasis} has been found.",
    "No {absent:fever} was seen and {present:pain} was noted.",
    "There was no {absent:fever} and {present:pain} improved.",
    "{absent:Transfusion} was not needed.",
    "{absent:Pneumothorax} had been excluded.",
    "Nothing suggested {absent:malignancy}.",
    "The scan was unremarkable for {absent:metastasis}.",
    "Screening for {absent:brucellosis} was negative, and the {present:smear} was negative.",
    "She was not found to have {absent:a thrombus}.",
    "{absent:Tuberculosis} was considered unlikely.",
    "{absent:Chemotherapy} was considered but not given.",
    "The initial diagnosis of {absent:lymphoma} proved to be wrong.",
    "The diagnosis was changed from {absent:lymphoma} to {present:sarcoma}.",
]

CASES = DENIED + DENIED_FURTHER + SCOPE_ENDS + NOT_DENIED + POSSIBLE + HYPOTHETICAL + HISTORICAL + FAMILY


@pytest.mark.parametrize("marked", CASES)
def test_assertion_of_marked_words(nlp: Language, marked: str) -> None:
    text, marks = parse(marked)
    doc = nlp(text)
    assert marks
    for start, end, expected in marks:
        span = doc.char_span(start, end, alignment_mode="expand")
        assert span is not None
        assert (span.text, *assertion_of(span)[:1]) == (span.text, expected)


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 120
    assert {label for case in CASES for _, _, label in parse(case)[1]} == set(ASSERTIONS)


def test_the_cue_is_kept(nlp: Language) -> None:
    doc = nlp("There was no evidence of infection or loosening.")
    label, cue = assertion_of(doc[-2:-1])
    assert label == "absent"
    assert cue is not None and cue.text == "no evidence of" and cue.label_ == "absent"


def test_present_has_no_cue(nlp: Language) -> None:
    assert assertion_of(nlp("The fracture healed.")[1:2]) == ("present", None)


def test_the_nearest_cue_of_a_rank_decides(nlp: Language) -> None:
    doc = nlp("He had no fever, no chills and no cough.")
    cues = [assertion_of(doc[i : i + 1])[1] for i in (3, 6, 9)]
    assert [cue.start for cue in cues if cue is not None] == [2, 5, 8]


def test_family_outranks_absence_and_absence_outranks_history(nlp: Language) -> None:
    assert nlp("There was no family history of sarcoma.")[-2:-1]._.assertion == "family"
    assert nlp("There was no history of sarcoma.")[-2:-1]._.assertion == "absent"


def test_extensions_answer_as_the_function(nlp: Language) -> None:
    span = nlp("She had no fever.")[3:4]
    assert (span._.assertion, span._.assertion_cue) == assertion_of(span)


def test_cues_are_spans_of_the_doc(nlp: Language) -> None:
    doc = nlp("She had no fever and a history of stroke.")
    assert [(cue.text, cue.label_) for cue in doc.spans["cues"]] == [("no", "absent"), ("history of", "historical")]


def test_without_the_component_all_is_present() -> None:
    doc = blank()("There was no infection.")
    assert assertion_of(doc[3:4]) == ("present", None)
    assert doc[3:4]._.assertion == "present"


def test_without_sentence_boundaries_full_stops_do() -> None:
    nlp = blank()
    nlp.add_pipe("caseframe_assertion")
    doc = nlp("There was no fever. Cough was present")
    assert doc[3:4]._.assertion == "absent"
    assert doc[5:6]._.assertion == "present"


def test_a_doc_can_be_pickled_and_stored(nlp: Language) -> None:
    doc = nlp("There was no fever.")
    assert pickle.loads(pickle.dumps(doc))[3:4]._.assertion == "absent"
    assert Doc(nlp.vocab).from_bytes(doc.to_bytes())[3:4]._.assertion == "absent"


def test_the_component_can_be_pickled_and_holds_no_state() -> None:
    tagger = pickle.loads(pickle.dumps(AssertionTagger()))
    nlp = blank()
    before = pickle.dumps(tagger)
    tagger(nlp("There was no fever and no cough."))
    assert pickle.dumps(tagger) == before


def test_docs_do_not_leak_into_each_other(nlp: Language) -> None:
    first, second = list(nlp.pipe(["No fever.", "A high fever."]))
    assert first[1:2]._.assertion == "absent"
    assert second[2:3]._.assertion == "present"


def test_own_rules_take_the_place_of_the_shipped(tmp_path: Path) -> None:
    path = tmp_path / "cues.tsv"
    path.write_text(HEADER + "kein|keine\tabsent\tforward\t5\tGerman\n", encoding="utf-8")
    nlp = blank()
    nlp.add_pipe("caseframe_assertion", config={"rules": str(path)})
    doc = nlp("keine Fraktur no fever")
    assert doc[1:2]._.assertion == "absent"
    assert nlp("no fever")[1:2]._.assertion == "present"


def test_the_shipped_rules_are_sound() -> None:
    rules = read_rules(builtin_rules())
    assert len(rules) > 150
    assert {rule.direction for rule in rules} == set(DIRECTIONS) - {"both"}
    assert {rule.category for rule in rules} >= set(PRECEDENCE)
    phrases = [rule.phrase for rule in rules if rule.category in PRECEDENCE]
    assert len(phrases) == len(set(phrases)), "a phrase stands twice"


def test_every_single_cue_phrase_is_found() -> None:
    """Any plain phrase of the file is a hit as a whole, or part of a longer one: none is shadowed."""
    tagger = AssertionTagger()
    for rule in tagger.rules:
        if rule.category in PRECEDENCE:
            words = [sorted(choices)[0] for choices, optional in compile_phrase(rule.phrase) if not optional]
            words = [{"<num>": "3", "<time>": "months", "<years>": "years"}.get(word, word) for word in words]
            assert tagger._hits(words), rule.phrase


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("\tabsent\tforward\t5\t", "no phrase"),
        ("no\tmissing\tforward\t5\t", "category 'missing'"),
        ("no\tabsent\tsideways\t5\t", "direction 'sideways'"),
        ("no\tabsent\tforward\tfar\t", "max_scope 'far'"),
        ("no\tabsent\tforward\t-1\t", "max_scope '-1'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "cues.tsv"
    path.write_text(f"# comment\n{HEADER}{line}\n", encoding="utf-8")
    with pytest.raises(LexiconError, match=f"line 3: {re.escape(said)}"):
        read_rules(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cues.tsv"
    path.write_text("phrase\tcategory\nno\tabsent\n", encoding="utf-8")
    with pytest.raises(LexiconError, match="no column direction, max_scope"):
        read_rules(path)


_WORDS = st.sampled_from(
    "no not without fever pain , . ; ( ) and or nor but was were observed history of family mother 3 months ago "
    "should be suspected ruled out if which had underwent after CT negative ? \n however neither NO".split(" ")
)


@given(st.lists(_WORDS, max_size=30).map(" ".join) | st.text(max_size=80))
def test_never_raises_and_cues_lie_in_the_doc(text: str) -> None:
    doc = make_nlp()(text)
    for cue in doc.spans["cues"]:
        assert 0 <= cue.start < cue.end <= len(doc)
        assert doc.text[cue.start_char : cue.end_char] == cue.text
    for start in range(len(doc)):
        for end in (start + 1, min(start + 4, len(doc))):
            span = Span(doc, start, end)
            label, cue = assertion_of(span)
            assert label in ASSERTIONS
            assert (cue is None) == (label == "present")
            assert cue is None or cue.label_ == label
