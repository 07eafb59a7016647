"""Sections: which part of the text each sentence belongs to.

Writes `doc.spans["sections"]`, which covers the Doc without gap or overlap: `label_` is the normalised kind (see
KINDS), `span._.heading` the label as printed. Labels come from the article where its source gives them; otherwise they
are found in the text, at the start of a line or sentence ("CASE PRESENTATION:", "(1) Background:"), and then the
label's own words belong to the section. A section never cuts a sentence, so this runs after a sentence splitter.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc, Span

import caseframe.stages.extensions  # noqa: F401  (declares doc._.article)
from caseframe.schema import Article

SPANS = "sections"
KINDS = (
    "title", "background", "methods", "case", "diagnosis", "intervention", "outcome", "results", "discussion",
    "conclusion", "other", "text",
)  # fmt: skip
_MAX_TITLE = 300

# Labels by kind, folded: lower case, "&" and "/" as "and". A combined label is filed under the part that tells most of
# the patient, else under its first part.
_LABELS: dict[str, str] = {
    "background": "background|introduction|objective|objectives|aim|aims|purpose|purposes|rationale|context|importance",
    "methods": "methods|method|materials and methods|patients and methods|design|study design|methodology|setting",
    "case": "case presentation|case presentations|case report|case reports|case|cases|case description|case summary|"
    "patient concerns|clinical findings|case history|history|clinical presentation|clinical case|description|patient",
    "diagnosis": "diagnosis|diagnoses|final diagnosis",
    "intervention": "intervention|interventions|treatment|treatment and outcome|therapy",
    "outcome": "outcome|outcomes",
    "results": "results|result|findings|methods and results|results and discussion|results and conclusion",
    "discussion": "discussion|discussion and conclusion|discussion and conclusions",
    "conclusion": "conclusion|conclusions|lessons|lesson|clinical significance|clinical relevance|interpretation",
    "other": "virtual slides|virtual slide|trial registration|keywords|funding|level of evidence",
    "text": "abstract|summary",
}
_KIND_OF = {label: kind for kind, labels in _LABELS.items() for label in labels.split("|")}


def heading_of(span: Span) -> str:
    """The label of a section as printed; empty where there was none."""
    return str(span.id_)


if not Span.has_extension("heading"):
    Span.set_extension("heading", getter=heading_of)


def fold_label(label: str) -> str:
    """A label in the form it is looked up: lower case, no numbering, no punctuation."""
    folded = re.sub(r"\s*[&/+]\s*", " and ", label.lower())
    return " ".join(re.sub(r"[^\w\s]|[\d_]", " ", folded).split())


def kind_of(label: str) -> str:
    """The kind of a section by its label: `Patients & methods` gives `methods`."""
    folded = fold_label(label)
    return _KIND_OF.get(folded, "other") if folded else "text"


_NAMES = "|".join(sorted((re.escape(label) for label in _KIND_OF), key=len, reverse=True)).replace(
    r"\ and\ ", r"\ (?:and|&)\ "
)
_INLINE = re.compile(rf"(?:\(?\d\)|\d\.)?\s*(?P<label>(?:{_NAMES}))(?:\s*:|\.(?=\s*$))\s*", re.IGNORECASE)


@Language.factory("caseframe_sections", assigns=["doc.spans"], default_config={})
def create_sections(nlp: Language, name: str) -> SectionFinder:
    """Factory of `caseframe_sections`."""
    return SectionFinder()


class SectionFinder:
    """Divides a Doc into sections."""

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["sections"]`."""
        doc.spans[SPANS] = list(_sections(doc)) if len(doc) else []
        return doc


def _sections(doc: Doc) -> Iterator[Span]:
    sentences = _sentence_starts(doc)
    marks = dict(_marks(doc, doc._.article, sentences))
    starts = sorted(marks)
    for start, end in zip(starts, [*starts[1:], len(doc)], strict=True):
        kind, heading = marks[start]
        yield Span(doc, start, end, label=kind, span_id=heading)


def _sentence_starts(doc: Doc) -> list[int]:
    return [token.i for token in doc if token.is_sent_start or token.i == 0]


def _marks(doc: Doc, article: Article | None, sentences: list[int]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Where sections start: token, kind, heading. A later mark on the same token wins."""
    yield 0, ("text", "")
    body = _body(doc, article)
    offsets = [doc[start].idx for start in sentences]
    if body:
        yield 0, ("title", "")
    labelled = article.sections if article is not None else ()
    for section in labelled:
        yield _snap(sentences, offsets, section.start), (kind_of(section.label), section.label)
    plain = [(s.start, s.end) for s in labelled if kind_of(s.label) == "text"] if labelled else [(body, len(doc.text))]
    if body and not labelled:
        yield _snap(sentences, offsets, body), ("text", "")
    for start, end in plain:
        for token, offset in zip(sentences, offsets, strict=True):
            if start <= offset < end:
                match = _INLINE.match(doc.text, offset, end)
                if match and match["label"][0].isupper():
                    yield token, (kind_of(match["label"]), match["label"])


def _body(doc: Doc, article: Article | None) -> int:
    """Offset at which the title has ended; 0 where there is no title."""
    if article is not None:
        return min(len(article.title) + 1, len(doc.text)) if article.title else 0
    first, newline, _ = doc.text.partition("\n")
    return len(first) + 1 if newline and first.strip() and len(first) < _MAX_TITLE else 0


def _snap(sentences: list[int], offsets: list[int], offset: int) -> int:
    return sentences[max(0, bisect_right(offsets, offset) - 1)]
