"""HTML for notebooks: a text with marked stretches, as displaCy draws it, and tables of findings; text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

_PATIENT, _DISEASE, _CARE, _TEST, _COURSE = "#dbe7ff", "#ffd9d2", "#d3f0dc", "#e6defa", "#ffe9b0"
COLORS: Mapping[str, str] = {
    **dict.fromkeys(("study_design", "n_patients", "age", "sex"), _PATIENT),
    **dict.fromkeys(("diagnosis", "site", "metastasis", "comorbidity", "symptom"), _DISEASE),
    **dict.fromkeys(("procedure", "margin", "implant", "therapy"), _CARE),
    **dict.fromkeys(("imaging", "measurement"), _TEST),
    **dict.fromkeys(("outcome", "complication", "recurrence", "vital_status", "disease_status", "follow_up"), _COURSE),
}
"""Colour of each field."""
_CELL = "text-align: left; vertical-align: top"


def marked_text(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """A text with stretches `(start, end, field)` marked by colour and name; of those that overlap the longest is."""
    from spacy import displacy  # spaCy takes its time to load

    kept: list[tuple[int, int, str]] = []
    for start, end, field in sorted(set(spans), key=lambda span: (span[0] - span[1], span)):
        if start < end and all(end <= other[0] or other[1] <= start for other in kept):
            kept.append((start, end, field))
    marks = [{"start": start, "end": end, "label": html.escape(field)} for start, end, field in sorted(kept)]
    colors = {field.upper(): color for field, color in COLORS.items()}
    document = {"text": text, "ents": marks, "title": None}
    return str(displacy.render(document, style="ent", manual=True, jupyter=False, options={"colors": colors}))


def marked_words(sentence: str, words: str) -> str:
    """A sentence with its words marked, where they stand in it first."""
    before, found, after = sentence.partition(words) if words else (sentence, "", "")
    mark = f"<mark>{html.escape(found)}</mark>" if found else ""
    return f"{html.escape(before)}{mark}{html.escape(after)}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells of `rows` are HTML."""
    head = _row(f'<th style="{_CELL}">{html.escape(name)}</th>' for name in header)
    body = "".join(_row(f'<td style="{_CELL}">{cell}</td>' for cell in row) for row in rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"
