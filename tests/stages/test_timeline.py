"""Timeline: time expressions, and which of them governs what."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Span

from caseframe.stages.timeline import CHAINED, LABELS, follow_up_times, time_of, when_of
from caseframe.stages.tokenizer import blank


@pytest.fixture(scope="module")
def nlp() -> Language:
    pipeline = blank()
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("caseframe_quantities")
    pipeline.add_pipe("caseframe_timeline")
    return pipeline


TIMES = [
    ("He walked [2 weeks postoperatively].", "after", 14),
    ("It was removed on [postoperative day 3].", "after", 3),
    ("It was removed on [POD 3].", "after", 3),
    ("It was removed on [the third postoperative day].", "after", 3),
    ("Pain was gone [at 6 months].", "after", 182.4),
    ("It healed [three months after surgery].", "after", 91.2),
    ("It healed [12 months following the procedure].", "after", 364.8),
    ("It healed [1 year post-injury].", "after", 365),
    ("Fever rose [on the next day].", "after", 1),
    ("Fever rose [immediately after] it.", "after", 0),
    ("Fever rose [on day 10] after admission.", "after", 10),
    ("Neutrophils rose [in 1-2 weeks].", "after", 14),
    ("It recurred [3 months later].", "after", 91.2),
    ("The [1-year follow-up] CT showed fusion.", "follow_up", 365),
    ("All was well [at 1-year follow-up].", "follow_up", 365),
    ("All was well [after 2 years of follow-up].", "follow_up", 730),
    ("All was well during a [follow-up of 24 months].", "follow_up", 729.6),
    ("She was [followed up for 3 years].", "follow_up", 1095),
    ("She has been free of disease [for 5 years].", "follow_up", 1825),
    ("There was no recurrence [for more than a year].", "follow_up", 365),
    ("All was well [at the last follow-up].", "follow_up", None),
    ("He had a [3-month history] of pain.", "history", -91.2),
    ("He had had pain [for the past 3 months].", "history", -91.2),
    ("She was operated on [two years earlier].", "before", -730),
    ("The stent was placed [3 days before] admission.", "before", -3),
    ("He took antibiotics [for 6 weeks].", "duration", None),
    ("Labor began [at 39 weeks] of gestation.", "duration", None),
    ("The state was known [at discharge].", "after", None),
]


@pytest.mark.parametrize(("marked", "label", "days"), TIMES)
def test_time(nlp: Language, marked: str, label: str, days: float | None) -> None:
    text, start, end = unmarked(marked)
    doc = nlp(text)
    assert [(span.label_, span._.days) for span in doc.spans["times"]] == [(label, days)]
    span = doc.spans["times"][0]
    assert span.start_char <= end
    assert start < span.end_char
    assert marked[marked.index("[") + 1 : marked.index("]")].removeprefix("the ") in span.text


def test_age_later_in_life(nlp: Language) -> None:
    doc = nlp("A 12-year-old girl was operated on. Now at age 16, she plays football.")
    assert [span._.days for span in doc.spans["times"]] == [1460]


def test_dates_count_from_the_treatment(nlp: Language) -> None:
    doc = nlp("In March 2004 he underwent resection. He was well in March 2009.")
    assert [(span.label_, span._.days) for span in doc.spans["times"]] == [("date", None), ("date", 1825)]


def test_day_of_a_cycle_is_no_time(nlp: Language) -> None:
    assert not nlp("Cisplatin 75 mg/m2 on day 1 was given.").spans["times"]


GOVERNED = [
    ("At 6 months, the patient [walked] and pain was gone.", 182.4),
    ("At 6 months, the patient walked and [pain was gone].", 182.4),
    ("The patient [walked] 2 weeks postoperatively.", 14),
    ("The patient [walked] 2 weeks postoperatively, but fell at 3 months.", 14),
    ("The patient walked 2 weeks postoperatively, but [fell] at 3 months.", 91.2),
    ("At 1 month he [limped]; at 6 months he ran.", 30.4),
    ("At 1 month he limped; at 6 months he [ran].", 182.4),
    ("He [recovered well] and no recurrence was detected at the 1-year follow-up.", None),
    ("He recovered well and [no recurrence] was detected at the 1-year follow-up.", 365),
    ("[Pain relief] and full motion were reached after 3 months.", 91.2),
    ("A CT was taken 6 months after surgery, and [no recurrence] was seen.", 182.4),
    ("He was discharged on postoperative day 7 without [any complication].", None),
    ("The [wound healed] and he was discharged on postoperative day 7.", None),
    ("The course was [uneventful] at 3 months.", None),
    ("He had a 3-month history of [knee pain].", -91.2),
    ("After a [mastectomy] 2 years earlier she felt well.", -730),
    ("After a mastectomy 2 years earlier she had [a new mass].", None),
    ("He [walked].", None),
    ("He ran at 6 months. He [slept].", None),
    ("He ran at 6 months. At that time, [pain] was gone.", 182.4),
    ("The [1-year follow-up CT] showed fusion.", 365),
    ("He was discharged on postoperative day 7 without any [complications].", None),
]


@pytest.mark.parametrize(("marked", "days"), GOVERNED)
def test_when(nlp: Language, marked: str, days: float | None) -> None:
    span = marked_span(nlp, marked)
    assert when_of(span) == days
    assert span._.when_days == days
    assert (time_of(span) is None) == (days is None)


def test_without_sentences_the_text_is_one(nlp: Language) -> None:
    with nlp.select_pipes(disable=["sentencizer"]):
        assert when_of(marked_span(nlp, "At 6 months he [walked].")) == 182.4


def test_without_times_nothing_is_governed() -> None:
    doc = blank()("At 6 months he walked.")
    assert when_of(doc[3:5]) is None
    assert follow_up_times(doc) == []


def test_what_had_lasted_at_presentation_is_no_follow_up(nlp: Language) -> None:
    assert follow_up_times(nlp("He complained of a cough without sputum for the past 3 weeks.")) == []
    assert len(follow_up_times(nlp("He has remained well over the past 4 years."))) == 1


def test_follow_up_times(nlp: Language) -> None:
    doc = nlp("A 3-month history of pain. He walked at 2 weeks. Two years later, at 3-year follow-up, all was well.")
    assert [(span.text, span.kb_id_) for span in follow_up_times(doc)] == [
        ("at 2 weeks", ""),
        ("Two years later", CHAINED),
        ("at 3-year follow-up", ""),
    ]


def test_component_is_picklable(nlp: Language) -> None:
    doc = nlp("He walked at 2 weeks.")
    again = pickle.loads(pickle.dumps(nlp.get_pipe("caseframe_timeline")))(doc)
    assert [span._.days for span in again.spans["times"]] == [14]


_pieces = st.sampled_from(
    "he walked at after 6 3 months weeks later postoperatively follow-up of history a the last , ; . and but for two "
    "years earlier POD day third postoperative March 2015 surgery 34-year-old discharged died age 16 now \n".split(" ")
)


@given(words=st.lists(_pieces, max_size=30))
def test_any_text_gives_ordered_times(nlp: Language, words: list[str]) -> None:
    doc = nlp(" ".join(words))
    end = 0
    for span in doc.spans["times"]:
        assert span.start >= end
        assert span.label_ in LABELS
        end = span.end
    for token in doc:
        when = when_of(doc[token.i : token.i + 1])
        assert when is None or when in [span._.days for span in doc.spans["times"]]


def unmarked(marked: str) -> tuple[str, int, int]:
    match = re.search(r"\[(.*)\]", marked)
    assert match is not None
    return marked.replace("[", "").replace("]", ""), match.start(), match.end() - 2


def marked_span(nlp: Language, marked: str) -> Span:
    text, start, end = unmarked(marked)
    span = nlp(text).char_span(start, end)
    assert span is not None
    return span
