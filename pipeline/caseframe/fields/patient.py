"""age and sex of each patient, or of the cohort."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_of
from caseframe.fields.persons import SEX_NOUNS, plural_sexes
from caseframe.fields.study import study_of
from caseframe.schema import Finding
from caseframe.stages.extensions import lowers_of, text_of
from caseframe.stages.narrative import general_tokens, is_general
from caseframe.stages.needles import finditer

_SOURCE = "patient"
_PRONOUNS = {"she": "female", "her": "female", "herself": "female", "he": "male", "his": "male", "him": "male"}
_OF_ORGANS = frozenset("genital genitalia breast pelvis urethra sex".split())
# Words of which only a woman, or only a man, is told in a case report.
_IMPLIED = re.compile(
    r"\b(?:(?P<female>pregnan(?:t|cy)|gravida|hysterectomy|(?:left|right|bilateral) ovar(?:y|ies)|ca?esarean"
    r"|postmenopausal|salpingo\w*|uterine \w+|uterus|postpartum|puerpera|ovarian (?:cancer|carcinoma|tumou?r|cyst|mass)"
    r"|vulvar?|vagina|cervical (?:cancer|carcinoma)|endometri(?:al|um)|matern(?:al|ity))"
    r"|(?P<male>prostatectomy|orchi(?:d)?ectomy|test(?:is|es|icle|icular)|scrot(?:um|al)|penis|penile|seminoma))\b",
    re.IGNORECASE,
)


def find(doc: Doc) -> Iterator[Finding]:
    """Yields `age` and `sex`, one each a patient told singly, or the cohort's."""
    study = study_of(doc) if len(doc) else None
    if study is None or study.design == "other":
        return
    people = study.persons.people
    if not study.told_singly:
        yield from _cohort(doc)
        return
    for person in people:
        if person.age is not None and person.years is not None:
            yield make_finding(
                person.age,
                "age",
                _number(person.years),
                unit="year",
                source=_SOURCE,
                assertion="present",
                confidence=0.95,
            )
        if person.sex_span is not None:
            yield make_finding(person.sex_span, "sex", person.sex, source=_SOURCE, assertion="present", confidence=0.95)
    if len(people) < 2 and not any(person.sex for person in people):
        yield from _inferred_sex(doc)
    for index, person in enumerate(people):
        if len(people) > 1 and not person.sex:
            yield from _sex_by_pronoun(doc, index)
    if len(people) < 2 and not any(person.age is not None for person in people):
        yield from _stray_age(doc)


def _number(years: float) -> float | int:
    return int(years) if years == int(years) else round(years, 2)


def _stray_age(doc: Doc) -> Iterator[Finding]:
    """An age without an introduction beside it ("at the age of 71", "newborn")."""
    for span in spans_of(doc, "quantities", "AGE"):
        quantity = span._.quantity
        if quantity.value is not None and not quantity.statistic and not is_general(span):
            yield make_finding(
                span, "age", _number(quantity.value), unit="year", source=_SOURCE, assertion="present", confidence=0.6
            )
            return


def _inferred_sex(doc: Doc) -> Iterator[Finding]:
    words, general = lowers_of(doc), general_tokens(doc)
    for i, word in enumerate(words):
        sex = _PRONOUNS.get(word) or SEX_NOUNS.get(word)
        if sex and not general[i] and not _is_adjective(words, i):
            span = doc[i : i + 1]
            yield make_finding(span, "sex", sex, source=_SOURCE, assertion="present", confidence=0.85)
            return
    for match in finditer(_IMPLIED, text_of(doc)):
        told = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if told is not None and not is_general(told):
            sex = "female" if match["female"] else "male"
            yield make_finding(told, "sex", sex, source=_SOURCE, assertion="present", confidence=0.6)
            return


def _sex_by_pronoun(doc: Doc, index: int) -> Iterator[Finding]:
    """The sex of one of several patients, by the first pronoun in what is told of that one alone."""
    persons = study_of(doc).persons
    general = general_tokens(doc)
    for i, word in enumerate(lowers_of(doc)):
        sex = _PRONOUNS.get(word)
        if sex and not general[i] and persons.of(doc[i].idx) == index:
            span = doc[i : i + 1]
            yield make_finding(span, "sex", sex, source=_SOURCE, assertion="present", confidence=0.7)
            return


def _is_adjective(words: Sequence[str], i: int) -> bool:
    """`female genitalia`, `male breast cancer`: the sex of an organ."""
    return words[i] in ("female", "male") and not _OF_ORGANS.isdisjoint(words[i + 1 : i + 2])


def _cohort(doc: Doc) -> Iterator[Finding]:
    sexes: dict[str, Span] = {}
    for sex, span in plural_sexes(doc):
        if not is_general(span):
            sexes.setdefault(sex, span)
    general = general_tokens(doc)
    for i, word in enumerate(lowers_of(doc)):
        noun = SEX_NOUNS.get(word)
        if noun and not general[i]:
            sexes.setdefault(noun, doc[i : i + 1])
    if len(sexes) == 1:
        sex, span = next(iter(sexes.items()))
        yield make_finding(span, "sex", sex, source=_SOURCE, assertion="present", confidence=0.8)
    elif sexes:
        first, last = sorted(sexes.values(), key=lambda span: span.start)
        span = doc[first.start : last.end] if last.end - first.start < 12 else first
        yield make_finding(span, "sex", "mixed", source=_SOURCE, assertion="present", confidence=0.8)
    yield from _cohort_age(doc)


def _cohort_age(doc: Doc) -> Iterator[Finding]:
    ages = [span for span in spans_of(doc, "quantities", "AGE") if not is_general(span)]
    for statistic in ("mean", "median"):
        for span in ages:
            quantity = span._.quantity
            if quantity.statistic == statistic and quantity.value is not None:
                yield make_finding(
                    span,
                    "age",
                    _number(quantity.value),
                    unit="year",
                    source=_SOURCE,
                    assertion="present",
                    attributes={"statistic": statistic},
                    confidence=0.9,
                )
                return
