"""Assertion: whether a thing is present, absent, possible, hypothetical, historical or of the family (ConText).

After Chapman's NegEx and Harkema's ConText (J Biomed Inform 2009): a cue ("no evidence of", "history of", "was ruled
out") opens a scope, in a direction, that ends at the first word that closes it. The cues are data,
`rules/context.tsv`; the walk that gives a cue its scope is here. Beyond ConText the walk

- follows a list over its commas ("no infection, loosening or fracture"), yet not into a clause with a verb of its own
  ("no infection, and the patient was discharged");
- leaves out the circumstances of a denial ("no recurrence on CT after surgery" denies neither the CT nor the surgery);
- keeps the edge: every answer comes with the cue that decided it.

Measured (`benchmarks/assertion.py`): denials among the findings of 576 abstracts P 0.89, R 0.82 (negspacy 0.68, 0.74);
BioScope's negated sentences P 0.92, R 0.87. BioScope's scopes run to the end of the clause, ours to the end of what is
denied, hence P 0.80, R 0.50 by token.

The component writes `doc.spans["cues"]` (`label_` is the category) and keeps the scopes in `doc.user_data`. From then
on `span._.assertion` and `span._.assertion_cue` hold for any span of the Doc, whoever made it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.errors import LexiconError
from caseframe.lexicons.folding import Remembered
from caseframe.schema import ASSERTIONS, Assertion
from caseframe.stages.extensions import bounds_of_sentences, lowers_of, texts_of

SPANS = "cues"
SCOPES = "caseframe.scopes"
COLUMNS = ("phrase", "category", "direction", "max_scope", "comment")
DIRECTIONS = (
    "forward", "backward", "result", "both", "aside", "object", "pseudo", "terminate", "verb", "circumstance", "test",
)  # fmt: skip
_SCOPED = frozenset(DIRECTIONS[:6])
PRECEDENCE: tuple[Assertion, ...] = ("family", "absent", "hypothetical", "possible", "historical")
"""The order in which the cues of a span outrank each other."""

_RANK = {category: rank for rank, category in enumerate(PRECEDENCE)}
_TIME = re.compile(r"(?:^|[-–])(?:day|week|wk|month|mo|year|yr|hour|hr|decade)s?[’']?$")
_NUMBER = re.compile(
    r"^(?:\d[\d.,–-]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|many|few|some|a|an)$"
)
_JOINTS = frozenset((",", "and", "or", "nor", "and/or"))
_BREAKS = frozenset((";", ":", "—", ".", "?", "!", "•", "\n"))
_SUBJECTS = frozenset("he she it they we i there this these those that who which".split())
_ARTICLES = frozenset("a an the his her their our its one two three four five several normal".split())
_AUXILIARIES = frozenset("was were been had has have could can be is are also both all".split())
# How far behind a date that opens its sentence the comma may stand: "eight years before the present admission,".
_TO_COMMA = 5
_NOW = frozenset(
    "now then currently presented presents presenting subsequently later developed complained recently".split()
)
_DONE = frozenset("treated operated diagnosed detected found managed presenting admitted".split())
# What may stand before a denial inside a span without being what the span names: "felt no pain".
_LIGHT = frozenset(
    "he she it they there patient patients the was were is are be been had has have did does felt remained showed "
    "revealed still also completely needing needed experienced experiencing reported and but with performed completed "
    "discharged developed both all cases case a an".split()
)
_DETERMINERS = frozenset("the a an any this these his her their".split())
_SEEN = frozenset(
    "observed seen noted detected found identified reported present evident visible noticed recorded encountered "
    "apparent demonstrated documented experienced discovered diagnosed recognized recognised visualized".split()
)
_AFTER_PARTICIPLE = frozenset(
    "to with the a an his her in on at from by out after well without for uneventfully".split()
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the cue file: a phrase, what it says of the words in its scope, and where its scope lies."""

    phrase: str
    category: str
    direction: str
    max_scope: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched at the tokens `start:end`."""

    start: int
    end: int
    rule: Rule


def builtin_rules() -> Path:
    """The shipped cue file."""
    return Path(str(files("caseframe.stages") / "rules" / "context.tsv"))


def read_rules(path: Path) -> list[Rule]:
    """Reads a cue file: TSV with the columns phrase, category, direction, max_scope, comment; `#` begins a comment.

    Raises LexiconError, naming file and line, for a row that says nothing meaningful.
    """
    rules: list[Rule] = []
    header: list[str] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter="\t", quoting=csv.QUOTE_NONE))]
        if header is None:
            header = cells
            missing = [column for column in COLUMNS if column not in header]
            if missing:
                raise LexiconError(f"{path}: no column {', '.join(missing)}", f"The header is {' '.join(COLUMNS)}")
            continue
        row = dict.fromkeys(COLUMNS, "") | dict(zip(header, cells, strict=False))
        rules.append(_rule(row, f"{path}, line {number}"))
    return rules


def _rule(row: dict[str, str], where: str) -> Rule:
    if not row["phrase"]:
        raise LexiconError(f"{where}: no phrase", "Fill it, or remove the row")
    if row["direction"] not in DIRECTIONS:
        raise LexiconError(f"{where}: direction {row['direction']!r}", f"One of {', '.join(DIRECTIONS)}")
    if row["direction"] in _SCOPED and row["category"] not in PRECEDENCE:
        raise LexiconError(f"{where}: category {row['category']!r}", f"One of {', '.join(PRECEDENCE)}")
    if not row["max_scope"].isdecimal():
        raise LexiconError(f"{where}: max_scope {row['max_scope']!r}", "A whole number of tokens")
    return Rule(row["phrase"], row["category"], row["direction"], int(row["max_scope"]))


Keys = tuple[str, ...]
Pattern = tuple[tuple[frozenset[str], bool], ...]
"""For each word of a phrase its alternatives and whether it may be missing."""


def compile_phrase(phrase: str) -> Pattern:
    """The pattern of a phrase, in which `a|b` are alternatives and `[a|b]` may be missing.

    >>> [(sorted(words), optional) for words, optional in compile_phrase("no [clear] sign|signs")]
    [(['no'], False), (['clear'], True), (['sign', 'signs'], False)]
    """
    pattern = []
    for word in phrase.lower().split():
        optional = word.startswith("[") and word.endswith("]") and len(word) > 2
        pattern.append((frozenset((word[1:-1] if optional else word).split("|")), optional))
    return tuple(pattern)


def _match(pattern: Pattern, keys: list[Keys], position: int, part: int) -> int:
    """Where the longest match of a pattern from its `part` on ends, or -1; `keys` are those of all tokens."""
    while part < len(pattern):
        alternatives, optional = pattern[part]
        here = position < len(keys) and not alternatives.isdisjoint(keys[position])
        if optional:
            taken = _match(pattern, keys, position + 1, part + 1) if here else -1
            if taken >= 0:
                return taken
        elif here:
            position += 1
        else:
            return -1
        part += 1
    return position


def _openings(pattern: Pattern, part: int = 0) -> Iterator[tuple[str, int]]:
    """The words a match can begin with, and the part of the pattern that goes on after each."""
    for i in range(part, len(pattern)):
        alternatives, optional = pattern[i]
        for word in sorted(alternatives):
            yield word, i + 1
        if not optional:
            return


def _may_end(pattern: Pattern, part: int) -> bool:
    return all(optional for _, optional in pattern[part:])


# NO is nitric oxide more often than a denial, and May a month: they stay as they are.
_CASED = frozenset(("NO", "May"))


def _words(doc: Doc) -> list[str]:
    words, lowers = texts_of(doc), lowers_of(doc)
    if _CASED.isdisjoint(words):
        return lowers
    return [word if word in _CASED else lower for word, lower in zip(words, lowers, strict=True)]


def _keys_of(word: str) -> Keys:
    keys = [word]
    if _TIME.search(word):
        keys.append("<time>")
        if "y" in word and "day" not in word:
            keys.append("<years>")
    if _NUMBER.match(word):
        keys.append("<num>")
    return tuple(keys)


# What a token may match in the trie: itself, `<time>` for a unit of time ("3-month"), `<num>` for a number.
_KEYS = Remembered(_keys_of)


@Language.factory("caseframe_assertion", assigns=["doc.spans"], default_config={"rules": None})
def create_assertion(nlp: Language, name: str, rules: str | None) -> AssertionTagger:
    """Factory of `caseframe_assertion`. `rules`: path of a cue file that takes the place of the shipped one."""
    return AssertionTagger(read_rules(Path(rules)) if rules else None)


class AssertionTagger:
    """Finds the cues of a Doc and their scopes."""

    def __init__(self, rules: Iterable[Rule] | None = None) -> None:
        self.rules = list(rules) if rules is not None else read_rules(builtin_rules())
        # Single words that close or colour a scope count wherever they stand, also inside another cue.
        self._marks = {
            direction: frozenset(
                word
                for rule in self.rules
                if rule.direction == direction and " " not in rule.phrase
                for word in rule.phrase.split("|")
            )
            for direction in ("verb", "circumstance", "test")
        }
        # Phrases by their first two words, since hundreds begin with "was" or "no".
        self._single: dict[str, Rule] = {}
        self._pairs: dict[str, dict[str, list[tuple[Pattern, int, Rule]]]] = {}
        for rule in self.rules:
            if rule.direction in self._marks and " " not in rule.phrase:
                continue
            pattern = compile_phrase(rule.phrase)
            for first, part in _openings(pattern):
                if _may_end(pattern, part):
                    self._single.setdefault(first, rule)
                seconds = self._pairs.setdefault(first, {})
                for second, rest in _openings(pattern, part):
                    seconds.setdefault(second, []).append((pattern, rest, rule))

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["cues"]` and the scopes."""
        words = _words(doc)
        cues: list[Span] = []
        scopes: list[tuple[int, int, str, int, int]] = []
        hits = self._hits(words)
        if any(hit.rule.category in _RANK for hit in hits):
            for start, end in _sentences(doc, words):
                inside = [hit for hit in hits if start <= hit.start and hit.end <= end]
                if any(hit.rule.category in _RANK for hit in inside):
                    walk = _Walk(words, start, end, inside, self._marks)
                    for hit in inside:
                        if hit.rule.category in _RANK:
                            category = hit.rule.category
                            cues.append(Span(doc, hit.start, hit.end, label=category))
                            scopes.extend((hit.start, hit.end, category, a, b) for a, b in walk.scope(hit))
        doc.spans[SPANS] = cues
        doc.user_data[SCOPES] = scopes
        return doc

    def _hits(self, words: list[str]) -> list[Hit]:
        """The rules that match, none overlapping.

        The longest wins, of several as long the one that is no denial ("was not" "not without"), then the first.
        """
        keys = list(map(_KEYS.__getitem__, words))
        found = [
            hit
            for i, (firsts, seconds) in enumerate(zip(keys, [*keys[1:], ()], strict=False))
            for first in firsts
            if first in self._pairs and (first in self._single or not self._pairs[first].keys().isdisjoint(seconds))
            if (hit := self._longest(keys, i)) is not None
        ]
        found.sort(key=lambda hit: (hit.start - hit.end, hit.rule.direction != "pseudo", hit.start))
        taken: set[int] = set()
        hits = []
        for hit in found:
            if taken.isdisjoint(range(hit.start, hit.end)):
                taken.update(range(hit.start, hit.end))
                hits.append(hit)
        return sorted(hits, key=lambda hit: hit.start)

    def _longest(self, keys: list[Keys], position: int) -> Hit | None:
        best_end, best = position, None
        seconds = keys[position + 1] if position + 1 < len(keys) else ()
        for first in keys[position]:
            single = self._single.get(first)
            if single is not None and best is None:
                best_end, best = position + 1, single
            by_second = self._pairs.get(first, {})
            for second in seconds:
                for pattern, part, rule in by_second.get(second, ()):
                    end = _match(pattern, keys, position + 2, part)
                    if end > best_end:
                        best_end, best = end, rule
        return Hit(position, best_end, best) if best is not None else None


def _sentences(doc: Doc, words: list[str]) -> list[tuple[int, int]]:
    """Token bounds of the sentences; where no stage has set them, full stops do."""
    if doc.has_annotation("SENT_START"):
        return bounds_of_sentences(doc)
    bounds, start = [], 0
    for i, word in enumerate(words):
        if word in (".", "?", "!", "\n") or i == len(words) - 1:
            bounds.append((start, i + 1))
            start = i + 1
    return bounds


class _Walk:
    """Gives the cues of one sentence their scopes."""

    def __init__(
        self, words: list[str], start: int, end: int, hits: list[Hit], marks: dict[str, frozenset[str]]
    ) -> None:
        self.words, self.start, self.end, self.marks = words, start, end, marks
        self.stops = {hit.start for hit in hits if hit.rule.direction == "terminate"}
        self.verbs = {i for i in range(start, end) if words[i] in marks["verb"]}
        self.dated = {hit.end - 1 for hit in hits if hit.rule.category == "historical"}
        self.asides = {i for i in range(start, end) if words[i] in marks["circumstance"]}
        self.asides.update(hit.start for hit in hits if hit.rule.direction == "circumstance")
        self.stops.update(i for i in range(start, end) if words[i] in _BREAKS)

    def scope(self, hit: Hit) -> list[tuple[int, int]]:
        direction = hit.rule.direction
        if direction == "aside":
            direction = self._side(hit)
        elif direction == "object":
            direction = "forward" if self._has_object(hit) else "backward"
        parts: list[tuple[int, int]] = []
        if direction in ("backward", "both", "result"):
            parts.extend(self._backward(hit))
        if direction == "result" and any(self._is_test(i) for a, b in parts for i in range(a, b)):
            return [self._sought(a, b) for a, b in parts if "for" in self.words[a:b]]
        if direction in ("forward", "both"):
            opened = self._opened(hit) if hit.rule.direction == "aside" else None
            parts.extend(self._forward(hit) if opened is None else [opened])
        return parts

    def _opened(self, hit: Hit) -> tuple[int, int] | None:
        """The clause that a date opens: "Three years ago, the patient had received a nail" is all of that time."""
        if hit.start > self.start and hit.start - 1 not in self.stops:
            return None
        words = self.words
        if hit.end < self.end and words[hit.end] in _SUBJECTS | _DETERMINERS:
            return self._clause_from(hit.end)
        comma = next((i for i in range(hit.end, min(self.end, hit.end + _TO_COMMA)) if words[i] == ","), None)
        if comma is None or any(i in self.stops for i in range(hit.end, comma)):
            return None
        return self._clause_from(comma + 1)

    def _clause_from(self, start: int) -> tuple[int, int]:
        """From a token to the end of its clause, or to what came later."""
        i = start
        while i < self.end and i not in self.stops and not (self.words[i] in _JOINTS and self._is_now(i)):
            i += 1
        return start, i

    def _is_now(self, joint: int) -> bool:
        """Whether a joint leads to what came later: "and then developed pain", ", and she now presented"."""
        following = [word for word in self.words[joint + 1 : min(self.end, joint + 4)] if word not in _JOINTS]
        return any(word in _SUBJECTS or word in _NOW for word in following[:2])

    def _side(self, hit: Hit) -> str:
        """Which side a date ("6 years ago") belongs to: what is before it, unless it opens its clause."""
        before = hit.start - 1
        after = self.words[hit.end] if hit.end < self.end else ""
        if before < self.start or before in self.stops or self.words[before] == "in" or after in _ARTICLES:
            return "forward"
        if self.words[before] == "," and after == ",":
            return "forward"
        return "backward"

    def _has_object(self, hit: Hit) -> bool:
        """Whether a verb is followed by what was denied ("has not developed a fistula") or by nothing of the kind."""
        after = hit.end
        if after >= self.end or after in self.stops or after in self.asides:
            return False
        word = self.words[after]
        return word[0].isalnum() and word not in _JOINTS and word != "in"

    def _sought(self, start: int, end: int) -> tuple[int, int]:
        """What a negative test looked for: "screening for tuberculosis was negative"."""
        return self.words.index("for", start, end) + 1, end

    def _is_test(self, i: int) -> bool:
        return self.words[i] in self.marks["test"]

    def _forward(self, hit: Hit) -> list[tuple[int, int]]:
        parts: list[tuple[int, int]] = []
        start: int | None = hit.end
        limit = min(self.end, hit.end + hit.rule.max_scope)
        past = hit.rule.category == "historical"
        opens = hit.rule.category == "absent" and self._opens_clause(hit.start)
        narrow = hit.rule.category in ("absent", "historical", "possible")
        i = hit.end
        while i < limit:
            word = self.words[i]
            if (i in self.stops and not (i == hit.end and _goes_on(word))) or (
                word == ")" and "(" not in self.words[hit.end : i]
            ):
                break
            if word in _JOINTS and i > hit.end and self._new_clause(i, past, opens):
                break
            if hit.rule.category == "possible" and word == "," and "or" not in self.words[i : i + 6]:
                break
            if narrow and i > hit.end:
                if i in self.verbs:
                    break
                if i in self.asides and start is not None and not past:
                    parts.append((start, i))
                    start = None
                elif start is None and word in ("or", "nor"):
                    start = i
            i += 1
        if start is not None:
            parts.append((start, i))
        return [(a, b) for a, b in parts if a < b]

    def _opens_clause(self, start: int) -> bool:
        """Whether no verb stands before a cue in its clause: what it denies is then the subject of the verb after."""
        for i in range(start - 1, self.start - 1, -1):
            if i in self.stops or self.words[i] == ",":
                return True
            if i in self.verbs:
                return False
        return True

    def _new_clause(self, joint: int, past: bool, opens: bool) -> bool:
        """Whether a comma or "and" opens a clause of its own, rather than going on with a list.

        A history mostly modifies a subject, whose verb comes after: "with a history of trauma and surgery underwent".
        So does a denial that opens its clause: "no recurrence and metastasis developed".
        """
        words, i = self.words, joint
        while i < self.end and words[i] in _JOINTS:
            i += 1
        if i >= self.end:
            return True
        joined_by_or = "or" in words[joint:i] or "nor" in words[joint:i]
        first, second = words[i], words[i + 1] if i + 1 < self.end else ""
        if first in _SUBJECTS or i in self.stops or i in self.asides:
            return True
        if joined_by_or:
            return False
        if first in _ARTICLES:
            return True
        if i in self.verbs or (first.endswith("ed") and second in _AFTER_PARTICIPLE):
            return True
        if (past or opens) and words[joint] in ("and", "and/or"):
            return False
        for j in range(i, min(self.end, i + 15)):
            if j in self.stops or words[j] == ",":
                return False
            if j in self.verbs:
                seen = any(word in _SEEN for word in words[j + 1 : j + 3])
                return not (seen and ("or" in words[i:j] or "nor" in words[i:j]))
        return False

    def _backward(self, hit: Hit) -> list[tuple[int, int]]:
        parts: list[tuple[int, int]] = []
        end = hit.start
        dated = hit.rule.direction == "aside"
        limit = max(self.start, hit.start - hit.rule.max_scope)
        i = hit.start - 1
        while i >= limit and self.words[i] in _AUXILIARIES:
            i -= 1
        while i >= limit:
            word = self.words[i]
            passive = word in _AUXILIARIES or (i > self.start and self.words[i - 1] in _AUXILIARIES)
            if i in self.stops or word == "(" or (i in self.verbs and not (dated and passive)):
                break
            if dated and (word in _DONE or i in self.dated):
                break
            if word in (",", "and") and self._clause_before(i):
                break
            if word == "," and not any(self.words[j] in ("and", "or", "nor") for j in range(i, hit.start)):
                break
            if i in self.asides and not dated:
                if i == self.start or self.words[i - 1] in (",", ";"):
                    # "After surgery the fever was absent": the subject follows, and nothing marks where.
                    i = self._subject(i, end) - 1
                    break
                # "recurrence on CT was not seen": the CT was.
                end = i
            i -= 1
        parts.append((i + 1, end))
        return [(a, b) for a, b in parts if a < b]

    def _subject(self, opening: int, end: int) -> int:
        """Where the subject begins after a circumstance that opens the clause."""
        for i in range(end - 1, opening + 1, -1):
            if self.words[i] in _DETERMINERS:
                return i
        return max(end - 2, opening + 1)

    def _clause_before(self, joint: int) -> bool:
        for j in range(joint - 1, max(self.start, joint - 15) - 1, -1):
            if j in self.verbs:
                return True
            if j in self.stops or self.words[j] == ",":
                return False
        return False


def _goes_on(word: str) -> bool:
    """Whether a word that ends scopes elsewhere goes on with a cue right before it: "without causing pain"."""
    return word.endswith("ing") or word in ("due", "secondary")


def assertion_of(span: Span) -> tuple[Assertion, Span | None]:
    """The assertion of any span, and the cue that decides it (None for `present`).

    A cue holds for a span that its scope covers, or that begins with it ("no headache" taken as one span). Where the
    component has not run, everything is present.
    """
    best: tuple[int, int, int, int] | None = None
    for start, end, category, a, b in span.doc.user_data.get(SCOPES, ()):
        if _covers(span, start, end, a, b):
            distance = max(span.start - end, start - span.end, 0)
            key = (_RANK[category], distance, start, end)
            if best is None or key < best:
                best = key
    if best is None:
        return "present", None
    rank, _, start, end = best
    category = PRECEDENCE[rank]
    return category, Span(span.doc, start, end, label=category)


def _covers(span: Span, start: int, end: int, a: int, b: int) -> bool:
    """Whether a cue at `start:end` with the scope `a:b` holds for a span."""
    if a <= span.start and span.end <= b:
        return True
    if end <= span.start:  # cue before the span: its scope must reach into it
        return a <= span.start < b
    if span.end <= start:  # cue after the span
        return a < span.end <= b
    if start <= span.start:  # the span begins with the cue
        return a < span.end and span.start < b
    if span.end <= end:  # the span ends with the cue
        return a <= span.start
    words = [token.lower_ for token in span.doc[span.start : start]]
    return a < span.end and all(word in _LIGHT for word in words)


def _assertion(span: Span) -> Assertion:
    return assertion_of(span)[0]


def _cue(span: Span) -> Span | None:
    return assertion_of(span)[1]


if not Span.has_extension("assertion"):
    Span.set_extension("assertion", getter=_assertion)
    Span.set_extension("assertion_cue", getter=_cue)

assert set(PRECEDENCE) | {"present"} == set(ASSERTIONS)
