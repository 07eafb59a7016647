"""Systems under test: a spaCy pipeline, a finished run, a foreign command; each predicts article by article."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from spacy.language import Language
from spacy.tokens import Doc

from caseframe.errors import SystemFailed
from caseframe.evaluation.job import SystemConfig
from caseframe.evaluation.records import Span
from caseframe.fields.component import extraction_of
from caseframe.pipeline import BUILTIN, CASES, lexicon_settings, load, open_pipeline, run, set_entities
from caseframe.schema import Article, Case, Extraction, Failure, Finding
from caseframe.stages.entities import confidence_of
from caseframe.stages.terms import SPANS as TERMS
from caseframe.tables.run import read_findings

FINDINGS = "findings"
ENTS = "ents"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system says of one article; `extraction` is None where it fills no fields."""

    spans: tuple[Span, ...] = ()
    extraction: Extraction | None = None
    known: tuple[tuple[int, int], ...] = ()
    """Offsets of the words that the system's lexicons know."""
    failure: Failure | None = None


class System(Protocol):
    """Anything that predicts."""

    def predict(self, articles: Sequence[Article]) -> Iterable[Prediction]:
        """One prediction an article, in order. Raises SystemFailed where the system as a whole cannot be run."""


def open_system(config: SystemConfig) -> System:
    """Makes the system that a config describes, loaded and ready."""
    if config.command:
        return CommandSystem(config)
    if config.run is not None:
        return RunSystem(config)
    return PipelineSystem(config)


class PipelineSystem:
    """Any spaCy pipeline; one with `caseframe_cases` fills fields too."""

    def __init__(self, config: SystemConfig) -> None:
        self._config = config
        self.nlp = _open_pipeline(config)
        self._fills = CASES in self.nlp.pipe_names

    def predict(self, articles: Sequence[Article]) -> Iterator[Prediction]:
        """Runs the pipeline over each text; an article that it cannot process is a prediction with a failure."""
        for article in articles:
            try:
                yield self._read(run(self.nlp, article) if self._fills else self.nlp(article.text))
            except Exception as error:  # one bad document never ends a job
                cure = "Report the article with this message; it counts as an empty prediction"
                failure = Failure(article.origin, "process", type(error).__name__, str(error), cure, article.article_id)
                yield Prediction(extraction=Extraction(article) if self._fills else None, failure=failure)

    def _read(self, doc: Doc) -> Prediction:
        extraction = extraction_of(doc).at_least(self._config.min_confidence) if self._fills else None
        known = [(span.start_char, span.end_char) for span in doc.spans.get(TERMS, ())]
        return Prediction(_each_once(self._spans(doc, extraction)), extraction, tuple(known))

    def _spans(self, doc: Doc, extraction: Extraction | None) -> Iterator[Span]:
        for source in self._config.spans:
            if source == FINDINGS:
                yield from _spans_of(extraction, self._config)
            else:
                for span in doc.ents if source == ENTS else doc.spans.get(source, ()):
                    confidence = confidence_of(span)
                    yield from _mapped(self._config, span.label_, span.start_char, span.end_char, confidence, source)


def _open_pipeline(config: SystemConfig) -> Language:
    lexicons = tuple(str(path) for path in config.lexicons)
    if config.model is None and not config.overrides and not config.disable:
        # one object for many jobs
        return load(lexicons=lexicons, builtin_lexicons=config.builtin_lexicons, entities=config.entities)
    overrides = {**lexicon_settings(lexicons, config.builtin_lexicons), **config.overrides}
    nlp = open_pipeline(config.model, overrides, disable=config.disable)
    if config.entities != BUILTIN:
        set_entities(nlp, config.entities)
    return nlp


class RunSystem:
    """The findings of a run directory, as `caseframe extract` wrote them."""

    def __init__(self, config: SystemConfig) -> None:
        assert config.run is not None
        self._config = config
        self._findings = read_findings(config.run)

    def predict(self, articles: Sequence[Article]) -> Iterator[Prediction]:
        """The run's findings of each article; an article that the run lacks is an error."""
        missing = [article.article_id for article in articles if article.article_id not in self._findings]
        if missing:
            raise SystemFailed(
                f"{self._config.run} has no article {missing[0]} ({len(missing)} of {len(articles)} are missing)",
                "Extract the texts of the data set first, under the same article ids",
            )
        for article in articles:
            extraction = self._extraction(article).at_least(self._config.min_confidence)
            yield Prediction(_each_once(_spans_of(extraction, self._config)), extraction)

    def _extraction(self, article: Article) -> Extraction:
        by_case: dict[int, list[Finding]] = {}
        for case, finding in self._findings[article.article_id]:
            if article.text[finding.start : finding.end] != finding.text:
                raise SystemFailed(
                    f"{self._config.run}: the text of {article.article_id} is another one than the data set's",
                    "Extract the very texts of the data set",
                )
            by_case.setdefault(case, []).append(finding)
        own = tuple(by_case.pop(0, ()))
        return Extraction(article, own, tuple(Case(n, findings=tuple(found)) for n, found in sorted(by_case.items())))


class CommandSystem:
    """A foreign program: `{"id", "text"}` lines go in, `{"id", "spans": [{"start", "end", "type"}]}` lines come out.

    A span may have a `confidence`. The lines come in any order, one an article.
    """

    def __init__(self, config: SystemConfig) -> None:
        self._config = config

    def predict(self, articles: Sequence[Article]) -> Iterator[Prediction]:
        """Starts the command once and sends it every text; what it prints to standard error passes through."""
        answers = dict(self._answers(self._output(articles)))
        for article in articles:
            if article.article_id not in answers:
                raise SystemFailed(f"{self._name} gave no line for {article.article_id}", "Look at what it printed")
            spans = answers[article.article_id]
            outside = next((span for span in spans if not 0 <= span.start < span.end <= len(article.text)), None)
            if outside:
                raise SystemFailed(
                    f"{self._name}: {article.article_id} has a span {outside.start}-{outside.end} outside its text",
                    "Offsets count Unicode characters of the text, from 0, half-open",
                )
            yield Prediction(_each_once(spans))

    @property
    def _name(self) -> str:
        return f"system {self._config.name}"

    def _output(self, articles: Iterable[Article]) -> str:
        lines = "".join(
            json.dumps({"id": article.article_id, "text": article.text}, ensure_ascii=False) + "\n"
            for article in articles
        )
        try:
            done = subprocess.run(
                list(self._config.command),
                input=lines,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                cwd=self._config.folder,
                check=False,
            )
        except (OSError, UnicodeError) as error:
            raise SystemFailed(
                f"{self._name}: {error}", f"Check the command {' '.join(self._config.command)!r}"
            ) from error
        if done.returncode:
            raise SystemFailed(f"{self._name} ended with exit code {done.returncode}", "Look at what it printed above")
        return done.stdout

    def _answers(self, output: str) -> Iterator[tuple[str, tuple[Span, ...]]]:
        for number, line in enumerate(io.StringIO(output, newline="\n"), start=1):
            try:
                record = json.loads(line)
                spans = tuple(span for item in record["spans"] for span in self._span(item))
                yield str(record["id"]), spans
            except (ValueError, KeyError, TypeError) as error:
                raise SystemFailed(
                    f"{self._name}: line {number} of its output: {error!r}",
                    'Lines are {"id": …, "spans": [{"start": 0, "end": 4, "type": …}]}',
                ) from error

    def _span(self, item: dict[str, object]) -> Iterator[Span]:
        start, end, confidence = item["start"], item["end"], item.get("confidence", 1.0)
        if not isinstance(start, int) or not isinstance(end, int) or not isinstance(confidence, int | float):
            raise ValueError("start and end are integers, confidence is a number")
        yield from _mapped(self._config, str(item["type"]), start, end, float(confidence))


def _mapped(
    config: SystemConfig, label: str, start: int, end: int, confidence: float = 1.0, source: str = ""
) -> Iterator[Span]:
    """The span under the label that is scored; nothing where the label is dropped."""
    keys = (f"{source}/{label}", f"{source}/*", label, "*")
    name = next((config.labels[key] for key in keys if key in config.labels), label)
    if name is not None:
        yield Span(name, start, end, confidence)


def _spans_of(extraction: Extraction | None, config: SystemConfig) -> Iterator[Span]:
    """Each finding as a span."""
    for _, finding in extraction or ():
        yield from _mapped(config, finding.field, finding.start, finding.end, finding.confidence, FINDINGS)


def _each_once(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans without repeats: labels that are scored as one, and words that fill a field twice, are one span."""
    found: dict[tuple[str, int, int], Span] = {}
    for span in spans:
        found.setdefault((span.type, span.start, span.end), span)
    return tuple(found.values())
