"""Fits the weights of `fields/roles.py` on the training gold, and tells what they are worth in cross-validation.

    python benchmarks/fit_roles.py DATA_DIR [--write]

A mention's roles are the fields of the gold findings it names (same value, else overlapping words).
"""

from __future__ import annotations

from collections import Counter

from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle
from caseframe.evaluation.matching import overlaps, same_value
from caseframe.fields.conditions import Condition, conditions_of
from caseframe.fields.linear import LinearModel, names_of
from caseframe.fields.roles import ROLES, features
from caseframe.fields.surroundings import surroundings
from caseframe.stages.narrative import is_general
from fitting import Example, arguments, fit_each, folds, ship, training_docs

STRENGTH = 0.1
# From here on a role counts as found in the figures below.
LEVEL = 0.45


def examples(gold: GoldArticle, doc: Doc) -> list[Example]:
    """The mentions in the patients' story with their features and roles."""
    conditions = conditions_of(doc)
    numbers = surroundings(doc, [(condition.span.start, condition.span.end) for condition in conditions])
    return [
        Example(
            gold.article_id,
            tuple(names_of(bags)),
            row,
            {role: role in roles(doc, condition, gold) for role in ROLES},
        )
        for condition, bags, row in zip(conditions, features(doc, conditions), numbers, strict=True)
        if not is_general(condition.span)
    ]


def roles(doc: Doc, condition: Condition, gold: GoldArticle) -> frozenset[str]:
    """The roles that the gold gives a mention: of the findings with its value, else of those that share words."""
    wanted = [finding for finding in gold.findings if finding.field in ROLES]
    same = frozenset(f.field for f in wanted if same_value(f.field, f.value, condition.value))
    start, end = condition.span.start_char, condition.span.end_char
    return same or frozenset(f.field for f in wanted if overlaps(f.text, doc.text, start, end))


def fit_roles(rows: list[Example]) -> LinearModel:
    """The model of some examples: a logistic regression a role."""
    return fit_each(rows, STRENGTH, ROLES)


def cross_validate(rows: list[Example]) -> None:
    """Prints precision and recall of each role over held-out articles."""
    hits, found, gold = Counter[str](), Counter[str](), Counter[str]()
    for held_out in folds([row.article for row in rows]):
        model = fit_roles([row for row in rows if row.article not in held_out])
        for row in rows:
            if row.article in held_out:
                held = {role for role, holds in row.held.items() if holds}
                (weighed,) = model.weighed(row.numbers[None])
                given = {role for role, sure in model.each([("", row.names)], weighed).items() if sure >= LEVEL}
                gold.update(held)
                found.update(given)
                hits.update(given & held)
    for role in ROLES:
        precision, recall = hits[role] / max(1, found[role]), hits[role] / gold[role]
        print(f"{role:12} precision {precision:.3f} recall {recall:.3f} n {gold[role]}")


def main() -> None:
    options = arguments(__doc__)
    texts = list(training_docs(options.data))
    rows = [example for gold, doc in texts for example in examples(gold, doc)]
    print(f"{len(rows)} mentions")
    cross_validate(rows)
    if options.write:
        ship(fit_roles(rows), "roles")


if __name__ == "__main__":
    main()
