"""Training of the entities: from marked Docs alone, or from them and what several trained models say of unmarked Docs.

`fit` trains an `EntityFinder` on examples. A target may be probabilities: the mean of the `tag_probabilities` of
several models, from which one finder learns what the many know. The same examples, settings and seed give the same
weights on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Adam, fix_random_seed

from caseframe.stages.entities import EntityFinder, Features, stage_spans
from caseframe.stages.entity_network import Batch, Chain, Floats, Ints, Network, padded
from caseframe.stages.extensions import bounds_of_sentences

Mention = tuple[int, int, str]
"""Character offsets and type of a marked mention."""
UNKNOWN = np.uint64(7)  # stands for the lower-cased and the long-suffix view of a word that is hidden in training
_HIDDEN_VIEWS = (0, 4)
_KINDS = (np.dtype("int64"), np.dtype("float16"), np.dtype("bool"))


@dataclass(frozen=True, slots=True)
class Example:
    """One Doc to learn from.

    `target` holds the tag of each token; or, token by tag, the probability of each (`float16`); or, token by tag, which
    may be (`bool`).
    """

    ids: Ints
    dense: Floats
    sentences: tuple[tuple[int, int], ...]
    target: NDArray[np.int64] | NDArray[np.float16] | NDArray[np.bool_]

    def possible(self, tags: int) -> NDArray[np.bool_]:
        """Which tags may be, token by tag, where the target is no probability."""
        if self.target.ndim == 1:
            return np.asarray(np.eye(tags, dtype=bool)[self.target.astype("int64")])
        return self.target.astype(bool)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The learning rate rises for 100 steps and then falls to nothing."""

    epochs: int = 22
    batch: int = 8
    rate: float = 0.0015
    decay: float = 1e-4
    dropout: float = 0.3
    hide_words: float = 0.05
    hide_features: float = 0.1


def feature_names(docs: Iterable[Doc]) -> list[str]:
    """The names of all that the stages found in these Docs."""
    return sorted({name for doc in docs for name, _, _ in stage_spans(doc)})


def example(
    features: Features, chain: Chain, doc: Doc, mentions: Sequence[Mention], types: Collection[str] = ()
) -> Example:
    """A marked Doc as an example; a mention that begins or ends inside a token takes the whole token, one that
    crosses the end of a sentence ends there.

    Where only some `types` were marked, nothing is learned of the others: not that they are absent either.
    """
    spans: list[tuple[int, int, str]] = []
    bounds = bounds_of_sentences(doc)
    ends = {at: end for start, end in bounds for at in range(start, end)}
    for start, end, name in sorted(mentions):
        span = doc.char_span(start, end, alignment_mode="expand")
        if span is not None and (not spans or span.start >= spans[-1][1]):
            spans.append((span.start, min(span.end, ends[span.start]), name))
    ids, dense = features.of(doc)
    target = chain.possible(len(doc), spans, types) if types else chain.encode(len(doc), spans)
    return Example(ids, dense, tuple(bounds), target)


def unmarked(features: Features, doc: Doc) -> Example:
    """A Doc of which nothing is known: every token outside. Replace its target by what models say of it."""
    ids, dense = features.of(doc)
    return Example(ids, dense, tuple(bounds_of_sentences(doc)), np.zeros(len(doc), dtype="int64"))


def certain(marked: Example, tags: int) -> Example:
    """A marked example with probabilities as its target, as those have that models marked; partial marks stay."""
    if marked.target.ndim > 1:
        return marked
    return replace(marked, target=np.eye(tags, dtype="float16")[marked.target.astype("int64")])


def tag_probabilities(finder: EntityFinder, seen: Example) -> Floats:
    """The probability of each tag for each token, as the finder sees it."""
    assert finder.network is not None
    scores = finder.network.scores(Batch(seen.ids, seen.dense, (len(seen.ids),)))
    rows, lengths = padded(scores, seen.sentences)
    found = finder.chain.marginals(rows, lengths, finder.network.transitions)
    return np.concatenate([found.tags[n, :length] for n, length in enumerate(lengths)])


def fit(
    finder: EntityFinder,
    examples: Sequence[Example],
    settings: Settings,
    *,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> None:
    """Trains the finder's network on examples, from where it stands, and leaves the average of its way in it.

    `report` is called after each epoch with its number and the loss.
    """
    network, chain, features = finder.network, finder.chain, finder.features
    assert network is not None and features is not None
    fix_random_seed(seed)
    random = np.random.default_rng(seed)
    network.set_dropout(settings.dropout)
    optimizer = Adam(settings.rate, L2=settings.decay, L2_is_weight_decay=True, grad_clip=5.0, use_averages=True)
    steps = settings.epochs * -(-len(examples) // settings.batch)
    step = 0
    first = features.vectors.shape[1]
    for epoch in range(settings.epochs):
        loss = 0.0
        order = random.permutation(len(examples))
        for at in range(0, len(order), settings.batch):
            chosen = [examples[n] for n in order[at : at + settings.batch]]
            loss += _update(network, chain, chosen, _hidden(chosen, settings, first, random))
            optimizer.learn_rate = settings.rate * min(1.0, (step + 1) / 100) * (1 - step / steps)
            network.model.finish_update(optimizer)
            optimizer.step_schedules()
            step += 1
        if report is not None:
            with network.model.use_params(optimizer.averages):
                report(epoch + 1, loss)
    with network.model.use_params(optimizer.averages):
        averaged = network.model.to_bytes()
    network.model.from_bytes(averaged)


def _hidden(examples: Sequence[Example], settings: Settings, first: int, random: np.random.Generator) -> Batch:
    """The inputs of examples, some words and some kinds of features hidden."""
    ids = np.concatenate([each.ids for each in examples])
    for view in _HIDDEN_VIEWS:
        ids[random.random(len(ids)) < settings.hide_words, view] = UNKNOWN
    parts = []
    for each in examples:
        kept = random.random(each.dense.shape[1]) >= settings.hide_features
        kept[:first] = True
        parts.append(each.dense * kept.astype("f"))
    return Batch(ids, np.concatenate(parts), tuple(len(each.ids) for each in examples))


def _update(network: Network, chain: Chain, examples: Sequence[Example], batch: Batch) -> float:
    """One step of learning: adds to the gradients and returns the loss (0 where the targets are probabilities)."""
    scores, learn = network.begin_update(batch)
    starts = np.cumsum([0, *batch.lengths]).tolist()
    gradient, pairs, loss = np.zeros_like(scores), np.zeros_like(network.transitions), 0.0
    for kind in _KINDS:
        group = [(at, each) for at, each in zip(starts, examples, strict=False) if each.target.dtype == kind]
        if group:
            loss += _add_gradients(network, chain, scores, group, gradient, pairs)
    share = np.float32(0.05 / len(examples))
    learn(gradient * share, pairs * share)
    return loss


def _add_gradients(
    network: Network,
    chain: Chain,
    scores: Floats,
    group: Sequence[tuple[int, Example]],
    gradient: Floats,
    pairs: Floats,
) -> float:
    """Adds what examples of one kind of target say; gives their loss.

    Tags and possible tags: the likelihood of the chain. Probabilities: the scores move until the chain's own
    probabilities are these, the slope of log Z - sum(p * score); the transitions stay as they are.
    """
    bounds = [(at + a, at + b) for at, each in group for a, b in each.sentences]
    rows, lengths = padded(scores, bounds)
    found = chain.marginals(rows, lengths, network.transitions)
    _scatter(gradient, bounds, found.tags)
    if group[0][1].target.dtype == np.float16:
        for at, each in group:
            gradient[at : at + len(each.ids)] -= each.target.astype("f")
        return 0.0
    possible = np.zeros(scores.shape, dtype=bool)
    for at, each in group:
        possible[at : at + len(each.ids)] = each.possible(len(chain.tags))
    wanted = chain.marginals(rows, lengths, network.transitions, padded(possible, bounds)[0])
    _scatter(gradient, bounds, -wanted.tags)
    pairs += found.pairs - wanted.pairs
    return float(found.log_total.sum() - wanted.log_total.sum())


def _scatter(flat: Floats, bounds: Sequence[tuple[int, int]], rows: Floats) -> None:
    """Adds padded rows to where their sequences stand."""
    for n, (start, end) in enumerate(bounds):
        flat[start:end] += rows[n, : end - start]
