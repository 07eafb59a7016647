"""Exports: what other tools read, read back; whatever a text holds."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bioc import biocjson
from google.protobuf.json_format import Parse
from hypothesis import example, given
from hypothesis import strategies as st
from phenopackets.schema.v2 import Phenopacket, Sex

from caseframe import read
from caseframe.errors import ConfigError, OutputError, OutputExists
from caseframe.evaluation.loaders import bioc as bioc_loader
from caseframe.evaluation.loaders import brat as brat_loader
from caseframe.schema import Article, Case, Extraction, Finding
from caseframe.tables import phenopackets
from caseframe.tables.bioc import passages_of, write_bioc
from caseframe.tables.brat import write_brat
from caseframe.tables.checklists import items, write_checklists
from caseframe.tables.evidence import Evidence, Run
from caseframe.tables.exports import EXPORTS, export_formats, write_exports
from caseframe.tables.files import file_stem
from caseframe.tables.phenopackets import iso_age, write_phenopackets
from caseframe.tables.references import write_bibtex, write_ris
from caseframe.tables.rows import article_row, case_rows, finding_rows
from caseframe.tables.studies import write_studies

MakeCase = Callable[..., Extraction]
WriteRun = Callable[..., Run]
HOSTILE = "100 % {of} \\cite{x} $y$ _a_ #1 & ~ ^ <script>alert(1)</script> \"q\" 'r' ; , | =1+1"
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def evidence_of(extraction: Extraction) -> Evidence:
    return Evidence(
        article_row(extraction, english=True), tuple(case_rows(extraction)), tuple(finding_rows(extraction))
    )


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def records(make_case: MakeCase) -> list[Evidence]:
    whole = {
        "authors": ("Gu X", "Ávila-Núñez M"), "doi": "10.1234/ab_c", "pmcid": "PMC7", "keywords": ("sacrum", "3D printing"),
    }  # fmt: skip
    no_case = Extraction(Article.build(title="A review", pmid="5"), (), ())
    return [
        evidence_of(make_case(1, title=HOSTILE, follow_up=12, recurrence="absent", **whole)),
        evidence_of(make_case(2, authors=("Gu, Xiao",), failed=3)),
        evidence_of(make_case(3, age=None, kind="cohort", year=None)),
        evidence_of(no_case),
    ]


def test_ris_is_read_back(records: list[Evidence], tmp_path: Path) -> None:
    assert write_ris(records, tmp_path / "a.ris") == 3
    first, *_ = articles = [each for each in read(tmp_path / "a.ris") if isinstance(each, Article)]
    assert [each.pmid for each in articles] == ["1", "2", "3"]
    assert first.doi == "10.1234/ab_c" and first.authors == ("Gu X", "Ávila-Núñez M") and first.year == 2015
    assert first.journal == "J Test" and first.keywords == ("sacrum", "3D printing")
    assert first.abstract == str(records[0].article["text"]).partition("\n")[2]
    assert "100 % {of}" in first.title


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=3))
def test_bibtex_stays_balanced_and_its_keys_apart(tmp_path_factory: pytest.TempPathFactory, titles: list[str]) -> None:
    path = tmp_path_factory.mktemp("bib") / "a.bib"
    cases = [
        evidence_of(Extraction(Article(f"x {title}#{n}", title=title, authors=(title,)), (), (Case(1),)))
        for n, title in enumerate(titles)
    ]
    assert write_bibtex(cases, path) == len(titles)
    text = path.read_text(encoding="utf-8")
    depth = 0
    for letter in re.sub(r"\\[&%$#_]", "", text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        assert 0 <= depth <= 4
        assert letter not in "%$&#^~" or depth == 0
    assert depth == 0
    keys = re.findall(r"^@article\{([^,\s]+),$", text, re.MULTILINE)
    assert len(set(keys)) == len(titles)


def test_bibtex_of_a_plain_article(records: list[Evidence], tmp_path: Path) -> None:
    write_bibtex(records, tmp_path / "a.bib")
    text = (tmp_path / "a.bib").read_text(encoding="utf-8")
    assert "author = {Gu X and Ávila-Núñez M}," in text and "doi = {10.1234/ab_c}," in text
    assert r"100 \% {\textbraceleft}of{\textbraceright} {\textbackslash}cite" in text


def test_studies_have_the_heads_of_revman(records: list[Evidence], tmp_path: Path) -> None:
    assert write_studies(records, tmp_path / "s.csv") == 3
    first, second, third = table(tmp_path / "s.csv")
    assert [row["Study ID"] for row in (first, second, third)] == ["Gu 2015a", "Gu 2015b", "PMID 3"]
    assert first["Participants"] == "Age: 40 years; Sex: female; Diagnosis: osteosarcoma; Site: sacrum"
    assert first["Interventions"] == "Procedure: hemisacrectomy; Implant: plate"
    assert first["Outcomes"].startswith(
        "Complication: no infection; Recurrence: no local recurrence; Follow-up: 12 months"
    )
    assert first["Methods"] == "case report"


def test_checklists_answer_from_the_fields(records: list[Evidence], tmp_path: Path) -> None:
    assert write_checklists(records, tmp_path / "c.csv") == 3
    first, _, third = table(tmp_path / "c.csv")
    assert first["jbi_1"] == first["care_5a"] == "reported" and third["jbi_1"] == "not reported"
    assert first["jbi_7"] == "reported" and first["jbi_4"] == "not reported"
    assert first["care_10b"] == "reported" and third["care_10b"] == "not reported"
    assert {item.column for item in items()} <= set(first)


def test_bioc_is_read_by_others(records: list[Evidence], tmp_path: Path) -> None:
    assert write_bioc(records, tmp_path / "a.json") == 4
    collection = biocjson.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [document.id for document in collection.documents] == ["pmid:1", "pmid:2", "pmid:3", "pmid:5"]
    for document, evidence in zip(collection.documents, records, strict=True):
        notes = [note for passage in document.passages for note in passage.annotations]
        assert len(notes) == len(evidence.findings)
        for passage in document.passages:
            for note in passage.annotations:
                (place,) = note.locations
                start = place.offset - passage.offset
                assert passage.text[start : start + place.length] == note.text
    denied = next(
        note for note in collection.documents[0].passages[1].annotations if note.infons["type"] == "complication"
    )
    assert (
        denied.infons["assertion"] == "absent"
        and denied.infons["case"] == "1"
        and denied.text == "Infection was denied"
    )
    loaded = list(bioc_loader.read([tmp_path / "a.json"]))
    assert sum(len(document.annotations) for document in loaded) == sum(len(each.findings) for each in records)


@given(
    st.text(max_size=10),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=20)), max_size=4),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=20)), max_size=2),
)
def test_passages_make_up_the_text(title: str, abstract: list[Any], body: list[Any]) -> None:
    article = Article.build(title=title, abstract=abstract, body=body, pmid="1")
    row = article_row(Extraction(article), english=True)
    stretches = list(passages_of(row))
    at = 0
    for _, _, start, end in stretches:
        assert not article.text[at:start].strip("\n") and start <= end
        at = end
    assert not article.text[at:].strip("\n")


def test_brat_is_read_back(records: list[Evidence], tmp_path: Path) -> None:
    assert write_brat(records, tmp_path / "brat") == 4
    documents = {document.article.article_id: document for document in brat_loader.read([tmp_path / "brat"])}
    assert len(documents) == 4
    words = {
        (note.label, " ".join(document.article.text[start:end] for start, end in note.fragments))
        for document in documents.values()
        for note in document.annotations
    }
    assert {("procedure", "hemisacrectomy"), ("complication", "Infection was denied")} <= words
    lines = (tmp_path / "brat" / "1.ann").read_text(encoding="utf-8").splitlines()
    assert any(re.fullmatch(r"A\d+\tAssertion T\d+ absent", line) for line in lines)
    assert "complication" in (tmp_path / "brat" / "annotation.conf").read_text().splitlines()


def test_brat_breaks_words_at_a_line_break(tmp_path: Path) -> None:
    finding = Finding("symptom", "back pain", "back\npain", 2, 11)
    article = Article("x", abstract="A back\npain")
    write_brat([evidence_of(Extraction(article, (), (Case(1, findings=(finding,)),)))], tmp_path)
    (path,) = tmp_path.glob("*.ann")
    assert path.read_text().splitlines()[0] == "T1\tsymptom 2 6;7 11\tback pain"


def test_phenopackets_fit_their_schema(make_case: MakeCase, tmp_path: Path) -> None:
    words = "osteosarcoma"
    given = (
        ("symptom", "pain", words, "present"),
        ("symptom", "fever", words, "absent"),
        ("symptom", "cough", words, "possible"),
        ("metastasis", "lung", words, "absent"),
        ("comorbidity", "gout", words, "historical"),
        ("therapy", "cisplatin", words, "present"),
        ("therapy", "radiotherapy", words, "present"),
        ("vital_status", "alive", words, "present"),
        ("complication", "any", words, "absent"),
    )
    case = evidence_of(make_case(9, age=0.5, recurrence="absent", follow_up=12, findings=given))
    cohort = evidence_of(make_case(8, kind="cohort"))
    assert write_phenopackets([case, cohort], tmp_path, created=WHEN) == 1
    (path,) = tmp_path.iterdir()
    packet = Parse(path.read_text(encoding="utf-8"), Phenopacket())
    assert packet.id == "pmid:9/1" and packet.subject.sex == Sex.Value("FEMALE")
    assert packet.subject.time_at_last_encounter.age.iso8601duration == "P6M"
    assert [(each.term.id, each.excluded) for each in packet.diseases] == [
        ("ICDO3:9180/3", False), ("CASEFRAME:comorbidity_gout", False),
    ]  # fmt: skip
    assert packet.diseases[0].primary_site.label == "sacrum"
    features = {each.type.label: each for each in packet.phenotypic_features}
    assert {label for label, each in features.items() if each.excluded} == {
        "fever", "metastasis", "infection", "local recurrence", "any complication",
    }  # fmt: skip
    assert "pain" in features and "cough" not in features
    assert [each.label for each in features["metastasis"].modifiers] == ["lung"]
    assert features["pain"].evidence[0].reference.id == "PMID:9"
    actions = [each.WhichOneof("action") for each in packet.medical_actions]
    assert actions.count("treatment") == 1 and actions.count("procedure") == 2
    prefixes = {resource.namespace_prefix for resource in packet.meta_data.resources}
    used = set(re.findall(r'"id": "([A-Z0-9]+):', path.read_text())) - {"PMID"}
    assert used == prefixes and packet.meta_data.phenopacket_schema_version == "2.0"
    assert packet.meta_data.created.ToDatetime(UTC) == WHEN


@given(st.floats(0, 120))
def test_ages_are_iso_8601(years: float) -> None:
    match = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", iso_age(years))
    assert match and any(match.groups())
    whole, months, days = (int(part or 0) for part in match.groups())
    assert months < 12 and abs(whole + months / 12 + days / 365.25 - years) <= 1 / 24 + 1e-9


def test_without_their_package_the_cure_is_told(
    records: list[Evidence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "phenopackets.schema", None)
    with pytest.raises(OutputError, match=re.escape("caseframe[phenopackets]")):
        phenopackets.write_phenopackets(records, tmp_path)


@example(["-:0"])
@given(st.lists(st.text(max_size=30) | st.from_regex(r"pmid:\d{1,4}(/\d)?", fullmatch=True), unique=True, max_size=8))
def test_file_names_are_apart_and_plain(identifiers: list[str]) -> None:
    stems = [file_stem(each) for each in identifiers]
    assert len({stem.lower() for stem in stems}) == len(stems)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", stem, re.ASCII) and len(stem) < 100 for stem in stems)


def test_formats_are_named_once_or_all() -> None:
    assert export_formats(["ris, bibtex", "RIS"]) == ("ris", "bibtex")
    assert export_formats(None) == tuple(EXPORTS)
    assert export_formats(["csv"], also=("csv",)) == ("csv",)
    with pytest.raises(ConfigError, match="no export format 'doc'"):
        export_formats(["doc"])


def test_nothing_is_replaced_unasked(records: list[Evidence], tmp_path: Path) -> None:
    made = write_exports(records, tmp_path, ("ris", "brat"))
    assert made == {tmp_path / "articles.ris": (3, "references"), tmp_path / "brat": (4, "articles")}
    (tmp_path / "brat" / "old.ann").write_text("")
    with pytest.raises(OutputExists, match="--overwrite"):
        write_exports(records, tmp_path, ("bibtex", "brat"))
    assert not (tmp_path / "articles.bib").exists()
    write_exports(records, tmp_path, ("brat",), overwrite=True)
    assert not (tmp_path / "brat" / "old.ann").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Give a folder"):
        write_exports(records, tmp_path / "file", ("ris",))


def test_the_command(tmp_path: Path, write_run: WriteRun, make_case: MakeCase) -> None:
    write_run(tmp_path / "run", [make_case(n) for n in range(3)])

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from caseframe.cli import main; main()"
        command = [sys.executable, "-W", "ignore", "-c", code, "export", str(tmp_path / "run"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = call("--format", "ris,revman", "--format", "checklist")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "run" / "exports").iterdir()} == {
        "articles.ris", "studies.csv", "checklists.csv",
    }  # fmt: skip
    assert "articles.ris: 3 references" in done.stdout
    again = call("--format", "ris")
    assert again.returncode == 1 and "--overwrite" in again.stderr and "Traceback" not in again.stderr
    assert call("--format", "doc").returncode == 1


def test_the_same_run_gives_the_same_bytes(records: list[Evidence], tmp_path: Path) -> None:
    names = [name for name in EXPORTS if name != "phenopackets"]
    for folder in ("a", "b"):
        write_exports(records, tmp_path / folder, names)
    for path in (tmp_path / "a").rglob("*.*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name
    assert json.loads((tmp_path / "a" / "articles.bioc.json").read_text(encoding="utf-8"))["source"] == "CaseFrame"
