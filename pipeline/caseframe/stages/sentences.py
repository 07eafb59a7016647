"""Sentence boundaries, by rule: sets `token.is_sent_start` for every token.

A full stop ends a sentence unless what stands before it is an abbreviation, an initial or a list number, or what
follows shows that the sentence goes on. A line break always ends one. Semicolons and colons never do. The rules need
no weights and run on the raw text; `benchmarks/sentences.py` compares them with learned splitters.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from caseframe.stages.extensions import forget_sentences, offsets_of, text_of

_CLOSERS = "\"'’”»)]}"
_CANDIDATE = re.compile(
    r"""(?P<stop>\.{1,4}|…|[!?]+)
        (?P<close>["'’”»)\]}]*)
        (?P<cite>(?:\ ?\[\d[\d,;\s–-]*\])            # normal.[1,2]  normal. [12]
                |(?:(?<=[^\W\d]{3}\.)|(?<=[)\]%]\.))\d{1,3}(?:[,–-]\ ?\d{1,3})*(?=\s+[^\W\d_a-z])  # pain.12,13 The
                |[⁰¹²³⁴-⁹]+(?:[,⁻–-][⁰¹²³⁴-⁹]+)*)?
        (?P<space>\s*)(?=\S)""",
    re.VERBOSE,
)
_LINE_BREAK = re.compile(r"[\n\r\v\f\x85\u2028\u2029]\s*")
_NEXT = re.compile(r"[\"'‘“«(\[{]*([^\W_][\w'’-]*)")
_BEFORE = re.compile(r"[^\s(\[{\"“‘«/–—]*$")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_OPENERS = "([{\"'“‘«"
# A bracket that does not close within so many characters was never closed.
_MAX_BRACKET = 300
_CAMEL = re.compile(r"[^\W\d_A-Z]{1,3}[A-Z]")
_MUTATION = re.compile(r"[A-Z](?:[a-z]{2})?\d")
# Without a blank after the stop only a word that ends in lower-case letters can end a sentence ("normal.The").
_GLUED = re.compile(r"[^\W\d_A-Z]{2}[)\]]?$")
_LIST_NUMBER = re.compile(r"(?:\d{1,2}|[a-h]|[ivx]{1,4})", re.IGNORECASE)

# After these a sentence goes on, whatever follows.
_NEVER = frozenset("fig figs dr drs mr mrs ms prof vs cf e.g eg i.e ie viz approx ca st messrs".split())
# After these it goes on before a number ("No. 3"), and before a lower-case word.
_BEFORE_NUMBER = frozenset(
    "chr no nos fig figs tab p pp vol ch chap art sec sect eq ref para approx ca max min avg jan feb mar apr jun "
    "jul aug sep sept oct nov dec ext tel cat lot var ver".split()
)
# Abbreviations that can end a sentence: it ends where a usual first word follows.
_MAYBE = frozenset(
    "al inc ltd co corp jr sr ph.d phd m.d md sp spp jan feb mar apr jun jul aug sep sept oct nov dec univ dept "
    "hosp assoc ref refs eq eqs pp ed eds nr resp incl esp def suppl subsp ssp cv var bp hon rev sgt capt col maj "
    "mt ft tab tabs inj caps syp exp sect natl int acad gov bros mol wt u.s u.k u.s.a e.u a.m p.m".split()
)
# Units and Latin dosage words: they end a sentence where a capital follows, and never before a lower-case word.
_SMALL = frozenset(
    "mg g kg ml l dl mm cm m km h hr hrs min mins s sec secs wk wks mo mos yr yrs y d in lb lbs oz mmhg hz khz mhz "
    "w v kv ma gy cgy u iu meq mmol max avg b.i.d t.i.d q.i.d bid tid qid q.d qd p.o po i.v iv i.m im s.c sc p.r pr "
    "p.r.n prn a.c p.c temp conc diff dist prox lat ant post sup inf med vert circ abd ext int no nos lt rt bilat "
    "pt pts wt ht approx".split()
)
# Nouns after which a single capital is a name, not an initial: "vitamin D. The".
_LETTERED = frozenset(
    "vitamin vitamins hepatitis type types group groups grade class stage figure table factor influenza protein "
    "patient patients case cases panel appendix phase category child influenzae score subtype allele chain arm "
    "level zone immunoglobulin haemophilia hemophilia virus strain cohort variant genotype and or blood".split()
)
_STARTERS = frozenset(
    "the a an this these those that there they their them he she his her him hers we our us it its i my you in on "
    "at by for from to of with without within after before during following upon since until while when where "
    "whereas although though however moreover furthermore nevertheless nonetheless therefore thus hence then "
    "additionally similarly finally subsequently consequently despite because as if unless once here both all some "
    "most many few several other others another each every one two three four five six seven eight nine ten no not "
    "none neither such what which who whose patient patients case cases result results conclusion conclusions "
    "background methods introduction discussion histopathology histological histopathological histologically "
    "immunohistochemistry immunohistochemical physical clinical clinically laboratory imaging magnetic computed "
    "surgical surgery treatment diagnosis biopsy microscopically initial initially postoperative postoperatively "
    "preoperative based given due according recent recently previous only even also so but and yet or nor are is "
    "was were do does did can could may might should would will has have had examination follow-up mri ct "
    "computerized radiographs chest abdominal blood serum genetic to-date usually instead early late further first "
    "second third current currently interestingly importantly unfortunately".split()
)


_BEFORE_NAMES = frozenset("by with of from to in the for and or as per via after see said dear surgeon".split())
_SPECIES = frozenset("Pylori Aureus Coli Difficile Albicans".split())


@Language.factory("caseframe_sentences", assigns=["token.is_sent_start", "doc.sents"], default_config={})
def create_sentences(nlp: Language, name: str) -> SentenceSplitter:
    """Factory of `caseframe_sentences`."""
    return SentenceSplitter()


class SentenceSplitter:
    """Sets where sentences start."""

    def __call__(self, doc: Doc) -> Doc:
        """Sets `is_sent_start` on every token."""
        offsets, flags = offsets_of(doc), np.full(len(doc), -1)
        for start in sentence_starts(text_of(doc)):
            place = bisect_left(offsets, start)
            if offsets[place] == start:
                flags[place] = 1
        if len(flags):
            flags[0] = 1
            # One array at once: setting `token.is_sent_start` a token at a time takes a hundred times as long.
            doc.from_array(["SENT_START"], flags.astype("uint64").reshape(-1, 1))  # type: ignore[arg-type]
        forget_sentences(doc)
        return doc


def sentence_starts(text: str) -> Iterator[int]:
    """Offsets at which a sentence starts, the first one left out; line breaks first, then full stops."""
    # Within these bounds every break is followed by a character, so that no pattern runs on through blanks in vain.
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())
    lines = [line.end() for line in _LINE_BREAK.finditer(text, first, last)]
    yield from lines
    start, line = first, 0
    for match in _CANDIDATE.finditer(text, first, last):
        while line < len(lines) and lines[line] <= match.start():
            start = max(start, lines[line])
            line += 1
        if _ends(text, match, start):
            start = match.end()
            yield start


def _ends(text: str, match: re.Match[str], start: int) -> bool:
    """Whether the sentence that began at `start` ends at this candidate."""
    stop, at = match.start(), match.end()
    after = text[at]
    if not match["space"] and not (after.isupper() and _GLUED.search(text, max(start, stop - 4), stop)):
        return False
    if _inside_bracket(text, start, stop, match.end("close")):
        return False
    following = _NEXT.match(text, at)
    word = following[1] if following else ""
    before = _word_before(text, max(start, stop - 40), stop)
    # "mRNA", "eZIS" can be first words, "with" cannot after anything but a plain full stop.
    goes_on = after.islower() and not _CAMEL.match(word)
    if match["stop"] != "." or match["cite"]:
        return not goes_on
    if match["close"]:
        return not goes_on and not (text[start] not in _OPENERS and _is_abbreviation(before))
    if text[stop - 1] in _CLOSERS:
        return not goes_on
    return _stop_ends(text, match, start, before, word)


def _inside_bracket(text: str, start: int, stop: int, end: int) -> bool:
    """Whether the stop stands inside a bracket that opened within the sentence and closes later."""
    opening = text.rfind("(", max(start, stop - _MAX_BRACKET), stop)
    if opening <= start or text.rfind(")", opening, end) >= 0:
        return False
    closing = text.find(")", end, end + _MAX_BRACKET)
    return closing >= 0 and text.find("(", end, closing) < 0 and text.find("\n", end, closing) < 0


def _word_before(text: str, begin: int, stop: int) -> str:
    """The end of the word before a stop; empty where there is a blank before it."""
    words = text[begin:stop].rsplit(None, 1)
    match = _BEFORE.search(words[-1]) if words and not text[stop - 1].isspace() else None
    return match[0] if match else ""


def _is_abbreviation(word: str) -> bool:
    folded = word.lower()
    return folded in _NEVER or folded in _MAYBE or folded in _BEFORE_NUMBER or bool(_DOTTED.fullmatch(word))


def _stop_ends(text: str, match: re.Match[str], start: int, before: str, word: str) -> bool:
    """Whether a single full stop after the word `before`, followed by `word`, ends the sentence."""
    is_lower, is_number = word[:1].islower(), word[:1].isdigit()
    if not before:  # a blank before the stop
        earlier = text[max(start, match.start() - 40) : match.start()].rstrip()
        return not is_lower and not (is_number and earlier[-1:].isdigit())
    if _LIST_NUMBER.fullmatch(before):
        is_first = match.start() - start < 12 and not text[start : match.start() - len(before)].strip(" (")
        if is_first or (is_lower and len(before) > 1) or (is_lower and before.isdigit()):
            return False
    if is_lower:
        before = before.rsplit("-", 1)[-1]
    # "MR." ends a sentence, "Mr." does not; "ms." is a unit, "Ms." a lady.
    folded = before if before == "ms" or (before.isupper() and before.isalpha() and len(before) > 1) else before.lower()
    if is_number and (folded in _BEFORE_NUMBER or before == "0"):
        return False
    if folded in _NEVER and before != "ms":
        return False
    if is_lower and (folded in _SMALL or folded in _MAYBE or folded in _BEFORE_NUMBER):
        return False
    if len(before) == 1 and before.isalpha():
        return _letter_ends(text, match, before, word)
    if folded in _MAYBE or _DOTTED.fullmatch(before):
        return word.lower() in _STARTERS and not is_lower
    return True


def _letter_ends(text: str, match: re.Match[str], letter: str, word: str) -> bool:
    """The same after a single letter: an initial, a unit, or a name such as vitamin D."""
    if not word[:1].isupper() or word in _SPECIES:
        return False
    if match.start() >= 2 and text[match.start() - 2] in "/–—":
        return True  # mmol/L.
    earlier = text[max(0, match.start() - 40) : match.start() - 1].rsplit(None, 1)
    noun = earlier[-1].strip("(") if earlier else ""
    if letter.islower():
        return not noun.endswith(".") and not _MUTATION.match(word)
    if word.lower() in _STARTERS or noun.lower() in _LETTERED:
        return True
    # "granzyme B. Staining" but "by J. Smith", "Charles D. Moore", "J. D. Moore"
    return (len(noun) > 1 and noun.islower() and noun not in _BEFORE_NAMES) or (letter == "I" and noun.isalpha())
