"""Fits the weights of `fields/confidence.py` on the training gold, and estimates the scores of the whole extraction.

    python benchmarks/fit_confidence.py DATA_DIR [--write]

A folded finding is right where a maximum matching gives it a gold finding (relaxed, docs/schema.md). The probabilities
that the models of roles and sites put into the features come from models that never saw the article. The least
probability of a field is the one with the best relaxed F1 out of fold, within bounds, and of nearly as good ones the
greatest. Fit roles and sites first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

from caseframe.evaluation.fields import score_fields
from caseframe.evaluation.gold import GoldArticle
from caseframe.evaluation.matching import matched_pairs, relaxed
from caseframe.evaluation.metrics import count_array, type_names
from caseframe.evaluation.records import ArticleScore, Counts
from caseframe.evaluation.statistics import bootstrap, micro_f1
from caseframe.fields import cases, confidence, roles, sites
from caseframe.fields.component import all_findings
from caseframe.fields.linear import LinearModel, names_of
from caseframe.stages.entity_network import Floats
from fit_roles import examples as role_examples
from fit_roles import fit_roles
from fit_sites import examples as site_examples
from fit_sites import fit as fit_sites
from fitting import Example, arguments, fit_each, folds, ship, training_docs

STRENGTH = 0.07
LEAST, MOST = 0.3, 0.6
NEXT_TO_BEST = 0.005


@dataclass(frozen=True)
class Candidate:
    """A folded finding of an article: its field, its features, and whether the gold has it."""

    article: str
    field: str
    names: tuple[str, ...]
    numbers: Floats
    right: bool


def candidates(gold: GoldArticle, doc: Doc) -> Iterator[Candidate]:
    """The findings of an article before they are weighed."""
    told = cases.told_cases(doc, all_findings(doc))
    contexts = [(folded, confidence.Context(doc, folded)) for _, folded in told]
    for field in confidence.FIELDS:
        found = [(each, context) for folded, context in contexts for each in folded if each[0].field == field]
        wanted = [finding for finding in gold.findings if finding.field == field]
        pairs = matched_pairs([[relaxed(g, finding, doc.text) for (finding, _), _ in found] for g in wanted])
        right = {column for _, column in pairs}
        for number, ((finding, mentions), context) in enumerate(found):
            names = names_of(confidence.features(context, finding, mentions))
            numbers = confidence.numbers(context, [finding])[0]
            yield Candidate(gold.article_id, field, tuple(names), numbers, number in right)


def fit_confidence(rows: Sequence[Candidate], least: dict[str, float]) -> LinearModel:
    """One logistic regression a field, as one table."""
    examples = [Example(row.article, row.names, row.numbers, {row.field: row.right}) for row in rows]
    model = fit_each(examples, STRENGTH, confidence.FIELDS)
    model.weights["(least)"] = tuple(least.get(field, 0.5) for field in model.classes)
    return model


def best_least(scored: Sequence[tuple[float, bool]], gold: int) -> float:
    """The greatest probability whose F1 is next to the best: of two that do as well, the more precise one."""
    f1 = {}
    for level in (step / 50 for step in range(round(LEAST * 50), round(MOST * 50) + 1)):
        kept = [right for probability, right in scored if probability >= level]
        f1[level] = 2 * sum(kept) / max(1, len(kept) + gold)
    return max(level for level in f1 if f1[level] >= max(f1.values()) - NEXT_TO_BEST)


def use(roles_model: LinearModel, sites_model: LinearModel) -> None:
    """Puts models in the place of the shipped ones."""
    roles.model = lambda: roles_model  # type: ignore[assignment]
    sites.model = lambda: sites_model  # type: ignore[assignment]


def print_scores(scores: Sequence[ArticleScore], least: dict[str, float]) -> None:
    types = type_names("fields", scores)
    strict, loose = (count_array(scores, types, mode).sum(axis=0) for mode in ("exact", "relaxed"))
    print("field            gold  found  exact P    R   F1  relaxed P    R   F1  least")
    for name, *rows in (*zip(types, strict, loose, strict=True), ("micro", strict.sum(axis=0), loose.sum(axis=0))):
        counts = [Counts(*row.tolist()) for row in rows]
        scored = "  ".join(f"{each.precision:.3f} {each.recall:.3f} {each.f1:.3f}" for each in counts)
        print(f"{name:15} {counts[0].gold:5} {counts[0].predicted:6}  {scored}  {least.get(name, '')}")
    for mode in ("exact", "relaxed"):
        interval = bootstrap(count_array(scores, types, mode), micro_f1)
        print(f"micro {mode} F1 {interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})")


def main() -> None:
    options = arguments(__doc__)
    texts = list(training_docs(options.data))
    parts = folds([gold.article_id for gold, _ in texts])
    role_rows = {gold.article_id: role_examples(gold, doc) for gold, doc in texts}
    site_rows = {gold.article_id: site_examples(doc, gold) for gold, doc in texts}
    models = []
    rows: list[Candidate] = []
    for part in parts:
        others = [gold.article_id for gold, _ in texts if gold.article_id not in part]
        models.append(
            (
                fit_roles([row for name in others for row in role_rows[name]]),
                fit_sites([row for name in others for row in site_rows[name]]),
            )
        )
        use(*models[-1])
        rows.extend(c for gold, doc in texts if gold.article_id in part for c in candidates(gold, doc))
    scored: dict[str, list[tuple[float, bool]]] = {field: [] for field in confidence.FIELDS}
    held_out = [fit_confidence([row for row in rows if row.article not in part], {}) for part in parts]
    for part, model in zip(parts, held_out, strict=True):
        for row in rows:
            if row.article in part:
                (weighed,) = model.weighed(row.numbers[None])
                scored[row.field].append((model.of(row.field, [("", row.names)], weighed), row.right))
    wanted = {f: sum(g.field == f for gold, _ in texts for g in gold.findings) for f in confidence.FIELDS}
    least = {field: best_least(scored[field], wanted[field]) for field in confidence.FIELDS}
    scores = []
    for part, model, (roles_model, sites_model) in zip(parts, held_out, models, strict=True):
        use(roles_model, sites_model)
        model.weights["(least)"] = tuple(least[field] for field in model.classes)
        confidence.model = lambda model=model: model  # type: ignore[assignment]
        for gold, doc in texts:
            if gold.article_id in part:
                scores.append(score_fields(gold, cases.deal(doc, doc._.article, all_findings(doc))))
    print_scores(scores, least)
    if options.write:
        ship(fit_confidence(rows, least), "confidence")


if __name__ == "__main__":
    main()
