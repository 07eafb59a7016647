"""Screening: is an article a case report, a case series or something else, from its title and abstract alone.

Publication types say so where an indexer set them; records that are new, or come from elsewhere, have none. The
screener needs no Doc: it reads thousands of records a second on one core, so that a whole dump can be screened before
the costly stages.

Two linear models, one for articles with an abstract and one for titles alone, over the words and pairs of words (in
titles triples too) that occur, each counted once, weighted by its rarity, and the record brought to unit length (TF-IDF
as in Salton & Buckley 1988). Each model gives two numbers. Their logistic functions are the probability that patients
are reported case by case, as PubMed's publication type "Case Reports" means it (`case`), and the probability that such
an article reports them as a group (`series`). The weights stand in `models/caseframe_screener/*.tsv`, which a person
can read, fitted by `benchmarks/fit_screener.py`, with the thresholds that keep 95 % of PubMed's case reports.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

from caseframe.config import shipped
from caseframe.errors import ModelError

MAX_TITLE_CHARS = 1_000
MAX_ABSTRACT_CHARS = 6_000
"""What stands behind is not read: the longest abstracts end here, and hostile ones cost no more than these."""
MIN_ABSTRACT_WORDS = 8
"""Shorter abstracts ("Not available.") are none."""
ABSTRACT_FILE, TITLE_FILE = "abstract.tsv", "title.tsv"

Gram = str | tuple[str, ...]
"""A word, or words that follow one another."""

_PARTS = ("title", "text")
_COLUMNS = ["part", "words", "idf", "case", "series"]
_CURE = "Restore the file, or fit it anew with benchmarks/fit_screener.py"
# MEDLINE's mark of a title that its author translated; it tells the year, not the design.
_TRANSLATED = re.compile(r"\(author's transl\)", re.IGNORECASE)
_MANY = "#"
_NUMBERS = {
    **{str(number): str(number) for number in range(1, 10)},
    **{word: str(n) for n, word in enumerate("one two three four five six seven eight nine".split(), 1)},
    **dict.fromkeys(
        "ten eleven twelve thirteen fourteen fifteen twenty thirty forty fifty sixty hundred".split(), _MANY
    ),
}
_START, _END = "<s>", "</s>"


# For `str.translate`, which is quick for ASCII alone: anything but letters and digits becomes a blank.
_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_WORD = re.compile(r"[^\W_]+")


class Design(NamedTuple):
    """Probabilities of the three designs; they sum to 1."""

    case_report: float
    case_series: float
    other: float

    @property
    def case(self) -> float:
        """Probability that the article reports patients case by case, one or more."""
        return self.case_report + self.case_series


def words_of(text: str) -> list[str]:
    """Lower-case words; one to nine as figures, `#` for what else begins with a digit."""
    lower = text.lower()
    words = lower.translate(_BLANKS).split() if lower.isascii() else _WORD.findall(lower)
    return [_NUMBERS.get(word) or (_MANY if word[0].isdigit() else word) for word in words]


def words_of_title(title: str) -> list[str]:
    """The words of a title between marks of its ends; nothing where there is no word."""
    words = words_of(_TRANSLATED.sub(" ", title[:MAX_TITLE_CHARS]))
    return [_START, *words, _END] if words else []


def words_of_abstract(abstract: str) -> list[str]:
    """The words of an abstract; nothing where it is too short to be one."""
    words = words_of(abstract[:MAX_ABSTRACT_CHARS])
    return words if len(words) >= MIN_ABSTRACT_WORDS else []


def title_grams(title: Sequence[str]) -> Iterator[Gram]:
    """Words, pairs and triples of the words of a title; the same may come twice."""
    return chain(title, pairwise(title), zip(title, title[1:], title[2:], strict=False))


def text_grams(title: Sequence[str], abstract: Sequence[str]) -> Iterator[Gram]:
    """Words and pairs of an abstract's words, and the title's words; the same may come twice."""
    return chain(title[1:-1], abstract, pairwise(abstract))


class Weight(NamedTuple):
    """What a gram counts: its inverse document frequency, and its weights for `case` and `series`."""

    idf: float
    case: float
    series: float


@dataclass(frozen=True)
class Weights:
    """A linear model: a gram's weights, by the part of the record that it stands in; the biases have no idf."""

    bias: Weight
    threshold: float
    title: Mapping[Gram, Weight]
    text: Mapping[Gram, Weight]

    def sums(self, title: Sequence[str], abstract: Sequence[str]) -> tuple[float, float]:
        """Summed weights for `case` and `series` of a record's words."""
        found = [self._title[gram] for gram in self._of_title.intersection(title_grams(title))]
        if abstract:
            found += [self._text[gram] for gram in self._of_text.intersection(text_grams(title, abstract))]
        if not found:
            return self.bias.case, self.bias.series
        # Exact sums, so that the order of a set, which changes from process to process, changes nothing.
        squares, case, series = map(math.fsum, zip(*found, strict=True))
        length = math.sqrt(squares)
        return self.bias.case + case / length, self.bias.series + series / length

    # What a gram adds to the squared length of a record and to its two sums.
    @cached_property
    def _title(self) -> dict[Gram, tuple[float, float, float]]:
        return _products(self.title)

    @cached_property
    def _text(self) -> dict[Gram, tuple[float, float, float]]:
        return _products(self.text)

    @cached_property
    def _of_title(self) -> frozenset[Gram]:
        return frozenset(self.title)

    @cached_property
    def _of_text(self) -> frozenset[Gram]:
        return frozenset(self.text)


def _products(table: Mapping[Gram, Weight]) -> dict[Gram, tuple[float, float, float]]:
    return {gram: (idf * idf, idf * case, idf * series) for gram, (idf, case, series) in table.items()}


def read_weights(path: Path) -> Weights:
    """Reads a file of weights: a header, then a line a gram: part, words, idf, weight for case, weight for series.

    The parts are `title` and `text`; the lines `bias` and `threshold` (of the probability of a case) have no words.
    Raises ModelError, naming file and line, for a file that cannot be read so.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {error}", _CURE) from error
    tables: dict[str, dict[Gram, Weight]] = {"title": {}, "text": {}, "bias": {}, "threshold": {}}
    rows = ((n, line.split("\t")) for n, line in enumerate(lines, 1) if line and not line.startswith("# "))
    if next(rows, (0, []))[1] != _COLUMNS:
        raise ModelError(f"{path}: the first line is not {' '.join(_COLUMNS)}", _CURE)
    for number, row in rows:
        try:
            part, words, *cells = row
            idf, case, series = map(float, cells)
            if (idf <= 0 and part in _PARTS) or not math.isfinite(idf + case + series):
                raise ValueError
            tables[part][tuple(words.split(" ")) if " " in words else words] = Weight(idf, case, series)
        except (ValueError, KeyError):
            raise ModelError(f"{path}, line {number}: no part, words and three numbers", _CURE) from None
    for name in ("bias", "threshold"):
        if "" not in tables[name]:
            raise ModelError(f"{path}: no line {name}", _CURE)
    return Weights(tables["bias"][""], tables["threshold"][""].case, tables["title"], tables["text"])


class Screener:
    """Gives the design of articles. Holds nothing but weights: can be pickled, and shared by threads."""

    def __init__(self, with_abstract: Weights, title_only: Weights) -> None:
        self.with_abstract = with_abstract
        self.title_only = title_only

    def probabilities(self, title: str, abstract: str = "") -> Design:
        """The design of one article; a record without any words is `other`."""
        return self._read(title, abstract)[0]

    def batch(self, records: Iterable[tuple[str, str]]) -> Iterator[Design]:
        """The designs of (title, abstract) pairs, in order, as they come."""
        return (self._read(title, abstract)[0] for title, abstract in records)

    def keeps(self, title: str, abstract: str = "") -> bool:
        """Whether a record is among those that hold 95 % of PubMed's case reports (with, and without, an abstract)."""
        design, threshold = self._read(title, abstract)
        return design.case >= threshold

    def _read(self, title: str, abstract: str) -> tuple[Design, float]:
        """The design and the threshold of the model that gave it."""
        words, rest = words_of_title(title), words_of_abstract(abstract)
        weights = self.with_abstract if rest else self.title_only
        if not words and not rest:
            return Design(0.0, 0.0, 1.0), weights.threshold
        case, series = map(logistic, weights.sums(words, rest))
        return Design(case * (1 - series), case * series, 1 - case), weights.threshold


@cache
def load(folder: Path | None = None) -> Screener:
    """The screener of a folder (default: the shipped one), read once a process. Raises ModelError."""
    place = folder if folder is not None else shipped_folder()
    return Screener(read_weights(place / ABSTRACT_FILE), read_weights(place / TITLE_FILE))


def shipped_folder() -> Path:
    """Folder of the shipped weights."""
    return shipped("models") / "caseframe_screener"


def logistic(value: float) -> float:
    """1 / (1 + e^-value), without an overflow however small the value."""
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    power = math.exp(value)
    return power / (1 + power)
