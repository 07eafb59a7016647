"""When gold and predicted findings match, and who goes with whom."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.evaluation.gold import GoldFinding
from caseframe.evaluation.matching import (
    exact,
    head_word,
    matched_pairs,
    occurrences,
    overlaps,
    relaxed,
    same_attribute,
)
from caseframe.schema import FIELDS, AttributeValue, Finding

TEXT = "A man had a plate fracture. The plate was removed; a second plate fracture followed."


def predicted(field: str, value: str | float, words: str, assertion: str = "present", nth: int = 0) -> Finding:
    start = -1
    for _ in range(nth + 1):
        start = TEXT.index(words, start + 1)
    return Finding(field, value, words, start, start + len(words), assertion=assertion)  # type: ignore[arg-type]


def test_exact_folds_spelling_and_number() -> None:
    assert exact(GoldFinding("diagnosis", "giant cell tumor"), Finding("diagnosis", "Giant-cell tumours", "x", 0, 1))
    assert not exact(GoldFinding("diagnosis", "giant cell tumor"), Finding("diagnosis", "tumor", "x", 0, 1))


def test_age_within_half_a_year_and_follow_up_within_one_percent() -> None:
    assert exact(GoldFinding("age", 34), Finding("age", 34.5, "", 0, 0))
    assert not exact(GoldFinding("age", 34), Finding("age", 35, "", 0, 0))
    assert exact(GoldFinding("follow_up", 24), Finding("follow_up", 24.2, "", 0, 0))
    assert not exact(GoldFinding("follow_up", 24), Finding("follow_up", 24.5, "", 0, 0))


def test_nothing_matches_across_fields() -> None:
    gold, found = GoldFinding("complication", "infection", "plate"), predicted("comorbidity", "infection", "plate")
    assert not exact(gold, found) and not relaxed(gold, found, TEXT)


def test_relaxed_takes_any_occurrence_of_the_words() -> None:
    gold = GoldFinding("complication", "implant fracture", "plate fracture")
    assert relaxed(gold, predicted("complication", "breakage", "plate fracture", nth=1), TEXT)
    assert not relaxed(gold, predicted("complication", "breakage", "removed"), TEXT)


def test_relaxed_by_head_word_and_never_across_assertions() -> None:
    gold = GoldFinding("complication", "implant fracture", "")
    assert relaxed(gold, predicted("complication", "plate fracture", "removed"), TEXT)
    assert not relaxed(gold, predicted("complication", "implant fracture", "plate fracture", "absent"), TEXT)


def test_closed_values_must_be_equal_though_spans_overlap() -> None:
    assert not relaxed(GoldFinding("sex", "female", "man"), predicted("sex", "male", "man"), TEXT)


def test_head_word() -> None:
    assert head_word("giant cell tumors of bone") == "tumor"
    assert head_word("fractures") == "fracture"
    assert head_word("") == ""


def test_occurrences_may_overlap_and_no_words_stand_nowhere() -> None:
    assert occurrences("aba", "ababa") == (0, 2)
    assert occurrences("(", "a (b) (c)") == (2, 6)
    assert occurrences("", "abc") == ()


def test_overlap_is_of_half_open_stretches() -> None:
    assert (
        overlaps("plate", TEXT, 16, 17) and not overlaps("plate", TEXT, 17, 18) and not overlaps("plate", TEXT, 0, 12)
    )


@pytest.mark.parametrize(
    ("field", "name", "gold", "said", "same"),
    [
        ("implant", "material", ("titanium", "PEEK"), ("PEEK", "Titanium"), True),
        ("implant", "material", ("titanium",), ("titanium", "PEEK"), False),
        ("implant", "material", ("titanium",), "titanium", True),
        ("implant", "material", ("peek",), ("PEEK",), True),
        ("procedure", "approach", "Posterior", "posterior", True),
        ("procedure", "approach", "posterior", "anterior", False),
        ("symptom", "duration_days", 100, 101, True),
        ("symptom", "duration_days", 100, 101.5, False),
        ("outcome", "when_days", 0, 0.0, True),
        ("outcome", "when_days", 0, 0.1, False),
        ("outcome", "when_days", -100, -99, True),
        ("measurement", "number", "120/80", "120/80", True),
        ("measurement", "number", "120/80", 120, False),
    ],
)
def test_attributes(field: str, name: str, gold: AttributeValue, said: AttributeValue, same: bool) -> None:
    assert same_attribute(FIELDS[field].attributes[name], gold, said) is same


def test_matching_is_maximal() -> None:
    # A greedy matcher would take (0, 0) and leave row 1 without a partner.
    assert matched_pairs([[True, True], [True, False]]) == [(0, 1), (1, 0)]
    assert matched_pairs([]) == [] and matched_pairs([[], []]) == []


def test_preferences_decide_among_maximum_matchings_in_their_order() -> None:
    all_ = [[True, True], [True, True]]
    straight, crossed = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
    assert matched_pairs(all_, straight) == [(0, 0), (1, 1)]
    assert matched_pairs(all_, crossed) == [(0, 1), (1, 0)]
    assert matched_pairs(all_, [[0, 0], [0, 1]], crossed) == [(0, 0), (1, 1)]


def test_no_preference_costs_a_pair() -> None:
    assert matched_pairs([[True, True], [True, False]], [[9, 0], [0, 0]], [[9, 0], [0, 0]]) == [(0, 1), (1, 0)]


def test_a_preference_outside_the_graph_is_not_heard() -> None:
    assert matched_pairs([[True, False], [False, False]], [[0, 9], [9, 9]]) == [(0, 0)]
    assert matched_pairs([[True, True], [False, False]], [[0, 0], [9, 0]], [[1, 0], [0, 0]]) == [(0, 0)]


SMALL = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(st.integers(0, 2), min_size=columns, max_size=columns), min_size=1, max_size=4)
)


@given(SMALL, st.data())
def test_the_best_of_all_matchings_by_brute_force(edges: list[list[int]], data: st.DataObject) -> None:
    def like_edges() -> list[list[int]]:
        row = st.lists(st.integers(0, 3), min_size=len(edges[0]), max_size=len(edges[0]))
        return data.draw(st.lists(row, min_size=len(edges), max_size=len(edges)))

    def worth(pairs: list[tuple[int, int]]) -> tuple[int, int, int]:
        kept = [(r, c) for r, c in pairs if edges[r][c]]
        return len(kept), sum(first[r][c] for r, c in kept), sum(second[r][c] for r, c in kept)

    first, second = like_edges(), like_edges()
    size = max(len(edges), len(edges[0]))
    every = (
        [(r, c) for r, c in enumerate(order) if r < len(edges) and c < len(edges[0])]
        for order in permutations(range(size))
    )
    # Leaving out a pair never helps: preferences are not negative.
    assert worth(matched_pairs(edges, first, second)) == max(worth(pairs) for pairs in every)
