"""The whole extraction as one spaCy pipeline: assembling it, loading the shipped one, running it over articles."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from caseframe._version import __version__
from caseframe.config import shipped
from caseframe.errors import ModelError
from caseframe.fields.component import extraction_of
from caseframe.schema import Article, Extraction, Failure
from caseframe.stages.entities import is_weights
from caseframe.stages.extensions import make_doc
from caseframe.stages.tokenizer import blank, quiet_regexes

STAGES = (
    "caseframe_sentences",
    "caseframe_sections",
    "caseframe_abbreviations",
    "caseframe_terms",
    "caseframe_quantities",
    "caseframe_assertion",
    "caseframe_roles",
    "caseframe_narrative",
    "caseframe_timeline",
)
ENTITIES = "caseframe_entities"
FOREIGN_ENTITIES = "caseframe_foreign_entities"
CASES = "caseframe_cases"
# Which entities: the shipped weights, none at all, or else a folder of weights or another pipeline.
BUILTIN, NONE = "builtin", "none"
# The spaCy that a written model asks for, as pyproject.toml does; the patch version that wrote it plays no part.
SPACY_VERSION = ">=3.8.7,<3.9.0"
# Longer texts are failures: no case report is that long, and time grows with the text.
MAX_TEXT_CHARS = 2_000_000
# Words that go through the components together: enough to fill the arrays of the learned entities, some megabytes.
BATCH_WORDS = 10_000
_CHARS_A_WORD = 7


def register() -> None:
    """Imports the modules that register the components, so that spaCy finds their factories."""
    for stage in (*STAGES, ENTITIES, "foreign"):
        importlib.import_module(f"caseframe.stages.{stage.removeprefix('caseframe_')}")


def assemble(
    *,
    lexicons: Sequence[str] = (),
    builtin_lexicons: bool = True,
    fields: Sequence[str] = (),
    entities: str = BUILTIN,
) -> Language:
    """Makes the pipeline from its parts; for `entities` see `load`."""
    nlp = assemble_stages(lexicons=lexicons, builtin_lexicons=builtin_lexicons)
    set_entities(nlp, entities)
    nlp.add_pipe(CASES, config={"fields": list(fields)})
    return nlp


def assemble_stages(*, lexicons: Sequence[str] = (), builtin_lexicons: bool = True) -> Language:
    """The language stages alone, without the fields."""
    register()
    nlp = blank()
    nlp.max_length = MAX_TEXT_CHARS
    for stage in STAGES:
        config = {"lexicons": list(lexicons), "builtin": builtin_lexicons} if stage == "caseframe_terms" else {}
        nlp.add_pipe(stage, config=config)
    return nlp


def set_entities(nlp: Language, entities: str) -> None:
    """Puts the component that `entities` asks for (see `load`) after the language stages; another one goes."""
    for name in (ENTITIES, FOREIGN_ENTITIES):
        if name in nlp.pipe_names:
            nlp.remove_pipe(name)
    after = next((stage for stage in reversed(STAGES) if stage in nlp.pipe_names), None)
    if entities == BUILTIN:
        nlp.add_pipe(ENTITIES, after=after)
    elif is_weights(entities):
        nlp.add_pipe(ENTITIES, config={"weights": entities}, after=after)
    elif entities != NONE:
        nlp.add_pipe(FOREIGN_ENTITIES, config={"model": entities}, after=after)


def shipped_model() -> Path:
    """Folder of the shipped pipeline."""
    return shipped("models") / "caseframe"


def write_model(path: Path) -> None:
    """Writes the shipped pipeline as a spaCy model: `spacy.load(path)` gives it wherever CaseFrame is installed.

    The lexicons and rules stay in the package; the model's config refers to them. The same version gives the same
    bytes: no path, no time, no vocabulary of words that were seen.
    """
    nlp = assemble()
    nlp.meta.update(
        name="caseframe",
        version=__version__,
        description="Case reports to findings: rules, lexicons, small linear models and a small network for entities.",
        license="Apache-2.0",
        author="The CaseFrame authors",
        spacy_version=SPACY_VERSION,
        spacy_git_version="",
        requirements=[f"caseframe>={__version__}"],
    )
    path.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(path, exclude=["vocab"])


@lru_cache(maxsize=4)
def load(
    model: str | None = None,
    *,
    lexicons: tuple[str, ...] = (),
    builtin_lexicons: bool = True,
    fields: tuple[str, ...] = (),
    entities: str = BUILTIN,
) -> Language:
    """Loads the extraction pipeline, a spaCy `Language`; one object a process for the same arguments.

    `model` is the folder of a saved pipeline (default: the shipped one); `lexicons` are further TSV files; `fields`
    names the fields to fill (empty: all). `entities` says who finds the mentions that no lexicon knows: `builtin` (what
    the model has), `none`, a folder that `caseframe train` wrote, or another pipeline (docs/stages.md). After
    `doc = nlp(text)`, `doc._.extraction` holds the result.
    """
    overrides = lexicon_settings(lexicons, builtin_lexicons)
    if fields:
        overrides[f"components.{CASES}.fields"] = list(fields)
    nlp = open_pipeline(model, overrides)
    if CASES not in nlp.pipe_names:
        raise ModelError(f"{model} has no component {CASES}", "Add it with nlp.add_pipe before you save the pipeline")
    if entities != BUILTIN:
        set_entities(nlp, entities)
    return nlp


def lexicon_settings(lexicons: Sequence[str], builtin: bool) -> dict[str, object]:
    """The settings of a pipeline's components that bring in other lexicons; none where they are the shipped ones."""
    if not lexicons and builtin:
        return {}
    return {"components.caseframe_terms.lexicons": list(lexicons), "components.caseframe_terms.builtin": builtin}


def open_pipeline(
    model: str | None = None, overrides: Mapping[str, object] | None = None, *, disable: Sequence[str] = ()
) -> Language:
    """Opens a spaCy pipeline: a folder, an installed package, or (None) the shipped one.

    `overrides` are settings by path (`components.caseframe_terms.builtin`), `disable` names components to leave out.
    Raises ModelError where there is no such pipeline, component or setting.
    """
    path = model or shipped_model()
    register()
    try:
        with quiet_regexes(), _few_collections():
            nlp = spacy.load(path, config=dict(overrides or {}), exclude=list(disable))
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(
            f"{path}: {' '.join(str(error).split())}", "Give the folder or the package of a saved spaCy pipeline"
        ) from error
    nlp.max_length = MAX_TEXT_CHARS
    return nlp


@contextmanager
def _few_collections() -> Iterator[None]:
    """Has Python look for garbage less often: nearly all of the million objects that a pipeline is made of stay."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def extract_all(
    nlp: Language, records: Iterable[Article | Failure], *, batch_words: int = BATCH_WORDS
) -> Iterator[tuple[Doc, Extraction] | Failure]:
    """Runs the pipeline over articles, in order. An article that cannot be processed becomes a Failure.

    Articles go through each component in batches of about `batch_words` words (0: each alone), which is faster and
    changes no result; failures of reading pass. The Docs of a batch live together: leave a memory zone of the pipeline
    only when this has ended.
    """
    for batch in _batches(records, batch_words):
        articles = [record for record in batch if isinstance(record, Article)]
        results: Iterable[tuple[Doc, Extraction] | Failure]
        try:
            results = _run_all(nlp, articles)
        except Exception:  # one of them; each alone tells which
            results = (_attempt(nlp, article) for article in articles)
        remaining = iter(results)
        for record in batch:
            yield record if isinstance(record, Failure) else next(remaining)


def _batches(records: Iterable[Article | Failure], words: int) -> Iterator[list[Article | Failure]]:
    batch: list[Article | Failure] = []
    characters = 0
    for record in records:
        batch.append(record)
        characters += len(record.text) if isinstance(record, Article) else 0
        if characters >= words * _CHARS_A_WORD:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _run_all(nlp: Language, articles: Sequence[Article]) -> list[tuple[Doc, Extraction]]:
    for article in articles:
        if len(article.text) > MAX_TEXT_CHARS:
            raise ValueError(f"the text has {len(article.text):,} characters, more than {MAX_TEXT_CHARS:,}")
    docs = [make_doc(nlp, article) for article in articles]
    for _, component in nlp.pipeline:
        docs = list(component.pipe(docs)) if hasattr(component, "pipe") else [component(doc) for doc in docs]
    return [(doc, extraction_of(doc)) for doc in docs]


def _attempt(nlp: Language, article: Article) -> tuple[Doc, Extraction] | Failure:
    try:
        return _run_all(nlp, [article])[0]
    except Exception as error:  # one bad document never ends a run
        cure = "Report the article with this message; the rest of the run is not affected"
        return Failure(article.origin, "process", type(error).__name__, str(error), cure, article.article_id)


def extract_article(source: str | Article, nlp: Language | None = None) -> Extraction:
    """Extracts one article, or a bare text."""
    nlp = nlp or load()
    article = source if isinstance(source, Article) else Article("text", abstract=source)
    return extraction_of(run(nlp, article))


def run(nlp: Language, article: Article) -> Doc:
    """The Doc of an article after every component."""
    doc = make_doc(nlp, article)
    for _, component in nlp.pipeline:
        doc = component(doc)
    return doc
