"""The chain against all sequences of tags there are, one by one; the network against its neighbours and its slopes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from caseframe.stages.entity_network import VIEWS, Batch, Chain, Floats, Network, Shape, padded, tags_of

LEGAL = re.compile(r"(O |U-\w |B-X (I-X )*L-X |B-Y (I-Y )*L-Y )*")
CHAINS = {types: Chain(types) for types in ("X", "XY")}
LONGEST = {"X": 5, "XY": 4}

seeds = st.integers(0, 10_000)
kinds = st.sampled_from(sorted(CHAINS))
spreads = st.sampled_from([0.1, 2.0, 12.0])


class Every:
    """Every legal sequence of tags of one sentence, with its score."""

    def __init__(
        self, chain: Chain, scores: Floats, transitions: Floats, possible: NDArray[np.bool_] | None = None
    ) -> None:
        if possible is None:
            possible = np.ones(scores.shape, dtype=bool)
        self.chain = chain
        self.sequences = [
            tags
            for tags in product(*(np.flatnonzero(row).tolist() for row in possible))
            if LEGAL.fullmatch("".join(f"{chain.tags[tag]} " for tag in tags))
        ]
        self.scores = np.array([self._score(tags, scores, transitions) for tags in self.sequences])
        self.log_total = float(np.logaddexp.reduce(self.scores))
        self.shares = np.exp(self.scores - self.log_total)

    @staticmethod
    def _score(tags: tuple[int, ...], scores: Floats, transitions: Floats) -> float:
        own = sum(float(row[tag]) for row, tag in zip(scores, tags, strict=True))
        return own + sum(float(transitions[a, b]) for a, b in pairwise(tags))

    def tags(self) -> NDArray[np.float64]:
        """The probability of each tag for each token."""
        table = np.zeros((len(self.sequences[0]), len(self.chain.tags)))
        for tags, share in zip(self.sequences, self.shares, strict=True):
            table[np.arange(len(tags)), tags] += share
        return table

    def pairs(self) -> NDArray[np.float64]:
        """How often each tag is expected after each."""
        table = np.zeros((len(self.chain.tags),) * 2)
        for tags, share in zip(self.sequences, self.shares, strict=True):
            for pair in pairwise(tags):
                table[pair] += share
        return table

    def span(self, wanted: tuple[int, int, str]) -> float:
        """How probable it is that a span is there."""
        return float(
            sum(s for tags, s in zip(self.sequences, self.shares, strict=True) if wanted in spans_of(self.chain, tags))
        )


def spans_of(chain: Chain, tags: Sequence[int]) -> set[tuple[int, int, str]]:
    """The spans of a legal sequence, read off its letters."""
    letters = "".join(chain.tags[tag][0] for tag in tags)
    return {
        (found.start(), found.end(), chain.tags[tags[found.start()]][2:]) for found in re.finditer("U|BI*L", letters)
    }


def drawn(types: str, seed: int, spread: float) -> tuple[Chain, Floats, NDArray[np.int64], Floats]:
    """Scores of two or three sentences of other lengths, noise behind the shorter ones, and transitions."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, LONGEST[types] + 1, size=random.integers(2, 4))
    chain = CHAINS[types]
    scores = random.normal(scale=spread, size=(len(lengths), lengths.max(), len(chain.tags))).astype("f")
    transitions = random.normal(scale=min(spread, 3), size=(len(chain.tags),) * 2).astype("f")
    return chain, scores, lengths.astype("int64"), transitions


def some_spans(random: np.random.Generator, length: int, types: str) -> list[tuple[int, int, str]]:
    """Spans that do not overlap, in the order of the sentence."""
    found, at = [], 0
    while at < length:
        size = int(random.integers(0, 4))
        if size and at + size <= length:
            found.append((at, at + size, str(random.choice(list(types)))))
        at += max(size, 1)
    return found


def test_tags_of_types() -> None:
    assert tags_of(["AGE", "SEX"]) == (
        "O", "B-AGE", "I-AGE", "L-AGE", "U-AGE", "B-SEX", "I-SEX", "L-SEX", "U-SEX",
    )  # fmt: skip


@given(kinds, seeds, spreads)
def test_probabilities_are_those_of_all_sequences(types: str, seed: int, spread: float) -> None:
    chain, scores, lengths, transitions = drawn(types, seed, spread)
    found = chain.marginals(scores, lengths, transitions)
    pairs = np.zeros_like(transitions, dtype="float64")
    for n, length in enumerate(lengths.tolist()):
        every = Every(chain, scores[n, :length], transitions)
        pairs += every.pairs()
        assert found.log_total[n] == pytest.approx(every.log_total, rel=1e-4, abs=1e-4)
        assert np.allclose(found.tags[n, :length], every.tags(), atol=1e-4)
        assert not found.tags[n, length:].any()
    assert np.allclose(found.pairs, pairs, atol=3e-4)


@given(kinds, seeds, spreads)
def test_a_span_is_as_probable_as_the_sequences_that_have_it(types: str, seed: int, spread: float) -> None:
    chain, scores, lengths, transitions = drawn(types, seed, spread)
    found = chain.marginals(scores, lengths, transitions)
    for n, length in enumerate(lengths.tolist()):
        every = Every(chain, scores[n, :length], transitions)
        for start, end, name in product(range(length), range(1, length + 1), types):
            if start < end:
                span = (start, end, name)
                assert chain.span_probability(found, transitions, n, span) == pytest.approx(every.span(span), abs=1e-4)


@given(kinds, seeds, spreads)
def test_the_best_sequence_is_the_highest_of_all_legal_ones(types: str, seed: int, spread: float) -> None:
    chain, scores, lengths, transitions = drawn(types, seed, spread)
    for n, best in enumerate(chain.best(scores, lengths, transitions)):
        every = Every(chain, scores[n, : lengths[n]], transitions)
        assert tuple(best) in every.sequences
        assert every.scores[every.sequences.index(tuple(best))] == pytest.approx(every.scores.max(), abs=1e-4)


@given(kinds, seeds, spreads, st.booleans())
@example("XY", 3, 400.0, True)  # scores so far apart that what is possible is nothing beside what is not
def test_probabilities_over_the_possible_tags_alone(types: str, seed: int, spread: float, partial: bool) -> None:
    chain, scores, lengths, transitions = drawn(types, seed, min(spread, 12.0))
    random = np.random.default_rng(seed)
    known = types[:1] if partial else types
    bounds, possible, at = [], [], 0
    for length in lengths.tolist():
        possible.append(chain.possible(length, some_spans(random, length, known), set(known)))
        bounds.append((at, at + length))
        at += length
    masks, _ = padded(np.concatenate(possible), bounds)
    if spread > 12:
        scores = np.where(masks, scores, scores + np.float32(spread))
    found = chain.marginals(scores, lengths, transitions, masks)
    for n, length in enumerate(lengths.tolist()):
        every = Every(chain, scores[n, :length], transitions, masks[n, :length])
        assert found.log_total[n] == pytest.approx(every.log_total, rel=1e-4, abs=1e-4)
        assert np.allclose(found.tags[n, :length], every.tags(), atol=1e-4)


@given(seeds, st.integers(0, 30))
def test_spans_become_tags_and_spans_again(seed: int, length: int) -> None:
    chain = CHAINS["XY"]
    spans = some_spans(np.random.default_rng(seed), length, "XY")
    tags = chain.encode(length, spans)
    assert LEGAL.fullmatch("".join(f"{chain.tags[tag]} " for tag in tags))
    assert chain.spans(tags.tolist()) == spans


@given(seeds, st.integers(1, 12))
def test_what_is_possible_beside_marked_spans(seed: int, length: int) -> None:
    chain = CHAINS["XY"]
    spans = some_spans(np.random.default_rng(seed), length, "X")
    tags = chain.encode(length, spans)
    whole, part = chain.possible(length, spans, {"X", "Y"}), chain.possible(length, spans, {"X"})
    assert (whole == np.eye(len(chain.tags), dtype=bool)[tags]).all()
    outside = {chain.tags[n] for n in np.flatnonzero(part[tags == 0].any(0))}
    assert outside <= {"O", "B-Y", "I-Y", "L-Y", "U-Y"}
    assert (part[tags == 0].sum(1) == 5).all()
    assert (part[tags > 0] == whole[tags > 0]).all()


def test_only_what_ends_within_the_sentence() -> None:
    chain = CHAINS["X"]
    scores = np.zeros((1, 2, 5), "f")
    scores[0, :, chain.index["I-X"]] = 50
    nothing = np.zeros((5, 5), "f")
    (best,) = chain.best(scores, np.array([2]), nothing)
    assert "".join(chain.tags[tag][0] for tag in best) in {"OO", "OU", "UO", "UU", "BL"}
    assert not chain.marginals(scores, np.array([2]), nothing).tags[0, :, chain.index["I-X"]].any()


def test_padding() -> None:
    rows, lengths = padded(np.arange(1, 11, dtype="f").reshape(5, 2), [(0, 2), (2, 5)])
    assert rows.tolist() == [[[1, 2], [3, 4], [0, 0]], [[5, 6], [7, 8], [9, 10]]]
    assert lengths.tolist() == [2, 3]
    assert padded(np.zeros((0, 2), "f"), [])[0].shape == (0, 0, 2)


def network(depth: int = 2) -> Network:
    np.random.seed(0)
    return Network(Shape(3, 2, width=8, depth=depth, hashed=4, rows=(50,) * len(VIEWS)), 5, dropout=0)


def batch(*lengths: int) -> Batch:
    random = np.random.default_rng(sum(lengths))
    total = sum(lengths)
    ids = random.integers(1, 99, size=(total, len(VIEWS))).astype("uint64")
    return Batch(ids, random.normal(size=(total, 5)).astype("f"), lengths)


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_a_text_is_seen_alone_whatever_stands_beside_it(depth: int) -> None:
    both = batch(7, 1, 4)
    made = network(depth)
    scores = made.scores(both)
    assert scores.shape == (12, 5)
    for start, end in ((0, 7), (7, 8), (8, 12)):
        alone = made.scores(Batch(both.ids[start:end], both.dense[start:end], (end - start,)))
        assert np.allclose(scores[start:end], alone, atol=1e-5)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_token_sees_as_far_as_there_are_layers(depth: int) -> None:
    made, seen = network(depth), batch(11)
    changed = seen.dense.copy()
    changed[5] += 1
    moved = np.abs(made.scores(seen) - made.scores(seen._replace(dense=changed))).max(1) > 1e-6
    assert np.flatnonzero(moved).tolist() == list(range(5 - depth, 6 + depth))


def test_gradients_are_the_slopes() -> None:
    made, seen = network(), batch(6, 5)
    random = np.random.default_rng(1)
    wanted = random.normal(size=(11, 5)).astype("f")
    _, learn = made.begin_update(seen)
    learn(wanted, np.full((5, 5), 2, "f"))
    assert (made.model.get_grad("transitions") == 2).all()
    nodes = [(node, name) for node in made.model.walk() if node is not made.model for name in node.param_names]
    checked = 0
    for node, name in nodes:
        if not node.has_param(name):
            continue
        value, size = node.get_param(name).copy(), np.float32(1e-4)  # small: maxout has kinks
        step = random.normal(size=value.shape).astype("f")
        ends = []
        for end in (value + size * step, value - size * step):
            node.set_param(name, end)
            ends.append(float((made.scores(seen).astype("float64") * wanted).sum()))
        node.set_param(name, value)
        slope = float((node.get_grad(name) * step).sum())
        assert (ends[0] - ends[1]) / 2e-4 == pytest.approx(slope, rel=0.02, abs=0.05), (node.name, name)
        checked += 1
    assert checked > 15


def test_dropout_is_for_training_alone() -> None:
    made, seen = network(), batch(9)
    plain = made.scores(seen)
    made.set_dropout(0.5)
    assert (made.scores(seen) == plain).all()
    assert not np.allclose(made.begin_update(seen)[0], plain)
