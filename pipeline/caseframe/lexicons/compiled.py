"""Large lexicons, compiled once: a marisa trie over folded surfaces, and the terms in a file, read as texts name them.

A compiled lexicon is a folder beside its TSV, `NAME.compiled`, that says the hash of the TSV and of the folding it was
made with; where either has changed it is made anew. It is memory-mapped: processes that use it share its pages.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import marisa_trie
import numpy as np

from caseframe.lexicons import folding
from caseframe.lexicons.entries import Entry, Term, surface_variants
from caseframe.schema import Attributes

_FORMAT = 2
_END = "\x1f"  # of a part: no word holds it
_META = "meta.json"


class CompiledLexicon:
    """A compiled lexicon, opened."""

    def __init__(self, folder: Path) -> None:
        self._surfaces = marisa_trie.Trie().mmap(str(folder / "surfaces.marisa"))
        self._keys = marisa_trie.Trie().mmap(str(folder / "keys.marisa"))
        self._starts = np.load(folder / "starts.npy", mmap_mode="r")
        self._concepts = np.load(folder / "concepts.npy", mmap_mode="r")
        self._offsets = np.load(folder / "offsets.npy", mmap_mode="r")
        self._firsts = frozenset((folder / "firsts.txt").read_text(encoding="utf-8").split("\n"))
        with (folder / "concepts.jsonl").open("rb") as stream:
            self._records = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        self._longest = int(meta["longest"])
        self.concepts = int(meta["concepts"])
        self.surfaces = int(meta["surfaces"])

    def matches(self, parts: Sequence[str]) -> Iterator[tuple[int, int, list[str]]]:
        """All hits in a list of folded parts, as (start, end, term keys)."""
        for start, part in enumerate(parts):
            if part not in self._firsts:
                continue
            for surface in self._surfaces.prefixes(_END.join(parts[start : start + self._longest]) + _END):
                number = self._surfaces[surface]
                concepts = self._concepts[self._starts[number] : self._starts[number + 1]]
                keys = [self._keys.restore_key(int(concept)) for concept in concepts]
                yield start, start + surface.count(_END), keys

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def term(self, key: str) -> Term:
        """The term of a key."""
        preferred, field, code, attributes, lexicon, _ = self._record(key)
        return Term(preferred, field, code, Attributes(attributes), lexicon)

    def entries(self, key: str) -> list[Entry]:
        """The surface forms of a term, as the TSV gives them."""
        term = self.term(key)
        return [Entry(surface, term) for surface in self._record(key)[5]]

    def _record(self, key: str) -> tuple[str, str, str, dict[str, str], str, list[str]]:
        number = self._keys[key]
        record = json.loads(self._records[self._offsets[number] : self._offsets[number + 1]])
        return tuple(record)


def compiled_path(path: Path) -> Path:
    """Where the compiled form of a lexicon file lies."""
    return path.with_suffix(".compiled")


def open_compiled(path: Path) -> CompiledLexicon | None:
    """The compiled form of a lexicon file; None where there is none, or it was made from other rows."""
    folder = compiled_path(path)
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        return CompiledLexicon(folder) if meta.get("made_from") == _made_from(path) else None
    except (OSError, ValueError, KeyError, RuntimeError):  # RuntimeError: marisa's for a damaged file
        return None


@contextmanager
def put_whole(folder: Path) -> Iterator[Path]:
    """A folder to write into, which in the end takes the place of `folder`, whole or not at all.

    Raises OSError where it cannot.
    """
    made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        yield made
        made.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def compile_lexicon(path: Path, entries: Iterable[Entry]) -> CompiledLexicon:
    """Compiles the entries of the lexicon file `path` and writes them beside it, whole or not at all.

    Raises OSError where it cannot be written.
    """
    folder = compiled_path(path)
    with put_whole(folder) as made:
        _write(made, path, entries)
    return CompiledLexicon(folder)


def _write(folder: Path, path: Path, entries: Iterable[Entry]) -> None:
    terms: dict[str, Term] = {}
    forms: dict[str, list[str]] = {}
    named: dict[str, dict[str, str]] = {}  # folded surface to the term of each field
    longest = 0
    for entry in entries:
        term = entry.term
        terms[term.key] = term
        forms.setdefault(term.key, []).append(entry.surface)
        for parts in surface_variants(entry.surface):
            of_field = named.setdefault("".join(part + _END for part in parts), {})
            of_field.pop(term.field, None)  # the last one has the last word, and stands last
            of_field[term.field] = term.key
            longest = max(longest, len(parts))
    keys, surfaces = marisa_trie.Trie(terms), marisa_trie.Trie(named)
    keys.save(str(folder / "keys.marisa"))
    surfaces.save(str(folder / "surfaces.marisa"))
    _write_ragged(
        folder, [[keys[key] for key in named[surfaces.restore_key(i)].values()] for i in range(len(surfaces))]
    )
    firsts = {surface.partition(_END)[0] for surface in named}
    (folder / "firsts.txt").write_text("\n".join(sorted(firsts)), encoding="utf-8")
    offsets = [0]
    with (folder / "concepts.jsonl").open("wb") as stream:
        for number in range(len(keys)):
            term = terms[keys.restore_key(number)]
            record = [term.preferred, term.field, term.code, dict(term.attributes), term.lexicon, forms[term.key]]
            offsets.append(offsets[-1] + stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n"))
    np.save(folder / "offsets.npy", np.array(offsets, dtype=np.int64))
    meta = {"made_from": _made_from(path), "concepts": len(keys), "surfaces": len(surfaces), "longest": longest}
    (folder / _META).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def _write_ragged(folder: Path, rows: Sequence[Sequence[int]]) -> None:
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    np.save(folder / "starts.npy", starts)
    np.save(folder / "concepts.npy", np.array([number for row in rows for number in row], dtype=np.int32))


def _made_from(path: Path) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {_folding_hash()} ".encode())
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@cache
def _folding_hash() -> str:
    return hashlib.sha256(Path(folding.__file__).read_bytes()).hexdigest()
