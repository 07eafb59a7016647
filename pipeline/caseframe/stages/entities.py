"""Entities: mentions of thirteen types, found by a small learned model (AGE, SEX, NEOPLASM, ... TIME).

Writes `doc.spans["entities"]`, flat and in the order of the text: `label_` is the type, `span._.confidence` the
probability that the model gives to exactly this span with this type. General statements are marked like the
patient's; which mention fills a field is for later components to say.

What the earlier stages found is what the model sees beside the words: the lexicon's terms, quantities, times, cues,
abbreviations, narrative. Run it after them; a stage that is missing only makes it less sure.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.strings import StringStore, hash_string  # type: ignore[attr-defined]
from spacy.tokens import Doc, Span
from spacy.vectors import Vectors  # type: ignore[import-not-found]
from thinc.api import fix_random_seed

from caseframe.config import shipped
from caseframe.errors import ModelError
from caseframe.lexicons import Term
from caseframe.lexicons.folding import CACHED_WORDS
from caseframe.stages import floret
from caseframe.stages.entity_network import VIEWS, Chain, Floats, Ints, Network, Shape
from caseframe.stages.entity_tagger import Entity, Kept, Tagger, in_groups
from caseframe.stages.extensions import bounds_of_sentences, set_on, texts_of
from caseframe.stages.lexemes import shape_of
from caseframe.stages.terms import term_of

SPANS = "entities"
Files = dict[str, bytes]
TYPES = (
    "AGE", "SEX", "NEOPLASM", "DISORDER", "FINDING", "ANATOMY", "PROCEDURE", "DIAGNOSTIC", "DEVICE", "DRUG", "OUTCOME",
    "VALUE", "TIME",
)  # fmt: skip
STAGES = ("terms", "quantities", "times", "cues", "abbreviations", "long_forms")
"""The spans of earlier stages whose labels are features."""
LEAST_SURE = 0.5
"""Entities that the model is less sure of are left out by default."""
# Features that need no name: title, general, sentence start, capitals, title case, digits, line break, joined.
_PLAIN = 8
_DIGIT = re.compile(r"\d")
_VECTORS_KEPT = 8_000
# A Doc is worked on in stretches of whole sentences of about this many tokens, so that memory has a bound. Stretches of
# several Docs are worked on together up to about `_DECODED` tokens.
_STRETCH = 2_000
_DECODED = 8_000

if not Span.has_extension("confidence"):
    Span.set_extension("confidence", default=None)


def confidence_of(span: Span) -> float:
    """The probability of a span, by the component that found it; 1 where that says nothing, as other pipelines do."""
    # Where spaCy keeps it: to look there is much quicker.
    key: Any = ("._.", "confidence", span.start_char, span.end_char)
    confidence = span.doc.user_data.get(key)
    if confidence is None:
        confidence = span._.confidence
    return 1.0 if confidence is None else float(confidence)


def views_of(word: str) -> tuple[int, ...]:
    """The hashed views of a word (`entity_network.VIEWS`); digits are all alike."""
    lower = _DIGIT.sub("0", word.lower())
    views = (lower, f"p{lower[:3]}", f"s{lower[-3:]}", f"S{shape_of(word)}", f"4{lower[-4:]}")
    return tuple(hash_string(view) for view in views)


@lru_cache(maxsize=CACHED_WORDS)
def _looks_of(word: str) -> int:
    """Capitals, title case, digits, line break: a bit each."""
    looks = word.isupper() and len(word) > 1, word[:1].isupper(), any(map(str.isdigit, word)), "\n" in word
    return sum(1 << n for n, holds in enumerate(looks) if holds)


def stage_spans(doc: Doc) -> Iterator[tuple[str, int, int]]:
    """What the earlier stages found, as the name of a feature and token bounds."""
    for key in STAGES:
        for span in doc.spans.get(key, ()):
            yield _name_of_term(span) if key == "terms" else f"{key}:{span.label_}", span.start, span.end


# The names of terms that were met; a Term of the same key may come from another lexicon later.
_NAMES: dict[str, tuple[Term, str]] = {}


def _name_of_term(span: Span) -> str:
    term = term_of(span)
    if term is None:
        return f"terms:{span.label_}"
    known = _NAMES.get(span.kb_id_)
    if known is None or known[0] is not term:
        known = _NAMES[span.kb_id_] = term, _name_of(term)
    return known[1]


def _name_of(term: Term) -> str:
    """A term by its lexicon, and its kind where the lexicon gives one: `terms:therapies:drug`, `terms:tumors`."""
    kind = term.attributes.get("kind", "biopsy" if term.attributes.get("category") == "biopsy" else "")
    return f"terms:{term.lexicon}:{kind}" if kind else f"terms:{term.lexicon}"


class Features:
    """Turns Docs to what the network takes; `names` are the features of `stage_spans` that it knows."""

    def __init__(self, names: Sequence[str], vectors: Vectors) -> None:
        self.names = tuple(names)
        self.vectors = vectors
        # The bits of `signs_of`: of each name three (first, in, last), then the plain ones.
        self._signs = {name: 1 << 3 * n for n, name in enumerate(self.names)}
        self._title, self._general, self._opening, *_, self._joined = (
            1 << 3 * len(self.names) + n for n in range(_PLAIN)
        )
        self._looks = [self._opening * 2 * looks for looks in range(1 << 4)]
        self._vectors = Kept(partial(floret.vectors_of, vectors), vectors.shape[1], _VECTORS_KEPT)

    @property
    def size(self) -> int:
        """How many dense features a token has beside its vector."""
        return 3 * len(self.names) + _PLAIN

    def of(self, doc: Doc) -> tuple[Ints, Floats]:
        """The hashed views and the dense features of one Doc."""
        words = texts_of(doc)
        ids, vectors = self.of_words(words)
        return ids, np.concatenate([vectors, self.of_stages(doc, words)], axis=1)

    def of_words(self, words: Sequence[str]) -> tuple[Ints, Floats]:
        """The hashed views and the vector of each word."""
        ids = np.array([views_of(word) for word in words], dtype="uint64").reshape(len(words), len(VIEWS))
        return ids, self.vectors_of(words)

    def vectors_of(self, words: Sequence[str]) -> Floats:
        """The vector of each word; case says nothing."""
        return self.vectors_of_lower([word.lower() for word in words])

    def vectors_of_lower(self, words: Sequence[str]) -> Floats:
        """The vector of each word, given in lower case."""
        places = self._vectors.places(words)
        return self._vectors.rows[places]

    def of_stages(self, doc: Doc, words: Sequence[str]) -> Floats:
        """What the stages say of each token of a Doc, and how its word looks."""
        return self.tabulate(self.signs_of(doc, words))

    def tabulate(self, signs: Sequence[int]) -> Floats:
        """The dense features of `signs_of`, a row a token."""
        size = -(-self.size // 8)
        packed = np.frombuffer(b"".join(each.to_bytes(size, "little") for each in signs), "uint8").reshape(-1, size)
        return np.unpackbits(packed, axis=1, count=self.size, bitorder="little").astype("f")

    def signs_of(self, doc: Doc, words: Sequence[str]) -> list[int]:
        """The same as a number a token, of which each bit is a feature."""
        looks = self._looks
        signs = [0 if word.islower() and word.isalpha() else looks[_looks_of(word)] for word in words]
        for name, start, end in stage_spans(doc):
            first = self._signs.get(name)
            if first is None:
                continue
            if end - start == 1:
                signs[start] |= 7 * first
            else:
                signs[start] |= 3 * first
                for i in range(start + 1, end - 1):
                    signs[i] |= 2 * first
                signs[end - 1] |= 6 * first
        for key, label, sign in (("sections", "title", self._title), ("narrative", "general", self._general)):
            for span in doc.spans.get(key, ()):
                if span.label_ == label:
                    for i in range(span.start, span.end):
                        signs[i] |= sign
        if words:
            for start, _ in bounds_of_sentences(doc):
                signs[start] |= self._opening
            for i in (doc.to_array("SPACY")[:-1] == 0).nonzero()[0].tolist():
                signs[i + 1] |= self._joined
        return signs


def shipped_weights() -> Path:
    """Folder of the shipped weights."""
    return shipped("models") / "caseframe_entities"


@cache
def shipped_features() -> Features:
    """The features of the shipped weights, read once a process."""
    folder = shipped_weights()
    return _features_of({name: (folder / name).read_bytes() for name in EntityFinder.FILES[:2]})


def is_weights(folder: str) -> bool:
    """Whether `caseframe train` wrote this folder."""
    return (Path(folder) / EntityFinder.FILES[0]).is_file()


@Language.factory(
    "caseframe_entities",
    assigns=["doc.spans", "span._.confidence"],
    default_config={"weights": "", "threshold": LEAST_SURE},
)
def create_entities(nlp: Language, name: str, weights: str, threshold: float) -> EntityFinder:
    """Factory of `caseframe_entities`.

    `weights` is the folder that `caseframe train` wrote (empty: the shipped one); entities less probable than
    `threshold` are left out. Raises ModelError where the folder cannot be read.
    """
    return EntityFinder(threshold=threshold).read(weights or shipped_weights())


class EntityFinder:
    """Finds the entities of a Doc. Empty until it is read from disk or given a trained `network`."""

    FILES = ("entities.json", "vectors", "network")

    def __init__(self, *, types: Sequence[str] = TYPES, threshold: float = 0.0) -> None:
        self.threshold = threshold
        self.chain = Chain(types)
        self.features: Features | None = None
        self.network: Network | None = None
        self._tagger: Tagger | None = None

    def build(self, features: Features, *, width: int = 128, depth: int = 4, seed: int = 0) -> None:
        """Makes an untrained network over these features."""
        fix_random_seed(seed)
        shape = Shape(features.vectors.shape[1], features.size, width=width, depth=depth)
        self.features = features
        self.network = Network(shape, len(self.chain.tags))

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["entities"]`."""
        return self._marked(doc, self.find(doc))

    def pipe(self, docs: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Sets `doc.spans["entities"]` of each Doc; what a Doc has does not depend on those beside it."""
        remaining = iter(docs)
        while batch := list(islice(remaining, batch_size)):
            for doc, found in zip(batch, self.find_all(batch), strict=True):
                yield self._marked(doc, found)

    def _marked(self, doc: Doc, found: Sequence[Entity]) -> Doc:
        spans = []
        for start, end, label, probability in found:
            if probability >= self.threshold:
                span = Span(doc, start, end, label=label)
                set_on(span, "confidence", round(probability, 4))
                spans.append(span)
        doc.spans[SPANS] = spans
        return doc

    def find(self, doc: Doc) -> list[Entity]:
        """The entities of a Doc: token bounds, type, probability."""
        return self.find_all([doc])[0]

    def find_all(self, docs: Sequence[Doc]) -> list[list[Entity]]:
        """The entities of each Doc; what is found in one does not depend on the others."""
        if self.features is None or self.network is None:
            raise ModelError("caseframe_entities has no weights", "Load a pipeline that was saved with them")
        if self._tagger is None or not self._tagger.is_of(self.network):
            self._tagger = Tagger(self.network, self.chain, self.features.of_words, self.features.tabulate)
        tagger = self._tagger
        found: list[list[Entity]] = [[] for _ in docs]
        stretches = (each for number, doc in enumerate(docs) for each in _stretches(number, doc, self.features))
        for group in in_groups(stretches, _size, _DECODED):
            words = [word for each in group for word in each.words]
            signs = [sign for each in group for sign in each.signs]
            lengths = [length for each in group for length in each.sentences]
            scores = tagger.scores(words, signs, list(map(_size, group)))
            entities = tagger.decoder.entities(scores, lengths)
            begin = done = 0
            for stretch in group:
                moved, begin = stretch.first - begin, begin + len(stretch.words)
                here, done = done, bisect_left(entities, (begin,), done)
                found[stretch.doc] += [
                    (start + moved, end + moved, name, probability)
                    for start, end, name, probability in entities[here:done]
                ]
        return found

    def __reduce__(self) -> tuple[Callable[[Files, float], EntityFinder], tuple[Files, float]]:
        return _unpickled, ({name: write() for name, write in self._writers().items()}, self.threshold)

    def save(self, path: str | Path) -> None:
        """Writes the weights to a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        for name, write in self._writers().items():
            (folder / name).write_bytes(write())

    def read(self, path: str | Path) -> EntityFinder:
        """Reads what `save` wrote; raises ModelError where there is nothing to read."""
        try:
            self._read({name: (Path(path) / name).read_bytes() for name in self.FILES})
            if Path(path) == shipped_weights():
                self.features = shipped_features()  # the words that it knows are kept once a process
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{path}: no weights of entities: {error}", "Give the folder that caseframe train wrote"
            ) from error
        return self

    def _writers(self) -> dict[str, Callable[[], bytes]]:
        """The files of the component and how each is made."""
        return dict(zip(self.FILES, (self._settings, self._vectors, self._weights), strict=True))

    def _settings(self) -> bytes:
        assert self.features is not None and self.network is not None
        vectors, shape = self.features.vectors, self.network.shape
        settings = {
            "types": self.chain.types,
            "features": self.features.names,
            "shape": {name: getattr(shape, name) for name in Shape.__slots__},
            "vectors": {name: getattr(vectors, name) for name in _VECTOR_SETTINGS},
        }
        return json.dumps(settings, indent=1).encode()

    def _vectors(self) -> bytes:
        assert self.features is not None
        table: NDArray[np.float32] = self.features.vectors.data
        return table.astype("float16").tobytes()

    def _weights(self) -> bytes:
        assert self.network is not None
        return bytes(self.network.model.to_bytes())

    def _read(self, files: Files) -> None:
        settings = json.loads(files["entities.json"])
        shape = settings["shape"]
        self.chain = Chain(settings["types"])
        self.features = _features_of(files)
        self.network = Network(Shape(**{**shape, "rows": tuple(shape["rows"])}), len(self.chain.tags))
        self.network.model.from_bytes(files["network"])


def _features_of(files: Files) -> Features:
    settings = json.loads(files["entities.json"])
    table = np.frombuffer(files["vectors"], dtype="float16").reshape(-1, settings["shape"]["vector"])
    return Features(settings["features"], floret_vectors(table.astype("float32"), **settings["vectors"]))


def _unpickled(files: Files, threshold: float) -> EntityFinder:
    finder = EntityFinder(threshold=threshold)
    finder._read(files)
    return finder


_VECTOR_SETTINGS = ("minn", "maxn", "hash_count", "hash_seed", "bow", "eow")


def floret_vectors(
    table: NDArray[np.float32], *, minn: int, maxn: int, hash_count: int, hash_seed: int, bow: str, eow: str
) -> Vectors:
    """Vectors of any word from a table of its hashed parts."""
    return Vectors(
        strings=StringStore(),
        data=table,
        mode="floret",
        minn=minn,
        maxn=maxn,
        hash_count=hash_count,
        hash_seed=hash_seed,
        bow=bow,
        eow=eow,
    )


class _Stretch(NamedTuple):
    """Whole sentences of a Doc: which Doc, their first token, words, what the stages say of them, their lengths."""

    doc: int
    first: int
    words: Sequence[str]
    signs: Sequence[int]
    sentences: Sequence[int]


def _size(stretch: _Stretch) -> int:
    return len(stretch.words)


def _stretches(number: int, doc: Doc, features: Features) -> Iterator[_Stretch]:
    """A Doc in parts of about `_STRETCH` tokens."""
    words = texts_of(doc)
    signs = features.signs_of(doc, words)
    sentences = bounds_of_sentences(doc) if words else []
    for bounds in in_groups(sentences, lambda bound: bound[1] - bound[0], _STRETCH):
        first, last = bounds[0][0], bounds[-1][1]
        yield _Stretch(number, first, words[first:last], signs[first:last], [end - start for start, end in bounds])
