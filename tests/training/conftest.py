"""Sentences, vectors and finders that the tests of training share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from spacy.language import Language
from thinc.api import fix_random_seed

from caseframe.stages.entities import EntityFinder, Features, floret_vectors
from caseframe.stages.entity_network import VIEWS, Network, Shape
from caseframe.stages.tokenizer import blank
from caseframe.training.fit import Mention

MARK, END = "[[", "]]"
SENTENCES = """
A [[AGE|34-year-old]] [[SEX|man]] had an [[NEOPLASM|osteosarcoma]] of the [[ANATOMY|left femur]].
A [[AGE|51-year-old]] [[SEX|woman]] had a [[NEOPLASM|chordoma]] of the [[ANATOMY|sacrum]].
The [[NEOPLASM|giant cell tumor]] of the [[ANATOMY|distal radius]] was [[PROCEDURE|curetted]].
[[DIAGNOSTIC|MRI]] showed a [[FINDING|lytic lesion]] in the [[ANATOMY|right hip]].
[[PROCEDURE|En bloc resection]] was followed by [[PROCEDURE|chemotherapy]] with [[DRUG|doxorubicin]].
He received [[DRUG|denosumab]] for [[TIME|six months]].
The defect was filled with a [[DEVICE|3D-printed titanium prosthesis]].
She had [[FINDING|pain]] and [[FINDING|swelling]] of the [[ANATOMY|left knee]].
[[DIAGNOSTIC|Biopsy]] confirmed [[NEOPLASM|Ewing sarcoma]].
There was [[OUTCOME|no recurrence]] [[TIME|at 2 years]].
The tumor measured [[VALUE|12 x 9 cm]].
Her [[DISORDER|hypertension]] was treated with [[DRUG|ramipril]].
[[DIAGNOSTIC|Computed tomography]] of the [[ANATOMY|pelvis]] was normal.
A [[DEVICE|plate]] and [[DEVICE|pedicle screws]] were used.
[[TIME|Two weeks later]] he developed a [[DISORDER|deep infection]].
The [[SEX|girl]] walked [[OUTCOME|without aids]] [[TIME|after one year]].
[[PROCEDURE|Hemisacrectomy]] was done.
[[FINDING|Fever]] and [[FINDING|weight loss]] were noted.
The [[VALUE|MSTS score of 27]] was good.
No further treatment was given.
""".strip().splitlines()


@dataclass(frozen=True)
class Marked:
    """A text with its mentions by character offsets."""

    text: str
    mentions: list[Mention]


def unmark(line: str) -> Marked:
    text, mentions = "", []
    for number, part in enumerate(line.split(MARK)):
        if number:
            inside, part = part.split(END, 1)
            name, words = inside.split("|")
            mentions.append((len(text), len(text) + len(words), name))
            text += words
        text += part
    return Marked(text, mentions)


@pytest.fixture(scope="session")
def marked() -> list[Marked]:
    """Twenty sentences of all types."""
    return [unmark(line) for line in SENTENCES]


@pytest.fixture(scope="session")
def plain() -> Language:
    """The tokenizer and the sentences."""
    nlp = blank()
    nlp.add_pipe("caseframe_sentences")
    return nlp


@pytest.fixture(scope="session")
def features() -> Features:
    """Features without stages, over vectors of chance."""
    table = np.random.default_rng(0).normal(size=(500, 8)).astype("float16").astype("f")
    return Features((), floret_vectors(table, minn=4, maxn=5, hash_count=2, hash_seed=2166136261, bow="<", eow=">"))


@pytest.fixture(scope="session")
def new_finder(features: Features) -> Callable[..., EntityFinder]:
    """Makes an untrained finder; small, since all its weights are touched at each step of training."""

    def make(seed: int = 0) -> EntityFinder:
        finder = EntityFinder()
        fix_random_seed(seed)
        shape = Shape(8, features.size, width=32, depth=1, hashed=16, rows=(400,) * len(VIEWS))
        finder.features, finder.network = features, Network(shape, len(finder.chain.tags))
        return finder

    return make
