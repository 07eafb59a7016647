"""A training job from its config to a component with weights.

    vectors → teachers (networks, a CRF) → what they say of unmarked abstracts → a student → a last round on the marked

Each step keeps its result in the work folder under a key of all that it depends on: config, data, code of the project's
version. So a job that was broken off goes on where it was, and one with another setting repeats no more than it must.
"""

from __future__ import annotations

import hashlib
import json
import platform
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from spacy.tokens import Doc

from caseframe._version import __version__
from caseframe.errors import GoldError, OutputError, TrainingError
from caseframe.evaluation.job import MetricsConfig
from caseframe.evaluation.loaders import refuse_shared
from caseframe.evaluation.metrics import Row, measure
from caseframe.evaluation.reading import place
from caseframe.evaluation.records import Span, SpanCorpus
from caseframe.evaluation.run import load_spans_of
from caseframe.evaluation.spans import score_spans
from caseframe.pipeline import assemble_stages
from caseframe.stages.entities import SPANS, EntityFinder, Features
from caseframe.stages.entity_network import Chain
from caseframe.training.crf import CrfTeacher, crfsuite, fit_crf, learn_clusters
from caseframe.training.fit import Example, Settings, certain, example, feature_names, fit, tag_probabilities, unmarked
from caseframe.training.job import Rounds, TrainConfig
from caseframe.training.marks import Halves, Marks
from caseframe.training.texts import digest_of, keys_of, learn_vectors, read_texts, read_vectors

Progress = Callable[[str, int, int], None]
"""Told the step, how far it is, and how far it goes."""
META = "meta.json"
Thing = TypeVar("Thing")
_VERSIONS = ("spacy", "thinc", "numpy")


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training job came to."""

    folder: Path
    metrics: Row
    seconds: float


def run_training(config: TrainConfig, out: Path, work: Path, *, progress: Progress | None = None) -> Trained:
    """Trains the component and writes it, with `meta.json`, to `out`; `work` keeps the steps.

    Raises GoldError where a corpus cannot be used or shares a text with the dev set, TrainingError where something that
    is needed is missing, ModelError where there are no entities to take the vectors of, OutputError where a folder
    cannot be written.
    """
    began = time.monotonic()
    try:
        work.mkdir(parents=True, exist_ok=True)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: {error.strerror}", "Give a folder that can be written") from error
    job = Job(config, work, progress or (lambda step, done, total: None))
    metrics = job.write(job.finished(), out)
    return Trained(out, metrics, time.monotonic() - began)


def _file_name(path: Path) -> str:
    """A path as it stands in meta.json: the same on every machine."""
    return path.name


def digest_of_folder(folder: Path) -> str:
    """SHA-256 over the weights in a component's folder."""
    digest = hashlib.sha256()
    for name in EntityFinder.FILES:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _refuse_unknown(name: str, corpus: SpanCorpus, types: Sequence[str]) -> None:
    """Raises GoldError where a corpus has a label that is none of the types."""
    for document in corpus.documents:
        for span in document.spans:
            if span.type not in types:
                raise GoldError(
                    f"{place(document.article.origin)}: {name} has the label {span.type}, which is no type",
                    f"Map it under labels, or to null to drop it; types are {', '.join(types)}",
                )


class Job:
    """The steps of a job; each is computed once, or read from the work folder."""

    def __init__(self, config: TrainConfig, work: Path, progress: Progress) -> None:
        self.config = config
        self.work = work
        self.say = progress
        self.corpora = [(corpus, load_spans_of(corpus)) for corpus in config.corpora]
        self.dev = load_spans_of(config.dev)
        for settings, corpus in self.corpora:
            refuse_shared({settings.name: corpus, config.dev.name: self.dev})
            _refuse_unknown(settings.name, corpus, config.types)
        _refuse_unknown(config.dev.name, self.dev, config.types)
        if config.silver.abstracts and config.crf and config.silver.marks is None:
            crfsuite()  # rather now than after the networks
        like = config.vectors.like
        self.like = None if like is None else EntityFinder().read(like).features
        self.chain = Chain(config.types)
        self.marks = None if config.silver.marks is None else Marks(config.silver.marks, self.chain.tags)
        self.nlp = assemble_stages()

    @cached_property
    def data_digest(self) -> str:
        """Hash of the marked texts with their spans, of the files of unmarked texts, and of vectors that are taken."""
        digest = hashlib.sha256(digest_of([*self.config.vectors.texts, *self.config.silver.texts]).encode())
        if self.config.silver.marks is not None:
            digest.update(self.config.silver.marks.read_bytes())
        if self.like is not None:
            digest.update(self.like.vectors.data.tobytes())
        for corpus in (*(corpus for _, corpus in self.corpora), self.dev):
            for document in corpus.documents:
                digest.update(f"{document.article.text}\0{document.spans!r}\0".encode())
        return digest.hexdigest()

    def finished(self) -> EntityFinder:
        """The trained component: the student, or without unmarked abstracts the first teacher."""
        if not self.config.silver.abstracts:
            return self._teacher(0)
        config = self.config
        taught = (config.silver, config.teachers, config.crf)
        student = self._network("student", 0, config.student, self._student_examples, depends=taught)
        return self._network(
            "finish", 0, config.finish, lambda: self.marked, start=student, depends=(*taught, config.student)
        )

    def write(self, finder: EntityFinder, out: Path) -> Row:
        """Writes the component, and `meta.json` on where it comes from, to a folder; gives its figures on dev."""
        finder.save(out)
        measured = self._measured(finder)
        meta = {
            "name": self.config.name,
            "caseframe": __version__,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}},
            "seed": self.config.seed,
            "data_sha256": self.data_digest,
            "weights_sha256": digest_of_folder(out),
            "config": self.config.model_dump(),
            "dev": measured,
        }
        text = json.dumps(meta, indent=2, ensure_ascii=False, default=_file_name)
        (out / META).write_text(text + "\n", encoding="utf-8")
        return measured

    def _measured(self, finder: EntityFinder) -> Row:
        """Figures on the dev set."""
        scores = []
        for document in self.dev.documents:
            doc = finder(self.nlp(document.article.text))
            found = [Span(s.label_, s.start_char, s.end_char, s._.confidence) for s in doc.spans[SPANS]]
            scores.append(score_spans(document, found))
        return measure("spans", scores, MetricsConfig())

    @cached_property
    def docs(self) -> list[Doc]:
        """The marked texts after the stages."""
        articles = [document.article for _, corpus in self.corpora for document in corpus.documents]
        return [self.nlp(article.text) for article in self._told("stages", articles)]

    @cached_property
    def features(self) -> Features:
        """What the network takes of a Doc."""
        names = feature_names(self.docs)
        if self.like is not None:
            return Features(names, self.like.vectors)
        return Features(names, read_vectors(self._vectors(), [token.text for doc in self.docs for token in doc]))

    @cached_property
    def marked(self) -> list[Example]:
        """The examples that people marked."""
        examples, docs = [], iter(self.docs)
        for settings, corpus in self.corpora:
            for document in corpus.documents:
                mentions = [(span.start, span.end, span.type) for span in document.spans]
                examples.append(example(self.features, self.chain, next(docs), mentions, settings.types))
        return examples

    def _vectors(self) -> Path:
        settings = self.config.vectors

        def make(folder: Path) -> None:
            self.say("vectors", 0, 1)
            learn_vectors(settings, read_texts(settings.texts, self._held_out()), folder)
            self.say("vectors", 1, 1)

        folder = self._step("vectors", make, settings, digest_of(settings.texts), sorted(self._held_out()))
        return folder / "vectors.floret"

    def _teacher(self, number: int) -> EntityFinder:
        return self._network(f"teacher-{number + 1}", number, self.config.teacher, lambda: self.marked)

    def _network(
        self,
        name: str,
        number: int,
        rounds: Rounds,
        examples: Callable[[], Sequence[Example]],
        *,
        start: EntityFinder | None = None,
        depends: Sequence[object] = (),
    ) -> EntityFinder:
        """A network trained from the start, or on from another one."""
        seed = self.config.seed + number

        def make(folder: Path) -> None:
            finder = start or self._untrained(seed)
            settings = Settings(rounds.epochs, rounds.batch, rounds.rate, dropout=rounds.dropout)
            fit(finder, examples(), settings, seed=seed, report=lambda at, _: self.say(name, at, rounds.epochs))
            finder.save(folder)

        folder = self._step(name, make, self._everything_marked(), rounds, *depends)
        return EntityFinder().read(folder)

    def _untrained(self, seed: int) -> EntityFinder:
        finder = EntityFinder(types=self.config.types)
        finder.build(self.features, width=self.config.width, depth=self.config.depth, seed=seed)
        return finder

    def _student_examples(self) -> list[Example]:
        copies = [settings.copies for settings, corpus in self.corpora for _ in corpus.documents]
        surely = [certain(each, len(self.chain.tags)) for each in self.marked]
        return [*self._silver(), *(each for each, times in zip(surely, copies, strict=True) for _ in range(times))]

    def _silver(self) -> list[Example]:
        """Unmarked abstracts with the mean of what the teachers say of each token."""
        chosen = self._step("abstracts", self._choose, self.config.silver, self.config.seed, self.data_digest)
        texts = json.loads((chosen / "texts.json").read_text(encoding="utf-8"))
        docs = (self.nlp(text) for text in self._told("unmarked abstracts", texts))
        if self.marks is not None:
            seen = (unmarked(self.features, doc) for doc in docs)
            return [
                replace(each, target=self.marks.of(text, len(each.ids))) for text, each in zip(texts, seen, strict=True)
            ]
        plain = [(doc if self.config.crf else None, unmarked(self.features, doc)) for doc in docs]

        def make(folder: Path) -> None:
            np.savez(folder / "targets.npz", targets=np.concatenate(list(self._opinions(plain))))

        config = self.config
        folder = self._step("opinions", make, self._everything_marked(), config.silver, config.teachers, config.crf)
        targets = np.load(folder / "targets.npz")["targets"]
        ends = np.cumsum([len(each.ids) for _, each in plain])[:-1]
        return [replace(each, target=part) for (_, each), part in zip(plain, np.split(targets, ends), strict=True)]

    def _choose(self, folder: Path) -> None:
        """Unmarked abstracts of a fair length, in random order."""
        settings = self.config.silver
        texts = list(read_texts(settings.texts, self._held_out(marked=True)))
        random.Random(self.config.seed).shuffle(texts)
        lengths = range(settings.shortest, settings.longest + 1)
        if self.marks is not None:
            texts = [text for text in texts if text in self.marks]
        fair = (text for text in texts if len(self.nlp.tokenizer(text)) in lengths)
        chosen = list(islice(fair, settings.abstracts))
        if not chosen:
            raise TrainingError(
                f"silver.texts: no text of {settings.shortest} to {settings.longest} tokens beside the marked ones"
                + (f" that {settings.marks} knows" if settings.marks else ""),
                "Give more texts or other lengths, or set abstracts: 0 to train no student",
            )
        (folder / "texts.json").write_text(json.dumps(chosen), encoding="utf-8")

    def _opinions(self, plain: Sequence[tuple[Doc | None, Example]]) -> Iterator[Halves]:
        finders = [self._teacher(number) for number in range(self.config.teachers)]
        crf = self._crf() if self.config.crf else None
        for doc, each in self._told("marking", plain):
            opinions = [tag_probabilities(finder, each) for finder in finders]
            if crf and doc is not None:
                opinions.append(crf.probabilities(doc))
            yield np.mean(opinions, axis=0).astype("float16")

    def _crf(self) -> CrfTeacher:
        def make(folder: Path) -> None:
            self.say("CRF", 0, 1)
            texts = read_texts(self.config.silver.texts, self._held_out(marked=True))
            counts = Counter(t.lower_ for text in texts for t in self.nlp.tokenizer(text) if not t.is_space)
            clusters = learn_clusters(counts, self.features, self.config.seed)
            whole = [(doc, each) for doc, each in zip(self.docs, self.marked, strict=True) if each.target.ndim == 1]
            tags = [[self.chain.tags[tag] for tag in each.target.tolist()] for _, each in whole]
            fit_crf([doc for doc, _ in whole], tags, clusters, folder / "crf")
            (folder / "clusters.json").write_text(json.dumps(clusters), encoding="utf-8")
            self.say("CRF", 1, 1)

        folder = self._step("crf", make, self._everything_marked(), self.config.silver)
        clusters = json.loads((folder / "clusters.json").read_text(encoding="utf-8"))
        return CrfTeacher(folder / "crf", self.chain, clusters)

    def _held_out(self, *, marked: bool = False) -> set[str]:
        """The keys of the dev set's articles, and on request of the marked ones."""
        corpora = [self.dev, *(corpus for _, corpus in self.corpora if marked)]
        return {key for corpus in corpora for article in corpus.articles for key in keys_of(article)}

    def _everything_marked(self) -> str:
        """What every trained step depends on."""
        config = self.config
        parts = (config.types, config.corpora, config.vectors, config.width, config.depth, config.teacher, config.seed)
        return f"{parts!r} {self.data_digest}"

    def _step(self, name: str, make: Callable[[Path], None], *depends: object) -> Path:
        """The folder of a step, made where it is not there whole."""
        key = hashlib.sha256(f"{__version__} {depends!r}".encode()).hexdigest()[:16]
        folder = self.work / f"{name}-{key}"
        if not folder.exists():
            unfinished = self.work / f"{name}-{key}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
        return folder

    def _told(self, step: str, things: Sequence[Thing]) -> Iterator[Thing]:
        """The things, with a word of how far it is after each."""
        for number, thing in enumerate(things, start=1):
            yield thing
            self.say(step, number, len(things))
