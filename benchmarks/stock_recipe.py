"""Trains spaCy's stock named entity recogniser on the corpora of a training config, to compare with.

    python benchmarks/stock_recipe.py configs/train/entities.yaml outputs/stock [--steps 2500]

The stock recipe: hash embeddings and a window encoder of width 96 and depth 4, a transition-based recogniser, Adam, no
vectors, no features of other stages, batches by words, dropout 0.1, the average of the weights at the last step. Then
`caseframe evaluate benchmarks/entities.yaml -o outputs/entities_benchmark` scores it beside the shipped entities.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from spacy.util import compounding, filter_spans, fix_random_seed

from caseframe.evaluation.records import SpanDocument
from caseframe.evaluation.run import load_spans_of
from caseframe.stages.tokenizer import blank
from caseframe.training.job import load_training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=2500)
    arguments = parser.parse_args()
    job = load_training(arguments.config)
    fix_random_seed(job.seed)
    nlp = blank()
    documents = [document for corpus in job.corpora for document in load_spans_of(corpus).documents]
    examples = [marked(nlp, document) for document in documents]
    nlp.add_pipe("ner")
    optimizer = nlp.initialize(lambda: examples)
    for step, batch in enumerate(batches(examples, job.seed), start=1):
        losses = nlp.update(batch, sgd=optimizer, drop=0.1)
        if step % 100 == 0:
            print(f"step {step}: loss {losses['ner']:.1f}", flush=True)
        if step == arguments.steps:
            break
    with nlp.use_params(optimizer.averages):
        nlp.to_disk(arguments.out)


def marked(nlp: Language, document: SpanDocument) -> Example:
    """A document with its spans as entities; of spans that overlap the longest is kept."""
    doc = nlp.make_doc(document.article.text)
    found = (doc.char_span(s.start, s.end, label=s.type, alignment_mode="expand") for s in document.spans)
    reference = Doc(nlp.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc])
    spans = filter_spans([span for span in found if span is not None])
    reference.ents = tuple(Span(reference, span.start, span.end, label=span.label_) for span in spans)
    return Example(doc, reference)


def batches(examples: list[Example], seed: int) -> Iterator[list[Example]]:
    """Batches of a hundred to a thousand words, round after round."""
    order = random.Random(seed)
    size = compounding(100, 1000, 1.001)
    while True:
        order.shuffle(examples)
        yield from minibatch_by_words(examples, size=size, discard_oversize=False)


if __name__ == "__main__":
    main()
