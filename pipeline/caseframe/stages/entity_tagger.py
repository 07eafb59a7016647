"""The network of the entities as it runs: the sums of `entity_network`, arranged for speed.

Three things make it fast, and none changes what is found. What the first layer makes of a word alone is kept, and what
it makes of what the stages say of a token. Some Docs go through the layers together, as many as fit the processor's
cache, and the sentences of many through the chain, the longest first, so that each step is one operation over all that
still go on. Products are SciPy's: the BLAS in NumPy 1.26 knows no recent processor, and thinc's takes twice the time.

Widths are filled up to whole blocks: BLAS treats what is left of a block in another order, which would make the last
digits of a row depend on the rows beside it. So a Doc has the same probabilities alone and among others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import sgemm

from caseframe.stages.entity_network import Chain, Floats, Ints, Network, places_of

Doubles = NDArray[np.float64]
Entity = tuple[int, int, str, float]
"""Token bounds, type, and the probability of exactly this span with this type."""
LookUp = Callable[[Sequence[str]], tuple[Ints, Floats]]
"""Gives the hashed views and the vectors of words."""
Tabulate = Callable[[Sequence[Any]], Floats]
"""Gives a row of numbers for each of some things that can be told apart."""
_BLOCK = 64
_NEVER = -1e9
_KEPT = 15_000


class Kept:
    """Rows made of things seen so far, each thing's once."""

    def __init__(self, make: Tabulate, width: int) -> None:
        self._make = make
        self._place: dict[Hashable, int] = {}
        self._rows = np.empty((_KEPT, width), "f")

    def of(self, things: Sequence[Hashable]) -> Floats:
        """A row for each thing."""
        place = self._place
        try:
            return self._rows[[place[thing] for thing in things]]
        except KeyError:
            self.make(things)
            return self._rows[[place[thing] for thing in things]]

    def make(self, things: Iterable[Hashable]) -> None:
        """Makes the rows of the things that were not seen: quicker for many at once."""
        things = dict.fromkeys(things)
        missing = [thing for thing in things if thing not in self._place]
        if not missing:
            return
        if len(self._place) + len(missing) > len(self._rows):
            self._place.clear()
            missing = list(things)
            if len(missing) > len(self._rows):
                self._rows = np.empty((len(missing), self._rows.shape[1]), "f")
        first = len(self._place)
        self._rows[first : first + len(missing)] = self._make(missing)
        self._place.update(zip(missing, range(first, first + len(missing)), strict=True))


class Tagger:
    """A trained network with its chain, and what it made of the words seen so far.

    `look_up` and `tabulate` give what the network takes of words and of what the stages say of a token.
    """

    def __init__(self, network: Network, chain: Chain, look_up: LookUp, tabulate: Tabulate) -> None:
        nodes = list(network.model.walk(order="dfs_pre"))
        self._views = [node for node in nodes if node.name == "hashembed"]
        self._vector, self._stages, output = (node for node in nodes if node.name == "linear")
        maxouts = [[node.get_param(name) for name in "Wb"] for node in nodes if node.name == "maxout"]
        norms = [[node.get_param(name) for name in "Gb"] for node in nodes if node.name == "layernorm"]
        self._mix, *self._layers = [Maxout(*pair) for pair in zip(maxouts, norms, strict=True)]
        of_words = self._mix.weights.shape[0] - network.shape.hashed
        self._of_words, self._of_stages = self._mix.weights[:of_words], self._mix.weights[of_words:]
        self._reach = network.shape.depth
        self.decoder = Decoder(chain, network.transitions)
        self._output = self.decoder.in_order(output.get_param("W").T, 0)
        self._output_bias = self.decoder.in_order(output.get_param("b")[None], _NEVER)[0]
        self._network, self._last, self._made_of = network, output, output.get_param("W").copy()
        self._look_up, self._tabulate = look_up, tabulate
        width = len(self._mix.bias)
        self.by_word, self.by_stages = Kept(self._products_of_words, width), Kept(self._products_of_stages, width)

    def is_of(self, network: Network) -> bool:
        """Whether the weights of the network are still those that this was made of."""
        return network is self._network and np.array_equal(self._made_of, self._last.get_param("W"))

    def scores(self, words: Sequence[str], stages: Sequence[Hashable], stretches: Sequence[int]) -> Floats:
        """The score of each tag for each token of texts laid end to end, which do not see each other.

        `stages` is what the stages say of each token, `stretches` are the lengths of the texts. For `decoder`.
        """
        sums = self.by_word.of(words)
        sums += self.by_stages.of(stages)
        at, size = places_of(stretches, self._reach)
        tokens = np.zeros((size, self._mix.width), "f")
        tokens[at] = self._mix.of_sums(sums)
        for layer in self._layers:
            sums = product(_windows(tokens), layer.weights)
            sums += layer.bias
            tokens += layer.of_sums(sums)
        scores = product(tokens[at], self._output)
        scores += self._output_bias
        return scores

    def _products_of_words(self, words: Sequence[str]) -> Floats:
        """What the first layer makes of each word alone: the products with its weights, and the bias."""
        ids, vectors = self._look_up(words)
        views = [node.predict(np.ascontiguousarray(ids[:, n])) for n, node in enumerate(self._views)]
        inputs = np.concatenate([*views, self._vector.predict(vectors)], axis=1)
        return product(inputs, self._of_words) + self._mix.bias

    def _products_of_stages(self, stages: Sequence[Hashable]) -> Floats:
        """The products of the first layer with what the stages say of a token."""
        return product(self._stages.predict(self._tabulate(stages)), self._of_stages)


def product(rows: Floats, weights: Floats) -> Floats:
    """`rows @ weights`; both row by row in memory."""
    result: Floats = sgemm(1.0, weights.T, rows.T).T
    return result


def _windows(tokens: Floats) -> Floats:
    """Each token between its neighbours; nothing stands before the first and after the last."""
    count, width = tokens.shape
    rows = np.empty((count, 3 * width), "f")
    rows[0, :width] = rows[-1, 2 * width :] = 0
    rows[1:, :width] = tokens[:-1]
    rows[:, width : 2 * width] = tokens
    rows[:-1, 2 * width :] = tokens[1:]
    return rows


class Maxout:
    """A maxout layer with its normalisation. The first pieces of all outputs stand together, then the second ones."""

    def __init__(self, linear: Sequence[Floats], norm: Sequence[Floats]) -> None:
        weights, bias = linear
        self.width, _, inputs = weights.shape
        self.weights = np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(inputs, -1))
        self.bias = bias.T.flatten()
        self._gain, self._offset = (each.copy() for each in norm)

    def of_sums(self, sums: Floats) -> Floats:
        """What comes out, from the products with the weights and the bias."""
        first, *others = (sums[:, start : start + self.width] for start in range(0, sums.shape[1], self.width))
        best: Floats = np.maximum(first, others[0])
        for other in others[1:]:
            np.maximum(best, other, out=best)
        best -= best.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", best, best) / np.float32(self.width) + np.float32(1e-8)
        best *= (variance ** np.float32(-0.5))[:, None]
        best *= self._gain
        best += self._offset
        return best


class Sentences:
    """Sentences side by side, the longest first, so that those that go on at a token are the first ones.

    A row is a token of a sentence; rows stand by token, then by sentence. `tokens` says where a row stands in the text,
    `before` which row is the token before it, `last` which row ends each sentence. `first` are the rows of all first
    tokens; each of `steps` are the rows of a token and of its next one, in the sentences that have a next one.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        sizes = np.array(lengths)
        order = np.argsort(-sizes, kind="stable")
        begins, sizes = (np.cumsum(sizes) - sizes)[order], sizes[order]
        longest = int(sizes[0])
        counts = np.searchsorted(-sizes, -np.arange(longest), side="left")
        starts = np.cumsum(counts) - counts
        number = np.repeat(np.arange(longest), counts)
        place = np.arange(len(number)) - starts[number]
        self.tokens = begins[place] + number
        self.before = starts[np.maximum(number - 1, 0)] + place
        self.last = starts[sizes - 1] + np.arange(len(sizes))
        self.first = slice(0, len(sizes))
        self.steps = [
            (slice(one, one + count), slice(next_one, next_one + count))
            for (one, next_one), count in zip(pairwise(starts.tolist()), counts[1:].tolist(), strict=True)
        ]


class Decoder:
    """The chain over the tags of a sentence: the best tags, and how probable each span is that they make.

    The tags stand by part (begin, outside, unit, last, inside), so that those that may follow each other are slices.
    """

    def __init__(self, chain: Chain, transitions: Floats) -> None:
        types, count = chain.types, len(chain.types)
        begin, unit, last, inside = ([f"{part}-{name}" for name in types] for part in "BULI")
        self._order = [chain.index[tag] for tag in (*begin, "O", *unit, *last, *inside)]
        self._size = -(-len(self._order) // _BLOCK) * _BLOCK
        self._types = (*types, "", *types, *types, *types)
        self._outside = count
        # What opens a span follows what closes one, and `O` is both; the rest follow begin or inside of their own type.
        self._opens, self._closes = slice(0, 2 * count + 1), slice(count, 3 * count + 1)
        self._begin, self._inside = slice(0, count), slice(3 * count + 1, 4 * count + 1)
        self._goes_on = slice(2 * count + 1, 4 * count + 1)
        own = np.ix_(self._order, self._order)
        scores = np.where(chain.allowed, transitions, np.float32(_NEVER))[own]
        self._between = np.ascontiguousarray(scores[self._closes, self._opens])[:, :, None]
        # Last and inside, a column for each type.
        goes_on = np.arange(len(self._order))[self._goes_on].reshape(2, count)
        self._from_begin = scores[np.arange(count), goes_on][:, :, None]
        self._from_inside = scores[goes_on[1], goes_on][:, :, None]
        self._before = self._filled(scores.T, _NEVER)
        steps = np.where(chain.allowed, np.exp(transitions), np.float32(0))[own]
        self._steps = np.zeros((self._size, self._size), "f")
        self._steps[: len(steps), : len(steps)] = steps
        self._steps_back = self._steps.T.copy()
        self._first, self._last = (self.in_order(each[None], 0)[0] for each in (chain.first, chain.last))

    def in_order(self, table: NDArray[Any], filling: float) -> Floats:
        """A table with a column a tag; the columns in the order of this chain, and filled up to whole blocks."""
        return self._filled(table[:, self._order], filling)

    def _filled(self, table: NDArray[Any], filling: float) -> Floats:
        wide = np.full((len(table), self._size), filling, "f")
        wide[:, : table.shape[1]] = table
        return wide

    def entities(self, scores: Floats, lengths: Sequence[int]) -> list[Entity]:
        """The spans of the best tags; `scores` are token by tag, `lengths` those of the sentences laid end to end."""
        rows = Sentences(lengths)
        by_row = scores[rows.tokens]
        tags = self._best(by_row, rows)
        row_of = np.argsort(rows.tokens)
        text = tags[row_of]
        is_open = (text != self._outside) & (text < self._opens.stop)
        is_closed = (text != self._outside) & (text >= self._closes.start) & (text < self._closes.stop)
        starts, ends = np.flatnonzero(is_open), np.flatnonzero(is_closed)
        if not len(starts):
            return []
        begun, onward, ended = self._shares(by_row, tags, rows)
        outer = (begun[row_of[starts]] * ended[row_of[ends]]).tolist()
        inner = onward[row_of].tolist()
        found = zip(starts.tolist(), (ends + 1).tolist(), text[starts].tolist(), outer, strict=True)
        return [
            (start, end, self._types[tag], min(1.0, share * prod(inner[start + 1 : end])))
            for start, end, tag, share in found
        ]

    def _best(self, scores: Floats, rows: Sentences) -> NDArray[np.int64]:
        """The best tags (Viterbi): the scores of all ways forward, then back along the best one alone."""
        # A row a tag and a column a token, since an operation over few sentences is quicker than one over few tags.
        by_tag = scores.T[: len(self._order)].copy()
        by_tag[self._first[: len(by_tag)] == 0, rows.first] = _NEVER
        for one, next_one in rows.steps:
            past, now = by_tag[:, one], by_tag[:, next_one]
            now[self._opens] += (past[self._closes, None] + self._between).max(0)
            onward = np.maximum(past[self._begin] + self._from_begin, past[self._inside] + self._from_inside)
            now[self._goes_on] += onward.reshape(-1, onward.shape[-1])
        best = self._filled(by_tag.T, _NEVER)
        tags = np.empty(len(scores), dtype="int64")
        tags[rows.last] = np.where(self._last, best[rows.last], np.float32(_NEVER)).argmax(1)
        for one, next_one in reversed(rows.steps):
            tags[one] = (best[one] + self._before[tags[next_one]]).argmax(1)
        return tags

    def _shares(self, scores: Floats, tags: NDArray[np.int64], rows: Sentences) -> tuple[Doubles, Doubles, Doubles]:
        """The factors of a span's probability (forward, backward): of its first tag, of each next one, of its end."""
        likely = np.exp(scores - scores.max(1, keepdims=True))
        forward, scale = np.empty_like(likely), np.empty((len(likely), 1), "f")
        forward[rows.first] = likely[rows.first] * self._first
        scale[rows.first] = forward[rows.first].sum(1, keepdims=True)
        forward[rows.first] /= scale[rows.first]
        for one, next_one in rows.steps:
            arrived = product(forward[one], self._steps)
            arrived *= likely[next_one]
            total = arrived.sum(1, keepdims=True)
            np.divide(arrived, total, out=forward[next_one])
            scale[next_one] = total
        likely /= scale
        backward = np.empty_like(likely)
        ending = (forward[rows.last] * self._last).sum(1, keepdims=True)
        backward[rows.last] = self._last / ending
        for one, next_one in reversed(rows.steps):
            backward[one] = product(likely[next_one] * backward[next_one], self._steps_back)
        at = np.arange(len(tags))
        onward = self._steps[tags[rows.before], tags].astype("float64") * likely[at, tags]
        return forward[at, tags].astype("float64"), onward, backward[at, tags].astype("float64")
