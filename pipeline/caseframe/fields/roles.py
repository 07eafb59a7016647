"""The parts a condition plays for the patient: diagnosis, comorbidity, symptom, complication.

A consequence of treatment that the episode then treats is complication and diagnosis at once, so each part has a
logistic model of its own over the words beside the mention, its assertion, its section, its place in the story (before
or after the treatment, in the title), and what the lexicon says of it. The weights stand in `rules/roles.tsv`, fitted
by `benchmarks/fit_roles.py` on the training gold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spacy.tokens import Doc, Span

from caseframe.fields.base import folded_words, section_of, spans_in, title_end
from caseframe.fields.clues import clues
from caseframe.fields.entities import features as entity_features
from caseframe.fields.linear import LinearModel, shipped
from caseframe.fields.surroundings import surroundings
from caseframe.stages.assertion import assertion_of
from caseframe.stages.extensions import sentence_of
from caseframe.stages.narrative import narrative_score
from caseframe.stages.roles import role_of
from caseframe.stages.timeline import when_of

if TYPE_CHECKING:
    from caseframe.fields.conditions import Condition

ROLES = ("comorbidity", "complication", "diagnosis", "symptom")
# Less probable roles are not even candidates; what counts in the end is decided by `confidence.py`.
MIN_PROBABILITY = {"comorbidity": 0.2, "complication": 0.2, "diagnosis": 0.1, "symptom": 0.2}
_WINDOW = 4
_TREATED = "caseframe.treated"
_AFTERMATH = "caseframe.aftermath"
_AFTER = ("postop", "post-op", "follow-up", "followup", "discharg", "recover", "uneventful")
_DONE = frozenset(
    "underwent performed treated received operated resected excised removed given administered started implanted "
    "inserted placed repaired replaced reconstructed fixed managed initiated commenced prescribed undertaken carried "
    "done".split()
)


def model() -> LinearModel:
    """The shipped weights."""
    return shipped("roles")


def roles_of(doc: Doc, condition: Condition) -> dict[str, float]:
    """The roles that a mention may have, with their probabilities."""
    probabilities = model().each(features(doc, condition), surroundings(condition.span))
    return {role: probability for role, probability in probabilities.items() if probability >= MIN_PROBABILITY[role]}


def features(doc: Doc, condition: Condition) -> Iterator[str]:
    """Names of the features that hold of a mention."""
    span = condition.span
    sentence = sentence_of(span)
    section = section_of(span)
    assertion, _ = assertion_of(span)
    yield f"field={condition.field}"
    yield f"lexicon={condition.origin}"
    yield f"field={condition.field}&section={section}"
    yield f"section={section}"
    yield f"assertion={assertion}"
    yield f"assertion={assertion}&field={condition.field}"
    if condition.behavior:
        yield f"behavior={condition.behavior}"
    yield f"head={condition.value.split()[-1] if condition.value else ''}"
    yield f"value={condition.value}"
    treated = first_treatment(doc)
    place = "title" if section == "title" else "after" if span.start > treated else "before"
    yield f"place={place}"
    yield f"place={place}&field={condition.field}"
    yield f"place={place}&assertion={assertion}"
    if place == "after":
        yield f"same sentence as treatment={treated >= sentence.start}"
    if place != "title" and aftermath(doc, treated) < sentence.end:
        yield "aftermath"
        yield f"aftermath&field={condition.field}"
        yield f"aftermath&assertion={assertion}"
    yield f"story={int(4 * narrative_score(span))}"
    yield f"story={int(4 * narrative_score(span))}&field={condition.field}"
    role = role_of(span)
    yield f"role={role}"
    yield f"role={role}&field={condition.field}"
    yield f"role={role}&assertion={assertion}"
    yield from entity_features(span)
    when = when_of(span)
    yield f"when={'none' if when is None else 'later' if when > 0 else 'earlier'}"
    yield from _repetition(doc, condition, treated)
    yield from dict.fromkeys(_neighbours(doc, condition, sentence))
    for clue in clues(span):
        yield clue
        if clue.startswith(("governed by=", "followed by=", "comes ")):
            yield f"{clue}&place={place}"
    yield from _words(doc, span, sentence)


def _neighbours(doc: Doc, condition: Condition, sentence: Span) -> Iterator[str]:
    """The other conditions of the sentence: what stands beside a denied complication is often one that came."""
    for other in doc.user_data.get("caseframe.conditions", ()):
        if other is not condition and sentence.start <= other.span.start < sentence.end:
            yield f"beside={other.field}&{assertion_of(other.span)[0]}"


def _repetition(doc: Doc, condition: Condition, treated: int) -> Iterator[str]:
    same = [other for other in doc.user_data.get("caseframe.conditions", ()) if other.value == condition.value]
    yield f"mentions={min(len(same), 3)}"
    # What is first told after the treatment mostly came of it.
    first = "after" if same and same[0].span.start > treated else "before"
    yield f"first told={first}"
    yield f"first told={first}&field={condition.field}"
    yield f"first told={first}&listed={'complication' in condition.field}&{assertion_of(condition.span)[0]}"
    if any(section_of(other.span) == "title" for other in same):
        yield "named in title"
        yield f"named in title&field={condition.field}"


def _words(doc: Doc, span: Span, sentence: Span) -> Iterator[str]:
    words = folded_words(doc)
    before = words[max(sentence.start, span.start - _WINDOW) : span.start]
    after = words[span.end : min(sentence.end, span.end + _WINDOW)]
    for word in before:
        yield f"before={word}"
    for word in after:
        yield f"after={word}"
    if before:
        yield f"left={before[-1]}"
    yield f"left2={' '.join(before[-2:])}"
    if after:
        yield f"right={after[0]}"
    for word in {word for word in words[sentence.start : sentence.end] if len(word) > 3 and word.isalpha()}:
        yield f"sentence={word}"


def aftermath(doc: Doc, treated: int) -> int:
    """Token at which the time after the treatment begins to be told; the end where it never does."""
    known: dict[int, int] = doc.user_data.setdefault(_AFTERMATH, {})
    if treated not in known:
        words = folded_words(doc)
        known[treated] = next((i for i in range(treated, len(words)) if words[i].startswith(_AFTER)), len(words))
    return known[treated]


def first_treatment(doc: Doc) -> int:
    """Token at which the patient's treatment is first told, after the title; the end where none is.

    A treatment is told by a procedure or therapy in a sentence of the story that also says that it was done.
    """
    known = doc.user_data.get(_TREATED)
    if isinstance(known, int):
        return known
    end_of_title = title_end(doc)
    words = folded_words(doc)
    first = len(doc)
    for span in spans_in(doc, "terms"):
        if (
            span.label_ in ("procedure", "therapy")
            and end_of_title <= span.start < first
            and narrative_score(span) > 0.5
        ):
            sentence = sentence_of(span)
            if not _DONE.isdisjoint(words[sentence.start : sentence.end]):
                first = span.start
    doc.user_data[_TREATED] = first
    return first
