"""Fits the weights of `fields/sites.py` on the training gold, and tells what they are worth in cross-validation.

    python benchmarks/fit_sites.py DATA_DIR [--write]

A candidate is a site where it names a gold one (same value, or overlapping words). Cross-validation scores whole
articles as the evaluation does: mentions folded to values, matched one to one with the gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.tokens import Doc

from caseframe.evaluation.gold import GoldArticle, GoldFinding
from caseframe.evaluation.matching import exact, matched_pairs, overlaps, relaxed, same_value
from caseframe.evaluation.records import Counts
from caseframe.fields.base import make_finding
from caseframe.fields.cases import fold, settle
from caseframe.fields.linear import LinearModel, names_of
from caseframe.fields.sites import MIN_PROBABILITY, NOT_THERE, SITE, Context, Site, features, sites_of
from caseframe.fields.surroundings import surroundings
from caseframe.schema import Finding
from caseframe.stages.assertion import assertion_of
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import text_of
from caseframe.stages.narrative import is_general
from fitting import Example, arguments, fit_each, folds, ship, training_docs

STRENGTH = 0.1


@dataclass(slots=True)
class Candidate:
    """One candidate with its features, whether the gold has it, and the finding it would make."""

    article: str
    names: tuple[str, ...]
    numbers: Floats
    is_site: bool
    finding: Finding


@dataclass(slots=True)
class Text:
    """One article: its text, its gold sites, its candidates."""

    text: str
    gold: list[GoldFinding]
    examples: list[Candidate]


def texts_of(data: Path) -> dict[str, Text]:
    """Every article that tells of a patient, with its candidates outside general sentences."""
    found = {}
    for gold, doc in training_docs(data):
        wanted = [finding for finding in gold.findings if finding.field == SITE]
        found[gold.article_id] = Text(text_of(doc), wanted, examples(doc, gold))
    return found


def examples(doc: Doc, gold: GoldArticle) -> list[Candidate]:
    """The candidates of one article."""
    sites = sites_of(doc)
    context = Context(doc, sites)
    numbers = surroundings(doc, [(site.core.start, site.core.end) for site in sites])
    return [
        Candidate(
            gold.article_id,
            tuple(names_of(features(context, site))),
            row,
            is_gold(doc, site, gold),
            finding_of(site),
        )
        for site, row in zip(sites, numbers, strict=True)
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
        if overlaps(finding.text, doc.text, start, end):
            return True
    return False


def fit(rows: Sequence[Candidate]) -> LinearModel:
    """Fits one model."""
    examples = [Example(row.article, row.names, row.numbers, {SITE: row.is_site}) for row in rows]
    return fit_each(examples, STRENGTH, (SITE,))


def cross_validate(texts: dict[str, Text]) -> dict[float, tuple[Counts, Counts]]:
    """The (exact, relaxed) counts over held-out articles, by the least probability that makes a finding."""
    levels = [round(MIN_PROBABILITY + 0.04 * step, 2) for step in range(7)]
    scores = {level: (Counts(), Counts()) for level in levels}
    for held_out in folds(list(texts)):
        model = fit([row for name, text in texts.items() if name not in held_out for row in text.examples])
        for name in sorted(held_out):
            told = texts[name]
            weights = [model.weighed(row.numbers[None])[0] for row in told.examples]
            examples = zip(told.examples, weights, strict=True)
            sure = [(model.of(SITE, [("", row.names)], weighed), row.finding) for row, weighed in examples]
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
    options = arguments(__doc__)
    texts = texts_of(options.data)
    rows = [row for text in texts.values() for row in text.examples]
    print(f"{len(texts)} articles, {len(rows)} candidates, {sum(row.is_site for row in rows)} of them sites")
    for level, (strict, loose) in cross_validate(texts).items():
        print(
            f"from {level:.2f}: exact F1 {strict.f1:.3f}; relaxed precision {loose.precision:.3f} "
            f"recall {loose.recall:.3f} F1 {loose.f1:.3f}"
        )
    if options.write:
        ship(fit(rows), "sites")


if __name__ == "__main__":
    main()
