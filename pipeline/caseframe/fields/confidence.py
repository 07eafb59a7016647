"""How sure a finding is: the probability that a reader of the article would fill the field with it.

One logistic model a field over what the field module said, where and how often the thing is told, its assertion and
the words beside it. The weights stand in `rules/confidence.tsv`, a column a field, fitted by
`benchmarks/fit_confidence.py` on the training gold; `(bias)` is the intercept, `(least)` the probability under which a
finding is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spacy.tokens import Doc, Span

from caseframe.fields import courses, follow_up
from caseframe.fields.base import folded_words, span_of
from caseframe.fields.entities import features as entity_features
from caseframe.fields.linear import Bag, LinearModel, shipped
from caseframe.fields.roles import aftermath, first_treatment
from caseframe.fields.surroundings import surroundings
from caseframe.schema import Finding
from caseframe.stages.entity_network import Floats
from caseframe.stages.extensions import sentence_bounds, text_of
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


def confidence_of(field: str, bags: Iterable[Bag], numbers: Floats) -> float:
    """Probability of a finding of `field` with these features and surroundings."""
    return model().of(field, bags, numbers)


def least(field: str) -> float:
    """The probability under which a finding of `field` is left out."""
    return model().weights[_LEAST][model().classes.index(field)]


class Context:
    """What a Doc says of the findings of one of its cases, gathered once a case."""

    def __init__(self, doc: Doc, folded: Folded) -> None:
        self.doc = doc
        self.findings = [finding for finding, _ in folded]
        self.by_value: dict[tuple[object, str], list[Finding]] = {}
        self.sure: dict[str, list[float]] = {}
        for finding in self.findings:
            self.by_value.setdefault((finding.value, finding.assertion), []).append(finding)
            self.sure.setdefault(finding.field, []).append(finding.confidence)
        self.extents = [(finding.start, finding.end, finding) for finding in self.findings]
        self.length = max(1, len(text_of(doc)))


def features(context: Context, finding: Finding, group: Sequence[Finding]) -> Iterator[Bag]:
    """The features of a finding of a case; `group` are the mentions of the same thing, itself among them."""
    span = span_of(context.doc, finding)
    if span is None:
        return
    start, end = span.start, span.end
    first, last = sentence_bounds(context.doc, start)
    words = folded_words(context.doc)
    mentions = [span_of(context.doc, mention) or context.doc[:1] for mention in group]
    told_in = list(map(role_of, mentions))
    yield "", _told(context, finding, group, span, mentions, told_in)
    yield "before=", words[max(first, start - _WINDOW) : start]
    yield "after=", words[end : min(last, end + _WINDOW)]
    yield "inside=", words[start:end]
    yield "sentence=", [word for word in (*words[first:start], *words[end:last]) if len(word) > 4 and word.isalpha()]
    yield "", [f"said={_tenth(finding)}&mentions={min(len(group), 3)}"]
    if finding.field == "outcome":
        yield "", [*courses.features(span), *_of_course(span, last, told_in)]
    if finding.field in _OF_STATE:
        yield "tells ", follow_up.told_by(finding.sentence)
    if finding.field == "follow_up":
        yield "", follow_up.features(span, finding, context.findings)


def _told(
    context: Context,
    finding: Finding,
    group: Sequence[Finding],
    span: Span,
    mentions: Sequence[Span],
    told_in: Sequence[str],
) -> Iterator[str]:
    """What is told of a finding, where and how often."""
    yield f"said={_tenth(finding)}"
    yield f"source={finding.source.split('/')[0]}"
    yield f"assertion={finding.assertion}"
    yield f"section={finding.section}"
    yield f"mentions={min(len(group), 4)}"
    yield from _rivals(context, finding)
    sections = {mention.section for mention in group}
    yield f"in title={'title' in sections}"
    yield f"only in title={sections == {'title'}}"
    yield f"story={int(5 * max(map(narrative_score, mentions)))}"
    yield f"role={role_of(span)}"
    for role in dict.fromkeys(told_in):
        yield f"told in={role}"
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
    yield f"place={min(4, 5 * finding.start // context.length)}"


def _of_course(span: Span, end_of_sentence: int, told_in: Sequence[str]) -> Iterator[str]:
    """Where in the course of treatment an outcome is told."""
    treated = first_treatment(span.doc)
    place = "after" if span.start > treated else "before"
    later = aftermath(span.doc, treated) < end_of_sentence
    yield f"treated={place}"
    yield f"aftermath={later}"
    yield f"treated={place}&role={role_of(span)}"
    yield f"aftermath={later}&role={role_of(span)}"
    yield f"treated={place}&outcome told={'outcome' in told_in}"


def numbers(context: Context, findings: Sequence[Finding]) -> Floats:
    """The surroundings of some findings, a row each."""
    spans = [span_of(context.doc, finding) or context.doc[:1] for finding in findings]
    return surroundings(context.doc, [(span.start, span.end) for span in spans])


def _rivals(context: Context, finding: Finding) -> Iterator[str]:
    """What else was said: surer things in the same field, the same words in another field."""
    field, sure, start, end = finding.field, finding.confidence, finding.start, finding.end
    surer = sum([other > sure for other in context.sure[field]])
    yield f"rivals={min(surer, 4)}"
    yield f"rivals={min(surer, 2)}&said={_tenth(finding)}"
    for other in context.by_value[finding.value, finding.assertion]:
        if other.field != field:
            yield f"same as {other.field}"
            yield f"same as {'a surer' if other.confidence > sure else 'a less sure'} {other.field}"
    for other in [other for first, last, other in context.extents if first < end and start < last]:
        if other.field != field:
            yield f"also={other.field}"
            yield f"also={other.field}&said={_tenth(other)}"
            if other.confidence > sure:
                yield "said more surely of another field"


def _tenth(finding: Finding) -> int:
    return min(9, int(10 * finding.confidence))
