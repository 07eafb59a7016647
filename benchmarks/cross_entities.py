"""Trains entities on parts of their corpus, so that its articles can be marked by weights that never saw them.

    python benchmarks/cross_entities.py configs/train/entities.yaml outputs/cross_entities [--work FOLDER]

The models of roles, sites and confidence learn from articles of which some are in the corpus of the entities. Marked by
the shipped weights those would look too good; `fitting.training_docs` takes these weights for them. Four parts, each
marked by a network that was trained on the others, without unmarked texts (a little worse than the shipped weights;
benchmarks/teacher makes better ones on a GPU).
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from caseframe.evaluation.run import load_spans_of
from caseframe.training.job import Silver, TrainConfig, load_training
from caseframe.training.run import run_training

PARTS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--work", type=Path, help="work folder of the training, which has the vectors")
    arguments = parser.parse_args()
    job = load_training(arguments.config)
    corpus, names = job.corpora[0], names_in_order(job)
    for part in range(PARTS):
        folder = arguments.out / str(part)
        folder.mkdir(parents=True, exist_ok=True)
        unseen = folder / "unseen.txt"
        unseen.write_text("\n".join(names[part::PARTS]) + "\n", encoding="utf-8")
        rest = corpus.model_copy(update={"without": unseen})
        only = job.model_copy(update={"corpora": (rest, *job.corpora[1:]), "silver": Silver()})
        trained = run_training(only, folder, arguments.work or arguments.out / "work")
        print(f"part {part}: strict F1 on dev {trained.metrics['span']['micro']['strict_f1']:.3f}", flush=True)


def names_in_order(job: TrainConfig) -> list[str]:
    """The ids of the first corpus's articles, in the order from which every `PARTS`th is of one part."""
    names = sorted(article.article_id for article in load_spans_of(job.corpora[0]).articles)
    random.Random(job.seed).shuffle(names)
    return names


if __name__ == "__main__":
    main()
