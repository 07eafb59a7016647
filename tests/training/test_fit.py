"""What a finder learns of marked texts, of partly marked ones, and of other models' opinions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Span

from caseframe.stages.entities import TYPES, EntityFinder, Features
from caseframe.stages.entity_network import Chain, Floats, padded
from caseframe.training.fit import (
    Example,
    Settings,
    _add_gradients,
    certain,
    example,
    feature_names,
    fit,
    tag_probabilities,
    unmarked,
)

QUICK = Settings(epochs=20, batch=4, rate=0.02, dropout=0.1, hide_words=0.0)
CHAIN = Chain(("X", "Y"))
TAGS = len(CHAIN.tags)


def mentions_of(finder: EntityFinder, nlp: Language, text: str) -> set[tuple[int, int, str]]:
    doc = finder(nlp(text))
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans["entities"]}


def tags_of(made: Example, chain: Chain) -> list[str]:
    return [chain.tags[tag] for tag in made.target.tolist()]


class TestExamples:
    def test_mentions_become_tags(self, features: Features, plain: Language) -> None:
        doc = plain("A giant cell tumor, cured.")
        made = example(features, CHAIN, doc, [(20, 25, "Y"), (2, 18, "X")])
        assert tags_of(made, CHAIN) == ["O", "B-X", "I-X", "L-X", "O", "U-Y", "O"]
        assert made.sentences == ((0, 7),)
        assert made.ids.shape == (7, 5) and made.dense.shape == (7, 8 + features.size)

    def test_a_mention_inside_a_token_takes_it_whole(self, features: Features, plain: Language) -> None:
        made = example(features, CHAIN, plain("A pT2-tumor grew."), [(2, 5, "X")])
        assert tags_of(made, CHAIN) == ["O", "U-X", "O", "O"]

    def test_of_two_mentions_in_a_token_the_first_stays(self, features: Features, plain: Language) -> None:
        made = example(features, CHAIN, plain("A pT2-tumor grew."), [(6, 11, "Y"), (2, 5, "X")])
        assert tags_of(made, CHAIN) == ["O", "U-X", "O", "O"]

    def test_a_mention_ends_with_its_sentence(self, features: Features, plain: Language) -> None:
        text = "He had pain. Fever came. It went."
        made = example(features, CHAIN, plain(text), [(7, 25, "X"), (28, 32, "Y")])
        assert [end for _, end in made.sentences] == [4, 7, 10]
        assert tags_of(made, CHAIN) == ["O", "O", "B-X", "L-X", "O", "O", "O", "O", "U-Y", "O"]

    def test_a_mention_that_is_not_in_the_text_is_none(self, features: Features, plain: Language) -> None:
        assert set(tags_of(example(features, CHAIN, plain("Pain."), [(3, 90, "X")]), CHAIN)) == {"O"}

    def test_where_only_some_types_are_marked_the_others_stay_open(self, features: Features, plain: Language) -> None:
        made = example(features, CHAIN, plain("A tumor grew."), [(2, 7, "X")], ("X",))
        assert made.target.dtype == bool
        open_ = [{CHAIN.tags[tag] for tag in np.flatnonzero(row)} for row in made.target]
        assert open_[0] == open_[2] == {"O", "B-Y", "I-Y", "L-Y", "U-Y"}
        assert open_[1] == {"U-X"}

    def test_targets_of_each_kind_as_what_is_possible(self, features: Features, plain: Language) -> None:
        doc = plain("A tumor grew.")
        whole = example(features, CHAIN, doc, [(2, 7, "X")])
        part = example(features, CHAIN, doc, [(2, 7, "X")], ("X",))
        assert whole.possible(TAGS).sum(1).tolist() == [1, 1, 1, 1]
        assert (part.possible(TAGS) == part.target).all()

    def test_marks_as_certain_probabilities(self, features: Features, plain: Language) -> None:
        doc = plain("A tumor grew.")
        sure = certain(example(features, CHAIN, doc, [(2, 7, "X")]), TAGS)
        assert sure.target.dtype == np.float16 and sure.target.shape == (4, TAGS)
        assert sure.target.argmax(1).tolist() == [0, CHAIN.index["U-X"], 0, 0]
        partly = example(features, CHAIN, doc, [(2, 7, "X")], ("X",))
        assert certain(partly, TAGS) is partly

    def test_nothing_is_known_of_an_unmarked_text(self, features: Features, plain: Language) -> None:
        assert not unmarked(features, plain("A tumor grew. It hurt.")).target.any()

    def test_names_of_what_the_stages_found(self, plain: Language) -> None:
        first, second = plain("No pain."), plain("Was given.")
        first.spans["cues"] = [Span(first, 0, 1, "absent")]
        second.spans["quantities"] = [Span(second, 0, 1, "AGE"), Span(second, 1, 2, "AGE")]
        assert feature_names([second, first]) == ["cues:absent", "quantities:AGE"]


def three_kinds(random: np.random.Generator, kind: str) -> list[Example]:
    """Two texts of two sentences each with targets of a kind."""
    made = []
    for bounds in (((0, 2), (2, 5)), ((0, 3), (3, 4))):
        length = bounds[-1][1]
        marks = [(0, 2, "X")] if random.random() < 0.5 else [(0, 1, "Y")]
        target: Any = CHAIN.encode(length, marks)
        if kind == "possible tags":
            target = CHAIN.possible(length, [mark for mark in marks if mark[2] == "X"], {"X"})
        if kind == "probabilities":
            target = random.dirichlet(np.ones(TAGS), size=length).astype("float16")
        made.append(Example(np.zeros((length, 5), "uint64"), np.zeros((length, 1), "f"), bounds, target))
    return made


class Played:
    """The part of a network that gradients are for: its transitions."""

    def __init__(self, transitions: Floats) -> None:
        self.transitions = transitions


@pytest.mark.parametrize("kind", ["tags", "possible tags", "probabilities"])
@given(seed=st.integers(0, 1000))
def test_gradients_are_the_slopes_of_the_loss(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    examples = three_kinds(random, kind)
    scores = random.normal(size=(9, TAGS)).astype("f")
    transitions = random.normal(size=(TAGS, TAGS)).astype("f")
    group = [(0, examples[0]), (5, examples[1])]

    def loss(scores: Floats, transitions: Floats) -> float:
        bounds = [(at + a, at + b) for at, each in group for a, b in each.sentences]
        rows, lengths = padded(scores, bounds)
        total = float(CHAIN.marginals(rows, lengths, transitions).log_total.sum(dtype="float64"))
        if kind == "probabilities":
            targets = np.concatenate([each.target for each in examples]).astype("float64")
            return total - float((targets * scores).sum())
        possible = np.concatenate([each.possible(TAGS) for each in examples])
        masks, _ = padded(possible, bounds)
        return total - float(CHAIN.marginals(rows, lengths, transitions, masks).log_total.sum(dtype="float64"))

    gradient, pairs = np.zeros_like(scores), np.zeros_like(transitions)
    network: Any = Played(transitions)
    told = _add_gradients(network, CHAIN, scores, group, gradient, pairs)
    size = np.float32(0.02)
    step = random.normal(size=scores.shape).astype("f")
    slope = (loss(scores + size * step, transitions) - loss(scores - size * step, transitions)) / 0.04
    assert slope == pytest.approx(float((gradient * step).sum()), rel=0.01, abs=0.01)
    if kind == "probabilities":
        assert not pairs.any() and told == 0
        return
    assert told == pytest.approx(loss(scores, transitions), rel=1e-3, abs=1e-3)
    move = random.normal(size=transitions.shape).astype("f")
    slope = (loss(scores, transitions + size * move) - loss(scores, transitions - size * move)) / 0.04
    assert slope == pytest.approx(float((pairs * move).sum()), rel=0.01, abs=0.01)


@pytest.fixture(scope="module")
def examples(features: Features, plain: Language, marked: list[Any]) -> list[Example]:
    return [example(features, Chain(TYPES), plain(each.text), each.mentions) for each in marked]


class TestLearning:
    def test_twenty_sentences_by_heart(
        self, new_finder: Any, plain: Language, marked: list[Any], examples: list[Example]
    ) -> None:
        finder = new_finder()
        told: list[tuple[int, float]] = []
        fit(finder, examples, QUICK, report=lambda *at: told.append(at))
        assert [epoch for epoch, _ in told] == list(range(1, 21))
        assert told[-1][1] < told[0][1] / 20
        for each in marked:
            assert mentions_of(finder, plain, each.text) == set(each.mentions), each.text
        doc = finder(plain(marked[0].text))
        assert all(span._.confidence > 0.8 for span in doc.spans["entities"])

    def test_the_same_seed_gives_the_same_bytes(self, new_finder: Any, examples: list[Example]) -> None:
        made = []
        for seed in (1, 1, 2):
            finder = new_finder(seed=1)
            fit(finder, examples, replace(QUICK, epochs=2), seed=seed)
            made.append(finder.network.model.to_bytes())
        assert made[0] == made[1] != made[2]

    def test_it_goes_on_from_where_it_stands(self, new_finder: Any, examples: list[Example]) -> None:
        finder, losses = new_finder(), []
        for _ in range(2):
            fit(finder, examples, replace(QUICK, epochs=8), report=lambda at, loss: losses.append(loss))
        assert losses[8] < losses[0] / 3

    def test_a_partly_marked_corpus_does_not_teach_absence(
        self, new_finder: Any, features: Features, plain: Language, marked: list[Any]
    ) -> None:
        """One corpus marks anatomy alone, another all but that; a third of the texts are in both."""
        chain, half = Chain(TYPES), {"ANATOMY"}
        examples = []
        for number, each in enumerate(marked):
            doc = plain(each.text)
            known = [mention for mention in each.mentions if mention[2] in half]
            rest = [mention for mention in each.mentions if mention[2] not in half]
            others = tuple(sorted(set(TYPES) - half))
            if number % 3 != 1:
                examples.append(example(features, chain, doc, known, tuple(half)))
            if number % 3 != 2:
                examples.append(example(features, chain, doc, rest, others))
        finder = new_finder()
        fit(finder, examples, QUICK)
        both = marked[::3]
        assert all(mentions_of(finder, plain, each.text) == set(each.mentions) for each in both)

    def test_a_student_learns_what_a_teacher_says(
        self, new_finder: Any, features: Features, plain: Language, marked: list[Any], examples: list[Example]
    ) -> None:
        teacher, student = new_finder(), new_finder(seed=5)
        fit(teacher, examples, QUICK)
        silver = []
        for each in marked:
            bare = unmarked(features, plain(each.text))
            opinion = tag_probabilities(teacher, bare)
            assert opinion.sum(1) == pytest.approx(np.ones(len(bare.ids)), abs=1e-4)
            silver.append(replace(bare, target=opinion.astype("float16")))
        fit(student, silver, replace(QUICK, epochs=25))
        right = sum(mentions_of(student, plain, each.text) == set(each.mentions) for each in marked)
        assert right >= 18

    def test_all_kinds_of_targets_in_one_batch(
        self, new_finder: Any, features: Features, plain: Language, marked: list[Any]
    ) -> None:
        chain = Chain(TYPES)
        mixed = []
        for number, each in enumerate(marked):
            made = example(features, chain, plain(each.text), each.mentions, TYPES if number % 3 == 2 else ())
            mixed.append(certain(made, len(chain.tags)) if number % 3 == 1 else made)
        assert {made.target.dtype for made in mixed} == {np.dtype("int64"), np.dtype("float16"), np.dtype("bool")}
        finder = new_finder()
        fit(finder, mixed, QUICK)
        right = sum(mentions_of(finder, plain, each.text) == set(each.mentions) for each in marked)
        assert right >= 18

    def test_hidden_words_and_features_are_hidden_in_training_alone(
        self, new_finder: Any, examples: list[Example]
    ) -> None:
        before = [(each.ids.copy(), each.dense.copy()) for each in examples]
        fit(new_finder(), examples, replace(QUICK, epochs=1, hide_words=0.9, hide_features=0.9))
        for each, (ids, dense) in zip(examples, before, strict=True):
            assert (each.ids == ids).all() and (each.dense == dense).all()
