"""Entities of pipelines that the user brings."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.errors import ModelError
from caseframe.pipeline import ENTITIES, FOREIGN_ENTITIES, STAGES, load, set_entities
from caseframe.stages import foreign
from caseframe.stages.entities import TYPES
from caseframe.stages.foreign import KNOWN_LABELS, ForeignEntities
from caseframe.stages.tokenizer import blank

TEXT = "Denosumab shrank the 3D-printed Gizmo (of titanium) near a chordoma in May."


@pytest.fixture(scope="module")
def ruler(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A saved pipeline with labels of its own, of a well-known model, of ours, and one that means nothing."""
    nlp = spacy.blank("en")
    labels = {"denosumab": "CHEMICAL", "chordoma": "NEOPLASM", "titanium": "STUFF", "may": "DATE"}
    patterns: list[dict[str, Any]] = [{"label": label, "pattern": [{"LOWER": word}]} for word, label in labels.items()]
    patterns.append({"label": "GADGET", "pattern": [{"TEXT": "3D-printed"}, {"TEXT": "Gizmo"}]})
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    folder = tmp_path_factory.mktemp("foreign") / "ruler"
    nlp.to_disk(folder)
    return str(folder)


@pytest.fixture(scope="module")
def ours() -> Language:
    """Our tokenizer."""
    return blank()


@pytest.fixture(scope="module")
def theirs(ruler: str) -> ForeignEntities:
    return ForeignEntities(ruler)


def found(doc: Doc) -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in doc.spans["entities"]]


def test_labels_become_types_and_unknown_ones_are_dropped(theirs: ForeignEntities, ours: Language) -> None:
    assert found(theirs(ours(TEXT))) == [
        ("Denosumab", "DRUG"),
        ("chordoma", "NEOPLASM"),
        ("May", "TIME"),
    ]


def test_labels_of_the_user_come_first(ruler: str, ours: Language) -> None:
    labels = {"GADGET": "DEVICE", "CHEMICAL": "VALUE"}
    component = ours.create_pipe("caseframe_foreign_entities", config={"model": ruler, "labels": labels})
    assert found(component(ours(TEXT)))[:2] == [("Denosumab", "VALUE"), ("3D-printed Gizmo", "DEVICE")]


def test_our_tokens_are_kept(theirs: ForeignEntities, ours: Language) -> None:
    doc = ours("chordoma\nof the sacrum ( chordoma)")
    before = [token.text for token in doc]
    assert found(theirs(doc)) == [("chordoma", "NEOPLASM")] * 2
    assert [token.text for token in doc] == before
    assert not doc.ents


def test_nothing_in_an_empty_text(theirs: ForeignEntities, ours: Language) -> None:
    assert found(theirs(ours(""))) == []


def test_known_labels_stand_for_types() -> None:
    assert set(KNOWN_LABELS.values()) <= set(TYPES)
    assert not set(KNOWN_LABELS) & set(TYPES)


def test_a_type_that_there_is_not(ruler: str) -> None:
    with pytest.raises(ModelError, match=r"GADGET: there is no type GIZMO\. The types are AGE, "):
        ForeignEntities(ruler, {"GADGET": "GIZMO"})


def test_in_the_pipeline(ruler: str) -> None:
    nlp = load(entities=ruler)
    assert nlp.pipe_names.index(FOREIGN_ENTITIES) == nlp.pipe_names.index(STAGES[-1]) + 1
    assert ENTITIES not in nlp.pipe_names
    doc = nlp(TEXT)
    assert ("chordoma", "NEOPLASM") in found(doc) and doc._.extraction is not None
    assert all(span._.confidence is None for span in doc.spans["entities"])


def test_no_such_package() -> None:
    with pytest.raises(
        ModelError, match=r"entities: en_no_such_model: .*E050.*\. Give builtin, none, a folder"
    ) as caught:
        ForeignEntities("en_no_such_model")
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_pipeline(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"entities: .*meta\.json"):
        ForeignEntities(str(tmp_path))


def test_scispacy_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"No model of scispaCy is installed\. Install one .*en_ner_bc5cdr_md"):
        ForeignEntities("scispacy")


def test_the_first_of_scispacys_models(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = ("en_core_sci_sm", "en_ner_bc5cdr_md")
    asked: list[str] = []
    monkeypatch.setattr(foreign, "find_spec", lambda name: ModuleSpec(name, None) if name in installed else None)
    monkeypatch.setattr(spacy, "load", lambda name: asked.append(name) or spacy.blank("en"))
    ForeignEntities("scispacy")
    assert asked == ["en_ner_bc5cdr_md"]


def test_hugging_face_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "find_spec", lambda name: None)
    with pytest.raises(
        ModelError,
        match=r"The model org/m needs the package spacy-huggingface-pipelines\. pip install spacy-huggingface-pipelines",
    ):
        ForeignEntities("hf:org/m")


def test_hugging_face(monkeypatch: pytest.MonkeyPatch, ours: Language) -> None:
    """The package's component, played by one that knows a single word."""

    class Played:
        def __call__(self, doc: Doc) -> Doc:
            doc.ents = [Span(doc, token.i, token.i + 1, "CANCER") for token in doc if token.lower_ == "chordoma"]
            return doc

    @Language.factory("hf_token_pipe", default_config={"annotate": ""})
    def create(nlp: Language, name: str, model: str, annotate: str) -> Played:
        assert annotate == "ents"
        if model != "org/known":
            raise OSError(f"{model} is not\na repository")
        return Played()

    monkeypatch.setattr(foreign, "find_spec", lambda name: ModuleSpec(name, None))
    assert found(ForeignEntities("hf:org/known")(ours(TEXT))) == [("chordoma", "NEOPLASM")]
    with pytest.raises(
        ModelError, match=r"org/other: org/other is not a repository\. Give the name or folder of a token"
    ):
        ForeignEntities("hf:org/other")


def test_another_one_goes(ruler: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(STAGES[-1])
    for wanted in (ruler, ruler, "none"):
        set_entities(nlp, wanted)
        assert nlp.pipe_names == [STAGES[-1], *([FOREIGN_ENTITIES] if wanted != "none" else [])]
