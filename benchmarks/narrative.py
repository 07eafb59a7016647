"""What the shipped narrative stage does on the gold: findings kept, general sentences caught, and its speed.

    python benchmarks/narrative.py ../shared/data [--gold casefields_dev] [--read 20]

`--read N` prints N abstracts of the article collection sentence by sentence, for reading.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np

from caseframe.pipeline import run
from caseframe.schema import Article
from caseframe.stages.narrative import NarrativeTagger, narrative_score
from fit_narrative import articles, lift, read, report, stages


def show(path: Path, number: int, skip: int) -> None:
    nlp = stages()
    nlp.add_pipe("caseframe_narrative")
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for index, row in enumerate(map(json.loads, stream)):
            if index < skip:
                continue
            if index >= skip + number:
                break
            parts = [(part["label"] or "", part["text"]) for part in row["sections"]]
            doc = run(nlp, Article.build(title=row["title"], abstract=parts))
            print(f"--- {row['article_id']}")
            for sentence in doc.spans["narrative"]:
                print(f"{sentence.label_:8}{narrative_score(sentence):.2f} {sentence.text.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--gold", default="casefields_train")
    parser.add_argument("--read", type=int, default=0)
    parser.add_argument("--skip", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.read:
        show(arguments.data / "articles" / "case_report_abstracts.jsonl.gz", arguments.read, arguments.skip)
        return
    tagger = NarrativeTagger()
    sentences = read(arguments.data / arguments.gold, set())
    scores = np.array([tagger.score(sentence.features) for sentence in sentences])
    report(arguments.gold, sentences, lift(sentences, scores), tagger.threshold)

    nlp = stages()
    docs = []
    for article, _ in list(articles(arguments.data / arguments.gold))[:200]:
        docs.append(run(nlp, article))
    start = time.process_time()
    for doc in docs:
        tagger(doc)
    seconds = time.process_time() - start
    print(f"speed: {1000 * seconds / sum(map(len, docs)) * 250:.3f} ms per 250 tokens ({len(docs)} abstracts)")


if __name__ == "__main__":
    main()
