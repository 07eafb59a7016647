"""diagnosis, comorbidity, symptom and complication: conditions, and the part each plays for the patient.

A condition is a term of the lexicons, or a phrase whose head tells that it is one ("… fracture", "…itis"). Whether it
is what the episode treats, what the patient had besides, a presenting sign or a consequence of treatment depends on the
words around it and its place in the article: a linear model over such features decides (`roles.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spacy.tokens import Doc, Span

from caseframe.fields.base import make_finding
from caseframe.fields.phrases import core_words, phrase
from caseframe.fields.roles import roles_of
from caseframe.lexicons.folding import canonical, fold_word
from caseframe.schema import AttributeValue, Finding
from caseframe.stages.assertion import assertion_of
from caseframe.stages.extensions import sentence_of, text_of

_SOURCE = "conditions"
_FIELDS = ("diagnosis", "complication", "symptom", "comorbidity")
_GENERIC_TUMOR = {
    "tumor",
    "neoplasm",
    "cancer",
    "malignancy",
    "carcinoma",
    "sarcoma",
    "disease",
    "disorder",
    "syndrome",
}
_SUFFIX = re.compile(
    r"(?:itis|osis|opathy|emia|algia|plegia|paresis|rrhagia|rrhea|ectasis|malacia|penia|megaly|uria|oma|ptysis|trophy|"
    r"plasia|spasm|pathy|phagia|pnea|kinesia|esthesia|opia|edema|thorax|cele|lithiasis|toxicity|sthenia)$"
)
_NO_CONDITION = frozenset(
    "diagnosis prognosis hypnosis apoptosis mitosis meiosis anastomosis symbiosis phagocytosis homeostasis osmosis "
    "metamorphosis hypothesis synthesis prosthesis metastasis stoma soma genoma coma-scale diploma aroma "
    "sympathy empathy "
    "homeopathy utopia telepathy symbiosis endocytosis biosynthesis urinalysis narcosis tuberosis pertrochanteric "
    "hemostasis allotransplantation sclerosant microscopia arthrodesis osteosynthesis angiogenesis".split()
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
    "paralysis seizure tremor ataxia spasm cramp loss hypertension hypotension burn ".split()
)
_PART = re.compile(r"\A(?:of|in|at|to) (?:the |her |his |a |an |both )?(?:left |right |bilateral )?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """A mention of a condition: its words, canonical value, code, the fields its lexicons give, where it is from."""

    span: Span
    value: str
    field: str
    code: str = ""
    behavior: str = ""
    origin: str = "open"


def find(doc: Doc) -> Iterator[Finding]:
    """Yields the conditions of a Doc, each in the fields of its roles, and what is said of complications as such."""
    yield from _any_complication(doc)
    for condition in conditions_of(doc):
        assertion, _ = assertion_of(condition.span)
        for role, probability in roles_of(doc, condition).items():
            # What the episode treats, or what brought the patient, is of now, whatever "history of" stands before it.
            now = assertion == "historical" and role in ("diagnosis", "symptom")
            yield make_finding(
                condition.span,
                role,
                condition.value,
                source=_SOURCE,
                assertion="present" if now else None,
                code=condition.code if role == "diagnosis" else "",
                attributes=_attributes(doc, condition, role),
                confidence=probability,
            )


def _any_complication(doc: Doc) -> Iterator[Finding]:
    """ "No complications", "uneventful": the value is `any`, absent. Complications that are not named fill no cell."""
    for span in doc.spans.get("terms", ()):
        term = span._.term
        if not _is_any(span):
            continue
        if "denied" in term.attributes or assertion_of(span)[0] == "absent":
            yield make_finding(span, span.label_, "any", source=_SOURCE, assertion="absent", confidence=0.85)


def conditions_of(doc: Doc) -> list[Condition]:
    """Every mention of a condition, in text order, none inside another."""
    known = doc.user_data.get("caseframe.conditions")
    if isinstance(known, list):
        return known
    listed = [_listed(doc, span, fields) for span, fields in _lexicon_spans(doc)]
    taken = [(condition.span.start, condition.span.end) for condition in listed]
    built = [condition for condition in _built(doc) if not _overlaps(condition.span, taken)]
    conditions = sorted([*listed, *built], key=lambda condition: condition.span.start)
    doc.user_data["caseframe.conditions"] = conditions
    return conditions


def _lexicon_spans(doc: Doc) -> list[tuple[Span, str]]:
    """Term hits of condition fields, with all the fields whose lexicons hold the words, as `complication+symptom`.

    Where two hits overlap, the longer stands, then the one whose field comes first in `_FIELDS`.
    """
    spans = [span for span in doc.spans.get("terms", ()) if span.label_ in _FIELDS and not _is_any(span)]
    claims: dict[tuple[int, int], set[str]] = {}
    for span in spans:
        claims.setdefault((span.start, span.end), set()).add(span.label_)
    kept: list[tuple[Span, str]] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, _FIELDS.index(s.label_), s.start)):
        if all(span.end <= other.start or span.start >= other.end for other, _ in kept):
            kept.append((span, "+".join(sorted(claims[span.start, span.end]))))
    return kept


def _is_any(span: Span) -> bool:
    """Whether a term speaks of complications or symptoms as such ("complications", "uneventful"), not of one."""
    term = span._.term
    return term.preferred == "any" or "denied" in term.attributes


def _listed(doc: Doc, span: Span, fields: str) -> Condition:
    term = span._.term
    behavior = str(term.attributes.get("behavior", ""))
    value = term.preferred
    if not behavior:
        value = _with_site(doc, span, value)
    return Condition(span, value, fields, term.code, behavior, term.lexicon)


def _with_site(doc: Doc, span: Span, value: str) -> str:
    """A head that says little is named with its modifiers: "retroperitoneal hematoma", "femoral neck fracture"."""
    head = value.split()[-1]
    if len(value.split()) > 1 or head not in HEADS:
        return value
    full = phrase(doc, span.start, span.end)
    words = core_words(doc[full.start : span.start]) if full.start < span.start else []
    if words:
        return canonical(" ".join((*words, value)))
    site = _site_after(doc, span)
    return f"{site} {value}" if site else value


def _site_after(doc: Doc, span: Span) -> str:
    """The site in "fracture of the femoral neck"."""
    tail = doc[span.end : min(span.end + 8, sentence_of(span).end)]
    match = _PART.match(tail.text) if len(tail) else None
    if match is None:
        return ""
    offset = tail.start_char + match.end()
    for site in doc.spans.get("terms", ()):
        if site.label_ == "site" and site.start_char == offset:
            return str(site._.term.preferred)
    return ""


def _built(doc: Doc) -> Iterator[Condition]:
    """Phrases whose head word tells that they name a condition."""
    for token in doc:
        word = fold_word(token.text)
        if len(word) < 4 or word in _NO_CONDITION or not (word in HEADS or _SUFFIX.search(word)):
            continue
        full = phrase(doc, token.i, token.i + 1)
        words = core_words(full)
        if word in HEADS and len(words) < 2:
            site = _site_after(doc, full)
            if not site:
                continue
            yield Condition(full, f"{site} {word}", "open", origin="head")
        else:
            origin = "head" if word in HEADS else "suffix"
            yield Condition(full, canonical(" ".join(words)), "open", origin=origin)


def _overlaps(span: Span, taken: list[tuple[int, int]]) -> bool:
    return any(span.start < end and start < span.end for start, end in taken)


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
_BEFORE_CHARS = 60
_AFTER_CHARS = 60


def _attributes(doc: Doc, condition: Condition, role: str) -> dict[str, AttributeValue]:
    span = condition.span
    if role == "symptom":
        return _duration(doc, span)
    if role == "complication":
        return _side(span)
    if role != "diagnosis":
        return {}
    attributes: dict[str, AttributeValue] = {}
    if condition.behavior:
        attributes["behavior"] = condition.behavior
    sentence = sentence_of(span)
    begin = max(sentence.start_char, span.start_char - _BEFORE_CHARS)
    around = text_of(doc)[begin : min(sentence.end_char, span.end_char + _AFTER_CHARS)]
    before = text_of(doc)[begin : span.end_char]
    if (grade := _GRADE.search(around)) and condition.behavior:
        attributes["grade"] = grade["grade"] or (grade["word"] or grade["diff"]).lower().replace("-", " ")
    if stage := _STAGE.search(around):
        attributes["stage"] = stage["stage"] or stage["enneking"] or stage["tnm"]
    if _RECURRENT.search(before):
        attributes["primary_or_recurrent"] = "recurrent"
    elif _PRIMARY.search(before) and condition.behavior:
        attributes["primary_or_recurrent"] = "primary"
    sizes = (span for span in doc.spans.get("quantities", ()) if span.label_ == "SIZE")
    size = next((span for span in sizes if sentence.start <= span.start < sentence.end), None)
    if size is not None and condition.behavior and size._.quantity.value is not None:
        attributes["size_cm"] = size._.quantity.value
    return attributes


def _duration(doc: Doc, span: Span) -> dict[str, AttributeValue]:
    """ "a 3-month history of knee pain", "knee pain for two years": the duration that the sentence tells."""
    sentence = sentence_of(span)
    for quantity in doc.spans.get("quantities", ()):
        if quantity.label_ != "DURATION" or not sentence.start <= quantity.start < sentence.end:
            continue
        value = quantity._.quantity.value
        before = doc[max(sentence.start, quantity.start - 2) : quantity.start].text.lower()
        after = doc[quantity.end : min(sentence.end, quantity.end + 2)].text.lower()
        if value is not None and (
            after.startswith(("history", "duration")) or before.endswith(("for", "past", "last"))
        ):
            return {"duration_days": value}
    return {}


def _side(span: Span) -> dict[str, AttributeValue]:
    words = phrase(span.doc, span.start, span.end).text.lower()
    for side in ("left", "right", "bilateral"):
        if re.search(rf"\b{side}\b", words):
            return {"laterality": side}
    return {}
