"""Roles: what each sentence does in a case report, whether or not a label is printed above it.

`background` says what is known of the disease, `case` how the patient presented and was examined, `treatment` what was
done, `outcome` how the patient did, `conclusion` what is to be learned. Roles run in order, so that a sentence is
judged with its neighbours: a linear-chain conditional random field (Lafferty, McCallum and Pereira 2001) over features
that a reader can check: words and pairs of words, the fields of the terms and the kinds of the quantities in the
sentence, its shapes and those of its neighbours, its place in the text. `rules/roles.tsv` holds a weight a feature and
role, fitted by `benchmarks/fit_sentence_roles.py`.

The component writes `doc.spans["roles"]`: every sentence, `label_` its role (`title` and `other` for the title and for
appendages such as trial numbers). A printed label wins: below "Case presentation" only `case`, `treatment` and
`outcome` are chosen from, below "Background" nothing is. `span._.role` and `span._.role_scores` hold for any span; the
scores are what the words and their order say, whatever label was printed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate, chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.errors import LexiconError
from caseframe.lexicons.folding import CACHED_PHRASES
from caseframe.stages.extensions import by_token
from caseframe.stages.telling import PATIENT_TOLD, Told, kinds_of, pairs_in, pairs_of, told_in

SPANS = "roles"
SCORES = "caseframe.roles"
_BY_TOKEN = "caseframe.roles_by_token"
ROLES = ("background", "case", "treatment", "outcome", "conclusion")
STORY = ("case", "treatment", "outcome")
BEGIN, END, AFTER = "(begin)", "(end)", "(after) "
FIRST = "first: "
_BIAS = "(bias)"
# Of the logarithm of a probability: as good as none, and still a number that can be divided by.
_BARRED = -100.0
# So often the products of probabilities are brought back to sum to 1, long before they are too small for a float.
_SCALED = 8
_TOLD_PARTS = dict.fromkeys(("case", "results", "methods", "diagnosis"), STORY)
# The roles that the sentences of a labelled section may have; any role where the kind is not listed.
ALLOWED: dict[str, tuple[str, ...]] = {
    **_TOLD_PARTS,
    "background": ("background",),
    "intervention": ("treatment", "outcome"),
    "outcome": ("outcome",),
    "discussion": ("background", "conclusion"),
    "conclusion": ("conclusion",),
}
_BARRED_BY = {kind: [role not in roles for role in ROLES] for kind, roles in ALLOWED.items()}
_NONE_BARRED = [False for _ in ROLES]
UNTOLD = frozenset({"title", "other"})
"""Kinds of sections whose sentences take no part in the sequence."""
_CURE = "Make the file with benchmarks/fit_sentence_roles.py, or restore it"

Weights = NDArray[np.float64]
Row = tuple[int, int, str, Sequence[float]]
"""A sentence: its token bounds, its role, the scores of all roles."""


def builtin_weights() -> Path:
    """The shipped weights."""
    return Path(str(files("caseframe.stages") / "rules" / "roles.tsv"))


@cache
def read_weights(path: Path) -> dict[str, Weights]:
    """Reads a file of weights: a header `feature` and the roles, then a feature and a weight a role on each line.

    `(after) case` holds the weights of what follows a `case` sentence, `(begin)` and `(end)` those of the first and
    the last sentence. `#` begins a comment line. Each array has shape (5,), in the order of ROLES. Raises LexiconError,
    naming file and line, for another header, for a weight that is no number and for a transition that is missing.
    """
    weights: dict[str, Weights] = {}
    header = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        feature, *cells = line.split("\t")
        if not header:
            header = line
            if line != "\t".join(("feature", *ROLES)):
                raise LexiconError(f"{path}, line {number}: the columns are not feature, {', '.join(ROLES)}", _CURE)
            continue
        try:
            row = np.array([float(cell) for cell in cells])
        except ValueError:
            raise LexiconError(f"{path}, line {number}: {cells} are no weights", _CURE) from None
        if len(row) != len(ROLES):
            raise LexiconError(f"{path}, line {number}: {len(row)} weights, not {len(ROLES)}", _CURE)
        weights[feature] = row
    for name in (BEGIN, END, *(AFTER + role for role in ROLES)):
        if name not in weights:
            raise LexiconError(f"{path}: no line {name}", _CURE)
    return weights


@Language.factory("caseframe_roles", assigns=["doc.spans"], default_config={"weights": None})
def create_roles(nlp: Language, name: str, weights: str | None) -> RoleTagger:
    """Factory of `caseframe_roles`; `weights`: path of a file that takes the place of the shipped one."""
    return RoleTagger(read_weights(Path(weights)) if weights else None)


class RoleTagger:
    """Gives every sentence of a Doc its role."""

    def __init__(self, weights: dict[str, Weights] | None = None) -> None:
        table = weights if weights is not None else read_weights(builtin_weights())
        # Row 0 is that of every feature without weights.
        self._rows = {feature: row for row, feature in enumerate(table, 1)}
        self._weights = np.array([np.zeros(len(ROLES)), *table.values()])
        self._pairs = pairs_in(self._rows)
        self._begin, self._end = table[BEGIN], table[END]
        self._after = np.array([table[AFTER + role] for role in ROLES])

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["roles"]` and the scores."""
        sentences, kinds = told_in(doc), kinds_of(doc)
        told = [i for i, kind in enumerate(kinds) if kind not in UNTOLD]
        sums = self._sums([self._rows_of(*each) for each in _read(doc, sentences, kinds)])
        if any(kinds[i] in ALLOWED for i in told):
            both = np.stack((sums, sums), axis=1)
            both[:, 1][[_BARRED_BY.get(kinds[i], _NONE_BARRED) for i in told]] = _BARRED
            free, bound = marginals(both, self._begin, self._after, self._end).swapaxes(0, 1)
        else:
            free = bound = marginals(sums, self._begin, self._after, self._end)
        roles = dict(zip(told, (ROLES[i] for i in bound.argmax(axis=1)), strict=True)) if told else {}
        scores = dict(zip(told, free.tolist(), strict=True))
        rows = [(start, end, roles.get(i, kinds[i]), scores.get(i, [])) for i, (start, end, *_) in enumerate(sentences)]
        doc.spans[SPANS] = [Span(doc, start, end, label=role) for start, end, role, _ in rows]
        doc.user_data[SCORES] = rows
        doc.user_data.pop(_BY_TOKEN, None)
        return doc

    def _rows_of(self, named: Iterable[str], words: Sequence[str]) -> set[int]:
        """The rows of the weights of a sentence's features: of pairs of words those that might have some."""
        rows = [*map(self._rows.get, chain(named, words), repeat(0))]
        seconds = zip(map(self._pairs.get, words), words[1:], strict=False)
        rows += [found.get(second, 0) for found, second in seconds if found is not None]
        if words:
            rows.append(self._rows.get(FIRST + words[0], 0))
        return set(rows)

    def _sums(self, rows: Sequence[set[int]]) -> Weights:
        """The summed weights of each sentence's features, of which it has at least one; shape (sentences, roles)."""
        if not rows:
            return np.zeros((0, len(ROLES)))
        starts = [*accumulate(map(len, rows[:-1]), initial=0)]
        sums: Weights = np.add.reduceat(self._weights[list(chain.from_iterable(rows))], starts)
        return sums


def marginals(sums: Weights, begin: Weights, after: Weights, end: Weights) -> Weights:
    """Probability of each role of each sentence, given all sentences: the forward-backward algorithm.

    `sums` has shape (sentences, ..., roles), `begin` and `end` (roles,), `after` (roles before, roles); the result has
    the shape of `sums` and sums to 1 over the roles.
    """
    count = len(sums)
    if not count:
        return sums
    steps = np.exp(after - after.max())
    back_steps = steps.T
    local = np.exp(sums - sums.max(axis=-1, keepdims=True))
    forward, backward = np.empty_like(local), np.empty_like(local)
    forward[0] = state = local[0] * np.exp(begin - begin.max())
    for i in range(1, count):
        if i % _SCALED == 0:
            state = state / state.sum(axis=-1, keepdims=True)
        forward[i] = state = (state @ steps) * local[i]
    backward[-1] = np.exp(end - end.max())
    state = backward[-1]
    for i in range(count - 2, -1, -1):
        state = (local[i + 1] * state) @ back_steps
        if i % _SCALED == 0:
            state /= state.sum(axis=-1, keepdims=True)
        backward[i] = state
    joint: Weights = forward * backward
    joint /= joint.sum(axis=-1, keepdims=True)
    return joint


def sentence_features(doc: Doc, sentences: Sequence[Span], kinds: Sequence[str]) -> Iterator[list[str]]:
    """The names of the features of each of some sentences of a Doc that is neither title nor appendage.

    `kinds` are those of the sentences' sections; no feature tells them.
    """
    read = {each[0]: each for each in told_in(doc)}
    for named, words in _read(doc, [read[sentence.start] for sentence in sentences], kinds):
        yield [*named, *words, *pairs_of(words), *(FIRST + word for word in words[:1])]


def _read(doc: Doc, sentences: Sequence[Told], kinds: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The features of each such sentence that are not of its words, and the words."""
    told = [each for each, kind in zip(sentences, kinds, strict=True) if kind not in UNTOLD]
    named = _named(doc, [(start, end) for start, end, *_ in told])
    shapes = [None, *(shapes for *_, shapes in told), None]
    known = False
    for i, (_, _, words, own) in enumerate(told):
        features = [_BIAS, *_places(i, len(told)), *named[i], *_shapes(shapes[i], own, shapes[i + 2])]
        features.append("told: before" if known else "told: not yet")
        known = known or not PATIENT_TOLD.isdisjoint(own)
        yield features, words


@lru_cache(maxsize=CACHED_PHRASES)
def _shapes(before: Sequence[str] | None, own: Sequence[str], after: Sequence[str] | None) -> list[str]:
    """The shapes of a sentence and its neighbours, None where it has none."""
    return [
        *(f"shape: {name}" for name in own),
        *(f"before: {name}" for name in before or ()),
        *(f"next: {name}" for name in after or ()),
    ]


def _named(doc: Doc, sentences: Sequence[tuple[int, int]]) -> list[list[str]]:
    """The fields of the terms and the kinds of the quantities in each sentence."""
    named: list[set[str]] = [set() for _ in sentences]
    ends = [end for _, end in sentences]
    for key in ("terms", "quantities"):
        for span in doc.spans.get(key, ()):
            place = span.start
            number = bisect_right(ends, place)
            if number < len(ends) and place >= sentences[number][0]:
                named[number].add(f"{key}: {span.label_}")
    return [sorted(names) for names in named]


@lru_cache(maxsize=CACHED_PHRASES)
def _places(index: int, count: int) -> list[str]:
    """Where in the text a sentence stands."""
    return [
        f"place: {5 * index // count + 1} of 5",
        *([f"place: {index + 1}"] if index < 3 else ()),
        *([f"place: {count - index} from the end"] if count - index <= 3 else ()),
        *(["place: short text"] if count < 4 else ()),
    ]


def role_of(span: Span) -> str:
    """The role of the sentence in which a span starts; empty where the component has not run."""
    return roles_by_token(span.doc)[span.start]


def roles_by_token(doc: Doc) -> list[str]:
    """The role of the sentence of each token. Found once a Doc: not to be changed."""
    known: list[str] | None = doc.user_data.get(_BY_TOKEN)
    if known is None:
        rows = doc.user_data.get(SCORES, ())
        known = doc.user_data[_BY_TOKEN] = by_token(doc, ((start, end, role) for start, end, role, _ in rows), "")
    return known


def role_scores(span: Span) -> dict[str, float]:
    """The probability of each role from the words alone; empty for titles and where the component has not run."""
    return dict(zip(ROLES, scores_at(span.doc, span.start), strict=False))


def scores_at(doc: Doc, place: int) -> Sequence[float]:
    """The same for the sentence that holds a token, in the order of ROLES."""
    rows: Sequence[Row] = doc.user_data.get(SCORES, ())
    return next((scores for start, end, _, scores in rows if start <= place < end), ())


if not Span.has_extension("role"):
    Span.set_extension("role", getter=role_of)
    Span.set_extension("role_scores", getter=role_scores)
