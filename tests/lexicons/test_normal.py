"""Names that mean the same by their form have one normal form; others keep apart."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caseframe.lexicons.normal import normal_form

SAME = [
    ("carcinoma of the breast", "breast carcinoma"),
    ("Fractures, femoral", "femoral fracture"),
    ("Carcinoma, NOS", "carcinoma"),
    ("glioma, not otherwise specified", "gliomas"),
    ("unspecified dementia", "dementia"),
    ("diabetes mellitus type II", "type-2 diabetes mellitus"),
    ("astrocytoma, grade III", "grade 3 astrocytoma"),
    ("factor VIII deficiency", "deficiency of factor 8"),
    ("mucopolysaccharidosis type IIIA", "mucopolysaccharidosis, type 3a"),
    ("Ewing's sarcoma", "Ewing sarcoma"),
    ("Ewings’ sarcomas", "sarcoma, Ewing"),
    ("α-thalassaemia", "alpha thalassemia"),
    ("TNFβ excess", "excess of TNF-beta"),
    ("Sjögren’s syndrome", "sjogren syndrome"),
    ("giant-cell tumour (GCT) of bone", "giant cell tumors of bone"),
    ("oedema (finding)", "edema"),
    ("osteochondromata", "osteochondroma"),
    ("benign neoplasm of skin", "benign skin tumour"),
]
APART = [
    ("type 1 diabetes", "type 2 diabetes"),
    ("IV infusion", "type 4 infusion"),
    ("fragile X", "fragile type 10"),
    ("ALL", "all"),
    ("hepatitis A", "hepatitis"),
    ("benign tumor", "malignant tumor"),
    ("giant cell tumor of bone", "giant cell tumor of tendon sheath"),
    ("small cell carcinoma", "non-small cell carcinoma"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_ways_to_write_one_name_meet(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_names_of_different_things_keep_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


def test_a_name_of_words_that_say_nothing_keeps_them() -> None:
    assert normal_form("of the") == "of the"
    assert normal_form("") == ""


NAMES = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from("type II iv I grade tumours NOS of not otherwise specified Ewing's α1 caseses X".split())
    ).map(" ".join),
)


@given(NAMES)
@example("i grade")
@example("İnverted ﬁbroma ＩＩ type")
def test_the_normal_form_is_its_own(name: str) -> None:
    assert normal_form(normal_form(name)) == normal_form(name)


@given(
    st.lists(st.sampled_from("type II iv I grade tumours NOS of not otherwise Ewing's α1 bone".split())), st.randoms()
)
def test_the_order_of_words_says_nothing(words: list[str], random: object) -> None:
    shuffled = list(words)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert normal_form(" ".join(shuffled)) == normal_form(" ".join(words))
