"""What the scripts that fit linear models share: examples, folds, vocabulary, the fit itself."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle, read_gold, read_texts
from caseframe.fields.linear import LinearModel
from caseframe.pipeline import STAGES, register
from caseframe.stages.extensions import make_doc
from caseframe.stages.tokenizer import blank

MIN_ARTICLES = 4
FOLDS = 5
# Weights this small change nothing and only lengthen the table.
LEAST_WEIGHT = 0.02

Example = tuple[str, tuple[str, ...], str]
"""Article id, names of the features that hold, label."""


def training_docs(data: Path) -> Iterator[tuple[GoldArticle, Doc]]:
    """The training articles that have cases, as Docs that passed all stages."""
    register()
    nlp = blank()
    for stage in STAGES:
        nlp.add_pipe(stage)
    articles = {article.article_id: article for article in read_texts(data / "casefields_train" / "texts.jsonl")}
    for gold in read_gold(data / "casefields_train" / "gold.jsonl"):
        if any(finding.case for finding in gold.findings):
            doc = make_doc(nlp, articles[gold.article_id])
            for _, component in nlp.pipeline:
                doc = component(doc)
            yield gold, doc


def folds(articles: Sequence[str]) -> list[set[str]]:
    """Article ids in disjoint parts, the same in every script."""
    ordered = sorted(set(articles))
    random.Random(0).shuffle(ordered)
    return [set(ordered[number::FOLDS]) for number in range(FOLDS)]


def fit(rows: Sequence[Example], *, strength: float) -> LinearModel:
    """A multinomial (for two labels: logistic) regression with an L1 penalty of inverse strength `strength`.

    Features seen in fewer than `MIN_ARTICLES` articles are left out.
    """
    seen = Counter(name for _, name in {(article, name) for article, names, _ in rows for name in names})
    known = sorted(name for name, count in seen.items() if count >= MIN_ARTICLES)
    columns = {name: number for number, name in enumerate(known)}
    cells = [(r, columns[name]) for r, (_, names, _) in enumerate(rows) for name in set(names) if name in columns]
    r, c = zip(*cells, strict=True)
    matrix = csr_matrix((np.ones(len(r)), (r, c)), shape=(len(rows), len(columns)))
    regression = LogisticRegression(penalty="l1", C=strength, solver="saga", max_iter=300, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        regression.fit(matrix, [label for _, _, label in rows])
    coefficients, intercepts = regression.coef_, regression.intercept_
    if len(coefficients) == 1:  # two labels: one row, for the second; the first is its mirror
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.hstack([-intercepts, intercepts]) / 2,
        )
    weights = {"(bias)": tuple(float(value) for value in intercepts)}
    for name, column in columns.items():
        values = tuple(round(float(value), 3) for value in coefficients[:, column])
        if any(abs(value) >= LEAST_WEIGHT for value in values):
            weights[name] = values
    return LinearModel(tuple(str(label) for label in regression.classes_), weights)
