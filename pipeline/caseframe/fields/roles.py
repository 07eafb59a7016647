"""The parts a condition plays for the patient: diagnosis, comorbidity, symptom, complication.

A consequence of treatment that the episode then treats is complication and diagnosis at once, so each part has a
logistic model of its own over the words beside the mention, its assertion, its section, its place in the story (before
or after the treatment, in the title), and what the lexicon says of it. The weights stand in `rules/roles.tsv`, fitted
by `benchmarks/fit_roles.py` on the training gold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from spacy.tokens import Doc, Span

from caseframe.fields.base import folded_words, section_of, spans_in, title_end
from caseframe.fields.clues import clues
from caseframe.fields.entities import features as entity_features
from caseframe.fields.linear import MOST_BAGS, Bag, LinearModel, shipped
from caseframe.fields.surroundings import surroundings
from caseframe.stages.assertion import assertion_of
from caseframe.stages.extensions import sentence_bounds
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


def roles_of(doc: Doc, conditions: Sequence[Condition]) -> list[dict[str, float]]:
    """For each of the conditions of a Doc the roles that it may have, with their probabilities."""
    numbers = surroundings(doc, [(condition.span.start, condition.span.end) for condition in conditions])
    found = []
    for bags, row in zip(features(doc, conditions), numbers, strict=True):
        probabilities = model().each(bags, row)
        found.append({role: sure for role, sure in probabilities.items() if sure >= MIN_PROBABILITY[role]})
    return found


def features(doc: Doc, conditions: Sequence[Condition]) -> Iterator[list[Bag]]:
    """The features that hold of each of the conditions of a Doc."""
    context = _Context(doc, conditions)
    for number, condition in enumerate(conditions):
        kind = context.kind_of(number, condition)
        names = [*_told(context, number, condition, kind.place), *entity_features(condition.span)]
        yield [("", _names_of_kind(kind)), ("", names), *_words(doc, condition.span, context.sentences[number])]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that names conditions: its tokens, its part of the story, its words, the numbers of its conditions."""

    start: int
    end: int
    story: int
    role: str
    words: list[str]
    conditions: list[int]


class _Context:
    """What a Doc says of its conditions, gathered once a Doc."""

    def __init__(self, doc: Doc, conditions: Sequence[Condition]) -> None:
        self.treated = first_treatment(doc)
        self.aftermath = aftermath(doc, self.treated)
        self.assertions = [assertion_of(condition.span)[0] for condition in conditions]
        self.sections = [section_of(condition.span) for condition in conditions]
        self.sentences: list[_Sentence] = []
        self.beside = [f"beside={c.field}&{told}" for c, told in zip(conditions, self.assertions, strict=True)]
        self.mentions: dict[str, list[int]] = {}
        sentences: dict[int, _Sentence] = {}
        for number, condition in enumerate(conditions):
            start, end = sentence_bounds(doc, condition.span.start)
            if start not in sentences:
                sentences[start] = _sentence(doc, start, end)
            sentences[start].conditions.append(number)
            self.sentences.append(sentences[start])
            self.mentions.setdefault(condition.value, []).append(number)
        self.first = {value: conditions[numbers[0]].span.start for value, numbers in self.mentions.items()}
        self.titled = {c.value for c, section in zip(conditions, self.sections, strict=True) if section == "title"}

    def kind_of(self, number: int, condition: Condition) -> _Kind:
        """What a condition has in common with many others."""
        start, sentence, section = condition.span.start, self.sentences[number], self.sections[number]
        when = when_of(condition.span)
        place = "title" if section == "title" else "after" if start > self.treated else "before"
        return _Kind(
            condition.field,
            condition.origin,
            condition.behavior,
            section,
            self.assertions[number],
            place,
            place == "after" and self.treated >= sentence.start,
            place != "title" and self.aftermath < sentence.end,
            sentence.story,
            sentence.role,
            "none" if when is None else "later" if when > 0 else "earlier",
            min(len(self.mentions[condition.value]), 3),
            # What is first told after the treatment mostly came of it.
            "after" if self.first[condition.value] > self.treated else "before",
            condition.value in self.titled,
        )


class _Kind(NamedTuple):
    """What a condition has in common with many others, so that the names of these features are made once."""

    field: str
    origin: str
    behavior: str
    section: str
    assertion: str
    place: str
    beside_treatment: bool
    in_aftermath: bool
    story: int
    role: str
    when: str
    mentions: int
    first: str
    titled: bool


@lru_cache(maxsize=MOST_BAGS)
def _names_of_kind(kind: _Kind) -> tuple[str, ...]:
    return tuple(_of_kind(kind))


def _of_kind(kind: _Kind) -> Iterator[str]:
    field, assertion = kind.field, kind.assertion
    yield f"field={field}"
    yield f"lexicon={kind.origin}"
    yield f"field={field}&section={kind.section}"
    yield f"section={kind.section}"
    yield f"assertion={assertion}"
    yield f"assertion={assertion}&field={field}"
    if kind.behavior:
        yield f"behavior={kind.behavior}"
    yield f"place={kind.place}"
    yield f"place={kind.place}&field={field}"
    yield f"place={kind.place}&assertion={assertion}"
    if kind.place == "after":
        yield f"same sentence as treatment={kind.beside_treatment}"
    if kind.in_aftermath:
        yield "aftermath"
        yield f"aftermath&field={field}"
        yield f"aftermath&assertion={assertion}"
    yield f"story={kind.story}"
    yield f"story={kind.story}&field={field}"
    yield f"role={kind.role}"
    yield f"role={kind.role}&field={field}"
    yield f"role={kind.role}&assertion={assertion}"
    yield f"when={kind.when}"
    yield f"mentions={kind.mentions}"
    yield f"first told={kind.first}"
    yield f"first told={kind.first}&field={field}"
    yield f"first told={kind.first}&listed={'complication' in field}&{assertion}"
    if kind.titled:
        yield "named in title"
        yield f"named in title&field={field}"


def _sentence(doc: Doc, start: int, end: int) -> _Sentence:
    span = Span(doc, start, end)
    words = {word: None for word in folded_words(doc)[start:end] if len(word) > 3 and word.isalpha()}
    return _Sentence(start, end, int(4 * narrative_score(span)), role_of(span), list(words), [])


def _told(context: _Context, number: int, condition: Condition, place: str) -> Iterator[str]:
    """What is told of one condition only: its name, its neighbours, what its sentence says of it."""
    yield f"head={condition.value.split()[-1] if condition.value else ''}"
    yield f"value={condition.value}"
    # The other conditions of the sentence: what stands beside a denied complication is often one that came.
    yield from {context.beside[other]: None for other in context.sentences[number].conditions if other != number}
    for clue in clues(condition.span):
        yield clue
        if clue.startswith(("governed by=", "followed by=", "comes ")):
            yield f"{clue}&place={place}"


def _words(doc: Doc, span: Span, sentence: _Sentence) -> Iterator[Bag]:
    words = folded_words(doc)
    before = words[max(sentence.start, span.start - _WINDOW) : span.start]
    after = words[span.end : min(sentence.end, span.end + _WINDOW)]
    yield "before=", before
    yield "after=", after
    yield "left=", before[-1:]
    yield "left2=", [" ".join(before[-2:])]
    yield "right=", after[:1]
    yield "sentence=", sentence.words


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
            start, end = sentence_bounds(doc, span.start)
            if not _DONE.isdisjoint(words[start:end]):
                first = span.start
    doc.user_data[_TREATED] = first
    return first
