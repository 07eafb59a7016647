"""Field-level scores on gold, by the rules of docs/schema.md.

    python benchmarks/fields.py DATA_DIR [--set casefields_dev] [--errors N]

Prints precision, recall and F1 of each field, exact and relaxed, and the 95 % bootstrap interval over articles of the
relaxed micro F1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from caseframe.evaluation.gold import GoldArticle, read_gold, read_texts
from caseframe.evaluation.matching import micro, relaxed, score_article, total
from caseframe.evaluation.records import Counts
from caseframe.pipeline import extract_article, load
from caseframe.schema import CASE_FIELDS, FIELDS, Extraction

RESAMPLES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", default="casefields_dev")
    parser.add_argument("--errors", type=int, default=0, help="print so many misses and false alarms of each field")
    parser.add_argument("--field", action="append", help="only these fields in the errors")
    arguments = parser.parse_args()
    folder = arguments.data / arguments.set
    nlp = load()
    articles = {article.article_id: article for article in read_texts(folder / "texts.jsonl")}
    pairs = [(gold, extract_article(articles[gold.article_id], nlp)) for gold in read_gold(folder / "gold.jsonl")]
    scores = [score_article(gold, extraction) for gold, extraction in pairs]
    sums = total(scores)
    print(f"{'field':15} {'gold':>5} {'found':>5}   exact P     R    F1   relaxed P     R    F1")
    for field, counts in sums.items():
        print_row(field, *counts)
    print_row("micro, all", *micro(sums))
    print_row("micro, case", *micro({field: counts for field, counts in sums.items() if field in CASE_FIELDS}))
    macro = np.mean([loose.f1 for _, loose in sums.values()])
    low, high = interval(scores)
    print(f"macro relaxed F1 {macro:.3f}; micro relaxed F1 95 % interval {low:.3f} to {high:.3f}")
    if arguments.errors:
        print_errors(pairs, arguments.errors, arguments.field)


def print_row(name: str, exact: Counts, loose: Counts) -> None:
    print(f"{name:15} {exact.gold:5} {exact.predicted:5}     {row(exact)}       {row(loose)}")


def row(counts: Counts) -> str:
    return f"{counts.precision:5.3f} {counts.recall:5.3f} {counts.f1:5.3f}"


def interval(scores: list[dict[str, tuple[Counts, Counts]]]) -> tuple[float, float]:
    """Percentile bootstrap over articles of the relaxed micro F1."""
    names = ("matched", "predicted", "gold")
    totals = np.array([[getattr(micro(score)[1], name) for name in names] for score in scores])
    random = np.random.default_rng(0)
    samples = totals[random.integers(0, len(totals), (RESAMPLES, len(totals)))].sum(axis=1)
    f1 = 2 * samples[:, 0] / (samples[:, 1] + samples[:, 2])
    return float(np.percentile(f1, 2.5)), float(np.percentile(f1, 97.5))


def print_errors(pairs: list[tuple[GoldArticle, Extraction]], count: int, fields: list[str] | None) -> None:
    for field in fields or FIELDS:
        left = count
        print(f"== {field}")
        for gold, extraction in pairs:
            found = [f for _, f in extraction if f.field == field]
            wanted = [g for g in gold.findings if g.field == field]
            text = extraction.article.text
            missed = [g for g in wanted if not any(relaxed(g, f, text) for f in found)]
            false = [f for f in found if not any(relaxed(g, f, text) for g in wanted)]
            if left > 0 and (missed or false):
                left -= 1
                print(f"  {gold.article_id}")
                for g in missed:
                    print(f"    missed  {g.value} [{g.assertion}] “{g.text}”")
                for f in false:
                    print(f"    false   {f.value} [{f.assertion}] “{f.text}” {f.confidence:.2f} in: {f.sentence[:160]}")


if __name__ == "__main__":
    main()
