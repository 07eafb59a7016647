"""How sure a finding is: the probability that a reader of the article would fill the field with it.

One logistic model a field over what the field module said, where and how often the thing is told, its assertion and
the words beside it. The weights stand in `rules/confidence.tsv`, a column a field, fitted by
`benchmarks/fit_confidence.py` on the training gold; `(bias)` is the intercept, `(least)` the probability under which a
finding is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spacy.tokens import Doc, Span

from caseframe.fields import courses, follow_up
from caseframe.fields.base import folded_words
from caseframe.fields.entities import features as entity_features
from caseframe.fields.linear import LinearModel, shipped
from caseframe.fields.roles import aftermath, first_treatment
from caseframe.fields.surroundings import surroundings
from caseframe.schema import Finding
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import sentence_of, text_of
from caseframe.stages.narrative import narrative_score
from caseframe.stages.roles import role_of

# Fields whose findings are weighed; the others have few candidates and their module's own confidence.
FIELDS = (
    "diagnosis", "site", "metastasis", "comorbidity", "symptom", "procedure", "margin", "implant", "therapy", "imaging",
    "measurement", "outcome", "complication", "recurrence", "vital_status", "disease_status", "follow_up",
)  # fmt: skip
Folded = list[tuple[Finding, list[Finding]]]
"""Findings, each with the mentions it stands for."""
_LEAST = "(least)"
_WINDOW = 3
_OF_STATE = frozenset({"follow_up", "vital_status", "disease_status", "recurrence", "outcome"})


def model() -> LinearModel:
    """The shipped weights; its classes are the fields."""
    return shipped("confidence")


def confidence_of(field: str, names: Sequence[str], numbers: Floats) -> float:
    """Probability of a finding of `field` with these features and surroundings."""
    return model().of(field, names, numbers)


def least(field: str) -> float:
    """The probability under which a finding of `field` is left out."""
    return model().weights[_LEAST][model().classes.index(field)]


def features(doc: Doc, finding: Finding, group: Sequence[Finding], folded: Folded) -> Iterator[str]:
    """Names of the features of a finding.

    `group` are the mentions of the same thing, itself among them; `folded` are all findings of the case.
    """
    span = doc.char_span(finding.start, finding.end, alignment_mode="expand")
    if span is None:
        return
    yield f"said={_tenth(finding)}"
    yield f"source={finding.source.split('/')[0]}"
    yield f"assertion={finding.assertion}"
    yield f"section={finding.section}"
    yield f"mentions={min(len(group), 4)}"
    yield from _rivals(finding, folded)
    sections = {mention.section for mention in group}
    yield f"in title={'title' in sections}"
    yield f"only in title={sections == {'title'}}"
    mentions = [_span(doc, mention) for mention in group]
    yield f"story={int(5 * max(map(narrative_score, mentions)))}"
    yield from _told_in(span, mentions)
    yield f"code={bool(finding.code)}"
    if isinstance(finding.value, str):
        named = finding.value.split()
        yield f"words={min(len(named), 4)}"
        yield f"head={named[-1] if named else ''}"
        yield f"value={finding.value}"
    yield from entity_features(span)
    when = finding.when_days
    yield f"when={'none' if when is None else 'later' if when > 0 else 'before'}"
    for name, value in finding.attributes.items():
        yield f"has {name}"
        if isinstance(value, str):
            yield f"{name}={value}"
    yield f"place={min(4, 5 * finding.start // max(1, len(text_of(doc))))}"
    sentence = sentence_of(span)
    words = folded_words(doc)
    for word in words[max(sentence.start, span.start - _WINDOW) : span.start]:
        yield f"before={word}"
    for word in words[span.end : min(sentence.end, span.end + _WINDOW)]:
        yield f"after={word}"
    for word in words[span.start : span.end]:
        yield f"inside={word}"
    for i in range(sentence.start, sentence.end):
        if not span.start <= i < span.end and len(words[i]) > 4 and words[i].isalpha():
            yield f"sentence={words[i]}"
    yield f"said={_tenth(finding)}&mentions={min(len(group), 3)}"
    if finding.field == "outcome":
        yield from courses.features(span)
        yield from _of_course(span, sentence, told_in=[role_of(mention) for mention in mentions])
    if finding.field in _OF_STATE:
        yield from (f"tells {name}" for name in follow_up.told_by(finding.sentence))
    if finding.field == "follow_up":
        yield from follow_up.features(span, finding, [other for other, _ in folded])


def _of_course(span: Span, sentence: Span, told_in: list[str]) -> Iterator[str]:
    """Where in the course of treatment an outcome is told."""
    treated = first_treatment(span.doc)
    place = "after" if span.start > treated else "before"
    later = aftermath(span.doc, treated) < sentence.end
    yield f"treated={place}"
    yield f"aftermath={later}"
    yield f"treated={place}&role={role_of(span)}"
    yield f"aftermath={later}&role={role_of(span)}"
    yield f"treated={place}&outcome told={'outcome' in told_in}"


def numbers(doc: Doc, finding: Finding) -> Floats:
    """The surroundings of a finding."""
    return surroundings(_span(doc, finding))


def _told_in(span: Span, mentions: Sequence[Span]) -> Iterator[str]:
    """The roles of the sentences that tell the thing."""
    yield f"role={role_of(span)}"
    for role in dict.fromkeys(map(role_of, mentions)):
        yield f"told in={role}"


def _rivals(finding: Finding, folded: Folded) -> Iterator[str]:
    """What else was said: surer things in the same field, the same words in another field."""
    surer = sum(other.field == finding.field and other.confidence > finding.confidence for other, _ in folded)
    yield f"rivals={min(surer, 4)}"
    yield f"rivals={min(surer, 2)}&said={_tenth(finding)}"
    for other, _ in folded:
        if other.field != finding.field and other.value == finding.value and other.assertion == finding.assertion:
            yield f"same as {other.field}"
            yield f"same as {'a surer' if other.confidence > finding.confidence else 'a less sure'} {other.field}"
    for other, _ in folded:
        if other.field != finding.field and other.start < finding.end and finding.start < other.end:
            yield f"also={other.field}"
            yield f"also={other.field}&said={_tenth(other)}"
            if other.confidence > finding.confidence:
                yield "said more surely of another field"


def _tenth(finding: Finding) -> int:
    return min(9, int(10 * finding.confidence))


def _span(doc: Doc, finding: Finding) -> Span:
    return doc.char_span(finding.start, finding.end, alignment_mode="expand") or doc[:1]
