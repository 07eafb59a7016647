"""Lexicons of 10,000 to a million terms, matched in four ways: seconds to load, memory, milliseconds an abstract.

    python benchmarks/lexicon_scale.py [10000 100000 1000000]

`rows`: the trie of dicts that a lexicon file becomes; `compiled`: the memory-mapped trie that an import writes;
`phrases`: spaCy's PhraseMatcher over lower-case tokens; `automaton`: an Aho-Corasick automaton over the folded text,
with blanks as bounds (`pip install ahocorasick-rs`; left out where it is missing). Terms are made of the words of the
shipped lexicons by chance, abstracts of such words and such terms, the same each time. Folding and tokenizing, which
the pipeline does once for all its stages, are no part of the times. Memory is what loading adds (Linux). The
PhraseMatcher neither folds number and spelling nor sees through hyphens. Each measurement is a process of its own.
"""

from __future__ import annotations

import gc
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import spacy
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from caseframe.lexicons import CompiledLexicon, Lexicon, builtin_entries, load_lexicon, read_lexicon, surface_parts
from caseframe.lexicons.compiled import compile_lexicon

SIZES = (10_000, 100_000, 1_000_000)
ABSTRACTS, LENGTH = 500, 250
"""So many abstracts of so many words."""
TERM_EVERY = 12
WAYS = ("rows", "compiled", "phrases", "automaton")
Matcher = Callable[[list[str]], int]
"""Hits in the words of an abstract."""


def words() -> list[str]:
    return sorted({word for entry in builtin_entries() for word in entry.surface.lower().split() if word.isalpha()})


def made_terms(size: int) -> list[str]:
    """So many terms of two to four words."""
    chance, known = random.Random(1), words()
    surfaces: dict[str, None] = {}
    while len(surfaces) < size:
        surfaces[" ".join(chance.choices(known, k=chance.choice((2, 2, 3, 3, 4))))] = None
    return list(surfaces)


def write(path: Path, size: int) -> None:
    """A lexicon of so many terms, three to a concept."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("term\tpreferred\tfield\tcode\tattributes\n")
        preferred = ""
        for number, surface in enumerate(made_terms(size)):
            preferred = preferred if number % 3 else surface
            code = "" if number % 3 else f"X:{number}"
            stream.write(f"{surface}\t{preferred}\tdiagnosis\t{code}\t\n")


def abstracts(terms: list[str]) -> list[list[str]]:
    """Texts as lists of words, with a term now and then."""
    chance, known = random.Random(2), words()
    made = []
    for _ in range(ABSTRACTS):
        text: list[str] = []
        while len(text) < LENGTH:
            text += chance.choice(terms).split() if chance.randrange(TERM_EVERY) == 0 else [chance.choice(known)]
        made.append(text)
    return made


def of_lexicon(path: Path) -> Matcher:
    loaded = load_lexicon(path)
    lexicon = Lexicon((), [loaded]) if isinstance(loaded, CompiledLexicon) else Lexicon(loaded)
    return lambda parts: sum(1 for _ in lexicon.matches(parts))


def of_phrases(path: Path) -> Matcher:
    nlp = spacy.blank("en")
    matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
    for surface in surfaces_of(path):
        matcher.add(surface, [Doc(nlp.vocab, surface.split())])
    docs: dict[int, Doc] = {}

    def match(parts: list[str]) -> int:
        return len(matcher(docs[id(parts)]))

    match.prepare = lambda texts: docs.update((id(text), Doc(nlp.vocab, text)) for text in texts)  # type: ignore[attr-defined]
    return match


def of_automaton(path: Path) -> Matcher:
    from ahocorasick_rs import AhoCorasick

    automaton = AhoCorasick([f" {' '.join(surface_parts(surface))} " for surface in surfaces_of(path)])
    return lambda parts: len(automaton.find_matches_as_indexes(f" {' '.join(parts)} ", overlapping=True))


def surfaces_of(path: Path) -> Iterable[str]:
    with path.open(encoding="utf-8") as stream:
        next(stream)
        yield from (line.partition("\t")[0] for line in stream)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def measure(path: Path, way: str) -> None:
    """Prints how fast a way loads, the MiB it took, and the milliseconds of an abstract."""
    texts = abstracts(list(surfaces_of(path)))
    gc.collect()
    if way != "phrases":
        texts = [[part for word in text for part in surface_parts(word)] for text in texts]
    size = sum(1 for _ in surfaces_of(path))
    before, began = resident_mib(), time.process_time()
    match = {"phrases": of_phrases, "automaton": of_automaton}.get(way, of_lexicon)(path)
    seconds = time.process_time() - began
    memory = resident_mib() - before
    getattr(match, "prepare", lambda texts: None)(texts)
    began = time.process_time()
    hits = sum(map(match, texts))
    each = (time.process_time() - began) / len(texts)
    print(
        f"{size / seconds:12,.0f} terms/s  {seconds:7.2f} s  {memory:6.0f} MiB  {each * 1000:7.3f} ms/abstract  "
        f"{hits} hits",
        flush=True,
    )


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), sys.argv[3])
        return
    for size in map(int, sys.argv[1:] or SIZES):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.tsv"
            write(path, size)
            for way in WAYS:
                if way == "automaton" and find_spec("ahocorasick_rs") is None:
                    continue
                if way == "compiled":
                    began = time.process_time()
                    compile_lexicon(path, read_lexicon(path))
                    print(f"{size:9,} compiling {time.process_time() - began:8.2f} s, once")
                print(f"{size:9,} {way:9}", end=" ", flush=True)
                subprocess.run([sys.executable, "-W", "ignore", __file__, "--measure", str(path), way], check=True)


if __name__ == "__main__":
    main()
