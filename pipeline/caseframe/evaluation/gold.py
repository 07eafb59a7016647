"""Loader of field-level gold: JSON Lines, one article a line, and the texts it speaks of.

Everything in a gold file is checked against the registry of fields, so that a slip of the pen is an error with its
line and never a finding that no system can match. `caseframe.evaluation.loaders.load_fields` holds gold and texts
against each other.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from caseframe.errors import GoldError
from caseframe.evaluation.reading import place, read_json_lines
from caseframe.schema import (
    ARTICLE_FIELDS,
    ASSERTIONS,
    FIELDS,
    Article,
    Assertion,
    Attributes,
    AttributeSpec,
    AttributeValue,
    FieldSpec,
    Origin,
)

_CURE: Final = "See docs/schema.md for the gold format"
_ARTICLE_KEYS: Final = ("article_id", "text_sha256", *ARTICLE_FIELDS, "cases", "notes")
_CASE_KEYS: Final = ("case", "findings", "notes")
_FINDING_KEYS: Final = ("field", "value", "text", "assertion", "attributes", "code", "notes")


@dataclass(frozen=True, slots=True)
class GoldFinding:
    """A finding as an annotator gave it: no offsets, but words that the article holds."""

    field: str
    value: str | int | float
    text: str = ""
    assertion: Assertion = "present"
    attributes: Attributes = Attributes()
    case: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """The gold of one article; findings of the article itself have case 0.

    `text_sha256` is the hash of the text that was annotated, empty where the gold does not tell it.
    """

    article_id: str
    findings: tuple[GoldFinding, ...]
    text_sha256: str = ""
    origin: Origin = field(default=Origin("", 0), compare=False)


def read_gold(path: Path) -> Iterator[GoldArticle]:
    """Reads a gold file, article by article.

    Raises GoldError, with file and line, for what does not follow the format: broken JSON, unknown keys, fields,
    attributes or assertions, values of the wrong type, an article or a case given twice, and for an empty file.
    """
    lines: dict[str, int] = {}
    for number, record in read_json_lines(path):
        origin = Origin(str(path), number, "gold")
        article = _gold_article(record, origin)
        _only_once(article.article_id, origin, lines)
        yield article


def read_texts(path: Path) -> Iterator[Article]:
    """Reads the texts that stand beside a gold file: `article_id`, `title`, `sections` of `label` and `text`.

    Raises GoldError, with file and line, for what does not follow the format, for an article given twice, for one
    whose `text_sha256` is not that of its text, and for an empty file.
    """
    lines: dict[str, int] = {}
    for number, record in read_json_lines(path):
        origin = Origin(str(path), number, "gold")
        article = _text(record, origin)
        _only_once(article.article_id, origin, lines)
        check_hash(_words(record, "text_sha256", place(origin)), article, place(origin))
        yield article


def check_hash(sha256: str, article: Article, at: str) -> None:
    """Raises GoldError where a hash is given and is not that of the article's text."""
    if sha256 and sha256 != article.sha256:
        raise GoldError(
            f"{at}: text_sha256 is not that of the text of {article.article_id}",
            "The text has changed since it was annotated: bring back the old one, or annotate again",
        )


def _only_once(article_id: str, origin: Origin, lines: dict[str, int]) -> None:
    first = lines.setdefault(article_id, origin.record)
    if first != origin.record:
        raise GoldError(
            f"{place(origin)}: the article {article_id} stands in line {first} already", "Take one of the two out"
        )


def _gold_article(record: Mapping[str, object], origin: Origin) -> GoldArticle:
    at = place(origin)
    _known_keys(record, _ARTICLE_KEYS, at)
    findings = [
        GoldFinding(name, _value(FIELDS[name], record[name], at))
        for name in ARTICLE_FIELDS
        if record.get(name) is not None
    ]
    numbers: set[int] = set()
    for nth, case in enumerate(_list(record.get("cases", []), f"{at}: cases"), start=1):
        number = _case_number(case, f"{at}: case number {nth}")
        if number in numbers:
            raise GoldError(f"{at}: there are two cases {number}", "Number the cases 1, 2, …")
        numbers.add(number)
        findings.extend(_case(case, number, f"{at}, case {number}"))
    return GoldArticle(_id(record, at), tuple(findings), _words(record, "text_sha256", at), origin)


def _id(record: Mapping[str, object], at: str) -> str:
    found = record.get("article_id")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found.strip():
        raise GoldError(f"{at}: there is no article_id", _CURE)
    return found


def _case_number(case: object, at: str) -> int:
    number = _object(case, at).get("case")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise GoldError(f"{at}: `case` is {number!r}, not a number from 1", "Number the cases 1, 2, …")
    return number


def _case(case: object, number: int, at: str) -> Iterator[GoldFinding]:
    record = _object(case, at)
    _known_keys(record, _CASE_KEYS, at)
    for nth, finding in enumerate(_list(record.get("findings"), f"{at}: findings"), start=1):
        yield _finding(_object(finding, f"{at}, finding {nth}"), number, f"{at}, finding {nth}")


def _finding(record: Mapping[str, object], case: int, at: str) -> GoldFinding:
    _known_keys(record, _FINDING_KEYS, at)
    name = record.get("field")
    if not isinstance(name, str) or name not in FIELDS:
        raise GoldError(f"{at}: unknown field {name!r}", f"The fields are: {', '.join(FIELDS)}")
    spec = FIELDS[name]
    if spec.level != "case":
        raise GoldError(f"{at}: {name} belongs to the article, not to a case", f"Write it beside `cases`. {_CURE}")
    assertion = record.get("assertion", "present")
    if assertion not in ASSERTIONS:
        raise GoldError(f"{at}: unknown assertion {assertion!r}", f"The assertions are: {', '.join(ASSERTIONS)}")
    return GoldFinding(
        name,
        _value(spec, record.get("value"), at),
        _words(record, "text", at),
        assertion,
        _attributes(spec, record.get("attributes", {}), at),
        case,
        _words(record, "code", at),
    )


def _value(spec: FieldSpec, value: object, at: str) -> str | int | float:
    """The value, if it is of the field's type."""
    if spec.type == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if spec.type == "number" and _is_number(value):
        return cast(float, value)
    if spec.type == "choice" and value in spec.choices:
        return value
    if spec.type == "term" and isinstance(value, str) and value.strip():
        return value
    raise GoldError(f"{at}: the value of {spec.name} is {value!r}", f"It must be {_type_of(spec)}")


def _type_of(spec: FieldSpec) -> str:
    if spec.type == "choice":
        return f"one of: {', '.join(spec.choices)}"
    return {"integer": "a whole number", "number": f"a number ({spec.unit}s)"}.get(spec.type, "words")


def _attributes(spec: FieldSpec, value: object, at: str) -> Attributes:
    found = _object(value, f"{at}: attributes")
    _known_keys(found, spec.attributes, f"{at}: attributes of {spec.name}", what="attribute")
    return Attributes({name: _attribute(name, spec.attributes[name], item, at) for name, item in found.items()})


def _attribute(name: str, spec: AttributeSpec, value: object, at: str) -> AttributeValue:
    """The value of an attribute; a list as a tuple, also where it was given as one text.

    A number may be given as text, since some scores are none (a visual acuity of 20/60).
    """
    if spec.type == "list":
        items = value if isinstance(value, list) else [value]
        if all(isinstance(item, str) and _allowed(item, spec) for item in items):
            return tuple(cast(list[str], items))
    elif (isinstance(value, str) and _allowed(value, spec)) or (not spec.choices and _is_number(value)):
        return cast(AttributeValue, value)
    cure = f"It is one of: {', '.join(spec.choices)}" if spec.choices else f"It is a {spec.type}"
    raise GoldError(f"{at}: the attribute {name} is {value!r}", cure)


def _allowed(value: str, spec: AttributeSpec) -> bool:
    return value in spec.choices if spec.choices else bool(value.strip())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _known_keys(record: Mapping[str, object], known: Collection[str], at: str, what: str = "key") -> None:
    for key in record:
        if key not in known:
            raise GoldError(f"{at}: unknown {what} {key!r}", f"Known here are: {', '.join(known) or 'none'}. {_CURE}")


def _object(value: object, at: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise GoldError(f"{at}: {value!r} is no JSON object"[:300], _CURE)
    return value


def _list(value: object, at: str) -> list[object]:
    if not isinstance(value, list):
        raise GoldError(f"{at}: {value!r} is no list"[:300], _CURE)
    return value


def _words(record: Mapping[str, object], key: str, at: str) -> str:
    """A text that may be absent or null."""
    found = record.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise GoldError(f"{at}: {key} is {found!r}, not a text"[:300], _CURE)
    return found


def _text(record: Mapping[str, object], origin: Origin) -> Article:
    at = place(origin)
    if "title" not in record:
        raise GoldError(f"{at}: there is no title", f"Write an empty one where the text has none. {_CURE}")
    sections = enumerate(_list(record.get("sections"), f"{at}: sections"), start=1)
    article = Article.build(
        article_id=_id(record, at),
        title=_words(record, "title", at),
        abstract=[_section(item, f"{at}: section {nth}") for nth, item in sections],
        pmid=_words(record, "pmid", at),
        pmcid=_words(record, "pmcid", at),
        keywords=tuple(str(keyword) for keyword in _list(record.get("keywords") or [], f"{at}: keywords")),
        origin=origin,
    )
    if not article.text:
        raise GoldError(f"{at}: the article {article.article_id} has no text", "Give its title and sections")
    return article


def _section(value: object, at: str) -> tuple[str, str]:
    section = _object(value, at)
    if "text" not in section:
        raise GoldError(f"{at} has no text", _CURE)
    return _words(section, "label", at), _words(section, "text", at)
