"""Words a second of the learned entities, beside spaCy's stock recipe and beside the pipeline without them.

    python benchmarks/entity_speed.py DATA outputs/stock [--articles 500]

One process, one core (set OMP_NUM_THREADS=1), processor time, the same abstracts for all in turn, the median of five
rounds. `outputs/stock` is what benchmarks/stock_recipe.py wrote.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import spacy

from caseframe.pipeline import assemble_stages, load, run
from caseframe.schema import Article
from caseframe.sources import open_articles
from caseframe.stages.entities import EntityFinder, shipped_weights

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("stock", type=Path)
    parser.add_argument("--articles", type=int, default=500)
    arguments = parser.parse_args()
    source = arguments.data / "articles" / "case_report_abstracts.jsonl.gz"
    records = (record for record in open_articles([source]) if isinstance(record, Article))
    articles = list(islice(records, arguments.articles))
    words = sum(len(article.text.split()) for article in articles)
    stages, stock = assemble_stages(), spacy.load(arguments.stock)
    staged = [run(stages, article) for article in articles]
    plain = [stock.make_doc(article.text) for article in articles]
    finder, recogniser = EntityFinder().read(shipped_weights()), stock.get_pipe("ner")
    whole, rules = load(), load(entities="none")
    ways: dict[str, tuple[Callable[..., object], Sequence[object]]] = {
        "stock recipe, its component": (recogniser, plain),
        "entities, their component": (finder, staged),
        "pipeline without entities": (lambda article: run(rules, article), articles),
        "pipeline with entities": (lambda article: run(whole, article), articles),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (work, things) in ways.items():
            began = time.process_time()
            for thing in things:
                work(thing)
            seconds[name].append(time.process_time() - began)
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{name:28} {words / median:8,.0f} words/s  {len(articles) / median:6.1f} abstracts/s")


if __name__ == "__main__":
    main()
