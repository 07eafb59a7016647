"""The site lexicon: its size, its consistency, its adjectives and its topography."""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import pytest

from caseframe.lexicons import Entry, Lexicon, read_lexicon, surface_parts


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return list(read_lexicon(Path(str(files("caseframe.lexicons") / "data" / "sites.tsv"))))


@pytest.fixture(scope="module")
def lexicon(entries: list[Entry]) -> Lexicon:
    return Lexicon(entries)


def test_has_the_promised_size(lexicon: Lexicon) -> None:
    terms = lexicon.of_field("site")
    assert len(terms) >= 1000
    assert sum(bool(term.code) for term in terms.values()) >= 700
    assert len(lexicon.terms) == len(terms), "no other field than site"


def test_every_site_has_a_region(lexicon: Lexicon) -> None:
    assert [term.preferred for term in lexicon.terms.values() if not term.attributes.get("region")] == []


def test_a_surface_names_one_site_and_stands_once(entries: list[Entry]) -> None:
    surfaces: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for entry in entries:
        surfaces[tuple(surface_parts(entry.surface))].append(entry.term.preferred)
    assert {surface: names for surface, names in surfaces.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("adjective", "site"),
    [
        ("sacral", "sacrum"), ("femoral", "femur"), ("tibial", "tibia"), ("humeral", "humerus"), ("hepatic", "liver"),
        ("renal", "kidney"), ("pulmonary", "lung"), ("gastric", "stomach"), ("vertebral", "vertebra"),
        ("lumbar", "lumbar spine"), ("thoracic", "thorax"), ("cardiac", "heart"), ("cerebral", "brain"),
        ("pancreatic", "pancreas"), ("splenic", "spleen"), ("prostatic", "prostate"), ("ovarian", "ovary"),
        ("uterine", "uterus"), ("testicular", "testis"), ("mandibular", "mandible"), ("maxillary", "maxilla"),
        ("acetabular", "acetabulum"), ("patellar", "patella"), ("scapular", "scapula"), ("clavicular", "clavicle"),
        ("oesophageal", "esophagus"), ("caecal", "cecum"), ("colonic", "colon"), ("appendiceal", "appendix"),
        ("retroperitoneal", "retroperitoneum"), ("mediastinal", "mediastinum"), ("pelvic", "pelvis"), ("iliac", "ilium"),
    ],
)  # fmt: skip
def test_adjectives_name_their_site(lexicon: Lexicon, adjective: str, site: str) -> None:
    assert [term.preferred for term in lexicon.lookup(adjective)] == [site]


@pytest.mark.parametrize(
    ("surface", "site", "code"),
    [
        ("sacrum", "sacrum", "C41.4"),
        ("distal femur", "distal femur", "C40.2"),
        ("neck of the femur", "femoral neck", "C40.2"),
        ("vertebrae", "vertebra", "C41.2"),
        ("ribs", "rib", "C41.3"),
        ("metacarpals", "metacarpal", "C40.1"),
        ("calcaneus", "calcaneus", "C40.3"),
        ("scapula", "scapula", "C40.0"),
        ("lower jaw", "mandible", "C41.1"),
        ("skull base", "skull base", "C41.0"),
        ("urinary bladder", "bladder", "C67.9"),
        ("head of the pancreas", "head of pancreas", "C25.0"),
        ("ampulla of Vater", "ampulla of vater", "C24.1"),
        ("temporal lobes", "temporal lobe", "C71.2"),
        ("cauda equina", "cauda equina", "C72.1"),
        ("IVC", "inferior vena cava", "C49.4"),
        ("knee joint", "knee", "C76.5"),
        ("sciatic nerve", "sciatic nerve", "C47.2"),
        ("vastus lateralis", "vastus lateralis muscle", "C49.2"),
        ("thyroid", "thyroid gland", "C73.9"),
    ],
)
def test_topography(lexicon: Lexicon, surface: str, site: str, code: str) -> None:
    (term,) = lexicon.lookup(surface)
    assert (term.preferred, term.code) == (site, f"ICDO3:{code}")


def test_words_for_any_tissue_are_marked(lexicon: Lexicon) -> None:
    for surface in ("bone", "soft tissue", "vein", "joint", "lymph node"):
        assert lexicon.lookup(surface)[0].attributes.get("generic") == "yes"
    assert lexicon.lookup("femur")[0].attributes.get("generic") is None


def test_everyday_words_are_no_sites(lexicon: Lexicon) -> None:
    for word in ("blood", "digital", "vascular", "systemic", "portal", "axis", "molar", "cervical"):
        assert lexicon.lookup(word) == []
