"""imaging: the modalities with which the patient was imaged, one finding a mention.

A modality that only guides a needle ("CT-guided biopsy") or qualifies something else ("radiographic union") is no
imaging study of its own, or not surely one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, sentence_chars, spans_of, term_at
from caseframe.schema import Finding
from caseframe.stages.extensions import text_of

_SOURCE = "imaging"
# After the modality: it steers an intervention, or names a service, a criterion, a machine.
_NO_STUDY = re.compile(
    r"[-\s]*(?:\w+\s)?(?:guid(?:ed|ance)|directed|assisted|navigat(?:ed|ion)|compatible|safe\b|department|suite|criteri\w+"
    r"|technician|machine|probe|transducer|gel\b)",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(r"(?:ic|ical|ically)$", re.IGNORECASE)
# Nouns that make an adjective a study: "echocardiographic examination", "radiographic findings".
_STUDY_NOUN = re.compile(
    r"\s+(?:and\s\w+\s)?(?:exam\w*|evaluation|assessment|study|studies|image\w*|imaging|finding\w*|investigation\w*|scan\w*"
    r"|view\w*|feature\w*|appearance\w*|control|follow)",
    re.IGNORECASE,
)
_SURE, _QUALIFIER = 0.85, 0.5


def find(doc: Doc) -> Iterator[Finding]:
    """Yields every mention of an imaging modality."""
    for span in spans_of(doc, "terms", "imaging"):
        term = term_at(span)
        after = text_of(doc)[span.end_char : min(sentence_chars(span)[1], span.end_char + 40)]
        if _NO_STUDY.match(after):
            continue
        yield make_finding(span, "imaging", term.preferred, source=_SOURCE, confidence=_confidence(span, after))


def _confidence(span: Span, after: str) -> float:
    """An adjective alone may qualify a course ("radiographic follow-up") and no study."""
    if _ADJECTIVE.search(span.text) and not _STUDY_NOUN.match(after):
        return _QUALIFIER
    return _SURE
