"""Quantities: one line a case, `text with [the quantity] marked`, then what it is worth."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.stages import units
from caseframe.stages.quantities import KINDS, Quantity, find_quantities, quantities_of
from caseframe.stages.tokenizer import blank

AGES = [
    ("A [34-year-old] man", 34),
    ("a [34-yr-old] woman", 34),
    ("a [34 y/o] woman", 34),
    ("a [12 yo] boy", 12),
    ("a [79- year-old] lady", 79),
    ("A [sixty-two-year-old] farmer", 62),
    ("[Twenty nine year old] teacher", 29),
    ("a [45 years old] baker", 45),
    ("a [5-month-old] girl", 0.42),
    ("a [3-day-old] girl", 0.01),
    ("a [34-year, 6-month-old] boy", 34.5),
    ("a [10 year 11 month old] boy", 10.92),
    ("a child aged [2 years and 3 months]", 2.25),
    ("a woman aged [62] with knee pain", 62),
    ("[62 years of age]", 62),
    ("at the age of [9], she fell", 9),
    ("at age [45 years] she fell", 45),
    ("a [48-year] man with a mass", 48),
    ("a [newborn] with a mass", 0),
    ("a man in [his sixties]", 65),
    ("a man in the [seventh decade of life]", 65),
    ("an [octogenarian]", 85),
]


@pytest.mark.parametrize(("marked", "value"), AGES)
def test_age(marked: str, value: float) -> None:
    assert the_one(marked, "AGE").value == value


DURATIONS = [
    ("After [3-months] of chemotherapy", 91.2),
    ("for [two weeks]", 14),
    ("for [18 months]", 547.2),
    ("a [six-month] course", 182.4),
    ("within [48 h]", 2),
    ("after [1-year]", 365),
    ("for [5 years and 3 months]", 1916.2),
    ("over [a fortnight]", 14),
    ("for [half a year]", 182.5),
    ("for [one-and-a-half years]", 547.5),
    ("for [a year and a half]", 547.5),
    ("for [3 1/2 years]", 1277.5),
    ("for [2½ years]", 912.5),
    ("for [several months]", None),
    ("after [a few days]", None),
    ("for [1,5 years]", 547.5),
    ("[33 months] after", 1003.2),
]


@pytest.mark.parametrize(("marked", "value"), DURATIONS)
def test_duration(marked: str, value: float | None) -> None:
    assert the_one(marked, "DURATION").value == value


MEASURES = [
    ("a mass of [5 × 4 × 3 cm]", "SIZE", 5, "cm", (5, 4, 3)),
    ("a mass of [5x4x3cm]", "SIZE", 5, "cm", (5, 4, 3)),
    ("a mass of [5 by 4 cm]", "SIZE", 5, "cm", (5, 4)),
    ("a mass of [6.5 cm × 50 mm]", "SIZE", 6.5, "cm", (6.5, 5)),
    ("a [12-cm] mass", "SIZE", 12, "cm", (12,)),
    ("a nodule, [3,5 mm] in diameter", "SIZE", 0.35, "cm", (0.35,)),
    ("blood loss was [1,250 ml]", "VOLUME", 1250, "ml", (1250,)),
    ("he lost [1.5 L] of blood", "VOLUME", 1500, "ml", (1500,)),
    ("a defect of [12 cm²]", "AREA", 12, "cm2", (12,)),
    ("a tumor weighing [450 g]", "WEIGHT", 450, "g", (450,)),
    ("he weighed [70 kg]", "WEIGHT", 70_000, "g", (70_000,)),
    ("cefazolin [2 g] intravenously", "DOSE", 2, "g", (2,)),
    ("prednisolone [40 mg] a day", "DOSE", 40, "mg", (40,)),
    ("vincristine [1.4 mg/m2]", "DOSE", 1.4, "mg/m2", (1.4,)),
    ("zoledronate [0.05 mg per kg]", "DOSE", 0.05, "mg/kg", (0.05,)),
    ("vitamin D [800 IU]", "DOSE", 800, "IU", (800,)),
    ("hemoglobin was [7.2 g/dL]", "CONCENTRATION", 7.2, "g/dL", (7.2,)),
    ("a virus load of [1.7x107 IU/ml]", "CONCENTRATION", 1.7, "x107IU/ml", (1.7,)),
    ("in [87 %] of cases", "PERCENT", 87, "%", (87,)),
    ("flexion was [110°]", "ANGLE", 110, "°", (110,)),
    ("a Cobb angle of [42 degrees]", "ANGLE", 42, "°", (42,)),
    ("fever of [39.5 °C]", "TEMPERATURE", 39.5, "°C", (39.5,)),
    ("a pressure of [120/80 mmHg]", "BLOOD_PRESSURE", 120, "mmHg", (120, 80)),
    ("his blood pressure was [90/60]", "BLOOD_PRESSURE", 90, "mmHg", (90, 60)),
    ("a pulse of [107 beats per minute]", "RATE", 107, "beats/minute", (107,)),
    ("[six cycles] of chemotherapy", "COUNT", 6, "cycle", (6,)),
    ("a sedimentation rate of [30 mm/hr]", "RATE", 30, "mm/h", (30,)),
    ("body mass index of [31 kg/m2]", "BMI", 31, "kg/m2", (31,)),
]


@pytest.mark.parametrize(("marked", "kind", "value", "unit", "values"), MEASURES)
def test_measure(marked: str, kind: str, value: float, unit: str, values: tuple[float, ...]) -> None:
    quantity = the_one(marked, kind)
    assert (quantity.value, quantity.unit, quantity.values) == (value, unit, values)


SCORES = [
    ("MSTS score was [26/30 (87 %)]", 26, 30, "MSTS score"),
    ("MSTS [26 of 30]", 26, 30, "MSTS"),
    ("a Constant score of [85 points]", 85, None, "Constant score"),
    ("VAS [7 to 2]", 2, None, "VAS"),
    ("VAS decreased from [8 to 2]", 2, None, "VAS"),
    ("a Karnofsky index of [80]", 80, None, "Karnofsky index"),
    ("muscle strength of [3/5] in the foot", 3, 5, "muscle strength"),
    ("visual acuity was [20/200]", 0.1, None, "visual acuity"),
]


@pytest.mark.parametrize(("marked", "value", "maximum", "instrument"), SCORES)
def test_score(marked: str, value: float, maximum: float | None, instrument: str) -> None:
    quantity = the_one(marked, "SCORE")
    assert (quantity.value, quantity.maximum) == (value, maximum)
    assert quantity.instrument in instrument
    assert quantity.instrument


def test_two_scores_of_one_instrument() -> None:
    found = find_quantities("The VAS improved from 8 preoperatively to 2 postoperatively.")
    assert [(f.quantity.value, f.quantity.instrument) for f in found] == [(8, "VAS"), (2, "VAS")]


LEVELS = [
    ("fixed from [L3-S1]", "L3-S1"),
    ("fused at [T12–L2]", "T12-L2"),
    ("the disc [C5/6]", "C5-C6"),
    ("the disc [L4/L5]", "L4-L5"),
    ("screws from [L3 to S1]", "L3-S1"),
    ("screws from [T10 through L2]", "T10-L2"),
    ("laminectomy of [C1 and C2]", "C1-C2"),
    ("a fracture of the [Th12] body", "T12"),
    ("the [T9] vertebra", "T9"),
    ("the [fourth lumbar vertebra]", "L4"),
    ("the [4th and 5th lumbar vertebrae]", "L4-L5"),
    ("fused at [L5-S1]", "L5-S1"),
]


@pytest.mark.parametrize(("marked", "canonical"), LEVELS)
def test_level(marked: str, canonical: str) -> None:
    assert the_one(marked, "LEVEL").canonical == canonical


@pytest.mark.parametrize(
    "text",
    [
        "hyperintense on T2-weighted images",
        "on both T1- and T2-weighted images",
        "stage T3N1M0",
        "deposits of C3 in the glomeruli",
        "free T4 was low",
        "L1 cell adhesion molecule",
        "ALL-L1 of childhood",
        "PD-L1 was positive",
    ],
)
def test_no_level(text: str) -> None:
    assert kinds(text, "LEVEL") == []


def test_levels_apart() -> None:
    found = find_quantities("metastases in L1, L3 and L5")
    assert [f.quantity.canonical for f in found] == ["L1", "L3", "L5"]


DATES = [
    ("in [March 2015]", "2015-03"),
    ("on [12 May 2009]", "2009-05-12"),
    ("on [May 12, 2009]", "2009-05-12"),
    ("on [2015-03-12]", "2015-03-12"),
    ("since [1998], she has had pain", "1998"),
]


@pytest.mark.parametrize(("marked", "canonical"), DATES)
def test_date(marked: str, canonical: str) -> None:
    assert the_one(marked, "DATE").canonical == canonical


PATIENTS = [
    ("We treated [five patients] with it", 5, None),
    ("a series of [23 consecutive patients]", 23, None),
    ("[12 cases] are told", 12, None),
    ("in the study group (n = [14])", 14, None),
    ("in [12 of 23 patients]", 12, 23),
    ("in [1,003 patients]", 1003, None),
    ("[one hundred and twenty patients]", 120, None),
    ("[two elderly women]", 2, None),
]


@pytest.mark.parametrize(("marked", "value", "whole"), PATIENTS)
def test_patients(marked: str, value: float, whole: float | None) -> None:
    quantity = the_one(marked, "PATIENTS")
    assert (quantity.value, quantity.maximum) == (value, whole)


COHORTS = [
    ("mean age of [54.3 years (range 23-78)]", "AGE", 54.3, 23, 78, "mean"),
    ("ages ranging from [23 to 78]", "AGE", 50.5, 23, 78, "range"),
    ("between [4 and 12 years of age]", "AGE", 8, 4, 12, "range"),
    ("the median age was [61 years]", "AGE", 61, None, None, "median"),
    ("age [45 ± 12 years]", "AGE", 45, None, None, "mean"),
    ("for [10 to 12 weeks]", "DURATION", 77, 70, 84, "range"),
    ("a mean follow-up of [24 months (range, 12–36 months)]", "DURATION", 729.6, 364.8, 1094.4, "mean"),
    ("a [3- to 4-cm] mass", "SIZE", 3.5, 3, 4, "range"),
    ("motion of [0°-120°]", "ANGLE", 60, 0, 120, "range"),
]


@pytest.mark.parametrize(("marked", "kind", "value", "low", "high", "statistic"), COHORTS)
def test_cohort(marked: str, kind: str, value: float, low: float | None, high: float | None, statistic: str) -> None:
    quantity = the_one(marked, kind)
    assert (quantity.value, quantity.low, quantity.high, quantity.statistic) == (value, low, high, statistic)


@pytest.mark.parametrize(
    ("text", "comparator"),
    [
        ("more than two years", ">"),
        ("at least two years", ">="),
        ("less than two years", "<"),
        ("up to two years", "<="),
        ("approximately two years", "~"),
        ("after two years", ""),
    ],
)
def test_comparator(text: str, comparator: str) -> None:
    assert [f.quantity.comparator for f in find_quantities(text)] == [comparator]


def test_fractions() -> None:
    quantity = the_one("He received [50.4 Gy in 28 fractions]", "DOSE")
    assert (quantity.value, quantity.unit, quantity.fractions) == (50.4, "Gy", 28)


def test_hanging_number_shares_the_unit() -> None:
    found = find_quantities("We saw a 17- and a 21-year-old.")
    assert [(f.quantity.kind, f.quantity.value) for f in found] == [("AGE", 17), ("AGE", 21)]


@pytest.mark.parametrize(
    "text",
    ["CD4 and IL-6 were raised", "Case 2 was told", "often and someone", "grade 3", "factor 4-induced"],
)
def test_numbers_that_measure_nothing(text: str) -> None:
    assert find_quantities(text) == []


def test_label_number_stays_out_of_a_list() -> None:
    assert [f.quantity.value for f in find_quantities("In case 2, 3 months after surgery")] == [91.2]
    found = find_quantities("In 2006, 39 years after it")
    assert [f.quantity.value for f in found if f.quantity.kind == "DURATION"] == [14235]


def test_title_and_abstract_stay_apart() -> None:
    assert kinds("Outcome of 12\nmonths went by", "DURATION") == []


def test_component_writes_spans() -> None:
    nlp = blank()
    nlp.add_pipe("caseframe_quantities")
    doc = nlp("A 34-yr-old man had a 5x4x3cm mass at L3-S1.")
    assert [(span.text, span.label_) for span in doc.spans["quantities"]] == [
        ("34-yr-old", "AGE"),
        ("5x4x3cm", "SIZE"),
        ("L3-S1", "LEVEL"),
    ]
    assert quantities_of(doc, "AGE")[0]._.quantity.value == 34
    assert pickle.loads(pickle.dumps(nlp.get_pipe("caseframe_quantities")))(doc).spans["quantities"]


def test_quantity_is_immutable_and_picklable() -> None:
    quantity = the_one("a [12-cm] mass", "SIZE")
    assert pickle.loads(pickle.dumps(quantity)) == quantity
    assert hash(quantity)
    with pytest.raises(AttributeError):
        quantity.value = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("sixty-two", 62), ("nine hundred and ninety-nine", 999), ("a hundred", 100), ("one and a half", 1.5),
        ("1,003", 1003), ("3,5", 3.5), ("0,125", 0.125), ("3·5", 3.5), ("½", 0.5), ("2½", 2.5), (".5", 0.5),
        ("a dozen", 12), ("patient", None),
    ],
)  # fmt: skip
def test_number(words: str, value: float | None) -> None:
    assert units.number(words) == value


@given(st.integers(1, 999))
def test_number_words_up_to_999(value: int) -> None:
    assert units.number(spelled(value)) == value


_pieces = st.sampled_from(
    "34 -year-old 5 × 4 cm , and to ± – ( ) 26/30 % L3 S1 months weeks three hundred half a mg/kg . \n ° 1,0 VAS aged "
    "mean range between n = T12 2015 March in his forties patients of 99999999999 ½ day postoperative 𝟛 ٣".split(" ")
)


@given(st.one_of(st.text(max_size=80), st.lists(_pieces, max_size=25).map(" ".join)))
def test_any_text_gives_ordered_quantities_with_true_offsets(text: str) -> None:
    end = 0
    for found in find_quantities(text):
        assert end <= found.start < found.end <= len(text)
        assert text[found.start : found.end] == found.quantity.text
        assert found.quantity.kind in KINDS
        end = found.end


def the_one(marked: str, kind: str) -> Quantity:
    """The quantity of the marked text, which must be the only one of its kind and cover what is marked."""
    match = re.search(r"\[(.*)\]", marked)
    assert match is not None
    text = marked.replace("[", "").replace("]", "")
    found = [f for f in find_quantities(text) if f.quantity.kind == kind]
    assert [f.quantity.text for f in found] == [match[1]]
    assert found[0].start == match.start()
    return found[0].quantity


def kinds(text: str, kind: str) -> list[str]:
    return [f.quantity.text for f in find_quantities(text) if f.quantity.kind == kind]


def spelled(value: int) -> str:
    ones = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    ones += "sixteen seventeen eighteen nineteen".split()
    tens = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
    if value >= 100:
        rest = f" and {spelled(value % 100)}" if value % 100 else ""
        return f"{ones[value // 100]} hundred{rest}"
    if value < 20:
        return ones[value]
    return tens[value // 10] + (f"-{ones[value % 10]}" if value % 10 else "")
