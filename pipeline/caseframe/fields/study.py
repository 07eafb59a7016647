"""study_design and n_patients: what kind of article this is, and how many patients it reports on."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import islice

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, sentence_chars, sentence_text, spans_of, title_end
from caseframe.fields.persons import Persons, persons_of
from caseframe.schema import Article, Finding
from caseframe.stages.extensions import text_of
from caseframe.stages.narrative import is_general
from caseframe.stages.needles import finditer, search
from caseframe.stages.screening import load as load_screener
from caseframe.stages.units import number

_SOURCE = "study"
_KEY = "caseframe.study"
_MAX_COUNT_OF_A_CUE = 3
_LEAST_CASE = 0.08
"""Less than this probability of a case makes a report doubtful: chosen on two PubMed files, each screened by weights of
the other, as the most that loses no typed case report of 2021 that the screener's own threshold keeps."""
_LEAST_WORDS = 40
"""Shorter abstracts, and notes that are none, are not doubted."""
_PERSON_AGE = re.compile(r"\b\d{1,3}[- ]?(?:year|yr|month|week|day)s?[- ]olds?\b")
_OTHER_TYPES = frozenset(
    (
        "randomized controlled trial", "clinical trial", "meta-analysis", "systematic review", "comparative study",
        "practice guideline", "editorial", "observational study", "multicenter study",
    )
)  # fmt: skip
_REPORTING = re.compile(
    r"\b(?:we|our|herein|here|report|present|describe|series|cases?|study|includ\w+|review(?:ed)?|treated|underwent|enrolled"
    r"|received|evaluated|examined|investigated|measured|identified|recruited|consecutive|retrospective(?:ly)?|analy[sz]ed"
    r"|managed|operated|performed)\b",
    re.IGNORECASE,
)
# Words by which the authors speak of their own patients, however general the sentence sounds.
_OWN = re.compile(
    r"\b(?:we|our|consecutive|retrospectively|in this (?:\w+ )?study|w(?:as|ere) (?:included|enrolled|studied|reviewed"
    r"|analy[sz]ed|evaluated|recruited))\b",
    re.IGNORECASE,
)
# "in one case": one of several; "we report one case" counts them all.
_ONE_REPORTED = re.compile(r"\b(?:report|present|describe|case of|discuss|share)", re.IGNORECASE)
# "two female and two male patients": the first number stands before the span of the second.
_AND_OTHERS = re.compile(r"\b(?P<number>\w+) (?:fe)?males?(?: patients?)?,? and \Z", re.IGNORECASE)
# "Report of two cases", "two case reports": even where both are told together.
_TITLED_REPORT = re.compile(r"\bcase[- ]reports?\b|\bcases? reports?\b|\breports? (?:of|on) (?:the )?(?:two|2)\b")
_TITLED_SERIES = re.compile(r"\bcase[- ]series\b")
_OWN_SERIES = re.compile(r"\b(?:this|our|present an?|report an?|describe an?) (?:\w+ )?case[- ]series\b")
_TITLED_SINGLE = re.compile(
    r"\b(?:an?|one) (?:\w+ )?case (?:report|study)\b|[:.—–-] ?case report\b|\breport of (?:a|one) case\b"
)
_MOST_OF_A_REPORT = 2
_CITED = re.compile(
    r"\b(?:literature|have been (?:reported|described|published)|previously (?:reported|described)|published|worldwide"
    r"|reported (?:cases|so far|to date)|another (?:series|group|\w+) of|earlier series"
    r"|(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+) of \w+ (?:cases|patients) (?:were|was|had)"
    r"|only \w+ (?:cases?|patients?) (?:has|have|were|are)|per (?:year|million)"
    r"|database|affects?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A pattern that speaks for a design."""

    design: str
    where: str
    weight: float
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Study:
    """How an article is read: its design, its number of patients, the patients told singly, and the words for it."""

    design: str
    n_patients: int | None
    persons: Persons
    design_words: Span
    count_words: Span | None

    @property
    def told_singly(self) -> bool:
        """Whether each patient gets a case of its own."""
        return self.design == "case_report"


@cache
def cues() -> tuple[Cue, ...]:
    """The cues of `rules/study.tsv`."""
    text = (files("caseframe.fields") / "rules" / "study.tsv").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(Cue(row["design"], row["where"], float(row["weight"]), re.compile(row["pattern"])) for row in rows)


def study_of(doc: Doc) -> Study:
    """Reads the design of a Doc, once."""
    known = doc.user_data.get(_KEY)
    if isinstance(known, Study):
        return known
    study = _read(doc)
    doc.user_data[_KEY] = study
    return study


def find(doc: Doc) -> Iterator[Finding]:
    """Yields `study_design` and, where it is known, `n_patients`."""
    if not len(doc):
        return
    study = study_of(doc)
    words = study.design_words
    yield make_finding(words, "study_design", study.design, source=_SOURCE, assertion="present", confidence=0.85)
    if study.n_patients is not None:
        counted = study.count_words if study.count_words is not None else words
        yield make_finding(
            counted, "n_patients", study.n_patients, source=_SOURCE, assertion="present", confidence=0.85
        )


def _read(doc: Doc) -> Study:
    persons = persons_of(doc)
    article = doc._.article
    text = lowered(text_of(doc))
    title = lowered(article.title) if article is not None else text.split("\n", 1)[0]
    spoken = (search(cue.pattern, text) for cue in cues() if cue.design == "case_report" and cue.where == "text")
    found = [match for match in spoken if match is not None]
    first = min(found, key=lambda match: match.start()) if found else search(_PERSON_AGE, text)
    words = _words(doc, first)
    count, count_words = _count(doc)
    if _TITLED_SINGLE.search(title):
        persons, count, count_words = _single(doc, persons, count, count_words)
    told = len(persons.people)
    if _is_other(text, title, article, told=told, reports=first is not None):
        return Study("other", count, persons, words, count_words)
    if count is None and (first is not None or told or _tells_of_a_patient(doc)):
        count = max(1, told)
    elif count == 1 and told > 1:
        count, count_words = told, None
    if count is None:
        series = any(cue.design == "case_series" and search(cue.pattern, text) for cue in cues())
        return Study("case_series" if series else "other", count, persons, words, count_words)
    reported = count <= _MOST_OF_A_REPORT and _TITLED_REPORT.search(title) is not None
    design = "case_report" if count in (1, told) or reported else "case_series"
    if told < 2 and (_TITLED_SERIES.search(title) or (count == 1 and search(_OWN_SERIES, text))):
        design = "case_series"
    if design == "case_report" and _is_doubtful(doc, article):
        design = "other"
    if count_words is None and not told and design != "case_report":
        count = None  # one patient was only presumed
    return Study(design, count, persons, words, count_words)


def _single(
    doc: Doc, persons: Persons, count: int | None, words: Span | None
) -> tuple[Persons, int | None, Span | None]:
    """The patients of a report whose title speaks of one: others only where the authors say that they report them."""
    if words is None and len(persons.people) > 1 and not all(person.sex for person in persons.people):
        persons = replace(persons, people=persons.people[:1])
    elif words is not None and words.start >= title_end(doc) and not _ONE_REPORTED.search(sentence_text(words)):
        count, words = 1, None
    return persons, count, words


def _is_doubtful(doc: Doc, article: Article | None) -> bool:
    """Whether an abstract, though some of its words could tell of one patient, reads as no case report as a whole.

    The screener says so, unless the publication types do. A retrospective series reads so too, since PubMed calls few
    of them case reports: for counted groups the rules decide alone.
    """
    if article is None:
        title, abstract = _split(text_of(doc))
    elif "case reports" in _types(article):
        return False
    else:
        title, abstract = article.title, article.abstract
    return len(abstract.split()) >= _LEAST_WORDS and load_screener().probabilities(title, abstract).case < _LEAST_CASE


def _split(text: str) -> tuple[str, str]:
    """Title and abstract of a bare text: what stands before the first line break is its title."""
    first, _, rest = text.partition("\n")
    return (first, rest) if rest.strip() else ("", text)


def _types(article: Article | None) -> set[str]:
    return {kind.casefold() for kind in article.publication_types} if article is not None else set()


def lowered(text: str) -> str:
    """Lower case with the same offsets; the cues are written in lower case."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text


def _tells_of_a_patient(doc: Doc) -> bool:
    """Whether anything but the title reads as said of a patient."""
    return any(span.start_char > 0 for span in spans_of(doc, "narrative", "patient"))


def _is_other(text: str, title: str, article: Article | None, *, told: int, reports: bool) -> bool:
    types = _types(article)
    if _score("animal", text, title):
        return True
    if "case reports" in types and told:
        return False
    series = _score("case_series", text, title)
    own = _score("case_report", text, title) + series + 3.0 * bool(told) + 3.0 * ("case reports" in types)
    other = _score("other", text, title) + 3.0 * bool(types & _OTHER_TYPES)
    silent = not (reports or told or series)
    return other - own > 1.0 or (silent and other > 0)


def _score(design: str, text: str, title: str) -> float:
    """What the cues say for a design."""
    score = 0.0
    for cue in cues():
        if cue.design == design:
            matches = finditer(cue.pattern, title if cue.where == "title" else text)
            score += cue.weight * sum(1 for _ in islice(matches, _MAX_COUNT_OF_A_CUE))
    return score


def _count(doc: Doc) -> tuple[int | None, Span | None]:
    """The number of patients reported: from the title, else from the first sentence that reports them."""
    end_of_title = title_end(doc)
    best: tuple[int, Span] | None = None
    for span in spans_of(doc, "quantities", "PATIENTS"):
        value = span._.quantity.value
        sentence = sentence_text(span)
        in_title = span.start < end_of_title
        if value is None or value < 1 or value != int(value) or _CITED.search(sentence):
            continue
        if in_title:
            return int(value), span
        own = not is_general(span) or _OWN.search(sentence) is not None
        if not own or not _REPORTING.search(sentence):
            continue
        if best is None:
            best = int(value) + _others(doc, span), span
        elif best[0] == 1 and value > 1 and not _ONE_REPORTED.search(sentence_text(best[1])):
            best = int(value), span
    return best if best is not None else (None, None)


def _others(doc: Doc, span: Span) -> int:
    """The patients of the other sex that are counted just before a count of patients."""
    match = _AND_OTHERS.search(text_of(doc)[sentence_chars(span)[0] : span.start_char])
    value = number(match["number"]) if match is not None else None
    return int(value) if value is not None else 0


def _words(doc: Doc, match: re.Match[str] | None) -> Span:
    if match is not None:
        found = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if found is not None:
            return found
    return next(iter(doc.sents))
