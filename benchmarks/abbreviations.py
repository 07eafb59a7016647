"""Abbreviation pairs on MED1250: precision, recall, F1 and time of our finder and of scispaCy's detector.

    python benchmarks/abbreviations.py DATA [--errors]

A pair is (PMID, short form, long form), compared without regard to case and with white space folded; a pair that an
article defines or lists twice counts once. `odd` and `even` are the articles by their place in the file: the finder's
weights were set on the odd ones, so the even ones are the fair figure.
"""

from __future__ import annotations

import argparse
import gzip
import re
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

import caseframe.stages.sentences
from caseframe.stages.abbreviations import find_definitions
from caseframe.stages.tokenizer import blank

assert caseframe.stages.sentences  # registers the factory

Pair = tuple[str, str]


def fold(text: str) -> str:
    return " ".join(text.lower().split())


def read_med1250(path: Path) -> Iterator[tuple[str, str, set[Pair]]]:
    """(pmid, title newline abstract, pairs) for each article."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        # An article begins with a line that is its PMID; blank lines stand within two abstracts.
        _, *pieces = re.split(r"^(\d+)\n", stream.read(), flags=re.MULTILINE)
    for pmid, block in zip(pieces[::2], pieces[1::2], strict=True):
        lines = [line for line in block.split("\n") if line.strip()]
        text = [line.strip() for line in lines if not line.startswith("  ")]
        pairs = (line.strip().split("|")[:2] for line in lines if line.startswith("  "))
        yield pmid, "\n".join(text), {(fold(short), fold(long)) for short, long in pairs}


def ours() -> tuple[Language, Callable[[Doc], set[Pair]]]:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    nlp.add_pipe("caseframe_abbreviations")

    def pairs(doc: Doc) -> set[Pair]:
        # As defined: the stage also marks plurals and later occurrences, which are no pairs of their own.
        found = find_definitions(doc.text, [sentence.start_char for sentence in doc.sents])
        return {(fold(doc.text[d.short_start : d.short_end]), fold(doc.text[d.long_start : d.long_end])) for d in found}

    return nlp, pairs


def scispacy() -> tuple[Language, Callable[[Doc], set[Pair]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import scispacy.abbreviation  # noqa: F401

    nlp = blank()
    nlp.add_pipe("abbreviation_detector", config={"make_serializable": True})
    return nlp, lambda doc: {(fold(x["short_text"]), fold(x["long_text"])) for x in doc._.abbreviations}


def scores(found: list[set[Pair]], gold: list[set[Pair]]) -> str:
    right = sum(len(f & g) for f, g in zip(found, gold, strict=True))
    precision = right / max(1, sum(map(len, found)))
    recall = right / max(1, sum(map(len, gold)))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--errors", choices=("odd", "even"), help="print our errors on this half")
    args = parser.parse_args()
    articles = list(read_med1250(args.data / "corpora/abbreviations/MED1250_labeled.txt.gz"))
    gold = [pairs for _, _, pairs in articles]
    print(f"{len(articles)} articles, {sum(map(len, gold))} pairs")
    for name, make in (("caseframe", ours), ("scispaCy", scispacy)):
        nlp, pairs_of = make()
        docs = [nlp.make_doc(text) for _, text, _ in articles]
        for pipe_name, pipe in nlp.pipeline:
            if pipe_name == "caseframe_sentences":
                docs = [pipe(doc) for doc in docs]
        began = time.perf_counter()
        for pipe_name, pipe in nlp.pipeline:
            if pipe_name != "caseframe_sentences":
                docs = [pipe(doc) for doc in docs]
        spent = (time.perf_counter() - began) * 1000 / len(docs)
        found = [pairs_of(doc) for doc in docs]
        print(f"{name:10} all {scores(found, gold)}   {spent:.2f} ms an abstract")
        for half, part in (("odd", slice(0, None, 2)), ("even", slice(1, None, 2))):
            print(f"{'':10} {half:4} {scores(found[part], gold[part])}")
        if args.errors and name == "caseframe":
            first = 0 if args.errors == "odd" else 1
            for n in range(first, len(articles), 2):
                for label, pairs in (("wrong", found[n] - gold[n]), ("missed", gold[n] - found[n])):
                    for short, long in sorted(pairs):
                        print(f"{label}\t{articles[n][0]}\t{short}\t{long}")


if __name__ == "__main__":
    main()
