from __future__ import annotations

from collections import defaultdict

import pytest

from caseframe.lexicons import Entry, builtin_lexicon, builtin_paths, read_lexicon, surface_parts
from caseframe.stages.quantities import KINDS


def rows() -> list[Entry]:
    path = next(path for path in builtin_paths() if path.stem == "measures")
    return list(read_lexicon(path))


def test_more_than_60_measures() -> None:
    assert len({entry.term.preferred for entry in rows()}) >= 60


def test_attributes_are_of_the_right_form() -> None:
    for entry in rows():
        attributes = entry.term.attributes
        assert set(attributes) <= {"maximum", "better", "takes", "graded", "everyday"}, entry.term
        assert attributes.get("better", "high") in ("high", "low"), entry.term
        assert float(str(attributes.get("maximum", 1))) > 0, entry.term
        assert set(str(attributes.get("takes", "size")).upper().split(",")) <= {*KINDS, "MILLISECOND"}, entry.term


def test_no_surface_names_two_measures() -> None:
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for entry in rows():
        owners[tuple(surface_parts(entry.surface))].add(entry.term.preferred)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("surface", "preferred", "maximum"),
    [
        ("MSTS score", "msts", "30"),
        ("Toronto Extremity Salvage Score", "toronto", "100"),
        ("visual analogue scale", "vas", "10"),
        ("modified Harris hip score", "harris_hip", "100"),
        ("Glasgow Coma Scale", "glasgow_coma_scale", "15"),
        ("Disabilities of the Arm, Shoulder and Hand", "dash", "100"),
    ],
)
def test_synonyms_name_their_measure(surface: str, preferred: str, maximum: str) -> None:
    terms = [term for term in builtin_lexicon().lookup(surface) if term.field == "measurement"]
    assert [(term.preferred, term.attributes["maximum"]) for term in terms] == [(preferred, maximum)]
