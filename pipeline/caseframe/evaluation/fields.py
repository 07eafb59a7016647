"""Field-level scores of one article: counts, attributes, and every finding of both sides in exactly one item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from caseframe.evaluation.context import sentence_around
from caseframe.evaluation.gold import GoldArticle
from caseframe.evaluation.matching import matched_pairs, occurrences
from caseframe.evaluation.pairing import Pair, Sides, attributes_of, compared, pair_up
from caseframe.evaluation.records import FIELD_MODES, ArticleScore, Counts, Item, Side, Tally
from caseframe.schema import FIELDS, Extraction

RELAXED, EXACT = FIELD_MODES
ASSERTION = "assertion"


def score_fields(gold: GoldArticle, extraction: Extraction, known: Sequence[tuple[int, int]] = ()) -> ArticleScore:
    """Scores one article by the rules of docs/schema.md.

    `known`: the stretches of the text that the system's lexicon knew, which tell a finding that was left out from a
    term that was missed. Each mode counts by its own maximum matching. Items and attributes go by the relaxed one, and
    among its equals by that with most exact pairs, then most within one patient, then most with overlapping words, then
    most agreeing attributes; so a few more pairs may be exact than the items show. The order of findings and cases
    makes no difference.
    """
    sides = Sides(gold, extraction)
    pairs = list(pair_up(sides, known))
    items = sorted((_item(gold.article_id, sides, pair) for pair in pairs), key=_place)
    return ArticleScore(gold.article_id, _counts(sides, pairs), tuple(items), _tallies(sides, pairs))


def _counts(sides: Sides, pairs: Sequence[Pair]) -> dict[tuple[str, str], Counts]:
    matched = {
        RELAXED: Counter(sides.gold[pair.row].field for pair in pairs if pair.matched and pair.row is not None),
        EXACT: Counter(sides.gold[row].field for row, _ in matched_pairs(sides.exact)),
    }
    gold = Counter(finding.field for finding in sides.gold)
    found = Counter(finding.field for finding in sides.found)
    return {
        (field, mode): Counts(matched[mode][field], found[field], gold[field])
        for field in FIELDS
        if field in gold or field in found
        for mode in FIELD_MODES
    }


def _tallies(sides: Sides, pairs: Sequence[Pair]) -> dict[tuple[str, str], Tally]:
    sums: dict[tuple[str, str], Tally] = {}

    def add(field: str, name: str, tally: Tally) -> None:
        sums[field, name] = sums.get((field, name), Tally()) + tally

    for pair in pairs:
        if pair.row is None or pair.column is None:
            continue
        gold, predicted = sides.gold[pair.row], sides.found[pair.column]
        if pair.matched:
            add(gold.field, ASSERTION, Tally(right=1))
            for name, tally in compared(gold, predicted):
                add(gold.field, name, tally)
        elif pair.cause == "wrong_assertion":
            add(gold.field, ASSERTION, Tally(wrong=1))
    return sums


def _item(article_id: str, sides: Sides, pair: Pair) -> Item:
    gold = None if pair.row is None else _gold_side(sides, pair.row, pair.column)
    predicted = None if pair.column is None else _predicted_side(sides, pair.column)
    placed = [side for side in (gold, predicted) if side is not None and side.start >= 0]
    sentence, start = sentence_around(sides.text, placed[0].start, placed[0].end) if placed else ("", 0)
    return Item(
        article_id,
        gold,
        predicted,
        matched=pair.matched,
        exact=pair.matched and bool(sides.exact[pair.row, pair.column]),
        cause=pair.cause,
        sentence=sentence,
        sentence_start=start,
    )


def _gold_side(sides: Sides, row: int, column: int | None) -> Side:
    """The gold's side; of several places of its words the first that the prediction beside it shares."""
    gold = sides.gold[row]
    places = occurrences(gold.text, sides.text)
    start = places[0] if places else -1
    if column is not None:
        other = sides.found[column]
        shared = (place for place in places if place < other.end and other.start < place + len(gold.text))
        start = next(shared, start)
    end = start + len(gold.text) if places else -1
    return Side(gold.field, gold.value, gold.text, start, end, gold.assertion, gold.case, attributes=gold.attributes)


def _predicted_side(sides: Sides, column: int) -> Side:
    found = sides.found[column]
    start, end = (found.start, found.end) if found.end > found.start else (-1, -1)
    case, attributes = sides.cases[column], attributes_of(found)
    return Side(found.field, found.value, found.text, start, end, found.assertion, case, found.confidence, attributes)


def _place(item: Item) -> int:
    """Where an item stands in the text; one without words comes first."""
    return next((side.start for side in (item.gold, item.predicted) if side is not None and side.start >= 0), -1)
