"""Names by their normal form: an index of what concepts a form names, and of the words, to mend their spelling.

The index of a compiled lexicon lies in its folder and is memory-mapped; that of the shipped lexicons lies beside them
as compiled modules lie beside theirs, where the folder can be written, and is made anew when a word of them changes.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import marisa_trie
import numpy as np
from numpy.typing import NDArray

from caseframe.lexicons import builtin_paths, folding, normal, read_lexicon
from caseframe.lexicons.compiled import compiled_path, put_whole
from caseframe.lexicons.entries import Entry
from caseframe.lexicons.normal import normal_words

_FORMAT = 1
_PART = "\x1f"
_BUCKETS = 1 << 16
_HASH = "made_from.txt"
# A word is misspelt for another where they share this much of their three-letter pieces, and the first letters.
_LEAST_ALIKE = 0.72
_SAME_START = 3
_SHORTEST = 6
_ENDINGS = frozenset("tous ous al ic e".split())


class Concept(NamedTuple):
    """What a form names: a term of a lexicon."""

    name: str
    code: str
    field: str
    behavior: str = ""
    """Of a tumor."""


class Names:
    """The names of concepts, by field and normal form."""

    def __init__(self, folder: Path) -> None:
        self._forms = marisa_trie.BytesTrie().mmap(str(folder / "forms.marisa"))
        self._words = marisa_trie.Trie().mmap(str(folder / "words.marisa"))
        self._starts, self._postings, self._sizes = (
            np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)
            for name in ("gram_starts", "gram_words", "word_grams")
        )

    def of(self, field: str, words: Iterable[str]) -> list[Concept]:
        """The concepts of a field that the words, in any order, name; those whose own name it is first."""
        cells = self._forms.get(_PART.join((field, *sorted(words))), ())
        return [Concept(*cell.decode()[1:].split(_PART)) for cell in sorted(cells)]

    def __contains__(self, word: str) -> bool:
        return word in self._words

    def nearest(self, word: str) -> str:
        """The word of the names that is spelled nearly so; empty where there is none."""
        if len(word) < _SHORTEST or not word.isalpha():
            return ""
        grams = _grams(word)
        found = np.concatenate([self._postings[self._starts[gram] : self._starts[gram + 1]] for gram in grams])
        if not len(found):
            return ""
        numbers, shared = np.unique(found, return_counts=True)
        alike = 2 * shared / (self._sizes[numbers] + len(grams))
        for place in np.argsort(-alike, kind="stable")[:5]:
            if alike[place] < _LEAST_ALIKE:
                break
            other = str(self._words.restore_key(int(numbers[place])))
            if _spelled_alike(word, other):
                return other
        return ""


def _shared(word: str, other: str) -> int:
    """How many letters two words begin with alike."""
    pairs = enumerate(zip(word, other, strict=False))
    return next((place for place, (one, two) in pairs if one != two), min(len(word), len(other)))


def _spelled_alike(word: str, other: str) -> bool:
    """Whether two words differ by one slip or by an adjective's ending: not -stomy and -tomy, nor their beginnings."""
    if word.endswith("stomy") != other.endswith("stomy"):
        return False
    if word.startswith(other):
        return word[len(other) :] in _ENDINGS
    start = _shared(word, other)
    end = _shared(word[: start - 1 : -1], other[: start - 1 : -1])
    slips = word[start : len(word) - end], other[start : len(other) - end]
    one_letter = max(map(len, slips)) <= 1 or (len(slips[0]) == 2 and slips[0] == slips[1][::-1])
    return start >= _SAME_START and one_letter


def _grams(word: str) -> list[int]:
    padded = f" {word} "
    return sorted({crc32(padded[i : i + 3].encode()) % _BUCKETS for i in range(len(padded) - 2)})


@cache
def site_nouns() -> dict[str, tuple[str, ...]]:
    """The words of the names of sites by the single words that mean them: `ovarian` is `ovary`, `renal` `kidney`."""
    path = next(path for path in builtin_paths() if path.name == "sites.tsv")
    words = [(normal_words(entry.surface), normal_words(entry.term.preferred)) for entry in read_lexicon(path)]
    return {word[0]: name for word, name in words if len(word) == 1}


def with_nouns(words: Iterable[str]) -> tuple[str, ...]:
    """Words of a normal form with the words for sites as those of their names."""
    nouns = site_nouns()
    return tuple(sorted({part for word in words for part in nouns.get(word, (word,))}))


def write_names(folder: Path, entries: Iterable[Entry]) -> None:
    """Writes the index of some entries into a folder that is there. Raises OSError where it cannot be written."""
    forms: dict[tuple[str, ...], dict[str, None]] = {}
    words: dict[str, None] = {}
    for entry in entries:
        term = entry.term
        form = normal_words(entry.surface)
        nouns = form if term.field == "site" else with_nouns(form)
        own = "0" if entry.surface == term.preferred else "1"
        parts = (own + term.preferred, term.code, term.field, str(term.attributes.get("behavior", "")))
        cell = _PART.join(part.replace(_PART, " ") for part in parts)
        for each in (form, nouns):
            forms.setdefault((term.field, *each), {})[cell] = None
        words.update(dict.fromkeys((*form, *nouns)))
    pairs = [(_PART.join(form), cell.encode()) for form, cells in forms.items() for cell in cells]
    marisa_trie.BytesTrie(pairs).save(str(folder / "forms.marisa"))
    trie = marisa_trie.Trie(words)
    trie.save(str(folder / "words.marisa"))
    grams = [_grams(trie.restore_key(number)) for number in range(len(trie))]
    _write_grams(folder, grams)


def _write_grams(folder: Path, grams: Sequence[Sequence[int]]) -> None:
    sizes = np.array([len(each) for each in grams], dtype=np.int32)
    flat: NDArray[np.int64] = np.array([gram for each in grams for gram in each], dtype=np.int64)
    owners = np.repeat(np.arange(len(grams), dtype=np.int32), sizes)
    order = np.argsort(flat, kind="stable")
    np.save(folder / "gram_words.npy", owners[order])
    starts = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=_BUCKETS))])
    np.save(folder / "gram_starts.npy", starts.astype(np.int64))
    np.save(folder / "word_grams.npy", sizes)


def write_index(folder: Path, sources: Sequence[Path], entries: Iterable[Entry]) -> None:
    """Writes the index of the entries of some files, with their hash, into a folder. Raises OSError."""
    folder.mkdir(exist_ok=True)
    write_names(folder, entries)
    (folder / _HASH).write_text(_made_from(sources), encoding="utf-8")


def names_path(path: Path) -> Path:
    """Where the index of an imported lexicon lies: in its compiled form, and gone with it."""
    return compiled_path(path) / "names"


def open_names(folder: Path | None, sources: Sequence[Path], entries: Callable[[], Iterable[Entry]]) -> Names:
    """The index in `folder`, made of what `entries` gives where there is none, or it was made from other files.

    Where the folder cannot be written it is made in a temporary place and lives as long as the process.
    """
    try:
        if folder is not None and (folder / _HASH).read_text(encoding="utf-8") == _made_from(sources):
            return Names(folder)
    except (OSError, RuntimeError, ValueError, EOFError):  # RuntimeError: marisa's for a damaged file
        pass
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        made = Path(scratch)
        write_index(made, sources, entries())
        if folder is not None:
            with suppress(OSError), put_whole(folder) as copy:  # a place that only its owner can write stays as it is
                shutil.copytree(made, copy, dirs_exist_ok=True)
        return Names(made)  # what is mapped stays when its name goes


def _made_from(sources: Sequence[Path]) -> str:
    digest = hashlib.sha256(str(_FORMAT).encode())
    for path in (*sources, Path(folding.__file__), Path(normal.__file__), Path(__file__)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
