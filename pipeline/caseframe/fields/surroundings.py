"""What the words of a span and about it are like, as numbers, so that models know words that they never saw.

Means of the word vectors of the shipped entities, whichever entities a pipeline runs, over the span, the words before
it, those behind it and its sentence, each less the mean of the whole Doc: what its subject is says little of a span.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from spacy.tokens import Doc, Span

from caseframe.stages.entities import shipped_features
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import sentence_of, texts_of

_REACH = 4
_BLOCKS = 4
_SUMS = "caseframe.vector_sums"


def surroundings(span: Span) -> Floats:
    """The means of a span's surroundings one after the other, float64; zeros where there are no words."""
    sums, mean = _sums(span.doc)
    means = np.zeros((_BLOCKS, len(mean)))
    for block, (start, end) in zip(means, _blocks(span), strict=True):
        if start < end:
            np.subtract(sums[end], sums[start], out=block)
            block /= end - start
            block -= mean
    return means.reshape(-1)  # type: ignore[return-value]


def _blocks(span: Span) -> Iterator[tuple[int, int]]:
    sentence = sentence_of(span)
    yield span.start, span.end
    yield max(sentence.start, span.start - _REACH), span.start
    yield span.end, min(sentence.end, span.end + _REACH)
    yield sentence.start, sentence.end


def _sums(doc: Doc) -> tuple[Floats, Floats]:
    """The sums of the vectors before each token, and the mean of all; made once a Doc."""
    known: tuple[Floats, Floats] | None = doc.user_data.get(_SUMS)
    if known is None:
        vectors = shipped_features().vectors_of(texts_of(doc))
        sums = np.zeros((len(doc) + 1, vectors.shape[1]), dtype="float64")
        np.cumsum(vectors, axis=0, out=sums[1:])
        known = doc.user_data[_SUMS] = sums, sums[-1] / max(1, len(doc))
    return known
