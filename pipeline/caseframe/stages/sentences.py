"""Sentence boundaries, by rule: sets `token.is_sent_start` for every token.

A full stop ends a sentence unless what stands before it is an abbreviation, an initial or a list number, or what
follows shows that the sentence goes on. A line break always ends one. Semicolons and colons never do. The rules need
no weights and run on the raw text; `benchmarks/sentences.py` compares them with learned splitters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

_CLOSERS = "\"'’”»)]}"
_CANDIDATE = re.compile(
    r"""(?P<stop>\.{1,4}|…|[!?]+)
        (?P<close>["'’”»)\]}]*)
        (?P<cite>(?:\ ?\[\d[\d,;\s–-]*\])            # normal.[1,2]  normal. [12]
                |(?<=[^\W\d]\.)\d{1,3}(?:[,–-]\ ?\d{1,3})*(?=\s+[^\W\d_a-z])   # metastasis.12,13 The
                |[⁰¹²³⁴-⁹]+(?:[,⁻–-][⁰¹²³⁴-⁹]+)*)?
        (?P<space>\s*)(?=\S)""",
    re.VERBOSE,
)
_LINE_BREAK = re.compile(r"\s*[\n\r\v\f\x85\u2028\u2029]\s*(?=\S)")
_NEXT = re.compile(r"[\"'‘“«(\[{]*([^\W_][\w'’-]*)")
_BEFORE = re.compile(r"[^\s(\[{\"“‘«/–—]*$")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_LIST_NUMBER = re.compile(r"(?:\d{1,2}|[a-h]|[ivx]{1,4})", re.IGNORECASE)

# After these a sentence goes on, whatever follows.
_NEVER = frozenset(
    "fig figs dr drs mr mrs ms prof vs cf e.g eg i.e ie viz approx ca st ref refs eq eqs vol pp ed eds nr nos dept "
    "resp incl esp def suppl subsp ssp cv var bp messrs hon rev gen sgt capt col maj mt ft tab tabs inj cap caps "
    "syp exp prim sec art chap sect ser ep".split()
)
# After these it goes on before a number ("No. 3"), and before a lower-case word.
_BEFORE_NUMBER = frozenset(
    "no nos fig figs tab p pp vol ch chap art sec sect eq ref para approx ca max min avg jan feb mar apr jun jul "
    "aug sep sept oct nov dec ext tel cat lot var ver".split()
)
# Abbreviations that can end a sentence: it ends where a usual first word follows.
_MAYBE = frozenset(
    "al etc inc ltd co corp jr sr ph.d phd m.d md sp spp jan feb mar apr jun jul aug sep sept oct nov dec univ dept "
    "hosp assoc natl int acad gov bros mol wt u.s u.k u.s.a e.u a.m p.m".split()
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
    "computerized radiographs chest abdominal blood serum genetic to-date early late further first second third "
    "current currently interestingly importantly unfortunately".split()
)


@Language.factory("caseframe_sentences", assigns=["token.is_sent_start", "doc.sents"], default_config={})
def create_sentences(nlp: Language, name: str) -> SentenceSplitter:
    """Factory of `caseframe_sentences`."""
    return SentenceSplitter()


class SentenceSplitter:
    """Sets where sentences start."""

    def __call__(self, doc: Doc) -> Doc:
        """Sets `is_sent_start` on every token."""
        starts = set(sentence_starts(doc.text))
        for token in doc:
            token.is_sent_start = token.i == 0 or token.idx in starts
        return doc


def sentence_starts(text: str) -> Iterator[int]:
    """Offsets at which a sentence starts, the first one left out."""
    first = len(text) - len(text.lstrip())
    for match in _LINE_BREAK.finditer(text, first):
        yield match.end()
    start = 0
    for match in _CANDIDATE.finditer(text):
        if _ends(text, match, start):
            start = match.end()
            yield start


def _ends(text: str, match: re.Match[str], start: int) -> bool:
    after = text[match.end()]
    if not match["space"] and not after.isupper():
        return False
    if after.islower() and (match["close"] or match["stop"][0] != "."):
        return False
    following = _NEXT.match(text, match.end())
    word = following[1] if following else ""
    if match["stop"] != "." or match["close"] or match["cite"]:
        return not after.islower()
    before_match = _BEFORE.search(text, max(start, match.start() - 40), match.start())
    before = before_match[0] if before_match else ""
    return _stop_ends(text, match, start, before, word)


def _stop_ends(text: str, match: re.Match[str], start: int, before: str, word: str) -> bool:
    """Whether a single full stop after the word `before`, followed by `word`, ends the sentence."""
    folded = before.lower()
    is_lower, is_number = word[:1].islower(), word[:1].isdigit()
    if not before or (_LIST_NUMBER.fullmatch(before) and not text[start : match.start() - len(before)].strip(" (")):
        return False
    if is_number and (folded in _BEFORE_NUMBER or before == "0"):
        return False
    if folded in _NEVER or (is_lower and (folded in _SMALL or folded in _MAYBE or folded in _BEFORE_NUMBER)):
        return False
    if len(before) == 1 and before.isalpha():
        return _letter_ends(text, match, before, word)
    if folded in _MAYBE or _DOTTED.fullmatch(before):
        return word.lower() in _STARTERS and not is_lower
    return True


def _letter_ends(text: str, match: re.Match[str], letter: str, word: str) -> bool:
    if word[:1].islower():
        return False
    earlier = text[: match.start() - 1].rsplit(None, 1)
    noun = earlier[-1].lower().strip("(") if earlier else ""
    if letter.islower():
        return not noun.endswith(".") and word[:1].isupper()
    return noun in _LETTERED or word.lower() in _STARTERS
