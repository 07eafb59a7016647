"""What export.py wrote, as arrays; the word pieces of the language model; stretches of text that fit its window.

python benchmarks/teacher/corpus.py corpus.npz.xz pieces.npz     # needs tokenizers
"""

from __future__ import annotations

import io
import lzma
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PAD, MASK, BREAK, SPECIAL = 0, 1, 2, 3
VOCABULARY = 16_384
WINDOW = 512
LONGEST_SENTENCE = 128
DEV, MAIN, UNMARKED = 0, 1, -1
"""Kinds of Docs; from 2 on those of the corpora beside the main one."""
Array = Any


@dataclass(frozen=True)
class Segment:
    """Tokens `start` to `end` of the corpus, of Doc number `doc`; whole sentences, or the pieces of a very long one."""

    doc: int
    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]


class Corpus:
    """The arrays of export.py, and where each Doc is."""

    def __init__(self, path: str | Path) -> None:
        with lzma.open(path) as packed:
            arrays = np.load(io.BytesIO(packed.read()))
        self.tokens, self.lower, self.rows = arrays["tokens"], arrays["lower"], arrays["rows"]
        self.found, self.found_size = arrays["found"], int(arrays["found_size"])
        self.vectors, self.scale = arrays["vectors"], arrays["scale"]
        self.language = arrays["language"]
        self.words = bytes(arrays["words"]).decode().split("\0")
        self.types = [names.split("|") for names in bytes(arrays["types"]).decode().split("\0")]
        self.kinds, self.parts, self.targets = arrays["kinds"], arrays["parts"], arrays["targets"]
        self.digests, self.features = arrays["digests"], arrays["features"]
        self.ends = arrays["ends"].astype("int64")
        self.starts = np.concatenate([[0], self.ends[:-1]])
        self._sentences = arrays["sentences"].astype("int64")

    def docs(self, kind: int) -> list[int]:
        """The numbers of the Docs of a kind."""
        return np.flatnonzero(self.kinds == kind).tolist()

    def part(self, number: int, *, inside: bool) -> list[int]:
        """The main corpus's Docs in a part, or outside it."""
        main = np.array(self.docs(MAIN))
        return main[(self.parts == number) == inside].tolist()

    def sentences(self, doc: int) -> list[tuple[int, int]]:
        """Bounds of the sentences of a Doc, none longer than `LONGEST_SENTENCE`."""
        start, end = int(self.starts[doc]), int(self.ends[doc])
        a, b = np.searchsorted(self._sentences, (start, end), side="right")
        found = []
        for stop in self._sentences[a : b + 1].tolist():
            while start < min(stop, end):
                found.append((start, min(stop, end, start + LONGEST_SENTENCE)))
                start = found[-1][1]
        return found

    def segments(self, docs: Sequence[int], sizes: Array, most: int = WINDOW) -> list[Segment]:
        """Docs in stretches of at most `most` pieces; `sizes` is the number of pieces of each token."""
        made = []
        total = np.concatenate([[0], np.cumsum(sizes)])
        for doc in docs:
            group: list[tuple[int, int]] = []
            parts = -(-int(total[self.ends[doc]] - total[self.starts[doc]]) // most)
            room = most if parts < 2 else int((total[self.ends[doc]] - total[self.starts[doc]]) / parts * 1.1)
            for start, end in self.sentences(doc):
                if group and total[end] - total[group[0][0]] > min(room, most):
                    made.append(Segment(doc, group[0][0], start, tuple(group)))
                    group = []
                group.append((start, end))
            if group:
                made.append(Segment(doc, group[0][0], group[-1][1], tuple(group)))
        return made


class Pieces:
    """The pieces of each word."""

    def __init__(self, path: str | Path) -> None:
        arrays = np.load(path)
        self.offsets, self.ids = arrays["offsets"].astype("int64"), arrays["ids"].astype("int64")
        self.sizes = np.diff(self.offsets)

    def of(self, words: Array) -> tuple[Array, Array]:
        """The pieces of words end to end, and where each word begins among them."""
        sizes = self.sizes[words]
        begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        place = np.arange(int(sizes.sum())) - np.repeat(begins, sizes) + np.repeat(self.offsets[words], sizes)
        return self.ids[place], begins


def learn_pieces(corpus: Corpus, path: Path) -> None:
    """Learns byte-pair pieces from how often each word occurs, and cuts every word into them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    counts = np.bincount(corpus.language, minlength=len(corpus.words))
    tokenizer = Tokenizer(models.BPE(unk_token="[BREAK]", continuing_subword_prefix="##"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["[PAD]", "[MASK]", "[BREAK]"],
        continuing_subword_prefix="##",
        limit_alphabet=300,
        show_progress=False,
    )

    def repeated() -> Iterator[str]:
        for word, count in zip(corpus.words[1:], counts[1:].tolist(), strict=True):
            if count > 2:
                yield " ".join([word] * count)

    tokenizer.train_from_iterator(repeated(), trainer)
    found = [encoded.ids[:12] or [BREAK] for encoded in tokenizer.encode_batch(corpus.words)]
    offsets = np.cumsum([0, *map(len, found)])
    np.savez_compressed(path, offsets=offsets.astype("uint32"), ids=np.concatenate(found).astype("uint16"))


if __name__ == "__main__":
    learn_pieces(Corpus(sys.argv[1]), Path(sys.argv[2]))
