"""Names land at the concept they mean: by their normal form, mended, or as a kind of it; what is unsure lands nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from caseframe.lexicons import Entry, Term
from caseframe.lexicons.importing import ImportSettings, import_lexicon
from caseframe.lexicons.linking import THRESHOLD, Linker, linker
from caseframe.lexicons.names import Names, names_path, open_names, write_names
from caseframe.schema import Attributes


def made(path: Path, *terms: Term) -> Linker:
    path.mkdir()
    write_names(path, [Entry(term.preferred, term) for term in terms])
    return Linker.of_names([Names(path)])


@pytest.mark.parametrize("name", ["giant-cell tumour of bone", "osteoclastoma", "Giant cell tumor of the bone (GCT)"])
def test_the_names_of_one_thing_have_one_code(name: str) -> None:
    link = linker().link("diagnosis", name)
    assert link is not None and (link.name, link.code) == ("giant cell tumor of bone", "ICDO3:9250/1")


@pytest.mark.parametrize(
    ("name", "concept", "how"),
    [
        ("tumour, Wilms", "nephroblastoma", "same"),
        ("carcinoma of the ovary", "ovarian carcinoma", "same"),
        ("type II diabetes", "type 2 diabetes mellitus", "same"),
        ("osteosarcma", "osteosarcoma", "spelled"),
        ("recurrent sacral chordoma", "chordoma", "broader"),
        ("chondrosarcoma with lung metastases", "chondrosarcoma", "broader"),
        ("schwannoma mimicking a meningioma", "schwannoma", "broader"),
    ],
)
def test_a_name_finds_its_concept(name: str, concept: str, how: str) -> None:
    link = linker().link("diagnosis", name)
    assert link is not None and (link.name, link.how) == (concept, how)
    assert THRESHOLD <= link.score <= 1 and (link.score == 1) == (how == "same")


@pytest.mark.parametrize(
    "name",
    [
        "pseudo gout",
        "brain metastasis",
        "diabetes type 3",
        "carcinoid-like tumor",
        "surgical site recurrence",
        "",
        "of",
    ],
)
def test_a_word_that_makes_it_another_thing_is_never_dropped(name: str) -> None:
    link = linker().link("diagnosis", name)
    assert link is None or not link.code


def test_a_malignant_form_of_a_benign_tumor_has_the_malignant_code() -> None:
    link = linker().link("diagnosis", "large malignant ganglioneuroma")
    assert link is not None and link.code == "ICDO3:9490/3"
    link = linker().link("diagnosis", "benign osteosarcoma")
    assert link is None or not link.code


def test_the_fewer_words_fall_the_surer_the_link() -> None:
    scores = []
    for name in ("large chordoma", "large tibial chordoma", "large tibial frobnic chordoma"):
        link = linker().link("diagnosis", name)
        assert link is not None and link.name == "chordoma"
        scores.append(link.score)
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 3


def test_the_site_of_the_patient_tells_tumors_of_one_name_apart() -> None:
    def name(words: str, *sites: str) -> str:
        link = linker().link("diagnosis", "giant cell tumor of bone", words, sites)
        assert link is not None
        return link.name

    assert name("giant cell tumor", "tendon sheath") == "tenosynovial giant cell tumor"
    assert name("giant cell tumor", "bone") == "giant cell tumor of bone"
    assert name("giant cell tumor of bone", "tendon sheath") == "giant cell tumor of bone"


def test_a_value_of_a_lexicon_keeps_its_name_and_another_writing_takes_it() -> None:
    for name, preferred in (("chordoma", ""), ("humerus fracture", "humeral fracture"), ("tibial chordoma", "")):
        link = linker().link("diagnosis", name)
        assert link is not None and link.preferred == preferred


def test_a_site_is_found_in_the_words_for_something_else() -> None:
    site = linker().site_in("fracture of the left femoral neck")
    assert site is not None and (site.name, site.code) == ("femoral neck", "ICDO3:C40.2")
    assert linker().site_in("aphthous stomatitis") is None


def test_a_site_is_not_the_site_that_its_name_ends_with(tmp_path: Path) -> None:
    sites = made(tmp_path / "names", Term("head", "site", "X:1"))
    assert sites.link("site", "femoral head") is None
    link = sites.link("site", "left head")
    assert link is not None and link.code == "X:1"


def test_a_field_without_concepts_has_no_links() -> None:
    assert linker().link("age", "chordoma") is None


def test_a_concept_without_a_code_gives_that_of_what_it_is_a_kind_of(tmp_path: Path) -> None:
    links = made(tmp_path / "names", Term("zorb", "diagnosis", "X:1"), Term("blue zorb", "diagnosis"))
    link = links.link("diagnosis", "blue zorb")
    assert link is not None and (link.name, link.code, link.how) == ("zorb", "X:1", "broader")


def test_an_index_is_made_once_and_anew_when_its_source_changes(tmp_path: Path) -> None:
    source, folder = tmp_path / "words.tsv", tmp_path / "names.compiled"
    source.write_text("one", encoding="utf-8")
    made_for: list[str] = []

    def entries() -> list[Entry]:
        name = source.read_text(encoding="utf-8")
        made_for.append(name)
        return [Entry(name, Term(name, "diagnosis", "X:1"))]

    for _ in range(2):
        assert open_names(folder, [source], entries).of("diagnosis", ["one"])
    source.write_text("two", encoding="utf-8")
    names = open_names(folder, [source], entries)
    assert made_for == ["one", "two"] and names.of("diagnosis", ["two"]) and not names.of("diagnosis", ["one"])
    (folder / "forms.marisa").write_bytes(b"damaged")
    assert open_names(folder, [source], entries).of("diagnosis", ["two"]) and len(made_for) == 3


def test_a_place_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path) -> None:
    source, folder = tmp_path / "words.tsv", tmp_path / "no" / "such" / "names.compiled"
    source.write_text("one", encoding="utf-8")
    names = open_names(folder, [source], lambda: [Entry("one", Term("one", "diagnosis", "X:1"))])
    assert names.of("diagnosis", ["one"])[0].code == "X:1" and not folder.parent.exists()


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("hemangiomma", "hemangioma", "hemangioma"),
        ("rhabdomyosarcmoa", "rhabdomyosarcoma", "rhabdomyosarcoma"),
        ("chondrosarcomatous", "chondrosarcoma", "chondrosarcoma"),
        ("urethrostomy", "urethrotomy", ""),
        ("neurofibrosarcoma", "neurofibroma", ""),
        ("hyperphosphatemia", "hypophosphatemia", ""),
        ("gout", "gouty", ""),
    ],
)
def test_one_slip_is_mended_and_no_other_word_taken(tmp_path: Path, word: str, known: str, near: str) -> None:
    write_names(tmp_path, [Entry(known, Term(known, "diagnosis"))])
    assert Names(tmp_path).nearest(word) == near


@pytest.mark.parametrize(
    ("code", "before", "words", "name"),
    [
        ("ICDO3:8140/3", "a villous ", "adenocarcinoma of the duodenum", "villous adenocarcinoma"),
        ("ICDO3:8010/3", "primary squamous cell ", "carcinoma of the esophagus", "squamous cell carcinoma"),
        ("ICDO3:8800/3", "high-grade spindle cell ", "sarcoma of the heart", "spindle cell sarcoma"),
        ("ICDO3:9490/0", "a large ", "ganglioneuroma", ""),
        ("ICDO3:8010/3", "squamous cell and ", "carcinoma of the esophagus", ""),
        ("ICDO3:8010/3", "metastatic ", "cancer of the breast", ""),
    ],
)
def test_the_words_before_a_tumor_tell_its_kind(code: str, before: str, words: str, name: str) -> None:
    found = linker().exacter(code, before, words)
    assert (found.name if found else "") == name


def test_words_before_a_tumor_do_not_make_a_benign_one_malignant(tmp_path: Path) -> None:
    links = made(
        tmp_path / "names",
        Term("zorboma", "diagnosis", "ICDO3:8140/0", Attributes({"behavior": "benign"})),
        Term("blue zorboma", "diagnosis", "ICDO3:8141/3", Attributes({"behavior": "malignant"})),
    )
    assert links.exacter("ICDO3:8140/0", "a blue ", "zorboma") is None
    found = links.exacter("ICDO3:8000/1", "a blue ", "zorboma")
    assert found is not None and found.code == "ICDO3:8141/3"


@pytest.mark.parametrize("imported", [True, False])
def test_a_lexicon_of_ones_own_is_linked_to_as_well(tmp_path: Path, imported: bool) -> None:
    table = tmp_path / "frob.csv"
    table.write_text("id,name,synonyms\nF:1,frobnosis,morbus frob\nF:2,chordoma,\n", encoding="utf-8")
    path = import_lexicon(table, tmp_path / "lexicons", ImportSettings(source="frob")).path
    if imported:
        assert (names_path(path) / "forms.marisa").is_file()
    else:
        path = path.rename(tmp_path / "rows.tsv")
    links = Linker((str(path),))
    for name, code in (("recurrent frobnosis", "F:1"), ("frob, morbus", "F:1"), ("large chordoma", "ICDO3:9370/3")):
        link = links.link("diagnosis", name)
        assert link is not None and link.code == code
    assert names_path(path).exists() == imported


def test_a_lexicon_that_is_edited_is_indexed_anew(tmp_path: Path) -> None:
    table = tmp_path / "frob.csv"
    table.write_text("id,name\nF:1,frobnosis\n", encoding="utf-8")
    path = import_lexicon(table, tmp_path, ImportSettings(source="frob")).path
    path.write_text(path.read_text(encoding="utf-8").replace("frobnosis", "zorbosis"), encoding="utf-8")
    links = Linker((str(path),), builtin=False)
    assert links.link("diagnosis", "zorbosis") is not None and links.link("diagnosis", "frobnosis") is None


@pytest.mark.parametrize(
    "file", ["forms.marisa", "words.marisa", "gram_starts.npy", "gram_words.npy", "word_grams.npy"]
)
@pytest.mark.parametrize("content", [b"", b"damaged"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, file: str, content: bytes) -> None:
    source, folder = tmp_path / "words.tsv", tmp_path / "names.compiled"
    source.write_text("one", encoding="utf-8")
    entries = [Entry("one", Term("o\x1fne", "diagnosis", "X:1"))]
    for _ in range(2):
        assert open_names(folder, [source], lambda: entries).of("diagnosis", ["one"])[0].name == "o ne"
        (folder / file).write_bytes(content)
    assert open_names(folder, [source], lambda: entries).nearest("ones") == ""
