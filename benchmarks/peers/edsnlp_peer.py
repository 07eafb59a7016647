"""EDS-NLP as a peer: its matcher with CaseFrame's lexicon, and its negation with NegEx's English cues.

    python edsnlp_peer.py --lexicon lexicon.tsv < texts.jsonl > spans.jsonl

Needs requirements-edsnlp.txt. EDS-NLP is made for French. What does not depend on the language is used as it is:
tokenizer, sentences, normalizer, `eds.matcher`. `eds.negation` takes its cues from outside: it gets those of negspacy's
`en_clinical` set. Its other qualifiers (hypothesis, history, family) have no English cues and stay out; so do its
French terminologies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lexicon import arguments, longest, read_forms
from protocol import Annotate, Mark, serve

GROUP = "terms"


def load() -> Annotate:
    options = arguments("EDS-NLP's matcher and negation").parse_args()

    import edsnlp
    import edsnlp.pipes as eds
    from negspacy.termsets import termset

    forms = list(read_forms(options.lexicon, options.fields))
    cues = termset("en_clinical").get_patterns()
    nlp = edsnlp.blank("eds")
    nlp.add_pipe(eds.normalizer())
    nlp.add_pipe(eds.sentences())
    for attr, exact in (("NORM", False), ("TEXT", True)):
        terms: dict[str, list[str]] = {}
        for form in forms:
            if form.exact == exact:
                terms.setdefault(form.field, []).append(form.form)
        nlp.add_pipe(eds.matcher(terms=terms, attr=attr, span_setter=GROUP), name=f"matcher_{attr.lower()}")
    nlp.add_pipe(
        eds.negation(
            pseudo=cues["pseudo_negations"],
            preceding=cues["preceding_negations"],
            preceding_regex=[],
            following=cues["following_negations"],
            termination=cues["termination"],
            span_getter=GROUP,
        )
    )

    def annotate(texts: Iterator[str]) -> Iterable[list[Mark]]:
        for text in texts:
            spans = nlp(text).spans.get(GROUP, ())
            yield longest(
                Mark(s.start_char, s.end_char, s.label_, "absent" if s._.negation else "present") for s in spans
            )

    return annotate


if __name__ == "__main__":
    serve(load)
