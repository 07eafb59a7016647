"""The parts a condition plays for the patient: diagnosis, comorbidity, symptom, complication.

A consequence of treatment that the episode then treats is complication and diagnosis at once, so each part has a
logistic model of its own over the words beside the mention, its assertion, its section, its place in the story (before
or after the treatment, in the title), and what the lexicon says of it. The weights stand in `rules/roles.tsv`, fitted
by `benchmarks/fit_roles.py` on the training gold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacy.tokens import Doc

from caseframe.fields.base import assertion_at, folded_words, rows_in, sections_by_token, title_end, when_at
from caseframe.fields.clues import clues
from caseframe.fields.entities import features as entity_features
from caseframe.fields.linear import Bag, LinearModel, shipped
from caseframe.fields.surroundings import surroundings
from caseframe.stages.extensions import sentence_bounds
from caseframe.stages.narrative import general_tokens, scores_by_token
from caseframe.stages.roles import roles_by_token

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


def roles_of(doc: Doc, conditions: Sequence[Condition]) -> list[dict[str, float]]:
    """For each of the conditions of a Doc the roles that it may have for the patient, with their probabilities.

    What general statements name has none: no row holds it.
    """
    bounds = [(condition.span.start, condition.span.end) for condition in conditions]
    general = general_tokens(doc)
    told = [(start, end) for start, end in bounds if not general[start]]
    weights = iter(model().weighed(surroundings(doc, told)))
    found = []
    for (start, _), bags in zip(bounds, features(doc, conditions), strict=True):
        probabilities = {} if general[start] else model().each(bags, next(weights))
        found.append({role: sure for role, sure in probabilities.items() if sure >= MIN_PROBABILITY[role]})
    return found


def features(doc: Doc, conditions: Sequence[Condition]) -> Iterator[Iterator[Bag]]:
    """The features that hold of each of the conditions of a Doc."""
    context = _Context(doc, conditions)
    return (_told(context, number, condition) for number, condition in enumerate(conditions))


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that names conditions: its tokens, its part of the story, its words, and what its conditions are."""

    start: int
    end: int
    story: int
    role: str
    words: list[str]
    conditions: dict[int, str]
    """By number, in which field and with which assertion."""


class _Context:
    """What a Doc says of its conditions, gathered once a Doc."""

    def __init__(self, doc: Doc, conditions: Sequence[Condition]) -> None:
        self.doc, self.conditions = doc, conditions
        self.words = folded_words(doc)
        self.treated = first_treatment(doc)
        self.aftermath = aftermath(doc, self.treated)
        self.sections = sections_by_token(doc)
        self.mentions: dict[str, list[int]] = {}
        self.titled: set[str] = set()
        self._sentences: dict[int, _Sentence] = {}
        self._numbers: dict[int, list[int]] = {}
        for number, condition in enumerate(conditions):
            place = condition.span.start
            self._numbers.setdefault(sentence_bounds(doc, place)[0], []).append(number)
            self.mentions.setdefault(condition.value, []).append(place)
            if self.sections[place] == "title":
                self.titled.add(condition.value)

    def sentence_at(self, place: int) -> _Sentence:
        """The sentence of a condition that begins at this token."""
        start, end = sentence_bounds(self.doc, place)
        sentence = self._sentences.get(start)
        if sentence is None:
            words = {word: None for word in self.words[start:end] if len(word) > 3 and word.isalpha()}
            own = {number: self.conditions[number] for number in self._numbers[start]}
            told = {number: f"{each.field}&{assertion_at(each.span)[0]}" for number, each in own.items()}
            story, role = int(4 * scores_by_token(self.doc)[start]), roles_by_token(self.doc)[start]
            sentence = self._sentences[start] = _Sentence(start, end, story, role, list(words), told)
        return sentence


def _told(context: _Context, number: int, condition: Condition) -> Iterator[Bag]:
    """What is told of a condition: what it has in common with many others, its name, its neighbours, its sentence."""
    span, field, value, words = condition.span, condition.field, condition.value, context.words
    start, end = span.start, span.end
    assertion, sentence, mentions = assertion_at(span)[0], context.sentence_at(start), context.mentions[value]
    section = context.sections[start]
    place = "title" if section == "title" else "after" if start > context.treated else "before"
    beside_treatment = place == "after" and context.treated >= sentence.start
    in_aftermath = place != "title" and context.aftermath < sentence.end
    days = when_at(span)
    when = "none" if days is None else "later" if days > 0 else "earlier"
    # What is first told after the treatment mostly came of it.
    first = "after" if mentions[0] > context.treated else "before"
    yield _of_kind, (field, condition.origin, condition.behavior, section, assertion)
    yield _of_place, (field, assertion, place, beside_treatment, in_aftermath)
    yield _of_sentence, (field, assertion, sentence.story, sentence.role)
    yield _of_course, (field, assertion, when, min(len(mentions), 3), first, value in context.titled)
    # The other conditions of the sentence: what stands beside a denied complication is often one that came.
    yield "beside=", {told: None for other, told in sentence.conditions.items() if other != number}
    yield from clues(span, place)
    yield entity_features(span)
    before = words[max(sentence.start, start - _WINDOW) : start]
    after = words[end : min(sentence.end, end + _WINDOW)]
    names = [f"value={value}", f"head={value.rpartition(' ')[2]}", f"left2={' '.join(before[-2:])}"]
    if before:
        names.append(f"left={before[-1]}")
    if after:
        names.append(f"right={after[0]}")
    yield "", names
    yield "before=", before
    yield "after=", after
    yield "sentence=", sentence.words


def _of_kind(field: str, origin: str, behavior: str, section: str, assertion: str) -> Iterator[str]:
    yield f"field={field}"
    yield f"lexicon={origin}"
    yield f"field={field}&section={section}"
    yield f"section={section}"
    yield f"assertion={assertion}"
    yield f"assertion={assertion}&field={field}"
    if behavior:
        yield f"behavior={behavior}"


def _of_place(field: str, assertion: str, place: str, beside_treatment: bool, in_aftermath: bool) -> Iterator[str]:
    yield f"place={place}"
    yield f"place={place}&field={field}"
    yield f"place={place}&assertion={assertion}"
    if place == "after":
        yield f"same sentence as treatment={beside_treatment}"
    if in_aftermath:
        yield "aftermath"
        yield f"aftermath&field={field}"
        yield f"aftermath&assertion={assertion}"


def _of_sentence(field: str, assertion: str, story: int, role: str) -> Iterator[str]:
    yield f"story={story}"
    yield f"story={story}&field={field}"
    yield f"role={role}"
    yield f"role={role}&field={field}"
    yield f"role={role}&assertion={assertion}"


def _of_course(field: str, assertion: str, when: str, mentions: int, first: str, titled: bool) -> Iterator[str]:
    yield f"when={when}"
    yield f"mentions={mentions}"
    yield f"first told={first}"
    yield f"first told={first}&field={field}"
    yield f"first told={first}&listed={'complication' in field}&{assertion}"
    if titled:
        yield "named in title"
        yield f"named in title&field={field}"


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
    words, scores = folded_words(doc), scores_by_token(doc)
    first = len(doc)
    for place, _, label, _ in rows_in(doc, "terms"):
        if label in ("procedure", "therapy") and end_of_title <= place < first and scores[place] > 0.5:
            start, end = sentence_bounds(doc, place)
            if not _DONE.isdisjoint(words[start:end]):
                first = place
    doc.user_data[_TREATED] = first
    return first
