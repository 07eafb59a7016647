"""Disease mentions of NCBI disease and BC5CDR to MeSH, by the names of the Disease Ontology: exact, then near.

    python benchmarks/linking.py

Only mentions whose MeSH id the ontology has count. `exact` folds as lexicons do (case, number, hyphens, spelling);
`near` takes the closest name by TF-IDF over three-letter pieces where nothing is exact. Coverage is the share of
mentions that get an id, accuracy the share of these where the right id is among those of the name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from caseframe.lexicons import surface_parts
from caseframe.lexicons.readers import open_concepts

DATA = Path(os.environ.get("CASEFRAME_DATA", "data"))
CORPORA = {"NCBI disease, dev": "ncbi_disease/dev.pubtator.txt", "BC5CDR, train": "bc5cdr/train.pubtator.txt"}
THRESHOLDS = (0.9, 0.8, 0.7, 0.6, 0.5)


def names() -> dict[str, frozenset[str]]:
    """MeSH ids by folded name; a name's own concept comes before those that have it as a synonym."""
    first: dict[str, set[str]] = {}
    second: dict[str, set[str]] = {}
    for concept in open_concepts(DATA / "terms" / "doid_ncit_subset.obo.gz"):
        ids = {xref.partition(":")[2] for xref in concept.xrefs if xref.startswith("MESH:")}
        for where, words in ((first, (concept.name,)), (second, concept.exact)):
            for word in words if ids and not concept.obsolete else ():
                where.setdefault(folded(word), set()).update(ids)
    return {name: frozenset(ids) for name, ids in (second | first).items()}


def folded(words: str) -> str:
    return " ".join(surface_parts(words)).lower()


def mentions(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if len(cells) >= 6 and cells[4] not in ("Chemical",) and re.fullmatch(r"\s*(MESH:)?[CD]\d+", cells[5]):
            yield cells[3], cells[5].strip().removeprefix("MESH:")


def main() -> None:
    known = names()
    ids_known = frozenset().union(*known.values())
    order = sorted(known)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True)
    matrix = vectorizer.fit_transform(order)
    print(f"{len(order):,} names, {len(ids_known):,} MeSH ids")
    for title, file in CORPORA.items():
        gold = list(mentions(DATA / "corpora" / file))
        mapped = [(words, identifier) for words, identifier in gold if identifier in ids_known]
        similar = vectorizer.transform([folded(words) for words, _ in mapped]) @ matrix.T
        best, score = np.asarray(similar.argmax(axis=1)).ravel(), similar.max(axis=1).toarray().ravel()
        exact = [known.get(folded(words), frozenset()) for words, _ in mapped]
        print(f"{title}: {len(mapped):,} of {len(gold):,} mentions have an id that maps")
        for threshold in (2.0, *THRESHOLDS):
            found = [
                ids or (known[order[best[i]]] if score[i] >= threshold else frozenset()) for i, ids in enumerate(exact)
            ]
            given = [(ids, identifier) for ids, (_, identifier) in zip(found, mapped, strict=True) if ids]
            right = sum(identifier in ids and len(ids) == 1 for ids, identifier in given)
            either = sum(identifier in ids for ids, identifier in given)
            name = "exact" if threshold > 1 else f"near {threshold}"
            print(
                f"  {name:9} coverage {len(given) / len(mapped):.3f}  accuracy {either / len(given):.3f}"
                f"  with a single id {right / len(given):.3f}"
            )


if __name__ == "__main__":
    main()
