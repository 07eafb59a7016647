"""Noun phrases without a parser: from a head word to its modifiers, by words that cannot stand inside a phrase."""

from __future__ import annotations

import re
from functools import lru_cache

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.tokens import Doc, Span

from caseframe.lexicons.folding import CACHED_PHRASES
from caseframe.stages.extensions import lowers_of, sentence_bounds, texts_of

MAX_MODIFIERS = 5
_DASHES = frozenset("-‐‑–−")
# Verbs and adverbs of clinical prose that stand right before a noun phrase and are no part of it.
_BREAKS = frozenset(
    """developed showed shown shows revealed reveals revealing demonstrated demonstrating demonstrates presented
    presenting presents diagnosed underwent undergone undergoing undergo had has having have was were been being is are
    experienced suffered suffering suffers reported reporting reports described describing describes noted noting
    detected identified found suggested suggesting suggests indicated indicating confirmed confirming exhibited
    exhibiting causing caused causes cause including included include involving involved received receiving performed
    performing treated treating developing developments mimicking mimics mimicked excluded excluding complicated
    complicating resembling representing represents represented included showing displayed displaying discovered
    observed observing required requiring requires induced led leading resulted resulting results complaining complained
    discussing discuss discussed review reviewed case cases patient patients man woman male female boy girl year years
    old day days week weeks month months history evidence sign signs symptom symptoms diagnosis presence absence
    because therefore thus however although despite due secondary subsequent subsequently associated concomitant
    including regarding concerning versus vs via per plus fig figure table we our us he she his her its their they
    suspected possible probable presumed known underlying likely first second third rare unusual uncommon new novel
    typical atypical common present index resolved died remained became become achieved denied without with following
    preceding experience experiences improve improves improving worsen cm mm kg mg ml manifested manifesting
    manifests persisted underlies followed besides until felt got became""".split()
)
# "83-year-old", "2.5-cm", "1.0": what is measured or counted stands before a phrase and is no part of it.
_MEASURED = re.compile(r"\A\d[\d.,×x]*(?:-?(?:cm|mm)|-(?:year|month|week|day|hour)s?(?:-old)?|%)?\Z")
# Modifiers that a canonical value leaves out.
_DROPPED = frozenset(
    """severe mild moderate massive extensive progressive large small huge giant left right bilateral left-sided
    right-sided multiple several single solitary marked significant slight minor major persistent intermittent sudden
    gradual ongoing diffuse increasing worsening initial early late recurrent complete partial subsequent associated
    painless painful obvious gross mild-to-moderate postoperative preoperative intraoperative further additional
    similar other isolated symptomatic asymptomatic apparent frequent repeated constant occasional spontaneous
    residual previous prior young elderly expanding enlarging enlarged growing delayed unexpected simultaneous sporadic
    predominant intense controlled uncontrolled uncontrollable anticipated true general increased varying various
    aggravated profound ill-defined well-defined current unknown sided onset longstanding long-standing preexisting
    pre-existing existing unilateral remarkable notable dramatic striking fatal life-threatening serious evident
    prominent pronounced excessive overt concurrent coexisting coexistent coincident main former original larger
    smaller later earlier little limited recent vague""".split()
)


def phrase(doc: Doc, start: int, end: int) -> Span:
    """The noun phrase whose head is `doc[start:end]`: up to five modifiers before it, within the sentence."""
    return Span(doc, phrase_start(doc, start), end)


def phrase_start(doc: Doc, start: int) -> int:
    """The first token of the noun phrase whose head begins at `start`."""
    words = texts_of(doc)
    first = start
    limit = max(sentence_bounds(doc, start)[0], start - MAX_MODIFIERS)
    while first > limit:
        if _modifies(words[first - 1]):
            first -= 1
        elif first - 2 >= limit and _is_joint(doc, first - 1) and _modifies(words[first - 2]):
            first -= 2
        else:
            break
    return first


def _is_joint(doc: Doc, i: int) -> bool:
    """Whether a token is the dash inside a word: "Klippel–Feil"."""
    return i > 0 and texts_of(doc)[i] in _DASHES and not (doc[i].whitespace_ or doc[i - 1].whitespace_)


def is_modifier(doc: Doc, i: int) -> bool:
    """Whether a token can modify the noun after it."""
    return _modifies(texts_of(doc)[i])


@lru_cache(maxsize=CACHED_PHRASES)
def _modifies(text: str) -> bool:
    word = text.lower()
    if not text[0].isalnum() or word in STOP_WORDS or word in _BREAKS:
        return False
    return not word.endswith("ly") and _MEASURED.match(word) is None


def core_words(span: Span) -> list[str]:
    """The words of a phrase that name the thing: without side, degree and course."""
    doc = span.doc
    texts, lowers = texts_of(doc), lowers_of(doc)
    words: list[str] = []
    joint = False
    for i in range(span.start, span.end):
        if joint and words:
            words[-1] += texts[i]
            joint = False
        elif words and _is_joint(doc, i):
            words[-1] += "-"
            joint = True
        elif lowers[i] not in _DROPPED:
            words.append(texts[i])
    return words
