"""What the page asks for, checked against the schema, the text and the form as it stands, as decisions to keep."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from caseframe.errors import BadDecision
from caseframe.review.records import Decision, Found, Item, Sheet
from caseframe.review.words import terms_of
from caseframe.schema import (
    FIELDS,
    Assertion,
    Attributes,
    AttributeSpec,
    AttributeValue,
    FieldSpec,
    Finding,
    fold_space,
)

MAX_VALUE = 300
MAX_COMMENT = 4000
SOURCE = "review"
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[^\sa-z])|\n")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Strict):
    """A reading as it was typed and selected: `start` and `end` are code points of the article's text."""

    value: str = Field(max_length=10_000)
    assertion: Assertion = "present"
    start: int = Field(default=-1, ge=-1)
    end: int = Field(default=-1, ge=-1)
    attributes: dict[str, str] = {}


class Accept(_Strict):
    """The pipeline is right about these findings."""

    action: Literal["accept"]
    findings: tuple[str, ...] = Field(min_length=1)


class Reject(_Strict):
    """The article does not say this, or it belongs to no field."""

    action: Literal["reject"]
    findings: tuple[str, ...] = Field(min_length=1)


class Correct(_Strict):
    """The finding should read otherwise."""

    action: Literal["correct"]
    finding: str
    reading: Said


class Add(_Strict):
    """The pipeline missed something."""

    action: Literal["add"]
    case: int = Field(ge=0)
    field: str
    reading: Said


class NotReported(_Strict):
    """The article says nothing for this field of this case: what the pipeline found there is rejected."""

    action: Literal["not_reported"]
    case: int = Field(ge=0)
    field: str


class Comment(_Strict):
    """A remark on a finding, or on the article where `finding` is empty."""

    action: Literal["comment"]
    finding: str = ""
    text: str


class Finish(_Strict):
    """The reviewer is done with the article."""

    action: Literal["finish"]


Action = Annotated[Accept | Reject | Correct | Add | NotReported | Comment | Finish, Field(discriminator="action")]
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def parse_action(content: object) -> Action:
    """An action from JSON; raises BadDecision where it is none."""
    try:
        return _ACTION.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadDecision(f"That cannot be saved: {where}: {first['msg']}", "Load the page again") from None


def parse_said(content: object) -> Said:
    """A reading from JSON; raises BadDecision where it is none."""
    try:
        return Said.model_validate(content)
    except ValidationError as error:
        raise BadDecision(f"That cannot be saved: {error.errors()[0]['msg']}", "Load the page again") from None


def decide(action: Action, found: Found, sheet: Sheet) -> list[Decision]:
    """The decisions that an action comes to; raises BadDecision where it does not fit."""
    match action:
        case Accept():
            return [_on(_item(sheet, each), "accept") for each in action.findings]
        case Reject():
            return [_on(_item(sheet, each), "reject") for each in action.findings]
        case Correct():
            item = _item(sheet, action.finding)
            reading = read(action.reading, FIELDS[item.field], found, item.shown)
            return [_on(item, "correct", reading)]
        case Add():
            spec = _spec(action.field, action.case, found, sheet)
            reading = read(action.reading, spec, found)
            return [Decision("add", f"r-{uuid.uuid4().hex[:12]}", action.case, spec.name, reading=reading)]
        case NotReported():
            spec = _spec(action.field, action.case, found, sheet)
            items = [each for each in sheet.items if (each.case, each.field) == (action.case, spec.name)]
            rejected = [_on(item, "reject") for item in items if item.reading]
            return [*rejected, Decision("not_reported", case=action.case, field=spec.name)]
        case Comment():
            return [_comment(action, sheet)]
        case Finish():
            if sheet.open:
                raise BadDecision(
                    f"{len(sheet.open)} findings are still open", "Decide them, or accept all that is open with Shift+A"
                )
            return [Decision("finish")]


def read(said: Said, spec: FieldSpec, found: Found, before: Finding | None = None) -> Finding:
    """A reading as a finding with its words; without selected words it keeps those of the finding before.

    Raises BadDecision for a value or an attribute that the field cannot have, and for words that are not in the text.
    """
    start, end = _words(said, spec, found, before)
    value = _value(said.value, spec)
    term = terms_of(spec.name).get(str(value))
    same = before is not None and before.value == value
    when = _number(said.attributes.get("when_days", ""), "when_days") if said.attributes.get("when_days") else None
    return Finding(
        field=spec.name,
        value=value,
        text=found.text[start:end],
        start=start,
        end=end,
        assertion=said.assertion,
        code=before.code if before is not None and same else term.code if term else "",
        unit=spec.unit,
        when_days=when if when is not None else before.when_days if before else None,
        attributes=_attributes(said.attributes, spec),
        source=SOURCE,
        sentence=_sentence(found.text, start, end),
        section=next((each.label for each in found.sections if each.start <= start < each.end), ""),
    )


def _sentence(text: str, start: int, end: int) -> str:
    """The sentence around some words, by its marks: enough for a person to read on."""
    begin = max((cut.end() for cut in _ENDS.finditer(text, 0, start)), default=0)
    after = _ENDS.search(text, end)
    return text[begin : after.start() if after else len(text)]


def _item(sheet: Sheet, item_id: str) -> Item:
    item = sheet.item(item_id)
    if item is None:
        raise BadDecision("This finding is no longer there", "Look at the newest state of the page")
    return item


def _on(item: Item, kind: Literal["accept", "reject", "correct"], reading: Finding | None = None) -> Decision:
    if kind == "accept":
        reading = item.machine or item.reading
    return Decision(kind, item.id, item.case, item.field, item.machine, reading)


def _comment(action: Comment, sheet: Sheet) -> Decision:
    text = action.text.strip()
    if len(text) > MAX_COMMENT:
        raise BadDecision(f"The comment has {len(text)} characters", f"Write at most {MAX_COMMENT}")
    if not action.finding:
        return Decision("comment", comment=text)
    item = _item(sheet, action.finding)
    return Decision("comment", item.id, item.case, item.field, item.machine, comment=text)


def _spec(field: str, case: int, found: Found, sheet: Sheet) -> FieldSpec:
    spec = FIELDS.get(field)
    if spec is None:
        raise BadDecision(f"There is no field {field!r}", f"The fields are {', '.join(FIELDS)}")
    if (spec.level == "article") != (case == 0):
        raise BadDecision(f"{spec.label} belongs to the {spec.level}", "Choose the place that fits")
    known = {0, *found.kinds, *(item.case for item in sheet.items)}
    if case not in known and case != max(known) + 1:
        raise BadDecision(f"There is no case {case}", f"The next new case is {max(known) + 1}")
    return spec


def _words(said: Said, spec: FieldSpec, found: Found, before: Finding | None) -> tuple[int, int]:
    if said.start < 0 and before is not None:
        return before.start, before.end
    if not 0 <= said.start < said.end <= len(found.text):
        raise BadDecision(
            f"No words are selected for {spec.label}", "Select the words of the text that say it, then save again"
        )
    words = found.text[said.start : said.end]
    start = said.start + len(words) - len(words.lstrip())
    end = said.end - (len(words) - len(words.rstrip()))
    if start >= end:
        raise BadDecision("Only blanks are selected", "Select the words of the text that say it, then save again")
    return start, end


def _value(raw: str, spec: FieldSpec) -> str | int | float:
    value = fold_space(raw)
    if not value:
        raise BadDecision(f"{spec.label} has no value", "Type one, or reject the finding")
    if spec.type == "choice":
        if value not in spec.choices:
            raise BadDecision(f"{spec.label} cannot be {value!r}"[:200], f"It is one of {', '.join(spec.choices)}")
        return value
    if spec.type in ("number", "integer"):
        number = _number(value, spec.label)
        if number < 0 or (spec.type == "integer" and number != int(number)):
            raise BadDecision(f"{spec.label} cannot be {value}"[:200], "Type a whole number" if spec.type == "integer"
                              else f"Type a number of {spec.unit}s")  # fmt: skip
        return int(number) if spec.type == "integer" else number
    if len(value) > MAX_VALUE:
        raise BadDecision(
            f"The value has {len(value)} characters",
            f"Name the thing in at most {MAX_VALUE}; the words are kept beside",
        )
    return value


def _number(value: str, label: str) -> float:
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadDecision(f"{label} is no number: {value!r}"[:200], "Type digits, with a point for decimals")
    return number


def _attributes(raw: Mapping[str, str], spec: FieldSpec) -> Attributes:
    read: dict[str, AttributeValue] = {}
    for name, text in raw.items():
        if name not in spec.attributes:
            raise BadDecision(f"{spec.label} has no attribute {name!r}"[:200], f"It has {', '.join(spec.attributes)}")
        if text.strip():
            read[name] = _attribute(name, text, spec.attributes[name])
    return Attributes(read)


def _attribute(name: str, text: str, spec: AttributeSpec) -> AttributeValue:
    items = [fold_space(item)[:MAX_VALUE] for item in text.split(";") if item.strip()]
    unknown = [item for item in items if spec.choices and item not in spec.choices]
    if unknown:
        raise BadDecision(f"{name} cannot be {unknown[0]!r}", f"It is one of {', '.join(spec.choices)}")
    if spec.type == "list":
        return tuple(items)
    if spec.type == "number":
        try:
            return _number(fold_space(text), name)
        except BadDecision:
            if name != "number":  # some scores are none: a visual acuity of 20/60
                raise
    return fold_space(text)[:MAX_VALUE]
