"""Scores of typed spans of one article, in four modes, and what became of each span.

- `overlap`: same type and at least one character shared. Gold and predictions are paired one to one: as many pairs as
  can be, among those the most with the same boundaries, then the most characters shared.
- `strict`: same type, same boundaries; duplicates count one to one.
- `type`: spans are first paired by their words alone, whatever the types, so that the most characters are shared (on a
  tie, the most types agree); a pair is right where its types agree.
- `boundary`: same boundaries, one to one, whatever the types. Pairs of one type come first.

In the modes `overlap`, `strict` and `type` gold and predictions count under their own types. In `boundary` a paired
prediction counts under the type of its gold, so that of a type recall is the share of its gold whose boundaries were
found, and precision is never above 1.

Over all types, strict <= type <= overlap and strict <= boundary. Modes are those of SemEval-2013 task 9 (Segura-Bedmar
et al. 2013) without its half credit. nervaluate 1.2.1 pairs greedily in the order of the predictions, so that its
strict and type scores change with that order, and takes ends as inclusive; hence this module.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from caseframe.errors import EvaluationError
from caseframe.evaluation.context import sentence_around
from caseframe.evaluation.records import SPAN_MODES, ArticleScore, Cause, Counts, Item, Side, Span, SpanDocument
from caseframe.schema import Article

Pair = tuple[int, int]
"""Indices of a gold span and of a prediction."""
Matrix = npt.NDArray[np.float64]
"""A number for each gold span (rows) and prediction (columns)."""


def score_spans(document: SpanDocument, predicted: Sequence[Span]) -> ArticleScore:
    """Counts by (type, mode) over the union of gold and predicted types, and one Item for each span or pair.

    An item is `matched` in the mode `overlap`; `exact` where that pair has the same boundaries. Causes of errors are
    `boundary` (matched, other boundaries; still a match), `wrong_field` (an unmatched gold span and an unmatched
    prediction of another type share characters: one item), `missed_term`, `duplicate` (the prediction overlaps gold of
    its type that another prediction took) and `spurious`.

    Raises EvaluationError where a span is empty or outside its text, or a confidence outside 0 to 1.
    """
    article = document.article
    _check(article, chain(document.spans, predicted))
    # In one order, so that ties fall alike however the spans came.
    gold = sorted(document.spans, key=_order)
    found = sorted(predicted, key=_order)
    pairs = _pairs(gold, found, _of_one_type)
    counts = _counts(gold, found, pairs)
    return ArticleScore(article.article_id, counts, tuple(_items(article, gold, found, pairs)))


def _check(article: Article, spans: Iterable[Span]) -> None:
    size = len(article.text)
    for span in spans:
        if not 0 <= span.start < span.end <= size:
            raise EvaluationError(
                f"{article.article_id}: span {span.start}-{span.end} ({span.type}) is empty or outside its text of "
                f"{size} characters",
                "Offsets count Unicode characters of the text, from 0, half-open",
            )
        if not 0 <= span.confidence <= 1:
            raise EvaluationError(
                f"{article.article_id}: span {span.start}-{span.end} ({span.type}) has confidence {span.confidence}",
                "Give a confidence from 0 to 1, or none",
            )


def _order(span: Span) -> tuple[int, int, str, float]:
    return span.start, span.end, span.type, -span.confidence


def _counts(gold: Sequence[Span], found: Sequence[Span], overlap: Sequence[Pair]) -> dict[tuple[str, str], Counts]:
    golds, founds = Counter(span.type for span in gold), Counter(span.type for span in found)
    boundary = _boundary_pairs(gold, found)
    by_words = _pairs(gold, found, _by_words)
    matched = {
        "overlap": Counter(gold[g].type for g, _ in overlap),
        "strict": Counter(name for name, _, _ in (_multiset(gold) & _multiset(found)).elements()),
        "type": Counter(gold[g].type for g, p in by_words if gold[g].type == found[p].type),
        "boundary": Counter(wanted for wanted, _ in boundary),
    }
    predicted = dict.fromkeys(SPAN_MODES, founds)
    predicted["boundary"] = founds - Counter(given for _, given in boundary) + matched["boundary"]
    return {
        (name, mode): Counts(matched[mode][name], predicted[mode][name], golds[name])
        for name in sorted({*golds, *founds})
        for mode in SPAN_MODES
    }


def _multiset(spans: Sequence[Span]) -> Counter[tuple[str, int, int]]:
    return Counter((span.type, span.start, span.end) for span in spans)


def _boundary_pairs(gold: Sequence[Span], found: Sequence[Span]) -> list[tuple[str, str]]:
    """The types (of gold, of prediction) of the pairs that have the same boundaries."""
    wanted: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    given: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for span in gold:
        wanted[span.start, span.end][span.type] += 1
    for span in found:
        given[span.start, span.end][span.type] += 1
    pairs = []
    for place in sorted(wanted.keys() & given.keys()):
        same = wanted[place] & given[place]
        pairs += [(name, name) for name in same.elements()]
        rest = sorted((wanted[place] - same).elements()), sorted((given[place] - same).elements())
        pairs += zip(*rest, strict=False)
    return pairs


def _items(article: Article, gold: Sequence[Span], found: Sequence[Span], pairs: Sequence[Pair]) -> Iterator[Item]:
    """An item for each pair and each span that is in none, in the order of the text."""
    rows: list[tuple[Span | None, Span | None, Cause]] = [
        (gold[g], found[p], "" if _same_place(gold[g], found[p]) else "boundary") for g, p in pairs
    ]
    left_gold = _without(gold, {g for g, _ in pairs})
    left_found = _without(found, {p for _, p in pairs})
    # What is left of one type never overlaps (it would have been paired), so these pairs are of two types.
    confused = _pairs(left_gold, left_found, _of_any_type)
    rows += [(left_gold[g], left_found[p], "wrong_field") for g, p in confused]
    rows += [(span, None, "missed_term") for span in _without(left_gold, {g for g, _ in confused})]
    for span in _without(left_found, {p for _, p in confused}):
        # A gold span of its type that no other prediction took would have been paired with it.
        taken = any(other.type == span.type and _overlap(other, span) for other in gold)
        rows.append((None, span, "duplicate" if taken else "spurious"))
    for wanted, given, cause in sorted(rows, key=lambda row: min(_order(span) for span in row[:2] if span)):
        yield _item(article, wanted, given, cause)


def _item(article: Article, wanted: Span | None, given: Span | None, cause: Cause) -> Item:
    spans = [span for span in (wanted, given) if span]
    sentence, start = sentence_around(article.text, min(span.start for span in spans), max(span.end for span in spans))
    return Item(
        article.article_id,
        _side(article, wanted),
        _side(article, given),
        matched=cause in ("", "boundary"),
        exact=cause == "",
        cause=cause,
        sentence=sentence,
        sentence_start=start,
    )


def _side(article: Article, span: Span | None) -> Side | None:
    if span is None:
        return None
    words = article.text[span.start : span.end]
    return Side(span.type, words, words, span.start, span.end, confidence=span.confidence)


def _without(spans: Sequence[Span], taken: set[int]) -> list[Span]:
    return [span for index, span in enumerate(spans) if index not in taken]


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _same_place(one: Span, other: Span) -> bool:
    return (one.start, one.end) == (other.start, other.end)


@dataclass(frozen=True, slots=True)
class _Grid:
    """All gold spans of a stretch of text against all its predictions."""

    shared: Matrix
    """Characters in both."""
    same_place: Matrix
    same_type: Matrix
    confidence: Matrix


Preference = Callable[[_Grid], Sequence[Matrix]]
"""What makes pairs good, the most important first; pairs that have none of the first are no pairs."""


def _of_one_type(grid: _Grid) -> Sequence[Matrix]:
    return (grid.shared > 0) * grid.same_type, grid.same_place, grid.shared, grid.confidence


def _of_any_type(grid: _Grid) -> Sequence[Matrix]:
    return (grid.shared > 0).astype(float), grid.same_place, grid.shared, grid.confidence


def _by_words(grid: _Grid) -> Sequence[Matrix]:
    return grid.shared, grid.same_type, grid.confidence


def _pairs(gold: Sequence[Span], found: Sequence[Span], preference: Preference) -> list[Pair]:
    """The best one-to-one pairs of overlapping spans."""
    pairs: list[Pair] = []
    for golds, founds in _clusters(gold, found):
        worth = _worth(preference(_grid([gold[g] for g in golds], [found[p] for p in founds])))
        rows, columns = linear_sum_assignment(worth, maximize=True)
        pairs += [(golds[r], founds[c]) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if worth[r, c]]
    return pairs


def _clusters(gold: Sequence[Span], found: Sequence[Span]) -> Iterator[tuple[list[int], list[int]]]:
    """Indices of the gold spans and predictions of each stretch of text that spans cover without a gap."""
    rows = sorted(
        [(span.start, span.end, True, index) for index, span in enumerate(gold)]
        + [(span.start, span.end, False, index) for index, span in enumerate(found)]
    )
    reach = 0
    golds: list[int] = []
    founds: list[int] = []
    for start, end, is_gold, index in rows:
        if start >= reach:
            if golds and founds:
                yield golds, founds
            golds, founds = [], []
        (golds if is_gold else founds).append(index)
        reach = max(reach, end)
    if golds and founds:
        yield golds, founds


def _grid(gold: Sequence[Span], found: Sequence[Span]) -> _Grid:
    names = {name: number for number, name in enumerate({span.type for span in chain(gold, found)})}
    start, end, name = np.array([(span.start, span.end, names[span.type]) for span in gold]).T[:, :, None]
    starts, ends, types = np.array([(span.start, span.end, names[span.type]) for span in found]).T[:, None, :]
    confidence = np.array([span.confidence for span in found])
    return _Grid(
        shared=np.maximum(np.minimum(end, ends) - np.maximum(start, starts), 0).astype(float),
        same_place=((start == starts) & (end == ends)).astype(float),
        same_type=(name == types).astype(float),
        confidence=np.broadcast_to(confidence, (len(gold), len(found))),
    )


def _worth(terms: Sequence[Matrix]) -> Matrix:
    """One number a pair, such that the best sum has the most of the first term, then of the second, and so on."""
    worth = np.zeros_like(terms[0])
    for term in reversed(terms):
        # One more of this term outweighs all that the later terms can add up to.
        worth += term * (min(term.shape) * worth.max() + 1)
    return np.where(terms[0] > 0, worth, 0.0)
