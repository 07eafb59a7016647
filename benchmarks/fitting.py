"""What the scripts that fit linear models share: examples, folds, vocabulary, the fit itself."""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle, read_gold, read_texts
from caseframe.fields.linear import BIAS, VECTOR, LinearModel
from caseframe.lexicons import surface_parts
from caseframe.pipeline import assemble_stages
from caseframe.schema import Article
from caseframe.stages.entities import LEAST_SURE, EntityFinder, shipped_weights
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import make_doc
from caseframe.stages.roles import RoleTagger, read_weights
from caseframe.stages.terms import SPANS as TERMS

MIN_ARTICLES = 3
FOLDS = 5
FOLD_WEIGHTS = Path(__file__).resolve().parent.parent / "outputs" / "sentence_roles"
"""Where fit_sentence_roles.py keeps the models of its folds, `0.tsv` with the articles it never saw in `0.txt`, …"""
CROSS_WEIGHTS = Path(__file__).resolve().parent.parent / "outputs" / "cross_entities"
"""Where cross_entities.py keeps entities of a part of their corpus, with the articles that they never saw."""
# Gold values of at most so many articles count as rare.
RARE = 2
# Of the rare gold values of a field, the share that the lexicons know in training and would not know elsewhere: what
# they know of the training gold's less what they know of the development gold's.
HIDDEN = {"diagnosis": 0.33, "comorbidity": 0.21, "complication": 0.23, "symptom": 0.21}
# Weights this small change nothing and only lengthen the table.
LEAST_WEIGHT = 0.04
# How much the surroundings count beside the named features: their standard deviation when the model is fitted.
VECTOR_SCALE = 0.15


class Example(NamedTuple):
    """Article id, names of the features that hold, surroundings, for each class that it counts for whether it holds."""

    article: str
    names: tuple[str, ...]
    numbers: Floats
    held: dict[str, bool]


def training_docs(data: Path) -> Iterator[tuple[GoldArticle, Doc]]:
    """The training articles that have cases, as Docs that passed all stages and have entities.

    What was learned from an article marks it by weights that never saw it, and some of its terms are forgotten
    (`forget`), since the lexicons were written with it at hand.
    """
    nlp = assemble_stages()
    taggers, finders = role_taggers(), entity_finders()
    shipped = EntityFinder(threshold=LEAST_SURE).read(shipped_weights())
    articles = {article.article_id: article for article in read_texts(data / "casefields_train" / "texts.jsonl")}
    golds = list(read_gold(data / "casefields_train" / "gold.jsonl"))
    common = common_values(golds)
    for gold in golds:
        if any(finding.case for finding in gold.findings):
            finder = finders.get(gold.article_id, shipped)
            doc = finder(run_held_out(nlp, articles[gold.article_id], taggers))
            forget(doc, gold, common)
            yield gold, doc


def forget(doc: Doc, gold: GoldArticle, common: frozenset[str]) -> None:
    """Takes the terms of some rare gold values away, as many as the lexicons would lack in a text nobody has read.

    Which ones is a matter of their names alone, so that it is the same in every run.
    """
    named = {(finding.field, folded(finding.value)) for finding in gold.findings}
    hidden = {
        value for field, value in named if value not in common and crc32(value.encode()) / 2**32 < HIDDEN.get(field, 0)
    }
    doc.spans[TERMS] = [
        span for span in doc.spans[TERMS] if span.label_ not in HIDDEN or folded(span._.term.preferred) not in hidden
    ]


def common_values(golds: Iterable[GoldArticle]) -> frozenset[str]:
    """The folded gold values that more than `RARE` articles have."""
    counts = Counter(value for gold in golds for value in {folded(finding.value) for finding in gold.findings})
    return frozenset(value for value, count in counts.items() if count > RARE)


def folded(value: str | float) -> str:
    """A value as the lexicons compare it."""
    return " ".join(surface_parts(str(value)))


def entity_finders() -> dict[str, EntityFinder]:
    """For each article that the shipped entities learned from, entities that never saw it."""
    finders = {}
    for unseen in sorted(CROSS_WEIGHTS.glob("*/unseen.txt")):
        finder = EntityFinder(threshold=LEAST_SURE).read(unseen.parent)
        finders |= dict.fromkeys(unseen.read_text(encoding="utf-8").split(), finder)
    if not finders:
        raise SystemExit(f"{CROSS_WEIGHTS} is empty: run benchmarks/cross_entities.py first")
    return finders


def role_taggers() -> dict[str, RoleTagger]:
    """For each training article the tagger of sentence roles that never saw it, as fit_sentence_roles.py left it."""
    taggers = {}
    for number in range(FOLDS):
        tagger = RoleTagger(read_weights(FOLD_WEIGHTS / f"{number}.tsv"))
        ids = (FOLD_WEIGHTS / f"{number}.txt").read_text(encoding="utf-8").split()
        taggers |= dict.fromkeys(ids, tagger)
    return taggers


def run_held_out(nlp: Language, article: Article, taggers: Mapping[str, RoleTagger]) -> Doc:
    """The Doc of an article after every stage, its sentence roles by a tagger that never saw it."""
    doc = make_doc(nlp, article)
    for name, component in nlp.pipeline:
        doc = taggers[article.article_id](doc) if name == "caseframe_roles" else component(doc)
    return doc


def arguments(description: str | None) -> argparse.Namespace:
    """The command line of a script that fits: `data`, a folder, and `write`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true", help="put the weights in the place of the shipped ones")
    return parser.parse_args()


def ship(model: LinearModel, name: str) -> None:
    """Writes the weights of `fields/<name>.py`."""
    path = Path(str(files("caseframe.fields") / "rules" / f"{name}.tsv"))
    vectors = hashlib.sha256((shipped_weights() / "vectors").read_bytes()).hexdigest()
    made = f"Weights of fields/{name}.py, fitted by benchmarks/fit_{name}.py on the training gold."
    model.write(path, f"{made}\nWord vectors: models/caseframe_entities/vectors, sha256 {vectors}")
    print(f"{len(model.weights)} features written to {path}")


def folds(articles: Sequence[str]) -> list[set[str]]:
    """Article ids in disjoint parts, the same in every script."""
    ordered = sorted(set(articles))
    random.Random(0).shuffle(ordered)
    return [set(ordered[number::FOLDS]) for number in range(FOLDS)]


def fit_each(rows: Sequence[Example], strength: float, classes: tuple[str, ...]) -> LinearModel:
    """A logistic regression a class, as one table.

    L2 penalty of inverse strength `strength`; features seen in fewer than `MIN_ARTICLES` articles are left out.
    """
    weights: dict[str, list[float]] = {BIAS: [0.0] * len(classes)}
    for column, name in enumerate(classes):
        own = [row for row in rows if name in row.held]
        labels = [row.held[name] for row in own]
        if len(set(labels)) == 2:
            for feature, weight in _fit(own, labels, strength).items():
                weights.setdefault(feature, [0.0] * len(classes))[column] = weight
    return LinearModel(classes, {name: tuple(values) for name, values in weights.items()})


def _fit(rows: Sequence[Example], labels: Sequence[bool], strength: float) -> dict[str, float]:
    seen = Counter(name for _, name in {(row.article, name) for row in rows for name in row.names})
    known = sorted(name for name, count in seen.items() if count >= MIN_ARTICLES and name.isprintable())
    columns = {name: number for number, name in enumerate(known)}
    cells = [(r, columns[name]) for r, row in enumerate(rows) for name in set(row.names) if name in columns]
    r, c = zip(*cells, strict=True)
    named = csr_matrix((np.ones(len(r)), (r, c)), shape=(len(rows), len(columns)))
    numbers = np.array([row.numbers for row in rows])
    scale = VECTOR_SCALE / numbers.std()
    regression = LogisticRegression(C=strength, solver="liblinear", max_iter=300, random_state=0)
    regression.fit(hstack([named, csr_matrix(numbers * scale)]).tocsr(), labels)
    weights = {BIAS: round(float(regression.intercept_[0]), 3)}
    for name, weight in zip(known, regression.coef_[0].tolist(), strict=False):
        if abs(weight) >= LEAST_WEIGHT:
            weights[name] = round(weight, 3)
    for n, weight in enumerate(regression.coef_[0, len(known) :].tolist()):
        weights[f"{VECTOR} {n}"] = round(weight * scale, 3)
    return weights
