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
from caseframe.stages.narrative import scores_by_token
from caseframe.stages.roles import roles_by_token

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


def confidence_of(field: str, bags: Iterable[Bag], weighed: Sequence[float]) -> float:
    """Probability of a finding of `field` with these features, and what its surroundings weigh."""
    return model().of(field, bags, weighed)


def least(field: str) -> float:
    """The probability under which a finding of `field` is left out."""
    return model().weights[_LEAST][model().classes.index(field)]


class Context:
    """What a Doc says of the findings of one of its cases, gathered once a case."""

    def __init__(self, doc: Doc, folded: Folded) -> None:
        self.doc = doc
        self.words = folded_words(doc)
        self.roles, self.scores = roles_by_token(doc), scores_by_token(doc)
        self.findings = [finding for finding, _ in folded]
        self.by_value: dict[tuple[object, str], list[Finding]] = {}
        self.sure: dict[str, list[float]] = {}
        for finding in self.findings:
            self.by_value.setdefault((finding.value, finding.assertion), []).append(finding)
            self.sure.setdefault(finding.field, []).append(finding.confidence)
        self.extents = [(finding.start, finding.end, finding) for finding in self.findings]
        self.length = max(1, len(text_of(doc)))


def features(context: Context, finding: Finding, group: Sequence[Finding]) -> list[Bag]:
    """The features of a finding of a case; `group` are the mentions of the same thing, itself among them."""
    doc, words, field, value = context.doc, context.words, finding.field, finding.value
    span = span_of(doc, finding)
    if span is None:
        return []
    start, end = span.start, span.end
    first, last = sentence_bounds(doc, start)
    spans = [span] if len(group) == 1 else [span_of(doc, mention) for mention in group]
    places = [0 if each is None else each.start for each in spans]
    role, told_in = context.roles[start], tuple(dict.fromkeys([context.roles[place] for place in places]))
    sections = {mention.section for mention in group}
    when = "none" if finding.when_days is None else "later" if finding.when_days > 0 else "before"
    confidence, names = finding.confidence, _beside(context, finding)
    surer = sum([other > confidence for other in context.sure[field]])
    count = -1
    if isinstance(value, str):
        named = value.split()
        count = min(len(named), 4)
        names += f"value={value}", f"head={named[-1] if named else ''}"
    if finding.attributes:
        for name, told in finding.attributes.items():
            names.append(f"has {name}")
            if isinstance(told, str):
                names.append(f"{name}={told}")
    sentence = [word for word in words[first:start] + words[end:last] if len(word) > 4 and word.isalpha()]
    bags: list[Bag] = [
        (_of_certainty, (_tenth(finding), min(len(group), 4), min(surer, 4))),
        (_of_place, (finding.section, "title" in sections, len(sections) > 1, 5 * finding.start // context.length)),
        (_of_manner, (finding.source, finding.assertion, when, count)),
        (_of_story, (int(5 * max([context.scores[place] for place in places])), role, told_in)),
        entity_features(span),
        ("", names),
        ("before=", words[max(first, start - _WINDOW) : start]),
        ("after=", words[end : min(last, end + _WINDOW)]),
        ("inside=", words[start:end]),
        ("sentence=", sentence),
    ]
    if field == "outcome":
        bags += ("", courses.features(span)), _of_course(span, last, role, told_in)
    if field in _OF_STATE:
        bags.append(("tells ", follow_up.told_by(finding.sentence)))
    if field == "follow_up":
        bags.append(("", follow_up.features(span, finding, context.findings)))
    return bags


def _of_certainty(tenth: int, mentions: int, surer: int) -> Iterator[str]:
    yield f"said={tenth}"
    yield f"mentions={mentions}"
    yield f"said={tenth}&mentions={min(mentions, 3)}"
    yield f"rivals={surer}"
    yield f"rivals={min(surer, 2)}&said={tenth}"


def _of_place(section: str, titled: bool, elsewhere: bool, place: int) -> Iterator[str]:
    yield f"section={section}"
    yield f"in title={titled}"
    yield f"only in title={titled and not elsewhere}"
    yield f"place={min(place, 4)}"


def _of_manner(source: str, assertion: str, when: str, words: int) -> Iterator[str]:
    yield f"source={source.split('/')[0]}"
    yield f"assertion={assertion}"
    yield f"when={when}"
    if words >= 0:
        yield f"words={words}"


def _of_story(score: int, role: str, told_in: Iterable[str]) -> Iterator[str]:
    yield f"story={score}"
    yield f"role={role}"
    for other in told_in:
        yield f"told in={other}"


def _of_course(span: Span, end_of_sentence: int, role: str, told_in: Sequence[str]) -> Bag:
    """Where in the course of treatment an outcome is told."""
    treated = first_treatment(span.doc)
    place = "after" if span.start > treated else "before"
    return _names_of_course, (place, aftermath(span.doc, treated) < end_of_sentence, role, "outcome" in told_in)


def _names_of_course(place: str, later: bool, role: str, told_as_outcome: bool) -> Iterator[str]:
    yield f"treated={place}"
    yield f"aftermath={later}"
    yield f"treated={place}&role={role}"
    yield f"aftermath={later}&role={role}"
    yield f"treated={place}&outcome told={told_as_outcome}"


def numbers(context: Context, findings: Sequence[Finding]) -> Floats:
    """The surroundings of some findings, a row each."""
    spans = [span_of(context.doc, finding) or context.doc[:1] for finding in findings]
    return surroundings(context.doc, [(span.start, span.end) for span in spans])


def weighed(context: Context, findings: Sequence[Finding]) -> list[list[float]]:
    """What the surroundings of some findings weigh, a row each, a weight a field."""
    return model().weighed(numbers(context, findings))


def _beside(context: Context, finding: Finding) -> list[str]:
    """What else was said: the same words, or words among them, in another field."""
    field, sure, start, end = finding.field, finding.confidence, finding.start, finding.end
    names: list[str] = []
    for other in context.by_value[finding.value, finding.assertion]:
        if other.field != field:
            much = "a surer" if other.confidence > sure else "a less sure"
            names += f"same as {other.field}", f"same as {much} {other.field}"
    for other in [other for first, last, other in context.extents if first < end and start < last]:
        if other.field != field:
            names += f"also={other.field}", f"also={other.field}&said={_tenth(other)}"
            if other.confidence > sure:
                names.append("said more surely of another field")
    return names


def _tenth(finding: Finding) -> int:
    return min(9, int(10 * finding.confidence))
