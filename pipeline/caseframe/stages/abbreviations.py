"""Abbreviations that a document defines: "giant cell tumour (GCT)", "GCT (giant cell tumour)".

Writes `doc.spans["abbreviations"]`, every occurrence of every defined short form, with the text of its long form in
`span._.long_form`, and `doc.spans["long_forms"]`, the long forms where they are defined.

Candidates come as Schwartz and Hearst (2003) take them, from brackets. Their matching takes the first alignment of
letters from the right; here the best one is taken, in which first letters of words count more than inner letters,
number words stand for digits, and words left out cost, so that long forms begin where a reader would say they begin.
`benchmarks/abbreviations.py` gives precision and recall on MED1250.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc, Span

from caseframe.stages.extensions import bounds_of_sentences, offsets_of, text_of

SPANS = "abbreviations"
LONG_SPANS = "long_forms"
if not Span.has_extension("long_form"):
    Span.set_extension("long_form", default=None)

_MAX_SHORT = 14
# Longer contents of brackets, and words further before one, define nothing; it also bounds the work on hostile text.
_MAX_BRACKET = 400
_PART = re.compile(r"[^\W_]+")
_BRACKET = re.compile(r"[()\[\]]")
# "ubiquitin(Ub)", without a blank, is a definition only where the content has a capital: "metastas(is)es" is none.
_ATTACHED = re.compile(r"[a-z)][(\[][^\W\d_]?[A-Z][^\W_]+$")
_CUT = re.compile(r"\s*(?:[;,:=]\s|;|,(?=\D)|\s=|\bn\s?=)")
_LEAD = re.compile(
    r"(?:(?:also|hereafter|henceforth|hereinafter|abbreviated|abbreviation|referred|termed|called|known|named|designated|denoted"
    r"|commonly|i\.e\.,?|or|as|to|by|the)\s+)+",
    re.IGNORECASE,
)
_SHORT = re.compile(r"[^\W_\[(][^\s]*(?: [^\s]+)?|[\[(][^\s]+")
# Of two words one has two capitals ("CK 18"), or it is a species ("E. coli"): not "24-91 months", "Patients 1-3".
_TWO_WORDS = re.compile(r"^(?!\d[^ ]* )(?:.*\b[\w-]*[A-Z][\w-]*[A-Z]|[A-Z]\.? [a-z]+$)")
_STOP = frozenset(
    "plus a an and as at by for from in into is of on or per that the to via with within without et de".split()
)
# Contents of brackets that are no short forms as printed here; in capitals they may be ("HR", "MM").
_NOT_SHORT = frozenset(
    "see i.e. e.g. ie eg vs vs. cf. fig fig. figs table left right both mean mm cm mg kg ml years year "
    "yrs days weeks months min h hr hrs s ii iii iv vi vii viii ix n p r t i male female men women case cases patient "
    "patients range ref refs part panel all any none not only also and or with without a b c d e f g "
    "above below".split()
)
_GREEK = str.maketrans("αβγδεζηθκλμνπρστφχψω", "abgdezhtklmnprstfcpo")
_NUMBER_WORDS = {
    "1": ("one", "first", "mono", "uni", "single"), "2": ("two", "second", "bi", "di", "double", "dual"),
    "3": ("three", "third", "tri", "triple"), "4": ("four", "tetra", "quad"), "5": ("five", "fifth", "penta"),
    "6": ("six", "hexa"), "7": ("seven", "hepta"), "8": ("eight", "octa"), "9": ("nine",),
}  # fmt: skip
# What a letter of the short form is worth by where it stands in the long form.
_FIRST, _NEXT, _INNER, _WEAK = 1.0, 0.85, 0.6, 0.25
# What a part of the long form that gives no letter costs.
_SKIP, _SKIP_STOP, _SKIP_HYPHEN, _MID_WORD = 0.45, 0.05, 0.15, 0.5
# Mean worth of a letter that a pair must reach: a plain short form, one like words, one letter, one without digits.
_THRESHOLD, _WORD_THRESHOLD, _LETTER_THRESHOLD, _NO_DIGIT_THRESHOLD = 0.5, 0.85, 0.9, 0.75


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a text defines a short form: the offsets of the short and of the long form."""

    short_start: int
    short_end: int
    long_start: int
    long_end: int


@Language.factory("caseframe_abbreviations", assigns=["doc.spans", "span._.long_form"], default_config={})
def create_abbreviations(nlp: Language, name: str) -> AbbreviationFinder:
    """Factory of `caseframe_abbreviations`."""
    return AbbreviationFinder()


class AbbreviationFinder:
    """Finds defined abbreviations and all their occurrences."""

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.spans["abbreviations"]` and `doc.spans["long_forms"]`."""
        offsets = offsets_of(doc)
        starts = [offsets[start] for start, _ in bounds_of_sentences(doc)]
        definitions = list(find_definitions(text_of(doc), starts))
        long_spans = (doc.char_span(d.long_start, d.long_end, alignment_mode="expand") for d in definitions)
        doc.spans[LONG_SPANS] = [span for span in long_spans if span is not None]
        doc.spans[SPANS] = list(_occurrences(doc, definitions))
        return doc


def _occurrences(doc: Doc, definitions: Sequence[Definition]) -> Iterator[Span]:
    text = text_of(doc)
    by_short: dict[str, list[Definition]] = {}
    for definition in definitions:
        by_short.setdefault(text[definition.short_start : definition.short_end], []).append(definition)
    found: dict[tuple[int, int], Definition] = {}
    for short, defined in by_short.items():
        places = [d.short_start for d in defined]
        for surface in _surfaces(short, by_short):
            at = text.find(surface)
            while at >= 0:
                # Where it is defined a short form is marked even if the tokenizer keeps more than it in one token.
                span = doc.char_span(at, at + len(surface), alignment_mode="expand" if at in places else "strict")
                if span is not None and (len(short) > 1 or at in places):
                    found[span.start, span.end] = defined[max(0, bisect_right(places, at) - 1)]
                at = text.find(surface, at + len(surface))
    for (start, end), definition in sorted(found.items()):
        span = Span(doc, start, end)
        span._.long_form = text[definition.long_start : definition.long_end]
        yield span


def _surfaces(short: str, others: dict[str, list[Definition]]) -> list[str]:
    """A short form with its plural or singular, where that is not defined apart."""
    other = short[:-1] if short.endswith("s") and short[:-1].isupper() else short + "s"
    useful = len(other) > 1 and any(char.isupper() for char in other) and other not in others
    return [short, other] if useful else [short]


def find_definitions(text: str, sentence_starts: Sequence[int] = ()) -> Iterator[Definition]:
    """All definitions in a text, in its order. A long form never reaches over a sentence start."""
    for opening, closing, outer in _brackets(text):
        if closing - opening > _MAX_BRACKET:
            continue
        attached = opening > 0 and not text[opening - 1].isspace()
        if attached and not _ATTACHED.match(text, opening - 1, closing):
            continue
        nth = bisect_right(sentence_starts, opening)
        begin = max(sentence_starts[nth - 1] if nth else 0, outer + 1, opening - _MAX_BRACKET)
        definition = (
            _short_inside(text, begin, opening, closing)
            or _long_inside(text, begin, opening, closing)
            or _both_inside(text, opening, closing)
        )
        if definition is not None:
            yield definition


def _brackets(text: str) -> list[tuple[int, int, int]]:
    """Pairs of brackets as (opening, closing, opening of the pair around or -1)."""
    pairs = []
    stack: list[int] = []
    for match in _BRACKET.finditer(text):
        if match[0] in "([":
            stack.append(match.start())
        elif stack and text[stack[-1]] + match[0] in ("()", "[]"):
            opening = stack.pop()
            pairs.append((opening, match.start(), stack[-1] if stack else -1))
    return sorted(pairs)


def _short_inside(text: str, begin: int, opening: int, closing: int) -> Definition | None:
    start, end = _piece(text, opening + 1, closing)
    short = text[start:end]
    if not is_short_form(short):
        return None
    limit = min(len(short) + 5, len(short) * 2)
    long_end = begin + len(text[begin:opening].rstrip())
    begin = _clear_begin(text, begin, long_end)
    words = list(re.finditer(r"\S+", text[begin:long_end]))[-limit:]
    if not words:
        return None
    long_start = best_start(short, text, begin + words[0].start(), long_end)
    return Definition(start, end, long_start, long_end) if long_start is not None else None


def _long_inside(text: str, begin: int, opening: int, closing: int) -> Definition | None:
    before = text[begin:opening].split()
    if not before:
        return None
    short = before[-1].strip("\"'“”‘’,")
    if not is_short_form(short) or sum(char.isupper() for char in short) < 2:
        return None
    start, end = _piece(text, opening + 1, closing)
    words = text[start:end].split()
    if len(words) > min(len(short) + 5, len(short) * 2) or len(text[start:end]) <= len(short) + 2:
        return None
    if best_start(short, text, start, end) != start:
        return None
    short_start = text.rindex(short, begin, opening)
    return Definition(short_start, short_start + len(short), start, end)


def _both_inside(text: str, opening: int, closing: int) -> Definition | None:
    """Both in one bracket: "(blood-brain barrier, BBB)"."""
    comma = text.rfind(", ", opening, closing)
    if comma < 0:
        return None
    short_start, long_start = comma + 2, opening + 1
    short = text[short_start:closing]
    if not short.isalnum() or sum(char.isupper() for char in short) < 2 or not is_short_form(short):
        return None
    found = best_start(short, text, long_start, comma)
    return Definition(short_start, closing, long_start, comma) if found == long_start else None


def _piece(text: str, start: int, end: int) -> tuple[int, int]:
    """The first piece of a bracket's content, without "also called" and quotation marks."""
    lead = _LEAD.match(text, start, end)
    if lead:
        start = lead.end()
    cut = _CUT.search(text, start, end)
    if cut:
        end = cut.start()
    while start < end and text[start] in " \t\n\"'“”‘’":
        start += 1
    while end > start and text[end - 1] in " \t\n\"'“”‘’,;":
        end -= 1
    if text[end - 1] == "." and text.count(".", start, end) == 1:  # not in "C.A.H."
        end -= 1
    return start, end


def is_short_form(short: str) -> bool:
    """Whether a bracket's content can be a short form at all."""
    if not 1 <= len(short) <= _MAX_SHORT or not _SHORT.fullmatch(short) or short in _NOT_SHORT:
        return False
    if short[-1] in "-–%," or (" " in short and not _TWO_WORDS.search(short)):
        return False
    letters = sum(char.isalpha() for char in short)
    return letters > 0 and letters * 2 >= sum(char.isalnum() for char in short)


def best_start(short: str, text: str, begin: int, end: int) -> int | None:
    """Where in `text[begin:end]` the long form of a short form begins, or None where none is there."""
    parts = [
        (match.start(), match[0].translate(_GREEK).lower(), match[0].lower() in _STOP)
        for match in _PART.finditer(text, begin, end)
    ]
    if not parts:
        return None
    best: tuple[float, int] | None = None
    for letters, needed in _variants(short):
        scored = _align(letters, parts, text, begin)
        if scored is not None and scored[0] >= needed and (best is None or scored[0] > best[0]):
            best = scored
    if best is None:
        return None
    start = _with_locants(text, begin, best[1])
    long_form = text[start:end]
    first_word = re.split(r"[\s-]", long_form, maxsplit=1)[0]
    if first_word.lower() == short.lower() or "et al" in long_form:
        return None
    return start


def _variants(short: str) -> Iterator[tuple[list[str], float]]:
    """The letters a long form must give and what they must be worth: all, those without plural s, without digits."""
    letters = [char for char in short.translate(_GREEK).lower() if char.isalnum()]
    needed = _THRESHOLD
    if short.islower() or " " in short:
        needed = _WORD_THRESHOLD
    if len(letters) == 1:
        needed = _LETTER_THRESHOLD
    yield letters, needed
    if len(letters) > 2 and short.endswith("s") and short[-2].isupper():
        yield letters[:-1], needed
    plain = [char for char in letters if not char.isdigit()]
    if 2 <= len(plain) < len(letters):
        yield plain, max(needed, _NO_DIGIT_THRESHOLD)


_LOCANT = re.compile(
    r"(?<![^\W\d_])(?:[(\[]?(?:\d+[a-z]?['′]?(?:,\d+[a-z]?['′]?)*|[A-Za-z]|alpha|beta|gamma|delta|non|di|tri)-)+$"
)


def _with_locants(text: str, begin: int, start: int) -> int:
    """A start moved to the front of "2,4,6-tri…", "12-O-tetra…", "non-in…", "c-Jun"."""
    word = start
    while word > begin and not text[word - 1].isspace():
        word -= 1
    match = _LOCANT.search(text[word:start])
    return word + match.start() if match else start


def _clear_begin(text: str, begin: int, end: int) -> int:
    """Where a long form may begin: not before a bracket that stands by itself or that only closes."""
    depth = 0
    for match in reversed(list(_BRACKET.finditer(text, begin, end))):
        depth += 1 if match[0] in ")]" else -1
        if depth < 0 or (depth == 0 and (match.start() == 0 or text[match.start() - 1].isspace())):
            closing = match.start() if depth < 0 else max(text.find(")", match.start(), end), match.start())
            return closing + 1
    if depth > 0:
        closings = [match.start() for match in _BRACKET.finditer(text, begin, end) if match[0] in ")]"]
        return closings[0] + 1
    return begin


def _align(letters: list[str], parts: list[tuple[int, str, bool]], text: str, begin: int) -> tuple[float, int] | None:
    """The best alignment of all letters with parts that reaches the last part: mean worth and start offset."""
    count = len(letters)
    # rest[i] is the best score for letters[i:] in the parts from the current one on.
    none = float("-inf")
    rest = [none] * count + [0.0]
    best: tuple[float, int] | None = None
    for at in range(len(parts) - 1, -1, -1):
        offset, part, is_stop = parts[at]
        in_word = offset > begin and not text[offset - 1].isspace() and text[offset - 1] not in "([\"'“‘"
        skip = _SKIP_STOP if is_stop else _SKIP_HYPHEN if in_word else _SKIP
        row = [rest[i] - skip for i in range(count + 1)]
        for i in range(count):
            for used, worth in _runs(letters, i, part):
                score = worth + rest[i + used]
                if score > row[i]:
                    row[i] = score
                if i == 0 and worth >= _FIRST * 0.99 and score > none and (not is_stop or part == "in"):
                    mean = (score - (_MID_WORD if in_word else 0.0)) / count
                    if best is None or mean > best[0]:
                        best = mean, offset
        rest = row
    return best


def _runs(letters: list[str], i: int, part: str) -> Iterator[tuple[int, float]]:
    """Ways in which a part can give letters from the i-th on: how many, and what they are worth."""
    letter = letters[i]
    if letter.isdigit() and part.startswith(_NUMBER_WORDS.get(letter, ())) and not part[0].isdigit():
        yield 1, _FIRST
        return
    worth = 0.0
    position = -1
    used = 0
    while i + used < len(letters):
        found = part.find(letters[i + used], position + 1)
        if found < 0:
            return
        if found == 0:
            worth += _FIRST
        elif found == position + 1 and position >= 0:
            worth += _NEXT
        elif part[0] == letters[i]:
            worth += _INNER
        else:
            worth += _WEAK
        position = found
        used += 1
        yield used, worth
