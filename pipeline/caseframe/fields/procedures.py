"""Operations and interventions: nouns ("hemisacrectomy", "repair of the hernia") and verbs ("was resected en bloc").

A mention is a term of the lexicon, a word built as a procedure (`morphology.py`), or a participle with what it was done
to. The words before it ("left", "laparoscopic", "sacral") and the object after "of" become attributes or part of the
canonical value. An earlier operation is told as a comorbidity, as the schema has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from spacy.tokens import Doc, Span

from caseframe.fields.anatomy_words import APPROACHES, SIDES, covered, is_body_word, levels_beside, side_of, words_of
from caseframe.fields.base import make_finding
from caseframe.fields.morphology import GENERIC, HEADS, VERBS, procedure_word
from caseframe.lexicons import Term, builtin_lexicon
from caseframe.lexicons.folding import canonical, fold_word
from caseframe.schema import AttributeValue, Finding

SOURCE = "procedures"
FIELD = "procedure"

_EXTENT = frozenset(
    """total subtotal near-total partial radical wide marginal intralesional extended segmental wedge sleeve selective simple
    completion functional gross subcutaneous staging posterolateral""".split()
)
_POSITION = frozenset(
    """upper lower superior inferior proximal distal middle medial central apical basal inner outer internal external ventral
    anterior posterior lateral high low deep superficial""".split()
)
_DROPPED = frozenset(
    """emergency emergent urgent elective successful repeat repeated second third first initial primary subsequent further
    additional complete completely standard formal immediate early late delayed extensive aggressive careful multiple several two
    three four simultaneous staged two-stage one-stage single-stage definitive curative palliative prophylactic therapeutic
    diagnostic surgical surgically operative manual uneventful intraoperative intra-operative postoperative preoperative
    combined concomitant new adequate planned proposed previous prior past conventional classic modified conservative
    extended-release another repeated secondary uncomplicated meticulous gentle thorough autologous autogenous allogeneic
    synthetic prosthetic single double local bloc en block - macroscopic macroscopical microscopic total/near-total
    minimally invasive video assisted guided ct us ultrasound computed tomography tomography-guided fluoroscopic
    off-pump on-pump salvage interval optimal routine safe final temporary permanent temporarily redo revision
    cementless cemented uncemented""".split()
)
_REDO = frozenset("redo revision re-do".split())
_CONNECTORS = frozenset(("-", "/"))
_MATTER = frozenset(
    """bone skin fat tendon nerve vein cartilage plate screw nail rod wire stent coil mesh tumor mass lesion cyst polyp
    hematoma abscess stone thrombus clot nodule metastasis node lymph flap graft vessel fracture defect hernia fistula aneurysm
    polyp wound shunt catheter lead valve patch band port pacemaker needle core hardware implant prosthesis spacer tooth
    fetal cord clip balloon foreign body device tube drain fragment loose""".split()
)
_DETERMINERS = frozenset(
    "the a an his her their its this that these those all both each remaining remnant entire whole affected involved "
    "patient 's patient's single multiple two three four five large huge giant small residual recurrent primary".split()
)
_AUXILIARIES = frozenset("was were been being be is are had has have get got".split())
_ACTIVE = frozenset("we surgeons surgeon".split())
_ADVERBS = re.compile(
    r"^(?:[a-z-]+ly|then|also|not|never|again|subsequently|later|first|thus|en|bloc|en-bloc|en-block|finally)$"
)
_CLAUSE_END = frozenset(". ; : ( ) ! ? [ ]".split())
_SUBJECT_STOPS = frozenset("who which that whom because although while when after before until since and but".split())
_PREPOSITIONS = frozenset(
    """with without by via through from in into on onto at to for under over using during after before due showed revealed
    was were is are had has and or but which who that where when because as than between within""".split()
)
# What follows makes it something else than an operation done.
_NOT_BEFORE = frozenset(
    """margin margins time room theatre theater department unit instrument instruments instrumentarium port ports
    report record records center centre ward literature guideline guidelines field option options candidate candidates""".split()
)
_SPECIMENS = frozenset(
    "specimen specimens sample samples material finding findings result results cavity bed line".split()
)
_IMAGES = frozenset(
    """3d ct mri image images imaging three-dimensional 3-dimensional multiplanar coronal sagittal axial volume-rendered
    volume mr angiographic tomographic computed real-sized 3d-ct""".split()
)
_NO_TUMOR = frozenset(
    "hematoma haematoma stoma coma trauma glaucoma carcinoma-free hygroma scotoma xanthoma-like soma aroma diploma "
    "symptoma edema oedema staphyloma trachoma seroma biloma empyema urinoma lymphocele".split()
)
_TUMOR = frozenset("tumor mass neoplasm cancer malignancy metastasis growth nodule neoplasia".split())

_RESECT = frozenset("resection excision removal extirpation exeresis retrieval extraction".split())
_OBJECTS: dict[str, str] = {
    "lesion": "lesion", "cyst": "cyst", "polyp": "polyp", "hematoma": "hematoma", "clot": "clot", "stone": "stone",
    "calculus": "stone", "gallstone": "stone", "abscess": "abscess", "thrombus": "thrombus", "tooth": "tooth",
    "molar": "tooth", "fracture": "fracture", "dislocation": "dislocation", "defect": "defect", "node": "lymph node",
    "hernia": "hernia", "fistula": "fistula", "aneurysm": "aneurysm", "wound": "wound", "perforation": "perforation",
    "leak": "leak", "effusion": "effusion", "vegetation": "vegetation", "fragment": "fragment", "ascites": "ascites",
    "pseudoaneurysm": "pseudoaneurysm", "cataract": "cataract", "varix": "varix", "intussusception": "intussusception",
    "sequestrum": "sequestrum", "meniscus": "meniscus", "pus": "abscess", "collection": "collection",
}  # fmt: skip
# What a removal of these is called, with its category.
_NAMED: dict[tuple[str, str], tuple[str, str]] = {
    ("removal", "cyst"): ("cyst excision", "resection"),
    ("removal", "polyp"): ("polypectomy", "resection"),
    ("removal", "lesion"): ("lesion resection", "resection"),
    ("removal", "hematoma"): ("hematoma evacuation", "other"),
    ("removal", "clot"): ("clot evacuation", "other"),
    ("removal", "stone"): ("stone extraction", "other"),
    ("removal", "thrombus"): ("thrombectomy", "other"),
    ("removal", "tooth"): ("tooth extraction", "other"),
    ("removal", "lymph node"): ("lymph node dissection", "resection"),
    ("removal", "fistula"): ("fistulectomy", "resection"),
    ("removal", "sequestrum"): ("sequestrectomy", "resection"),
    ("removal", "cataract"): ("cataract surgery", "other"),
    ("evacuation", "hematoma"): ("hematoma evacuation", "other"),
    ("reduction", "fracture"): ("fracture reduction", "other"),
    ("fixation", "fracture"): ("fracture fixation", "fixation"),
    ("closure", "wound"): ("wound closure", "reconstruction"),
    ("suturing", "wound"): ("wound suturing", "other"),
    ("drainage", "abscess"): ("abscess drainage", "other"),
}
_DEVICE_HEADS = frozenset(
    "insertion placement implantation repositioning exchange removal retrieval extraction".split()
)
# Nothing else can be fixed, placed or closed than these: other objects of such verbs are no procedures.
_NEEDS_OBJECT = frozenset(
    """removal retrieval replacement repair closure placement insertion implantation fixation release reduction extraction
    dilation exploration stabilization revision exchange suturing fusion aspiration dissection bypass reconstruction
    drainage ablation clipping ligation evacuation cannulation lengthening grafting plating decompression""".split()
)
_FIXABLE = frozenset(("fracture", "dislocation", "body", "device"))
_REVISED_WHEN_REMOVED = re.compile(r"prosthesis|mesh|prosthetic|endoprosthesis|graft")
_DATA_WORDS = frozenset("data value values dose doses information consent sample samples patient patients".split())


@dataclass(frozen=True, slots=True)
class _Mention:
    """A place where an operation is named: its tokens, its head and what is known of it."""

    start: int
    end: int
    value: str
    category: str
    head: str = ""
    code: str = ""
    alone: bool = True
    verb: bool = False
    confidence: float = 0.85


@dataclass(frozen=True, slots=True)
class _Object:
    """What an operation was done to."""

    kind: str
    """`tumor`, `device`, `body`, or one of `_OBJECTS`."""
    name: str
    start: int
    end: int


class _Reading:
    """One Doc as this module reads it."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.words = words_of(doc)
        self.folded = [fold_word(word) for word in self.words]
        self.sites = covered(doc, ("site",))
        self.devices = {
            i: span
            for i, span in covered(doc, ("implant",)).items()
            if span._.term is not None and span._.term.attributes.get("role") == "head"
        }
        self.diseases = covered(doc, ("diagnosis",))
        self.tells_tumor = any(self.is_tumor(i) for i in range(len(doc)))

    def is_tumor(self, i: int) -> bool:
        """Whether a token is the name of a tumour, or a word for one."""
        word = self.folded[i]
        if word in _TUMOR:
            return True
        if word.endswith(("oma", "blastoma", "sarcoma")) and len(word) > 5:
            return word not in _NO_TUMOR
        span = self.diseases.get(i)
        return span is not None and span._.term is not None and "behavior" in span._.term.attributes

    def is_body(self, i: int) -> bool:
        """Whether a token belongs to a body part."""
        return i in self.sites or is_body_word(self.words[i])

    def sentence_start(self, i: int) -> int:
        """The first token of the sentence that holds a token."""
        while i > 0 and not self.doc[i].is_sent_start:
            i -= 1
        return i

    def sentence_end(self, i: int) -> int:
        """The token after the sentence that holds a token."""
        i += 1
        while i < len(self.doc) and not self.doc[i].is_sent_start:
            i += 1
        return i


def find(doc: Doc) -> Iterator[Finding]:
    """Yields every operation that a Doc mentions, in the order of the text."""
    reading = _Reading(doc)
    nouns = _noun_mentions(reading)
    taken = {i for mention in nouns for i in range(mention.start, mention.end)}
    verbs = [mention for mention in _verb_mentions(reading) if mention.start not in taken]
    for mention in sorted(nouns + verbs, key=lambda mention: mention.start):
        finding = _verb_finding(reading, mention) if mention.verb else _noun_finding(reading, mention)
        if finding is not None:
            yield finding


# Nouns


def _noun_mentions(reading: _Reading) -> list[_Mention]:
    mentions: list[_Mention] = []
    taken: set[int] = set()
    for span in reading.doc.spans.get("terms", ()):
        term = span._.term
        if span.label_ != FIELD or term is None or span.start in taken:
            continue
        if len(span) == 1 and reading.folded[span.start] in HEADS and reading.folded[span.start] == term.preferred:
            continue
        mentions.append(_of_term(span, term))
        taken.update(range(span.start, span.end))
    for token in reading.doc:
        if token.i in taken:
            continue
        word = procedure_word(token.text)
        if word is not None:
            confidence = 0.85 if word.value not in HEADS else 0.7
            mentions.append(
                _Mention(
                    token.i,
                    token.i + 1,
                    word.value,
                    word.category,
                    head=word.value if word.value in HEADS else "",
                    code=_code(word.value),
                    alone=word.alone,
                    confidence=confidence,
                )
            )
    return mentions


def _of_term(span: Span, term: Term) -> _Mention:
    category = str(term.attributes.get("category", "other"))
    confidence = 0.3 if term.preferred in GENERIC else 0.9
    if fold_word(span[-1].text.lower()) in ("graft", "flap"):
        confidence = 0.5  # the tissue as often as the operation
    return _Mention(span.start, span.end, term.preferred, category, code=term.code, confidence=confidence)


def _noun_finding(reading: _Reading, mention: _Mention) -> Finding | None:
    words, folded = reading.words, reading.folded
    if _is_no_operation(reading, mention):
        return None
    first, kept, dropped = _premodifiers(reading, mention)
    thing = _object_after_of(reading, mention)
    thing_before = _object_in(reading, first, mention.start) if mention.head else None
    end = mention.end
    value, category, code = mention.value, mention.category, mention.code
    if mention.head:
        named = _name(reading, mention, kept, thing or thing_before)
        if named is None:
            return None
        value, category, code = named
        if thing is not None:
            end = thing.end
    elif kept:
        value, category, code = _with_words(kept, mention)
    if any(word in _REDO for word in dropped):
        category = "revision"
    confidence = mention.confidence
    if mention.end < len(words) and folded[mention.end] in _SPECIMENS:
        confidence = min(confidence, 0.5)
    if value in GENERIC:
        confidence = 0.3
    return _finding(reading, first, end, mention, value, category, code, confidence)


def _is_no_operation(reading: _Reading, mention: _Mention) -> bool:
    """Whether the words around make of a procedure's name something else: a margin, an image, an offer."""
    words = reading.words
    if mention.end < len(words) and words[mention.end] in _NOT_BEFORE:
        return True
    if mention.head == "reconstruction" or mention.value == "reconstruction":
        before = words[max(reading.sentence_start(mention.start), mention.start - 4) : mention.start]
        after = words[mention.end : mention.end + 6]
        if any(word in _IMAGES for word in before) or (after[:1] == ["of"] and any(w in _IMAGES for w in after)):
            return True
    return mention.head == "reduction" and not any(
        word in ("open", "closed") or reading.is_body(i)
        for i, word in enumerate(words[max(0, mention.start - 2) : mention.start], max(0, mention.start - 2))
    )


def _premodifiers(reading: _Reading, mention: _Mention) -> tuple[int, list[str], list[str]]:
    """The words before a head that belong to it: first token, those of the name, those left out of it."""
    first = mention.start
    kept: list[str] = []
    dropped: list[str] = []
    pending = 0
    bound = max(reading.sentence_start(mention.start), mention.start - 8)
    for i in range(mention.start - 1, bound - 1, -1):
        word = reading.words[i]
        if word in _CONNECTORS:
            pending += 1
            continue
        if word in SIDES or word in APPROACHES or (word in _DROPPED and word not in _EXTENT):
            dropped.append(word)
            if word in _POSITION and not mention.head:
                pass
        elif word in _EXTENT or word in _POSITION or reading.is_body(i) or (mention.head and _is_matter(reading, i)):
            kept.insert(0, word)
        elif _is_level(reading, i):
            dropped.append(word)
        elif mention.head == "procedure" and reading.doc[i].text[0].isupper() and i > bound:
            kept.insert(0, word)
        else:
            break
        first = i
    return first, kept, dropped


def _is_matter(reading: _Reading, i: int) -> bool:
    return reading.folded[i] in _MATTER or i in reading.devices or reading.is_tumor(i) or reading.folded[i] in _OBJECTS


def _is_level(reading: _Reading, i: int) -> bool:
    return bool(re.match(r"^[ctls]\d{1,2}(?:[-–/][ctls]?\d{1,2})?$", reading.words[i]))


def _with_words(kept: list[str], mention: _Mention) -> tuple[str, str, str]:
    """The name of a whole procedure word with the words before it: the longest that the lexicon knows, else body words."""
    for cut in range(len(kept)):
        term = _lookup(" ".join([*kept[cut:], mention.value]))
        if term is not None:
            return term.preferred, str(term.attributes.get("category", "other")), term.code
    body = [word for word in kept if word not in _POSITION and word not in APPROACHES]
    extent = [word for word in body if word in _EXTENT and word != "simple"]
    if extent and mention.value.endswith(("ectomy", "resection", "excision")):
        return canonical(" ".join([*extent[:1], mention.value])), mention.category, ""
    body = [word for word in body if word not in _EXTENT]
    name = canonical(" ".join([*body, mention.value]))
    return name, mention.category, mention.code if not body else ""


def _object_after_of(reading: _Reading, mention: _Mention) -> _Object | None:
    """What stands after "of" behind a head."""
    end = mention.end
    words = reading.words
    while end < len(words) and words[end] in ("surgery", "procedure", "technique"):
        end += 1
    if end + 1 >= len(words) or words[end] not in ("of", "to"):
        return None
    stop = min(reading.sentence_end(mention.start), end + 10)
    return _object_in(reading, end + 1, stop)


def _object_in(reading: _Reading, start: int, stop: int) -> _Object | None:
    """The thing that the noun phrase from `start` on names: its head decides what it is."""
    first, last = -1, -1
    kind, name = "", ""
    for i in range(start, stop):
        word, folded = reading.words[i], reading.folded[i]
        if word in _DETERMINERS or word in SIDES or word in _DROPPED or word in _POSITION or word in _EXTENT:
            continue
        if word in _PREPOSITIONS or word == "of" or word in _CLAUSE_END or word == ",":
            break
        if i in reading.devices:
            kind, name = "device", reading.devices[i]._.term.preferred
        elif reading.is_tumor(i):
            kind, name = "tumor", "tumor"
        elif folded in _OBJECTS:
            kind, name = _OBJECTS[folded], _OBJECTS[folded]
        elif reading.is_body(i):
            body = f"{name} {word}" if kind == "body" else word
            kind, name = "body", body
        elif folded == "body" and i and reading.words[i - 1] == "foreign":
            kind, name = "foreign body", "foreign body"
        elif (first >= 0 and kind != "body") or (first >= 0 and len(word) > 3 and word.isalpha()):
            break
        else:
            continue
        if first < 0:
            first = i
        last = i
    if not kind:
        return None
    return _Object(kind, canonical(name), first, last + 1)


def _name(reading: _Reading, mention: _Mention, kept: list[str], thing: _Object | None) -> tuple[str, str, str] | None:
    """Value, category and code of a head noun with its words and its object; None where it says too little."""
    head = mention.head
    for cut in range(len(kept)):
        term = _lookup(" ".join([*kept[cut:], head]))
        if term is not None:
            return term.preferred, str(term.attributes.get("category", "other")), term.code
    if thing is not None:
        extent = next((word for word in kept if word in _EXTENT and word not in ("total", "simple", "gross")), "")
        named = _named_by_object(head, thing, mention.category, extent, verb=mention.verb)
        if named is not None:
            return named
    anatomical = [word for word in kept if word not in _POSITION or mention.category == "resection"]
    if anatomical and any(word not in _EXTENT and word not in _POSITION for word in anatomical):
        return canonical(" ".join([*anatomical, head])), _category(head, anatomical[-1], mention.category), ""
    if head in ("resection", "excision") and reading.tells_tumor:
        extent = next((word for word in kept if word in ("subtotal", "partial")), "")
        value = f"{extent} tumor {head}".strip()
        return value, "resection", _code(value)
    if kept and mention.alone:
        value = canonical(" ".join([*kept, head]))
        return value, mention.category, ""
    return (head, mention.category, mention.code or _code(head)) if mention.alone else None


def _named_by_object(
    head: str, thing: _Object, category: str, extent: str, *, verb: bool
) -> tuple[str, str, str] | None:
    """The name of an operation by what it was done to: a tumour's removal is a tumor resection."""
    if head in _RESECT:
        if thing.kind == "tumor":
            noun = "excision" if head == "excision" and not verb else "resection"
            value = f"{extent} tumor {noun}" if extent in ("subtotal", "partial") else f"tumor {noun}"
            return value, "resection", _code(value)
        if thing.kind == "device":
            kind = "revision" if _REVISED_WHEN_REMOVED.search(thing.name) else "other"
            value = f"{thing.name} removal"
            return value, kind, _code(value)
        named = _NAMED.get(("removal", thing.kind))
        if named is not None:
            return named[0], named[1], _code(named[0])
        if thing.kind == "body":
            return _body_operation("resection" if head in ("removal", "extirpation") else head, thing, "resection")
        return canonical(f"{thing.name} {head}"), category, ""
    named = _NAMED.get((head, thing.kind))
    if named is not None:
        return named[0], named[1], _code(named[0])
    if thing.kind == "device" and head not in _DEVICE_HEADS and head not in ("fixation", "stenting", "revision"):
        return None
    if thing.kind == "body":
        return _body_operation(head, thing, category)
    value = canonical(f"{thing.name} {head}")
    term = _lookup(value)
    if term is not None:
        return term.preferred, str(term.attributes.get("category", "other")), term.code
    return value, _category(head, thing.name, category), ""


def _body_operation(head: str, thing: _Object, category: str) -> tuple[str, str, str]:
    for name in (f"{thing.name} {head}", f"{head} of the {thing.name}"):
        term = _lookup(name)
        if term is not None:
            return term.preferred, str(term.attributes.get("category", "other")), term.code
    return canonical(f"{thing.name} {head}"), _category(head, thing.name, category), ""


def _category(head: str, thing: str, category: str) -> str:
    """A replacement of a valve is no arthroplasty."""
    if head != "replacement":
        return category
    if re.search(r"valv|mitral|aortic valve|tricuspid", thing):
        return "other"
    return (
        "arthroplasty"
        if re.search(r"hip|knee|shoulder|elbow|joint|head|disc|femor|humer|ankle", thing)
        else "reconstruction"
    )


# Verbs


def _verb_mentions(reading: _Reading) -> list[_Mention]:
    mentions = []
    for i, word in enumerate(reading.words):
        head = VERBS.get(word)
        if head is None:
            continue
        finite = _is_finite(reading, i)
        if finite or _is_reduced_relative(reading, i):
            category = HEADS[head][0] if head in HEADS else _category_of(head)
            mentions.append(
                _Mention(i, i + 1, head, category, head=head, verb=True, confidence=0.75 if finite else 0.5)
            )
    return mentions


def _category_of(value: str) -> str:
    term = _lookup(value)
    return str(term.attributes.get("category", "other")) if term is not None else "other"


def _is_finite(reading: _Reading, i: int) -> bool:
    """Whether a participle is a verb of the sentence: "was resected", "we resected", "was exposed and resected"."""
    bound = reading.sentence_start(i)
    j = i - 1
    while j >= bound and _ADVERBS.match(reading.words[j]) and i - j < 6:
        j -= 1
    if j < bound:
        return False
    before = reading.words[j]
    if before in _AUXILIARIES or before in _ACTIVE:
        return True
    if before in ("and", ",", "then", "or"):
        # The verb before it has the auxiliary: "was opened and drained".
        return any(
            reading.words[k] in ("was", "were", "we", "been") and k + 1 < j for k in range(max(bound, j - 12), j)
        )
    return False


def _is_reduced_relative(reading: _Reading, i: int) -> bool:
    """ "a mass resected from the arm", "treated ... and operated": a participle after a noun and before a preposition."""
    words = reading.words
    if i == 0 or i + 1 >= len(words) or reading.doc[i].is_sent_start:
        return False
    return (
        words[i + 1] in ("by", "from", "via", "through", "en", "surgically", "with", "on")
        and words[i - 1].isalpha()
        and (words[i - 1] not in _DETERMINERS and words[i - 1] not in ("of", "with", "for", "and", "in"))
    )


def _verb_finding(reading: _Reading, mention: _Mention) -> Finding | None:
    head = mention.head
    i = mention.start
    if head == "surgery" or head in ("reoperation", "re-exploration", "endotracheal intubation"):
        category = "revision" if head != "surgery" and head != "endotracheal intubation" else "other"
        confidence = 0.3 if head == "surgery" else 0.7
        return _finding(reading, i, i + 1, mention, head, category, _code(head), confidence)
    thing = _verb_object(reading, i)
    if thing is None and (head in _NEEDS_OBJECT or not mention.alone):
        return None
    if head in _DEVICE_HEADS and head != "removal" and (thing is None or thing.kind != "device"):
        return None
    if head == "fixation" and (thing is None or thing.kind not in _FIXABLE):
        return None
    if head == "reduction" and (
        thing is None or thing.kind not in ("fracture", "dislocation", "hernia", "intussusception")
    ):
        return None
    if head == "dissection" and (thing is None or thing.kind != "lymph node"):
        return None
    named = _name(reading, mention, [], thing)
    if named is None:
        return None
    value, category, code = named
    start, end = i, i + 1
    if thing is not None and thing.end <= i and i - thing.start <= 8:
        start = thing.start
    elif thing is not None and thing.start >= i and thing.end - i <= 8:
        end = thing.end
    if reading.words[i + 1 : i + 3] == ["en", "bloc"] and end == i + 1:
        end = i + 3
    return _finding(reading, start, end, mention, value, category, code, mention.confidence)


def _verb_object(reading: _Reading, i: int) -> _Object | None:
    """What a verb was done to: the subject of the passive, the words after the active."""
    bound = reading.sentence_start(i)
    j = i - 1
    while j >= bound and (_ADVERBS.match(reading.words[j]) or reading.words[j] in _AUXILIARIES):
        j -= 1
    if j >= bound and reading.words[j] in _ACTIVE:
        return _object_in(reading, i + 1, min(reading.sentence_end(i), i + 8))
    start = j
    while start >= bound and j - start < 14 and reading.words[start] not in _CLAUSE_END:
        if reading.words[start] in ("because", "although", "while", "when", "but", "who"):
            break
        start -= 1
    return _subject_in(reading, start + 1, j + 1)


def _subject_in(reading: _Reading, start: int, stop: int) -> _Object | None:
    """The thing that a subject names: a tumour or a device before the body part it sits in."""
    best: _Object | None = None
    position = start
    while position < stop:
        thing = _object_in(reading, position, stop)
        if thing is None:
            position += 1
            while position < stop and reading.words[position - 1] not in _PREPOSITIONS | {"of", ","}:
                position += 1
            continue
        if best is None or best.kind == "body" or thing.kind in ("tumor", "device"):
            best = thing if best is None or thing.kind != "body" else best
        position = thing.end
    return best


# Making the finding


def _finding(
    reading: _Reading,
    start: int,
    end: int,
    mention: _Mention,
    value: str,
    category: str,
    code: str,
    confidence: float,
) -> Finding:
    span = reading.doc[start:end]
    attributes: dict[str, AttributeValue] = {"category": category}
    approach = _approach(reading, mention, start, end, value)
    if approach:
        attributes["approach"] = approach
    side = side_of(reading.words[start:end])
    if side:
        attributes["laterality"] = side
    levels = levels_beside(reading.doc, start, end)
    if levels and category in ("decompression", "fusion", "fixation", "resection", "biopsy", "other", "reconstruction"):
        attributes["levels"] = levels
    finding = make_finding(span, FIELD, value, source=SOURCE, code=code, attributes=attributes, confidence=confidence)
    if finding.assertion == "historical":
        return replace(finding, field="comorbidity", attributes=type(finding.attributes)())
    return finding


_THROUGH = re.compile(r"^(?:through|via|by|using|with)$")


def _approach(reading: _Reading, mention: _Mention, start: int, end: int, value: str) -> str:
    """The approach named in the words of an operation or after it ("via a posterior approach")."""
    words = reading.words
    low = max(reading.sentence_start(mention.start), mention.start - 5) if mention.verb else start
    found = [APPROACHES[word] for word in words[low:end] if word in APPROACHES]
    joined = " ".join(words[low:end])
    if "minimally invasive" in joined:
        found.append("minimally invasive")
    stop = reading.sentence_end(mention.start)
    for i in range(end, min(stop, end + 14)):
        if words[i] in ("approach", "approaches", "incision", "access", "route"):
            j = i - 1
            near = []
            while j >= end and j > i - 5 and not _THROUGH.match(words[j]):
                if words[j] in APPROACHES:
                    near.insert(0, APPROACHES[words[j]])
                j -= 1
            if near and j >= end - 1:
                found.extend(near)
            break
        if words[i] in (";", "."):
            break
        if i - end < 3 and words[i] in APPROACHES and words[i].endswith("ally"):
            found.append(APPROACHES[words[i]])
    unique = list(dict.fromkeys(found))
    # Words that the name itself holds ("posterior spinal fusion") are told as well.
    return " and ".join(unique) if len(unique) == 2 and set(unique) == {"anterior", "posterior"} else " ".join(unique)


def _lookup(surface: str) -> Term | None:
    """The procedure that a name names in the lexicon."""
    for term in builtin_lexicon().lookup(surface):
        if term.field == FIELD:
            return term
    return None


def _code(value: str) -> str:
    term = _lookup(value)
    return term.code if term is not None and term.preferred == value else ""
