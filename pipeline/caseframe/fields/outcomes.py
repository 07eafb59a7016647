"""outcome: how the patient did, by the lexicon and by the verbs and nouns of getting better or worse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_in
from caseframe.fields.phrases import core_words, is_modifier, phrase
from caseframe.lexicons.folding import canonical
from caseframe.schema import Assertion, AttributeValue, Finding
from caseframe.stages.assertion import assertion_of
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
                     "substantially remarkably greatly promptly immediately nearly near clinically eventually finally "
                     "subsequently uneventfully not did".split())  # fmt: skip
# What is done or given does not get better or worse; "therapy was restored", "training progressed" are no outcomes.
_NO_SUBJECTS = frozenset(
    "therapy treatment training surgery procedure operation administration study trial drug dose medication infusion "
    "case cases analysis rate measurement effect use year day".split()
)
# Outcomes that say little without their object: "resolution", of what? The object is looked for in the words beside.
_BARE = frozenset(
    "resolution improvement regression normalization stabilization progression recovery relief healing shrinkage "
    "remission".split()
)
# "high resolution CT", "residual mass resection": words that make something else of an outcome's.
_NO_OUTCOME_AFTER = frozenset("high low spatial temporal image ultrahigh".split())
_NO_OUTCOME_BEFORE = frozenset("resection excision removal chemotherapy radiotherapy surgery rate rates".split())
_UNABLE = re.compile(
    r"\b(?:unable|inability|could not|cannot|can not|difficult\w*|not able|failed) (?:to |in |with )?\Z",
    re.IGNORECASE,
)
# "without problems of wound healing": what is denied is the trouble.
_TROUBLE = re.compile(
    r"\b(?:problems?|difficult\w+|complications?|delay\w*|disturbances?|impairments?|deficits?)\b",
    re.IGNORECASE,
)
# Fields whose terms are given or done, and so do not get better.
_GIVEN = frozenset({"therapy", "procedure", "imaging", "implant"})
_PREPOSITIONS = frozenset("in of on at within from".split())
# Words that end a noun phrase; a possessive does not.
_NOT_WITHIN = STOP_WORDS - {"'s", "’s"}
_OBJECT_OF_ACTIVE = frozenset("the his her its their this these all both a an".split())
_PERSONS = frozenset("patient he she child boy girl infant baby man woman they patients condition course".split())
_OF_PERSON = {
    "improvement": "clinical improvement",
    "deterioration": "clinical deterioration",
    "progression": "disease progression",
}
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
    built = [*_by_verb(doc), *_by_noun(doc)]
    for span in spans_in(doc, "terms"):
        if span.label_ != "outcome" or not _is_outcome(span):
            continue
        bare = span._.term.preferred in _BARE
        if not (bare and any(fuller.start < span.end and span.start < fuller.end for fuller, _ in built)):
            taken.append((span.start, span.end))
            present: Assertion | None = "present" if _denies_trouble(span) else None
            quality = str(span._.term.attributes.get("quality", ""))
            yield _finding(span, span._.term.preferred, quality, 0.7, present)
    for span, value in built:
        if all(span.end <= start or end <= span.start for start, end in taken):
            taken.append((span.start, span.end))
            quality = "poor" if value.split()[-1] in _BAD_NOUNS else ""
            yield _finding(span, value, quality, 0.6, "absent" if _is_denied_verb(span) else None)


def _is_outcome(span: Span) -> bool:
    """Whether the words beside a term leave it an outcome; "unable to walk" is a symptom."""
    doc, sentence = span.doc, sentence_of(span)
    if span.start > sentence.start and doc[span.start - 1].lower_ in _NO_OUTCOME_AFTER:
        return False
    if span.end < sentence.end and doc[span.end].lower_ in _NO_OUTCOME_BEFORE:
        return False
    before = text_of(doc)[max(sentence.start_char, span.start_char - _QUALITY_CHARS) : span.start_char]
    if span.text.lower() == "recovered" and before.endswith(("was ", "were ", "been ")):
        return False  # "isolates were recovered"
    return _UNABLE.search(before) is None


def _denies_trouble(span: Span) -> bool:
    """Whether a denial is part of the outcome ("no neurological deficit"), or denies only trouble with it."""
    label, cue = assertion_of(span)
    if label != "absent" or cue is None:
        return False
    return span.start <= cue.start < span.end or _TROUBLE.search(span.doc[cue.end : span.start].text) is not None


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
    given = [span for span in spans_in(doc, "terms") if span.label_ in _GIVEN]
    for token in doc:
        noun = _NOUN_OF_VERB.get(token.lower_)
        if noun is None:
            continue
        sentence = sentence_of(token.doc[token.i : token.i + 1])
        i = token.i - 1
        while i >= sentence.start and doc[i].lower_ in _SKIPPED:
            i -= 1
        if i < sentence.start or not doc[i].is_alpha or doc[i].lower_ in _NO_SUBJECTS:
            continue
        if token.lower_ == "recovered" and any(
            doc[j].lower_ in ("was", "were", "been", "be") for j in range(i + 1, token.i)
        ):
            continue
        if i == token.i - 1 and token.i + 1 < sentence.end and doc[token.i + 1].lower_ in _OBJECT_OF_ACTIVE:
            continue  # "the drug relieved his pain"
        if doc[i].lower_ in _PERSONS:
            yield doc[i : token.i + 1], _OF_PERSON.get(noun, noun)
            continue
        subject = phrase(doc, i, i + 1)
        if any(subject.end - 1 < span.end and span.start < subject.end for span in given):
            continue
        subject, words = _whole_subject(doc, subject, sentence.start)
        if words and doc[i].lower_ not in STOP_WORDS and not doc[i].lower_.endswith("ly"):
            yield doc[subject.start : token.i + 1], canonical(" ".join((*words[:-1], canonical(words[-1]), noun)))


def _whole_subject(doc: Doc, noun: Span, first: int) -> tuple[Span, list[str]]:
    """The subject with the noun before its preposition, and its words: "metastases in the liver"."""
    i = noun.start - 1
    while i > first and doc[i].lower_ in _OBJECT_OF_ACTIVE:
        i -= 1
    if i <= first or doc[i].lower_ not in _PREPOSITIONS or not is_modifier(doc, i - 1):
        return noun, core_words(noun)
    head = phrase(doc, i - 1, i)
    words = core_words(head)
    if doc[i].lower_ == "of":
        words = [*core_words(noun), *words]
    return doc[head.start : noun.end], words


def _by_noun(doc: Doc) -> Iterator[tuple[Span, str]]:
    """ "complete resolution of symptoms", "improvement in visual acuity"."""
    for match in _NOMINAL.finditer(text_of(doc)):
        span = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if span is None:
            continue
        noun = canonical(match["noun"])
        noun = _NOUN_VALUES.get(noun, noun)
        named = _object(doc.char_span(*match.span("object"), alignment_mode="expand") or span)
        if named in _PERSONS:
            yield span, _OF_PERSON.get(noun, noun)
        elif named and named.split()[-1] not in _NO_SUBJECTS:
            yield span, named if noun in named.split() else f"{named} {noun}"


def _object(words: Span) -> str:
    """The name of an object: its words from the first that can begin a noun phrase to the first that cannot go on."""
    doc = words.doc
    start = next((i for i in range(words.start, words.end) if is_modifier(doc, i)), words.end)
    end = next((i for i in range(start, words.end) if doc[i].lower_ in _NOT_WITHIN), words.end)
    if start >= end or doc[words.start].like_num:
        return ""
    return canonical(" ".join(core_words(doc[start:end])))
