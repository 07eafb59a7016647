"""Vectors of any word, from the rows of a table that its parts name by their hashes (floret).

The same as spaCy's `Vectors` in that mode gives, in a quarter of the time: all parts of many words are hashed at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.vectors import Vectors  # type: ignore[import-not-found]
from thinc.api import NumpyOps

Numbers = NDArray[np.int64]
Codes = NDArray[np.uint64]
_OPS = NumpyOps()
# Of MurmurHash3_x64_128; a code is eight bytes, of which a mask leaves the first ones.
_BLOCK = 16
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(9)], "uint64")
_FACTORS = np.array([0x87C37B91114253D5, 0x4CF5AD432745937F], "uint64")
_FINAL = np.array([0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53], "uint64")
_ADDED = np.array([0x52DCE729, 0x38495AB5], "uint64")
_FIVE, _HALF = np.uint64(5), np.uint64(33)


def vectors_of(vectors: Vectors, words: Sequence[str]) -> NDArray[np.float32]:
    """The vector of each word, none of which is empty: the mean of the rows that the word and its parts name."""
    keys = [f"{vectors.bow}{word}{vectors.eow}" for word in words]
    text = "".join(keys).encode()
    # All in characters at first: where they begin, of which word they are, and how many of it are left.
    begins = np.append(np.flatnonzero(np.frombuffer(text, "uint8") & 0xC0 != 0x80), len(text))
    sizes = np.fromiter(map(len, keys), "int64", len(keys))
    ends = sizes.cumsum()
    word = np.repeat(np.arange(len(keys)), sizes)
    left = ends[word] - np.arange(len(word))
    parts = [(np.flatnonzero(left >= size), size) for size in range(vectors.minn, vectors.maxn + 1)]
    first = np.concatenate([ends - sizes, *(each for each, _ in parts)])
    last = np.concatenate([ends, *(each + size for each, size in parts)])
    order = np.argsort(word[first], kind="stable")
    start, end = begins[first[order]], begins[last[order]]
    rows = murmur(text, start, end - start, vectors.hash_seed)[:, : vectors.hash_count] % len(vectors.data)
    counts = np.bincount(word[first], minlength=len(keys)) * vectors.hash_count
    means: NDArray[np.float32] = _OPS.reduce_mean(vectors.data[rows.ravel()], counts.astype("int32"))
    return means


def murmur(text: bytes, starts: Numbers, lengths: Numbers, seed: int) -> NDArray[np.uint32]:
    """MurmurHash3_x64_128 of pieces of a text: four parts of 32 bits each, a row a piece."""
    padded = text + bytes(2 * _BLOCK)
    codes: Codes = np.ndarray(len(text) + _BLOCK + 1, "<u8", padded, strides=(1,))
    one, two = np.full((2, len(starts)), seed, "uint64")
    for passed in range(0, int(lengths.max(initial=0)) + 1, _BLOCK):
        at = np.flatnonzero(lengths > passed)
        here, left = starts[at] + passed, lengths[at] - passed
        whole = at[left >= _BLOCK]
        one[at] ^= _scrambled(codes[here] & _MASKS[np.minimum(left, 8)], 31, _FACTORS)
        one[whole] = (_rotated(one[whole], 27) + two[whole]) * _FIVE + _ADDED[0]
        two[at] ^= _scrambled(codes[here + 8] & _MASKS[np.clip(left - 8, 0, 8)], 33, _FACTORS[::-1])
        two[whole] = (_rotated(two[whole], 31) + one[whole]) * _FIVE + _ADDED[1]
    one ^= lengths.astype("uint64")
    two ^= lengths.astype("uint64")
    one += two
    two += one
    one, two = _finished(one), _finished(two)
    one += two
    two += one
    return np.stack([one, two], axis=1).astype("<u8").view("<u4")


def _scrambled(codes: Codes, bits: int, factors: Codes) -> Codes:
    scrambled: Codes = _rotated(codes * factors[0], bits) * factors[1]
    return scrambled


def _rotated(codes: Codes, bits: int) -> Codes:
    return codes << np.uint64(bits) | codes >> np.uint64(64 - bits)


def _finished(codes: Codes) -> Codes:
    for factor in _FINAL:
        codes = (codes ^ codes >> _HALF) * factor
    return codes ^ codes >> _HALF
