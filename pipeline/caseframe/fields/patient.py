"""age and sex of each patient, or of the cohort."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding, spans_in
from caseframe.fields.persons import SEX_NOUNS, plural_sexes
from caseframe.fields.study import study_of
from caseframe.schema import Finding
from caseframe.stages.extensions import text_of
from caseframe.stages.narrative import is_general

_SOURCE = "patient"
_PRONOUNS = {"she": "female", "her": "female", "herself": "female", "he": "male", "his": "male", "him": "male"}
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
    for span in spans_in(doc, "quantities"):
        quantity = span._.quantity
        if span.label_ == "AGE" and quantity.value is not None and not quantity.statistic and not is_general(span):
            yield make_finding(
                span, "age", _number(quantity.value), unit="year", source=_SOURCE, assertion="present", confidence=0.6
            )
            return


def _inferred_sex(doc: Doc) -> Iterator[Finding]:
    for token in doc:
        sex = _PRONOUNS.get(token.lower_) or SEX_NOUNS.get(token.lower_)
        span = doc[token.i : token.i + 1]
        if sex and not is_general(span) and not _is_adjective(span):
            yield make_finding(span, "sex", sex, source=_SOURCE, assertion="present", confidence=0.85)
            return
    for match in _IMPLIED.finditer(text_of(doc)):
        words = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if words is not None and not is_general(words):
            sex = "female" if match["female"] else "male"
            yield make_finding(words, "sex", sex, source=_SOURCE, assertion="present", confidence=0.6)
            return


def _sex_by_pronoun(doc: Doc, index: int) -> Iterator[Finding]:
    """The sex of one of several patients, by the first pronoun in what is told of that one alone."""
    persons = study_of(doc).persons
    for token in doc:
        sex = _PRONOUNS.get(token.lower_)
        if sex and persons.of(token.idx) == index and not is_general(doc[token.i : token.i + 1]):
            span = doc[token.i : token.i + 1]
            yield make_finding(span, "sex", sex, source=_SOURCE, assertion="present", confidence=0.7)
            return


def _is_adjective(span: Span) -> bool:
    """`female genitalia`, `male breast cancer`: the sex of an organ."""
    after = span.doc[span.end].lower_ if span.end < len(span.doc) else ""
    return span.text.lower() in ("female", "male") and after in (
        "genital",
        "genitalia",
        "breast",
        "pelvis",
        "urethra",
        "sex",
    )


def _cohort(doc: Doc) -> Iterator[Finding]:
    sexes: dict[str, Span] = {}
    for sex, span in plural_sexes(doc):
        if not is_general(span):
            sexes.setdefault(sex, span)
    for token in doc:
        noun = SEX_NOUNS.get(token.lower_)
        if noun and not is_general(doc[token.i : token.i + 1]):
            sexes.setdefault(noun, doc[token.i : token.i + 1])
    if len(sexes) == 1:
        sex, span = next(iter(sexes.items()))
        yield make_finding(span, "sex", sex, source=_SOURCE, assertion="present", confidence=0.8)
    elif sexes:
        first, last = sorted(sexes.values(), key=lambda span: span.start)
        span = doc[first.start : last.end] if last.end - first.start < 12 else first
        yield make_finding(span, "sex", "mixed", source=_SOURCE, assertion="present", confidence=0.8)
    yield from _cohort_age(doc)


def _cohort_age(doc: Doc) -> Iterator[Finding]:
    ages = [span for span in spans_in(doc, "quantities") if span.label_ == "AGE" and not is_general(span)]
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
