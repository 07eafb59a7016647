"""Narrative: which sentences tell of the article's own patients, and which of the world.

"A 34-year-old woman underwent resection" is a patient's; "resection is the treatment of choice" is general, and what
it names must never reach a patient's row. A linear model over features that a reader can check decides: the kind of
section, the place in the text, words and pairs of words, the shape of the sentence (an age, "we report a case", the
past tense) and whether a patient was told of before. `rules/narrative.tsv` holds each feature's weight and the
threshold, fitted by `benchmarks/fit_narrative.py`; a sentence's score is the logistic of the sum of its weights. The
threshold loses few of the patient's findings (2.5 % in cross-validation): what is called general is lost for good.

The component writes `doc.spans["narrative"]`: every sentence, `label_` `patient` or `general`. From then on
`span._.is_general` and `span._.narrative_score` (the probability that its sentence tells of a patient) hold for any
span.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.errors import LexiconError
from caseframe.stages.extensions import by_token
from caseframe.stages.roles import ROLES, STORY, scores_at
from caseframe.stages.telling import PATIENT_TOLD, forget_told, kinds_of, pairs_in, pairs_of, told_in

SPANS = "narrative"
SCORES = "caseframe.narrative"
_GENERAL = "caseframe.general"
_BY_TOKEN = "caseframe.narrative_by_token"
TITLE = "section: title"
BIAS, THRESHOLD = "(bias)", "(threshold)"


def builtin_weights() -> Path:
    """The shipped weights."""
    return Path(str(files("caseframe.stages") / "rules" / "narrative.tsv"))


@cache
def read_weights(path: Path) -> dict[str, float]:
    """Reads a file of weights: a feature, a tab, its weight; `#` begins a comment line.

    Raises LexiconError, naming file and line, for a weight that is no number and for a file without bias or threshold.
    """
    weights: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        feature, _, weight = line.partition("\t")
        try:
            weights[feature] = float(weight)
        except ValueError:
            raise LexiconError(f"{path}, line {number}: weight {weight!r}", "Write feature, tab, number") from None
    for name in (BIAS, THRESHOLD):
        if name not in weights:
            raise LexiconError(f"{path}: no {name}", "Make the file with benchmarks/fit_narrative.py")
    return weights


@Language.factory("caseframe_narrative", assigns=["doc.spans"], default_config={"weights": None, "threshold": None})
def create_narrative(nlp: Language, name: str, weights: str | None, threshold: float | None) -> NarrativeTagger:
    """Factory of `caseframe_narrative`.

    `weights`: path of a file that takes the place of the shipped one; `threshold`: the score from which a sentence
    counts as the patient's, else the file's.
    """
    return NarrativeTagger(read_weights(Path(weights)) if weights else None, threshold=threshold)


class NarrativeTagger:
    """Labels every sentence of a Doc."""

    def __init__(self, weights: dict[str, float] | None = None, *, threshold: float | None = None) -> None:
        self.weights = dict(weights if weights is not None else read_weights(builtin_weights()))
        self._pairs = pairs_in(self.weights)
        self.threshold = self.weights[THRESHOLD] if threshold is None else threshold

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["narrative"]` and the scores."""
        rows = list(_read(doc))
        own = [self.score(self._known(named, words)) for _, _, named, words in rows]
        lifted = lift_titles(own, [TITLE in named for _, _, named, _ in rows])
        scores = [(start, end, score) for (start, end, *_), score in zip(rows, lifted, strict=True)]
        doc.spans[SPANS] = [
            Span(doc, start, end, label="patient" if score >= self.threshold else "general")
            for start, end, score in scores
        ]
        doc.user_data[SCORES] = scores
        doc.user_data.pop(_GENERAL, None)
        doc.user_data.pop(_BY_TOKEN, None)
        forget_told(doc)
        return doc

    def _known(self, named: Iterable[str], words: Sequence[str]) -> Iterable[str]:
        """The features of a sentence; of pairs of words those that have a weight."""
        if self._pairs.keys().isdisjoint(words):
            return chain(named, words)
        pairs = zip(map(self._pairs.get, words), words, words[1:], strict=False)
        known = [f"{first} {second}" for found, first, second in pairs if found is not None and second in found]
        return chain(named, words, known)

    def score(self, features: Iterable[str]) -> float:
        """The probability that a sentence with these features tells of a patient."""
        weights = self.weights
        found = dict.fromkeys(filter(weights.__contains__, features))
        return 1 / (1 + math.exp(-weights[BIAS] - sum(map(weights.__getitem__, found))))


def lift_titles(scores: Sequence[float], titles: Sequence[bool]) -> list[float]:
    """A title names the condition of the patients whom the text tells of; alone it is too short to say so."""
    best = max((score for score, title in zip(scores, titles, strict=True) if not title), default=0.0)
    return [max(score, best / 2) if title else score for score, title in zip(scores, titles, strict=True)]


def sentence_features(doc: Doc) -> Iterator[tuple[int, int, list[str]]]:
    """Each sentence's token bounds and the names of its features."""
    for start, end, named, words in _read(doc):
        yield start, end, [*named, *words, *pairs_of(words)]


def _read(doc: Doc) -> Iterator[tuple[int, int, list[str], list[str]]]:
    """Each sentence's token bounds, the features that are not of its words, and the words."""
    kinds = kinds_of(doc)
    in_kind = {kind: kinds.count(kind) for kind in set(kinds)}
    seen: dict[str, int] = {}
    told = False
    for (start, end, words, shapes), kind in zip(told_in(doc), kinds, strict=True):
        index = seen[kind] = seen.get(kind, -1) + 1
        features = [f"section: {kind}", *_places(kind, index, in_kind[kind]), *_parts(doc, start)]
        features.extend(f"shape: {name}" for name in shapes)
        if told:
            features.append(f"told before: {'text' if kind == 'text' else 'labelled'}")
        told = told or (kind != "title" and not PATIENT_TOLD.isdisjoint(shapes))
        yield start, end, features, words


def _parts(doc: Doc, place: int) -> Iterator[str]:
    """How likely the words of a sentence and its neighbours make it part of the story, whatever label is printed."""
    scores = scores_at(doc, place)
    if scores:
        yield f"role: {ROLES[scores.index(max(scores))]}"
        yield f"role: story {min(9, int(10 * sum(scores[ROLES.index(role)] for role in STORY)))}"


def _places(kind: str, index: int, count: int) -> Iterator[str]:
    """Where in its section a sentence stands."""
    if kind == "title":
        return
    if kind == "text":
        yield f"place: text fifth {5 * index // count + 1}"
    if index == 0:
        yield f"place: {kind} first"
    if index == count - 1:
        yield f"place: {kind} last"


def is_general(span: Span) -> bool:
    """Whether a span stands in a general sentence; False where the component has not run."""
    return general_tokens(span.doc)[span.start]


def general_tokens(doc: Doc) -> list[bool]:
    """For each token, and what lies behind the last, whether its sentence is general. Found once a Doc that has
    sentences labelled: not to be changed.
    """
    known: list[bool] | None = doc.user_data.get(_GENERAL)
    if known is None:
        known = [False] * (len(doc) + 1)
        if SPANS in doc.spans:
            doc.user_data[_GENERAL] = known
            for span in doc.spans[SPANS]:
                if span.label_ == "general":
                    known[span.start : span.end] = [True] * len(span)
    return known


def narrative_score(span: Span) -> float:
    """The probability that a span's sentence tells of a patient; 1.0 where the component has not run."""
    return scores_by_token(span.doc)[span.start]


def scores_by_token(doc: Doc) -> list[float]:
    """That probability for the sentence of each token. Found once a Doc: not to be changed."""
    known: list[float] | None = doc.user_data.get(_BY_TOKEN)
    if known is None:
        known = doc.user_data[_BY_TOKEN] = by_token(doc, doc.user_data.get(SCORES, ()), 1.0)
    return known


if not Span.has_extension("is_general"):
    Span.set_extension("is_general", getter=is_general)
    Span.set_extension("narrative_score", getter=narrative_score)
