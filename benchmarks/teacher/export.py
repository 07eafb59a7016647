"""What teachers on a GPU learn from, as one file of numbers: texts as numbered words, what the stages found, spans.

    python benchmarks/teacher/export.py configs/train/entities.yaml outputs/teacher/corpus.npz.xz \
        --beside configs/train/maccrobat.yaml configs/train/ncbi_disease.yaml configs/train/bc5cdr.yaml

Every text is cut and passed through the stages here, so that the GPU machine needs neither spaCy nor CaseFrame. The dev
set is there to be measured on; its texts are in nothing that is learned from. `--beside` names training configs whose
corpora are learned beside the main one, each by a head of its own.
"""

from __future__ import annotations

import argparse
import io
import lzma
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import NumpyOps

from caseframe.evaluation.run import load_spans_of
from caseframe.pipeline import assemble_stages
from caseframe.stages.entities import EntityFinder, Features, shipped_weights, views_of
from caseframe.stages.entity_network import VIEWS, Chain, Shape
from caseframe.stages.extensions import bounds_of_sentences
from caseframe.stages.tokenizer import blank
from caseframe.training.fit import UNKNOWN, example, feature_names
from caseframe.training.job import TrainConfig, load_training
from caseframe.training.marks import digest_of_text
from caseframe.training.texts import keys_of, read_texts

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from cross_entities import PARTS, names_in_order

BREAK = "\n"
LONGEST = 6000
"""Characters of the longest unmarked text."""
Array = NDArray[Any]


class Words:
    """Numbers for words, in the order of their first use."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {BREAK: 0}

    def number(self, words: Iterable[str]) -> list[int]:
        index = self.index
        return [index.setdefault(word, len(index)) for word in words]

    def spelled(self) -> Array:
        """All of them, a null byte between."""
        return _spelled(self.index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--beside", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    config = load_training(arguments.config)
    beside = [load_training(path) for path in arguments.beside]
    arrays = exported(config, beside)
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(lzma.compress(packed.getvalue(), preset=4))
    print({name: array.shape for name, array in arrays.items()}, arguments.out.stat().st_size)


def exported(config: TrainConfig, beside: Sequence[TrainConfig]) -> dict[str, Array]:
    """Every array of the file."""
    nlp = assemble_stages()
    dev = load_spans_of(config.dev)
    held_out = {key for article in dev.articles for key in keys_of(article)}
    sets, seen = [(config.types, dev.documents)], set(held_out)
    for job in (config, *beside):
        for corpus in map(load_spans_of, job.corpora):
            documents = tuple(each for each in corpus.documents if held_out.isdisjoint(keys_of(each.article)))
            sets.append((job.types, documents))
        if job is config:
            seen |= {key for _, documents in sets for each in documents for key in keys_of(each.article)}
    docs = [[nlp(document.article.text) for document in documents] for _, documents in sets]
    shipped = EntityFinder().read(shipped_weights()).features
    assert shipped is not None
    features = Features(feature_names(docs[1]), shipped.vectors)
    targets = [
        example(features, Chain(types), doc, [(span.start, span.end, span.type) for span in document.spans]).target
        for (types, documents), made in zip(sets, docs, strict=True)
        for document, doc in zip(documents, made, strict=True)
    ]
    texts = [text for text in read_texts(config.silver.texts, seen) if len(text) < LONGEST]
    every = [*(doc for made in docs for doc in made), *map(nlp, texts)]
    kinds = [kind for kind, made in enumerate(docs) for _ in made]
    lower, surface = Words(), Words()
    return {
        **_tokens(every, features, lower, surface),
        **_looks(features, lower, surface),
        "language": _language(config, held_out, lower),
        "words": lower.spelled(),
        "kinds": np.array(kinds + [-1] * len(texts), dtype="int8"),
        "parts": _parts(config, [document.article.article_id for document in sets[1][1]]),
        "targets": np.concatenate(targets).astype("uint8"),
        "features": _spelled(features.names),
        "types": _spelled("|".join(types) for types, _ in sets),
        "digests": np.array([digest_of_text(text) for text in texts]),
    }


def _parts(config: TrainConfig, names: Sequence[str]) -> Array:
    """The part of each article of the main corpus."""
    place = {name: number % PARTS for number, name in enumerate(names_in_order(config))}
    return np.array([place[name] for name in names], dtype="int8")


def _tokens(docs: Sequence[Doc], features: Features, lower: Words, surface: Words) -> dict[str, Array]:
    """The tokens of all Docs end to end, as `surface` words; what the stages found as bits; where sentences end."""
    width = features.vectors.shape[1]
    tokens, found, sentences, ends = [], [], [], []
    total = 0
    for doc in docs:
        tokens += surface.number(token.text for token in doc)
        found.append(np.packbits(features.of(doc)[1][:, width:] > 0, axis=1))
        sentences += [total + end for _, end in bounds_of_sentences(doc)]
        total += len(doc)
        ends.append(total)
    return {
        "tokens": np.array(tokens, dtype="uint32"),
        "found": np.concatenate(found),
        "found_size": np.array(features.size),
        "sentences": np.array(sentences, dtype="uint32"),
        "ends": np.array(ends, dtype="uint32"),
        "lower": np.array(lower.number(word.lower() for word in surface.index), dtype="uint32"),
    }


def _looks(features: Features, lower: Words, surface: Words) -> dict[str, Array]:
    """The rows of the hashed views of each surface word, last of a hidden one; the vectors in 8 bits."""
    ops = NumpyOps()
    hidden = (UNKNOWN,) * len(VIEWS)
    views = np.array([*map(views_of, surface.index), hidden], dtype="uint64")
    rows = [ops.hash(np.ascontiguousarray(views[:, n]), n + 1) % size for n, size in enumerate(Shape(1, 1).rows)]
    vectors = features.vectors_of(list(lower.index))
    scale = np.abs(vectors).max(0) / 127
    return {
        "rows": np.stack(rows, axis=1).astype("uint16"),
        "vectors": np.rint(vectors / scale).astype("int8"),
        "scale": scale,
    }


def _language(config: TrainConfig, held_out: set[str], lower: Words) -> Array:
    """All unmarked texts end to end as lower-cased words, `BREAK` between texts and for white space."""
    tokenize = blank().tokenizer
    stream: list[Array] = []
    for text in read_texts(config.vectors.texts, held_out):
        words = (BREAK if token.is_space else token.lower_ for token in tokenize(text))
        stream.append(np.array([*lower.number(words), 0], dtype="uint32"))
    return np.concatenate(stream)


def _spelled(words: Iterable[str]) -> Array:
    return np.frombuffer("\0".join(words).encode(), dtype="uint8")


if __name__ == "__main__":
    main()
