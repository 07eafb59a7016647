"""Unmarked articles for training, and the word vectors that are learned from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path

import numpy as np
from spacy.vectors import Vectors as SpacyVectors  # type: ignore[import-not-found]

from caseframe.errors import TrainingError
from caseframe.schema import Article
from caseframe.sources import ReadOptions, iter_inputs, open_articles
from caseframe.stages.entities import Features, floret_vectors
from caseframe.stages.tokenizer import blank
from caseframe.training.job import Texts, Vectors

_OFTEN = 5
"""Rarer words are not learned as words, only by their parts."""


def keys_of(article: Article) -> tuple[str, str]:
    """What tells an article: its id, and its text, however it is broken into lines."""
    return article.article_id, " ".join(article.text.split())


def read_texts(sources: Sequence[Texts], left_out: Set[str]) -> Iterator[str]:
    """The texts of articles; those with one of their `keys_of` in `left_out` are not read."""
    for source in sources:
        options = ReadOptions(columns=source.columns, body=source.body)
        for record in open_articles([str(path) for path in source.paths], options=options):
            if isinstance(record, Article) and left_out.isdisjoint(keys_of(record)):
                yield record.text


def digest_of(sources: Sequence[Texts]) -> str:
    """SHA-256 over the inputs' bytes."""
    digest = hashlib.sha256()
    for source in sources:
        for each in iter_inputs([str(path) for path in source.paths]):
            digest.update(each.sha256().encode())
    return digest.hexdigest()


def learn_vectors(settings: Vectors, texts: Iterable[str], folder: Path) -> Path:
    """Learns floret vectors (hashed parts of words, so that every word has one); gives the file they are in.

    Raises TrainingError where floret is not installed, and for texts without a word that occurs often enough.
    """
    try:
        import floret
    except ImportError:
        raise TrainingError("The word vectors need the package floret", "pip install 'caseframe[train]'") from None
    tokenize = blank().tokenizer
    corpus, target = folder / "corpus.txt", folder / "vectors.floret"
    with corpus.open("w", encoding="utf-8") as out:
        for text in texts:
            out.write(" ".join(token.lower_ for token in tokenize(text) if not token.is_space) + "\n")
    try:
        model = floret.train_unsupervised(
            str(corpus), model="skipgram", mode="floret", dim=settings.dimensions, bucket=settings.rows, hashCount=2,
            minn=4, maxn=5, minCount=_OFTEN, neg=10, ws=5, epoch=settings.epochs, lr=0.05, thread=settings.threads,
            verbose=0,
        )  # fmt: skip
    except ValueError as error:  # an empty vocabulary
        raise TrainingError(
            f"vectors.texts: no word occurs {_OFTEN} times", "Give more texts to learn vectors from"
        ) from error
    model.save_floret_vectors(str(target))
    corpus.unlink()
    return target


def read_vectors(path: Path, words: Sequence[str]) -> SpacyVectors:
    """Reads a floret file; the table is scaled so that the vectors of these words have a standard deviation of one."""
    with path.open(encoding="utf-8") as lines:
        _, _, minn, maxn, count, seed, bow, eow = lines.readline().split()
        table = np.array([line.split()[1:] for line in lines], dtype="float32")
    settings = {"minn": int(minn), "maxn": int(maxn), "hash_count": int(count), "hash_seed": int(seed)}
    deviation = Features([], floret_vectors(table, bow=bow, eow=eow, **settings)).vectors_of(words).std()
    return floret_vectors(table / deviation, bow=bow, eow=eow, **settings)
