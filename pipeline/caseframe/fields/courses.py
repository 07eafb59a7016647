"""Phrases that tell how something went: by their build, since no lexicon lists what can get better or worse.

Builds, each with the name it gives the outcome:

a thing and a verb       "the headache resolved", "her symptoms did not improve"    headache resolution
a noun and its thing     "resolution of symptoms", "decrease in tumour size"        tumor size decrease
a thing and its state    "the graft was patent", "renal function remained stable"   graft patency, stable renal function
a verb and its thing     "alleviated her symptoms", "restoring joint stability"     joint stability restoration
a result and its worth   "an excellent functional result", "fair recovery"          functional result
a course by its name     "rapid tumour progression", "complete symptom relief"      tumor progression
a success                "was successfully reconstructed", "the reduction failed"   treatment success
a return                 "returned to her usual activities"                         return to usual activity
what is gone             "without any neurological symptoms"                        asymptomatic

Whether such a phrase is an outcome of this patient, `confidence.py` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.tokens import Doc, Span

from caseframe.fields.base import spans_of
from caseframe.fields.phrases import core_words, is_modifier, phrase
from caseframe.lexicons.folding import canonical
from caseframe.schema import Assertion
from caseframe.stages.extensions import lowers_of, sentence_bounds, text_of
from caseframe.stages.needles import finditer

_KEY = "caseframe.courses"


class Course(NamedTuple):
    """Words that tell how something went, and its name; the assertion where the words themselves have it."""

    span: Span
    value: str
    build: str
    """Its build: `verb`, `noun`, `state`, `object`, `result`, `name`, `success`, `return`, `gone`."""
    assertion: Assertion | None = None


_NOUN_OF_VERB = {
    "resolved": "resolution", "resolves": "resolution", "disappeared": "resolution", "subsided": "resolution",
    "cleared": "resolution", "vanished": "resolution", "abated": "resolution", "ceased": "resolution",
    "improved": "improvement", "ameliorated": "improvement", "alleviated": "relief", "relieved": "relief",
    "regressed": "regression", "shrank": "regression", "normalized": "normalization", "normalised": "normalization",
    "recovered": "recovery", "regained": "recovery", "restored": "recovery", "healed": "healing",
    "stabilized": "stabilization", "stabilised": "stabilization", "worsened": "deterioration",
    "deteriorated": "deterioration", "progressed": "progression", "decreased": "decrease", "declined": "decrease",
    "diminished": "decrease", "reduced": "reduction", "controlled": "control", "reversed": "reversal",
    "corrected": "correction", "preserved": "preservation", "maintained": "preservation", "persisted": "persistence",
    "returned": "normalization", "remitted": "remission", "responded": "response", "arrested": "arrest", "achieved": "",
}  # fmt: skip
# Without "did not", "failed to", these are no more than a wish or a rule.
_NOUN_OF_BASE = {
    "resolve": "resolution", "disappear": "resolution", "subside": "resolution", "improve": "improvement",
    "regress": "regression", "normalize": "normalization", "normalise": "normalization", "recover": "recovery",
    "heal": "healing", "respond": "response", "progress": "progression", "worsen": "deterioration",
    "decrease": "decrease", "clear": "resolution",
}  # fmt: skip
_VERBS = frozenset((*_NOUN_OF_VERB, *_NOUN_OF_BASE))
_PASSIVE = frozenset("was were been be".split())
_TO_NORMAL = re.compile(r"returned (?:back )?to (?:\w+ )?(?:normal|baseline|pre\w+)", re.IGNORECASE)
_FAILED = re.compile(
    r"\b(?:did not|didn't|failed to|does not|has not|have not|had not|not) (?:\w+ly )?\Z", re.IGNORECASE
)
_NOMINAL = re.compile(
    r"\b(?P<noun>resolution|improvements?|regression|disappearance|relief|recovery|normali[sz]ation|restoration|healing"
    r"|remission|alleviation|amelioration|cessation|reduction|deterioration|progression|worsening|decrease|return"
    r"|preservation|stabili[sz]ation|reversal|persistence|suppression) "
    r"(?:of|in|from) (?:the |his |her |all |this |these |both |any |a |normal )?(?P<object>(?:[\w'’-]+ ){0,3}?[\w'’-]+)"
    r"(?=[.,;:)]| (?:was|were|is|after|at|on|within|and|in|with|by|following|during|for|to|as|over|without)\b)",
    re.IGNORECASE,
)
_NOUN_VALUES = {"disappearance": "resolution", "alleviation": "relief", "amelioration": "improvement"}
_ACTIVE = re.compile(
    r"\b(?P<verb>(?:alleviat|ameliorat|improv|reduc|reliev|restor|preserv|maintain|revers|stabili[sz]|normali[sz]"
    r"|eliminat|resolv|achiev|regain|controll?)(?:ed|ing)|regain|improve"
    r"|(?P<failed>failed to) (?:resolv|control|improv|reliev|achiev)e?) "
    r"(?:the |his |her |all |these |both |a |an )(?P<object>(?:[\w'’-]+ ){0,3}?[\w'’-]+)"
    r"(?=[.,;:)]| (?:was|were|is|after|at|on|within|and|in|with|by|following|during|for|to|as|over|without|from|of)\b)",
    re.IGNORECASE,
)
_NOUN_OF_STEM = {
    "alleviat": "relief", "ameliorat": "improvement", "improv": "improvement", "reduc": "reduction", "reliev": "relief",
    "restor": "recovery", "preserv": "preservation", "maintain": "preservation", "revers": "reversal",
    "stabiliz": "stabilization", "stabilis": "stabilization", "normaliz": "normalization",
    "normalis": "normalization", "eliminat": "resolution",
    "resolv": "resolution", "achiev": "", "regain": "recovery", "control": "control",
}  # fmt: skip
# How a thing that is told of after "was", "remained" is: the name of the outcome, around the thing's.
_STATES = {
    "normal": "normal {}", "stable": "stable {}", "unchanged": "unchanged {}", "patent": "{} patency",
    "undetectable": "undetectable {}", "satisfactory": "{}", "excellent": "{}", "good": "{}", "fair": "{}",
    "poor": "{}", "well": "doing well", "healthy": "good general condition", "successful": "successful {}",
    "intact": "preserved {}", "favorable": "favorable {}", "favourable": "favorable {}", "viable": "{} viability",
    "functional": "{} function", "persistent": "persistent {}",
}  # fmt: skip
_COPULAS = frozenset("was were is are remained remains remain stayed became been being appeared turned".split())
_RESULT = re.compile(
    r"\b(?P<worth>excellent|good|fair|poor|satisf\w+|favou?rable|remarkable|successful|acceptable|dramatic|impressive"
    r"|complete|full|unremarkable|rapid|significant|marked|near[- ]normal|normal|immediate|effective|long-term"
    r"|sustained|durable|clinical|radiographic|radiological|functional|partial) "
    r"(?P<what>(?:(?:clinical|functional|cosmetic|a?esthetic|anatomic\w*|radiographic|radiological|oncologic\w*|visual|hearing"
    r"|neurologic\w*|psychological|surgical|long-term|short-term|final|overall|postoperative|therapeutic|symptom\w*|pain|motor"
    r"|and|or) ){0,4}"
    r"(?:results?|outcomes?|evolution|course|recovery|response|function|improvement|relief|resolution|remission|regression"
    r"|healing|union|fusion|consolidation|control))\b",
    re.IGNORECASE,
)
_NAMED = frozenset(
    "progression regression improvement recovery resolution relief healing normalization normalisation stabilization "
    "stabilisation deterioration shrinkage remission union consolidation epithelialization reduction".split()
)
# What may stand before "recovery" and makes it no other one; a complete or partial one is another.
_PLAIN = frozenset(
    "quick rapid uneventful unremarkable good clinical full dramatic postoperative post-operative overall final smooth "
    "excellent remarkable gradual".split()
)
_SUCCESS = re.compile(
    r"\b(?:(?:was|were|is|proved|proven|being|be|been) (?:\w+ )?(?P<un>un|not )?successful\b(?! in)"
    r"|(?:\w+ed )?successfully(?: \w+ed)?"
    r"|successful (?:[\w-]+ ){0,3}?(?:treatment|management|repair|resection|removal|reconstruction|closure|reduction"
    r"|excision|replacement|surgery|outcome|\w+(?:plasty|ectomy|tomy))"
    r"|(?:treatment|therapy|procedure|closure|attempts?|reduction|it|this) (?P<failed>failed))\b",
    re.IGNORECASE,
)
_RETURN = re.compile(
    r"\b(?:return(?:ed|ing|s)?|resum(?:ed|ing)|back|went back) (?:to |at |on )?"
    r"(?:(?:his|her|their|the|all|normal|usual|full|previous|daily|regular|light|pre\w+|sporting|physical|work|school"
    r"|athletic|unrestricted|active) ){0,4}"
    r"(?P<what>activit\w+|work|jobs?|school|sports?|play|duty|duties|life|training|diet|baseline|exercise|competition"
    r"|football|soccer|tennis|golf|running|function)\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:no|without|free of|free from)(?: any| further| residual| more| major| significant)* "
    r"(?:[\w-]+ )?(?:and \w+ )?"
    r"(?P<what>symptoms?|complaints?|limitations?|restrictions?|pain|discomfort|sequelae|deficits?|disability"
    r"|impairment)\b",
    re.IGNORECASE,
)
_SKIPPED = frozenset("was were has have had been be is are also then completely fully gradually rapidly dramatically "
                     "significantly markedly slowly spontaneously totally partially soon quickly well almost all "
                     "substantially remarkably greatly promptly immediately nearly near clinically eventually finally "
                     "subsequently uneventfully not did failed to does remained remains remain stayed became being "
                     "appeared turned still very successfully within profoundly considerably progressively slightly "
                     "temporarily clearly easily satisfactorily adequately both".split())  # fmt: skip
# What is done or given does not get better or worse; "therapy was restored", "training progressed" are no outcomes.
_NO_SUBJECTS = frozenset(
    "therapy treatment training surgery procedure operation administration study trial drug dose medication infusion "
    "case cases analysis rate measurement effect use "
    "year month week day hour cm mm kg which that who it they this there level mean".split()
)
# Fields whose terms are given or done, and so do not get better.
_GIVEN = frozenset({"therapy", "procedure", "imaging", "implant"})
# Nouns that make a participle before them part of a name.
_NAMES = frozenset("ratio dose doses trial study".split())
_PREPOSITIONS = frozenset("in of on at within from".split())
# Heads that `phrases.py` takes for the beginning of a list of them.
_COMPLAINTS = frozenset("symptom symptoms sign signs".split())
# Words that end a noun phrase; a possessive does not.
_NOT_WITHIN = STOP_WORDS - {"'s", "’s"}
_OBJECT_OF_ACTIVE = frozenset("the his her its their this these all both a an".split())
_PERSONS = frozenset(
    "patient he she child boy girl infant baby man woman they patients condition course evolution".split()
)
_OF_PERSON = {
    "improvement": "clinical improvement",
    "deterioration": "clinical deterioration",
    "progression": "disease progression",
    "response": "treatment response",
    "stable": "stable condition",
    "favorable": "favorable course",
    "doing well": "doing well",
    "good general condition": "good general condition",
}


_RETURNS = {
    "activity": "return to usual activities", "job": "return to work", "duty": "return to work",
    "football": "return to sport", "soccer": "return to sport", "tennis": "return to sport", "golf": "return to sport",
    "play": "return to sport", "competition": "return to sport", "life": "return to usual activities",
}  # fmt: skip
_GONES = {"pain": "pain free", "symptom": "asymptomatic", "complaint": "asymptomatic", "discomfort": "pain free"}


def courses(doc: Doc) -> list[Course]:
    """The phrases of a Doc that tell how something went, none inside another: the longer of two that overlap."""
    known = doc.user_data.get(_KEY)
    if isinstance(known, list):
        return known
    found = [
        *_by_verb(doc),
        *_by_noun(doc),
        *_by_state(doc),
        *_by_object(doc),
        *_by_result(doc),
        *_by_name(doc),
        *_successes(doc),
        *_returns(doc),
        *_gone(doc),
    ]
    kept: list[Course] = []
    for course in sorted(found, key=lambda each: (each.span.start - each.span.end, each.span.start)):
        if all(course.span.end <= other.span.start or other.span.end <= course.span.start for other in kept):
            kept.append(course)
    doc.user_data[_KEY] = sorted(kept, key=lambda each: each.span.start)
    return doc.user_data[_KEY]  # type: ignore[no-any-return]


def features(span: Span) -> Iterator[str]:
    """Names of features of an outcome: the build of the phrase that its words stand in."""
    over = [each for each in courses(span.doc) if each.span.start < span.end and span.start < each.span.end]
    for each in over[:1]:
        yield f"build={each.build}"
    if not over:
        yield "build=none"


def _by_verb(doc: Doc) -> Iterator[Course]:
    """ "The headache resolved", "her symptoms were completely relieved", "the patient recovered"."""
    text, words = text_of(doc), lowers_of(doc)
    for place in [place for place, word in enumerate(words) if word in _VERBS]:
        word, after = words[place], words[place + 1] if place + 1 < len(words) else ""
        noun = _NOUN_OF_VERB.get(word)
        begin = doc[place].idx
        failed = _FAILED.search(text[max(0, begin - 20) : begin]) is not None
        if noun is None and not failed:
            continue
        i = _subject_end(doc, place)
        if i is None or after in _NAMES:
            continue  # "the international normalized ratio"
        if word == "returned" and _TO_NORMAL.match(text, begin) is None:
            continue
        if word == "recovered" and not _PASSIVE.isdisjoint(words[i + 1 : place]):
            continue
        if i == place - 1 and after in _OBJECT_OF_ACTIVE:
            continue  # "the drug relieved his pain"
        told = _NOUN_OF_BASE[word] if noun is None else noun
        yield from _told_of(doc, i, place + 1, "verb", f"{{}} {told}".strip(), "absent" if failed else None)


def _subject_end(doc: Doc, place: int) -> int | None:
    """The last token of the subject before a verb or state; None where none can be one."""
    words, start = lowers_of(doc), sentence_bounds(doc, place)[0]
    i = place - 1
    while i >= start and words[i] in _SKIPPED:
        i -= 1
    return None if i < start or not words[i].isalpha() or words[i] in _NO_SUBJECTS else i


# "Reduction of the pelvic ring", "the fracture was reduced": what a surgeon does.
_REDUCED = re.compile(r"fracture|dislocat|fragment|hernia|luxation|intussusception|malrotation|joint", re.IGNORECASE)


# "Preservation of the facial nerve", "the spleen was preserved".
_SPARED = re.compile(
    r"\b(?:nerves?|roots?|vessels?|arter(?:y|ies)|veins?|muscles?|walls?|spleen|uterus|kidneys?|ligaments?|sphincters?|glands?"
    r"|bones?|joints?|skin|tissues?|rim)\Z",
    re.IGNORECASE,
)


def _is_maneuver(noun: str, things: Span) -> bool:
    """Whether a reduction is that of a bone or an organ to its place, or a preservation that of a part of the body."""
    if noun not in ("reduction", "preservation"):
        return False
    if (_REDUCED if noun == "reduction" else _SPARED).search(things.text) is not None:
        return True
    return any(things.start <= span.start and span.end == things.end for span in spans_of(things.doc, "terms", "site"))


def _told_of(doc: Doc, i: int, end: int, build: str, name: str, assertion: Assertion | None) -> Iterator[Course]:
    """The course of the subject that ends with token `i`, told up to token `end`."""
    head = lowers_of(doc)[i]
    if head in _PERSONS:
        key = name.replace("{}", "").strip()
        if key in _OF_PERSON or key in ("recovery", "healing", "remission"):
            yield Course(doc[i:end], _OF_PERSON.get(key, key), build, assertion)
        return
    subject = phrase(doc, i, i + 1)
    given = (span for field in _GIVEN for span in spans_of(doc, "terms", field))
    if build == "verb" and any(subject.end - 1 < span.end and span.start < subject.end for span in given):
        return
    if _is_maneuver(name.removeprefix("{} "), subject):
        return
    subject, words = _whole_subject(doc, subject, sentence_bounds(doc, subject.start)[0])
    if words and head not in STOP_WORDS and not head.endswith("ly"):
        thing = canonical(" ".join((*words[:-1], canonical(words[-1]))))
        yield Course(doc[subject.start : end], name.format(thing), build, assertion)


def _whole_subject(doc: Doc, noun: Span, first: int) -> tuple[Span, list[str]]:
    """The subject with the noun before its preposition, and its words: "metastases in the liver"."""
    lowers, i = lowers_of(doc), noun.start - 1
    while i > first and lowers[i] in _OBJECT_OF_ACTIVE:
        i -= 1
    if i <= first or lowers[i] not in _PREPOSITIONS or not is_modifier(doc, i - 1):
        return noun, core_words(noun)
    head = phrase(doc, i - 1, i)
    words = core_words(head)
    if lowers[i] == "of":
        words = [*core_words(noun), *words]
    return doc[head.start : noun.end], words


def _by_state(doc: Doc) -> Iterator[Course]:
    """ "The graft was patent", "renal function remained stable"."""
    words = lowers_of(doc)
    for place in [place for place, word in enumerate(words) if word in _STATES]:
        i = _subject_end(doc, place)
        if i is None or _COPULAS.isdisjoint(words[i + 1 : place]):
            continue
        denied = "not" in words[i + 1 : place]
        yield from _told_of(doc, i, place + 1, "state", _STATES[words[place]], "absent" if denied else None)


def _by_noun(doc: Doc) -> Iterator[Course]:
    """ "Complete resolution of symptoms", "improvement in visual acuity"."""
    for match, span in _matches(doc, _NOMINAL):
        noun = canonical(match["noun"])
        yield from _of_object(doc, match, span, "noun", _NOUN_VALUES.get(noun, noun))


def _by_object(doc: Doc) -> Iterator[Course]:
    """ "Alleviating her symptoms", "restored the stability of the knee"."""
    for match, span in _matches(doc, _ACTIVE):
        verb = match["verb"].lower().removeprefix("failed to ")
        stem = next(stem for stem in _NOUN_OF_STEM if verb.startswith(stem))
        for course in _of_object(doc, match, span, "object", _NOUN_OF_STEM[stem]):
            yield course._replace(assertion="absent") if match["failed"] else course


def _by_result(doc: Doc) -> Iterator[Course]:
    """ "An excellent functional result", "unremarkable recovery"."""
    for match, span in _matches(doc, _RESULT):
        value = _result_named(match["worth"].lower(), canonical(match["what"].lower()))
        yield Course(span, value, "result")


def _result_named(worth: str, what: str) -> str:
    """The name of a result: what it is the result of, the worth only where that says nothing."""
    head = what.split()[-1]
    if head in ("result", "outcome", "recovery") and "functional" in (*what.split(), worth):
        return "functional recovery"
    if head in ("evolution", "course"):
        return "poor course" if worth == "poor" else "favorable course"
    if head == "recovery" and _PLAIN.issuperset(what.split()[:-1]):
        return "recovery"
    return f"{worth} {what}" if what in ("result", "outcome", "response") else what


# "Open reduction", "fracture reduction", "high resolution CT" are no courses.
_NO_NAMES = frozenset(("open", "closed", "fracture", "high", "low"))


def _by_name(doc: Doc) -> Iterator[Course]:
    """ "Rapid tumour progression": a course named after what it is the course of."""
    lowers = lowers_of(doc)
    for i, name in enumerate(lowers):
        if name in _NAMED and _PREPOSITIONS.isdisjoint(lowers[i + 1 : i + 2]):
            span = phrase(doc, i, i + 1)
            words = core_words(span)
            if len(span) > 1 and words and words[0].lower() not in _NO_NAMES:
                plain = name == "recovery" and _PLAIN.issuperset(word.lower() for word in words[:-1])
                yield Course(span, "recovery" if plain else canonical(" ".join(words)), "name")


def _successes(doc: Doc) -> Iterator[Course]:
    """ "Was successfully reconstructed", "the treatment failed"."""
    text = text_of(doc)
    if "uccess" not in text and "failed" not in text:
        return
    for match, span in _matches(doc, _SUCCESS):
        yield Course(span, "treatment failure" if match["un"] or match["failed"] else "treatment success", "success")


def _returns(doc: Doc) -> Iterator[Course]:
    """ "Returned to her usual activities", "resumed work"."""
    for match, span in _matches(doc, _RETURN):
        what = canonical(match["what"].lower())
        yield Course(span, _RETURNS.get(what, f"return to {what}"), "return")


def _gone(doc: Doc) -> Iterator[Course]:
    """ "Without any neurological symptoms", "no pain"."""
    for match, span in _matches(doc, _GONE):
        what = canonical(match["what"].lower())
        yield Course(span, _GONES.get(what, f"no {what}"), "gone", "present")


def _matches(doc: Doc, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], Span]]:
    for match in finditer(pattern, text_of(doc)):
        span = doc.char_span(match.start(), match.end(), alignment_mode="expand")
        if span is not None:
            yield match, span


def _of_object(doc: Doc, match: re.Match[str], span: Span, build: str, noun: str) -> Iterator[Course]:
    things = doc.char_span(*match.span("object"), alignment_mode="expand") or span
    if _is_maneuver(noun, things):
        return
    named = _object(things)
    if named in _PERSONS:
        yield Course(span, _OF_PERSON.get(noun, noun), build)
    elif named and named.split()[-1] not in _NO_SUBJECTS:
        yield Course(span, named if noun in named.split() or not noun else f"{named} {noun}", build)


def _object(words: Span) -> str:
    """The name of an object: its words from the first that can begin a noun phrase to the first that cannot go on."""
    doc, lowers = words.doc, lowers_of(words.doc)
    first = (i for i in range(words.start, words.end) if is_modifier(doc, i) or lowers[i] in _COMPLAINTS)
    start = next(first, words.end)
    end = next((i for i in range(start, words.end) if lowers[i] in _NOT_WITHIN), words.end)
    if start >= end or doc[words.start].like_num:
        return ""
    named = core_words(doc[start:end])
    return canonical(" ".join((*named[:-1], canonical(named[-1])))) if named else ""
