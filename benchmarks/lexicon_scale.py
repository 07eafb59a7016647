"""Lexicons of 10,000 to a million terms: seconds to load, memory, and terms and words a second, as rows and compiled.

    python benchmarks/lexicon_scale.py [10000 100000 1000000]

The terms are made of the words of the shipped lexicons by chance, the same each time. Each measurement is a
process of its own.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from caseframe.lexicons import CompiledLexicon, Lexicon, builtin_entries, load_lexicon, read_lexicon
from caseframe.lexicons.compiled import compile_lexicon

SIZES = (10_000, 100_000, 1_000_000)
WORDS_OF_TEXT = 200_000


def words() -> list[str]:
    return sorted({word for entry in builtin_entries() for word in entry.surface.lower().split() if word.isalpha()})


def write(path: Path, size: int) -> None:
    """A lexicon of so many terms, three to a concept."""
    chance, known = random.Random(1), words()
    surfaces: dict[str, None] = {}
    while len(surfaces) < size:
        surfaces[" ".join(chance.choices(known, k=chance.choice((2, 2, 3, 3, 4))))] = None
    with path.open("w", encoding="utf-8") as stream:
        stream.write("term\tpreferred\tfield\tcode\tattributes\n")
        preferred = ""
        for number, surface in enumerate(surfaces):
            preferred = preferred if number % 3 else surface
            code = "" if number % 3 else f"X:{number}"
            stream.write(f"{surface}\t{preferred}\tdiagnosis\t{code}\t\n")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(path: Path) -> None:
    """Prints seconds to load, MiB it took, and words of text matched a second."""
    known, before, began = words(), peak_mib(), time.process_time()
    loaded = load_lexicon(path)
    lexicon = Lexicon((), [loaded]) if isinstance(loaded, CompiledLexicon) else Lexicon(loaded)
    seconds, text = time.process_time() - began, random.Random(2).choices(known, k=WORDS_OF_TEXT)
    began = time.process_time()
    hits = sum(1 for _ in lexicon.matches(text))
    rate = WORDS_OF_TEXT / (time.process_time() - began)
    print(f"{seconds:8.2f} s  {peak_mib() - before:8.0f} MiB  {rate:10,.0f} words/s  {hits} hits", flush=True)


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
        return
    for size in map(int, sys.argv[1:] or SIZES):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.tsv"
            write(path, size)
            for name in ("rows", "compiled"):
                if name == "compiled":
                    began = time.process_time()
                    compile_lexicon(path, read_lexicon(path))
                    print(f"{size:9,} compiling {time.process_time() - began:8.2f} s, once")
                print(f"{size:9,} {name:9}", end=" ", flush=True)
                subprocess.run([sys.executable, "-W", "ignore", __file__, "--measure", str(path)], check=True)


if __name__ == "__main__":
    main()
