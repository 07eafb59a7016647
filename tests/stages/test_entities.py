"""The finder of entities around its network. The weights here are random: they find something everywhere, which is
what these tests need; what a trained one finds is asked in tests/training."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import registry

from caseframe.errors import ModelError
from caseframe.pipeline import ENTITIES, STAGES, load, set_entities
from caseframe.stages import entities as module
from caseframe.stages.entities import TYPES, EntityFinder, Features, floret_vectors, is_weights, views_of
from caseframe.stages.extensions import bounds_of_sentences
from caseframe.stages.tokenizer import blank

TEXT = "A 34-year-old man had a giant cell tumor of the left femur. It was curetted. No pain after 2 years."
NAMES = ("cues:absent", "terms:tumors")
Bounds = list[tuple[int, int, str]]


def features(names: tuple[str, ...] = NAMES, seed: int = 0) -> Features:
    table = np.random.default_rng(seed).normal(size=(300, 6)).astype("float16").astype("f")
    vectors = floret_vectors(table, minn=4, maxn=5, hash_count=2, hash_seed=2166136261, bow="<", eow=">")
    return Features(names, vectors)


@pytest.fixture(scope="module")
def finder() -> EntityFinder:
    made = EntityFinder()
    made.build(features(), width=16, depth=1, seed=3)
    return made


@pytest.fixture
def weights(finder: EntityFinder, tmp_path: Path) -> Path:
    finder.save(tmp_path / "weights")
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def plain() -> Language:
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    return nlp


def words(nlp: Language, *words: str) -> Doc:
    return Doc(nlp.vocab, words=list(words))


def found(doc: Doc) -> Bounds:
    return [(span.start, span.end, span.label_) for span in doc.spans["entities"]]


class TestWhatItSees:
    def test_words_by_their_parts_and_shape(self) -> None:
        assert views_of("Tumor")[0] == views_of("tumor")[0]
        assert views_of("Tumor")[3] != views_of("tumor")[3]
        assert views_of("12") == views_of("34")
        assert views_of("hemipelvectomy")[2] == views_of("sacrectomy")[2]

    def test_vectors_of_any_word_in_any_case(self) -> None:
        table = features().vectors_of(["Sacrectomy", "sacrectomy", "sacrectomies", "\n"])
        assert table.shape == (4, 6)
        assert (table[0] == table[1]).all() and (table[0] != table[2]).any()

    def test_a_full_cache_gives_the_same_vectors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        many = [f"word{n}" for n in range(9)]
        wanted = features().vectors_of(many)
        monkeypatch.setattr(module, "_VECTORS_KEPT", 2)
        made = features()
        for _ in range(2):
            for n in range(0, 9, 3):
                assert (made.vectors_of(many[n : n + 3]) == wanted[n : n + 3]).all()

    def test_what_the_stages_left(self, plain: Language) -> None:
        doc = words(plain, "No", "recurrence", "MRI", "\n", "5", "x")
        doc.spans["cues"] = [Span(doc, 0, 2, "absent"), Span(doc, 3, 4, "unheard-of")]
        doc.spans["sections"] = [Span(doc, 0, 1, "title"), Span(doc, 1, 6, "case")]
        doc.spans["narrative"] = [Span(doc, 2, 4, "general")]
        ids, dense = features().of(doc)
        assert ids.shape == (6, 5) and dense.shape == (6, 6 + features().size)
        own = dense[:, 6:].astype(int).tolist()
        #                 first in last of the cue; the term; title general start; upper title digit line joined
        assert own[0] == [1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0]
        assert own[1] == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        assert own[2] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0]
        assert own[3] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
        assert own[4] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]

    def test_joined_words_and_starts_of_sentences(self, plain: Language) -> None:
        doc = plain("Pain (severe). None.")
        _, dense = features().of(doc)
        assert [token.text for token, row in zip(doc, dense, strict=True) if row[-1]] == ["severe", ")", ".", "."]
        assert [token.text for token, row in zip(doc, dense, strict=True) if row[6 + 6 + 2]] == ["Pain", "None"]

    def test_terms_go_by_lexicon_and_kind(self, nlp: Language) -> None:
        doc = nlp("A biopsy showed chordoma; denosumab was given.")
        names = {name for name, _, _ in module.stage_spans(doc)}
        assert {"terms:tumors", "terms:therapies:drug"} <= names

    def test_no_words(self, plain: Language) -> None:
        ids, dense = features().of(words(plain))
        assert ids.shape == (0, 5) and dense.shape == (0, 6 + features().size)
        assert bounds_of_sentences(words(plain)) == []


class TestWhatItFinds:
    def test_flat_entities_in_order_with_their_probability(self, finder: EntityFinder, plain: Language) -> None:
        doc = finder(plain(TEXT))
        spans = doc.spans["entities"]
        assert len(spans) > 5
        assert {span.label_ for span in spans} <= set(TYPES)
        assert all(first.end <= second.start for first, second in zip(spans, list(spans)[1:], strict=False))
        assert all(0 < span._.confidence <= 1 for span in spans)
        bounds = bounds_of_sentences(doc)
        assert len(bounds) == 3
        assert all(any(start <= span.start and span.end <= end for start, end in bounds) for span in spans)

    def test_nothing_in_an_empty_text(self, finder: EntityFinder, plain: Language) -> None:
        assert found(finder(plain(""))) == []

    def test_one_word_is_a_sentence(self, finder: EntityFinder, plain: Language) -> None:
        doc = finder(plain("Chordoma"))
        assert len(doc) == 1
        assert [bounds[:2] for bounds in found(doc)] == [(0, 1)]

    def test_sentences_need_not_be_known(self, finder: EntityFinder, plain: Language) -> None:
        doc = plain.make_doc(TEXT)
        assert bounds_of_sentences(doc) == [(0, len(doc))]
        assert found(finder(doc))

    def test_a_sentence_of_5000_tokens(self, finder: EntityFinder, plain: Language) -> None:
        doc = finder(words(plain, *["tumor", "of", "the", "femur", "and"] * 1000))
        spans = doc.spans["entities"]
        assert len(spans) > 500 and spans[-1].end > 4900
        assert all(0 < span._.confidence <= 1 for span in spans)

    def test_long_texts_go_in_stretches_of_whole_sentences(
        self, finder: EntityFinder, plain: Language, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = found(finder(plain(TEXT)))
        monkeypatch.setattr(module, "_STRETCH", 5)
        doc = finder(plain(TEXT))
        assert {span.sent.start for span in doc.spans["entities"]} == {start for start, _ in bounds_of_sentences(doc)}
        middle = [span for span in whole if 2 <= span[0] < 10]  # out of sight of the borders
        assert middle and set(middle) <= set(found(doc))

    def test_what_the_stages_found_counts(self, finder: EntityFinder, plain: Language) -> None:
        bare, helped = plain(TEXT), plain(TEXT)
        helped.spans["cues"] = [Span(helped, 3, 9, "absent")]
        first, second = finder.find(bare), finder.find(helped)
        assert first != second

    def test_the_threshold_leaves_out_what_is_less_probable(
        self, finder: EntityFinder, plain: Language, weights: Path
    ) -> None:
        every = finder.find(plain(TEXT))
        middle = sorted(probability for *_, probability in every)[len(every) // 2]
        choosy = EntityFinder(threshold=middle).read(weights)
        kept = found(choosy(plain(TEXT)))
        assert kept == [(start, end, label) for start, end, label, probability in every if probability >= middle]
        assert 0 < len(kept) < len(every)
        assert found(EntityFinder(threshold=1.01).read(weights)(plain(TEXT))) == []

    def test_the_same_text_gives_the_same_entities(self, finder: EntityFinder, plain: Language) -> None:
        first = finder.find(plain(TEXT))
        finder.find(plain("Something else in between."))
        assert finder.find(plain(TEXT)) == first

    def test_without_weights_it_says_so(self, plain: Language) -> None:
        with pytest.raises(ModelError, match=r"caseframe_entities has no weights\. Load a pipeline"):
            EntityFinder()(plain(TEXT))


class TestKeeping:
    def test_saved_and_read(self, finder: EntityFinder, plain: Language, weights: Path) -> None:
        assert sorted(path.name for path in weights.iterdir()) == sorted(EntityFinder.FILES)
        again = EntityFinder().read(weights)
        assert again.chain.types == TYPES and again.features is not None and again.features.names == NAMES
        assert again.find(plain(TEXT)) == finder.find(plain(TEXT))

    def test_the_same_bytes_when_saved_again(self, weights: Path, tmp_path: Path) -> None:
        EntityFinder().read(weights).save(tmp_path / "again")
        for name in EntityFinder.FILES:
            assert (tmp_path / "again" / name).read_bytes() == (weights / name).read_bytes()

    def test_pickled(self, finder: EntityFinder, plain: Language, weights: Path) -> None:
        choosy = EntityFinder(threshold=0.2).read(weights)
        again = pickle.loads(pickle.dumps(choosy))
        assert again.threshold == 0.2
        assert found(again(plain(TEXT))) == found(choosy(plain(TEXT)))

    def test_other_types(self, plain: Language, tmp_path: Path) -> None:
        made = EntityFinder(types=("Lesion", "Organ"))
        made.build(features(()), width=8, depth=1)
        made.save(tmp_path)
        again = EntityFinder().read(tmp_path)
        assert again.chain.types == ("Lesion", "Organ")
        assert again.find(plain(TEXT)) == made.find(plain(TEXT)) != []

    def test_the_seed_makes_the_weights(self) -> None:
        made = []
        for seed in (1, 1, 2):
            one = EntityFinder(types=("A",))
            one.build(features(()), width=8, depth=1, seed=seed)
            assert one.network is not None
            made.append(one.network.model.to_bytes())
        assert made[0] == made[1] != made[2]

    def test_a_folder_of_weights_is_known_by_its_file(self, weights: Path, tmp_path: Path) -> None:
        assert is_weights(str(weights))
        assert not is_weights(str(tmp_path)) and not is_weights("en_core_web_sm")


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def changed(**values: object) -> Callable[[Path], None]:
    return lambda path: (path.write_text(json.dumps({**json.loads(path.read_text()), **values})), None)[1]


class TestBrokenWeights:
    @pytest.mark.parametrize(
        ("name", "spoil"),
        [
            ("entities.json", lambda path: path.write_text("{")),
            ("entities.json", lambda path: path.write_text("[]")),
            ("entities.json", lambda path: path.write_text("{}")),
            ("entities.json", lambda path: path.write_bytes(b"\xff\xfe")),
            ("entities.json", changed(types=["AGE"])),
            ("entities.json", changed(shape=5)),
            ("entities.json", changed(vectors={"minn": 3})),
            ("vectors", lambda path: path.write_bytes(path.read_bytes()[:-5])),
            ("network", shortened),
            ("network", lambda path: path.write_bytes(b"")),
            ("network", lambda path: path.unlink()),
        ],
    )
    def test_name_the_folder_and_the_cure(self, weights: Path, name: str, spoil: Callable[[Path], object]) -> None:
        spoil(weights / name)
        with pytest.raises(
            ModelError, match=r"no weights of entities: .+\. Give the folder that caseframe train wrote"
        ) as caught:
            EntityFinder().read(weights)
        assert str(weights) in caught.value.message

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"nothing: no weights of entities: .*No such file"):
            EntityFinder().read(tmp_path / "nothing")

    def test_through_the_factory(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="Give the folder that caseframe train wrote"):
            spacy.blank("en").add_pipe("caseframe_entities", config={"weights": str(tmp_path)})


def stages() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("caseframe_sentences")
    nlp.add_pipe("caseframe_cases")
    return nlp


class TestInThePipeline:
    def test_the_factory_is_found_without_an_import(self) -> None:
        assert registry.has("factories", "caseframe_entities")

    def test_as_a_component(self, finder: EntityFinder, weights: Path, plain: Language) -> None:
        component = plain.create_pipe("caseframe_entities", config={"weights": str(weights), "threshold": 0.1})
        wanted = [(start, end, label) for start, end, label, sure in finder.find(plain(TEXT)) if sure >= 0.1]
        assert found(component(plain(TEXT))) == wanted

    def test_a_folder_of_weights_comes_after_the_stages(self, weights: Path) -> None:
        nlp = load(entities=str(weights))
        assert nlp.pipe_names.index(ENTITIES) == nlp.pipe_names.index(STAGES[-1]) + 1
        nlp.get_pipe(ENTITIES).threshold = 0.0
        doc = nlp(TEXT)
        assert found(doc) and doc._.extraction.cases

    def test_the_shipped_ones_another_or_none(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "shipped_weights", lambda: weights)
        nlp = stages()
        for wanted in ("builtin", str(weights), "builtin"):
            set_entities(nlp, wanted)
            assert nlp.pipe_names == ["caseframe_sentences", ENTITIES, "caseframe_cases"]
        set_entities(nlp, "none")
        assert nlp.pipe_names == ["caseframe_sentences", "caseframe_cases"]

    @pytest.mark.parametrize("wanted", ["", "no_such_model", "/no/such/folder"])
    def test_what_is_neither_folder_nor_package(self, wanted: str) -> None:
        with pytest.raises(ModelError, match=r"entities: .+\. Give builtin, none, a folder"):
            set_entities(stages(), wanted)
