"""Plain spaCy as a peer: a span ruler with CaseFrame's lexicon, and negspacy (NegEx) for denials.

    python negspacy_peer.py --lexicon lexicon.tsv < texts.jsonl > spans.jsonl

Needs requirements-spacy.txt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lexicon import arguments, longest, read_forms
from protocol import Annotate, Mark, serve

GROUP = "terms"


def load() -> Annotate:
    options = arguments("spaCy's span ruler and negspacy").parse_args()

    import negspacy.negation  # noqa: F401  registers "negex"
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    forms = list(read_forms(options.lexicon, options.fields))
    for attr, exact in (("LOWER", False), ("ORTH", True)):
        ruler = nlp.add_pipe(
            "span_ruler",
            name=f"ruler_{attr.lower()}",
            config={"spans_key": GROUP, "phrase_matcher_attr": attr, "overwrite": False},
        )
        ruler.add_patterns([{"label": form.field, "pattern": form.form} for form in forms if form.exact == exact])
    nlp.add_pipe("negex", config={"span_keys": [GROUP]})

    def annotate(texts: Iterator[str]) -> Iterable[list[Mark]]:
        for doc in nlp.pipe(texts, batch_size=16):
            spans = doc.spans[GROUP]
            yield longest(Mark(s.start_char, s.end_char, s.label_, "absent" if s._.negex else "present") for s in spans)

    return annotate


if __name__ == "__main__":
    serve(load)
