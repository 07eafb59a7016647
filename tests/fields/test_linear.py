"""Linear models: what they compute, how they are kept, and that the shipped ones are sound."""

from __future__ import annotations

import hashlib
import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseframe.errors import ModelError
from caseframe.fields import confidence, linear, roles, sites
from caseframe.fields.linear import BIAS, Bag, LinearModel, names_of
from caseframe.stages.entities import shipped_weights
from caseframe.stages.narrative import builtin_weights, read_weights

MODEL = LinearModel(("no", "yes"), {BIAS: (0.0, 0.5), "pain": (1.0, -1.0), "left": (0.25, 0.0)})
RULES = Path(str(files("caseframe.fields") / "rules"))


def whole(*names: str) -> list[Bag]:
    """Some features by their whole names."""
    return [("", names)]


def test_sums_add_the_bias_and_each_known_feature() -> None:
    assert MODEL.sums([]) == [0.0, 0.5]
    assert MODEL.sums(whole("pain", "left", "never seen")) == [1.25, -0.5]
    assert MODEL.sums(whole("pain", "pain")) == [2.0, -1.5], "a feature that holds twice counts twice"


def test_logistic_by_hand() -> None:
    assert MODEL.each(whole("pain")) == pytest.approx({"no": 1 / (1 + math.exp(-1)), "yes": 1 / (1 + math.exp(0.5))})
    assert MODEL.each([])["no"] == 0.5
    assert MODEL.of("yes", whole("pain")) == MODEL.each(whole("pain"))["yes"]


def told(*rests: str) -> list[str]:
    """What names of a few values are made by."""
    return [f"p{rest}" for rest in rests]


rests = st.lists(st.sampled_from(["pain", "ain", "n", "ft", "x"]))
begins = st.sampled_from(["", "p", "pai", "le"])
bags = st.lists(st.tuples(begins, rests | rests.map(tuple)) | st.tuples(st.just(told), rests.map(tuple)))


@given(bags)
def test_a_bag_counts_as_the_names_in_it(bags: list[Bag]) -> None:
    names = [("", names_of(bags))]
    assert MODEL.sums(bags) == MODEL.sums(names)
    assert MODEL.each(bags) == MODEL.each(names)
    assert MODEL.of("yes", bags) == MODEL.of("yes", names) == MODEL.each(names)["yes"]


def test_sums_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "MOST_BAGS", 3)
    model = LinearModel(MODEL.classes, MODEL.weights)
    for n in range(10):
        names = ("pain",) * n
        assert model.sums([("", names)]) == model.sums([("", names)]) == MODEL.sums([("", list(names))])
        assert len(model._sums) <= 3


def test_numbers_are_weighed_by_the_rows_named_after_them() -> None:
    model = LinearModel(("no", "yes"), {"vector 0": (1.0, 0.0), "vector 1": (0.5, -2.0), "pain": (1.0, 0.0)})
    numbers = np.array([[2.0, 4.0], [0.0, 1.0]])
    pain = whole("pain")
    row, other = model.weighed(numbers)
    assert model.sums(pain, row) == [5.0, -8.0]
    assert model.sums(pain, other) == [1.5, -2.0], "each mention has numbers of its own"
    assert model.of("yes", pain, row) == model.each(pain, row)["yes"]
    assert model.sums(pain) == [1.0, 0.0], "without numbers the names alone count"
    assert MODEL.sums(pain, MODEL.weighed(numbers)[0]) == MODEL.sums(pain), "a model that weighs none takes none"


@given(st.floats(-1e6, 1e6))
def test_no_weight_is_too_large(weight: float) -> None:
    model = LinearModel(("a", "b"), {"x": (weight, 0.0)})
    assert 0 <= model.each(whole("x"))["a"] <= 1


# Every feature starts with its kind; what follows is any word, a line break or a tab among them.
names = st.text(st.sampled_from("a=é&#\\nt \t\n\r\x0b\u2028"), min_size=1).map("before={}".format)
weights = st.integers(-9999, 9999).map(lambda thousandths: thousandths / 1000)


@given(st.dictionaries(names, st.tuples(weights, weights, weights)))
def test_written_and_read_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, tuple[float, ...]]
) -> None:
    path = tmp_path_factory.mktemp("model") / "model.tsv"
    LinearModel(("one", "two", "three"), table).write(path, "Made by hand.\nFor a test.")
    again = LinearModel.read(path)
    assert again.classes == ("one", "two", "three")
    assert again.weights == table
    assert path.read_text(encoding="utf-8").startswith("# Made by hand.\n# For a test.\nfeature\tone\ttwo\tthree\n")


@pytest.mark.parametrize("line", ["pain\t1", "pain\t1\t2\t3", "\t1\t2", "pain"])
def test_a_bad_line_is_an_error_that_names_the_file(tmp_path: Path, line: str) -> None:
    path = tmp_path / "model.tsv"
    path.write_text(f"feature\tno\tyes\n{line}\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.tsv"):
        LinearModel.read(path)


@pytest.mark.parametrize(
    ("name", "classes"),
    [("roles", roles.ROLES), ("confidence", confidence.FIELDS), ("sites", ("site",))],
)
def test_shipped_weights_are_sound(name: str, classes: tuple[str, ...]) -> None:
    lines = (RULES / f"{name}.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
    comments = [line for line in lines if line.startswith("#")]
    header, *rows = (line.split("\t") for line in lines if not line.startswith("#"))
    assert "benchmarks/" in comments[0], "the first line says what fitted them"
    vectors = (shipped_weights() / "vectors").read_bytes()
    assert hashlib.sha256(vectors).hexdigest() in comments[1], "fitted with other vectors: fit them again"
    assert header[0] == "feature"
    assert set(header[1:]) - {"none"} == set(classes), "the classes that the code asks for"
    features = [row[0] for row in rows]
    assert len(set(features)) == len(features), "no feature twice"
    assert all(features)
    assert {len(row) for row in rows} == {len(header)}, "a weight for each class"
    assert all(math.isfinite(float(cell)) for row in rows for cell in row[1:])


@pytest.mark.parametrize("model", [roles.model, confidence.model, sites.model], ids=["roles", "confidence", "sites"])
def test_shipped_weights_leave_room_for_doubt(model: object) -> None:
    assert callable(model)
    for probability in model().each(whole("a feature that no text has")).values():
        assert 0.1 < probability < 0.9


def test_narrative_weights_are_sound() -> None:
    rows = [
        line.rpartition("\t")
        for line in builtin_weights().read_text(encoding="utf-8").rstrip("\n").split("\n")
        if not line.startswith("#")
    ]
    names = [name for name, _, _ in rows]
    assert len(set(names)) == len(names)
    table = read_weights(builtin_weights())
    assert set(table) == set(names)
    assert {"(bias)", "(threshold)"} <= set(table)
    assert all(map(math.isfinite, table.values()))
