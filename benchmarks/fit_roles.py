"""Fits the weights of `fields/roles.py` on the training gold, and tells what they are worth in cross-validation.

    python benchmarks/fit_roles.py DATA_DIR [--write]

A mention's role is the field of the gold finding it names (same value, or overlapping words); none where no gold does.
Features seen in fewer than `MIN_ARTICLES` articles are left out; an L1 penalty keeps the table short.
"""

from __future__ import annotations

import argparse
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle, GoldFinding, read_gold, read_texts
from caseframe.evaluation.matching import occurrences, same_value
from caseframe.fields.conditions import Condition, conditions_of
from caseframe.fields.linear import LinearModel
from caseframe.fields.roles import MIN_PROBABILITY, ROLES, features
from caseframe.pipeline import CASES, STAGES, register
from caseframe.stages.extensions import make_doc
from caseframe.stages.narrative import is_general
from caseframe.stages.tokenizer import blank

MIN_ARTICLES = 4
STRENGTH = 0.5
FOLDS = 5
_PRIORITY = ("diagnosis", "complication", "comorbidity", "symptom")

Example = tuple[str, tuple[str, ...], str]


def examples(data: Path) -> Iterator[Example]:
    """(article, features, role) of every mention in the patients' story."""
    register()
    nlp = blank()
    for stage in STAGES:
        nlp.add_pipe(stage)
    articles = {article.article_id: article for article in read_texts(data / "casefields_train" / "texts.jsonl")}
    for gold in read_gold(data / "casefields_train" / "gold.jsonl"):
        if not any(finding.case for finding in gold.findings):
            continue
        doc = make_doc(nlp, articles[gold.article_id])
        for _, component in nlp.pipeline:
            doc = component(doc)
        for condition in conditions_of(doc):
            if not is_general(condition.span):
                yield gold.article_id, tuple(features(doc, condition)), role(doc, condition, gold)


def role(doc: Doc, condition: Condition, gold: GoldArticle) -> str:
    """The role that the gold gives a mention."""
    wanted = [finding for finding in gold.findings if finding.field in _PRIORITY]
    matching = [finding.field for finding in wanted if same_value(finding.field, finding.value, condition.value)]
    matching = matching or [finding.field for finding in wanted if overlaps(doc, condition, finding)]
    return min(matching, key=_PRIORITY.index) if matching else "none"


def overlaps(doc: Doc, condition: Condition, finding: GoldFinding) -> bool:
    """Whether the words of a gold finding, at any place, share text with a mention."""
    start, end = condition.span.start_char, condition.span.end_char
    return any(at < end and start < at + len(finding.text) for at in occurrences(finding.text, doc.text))


def fit(rows: list[Example]) -> LinearModel:
    """Fits one model."""
    seen: Counter[str] = Counter()
    for article in {article for article, _, _ in rows}:
        seen.update({name for other, names, _ in rows if other == article for name in names})
    known = sorted(name for name, count in seen.items() if count >= MIN_ARTICLES)
    vocabulary = {name: n for n, name in enumerate(known)}
    matrix = vectors(rows, vocabulary)
    labels = np.array([label for _, _, label in rows])
    regression = LogisticRegression(penalty="l1", C=STRENGTH, solver="saga", max_iter=300, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        regression.fit(matrix, labels)
    classes = tuple(str(name) for name in regression.classes_)
    weights = {"(bias)": tuple(float(w) for w in regression.intercept_)}
    for name, column in vocabulary.items():
        values = tuple(round(float(w), 3) for w in regression.coef_[:, column])
        if any(abs(value) >= 0.02 for value in values):
            weights[name] = values
    return LinearModel(classes, weights)


def vectors(rows: list[Example], vocabulary: dict[str, int]) -> csr_matrix:
    """Binary features, a row a mention."""
    cells = [(r, vocabulary[n]) for r, (_, names, _) in enumerate(rows) for n in set(names) if n in vocabulary]
    r, c = zip(*cells, strict=True)
    return csr_matrix((np.ones(len(r)), (r, c)), shape=(len(rows), len(vocabulary)))


def cross_validate(rows: list[Example]) -> None:
    """Prints precision and recall of each role over held-out articles."""
    articles = sorted({article for article, _, _ in rows})
    random.Random(0).shuffle(articles)
    hits, found, gold = Counter[str](), Counter[str](), Counter[str]()
    for fold in range(FOLDS):
        held_out = set(articles[fold::FOLDS])
        model = fit([row for row in rows if row[0] not in held_out])
        for article, names, label in rows:
            if article not in held_out:
                continue
            probabilities = model.probabilities(names)
            best = max((name for name in ROLES if name != "none"), key=lambda name: probabilities[name])
            gold[label] += 1
            if probabilities[best] >= MIN_PROBABILITY:
                found[best] += 1
                hits[best] += best == label
    for name in ROLES:
        if name != "none":
            precision, recall = hits[name] / max(1, found[name]), hits[name] / gold[name]
            print(f"{name:12} precision {precision:.3f} recall {recall:.3f} n {gold[name]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true", help="write fields/rules/roles.tsv")
    arguments = parser.parse_args()
    rows = list(examples(arguments.data))
    print(f"{len(rows)} mentions, {Counter(label for _, _, label in rows)}; components {STAGES}, before {CASES}")
    cross_validate(rows)
    if arguments.write:
        path = Path(str(files("caseframe.fields") / "rules" / "roles.tsv"))
        model = fit(rows)
        model.write(path, "Weights of fields/roles.py, fitted by benchmarks/fit_roles.py on the training gold.")
        print(f"{len(model.weights)} features written to {path}")


if __name__ == "__main__":
    main()
