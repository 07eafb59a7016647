"""Sections: which part of the text each sentence belongs to.

Writes `doc.spans["sections"]`, which covers the Doc without gap or overlap: `label_` is the normalised kind (see
KINDS), `span._.heading` the label as printed. Labels come from the article where its source gives them; otherwise they
are found in the text, at the start of a line or sentence ("CASE PRESENTATION:", "(1) Background:"), and then the
label's own words belong to the section. A section never cuts a sentence, so this runs after a sentence splitter.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import zip_longest

from spacy.language import Language
from spacy.tokens import Doc, Span

import caseframe.stages.extensions  # noqa: F401  (declares doc._.article)
from caseframe.schema import Article
from caseframe.stages.extensions import bounds_of_sentences, offsets_of, text_of

SPANS = "sections"
KINDS = (
    "title", "background", "methods", "case", "diagnosis", "intervention", "outcome", "results", "discussion",
    "conclusion", "other", "text",
)  # fmt: skip
_MAX_TITLE = 300

# Labels by kind, folded (`fold_label`). A combined label that tells of the patient is filed as the case, others under
# their first part, but "methods and results", under which reports tell what happened, under results.
_LABELS: dict[str, str] = {
    "background": (
        "background|backgrounds|backgroud|backround|backgound|introduction|objective|objectives|object|aim|aims|"
        "aim of the study|purpose|purposes|purpose of the study|purpose of review|rationale|rational|context|"
        "importance|background and objective|background and objectives|background and purpose|background and aims|"
        "background and aim|background and importance|introduction and objective|introduction and aim|"
        "objective and importance|case hypothesis|hypothesis|statement of the problem|what is known|blackground"
    ),
    "methods": (
        "methods|method|methodology|materials|materials and methods|material and methods|methods and materials|"
        "methods and procedures|patients and methods|patient and methods|methods and patients|"
        "subjects and methods|design|study design|study design methods|setting|subject|subjects|participants|"
        "technique|procedures|animals|evaluation|main outcome measure|main outcome measures|"
        "main outcomes and measures"
    ),
    "case": (
        "case|cases|case presentation|case presentations|cases presentation|cases presentations|case report|"
        "case reports|case description|case summary|case history|case study|case series|clinical case|"
        "clinical cases|clinical findings|clinical presentation|clinical history|clinical findings and diagnosis|"
        "clinical findings and diagnoses|description|findings|history|patient|patients|patient history|"
        "patient information|patient concerns|concerns of the patient|patient concerns and diagnosis|"
        "patient concerns and diagnoses|symptoms|symptoms and clinical findings|presentation|presentation of case|"
        "case diagnosis|case diagnosis and treatment|background and case presentation|report|care presentation"
    ),
    "diagnosis": "diagnosis|diagnoses|final diagnosis|diagnoses and interventions",
    "intervention": (
        "intervention|interventions|treatment|treatments|treatment and outcome|treatment and outcomes|therapy|"
        "therapeutic intervention and outcomes|the interventions and outcomes|interventions and outcomes|"
        "management|medication|clinical procedure"
    ),
    "outcome": "outcome|outcomes|outcome and follow up|follow up",
    "results": (
        "results|result|methods and results|methods and result|methods results|methods and findings|"
        "outcomes and results|methodology and principal findings|principal findings|main findings|recent findings|"
        "morphologic findings|results and discussion|results and conclusion|results and conclusions|"
        "results and findings"
    ),
    "discussion": (
        "discussion|discussions|discussion and conclusion|discussion and conclusions|discussion and evaluation|"
        "comments|comment|case discussion"
    ),
    "conclusion": (
        "conclusion|conclusions|conclusions and significance|conclusions and relevance|"
        "conclusions and implications|conclusion and implications|lessons|lesson|lessons subsections|"
        "clinical significance|clinical relevance|significance|interpretation|implications|"
        "promising future implications|what is new|learning points|take away lessons|translation"
    ),
    "other": (
        "virtual slides|virtual slide|the virtual slides|trial registration|trial registration number|keywords|"
        "key words|funding|level of evidence|conflict of interest|conflicts of interest|conflict of interests|"
        "competing interests|abbreviations|consent|ethics|risk assessment|electronic supplementary material|"
        "acknowledgements|acknowledgments"
    ),
    "text": "abstract|summary|article abstract|abstact|absrtract",
}
_KIND_OF = {label: kind for kind, labels in _LABELS.items() for label in labels.split("|")}
# Labels that stand for the patient's story wherever they occur within a longer label.
_STORY = re.compile(r"\b(?:case|cases|patient concerns)\b")


def heading_of(span: Span) -> str:
    """The label of a section as printed; empty where there was none."""
    return str(span.id_)


if not Span.has_extension("heading"):
    Span.set_extension("heading", getter=heading_of)


def fold_label(label: str) -> str:
    """A label in the form it is looked up: lower case, "and" for its signs, no numbering, no punctuation."""
    folded = re.sub(r"\s*[&/+]\s*", " and ", label.lower())
    return " ".join(re.sub(r"[^\w\s]|[\d_]", " ", folded).split())


@lru_cache(maxsize=4096)
def kind_of(label: str) -> str:
    """The kind of a section by its label: `Patients & methods` gives `methods`, no label `text`.

    A label that is not listed goes by its words: one that names a case is the case, else the longest listed label at
    its start decides; what is left is `other`.
    """
    folded = fold_label(label)
    if not folded or not any(char.isascii() and char.isalpha() for char in folded):
        return "text"
    if folded in _KIND_OF:
        return _KIND_OF[folded]
    if _STORY.search(folded):
        return "case"
    words = folded.split()
    starts = (" ".join(words[:count]) for count in range(len(words) - 1, 0, -1))
    return next((_KIND_OF[start] for start in starts if start in _KIND_OF), "other")


def _pattern(names: Iterable[str]) -> str:
    """The names as they may be printed, the longest first."""
    alternatives = sorted(names, key=len, reverse=True)
    return "|".join(
        r"\s+".join(name.split()).replace(r"\s+and\s+", r"(?:\s+and\s+|\s*[&/]\s*)") for name in alternatives
    )


# "(1) Background:", "Results." as a sentence of its own, "CASE REPORT A 30-year-old", "Aim — ".
_INLINE = re.compile(
    rf"(?i:abstract:?\s+(?=\S))?(?:\(?\d\)\s*|\d\.\s+)?(?P<label>(?i:{_pattern(_KIND_OF)}))"
    r"(?P<mark>\s*[:：]|(?:\.\s+|\s*[—–]\s*|\s)(?=[^\W_a-z])|\.\s*$)"
)
# How a sentence begins that begins with a label, unless with a number.
_BEGINNINGS = frozenset(("abs", *(name[:3] for name in _KIND_OF)))
_CAPITALISED = re.compile(r"[^\W\d_a-z](?:\s|[a-z])")


def inline_label(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The label that a sentence at `start` begins with, and the offset after it; None where it begins with none.

    Only a printed label counts: a capital first, then a colon, or a full stop or a dash before another capital; without
    any mark, all capitals before a word that has them not ("CASE REPORT A man").
    """
    if text[start : start + 1].isalpha() and text[start : start + 3].lower() not in _BEGINNINGS:
        return None
    match = _INLINE.match(text, start, end)
    if match is None or not match["label"][0].isupper():
        return None
    label = match["label"]
    after = match.end()
    shouted = label.isupper() and len(label) > 3 and _CAPITALISED.match(text, after)
    if match["mark"].isspace() and not shouted:
        return None
    while after < end and text[after].isspace():
        after += 1
    return label, after


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
    sentences = [start for start, _ in bounds_of_sentences(doc)]
    marks = dict(_marks(doc, doc._.article, sentences))
    starts = sorted(marks)
    for start, end in zip(starts, [*starts[1:], len(doc)], strict=True):
        kind, heading = marks[start]
        yield Span(doc, start, end, label=kind, span_id=heading)


def _marks(doc: Doc, article: Article | None, sentences: list[int]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Where sections start: token, kind, heading. A later mark on the same token wins."""
    text = text_of(doc)
    begins = offsets_of(doc)
    offsets = [begins[start] for start in sentences]
    body = _body(text, article)
    yield 0, ("title" if body else "text", "")
    given = article.sections if article is not None else ()
    if body < len(text) and not given:
        yield _snap(sentences, offsets, body), ("text", "")
    stretches = [(section.start, section.end, kind_of(section.label)) for section in given] or [
        (body, len(text), "text")
    ]
    for section, (start, end, kind) in zip_longest(given, stretches):
        if section is not None:
            yield _snap(sentences, offsets, start), (kind, section.label)
        for nth in range(bisect_left(offsets, start), bisect_left(offsets, end)):
            token, offset = sentences[nth], offsets[nth]
            found = inline_label(text, offset, end)
            # Within a section that its source labelled only appendages count ("Conflict of interest: none").
            if found is not None and (kind == "text" or kind_of(found[0]) == "other"):
                yield token, (kind_of(found[0]), found[0])


def _body(text: str, article: Article | None) -> int:
    """Offset at which the title has ended; 0 where there is no title."""
    if article is not None:
        return min(len(article.title) + 1, len(text)) if article.title else 0
    first, newline, _ = text.partition("\n")
    is_title = bool(newline and first.strip()) and len(first) < _MAX_TITLE and inline_label(text, 0, len(first)) is None
    return len(first) + 1 if is_title else 0


def _snap(sentences: list[int], offsets: list[int], offset: int) -> int:
    """The token that starts the sentence at or around an offset."""
    return sentences[max(0, bisect_right(offsets, offset) - 1)]
