"""Items, attributes and the laws of the field scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.evaluation.fields import score_fields
from caseframe.evaluation.gold import GoldArticle, GoldFinding, read_gold, read_texts
from caseframe.evaluation.records import FIELD_MODES, ArticleScore, Counts, Item, Side, Tally
from caseframe.schema import FIELDS, Article, Attributes, Case, Extraction, Finding

TEXT = "She fell. The plate broke and the plate bent. Pain came without fever. Pain went."
Told = tuple[int, Finding]


def said(field: str, value: str | float, words: str, case: int = 1, nth: int = 0, **more: object) -> Told:
    start = -1
    for _ in range(nth + 1):
        start = TEXT.index(words, start + 1)
    return case, Finding(field, value, words, start, start + len(words), **more)  # type: ignore[arg-type]


def extraction(told: Iterable[Told], text: str = TEXT) -> Extraction:
    told = list(told)
    numbers = dict.fromkeys(case for case, _ in told if case)
    cases = tuple(Case(number, findings=tuple(f for case, f in told if case == number)) for number in numbers)
    return Extraction(Article("a", abstract=text), tuple(f for case, f in told if case == 0), cases)


def score(gold: Sequence[GoldFinding], told: Iterable[Told], known: Sequence[tuple[int, int]] = ()) -> ArticleScore:
    return score_fields(GoldArticle("a", tuple(gold)), extraction(told), known)


def test_an_item_shows_both_sides() -> None:
    gold = GoldFinding("implant", "plate", "plate", "present", Attributes({"material": ("titanium",)}), 1)
    found = said("implant", "bone plate", "the plate", confidence=0.7, attributes=Attributes({"site": "hip"}))
    (item,) = score([gold], [found]).items
    # The gold's words are shown where the prediction's are, not where they stand first.
    assert item.gold == Side("implant", "plate", "plate", 34, 39, "present", 1, 1.0, {"material": ("titanium",)})
    assert item.predicted == Side("implant", "bone plate", "the plate", 30, 39, "present", 1, 0.7, {"site": "hip"})
    assert (item.article_id, item.matched, item.exact, item.cause) == ("a", True, False, "boundary")


def test_an_item_stands_in_its_sentence() -> None:
    gold = [GoldFinding("symptom", "pain", "Pain", case=1), GoldFinding("sex", "female", "", case=1)]
    items = score(gold, [said("symptom", "fever", "fever"), said("implant", "plate", "plate")]).items
    assert [(item.sentence, item.sentence_start) for item in items] == [
        ("", 0),  # no words, no sentence
        ("The plate broke and the plate bent.", 10),
        ("Pain came without fever.", 46),
        ("Pain came without fever.", 46),
    ]
    assert all(TEXT.startswith(item.sentence, item.sentence_start) for item in items)


def test_gold_without_words_stands_where_the_prediction_does() -> None:
    (item,) = score([GoldFinding("sex", "female", case=1)], [said("sex", "male", "She")]).items
    assert (item.gold.start, item.gold.end, item.sentence) == (-1, -1, "She fell.")  # type: ignore[union-attr]


def test_a_prediction_without_words_has_no_place() -> None:
    (item,) = score([], [(0, Finding("study_design", "other", "", 0, 0))]).items
    assert item.predicted == Side("study_design", "other", "", -1, -1, "present", 0)


def test_attributes_are_compared_on_matched_pairs_only() -> None:
    ours = Attributes({"material": ("titanium", "peek"), "site": "femur", "brand": "Acme"})
    theirs = Attributes({"material": ("PEEK", "titanium"), "site": "tibia", "fixation": ("cemented",)})
    gold = [
        GoldFinding("implant", "plate", "plate", attributes=ours, case=1),
        GoldFinding("implant", "nail", "bent", attributes=ours, case=1),
    ]
    assert score(gold, [said("implant", "plate", "plate", attributes=theirs)]).attributes == {
        ("implant", "assertion"): Tally(right=1),
        ("implant", "material"): Tally(right=1),
        ("implant", "site"): Tally(wrong=1),
        ("implant", "brand"): Tally(missing=1),
        ("implant", "fixation"): Tally(spurious=1),
    }


def test_the_time_of_a_prediction_is_an_attribute_where_the_field_has_it() -> None:
    gold = [
        GoldFinding("outcome", "pain", "Pain", attributes=Attributes({"when_days": 100}), case=1),
        GoldFinding("symptom", "fever", "fever", case=1),
    ]
    told = [said("outcome", "pain", "Pain", when_days=100.5), said("symptom", "fever", "fever", when_days=3.0)]
    found = score(gold, told)
    assert found.attributes["outcome", "when_days"] == Tally(right=1)
    assert {name for field, name in found.attributes if field == "symptom"} == {"assertion"}
    assert [dict(item.predicted.attributes) for item in found.items] == [{"when_days": 100.5}, {}]  # type: ignore[union-attr]


def test_assertions_are_told_of_pairs_that_agree_in_all_else() -> None:
    gold = [
        GoldFinding("symptom", "pain", "Pain", case=1),
        GoldFinding("symptom", "fever", "without fever", "absent", case=1),
        GoldFinding("symptom", "cough", "", case=1),
    ]
    told = [said("symptom", "pain", "Pain"), said("symptom", "fever", "fever")]
    found = score(gold, told)
    assert found.attributes["symptom", "assertion"] == Tally(right=1, wrong=1)
    (wrong,) = (item for item in found.items if item.cause == "wrong_assertion")
    assert wrong.gold is not None and wrong.predicted is not None and not wrong.matched
    assert (wrong.gold.assertion, wrong.predicted.assertion) == ("absent", "present")


def test_overlapping_words_decide_between_equals() -> None:
    gold = [GoldFinding("symptom", "knee pain", case=1), GoldFinding("symptom", "hip pain", "Pain came", case=1)]
    told = [said("symptom", "rib pain", "Pain came"), said("symptom", "rib pain", "Pain went")]
    partners = {item.gold.value: item.predicted.text for item in score(gold, told).items}  # type: ignore[union-attr]
    assert partners == {"hip pain": "Pain came", "knee pain": "Pain went"}


def test_agreeing_attributes_decide_between_equals() -> None:
    def made_of(material: str) -> Attributes:
        return Attributes({"material": (material,)})

    gold = [GoldFinding("implant", "plate", "plate", attributes=made_of(name), case=1) for name in ("steel", "peek")]
    for first, second in (("steel", "peek"), ("peek", "steel")):
        told = [
            said("implant", "plate", "plate", attributes=made_of(first)),
            said("implant", "plate", "plate", nth=1, attributes=made_of(second)),
        ]
        assert score(gold, told).attributes["implant", "material"] == Tally(right=2)


def test_patients_who_share_equally_much_keep_their_numbers() -> None:
    gold = [GoldFinding("symptom", "pain", "Pain", case=case) for case in (1, 2)]
    told = [said("symptom", "pain", "Pain", case=case) for case in (2, 3)]
    partners = {item.gold.case: item.predicted.case for item in score(gold, told).items}  # type: ignore[union-attr]
    assert partners == {1: 3, 2: 2}


def test_known_words_tell_left_out_from_missed() -> None:
    gold = [GoldFinding("symptom", "pain", "Pain", case=1), GoldFinding("symptom", "fever", "fever", case=1)]
    start = TEXT.index("fever")
    assert [item.cause for item in score(gold, [], [(start, start + 5)]).items] == ["missed_term", "left_out"]


# The laws, on articles of a few words in which values, words and cases collide on purpose.

WORDS = ("plate", "the plate", "Pain", "without fever", "fever", "")
VALUES = ("pain", "knee pain", "fever", "plate", "bone plate", "x")
TERMS = ("symptom", "complication", "implant", "outcome")


@st.composite
def gold_findings(draw: st.DrawFn) -> GoldFinding:
    case = draw(st.integers(1, 2))
    if draw(st.booleans()):
        return GoldFinding(draw(st.sampled_from(("age", "follow_up"))), draw(st.integers(1, 3)), case=case)
    field = draw(st.sampled_from(TERMS))
    names = [name for name in ("material", "when_days", "quality") if name in FIELDS[field].attributes]
    values = {"material": ("titanium",), "when_days": 7, "quality": "good"}
    attributes = Attributes({name: values[name] for name in names if draw(st.booleans())})
    assertion = draw(st.sampled_from(("present", "absent")))
    words = draw(st.sampled_from(WORDS))
    return GoldFinding(field, draw(st.sampled_from(VALUES)), words, assertion, attributes, case)  # type: ignore[arg-type]


def as_predicted(gold: GoldFinding, text: str = TEXT) -> Told:
    """What a system says that finds just this."""
    attributes = dict(gold.attributes)
    when = attributes.pop("when_days", None)
    start = text.index(gold.text)
    found = Finding(
        gold.field,
        gold.value,
        gold.text,
        start,
        start + len(gold.text),
        gold.assertion,
        when_days=when,  # type: ignore[arg-type]
        attributes=Attributes(attributes),
    )
    return gold.case, found


GOLD = st.lists(gold_findings(), max_size=6)
TOLD = st.lists(gold_findings().map(as_predicted), max_size=6)


def summed(found: ArticleScore, mode: str) -> Counts:
    return sum((counts for (_, each), counts in found.counts.items() if each == mode), Counts())


@given(GOLD)
def test_gold_against_itself_is_right_in_all(gold: list[GoldFinding]) -> None:
    found = score(gold, map(as_predicted, gold))
    assert all(summed(found, mode).f1 == (1 if gold else 0) for mode in FIELD_MODES)
    assert all(item.matched and item.exact and not item.cause for item in found.items)
    assert all(tally == Tally(right=tally.right) for tally in found.attributes.values())


@given(GOLD, TOLD, st.randoms(use_true_random=False))
def test_order_makes_no_difference(gold: list[GoldFinding], told: list[Told], random: Random) -> None:
    before = score(gold, told)
    random.shuffle(gold)
    random.shuffle(told)  # cases come in the order of their first finding
    assert score(gold, told) == before


@given(GOLD, TOLD)
def test_a_wrong_finding_never_raises_precision(gold: list[GoldFinding], told: list[Told]) -> None:
    wrong = said("symptom", "nothing of the kind zzz", "fell")
    before, after = score(gold, told), score(gold, [*told, wrong])
    for mode in FIELD_MODES:
        assert summed(after, mode).precision <= summed(before, mode).precision
        assert summed(after, mode).matched == summed(before, mode).matched


@given(GOLD, TOLD, st.data())
def test_a_right_finding_never_lowers_recall(gold: list[GoldFinding], told: list[Told], data: st.DataObject) -> None:
    if not gold:
        return
    right = as_predicted(data.draw(st.sampled_from(gold)))
    before, after = score(gold, told), score(gold, [*told, right])
    for mode in FIELD_MODES:
        assert summed(after, mode).recall >= summed(before, mode).recall


def shown(item_side: Side) -> tuple[object, ...]:
    return item_side.type, item_side.value, item_side.text, item_side.assertion, item_side.case


def sides(items: Iterable[Item], name: str) -> Counter[tuple[object, ...]]:
    return Counter(shown(side) for item in items if (side := getattr(item, name)) is not None)


@given(GOLD, TOLD)
def test_every_finding_is_in_one_item_and_items_agree_with_counts(gold: list[GoldFinding], told: list[Told]) -> None:
    found = score(gold, told)
    assert sides(found.items, "gold") == Counter((g.field, g.value, g.text, g.assertion, g.case) for g in gold)
    assert sides(found.items, "predicted") == Counter((f.field, f.value, f.text, f.assertion, case) for case, f in told)
    relaxed, exact = summed(found, "relaxed"), summed(found, "exact")
    assert (relaxed.gold, relaxed.predicted) == (exact.gold, exact.predicted) == (len(gold), len(told))
    assert sum(item.matched for item in found.items) == relaxed.matched
    assert sum(item.exact for item in found.items) <= exact.matched <= relaxed.matched
    for item in found.items:
        assert not item.exact or item.matched
        assert item.cause or (item.matched and item.exact)
        assert item.cause in ("", "wrong_patient") or not item.exact
        assert item.gold is not None or item.predicted is not None


@given(GOLD, TOLD)
def test_renumbered_patients_are_the_same_patients(gold: list[GoldFinding], told: list[Told]) -> None:
    if len({case for case, _ in told}) < 2 or len({g.case for g in gold}) < 2:
        return
    before = score(gold, told)
    after = score([replace(g, case=3 - g.case) for g in gold], [(3 - case, f) for case, f in told])
    assert after.counts == before.counts


@pytest.mark.data
def test_genuine_gold_against_itself(data_dir: Path) -> None:
    folder = data_dir / "casefields_dev"
    texts = {article.article_id: article for article in read_texts(folder / "texts.jsonl")}
    for gold in read_gold(folder / "gold.jsonl"):
        text = texts[gold.article_id].text
        found = score_fields(gold, extraction([as_predicted(each, text) for each in gold.findings], text))
        assert all(item.exact and not item.cause for item in found.items), gold.article_id
