"""What the sentence says of a condition: what governs it, what it came after, whose it is.

"She developed a foot drop after resection" tells a complication by "developed" and "after" + an operation, however many
words lie between. Words that say the same of what they govern form a class, so that few examples teach a model each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spacy.tokens import Doc, Span

from caseframe.fields.base import rows_in
from caseframe.fields.linear import Bag
from caseframe.fields.phrases import phrase_start
from caseframe.stages.extensions import lowers_of, sentence_bounds

_AROUND = "caseframe.clue_words"
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


def clues(span: Span, place: str) -> Iterator[Bag]:
    """The features of a mention; those of the words around it hold for all items of a list.

    `place`: whether the mention stands before or after the treatment or in the title; it colours what is said.
    """
    doc, start, end = span.doc, span.start, span.end
    words = lowers_of(doc)
    first, last = sentence_bounds(doc, start)
    begin = phrase_start(doc, start)
    inside = dict.fromkeys(words[begin:end])
    yield "inside=", inside
    for word in inside:
        if word.endswith(_OF_CAUSE_ENDINGS):
            yield "inside -", [word.rpartition("-")[2]]
    yield _of_governors, (*_before(words, first, begin), _behind(words[end : min(last, end + _REACH_RIGHT)]), place)
    links, acts = _links_and_acts(doc)
    if came := dict.fromkeys(name for i, name in links if end <= i < min(last, end + _REACH_RIGHT)):
        yield "", [each for name in came for each in (name, f"{name}&place={place}")]
    if ahead := dict.fromkeys(name for i, name in acts if first <= i < begin):
        yield "ahead=", ahead


def _of_governors(left: str, of_person: bool, right: str, place: str) -> Iterator[str]:
    for name in (f"governed by={left}", f"followed by={right}", f"governed by={left}&followed by={right}"):
        yield name
        yield f"{name}&place={place}"
    if of_person:
        yield "of a person"


def _before(words: Sequence[str], first: int, begin: int) -> tuple[str, bool]:
    """What governs the words from `begin` on, and whether "a woman with", "patients with" does.

    The other items of a list may stand between.
    """
    of_person = None
    for i in range(begin - 1, first - 1, -1):
        word = words[i]
        if word in _CLASSES:
            return _CLASSES[word] if begin - i <= _REACH_LEFT else "none", of_person is True
        if word == "with" and of_person is None and i > first:
            of_person = words[i - 1] in _PERSONS
    return "none", of_person is True


def _behind(words: Iterable[str]) -> str:
    return next((_CLASSES[word] for word in words if word in _CLASSES), "none")


def _links_and_acts(doc: Doc) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Words that say what a condition before them follows or comes of ("… after resection", "… due to the screw").

    And the acts of treatment that can stand ahead of one, with whether "after" opens with them. Both by token, found
    once a Doc.
    """
    known: tuple[list[tuple[int, str]], list[tuple[int, str]]] | None = doc.user_data.get(_AROUND)
    if known is None:
        words, labels = lowers_of(doc), _labels(doc)
        links, acts = [], []
        for i in [i for i, word in enumerate(words) if word in _LINKS]:
            end = min(sentence_bounds(doc, i)[1], i + 1 + _BEYOND)
            named = next((labels[j] for j in range(i + 1, end) if j in labels), "")
            if named:
                links.append((i, f"comes {_LINKS[words[i]]}={named}"))
        for i, label in sorted(labels.items()):
            if label in _ACTS:
                opened = not _AFTER.isdisjoint(words[max(sentence_bounds(doc, i)[0], i - _BEYOND) : i])
                acts.append((i, f"after {label}" if opened else label))
        known = doc.user_data[_AROUND] = links, acts
    return known


def _labels(doc: Doc) -> dict[int, str]:
    """For each token inside a term of treatment, else of a condition, the field of that term."""
    labels: dict[int, str] = {}
    for start, end, label, _ in rows_in(doc, "terms"):
        if label in _ACTS or label in ("diagnosis", "complication"):
            for i in range(start, end):
                if label in _ACTS or i not in labels:
                    labels[i] = label
    return labels
