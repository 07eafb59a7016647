"""Words around the names of operations and devices: body parts, sides, approaches.

The pipelines have no part-of-speech tagger; what may stand before a head is told by these words, by the adjective
endings of medical Latin and by the lexicon terms of the Doc.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from spacy.tokens import Doc, Span

from caseframe.fields.base import spans_of
from caseframe.lexicons.folding import CACHED_WORDS, fold_word

SIDES = {
    "left": "left", "right": "right", "bilateral": "bilateral", "both": "bilateral", "bilaterally": "bilateral",
    "left-sided": "left", "right-sided": "right", "left-side": "left", "right-side": "right", "midline": "midline",
    "left-hand": "left", "right-hand": "right",
}  # fmt: skip

BODY_NOUNS = frozenset(
    """abdomen acetabulum adrenal airway ankle anus aorta appendix arm artery atrium axilla bile bladder bone bowel
    brain breast bronchus bursa calcaneus capsule carina cartilage cecum cerebellum cervix chest chorda clavicle
    clitoris coccyx colon cord cornea cranium cuff diaphragm disc disk duct duodenum dura ear elbow endometrium
    esophagus eye eyelid face fascia fat femur fibula finger foot foramen forearm forehead gallbladder ganglion
    gland groin hand head heart hip humerus ileum ilium intestine iris ischium jaw jejunum joint kidney knee
    labrum larynx leaflet leg lens ligament limb lip liver lobe lung mandible maxilla mediastinum meniscus
    mesentery metacarpal metatarsal mouth mucosa muscle nail neck nerve nipple node nose omentum orbit ovary
    palate pancreas parathyroid parotid patella pelvis penis pericardium peritoneum phalanx pharynx pituitary
    placenta pleura prostate pubis pylorus radius rectum retina rib root sacrum scalp scaphoid scapula sclera
    scrotum segment septum shoulder sigmoid sinus skin skull spine spleen sternum stomach synovium talus tarsus
    tendon testis thigh thorax throat thumb thymus thyroid tibia toe tongue tonsil tooth trachea tympanum ulna
    ureter urethra uterus vagina valve vein ventricle vertebra vessel vulva wall wrist""".split()
)
"""Body parts as they stand in names of operations ("hip arthroplasty"), folded."""

_ANATOMICAL = re.compile(r"[a-z-]*(?:al|ar|ary|ic|eal|ous|oid|ine|iac|ian)")
_NOT_ANATOMICAL = frozenset(
    """surgical clinical medical hospital several initial final total partial radical additional normal abnormal
    typical atypical critical local trial animal technical essential general regular similar particular various
    serious previous obvious successful conventional professional traditional continuous spontaneous
    simultaneous subsequent palliative diagnostic therapeutic prophylactic elective chronic specific basic
    academic scientific systemic elastic plastic optimal potential actual usual special individual physical
    primary secondary tertiary necessary temporary voluntary summary library ordinary preliminary dramatic
    cosmetic aesthetic esthetic economic histological pathological radiological neurological oncological
    oncologic pathologic histologic histopathological histopathologic microscopic macroscopic symptomatic
    asymptomatic traumatic idiopathic iatrogenic infectious malignant cancerous hormonal familial neonatal
    congenital hereditary toxic allergic metallic ceramic functional emotional social sexual rural manual
    personal national international federal annual visual verbal vital rational unusual equal ideal survival
    arrival removal approval referral renewal proposal interval signal material topical oral parenteral
    antibiotic analgesic anesthetic logic public topic music magic clinic epidemic metric static automatic
    electronic pandemic generic fine line machine baseline routine nine determine combine examine define decline
    online genuine vaccine mine discipline saline morphine urine marine supine prone singular circular linear
    nuclear molecular cellular modular popular dollar sugar bar far war car familiar elementary exemplary
    complementary supplementary contrary imaginary monetary military january february mandatory autologous
    autogenous heterologous homologous homogenous allogenic allogeneic xenogenic dangerous famous enormous
    tremendous anomalous analogous numerous hazardous advantageous erroneous void avoid steroid opioid physician
    guardian median american asian caucasian indian canadian australian european christian veterinarian egyptian
    italian austrian brazilian octogenarian minimal maximal marginal intralesional conditional eventual gradual
    occasional residual superficial real formal serial spherical conical cylindrical identical practical ethical
    historical biological chemical mechanical electrical optical typical vertical horizontal longitudinal
    transverse oblique rotational cystic fibrotic necrotic neoplastic metastatic sarcomatous fibrous calcareous
    purulent ischemic hemorrhagic septic infectious tuberculous rheumatic diabetic osteoporotic peripheral
    trophoblastic diverting arthritic stenotic aneurysmal obstructive thrombotic embolic""".split()
)

APPROACHES: dict[str, str] = {
    word: value
    for value, words in {
        "laparoscopic": "laparoscopic laparoscopically laparoscopic-assisted laparoscopically-assisted",
        "thoracoscopic": "thoracoscopic thoracoscopically",
        "video-assisted thoracoscopic": "vats",
        "video-assisted": "video-assisted",
        "robotic": "robotic robotically robot-assisted robotic-assisted robotically-assisted",
        "endoscopic": "endoscopic endoscopically endoscopic-assisted",
        "arthroscopic": "arthroscopic arthroscopically arthroscopic-assisted arthroscopically-assisted",
        "percutaneous": "percutaneous percutaneously",
        "endovascular": "endovascular endovascularly",
        "minimally invasive": "minimally-invasive",
        "open": "open",
        "mini-open": "mini-open",
        "microsurgical": "microsurgical microsurgically",
        "ct-guided": "ct-guided",
        "ultrasound-guided": "ultrasound-guided us-guided sonography-guided ultrasonography-guided",
        "fluoroscopy-guided": "fluoroscopy-guided fluoroscopic-guided",
        "stereotactic": "stereotactic stereotaxic",
        "transsphenoidal": "transsphenoidal trans-sphenoidal",
        "transcranial": "transcranial",
        "transoral": "transoral trans-oral",
        "transnasal": "transnasal trans-nasal endonasal transnasally",
        "transurethral": "transurethral trans-urethral transurethrally",
        "transrectal": "transrectal trans-rectal",
        "transanal": "transanal trans-anal transanally",
        "transvaginal": "transvaginal trans-vaginal transvaginally",
        "transhiatal": "transhiatal trans-hiatal",
        "transthoracic": "transthoracic trans-thoracic",
        "transabdominal": "transabdominal trans-abdominal",
        "transperitoneal": "transperitoneal trans-peritoneal",
        "retroperitoneal": "retroperitoneal",
        "extraperitoneal": "extraperitoneal",
        "transcervical": "transcervical trans-cervical",
        "transfemoral": "transfemoral trans-femoral",
        "transapical": "transapical trans-apical",
        "transjugular": "transjugular trans-jugular",
        "transhepatic": "transhepatic trans-hepatic",
        "transpedicular": "transpedicular trans-pedicular",
        "transbronchial": "transbronchial",
        "retrosigmoid": "retrosigmoid retrosigmoidal",
        "suboccipital": "suboccipital",
        "pterional": "pterional",
        "hysteroscopic": "hysteroscopic hysteroscopically hysteroscopic-guided",
        "ureteroscopic": "ureteroscopic ureteroscopically",
        "bronchoscopic": "bronchoscopic bronchoscopically",
        "mediastinoscopic": "mediastinoscopic",
        "single-incision": "single-incision single-port",
        "posterior": "posterior posteriorly",
        "anterior": "anterior anteriorly",
        "anterolateral": "anterolateral",
        "posterolateral": "posterolateral",
        "lateral": "lateral",
        "dorsal": "dorsal",
        "ventral": "ventral",
        "volar": "volar",
        "subcostal": "subcostal",
    }.items()
    for word in words.split()
}
"""Words that say by what way an operation was done, with their canonical form."""


@lru_cache(maxsize=CACHED_WORDS)
def is_body_word(word: str) -> bool:
    """Whether a lower-case word is a body part or an adjective of one: `knee`, `hepatic`."""
    if not word[:1].isalpha() or word in _NOT_ANATOMICAL or word in SIDES or word in APPROACHES:
        return False
    return fold_word(word) in BODY_NOUNS or (len(word) > 4 and bool(_ANATOMICAL.fullmatch(word)))


def covered(doc: Doc, field: str) -> dict[int, Span]:
    """For each token the longest lexicon term of a field that holds it."""
    return by_token(spans_of(doc, "terms", field))


def by_token(spans: Iterable[Span]) -> dict[int, Span]:
    """For each token the longest of the spans that hold it."""
    result: dict[int, Span] = {}
    for span in spans:
        for i in range(span.start, span.end):
            if i not in result or len(result[i]) < len(span):
                result[i] = span
    return result


def side_of(words: Iterable[str]) -> str:
    """The side that words name; both sides are bilateral."""
    found = {SIDES[word] for word in words if word in SIDES}
    if found >= {"left", "right"} or "bilateral" in found:
        return "bilateral"
    return min(found, default="")


def levels_beside(doc: Doc, start: int, end: int, *, reach: int = 5) -> str:
    """The vertebral levels told with the tokens `start:end`: the nearest within reach, in the same sentence."""
    best, levels = reach + 1, ""
    for span in spans_of(doc, "quantities", "LEVEL"):
        distance = max(span.start - end, start - span.end, 0)
        if distance < best and not _parted(doc, span, start, end):
            best, levels = distance, str(span._.quantity.canonical)
    return levels


def _parted(doc: Doc, span: Span, start: int, end: int) -> bool:
    """Whether a sentence begins between a span and the tokens `start:end`."""
    first, last = (end, span.start) if span.start >= end else (span.end, start)
    return any(doc[i].is_sent_start for i in range(first, min(last + 1, len(doc))))
