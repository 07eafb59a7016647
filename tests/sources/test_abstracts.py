from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.schema import fold_space
from caseframe.sources.abstracts import cut_copyright, is_copyright_line, split_labels


def test_capital_labels_at_sentence_starts() -> None:
    text = "BACKGROUND: Falls hurt. PATIENTS AND METHODS: We saw two. RESULTS: Both healed (P = .01). CONCLUSION: Good."
    assert [label for label, _ in split_labels(text)] == [
        "BACKGROUND",
        "PATIENTS AND METHODS",
        "RESULTS",
        "CONCLUSION",
    ]


def test_unusual_headings_count_in_a_labelled_abstract() -> None:
    text = "BACKGROUND: Known. RISK FACTORS FOR FALLS: Ice. CONCLUSIONS: Salt helps."
    assert split_labels(text)[1] == ("RISK FACTORS FOR FALLS", "Ice.")


@pytest.mark.parametrize(
    "text",
    [
        "We used two methods: a saw and a drill. The results: none.",
        "RESULTS: only one label here.",
        "Genes were found. TP53: lost. BRCA1: kept. HER2: lost.",
        "The DNA: RNA ratio was low. In the ICU: METHODS differ.",
    ],
)
def test_other_colons_are_text(text: str) -> None:
    assert split_labels(text) == [("", text)]


def test_labels_in_small_letters_only_at_line_starts() -> None:
    assert split_labels("Background: A fall.\nCase presentation: He fell.") == [
        ("Background", "A fall."),
        ("Case presentation", "He fell."),
    ]
    wrapped = "The level of\nMethods: was low, that of\nResults: high."
    assert split_labels(wrapped) == [("", wrapped)]


def test_words_before_the_first_label_are_kept() -> None:
    assert split_labels("We saw a man. METHODS: Plain. RESULTS: Good.")[0] == ("", "We saw a man.")


@pytest.mark.parametrize(
    "notice",
    [
        "(c) 2015 American Cancer Society.",
        "Cancer 2015;121:2799-2807. (c) 2015 American Cancer Society.",
        "J Surg Oncol. 2009;99(4):211-4.",
        "Copyright © 2019 Elsevier GmbH. All rights reserved.",
        "© The Author 2014. Published by Oxford University Press.",
        "Crown Copyright © 2014. Published by Elsevier B.V. All rights reserved.",
        "(c) Georg Thieme Verlag KG Stuttgart . New York.",
        "Published by Elsevier Inc.",
        "This article is protected by copyright. All rights reserved.",
        "(ABSTRACT TRUNCATED AT 250 WORDS)",
    ],
)
def test_notices_at_the_end_are_cut(notice: str) -> None:
    assert cut_copyright(f"The bone healed in 3 months. {notice}") == "The bone healed in 3 months."


@pytest.mark.parametrize(
    "text",
    [
        "It was (a) long, (b) wide, and (c) deep.",
        "The law of copyright was broken in 2015.",
        "Follow-up was 12 months. In 2015 he was well.",
        "Scores were 3:4. Grade 2015 was not reached.",
    ],
)
def test_other_ends_stay(text: str) -> None:
    assert cut_copyright(text) == text


def test_a_notice_of_its_own() -> None:
    assert is_copyright_line("© 2018 John Wiley & Sons Ltd.")
    assert not is_copyright_line("The patient went home after two weeks.")


@given(st.text(alphabet="ABC abc.:\n()©2015;-", max_size=300))
def test_splitting_loses_no_word_but_labels(text: str) -> None:
    parts = split_labels(text)
    rebuilt = " ".join(f"{label}: {part}" if label else part for label, part in parts)
    if all(label == "" for label, _ in parts):
        assert fold_space(rebuilt) == fold_space(text)
    assert text.startswith(cut_copyright(text))
