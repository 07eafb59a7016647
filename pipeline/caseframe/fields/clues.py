"""What the sentence says of a condition: what governs it, what it came after, whose it is.

"She developed a foot drop after resection" tells a complication by "developed" and "after" + an operation, however many
words lie between. Words that say the same of what they govern form a class, so that few examples teach a model each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from spacy.tokens import Doc, Span

from caseframe.fields.base import spans_in
from caseframe.fields.phrases import phrase_start
from caseframe.stages.extensions import lowers_of, sentence_bounds

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
_LINKS = dict.fromkeys("due secondary caused induced by from because complicating".split(), "of")
_LINKS |= dict.fromkeys(_AFTER, "after")
_OF_CAUSE_ENDINGS = ("-induced", "-related", "-associated")
_ACTS = frozenset({"procedure", "therapy", "implant"})
_REACH_LEFT = 30
_REACH_RIGHT = 10
_BEYOND = 6


def clues(span: Span) -> Iterator[str]:
    """Names of features of a mention; those of the words around it hold for all items of a list."""
    doc, start, end = span.doc, span.start, span.end
    words = lowers_of(doc)
    first, last = sentence_bounds(doc, start)
    begin = phrase_start(doc, start)
    for word in dict.fromkeys(words[begin:end]):
        yield f"inside={word}"
        if word.endswith(_OF_CAUSE_ENDINGS):
            yield f"inside -{word.rpartition('-')[2]}"
    left = _governor(words[max(first, begin - _REACH_LEFT) : begin][::-1])
    right = _governor(words[end : min(last, end + _REACH_RIGHT)])
    yield f"governed by={left}"
    yield f"followed by={right}"
    yield f"governed by={left}&followed by={right}"
    if _is_of_person(words, first, begin):
        yield "of a person"
    labels = _labels(doc)
    yield from dict.fromkeys(_after_what(labels, words, end, last))
    yield from dict.fromkeys(_before_what(labels, words, first, begin))


def _governor(words: Iterable[str]) -> str:
    for word in words:
        if word in _CLASSES:
            return _CLASSES[word]
    return "none"


def _is_of_person(words: Sequence[str], first: int, start: int) -> bool:
    """Whether "a woman with", "patients with" governs the words from `start` on, past the other items of a list."""
    for i in range(start - 1, first, -1):
        if words[i] in _CLASSES:
            return False
        if words[i] == "with":
            return words[i - 1] in _PERSONS
    return False


def _after_what(labels: Mapping[int, str], words: Sequence[str], end: int, last: int) -> Iterator[str]:
    """What a condition is said to follow or come of: "… after resection", "… due to the screw"."""
    for i, word in enumerate(words[end : min(last, end + _REACH_RIGHT)], end):
        link = _LINKS.get(word)
        if link:
            named = next((labels[j] for j in range(i + 1, min(last, i + 1 + _BEYOND)) if j in labels), "")
            if named:
                yield f"comes {link}={named}"


def _before_what(labels: Mapping[int, str], words: Sequence[str], first: int, begin: int) -> Iterator[str]:
    """What stands ahead of a condition in its sentence: an act of treatment, and whether "after" opens with it."""
    for i in range(first, begin):
        if i in labels and labels[i] in _ACTS:
            opened = not _AFTER.isdisjoint(words[max(first, i - _BEYOND) : i])
            yield f"ahead={'after ' if opened else ''}{labels[i]}"


def _labels(doc: Doc) -> dict[int, str]:
    """For each token inside a term of treatment, else of a condition, the field of that term."""
    known = doc.user_data.get(_LABELS)
    if not isinstance(known, dict):
        known = {}
        for span in spans_in(doc, "terms"):
            label = span.label_
            if label in _ACTS or label in ("diagnosis", "complication"):
                for i in range(span.start, span.end):
                    if label in _ACTS or i not in known:
                        known[i] = label
        doc.user_data[_LABELS] = known
    return known
