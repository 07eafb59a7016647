"""The last component: runs the field modules over a Doc and deals their findings to cases, in `doc._.extraction`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from caseframe.fields.cases import deal
from caseframe.fields.entities import find_open
from caseframe.fields.linking import linked
from caseframe.lexicons.linking import Linker, linker
from caseframe.schema import FIELDS, Article, Extraction, Finding
from caseframe.stages.extensions import forget_notes, text_of
from caseframe.stages.terms import TermMatcher

# One line a field module, in the order of the form.
MODULES = (
    "study",
    "patient",
    "conditions",
    "metastases",
    "sites",
    "procedures",
    "margins",
    "implants",
    "therapy",
    "imaging",
    "measurements",
    "outcomes",
    "status",
    "follow_up",
)

if not Doc.has_extension("extraction"):
    Doc.set_extension("extraction", default=None)


def extraction_of(doc: Doc) -> Extraction:
    """The result that `caseframe_cases` left on a Doc."""
    extraction = doc._.extraction
    if not isinstance(extraction, Extraction):
        raise ValueError("the Doc did not pass caseframe_cases")
    return extraction


@Language.factory(
    "caseframe_cases",
    assigns=["doc._.extraction"],
    requires=["doc.sents", "doc.spans"],
    default_config={"fields": []},
)
def create_cases(nlp: Language, name: str, fields: list[str]) -> CaseExtractor:
    """Factory of `caseframe_cases`; `fields` are the fields to fill, empty means all.

    Values are linked to the concepts of the lexicons that the pipeline's `caseframe_terms` matches.
    """
    terms = next((component for _, component in nlp.components if isinstance(component, TermMatcher)), None)
    return CaseExtractor(fields, linker(terms.lexicons, terms.builtin) if terms is not None else linker())


class CaseExtractor:
    """Fills the fields of each patient of a Doc."""

    def __init__(self, fields: Sequence[str] = (), links: Linker | None = None) -> None:
        self.fields = frozenset(fields or FIELDS)
        self._linker = links or linker()

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc._.extraction`."""
        article = doc._.article or Article("text", abstract=text_of(doc))
        kept = set(doc.user_data)
        findings = all_findings(doc)
        extraction = linked(deal(doc, article, findings), self._linker)
        # What the field modules noted for each other holds spans, which cannot leave the process with the Doc.
        for key in doc.user_data.keys() - kept:
            del doc.user_data[key]
        forget_notes(doc)
        if self.fields != frozenset(FIELDS):
            extraction = extraction.only(self.fields)
        doc._.extraction = extraction
        return doc


def all_findings(doc: Doc) -> list[Finding]:
    """What the field modules find, then what the entities add to it."""
    findings = [finding for find in finders() for finding in find(doc)]
    return [*findings, *find_open(doc, findings)]


@cache
def finders() -> list[Callable[[Doc], Iterator[Finding]]]:
    """The `find` of every field module."""
    return [importlib.import_module(f"caseframe.fields.{name}").find for name in MODULES]
