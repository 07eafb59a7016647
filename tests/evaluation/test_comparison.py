"""Two evaluations side by side: rows of differences, newly right and newly wrong items, evaluations that do not fit."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import EvaluationError
from caseframe.evaluation.comparison import ComparedRow, Comparison, compare
from caseframe.evaluation.records import FIELD_MODES, SPAN_MODES, ArticleScore, Counts, Item, Side, Span, SpanDocument
from caseframe.evaluation.spans import score_spans
from caseframe.schema import Article

TEXT = "The femur broke and the femur healed; the tibia never broke at all."
FEMUR, SECOND_FEMUR, TIBIA = Span("bone", 4, 9), Span("bone", 24, 29), Span("bone", 42, 47)
BROKE, HEALED, NEVER = Span("event", 10, 15), Span("event", 30, 36), Span("event", 48, 53)
GOLD = (FEMUR, SECOND_FEMUR, BROKE, HEALED)


def scored(*predictions: Sequence[Span], gold: Sequence[Span] = GOLD, start: int = 1) -> list[ArticleScore]:
    """One article for each list of predictions, all with the same gold."""
    return [
        score_spans(SpanDocument(Article(f"pmid:{number}", title=TEXT), tuple(gold)), found)
        for number, found in enumerate(predictions, start)
    ]


def compared(a: Sequence[ArticleScore], b: Sequence[ArticleScore], **settings: int) -> Comparison:
    return compare(a, b, SPAN_MODES, ["bone", "event"], **{"resamples": 100, "rounds": 99, **settings})


def row(comparison: Comparison, type_: str, mode: str = "overlap") -> ComparedRow:
    (found,) = [each for each in comparison.rows if (each.type, each.mode) == (type_, mode)]
    return found


def words(items: Sequence[Item]) -> list[tuple[str, int | None, int | None]]:
    """Article, start of the gold, start of the prediction."""
    return [(i.article_id, i.gold.start if i.gold else None, i.predicted.start if i.predicted else None) for i in items]


def test_a_row_for_micro_macro_and_each_type_in_each_mode() -> None:
    rows = compared(scored([FEMUR]), scored([FEMUR])).rows
    assert [(each.type, each.mode) for each in rows] == [
        (type_, mode) for mode in SPAN_MODES for type_ in ("micro", "macro", "bone", "event")
    ]


def test_scores_and_differences() -> None:
    # a: 1 of 2 bones with 1 prediction, nothing else. b: both bones, 1 of 2 events with 2 predictions.
    found = compared(scored([FEMUR]), scored([FEMUR, SECOND_FEMUR, BROKE, NEVER]))
    bone, event, micro, macro = (row(found, name) for name in ("bone", "event", "micro", "macro"))
    assert (bone.a, bone.b, bone.gold) == (pytest.approx(2 / 3), 1, 2)
    assert (event.a, event.b, event.gold) == (0, 0.5, 2)
    assert (micro.a, micro.b, micro.gold) == (pytest.approx(2 / 5), pytest.approx(6 / 8), 4)
    # Events have gold, so that they count for a too.
    assert (macro.a, macro.b, macro.gold) == (pytest.approx(1 / 3), 0.75, 4)
    for each in found.rows:
        assert each.difference == pytest.approx(each.b - each.a)
        assert each.low <= each.difference <= each.high


def test_a_system_that_is_better_in_every_article() -> None:
    found = compared(scored(*[[FEMUR]] * 12), scored(*[[FEMUR, SECOND_FEMUR]] * 12), resamples=1000, rounds=999)
    bone, event = row(found, "bone"), row(found, "event")
    assert found.articles == 12
    assert (bone.low, bone.high) == pytest.approx((1 / 3, 1 / 3))
    assert bone.p_bootstrap == 2 / 1001
    assert bone.p_randomisation <= 0.005
    # Sixteen rows: only the correction by their number differs.
    assert bone.p_randomisation * 8 <= bone.p_holm <= bone.p_randomisation * 16
    assert (event.difference, event.p_bootstrap, event.p_randomisation, event.p_holm) == (0, 1, 1, 1)


def test_the_same_results_do_not_differ() -> None:
    a = scored([FEMUR, NEVER], [BROKE], [])
    found = compared(a, a)
    assert found.newly_right == found.newly_wrong == ()
    assert all((each.difference, each.p_bootstrap, each.p_randomisation) == (0, 1, 1) for each in found.rows)


def test_newly_right_and_newly_wrong() -> None:
    a = scored([FEMUR, HEALED, TIBIA], [])
    b = scored([SECOND_FEMUR, HEALED, TIBIA, NEVER], [BROKE])
    found = compared(a, b)
    assert words(found.newly_right) == [("pmid:1", 24, 24), ("pmid:2", 10, 10)]
    # One femur is lost, one event is made up; the tibia was made up before.
    assert words(found.newly_wrong) == [("pmid:1", 4, None), ("pmid:1", None, 48)]
    assert [item.cause for item in found.newly_wrong] == ["missed_term", "spurious"]


def test_a_confusion_that_loses_gold_is_told_once() -> None:
    found = compared(scored([FEMUR]), scored([dataclasses.replace(FEMUR, type="event")]))
    (item,) = found.newly_wrong
    assert item.cause == "wrong_field"


def test_a_new_false_prediction_on_gold_that_was_missed_before() -> None:
    found = compared(scored([]), scored([dataclasses.replace(FEMUR, type="event")]))
    assert words(found.newly_wrong) == [("pmid:1", 4, 4)]
    assert compared(scored([dataclasses.replace(FEMUR, type="event")]), scored([])).newly_wrong == ()


def test_a_prediction_told_twice_is_newly_wrong_once() -> None:
    found = compared(scored([FEMUR, TIBIA]), scored([FEMUR, FEMUR, TIBIA, TIBIA]))
    assert [(item.cause, item.predicted and item.predicted.text) for item in found.newly_wrong] == [
        ("duplicate", "femur"),
        ("spurious", "tibia"),
    ]


def test_only_shared_articles_are_compared_and_the_others_named() -> None:
    a = scored([FEMUR], [], [FEMUR])
    b = scored([BROKE], [FEMUR], [HEALED], start=2)
    found = compared(a, b)
    assert (found.articles, found.only_a, found.only_b) == (2, ("pmid:1",), ("pmid:4",))
    assert row(found, "micro").gold == 8
    assert {item.article_id for item in found.newly_right + found.newly_wrong} <= {"pmid:2", "pmid:3"}


def test_the_order_of_articles_is_of_no_account() -> None:
    a, b = scored([FEMUR], [BROKE], []), scored([FEMUR, HEALED], [], [NEVER])
    assert compared(a, b[::-1]) == compared(a, b)


def test_types_that_are_not_asked_for_are_left_out() -> None:
    found = compare(scored([]), scored([FEMUR, BROKE]), ["strict"], ["event"], resamples=100, rounds=99)
    assert [each.type for each in found.rows] == ["micro", "macro", "event"]
    assert words(found.newly_right) == [("pmid:1", 10, 10)]


def finding(value: str, start: int = -1, **other: object) -> Side:
    return Side("symptom", value, value, start, start, **{"assertion": "present", "case": 1, **other})  # type: ignore[arg-type]


def fields(gold: Sequence[Side], *items: Item) -> list[ArticleScore]:
    """An article of fields, made of items; gold that no item holds is missed."""
    held = Counter(item.gold.text for item in items if item.gold)
    rest = [side for side in gold if not held[side.text]]
    everything = (*items, *(Item("pmid:1", side, None, cause="missed_term") for side in rest))
    counts = Counts(
        sum(item.matched for item in items),
        sum(item.predicted is not None for item in items),
        len(gold),
    )
    return [ArticleScore("pmid:1", {("symptom", mode): counts for mode in FIELD_MODES}, everything)]


def compared_fields(a: Sequence[ArticleScore], b: Sequence[ArticleScore]) -> Comparison:
    return compare(a, b, FIELD_MODES, ["symptom"], resamples=100, rounds=99)


def test_false_findings_of_fields_are_the_same_wherever_they_stand() -> None:
    gold = [finding("cough")]
    a = fields(gold, Item("pmid:1", None, finding("fever", 5), cause="spurious"))
    b = fields(gold, Item("pmid:1", None, finding("fever", 90), cause="spurious"))
    assert compared_fields(a, b).newly_wrong == ()


@pytest.mark.parametrize("change", [{"assertion": "absent"}, {"case": 2}])
def test_false_findings_differ_by_assertion_and_patient(change: dict[str, object]) -> None:
    gold = [finding("cough")]
    a = fields(gold, Item("pmid:1", None, finding("fever"), cause="spurious"))
    b = fields(gold, Item("pmid:1", None, finding("fever", **change), cause="spurious"))
    assert len(compared_fields(a, b).newly_wrong) == 1


def test_findings_of_fields_that_are_newly_right() -> None:
    gold = [finding("cough"), finding("pallor")]
    a = fields(gold, Item("pmid:1", gold[0], finding("cough", 4), matched=True, exact=True))
    b = fields(gold, *(Item("pmid:1", side, finding(side.text, 4), matched=True, exact=True) for side in gold))
    found = compared_fields(a, b)
    assert [item.gold and item.gold.text for item in found.newly_right] == ["pallor"]
    assert compared_fields(b, a).newly_right == ()
    assert [item.cause for item in compared_fields(b, a).newly_wrong] == ["missed_term"]


def test_evaluations_without_a_shared_article_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"share no article \(1 and 2 articles\)") as caught:
        compared(scored([]), scored([], [], start=2))
    assert caught.value.cure
    with pytest.raises(EvaluationError, match="share no article"):
        compared([], [])


def test_an_article_with_another_gold_is_refused() -> None:
    with pytest.raises(EvaluationError, match="article pmid:1 has another gold") as caught:
        compared(scored([]), scored([], gold=[FEMUR]))
    assert caught.value.cure
    # As many gold spans, but other words.
    with pytest.raises(EvaluationError, match="another gold"):
        compared(scored([]), scored([], gold=[FEMUR, TIBIA, BROKE, HEALED]))


def test_an_article_that_comes_twice_is_refused() -> None:
    with pytest.raises(EvaluationError, match="the second evaluation has article pmid:1 twice"):
        compared(scored([]), [*scored([]), *scored([])])


SPANS = (*GOLD, TIBIA, NEVER, Span("event", 4, 9), Span("bone", 0, 9))


def systems() -> st.SearchStrategy[list[ArticleScore]]:
    article = st.lists(st.sampled_from(SPANS), max_size=6)
    return st.lists(article, min_size=2, max_size=2).map(lambda found: scored(*found))


def found_and_false(scores: Sequence[ArticleScore]) -> tuple[int, int]:
    items = [item for score in scores for item in score.items]
    return sum(item.matched for item in items), sum(not item.matched and item.predicted is not None for item in items)


def places(items: Sequence[Item]) -> set[tuple[str, str, int]]:
    return {(item.article_id, item.gold.type, item.gold.start) for item in items if item.gold}


@given(systems(), systems())
def test_the_way_there_and_the_way_back(a: list[ArticleScore], b: list[ArticleScore]) -> None:
    there, back = compared(a, b, resamples=20, rounds=20), compared(b, a, resamples=20, rounds=20)
    assert [each.difference for each in there.rows] == [-each.difference for each in back.rows]
    assert [each.p_randomisation for each in there.rows] == [each.p_randomisation for each in back.rows]
    # What is newly right one way is lost the other way.
    assert places(there.newly_right) <= places(back.newly_wrong)
    assert len(there.newly_right) - len(back.newly_right) == found_and_false(b)[0] - found_and_false(a)[0]


@given(systems(), systems())
def test_changes_are_items_of_the_second_system(a: list[ArticleScore], b: list[ArticleScore]) -> None:
    found = compared(a, b, resamples=20, rounds=20)
    now = Counter(repr(item) for score in b for item in score.items)
    assert not Counter(repr(item) for item in found.newly_right + found.newly_wrong) - now
    assert all(item.matched for item in found.newly_right)
    assert not any(item.matched for item in found.newly_wrong)
