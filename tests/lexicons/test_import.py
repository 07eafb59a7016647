"""Terminologies of other makers become lexicons, and broken ones change nothing."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from caseframe.cli import app
from caseframe.errors import CaseFrameError, LexiconError, OutputError
from caseframe.lexicons import CompiledLexicon, Lexicon, Term, importing, load_lexicon, read_lexicon
from caseframe.lexicons.importing import Imported, ImportSettings, import_lexicon
from caseframe.lexicons.inventory import holdings, inventory
from caseframe.lexicons.readers import open_concepts
from caseframe.lexicons.readers.base import MAX_LINE_CHARACTERS, Concept
from caseframe.lexicons.readers.fda import turned

OBO = r"""format-version: 1.2
ontology: desk

[Term]
id: DESK:1
name: dental implant
def: "A thing \"in\" the jaw." []

[Term]
id: DESK:2
name: zygomatic fixture
synonym: "malar fixture" EXACT [src:1]
synonym: "cheek screw" RELATED []
synonym: "implant" BROAD []
synonym: "ZF" EXACT []
synonym: "ZYF" EXACT abbreviation []
xref: NCIT:C0001 {source="desk"}
xref: UMLS_CUI:C0000001 "of the desk"
is_a: DESK:1 {gloss="yes"} ! dental implant

[Term]
id: DESK:3
name: old fixture
is_obsolete: true

[Term]
id: DESK:4
name: fixture collar
synonym: "malar fixture" EXACT []
relationship: part_of DESK:2 ! zygomatic fixture

[Typedef]
id: part_of
name: part of
"""

SKOS = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix d: <http://desk.example/c/> .
d:a a skos:Concept ; skos:prefLabel "pacemaker lead"@en , "Schrittmacherkabel"@de ; skos:altLabel "pacing wire"@en ;
    skos:notation "P1" ; skos:broader d:b .
d:b a skos:Concept ; skos:prefLabel "cardiac device"@en ; skos:notation "P0" .
"""

OWL = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
  xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:o="http://www.geneontology.org/formats/oboInOwl#">
<owl:Class rdf:about="http://purl.obolibrary.org/obo/DESK_0000002"><rdfs:label>pacing lead</rdfs:label>
<o:hasExactSynonym>pacing wire</o:hasExactSynonym><o:hasRelatedSynonym>lead wire</o:hasRelatedSynonym>
<o:hasDbXref>NCIT:C9</o:hasDbXref><rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/DESK_0000001"/></owl:Class>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/DESK_0000001"><rdfs:label>cardiac lead</rdfs:label></owl:Class>
</rdf:RDF>
"""

GRAPH = {
    "graphs": [
        {
            "nodes": [
                {
                    "id": "http://purl.obolibrary.org/obo/DESK_2",
                    "lbl": "pacing lead",
                    "type": "CLASS",
                    "meta": {
                        "synonyms": [
                            {"pred": "hasExactSynonym", "val": "pacing wire"},
                            {"pred": "hasBroadSynonym", "val": "wire"},
                        ],
                        "xrefs": [{"val": "NCIT:C9"}],
                    },
                },
                {"id": "http://purl.obolibrary.org/obo/DESK_1", "lbl": "cardiac lead", "type": "CLASS"},
                {"id": "http://purl.obolibrary.org/obo/BFO_0000050", "lbl": "part of", "type": "PROPERTY"},
            ],
            "edges": [
                {
                    "sub": "http://purl.obolibrary.org/obo/DESK_2",
                    "pred": "is_a",
                    "obj": "http://purl.obolibrary.org/obo/DESK_1",
                }
            ],
        }
    ]
}

ONCOTREE = {
    "TISSUE": {
        "code": "TISSUE",
        "name": "Tissue",
        "externalReferences": {},
        "children": {
            "DSK": {
                "code": "DSK",
                "name": "Desk Tumor, NOS",
                "externalReferences": {"UMLS": ["C1"], "NCI": ["C2"]},
                "parent": "TISSUE",
                "children": {},
            }
        },
    }
}

FDA = """REVIEW_PANEL|MEDICALSPECIALTY|PRODUCTCODE|DEVICENAME|DEVICECLASS|REGULATIONNUMBER
CV|CV|AAA|Lead, Pacemaker, Endocardial (Permanent)|3|870.3680
DE|DE|BBB|Fixture, Zygomatic|2|
"""

MRCONSO = """C01|ENG|P|L1|PF|S1|Y|A1||||DSK|PT|77|Pacing lead|0|N||
C01|ENG|S|L2|PF|S2|Y|A2||||SNOMEDCT_US|SY|88|Pacing wire|0|N||
C01|GER|S|L3|PF|S3|Y|A3||||DSK|PT|77|Reizelektrode|0|N||
C02|ENG|P|L4|PF|S4|Y|A4||||DSK|PT|99|Suppressed lead|0|O||
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, **options: object) -> list[Concept]:
    return list(open_concepts(path, **options))  # type: ignore[arg-type]


def imported(tmp_path: Path, text: str, name: str = "desk.obo", **settings: object) -> Imported:
    settings.setdefault("field", "implant")
    return import_lexicon(written(tmp_path / name, text), tmp_path / "lexicons", ImportSettings(**settings))  # type: ignore[arg-type]


def words(done: Imported) -> dict[str, Term]:
    return {entry.surface: entry.term for entry in read_lexicon(done.path)}


def left_out(done: Imported) -> list[list[str]]:
    return [line.split("\t") for line in done.left_out.read_text(encoding="utf-8").splitlines()[2:]]


# Formats


def test_obo_gives_names_synonyms_xrefs_and_what_stands_above(tmp_path: Path) -> None:
    concepts = {concept.id: concept for concept in read(written(tmp_path / "desk.obo", OBO))}
    assert list(concepts) == ["DESK:1", "DESK:2", "DESK:3", "DESK:4"]
    fixture = concepts["DESK:2"]
    assert (fixture.name, fixture.exact, fixture.related) == (
        "zygomatic fixture",
        ("malar fixture", "ZF", "ZYF"),
        ("cheek screw",),
    )
    assert fixture.xrefs == ("NCIT:C0001", "UMLS_CUI:C0000001")
    assert fixture.parents == ("DESK:1",)
    assert concepts["DESK:3"].obsolete
    assert concepts["DESK:4"].wholes == ("DESK:2",)


def test_a_kind_of_some_instances_only_is_no_parent(tmp_path: Path) -> None:
    text = OBO.replace('is_a: DESK:1 {gloss="yes"}', 'is_a: DESK:1 {gci_relation="part_of", gci_filler="DESK:4"}')
    assert read(written(tmp_path / "desk.obo", text))[1].parents == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [("desk.owl", OWL), ("desk.json", json.dumps(GRAPH))],
)
def test_owl_and_obo_graphs(tmp_path: Path, name: str, text: str) -> None:
    lead = next(each for each in read(written(tmp_path / name, text)) if each.name == "pacing lead")
    assert lead.id in ("DESK:0000002", "DESK:2")
    assert (lead.exact, lead.xrefs) == (("pacing wire",), ("NCIT:C9",))
    assert [parent.rstrip("01") for parent in lead.parents] == ["DESK:"]


def test_skos_takes_english_labels_and_notations(tmp_path: Path) -> None:
    device, lead = read(written(tmp_path / "desk.ttl", SKOS))
    assert (device.id, device.name) == ("P0", "cardiac device")
    assert (lead.id, lead.name, lead.exact, lead.parents) == ("P1", "pacemaker lead", ("pacing wire",), ("P0",))


def test_oncotree_fda_and_mrconso(tmp_path: Path) -> None:
    tissue, desk = read(written(tmp_path / "tree.json", json.dumps(ONCOTREE)))
    assert tissue.parents == ()
    assert (desk.id, desk.xrefs, desk.parents) == ("OncoTree:DSK", ("UMLS:C1", "NCIT:C2"), ("OncoTree:TISSUE",))
    lead, fixture = read(written(tmp_path / "foiclass.txt", FDA))
    assert (lead.id, lead.name, lead.xrefs, lead.parents) == (
        "FDA:AAA",
        "Endocardial Pacemaker Lead",
        ("21CFR:870.3680",),
        ("cardiovascular device",),
    )
    assert fixture.name == "Zygomatic Fixture"
    (conso,) = read(written(tmp_path / "MRCONSO.RRF", MRCONSO))
    assert (conso.id, conso.name, conso.exact) == ("UMLS:C01", "Pacing lead", ("Pacing wire",))
    assert conso.xrefs == ("DSK:77", "SNOMEDCT_US:88")
    (conso,) = read(tmp_path / "MRCONSO.RRF", vocabularies=("SNOMEDCT_US",))
    assert (conso.name, conso.exact) == ("Pacing wire", ())


def test_catalogue_names_are_turned() -> None:
    assert turned("Analyzer, Gas, Helium (Old)") == "Helium Gas Analyzer"


def test_a_table_by_known_headings_and_by_told_ones(tmp_path: Path) -> None:
    rows = "code;label;synonyms;parent\nD1;pacing lead;pacing wire|stimulation lead;D0\nD0;cardiac device;;\n"
    lead, _ = read(written(tmp_path / "a.csv", rows))
    assert lead == Concept("D1", "pacing lead", ("pacing wire", "stimulation lead"), parents=("D0",), place="line 2")
    told = read(written(tmp_path / "b.csv", '"nr","Was"\n7,"lead, pacing"\n'), columns={"id": "nr", "name": "Was"})
    assert [(concept.id, concept.name) for concept in told] == [("7", "lead, pacing")]


def test_packed_files_and_old_encodings(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv.gz"
    path.write_bytes(gzip.compress("id,name\r\n1,Ménière disease\r2,Sjögren syndrome\r\n".encode("cp1252")))
    assert [concept.name for concept in read(path)] == ["Ménière disease", "Sjögren syndrome"]


# The lexicon


def test_an_import_is_a_lexicon_with_codes_hierarchy_and_a_list_of_what_was_left_out(tmp_path: Path) -> None:
    done = imported(tmp_path, OBO, source="desk")
    found = words(done)
    assert set(found) == {"dental implant", "zygomatic fixture", "fixture collar"}
    fixture = found["zygomatic fixture"]
    assert (fixture.code, fixture.field, fixture.lexicon) == ("DESK:2", "implant", "desk")
    assert fixture.attributes["role"] == "head"
    assert fixture.attributes["parents"] == "dental implant"
    assert fixture.attributes["xrefs"] == "NCIT:C0001|UMLS_CUI:C0000001"
    assert found["fixture collar"].attributes["parents"] == "zygomatic fixture"
    assert sorted(left_out(done)) == [
        ["ZF", "DESK:2", "too short"],
        ["ZYF", "DESK:2", "abbreviation of three letters"],
        ["malar fixture", "DESK:2", "means several concepts"],
        ["malar fixture", "DESK:4", "means several concepts"],
        ["old fixture", "DESK:3", "obsolete"],
    ]
    assert (done.read, done.taken, done.words, done.merged) == (4, 3, 3, 0)


def test_related_synonyms_attributes_and_branches_are_chosen(tmp_path: Path) -> None:
    chosen = {
        "related": True,
        "attributes": {"role": "head", "material": "zirconia"},
        "branches": ("Zygomatic fixture",),
    }
    done = imported(tmp_path, OBO, **chosen)
    assert set(words(done)) == {"zygomatic fixture", "cheek screw", "fixture collar"}
    assert words(done)["cheek screw"].attributes["material"] == "zirconia"
    with pytest.raises(LexiconError, match="no concept 'plate'"):
        imported(tmp_path, OBO, branches=("plate",))


def test_what_is_shipped_keeps_its_name_code_and_words(tmp_path: Path) -> None:
    rows = "id,name,synonyms\nX:1,Giant cell tumour of bone,osteosarcoma|GCT of the desk\nX:2,desk sarcoma,\n"
    done = imported(tmp_path, rows, "x.csv", field="diagnosis")
    term = words(done)["GCT of the desk"]
    assert (term.preferred, term.code) == ("giant cell tumor of bone", "ICDO3:9250/1")
    assert term.attributes["group"] == "bone tumor"
    assert "X:1" in str(term.attributes["xrefs"])
    assert ["osteosarcoma", "X:1", "shipped with another meaning"] in left_out(done)
    own = words(imported(tmp_path, rows, "x.csv", field="diagnosis", aligned=False))
    assert own["osteosarcoma"].code == "X:1"


def test_two_ids_of_one_name_are_one_concept(tmp_path: Path) -> None:
    done = imported(tmp_path, "id,name\n1,Desk Leads\n2,desk lead\n", "x.csv", source="shop")
    assert (done.taken, done.merged) == (1, 1)
    assert (words(done)["desk lead"].code, words(done)["desk lead"].attributes["xrefs"]) == ("shop:1", "shop:2")


def test_capitals_that_mean_something_stay(tmp_path: Path) -> None:
    done = imported(tmp_path, "id,name\n1,TIPSS\n2,LVAD Pump\n", "x.csv")
    assert {term.preferred for term in words(done).values()} == {"TIPSS", "LVAD Pump"}


# Broken files

CIRCLE = OBO.replace("name: dental implant", "name: dental implant\nis_a: DESK:2")
BROKEN = {
    "cut inside a synonym": ("a.obo", OBO[: OBO.index("malar")], "line 12: the file ends inside a line"),
    "a synonym without its quotes": ("a.obo", OBO.replace('"ZF"', '"ZF'), "line 15: a synonym without its quotes"),
    "no tag": ("a.obo", OBO.replace("xref: UMLS_CUI:C0000001", "xref"), "is no tag and value"),
    "cut after an id": ("a.obo", OBO + "\n[Term]\nid: DESK:9\n", "a term without id or name"),
    "a circle": ("a.obo", CIRCLE, "circle of parents: DESK:1 -> DESK:2 -> DESK:1"),
    "an id with two names": (
        "a.obo",
        OBO + "\n[Term]\nid: DESK:2\nname: other fixture\n",
        "line 36: DESK:2 is 'other fixture', but at line 9 'zygomatic fixture'",
    ),
    "no id": ("a.obo", OBO + "\n[Term]\nname: nothing\n", "a term without id or name"),
    "a term of ten megabytes": (
        "a.obo",
        OBO + "\n[Term]\nid: DESK:9\nname: " + "x" * 10_000_000 + "\n",
        "line 38: more than",
    ),
    "other columns": ("a.csv", "size,colour\n1,red\n", "no column of names among size, colour"),
    "too many cells": ("a.csv", "id,name\n1,lead,pacing\n", "line 2: 3 cells under 2 headings"),
    "an open quote": ("a.csv", 'id,name\n1,"lead\n', "line 2: "),
    "no name": ("a.csv", "id,name\n1,\n", "line 2: no name"),
    "JSON cut off": ("a.json", json.dumps(GRAPH)[:200], "no valid JSON"),
    "another JSON": ("a.json", '{"a": 1}', "a node without code or children"),
    "graphs of no form": ("a.json", '{"graphs": 3}', "no graphs"),
    "XML cut off": ("a.owl", OWL[:400], "no valid xml"),
    "Turtle cut off": ("a.ttl", SKOS[:200], "no valid turtle"),
    "FDA cut off": ("a.txt", FDA[:-20], "line 3: "),
    "MRCONSO of few columns": ("a.RRF", MRCONSO + "C03|ENG\n", "line 5: 2 of 18 columns"),
    "empty": ("a.obo", "", "an empty file"),
    "only dangerous words": ("a.csv", "id,name\n1,CT\n2,surgery\n", "nothing is left"),
}


@pytest.mark.parametrize(("name", "text", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_told_and_changes_nothing(tmp_path: Path, name: str, text: str, told: str) -> None:
    good = imported(tmp_path, OBO, source="desk")
    before = {path: path.read_bytes() for path in good.path.parent.rglob("*") if path.is_file()}
    with pytest.raises(LexiconError) as error:
        imported(tmp_path, text, name, source="desk")
    assert told in str(error.value)
    assert str(tmp_path / name) in str(error.value)
    assert error.value.cure
    assert {path: path.read_bytes() for path in good.path.parent.rglob("*") if path.is_file()} == before


NO_TEXT = {
    "UTF-16": "id,name\n1,pacing lead\n".encode("utf-16"),
    "UTF-16 without a mark": "id,name\n1,pacing lead\n".encode("utf-16-le"),
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 9,
    "nothing but zeros": bytes(5000),
}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("raw", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_text_is_told_and_changes_nothing(tmp_path: Path, raw: bytes) -> None:
    good = imported(tmp_path, OBO, source="desk")
    before = contents(good.path.parent)
    path = tmp_path / "x.csv"
    path.write_bytes(raw)
    with pytest.raises(LexiconError, match=r"x\.csv: no text, or text in UTF-16. Save it as UTF-8"):
        import_lexicon(path, good.path.parent, ImportSettings(source="desk"))
    assert contents(good.path.parent) == before


def test_a_folder_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder.obo").mkdir()
    for name in ("folder.obo", "nowhere.obo"):
        with pytest.raises(LexiconError, match=rf"{name}: .*(directory|folder)"):
            import_lexicon(tmp_path / name, tmp_path / "lexicons")


# Broken off

STEPS = ("copy2", "replace", "rename", "_write_rows", "compile_lexicon")
"""What an import does to the disk, and where it can be broken off."""


def broken_at(monkeypatch: pytest.MonkeyPatch, step: int, fail: Callable[[], object]) -> None:
    """Calls `fail` in place of the nth of STEPS."""
    calls = count()

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            return fail() if next(calls) == step else original(*given, **more)

        return call

    for name in STEPS:
        owner: Any = shutil if name == "copy2" else importing if hasattr(importing, name) else Path
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))


def full() -> None:
    raise OSError(28, "No space left on device")


def stopped() -> None:
    raise KeyboardInterrupt


NEWER = OBO.replace("zygomatic fixture", "zygomatic anchor").replace('"ZYF"', '"ZYGF"')


@pytest.mark.parametrize("fail", [full, stopped])
@pytest.mark.parametrize("step", range(10))
def test_an_import_that_fails_anywhere_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, fail: Callable[[], object]
) -> None:
    good = imported(tmp_path, OBO, source="desk")
    before = contents(good.path.parent)
    with monkeypatch.context() as patched, pytest.raises((OutputError, KeyboardInterrupt)):
        broken_at(patched, step, fail)
        imported(tmp_path, NEWER, source="desk")
    assert contents(good.path.parent) == before
    assert sorted(path.name for path in good.path.parent.iterdir()) == [
        "desk.compiled",
        "desk.left_out.tsv",
        "desk.tsv",
    ]
    assert "zygomatic anchor" in words(imported(tmp_path, NEWER, source="desk")), "and the next one goes through"


@pytest.mark.parametrize("step", range(5))
def test_a_first_import_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    with monkeypatch.context() as patched, pytest.raises(OutputError, match="No space left"):
        broken_at(patched, step, full)
        imported(tmp_path, OBO, source="desk")
    assert list((tmp_path / "lexicons").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is killed in the middle of an import")
@pytest.mark.parametrize("step", range(11))
def test_an_import_that_is_killed_anywhere_leaves_a_whole_lexicon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    good = imported(tmp_path, OBO, source="desk")
    old = {entry.surface for entry in read_lexicon(good.path)}
    process = os.fork()
    if not process:
        broken_at(monkeypatch, step, lambda: os._exit(9))
        imported(tmp_path, NEWER, source="desk")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == (9 if step < 10 else 0)
    new = {word.replace("zygomatic fixture", "zygomatic anchor") for word in old} | {"ZYGF"}
    assert {entry.surface for entry in read_lexicon(good.path)} in (old, new)
    lexicon = Lexicon((), [compiled]) if isinstance(compiled := load_lexicon(good.path), CompiledLexicon) else None
    surfaces = {entry.surface for entry in read_lexicon(good.path)}
    known = lexicon or Lexicon(read_lexicon(good.path))
    for word in old | new:
        assert bool(known.lookup(word)) == (word in surfaces), word
    imported(tmp_path, NEWER, source="desk")
    assert sorted(path.name for path in good.path.parent.iterdir()) == [
        "desk.compiled",
        "desk.left_out.tsv",
        "desk.tsv",
    ]


def test_a_packed_file_that_is_cut_off_and_a_name_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "desk.obo.gz"
    path.write_bytes(gzip.compress(OBO.encode() * 50)[:-40])
    with pytest.raises(LexiconError, match="cut off"):
        import_lexicon(path, tmp_path / "lexicons")
    with pytest.raises(LexiconError, match=r"source '\.\./x'"):
        imported(tmp_path, OBO, source="../x")
    with pytest.raises(LexiconError, match="field 'device'"):
        imported(tmp_path, OBO, field="device")
    assert not (tmp_path / "lexicons").exists()


def test_xml_fetches_nothing(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret.txt", "the secret")
    hostile = OWL.replace(
        '<?xml version="1.0"?>', f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    ).replace("cardiac lead", "cardiac lead &s;")
    try:
        found = [concept.name for concept in read(written(tmp_path / "a.owl", hostile))]
    except LexiconError:
        found = []
    assert not any("secret" in name for name in found)


def test_long_words_are_listed_and_a_line_has_a_bound(tmp_path: Path) -> None:
    done = imported(tmp_path, f"id,name,synonyms\n1,desk lead,{'very ' * 40}long lead\n", "x.csv")
    assert [row[2] for row in left_out(done)] == ["too long"]
    assert MAX_LINE_CHARACTERS == 1_000_000


# Command line


def test_the_commands_import_and_list(tmp_path: Path) -> None:
    source = written(tmp_path / "desk.obo", OBO)
    folder = str(tmp_path / "lexicons")
    result = CliRunner().invoke(
        app, ["lexicon", "import", str(source), "--field", "implant", "-o", folder, "--attribute", "role=head"]
    )
    assert result.exit_code == 0, result.output
    assert "concepts read" in result.output and "left out: too short" in result.output
    listed = CliRunner().invoke(app, ["lexicon", "list", folder], env={"COLUMNS": "200"})
    assert listed.exit_code == 0, listed.output
    assert "shipped/tumors.tsv" in listed.output and "desk.tsv" in listed.output and "left_out" not in listed.output
    wrong = CliRunner().invoke(app, ["lexicon", "import", str(source), "--attribute", "role", "-o", folder])
    assert isinstance(wrong.exception, CaseFrameError)


def test_the_inventory_tells_codes_by_system_and_the_date_of_the_review(tmp_path: Path) -> None:
    rows = "term\tpreferred\tfield\tcode\tattributes\n" + "".join(
        f"{name}\t{name}\timplant\t{code}\t\n"
        for name, code in (("a lead", "X:1"), ("b lead", "Y:1"), ("c lead", "X:2"))
    )
    head = "# Leads.\n# Reviewed: 2026-11-26\n"
    (told,) = holdings(written(tmp_path / "a.tsv", head + rows), "a")
    assert (told.concepts, told.coded, told.codes, told.reviewed) == (3, 3, (("X", 2), ("Y", 1)), "2026-11-26")
    (silent,) = holdings(written(tmp_path / "b.tsv", rows + head), "b")
    assert silent.reviewed == ""
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row.reviewed) for row in inventory()), "every shipped file has one"


# Real terminologies

REAL = {
    "uberon_import.obo.gz": ("site", 2896),
    "uberon_musculoskeletal.obo.gz": ("site", 2740),
    "uberon_appendicular.obo.gz": ("site", 1065),
    "maxo.obo.gz": ("procedure", 7057),
    "doid_cancer_slim.obo.gz": ("diagnosis", 730),
    "doid_ncit_subset.obo.gz": ("diagnosis", 4757),
    "oncotree_2025_10_03.json.gz": ("diagnosis", 898),
    "fda_foiclass.txt.gz": ("implant", 6617),
}


@pytest.mark.data
@pytest.mark.parametrize(("name", "field", "count"), [(name, *rest) for name, rest in REAL.items()])
def test_real_terminologies_are_read_whole(data_dir: Path, tmp_path: Path, name: str, field: str, count: int) -> None:
    path = data_dir / "terms" / name
    with gzip.open(path, "rb") as stream:
        raw = stream.read()
    if ".obo" in name:
        marked = raw.count(b"\n[Term]")
    else:
        marked = raw.count(b'"code":"') if ".json" in name else raw.count(b"\n") - 1
    done = import_lexicon(path, tmp_path, ImportSettings(field=field))
    assert done.read == marked == count
    gone = sum(done.reasons.get(reason, 0) for reason in ("obsolete", "concept without a safe word"))
    assert done.taken + done.merged + gone == done.read
    assert sum(1 for _ in read_lexicon(done.path)) == done.words
