"""Who is told of: the patients that an article introduces one by one, and which words belong to which of them.

A patient is introduced by age and sex ("a 58-year-old white man"), by sex alone, or by a number ("Case 2", "the second
patient"). What is said after an introduction belongs to that patient until the next one; "both patients" means all.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from spacy.tokens import Doc, Span

from caseframe.fields.base import spans_of, title_end
from caseframe.stages.extensions import bounds_of_sentences, lowers_of, text_of, texts_of
from caseframe.stages.narrative import general_tokens, is_general
from caseframe.stages.needles import finditer, search
from caseframe.stages.units import number

SEX_NOUNS = {
    **dict.fromkeys("woman girl lady female schoolgirl housewife primigravida multigravida gravida".split(), "female"),
    **dict.fromkeys("man boy gentleman male schoolboy".split(), "male"),
}
_PLURAL_SEX = {"women": "female", "girls": "female", "ladies": "female", "females": "female"} | {
    "men": "male", "boys": "male", "gentlemen": "male", "males": "male",
}  # fmt: skip
_LETTERS = {"F": "female", "M": "male"}
_KIN_SEX = {
    **dict.fromkeys("mother sister daughter wife aunt".split(), "female"),
    **dict.fromkeys("father brother son husband uncle".split(), "male"),
}
_INDEFINITE = frozenset(("a", "an", "one"))
_KIN = frozenset({*_KIN_SEX, "cousin", "parents", "twin", "donor"})
# "A 61-year-old mother and her 35-year-old son": relatives who are patients themselves.
_BOTH_TOLD = re.compile(r"(?:\band (?:his|her)|\b[Aa]n?|\b[Tt]he) (?:previously )?(?:well |healthy )?\Z")
_ORDINAL_WORDS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "a": 1, "b": 2, "c": 3, "d": 4}
_NUMBERED = re.compile(
    r"\b(?:[Cc]ase|[Pp]atient|CASE|PATIENT)(?: [Nn]o\.?| #)? ?"
    r"(?P<number>\d{1,2}|[A-D]\b|[IV]{1,3}\b|one|two|three|four)"
    r"(?![\w.-]*\d|-year| (?:patients?|cases?|years?|months?|of)\b)"
)
_NOUN = (
    r"(?P<number>[Ff]irst|[Ss]econd|[Tt]hird|[Ff]ourth|[Ff]ifth|[Ss]ixth)"
    r" (?:case|patient|one|child|boy|girl|woman|man|sibling|subject|(?:was|is|presented|involved) )"
)
_ORDINAL_NOUN = re.compile(rf"\b{_NOUN}")
_ORDINAL = re.compile(rf"\b(?:[Tt]he |^|\. |[Oo]ur |\b(?:[Aa]|and|while|whereas|[Ii]n) ){_NOUN}")
# "One patient had …, the other …": the two of a report that tells of two.
_ONE = re.compile(
    r"\b[Oo]ne (?:(?:of (?:the(?:m|se)|our) )?(?:\w+ )?(?:patients?|cases?|of them)|(?:was|had|with|is|underwent)\b)"
)
_OTHER = re.compile(r"\b[Tt]he (?:other|second)(?: (?:patient|case|one|was|had|with|is|underwent|having|only))\b")
_ALL = re.compile(
    r"\b(?:[Bb]oth|[Nn]either|[Aa]ll (?:the )?(?:\w+ )?(?:patients|cases|children|of them)|[Ee]ach|[Tt]hey"
    r"|[Tt]h(?:e|ese) (?:two |three )?(?:patients|cases))\b"
)
# Tokens between an age and the noun it belongs to: "58-year-old, previously healthy white man".
_REACH = 7


@dataclass(frozen=True, slots=True)
class Person:
    """A patient told singly: where the introduction stands, its age and sex words, the number the text gives."""

    start: int
    sex: str = ""
    age: Span | None = None
    sex_span: Span | None = None
    years: float | None = None


@dataclass(frozen=True, slots=True)
class Persons:
    """The patients of a Doc and the marks (character offset, index of the person) at which the talk turns to one."""

    people: tuple[Person, ...]
    marks: tuple[tuple[int, int], ...]
    shared: tuple[tuple[int, int], ...]
    """Stretches that speak of all patients; none where fewer than two are told singly."""

    def of(self, offset: int) -> int | None:
        """Index of the person that the words at an offset belong to; None for all of them."""
        if len(self.people) < 2 or any(start <= offset < end for start, end in self.shared):
            return None
        position = bisect_right(self.marks, (offset, len(self.people))) - 1
        return self.marks[position][1] if position >= 0 else None


def persons_of(doc: Doc) -> Persons:
    """Finds the patients that are told one by one."""
    people: list[Person] = []
    marks: list[tuple[int, int]] = []
    after_title = doc[: title_end(doc)].end_char
    for person in _introductions(doc):
        index = _same(people, person)
        if index is None:
            people.append(person)
            index = len(people) - 1
        else:
            people[index] = _merged(people[index], person)
        if person.start >= after_title:
            marks.append((person.start, index))
    text = text_of(doc)
    ordinals = list(_ordinals(text, after_title))
    if not people and not _counted(ordinals):
        ordinals = list(_one_and_other(doc, after_title))
    missing = _counted(ordinals) - len(people)
    people.extend(Person(start=ordinals[0][0]) for _ in range(missing))
    marks.extend((start, n - 1) for start, n in ordinals if n <= len(people))
    people = _with_common_sex(doc, people)
    shared = tuple(_shared(doc, after_title)) if len(people) > 1 else ()
    return Persons(tuple(people), tuple(sorted(marks)), shared)


def _shared(doc: Doc, after_title: int) -> Iterator[tuple[int, int]]:
    text = text_of(doc)
    for sentence in doc.sents:
        start, end = sentence.start_char, sentence.end_char
        if start < after_title or _ALL.search(text[start:end]):
            yield start, end


def _with_common_sex(doc: Doc, people: list[Person]) -> list[Person]:
    """Gives several patients told without a sex of their own the one told of them all: "two boys, aged 3 and 5"."""
    if len(people) < 2:
        return people
    told = {sex: span for sex, span in reversed(plural_sexes(doc)) if not is_general(span)}
    if len(told) != 1:
        return people
    sex, span = next(iter(told.items()))
    return [person if person.sex else replace(person, sex=sex, sex_span=span) for person in people]


def _introductions(doc: Doc) -> Iterator[Person]:
    ages = {span.start: span for span in spans_of(doc, "quantities", "AGE")}
    single = sorted(start for start, age in ages.items() if _is_ones(age))
    words, letters, general = lowers_of(doc), texts_of(doc), general_tokens(doc)
    nouns = {i for i, word in enumerate(words) if word in SEX_NOUNS}
    places = sorted(nouns | {ages[start].end for start in single})
    for first, end in bounds_of_sentences(doc):
        if general[first]:
            continue
        used: set[int] = set()
        for i in places[bisect_left(places, first) : bisect_left(places, end)]:
            before = bisect_right(single, i) - 1
            last_age = ages[single[before]] if before >= 0 and single[before] >= first else None
            sex = SEX_NOUNS.get(words[i])
            if sex is None and last_age is not None and i == last_age.end:
                sex = _LETTERS.get(letters[i])  # "a 45-year-old F"
            if sex is None or _of_kin(words, i):
                continue
            age = last_age if last_age is not None and i - last_age.end <= _REACH else None
            age = age or _age_after(ages, i, end)
            noun = doc[i : i + 1]
            if age is not None and age.start not in used:
                used.add(age.start)
                years = age._.quantity.value
                yield Person(min(age.start_char, noun.start_char), sex, age, noun, years)
            elif _is_indefinite(words, i, first):
                yield Person(noun.start_char, sex, None, noun)
        for start, age in ages.items():
            if start in used or not first <= start < end:
                continue
            value = age._.quantity.value
            kin = _kin_told(age)
            if kin is not None:
                yield Person(age.start_char, _KIN_SEX.get(kin.text.lower(), ""), age, kin, value)
            elif value is not None and _lone(age):
                yield Person(age.start_char, "", age, None, value)


def _is_ones(age: Span) -> bool:
    """Whether an age is that of one person, not the mean or range of many."""
    quantity = age._.quantity
    return not quantity.statistic and quantity.value is not None


def _kin_told(age: Span) -> Span | None:
    """The word for a relative, with an age of its own, who is told of as a patient."""
    doc = age.doc
    before = text_of(doc)[max(0, age.start_char - 30) : age.start_char]
    if not _is_ones(age) or "old" not in age.text or _BOTH_TOLD.search(before) is None:
        return None
    words = lowers_of(doc)
    near = (i for i in range(age.end, min(age.end + 2, len(doc))) if words[i] in _KIN_SEX)
    return next((doc[i : i + 1] for i in near), None)


def _age_after(ages: dict[int, Span], i: int, end: int) -> Span | None:
    """The age in "a woman, aged 34" or "a male patient of 45 years"."""
    for start in range(i + 1, min(i + 5, end)):
        if start in ages and _is_ones(ages[start]):
            return ages[start]
    return None


def _lone(age: Span) -> bool:
    """An age that introduces by itself ("a 34-year-old with back pain", "a 5-month-old infant")."""
    words = lowers_of(age.doc)
    after = words[age.end] if age.end < len(words) else ""
    if _of_kin(words, age.end - 1):
        return False
    told = "old" in age.text or after in ("patient", "infant", "child", "baby", "newborn")
    return told and not age._.quantity.statistic


def _of_kin(words: Sequence[str], i: int) -> bool:
    return not _KIN.isdisjoint(words[i + 1 : i + 3])


def _is_indefinite(words: Sequence[str], i: int, sentence_start: int) -> bool:
    """Whether an article before the noun introduces somebody: "a Japanese man", not "the man" or "female genitalia"."""
    following = words[i + 1] if i + 1 < len(words) else ""
    if following not in (
        "patient", "with", "who", "presented", "presenting", "suffering", "was", "had", "having", "underwent", "in",
        "after", "following", "whose", "diagnosed", "referred", "admitted", "developed", ".", ",", ":", "(", "and", "",
        "infant", "child", "baby", "newborn", "neonate", "treated", "operated",
    ):  # fmt: skip
        return False
    return not _INDEFINITE.isdisjoint(words[max(sentence_start, i - 5) : i])


def _same(people: list[Person], person: Person) -> int | None:
    """Index of a person already introduced that this introduction can mean."""
    for index, known in enumerate(people):
        years_differ = known.years is not None and person.years is not None and abs(known.years - person.years) > 0.01
        sex_differs = bool(known.sex and person.sex and known.sex != person.sex)
        if not years_differ and not sex_differs:
            return index
    return None


def _merged(known: Person, person: Person) -> Person:
    return replace(
        known,
        sex=known.sex or person.sex,
        age=known.age if known.age is not None else person.age,
        sex_span=known.sex_span if known.sex_span is not None else person.sex_span,
        years=known.years if known.years is not None else person.years,
    )


def _ordinals(text: str, begin: int) -> Iterator[tuple[int, int]]:
    words = finditer(_ORDINAL, text) if search(_ORDINAL_NOUN, text) else ()
    matches = sorted((*finditer(_NUMBERED, text), *words), key=lambda match: match.start())
    end = begin
    for match in matches:
        if match.start() < end:
            continue
        end = match.end()
        word = match["number"].lower()
        value = _ORDINAL_WORDS.get(word) or _ROMAN.get(word) or number(word)
        if value is not None and 1 <= value <= 20:
            yield match.start(), int(value)


def _one_and_other(doc: Doc, begin: int) -> Iterator[tuple[int, int]]:
    """ "One patient …, the other …", where both are told of as the report's own."""
    text = text_of(doc)
    one = next((match for match in finditer(_ONE, text) if match.start() >= begin), None)
    other = _OTHER.search(text, one.end()) if one is not None else None
    if one is None or other is None:
        return
    spans = [doc.char_span(match.start(), match.end(), alignment_mode="expand") for match in (one, other)]
    if not any(span is None or is_general(span) for span in spans):
        yield from ((one.start(), 1), (other.start(), 2))


def _counted(ordinals: list[tuple[int, int]]) -> int:
    """How many patients the numbers speak of: an unbroken run from 1; a lone "first case" counts nobody."""
    numbers = {n for _, n in ordinals}
    count = 0
    while count + 1 in numbers:
        count += 1
    return count if count > 1 else 0


def plural_sexes(doc: Doc) -> list[tuple[str, Span]]:
    """Sex words in the plural ("5 males and 6 females"), for a cohort."""
    return [(_PLURAL_SEX[word], doc[i : i + 1]) for i, word in enumerate(lowers_of(doc)) if word in _PLURAL_SEX]
