"""The scorer against cases worked out by hand.

Each case gives a text, what gold and system say of it, and what must come out: matched, predicted and gold findings by
either mode, over all fields, and the cause of every error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from caseframe.evaluation.fields import score_fields
from caseframe.evaluation.gold import GoldArticle, GoldFinding
from caseframe.evaluation.records import ArticleScore, Counts
from caseframe.schema import Article, Attributes, Case, Extraction, Finding

Said = Callable[[str], tuple[int, Finding]]


def g(
    field: str, value: str | float, words: str = "", says: str = "present", case: int = 1, code: str = ""
) -> GoldFinding:
    return GoldFinding(field, value, words, says, Attributes(), case, code)  # type: ignore[arg-type]


def p(
    field: str, value: str | float, words: str = "", says: str = "present", case: int = 1, code: str = "", nth: int = 0
) -> Said:
    """What the system says; `nth` tells which of several places of the words it means."""

    def said(text: str) -> tuple[int, Finding]:
        start = -1
        for _ in range(nth + 1):
            start = text.index(words, start + 1)
        return case, Finding(field, value, words, start, start + len(words), assertion=says, code=code)  # type: ignore[arg-type]

    return said


@dataclass(frozen=True)
class Example:
    name: str
    text: str
    gold: list[GoldFinding]
    predicted: list[Said]
    relaxed: tuple[int, int, int]
    exact: tuple[int, int, int]
    causes: list[str] = field(default_factory=list)
    known: str = ""
    """Words of the text that the lexicon knows."""


def scored(example: Example) -> ArticleScore:
    told = [said(example.text) for said in example.predicted]
    cases = tuple(
        Case(number, findings=tuple(finding for case, finding in told if case == number))
        for number in sorted({case for case, _ in told} - {0})
    )
    extraction = Extraction(
        Article("a", abstract=example.text), tuple(finding for case, finding in told if case == 0), cases
    )
    start = example.text.index(example.known)
    known = [(start, start + len(example.known))] if example.known else []
    return score_fields(GoldArticle("a", tuple(example.gold)), extraction, known)


def over_all(score: ArticleScore, mode: str) -> tuple[int, int, int]:
    counts = sum((counts for (_, each), counts in score.counts.items() if each == mode), Counts())
    return counts.matched, counts.predicted, counts.gold


PLATE = "A man had a plate fracture. The plate was removed; a second plate fracture followed."
HIP = "She had a stiff hip and hip pain."
TWO = "A man of 34 had pain. A woman of 50 had fever."
SPINE = "He had had a laminectomy. Later a swelling of the leg was seen."
AGE = "A woman of 34 was followed for 100 months."
GENERAL = "Sarcoma is rare. A woman had fever."

EXAMPLES = [
    # Values and words: (matched, predicted, gold).
    Example("same value", PLATE, [g("implant", "plate")], [p("implant", "plate", "plate")], (1, 1, 1), (1, 1, 1)),
    Example(
        "spelling, hyphen and plural are no difference",
        PLATE,
        [g("diagnosis", "giant cell tumor")],
        [p("diagnosis", "Giant-cell tumours", "second")],
        (1, 1, 1),
        (1, 1, 1),
    ),
    Example(
        "head words agree, far apart",
        PLATE,
        [g("complication", "rib fracture", "plate fracture")],
        [p("complication", "plate fracture", "removed")],
        (1, 1, 1),
        (0, 1, 1),
        ["wrong_value"],
    ),
    Example(
        "words overlap at the second place where the gold's stand",
        PLATE,
        [g("complication", "implant fracture", "plate fracture")],
        [p("complication", "breakage", "plate fracture", nth=1)],
        (1, 1, 1),
        (0, 1, 1),
        ["wrong_value"],
    ),
    Example(
        "words that touch do not overlap",
        HIP,
        [g("symptom", "stiffness", "stiff hip ")],
        [p("symptom", "conjunction", "and")],
        (0, 1, 1),
        (0, 1, 1),
        ["missed_term", "spurious"],
    ),
    Example(
        "one shared character overlaps",
        HIP,
        [g("symptom", "stiffness", "stiff hip a")],
        [p("symptom", "conjunction", "and")],
        (1, 1, 1),
        (0, 1, 1),
        ["wrong_value"],
    ),
    Example(
        "nothing in common",
        PLATE,
        [g("complication", "implant fracture", "plate fracture")],
        [p("complication", "infection", "removed")],
        (0, 1, 1),
        (0, 1, 1),
        ["missed_term", "spurious"],
    ),
    Example(
        "the same word in another field is no match",
        PLATE,
        [g("implant", "plate", "plate")],
        [p("site", "plate", "plate")],
        (0, 1, 1),
        (0, 1, 1),
        ["wrong_field"],
    ),
    Example(
        # "knee pain" fits both gold findings, "pain" only the first: who gives the first to "knee pain" finds one pair.
        "a greedy matcher would lose one",
        HIP,
        [g("symptom", "hip pain", "hip pain"), g("symptom", "stiffness", "stiff hip")],
        [p("symptom", "knee pain", "stiff hip"), p("symptom", "pain", "hip pain")],
        (2, 2, 2),
        (0, 2, 2),
        ["boundary", "wrong_value"],
    ),
    Example(
        # All four pairs are relaxed matches; crossed, none would be exact.
        "of two maximum matchings the exact one",
        PLATE,
        [g("complication", "fracture", "fracture"), g("complication", "implant fracture", "fracture")],
        [p("complication", "implant fracture", "fracture"), p("complication", "fracture", "fracture")],
        (2, 2, 2),
        (2, 2, 2),
    ),
    Example(
        # One exact pair leaves the other two alone; two relaxed pairs go before it. The exact count is its own.
        "more pairs go before exact ones",
        HIP,
        [g("symptom", "hip pain", "hip pain"), g("symptom", "stiffness", "stiff hip")],
        [p("symptom", "hip pain", "stiff hip"), p("symptom", "joint pain", "hip pain")],
        (2, 2, 2),
        (1, 2, 2),
        ["wrong_value", "wrong_value"],
    ),
    Example(
        "said twice, 1 of 2 is right",
        PLATE,
        [g("implant", "plate", "plate")],
        [p("implant", "plate", "plate"), p("implant", "plate", "plate", nth=1)],
        (1, 2, 1),
        (1, 2, 1),
        ["duplicate"],
    ),
    Example(
        "found once, 1 of 2 is found",
        PLATE,
        [g("implant", "plate", "plate"), g("implant", "plate", "second plate")],
        [p("implant", "plate", "plate")],
        (1, 1, 2),
        (1, 1, 2),
        ["missed_term"],
    ),
    # Empty sides.
    Example("empty against empty", PLATE, [], [], (0, 0, 0), (0, 0, 0)),
    Example(
        "gold alone, a term that nobody knew", HIP, [g("symptom", "pain", "hip pain")], [], (0, 0, 1), (0, 0, 1),
        ["missed_term"],
    ),
    Example(
        "gold alone, a known term", HIP, [g("symptom", "hip pain", "hip pain")], [], (0, 0, 1), (0, 0, 1),
        ["left_out"], known="pain",
    ),
    Example(
        "gold alone, only its site is known", HIP, [g("symptom", "hip pain", "hip pain")], [], (0, 0, 1), (0, 0, 1),
        ["missed_term"], known="hip",
    ),
    Example(
        "predicted alone, in a sentence about the patient",
        "She had fever. It fell.",
        [g("sex", "female", "She")],
        [p("sex", "female", "She"), p("symptom", "fever", "fever")],
        (1, 2, 1),
        (1, 2, 1),
        ["spurious"],
    ),
    Example(
        "predicted alone, in a sentence that tells of no one",
        GENERAL,
        [g("symptom", "fever", "fever")],
        [p("symptom", "fever", "fever"), p("diagnosis", "sarcoma", "Sarcoma")],
        (1, 2, 1),
        (1, 2, 1),
        ["general_statement"],
    ),
    Example(
        "no patient at all", SPINE, [g("study_design", "other", case=0)],
        [p("study_design", "other", "", case=0), p("procedure", "laminectomy", "laminectomy")],
        (1, 2, 1),
        (1, 2, 1),
        ["general_statement"],
    ),
    # Patients.
    Example(
        "two patients, all right",
        TWO,
        [g("age", 34, "34"), g("age", 50, "50", case=2)],
        [p("age", 34, "34"), p("age", 50, "50", case=2)],
        (2, 2, 2),
        (2, 2, 2),
    ),
    Example(
        "numbers of the patients swapped, all right",
        TWO,
        [g("age", 34, "34"), g("symptom", "pain", "pain"), g("age", 50, "50", case=2)],
        [p("age", 34, "34", case=2), p("symptom", "pain", "pain", case=2), p("age", 50, "50", case=1)],
        (3, 3, 3),
        (3, 3, 3),
    ),
    Example(
        "a finding given to the other patient counts, and is told",
        TWO,
        [g("age", 34, "34"), g("symptom", "pain", "pain"), g("age", 50, "50", case=2)],
        [p("age", 34, "34"), p("symptom", "pain", "pain", case=2), p("age", 50, "50", case=2)],
        (3, 3, 3),
        (3, 3, 3),
        ["wrong_patient"],
    ),
    Example(
        # Either gold pain would do; that of case 2 is the patient's own, so that case 1 is missed and none is wrong.
        "the patient's own finding goes first",
        TWO,
        [g("age", 34, "34"), g("symptom", "pain", "pain"), g("age", 50, "50", case=2), g("symptom", "pain", "pain", case=2)],
        [p("age", 34, "34"), p("age", 50, "50", case=2), p("symptom", "pain", "pain", case=2)],
        (3, 3, 4),
        (3, 3, 4),
        ["missed_term"],
    ),
    Example(
        # Case 1 shares two findings with the only prediction, case 2 one: its pain is the wrong patient's.
        "two patients taken for one",
        TWO,
        [g("age", 34, "34"), g("sex", "male", "man"), g("symptom", "fever", "fever", case=2)],
        [p("age", 34, "34"), p("sex", "male", "man"), p("symptom", "fever", "fever")],
        (3, 3, 3),
        (3, 3, 3),
        ["wrong_patient"],
    ),
    Example(
        # Every pain is a relaxed match of every other; the exact ones tell who is who.
        "patients are told apart by exact findings where relaxed ones do not",
        TWO,
        [g("symptom", "hip pain"), g("symptom", "knee pain", case=2)],
        [p("symptom", "knee pain", "pain"), p("symptom", "hip pain", "pain", case=2)],
        (2, 2, 2),
        (2, 2, 2),
    ),
    Example(
        # Two relaxed findings go before one exact: the cough is the one that was given to the wrong patient.
        "a patient is the one who shares most",
        TWO,
        [g("symptom", "hip pain"), g("symptom", "leg swelling"), g("symptom", "cough")],
        [
            p("symptom", "cough", "fever"),
            p("symptom", "knee pain", "pain", case=2),
            p("symptom", "arm swelling", "had", case=2),
        ],
        (3, 3, 3),
        (1, 3, 3),
        ["wrong_patient", "wrong_value", "wrong_value"],
    ),
    Example(
        "a single cell of another patient is not this one's wrong value",
        TWO,
        [g("age", 34, "34"), g("symptom", "fever", "fever", case=2)],
        [p("age", 50, "50", case=2), p("symptom", "fever", "fever", case=2)],
        (1, 2, 2),
        (1, 2, 2),
        ["missed_term", "spurious"],
    ),
    # Assertion.
    Example(
        "denied, words with the denial",
        "He walked without infection.",
        [g("complication", "infection", "without infection", "absent")],
        [p("complication", "infection", "without infection", "absent")],
        (1, 1, 1),
        (1, 1, 1),
    ),
    Example(
        "denied, taken for a fact",
        "He walked without infection.",
        [g("complication", "infection", "without infection", "absent")],
        [p("complication", "infection", "infection")],
        (0, 1, 1),
        (0, 1, 1),
        ["wrong_assertion"],
    ),
    Example(
        "had and denied, each finds its own",
        "Pain before, no pain after.",
        [g("symptom", "pain", "Pain"), g("symptom", "pain", "no pain", "absent")],
        [p("symptom", "pain", "no pain", "absent"), p("symptom", "pain", "Pain")],
        (2, 2, 2),
        (2, 2, 2),
    ),
    Example(
        # The head words agree, but nothing says that the one is the other.
        "another assertion in another place is another finding",
        "He denied knee pain. He had hip pain.",
        [g("symptom", "knee pain", "denied knee pain", "absent")],
        [p("symptom", "hip pain", "hip pain")],
        (0, 1, 1),
        (0, 1, 1),
        ["missed_term", "spurious"],
    ),
    Example(
        "recurrence present, said to be absent",
        "The tumour came back.",
        [g("recurrence", "local recurrence", "came back")],
        [p("recurrence", "local recurrence", "tumour", "absent")],
        (0, 1, 1),
        (0, 1, 1),
        ["wrong_assertion"],
    ),
    # Numbers and closed choices.
    Example("age, half a year off", AGE, [g("age", 34, "34")], [p("age", 34.5, "34")], (1, 1, 1), (1, 1, 1)),
    Example(
        "age, more than half a year off", AGE, [g("age", 34, "34")], [p("age", 34.6, "34")], (0, 1, 1), (0, 1, 1),
        ["wrong_value"],
    ),
    Example(
        "months, 1 % off", AGE, [g("follow_up", 100, "100 months")], [p("follow_up", 101, "100")], (1, 1, 1), (1, 1, 1)
    ),
    Example(
        "months, more than 1 % off",
        AGE,
        [g("follow_up", 100, "100 months")],
        [p("follow_up", 101.1, "100")],
        (0, 1, 1),
        (0, 1, 1),
        ["wrong_value"],
    ),
    Example(
        "patients, one too many", AGE, [g("n_patients", 1, case=0)], [p("n_patients", 2, "woman", case=0)], (0, 1, 1),
        (0, 1, 1), ["wrong_value"],
    ),
    Example(
        "a closed choice must be equal, though the words are the same",
        AGE,
        [g("sex", "female", "woman")],
        [p("sex", "male", "woman")],
        (0, 1, 1),
        (0, 1, 1),
        ["wrong_value"],
    ),
    Example(
        "margins may be several: two of them are no pair",
        "Clear margins, one of them close.",
        [g("margin", "negative", "Clear margins")],
        [p("margin", "marginal", "close")],
        (0, 1, 1),
        (0, 1, 1),
        ["missed_term", "spurious"],
    ),
    # Codes.
    Example(
        "another name, the same code",
        PLATE,
        [g("diagnosis", "osteogenic sarcoma", "plate", code="ICDO3:9180/3")],
        [p("diagnosis", "osteosarcoma", "removed", code="ICDO3:9180/3")],
        (1, 1, 1),
        (1, 1, 1),
    ),
    Example(
        "the same name, another code",
        PLATE,
        [g("diagnosis", "osteosarcoma", "plate", code="ICDO3:9180/3")],
        [p("diagnosis", "osteosarcoma", "plate", code="ICDO3:9181/3")],
        (1, 1, 1),
        (1, 1, 1),
    ),
    Example(
        "no codes are not the same code",
        PLATE,
        [g("diagnosis", "chordoma", "plate fracture")],
        [p("diagnosis", "osteosarcoma", "removed")],
        (0, 1, 1),
        (0, 1, 1),
        ["missed_term", "spurious"],
    ),
    # Names of one thing.
    Example(
        "word order and adjective",
        "A femoral fracture.",
        [g("diagnosis", "fracture of the femur", "femoral fracture")],
        [p("diagnosis", "femoral fracture", "femoral fracture")],
        (1, 1, 1),
        (0, 1, 1),
        ["normalisation"],
    ),
    Example(
        "two names of the lexicon",
        "A tracheotomy was done.",
        [g("procedure", "tracheotomy", "tracheotomy")],
        [p("procedure", "tracheostomy", "tracheotomy")],
        (1, 1, 1),
        (0, 1, 1),
        ["normalisation"],
    ),
    Example(
        "more words",
        "A lung carcinoma.",
        [g("diagnosis", "lung carcinoma", "lung carcinoma")],
        [p("diagnosis", "carcinoma", "carcinoma")],
        (1, 1, 1),
        (0, 1, 1),
        ["boundary"],
    ),
    # Fields.
    Example(
        # One error, though it costs precision in one field and recall in the other.
        "an earlier operation taken for one of now",
        SPINE,
        [g("comorbidity", "laminectomy", "laminectomy", "historical")],
        [p("procedure", "laminectomy", "laminectomy")],
        (0, 1, 1),
        (0, 1, 1),
        ["wrong_field"],
    ),
    Example(
        "the same thing in two fields, one of them right",
        SPINE,
        [g("symptom", "swelling", "swelling")],
        [p("symptom", "swelling", "swelling"), p("complication", "swelling", "swelling")],
        (1, 2, 1),
        (1, 2, 1),
        ["duplicate"],
    ),
    Example(
        "the site within the words of a condition is not that condition",
        "She had a femoral fracture.",
        [g("diagnosis", "femoral fracture", "femoral fracture")],
        [p("site", "femur", "femoral")],
        (0, 1, 1),
        (0, 1, 1),
        ["missed_term", "spurious"],
    ),
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_scorer_agrees_with_the_hand(example: Example) -> None:
    score = scored(example)
    assert over_all(score, "relaxed") == example.relaxed
    assert over_all(score, "exact") == example.exact
    assert sorted(item.cause for item in score.items if item.cause) == example.causes
    assert all(item.matched for item in score.items if not item.cause)


def test_fields_that_are_empty_on_both_sides_have_no_counts() -> None:
    score = scored(Example("", HIP, [g("symptom", "pain", "pain")], [p("site", "hip", "hip")], (0, 0, 0), (0, 0, 0)))
    assert set(score.counts) == {(field, mode) for field in ("symptom", "site") for mode in ("relaxed", "exact")}


def test_counts_by_field_and_their_shares() -> None:
    gold = [g("symptom", "hip pain", "hip pain"), g("symptom", "stiffness", "stiff hip"), g("sex", "female", "She")]
    told = [p("symptom", "pain", "hip pain"), p("sex", "female", "She"), p("sex", "male", "had")]
    counts = scored(Example("", HIP, gold, told, (0, 0, 0), (0, 0, 0))).counts
    # Of two symptoms one is found, of one prediction one is right: 2 * 1 / (1 + 2).
    assert (counts["symptom", "relaxed"].precision, counts["symptom", "relaxed"].recall) == (1, 1 / 2)
    assert counts["symptom", "relaxed"].f1 == 2 / 3
    assert counts["symptom", "exact"].f1 == 0
    # Two sexes said, one right, none missed: 2 * 1 / (2 + 1).
    assert (counts["sex", "exact"].precision, counts["sex", "exact"].recall) == (1 / 2, 1)
    assert counts["sex", "exact"].f1 == 2 / 3
