"""Scores of typed spans: cases worked out by hand, and laws that hold for any spans."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import EvaluationError
from caseframe.evaluation.records import SPAN_MODES, ArticleScore, Counts, Span, SpanDocument
from caseframe.evaluation.spans import score_spans
from caseframe.schema import Article

TEXT = "The ulna broke twice; a plate and five screws held it. Then the radius ached."
ARTICLE = Article("pmid:7", title=TEXT)


def spans(*words: str) -> tuple[Span, ...]:
    """Spans written as "type start end" or "type start end confidence"."""
    parts = [word.split() for word in words]
    return tuple(Span(name, int(start), int(end), *map(float, rest)) for name, start, end, *rest in parts)


def score(gold: tuple[Span, ...], found: tuple[Span, ...]) -> ArticleScore:
    return score_spans(SpanDocument(ARTICLE, gold), found)


def plain(counts: Counts) -> tuple[int, int, int]:
    return counts.matched, counts.predicted, counts.gold


def micro(result: ArticleScore, mode: str) -> Counts:
    return sum((counts for (_, name), counts in result.counts.items() if name == mode), Counts())


def causes(result: ArticleScore) -> list[str]:
    return [item.cause for item in result.items]


# Each case: gold, predictions, and (matched, predicted, gold) over all types: overlap, strict, type, boundary.
CASES = {
    "nothing on either side": ([], [], (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0)),
    "the very span": (["A 4 8"], ["A 4 8"], (1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    "gold alone": (["A 4 8"], [], (0, 0, 1), (0, 0, 1), (0, 0, 1), (0, 0, 1)),
    "a prediction alone": ([], ["A 4 8"], (0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0)),
    "one character shared": (["A 4 8"], ["A 7 12"], (1, 1, 1), (0, 1, 1), (1, 1, 1), (0, 1, 1)),
    "spans that touch share nothing": (["A 4 8"], ["A 8 12"], (0, 1, 1), (0, 1, 1), (0, 1, 1), (0, 1, 1)),
    "another type in the same place": (["A 4 8"], ["B 4 8"], (0, 1, 1), (0, 1, 1), (0, 1, 1), (1, 1, 1)),
    "another type, other boundaries": (["A 4 8"], ["B 4 9"], (0, 1, 1), (0, 1, 1), (0, 1, 1), (0, 1, 1)),
    "a prediction told twice": (["A 4 8"], ["A 4 8", "A 4 8"], (1, 2, 1), (1, 2, 1), (1, 2, 1), (1, 2, 1)),
    "gold told twice": (["A 4 8", "A 4 8"], ["A 4 8"], (1, 1, 2), (1, 1, 2), (1, 1, 2), (1, 1, 2)),
    "both told twice": (["A 4 8"] * 2, ["A 4 8"] * 2, (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2)),
    "the rough prediction comes before the right one": (
        ["A 0 9"],
        ["A 0 4", "A 0 9"],
        *[(1, 2, 1)] * 4,
    ),
    "another type in the same place comes first": (["B 0 9"], ["A 0 9", "B 0 9"], *[(1, 2, 1)] * 4),
    "one prediction over two gold spans takes one": (
        ["A 0 4", "A 6 9"],
        ["A 0 9"],
        (1, 1, 2),
        (0, 1, 2),
        (1, 1, 2),
        (0, 1, 2),
    ),
    "two predictions in one gold span: one takes it": (
        ["A 0 9"],
        ["A 0 4", "A 6 9"],
        (1, 2, 1),
        (0, 2, 1),
        (1, 2, 1),
        (0, 2, 1),
    ),
    "a greedy scorer finds one pair, there are two": (
        ["A 0 5", "A 6 20"],
        ["A 4 7", "A 0 3"],
        (2, 2, 2),
        (0, 2, 2),
        (2, 2, 2),
        (0, 2, 2),
    ),
    "types swapped in two places": (
        ["A 0 5", "B 10 15"],
        ["B 0 5", "A 10 15"],
        (0, 2, 2),
        (0, 2, 2),
        (0, 2, 2),
        (2, 2, 2),
    ),
    "two types in one place, both found": (["A 0 5", "B 0 5"], ["B 0 5", "A 0 5"], *[(2, 2, 2)] * 4),
    "by words alone the other type is nearer": (
        # The prediction of A shares 1 character with its gold, 8 with the gold of B: type pairs it with B.
        ["A 0 5", "B 4 12"],
        ["A 4 12"],
        (1, 1, 2),
        (0, 1, 2),
        (0, 1, 2),
        (1, 1, 2),
    ),
    "a long span with a short one inside, both right": (["A 0 20", "A 5 8"], ["A 5 8", "A 0 20"], *[(2, 2, 2)] * 4),
}


@pytest.mark.parametrize("name", CASES)
def test_worked_by_hand(name: str) -> None:
    gold, found, *expected = CASES[name]
    result = score(spans(*gold), spans(*found))
    assert dict(zip(SPAN_MODES, expected, strict=True)) == {mode: plain(micro(result, mode)) for mode in SPAN_MODES}


def test_types_of_either_side_are_counted() -> None:
    result = score(spans("A 0 3"), spans("B 30 33"))
    assert {key: plain(counts) for key, counts in result.counts.items()} == {
        **{("A", mode): (0, 0, 1) for mode in SPAN_MODES},
        **{("B", mode): (0, 1, 0) for mode in SPAN_MODES},
    }


def test_right_boundaries_under_a_wrong_type_count_with_the_gold() -> None:
    result = score(spans("A 4 8", "B 30 33"), spans("B 4 8", "B 30 33", "B 50 55"))
    assert plain(result.counts["A", "boundary"]) == (1, 1, 1)
    assert plain(result.counts["B", "boundary"]) == (1, 2, 1)
    assert plain(result.counts["A", "strict"]) == (0, 0, 1)
    assert plain(result.counts["B", "strict"]) == (1, 3, 1)


def test_pairs_are_those_that_share_most() -> None:
    result = score(spans("A 0 10", "A 8 30"), spans("A 5 28", "A 2 9"))
    assert [(item.gold.start, item.predicted.start) for item in result.items] == [(0, 2), (8, 5)]  # type: ignore[union-attr]


def test_of_two_pairs_the_one_with_the_same_boundaries_is_taken() -> None:
    # The longer prediction shares as much with the gold span as the strict one does.
    result = score(spans("A 4 8"), spans("A 0 20", "A 4 8"))
    assert [(item.matched, item.exact, item.cause) for item in result.items] == [
        (False, False, "duplicate"),
        (True, True, ""),
    ]


def test_of_twins_the_surer_one_is_taken() -> None:
    result = score(spans("A 4 8"), spans("A 4 8 0.3", "A 4 8 0.9", "A 4 8 0.5"))
    assert {item.predicted.confidence: item.matched for item in result.items} == {0.9: True, 0.5: False, 0.3: False}  # type: ignore[union-attr]


def test_more_pairs_go_before_same_boundaries() -> None:
    result = score(spans("A 0 10", "A 9 20"), spans("A 0 10", "A 0 3"))
    assert plain(result.counts["A", "overlap"]) == (2, 2, 2)
    assert plain(result.counts["A", "strict"]) == (1, 2, 2)
    assert plain(result.counts["A", "type"]) == (1, 2, 2)
    assert causes(result) == ["boundary", "boundary"]


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        (["A 4 8"], ["A 4 8"], [""]),
        (["A 4 8"], ["A 0 8"], ["boundary"]),
        (["A 4 8"], ["B 4 8"], ["wrong_field"]),
        (["A 4 8"], ["B 7 20"], ["wrong_field"]),
        (["A 4 8"], [], ["missed_term"]),
        (["A 4 8"], ["A 8 12"], ["missed_term", "spurious"]),
        (["A 4 8"], ["B 8 12"], ["missed_term", "spurious"]),
        (["A 4 8"], ["A 4 8", "A 5 7"], ["", "duplicate"]),
        (["A 4 8"], ["A 4 8", "B 4 8"], ["", "spurious"]),
        (["A 4 8", "B 4 8"], ["A 4 8", "C 4 8"], ["", "wrong_field"]),
        (["A 0 12", "B 10 20"], ["A 0 12", "A 11 20"], ["", "wrong_field"]),
    ],
)
def test_causes(gold: list[str], found: list[str], expected: list[str]) -> None:
    assert causes(score(spans(*gold), spans(*found))) == expected


def test_a_confused_span_is_paired_with_the_prediction_in_its_place() -> None:
    first, second = score(spans("A 4 8"), spans("B 0 9", "C 4 8")).items
    assert (first.cause, first.predicted and first.predicted.type) == ("spurious", "B")
    assert (second.cause, second.predicted and second.predicted.type) == ("wrong_field", "C")


def test_an_item_holds_words_and_sentence() -> None:
    (item,) = score(spans("bone 64 70"), spans("site 60 70 0.4")).items
    assert item.article_id == "pmid:7"
    assert item.gold and (item.gold.value, item.gold.text, item.gold.start, item.gold.end) == (
        "radius",
        "radius",
        64,
        70,
    )
    assert item.predicted and (item.predicted.text, item.predicted.confidence) == ("the radius", 0.4)
    assert (item.sentence, item.sentence_start) == ("Then the radius ached.", 55)


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ("A -1 4", "span -1-4 (A) is empty or outside its text of 77 characters"),
        ("A 4 4", "span 4-4 (A) is empty"),
        ("A 9 4", "span 9-4 (A) is empty"),
        ("A 70 78", "outside its text of 77 characters"),
        ("A 4 8 1.5", "confidence 1.5"),
        ("A 4 8 nan", "confidence nan"),
    ],
)
def test_a_span_that_cannot_be_is_refused(span: str, message: str) -> None:
    for gold, found in (((), spans(span)), (spans(span), ())):
        with pytest.raises(EvaluationError) as caught:
            score(gold, found)
        assert caught.value.message.startswith("pmid:7: ")
        assert message in caught.value.message
        assert caught.value.cure


def any_spans(types: str = "ABC", most: int = 7) -> st.SearchStrategy[tuple[Span, ...]]:
    """Spans within 14 characters, so that they meet often."""
    places = st.tuples(st.integers(0, 13), st.integers(1, 6))
    span = st.builds(lambda name, place: Span(name, place[0], place[0] + place[1]), st.sampled_from(types), places)
    return st.lists(span, max_size=most).map(tuple)


@given(any_spans())
def test_gold_against_itself_is_right(gold: tuple[Span, ...]) -> None:
    result = score(gold, gold)
    for (name, _), counts in result.counts.items():
        size = sum(span.type == name for span in gold)
        assert plain(counts) == (size, size, size)
        assert counts.f1 == 1
    assert all(item.matched and item.exact for item in result.items)


@given(any_spans(), any_spans(), st.randoms())
def test_order_is_of_no_account(gold: tuple[Span, ...], found: tuple[Span, ...], random: object) -> None:
    shuffled_gold, shuffled_found = list(gold), list(found)
    random.shuffle(shuffled_gold)  # type: ignore[attr-defined]
    random.shuffle(shuffled_found)  # type: ignore[attr-defined]
    assert score(tuple(shuffled_gold), tuple(shuffled_found)) == score(gold, found)


@given(any_spans(), any_spans())
def test_the_modes_have_their_order(gold: tuple[Span, ...], found: tuple[Span, ...]) -> None:
    result = score(gold, found)
    strict, type_, overlap = (micro(result, mode).matched for mode in ("strict", "type", "overlap"))
    assert strict <= type_ <= overlap
    assert strict <= micro(result, "boundary").matched
    for name in {key[0] for key in result.counts}:
        assert result.counts[name, "strict"].matched <= result.counts[name, "overlap"].matched


@given(any_spans(), any_spans())
def test_matches_are_never_more_than_either_side(gold: tuple[Span, ...], found: tuple[Span, ...]) -> None:
    result = score(gold, found)
    for counts in result.counts.values():
        assert 0 <= counts.matched <= min(counts.predicted, counts.gold)
    for mode in SPAN_MODES:
        assert (micro(result, mode).predicted, micro(result, mode).gold) == (len(found), len(gold))


@given(any_spans(), any_spans(), st.integers(20, 30))
def test_a_span_beside_all_gold_never_helps(gold: tuple[Span, ...], found: tuple[Span, ...], start: int) -> None:
    before, after = score(gold, found), score(gold, (*found, Span("A", start, start + 2)))
    for mode in SPAN_MODES:
        assert micro(after, mode).precision <= micro(before, mode).precision
        assert micro(after, mode).recall == micro(before, mode).recall


@given(any_spans("AB"), any_spans("ABC"), any_spans("C", most=1))
def test_a_type_that_is_not_in_the_gold_never_helps(
    gold: tuple[Span, ...], found: tuple[Span, ...], wrong: tuple[Span, ...]
) -> None:
    before, after = score(gold, found), score(gold, found + wrong)
    for mode in ("overlap", "strict"):
        assert micro(after, mode).precision <= micro(before, mode).precision
        assert micro(after, mode).matched == micro(before, mode).matched


@given(any_spans(), any_spans())
def test_each_span_is_in_one_item(gold: tuple[Span, ...], found: tuple[Span, ...]) -> None:
    def place(side: object) -> Span:
        return Span(side.type, side.start, side.end)  # type: ignore[attr-defined]

    items = score(gold, found).items
    assert Counter(place(item.gold) for item in items if item.gold) == Counter(gold)
    assert Counter(place(item.predicted) for item in items if item.predicted) == Counter(found)


@given(any_spans(), any_spans())
def test_items_add_up_to_counts(gold: tuple[Span, ...], found: tuple[Span, ...]) -> None:
    result = score(gold, found)
    overlap = micro(result, "overlap")
    assert sum(item.matched for item in result.items) == overlap.matched
    assert sum(item.gold is not None for item in result.items) == overlap.gold
    assert sum(item.predicted is not None for item in result.items) == overlap.predicted
    assert sum(item.exact for item in result.items) <= micro(result, "strict").matched
    for item in result.items:
        assert item.matched == (item.cause in ("", "boundary"))
        assert item.exact == (item.cause == "")
        assert (item.cause in ("missed_term", "duplicate", "spurious")) == (item.gold is None or item.predicted is None)


@given(any_spans(most=5), any_spans(most=5))
def test_no_pairing_has_more_pairs(gold: tuple[Span, ...], found: tuple[Span, ...]) -> None:
    """Against all pairings, one by one."""

    def most(wanted: tuple[Span, ...], given: tuple[Span, ...]) -> int:
        if not wanted:
            return 0
        first, rest = wanted[0], wanted[1:]
        choices = [
            1 + most(rest, given[:i] + given[i + 1 :])
            for i, span in enumerate(given)
            if span.type == first.type and span.start < first.end and first.start < span.end
        ]
        return max([most(rest, given), *choices])

    assert micro(score(gold, found), "overlap").matched == most(gold, found)


def test_far_stretches_do_not_disturb_each_other() -> None:
    near = score(spans("A 0 5"), spans("A 2 9"))
    both = score(spans("A 0 5", "B 40 44"), spans("A 2 9", "B 41 50"))
    assert both.counts["A", "overlap"] == near.counts["A", "overlap"]
    assert plain(both.counts["B", "overlap"]) == (1, 1, 1)


def test_confidence_of_gold_is_of_no_account() -> None:
    gold = spans("A 4 8", "B 20 30")
    unsure = tuple(dataclasses.replace(span, confidence=0.1) for span in gold)
    found = spans("A 4 9", "B 20 30")
    assert score(unsure, found).counts == score(gold, found).counts
