"""What the words of a span and about it are like, as numbers, so that models know words that they never saw.

Means of the word vectors of the shipped entities, whichever entities a pipeline runs, over the span, the words before
it, those behind it and its sentence, each less the mean of the whole Doc: what its subject is says little of a span.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from spacy.tokens import Doc

from caseframe.stages.entities import shipped_features
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import lowers_of, sentence_bounds

_REACH = 4
_BLOCKS = 4
_SUMS = "caseframe.vector_sums"


def surroundings(doc: Doc, bounds: Sequence[tuple[int, int]]) -> Floats:
    """For each span, given by its tokens, a row: the means of its surroundings one after the other.

    float64, spans x (4 x length of a vector); zeros where there are no words.
    """
    sums, mean = _sums(doc)
    places = [_blocks(doc, start, end) for start, end in bounds]
    starts, ends = np.array(places, dtype="intp").reshape(-1, 2, _BLOCKS).swapaxes(0, 1).reshape(2, -1)
    means = sums.take(ends, axis=0)
    means -= sums.take(starts, axis=0)
    means /= np.maximum(ends - starts, 1)[:, None]
    means -= mean
    means[ends <= starts] = 0
    return means.reshape(len(bounds), _BLOCKS * len(mean))  # type: ignore[no-any-return]


def _blocks(doc: Doc, start: int, end: int) -> tuple[int, ...]:
    """Where the blocks of a span begin, then where they end: itself, the words before, those behind, its sentence."""
    first, last = sentence_bounds(doc, start)
    return start, max(first, start - _REACH), end, first, end, start, min(last, end + _REACH), last


def _sums(doc: Doc) -> tuple[Floats, Floats]:
    """The sums of the vectors before each token, and the mean of all; made once a Doc."""
    known: tuple[Floats, Floats] | None = doc.user_data.get(_SUMS)
    if known is None:
        vectors = shipped_features().vectors_of_lower(lowers_of(doc))
        sums = np.empty((len(doc) + 1, vectors.shape[1]), dtype="float64")
        sums[0], sums[1:] = 0, vectors
        np.cumsum(sums, axis=0, out=sums)
        known = doc.user_data[_SUMS] = sums, sums[-1] / max(1, len(doc))
    return known
