"""An evaluation job from its config to its folder: load, predict, score, measure, write."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import Any

from caseframe._version import __version__
from caseframe.errors import GoldError
from caseframe.evaluation.fields import score_fields
from caseframe.evaluation.job import Dataset, EvaluateConfig, FieldData, SpanData, SystemConfig
from caseframe.evaluation.loaders import load_fields, load_spans, refuse_shared
from caseframe.evaluation.metrics import failed_gates, measure
from caseframe.evaluation.reading import read_ids
from caseframe.evaluation.records import ArticleScore, FieldCorpus, Kind, SpanCorpus, SpanDocument
from caseframe.evaluation.report import write_report
from caseframe.evaluation.spans import score_spans
from caseframe.evaluation.store import FORMAT, Result, make_folder, write_results
from caseframe.evaluation.systems import Prediction, System, open_system
from caseframe.schema import Failure

Corpus = FieldCorpus | SpanCorpus
Progress = Callable[[str, str, int, int], None]
"""Told the data set, the system, how many articles are done, and of how many."""
_VERSIONS = ("spacy", "scispacy", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Summary:
    """What an evaluation came to: the content of metrics.json, articles that a system failed on, gates that failed."""

    folder: Path
    metrics: dict[str, Any]
    failures: tuple[Failure, ...]
    below: tuple[str, ...]


def run_evaluation(
    job: EvaluateConfig, folder: Path, *, overwrite: bool = False, progress: Progress | None = None
) -> Summary:
    """Runs every system on every data set and writes the evaluation's folder.

    Raises GoldError where gold cannot be used, ModelError or SystemFailed where a system cannot be run. An article that
    a system fails on counts as an empty prediction and stands in the summary's failures.
    """
    began = time.monotonic()
    corpora = {data.name: load_corpus(data) for data in job.datasets}
    refuse_leaks(job.datasets, corpora)
    make_folder(folder, overwrite=overwrite)
    runs = [run for config in job.systems for run in _runs(job, config, open_system(config), corpora, progress)]
    metrics = {
        "format": FORMAT,
        "caseframe": __version__,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "seconds": round(time.monotonic() - began, 2),
        "config": json.loads(job.model_dump_json()),
        "results": [run.metrics for run in runs if run.result],
        "skipped": [run.metrics for run in runs if not run.result],
    }
    results = [run.result for run in runs if run.result]
    rows = write_results(folder, metrics, results, errors=job.report.errors)
    write_report(folder, metrics, rows, html=job.report.html, markdown=job.report.markdown)
    failures = tuple(failure for run in runs for failure in run.failures)
    return Summary(folder, metrics, failures, tuple(failed_gates(metrics, job.gates)))


def load_corpus(data: Dataset) -> Corpus:
    """The articles and the gold of a data set."""
    return load_fields(data.gold, data.texts) if isinstance(data, FieldData) else load_spans_of(data)


def load_spans_of(data: SpanData) -> SpanCorpus:
    """The documents of a data set of spans, those and with the types that are asked for."""
    corpus = load_spans(
        data.loader, data.paths, labels=data.labels, discontinuous=data.discontinuous, spans_key=data.spans_key
    )
    documents, notes = _chosen(corpus.documents, data), dict(corpus.notes)
    if len(documents) < len(corpus.documents):
        notes["in documents of another split, not scored"] = corpus_size(corpus.documents) - corpus_size(documents)
    if data.only:
        every, documents = (
            documents,
            tuple(
                replace(document, spans=tuple(span for span in document.spans if span.type in data.only))
                for document in documents
            ),
        )
        notes["of other types, not scored"] = corpus_size(every) - corpus_size(documents)
    return replace(corpus, documents=documents, notes=notes)


def corpus_size(documents: Sequence[SpanDocument]) -> int:
    """How many spans the documents have."""
    return sum(len(document.spans) for document in documents)


def _chosen(documents: tuple[SpanDocument, ...], data: SpanData) -> tuple[SpanDocument, ...]:
    """The documents that the lists of ids leave."""
    known = {document.article.article_id for document in documents}
    kept = known
    for path, keep in ((data.ids, True), (data.without, False)):
        if path is not None:
            listed = read_ids(path)
            unknown = sorted(listed - known)
            if unknown:
                raise GoldError(f"{path}: {data.name} has no article {unknown[0]}", "Name articles as the corpus does")
            kept = kept & listed if keep else kept - listed
    if not kept:
        raise GoldError(f"{data.name} has no document left", "Look at the files of ids")
    return tuple(document for document in documents if document.article.article_id in kept)


def refuse_leaks(datasets: Sequence[Dataset], corpora: dict[str, Corpus]) -> None:
    """Raises GoldError where data sets of different splits share an article."""
    for one, other in combinations([data for data in datasets if data.split], 2):
        if one.split != other.split:
            refuse_shared({each.name: corpora[each.name] for each in (one, other)})


@dataclass(frozen=True, slots=True)
class _Run:
    """One system on one data set; `result` is None where the two don't fit."""

    metrics: dict[str, Any]
    result: Result | None = None
    failures: tuple[Failure, ...] = ()


def _runs(
    job: EvaluateConfig,
    config: SystemConfig,
    system: System,
    corpora: dict[str, Corpus],
    progress: Progress | None,
) -> Iterator[_Run]:
    for data in job.datasets:
        corpus = corpora[data.name]
        articles = corpus.articles
        began = time.monotonic()
        predictions = []
        for prediction in system.predict(articles):
            predictions.append(prediction)
            if progress:
                progress(data.name, config.name, len(predictions), len(articles))
        seconds = time.monotonic() - began
        head = {"dataset": data.name, "system": config.name}
        if isinstance(corpus, FieldCorpus) and any(prediction.extraction is None for prediction in predictions):
            yield _Run({**head, "why": "the system fills no fields"})
            continue
        scores = tuple(_scores(job, data, corpus, predictions))
        kind: Kind = "fields" if isinstance(corpus, FieldCorpus) else "spans"
        yield _Run(
            {
                **head,
                "kind": kind,
                "articles": len(articles),
                "sha256": _digest(corpus),
                "seconds": round(seconds, 3),
                "words": sum(len(article.text.split()) for article in articles),
                "failed": sum(prediction.failure is not None for prediction in predictions),
                "alignment": _alignment(corpus),
                "metrics": measure(kind, scores, job.metrics),
            },
            Result(data.name, config.name, kind, scores),
            tuple(prediction.failure for prediction in predictions if prediction.failure),
        )


def _scores(
    job: EvaluateConfig, data: Dataset, corpus: Corpus, predictions: Sequence[Prediction]
) -> Iterator[ArticleScore]:
    if isinstance(corpus, FieldCorpus):
        wanted = frozenset(job.metrics.fields)
        for gold, prediction in zip(corpus.gold, predictions, strict=True):
            assert prediction.extraction is not None
            extraction = prediction.extraction
            if wanted:
                gold = replace(gold, findings=tuple(f for f in gold.findings if f.field in wanted))
                extraction = extraction.only(wanted)
            yield score_fields(gold, extraction, prediction.known)
        return
    assert isinstance(data, SpanData)
    for document, prediction in zip(corpus.documents, predictions, strict=True):
        yield score_spans(document, [s for s in prediction.spans if not data.only or s.type in data.only])


def _alignment(corpus: Corpus) -> dict[str, Any]:
    """How the annotations met their texts; the first that did not are named."""
    if isinstance(corpus, FieldCorpus):
        return {"annotations": sum(len(gold.findings) for gold in corpus.gold), "unaligned": 0, "notes": {}}
    first = [f"{each.origin}: {each.annotation}: {each.reason}" for each in corpus.unaligned[:20]]
    return {
        "annotations": corpus.annotations,
        "unaligned": len(corpus.unaligned),
        "first_unaligned": first,
        "notes": dict(corpus.notes),
    }


def _digest(corpus: Corpus) -> str:
    """SHA-256 of the texts and the gold, whatever files they stood in."""
    digest = hashlib.sha256()
    gold: Sequence[object] = corpus.gold if isinstance(corpus, FieldCorpus) else [d.spans for d in corpus.documents]
    for article, annotated in zip(corpus.articles, gold, strict=True):
        digest.update(f"{article.article_id}\0{article.text}\0{annotated!r}\0".encode())
    return digest.hexdigest()
