"""Folding of word forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.lexicons.folding import american, canonical, fold_parts, fold_word, singular


def pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize(
    ("british", "spelling"),
    pairs(
        "tumour tumor oedema edema haemorrhage hemorrhage ischaemia ischemia ischaemic ischemic anaemic anemic "
        "anaesthesia anesthesia paediatric pediatric orthopaedic orthopedic leukaemia leukemia fibre fiber centre center "
        "foetus fetus oesophagus esophagus diarrhoea diarrhea dyspnoea dyspnea colour color caesarean cesarean grey gray "
        "mould mold haemangioma hemangioma caecal cecal hyperkalaemia hyperkalemia septicaemia septicemia "
        "analysed analyzed paralysed paralyzed localised localized stabilised stabilized mobilisation mobilization "
        "metastasised metastasized colonised colonized immunised immunized recognised recognized sulphate sulfate "
        "leucocyte leukocyte leucopenia leukopenia phaeochromocytoma pheochromocytoma gynaecological gynecological "
        "aetiology etiology coeliac celiac amoebic amebic behaviour behavior"
    ),
)
def test_british_spelling_is_american(british: str, spelling: str) -> None:
    assert american(british) == spelling


@pytest.mark.parametrize(
    "word",
    "four hour sour pour resection disease noise raised advised excised incised revised exercise promise surprised "
    "anastomosed aneurysm aerobic aesthetic diagnosis dialysis paralysis analysis malaise precise coexistence phoenix "
    "are pore fire score score sclera".split(),
)
def test_other_words_keep_their_spelling(word: str) -> None:
    assert american(word) == word


@pytest.mark.parametrize(
    ("plural", "one"),
    pairs(
        "fractures fracture metastases metastasis diagnoses diagnosis prognoses prognosis stenoses stenosis "
        "vertebrae vertebra fibulae fibula aortae aorta haematomata haematoma women woman feet foot bronchi bronchus "
        "abscesses abscess biopsies biopsy masses mass boxes box branches branch femora femur foci focus doses dose "
        "metaphyses metaphysis anastomoses anastomosis lymphadenopathies lymphadenopathy"
    ),
)
def test_plurals(plural: str, one: str) -> None:
    assert singular(plural) == one
    assert singular(one) == one


@pytest.mark.parametrize(
    "word",
    "diabetes pancreas biceps ascites series mass abscess pus virus pelvis its was os gas us measles forceps".split(),
)
def test_words_that_only_look_like_plurals(word: str) -> None:
    assert singular(word) == word


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Osteosarcomas", "osteosarcoma"),
        ("CT", "CT"),
        ("CTs", "CT"),
        ("GISTs", "GIST"),
        ("ALL", "ALL"),
        ("All", "all"),
        ("all", "all"),
        ("Is", "is"),
        ("I", "i"),
        ("Sjögren", "sjogren"),
        ("Ewing’s", "ewing's"),
        ("3D–printed", "3d-printed"),
        ("", ""),
        ("骨肉腫", "骨肉腫"),
        ("\u0301", "\u0301"),
    ],
)
def test_one_word(word: str, folded: str) -> None:
    assert fold_word(word) == folded


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("giant-cell", ("giant", "cell")),
        ("giant‑cell", ("giant", "cell")),
        ("L3/4", ("L3", "4")),
        ("metal_on_metal", ("metal", "on", "metal")),
        ("pre-", ("pre",)),
        ("—", ("—",)),
        ("-", ("-",)),
    ],
)
def test_parts_of_a_token(word: str, parts: tuple[str, ...]) -> None:
    assert fold_parts(word) == parts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Femoral Neck Fractures", "femoral neck fracture"),
        ("Pulmonary  Metastases", "pulmonary metastasis"),
        ("Haematomata", "hematoma"),
        ("left-sided weakness", "left-sided weakness"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_canonical_value(text: str, value: str) -> None:
    assert canonical(text) == value


@given(st.text())
def test_any_word_folds(word: str) -> None:
    assert isinstance(fold_word(word), str)
    assert all(fold_parts(word)) or word == ""
    assert canonical(word) == canonical(word).strip()


@given(st.from_regex(r"[a-z]{1,8}(oma|itis|ectomy|fracture|pain|cyst|lesion)", fullmatch=True))
def test_plural_and_case_of_a_regular_word_do_not_matter(word: str) -> None:
    plural = word[:-1] + "ies" if word.endswith("y") else word + ("" if word.endswith("s") else "s")
    assert fold_word(plural) == fold_word(word.capitalize()) == fold_word(word)
