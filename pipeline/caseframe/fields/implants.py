"""Devices: a head ("prosthesis", "screw-rod system") with the words that say of what, how and by whom it was made.

A device is often told several ways: "a 3D-printed implant", "a customized titanium prosthesis", "the implant". Mentions
of the same or a general head are one device: they get one value, and the fullest of them carries the attributes of all.
What a following sentence says of "it" belongs to the device before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from spacy.tokens import Doc, Span

from caseframe.fields.anatomy_words import BODY_NOUNS, SIDES, covered, is_body_word
from caseframe.fields.base import make_finding, sentence_text, spans_in, spans_of, term_at
from caseframe.lexicons import Term, builtin_lexicon
from caseframe.lexicons.folding import canonical, fold_word
from caseframe.schema import AttributeValue, Finding
from caseframe.stages.entities import SPANS, confidence_of
from caseframe.stages.extensions import bounds_of_sentences, lowers_of, sentence_bounds, text_of
from caseframe.stages.narrative import is_general

SOURCE = "implants"
FIELD = "implant"

# The role of a lexicon row and the attribute that it fills.
_ATTRIBUTE_OF = {"material": "material", "manufacture": "manufacture", "feature": "features", "fixation": "fixation"}

# General heads and the heads that they may stand for.
_PROSTHETIC = re.compile(r"prosthesis|implant|cage|spacer|replacement|\bstem|\bdisc\b")
# What else an "implant" may be where it is the only device told.
_FIXATORS = re.compile(r"plate|nail|rod|screw|wire|mesh|device|system")
_GENERAL: dict[str, re.Pattern[str]] = {
    "implant": _PROSTHETIC,
    "prosthesis": re.compile(r"prosthesis|valve"),
    "endoprosthesis": re.compile(r"prosthesis"),
    "device": re.compile(r"device|stimulator|pacemaker|defibrillator|occluder|pump|stent|fixator|implant|prosthesis"),
    "construct": re.compile(r"system|construct|instrumentation|plate|screw|rod"),
    "hardware": re.compile(r"plate|nail|screw|rod|wire|instrumentation|fixator"),
    "instrumentation": re.compile(r"instrumentation|screw|rod"),
    "graft": re.compile(r"graft|patch"),
}
# Heads that are everyday words as well: they need words of their own, or a verb of placing in the sentence.
_AMBIGUOUS = frozenset(
    """device construct instrumentation hardware cup liner augment pin wire cable tape port balloon membrane patch
    crown sling scaffold shunt conduit graft tube drain catheter spacer staple electrode clip coil plate rod
    cage stent screw mesh pledget denture abutment valve cannula halo""".split()
)
_PLACED = re.compile(
    r"\b(?:implant(?:ed|ation|ing)?|insert(?:ed|ion|ing)?|plac(?:ed|ement|ing)|fix(?:ed|ation|ing|ated)|reconstruct(?:ed|ion|ing)?|"
    r"replac(?:ed|ement|ing)|stabili[sz](?:ed|ation)|using|used|deploy(?:ed|ment)|remov(?:ed|al|ing)|exchang(?:ed|e)|repair(?:ed)?|"
    r"cover(?:ed|ing)|clos(?:ed|ure|ing)|sutured|attached|anchored|fill(?:ed|ing)|interpos(?:ed|ition)|harvest(?:ed)?|"
    r"received|migrat(?:ed|ion)|dislodg(?:ed|ement)|broken|broke|fractured|revis(?:ed|ion)|emboli[sz](?:ed|ation)|drain(?:ed|age)|"
    r"fused|instrumented|treated|fitted|install(?:ed|ation)|bridg(?:ed|ing)|graft(?:ed|ing)|retriev(?:ed|al)|wired)\b",
    re.I,
)
# The device as an attribute of an event: present in the body, but not what the sentence tells.
_EVENTS = frozenset(
    """failure failures fracture fractures loosening infection infections thrombosis thromboses migration dislodgement
    dislocation exposure rejection complication complications erosion occlusion survival malposition malfunction
    related rupture leakage dysfunction stenosis restenosis function failure-related breakage extrusion""".split()
)
_NOT_BEFORE = frozenset(
    """surgery surgeon surgeons dentistry therapy technology design technique techniques companies company industry
    market stabilization-related culture cultures use recipient recipients donor donors specimen tip tips
    survival-analysis like versus host""".split()
)
_GRAFT_OF_ORGAN = re.compile(r"kidney|renal|liver|hepatic|heart|cardiac|lung|pancrea|transplant|islet|stem|host")
_ORGAN_TRANSPLANT = re.compile(
    r"(?:kidney|liver|heart|lung|pancreas|stem cell|marrow|islet|intestinal) transplantation"
)
_DETERMINERS = frozenset("the a an his her this that its their each one two three four both new old".split())
_MADE = re.compile(
    r"^(?:consist(?:ed|s|ing)?|incorporat(?:ed|es|ing)|compris(?:ed|es|ing)|composed|made|manufactured|printed|fabricated|coated|"
    r"produced|constructed|designed|contain(?:ed|s|ing)|featur(?:ed|es|ing)|built|covered)$"
)
_ADDED = re.compile(r"^(?:it|this|the (?:implant|prosthesis|device|construct|cage|plate))\b", re.I)
_POINTING = ("it", "this", "the")
_UP_TO = re.compile(
    r"\b(?:up|down) to (?:the )?(?:level of )?(?:the )?(?P<level>[CTLS]\d{1,2}(?:[-–/][CTLS]?\d{1,2})?)\b"
)
_PASSIVE = frozenset("was were is are been being then also put".split())
_SITE_PREPOSITIONS = frozenset(("in", "into", "of", "to", "at", "on", "for", "within", "through", "via"))
_EVERYDAY = frozenset(
    "pipeline cypher integra taxus excluder watchman zenith impella precice liss ahmed philos".split()
)
# What the word before or after makes of a head: the growth plate, a working port, a guide wire.
_NO_DEVICE: dict[str, re.Pattern[str]] = {
    "plate": re.compile(r"(?:growth|end|foot|tarsal|agar|tectal|cribriform|of) ?plates?|plate developer"),
    "port": re.compile(r"(?:working|trocar|camera|single|three|four|five|\d|-mm|cm) ports?|ports? sites?|five ports"),
    "wire": re.compile(r"(?:guide|puncture|guiding) wires?"),
    "membrane": re.compile(
        r"(?:limiting|basement|mitochondrial|cell|mucous|synovial|dissection|epiretinal|tympanic|fetal|"
        r"descemet|bruch|hyaline|plasma|amniotic|arachnoid|fibrin|nuclear|ruptured|interosseous|the) "
        r"membranes?|membrane oxygen\w*"
    ),
    "pin": re.compile(r"pins and needles"),
    "balloon": re.compile(r"balloon (?:angio|valvulo|dilat|kypho|occl|cathet)\w*|balloon-"),
    "catheter": re.compile(
        r"catheter (?:ablation|angio\w*|directed|based|intervention)|(?:radiofrequency|ablation) catheter"
    ),
    "shunt": re.compile(
        r"(?:intracardiac|portosystemic|left-to-right|right-to-left|arteriovenous|interatrial|vascular|venous) "
        r"shunts?"
    ),
    "implant": re.compile(r"implant of|(?:stent|tumor|peritoneal|endometriotic|metastatic) implants?"),
    "crown": re.compile(r"(?:tooth|teeth|fused teeth) crowns?"),
    "cable": re.compile(r"cable grip"),
    "device": re.compile(r"explosive devices?"),
    "halo": re.compile(r"halo (?:sign|effect|phenomenon|nev\w+)"),
    "drain": re.compile(r"nephrostomy drainage tube"),
    "bone graft": re.compile(r"bone (?:marrow|transplant\w*|scan|stem|cyst|flap|defect|loss)"),
}
_RARELY_TOLD = frozenset(("skin graft", "barrier membrane", "nasogastric tube", "endotracheal tube", "contact lens"))
_NEEDS_MATERIAL = frozenset(("membrane", "port", "crown", "patch", "tape"))
# What the graft of a document is, by what it tells of most.
_GRAFTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("corneal graft", re.compile(r"\b(?:cornea\w*|kerato\w+|endothelial keratoplasty)\b", re.I)),
    ("vascular graft", re.compile(r"\b(?:aort\w+|arter\w+|vena cava|caval|vascular|bypass)\b", re.I)),
    ("bone graft", re.compile(r"\b(?:bone|nonunion|tibia\w*|femor\w+|spin\w+|iliac crest|fracture\w*)\b", re.I)),
)
# Operations that put a device in: what they leave behind.
_LEFT_BY: dict[str, str] = {
    "stent placement": "stent",
    "coronary stent implantation": "coronary stent",
    "coil embolization": "coil",
    "aneurysm coiling": "coil",
    "aneurysm clipping": "aneurysm clip",
    "bone grafting": "bone graft",
    "autologous bone grafting": "bone graft",
    "iliac crest bone grafting": "iliac crest bone graft",
    "ring annuloplasty": "annuloplasty ring",
    "endovascular stent grafting": "stent graft",
    "instrumented fusion": "spinal instrumentation",
    "kirschner wire fixation": "kirschner wire",
    "intramedullary nailing": "intramedullary nail",
    "elastic stable intramedullary nailing": "elastic nail",
    "tension band wiring": "tension band wire",
    "intraocular lens implantation": "intraocular lens",
}


_LEFT_BY_WORD = {"stented": "stent", "plated": "plate", "nailed": "intramedullary nail"}
_PUT_IN = frozenset((*_LEFT_BY_WORD, "instrumented"))
_FUSED = frozenset("fusion arthrodesis spondylodesis".split())
# Heads of devices of whatever name, where the learned entities see a device: "percutaneous plug".
_OPEN_HEADS: dict[str, str] = {
    "valve": "heart valve prosthesis", "ring": "annuloplasty ring", "plug": "plug", "tube": "tube", "filter": "filter",
    "conduit": "vascular graft", "graft": "graft", "implant": "implant", "prosthesis": "prosthesis", "stent": "stent",
    "lens": "intraocular lens", "nail": "intramedullary nail", "connector": "connector", "hook": "hook",
    "fixator": "external fixator", "lead": "lead", "stimulator": "neurostimulator", "peg": "peg", "band": "band",
}  # fmt: skip
_NO_OPEN = re.compile(
    r"native|own|growth|calcified|explanted|heart valve|removed|interatrial|suture|bag\b|flap|reflux|fetal", re.I
)


@dataclass(slots=True)
class _Mention:
    """A place where a device is named."""

    start: int
    end: int
    value: str
    head_start: int
    confidence: float
    attributes: dict[str, list[str]] = field(default_factory=dict)
    site: str = ""
    brand: str = ""
    general: bool = False

    def add(self, name: str, value: str) -> None:
        """Adds a value to a list attribute, once."""
        values = self.attributes.setdefault(name, [])
        if value not in values:
            values.append(value)

    @property
    def weight(self) -> int:
        """How much it says."""
        return sum(len(values) for values in self.attributes.values()) + bool(self.brand)


class _Reading:
    """One Doc as this module reads it: the parts of devices at each token."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.words = lowers_of(doc)
        self.heads: list[tuple[Span, Term]] = []
        self.parts: dict[int, list[tuple[Span, Term, str]]] = {}
        for span in spans_of(doc, "terms", FIELD):
            term = term_at(span)
            role = str(term.attributes.get("role", "head"))
            if role == "head":
                self.heads.append((span, term))
            elif role != "brand" or _is_brand(span, term):
                for i in range(span.start, span.end):
                    self.parts.setdefault(i, []).append((span, term, role))

    @cached_property
    def sites(self) -> dict[int, Span]:
        """The body parts by token."""
        return covered(self.doc, "site")

    @cached_property
    def transplant(self) -> bool:
        """Whether an organ is transplanted."""
        operations = spans_of(self.doc, "terms", "procedure")
        return any(_ORGAN_TRANSPLANT.search(term_at(span).preferred) for span in operations)


def _is_brand(span: Span, term: Term) -> bool:
    """Whether a word is a maker's name: in capitals, or no word of everyday language ("gelfoam")."""
    return span.text[0].isupper() or ("head" in term.attributes and span.text.lower() not in _EVERYDAY)


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the devices of a Doc, a finding a mention; mentions of one device share their value."""
    reading = _Reading(doc)
    mentions = _mentions(reading)
    if not mentions:
        return
    mentions.sort(key=lambda mention: mention.start)
    for mention in mentions:
        _read_phrase(reading, mention)
        following = next((other.start for other in mentions if other.start >= mention.end), len(doc))
        _read_sentence(reading, mention, following)
        span = doc[mention.head_start : mention.end]
        mention.general = is_general(span)
    _read_pronouns(reading, mentions)
    for mention in mentions:
        if mention.value == "graft":
            mention.value = _graft_kind(doc)
    _unite(mentions)
    for mention in mentions:
        yield _finding(reading, mention)


# Mentions


def _mentions(reading: _Reading) -> list[_Mention]:
    mentions = []
    taken: set[int] = set()
    for span, term in reading.heads:
        confidence = _confidence(reading, span, term)
        if confidence > 0 and span.start not in taken:
            taken.update(range(span.start, span.end))
            mentions.append(_Mention(span.start, span.end, term.preferred, span.start, confidence))
    mentions.extend(_grafts_by_source(reading, taken))
    mentions.extend(_by_brand(reading, taken))
    mentions.extend(_by_operation(reading, taken))
    mentions.extend(_by_entity(reading, taken))
    return mentions


def _confidence(reading: _Reading, span: Span, term: Term) -> float:
    """How sure it is that a head is a device of this patient; 0 where it is none."""
    words = reading.words
    following = words[span.end] if span.end < len(words) else ""
    if following in _NOT_BEFORE or following.startswith("-"):
        return 0.0
    around = " ".join(words[max(0, span.start - 2) : span.end + 2])
    pattern = _NO_DEVICE.get(term.preferred)
    if pattern is not None and pattern.search(around):
        return 0.0
    if _is_other_abbreviation(span, term):
        return 0.0
    if term.preferred == "graft" and (following in _EVENTS or _GRAFT_OF_ORGAN.search(around) or reading.transplant):
        return 0.0
    if following in _EVENTS:
        return 0.35
    if term.preferred in _RARELY_TOLD:
        return 0.3
    if term.preferred in _AMBIGUOUS:
        owned = span.start > 0 and (span.start - 1) in reading.parts
        told = _PLACED.search(sentence_text(span)) and term.preferred not in _NEEDS_MATERIAL
        return 0.6 if told or owned else 0.3
    return 0.8


def _is_other_abbreviation(span: Span, term: Term) -> bool:
    """Whether the document itself says that an abbreviation stands for something else than the lexicon thinks."""
    if len(span) != 1 or not span.text.isupper():
        return False
    for short in spans_in(span.doc, "abbreviations"):
        if short.start == span.start and short._.long_form:
            return term not in builtin_lexicon().lookup(short._.long_form)
    return False


def _grafts_by_source(reading: _Reading, taken: set[int]) -> Iterator[_Mention]:
    """ "an allograft was used": the material as the device."""
    for i, parts in reading.parts.items():
        for _, term, role in parts:
            word = fold_word(reading.words[i])
            if role == "material" and term.preferred in ("allograft", "autograft", "xenograft") and i not in taken:
                if word not in ("allograft", "autograft", "xenograft", "homograft"):
                    continue
                following = reading.words[i + 1] if i + 1 < len(reading.words) else ""
                around = " ".join(reading.words[max(0, i - 2) : i + 2])
                if reading.transplant or following in _EVENTS or _GRAFT_OF_ORGAN.search(around):
                    continue
                if any(j in taken for j in range(i + 1, min(i + 3, len(reading.words)))):
                    continue
                mention = _Mention(i, i + 1, term.preferred, i, 0.6)
                mention.add("material", term.preferred)
                yield mention


def _by_brand(reading: _Reading, taken: set[int]) -> Iterator[_Mention]:
    """ "an Amplatzer": the brand as the device, where no head is near."""
    for i, parts in reading.parts.items():
        for span, term, role in parts:
            head = term.attributes.get("head")
            if role == "brand" and head and i == span.start:
                near = range(max(0, span.start - 6), min(len(reading.words), span.end + 6))
                if any(j in taken for j in near):
                    continue
                yield _Mention(span.start, span.end, str(head), span.start, 0.6, brand=term.preferred)


def _by_operation(reading: _Reading, taken: set[int]) -> Iterator[_Mention]:
    """ "PCI with stenting": the device that an operation leaves behind."""
    for span in spans_of(reading.doc, "terms", "procedure"):
        value = _LEFT_BY.get(term_at(span).preferred)
        if value and not any(i in taken for i in range(span.start, span.end)):
            yield _Mention(span.start, span.end, value, span.start, 0.45)

    if _PUT_IN.isdisjoint(reading.words):
        return
    for i, word in enumerate(reading.words):
        if word in _LEFT_BY_WORD:
            yield _Mention(i, i + 1, _LEFT_BY_WORD[word], i, 0.45)
        elif word == "instrumented" and i not in taken and not _FUSED.isdisjoint(reading.words[i + 1 : i + 4]):
            yield _Mention(i, i + 1, "spinal instrumentation", i, 0.45)


def _by_entity(reading: _Reading, taken: set[int]) -> Iterator[_Mention]:
    """ "a retrievable filter": a device of a name that no lexicon lists, where the learned entities see one."""
    for entity in spans_of(reading.doc, SPANS, "DEVICE"):
        head = fold_word(re.split(r"[-/]", reading.words[entity.end - 1])[-1])
        named = len(entity.text) > len(head) + 1 and not _NO_OPEN.search(entity.text)
        if head == "graft" and (reading.transplant or _GRAFT_OF_ORGAN.search(entity.text.lower())):
            continue
        if head in _OPEN_HEADS and named and taken.isdisjoint(range(entity.start, entity.end)):
            confidence = round(0.7 * confidence_of(entity), 2)
            yield _Mention(entity.start, entity.end, _OPEN_HEADS[head], entity.end - 1, confidence)


# What is said of a device


def _read_phrase(reading: _Reading, mention: _Mention) -> None:
    """The words right before a head, and those after it in brackets or behind "of"."""
    i = mention.start - 1
    bound = max(sentence_bounds(reading.doc, mention.start)[0], mention.start - 12)
    skipped = 0
    while i >= bound:
        word = reading.words[i]
        if i in reading.parts:
            _take(reading, mention, i)
            mention.start = min(mention.start, *(span.start for span, _, _ in reading.parts[i]))
            i = min(i, mention.start) - 1
            continue
        if word in SIDES or is_body_word(word) or i in reading.sites:
            if not mention.site and (fold_word(word) in BODY_NOUNS or i in reading.sites):
                mention.site = _site_name(reading, i, i + 1)
            mention.start = i
        elif word in (",", "and", "-", "/") and i - 1 >= bound and i - 1 in reading.parts:
            pass
        elif word.isalpha() and skipped < 1 and word not in _DETERMINERS and i - 1 in reading.parts:
            skipped += 1
        else:
            break
        i -= 1
    for j in range(mention.head_start, mention.end):
        if j in reading.parts:
            _take(reading, mention, j)
    _read_after(reading, mention)
    if not mention.site:
        _read_operation(reading, mention)


def _read_operation(reading: _Reading, mention: _Mention) -> None:
    """The site of the operation that a device was used for: "sacral reconstruction with a 3D-printed implant"."""
    bound = max(sentence_bounds(reading.doc, mention.start)[0], mention.start - 7)
    words = reading.words[bound : mention.start]
    if not any(word in ("with", "using", "by") for word in words):
        return
    sites = [j for j in range(bound, mention.start) if j in reading.sites]
    if sites and all(reading.words[j] not in (",", ";", "and", "after") for j in range(sites[-1], mention.start)):
        mention.site = _site_name(reading, sites[-1], sites[-1] + 1)


def _take(reading: _Reading, mention: _Mention, i: int) -> None:
    for _, term, role in reading.parts[i]:
        if role == "brand":
            mention.brand = mention.brand or term.preferred
        elif role in _ATTRIBUTE_OF:
            mention.add(_ATTRIBUTE_OF[role], term.preferred)


def _read_after(reading: _Reading, mention: _Mention) -> None:
    """Site and maker that follow a head: "(Medtronic, ...)", "in the right hip"."""
    words = reading.words
    end = mention.end
    stop = min(len(words), sentence_bounds(reading.doc, mention.head_start)[1])
    if end < stop and words[end] == "(":
        while end < stop and words[end] != ")":
            if end in reading.parts:
                _take(reading, mention, end)
            end += 1
        end += 1
    passed = 0
    while end < stop and passed < 5 and (words[end] in _PASSIVE or words[end].endswith(("ly", "ed"))):
        end += 1
        passed += 1
    if mention.site or end >= stop or words[end] not in _SITE_PREPOSITIONS:
        return
    stop = min(stop, end + 8)
    body = [j for j in range(end + 1, stop) if j in reading.sites or fold_word(words[j]) in BODY_NOUNS]
    if body and all(words[j] not in (",", ";", "and", "was", "were") for j in range(end, body[0])):
        last = body[0]
        while last + 1 in body:
            last += 1
        mention.site = _site_name(reading, body[0], last + 1)


def _site_name(reading: _Reading, start: int, end: int) -> str:
    span = reading.sites.get(start)
    if span is not None:
        return term_at(span).preferred
    return canonical(" ".join(reading.words[start:end]))


def _read_sentence(reading: _Reading, mention: _Mention, following: int) -> None:
    """What the rest of the sentence says of a device: of what it is made, how far it reaches."""
    end = sentence_bounds(reading.doc, mention.head_start)[1]
    for j in range(mention.end, min(end, mention.end + 6)):
        if _MADE.match(reading.words[j]):
            for k in range(j + 1, min(end, j + 16)):
                if k in reading.parts:
                    _take(reading, mention, k)
            break
    # A reach told behind another device is that one's.
    reach = _UP_TO.search(reading.doc[mention.end : max(mention.end, min(end, following))].text[:80])
    if reach is not None:
        mention.add("fixation", f"up to {reach['level']}")


def _read_pronouns(reading: _Reading, mentions: list[_Mention]) -> None:
    """A sentence that begins with "It" and says how a thing is made tells of the device of the sentence before."""
    doc, words = reading.doc, reading.words
    for before, (start, end) in pairwise(bounds_of_sentences(doc)):
        if not words[start].startswith(_POINTING) or not _ADDED.match(doc[start:end].text):
            continue
        told = [mention for mention in mentions if before[0] <= mention.head_start < before[1]]
        if not told or not any(map(_MADE.match, words[start:end])):
            continue
        for i in range(start, end):
            if i in reading.parts:
                _take(reading, told[-1], i)


# One device told several ways


def _graft_kind(doc: Doc) -> str:
    """What a bare graft is, by what its document tells of."""
    counts = [(len(pattern.findall(text_of(doc))), kind) for kind, pattern in _GRAFTS]
    most, kind = max(counts, key=lambda count: count[0])
    return kind if most > 1 else "graft"


def _unite(mentions: list[_Mention]) -> None:
    """Gives the mentions of one device one value, and all that is said of it to the fullest of them."""
    values = list(dict.fromkeys(mention.value for mention in mentions))
    for mention in mentions:
        mention.value = _meant(mention, mentions, values)
    groups: dict[str, list[_Mention]] = {}
    for mention in mentions:
        groups.setdefault(mention.value, []).append(mention)
    for group in groups.values():
        fullest = max(group, key=lambda mention: (not mention.general, mention.confidence >= 0.4, mention.weight))
        for mention in group:
            for name, told in mention.attributes.items():
                for value in told:
                    fullest.add(name, value)
            fullest.site = fullest.site or mention.site
            fullest.brand = fullest.brand or mention.brand
        fullest.confidence = min(0.95, fullest.confidence + 0.05 * min(len(group), 3))


def _meant(mention: _Mention, mentions: list[_Mention], values: list[str]) -> str:
    """The most exact name in the document of the device that a mention tells of."""
    longer = [value for value in values if value != mention.value and value.endswith(" " + mention.value)]
    if len(longer) == 1:
        return longer[0]
    fits = _GENERAL.get(mention.value)
    if fits is None or longer:
        return mention.value
    others = [other for other in mentions if other.value not in _GENERAL and fits.search(other.value)]
    if others:
        nearest = min(others, key=lambda other: (other.start > mention.start, abs(other.start - mention.start)))
        return nearest.value
    if mention.value in ("implant", "device", "endoprosthesis"):
        if "prosthesis" in values:
            return "prosthesis"
        fixators = {value for value in values if value not in _GENERAL and _FIXATORS.search(value)}
        if len(fixators) == 1:
            return fixators.pop()
    return mention.value


def _finding(reading: _Reading, mention: _Mention) -> Finding:
    span = reading.doc[mention.start : mention.end]
    while len(span) > 1 and span[0].text.lower() in _DETERMINERS:
        span = span[1:]
    attributes: dict[str, AttributeValue] = {
        name: tuple(values) for name, values in mention.attributes.items() if values
    }
    if mention.site:
        attributes["site"] = mention.site
    if mention.brand:
        attributes["brand"] = mention.brand
    confidence = mention.confidence if mention.value not in ("device", "construct") else min(mention.confidence, 0.35)
    code = next((term.code for _, term in reading.heads if term.preferred == mention.value), "")
    finding = make_finding(
        span, FIELD, mention.value, source=SOURCE, code=code, attributes=attributes, confidence=confidence
    )
    if finding.assertion == "historical":
        # A device that is in the body at presentation is an implant of the case.
        return replace(finding, assertion="present", cue=None)
    return finding
