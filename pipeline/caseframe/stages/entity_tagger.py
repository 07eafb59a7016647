"""The network of the entities as it runs: the sums of `entity_network`, arranged for speed.

Three things make it fast, and none changes what is found. What the first layer makes of a word alone is kept, and what
it makes of what the stages say of a token; tokens alike in both are worked on once. Some Docs go through the other
layers together, as many as fit the processor's cache, and the sentences of many through the chain, the longest first,
so that each step is one operation over all that still go on. Products are SciPy's: the BLAS in NumPy 1.26 knows no
recent processor, and thinc's takes twice the time.

Widths are filled up to whole blocks: BLAS treats what is left of a block in another order, which would make the last
digits of a row depend on the rows beside it. So a Doc has the same probabilities alone and among others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import sgemm

from caseframe.stages.entity_network import Chain, Floats, Ints, Network, places_of

Thing = TypeVar("Thing")
Places = NDArray[np.int64]
Doubles = NDArray[np.float64]
Entity = tuple[int, int, str, float]
"""Token bounds, type, and the probability of exactly this span with this type."""
LookUp = Callable[[Sequence[str]], tuple[Ints, Floats]]
"""Gives the hashed views and the vectors of words."""
Tabulate = Callable[[Sequence[Any]], Floats]
"""Gives a row of numbers for each of some things that can be told apart."""
# Texts go through the layers together up to about so many tokens, which then fit the processor's cache.
_TOGETHER = 800
_BLOCK = 64
_NEVER = -1e9
# Rows of what is kept of words, and of what the stages say.
_WORDS_KEPT = 8_000
_STAGES_KEPT = 1_000


class Kept:
    """Rows made of things seen so far, each thing's once.

    When `most` are known they become the older ones, and take the place of those that were: the usual ones stay.
    """

    def __init__(self, make: Tabulate, width: int, most: int) -> None:
        self._make, self._most = make, most
        self.rows = self._older_rows = np.empty((most, width), "f")
        self._place: dict[Hashable, int] = {}
        self._older: dict[Hashable, int] = {}

    def places(self, things: Sequence[Hashable]) -> Places:
        """Where the row of each thing stands in `rows`; good until the next call."""
        try:
            return self._known(things)
        except KeyError:
            self._learn(dict.fromkeys(things))
            return self._known(things)

    def _known(self, things: Sequence[Hashable]) -> Places:
        return np.fromiter(map(self._place.__getitem__, things), "int64", len(things))

    def _learn(self, things: Iterable[Hashable]) -> None:
        missing = [thing for thing in things if thing not in self._place]
        if len(self._place) + len(missing) > len(self.rows):
            missing = list(things)
            self._older, self._older_rows = self._place, self.rows
            self._place, self.rows = {}, np.empty((max(len(missing), self._most), self.rows.shape[1]), "f")
        self._add([thing for thing in missing if thing in self._older], self._recall)
        self._add([thing for thing in missing if thing not in self._older], self._make)

    def _add(self, things: Sequence[Hashable], make: Tabulate) -> None:
        if things:
            first, last = len(self._place), len(self._place) + len(things)
            self.rows[first:last] = make(things)
            self._place.update(zip(things, range(first, last), strict=True))

    def _recall(self, things: Sequence[Hashable]) -> Floats:
        return self._older_rows[[self._older[thing] for thing in things]]


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
        # What a layer adds to all tokens alike is left to the biases of those that follow. At the outermost rows, which
        # have nothing beside them, that is too much, but no token is so near to them that it sees them.
        added = np.zeros(self._mix.width, "f")
        for layer in self._layers:
            layer.bias += added @ layer.weights.reshape(3, len(added), -1).sum(0)
            added += layer.offset
        self._output_bias += added @ self._output
        self._network, self._last, self._made_of = network, output, output.get_param("W").copy()
        self._look_up, self._tabulate = look_up, tabulate
        sums = len(self._mix.bias)
        self._by_word = Kept(self._products_of_words, sums, _WORDS_KEPT)
        self._by_stages = Kept(self._products_of_stages, sums, _STAGES_KEPT)

    def is_of(self, network: Network) -> bool:
        """Whether the weights of the network are still those that this was made of."""
        return network is self._network and np.array_equal(self._made_of, self._last.get_param("W"))

    def scores(self, words: Sequence[str], stages: Sequence[Hashable], stretches: Sequence[int]) -> Floats:
        """The score of each tag for each token of texts laid end to end, which do not see each other.

        `stages` is what the stages say of each token, `stretches` are the lengths of the texts. For `decoder`.
        """
        mixed, kinds = self._mixed(words, stages)
        scores = np.empty((len(words), len(self._output_bias)), "f")
        end = 0
        for lengths in in_groups(stretches, int, _TOGETHER):
            at, size = places_of(lengths, self._reach)
            start, end = end, end + len(at)
            tokens = np.zeros((size, self._mix.width), "f")
            tokens[at] = mixed[kinds[start:end]]
            for layer in self._layers:
                tokens += layer.of_sums(layer.over_windows(tokens))
            scores[start:end] = product(tokens[at], self._output)
        scores += self._output_bias
        return scores

    def _mixed(self, words: Sequence[str], stages: Sequence[Hashable]) -> tuple[Floats, Places]:
        """What the first layer makes of each kind of token (a word, and what the stages say of it), and the kinds."""
        by_word, by_stages = self._by_word.places(words), self._by_stages.places(stages)
        both = by_word * len(self._by_stages.rows) + by_stages
        _, first, kinds = np.unique(both, return_index=True, return_inverse=True)
        mixed = np.empty((len(first), self._mix.width), "f")
        for start in range(0, len(first), _TOGETHER):
            some = first[start : start + _TOGETHER]
            sums = self._by_word.rows[by_word[some]]
            sums += self._by_stages.rows[by_stages[some]]
            mixed[start : start + _TOGETHER] = self._mix.of_sums(sums) + self._mix.offset
        return mixed, kinds

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


def _add_product(sums: Floats, rows: Floats, weights: Floats) -> None:
    """`sums += rows @ weights`; all row by row in memory."""
    sgemm(1.0, weights.T, rows.T, beta=1.0, c=sums.T, overwrite_c=True)


def _level(rows: Floats, sums: Floats) -> None:
    """Divides rows by their sums, and says what these are."""
    np.add.reduce(rows, axis=1, keepdims=True, out=sums)
    rows /= sums


class Maxout:
    """A maxout layer with its normalisation. The first pieces of all outputs stand together, then the second ones."""

    def __init__(self, linear: Sequence[Floats], norm: Sequence[Floats]) -> None:
        weights, bias = linear
        self.width, _, inputs = weights.shape
        self.weights = np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(inputs, -1))
        self.bias = bias.T.flatten()
        self.gain, self.offset = (each.copy() for each in norm)

    def over_windows(self, tokens: Floats) -> Floats:
        """The sums of each token between its neighbours; nothing stands before the first and after the last."""
        sums = np.empty((len(tokens), len(self.bias)), "f")
        sums[:] = self.bias
        before, own, after = self.weights.reshape(3, self.width, -1)
        _add_product(sums[1:], tokens[:-1], before)
        _add_product(sums, tokens, own)
        _add_product(sums[:-1], tokens[1:], after)
        return sums

    def of_sums(self, sums: Floats) -> Floats:
        """What comes out but for the offset, from the products with the weights and the bias."""
        first, *others = (sums[:, start : start + self.width] for start in range(0, sums.shape[1], self.width))
        best: Floats = np.maximum(first, others[0])
        for other in others[1:]:
            np.maximum(best, other, out=best)
        count = np.float32(self.width)
        best -= (np.einsum("ij->i", best) / count)[:, None]
        variance = np.einsum("ij,ij->i", best, best) / count + np.float32(1e-8)
        best *= (variance ** np.float32(-0.5))[:, None]
        best *= self.gain
        return best


def in_groups(things: Iterable[Thing], size: Callable[[Thing], int], enough: int) -> Iterator[list[Thing]]:
    """Things in groups, each of which ends with the thing that makes it large enough."""
    group: list[Thing] = []
    total = 0
    for thing in things:
        group.append(thing)
        total += size(thing)
        if total >= enough:
            yield group
            group, total = [], 0
    if group:
        yield group


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
        self._between = np.ascontiguousarray(scores[self._closes, self._opens].T)
        # A tag that is so much behind the best one is followed by none, whatever comes.
        self._hopeless = 1.1 * np.ptp(self._between, axis=1).max() + 1e-3
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
        likely = scores[rows.tokens]
        # A row a tag and a column a token, since an operation over few sentences is quicker than one over few tags.
        by_tag = likely.T[: len(self._order)].copy()
        likely -= by_tag.max(0)[:, None]
        np.exp(likely, out=likely)
        tags = self._best(by_tag, rows)
        row_of = np.argsort(rows.tokens)
        text = tags[row_of]
        is_open = (text != self._outside) & (text < self._opens.stop)
        is_closed = (text != self._outside) & (text >= self._closes.start) & (text < self._closes.stop)
        starts, ends = np.flatnonzero(is_open), np.flatnonzero(is_closed)
        if not len(starts):
            return []
        begun, onward, ended = self._shares(likely, tags, rows)
        outer = (begun[row_of[starts]] * ended[row_of[ends]]).tolist()
        inner = onward[row_of].tolist()
        found = zip(starts.tolist(), (ends + 1).tolist(), text[starts].tolist(), outer, strict=True)
        return [
            (start, end, self._types[tag], min(1.0, share * prod(inner[start + 1 : end])))
            for start, end, tag, share in found
        ]

    def _best(self, by_tag: Floats, rows: Sentences) -> NDArray[np.int64]:
        """The best tags (Viterbi): the scores of all ways forward, put in place, then back along the best one alone."""
        by_tag[self._first[: len(by_tag)] == 0, rows.first] = _NEVER
        for one, next_one in rows.steps:
            past, now = by_tag[:, one], by_tag[:, next_one]
            now[self._opens] += self._to_opens(past[self._closes])
            onward = np.maximum(past[self._begin] + self._from_begin, past[self._inside] + self._from_inside)
            now[self._goes_on] += onward.reshape(-1, onward.shape[-1])
        best = self._filled(by_tag.T, _NEVER)
        tags = np.empty(len(best), dtype="int64")
        tags[rows.last] = np.where(self._last, best[rows.last], np.float32(_NEVER)).argmax(1)
        for one, next_one in reversed(rows.steps):
            tags[one] = (best[one] + self._before[tags[next_one]]).argmax(1)
        return tags

    def _to_opens(self, past: Floats) -> Floats:
        """The best score of a way to each tag that may follow, from those of the tags that close something.

        Mostly one tag is so far ahead that it is the one before, whatever follows.
        """
        highest = np.maximum.reduce(past)
        near = past >= highest - self._hopeless
        result = product(self._between, near.astype("f"))
        result += highest
        if np.count_nonzero(near) > len(highest):
            (unclear,) = (near.sum(0) > 1).nonzero()
            result[:, unclear] = (past[:, unclear] + self._between[:, :, None]).max(1)
        return result

    def _shares(self, likely: Floats, tags: NDArray[np.int64], rows: Sentences) -> tuple[Doubles, Doubles, Doubles]:
        """The factors of a span's probability (forward, backward): of its first tag, of each next one, of its end."""
        forward, scale = likely * self._first, np.empty((len(likely), 1), "f")
        _level(forward[rows.first], scale[rows.first])
        for one, next_one in rows.steps:
            here = forward[next_one]
            np.multiply(product(forward[one], self._steps), likely[next_one], out=here)
            _level(here, scale[next_one])
        likely /= scale
        backward = np.empty_like(likely)
        ending = (forward[rows.last] * self._last).sum(1, keepdims=True)
        backward[rows.last] = self._last / ending
        for one, next_one in reversed(rows.steps):
            backward[one] = product(likely[next_one] * backward[next_one], self._steps_back)
        at = np.arange(len(tags))
        onward = self._steps[tags[rows.before], tags].astype("float64") * likely[at, tags]
        return forward[at, tags].astype("float64"), onward, backward[at, tags].astype("float64")
