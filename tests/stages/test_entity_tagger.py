"""The network as it runs against the network as it is trained: the same entities, equally probable."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.stages import entity_tagger as module
from caseframe.stages.entity_network import VIEWS, Batch, Chain, Floats, Ints, Network, Shape, padded
from caseframe.stages.entity_tagger import Decoder, Entity, Kept, Tagger

TYPES = ("X", "Y", "Z")
seeds = st.integers(0, 10_000)
lengths = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def by_the_chain(chain: Chain, scores: Floats, transitions: Floats, sentences: Sequence[int]) -> list[Entity]:
    """The entities as the trained form finds them, sentence by sentence."""
    ends = list(accumulate(sentences))
    rows, sizes = padded(scores, list(zip([0, *ends], ends, strict=False)))
    marginals = chain.marginals(rows, sizes, transitions)
    return [
        (end - size + span[0], end - size + span[1], span[2], chain.span_probability(marginals, transitions, n, span))
        for n, (tags, size, end) in enumerate(zip(chain.best(rows, sizes, transitions), sentences, ends, strict=True))
        for span in chain.spans(tags)
    ]


def same(found: Sequence[Entity], wanted: Sequence[Entity]) -> bool:
    return [each[:3] for each in found] == [each[:3] for each in wanted] and bool(
        np.allclose([each[3] for each in found], [each[3] for each in wanted], atol=1e-4)
    )


@given(seeds, lengths, st.sampled_from([0.1, 2.0, 12.0]), st.sampled_from([TYPES[:1], TYPES]))
def test_the_spans_of_the_chain_and_their_probabilities(
    seed: int, sentences: list[int], spread: float, types: tuple[str, ...]
) -> None:
    random = np.random.default_rng(seed)
    chain = Chain(types)
    tags = len(chain.tags)
    scores = random.normal(scale=spread, size=(sum(sentences), tags)).astype("f")
    transitions = random.normal(scale=min(spread, 3), size=(tags, tags)).astype("f")
    decoder = Decoder(chain, transitions)
    found = decoder.entities(decoder.in_order(scores, -1e9), sentences)
    assert same(found, by_the_chain(chain, scores, transitions, sentences))


def network(depth: int = 2, pieces: int = 3, seed: int = 0) -> Network:
    np.random.seed(seed)
    shape = Shape(3, 4, width=24, depth=depth, pieces=pieces, hashed=4, rows=(50,) * len(VIEWS))
    made = Network(shape, len(Chain(TYPES).tags), dropout=0)
    random = np.random.default_rng(seed)
    for node in made.model.walk():
        for name in node.param_names:
            if node.has_param(name):
                node.set_param(name, random.normal(size=node.get_param(name).shape).astype("f"))
    return made


def look_up(words: Sequence[str]) -> tuple[Ints, Floats]:
    """Views and vectors that only the word decides."""
    drawn = [np.random.default_rng(sum(map(ord, word))) for word in words]
    ids = np.array([each.integers(1, 99, size=len(VIEWS)) for each in drawn], "uint64")
    return ids, np.array([each.normal(size=3) for each in drawn], "f")


def tabulate(stages: Sequence[Sequence[float]]) -> Floats:
    return np.array(stages, "f")


def a_text(seed: int, length: int) -> tuple[list[str], list[tuple[float, ...]]]:
    """Words, and what the stages say of them: a few things again and again."""
    random = np.random.default_rng(seed)
    said = [tuple(row) for row in random.normal(size=(8, 4)).tolist()]
    return [f"word{n}" for n in random.integers(0, 30, size=length)], [said[n] for n in random.integers(0, 8, length)]


def entities(
    tagger: Tagger, words: list[str], stages: list[tuple[float, ...]], stretches: list[int], sentences: list[int]
) -> list[Entity]:
    return tagger.decoder.entities(tagger.scores(words, stages, stretches), sentences)


def by_the_network(
    made: Network, words: Sequence[str], stages: Sequence[tuple[float, ...]], sentences: Sequence[int]
) -> list[Entity]:
    ids, vectors = look_up(words)
    scores = made.scores(Batch(ids, np.concatenate([vectors, tabulate(stages)], axis=1), (len(words),)))
    return by_the_chain(Chain(TYPES), scores, made.transitions, sentences)


@pytest.mark.parametrize(("depth", "pieces"), [(1, 2), (2, 3), (5, 3)])
def test_the_entities_of_the_network(depth: int, pieces: int) -> None:
    made = network(depth, pieces)
    tagger = Tagger(made, Chain(TYPES), look_up, tabulate)
    some = 0
    for seed, sentences in enumerate([[1], [4, 9], [7, 1, 1, 12, 3], [40]]):
        words, stages = a_text(seed, sum(sentences))
        found = entities(tagger, words, stages, [len(words)], sentences)
        assert same(found, by_the_network(made, words, stages, sentences))
        some += len(found)
    assert some > 5


def test_a_text_has_the_same_digits_alone_and_among_others() -> None:
    tagger = Tagger(network(3), Chain(TYPES), look_up, tabulate)
    texts = [a_text(seed, length) for seed, length in enumerate([5, 1, 31, 12, 90, 2])]
    alone = [entities(tagger, words, stages, [len(words)], [len(words)]) for words, stages in texts]
    sizes = [len(words) for words, _ in texts]
    words, stages = ([each for text in texts for each in text[n]] for n in (0, 1))
    together = entities(tagger, words, stages, sizes, sizes)  # type: ignore[arg-type]
    starts = [0, *accumulate(sizes)]
    moved = [
        (start + at, end + at, *rest) for at, each in zip(starts, alone, strict=False) for start, end, *rest in each
    ]
    assert together == moved and len(moved) > 10


def test_more_words_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [a_text(seed, 20) for seed in range(4)]
    plenty = Tagger(network(), Chain(TYPES), look_up, tabulate)
    wanted = [entities(plenty, words, stages, [20], [20]) for words, stages in texts]
    for kept in (1, 25):
        for name in ("_WORDS_KEPT", "_STAGES_KEPT"):
            monkeypatch.setattr(module, name, kept)
        scarce = Tagger(network(), Chain(TYPES), look_up, tabulate)
        assert [entities(scarce, words, stages, [20], [20]) for words, stages in texts] == wanted


def test_usual_things_are_made_once() -> None:
    made: list[Sequence[int]] = []

    def make(things: Sequence[int]) -> Floats:
        made.append(things)
        return np.array([[thing, -thing] for thing in things], "f")

    kept = Kept(make, 2, 5)
    for things in ([1, 2, 1, 3], [1, 4, 5], [1, 6], [7, 8, 1], [1, 9, 3]):
        places = kept.places(things)
        assert kept.rows[places].tolist() == [[thing, -thing] for thing in things]
    assert made == [[1, 2, 3], [4, 5], [6], [7, 8], [9, 3]]


def test_it_knows_when_the_network_has_learned() -> None:
    made = network()
    tagger = Tagger(made, Chain(TYPES), look_up, tabulate)
    assert tagger.is_of(made) and not tagger.is_of(network())
    words, stages = a_text(1, 30)
    before = entities(tagger, words, stages, [30], [30])
    for node in made.model.walk():
        for name in node.param_names:
            if node.has_param(name):
                node.set_param(name, node.get_param(name) * np.float32(0.5))
    assert not tagger.is_of(made)
    assert same(
        entities(Tagger(made, Chain(TYPES), look_up, tabulate), words, stages, [30], [30]),
        by_the_network(made, words, stages, [30]),
    )
    assert before != by_the_network(made, words, stages, [30])
