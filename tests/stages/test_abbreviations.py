from __future__ import annotations

import gzip
import pickle
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

import caseframe.stages.abbreviations
import caseframe.stages.sentences
from caseframe.stages.abbreviations import find_definitions, is_short_form
from caseframe.stages.tokenizer import blank

assert caseframe.stages.abbreviations and caseframe.stages.sentences
# scispaCy's tokenizer rules hold "||" within a set of characters.
pytestmark = pytest.mark.filterwarnings("ignore:Possible set union:FutureWarning")


@cache
def pipeline() -> Language:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    nlp.add_pipe("caseframe_abbreviations")
    return nlp


def pairs(text: str) -> list[tuple[str, str]]:
    return [(text[d.short_start : d.short_end], text[d.long_start : d.long_end]) for d in find_definitions(text)]


DEFINED = [
    ("A giant cell tumor (GCT) was found.", "GCT", "giant cell tumor"),
    ("Giant cell tumors of bone (GCTBs) recur.", "GCTBs", "Giant cell tumors of bone"),
    ("The Musculoskeletal Tumor Society score (MSTS) rose.", "MSTS", "Musculoskeletal Tumor Society score"),
    ("Scores of the Musculoskeletal Tumor Society (MSTSs) rose.", "MSTSs", "Musculoskeletal Tumor Society"),
    ("A 3D-printed titanium implant (3DPI) was used.", "3DPI", "3D-printed titanium implant"),
    ("The GCT (giant cell tumor) was resected.", "GCT", "giant cell tumor"),
    ("Range of motion [ROM] was full.", "ROM", "Range of motion"),
    ("The visual analogue scale (VAS; 0-10) was used.", "VAS", "visual analogue scale"),
    ("A visual analogue scale (VAS, mean 3) was used.", "VAS", "visual analogue scale"),
    ("Two-dimensional (2D) images were taken.", "2D", "Two-dimensional"),
    ("A pelvic girdle/lower limb (PG/LL) defect was seen.", "PG/LL", "pelvic girdle/lower limb"),
    ("Tumour necrosis factor alpha (TNF-α) rose.", "TNF-α", "Tumour necrosis factor alpha"),
    ("Serum α-fetoprotein (AFP) was normal.", "AFP", "α-fetoprotein"),
    ("High-sensitivity C-reactive protein (hs-CRP) was high.", "hs-CRP", "High-sensitivity C-reactive protein"),
    ("Given 2,4-dinitrochlorobenzene (DNCB) twice.", "DNCB", "2,4-dinitrochlorobenzene"),
    ("Conversion of 12-O-tetradecanoylphorbol acetate (TPA) began.", "TPA", "12-O-tetradecanoylphorbol acetate"),
    ("The quality of life (QOL) was good.", "QOL", "quality of life"),
    ("After in vitro fertilization (IVF) she was pregnant.", "IVF", "in vitro fertilization"),
    ("Given methotrexate (MTX) weekly.", "MTX", "methotrexate"),
    ("Given dexamethasone (DEX) weekly.", "DEX", "dexamethasone"),
    ("Ubiquitin ligase and calmodulin(CaM) were found.", "CaM", "calmodulin"),
    ("The wall (blood-brain barrier, BBB) was open.", "BBB", "blood-brain barrier"),
    ("Magnetic resonance imaging (abbreviated as MRI) was done.", "MRI", "Magnetic resonance imaging"),
    ("Progressive muscular atrophy (also called PMA) followed.", "PMA", "Progressive muscular atrophy"),
    ("With prostaglandin E(2) (PGE(2)) it stopped.", "PGE(2)", "prostaglandin E(2)"),
    ("Chronic lobular hepatitis (C.L.H.) was seen.", "C.L.H.", "Chronic lobular hepatitis"),
    ("We saw the (rare) solitary fibrous tumour (SFT) again.", "SFT", "solitary fibrous tumour"),
    ("CD40 ligand (CD40L) was bound.", "CD40L", "CD40 ligand"),
    ("Cultures grew Escherichia coli (E. coli) only.", "E. coli", "Escherichia coli"),
    ("Fourteen beats per minute (bpm) were lost.", "bpm", "beats per minute"),
    ("Of testosterone (T) little was left.", "T", "testosterone"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "short", "long"), DEFINED, ids=[case[1] for case in DEFINED])
def test_definitions(text: str, short: str, long: str) -> None:
    assert pairs(text) == [(short, long)]


@pytest.mark.parametrize(
    "text",
    [
        "The tumour was large (Fig. 2) and hard (see above).",
        "The mean age was 40 years (range 24-91 months).",
        "A plain cancer (carcinoma) was found.",
        "Three patients (Patients 1-3) were seen.",
        "It was found in women (n = 5) and men (n = 4).",
        "A lesion of the hip (left) was seen.",
        "He had metastas(is)es.",
        "This was seen before (Moreau et al.).",
        "GM1 ganglioside (GM1) was stored.",
        "The (dis-)advantages were discussed.",
        "(ABC)",
        "()",
        "( ) [ ]",
        "Unclosed bracket (ABC",
        "Nothing fits here (XQZ).",
        "It hurt (a) here, (b) there.",
    ],
)
def test_no_definitions(text: str) -> None:
    assert pairs(text) == []


def test_long_form_stays_within_the_sentence() -> None:
    text = "The giant cell. Tumor (GCT) was found."
    assert list(find_definitions(text, [0, 16])) == []
    doc = pipeline()("There was a giant. Cell tumor (GCT) was found.")
    assert len(doc.spans["abbreviations"]) == 0


def test_order_of_the_text_and_several_definitions() -> None:
    text = "Giant cell tumor (GCT) and range of motion (ROM) and the VAS (visual analogue scale)."
    assert [short for short, _ in pairs(text)] == ["GCT", "ROM", "VAS"]


def marked(text: str) -> list[tuple[int, str, str]]:
    doc = pipeline()(text)
    return [(span.start_char, span.text, span._.long_form) for span in doc.spans["abbreviations"]]


def test_every_occurrence_is_marked() -> None:
    text = "GCT of the hand\nA giant cell tumor (GCT) was found. The GCT was resected. Other GCTs recur; GCTX does not."
    found = marked(text)
    assert [start for start, _, _ in found] == [0, text.index("GCT)"), text.index("GCT was"), text.index("GCTs")]
    assert {long for _, _, long in found} == {"giant cell tumor"}


def test_singular_of_a_plural_definition() -> None:
    found = marked("Giant cell tumors (GCTs) are rare. This GCT was large.")
    assert [(short, long) for _, short, long in found] == [("GCTs", "Giant cell tumors"), ("GCT", "Giant cell tumors")]


def test_short_form_defined_twice_takes_the_nearest_before() -> None:
    text = "Rheumatoid arthritis (RA) was known. RA was mild. The right atrium (RA) was wide. RA pressure rose."
    assert [long for _, _, long in marked(text)] == ["Rheumatoid arthritis"] * 2 + ["right atrium"] * 2


def test_single_letters_are_marked_only_where_defined() -> None:
    assert len(marked("Testosterone (T) fell. Stage T was low.")) == 1


def test_long_forms_are_spans() -> None:
    doc = pipeline()("A giant cell tumor (GCT) and range of motion (ROM).")
    assert [span.text for span in doc.spans["long_forms"]] == ["giant cell tumor", "range of motion"]


def test_text_without_sentences_or_brackets() -> None:
    nlp = blank()
    nlp.add_pipe("caseframe_abbreviations")
    assert len(nlp("").spans["abbreviations"]) == 0
    assert len(nlp("No brackets here.").spans["abbreviations"]) == 0
    doc = nlp("A giant cell tumor (GCT) recurs.")
    assert [span._.long_form for span in doc.spans["abbreviations"]] == ["giant cell tumor"]


def test_nothing_stays_from_the_document_before() -> None:
    pipeline()("A giant cell tumor (GCT) was found.")
    assert marked("The GCT was found.") == []


def test_several_processes_and_bytes() -> None:
    texts = ["A giant cell tumor (GCT) was found. The GCT recurred."] * 3
    docs = list(pipeline().pipe(texts, n_process=2))
    assert [[span._.long_form for span in doc.spans["abbreviations"]] for doc in docs] == [["giant cell tumor"] * 2] * 3
    copy = Doc(pipeline().vocab).from_bytes(pipeline()(texts[0]).to_bytes())
    assert [span._.long_form for span in copy.spans["abbreviations"]] == ["giant cell tumor"] * 2
    pickle.loads(pickle.dumps(pipeline().get_pipe("caseframe_abbreviations")))


@pytest.mark.parametrize("short", ["GCT", "hs-CRP", "[K+]o", "PGE(2)", "CK 18", "E. coli", "bpm", "5-HT", "MM"])
def test_can_be_short_form(short: str) -> None:
    assert is_short_form(short)


@pytest.mark.parametrize("short", ["", "12", "2.5", "see", "mm", "24-91 months", "dis-", "100%", "a very long content"])
def test_cannot_be_short_form(short: str) -> None:
    assert not is_short_form(short)


def test_hostile_brackets_take_no_time() -> None:
    for hostile in ("(" * 30_000 + ")" * 30_000, "a (B " * 20_000, "word (W) " * 5_000, ") " * 50_000):
        for found in find_definitions(hostile):
            assert found.long_start < found.long_end


PIECES = st.sampled_from(
    ["giant cell tumor", " ", "(", ")", "[", "]", "GCT", "\n", ". ", "α", "2", "-", ",", "s", "ß", "İ"]
)


@given(st.one_of(st.text(max_size=150), st.lists(PIECES, max_size=40).map("".join)))
def test_offsets_hold_in_any_text(text: str) -> None:
    doc = pipeline()(text)
    for definition in find_definitions(text):
        assert 0 <= definition.short_start < definition.short_end <= len(text)
        assert 0 <= definition.long_start < definition.long_end <= len(text)
        apart = definition.long_end <= definition.short_start or definition.short_end <= definition.long_start
        assert apart
    for span in doc.spans["abbreviations"]:
        assert span._.long_form and span._.long_form in text


@pytest.mark.data
def test_pairs_of_med1250(data_dir: Path) -> None:
    """Precision and recall do not fall below what was reached; the benchmark prints them."""
    path = data_dir / "corpora" / "abbreviations" / "MED1250_labeled.txt.gz"
    _, *pieces = re.split(r"^(\d+)\n", gzip.decompress(path.read_bytes()).decode(), flags=re.MULTILINE)
    right = found_count = gold_count = 0
    for block in pieces[1::2]:
        lines = [line for line in block.split("\n") if line.strip()]
        text = "\n".join(line.strip() for line in lines if not line.startswith("  "))
        gold = {tuple(line.strip().lower().split("|")[:2]) for line in lines if line.startswith("  ")}
        found = {(short.lower(), " ".join(long.lower().split())) for short, long in pairs(text)}
        right, found_count, gold_count = right + len(found & gold), found_count + len(found), gold_count + len(gold)
    assert right / found_count > 0.94
    assert right / gold_count > 0.83
