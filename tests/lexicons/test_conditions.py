from __future__ import annotations

from collections import defaultdict

import pytest

from caseframe.lexicons import Entry, Lexicon, builtin_lexicon, builtin_paths, read_lexicon, surface_parts

NAMES = ("conditions", "symptoms", "complications", "outcomes")
KINDS = {"disease", "injury", "malformation", "infection", "syndrome", "finding"}


def rows(name: str) -> list[Entry]:
    path = next(path for path in builtin_paths() if path.stem == name)
    return list(read_lexicon(path))


def concepts(name: str) -> set[str]:
    return {entry.term.preferred for entry in rows(name)}


def surface_key(surface: str) -> tuple[str, ...]:
    return tuple(surface_parts(surface.replace("’", "'").replace("'s ", " ")))


@pytest.mark.parametrize(
    ("name", "least"), [("conditions", 1500), ("symptoms", 250), ("complications", 200), ("outcomes", 120)]
)
def test_lexicons_are_of_real_size(name: str, least: int) -> None:
    assert len(concepts(name)) >= least


@pytest.mark.parametrize(
    ("name", "field"),
    [("conditions", "diagnosis"), ("symptoms", "symptom"), ("complications", "complication"), ("outcomes", "outcome")],
)
def test_rows_fill_one_field(name: str, field: str) -> None:
    assert {entry.term.field for entry in rows(name)} == {field}


@pytest.mark.parametrize("field", ["diagnosis", "symptom", "complication", "outcome"])
def test_no_surface_names_two_concepts_of_a_field(field: str) -> None:
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for path in builtin_paths():
        for entry in read_lexicon(path):
            if entry.term.field == field and path.stem in (*NAMES, "tumors"):
                owners[surface_key(entry.surface)].add(entry.term.preferred)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("name", NAMES)
def test_preferred_names_are_canonical(name: str) -> None:
    odd = [term for term in concepts(name) if term != term.lower() or term != term.strip() or "'s" in term]
    assert odd == []


def test_conditions_have_a_kind() -> None:
    for entry in rows("conditions"):
        assert entry.term.attributes["kind"] in KINDS, entry.term


@pytest.mark.parametrize(
    ("surface", "field", "preferred"),
    [
        ("COPD", "diagnosis", "chronic obstructive pulmonary disease"),
        ("Crohn's disease", "diagnosis", "crohn disease"),
        ("Sjögren’s syndrome", "diagnosis", "sjogren syndrome"),
        ("AVN", "diagnosis", "avascular necrosis"),
        ("femoral head osteonecrosis", "diagnosis", "osteonecrosis of the femoral head"),
        ("lower back pain", "symptom", "low back pain"),
        ("swollen knee", "symptom", "knee swelling"),
        ("haematemesis", "symptom", "hematemesis"),
        ("loss of sphincter function", "complication", "sphincter dysfunction"),
        ("CSF leak", "complication", "cerebrospinal fluid leak"),
        ("drop foot", "complication", "foot drop"),
        ("excellent bony fusion", "outcome", "bone fusion"),
        ("walk without support", "outcome", "walking"),
        ("made a full recovery", "outcome", "recovery"),
        ("weight-bearing", "outcome", "full weight bearing"),
    ],
)
def test_synonyms_name_their_concept(surface: str, field: str, preferred: str) -> None:
    found = [term.preferred for term in builtin_lexicon().lookup(surface) if term.field == field]
    assert found == [preferred]


@pytest.mark.parametrize("word", ["uneventful", "uncomplicated", "uneventfully"])
def test_words_that_deny_complications_say_so(word: str) -> None:
    terms = [term for term in builtin_lexicon().lookup(word) if term.field == "complication"]
    assert [(term.attributes["denied"], term.attributes["value"]) for term in terms] == [("yes", "any")]


def test_bad_outcomes_are_marked_poor() -> None:
    outcomes = builtin_lexicon().of_field("outcome")
    for name in ("disease progression", "poor outcome", "residual tumor", "treatment failure"):
        assert outcomes[name].attributes["quality"] == "poor"


@pytest.mark.parametrize("everyday", ["well", "discharge", "map", "constant pain", "had", "us"])
def test_everyday_words_are_no_terms(everyday: str) -> None:
    lexicon = Lexicon(entry for name in (*NAMES, "therapies", "imaging", "measures") for entry in rows(name))
    assert lexicon.lookup(everyday) == []
