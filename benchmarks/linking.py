"""Disease mentions of NCBI disease and BC5CDR to MeSH, by the names of the Disease Ontology: three ways to candidates.

    python benchmarks/linking.py

Only mentions whose MeSH id the ontology has count. `exact` folds as the matching of terms does (case, number, hyphens,
spelling); `normal form`, `and spelling`, `and broader` are what `caseframe.lexicons.linking` does, step by step; `and
abbreviations` spells out first what the document defines, as the pipeline does; `near`
takes the closest name by TF-IDF over three-letter pieces where nothing has the same normal form. Coverage is the share
of mentions that get an id, accuracy the share of these where the right id is among those of the concept. The train
splits are what the scores of the linker were set by.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from caseframe.lexicons import Entry, Term, surface_parts
from caseframe.lexicons.linking import Link, Linker
from caseframe.lexicons.names import Names, write_names
from caseframe.lexicons.normal import normal_form
from caseframe.lexicons.readers import open_concepts
from caseframe.stages.tokenizer import blank

DATA = Path(os.environ.get("CASEFRAME_DATA", "data"))
# BC5CDR's other splits are not at hand with ids: the linker was set by the first half of its train split.
CORPORA = {
    "NCBI disease, train": ("ncbi_disease/train.pubtator.txt", 0, None),
    "BC5CDR, train, first half": ("bc5cdr/train.pubtator.txt", 0, 250),
    "NCBI disease, dev": ("ncbi_disease/dev.pubtator.txt", 0, None),
    "BC5CDR, train, second half": ("bc5cdr/train.pubtator.txt", 250, None),
}
ABBREVIATIONS = "and abbreviations"
NEAR = (0.9, 0.8, 0.7, 0.6)

Answer = tuple[frozenset[str], str]
"""The MeSH ids that a mention gets, and how."""


def concepts() -> tuple[list[Entry], dict[str, frozenset[str]]]:
    """The names of the ontology's concepts that have MeSH ids, and these ids by the concept's own."""
    entries, ids = [], {}
    for concept in open_concepts(DATA / "terms" / "doid_ncit_subset.obo.gz"):
        mesh = frozenset(xref.partition(":")[2] for xref in concept.xrefs if xref.startswith("MESH:"))
        if mesh and not concept.obsolete:
            ids[concept.id] = mesh
            term = Term(concept.name, "diagnosis", concept.id)
            entries += [Entry(word, term) for word in dict.fromkeys((concept.name, *concept.exact))]
    return entries, ids


def mentions(path: Path, first: int, last: int | None) -> Iterator[tuple[str, str, str]]:
    """The words of every disease mention that has a MeSH id, the same spelled out, and the id.

    Only documents from `first` to `last`.
    """
    nlp = blank()
    for stage in ("sentences", "abbreviations"):
        import_module(f"caseframe.stages.{stage}")
        nlp.add_pipe(f"caseframe_{stage}")
    for document in path.read_text(encoding="utf-8").strip().split("\n\n")[first:last]:
        lines = document.splitlines()
        doc = nlp(" ".join(line.split("|", 2)[2] for line in lines[:2]))
        long = {span.text: span._.long_form for span in doc.spans["abbreviations"]}
        for cells in (line.split("\t") for line in lines[2:]):
            if len(cells) >= 6 and cells[4] != "Chemical" and re.fullmatch(r"\s*(MESH:)?[CD]\d+", cells[5]):
                words = cells[3]
                yield words, long.get(words) or words, cells[5].strip().removeprefix("MESH:")


def by_key(entries: list[Entry], ids: dict[str, frozenset[str]], key: Callable[[str], str]) -> Callable[[str], Answer]:
    """Answers by equal keys; a name's own concept comes before those that have it as a synonym."""
    known: dict[str, set[str]] = {}
    own = {key(entry.surface) for entry in entries if entry.surface == entry.term.preferred}
    for entry in entries:
        if entry.surface == entry.term.preferred or key(entry.surface) not in own:
            known.setdefault(key(entry.surface), set()).update(ids[entry.term.code])
    return lambda words: (frozenset(known.get(key(words), ())), "same")


def by_linker(entries: list[Entry], ids: dict[str, frozenset[str]]) -> Callable[[str], Answer]:
    with tempfile.TemporaryDirectory() as folder:
        write_names(Path(folder), entries)
        linker = Linker.of_names([Names(Path(folder))])

    def answer(words: str) -> Answer:
        link: Link | None = linker.link("diagnosis", words)
        return (ids[link.code], link.how) if link else (frozenset(), "")

    return answer


def by_nearness(
    entries: list[Entry], ids: dict[str, frozenset[str]], threshold: float, same: Callable[[str], Answer]
) -> Callable[[str], Answer]:
    names: dict[str, set[str]] = {}
    for entry in entries:
        names.setdefault(folded(entry.surface), set()).update(ids[entry.term.code])
    order = sorted(names)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True)
    matrix = vectorizer.fit_transform(order).T.tocsr()

    def answer(words: str) -> Answer:
        found, how = same(words)
        if found:
            return found, how
        similar = vectorizer.transform([folded(words)]) @ matrix
        best = int(np.argmax(similar.toarray()))
        return (frozenset(names[order[best]]), "near") if similar[0, best] >= threshold else (frozenset(), "")

    return answer


def folded(words: str) -> str:
    return " ".join(surface_parts(words)).lower()


def main() -> None:
    entries, ids = concepts()
    known = frozenset().union(*ids.values())
    normal, linked = by_key(entries, ids, normal_form), by_linker(entries, ids)
    steps: dict[str, tuple[Callable[[str], Answer], tuple[str, ...]]] = {
        "exact": (by_key(entries, ids, folded), ("same",)),
        "normal form": (linked, ("same",)),
        "and spelling": (linked, ("same", "spelled")),
        "and broader": (linked, ("same", "spelled", "broader")),
        ABBREVIATIONS: (linked, ("same", "spelled", "broader")),
        **{f"near {least}": (by_nearness(entries, ids, least, normal), ("same", "near")) for least in NEAR},
    }
    print(f"{len(entries):,} names, {len(known):,} MeSH ids")
    for title, (file, first, last) in CORPORA.items():
        gold = list(mentions(DATA / "corpora" / file, first, last))
        mapped = [mention for mention in gold if mention[2] in known]
        print(f"{title}: {len(mapped):,} of {len(gold):,} mentions have an id that maps")
        for name, (answer, hows) in steps.items():
            begun = time.process_time()
            answers = [answer(words if name != ABBREVIATIONS else long) for words, long, _ in mapped]
            spent = 1000 * (time.process_time() - begun) / len(mapped)
            given = [
                identifier in found
                for (found, how), (*_, identifier) in zip(answers, mapped, strict=True)
                if found and how in hows
            ]
            print(
                f"  {name:17} coverage {len(given) / len(mapped):.3f}  accuracy {sum(given) / len(given):.3f}"
                f"  {spent:.3f} ms a mention"
            )


if __name__ == "__main__":
    main()
