"""Fits the weights of `fields/roles.py` on the training gold, and tells what they are worth in cross-validation.

    python benchmarks/fit_roles.py DATA_DIR [--write]

A mention's role is the field of the gold finding it names (same value, or overlapping words); none where no gold does.
"""

from __future__ import annotations

import argparse
from collections import Counter
from importlib.resources import files
from pathlib import Path

from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle, GoldFinding
from caseframe.evaluation.matching import occurrences, same_value
from caseframe.fields.conditions import Condition, conditions_of
from caseframe.fields.linear import LinearModel
from caseframe.fields.roles import MIN_PROBABILITY, ROLES, features
from caseframe.stages.narrative import is_general
from fitting import Example, fit, folds, training_docs

STRENGTH = 0.5
_PRIORITY = ("diagnosis", "complication", "comorbidity", "symptom")


def examples(gold: GoldArticle, doc: Doc) -> list[Example]:
    """The mentions in the patients' story with their features and roles."""
    return [
        (gold.article_id, tuple(features(doc, condition)), role(doc, condition, gold))
        for condition in conditions_of(doc)
        if not is_general(condition.span)
    ]


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


def fit_roles(rows: list[Example]) -> LinearModel:
    """The model of some examples."""
    return fit(rows, strength=STRENGTH)


def cross_validate(rows: list[Example]) -> None:
    """Prints precision and recall of each role over held-out articles."""
    hits, found, gold = Counter[str](), Counter[str](), Counter[str]()
    for held_out in folds([article for article, _, _ in rows]):
        model = fit_roles([row for row in rows if row[0] not in held_out])
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
    rows = [example for gold, doc in training_docs(arguments.data) for example in examples(gold, doc)]
    print(f"{len(rows)} mentions, {Counter(label for _, _, label in rows)}")
    cross_validate(rows)
    if arguments.write:
        path = Path(str(files("caseframe.fields") / "rules" / "roles.tsv"))
        model = fit_roles(rows)
        model.write(path, "Weights of fields/roles.py, fitted by benchmarks/fit_roles.py on the training gold.")
        print(f"{len(model.weights)} features written to {path}")


if __name__ == "__main__":
    main()
