"""A teacher of another kind than the networks: a linear-chain CRF over hand-made features of each token.

The features: the word, its parts and shape, its clusters (coarse to fine groups of word vectors), what the stages found
here and beside it, and the same of its neighbours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from spacy.lang.lex_attrs import word_shape
from spacy.tokens import Doc

from caseframe.errors import TrainingError
from caseframe.stages.entities import Features, stage_spans
from caseframe.stages.entity_network import Chain, Floats

CLUSTERS = (64, 256, 1000)
_MOST_WORDS = 45_000
_SURE = 0.97
"""A tag at least so probable counts as certain: asking for every marginal would take most of the time."""
_DIGIT = re.compile(r"\d")
Clusters = dict[str, tuple[int, ...]]


def learn_clusters(counts: Counter[str], features: Features, seed: int) -> Clusters:
    """Groups the most frequent words by the direction of their vectors, at three levels."""
    from sklearn.cluster import MiniBatchKMeans  # takes its time to load

    words = [word for word, _ in counts.most_common(_MOST_WORDS)]
    table = features.vectors_of(words)
    table = table / (np.linalg.norm(table, axis=1, keepdims=True) + 1e-6)
    groups = [
        MiniBatchKMeans(min(k, len(words)), random_state=seed, n_init=1, batch_size=4096, max_iter=20).fit_predict(
            table
        )
        for k in CLUSTERS
    ]
    return dict(zip(words, zip(*(group.tolist() for group in groups), strict=True), strict=True))


def fit_crf(docs: Sequence[Doc], tags: Sequence[Sequence[str]], clusters: Clusters, path: Path) -> None:
    """Trains on Docs with the tag of each token and writes the model. Raises TrainingError without python-crfsuite."""
    trainer = crfsuite().Trainer(verbose=False, algorithm="lbfgs")
    trainer.set_params({"c1": 0.05, "c2": 0.05, "max_iterations": 70, "feature.minfreq": 2})
    for doc, each in zip(docs, tags, strict=True):
        trainer.append(features_of(doc, clusters), list(each))
    trainer.train(str(path))


class CrfTeacher:
    """A trained CRF."""

    def __init__(self, path: Path, chain: Chain, clusters: Clusters) -> None:
        self._tagger = crfsuite().Tagger()
        self._tagger.open(str(path))
        self._chain = chain
        self._clusters = clusters

    def probabilities(self, doc: Doc) -> Floats:
        """The probability of each tag for each token."""
        tagger, index = self._tagger, self._chain.index
        table = np.zeros((len(doc), len(index)), "f")
        for n, tag in enumerate(tagger.tag(features_of(doc, self._clusters))):
            if tagger.marginal(tag, n) >= _SURE:
                table[n, index[tag]] = 1
            else:
                for label in tagger.labels():
                    table[n, index[label]] = tagger.marginal(label, n)
        return table


def crfsuite() -> Any:
    """The package; raises TrainingError where it is not installed."""
    try:
        import pycrfsuite
    except ImportError:
        raise TrainingError(
            "The CRF teacher needs the package python-crfsuite",
            "pip install 'caseframe[train]', or set crf: false in the config",
        ) from None
    return pycrfsuite


def features_of(doc: Doc, clusters: Clusters) -> list[list[str]]:
    """The features of each token of a Doc that the stages have passed."""
    seen = _Seen(doc, clusters)
    return [[*seen.own(n), *seen.beside(n)] for n in range(len(doc))]


class _Seen:
    """What there is to see of each token of a Doc."""

    def __init__(self, doc: Doc, clusters: Clusters) -> None:
        self.words = [token.text for token in doc]
        self.lower = [_DIGIT.sub("0", token.lower_) for token in doc]
        self.groups = [clusters.get(token.lower_, ()) for token in doc]
        self.spans: list[list[str]] = [[] for _ in doc]
        for name, start, end in stage_spans(doc):
            for n in range(start, end):
                self.spans[n].append(f"{name}{'B' if n == start else 'I'}{'E' if n == end - 1 else ''}")
        general = (span for span in doc.spans.get("narrative", ()) if span.label_ == "general")
        self.general = {n for span in general for n in range(span.start, span.end)}

    def own(self, n: int) -> Iterator[str]:
        """Features of the token itself."""
        word = self.lower[n]
        yield from ("bias", f"w={word}", f"shape={word_shape(self.words[n])}", *self.spans[n])
        yield from (f"p{k}={word[:k]}" for k in (3, 4))
        yield from (f"s{k}={word[-k:]}" for k in (2, 3, 4, 5))
        yield from (f"c{k}={group}" for k, group in enumerate(self.groups[n]))
        if "-" in word[1:-1]:
            yield from (f"head={word.rsplit('-', 1)[1]}", f"first={word.split('-')[0]}")
        if n in self.general:
            yield "general"

    def beside(self, n: int) -> Iterator[str]:
        """Features of its neighbours, two to each side."""
        for step in (-2, -1, 1, 2):
            at = n + step
            if not 0 <= at < len(self.lower):
                yield f"{step}end"
                continue
            yield f"{step}w={self.lower[at]}"
            yield from (f"{step}c{k}={group}" for k, group in enumerate(self.groups[at]))
            yield from (f"{step}{name}" for name in self.spans[at])
            if abs(step) == 1:
                yield f"{step}s3={self.lower[at][-3:]}"
        if n:
            yield f"-1w={self.lower[n - 1]}|{self.lower[n]}"
        if n + 1 < len(self.lower):
            yield f"1w={self.lower[n]}|{self.lower[n + 1]}"
