"""therapy: drugs, regimens, radiotherapy and other treatment that is no operation, with timing, duration, dose, cycles.

A drug is therapy where it is given. It is not where it names an allergy, a level in the blood, a receptor or the cause
of something ("heparin-induced"). Substances that the body makes or food holds (calcium, insulin, albumin) need a word
that says they were given; the lexicon marks them `needs_cue`.

Which dose belongs to which drug: the drug that the dose leads to ("400 mg of fluconazole"), else the drug right before
it ("doxorubicin 75 mg/m2"). Timing, durations and cycles hold for all drugs that are told together ("adjuvant
chemotherapy with ifosfamide and doxorubicin").

A drug that no lexicon lists is one where the learned entities see it and the words say that it was given; one letter
off a listed name it is that drug ("clarythromycin").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from spacy.tokens import Doc, Span

from caseframe.fields.base import (
    assertion_at,
    make_finding,
    sentence_chars,
    spans_in,
    spans_of,
    term_at,
    was_only_proposed,
)
from caseframe.fields.entities import open_mentions
from caseframe.fields.morphology import one_edit
from caseframe.lexicons import builtin_lexicon
from caseframe.lexicons.folding import CACHED_PHRASES, canonical
from caseframe.schema import Assertion, AttributeValue, Finding
from caseframe.stages.extensions import sentence_bounds, text_of
from caseframe.stages.needles import finditer
from caseframe.stages.units import ORDINAL, ordinal

_SOURCE = "therapy"
_SURE, _OTHER, _DOUBTFUL = 0.8, 0.6, 0.35

_NOT_GIVEN_AFTER = re.compile(
    r"[-–\s]*(?:induced\b|associated\b|related\b|allerg|hypersensitiv|intoleran|toxicity\b|overdos|poisoning\b"
    r"|intoxication\b|abuse\b|levels?\b|concentrations?\b|receptor|deficien|antibod|titer|homeostasis\b|metabolism\b"
    r"|deposit|score\b|tolerance test|excess\b|secret\w+|producing\b|withdrawal syndrome|saturation\b|desaturation"
    r"|consumption\b|uptake\b|tension\b|pressure\b|channel|content\b|synthesis\b|test(?:s|ing)?\b|ratio\b|gap\b"
    r"|intake\b|stones?\b|oxalate\b|susceptib|assay\b|antagonist|agonist|inhibitor|(?:over)?stimulation\b"
    r"|(?:over)?expression\b|genes?\b|radiograph|eluting\b|coated\b|sensitiv"
    r"|bronchiectas|retinal detachment|suppression test)",
    re.IGNORECASE,
)
_NOT_GIVEN_BEFORE = re.compile(
    r"(?:allerg(?:y|ic|ies)|hypersensitiv\w+|intoleran\w+|sensitiv\w+|susceptib\w+|antibod(?:y|ies)) (?:to|against) "
    r"(?:the )?(?:\w+,? (?:and |or )?){0,2}$"
    r"|(?:serum|plasma|blood|urin(?:e|ary)|total|ionized|free|levels? of|concentrations? of|deficiency of|lack of) $"
    r"|(?:poisoning|intoxication|overdose|ingestion|toxicity) (?:with|of|by|from|due to) (?:\w+ )?$",
    re.IGNORECASE,
)
# A mention that it fits ends with one of these, or one of the words stands before it; the pattern itself is slow.
_MEASURED = ("serum ", "plasma ", "blood ", "urine ", "urinary ", "total ", "ionized ", "free ", "of ")
_HARM = (
    "allerg", "hypersens", "intoleran", "sensitiv", "susceptib", "antibod", "poison", "intoxic", "overdos", "ingest",
    "toxicity",
)  # fmt: skip
# What says that a substance was given.
_GIVEN = re.compile(
    r"\b(?:treat\w*|therap\w+|supplement\w*|substitut\w+|replac\w+|infus\w+|inject\w+|administ\w+|prescri\w+|receiv\w+"
    r"|given|giving|gave|start(?:ed|ing)|initiat\w+|intravenous\w*|oral(?:ly)?|intramuscular\w*|subcutaneous\w*|tablets?"
    r"|dos(?:e|es|age)|regimen|bolus(?:es)?|medication|took|taking|prophyla\w+|drip|inhal\w+|topical\w*|mg|mcg|units?"
    r"|discontinu\w+|transfus\w+|mask|breath\w*|cannula|program\w*|perform\w*|training)\b",
    re.IGNORECASE,
)
_CUE_CHARS = 45
# What the learned entities may call a drug and is none that was given: a kind without a name, what the body makes.
_NO_DRUG = re.compile(
    r"^(?:(?:first|second|third)[- ]line|combin\w+|mainten\w+|systemic|oral|intravenous\w*|local|conventional|medical|"
    r"new|contrast|radiocontrast|infectious|infective|offending|causative|other|such|novel|study|active|specific|"
    r"selective|empiric\w*|standard|current|long[- ]term|prophylactic|therapeutic|pharmacologic\w*|additional|"
    r"optimal)?\s?"
    r"(?:therapy|treatment|agent|drug|medication|medicine|injection|infusion|regimen|inhibitor|prophylaxis|material|dose|"
    r"combination|solution|steroids?|hormones?|immunoglobulins?|protein|antibody|antigen|acid)?$"
    r"|(?:synthesis|transporter|receptor|gene|homeostasis|metabolism|overdose|resistance|pathway|enzyme|synthase|cytokine|"
    r"inducer|antagonism|abuse|toxicity|poisoning|secretion|antibody to|osteocalcin|ferritin|hepcidin|cocaine|cannabis|"
    r"heroin|thyroxine|estradiol|cortisol|glucagon|somatostatin|phosphate|oxalate|immunoglobulin)\b|\d\s?mg|interleukin",
)
_FORM = re.compile(
    r"(?<=\w)[ -](?:based |containing )?(?:therapy|treatment|medication|infusions?|injections?|tablets?|administration|"
    r"prophylaxis|supplement\w*)$"
)
# Names of kinds keep the word: antiallergic therapy.
_KIND_OF_THERAPY = re.compile(r"(?:ic|al|ive|ous|ary|line|free|ing|ed)$|\banti", re.IGNORECASE)
_ROUTE = re.compile(
    r"^(?:(?:intravenous(?:ly)?|iv|oral(?:ly)?|topical(?:ly)?|subcutaneous|intramuscular|intravitreal|intralesional|intrathecal|"
    r"systemic|high-dose|low-dose|prophylactic|adjuvant|several|standard|infused) )+"
)
_LEAST_MISSPELT = 8
# Treatment of long ago explains what is told; it is none of this episode.
_LONG_AGO = re.compile(
    r"(?:\byears? (?:after|following|post|since|from)|\bsecondary to|\bexposure (?:to|of)|\bremote(?: history of)?"
    r"|\bprevious(?:ly)?|\bprior|\bpast) (?:[\w-]+ ){0,4}$",
    re.IGNORECASE,
)
# "S-1 chemotherapy": the drug names what the word says again.
_NAMED_BEFORE = re.compile(r"[\s)-]*(?:(?:based|combination|combined|adjuvant|plus|systemic)[\s-]+)*", re.IGNORECASE)

_OPERATION = r"(?:the )?(?:surgery|operation|resection|surgical)"
_TIMING = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("neoadjuvant", rf"neo[-\s]?adjuvant|pre-?operative(?:ly)?|\b(?:before|prior to) {_OPERATION}"),
        ("palliative", r"\bpalliat\w+"),
        ("adjuvant", rf"(?<!neo)(?<!neo[-\s])adjuvant|post-?operative(?:ly)?|\b(?:after|following) {_OPERATION}"),
    )
)
_TIMING_CHARS = 45
# Timing is asked of treatment against a tumour, not of a painkiller after an operation.
_ONCOLOGIC_KINDS = frozenset({"chemotherapy", "radiotherapy", "regimen"})
_ONCOLOGIC = re.compile(
    r"(?:platin|rubicin|taxel|tecan|tinib|fosfamide|phosphamide|citabine|zumab|ximab|lumab|limab|mycin|mustine|poside"
    r"|bine|istine|trexed|blastine|rozole|tamoxifen)$|^(?:adjuvant|neoadjuvant) therapy|^(?:temozolomide|fluorouracil"
    r"|methotrexate|melphalan|busulfan|interferon|trabectedin|mitotane|s-1|denosumab|levofolinate|leucovorin|prednisone"
    r"|exemestane|leuprorelin|goserelin|aromatase inhibitor|hormone therapy|targeted therapy|immunotherapy"
    r"|somatostatin analog|bacillus calmette-guerin|antiandrogen therapy)$"
)
_NO_ONCOLOGIC = frozenset(
    {"azithromycin", "erythromycin", "clarithromycin", "clindamycin", "vancomycin", "gentamicin", "streptomycin",
     "fosfomycin", "daptomycin", "infliximab", "natalizumab", "tobramycin", "kanamycin"}
)  # fmt: skip

# What stands between treatments that are told together.
_TOGETHER_CHARS = 80
_TOGETHER = re.compile(
    r"(?>[\s,/+&;()\[-]|\b(?:and|or|plus|with|using|based on|consisting of|including|comprising|combined|concomitant"
    r"|in combination|combination|in the form of|concurrent|then|followed by|oral|intravenous|adjuvant|postoperative"
    r"|preoperative|neoadjuvant|systemic|subsequent|mg|of|the|a)\b|\d++(?:\.\d++)?|mg/m2|/m2|[A-Z]{2,5}\b)*+"
)
_APART = re.compile(r"\b(?:then|followed by|subsequent)\b")
_WORDS = r"(?:(?!(?:and|or|then|with|for)\b)[\w%.-]+\s){0,3}"
_DOSE_TO_DRUG = re.compile(
    rf"\s*(?:(?:daily|per day|a day|weekly|once|twice)\s)?(?:(?:doses?|course|infusion|injection|bolus)\s)?"
    rf"(?:of\s)?{_WORDS}",
    re.IGNORECASE,
)
_AMOUNT_TO_DRUG = re.compile(rf"\s(?:of\s{_WORDS})?", re.IGNORECASE)
_DRUG_TO_DOSE = re.compile(r"(?:(?!\b(?:and|then)\b)(?:[^.;]|\.\d)){0,40}", re.IGNORECASE)
_DRUG_TO_AMOUNT = re.compile(r"\s*(?:solution\s|injection\s)?\(?\s*", re.IGNORECASE)
_PER = re.compile(
    r"\s*(?:\w+\s){0,3}?(?:(?P<day>daily|per day|a day|q\.?d\b|/d(?:ay)?\b)|(?P<week>weekly|per week|/week))",
    re.IGNORECASE,
)
_CYCLE_UNITS = frozenset({"cycle", "course", "session", "pulse", "dose"})
_CYCLES_TO_DRUG = re.compile(rf"\s*(?:of\s)?{_WORDS}(?:of\s|with\s)?{_WORDS}")
_DRUG_TO_CYCLES = re.compile(r"(?:(?!\band\b)(?:[^.;]|\.\d)){0,40}")
_NTH_CYCLE = re.compile(rf"\b({ORDINAL})\s(?:[\w-]+\s){{0,2}}?(?:cycle|course)\b", re.IGNORECASE)
_LONG_ENOUGH = 0.9  # days; "over 30 min" is an infusion, not a course
_DURATION_TO_DRUG = re.compile(
    rf"[\s-]*(?:(?:course|period|history|long)\s)?(?:of\s)?(?:(?:treatment|therapy)\swith\s)?{_WORDS}", re.IGNORECASE
)
_DRUG_TO_DURATION = re.compile(
    r"(?:[^.;]|\.\d){0,45}?\b(?:for|over|during|lasting|lasted|since)\s(?:a (?:total )?(?:period )?(?:of )?"
    r"|(?:the )?(?:next|last|past|following) |another |about |approximately |up to |at least |more than |nearly )?",
    re.IGNORECASE,
)
_NO_COURSE = re.compile(r"\b(?:after|later|following|ago|old|before|earlier|of age|follow-?up|prior)\b", re.IGNORECASE)


@dataclass(slots=True)
class _Given:
    """A mention of a treatment and what is said of it."""

    span: Span
    name: str
    kind: str
    parts: tuple[str, ...]
    attributes: dict[str, AttributeValue] = field(default_factory=dict)

    @property
    def oncologic(self) -> bool:
        """Whether the treatment is one against a tumour."""
        return self.kind in _ONCOLOGIC_KINDS or _is_oncologic(self.name)


@lru_cache(maxsize=CACHED_PHRASES)
def _is_oncologic(name: str) -> bool:
    return _ONCOLOGIC.search(name) is not None and name not in _NO_ONCOLOGIC


def find(doc: Doc) -> Iterator[Finding]:
    """Yields every mention of a treatment, with what is said of its timing, duration, dose and cycles."""
    listed = spans_of(doc, "terms", "therapy")
    given = [_given(span) for span in listed if _is_given(span, "needs_cue" in term_at(span).attributes)]
    unlisted = list(_unlisted(doc, listed))
    if unlisted:
        given = sorted([*given, *unlisted], key=lambda treatment: treatment.span.start)
    if not given:
        return
    groups = _groups(doc, given)
    _add_quantities(doc, given)
    _add_ordinals(doc, given)
    for treatment in given:
        timing = _timing(treatment)
        if timing:
            treatment.attributes["timing"] = timing
    for group in groups:
        _share(group)
    for number, treatment in enumerate(given):
        for value in treatment.parts or (treatment.name,):
            yield make_finding(
                treatment.span,
                "therapy",
                value,
                source=_SOURCE,
                assertion=_assertion(treatment),
                attributes=treatment.attributes,
                confidence=_confidence(doc, given, number),
            )


def _given(span: Span) -> _Given:
    term = term_at(span)
    parts = str(term.attributes.get("parts", ""))
    return _Given(span, term.preferred, str(term.attributes.get("kind", "")), tuple(parts.split("+")) if parts else ())


def _unlisted(doc: Doc, listed: Sequence[Span]) -> Iterator[_Given]:
    """Drugs that the learned entities see and no lexicon lists, where the words say that they were given."""
    for entity, value in open_mentions(doc, ("DRUG",), [(span.start, span.end) for span in listed]):
        known = _misspelt(value)
        name = known or _drug_name(value)
        if not _NO_DRUG.search(name) and _is_given(entity, needs_cue=not known):
            yield _Given(entity, name, "unlisted", ())


def _drug_name(value: str) -> str:
    """A drug's name without the word for its form: "ZOL therapy", but "antiallergic therapy"."""
    value = _ROUTE.sub("", value)
    name = _FORM.sub("", value)
    disease = any(term.field in ("diagnosis", "comorbidity") for term in builtin_lexicon().lookup(name))
    return value if disease or _KIND_OF_THERAPY.search(name) else name


def _misspelt(value: str) -> str:
    """The listed drug that a name is one letter off; empty where there is none."""
    if len(value) < _LEAST_MISSPELT or not value.isalpha():
        return ""
    near = {known for known in _drug_names().get(value[-2:], ()) if one_edit(value, known)}
    return near.pop() if len(near) == 1 else ""


@cache
def _drug_names() -> dict[str, list[str]]:
    """The one-word drugs of the lexicon by their last two letters."""
    names: dict[str, list[str]] = {}
    for term in builtin_lexicon().of_field("therapy").values():
        name = canonical(term.preferred)
        if term.attributes.get("kind") == "drug" and name.isalpha() and len(name) >= _LEAST_MISSPELT:
            names.setdefault(name[-2:], []).append(name)
    return names


def _is_given(span: Span, needs_cue: bool) -> bool:
    """Whether a mention says that something was given, and not that it was measured or did harm."""
    before, after = _around(span, 60, 30)
    lower = before.lower()
    may_be_other = lower.endswith(_MEASURED) or any(word in lower for word in _HARM)
    if _NOT_GIVEN_AFTER.match(after) or (may_be_other and _NOT_GIVEN_BEFORE.search(before)):
        return False
    if needs_cue:
        return _GIVEN.search(f"{before[-_CUE_CHARS:]} {span.text} {after}") is not None
    return True


def _around(span: Span, left: int, right: int) -> tuple[str, str]:
    """The text before and after a span, within its sentence."""
    text, (first, last) = text_of(span.doc), sentence_chars(span)
    before = text[max(first, span.start_char - left) : span.start_char]
    return before, text[span.end_char : min(last, span.end_char + right)]


def _assertion(treatment: _Given) -> Assertion | None:
    """Hypothetical where planned, historical where long ago; else None, which leaves it to the assertion stage."""
    if was_only_proposed(treatment.span):
        return "hypothetical"
    if treatment.kind in _ONCOLOGIC_KINDS and _LONG_AGO.search(_around(treatment.span, 60, 0)[0]):
        return "historical" if assertion_at(treatment.span)[0] == "present" else None
    return None


def _confidence(doc: Doc, given: Sequence[_Given], number: int) -> float:
    treatment = given[number]
    if treatment.name == "chemotherapy" and number:
        before = given[number - 1]
        gap = text_of(doc)[before.span.end_char : treatment.span.start_char]
        if before.kind in ("drug", "regimen") and len(gap) <= _TOGETHER_CHARS and _NAMED_BEFORE.fullmatch(gap):
            return _DOUBTFUL
    return _OTHER if treatment.kind in ("other", "unlisted") else _SURE


# ------------------------------------------------------------------------------------------- told together


def _groups(doc: Doc, given: Sequence[_Given]) -> list[list[_Given]]:
    """Treatments told together, in text order: within a sentence, with nothing but joining words between them."""
    groups: list[list[_Given]] = []
    for treatment in given:
        if groups:
            last = groups[-1][-1].span
            gap = text_of(doc)[last.end_char : treatment.span.start_char]
            near = len(gap) <= _TOGETHER_CHARS and sentence_chars(last) == sentence_chars(treatment.span)
            if near and _TOGETHER.fullmatch(gap) and not _APART.search(gap):
                groups[-1].append(treatment)
                continue
        groups.append([treatment])
    return groups


def _share(group: Sequence[_Given]) -> None:
    """Timing, cycles and duration of one hold for the others that are told with it and have none of their own."""
    for name in ("timing", "cycles", "duration_days"):
        told = next((item.attributes[name] for item in group if name in item.attributes), None)
        if told is None:
            continue
        for item in group:
            if name != "timing" or item.oncologic:
                item.attributes.setdefault(name, told)


def _timing(treatment: _Given) -> str:
    """`neoadjuvant`, `adjuvant`, `palliative`: from the words in or right before the mention, or those that follow."""
    if not treatment.oncologic:
        return ""
    before, after = _around(treatment.span, _TIMING_CHARS, _TIMING_CHARS)
    if len(before) == _TIMING_CHARS:  # the window may cut "neo-adjuvant" in two
        before = before.partition(" ")[2]
    near = re.split(r"[.;]\s|\b(?:followed by|underwent|then|but)\b", before + treatment.span.text)[-1]
    return _last_timing(near) or _last_timing(re.split(r"[.;,]\s|\bfollowed\b", after)[0])


def _last_timing(words: str) -> str:
    places = [(match.end(), name) for name, pattern in _TIMING for match in pattern.finditer(words)]
    return max(places)[1] if places else ""


# ------------------------------------------------------------------------------------- doses, durations, cycles


def _add_quantities(doc: Doc, given: Sequence[_Given]) -> None:
    """Gives each dose, duration and number of cycles to the treatment that it belongs to; doses proper come first."""
    spans = sorted(spans_in(doc, "quantities"), key=lambda span: (span.label_ != "DOSE", span.start))
    for span in spans:
        quantity, label = span._.quantity, span.label_
        if quantity.value is None:
            continue
        first, last = sentence_bounds(doc, span.start)
        here = [item for item in given if first <= item.span.start < last]
        if not here:
            continue
        if label in ("DOSE", "WEIGHT", "VOLUME", "CONCENTRATION", "PERCENT"):
            owner = _owner_of_dose(doc, span, here)
            if owner is not None and "dose" not in owner.attributes:
                owner.attributes["dose"] = quantity.values[0] if quantity.values else quantity.value
                owner.attributes["dose_unit"] = _dose_unit(doc, span)
        elif label == "COUNT" and quantity.unit in _CYCLE_UNITS:
            _give(doc, span, here, "cycles", quantity.value, _CYCLES_TO_DRUG, _DRUG_TO_CYCLES)
        elif label == "DURATION" and quantity.value >= _LONG_ENOUGH and not _is_time_point(doc, span):
            _give(doc, span, here, "duration_days", quantity.value, _DURATION_TO_DRUG, _DRUG_TO_DURATION)


def _give(
    doc: Doc,
    span: Span,
    here: Sequence[_Given],
    name: str,
    value: float,
    before_drug: re.Pattern[str],
    after_drug: re.Pattern[str],
) -> None:
    """Sets an attribute of the treatment that a quantity leads to, else of the one that it follows."""
    following = next((item for item in here if item.span.start >= span.end), None)
    if following and before_drug.fullmatch(text_of(doc)[span.end_char : following.span.start_char]):
        following.attributes.setdefault(name, value)
        return
    preceding = next((item for item in reversed(here) if item.span.end <= span.start), None)
    if preceding and after_drug.fullmatch(text_of(doc)[preceding.span.end_char : span.start_char]):
        preceding.attributes.setdefault(name, value)


def _owner_of_dose(doc: Doc, dose: Span, here: Sequence[_Given]) -> _Given | None:
    """The drug that a dose leads to, else the one right before it; amounts that are no doses must adjoin."""
    proper = dose.label_ == "DOSE"
    following = next((item for item in here if item.span.start >= dose.end), None)
    preceding = next((item for item in reversed(here) if item.span.end <= dose.start), None)
    if "Gy" in dose._.quantity.unit:  # radiation has no other dose
        rays = [item for item in here if item.kind == "radiotherapy" or "radiotherapy" in item.parts]
        return min(rays, key=lambda item: abs(item.span.start - dose.start)) if rays else None
    if preceding is not None and dose.start - preceding.span.end <= 1 and not _leads_of(doc, dose):
        return preceding
    if following is not None:
        gap = text_of(doc)[dose.end_char : following.span.start_char]
        if (_DOSE_TO_DRUG if proper else _AMOUNT_TO_DRUG).fullmatch(gap):
            return following
    if preceding is not None:
        gap = text_of(doc)[preceding.span.end_char : dose.start_char]
        if (_DRUG_TO_DOSE if proper else _DRUG_TO_AMOUNT).fullmatch(gap):
            return preceding
    return None


def _leads_of(doc: Doc, dose: Span) -> bool:
    return re.match(r"\s*(?:\w+\s)?of\b", text_of(doc)[dose.end_char : dose.end_char + 20]) is not None


def _dose_unit(doc: Doc, span: Span) -> str:
    """The unit of a dose, with the day or week it is given by: `mg/day`."""
    unit = str(span._.quantity.unit)
    after = _PER.match(text_of(doc)[span.end_char : span.end_char + 40])
    if after is None or "/day" in unit or "/week" in unit or "Gy" in unit or "%" in unit:
        return unit
    return f"{unit}/day" if after["day"] else f"{unit}/week"


def _is_time_point(doc: Doc, duration: Span) -> bool:
    """Whether a duration tells when, not how long: "after 3 months", "two weeks later"."""
    lead = text_of(doc)[max(0, duration.start_char - 14) : duration.start_char]
    tail = text_of(doc)[duration.end_char : duration.end_char + 14].strip(" -")
    told_when = _NO_COURSE.search(re.sub(r"\bafter\s$", "", lead, flags=re.IGNORECASE))
    return told_when is not None or _NO_COURSE.match(tail) is not None


def _add_ordinals(doc: Doc, given: Sequence[_Given]) -> None:
    """ "The third cycle of chemotherapy": three were given."""
    for match in finditer(_NTH_CYCLE, text_of(doc)) if given else ():
        value = ordinal(match[1])
        near = [item for item in given if -4 < item.span.start_char - match.start() < len(match[0]) + 30]
        if value is not None and near:
            near[0].attributes.setdefault("cycles", float(value))
