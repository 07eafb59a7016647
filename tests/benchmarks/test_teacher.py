"""The teachers on a GPU: what is sent there covers the texts, and what comes back is the component. Needs no GPU."""

from __future__ import annotations

import io
import json
import lzma
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from spacy.language import Language

from caseframe.evaluation.run import load_spans_of
from caseframe.stages.entities import EntityFinder, Features, shipped_weights
from caseframe.stages.entity_network import Batch, Chain
from caseframe.training.fit import feature_names, unmarked
from caseframe.training.job import TrainConfig, load_training

ROOT = Path(__file__).resolve().parents[2]
CASEBOOK = (ROOT / "tests" / "data" / "casebook" / "spans.jsonl").read_text(encoding="utf-8").splitlines()
CONFIG = """
corpora: [{name: cases, loader: marked, paths: [train.jsonl]}]
dev: {name: held_out, loader: marked, paths: [dev.jsonl]}
vectors: {texts: [{paths: [texts.jsonl]}]}
silver: {texts: [{paths: [texts.jsonl]}], abstracts: 2}
"""
TEXT = "A 58-year-old man with a chordoma of the sacrum underwent en bloc sacrectomy. He walked."


def module(name: str) -> ModuleType:
    """One of benchmarks/teacher, whose modules import each other by name."""
    folder = str(ROOT / "benchmarks" / "teacher")
    sys.path.insert(0, folder)
    try:
        return import_module(name)
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    folder = tmp_path_factory.mktemp("job")
    texts = [{"pmid": str(number), "title": f"Case {number}", "abstract": TEXT} for number in range(3)]
    own = json.loads(CASEBOOK[9])["article_id"]
    texts.append({"article_id": own, "title": "The dev set's", "abstract": "Unspeakable."})
    files = {"train": CASEBOOK[:8], "dev": CASEBOOK[8:11], "texts": [json.dumps(each) for each in texts]}
    for name, lines in files.items():
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "job.yaml").write_text(CONFIG, encoding="utf-8")
    return load_training(folder / "job.yaml")


@pytest.fixture(scope="module")
def corpus(config: TrainConfig, nlp: Language, tmp_path_factory: pytest.TempPathFactory) -> Any:
    export, path = module("export"), tmp_path_factory.mktemp("corpus") / "corpus.npz.xz"
    packed = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "assemble_stages", lambda: nlp)
        np.savez(packed, **export.exported(config, []))
    path.write_bytes(lzma.compress(packed.getvalue()))
    return module("corpus").Corpus(path)


class TestExport:
    def test_kinds(self, corpus: Any) -> None:
        assert [len(corpus.docs(kind)) for kind in (0, 1, -1)] == [3, 8, 3]
        assert sum(len(corpus.part(part, inside=True)) for part in range(4)) == 8
        assert set(corpus.part(1, inside=True)).isdisjoint(corpus.part(1, inside=False))

    def test_no_word_of_the_dev_set_is_learned_from(self, corpus: Any) -> None:
        assert "sacrectomy" in corpus.words
        assert "unspeakable" not in corpus.words
        learned = set(corpus.language.tolist())
        (held,) = [{*corpus.lower[corpus.tokens[: corpus.ends[2]]].tolist()}]
        assert "dev" not in {corpus.words[word] for word in learned}
        assert held - learned

    def test_words_and_marks(self, corpus: Any, config: TrainConfig, nlp: Language) -> None:
        chain = Chain(corpus.types[1])
        documents = load_spans_of(config.corpora[0]).documents
        for doc, document in zip(corpus.docs(1), documents, strict=True):
            tokens = range(corpus.starts[doc], corpus.ends[doc])
            made = nlp(document.article.text)
            words = [corpus.words[corpus.lower[corpus.tokens[at]]] for at in tokens]
            assert words == [token.lower_ for token in made]
            spans = chain.spans(corpus.targets[tokens].tolist())
            told = {(made[start:end].text, name) for start, end, name in spans}
            wanted = {(document.article.text[span.start : span.end], span.type) for span in document.spans}
            assert len(told & wanted) >= 0.9 * len(wanted)  # some begin or end inside a token

    def test_features(self, corpus: Any, config: TrainConfig, nlp: Language) -> None:
        articles = load_spans_of(config.corpora[0]).articles
        shipped = EntityFinder().read(shipped_weights()).features
        assert shipped is not None
        features = Features(feature_names(nlp(article.text) for article in articles), shipped.vectors)
        _, dense = features.of(nlp(articles[0].text))
        tokens = slice(corpus.starts[3], corpus.ends[3])
        found = np.unpackbits(corpus.found[tokens], axis=1)[:, : corpus.found_size]
        assert np.array_equal(found, dense[:, -features.size :])
        vectors = corpus.vectors[corpus.lower[corpus.tokens[tokens]]] * corpus.scale
        assert np.abs(vectors - dense[:, : -features.size]).max() <= corpus.scale.max() / 2 + 1e-6

    @pytest.mark.parametrize("most", [20, 60, 512])
    def test_segments_cover_every_token_once(self, corpus: Any, most: int) -> None:
        docs = range(len(corpus.kinds))
        segments = corpus.segments(docs, np.ones(len(corpus.tokens), dtype="int64"), most)
        tokens = [at for each in segments for at in range(each.start, each.end)]
        assert tokens == list(range(len(corpus.tokens)))
        inner = [at for each in segments for a, b in each.sentences for at in range(a, b)]
        assert inner == tokens
        longest = max(end - start for each in segments for start, end in each.sentences)
        assert max(each.end - each.start for each in segments) <= max(most, longest)


def parameters(finder: EntityFinder, depth: int) -> dict[str, Any]:
    """The network as student.py writes it."""
    assert finder.network is not None and finder.features is not None
    names = ["transitions", "output.weight", "output.bias", *(f"views.{n}.weight" for n in range(5))]
    names += ["vector.weight", "vector.bias", "stages.weight", "stages.bias"]
    layers = ("mixed", *(f"layers.{n}" for n in range(depth)))
    names += [f"{layer}.{part}" for layer in layers for part in ("W", "b", "norm.weight", "norm.bias")]
    nodes = finder.network.model.walk()
    values = [node.get_param(name) for node in nodes for name in sorted(node.param_names)]
    shape = finder.network.shape
    return dict(zip(names, values, strict=True)) | {
        "shape": np.array([shape.vector, shape.features, len(finder.chain.tags), shape.width, depth]),
        "features": np.frombuffer("\0".join(finder.features.names).encode(), dtype="uint8"),
    }


def test_a_student_becomes_the_component(nlp: Language) -> None:
    shipped = EntityFinder().read(shipped_weights())
    assert shipped.features is not None and shipped.network is not None
    made = module("collect").finder_of(parameters(shipped, shipped.network.shape.depth))
    seen = unmarked(shipped.features, nlp(TEXT))
    batch = Batch(seen.ids, seen.dense, (len(seen.ids),))
    assert np.array_equal(made.network.scores(batch), shipped.network.scores(batch))
    assert np.array_equal(made.network.transitions, shipped.network.transitions)


def test_a_student_of_another_size(nlp: Language) -> None:
    shipped = EntityFinder().read(shipped_weights())
    assert shipped.network is not None
    depth = shipped.network.shape.depth
    given = parameters(shipped, depth) | {"output.bias": np.zeros(7)}
    with pytest.raises(SystemExit, match=r"linear\.b: \(53,\) is not \(7,\)"):
        module("collect").finder_of(given)
