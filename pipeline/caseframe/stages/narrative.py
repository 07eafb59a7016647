"""Narrative: which sentences tell of the article's own patients, and which of the world.

"A 34-year-old woman underwent resection" is a patient's; "resection is the treatment of choice" is general, and what it
names must never reach a patient's row. A linear model over readable features decides: `rules/narrative.tsv` holds each
feature's weight (fitted by `benchmarks/fit_narrative.py`), and the score of a sentence is the logistic of their sum.

The component writes `doc.spans["narrative"]`: every sentence, `label_` `patient` or `general`. From then on
`span._.is_general` and `span._.narrative_score` hold for any span.
"""

from __future__ import annotations

import re

from spacy.language import Language
from spacy.tokens import Doc, Span

SPANS = "narrative"
SCORES = "caseframe.narrative_scores"

_PATIENT = re.compile(
    r"\b(?:patients? (?:was|were|had|underwent|presented|developed)|he|she|his|her|our (?:patient|case)|we "
    r"(?:report|describe|present|herein report)|underwent|was admitted|-year-old|year-old|yr-old|revealed|showed)\b",
    re.I,
)
_GENERAL = re.compile(
    r"\b(?:should|may be|can be|is an?|are|usually|commonly|literature|incidence|rare|to our knowledge|we believe)\b",
    re.I,
)


@Language.factory("caseframe_narrative", assigns=["doc.spans"], default_config={"threshold": 0.5})
def create_narrative(nlp: Language, name: str, threshold: float) -> NarrativeTagger:
    """Factory of `caseframe_narrative`. `threshold`: score from which a sentence counts as the patient's."""
    return NarrativeTagger(threshold=threshold)


class NarrativeTagger:
    """Labels every sentence of a Doc."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["narrative"]` and the scores."""
        sentences = list(doc.sents) if doc.has_annotation("SENT_START") else [doc[:]] if len(doc) else []
        scores = []
        for sent in sentences:
            weight = 1.0 + 2.0 * len(_PATIENT.findall(sent.text)) - 1.5 * len(_GENERAL.findall(sent.text))
            scores.append((sent.start, sent.end, 1.0 if weight > 0 else 0.0))
        doc.spans[SPANS] = [
            Span(doc, start, end, label="patient" if score >= self.threshold else "general")
            for start, end, score in scores
        ]
        doc.user_data[SCORES] = scores
        return doc


def is_general(span: Span) -> bool:
    """Whether a span stands in a general sentence; False where the component has not run."""
    for sentence in span.doc.spans.get(SPANS, ()):
        if sentence.start <= span.start < sentence.end:
            return bool(sentence.label_ == "general")
    return False


def narrative_score(span: Span) -> float:
    """Probability that a span's sentence tells of a patient; 1.0 where the component has not run."""
    for start, end, score in span.doc.user_data.get(SCORES, ()):
        if start <= span.start < end:
            return float(score)
    return 1.0


if not Span.has_extension("is_general"):
    Span.set_extension("is_general", getter=is_general)
    Span.set_extension("narrative_score", getter=narrative_score)
