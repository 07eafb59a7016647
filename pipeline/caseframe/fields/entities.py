"""What the learned entities add: mentions that no lexicon and no rule found, and a second opinion on those they did.

Which part an open mention plays, and how sure it is, the models of roles and of confidence say, as for any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, rows_in, spans_in
from caseframe.fields.linear import Bag
from caseframe.fields.phrases import core_words
from caseframe.lexicons.folding import canonical
from caseframe.schema import Finding
from caseframe.stages.entities import SPANS, confidence_of

_SOURCE = "entities"
CONDITIONS = ("NEOPLASM", "DISORDER", "FINDING")
_FIELD_OF = {"PROCEDURE": "procedure", "DEVICE": "implant", "OUTCOME": "outcome"}
_MOST_WORDS = 7
_FEATURES = "caseframe.entity_features"
_NUMBERS = "caseframe.entity_numbers"


def open_mentions(doc: Doc, types: Collection[str], taken: Sequence[tuple[int, int]]) -> Iterator[tuple[Span, str]]:
    """Entities of some types that overlap nothing of `taken` (token bounds), each with its canonical name."""
    held = {i for start, end in taken for i in range(start, end)}
    for start, end, label, entity in rows_in(doc, SPANS):
        if label not in types or not held.isdisjoint(range(start, end)):
            continue
        words = core_words(_spelled_out(entity))
        if words and len(words) <= _MOST_WORDS and any(word[0].isalpha() for word in words):
            yield entity, canonical(" ".join(words))


def _spelled_out(entity: Span) -> Span:
    """The long form of an abbreviation that the Doc defines, where it defines it; any other words as they are."""
    doc, bounds = entity.doc, (entity.start, entity.end)
    for first, last, _, short in rows_in(doc, "abbreviations"):
        if (first, last) == bounds:
            return next((long for long in spans_in(doc, "long_forms") if long.text == short._.long_form), entity)
    return entity


def find_open(doc: Doc, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Findings of open mentions, given those of all field modules."""
    taken = [(finding.start, finding.end) for finding in findings]
    for entity, value in open_mentions(doc, _FIELD_OF, ()):
        first, last = entity.start_char, entity.end_char
        if all(last <= start or end <= first for start, end in taken) and not _is_bare_verb(entity):
            confidence = round(0.6 * confidence_of(entity), 2)
            yield make_finding(entity, _FIELD_OF[entity.label_], value, source=_SOURCE, confidence=confidence)


def _is_bare_verb(entity: Span) -> bool:
    """ "harvested", "corrected": without its object it names no operation."""
    return len(entity) == 1 and entity.text.endswith("ed")


def features(span: Span) -> Bag:
    """The features that tell what the entities say of a mention: none, a type, the same words; found once a mention."""
    known: dict[tuple[int, int], Bag] = span.doc.user_data.setdefault(_FEATURES, {})
    bounds = span.start, span.end
    bag = known.get(bounds)
    if bag is None:
        bag = known[bounds] = _names, _told(span.doc, *bounds)
    return bag


def _told(doc: Doc, start: int, end: int) -> tuple[str, int, bool]:
    """The type of the entity over most of some tokens, how sure it is, in quarters, and whether these are all of it."""
    entities, at = rows_in(doc, SPANS), _numbers(doc)
    over = sorted({number for i in range(start, end) for number in at.get(i, ())})
    if not over:
        return "none", 0, False
    first, last, label, entity = max((entities[n] for n in over), key=lambda row: min(row[1], end) - max(row[0], start))
    return label, int(4 * confidence_of(entity)), (first, last) == (start, end)


def _names(label: str, sure: int, same: bool) -> Iterator[str]:
    yield f"entity={label}"
    if label != "none":
        yield f"entity sure={sure}"
    if same:
        yield f"entity is {label}"


def _numbers(doc: Doc) -> dict[int, list[int]]:
    """For each token inside an entity the numbers of the entities that hold it, made once a Doc."""
    known: dict[int, list[int]] | None = doc.user_data.get(_NUMBERS)
    if known is None:
        known = doc.user_data[_NUMBERS] = {}
        for number, (start, end, _, _) in enumerate(rows_in(doc, SPANS)):
            for i in range(start, end):
                known.setdefault(i, []).append(number)
    return known
