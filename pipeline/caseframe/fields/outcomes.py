"""outcome: how the patient did, by the lexicon and by the verbs and nouns of getting better or worse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding
from caseframe.fields.phrases import core_words, phrase
from caseframe.lexicons.folding import canonical
from caseframe.schema import Assertion, AttributeValue, Finding
from caseframe.stages.extensions import sentence_of, text_of
from caseframe.stages.timeline import when_of

_SOURCE = "outcomes"
_NOUN_OF_VERB = {
    "resolved": "resolution", "resolves": "resolution", "disappeared": "resolution", "subsided": "resolution",
    "cleared": "resolution", "vanished": "resolution", "abated": "resolution", "ceased": "resolution",
    "improved": "improvement", "ameliorated": "improvement", "alleviated": "relief", "relieved": "relief",
    "regressed": "regression", "shrank": "regression", "normalized": "normalization", "normalised": "normalization",
    "recovered": "recovery", "regained": "recovery", "restored": "recovery", "healed": "healing",
    "stabilized": "stabilization", "stabilised": "stabilization", "worsened": "deterioration",
    "deteriorated": "deterioration", "progressed": "progression",
}  # fmt: skip
_NOMINAL = re.compile(
    r"\b(?P<noun>resolution|improvements?|regression|disappearance|relief|recovery|normali[sz]ation|restoration|healing"
    r"|remission|alleviation|amelioration|cessation|reduction|deterioration|progression|worsening) "
    r"(?:of|in|from) (?:the |his |her |all |this |these |both |any )?(?P<object>(?:[\w'’-]+ ){0,3}?[\w'’-]+)"
    r"(?=[.,;:)]| (?:was|were|is|after|at|on|within|and|in|with|by|following|during|for|to|as|over|without)\b)",
    re.IGNORECASE,
)
_NOUN_VALUES = {"disappearance": "resolution", "alleviation": "relief", "amelioration": "improvement"}
_SKIPPED = frozenset("was were has have had been be is are also then completely fully gradually rapidly dramatically "
                     "significantly markedly slowly spontaneously totally partially soon quickly well almost all "
                     "substantially remarkably greatly promptly immediately nearly clinically eventually finally "
                     "subsequently uneventfully not did".split())  # fmt: skip
_PERSONS = frozenset("patient he she child boy girl infant baby man woman they patients condition course".split())
_OF_PERSON = {"improvement": "clinical improvement", "deterioration": "clinical deterioration"}
_QUALITY = (
    ("excellent", re.compile(r"\b(?:excellent|complete(?:ly)?|full(?:y)?|perfect|total(?:ly)?|dramatic(?:ally)?)\b",
                             re.I)),
    ("good", re.compile(r"\b(?:good|well|satisf\w+|favou?rable|successful(?:ly)?|significant(?:ly)?|uneventful(?:ly)?"
                        r"|remarkabl[ey]|marked(?:ly)?)\b", re.I)),
    ("fair", re.compile(r"\b(?:fair|moderate(?:ly)?|partial(?:ly)?|slight(?:ly)?|acceptable|mild(?:ly)?)\b", re.I)),
    ("poor", re.compile(r"\b(?:poor(?:ly)?|unsatisfactory|unfavou?rable|worse\w*|dismal)\b", re.I)),
)  # fmt: skip
_QUALITY_CHARS = 30
_BAD_NOUNS = frozenset({"deterioration", "progression", "worsening"})


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the outcomes of a Doc."""
    taken: list[tuple[int, int]] = []
    for span in doc.spans.get("terms", ()):
        if span.label_ == "outcome":
            taken.append((span.start, span.end))
            yield _finding(span, span._.term.preferred, str(span._.term.attributes.get("quality", "")), 0.7)
    for span, value in (*_by_verb(doc), *_by_noun(doc)):
        if all(span.end <= start or end <= span.start for start, end in taken):
            taken.append((span.start, span.end))
            quality = "poor" if value.split()[-1] in _BAD_NOUNS else ""
            yield _finding(span, value, quality, 0.6, "absent" if _is_denied_verb(span) else None)


def _finding(span: Span, value: str, quality: str, confidence: float, assertion: Assertion | None = None) -> Finding:
    when = when_of(span)
    attributes: dict[str, AttributeValue] = {}
    if when is not None and when >= 0:
        attributes["when_days"] = when
    if quality := quality or _quality(span):
        attributes["quality"] = quality
    return make_finding(
        span, "outcome", value, source=_SOURCE, assertion=assertion, attributes=attributes, confidence=confidence
    )


def _is_denied_verb(span: Span) -> bool:
    """ "The symptoms were not relieved": the denial stands inside the words."""
    return span[-1].lower_ in _NOUN_OF_VERB and any(token.lower_ == "not" for token in span)


def _quality(span: Span) -> str:
    sentence = sentence_of(span)
    begin = max(sentence.start_char, span.start_char - _QUALITY_CHARS)
    end = min(sentence.end_char, span.end_char + _QUALITY_CHARS // 2)
    around = text_of(span.doc)[begin:end]
    return next((quality for quality, pattern in _QUALITY if pattern.search(around)), "")


def _by_verb(doc: Doc) -> Iterator[tuple[Span, str]]:
    """ "The headache resolved", "her symptoms were completely relieved", "the patient recovered"."""
    for token in doc:
        noun = _NOUN_OF_VERB.get(token.lower_)
        if noun is None:
            continue
        sentence = sentence_of(token.doc[token.i : token.i + 1])
        i = token.i - 1
        while i >= sentence.start and doc[i].lower_ in _SKIPPED:
            i -= 1
        if i < sentence.start or not doc[i].is_alpha:
            continue
        if doc[i].lower_ in _PERSONS:
            yield doc[i : token.i + 1], _OF_PERSON.get(noun, noun)
            continue
        subject = phrase(doc, i, i + 1)
        words = core_words(subject)
        if words and doc[i].lower_ not in ("and", "who", "which", "that", "to"):
            yield doc[subject.start : token.i + 1], canonical(" ".join((*words[:-1], canonical(words[-1]), noun)))


def _by_noun(doc: Doc) -> Iterator[tuple[Span, str]]:
    """ "complete resolution of symptoms", "improvement in visual acuity"."""
    for match in _NOMINAL.finditer(text_of(doc)):
        span = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if span is None:
            continue
        noun = canonical(match["noun"])
        noun = _NOUN_VALUES.get(noun, noun)
        yield span, f"{canonical(match['object'])} {noun}"
