"""What the words of a span and about it are like, as numbers, so that models know words that they never saw.

Means of the word vectors of the shipped entities, whichever entities a pipeline runs, over the span, the words before
it, those behind it and its sentence, each less the mean of the whole Doc: what its subject is says little of a span.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from spacy.tokens import Doc, Span

from caseframe.fields.base import token_texts
from caseframe.stages.entities import shipped_features
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import sentence_of

_REACH = 4
_SUMS = "caseframe.vector_sums"


def surroundings(span: Span) -> Floats:
    """The means of a span's surroundings one after the other, float32; zeros where there are no words."""
    sums = _sums(span.doc)
    starts, ends = np.array(list(_blocks(span))).T
    sizes = (ends - starts)[:, None]
    means: Floats = (sums[ends] - sums[starts]) / np.maximum(sizes, 1) - sums[-1] / max(1, len(span.doc))
    means[sizes[:, 0] == 0] = 0
    return means.reshape(-1)


def _blocks(span: Span) -> Iterator[tuple[int, int]]:
    sentence = sentence_of(span)
    yield span.start, span.end
    yield max(sentence.start, span.start - _REACH), span.start
    yield span.end, min(sentence.end, span.end + _REACH)
    yield sentence.start, sentence.end


def _sums(doc: Doc) -> Floats:
    """The sums of the vectors before each token, and of all; made once a Doc."""
    known = doc.user_data.get(_SUMS)
    if not isinstance(known, np.ndarray):
        vectors = shipped_features().vectors_of(token_texts(doc))
        known = np.zeros((len(doc) + 1, vectors.shape[1]), dtype="float64")
        np.cumsum(vectors, axis=0, out=known[1:])
        doc.user_data[_SUMS] = known
    return known
