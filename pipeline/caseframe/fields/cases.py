"""Deals findings to patients: drops general statements, folds repetitions, keeps each field's cardinality.

The rules, in order: what is hypothetical, or said of the world, goes; each finding joins the case that its words speak
of; mentions of one thing become one finding, at its best words, with the attributes of all; a vaguer value gives way to
a more specific one of the same kind; what is improbable (`confidence.py`) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from spacy.tokens import Doc

from caseframe.fields import confidence
from caseframe.fields.base import RESULTS, parts_of, span_of
from caseframe.fields.confidence import Folded
from caseframe.fields.study import Study, study_of
from caseframe.schema import FIELDS, Article, Attributes, Case, Extraction, Finding
from caseframe.stages.narrative import is_general

_ORDER = {name: number for number, name in enumerate(FIELDS)}
_KEPT_OF_FAMILY = frozenset({"comorbidity"})
# Fields in which "sarcoma" beside "synovial sarcoma" is the same thing, told less exactly.
_SPECIFIC = frozenset(
    {"diagnosis", "site", "procedure", "implant", "symptom", "comorbidity", "complication", "outcome"}
)


# What the episode treats is no comorbidity nor symptom of it as well: the surer of the two stands.
_EITHER_OR = (
    ("diagnosis", "comorbidity"),
    ("diagnosis", "symptom"),
    ("comorbidity", "symptom"),
)
# Shorter words end others by chance.
_LEAST_ENDING = 5

Kind = Literal["patient", "cohort"]


def deal(doc: Doc, article: Article, findings: Iterable[Finding]) -> Extraction:
    """The Extraction of a Doc from all findings of the field modules."""
    if not len(doc):
        return Extraction(article)
    found = list(findings)
    own = tuple(finding for finding in found if FIELDS[finding.field].level == "article")
    cases = tuple(
        Case(number, kind, settle(weigh(doc, folded)))
        for number, (kind, folded) in enumerate(told_cases(doc, found), 1)
    )
    return Extraction(article, own, cases)


def told_cases(doc: Doc, findings: Iterable[Finding]) -> list[tuple[Kind, Folded]]:
    """The cases of a Doc with their folded findings, not yet weighed; none where it reports no patients."""
    study = study_of(doc)
    if study.design == "other":
        return []
    told = [finding for finding in findings if FIELDS[finding.field].level == "case" and _counts(doc, finding)]
    people = study.persons.people
    if not study.told_singly:
        return [("cohort", fold(told))]
    if len(people) < 2:
        return [("patient", fold(told))]
    return [("patient", fold(_of_person(told, study, index))) for index in range(len(people))]


def _of_person(findings: Sequence[Finding], study: Study, index: int) -> list[Finding]:
    """The findings of one of several patients; age and sex never come from words shared by all."""
    kept = []
    for finding in findings:
        if finding.field in ("age", "sex"):
            person = study.persons.people[index]
            spans = (person.age, person.sex_span)
            owner: int | None = index if any(s is not None and s.start_char == finding.start for s in spans) else -1
            if finding.field == "sex" and not person.sex:
                owner = study.persons.of(finding.start)
                owner = -1 if owner is None else owner
        else:
            owner = study.persons.of(finding.start)
        if owner is None or owner == index:
            kept.append(finding)
    return kept


def _counts(doc: Doc, finding: Finding) -> bool:
    if finding.assertion == "hypothetical" or (finding.assertion == "family" and finding.field not in _KEPT_OF_FAMILY):
        return False
    span = span_of(doc, finding)
    return span is None or not is_general(span)


# A diagnosis this probable counts where a patient has no other.
_LIKELY_ENOUGH = 0.25


def fold(findings: Iterable[Finding]) -> Folded:
    """One finding a field and value, with the mentions it stands for.

    Present beats absent, the surest and fullest words win, attributes come from all.
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        # Two scores by one instrument, before and after, are two things.
        number = str(finding.attributes.get("number", "")) if finding.field == "measurement" else ""
        groups.setdefault((finding.field, number, *parts_of(str(finding.value))), []).append(finding)
    return [(_merge(group), group) for group in groups.values()]


def weigh(doc: Doc, folded: Folded) -> list[Finding]:
    """The findings with their probability as confidence, without the improbable ones.

    Every patient of a case report has a diagnosis: where none is probable, the likeliest one counts.
    """
    context = confidence.Context(doc, folded)
    weights = confidence.weighed(context, context.findings)
    weighed = []
    left_out = []
    for (finding, mentions), row in zip(folded, weights, strict=True):
        if finding.field in confidence.FIELDS:
            bags = confidence.features(context, finding, mentions)
            probability = confidence.confidence_of(finding.field, bags, row)
            if probability < confidence.least(finding.field):
                left_out.append((probability, finding))
                continue
            finding = replace(finding, confidence=probability)
        weighed.append(finding)
    if all(finding.field != "diagnosis" for finding in weighed):
        likely = [(sure, f) for sure, f in left_out if f.field == "diagnosis" and sure >= _LIKELY_ENOUGH]
        for probability, finding in sorted(likely, key=lambda pair: -pair[0])[:1]:
            weighed.append(replace(finding, confidence=probability))
    return weighed


def settle(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of one case, by field and then in the order of the text; one where a field takes one."""
    by_field: dict[str, list[Finding]] = {}
    for finding in findings:
        by_field.setdefault(finding.field, []).append(finding)
    kept: list[Finding] = []
    for field, group in by_field.items():
        if not FIELDS[field].many:
            group = [max(group, key=lambda finding: (finding.confidence, -finding.start))]
        kept.extend(_most_specific(group) if field in _SPECIFIC else group)
    named: dict[str | int | float, list[Finding]] = {}
    for finding in kept:
        named.setdefault(finding.value, []).append(finding)
    kept = [finding for finding in kept if not any(_rather(other, finding) for other in named[finding.value])]
    return tuple(sorted(kept, key=lambda finding: (_ORDER[finding.field], finding.start, finding.end)))


def _rather(other: Finding, finding: Finding) -> bool:
    """Whether a thing stands in two fields that exclude each other, and is the surer or, if even, first in `other`."""
    if other.assertion == "absent" or finding.assertion == "absent":
        return False
    if (other.field, finding.field) in _EITHER_OR:
        return other.confidence >= finding.confidence
    return (finding.field, other.field) in _EITHER_OR and other.confidence > finding.confidence


def _merge(group: Sequence[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    told = [finding for finding in group if finding.assertion == "present"] or list(group)
    best = max(told, key=lambda finding: (round(finding.confidence, 2), len(finding.text), -finding.start))
    same = [finding for finding in group if finding.assertion == best.assertion]
    attributes: dict[str, object] = {}
    for finding in (best, *same):
        for name, value in finding.attributes.items():
            known = attributes.get(name)
            if isinstance(known, tuple) and isinstance(value, tuple):
                attributes[name] = tuple(dict.fromkeys((*known, *value)))
            else:
                attributes.setdefault(name, value)
    when = best.when_days
    if when is None and best.field in RESULTS:
        when = next((finding.when_days for finding in same if finding.when_days is not None), None)
    return replace(best, attributes=Attributes(attributes), when_days=when)  # type: ignore[arg-type]


def _most_specific(findings: list[Finding]) -> list[Finding]:
    """Drops a value whose words all stand in another one with the same head and assertion.

    A single word is also vaguer than one that ends with it: "sarcoma" beside "osteosarcoma".
    """
    words = [parts_of(str(finding.value)) for finding in findings]

    def vaguer(i: int, j: int) -> bool:
        if i == j or not words[i] or findings[i].assertion != findings[j].assertion:
            return False
        if words[i][-1] in words[j]:
            return set(words[i]) < set(words[j])
        only = words[i][0] if len(words[i]) == 1 else ""
        return len(only) >= _LEAST_ENDING and any(word.endswith(only) for word in words[j])

    numbers = range(len(findings))
    return [finding for i, finding in enumerate(findings) if not any(vaguer(i, j) for j in numbers)]
