"""The article's text in pieces, so that marks may overlap: paragraphs of stretches, each with the marks on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from caseframe.pages.text import visible
from caseframe.review.records import Found

GROUPS: dict[str, tuple[str, ...]] = {
    "Study and patient": ("study_design", "n_patients", "age", "sex"),
    "Disease": ("diagnosis", "site", "metastasis", "comorbidity", "symptom"),
    "Treatment": ("procedure", "margin", "implant", "therapy"),
    "Examination": ("imaging", "measurement"),
    "Course": ("outcome", "complication", "recurrence", "vital_status", "disease_status", "follow_up"),
}
"""Fields that share a colour."""
GROUP_OF = {field: f"g{number}" for number, fields in enumerate(GROUPS.values(), 1) for field in fields}


@dataclass(frozen=True, slots=True)
class Mark:
    """Words to be marked: whose they are and how they look."""

    start: int
    end: int
    id: str
    field: str
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of text under the same marks; the shortest mark gives the look."""

    start: int
    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The title (`label` is None) or a section with its label, in pieces."""

    label: str | None
    stretches: tuple[Stretch, ...]


def paragraphs(found: Found, marks: Iterable[Mark]) -> list[Paragraph]:
    """The whole text with its marks; characters that nobody sees or that turn the text around are shown as one sign.

    Marks that do not fit the text are left out. The characters keep their number, so that offsets hold.
    """
    text = visible(found.text)
    ordered = sorted((mark for mark in marks if 0 <= mark.start < mark.end <= len(text)), key=lambda mark: mark.start)
    made: list[Paragraph] = []
    for label, start, end in _parts(found):
        inside = [mark for mark in ordered if mark.start < end and mark.end > start]
        made.append(Paragraph(label, tuple(_stretches(text, start, end, inside))))
    return made


def _parts(found: Found) -> list[tuple[str | None, int, int]]:
    """Title and sections; what lies between them belongs to the part before, so that no character is lost."""
    starts: list[tuple[int, str | None]] = [(section.start, section.label) for section in found.sections]
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, None))
    ends = [start for start, _ in starts[1:]] + [len(found.text)]
    return [(label, start, end) for (start, label), end in zip(starts, ends, strict=True) if start < end]


def _stretches(text: str, start: int, end: int, marks: Sequence[Mark]) -> Iterable[Stretch]:
    cuts = sorted({start, end, *(cut for mark in marks for cut in (mark.start, mark.end) if start < cut < end)})
    active: list[Mark] = []
    waiting = list(reversed(marks))
    for here, there in pairwise(cuts):
        active = [mark for mark in active if mark.end > here]
        while waiting and waiting[-1].start <= here:
            active.append(waiting.pop())
        covering = tuple(sorted(active, key=lambda mark: mark.end - mark.start))
        yield Stretch(here, text[here:there], covering)
