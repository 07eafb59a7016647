"""medspaCy as a peer: its target matcher with CaseFrame's lexicon, its ConText for assertion, its sentences and tokens.

    python medspacy_peer.py --lexicon lexicon.tsv < texts.jsonl > spans.jsonl

Needs requirements-medspacy.txt. medspaCy drops whatever overlaps a longer match of any label; here, as in CaseFrame, a
match gives way only to a longer one of its own field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lexicon import arguments, longest, read_forms
from protocol import Annotate, Mark, serve

# In the order of CaseFrame's precedence: what a span is where ConText says more than one thing of it.
ASSERTIONS = {
    "is_family": "family",
    "is_negated": "absent",
    "is_hypothetical": "hypothetical",
    "is_uncertain": "possible",
    "is_historical": "historical",
}
GROUP = "terms"


def load() -> Annotate:
    options = arguments("medspaCy's target matcher and ConText").parse_args()

    import medspacy
    from loguru import logger
    from medspacy.target_matcher import TargetRule
    from spacy.tokens import Span

    logger.disable("PyRuSH")  # a line a token
    nlp = medspacy.load(medspacy_enable=["medspacy_tokenizer", "medspacy_pyrush"])
    forms = list(read_forms(options.lexicon, options.fields))
    for attr, exact in (("LOWER", False), ("ORTH", True)):
        matcher = nlp.add_pipe(
            "medspacy_target_matcher",
            name=f"target_matcher_{attr.lower()}",
            config={
                "phrase_matcher_attr": attr,
                "result_type": "group",
                "span_group_name": GROUP,
                "prune": False,
            },
        )
        matcher.add([TargetRule(form.form, form.field) for form in forms if form.exact == exact])
    nlp.add_pipe("medspacy_context", config={"input_span_type": "group", "span_group_name": GROUP})

    def assertion(span: Span) -> str:
        return next((name for flag, name in ASSERTIONS.items() if getattr(span._, flag)), "present")

    def annotate(texts: Iterator[str]) -> Iterable[list[Mark]]:
        for doc in nlp.pipe(texts, batch_size=16):
            spans = doc.spans[GROUP]
            yield longest(Mark(s.start_char, s.end_char, s.label_, assertion(s)) for s in spans)

    return annotate


if __name__ == "__main__":
    serve(load)
