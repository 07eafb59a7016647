"""The network behind the entities: what each token looks like, its neighbours, and a chain over the tags of a sentence.

Each token enters as five hashed views of its word, its vector, and what the earlier stages say of it. A window encoder
lets it see as many tokens to each side as it has layers. A conditional random field over begin, inside, last, unit and
outside tags picks the best sequence of a sentence and says how probable each of its spans is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from thinc.api import (
    Dropout,
    HashEmbed,
    Linear,
    Maxout,
    Model,
    chain,
    concatenate,
    expand_window,
    residual,
    set_dropout_rate,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.uint64]
Number = TypeVar("Number", np.float32, np.bool_)

VIEWS = ("lower", "prefix", "suffix", "shape", "long suffix")
"""The hashed views of a word, in the order of the columns of `Batch.ids`."""
_TRANSITIONS = "transitions"


class Batch(NamedTuple):
    """Docs laid end to end: hashed views and dense features of each token, and the number of tokens of each Doc."""

    ids: Ints
    dense: Floats
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a network is."""

    vector: int
    features: int
    width: int = 128
    depth: int = 4
    pieces: int = 3
    hashed: int = 64
    rows: tuple[int, ...] = (5000, 1000, 2500, 1000, 2500)


def tags_of(types: Sequence[str]) -> tuple[str, ...]:
    """The tags of the chain: `O`, and `B-`, `I-`, `L-`, `U-` of each type."""
    return ("O", *(f"{part}-{name}" for name in types for part in "BILU"))


class Network:
    """Gives each token of a batch a score for each tag; holds the scores of a tag after another, too."""

    def __init__(self, shape: Shape, tags: int, *, dropout: float = 0.3) -> None:
        width = shape.width
        views: list[Any] = [
            chain(_column(n), HashEmbed(shape.hashed, rows, seed=n + 1)) for n, rows in enumerate(shape.rows)
        ]
        vector: Any = chain(_slice(0, shape.vector), Linear(width, shape.vector))
        stages: Any = chain(_slice(shape.vector, shape.vector + shape.features), Linear(shape.hashed, shape.features))
        total = shape.hashed * (len(shape.rows) + 1) + width
        mixed = Maxout(width, total, nP=shape.pieces, normalize=True, dropout=dropout)
        embed: Any = chain(concatenate(*views, vector, stages), Dropout(dropout), mixed)
        layers: list[Any] = [
            residual(
                chain(
                    expand_window(window_size=1),
                    Maxout(width, width * 3, nP=shape.pieces, normalize=True, dropout=dropout),
                )
            )
            for _ in range(shape.depth)
        ]
        encode: Any = chain(*layers) if len(layers) > 1 else layers[0]
        output: Any = chain(Dropout(dropout), Linear(tags, width))
        embed.initialize(X=(np.ones((2, len(VIEWS)), "uint64"), np.zeros((2, shape.vector + shape.features), "f")))
        encode.initialize(X=np.zeros((2, width), "f"))
        output.initialize(X=np.zeros((2, width), "f"))
        self.shape = shape
        layers = [embed, encode, output]
        forward: Any = partial(_forward, shape.depth)
        self.model: Any = Model("entities", forward, layers=layers, params={_TRANSITIONS: None}, dims={"nO": tags})
        zeros: Any = np.zeros((tags, tags), "f")
        self.model.set_param(_TRANSITIONS, zeros)

    @property
    def transitions(self) -> Floats:
        """The score of each tag (column) after each tag (row)."""
        return np.asarray(self.model.get_param(_TRANSITIONS))

    def scores(self, batch: Batch) -> Floats:
        """The score of each tag for each token."""
        return np.asarray(self.model.predict(batch))

    def begin_update(self, batch: Batch) -> tuple[Floats, Callable[[Floats, Floats], None]]:
        """The scores in training, and what takes the gradients of the scores and of the transitions."""
        scores, backprop = self.model.begin_update(batch)

        def learn(scores_gradient: Floats, transitions_gradient: Floats) -> None:
            backprop(scores_gradient)
            self.model.inc_grad(_TRANSITIONS, transitions_gradient)

        return np.asarray(scores), learn

    def set_dropout(self, rate: float) -> None:
        """Sets the dropout of every layer; there is none outside training."""
        set_dropout_rate(self.model, rate)


def _forward(reach: int, model: Any, batch: Batch, is_train: bool) -> tuple[Floats, Callable[[Floats], object]]:
    embed, encode, output = model.layers
    tokens, back_embed = embed((batch.ids, batch.dense), is_train)
    places, size = places_of(batch.lengths, reach)
    padded = np.zeros((size, tokens.shape[1]), dtype="f")
    padded[places] = tokens
    encoded, back_encode = encode(padded, is_train)
    scores, back_output = output(np.ascontiguousarray(encoded[places]), is_train)

    def backprop(gradient: Floats) -> object:
        inner = np.zeros_like(encoded)
        inner[places] = back_output(gradient)
        return back_embed(np.ascontiguousarray(back_encode(inner)[places]))

    return scores, backprop


def places_of(lengths: Sequence[int], reach: int) -> tuple[NDArray[np.int64], int]:
    """Where each token stands when `reach` rows of zeros keep the Docs apart, and how many rows that makes."""
    total = sum(lengths)
    gaps = np.repeat((np.arange(len(lengths)) + 1) * reach, lengths)
    return (np.arange(total) + gaps).astype("int64"), total + reach * (len(lengths) + 1)


def _column(number: int) -> Any:
    def forward(model: object, views: tuple[Ints, Floats], is_train: bool) -> tuple[Ints, Callable[[object], object]]:
        return np.ascontiguousarray(views[0][:, number]), lambda gradient: []

    return Model(f"view:{VIEWS[number]}", forward)


def _slice(start: int, end: int) -> Any:
    def forward(model: object, views: tuple[Ints, Floats], is_train: bool) -> tuple[Floats, Callable[[object], object]]:
        return np.ascontiguousarray(views[1][:, start:end]), lambda gradient: []

    return Model("dense", forward)


class Marginals(NamedTuple):
    """What forward and backward leave: probabilities of tags, expected pairs of tags, and the parts of a span's own."""

    tags: Floats
    pairs: Floats
    log_total: Floats
    forward: Floats
    backward: Floats
    scores: Floats
    scale: Floats


class Chain:
    """A linear-chain conditional random field over the tags; a span begins and ends within its sequence."""

    def __init__(self, types: Sequence[str]) -> None:
        self.types = tuple(types)
        self.tags = tags_of(types)
        self.index = {tag: n for n, tag in enumerate(self.tags)}
        parts = np.array([tag[0] for tag in self.tags])
        names = np.array([tag[2:] for tag in self.tags])
        opened = np.isin(parts, ("B", "I"))[:, None]
        goes_on = np.isin(parts, ("I", "L"))[None, :]
        self.allowed = np.where(opened, goes_on & (names[:, None] == names[None, :]), ~goes_on)
        self.first = np.isin(parts, ("O", "B", "U"))
        self.last = np.isin(parts, ("O", "L", "U"))
        self._starts, self._ends = np.flatnonzero(self.first), np.flatnonzero(self.last)
        self._within = np.flatnonzero(~self.first)
        self._before = np.array([np.flatnonzero(self.allowed[:, tag]) for tag in self._within]).T

    def encode(self, length: int, spans: Sequence[tuple[int, int, str]]) -> NDArray[np.int64]:
        """The tags of spans that do not overlap, given by token bounds and type."""
        tags = np.zeros(length, dtype="int64")
        for start, end, name in spans:
            if end - start == 1:
                tags[start] = self.index[f"U-{name}"]
            else:
                tags[start] = self.index[f"B-{name}"]
                tags[start + 1 : end - 1] = self.index[f"I-{name}"]
                tags[end - 1] = self.index[f"L-{name}"]
        return tags

    def spans(self, tags: Sequence[int]) -> list[tuple[int, int, str]]:
        """The spans that a sequence of tags stands for."""
        found = []
        start = 0
        for n, tag in enumerate(self.tags[number] for number in tags):
            if tag[0] in "BU":
                start = n
            if tag[0] in "LU":
                found.append((start, n + 1, tag[2:]))
        return found

    def possible(self, length: int, spans: Sequence[tuple[int, int, str]], types: Collection[str]) -> NDArray[np.bool_]:
        """Which tags (token, tag) spans leave open where only `types` were marked: elsewhere any other type may be."""
        other = np.array([tag == "O" or tag[2:] not in types for tag in self.tags])
        table = np.tile(other, (length, 1))
        for n, tag in enumerate(self.encode(length, spans).tolist()):
            if tag:
                table[n] = False
                table[n, tag] = True
        return table

    def marginals(
        self,
        scores: Floats,
        lengths: NDArray[np.int64],
        transitions: Floats,
        possible: NDArray[np.bool_] | None = None,
    ) -> Marginals:
        """Forward and backward over padded sequences: `scores` are (sequence, token, tag), as is `possible`.

        With `possible`, over the sequences of possible tags alone (Tsuboi et al. 2008).
        """
        count, longest, tags = scores.shape
        steps = (np.exp(transitions) * self.allowed).astype("f")
        valid = np.arange(longest)[None] < lengths[:, None]
        if possible is not None:
            scores = np.where(possible | ~valid[:, :, None], scores, np.float32(-np.inf))
        highest = scores.max(-1, keepdims=True)
        likely = np.exp(scores - highest)
        forward = np.zeros((longest, count, tags), "f")
        backward = np.zeros((longest, count, tags), "f")
        scale = np.ones((longest, count), "f")
        here = likely[:, 0] * self.first
        scale[0] = here.sum(-1)
        forward[0] = here = here / scale[0][:, None]
        for t in range(1, longest):
            after = (here @ steps) * likely[:, t]
            total = after.sum(-1)
            scale[t] = np.where(valid[:, t], total, 1)
            forward[t] = here = np.where(valid[:, t][:, None], after / np.where(total > 0, total, 1)[:, None], here)
        ending = (here * self.last).sum(-1)
        rest = np.broadcast_to(self.last.astype("f") / ending[:, None], (count, tags))
        reached = np.zeros((longest, count, tags), "f")
        for t in range(longest - 1, -1, -1):
            backward[t] = rest
            if t:
                reached[t] = likely[:, t] / scale[t][:, None] * rest * valid[:, t][:, None]
                rest = np.where(valid[:, t][:, None], reached[t] @ steps.T, rest)
        pairs = forward[:-1].reshape(-1, tags).T @ reached[1:].reshape(-1, tags) * steps
        log_total = np.log(scale).sum(0) + np.log(ending) + (highest[:, :, 0] * valid).sum(1)
        by_tag = (forward * backward).transpose(1, 0, 2) * valid[:, :, None]
        return Marginals(by_tag, pairs, log_total, forward, backward, likely, scale)

    def best(self, scores: Floats, lengths: NDArray[np.int64], transitions: Floats) -> list[list[int]]:
        """The best tags of each padded sequence (Viterbi).

        A tag that begins something follows any that ends something; one that goes on follows the two of its own type.
        """
        count, longest, tags = scores.shape
        between = np.ascontiguousarray(transitions[np.ix_(self._ends, self._starts)].T)
        onward = transitions[self._before, self._within]
        came_from = np.zeros((longest, count, tags), dtype="int64")
        here = np.where(self.first, scores[:, 0], np.float32(-1e9))
        final = here.copy()
        for t in range(1, longest):
            ways = here[:, None, self._ends] + between
            came_from[t][:, self._starts] = self._ends[ways.argmax(2)]
            two = here[:, self._before] + onward
            came_from[t][:, self._within] = np.where(two[:, 1] > two[:, 0], self._before[1], self._before[0])
            here = scores[:, t].copy()
            here[:, self._starts] += ways.max(2)
            here[:, self._within] += two.max(1)
            ended = lengths == t + 1
            final[ended] = here[ended]
        result = []
        for n, length in enumerate(lengths.tolist()):
            path = [int(np.where(self.last, final[n], np.float32(-1e9)).argmax())]
            for t in range(length - 1, 0, -1):
                path.append(int(came_from[t, n, path[-1]]))
            result.append(path[::-1])
        return result

    def span_probability(
        self, found: Marginals, transitions: Floats, sequence: int, span: tuple[int, int, str]
    ) -> float:
        """How probable it is that exactly this span, with this type, is in a sequence."""
        start, end, name = span
        tags = self.encode(end - start, [(0, end - start, name)]).tolist()
        value = float(found.forward[start, sequence, tags[0]])
        for t, (before, tag) in enumerate(pairwise(tags), start + 1):
            step = float(np.exp(transitions[before, tag]))
            value *= step * float(found.scores[sequence, t, tag]) / float(found.scale[t, sequence])
        return min(1.0, value * float(found.backward[end - 1, sequence, tags[-1]]))


def padded(flat: NDArray[Number], bounds: Sequence[tuple[int, int]]) -> tuple[NDArray[Number], NDArray[np.int64]]:
    """Stretches of rows as one array (stretch, row, column), filled with zeros, and the length of each."""
    lengths = np.array([end - start for start, end in bounds], dtype="int64")
    result = np.zeros((len(bounds), int(lengths.max(initial=0)), flat.shape[1]), dtype=flat.dtype)
    for n, (start, end) in enumerate(bounds):
        result[n, : end - start] = flat[start:end]
    return result, lengths
