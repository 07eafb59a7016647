"""diagnosis, comorbidity, symptom and complication: conditions, and the part each plays for the patient.

A condition is a term of the lexicons, or a phrase whose head tells that it is one ("… fracture", "…itis"). Whether it
is what the episode treats, what the patient had besides, a presenting sign or a consequence of treatment depends on the
words around it and its place in the article: a linear model over such features decides (`roles.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from spacy.tokens import Doc, Span

from caseframe.fields.base import (
    assertion_at,
    folded_words,
    make_finding,
    parts_of,
    rows_in,
    sentence_chars,
    spans_of,
    term_at,
)
from caseframe.fields.entities import CONDITIONS, open_mentions
from caseframe.fields.phrases import core_words, phrase, phrase_start
from caseframe.fields.roles import roles_of
from caseframe.lexicons import Term, builtin_lexicon
from caseframe.lexicons.folding import Remembered, canonical
from caseframe.schema import Assertion, AttributeValue, Finding
from caseframe.stages.extensions import lowers_of, offsets_of, sentence_bounds, text_between, text_of
from caseframe.stages.needles import may_match

_SOURCE = "conditions"
_FIELDS = ("diagnosis", "complication", "symptom", "comorbidity")
_SUFFIX = re.compile(
    r"(?:itis|osis|opathy|emia|algia|plegia|paresis|rrhagia|rrhea|ectasis|malacia|penia|megaly|uria|oma|ptysis|trophy|"
    r"plasia|spasm|pathy|phagia|pnea|kinesia|esthesia|opia|edema|thorax|cele|lithiasis|toxicity|sthenia)$"
)
_NO_CONDITION = frozenset(
    "diagnosis prognosis hypnosis apoptosis mitosis meiosis anastomosis symbiosis phagocytosis homeostasis osmosis "
    "metamorphosis hypothesis synthesis prosthesis metastasis stoma soma genoma coma-scale diploma aroma "
    "sympathy empathy "
    "homeopathy utopia telepathy endocytosis biosynthesis urinalysis narcosis tuberosis pertrochanteric "
    "hemostasis allotransplantation sclerosant microscopia arthrodesis osteosynthesis angiogenesis trypanosoma "
    "schistosoma oklahoma anesthesia analgesia parapsilosis thorax stroma capitis".split()
)
# Heads of phrases that name a condition; with "of the" and a site after them, too.
HEADS = frozenset(
    "fracture dislocation subluxation rupture tear laceration syndrome disease disorder deficiency infection "
    "abscess cyst "
    "stenosis stricture hernia ulcer perforation obstruction occlusion palsy injury trauma hematoma aneurysm "
    "pseudoaneurysm thrombosis thrombus embolism fistula malformation anomaly failure hemorrhage bleeding "
    "necrosis pain "
    "swelling mass nodule lesion defect insufficiency regurgitation effusion weakness numbness deformity contracture "
    "instability dysfunction impairment deficit discharge erosion calcification compression intoxication poisoning "
    "overdose reaction shock arrest infarction ischemia dissection leak leakage prolapse torsion volvulus "
    "intussusception atrophy hypertrophy hyperplasia dysplasia agenesis aplasia atresia duplication ectopia "
    "polyp stone "
    "calculus callus nonunion malunion loosening migration granuloma rash eruption itching tenderness stiffness "
    "paralysis seizure tremor ataxia spasm cramp loss hypertension hypotension burn discomfort "
    "extravasation protrusion induration".split()
)
# "systemic disease", "primary lesion": a head beside which nothing names what it is.
_VAGUE_HEADS = frozenset(
    "disease disorder syndrome lesion infection injury mass defect reaction shock failure loss".split()
)
_VAGUE = frozenset(
    "primary secondary systemic metastatic multifocal advanced genetic malignant benign chronic acute active local "
    "stable progressive tumorous mutant double clinical multisystem specific single complex dual viral bacterial "
    "microbial infectious inflammatory organic respective target suspicious emerging inappropriate chain inherited "
    "different important terrible refractory background predisposing underdiagnosed infrequent congenital autosomal "
    "recessive dominant multisystemic neoplastic".split()
)
# Words that a learned mention may end with and that say nothing of the patient.
_NOTHING = frozenset(
    "complication sign symptom involvement normal palpable condition comorbidity co-morbidity structure phenotype "
    "finding abnormality feature appearance immunocompetent result change problem negative positive congenital "
    "syndromic familial abnormal stable severe mild bilateral unilateral recurrent solitary multiple".split()
)
# Heads that with the word before them name a test or an operation.
_OTHER_PAIRS = frozenset(
    {
        ("chain", "reaction"),
        ("node", "dissection"),
        ("submucosal", "dissection"),
        ("neck", "dissection"),
        ("body", "mass"),
        ("bone", "mass"),
        ("muscle", "mass"),
        ("lean", "mass"),
        ("hospital", "discharge"),
    }
)
_MISTAKEN = re.compile(r"mis-?diagnosed|mistaken|erroneous|incorrect|wrong", re.IGNORECASE)
# Beside these, or before these, a smooth course says nothing of what was treated.
_OTHER_COURSES = frozenset("pregnancy pregnancies gestation birth childhood".split())
_BUT_FOR = frozenset("except until besides".split())
_NEAR = 4
# Nouns that make a modifier of the head before them: "shock wave", "trauma unit", "failure rate".
_PLACES = frozenset("unit department center centre clinic medicine team surgeon surgeons".split())
_FOLLOWERS = _PLACES | frozenset(
    "wave waves rate rates risk risks score scale index model models gene genes cell cells virus".split()
)
# Terms of these fields whose last word looks like a condition ("submucosal dissection") name none.
_NO_CONDITION_FIELDS = frozenset({"procedure", "therapy", "imaging", "measurement", "implant"})
_PART = re.compile(r"\A(?:of|in|at|to) (?:the |her |his |a |an |both )?(?:left |right |bilateral )?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """A mention of a condition: its words, canonical value, codes, the fields its lexicons give, where it is from.

    `values` has the value in each field whose lexicon has a name of its own for it: a desaturation that the patient
    came with is another lexicon's row than one that treatment caused; `codes` has the code of each value that has one.
    `course` is `lasting` of what one has for life (hypertension), `event` of what befell the patient (an accident), as
    the lexicon has it.
    """

    span: Span
    value: str
    field: str
    codes: tuple[tuple[str, str], ...] = ()
    behavior: str = ""
    origin: str = "open"
    values: tuple[tuple[str, str], ...] = ()
    course: str = ""

    def value_as(self, role: str) -> str:
        """The canonical value in a field."""
        return dict(self.values).get("diagnosis" if role == "comorbidity" else role, self.value)

    def code_as(self, role: str) -> str:
        """The code of that value; none where a modifier makes it more than the lexicon's term."""
        return dict(self.codes).get(self.value_as(role), "")


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the conditions of a Doc, each in the fields of its roles, and what is said of complications as such."""
    yield from _any_complication(doc)
    conditions = conditions_of(doc)
    for condition, roles in zip(conditions, roles_of(doc, conditions), strict=True):
        if not roles:
            continue
        assertion, cue = assertion_at(condition.span)
        if cue is not None and _MISTAKEN.search(cue.text):
            # What it was taken for is a diagnosis that did not stand, and nothing else.
            roles = {"diagnosis": max(roles.values())}
        for role, probability in roles.items():
            yield make_finding(
                condition.span,
                role,
                condition.value_as(role),
                source=_SOURCE,
                assertion=_assertion_as(condition, role, assertion),
                code=condition.code_as(role),
                attributes=_attributes(doc, condition, role, assertion),
                confidence=probability,
            )


def _assertion_as(condition: Condition, role: str, told: Assertion) -> Assertion:
    """The assertion of a condition in a role: whether "history of", or nothing, stands before it does not tell all.

    What the episode treats, or what brought the patient, is of now; so is a comorbidity that lasts. An accident is not.
    """
    if told == "historical" and (role in ("diagnosis", "symptom") or condition.course == "lasting"):
        return "present"
    if told == "present" and role == "comorbidity" and condition.course == "event":
        return "historical"
    return told


def _any_complication(doc: Doc) -> Iterator[Finding]:
    """ "No complications", "uneventful": the value is `any`, absent. Complications that are not named fill no cell."""
    for _, _, label, span in rows_in(doc, "terms"):
        if not _is_any(label, span) or _is_bare_any(span) or _is_qualified(span):
            continue
        term = term_at(span)
        if "denied" in term.attributes or assertion_at(span)[0] == "absent":
            yield make_finding(span, label, "any", source=_SOURCE, assertion="absent", confidence=0.85)


def conditions_of(doc: Doc) -> list[Condition]:
    """Every mention of a condition, in text order, none inside another."""
    known = doc.user_data.get("caseframe.conditions")
    if isinstance(known, list):
        return known
    listed = [_listed(doc, spans) for spans in _lexicon_spans(doc)]
    taken = [(condition.span.start, condition.span.end) for condition in listed]
    built = list(_built(doc, taken))
    taken += [(condition.span.start, condition.span.end) for condition in built]
    learned = [
        Condition(span, value, "open", origin=span.label_)
        for span, value in open_mentions(doc, CONDITIONS, taken)
        if not _says_nothing(value)
    ]
    found = sorted([*listed, *built, *learned], key=lambda condition: condition.span.start)
    # Where a tumour has spread is a field of its own.
    conditions = [condition for condition in found if not condition.value.endswith("metastasis")]
    doc.user_data["caseframe.conditions"] = conditions
    return conditions


def _lexicon_spans(doc: Doc) -> list[list[tuple[str, Span]]]:
    """Term hits of condition fields, each after its field; those of several lexicons over the same words together.

    Where two hits overlap, the longer stands. Those of the same words go in the order of `_FIELDS`.
    """
    words = lowers_of(doc)
    claims: dict[tuple[int, int], list[tuple[str, Span]]] = {}
    for start, end, label, span in rows_in(doc, "terms"):
        if label in _FIELDS and not _is_any(label, span) and (end == len(words) or words[end] not in _PLACES):
            claims.setdefault((start, end), []).append((label, span))
    kept: list[list[tuple[str, Span]]] = []
    held: set[int] = set()
    for start, end in sorted(claims, key=lambda bounds: (bounds[0] - bounds[1], bounds[0])):
        if held.isdisjoint(range(start, end)):
            held.update(range(start, end))
            kept.append(sorted(claims[start, end], key=lambda hit: _FIELDS.index(hit[0])))
    return kept


def _is_any(label: str, span: Span) -> bool:
    """Whether a term speaks of complications or symptoms as such ("complications", "uneventful"), not of one."""
    if label not in ("complication", "symptom"):
        return False
    term = term_at(span)
    return term.preferred == "any" or "denied" in term.attributes


def _is_qualified(span: Span) -> bool:
    """Whether a smooth course is another's, or was smooth but for something: "uneventful until", "no … except"."""
    words = lowers_of(span.doc)
    first, last = sentence_bounds(span.doc, span.start)
    near = words[max(first, span.start - _NEAR) : min(last, span.end + _NEAR)]
    return not (_OTHER_COURSES.isdisjoint(near) and _BUT_FOR.isdisjoint(words[span.end : last]))


def _is_bare_any(span: Span) -> bool:
    """The word "any" itself, the canonical name in the lexicons, denies nothing: "did not cause any delay"."""
    return len(span) == 1 and lowers_of(span.doc)[span.start] == "any"


def _listed(doc: Doc, hits: list[tuple[str, Span]]) -> Condition:
    """A condition of the lexicons, from the hits over its words."""
    span = hits[0][1]
    terms = [term_at(hit) for _, hit in hits]
    term = terms[0]
    behavior = str(term.attributes.get("behavior", ""))
    names = {field: found.preferred for (field, _), found in zip(hits, terms, strict=True)}
    own = _own_name(span, names.values())
    value = own or term.preferred
    codes = {found.preferred: found.code for found in reversed(terms) if found.code}
    if value == term.preferred and (usual := _as_usual(doc, span, term)) is not None:
        value, codes[usual.preferred] = usual.preferred, usual.code
    if behavior in ("benign", "uncertain") and span.start and lowers_of(doc)[span.start - 1] == "malignant":
        behavior = "malignant"
        codes = {name: re.sub(r"/[01]\Z", "/3", code) for name, code in codes.items()}
    values: tuple[tuple[str, str], ...] = ()
    if not behavior:
        if not own and len(set(names.values())) > 1:
            values = tuple((field, _with_site(doc, span, name)) for field, name in names.items())
        value = _with_site(doc, span, value)
    courses = (found.attributes.get("course") for found in terms)
    course = next((str(course) for course in courses if course is not None), "")
    return Condition(span, value, "+".join(sorted(names)), tuple(codes.items()), behavior, term.lexicon, values, course)


def _own_name(span: Span, names: Iterable[str]) -> str:
    """The canonical name that is the very words of the text: nothing another lexicon calls them is more exact."""
    words = parts_of(text_between(span.doc, span.start, span.end))
    return next((name for name in names if parts_of(name) == words), "")


def _with_site(doc: Doc, span: Span, value: str) -> str:
    """A head that says little is named with its modifiers: "retroperitoneal hematoma", "femoral neck fracture"."""
    if value not in HEADS:
        return value
    start = phrase_start(doc, span.start)
    words = core_words(Span(doc, start, span.start)) if start < span.start else []
    if words:
        return canonical(" ".join((*words, value)))
    site = _site_after(doc, span)
    return f"{site} {value}" if site else value


def _as_usual(doc: Doc, span: Span, term: Term) -> Term | None:
    """What a short name means at its usual site, and where no other one stands beside it.

    A giant cell tumor is that of bone, but not that of the heart.
    """
    if "usual" not in term.attributes:
        return None
    site = _site_beside(doc, span)
    topography = site.code.removeprefix("ICDO3:") if site is not None else ""
    if site is not None and not topography.startswith(tuple(str(term.attributes["usual_at"]).split("|"))):
        return None
    return builtin_lexicon().term(f"{term.field}:{term.attributes['usual']}")


def _site_beside(doc: Doc, span: Span) -> Term | None:
    """The site in "renal cyst" and in "cyst of the kidney", which may be among the words of the condition."""
    before = (site for site in spans_of(doc, "terms", "site") if span.start <= site.end <= span.end)
    return next(map(term_at, before), None) or _site_behind(doc, span)


def _site_after(doc: Doc, span: Span) -> str:
    """The name of the site in "fracture of the femoral neck"."""
    site = _site_behind(doc, span)
    return site.preferred if site is not None else ""


def _site_behind(doc: Doc, span: Span) -> Term | None:
    match = _PART.match(text_between(doc, span.end, min(span.end + 8, sentence_bounds(doc, span.start)[1])))
    if match is None:
        return None
    offset = offsets_of(doc)[span.end] + match.end()
    return next((term_at(site) for site in spans_of(doc, "terms", "site") if site.start_char == offset), None)


def _built(doc: Doc, taken: Sequence[tuple[int, int]]) -> Iterator[Condition]:
    """Phrases whose head word tells that they name a condition, none over words of `taken` (token bounds)."""
    held = {i for start, end in taken for i in range(start, end)}
    no_heads = held.union(end - 1 for _, end, label, _ in rows_in(doc, "terms") if label in _NO_CONDITION_FIELDS)
    words_of_doc, lowers = folded_words(doc), lowers_of(doc)
    for i in compress(range(len(lowers)), map(_IS_HEAD.__getitem__, words_of_doc)):
        if i in no_heads or (i + 1 < len(lowers) and lowers[i + 1] in _FOLLOWERS):
            continue
        word = words_of_doc[i]
        full = phrase(doc, i, i + 1)
        if not held.isdisjoint(range(full.start, i)):
            continue
        words = core_words(full)
        if word in HEADS and len(words) < 2:
            site = _site_after(doc, full)
            if not site:
                continue
            yield Condition(full, f"{site} {word}", "open", origin="head")
        elif not _is_vague(word, words):
            origin = "head" if word in HEADS else "suffix"
            yield Condition(full, canonical(" ".join(words)), "open", origin=origin)


def _can_be_head(word: str) -> bool:
    """Whether a folded word can be the head of a phrase that names a condition."""
    return len(word) >= 4 and word not in _NO_CONDITION and (word in HEADS or _SUFFIX.search(word) is not None)


_IS_HEAD = Remembered[str, bool](_can_be_head)

_DEGREE = re.compile(r"(?:[ivx]+|\d)[abc]?", re.IGNORECASE)


def _says_nothing(value: str) -> bool:
    """Whether a learned mention names no thing: "complication", "systemic disease", "Campanacci grade III"."""
    *before, head = value.split()
    graded = before[-1:] in (["grade"], ["stage"]) and _DEGREE.fullmatch(head) is not None
    return head in _NOTHING or graded or _is_vague(head, [*before, head])


def _is_vague(head: str, words: list[str]) -> bool:
    """Whether no word of a phrase tells which disease, lesion or infection it speaks of."""
    if len(words) > 1 and (words[-2].lower(), head) in _OTHER_PAIRS:
        return True
    return head in _VAGUE_HEADS and all(word.lower() in _VAGUE for word in words[:-1])


_GRADE = re.compile(
    r"\b(?:(?P<word>high|low|intermediate)[- ]grade|(?<!Campanacci )grade (?P<grade>[1-4]|I{1,3}|IV)\b"
    r"|(?P<diff>(?:poorly"
    r"|well|moderately)"
    r"[- ]differentiated))",
    re.IGNORECASE,
)
_STAGE = re.compile(
    r"\b(?:stage (?P<stage>(?:[0-4]|I{1,3}V?|IV)[ABC]?\d?)\b|(?P<enneking>(?:Enneking|Campanacci)(?: grade"
    r"| stage)? (?:[1-3]|I{1,3})[AB]?)"
    r"|(?P<tnm>\b[pcy]{0,2}T[0-4x][a-d]?,? ?N[0-3x][a-c]?(?:,? ?M[01x])?))"
)
_RECURRENT = re.compile(r"\b(?:recurren(?:t|ce)|relaps(?:ed|ing|e))\b", re.IGNORECASE)
_PRIMARY = re.compile(r"\bprimary\b", re.IGNORECASE)
_SIDES = {side: re.compile(rf"\b{side}\b") for side in ("left", "right", "bilateral")}
_TUMOURS = "caseframe.tumours"
_BEFORE_CHARS = 60
_AFTER_CHARS = 60


def _attributes(doc: Doc, condition: Condition, role: str, assertion: Assertion) -> dict[str, AttributeValue]:
    span = condition.span
    if role == "symptom":
        return {} if assertion == "absent" else _duration(doc, span)
    if role == "complication":
        return _side(span)
    if role != "diagnosis":
        return {}
    attributes: dict[str, AttributeValue] = {}
    text = text_of(doc)
    first, last = _own_stretch(doc, span)
    begin, end = max(first, span.start_char - _BEFORE_CHARS), span.end_char
    around, before = text[begin : min(last, end + _AFTER_CHARS)], text[begin:end]
    if condition.behavior:
        attributes["behavior"] = condition.behavior
        if grade := _GRADE.search(around):
            attributes["grade"] = grade["grade"] or (grade["word"] or grade["diff"]).lower().replace("-", " ")
    if _may_be_staged(around) and (stage := _STAGE.search(around)):
        attributes["stage"] = stage["stage"] or stage["enneking"] or stage["tnm"]
    if may_match(_RECURRENT, text) and _RECURRENT.search(before):
        attributes["primary_or_recurrent"] = "recurrent"
    elif condition.behavior and _PRIMARY.search(before):
        attributes["primary_or_recurrent"] = "primary"
    if condition.behavior and (size := _size(doc, span)) is not None:
        attributes["size_cm"] = size
    return attributes


def _may_be_staged(text: str) -> bool:
    """Whether there is any use in a search for a stage."""
    return "stage " in text or ("T" in text and "N" in text) or "Enneking" in text or "Campanacci" in text


def _size(doc: Doc, span: Span) -> float | None:
    """The first size in the sentence of a span, in cm."""
    start, end = sentence_bounds(doc, span.start)
    sizes = (size for size in spans_of(doc, "quantities", "SIZE") if start <= size.start < end)
    size = next(sizes, None)
    return None if size is None else size._.quantity.value


def _own_stretch(doc: Doc, span: Span) -> tuple[int, int]:
    """The characters of the sentence that may tell of a tumour: none beyond another tumour with another name."""
    first, last = sentence_chars(span)
    tumours = _tumours(doc)
    own = {tumour.kb_id for tumour in tumours if tumour.start < span.end and span.start < tumour.end}
    for tumour in tumours:
        if tumour.kb_id in own:
            continue
        if tumour.end <= span.start:
            first = max(first, tumour.end_char)
        elif span.end <= tumour.start:
            last = min(last, tumour.start_char)
    return first, max(last, span.end_char)


def _tumours(doc: Doc) -> list[Span]:
    """The tumours among the terms of a Doc, found once a Doc."""
    known: list[Span] | None = doc.user_data.get(_TUMOURS)
    if known is None:
        diagnoses = spans_of(doc, "terms", "diagnosis")
        known = doc.user_data[_TUMOURS] = [span for span in diagnoses if term_at(span).attributes.get("behavior")]
    return known


_HISTORY = ("history", "duration")
_FOR = ("for", "past", "last", "over")
_OTHER_COURSE = re.compile(r"\b(?:treated|received|given|underwent|was|were|after|prescribed|took|until)\b")
# "For the past 2 years he had headaches": a duration this near the beginning leads its sentence.
_LEADING_TOKENS = 6


def _duration(doc: Doc, span: Span) -> dict[str, AttributeValue]:
    """ "a 3-month history of knee pain", "knee pain for two years": the duration that is told of this symptom."""
    start, end = sentence_bounds(doc, span.start)
    times = [time for time in spans_of(doc, "quantities", "DURATION") if start <= time.start < end]
    if not times:
        return {}
    sentence = Span(doc, start, end)
    told = [time for time in times if _tells_duration(time, sentence)]
    behind = [time for time in told if time.start >= span.end and not _after(time, sentence).startswith("history")]
    ahead = [time for time in told if time.end <= span.start]
    for time in (*behind[:1], *reversed(ahead)):
        between = doc[span.end : time.start] if time.start >= span.end else doc[time.end : span.start]
        leads = _before(time, sentence).endswith(_FOR) and time.start - start > _LEADING_TOKENS
        if _OTHER_COURSE.search(between.text) is None and not (time in ahead and leads):
            return {"duration_days": time._.quantity.value}
    return {}


def _tells_duration(time: Span, sentence: Span) -> bool:
    if time._.quantity.value is None:
        return False
    return _after(time, sentence).startswith(_HISTORY) or _before(time, sentence).endswith(_FOR)


def _after(time: Span, sentence: Span) -> str:
    return time.doc[time.end : min(sentence.end, time.end + 2)].text.lower()


def _before(time: Span, sentence: Span) -> str:
    return time.doc[max(sentence.start, time.start - 2) : time.start].text.lower()


def _side(span: Span) -> dict[str, AttributeValue]:
    doc = span.doc
    words = text_of(doc)[doc[phrase_start(doc, span.start)].idx : span.end_char].lower()
    for side, pattern in _SIDES.items():
        if side in words and pattern.search(words):
            return {"laterality": side}
    return {}
