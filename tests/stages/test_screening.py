"""Screening: titles and abstracts written for this test; what a screener must keep, and what it must not."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import ModelError
from caseframe.stages.screening import (
    ABSTRACT_FILE,
    MAX_ABSTRACT_CHARS,
    TITLE_FILE,
    Design,
    Screener,
    load,
    read_weights,
    shipped_folder,
    text_grams,
    title_grams,
    words_of,
    words_of_abstract,
    words_of_title,
)

CASEBOOK = Path(__file__).resolve().parents[1] / "data" / "casebook"
HASHES = {
    ABSTRACT_FILE: "92292c4825363ce2cd9864aa502912934fb5d8705a02f062b749d3adcc99e8f5",
    TITLE_FILE: "c421cb5f2b12a475e1a94d63af01a5d54906c4b5506ea66b1f79d84789422279",
}
"""Of the shipped weights; `benchmarks/fit_screener.py --write` gives the same bytes again."""

REPORTS = {
    "labelled": (
        "Chordoma of the clivus in a young woman: a case report",
        "Chordoma is rare in young adults. A 24-year-old woman presented with double vision. Magnetic resonance imaging "
        "showed a mass of the clivus, which was removed through the nose. She was well without recurrence after two years.",
    ),
    "silent title": (
        "Perforation of the caecum by a swallowed toothpick",
        "A 58-year-old man was admitted with pain in the right lower abdomen. At laparotomy a wooden toothpick had pierced "
        "the wall of the caecum. The patient recovered without complications and left the hospital on the sixth day.",
    ),
    "old": (
        "Rupture of the spleen in infectious mononucleosis",
        "A patient with spontaneous rupture of the spleen is described. The literature is reviewed, and the importance of "
        "early operation is stressed. This is the fourth case in which the spleen was repaired.",
    ),
    "two patients": (
        "Lithium poisoning after a heat wave: report of two cases",
        "We report two patients who developed severe lithium poisoning in hot weather. Both were treated by haemodialysis. "
        "The first patient recovered; the second was left with ataxia.",
    ),
    "few": (
        "Cutaneous lymphoma after dupilumab: a case series",
        "We describe four patients in whom a cutaneous lymphoma was found after treatment of presumed eczema with "
        "dupilumab. In each patient the first biopsy had shown eczema. All four patients were switched to other drugs.",
    ),
}
OTHERS = {
    "trial": (
        "Early against late weight bearing after ankle fracture: a randomised controlled trial",
        "In this multicentre trial 240 participants were randomly assigned to weight bearing at two or six weeks. The primary "
        "outcome was the ankle score at one year. The mean difference was 1.3 points (95% CI -1.0 to 3.6, p = 0.27).",
    ),
    "cohort": (
        "Risk factors for readmission after hip replacement: a population-based cohort study",
        "Using registry data of 48,112 patients, we estimated hazard ratios with Cox models. Diabetes and higher age were "
        "associated with readmission within 30 days. Further research should examine interventions before discharge.",
    ),
    "review": (
        "Immune checkpoint inhibitors in sarcoma: a systematic review and meta-analysis",
        "We searched MEDLINE and Embase for studies of checkpoint inhibitors in sarcoma. Twenty-seven studies were included. "
        "The pooled response rate was 14%. Heterogeneity was high, and the certainty of the evidence was low.",
    ),
    "laboratory": (
        "Loss of a kinase impairs autophagy in human fibroblasts",
        "We show that deletion of the kinase reduces autophagic flux. In vitro phosphorylation assays and western blot "
        "analysis revealed that the protein binds its substrate directly. These results suggest a role in cell survival.",
    ),
    "animal experiment": (
        "Effects of a high-fat diet on bone density in ovariectomised rats",
        "Forty female rats were fed a high-fat or a control diet for twelve weeks. Bone mineral density of the femur was lower "
        "in the high-fat group (P < 0.05), and serum leptin concentrations were increased.",
    ),
    "physics": (
        "Superconductivity in layered nickel oxides at ambient pressure",
        "Thin films were grown by pulsed laser deposition. Resistivity measurements show an onset of superconductivity below "
        "26 kelvin. Density functional calculations attribute the transition to strain in the plane of the layers.",
    ),
    "survey": (
        "Attitudes of nursing students towards telemedicine: a cross-sectional survey",
        "An online questionnaire was completed by 612 students at nine universities. Most respondents had a positive attitude. "
        "Multivariate regression showed that prior experience predicted the willingness to use telemedicine.",
    ),
}
CASE_CONTROL = (
    "Coffee and pancreatic cancer: a case-control study",
    "We compared 310 cases with 930 controls matched by age and sex. The odds ratio for drinkers of five cups a day "
    "was 1.1 (95% confidence interval 0.8 to 1.5). These data do not support an association.",
)
CASE_TITLES = (
    "Giant cell tumor of the sternum: a case report and review of the literature",
    "A case of rhabdomyolysis after an Ironman race",
    "Unusual presentation of a renal abscess in an elderly woman",
    "Spontaneous splenic rupture in a patient with amyloidosis",
)
OTHER_TITLES = (
    "Effect of dietary sodium on renal renin secretion in rats",
    "Purification and properties of an enzyme from yeast",
    "Cost-effectiveness of screening for colorectal cancer in Europe",
    "Deep learning for protein structure prediction",
)


@pytest.fixture(scope="module")
def screener() -> Screener:
    return load()


@pytest.mark.parametrize("name", REPORTS)
def test_reports_of_patients_are_kept(screener: Screener, name: str) -> None:
    title, abstract = REPORTS[name]
    assert screener.probabilities(title, abstract).case > 0.5
    assert screener.keeps(title, abstract)


@pytest.mark.parametrize("name", OTHERS)
def test_other_articles_are_not(screener: Screener, name: str) -> None:
    title, abstract = OTHERS[name]
    assert screener.probabilities(title, abstract).other > 0.95
    assert not screener.keeps(title, abstract)


def test_cases_that_have_controls_are_no_reports(screener: Screener) -> None:
    assert screener.probabilities(*CASE_CONTROL).other > 0.6


def test_a_group_is_a_series(screener: Screener) -> None:
    assert screener.probabilities(*REPORTS["few"]).case_series > screener.probabilities(*REPORTS["few"]).case_report
    assert screener.probabilities(*REPORTS["labelled"]).case_series < 0.1


@pytest.mark.parametrize("title", CASE_TITLES)
def test_titles_of_case_reports_are_kept(screener: Screener, title: str) -> None:
    assert screener.keeps(title)


def test_titles_alone_are_told_apart(screener: Screener) -> None:
    least = min(screener.probabilities(title).case for title in CASE_TITLES)
    assert least > 2 * max(screener.probabilities(title).case for title in OTHER_TITLES)
    assert not any(map(screener.keeps, OTHER_TITLES))


def test_a_title_that_says_so_is_enough(screener: Screener) -> None:
    assert screener.probabilities("Torsion of an accessory spleen: a case report").case_report > 0.8


def test_a_text_without_title_is_read(screener: Screener) -> None:
    assert screener.keeps("", REPORTS["silent title"][1])
    assert not screener.keeps("", OTHERS["cohort"][1])


@pytest.mark.parametrize("abstract", ["", "   ", "Not available.", "\n\n"])
def test_what_is_no_abstract_does_not_count(screener: Screener, abstract: str) -> None:
    assert screener.probabilities(CASE_TITLES[0], abstract) == screener.probabilities(CASE_TITLES[0])


@pytest.mark.parametrize("title", ["", " ", "…", "--- // ___", "\x00\x01"])
def test_without_words_it_is_other(screener: Screener, title: str) -> None:
    assert screener.probabilities(title) == Design(0.0, 0.0, 1.0)
    assert not screener.keeps(title)


@pytest.mark.parametrize(
    "text",
    [
        "Eine 43-jährige Patientin stellte sich mit Schmerzen im linken Knie vor und wurde operiert, ohne Komplikationen.",
        "Мы представляем клиническое наблюдение пациента с остеосаркомой крестца, которому была выполнена резекция.",
        "我们报告一例骶骨骨肉瘤患者的手术治疗。",
        "١٢ مريضا",
        "İSTANBUL'DA BİR OLGU SUNUMU " * 10,
    ],
)
def test_other_languages_are_read(screener: Screener, text: str) -> None:
    for design in (screener.probabilities(text), screener.probabilities("", text)):
        assert min(design) >= 0 and math.isclose(sum(design), 1)


@pytest.mark.parametrize(
    "text", ["a" * 1_000_000, "case " * 200_000, "9" * 1_000_000, "\U0001f9b4" * 250_000, "(" * 10**6]
)
def test_hostile_texts_cost_no_more_than_long_ones(screener: Screener, text: str) -> None:
    begun = time.process_time()
    design = screener.probabilities(text, text)
    assert time.process_time() - begun < 0.25
    assert math.isclose(sum(design), 1)


def test_what_stands_behind_the_limit_is_not_read(screener: Screener) -> None:
    abstract = (REPORTS["old"][1] + " ") * 40
    assert len(abstract) > MAX_ABSTRACT_CHARS
    assert screener.probabilities("", abstract) == screener.probabilities("", abstract + "randomised trial " * 1000)


@given(st.text(max_size=200), st.text(max_size=400))
def test_any_text_has_probabilities(title: str, abstract: str) -> None:
    design = load().probabilities(title, abstract)
    assert all(0 <= value <= 1 for value in design) and math.isclose(sum(design), 1)
    assert design.case == design.case_report + design.case_series


def test_a_batch_gives_what_each_gives_in_order(screener: Screener) -> None:
    records = [*REPORTS.values(), *OTHERS.values(), (CASE_TITLES[0], ""), ("", "")]
    assert list(screener.batch(iter(records))) == [screener.probabilities(*record) for record in records]


def test_a_batch_is_read_as_it_comes(screener: Screener) -> None:
    endless = iter(lambda: REPORTS["old"], None)
    assert next(screener.batch(endless)).case > 0.5


def test_words() -> None:
    assert words_of("Two cases of COVID-19; a 34-year-old, 3D-printed.") == (
        ["2", "cases", "of", "covid", "#", "a", "#", "year", "old", "#", "printed"]
    )
    assert words_of_title("Hepatic abscess (author's transl)") == ["<s>", "hepatic", "abscess", "</s>"]
    assert words_of_title("?") == [] == words_of_abstract("Too short to be one.")


def test_grams() -> None:
    title = words_of_title("A case")
    assert {"case", ("a", "case"), ("case", "</s>"), ("<s>", "a", "case")} <= set(title_grams(title))
    assert list(text_grams(title, ["one", "of"])) == ["a", "case", "one", "of", ("one", "of")]


def test_the_shipped_weights_are_those_that_were_fitted() -> None:
    assert {path.name for path in shipped_folder().iterdir()} == {ABSTRACT_FILE, TITLE_FILE, "README.md"}
    raw = {name: (shipped_folder() / name).read_bytes() for name in HASHES}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in raw.items()} == HASHES
    assert sum(map(len, raw.values())) < 2_000_000


def test_a_person_can_read_the_weights() -> None:
    weights = read_weights(shipped_folder() / ABSTRACT_FILE)
    assert weights.text["year", "old"].case > 1 > -1 > weights.text["compared"].case
    assert weights.title["a", "case", "report"].case > 0
    assert weights.text["series"].series > 1 > -1 > weights.text["case", "of"].series
    assert all(0 < read_weights(shipped_folder() / name).threshold < 0.5 for name in HASHES)


def test_the_model_card_names_what_is_shipped() -> None:
    card = (shipped_folder() / "README.md").read_text(encoding="utf-8")
    for name in (*HASHES, "benchmarks/fit_screener.py", "pubmed20n0014", "pubmed21n1298", "CC BY"):
        assert name in card


def test_the_casebook_is_kept(screener: Screener) -> None:
    lines = {name: (CASEBOOK / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() for name in ("texts", "gold")}
    texts = {row["article_id"]: row for row in map(json.loads, lines["texts"])}
    right = reports = 0
    for gold in map(json.loads, lines["gold"]):
        if gold["study_design"] == "case_report":
            row = texts[gold["article_id"]]
            reports += 1
            right += screener.keeps(row["title"], "\n".join(section["text"] for section in row["sections"]))
    assert reports > 30 and right == reports


def test_one_object_a_process_and_it_can_be_pickled(screener: Screener) -> None:
    assert load() is screener
    again = pickle.loads(pickle.dumps(screener))
    assert again.probabilities(*REPORTS["few"]) == screener.probabilities(*REPORTS["few"])


def test_it_needs_no_library() -> None:
    code = (
        "import sys\nfrom caseframe.stages import screening\n"
        "assert screening.load().keeps('Lipoma of the heart: a case report')\n"
        "print(sorted({'sklearn', 'torch', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sklearn" not in run.stdout and "torch" not in run.stdout


def test_the_order_of_sets_changes_nothing() -> None:
    code = (
        "from caseframe.stages.screening import load\n"
        f"print(*map(repr, load().batch({[*REPORTS.values(), *OTHERS.values()]!r})))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


HEAD = "part\twords\tidf\tcase\tseries\n"
WHOLE = HEAD + "threshold\t\t0\t0.1\t0\nbias\t\t0\t-1\t-2\n"


def test_weights_are_read_with_their_words(tmp_path: Path) -> None:
    rows = "text\tyear old\t3\t1.5\t0\ntext\twoman\t4\t0\t1\n"
    (tmp_path / ABSTRACT_FILE).write_text("# note\n" + WHOLE + rows, encoding="utf-8")
    (tmp_path / TITLE_FILE).write_text(WHOLE + "title\t#\t2\t3\t0\n", encoding="utf-8")
    screener = load(tmp_path)
    assert screener.probabilities("38 degrees").case == pytest.approx(sigmoid(-1 + 3)), "one gram: its length is 1"
    read = screener.probabilities("", "a 30 year old woman, and another 40 year old woman")
    assert read.case == pytest.approx(sigmoid(-1 + 1.5 * 3 / 5)), "each counts once; 3 and 4 have the length 5"
    assert read.case_series / read.case == pytest.approx(sigmoid(-2 + 1 * 4 / 5))
    assert screener.probabilities("unknown").case == pytest.approx(sigmoid(-1))


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the first line"),
        ("part\twords\n", "the first line"),
        (HEAD + "bias\t\t0\t0\t0\n", "no line threshold"),
        (HEAD + "threshold\t\t0\t0.1\t0\n", "no line bias"),
        (WHOLE + "title\ta\t1\t1\n", "line 4"),
        (WHOLE + "title\ta\t1\tmuch\t0\n", "line 4"),
        (WHOLE + "title\ta\t1\tnan\t0\n", "line 4"),
        (WHOLE + "body\ta\t1\t1\t0\n", "line 4"),
        (WHOLE + "title\ta\t0\t1\t0\n", "line 4"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / ABSTRACT_FILE
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=said) as raised:
        read_weights(path)
    assert str(path) in raised.value.message and raised.value.cure


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=ABSTRACT_FILE):
        load(tmp_path)
    (tmp_path / ABSTRACT_FILE).write_bytes(b"\x80\x04\x95\xff")
    with pytest.raises(ModelError, match=ABSTRACT_FILE):
        read_weights(tmp_path / ABSTRACT_FILE)
