"""Operations and interventions: nouns ("hemisacrectomy", "repair of the hernia") and verbs ("was resected en bloc").

A mention is a term of the lexicon, a word built as a procedure (`morphology.py`), or a participle with what it was done
to. The words before it ("left", "laparoscopic", "sacral") and the object after "of" become attributes or part of the
canonical value. An earlier operation is told as a comorbidity, as the schema has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from spacy.tokens import Doc, Span

from caseframe.fields.anatomy_words import (
    APPROACHES,
    BODY_NOUNS,
    SIDES,
    by_token,
    covered,
    is_body_word,
    levels_beside,
    side_of,
)
from caseframe.fields.base import make_finding, sentence_chars, spans_in, spans_of, term_at, time_at, was_only_proposed
from caseframe.fields.morphology import GENERIC, HEADS, PURPOSES, VERBS, procedure_word
from caseframe.lexicons import Term, builtin_lexicon
from caseframe.lexicons.folding import CACHED_PHRASES, CACHED_WORDS, canonical, fold_word
from caseframe.schema import Assertion, Attributes, AttributeValue, Finding
from caseframe.stages.entities import SPANS
from caseframe.stages.extensions import lowers_of, sentence_bounds, text_of, texts_of
from caseframe.stages.needles import search

SOURCE = "procedures"
FIELD = "procedure"

_EXTENT = frozenset(
    """total subtotal near-total partial radical wide marginal intralesional extended segmental wedge sleeve selective
    simple completion functional gross subcutaneous staging posterolateral""".split()
)
_POSITION = frozenset(
    """upper lower superior inferior proximal distal middle medial central apical basal inner outer internal external
    ventral anterior posterior lateral high low deep superficial""".split()
)
_DROPPED = frozenset(
    """emergency emergent urgent elective successful repeat repeated second third first initial primary subsequent
    further additional complete completely standard formal immediate early late delayed extensive aggressive
    careful multiple several two three four simultaneous staged two-stage one-stage single-stage definitive
    curative palliative prophylactic therapeutic diagnostic surgical surgically operative manual uneventful
    intraoperative intra-operative postoperative preoperative combined concomitant new adequate planned proposed
    previous prior past conventional classic modified conservative another repeated secondary
    uncomplicated meticulous gentle thorough autologous autogenous allogeneic synthetic prosthetic single double
    local bloc en block macroscopic macroscopical microscopic total/near-total minimally invasive video
    assisted guided ct us ultrasound computed tomography tomography-guided fluoroscopic off-pump on-pump salvage
    interval optimal routine safe final temporary permanent temporarily redo revision cementless cemented
    uncemented""".split()
)
_REDO = frozenset("redo revision re-do".split())
# Words of technique that make a name of their own where the lexicon knows it: exploratory laparotomy.
_TECHNIQUE = frozenset(
    """exploratory excisional incisional needle core fine-needle punch endometrial endovascular transcatheter
    mechanical bipolar revision redo decompressive primary balloon drug-eluting cutting microsurgical lumbar
    cervical staging interbody instrumented video capsule percutaneous laser suction transsphenoidal""".split()
)
_CONNECTORS = frozenset(("-", "/"))
_MATTER = frozenset(
    """bone skin fat tendon nerve vein cartilage plate screw nail rod wire stent coil mesh tumor mass lesion cyst polyp
    hematoma abscess stone thrombus clot nodule metastasis node lymph flap graft vessel fracture defect hernia
    fistula aneurysm polyp wound shunt catheter lead valve patch band port pacemaker needle core hardware
    implant prosthesis spacer tooth fetal cord clip balloon foreign body device tube drain fragment loose""".split()
)
_DETERMINERS = frozenset(
    "the a an his her their its this that these those all both each remaining remnant entire whole affected involved "
    "patient 's patient's single multiple two three four five large huge giant small residual recurrent primary".split()
)
_AUXILIARIES = frozenset("was were been being be is are get got".split())
_ACTIVE = frozenset("we surgeons surgeon".split())
_ADVERBS = re.compile(
    r"^(?:[a-z-]+ly|then|also|not|never|again|subsequently|later|first|thus|en|bloc|en-bloc|en-block|finally)$"
)
_CLAUSE_END = frozenset(". ; : ( ) ! ? [ ]".split())
_PREPOSITIONS = frozenset(
    """with without by via through from in into on onto at to for under over using during after before due showed
    revealed was were is are had has and or but which who that where when because as than between within""".split()
)
# What follows makes it something else than an operation done.
_NOT_BEFORE = frozenset(
    """margin margins time room theatre theater department unit instrument instruments instrumentarium port ports tube
    tubes device devices system approach course catheter catheters forceps needle needles pump therapy intensive
    hrct clinic division service report record records center centre ward literature guideline guidelines field
    option options candidate candidates""".split()
)
_SPECIMENS = frozenset(
    "specimen specimens sample samples material finding findings result results cavity bed line".split()
)
_IMAGES = frozenset(
    """3d ct mri image images imaging three-dimensional 3-dimensional multiplanar coronal sagittal axial
    volume-rendered volume mr angiographic tomographic computed real-sized 3d-ct""".split()
)
_NO_TUMOR = frozenset(
    "hematoma haematoma stoma coma trauma glaucoma carcinoma-free hygroma scotoma xanthoma-like soma aroma diploma "
    "symptoma edema oedema staphyloma trachoma seroma biloma empyema urinoma lymphocele".split()
)
_TUMOR = frozenset(
    "tumor mass neoplasm cancer malignancy metastasis growth nodule neoplasia relapse tumoral tumorous".split()
)

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
    ("drainage", "abscess"): ("abscess drainage", "other"),
}
_ENTITY = "PROCEDURE"
# Told without their object: the drainage of a scrotum is a drainage.
_PLAIN = frozenset("debridement drainage lavage curettage biopsy reconstruction exploration intubation coiling".split())
_DEVICE_HEADS = frozenset(
    "insertion placement implantation repositioning exchange removal retrieval extraction".split()
)
# Nothing else can be fixed, placed or closed than these: other objects of such verbs are no procedures.
_NEEDS_OBJECT = frozenset(
    """removal retrieval replacement repair closure placement insertion implantation fixation release reduction
    extraction dilation exploration stabilization revision exchange suturing fusion aspiration dissection bypass
    reconstruction drainage ablation clipping ligation evacuation cannulation lengthening grafting plating
    decompression""".split()
)
_FIXABLE = frozenset(("fracture", "dislocation"))
_REVISED_WHEN_REMOVED = re.compile(r"prosthesis|mesh|prosthetic|endoprosthesis|graft")


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
    """One Doc as this module reads it; what most Docs never ask for is looked up when it is."""

    def __init__(self, doc: Doc) -> None:
        self.doc = doc
        self.words = lowers_of(doc)

    @cached_property
    def sites(self) -> dict[int, Span]:
        """The body parts by token."""
        return covered(self.doc, "site")

    @cached_property
    def devices(self) -> dict[int, Span]:
        """The devices by token."""
        implants = covered(self.doc, "implant").items()
        return {i: span for i, span in implants if term_at(span).attributes.get("role") == "head"}

    @cached_property
    def diseases(self) -> dict[int, Span]:
        """The diseases by token."""
        return covered(self.doc, "diagnosis")

    @cached_property
    def long_forms(self) -> dict[int, str]:
        """What abbreviations of one token stand for."""
        shorts = spans_in(self.doc, "abbreviations")
        return {span.start: canonical(span._.long_form) for span in shorts if len(span) == 1 and span._.long_form}

    @cached_property
    def treatments(self) -> dict[int, Span]:
        """The treatments that are no operations by token."""
        return covered(self.doc, "therapy")

    @cached_property
    def operations(self) -> dict[int, Span]:
        """The operations that the learned entities see by token."""
        return by_token(spans_of(self.doc, SPANS, _ENTITY))

    @cached_property
    def named(self) -> set[int]:
        """The last tokens of the operations that the lexicon names."""
        return {span.end - 1 for span in spans_of(self.doc, "terms", FIELD)}

    @cached_property
    def tells_tumor(self) -> bool:
        """Whether the text names a tumour."""
        return any(map(_names_tumor, set(self.words))) or any(map(self.is_tumor, self.diseases))

    def folded(self, i: int) -> str:
        """The folded form of a token in lower case."""
        return fold_word(self.words[i])

    def is_tumor(self, i: int) -> bool:
        """Whether a token is the name of a tumour, or a word for one."""
        told = _names_tumor(self.words[i])
        return i in self.diseases and "behavior" in term_at(self.diseases[i]).attributes if told is None else told

    def is_body(self, i: int) -> bool:
        """Whether a token belongs to a body part."""
        return i in self.sites or is_body_word(self.words[i])

    def is_body_noun(self, i: int) -> bool:
        """Whether a token is a body part itself and no adjective of one."""
        if self.folded(i) in BODY_NOUNS or i in self.long_forms:
            return True
        return i in self.sites and not self.words[i].endswith(("al", "ic", "ar", "ary", "eal", "ous"))

    def sentence_start(self, i: int) -> int:
        """The first token of the sentence that holds a token."""
        return sentence_bounds(self.doc, i)[0]

    def sentence_end(self, i: int) -> int:
        """The token after the sentence that holds a token."""
        return sentence_bounds(self.doc, i)[1]


@lru_cache(maxsize=CACHED_WORDS)
def _names_tumor(word: str) -> bool | None:
    """Whether a word names a tumour by itself; None where it depends on the term it belongs to."""
    folded = fold_word(word)
    if folded in _TUMOR:
        return True
    if folded.endswith(("oma", "blastoma", "sarcoma")) and len(folded) > 5:
        return folded not in _NO_TUMOR
    return None


def find(doc: Doc) -> Iterator[Finding]:
    """Yields every operation that a Doc mentions, in the order of the text."""
    reading = _Reading(doc)
    nouns = _noun_mentions(reading)
    taken = {i for mention in nouns for i in range(mention.start, mention.end)}
    verbs = [mention for mention in _verb_mentions(reading) if mention.start not in taken]
    findings: list[Finding] = []
    for mention in sorted(nouns + verbs, key=lambda mention: mention.start):
        finding = _verb_finding(reading, mention) if mention.verb else _noun_finding(reading, mention)
        if finding is not None:
            findings.append(finding)
    side = _only_side(reading) if findings else ""
    yield from (_with_side(finding, side) for finding in _without_echoes(list(_by_history(doc, findings))))


# The side of an operation on one of a pair, where the text knows but one side

_PAIRED = re.compile(
    r"neph|kidney|renal|ureter|orchi|testic|mast(?:ectomy|oid)|breast|pneumonect|lung|hip\b|knee|shoulder|elbow|wrist|"
    r"ankle|femor|femur|tibi|humer|radius|radial head|ulna|fibul|clavic|scapul|acetabul|hemipelv|amputation|menisc|"
    r"patell|rotator|adrenal|oophor|ovar|salping|eye|orbit|kerato|corne|vitrect|cataract|phaco|trabecul|tympan|stapes|cochlea|"
    r"parotid|hand\b|foot|thumb|finger|toe|carpal|cruciate|achilles|calcane|talar|talus|carotid|hemithyroid"
)


def _only_side(reading: _Reading) -> str:
    """The one side that a text names; empty where it names none or both."""
    named = {SIDES[word] for word in SIDES.keys() & reading.words} & {"left", "right", "bilateral"}
    return named.pop() if len(named) == 1 else ""


def _with_side(finding: Finding, side: str) -> Finding:
    if (
        not side
        or finding.field != FIELD
        or "laterality" in finding.attributes
        or not _PAIRED.search(str(finding.value))
    ):
        return finding
    return replace(finding, attributes=Attributes({**finding.attributes, "laterality": side}))


# Repetitions in other words

_BARE = frozenset(
    """reconstruction fixation resection excision closure exploration revision biopsy drainage
    embolization grafting decompression fusion amputation""".split()
)
_ECHOES = frozenset(
    ("tumor resection", "tumor excision", "lesion resection", "lesion excision", "internal fixation", *_BARE)
)
_ECHO = 0.35


def _without_echoes(findings: list[Finding]) -> Iterator[Finding]:
    """Lowers what only repeats a more exact name: "resection" beside a nephrectomy, "was removed by vulvectomy"."""
    for finding in findings:
        if finding.field == FIELD and finding.value in _ECHOES and any(_echoed(finding, other) for other in findings):
            finding = replace(finding, confidence=min(finding.confidence, _ECHO))
        yield finding


def _echoed(finding: Finding, other: Finding) -> bool:
    if other.value in _ECHOES or other.field != FIELD or other.assertion != finding.assertion or other.confidence < 0.5:
        return False
    category = finding.attributes.get("category")
    same_kind = other.attributes.get("category") == category
    if category == "other":
        same_kind = same_kind and str(finding.value) in str(other.value)
    if finding.value in _BARE or not _TUMOR_TOLD.search(finding.text):
        return same_kind
    # "the tumor was removed by marginal mandibulectomy"
    between = finding.sentence[finding.sentence.find(finding.text) + len(finding.text) :]
    told_after = other.start >= finding.end and other.sentence == finding.sentence
    return same_kind and told_after and re.match(r"\s*(?:\w+ )?(?:by|via|through|with|using)\b", between) is not None


_TUMOR_TOLD = re.compile(
    r"tumou?r|mass|lesion|cancer|carcinoma|sarcoma|oma\b|omas\b|metasta|nodul|neoplas|growth", re.I
)


# Earlier operations

_PRESENTS = re.compile(
    r"\b(?:present(?:ed|s|ing)|complain\w*|(?:re)?admitted|referred|developed|noticed|was found|were found|visited|"
    r"diagnosed)\b"
    r".*?(?P<gap>\b(?:\d+|\w+) (?:weeks?|months?|years?) (?:after|following|post)\b)",
    re.I | re.S,
)
_AT_SITE = re.compile(r"\b(?:site|scar|history|area) of (?:an? |the |her |his )?(?:\w+ )?$", re.I)
_YEARS_AFTER = re.compile(
    r"\b(?:\d+|several|many|a|one|two|three|four|five|six|seven|eight|nine|ten)[- ](?:years?|decades?) "
    r"(?:after|following) (?:(?:an?|the|her|his|initial|first|undergoing|receiving|taking|having) )*$",
    re.I,
)
# A mention that only dates something else, or explains it: "infection after arthroplasty".
_DATES = re.compile(
    r"\b(?:after|following|since|post|secondary to|due to|caused by|complications? of|complicating|induced by|"
    r"related to|status post) (?:(?!after|following|when|which|who|was|were|and\b|the patient)[\w'-]+ ){0,4}$",
    re.I,
)
# "We report a fracture 14 months after an arthroplasty": the case is what came later.
_REPORTED_AFTER = re.compile(
    r"\b(?:report|present|describe|case of)\b(?:(?!during|follow)[^;])*? (?:\d+|\w+)[- ](?:weeks|months?) "
    r"(?:after|following|from) (?:an? |the |her |his )?(?:[\w()-]+ ){0,4}$",
    re.I,
)
_AT_AGE = re.compile(r"\bages? (?:of )?$", re.I)
_OF_AGE = re.compile(r"\s*(?:years? )?of age\b", re.I)
_NEAR = 120  # characters between an operation and the age that dates it
_LONG_BEFORE = -60.0  # days from the operation of the episode
_JOINED = re.compile(r"(?:,|\s|and|with|plus|followed by|a|an|the|left|right|bilateral)*", re.I)
_AFTER = re.compile(r"\b(?:after|following|(?<!status )post|since)", re.I)


def _by_history(doc: Doc, findings: list[Finding]) -> Iterator[Finding]:
    """Tells earlier operations as comorbidity; one that the told course holds stays a procedure."""
    leads = [_lead(doc, finding) for finding in findings]
    earlier = [_is_earlier(doc, finding, lead) for finding, lead in zip(findings, leads, strict=True)]
    told = {
        finding.value
        for finding, lead, is_earlier in zip(findings, leads, earlier, strict=True)
        if finding.assertion == "present" and not is_earlier and not search(_DATES, lead)
    }
    # "Fistula after resection" in the title, "two years after resection" in the text: both tell the same.
    long_ago = {
        finding.value
        for finding, is_earlier in zip(findings, earlier, strict=True)
        if is_earlier or finding.assertion == "historical"
    } - told
    before: Finding | None = None
    for finding, is_earlier in zip(findings, earlier, strict=True):
        if finding.assertion == "historical":
            cue = text_of(doc)[slice(*finding.cue)] if finding.cue else ""
            if _AFTER.search(cue) and (finding.value in GENERIC or finding.value in told):
                finding = replace(finding, assertion="present", cue=None)
        elif finding.assertion == "present" and (
            is_earlier or finding.value in long_ago or _goes_on(doc, before, finding)
        ):
            finding = replace(finding, assertion="historical")
        before = finding
        if finding.assertion == "historical":
            finding = replace(finding, field="comorbidity", attributes=Attributes())
        yield finding


def _lead(doc: Doc, finding: Finding) -> str:
    """The words of its sentence before a finding."""
    sentence = finding.sentence
    begin = finding.start - max(0, text_of(doc).rfind(sentence, 0, finding.end + len(sentence)))
    return sentence[:begin] if 0 < begin <= len(sentence) else ""


def _is_earlier(doc: Doc, finding: Finding, lead: str) -> bool:
    """Whether an operation lies before the presentation: "presented 5 months after a mastectomy"."""
    if finding.value in GENERIC:
        return False
    if (
        search(_AT_SITE, lead)
        or search(_YEARS_AFTER, lead)
        or search(_REPORTED_AFTER, lead)
        or _at_younger_age(doc, finding)
    ):
        return True
    if finding.when_days is not None and finding.when_days <= _LONG_BEFORE:
        span = doc.char_span(finding.start, finding.end, alignment_mode="expand")
        time = time_at(span) if span is not None else None
        return time is not None and time.label_ != "history"
    match = search(_PRESENTS, lead)
    return match is not None and len(lead) - match.end("gap") < 40 and "," not in lead[match.end("gap") :]


def _at_younger_age(doc: Doc, finding: Finding) -> bool:
    """Whether the sentence dates an operation by an age that lies before that of the patient: "at the age of nine"."""
    ages = spans_of(doc, "quantities", "AGE")
    if len(ages) < 2:
        return False
    text = text_of(doc)
    now = ages[0]._.quantity.value or 0.0
    for age in ages[1:]:
        value = age._.quantity.value
        if value is None or value >= now - 1 or not finding.start - _NEAR < age.start_char < finding.end + _NEAR:
            continue
        dated = _AT_AGE.search(text, max(0, age.start_char - 10), age.start_char) or _OF_AGE.match(text, age.end_char)
        start, end = sentence_chars(age)
        if start <= finding.start < end and (dated or "age" in age.text):
            return True
    return False


def _goes_on(doc: Doc, before: Finding | None, finding: Finding) -> bool:
    """Whether a finding is joined to an earlier operation before it: "mastectomy with axillary dissection"."""
    if before is None or before.assertion != "historical" or before.sentence != finding.sentence:
        return False
    return _JOINED.fullmatch(text_of(doc)[before.end : finding.start]) is not None


# Nouns


def _noun_mentions(reading: _Reading) -> list[_Mention]:
    mentions: list[_Mention] = []
    taken: set[int] = set()
    for span in spans_of(reading.doc, "terms", FIELD):
        term = term_at(span)
        if span.start in taken:
            continue
        if len(span) == 1 and reading.folded(span.start) in HEADS and reading.folded(span.start) == term.preferred:
            continue
        mentions.append(_of_term(span, term))
        taken.update(range(span.start, span.end))
    texts = texts_of(reading.doc)
    named = {text: word for text in set(texts) if (word := procedure_word(text)) is not None}
    for i, text in enumerate(texts) if named else ():
        if text in named and i not in taken:
            word = named[text]
            confidence = 0.85 if word.value not in HEADS else 0.7
            mentions.append(
                _Mention(
                    i,
                    i + 1,
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
    words = lowers_of(span.doc)
    last = fold_word(words[span.end - 1])
    if last in ("graft", "flap", "aspirate"):
        # The tissue as often as the operation, unless it was performed.
        done = span.end + 1 < len(words) and words[span.end + 1] in ("performed", "done", "undertaken")
        confidence = 0.8 if done else 0.35 if last == "graft" else 0.5
    return _Mention(span.start, span.end, term.preferred, category, code=term.code, confidence=confidence)


def _noun_finding(reading: _Reading, mention: _Mention) -> Finding | None:
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
            named = _name_by_entity(reading, mention)
            first = min(first, reading.operations[mention.start].start) if named is not None else first
        if named is None:
            return None
        value, category, code = named
        if thing is not None and reading.words[mention.end] not in ("and", "with"):
            end = thing.end
    elif kept:
        value, category, code = _with_words(kept, mention)
    if any(word in _REDO for word in dropped):
        category = "revision"
    confidence = mention.confidence
    if mention.end < len(reading.words) and reading.folded(mention.end) in _SPECIMENS:
        confidence = min(confidence, 0.5)
    if value in GENERIC:
        confidence = 0.3
    if value in ("resection", "excision", "removal", "revision"):
        confidence = 0.35
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
    if mention.head == "dissection" and not _DISSECTED.search(
        " ".join(words[max(0, mention.start - 3) : mention.end + 5])
    ):
        return True
    if mention.head == "fusion" and not _FUSED.search(" ".join(words[max(0, mention.start - 3) : mention.end + 5])):
        return True
    after = words[mention.end : mention.end + 5]
    if mention.head == "reduction" and after[:1] == ["of"] and any(word in _REDUCED for word in after):
        return False
    before = words[max(0, mention.start - 2) : mention.start]
    if before[-1:] == ["post"] and before != ["status", "post"]:
        return True
    if before[-1:] and before[-1].startswith("post-") and is_body_word(before[-1].removeprefix("post-")):
        return True  # "post-spinal fusion osteomyelitis"
    if mention.head == "procedure" and mention.start - 1 in reading.named:
        return True
    if mention.value == "embolization" and words[max(0, mention.start - 1)] in (
        "pulmonary",
        "systemic",
        "septic",
        "cerebral",
    ):
        return True
    return mention.head == "reduction" and not any(
        word in ("open", "closed") or reading.is_body(i)
        for i, word in enumerate(words[max(0, mention.start - 2) : mention.start], max(0, mention.start - 2))
    )


_REDUCED = frozenset("fracture fractures dislocation intussusception hernia luxation volvulus".split())
_DISSECTED = re.compile(r"node|nodal|neck|axill|lymph|submucosal|seminal|circumferential|inguinal|groin|subcutaneous")
_FUSED = re.compile(
    r"spin|vertebr|lumb|cervic|thorac|interbody|posterolateral|instrument|sacr|atlant|occipit|c1|joint|ankle|knee|wrist|hip|"
    r"level|segment|[clts]\d"
)


def _premodifiers(reading: _Reading, mention: _Mention) -> tuple[int, list[str], list[str]]:
    """The words before a head that belong to it: first token, those of the name, those left out of it."""
    first = mention.start
    kept: list[str] = []
    dropped: list[str] = []
    bound = max(reading.sentence_start(mention.start), mention.start - 8)
    for i in range(mention.start - 1, bound - 1, -1):
        word = reading.words[i]
        if word in _CONNECTORS:
            continue
        if word in _TECHNIQUE or word in _EXTENT or word in _POSITION or word in APPROACHES:
            kept.insert(0, word)
            dropped.append(word)
        elif word in SIDES or word in _DROPPED or _is_level(reading, i):
            dropped.append(word)
        elif reading.is_body(i) or (mention.head and _is_matter(reading, i)):
            kept.insert(0, reading.long_forms.get(i, word))
        elif mention.head == "procedure" and reading.doc[i].text[0].isupper() and i > reading.sentence_start(i):
            kept.insert(0, word)
        else:
            break
        first = i
    return first, kept, dropped


def _is_matter(reading: _Reading, i: int) -> bool:
    return reading.folded(i) in _MATTER or i in reading.devices or reading.is_tumor(i) or reading.folded(i) in _OBJECTS


def _is_level(reading: _Reading, i: int) -> bool:
    return bool(re.match(r"^[ctls]\d{1,2}(?:[-–/][ctls]?\d{1,2})?$", reading.words[i]))


def _known(kept: list[str], head: str) -> Term | None:
    """The most telling name that the lexicon has of a head with some of the words before it."""
    names = [kept, [word for word in kept if word not in _POSITION]]
    names.append([word for word in names[1] if word not in _EXTENT and word not in APPROACHES])
    for words in names:
        for cut in range(len(words)):
            term = _lookup(" ".join([*words[cut:], head]))
            if term is not None:
                return term
    return None


def _named_by(term: Term) -> tuple[str, str, str]:
    return term.preferred, str(term.attributes.get("category", "other")), term.code


def _plain(kept: list[str]) -> list[str]:
    """The words that stay in a name: neither place within the organ, nor extent, nor technique."""
    return [
        word
        for word in kept
        if word not in _POSITION and word not in _EXTENT and word not in _TECHNIQUE and word not in APPROACHES
    ]


_TAKES_PLACE = re.compile(
    r"(?:biopsy|osteotomy|arthrodesis|arthroplasty|fusion|arthroscopy|grafting|embolization|angioplasty|transplantation)$"
)


def _with_words(kept: list[str], mention: _Mention) -> tuple[str, str, str]:
    """The name of a whole procedure word with the words before it, as far as the lexicon or its kind take them."""
    term = _known(kept, mention.value)
    if term is not None:
        return _named_by(term)
    place = _plain(kept)
    if place and _TAKES_PLACE.search(mention.value) and " " not in mention.value.removeprefix("lymph node "):
        return canonical(" ".join([*place, mention.value])), mention.category, ""
    return mention.value, mention.category, mention.code


def _object_after_of(reading: _Reading, mention: _Mention) -> _Object | None:
    """What stands after "of" behind a head."""
    end = mention.end
    words = reading.words
    while end < len(words) and words[end] in ("surgery", "procedure", "technique"):
        end += 1
    if words[end : end + 1] in (["and"], ["with"]) and words[end + 2 : end + 3] == ["of"] and words[end + 1] in HEADS:
        end += 2  # "resection and reconstruction of the sacrum"
    if end + 1 >= len(words) or words[end] not in ("of", "to"):
        return None
    stop = min(reading.sentence_end(mention.start), end + 10)
    return _object_in(reading, end + 1, stop)


def _object_in(reading: _Reading, start: int, stop: int) -> _Object | None:
    """The thing that the noun phrase from `start` on names: its head decides what it is."""
    first, last = -1, -1
    kind, name = "", ""
    for i in range(start, stop):
        word, folded = reading.words[i], reading.folded(i)
        if word in _DETERMINERS or word in SIDES or word in _DROPPED or word in _POSITION or word in _EXTENT:
            continue
        if word in _PREPOSITIONS or word == "of" or word in _CLAUSE_END or word == ",":
            break
        if i in reading.devices:
            kind, name = "device", term_at(reading.devices[i]).preferred
        elif reading.is_tumor(i):
            kind, name = "tumor", "tumor"
        elif i in reading.long_forms and fold_word(reading.long_forms[i].split()[-1]) in _OBJECTS:
            kind, name = _OBJECTS[fold_word(reading.long_forms[i].split()[-1])], reading.long_forms[i]
        elif folded in _OBJECTS:
            kind, name = _OBJECTS[folded], _OBJECTS[folded]
        elif reading.is_body(i):
            word = reading.long_forms.get(i, word)
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
    if not kind or (kind == "body" and not reading.is_body_noun(last)):
        return None
    return _Object(kind, canonical(name), first, last + 1)


def _name(reading: _Reading, mention: _Mention, kept: list[str], thing: _Object | None) -> tuple[str, str, str] | None:
    """Value, category and code of a head noun with its words and its object; None where it says too little."""
    head = mention.head
    term = _known(kept, head)
    if term is not None and not (thing is not None and thing.kind == "body" and head in _RESECT):
        return _named_by(term)
    extent = next((word for word in kept if word in _EXTENT), "")
    if thing is not None:
        named = _named_by_object(reading, head, thing, mention, extent)
        if named is not None:
            return named
    place = _plain(kept)
    if place and head in ("insertion", "placement", "implantation") and not any(word in _MATTER for word in place):
        return None
    if place:
        return canonical(" ".join([*place, head])), _category(head, place[-1], mention.category), ""
    if head in ("resection", "excision") and reading.tells_tumor:
        value = f"{extent} tumor {head}" if extent in ("subtotal", "partial") else f"tumor {head}"
        return value, "resection", _code(value)
    return (head, mention.category, mention.code or _code(head)) if mention.alone else None


def _name_by_entity(reading: _Reading, mention: _Mention) -> tuple[str, str, str] | None:
    """The name of a head that the learned entities take for an operation, of whatever words: "foreskin repair"."""
    entity = reading.operations.get(mention.start)
    if entity is None or mention.alone or mention.head == "procedure" or mention.start in reading.treatments:
        return None
    if mention.head in _RESECT and reading.tells_tumor:
        return "tumor resection", "resection", _code("tumor resection")
    before = reading.words[entity.start : mention.start]
    words = _plain([word for word in before if word not in _DROPPED and not word.isdecimal()])
    words = words or _words_after_of(reading, mention)
    if not words:
        return None
    return canonical(" ".join([*words, mention.head])), mention.category, ""


def _words_after_of(reading: _Reading, mention: _Mention) -> list[str]:
    """The noun phrase behind "of", in whatever words."""
    words = reading.words
    if words[mention.end : mention.end + 1] != ["of"]:
        return []
    named: list[str] = []
    for word in words[mention.end + 1 : min(mention.end + 7, reading.sentence_end(mention.start))]:
        if word in _PREPOSITIONS or word in _CLAUSE_END or word in ("of", ","):
            break
        if word not in _DETERMINERS and word not in SIDES and word not in _DROPPED:
            named.append(word)
    return named if all(word.isalpha() for word in named) else []


def _named_by_object(
    reading: _Reading, head: str, thing: _Object, mention: _Mention, extent: str
) -> tuple[str, str, str] | None:
    """The name of an operation by what it was done to: a tumour's removal is a tumor resection."""
    if head in _RESECT:
        if thing.kind == "lesion" and reading.tells_tumor:
            thing = replace(thing, kind="tumor")  # the lesion is what the text calls a tumour elsewhere
        return _removal_of(head, thing, extent, verb=mention.verb)
    named = _NAMED.get((head, thing.kind))
    if named is not None:
        return named[0], named[1], _code(named[0])
    if (head in _PLAIN and (thing.kind != "body" or mention.verb)) or (
        thing.kind in ("tumor", "lesion") and head not in ("ablation", "embolization")
    ):
        return (head, mention.category, _code(head)) if mention.alone else None
    if thing.kind == "device" and head == "replacement" and "valve" in thing.name:
        return "valve replacement", "revision", _code("valve replacement")
    if thing.kind == "device" and head not in _DEVICE_HEADS and head not in ("fixation", "stenting", "revision"):
        return None
    if thing.kind == "body":
        return _body_operation(head, thing, mention.category)
    term = _lookup(f"{thing.name} {head}")
    if term is not None:
        return _named_by(term)
    return canonical(f"{thing.name} {head}"), _category(head, thing.name, mention.category), ""


def _removal_of(head: str, thing: _Object, extent: str, *, verb: bool) -> tuple[str, str, str]:
    """What taking something out is called."""
    noun = "excision" if head == "excision" and not verb else "resection"
    if thing.kind == "tumor":
        value = f"{extent} tumor {noun}" if extent in ("subtotal", "partial") else f"tumor {noun}"
        return value, "resection", _code(value)
    if thing.kind == "device":
        value = f"{thing.name} removal"
        return value, "revision" if _REVISED_WHEN_REMOVED.search(thing.name) else "other", _code(value)
    named = _NAMED.get(("removal", thing.kind))
    if named is not None:
        return named[0], named[1], _code(named[0])
    if thing.kind == "body":
        name = f"{thing.name} {extent}" if extent in ("wedge", "sleeve", "segmental") else thing.name
        return _body_operation(noun, replace(thing, name=name), "resection")
    return canonical(f"{thing.name} {head}"), HEADS[head][0], ""


# Operations are named with the adjective of these, not with the noun: duodenal resection.
_ADJECTIVES: dict[str, str] = dict(
    pair.split(":")
    for pair in """abdomen:abdominal acetabulum:acetabular aorta:aortic atrium:atrial bladder:bladder bronchus:bronchial
    cervix:cervical colon:colonic cornea:corneal diaphragm:diaphragmatic duodenum:duodenal esophagus:esophageal
    femur:femoral fibula:fibular humerus:humeral ileum:ileal intestine:intestinal jejunum:jejunal larynx:laryngeal
    mandible:mandibular maxilla:maxillary mediastinum:mediastinal mesentery:mesenteric orbit:orbital palate:palatal
    pancreas:pancreatic pelvis:pelvic pericardium:pericardial peritoneum:peritoneal pharynx:pharyngeal pleura:pleural
    rectum:rectal sacrum:sacral scrotum:scrotal sternum:sternal stomach:gastric thorax:thoracic tibia:tibial
    trachea:tracheal ureter:ureteral urethra:urethral uterus:uterine vagina:vaginal ventricle:ventricular
    vertebra:vertebral""".split()
)


def _body_operation(head: str, thing: _Object, category: str) -> tuple[str, str, str]:
    *before, last = re.sub(r" (?:bone|tissue|wall)$", "", thing.name).split()
    adjective = " ".join([*before, _ADJECTIVES.get(last, last)])
    for name in (f"{thing.name} {head}", f"{head} of the {thing.name}", f"{adjective} {head}"):
        term = _lookup(name)
        if term is not None:
            return _named_by(term)
    return canonical(f"{adjective} {head}"), _category(head, thing.name, category), ""


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
        if word not in _VERBAL:
            continue
        head = VERBS.get(word)
        if head is not None:
            confidence = _certainty(reading, i)
        elif word in PURPOSES and i and (word.endswith("ing") or reading.words[i - 1] == "to"):
            head, confidence = PURPOSES[word], 0.5
        elif word == "surgically" and reading.words[max(0, i - 1)] in _TREATED | {"and"}:
            head, confidence = "surgery", 0.3
        else:
            continue
        if confidence:
            category = HEADS[head][0] if head in HEADS else _category_of(head)
            mentions.append(_Mention(i, i + 1, head, category, head=head, verb=True, confidence=confidence))
    return mentions


_TREATED = frozenset("treated managed operated corrected".split())
_VERBAL = frozenset((*VERBS, *PURPOSES, "surgically"))


def _certainty(reading: _Reading, i: int) -> float:
    """How sure a participle tells of an operation: as the verb of its sentence most, before its noun least."""
    if _is_finite(reading, i):
        return 0.75
    if _is_reduced_relative(reading, i):
        return 0.5
    before = reading.words[i - 1] if i else ""
    return 0.45 if before in ("surgically", "previously", "completely") else 0.0


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
    """ "a mass resected from the arm": a participle after a noun and before a preposition."""
    words = reading.words
    if i == 0 or i + 1 >= len(words) or reading.sentence_start(i) == i:
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
    if thing is not None and thing.name in ("wire", "port"):
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
        while start > 0 and reading.words[start - 1] in SIDES:
            start -= 1
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
    before_its_noun = reading.words[i] in PURPOSES or _certainty(reading, i) == 0.45
    if before_its_noun or (j >= bound and reading.words[j] in _ACTIVE):
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
    approach = _approach(reading, mention, start, end)
    if approach:
        attributes["approach"] = approach
    side = side_of(reading.words[start:end])
    if side:
        attributes["laterality"] = side
    levels = levels_beside(reading.doc, start, end)
    if levels and category in ("decompression", "fusion", "fixation", "resection", "biopsy", "other", "reconstruction"):
        attributes["levels"] = levels
    assertion: Assertion | None = "hypothetical" if was_only_proposed(span) else None
    if mention.verb and reading.words[mention.start - 1] == "never":
        assertion = "absent"  # "a pacemaker was never inserted"
    return make_finding(
        span,
        FIELD,
        value,
        source=SOURCE,
        code=code,
        assertion=assertion,
        attributes=attributes,
        confidence=confidence,
    )


_THROUGH = re.compile(r"^(?:through|via|by|using|with)$")


def _approach(reading: _Reading, mention: _Mention, start: int, end: int) -> str:
    """The approach named in the words of an operation or after it ("via a posterior approach")."""
    words = reading.words
    low = max(reading.sentence_start(mention.start), mention.start - 5) if mention.verb else start
    if low > 1 and words[low - 1] in ("and", "/") and words[low - 2] in APPROACHES and words[low] in APPROACHES:
        low -= 2  # "anterior and posterior fusion"
    own = words[low : end if mention.verb else mention.end]  # not the "dorsal wall" that was resected
    found = [APPROACHES[word] for word in own if word in APPROACHES]
    joined = " ".join(own)
    if "minimally invasive" in joined:
        found.append("minimally invasive")
    stop = reading.sentence_end(mention.start)
    for i in range(end, min(stop, end + 14)):
        if words[i] in ("approach", "approaches", "incision", "access", "route"):
            j = i - 1
            near: list[str] = []
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
    return " and ".join(unique) if len(unique) == 2 and set(unique) == {"anterior", "posterior"} else " ".join(unique)


@lru_cache(maxsize=CACHED_PHRASES)
def _lookup(surface: str) -> Term | None:
    """The procedure that a name names in the lexicon."""
    for term in builtin_lexicon().lookup(surface):
        if term.field == FIELD:
            return term
    return None


def _code(value: str) -> str:
    term = _lookup(value)
    return term.code if term is not None and term.preferred == value else ""
