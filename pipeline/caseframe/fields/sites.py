"""site: where the diagnosis sits or the operation is done, with the side.

A candidate is a site of the lexicon ("sacrum", "sacral"), a vertebral level ("L5", "C4–C6"), or an operation whose
name holds its organ ("left nephrectomy"). Anatomy that only names a picture, a way in or a donor ("chest CT",
"femoral vein catheter", "fibular graft") is none. What the words around a candidate say of it, and how often and
where the article names it, decides how surely the case lies there: a linear model, whose weights stand in
`rules/sites.tsv`, fitted by `benchmarks/fit_sites.py` on the training gold; the probability is the finding's
confidence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from spacy.tokens import Doc, Span

from caseframe.fields.anatomy_words import SIDES, side_of
from caseframe.fields.base import assertion_at, folded_words, make_finding, rows_in, section_of, spans_of, term_at
from caseframe.fields.entities import features as entity_features
from caseframe.fields.linear import Bag, LinearModel, shipped
from caseframe.fields.surroundings import surroundings
from caseframe.lexicons import Term, builtin_lexicon
from caseframe.lexicons.folding import CACHED_WORDS, fold_word
from caseframe.schema import Finding
from caseframe.stages.extensions import lowers_of, sentence_bounds, text_between, texts_of
from caseframe.stages.narrative import general_tokens, scores_by_token
from caseframe.stages.roles import roles_by_token
from caseframe.stages.terms import term_of

_SOURCE = "sites"
SITE = "site"
# A candidate less probable than this is no finding; among the others `cases.py` chooses.
MIN_PROBABILITY = 0.3
# Never a site: what is denied, what is a relative's, what could be.
NOT_THERE = frozenset(("absent", "family", "hypothetical"))
_WINDOW = 5
_REACH = 7

_POSITIONS = frozenset(
    """upper lower superior inferior proximal distal middle mid medial lateral anterior posterior central ventral
    dorsal anterolateral posterolateral anteromedial posteromedial inner outer internal external third fourth
    fifth first second superficial deep ipsilateral contralateral entire whole her his""".split()
)
_LOCATING = _POSITIONS - frozenset(("her", "his", "entire", "whole", "ipsilateral", "contralateral"))
_DETERMINERS = frozenset("the a an his her their its this that each one".split())
_PREPOSITIONS = frozenset(
    """of in at on within from to into over near around behind below above along involving affecting infiltrating
    invading occupying inside under through via across between overlying underlying""".split()
)
_IMAGES = frozenset(
    """ct cts mri mris mra cta mrcp cect hrct x-ray x-rays xray xrays radiograph radiographs radiography radiogram
    radiographic tomography tomographic tomogram tomograms ultrasound ultrasounds ultrasonography
    ultrasonographic ultrasonogram sonography sonogram sonographic scan scans scanning scintigraphy scintigram
    film films angiography angiogram angiograms angiographic angio-ct venography imaging echography
    echocardiography echocardiogram doppler roentgenogram roentgenograms pet pet/ct pet-ct elastography
    mammography magnetic""".split()
)
_WAYS = frozenset(
    """catheter catheters catheterization catheterisation cannula cannulas cannulation line lines sheath puncture
    tap access approach incision port cutdown venipuncture""".split()
)
_DONORS = frozenset(
    """graft grafts grafting autograft autografts allograft allografts flap flaps xenograft homograft patch patches
    strut struts conduit conduits""".split()
)
_TESTED = frozenset("function functions enzyme enzymes transaminases biochemistry biochemistries".split())
_GIVEN = frozenset(
    """administration intake medication medications drug drugs dose doses feeding route treatment therapy tablets
    antibiotics agents steroid steroids prednisone prednisolone""".split()
)
_NAMES_ELSE = _IMAGES | _WAYS | _DONORS
# What may stand between the anatomy and the word that makes it something else.
_BETWEEN = frozenset(
    """computed computerized computerised computer plain contrast enhanced contrast-enhanced unenhanced
    multidetector multislice helical spiral free vascularized vascularised non-vascularized nonvascularized
    strut bone cancellous autologous autogenous split-thickness full-thickness myocutaneous musculocutaneous
    fasciocutaneous osteocutaneous positron emission color colour perforator island rotation advancement muscle
    high-resolution high resolution dynamic repeat follow-up and or / , -""".split()
)
# Everyday words, which are anatomy only with a word before them that makes them a thing.
_EVERYDAY = frozenset("back sole globe temple arm trunk calf chin atlas lens".split())
# Parts of organs that share their name with a region: "neck and body of the pancreas".
_PART_NAMES = frozenset("neck head trunk arm back".split())
_PART_OF = re.compile(r"\A(?:(?:, |/ ?|and |or )+\w+ ?){0,2}of (?:the |his |her )?(?!(?:head|neck|left|right)\b)[a-z]")

# "right side of his neck", "left lateral wall of the nasopharynx"
_PART_BEFORE = re.compile(
    r"\b(left|right|bilateral|both)(?:-sided)? (?:\w+ )?"
    r"(?:sides?|aspects?|walls?|hal(?:f|ves)|parts?|portions?|poles?|lobes?|borders?|surfaces?|regions?|heads?|condyles?"
    r"|ramus|body)"
    r" of (?:the |his |her |their )?\Z",
    re.IGNORECASE,
)
_SIDE_AFTER = re.compile(
    r"\A(?:\(|, )?(?:on the |of (?:the |his |her )?)?(left|right|bilaterally|midline)\b"
    r"(?=\)| side|,|\.|\Z| \w+\Z| \w+ )",
    re.IGNORECASE,
)

# How a text begins that `_SIDE_AFTER` matches.
_BEFORE_SIDES = ("(", ",", "on", "of", "left", "right", "bilaterally", "midline")

# Stems of operation words by the site they hold; the longest that fits counts.
_OPERATED = {
    "mastectomy": "breast", "lumpectomy": "breast", "nephrectomy": "kidney", "heminephrectomy": "kidney",
    "gastrectomy": "stomach", "hysterectomy": "uterus", "oophorectomy": "ovary", "ovariectomy": "ovary",
    "thyroidectomy": "thyroid gland", "hemithyroidectomy": "thyroid gland", "parathyroidectomy": "parathyroid gland",
    "prostatectomy": "prostate", "cystectomy": "bladder", "splenectomy": "spleen", "orchiectomy": "testis",
    "orchidectomy": "testis", "adrenalectomy": "adrenal gland", "pancreatectomy": "pancreas", "hepatectomy": "liver",
    "sacrectomy": "sacrum", "hemisacrectomy": "sacrum", "pneumonectomy": "lung", "maxillectomy": "maxilla",
    "mandibulectomy": "mandible", "hemimandibulectomy": "mandible", "scapulectomy": "scapula", "thymectomy": "thymus",
    "esophagectomy": "esophagus", "hemicolectomy": "colon", "colectomy": "colon", "sigmoidectomy": "sigmoid colon",
    "salpingectomy": "fallopian tube", "parotidectomy": "parotid gland", "laryngectomy": "larynx",
    "glossectomy": "tongue", "penectomy": "penis", "vulvectomy": "vulva", "patellectomy": "patella",
    "ureterectomy": "ureter", "proctectomy": "rectum", "claviculectomy": "clavicle", "hemipelvectomy": "pelvis",
}  # fmt: skip
_OPERATION = re.compile(r"ectomy$|ectomies$")
_LEVEL = re.compile(r"([CTLS])(\d{1,2})")
_SPINE = {"C": "cervical", "T": "thoracic", "L": "lumbar"}
_JUNCTION = {"CT": "cervicothoracic spine", "TL": "thoracolumbar spine", "LS": "lumbosacral spine"}


@dataclass(frozen=True, slots=True)
class Site:
    """A candidate: its words with side and position, the anatomy alone, the term it names, the side, its origin."""

    span: Span
    core: Span
    term: Term
    laterality: str
    origin: str


def find(doc: Doc) -> Iterator[Finding]:
    """Yields every mention in the story of the case at which it probably lies."""
    sites = sites_of(doc)
    context, general = Context(doc, sites), general_tokens(doc)
    # No row holds what general statements name.
    told = [site for site in sites if not general[site.span.start] and assertion_at(site.core)[0] not in NOT_THERE]
    for site, probability in zip(told, probabilities_of(context, told), strict=True):
        if probability < MIN_PROBABILITY:
            continue
        # Where a thing lies is no less so for being suspected or earlier.
        yield make_finding(
            site.span,
            "site",
            site.term.preferred,
            source=_SOURCE,
            code=site.term.code,
            assertion="present",
            attributes={"laterality": site.laterality} if site.laterality else {},
            confidence=round(probability, 3),
        )


def model() -> LinearModel:
    """The shipped weights."""
    return shipped("sites")


def probabilities_of(context: Context, sites: Sequence[Site]) -> list[float]:
    """How probably each candidate of a Doc is where the diagnosis sits or the operation is done."""
    if not sites:
        return []
    numbers = surroundings(context.doc, [(site.core.start, site.core.end) for site in sites])
    weights = model().weighed(numbers)
    return [model().of(SITE, features(context, site), row) for site, row in zip(sites, weights, strict=True)]


def sites_of(doc: Doc) -> list[Site]:
    """Every candidate, in text order. A side that all sided mentions of a site agree on holds for the others too."""
    found = [*_listed(doc), *_levels(doc), *_operated(doc)]
    found.sort(key=lambda site: (site.core.start, site.core.end))
    sides: dict[str, set[str]] = {}
    for site in found:
        if site.laterality:
            sides.setdefault(site.term.preferred, set()).add(site.laterality)
    agreed = {name: min(named) for name, named in sides.items() if len(named) == 1}
    return [
        replace(site, laterality=agreed[site.term.preferred])
        if not site.laterality and site.term.preferred in agreed
        else site
        for site in found
    ]


def _listed(doc: Doc) -> Iterator[Site]:
    last = (-1, -1)
    for span in spans_of(doc, "terms", SITE):
        if (span.start, span.end) == last:
            continue
        last = (span.start, span.end)
        if not _names_something_else(doc, span):
            words, side = _with_side(doc, span)
            yield Site(words, span, term_at(span), side, "term")


def _levels(doc: Doc) -> Iterator[Site]:
    for span in spans_of(doc, "quantities", "LEVEL"):
        term = _term_of_level(str(span._.quantity.canonical))
        if term is not None:
            yield Site(span, span, term, "", "level")


def _term_of_level(levels: str) -> Term | None:
    """The part of the spine that levels name: `L5` a lumbar vertebra, `L3-S1` the lumbosacral spine."""
    parts = _LEVEL.findall(levels)
    if not parts:
        return None
    first, last = parts[0][0], parts[-1][0]
    if len(parts) == 1:
        name = f"{_SPINE[first]} vertebra" if first in _SPINE else "sacrum"
    elif first == last:
        name = f"{_SPINE[first]} spine" if first in _SPINE else "sacrum"
    else:
        name = _JUNCTION.get(first + last, "spine")
    return _site_named(name)


def _operated(doc: Doc) -> Iterator[Site]:
    for i, word in enumerate(texts_of(doc)):
        if len(word) < 9:
            continue
        term = site_of_operation(word)
        if term is not None:
            span = Span(doc, i, i + 1)
            words, side = _with_side(doc, span)
            yield Site(words, span, term, side, "operation")


@lru_cache(maxsize=CACHED_WORDS)
def site_of_operation(word: str) -> Term | None:
    """The site that the word for an operation holds: the kidney of `nephrectomy`; None for any other word."""
    return _site_named(_OPERATED.get(fold_word(word), "")) if _OPERATION.search(word.lower()) else None


def _site_named(name: str) -> Term | None:
    return next((term for term in builtin_lexicon().lookup(name) if term.field == "site"), None) if name else None


def _names_something_else(doc: Doc, span: Span) -> bool:
    """Whether the anatomy only names a picture, a way in or a donor, or is an everyday word."""
    lowers, start, after = lowers_of(doc), span.start, span.end
    words = text_between(doc, start, after).lower()
    before = lowers[start - 1] if start else ""
    if words in _EVERYDAY and not (before in _DETERMINERS or before in SIDES or before in _POSITIONS):
        return True
    end = sentence_bounds(doc, start)[1]
    if after >= end:
        return False
    if words == "sole" and lowers[after].isalpha() and lowers[after] not in _PREPOSITIONS:
        return True
    if words in _PART_NAMES and _PART_OF.match(text_between(doc, after, min(end, after + 8)).lower()):
        return True
    if _tells_of_no_place(doc, after, words):
        return True
    sites = _site_tokens(doc)
    for i in range(after, min(end, after + 7)):
        if lowers[i] in _NAMES_ELSE:
            return True
        if i not in sites and lowers[i] not in _BETWEEN:
            return False
    return False


def _tells_of_no_place(doc: Doc, i: int, words: str) -> bool:
    """Whether the next word makes it a test ("liver function") or a way of giving ("oral antibiotics")."""
    word = lowers_of(doc)[i]
    if word in _TESTED:
        return True
    return words == "oral" and (word in _GIVEN or any(term.start == i for term in spans_of(doc, "terms", "therapy")))


def _site_tokens(doc: Doc) -> frozenset[int]:
    """Indexes of the tokens that are anatomy."""
    known = doc.user_data.get("caseframe.site_tokens")
    if not isinstance(known, frozenset):
        known = frozenset(i for span in spans_of(doc, "terms", SITE) for i in range(span.start, span.end))
        doc.user_data["caseframe.site_tokens"] = known
    return known


def _with_side(doc: Doc, span: Span) -> tuple[Span, str]:
    """The span with the words of side and position before it, and the side they or the words after it name."""
    lowers = lowers_of(doc)
    start = span.start
    first_word = max(sentence_bounds(doc, start)[0], start - _REACH)
    for i in range(start - 1, first_word - 1, -1):
        word = lowers[i]
        if word in SIDES:
            return _sided(doc, span, i, first_word)
        if word in _LOCATING and start == i + 1:
            start = i
        elif not _may_part(doc, i):
            break
    if first_word < span.start and "of" in lowers[first_word : span.start]:
        part = _PART_BEFORE.search(doc[first_word : span.start].text_with_ws)
        if part:
            words = doc.char_span(doc[first_word].idx + part.start(1), span.end_char, alignment_mode="expand")
            return words or span, side_of([part[1].lower()])
    # "right lobe of the liver" names a side of the liver; "right atrium" is a thing of its own.
    term = term_of(span)
    named = "" if term is not None and side_of(term.preferred.split()) else side_of(lowers[span.start : span.end])
    return Span(doc, start, span.end), named or _side_after(doc, span)


def _sided(doc: Doc, span: Span, i: int, first_word: int) -> tuple[Span, str]:
    """The span from the side word at `i` on; "both" is no side of one thing ("both colon and breast")."""
    lowers = lowers_of(doc)
    last = lowers[span.end - 1]
    if lowers[i] == "both" and fold_word(last) == last:
        return span, ""
    sides = [lowers[i]]
    if i - 2 >= first_word and lowers[i - 1] in ("and", "or") and lowers[i - 2] in SIDES:
        i -= 2
        sides.append(lowers[i])
    return Span(doc, i, span.end), side_of(sides)


def _may_part(doc: Doc, i: int) -> bool:
    """Whether a word may stand between a side and its site: "left giant renal", "right distal femoral"."""
    word = lowers_of(doc)[i]
    if not word.isalpha() or word in _DETERMINERS or word in _PREPOSITIONS:
        return False
    return (
        i in _site_tokens(doc)
        or word in _LOCATING
        or word.endswith(("al", "ar", "ic", "ous", "ant"))
        or word in ("large", "huge", "primary")
    )


def _side_after(doc: Doc, span: Span) -> str:
    """The side in "kidney (left)", "mass of the thigh on the right", "lower quadrant of her right breast"."""
    lowers, after, end = lowers_of(doc), span.end, sentence_bounds(doc, span.start)[1]
    if after >= end or not lowers[after].startswith(_BEFORE_SIDES):
        return ""
    match = _SIDE_AFTER.match(text_between(doc, after, min(end, after + _REACH)))
    return side_of([match[1].lower()]) if match else ""


class Context:
    """What the whole Doc says of its candidates, gathered once a Doc."""

    def __init__(self, doc: Doc, sites: Sequence[Site]) -> None:
        self.doc = doc
        self.words = folded_words(doc)
        self.counts = Counter(site.term.preferred for site in sites)
        self.most = max(self.counts.values(), default=0)
        self.titled = frozenset(site.term.preferred for site in sites if section_of(site.core) == "title")
        self.labels: dict[int, list[str]] = {}
        self.longest: dict[int, tuple[int, str]] = {}
        if sites:
            self._label(doc)
        self.company: dict[str, set[str]] = {}
        self.order: dict[str, int] = {}
        self._said: dict[tuple[int, int], list[str]] = {}
        for site in sites:
            company = self.company.setdefault(site.term.preferred, set())
            company.update(name for name in self.said_of(site) if name.startswith(("label right", "link label")))
            self.order.setdefault(site.term.preferred, len(self.order))

    def _label(self, doc: Doc) -> None:
        """Notes for each token the fields of the terms over it, sites aside, and which of them is the longest."""
        for start, end, label, _ in rows_in(doc, "terms"):
            if label != SITE:
                for i in range(start, end):
                    self.labels.setdefault(i, []).append(label)
                    if i not in self.longest or self.longest[i][0] < end - start:
                        self.longest[i] = end - start, label

    def said_of(self, site: Site) -> list[str]:
        """What terms the anatomy is said of, at one mention."""
        place = site.span.start, site.core.end
        if place not in self._said:
            start, end = sentence_bounds(self.doc, site.core.start)
            self._said[place] = [*_labels_right(self, site.core.end, end), *_link(self, site, start)]
        return self._said[place]

    def label_at(self, i: int) -> str:
        """The field of the longest term at a token, sites aside."""
        return self.longest[i][1] if i in self.longest else ""


def features(context: Context, site: Site) -> Iterator[Bag]:
    """The features that hold of a candidate."""
    doc, core, name = context.doc, site.core, site.term.preferred
    first, place, after = site.span.start, core.start, core.end
    start, end = sentence_bounds(doc, place)
    words, count = context.words, context.counts[name]
    titled, another = name in context.titled, bool(context.titled)
    generic = site.term.attributes.get("generic", "no")
    is_noun = text_between(doc, place, after).lower() == name
    yield _of_form, (site.origin, generic, is_noun, bool(site.laterality), first < place)
    story, role = scores_by_token(doc)[place], roles_by_token(doc)[place]
    yield _of_place, (section_of(core), int(4 * story), role, assertion_at(core)[0])
    yield _of_counts, (min(count, 4), min(len(context.counts) // 2, 6), min(context.order[name], 4))
    yield _of_titles, (titled, another, int(3 * (count / context.most)))
    left, right = words[first - 1] if first > start else "", words[after] if after < end else ""
    yield "", [f"value={name}", f"left={left}", f"right={right}", f"ending={right[-5:]}"]
    yield "some mention: ", sorted(context.company[name])
    yield "inside=", dict.fromkeys(label for i in range(place, after) for label in context.labels.get(i, ()))
    yield "", context.said_of(site)
    texts, lowers = texts_of(doc), lowers_of(doc)
    near = [*range(max(start, place - _WINDOW), place), *range(after, min(end, after + _WINDOW))]
    if any(lowers[i].startswith("metasta") for i in near):
        yield "", ["near metastasis"]
    yield "near=", dict.fromkeys(words[i] for i in near if len(texts[i]) > 3 and texts[i].isalpha())
    yield entity_features(core)


def _of_form(origin: str, generic: str, is_noun: bool, sided: bool, placed: bool) -> Iterator[str]:
    yield f"origin={origin}"
    yield f"generic={generic}"
    yield f"form={'noun' if is_noun else 'other'}"
    yield f"side={sided}"
    yield f"position={placed}"


def _of_place(section: str, story: int, role: str, assertion: str) -> Iterator[str]:
    yield f"section={section}"
    yield f"story={story}"
    yield f"role={role}"
    yield f"assertion={assertion}"


def _of_counts(mentions: int, sites: int, order: int) -> Iterator[str]:
    yield f"mentions={mentions}"
    yield f"sites={sites}"
    yield f"order={order}"


def _of_titles(titled: bool, another: bool, share: int) -> Iterator[str]:
    yield f"titled={titled}"
    if another and not titled:
        yield "another titled"
    yield f"share={share}&titled={titled}&another={another}"


def _labels_right(context: Context, after: int, end: int) -> Iterator[str]:
    """What the nearest term after the anatomy is, in the same phrase."""
    lowers = lowers_of(context.doc)
    for i in range(after, min(end, after + 4)):
        if not lowers[i][0].isalnum() or lowers[i] in _PREPOSITIONS:
            break
        label = context.label_at(i)
        if label:
            yield f"label right={label}"
            break


def _link(context: Context, site: Site, start: int) -> Iterator[str]:
    """What the anatomy is said of: "mass of the …", "resection of the …"."""
    words, sites = lowers_of(context.doc), _site_tokens(context.doc)
    i = site.span.start - 1
    while i >= start and (words[i] in _DETERMINERS or words[i] in _POSITIONS or i in sites):
        i -= 1
    if i < start or words[i] not in _PREPOSITIONS:
        return
    yield f"link={words[i]}"
    if i > start:
        yield f"link head={folded_words(context.doc)[i - 1]}"
        label = context.label_at(i - 1)
        if label:
            yield f"link label={label}"
