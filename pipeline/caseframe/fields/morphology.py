"""The open class of operations: words that are procedures by the way they are built, listed or not.

`hemisacrectomy` is a resection because it ends in -ectomy; `fixation` is a head noun that makes a procedure of the
words before it. Misspellings one letter off a listed word ("hemisacretomy") resolve to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from caseframe.lexicons import builtin_lexicon
from caseframe.lexicons.folding import CACHED_WORDS, fold_word

FIELD = "procedure"
_MIN_MISSPELT = 9

# The first suffix that fits decides, so the special ones stand before the general.
_SUFFIXES: tuple[tuple[str, str], ...] = (
    ("arthroplasty", "arthroplasty"),
    ("keratoplasty", "grafting"),
    ("laminoplasty", "decompression"),
    ("foraminoplasty", "decompression"),
    ("acromioplasty", "decompression"),
    ("angioplasty", "other"),
    ("vertebroplasty", "other"),
    ("kyphoplasty", "other"),
    ("cementoplasty", "other"),
    ("plasty", "reconstruction"),
    ("diskectomy", "decompression"),
    ("discectomy", "decompression"),
    ("laminectomy", "decompression"),
    ("facetectomy", "decompression"),
    ("thrombectomy", "other"),
    ("embolectomy", "other"),
    ("atherectomy", "other"),
    ("endarterectomy", "other"),
    ("vitrectomy", "other"),
    ("trabeculectomy", "other"),
    ("keratectomy", "other"),
    ("ectomy", "resection"),
    ("osteotomy", "osteotomy"),
    ("corticotomy", "osteotomy"),
    ("fasciotomy", "decompression"),
    ("laminotomy", "decompression"),
    ("foraminotomy", "decompression"),
    ("pericardiotomy", "decompression"),
    ("escharotomy", "decompression"),
    ("otomy", "other"),
    ("ostomy", "other"),
    ("spondylodesis", "fusion"),
    ("arthrodesis", "fusion"),
    ("syndesis", "fusion"),
    ("pleurodesis", "other"),
    ("tenodesis", "other"),
    ("desis", "fusion"),
    ("pexy", "reconstruction"),
    ("rrhaphy", "reconstruction"),
    ("centesis", "other"),
    ("tripsy", "other"),
    ("synangiosis", "other"),
    ("adhesiolysis", "other"),
    ("synechiolysis", "other"),
    ("neurolysis", "decompression"),
    ("tenolysis", "other"),
    ("arthrolysis", "other"),
    ("pleurolysis", "other"),
    ("ureterolysis", "other"),
    ("enterolysis", "other"),
    ("epidurolysis", "other"),
    ("embolization", "embolization"),
    ("autotransplantation", "reconstruction"),
    ("reimplantation", "reconstruction"),
    ("transplantation", "other"),
    ("allografting", "grafting"),
    ("autografting", "grafting"),
    ("xenografting", "grafting"),
    ("osteosynthesis", "fixation"),
    ("scopy", "other"),
)
# By the last letters, which few other words have.
_LAST = 3
_BY_LAST: dict[str, list[tuple[str, str]]] = {}
for _suffix in _SUFFIXES:
    _BY_LAST.setdefault(_suffix[0][-_LAST:], []).append(_suffix)
# Words with such an ending that are no operation, and looking at things instead of into a patient.
_NO_PROCEDURE = re.compile(
    r"(?:^|[a-z])(?:ana|dicho|tricho|polycho|poly|phyto|zoo|micro|epi|auto)tomy$"
    r"|(?:^|fundu|macro|micro|fluoro|spectro|ophthalmo|oto|radio|dermo|dermato|strobo|necro|horo|kaleido|tele|gonio|retino|capillaro|"
    r"skia|photo|ebullio|tricho|peri|trans|nephelo|reflecto)scopy$"
)
# "post-transplantation", "preembolization": the time about an operation.
_ABOUT = re.compile(r"post(?!auricul)|(?:pre|peri|non|anti)-", re.I)
# Two organs joined by a stoma are an anastomosis: hepaticojejunostomy, not jejunostomy.
_ANASTOMOSIS = re.compile(
    r"(?:hepatico|choledocho|chole?cysto|pancreatico|pancreato|gastro|esophago|oesophago|duodeno|jejuno|ileo|colo|entero|"
    r"uretero|pyelo|porto|dacryocysto|vaso|cysto|sigmoido|procto)"
    r"(?:neo)?(?:jejunostomy|duodenostomy|gastrostomy|enterostomy|ileostomy|colostomy|rectostomy|proctostomy|cystostomy|"
    r"ureterostomy|rhinostomy|vasostomy|epididymostomy|sigmoidostomy|transversostomy)$"
)

# Head nouns: a procedure with or without words before them. The second value: whether the word says enough alone.
HEADS: dict[str, tuple[str, bool]] = {
    "resection": ("resection", True), "excision": ("resection", True), "exeresis": ("resection", True),
    "extirpation": ("resection", True), "exenteration": ("resection", True), "enucleation": ("resection", True),
    "debulking": ("resection", True), "cytoreduction": ("resection", True), "dissection": ("resection", False),
    "ablation": ("other", False), "removal": ("other", False), "retrieval": ("other", False),
    "extraction": ("other", False), "evacuation": ("other", False), "explantation": ("revision", True),
    "amputation": ("amputation", True), "disarticulation": ("amputation", True), "curettage": ("curettage", True),
    "reconstruction": ("reconstruction", True), "repair": ("reconstruction", False), "closure": ("other", False),
    "anastomosis": ("reconstruction", False), "bypass": ("reconstruction", False), "flap": ("reconstruction", False),
    "transfer": ("reconstruction", False), "transposition": ("reconstruction", False),
    "replantation": ("reconstruction", True), "lengthening": ("reconstruction", False),
    "rehabilitation": ("reconstruction", False), "augmentation": ("reconstruction", False),
    "fixation": ("fixation", True), "nailing": ("fixation", True), "plating": ("fixation", True),
    "pinning": ("fixation", True), "wiring": ("fixation", True), "instrumentation": ("fixation", False),
    "stabilization": ("fixation", False), "osteosynthesis": ("fixation", True), "fusion": ("fusion", False),
    "replacement": ("arthroplasty", False), "grafting": ("grafting", True), "transplantation": ("other", False),
    "transplant": ("other", False), "decompression": ("decompression", True), "release": ("decompression", False),
    "embolization": ("embolization", True), "coiling": ("embolization", True), "biopsy": ("biopsy", True),
    "revision": ("revision", False), "exchange": ("revision", False), "reoperation": ("revision", True),
    "debridement": ("other", True), "drainage": ("other", True), "stenting": ("other", True),
    "clipping": ("other", True), "ligation": ("other", True), "shunting": ("other", True), "lavage": ("other", True),
    "exploration": ("other", False), "catheterization": ("other", True), "cauterization": ("other", True),
    "insertion": ("other", False), "placement": ("other", False), "implantation": ("other", False),
    "reimplantation": ("reconstruction", True), "repositioning": ("other", False), "reduction": ("other", False),
    "surgery": ("other", True), "operation": ("other", True), "procedure": ("other", False),
    "plication": ("reconstruction", True), "imbrication": ("reconstruction", True), "luxation": ("other", False),
    "untethering": ("other", True), "marsupialization": ("other", True), "fenestration": ("other", False),
    "myotomy": ("other", True),
}  # fmt: skip

GENERIC = frozenset(
    (
        "surgery",
        "surgical procedure",
        "operation",
        "procedure",
        "surgical treatment",
        "intervention",
        "emergency surgery",
    )
)
"""Values that say no more than that there was an operation."""

_LASTS = frozenset((*_BY_LAST, *(head[-_LAST:] for head in HEADS)))
"""How words end that may be procedures, in the singular."""

# Past participles (and their heads), so that "was resected en bloc" and "resection" are told alike.
VERBS: dict[str, str] = {
    "resected": "resection", "excised": "excision", "removed": "removal", "extirpated": "resection",
    "enucleated": "enucleation", "debulked": "debulking", "dissected": "dissection", "curetted": "curettage",
    "curretted": "curettage", "amputated": "amputation", "disarticulated": "disarticulation",
    "reconstructed": "reconstruction", "repaired": "repair", "replaced": "replacement", "fused": "fusion",
    "grafted": "grafting", "transplanted": "transplantation", "embolized": "embolization",
    "embolised": "embolization", "coiled": "coiling", "ligated": "ligation", "clipped": "clipping",
    "stented": "stenting", "decompressed": "decompression", "drained": "drainage", "debrided": "debridement",
    "evacuated": "evacuation", "biopsied": "biopsy", "intubated": "endotracheal intubation", "fixed": "fixation",
    "fixated": "fixation", "stabilized": "stabilization", "stabilised": "stabilization", "nailed": "nailing",
    "plated": "plating", "implanted": "implantation", "inserted": "insertion", "placed": "placement",
    "explanted": "removal", "extracted": "extraction", "retrieved": "removal", "reimplanted": "reimplantation",
    "re-implanted": "reimplantation", "replanted": "replantation", "revised": "revision", "exchanged": "exchange",
    "operated": "surgery", "reoperated": "reoperation", "re-operated": "reoperation", "explored": "exploration",
    "re-explored": "re-exploration", "closed": "closure", "anastomosed": "anastomosis", "bypassed": "bypass",
    "ablated": "ablation", "cauterized": "cauterization", "cauterised": "cauterization", "released": "release",
    "catheterized": "catheterization", "catheterised": "catheterization", "reduced": "reduction",
    "plicated": "plication", "detorsed": "detorsion", "lengthened": "lengthening", "shunted": "shunting",
    "osteotomized": "osteotomy", "marsupialized": "marsupialization", "unroofed": "deroofing",
}  # fmt: skip


PURPOSES: dict[str, str] = {
    form: head
    for head, forms in {
        "resection": "resect resecting",
        "excision": "excise excising",
        "removal": "remove removing retrieve retrieving",
        "reconstruction": "reconstruct reconstructing",
        "repair": "repair repairing",
        "replacement": "replace replacing",
        "evacuation": "evacuate evacuating",
        "drainage": "drain draining",
        "closure": "close closing",
        "embolization": "embolize embolizing",
        "reduction": "reduce reducing",
        "decompression": "decompress decompressing",
        "ligation": "ligate ligating",
        "extraction": "extract extracting",
    }.items()
    for form in forms.split()
}
"""Infinitives and gerunds: "surgery was performed to remove the tumor"."""


@dataclass(frozen=True, slots=True)
class ProcedureWord:
    """What one word says: its canonical form, the category of the operation, whether it stands for itself."""

    value: str
    category: str
    alone: bool = True


@lru_cache(maxsize=CACHED_WORDS)
def procedure_word(word: str) -> ProcedureWord | None:
    """The procedure that a word names by its form, or None: `nephrectomies` gives nephrectomy, a resection."""
    if len(word) < 5 or _ABOUT.match(word):
        return None
    plain = word.replace("-", "").replace("‐", "") if word[0].isalpha() else word
    if plain.isascii() and not plain.endswith(("s", "S")) and plain[-_LAST:].lower() not in _LASTS:
        return None  # folding changes no other end to one of these
    folded = fold_word(plain).lower()
    if not folded.isalpha():
        return None
    if folded in HEADS:
        category, alone = HEADS[folded]
        return ProcedureWord(folded, category, alone)
    if folded[-_LAST:] not in _BY_LAST or _is_no_procedure(folded):
        return None
    listed = _listed_words().get(folded)
    if listed is not None:
        return listed
    meant = correct(folded)
    if meant is not None:
        known = _listed_words()[meant]
        return ProcedureWord(known.value, known.category)
    category_ = category_of(folded)
    return ProcedureWord(folded, category_) if category_ else None


def category_of(word: str) -> str:
    """The category of a procedure word by its suffix; empty for a word that is none."""
    suffixes = _BY_LAST.get(word[-_LAST:])
    if suffixes is None or len(word) < 7 or _is_no_procedure(word):
        return ""
    if word.endswith("stomy") and _ANASTOMOSIS.search(word):
        return "reconstruction"
    for suffix, category in suffixes:
        if word.endswith(suffix) and len(word) >= len(suffix) + (0 if len(suffix) > 8 else 2):
            return category
    return ""


def _is_no_procedure(word: str) -> bool:
    return word.endswith(("tomy", "scopy")) and _NO_PROCEDURE.search(word) is not None


@cache
def _listed_words() -> dict[str, ProcedureWord]:
    """The procedures of the lexicon that are one word built as a procedure."""
    lexicon = builtin_lexicon()
    words: dict[str, ProcedureWord] = {}
    for term in lexicon.of_field(FIELD).values():
        word = fold_word(term.preferred).lower()
        if term.preferred.isalpha() and category_of(word):
            words[word] = ProcedureWord(term.preferred, str(term.attributes.get("category", "other")))
    return words


@cache
def _by_ending() -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for word in _listed_words():
        groups.setdefault(word[-_LAST:], []).append(word)
    return {ending: tuple(sorted(words)) for ending, words in groups.items()}


def correct(word: str) -> str | None:
    """The listed procedure that a misspelling means: one letter off, of nine letters or more, and no other as near.

    A word that ends as procedures do keeps its ending: `ileotomy` is no slip for `ileostomy`.
    """
    if len(word) < _MIN_MISSPELT or word in _listed_words():
        return None
    ending = _ending(word)
    near = [
        other
        for other in _by_ending().get(word[-_LAST:], ())
        if abs(len(other) - len(word)) <= 1 and (not ending or _ending(other) == ending) and one_edit(word, other)
    ]
    return near[0] if len(near) == 1 else None


def _ending(word: str) -> str:
    match = re.search(r"(?:ectomy|ostomy|otomy|plasty|desis|pexy|rrhaphy|scopy|centesis|lysis|tripsy)$", word)
    return match[0] if match else ""


def one_edit(a: str, b: str) -> bool:
    """Whether one letter put in, left out or changed, or two neighbours swapped, makes one word the other."""
    if a == b:
        return True
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    if len(a) == len(b):
        return rest_a[1:] == rest_b[1:] or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    return rest_a[1:] == rest_b if len(a) > len(b) else rest_a == rest_b[1:]
