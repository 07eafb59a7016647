"""Fits the weights of `fields/sites.py` on the training gold, and tells what they are worth in cross-validation.

    python benchmarks/fit_sites.py DATA_DIR [--write]

A candidate is a site where it names a gold one (same value, or overlapping words). Features seen in fewer than
`MIN_ARTICLES` articles are left out, and weights that hardly count. Cross-validation scores whole articles as the
evaluation does: mentions folded to values, matched one to one with the gold.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle, GoldFinding, read_gold, read_texts
from caseframe.evaluation.matching import Counts, exact, matched_pairs, occurrences, relaxed, same_value
from caseframe.fields.base import make_finding
from caseframe.fields.cases import fold, settle
from caseframe.fields.linear import LinearModel
from caseframe.fields.sites import MIN_PROBABILITY, NONE, NOT_THERE, SITE, Context, Site, features, sites_of
from caseframe.pipeline import STAGES, register
from caseframe.schema import Finding
from caseframe.stages.assertion import assertion_of
from caseframe.stages.extensions import make_doc
from caseframe.stages.narrative import is_general
from caseframe.stages.tokenizer import blank

MIN_ARTICLES = 4
STRENGTH = 0.1
FOLDS = 5


@dataclass(slots=True)
class Example:
    """One candidate with its features, whether the gold has it, and the finding it would make."""

    article: str
    names: tuple[str, ...]
    is_site: bool
    finding: Finding


@dataclass(slots=True)
class Text:
    """One article: its text, its gold sites, its candidates."""

    text: str
    gold: list[GoldFinding]
    examples: list[Example]


def texts_of(data: Path) -> dict[str, Text]:
    """Every article that tells of a patient, with its candidates outside general sentences."""
    register()
    nlp = blank()
    for stage in STAGES:
        nlp.add_pipe(stage)
    articles = {article.article_id: article for article in read_texts(data / "casefields_train" / "texts.jsonl")}
    found = {}
    for gold in read_gold(data / "casefields_train" / "gold.jsonl"):
        if not any(finding.case for finding in gold.findings):
            continue
        doc = make_doc(nlp, articles[gold.article_id])
        for _, component in nlp.pipeline:
            doc = component(doc)
        wanted = [finding for finding in gold.findings if finding.field == "site"]
        found[gold.article_id] = Text(doc.text, wanted, examples(doc, gold))
    return found


def examples(doc: Doc, gold: GoldArticle) -> list[Example]:
    """The candidates of one article."""
    sites = sites_of(doc)
    context = Context(doc, sites)
    return [
        Example(gold.article_id, tuple(features(context, site)), is_gold(doc, site, gold), finding_of(site))
        for site in sites
        if not is_general(site.span) and assertion_of(site.core)[0] not in NOT_THERE
    ]


def finding_of(site: Site) -> Finding:
    """The finding a candidate would make."""
    attributes = {"laterality": site.laterality} if site.laterality else {}
    return make_finding(
        site.span, "site", site.term.preferred, source="sites", assertion="present", attributes=attributes
    )


def is_gold(doc: Doc, site: Site, gold: GoldArticle) -> bool:
    """Whether a gold site has the same value or shares words."""
    start, end = site.span.start_char, site.span.end_char
    for finding in gold.findings:
        if finding.field != "site":
            continue
        if same_value("site", finding.value, site.term.preferred):
            return True
        if any(at < end and start < at + len(finding.text) for at in occurrences(finding.text, doc.text)):
            return True
    return False


def fit(rows: Sequence[Example], strength: float = STRENGTH) -> LinearModel:
    """Fits one model."""
    by_article: dict[str, set[str]] = {}
    for row in rows:
        by_article.setdefault(row.article, set()).update(row.names)
    seen = Counter(name for names in by_article.values() for name in names)
    vocabulary = {
        name: n for n, name in enumerate(sorted(name for name, count in seen.items() if count >= MIN_ARTICLES))
    }
    cells = [(r, vocabulary[n]) for r, row in enumerate(rows) for n in set(row.names) if n in vocabulary]
    r, c = zip(*cells, strict=True)
    matrix = csr_matrix((np.ones(len(r)), (r, c)), shape=(len(rows), len(vocabulary)))
    regression = LogisticRegression(C=strength, solver="liblinear", max_iter=300, random_state=0)
    regression.fit(matrix, np.array([row.is_site for row in rows]))
    weights = {"(bias)": (0.0, float(regression.intercept_[0]))}
    for name, column in vocabulary.items():
        weight = round(float(regression.coef_[0, column]), 3)
        if abs(weight) >= 0.02:
            weights[name] = (0.0, weight)
    return LinearModel((NONE, SITE), weights)


def cross_validate(texts: dict[str, Text], strength: float = STRENGTH) -> dict[float, tuple[Counts, Counts]]:
    """The (exact, relaxed) counts over held-out articles, by the least probability that makes a finding."""
    names = sorted(texts)
    random.Random(0).shuffle(names)
    levels = [round(MIN_PROBABILITY + 0.04 * step, 2) for step in range(7)]
    scores = {level: (Counts(), Counts()) for level in levels}
    for part in range(FOLDS):
        held_out = names[part::FOLDS]
        kept = set(names) - set(held_out)
        model = fit([row for name in names if name in kept for row in texts[name].examples], strength)
        for name in held_out:
            told = texts[name]
            sure = [(model.probabilities(row.names)[SITE], row.finding) for row in told.examples]
            for level in levels:
                told_once = fold(replace(f, confidence=p) for p, f in sure if p >= level)
                findings = settle(finding for finding, _ in told_once)
                pairs = []
                for same in (exact, lambda g, p: relaxed(g, p, told.text)):  # noqa: B023
                    matched = len(matched_pairs([[same(g, p) for p in findings] for g in told.gold]))
                    pairs.append(Counts(matched, len(findings), len(told.gold)))
                scores[level] = scores[level][0] + pairs[0], scores[level][1] + pairs[1]
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true", help="write fields/rules/sites.tsv")
    arguments = parser.parse_args()
    texts = texts_of(arguments.data)
    rows = [row for text in texts.values() for row in text.examples]
    print(f"{len(texts)} articles, {len(rows)} candidates, {sum(row.is_site for row in rows)} of them sites")
    for level, (strict, loose) in cross_validate(texts).items():
        print(
            f"from {level:.2f}: exact F1 {strict.f1:.3f}; relaxed precision {loose.precision:.3f} "
            f"recall {loose.recall:.3f} F1 {loose.f1:.3f}"
        )
    if arguments.write:
        path = Path(str(files("caseframe.fields") / "rules" / "sites.tsv"))
        model = fit(rows)
        model.write(path, "Weights of fields/sites.py, fitted by benchmarks/fit_sites.py on the training gold.")
        print(f"{len(model.weights)} features written to {path}")


if __name__ == "__main__":
    main()
