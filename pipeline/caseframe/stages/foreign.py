"""Entities of another pipeline that the user has installed, in the place of the shipped ones.

Writes `doc.spans["entities"]`, as `caseframe_entities` does. The other pipeline gets the tokens of the Doc, so its own
tokenizer plays no part; its `doc.ents` are taken, under the labels that `labels` or `KNOWN_LABELS` give them.

    en_core_web_sm, ./my_model       any spaCy pipeline, by package or folder
    scispacy                         the first of scispaCy's models that is installed
    hf:org/model                     a Hugging Face token classifier, by spacy-huggingface-pipelines
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.errors import ModelError
from caseframe.stages.entities import SPANS, TYPES

SCISPACY = "scispacy"
HUGGING_FACE = "hf:"
SCISPACY_MODELS = (
    "en_ner_bionlp13cg_md",
    "en_ner_bc5cdr_md",
    "en_core_sci_lg",
    "en_core_sci_md",
    "en_core_sci_sm",
    "en_core_sci_scibert",
)
KNOWN_LABELS: Mapping[str, str] = {
    "DISEASE": "DISORDER",
    "CHEMICAL": "DRUG",
    "SIMPLE_CHEMICAL": "DRUG",
    "CANCER": "NEOPLASM",
    "PATHOLOGICAL_FORMATION": "FINDING",
    "ORGAN": "ANATOMY",
    "TISSUE": "ANATOMY",
    "MULTI_TISSUE_STRUCTURE": "ANATOMY",
    "ANATOMICAL_SYSTEM": "ANATOMY",
    "ORGANISM_SUBDIVISION": "ANATOMY",
    "DATE": "TIME",
    "QUANTITY": "VALUE",
    "PERCENT": "VALUE",
}
"""Labels of well-known models, and the type each is closest to."""


@Language.factory("caseframe_foreign_entities", assigns=["doc.spans"], default_config={"labels": {}})
def create_foreign_entities(nlp: Language, name: str, model: str, labels: dict[str, str]) -> ForeignEntities:
    """Factory of `caseframe_foreign_entities`: the pipeline's name, and its labels with our types for them.

    Raises ModelError where it is not installed, and for a type that there is not.
    """
    return ForeignEntities(model, labels)


class ForeignEntities:
    """Lets another pipeline find the entities of a Doc."""

    def __init__(self, model: str, labels: Mapping[str, str] | None = None) -> None:
        self.labels = {**{name: name for name in TYPES}, **KNOWN_LABELS, **(labels or {})}
        for label, name in self.labels.items():
            if name not in TYPES:
                raise ModelError(f"{label}: there is no type {name}", f"The types are {', '.join(TYPES)}")
        self.nlp = _opened(model)

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["entities"]`; entities of labels without a type are left out."""
        other = Doc(
            self.nlp.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc]
        )
        for _, component in self.nlp.pipeline:
            other = component(other)
        doc.spans[SPANS] = [
            Span(doc, each.start, each.end, label=self.labels[each.label_])
            for each in other.ents
            if each.label_ in self.labels
        ]
        return doc


def _opened(model: str) -> Language:
    if model == SCISPACY:
        installed = next((name for name in SCISPACY_MODELS if find_spec(name)), None)
        if installed is None:
            raise ModelError(
                "No model of scispaCy is installed",
                "Install one from its release page with pip, e.g. en_ner_bc5cdr_md; they are not on PyPI",
            )
        model = installed
    if model.startswith(HUGGING_FACE):
        return _hugging_face(model.removeprefix(HUGGING_FACE))
    try:
        return spacy.load(model)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"entities: {model}: {' '.join(str(error).split())}",
            "Give builtin, none, a folder that caseframe train wrote, or an installed spaCy pipeline",
        ) from error


def _hugging_face(model: str) -> Language:
    if not find_spec("spacy_huggingface_pipelines"):
        raise ModelError(
            f"The model {model} needs the package spacy-huggingface-pipelines",
            "pip install spacy-huggingface-pipelines",
        )
    nlp = spacy.blank("en")
    try:
        nlp.add_pipe("hf_token_pipe", config={"model": model, "annotate": "ents"})
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"{model}: {' '.join(str(error).split())}", "Give the name or folder of a token classifier"
        ) from error
    return nlp
