"""Field-level scores on gold, by the rules of docs/schema.md.

    python benchmarks/fields.py DATA_DIR [--set casefields_dev] [--errors N]

Prints precision, recall and F1 of each field, exact and relaxed, and the 95 % bootstrap interval over articles of the
relaxed micro F1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from caseframe.evaluation.fields import score_fields
from caseframe.evaluation.gold import GoldArticle, read_gold, read_texts
from caseframe.evaluation.matching import relaxed
from caseframe.evaluation.metrics import count_array, type_names
from caseframe.evaluation.records import ArticleScore, Counts
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
    scores = [score_fields(gold, extraction) for gold, extraction in pairs]
    types = type_names("fields", scores)
    print(f"{'field':15} {'gold':>5} {'found':>5}   exact P     R    F1   relaxed P     R    F1")
    for field in types:
        print_row(field, *summed(scores, [field]))
    print_row("micro, all", *summed(scores, types))
    print_row("micro, case", *summed(scores, [field for field in types if field in CASE_FIELDS]))
    macro = np.mean([summed(scores, [field])[1].f1 for field in types])
    low, high = interval(scores)
    print(f"macro relaxed F1 {macro:.3f}; micro relaxed F1 95 % interval {low:.3f} to {high:.3f}")
    if arguments.errors:
        print_errors(pairs, arguments.errors, arguments.field)


def summed(scores: list[ArticleScore], types: list[str]) -> tuple[Counts, Counts]:
    """The exact and the relaxed counts of fields."""
    strict, loose = (count_array(scores, types, mode).sum(axis=(0, 1)).tolist() for mode in ("exact", "relaxed"))
    return Counts(*strict), Counts(*loose)


def print_row(name: str, exact: Counts, loose: Counts) -> None:
    print(f"{name:15} {exact.gold:5} {exact.predicted:5}     {row(exact)}       {row(loose)}")


def row(counts: Counts) -> str:
    return f"{counts.precision:5.3f} {counts.recall:5.3f} {counts.f1:5.3f}"


def interval(scores: list[ArticleScore]) -> tuple[float, float]:
    """Percentile bootstrap over articles of the relaxed micro F1."""
    totals = count_array(scores, type_names("fields", scores), "relaxed").sum(axis=1)
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
