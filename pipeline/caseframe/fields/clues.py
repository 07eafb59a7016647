"""What the sentence says of a condition: what governs it, what it came after, whose it is.

"She developed a foot drop after resection" tells a complication by "developed" and "after" + an operation, however many
words lie between. Words that say the same of what they govern form a class, so that few examples teach a model each.
"""

from __future__ import annotations

from collections.abc import Iterator

from spacy.tokens import Doc, Span

from caseframe.fields.base import spans_in
from caseframe.fields.phrases import phrase
from caseframe.stages.extensions import lowers_of, sentence_of

_LABELS = "caseframe.clue_labels"
_CLASSES = {
    word: name
    for name, words in {
        "presents": """presented presenting presents presentation complained complaining complaints complaint admitted
            admission referred came visited attended consulted hospitalized hospitalised symptoms symptom""",
        "develops": """developed developing develops experienced suffered occurred occurrence appeared arose emerged
            onset became sustained""",
        "finds": """revealed revealing reveals showed showing shows shown demonstrated demonstrating detected found
            disclosed identified noted observed noticed seen discovered examination findings""",
        "diagnoses": "diagnosed diagnosis diagnoses confirmed confirming consistent compatible diagnostic established",
        "suspects": """suspected suspicion suspicious suggested suggesting suggestive mimicking mimicked mimicks
            misdiagnosed differential excluded considered""",
        "history": """history previously previous prior past known comorbidities comorbidity background earlier
            underlying preexisting pre-existing""",
        "complicates": """complicated complication complications complicating postoperatively postoperative iatrogenic
            adverse aftermath sequelae sequela""",
        "causes": "caused causing cause led leading resulted resulting due secondary induced because owing attributed",
        "treats": """treated treatment treating underwent undergoing undergone performed surgery operated therapy
            managed management receiving received repair resection""",
        "improves": """resolved resolution improved improvement improving relieved relief disappeared recovered recovery
            subsided regressed healed decreased""",
        "worsens": "worsened worsening deteriorated deterioration progressed progressive recurred exacerbated",
        "reports": "report reported describe described case cases",
        "dies": "died death succumbed",
        "risks": "risk risks prevent prevented avoid avoided prevention",
    }.items()
    for word in words.split()
}
_PERSONS = frozenset(
    """man woman boy girl male female patient patients child infant newborn neonate lady gentleman baby men women
    children boys girls person adult adolescent""".split()
)
_AFTER = frozenset("after following during post since".split())
_OF_CAUSE = frozenset("due secondary caused induced by from because complicating".split())
_ACTS = frozenset({"procedure", "therapy", "implant"})
_REACH_LEFT = 30
_REACH_RIGHT = 10
_BEYOND = 6


def clues(span: Span) -> Iterator[str]:
    """Names of features of a mention; those of the words around it hold for all items of a list."""
    doc = span.doc
    words = lowers_of(doc)
    sentence = sentence_of(span)
    full = phrase(doc, span.start, span.end)
    for word in dict.fromkeys(words[full.start : full.end]):
        yield f"inside={word}"
        for end in ("-induced", "-related", "-associated"):
            if word.endswith(end):
                yield f"inside {end}"
    left = _governor(words, range(full.start - 1, max(sentence.start, full.start - _REACH_LEFT) - 1, -1))
    right = _governor(words, range(span.end, min(sentence.end, span.end + _REACH_RIGHT)))
    yield f"governed by={left}"
    yield f"followed by={right}"
    yield f"governed by={left}&followed by={right}"
    if _is_of_person(words, sentence.start, full.start):
        yield "of a person"
    yield from dict.fromkeys(_after_what(doc, words, span, sentence))
    yield from dict.fromkeys(_before_what(doc, words, full, sentence))


def _governor(words: list[str], places: range) -> str:
    return next((_CLASSES[words[i]] for i in places if words[i] in _CLASSES), "none")


def _is_of_person(words: list[str], first: int, start: int) -> bool:
    """Whether "a woman with", "patients with" governs the words from `start` on, past the other items of a list."""
    for i in range(start - 1, first, -1):
        if words[i] in _CLASSES:
            return False
        if words[i] == "with":
            return words[i - 1] in _PERSONS
    return False


def _after_what(doc: Doc, words: list[str], span: Span, sentence: Span) -> Iterator[str]:
    """What a condition is said to follow or come of: "… after resection", "… due to the screw"."""
    labels = _labels(doc)
    for i in range(span.end, min(sentence.end, span.end + _REACH_RIGHT)):
        link = "after" if words[i] in _AFTER else "of" if words[i] in _OF_CAUSE else ""
        if link:
            for j in range(i + 1, min(sentence.end, i + 1 + _BEYOND)):
                if j in labels:
                    yield f"comes {link}={labels[j]}"
                    break


def _before_what(doc: Doc, words: list[str], full: Span, sentence: Span) -> Iterator[str]:
    """What stands ahead of a condition in its sentence: an act of treatment, and whether "after" opens with it."""
    labels = _labels(doc)
    for i in range(sentence.start, full.start):
        if labels.get(i) in _ACTS:
            opened = any(words[j] in _AFTER for j in range(max(sentence.start, i - _BEYOND), i))
            yield f"ahead={'after ' if opened else ''}{labels[i]}"


def _labels(doc: Doc) -> dict[int, str]:
    """For each token inside a term of treatment, else of a condition, the field of that term."""
    known = doc.user_data.get(_LABELS)
    if not isinstance(known, dict):
        known = {}
        for span in spans_in(doc, "terms"):
            if span.label_ in _ACTS or span.label_ in ("diagnosis", "complication"):
                for i in range(span.start, span.end):
                    if span.label_ in _ACTS or i not in known:
                        known[i] = span.label_
        doc.user_data[_LABELS] = known
    return known
