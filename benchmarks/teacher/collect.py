"""Weights of the component from a network that student.py trained.

python benchmarks/teacher/collect.py outputs/teacher/student.npz outputs/entities
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from caseframe.stages.entities import EntityFinder, Features, shipped_weights
from caseframe.training.job import load_training
from caseframe.training.run import Job

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from cross_entities import PARTS, names_in_order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="the config that the corpus was exported by")
    parser.add_argument("students", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    config = load_training(arguments.config)
    job = Job(config, arguments.out, lambda step, done, total: None)
    names = names_in_order(config)
    for path in arguments.students:
        arrays = np.load(path)
        part = int(arrays["part"])
        folder = arguments.out if part < 0 else arguments.out / str(part)
        folder.mkdir(parents=True, exist_ok=True)
        metrics = job.write(finder_of(arrays), folder)
        if part >= 0:
            (folder / "unseen.txt").write_text("\n".join(names[part::PARTS]) + "\n", encoding="utf-8")
        print(f"{folder}: strict F1 on dev {metrics['span']['micro']['strict_f1']:.3f}", flush=True)


def finder_of(arrays: Mapping[str, Any]) -> EntityFinder:
    """The component with a trained network's parameters, on the shipped vectors."""
    finder, shipped = EntityFinder(), EntityFinder().read(shipped_weights())
    assert shipped.features is not None
    *_, width, depth = arrays["shape"].tolist()
    names = bytes(arrays["features"]).decode().split("\0")
    finder.build(Features(names, shipped.features.vectors), width=width, depth=depth)
    assert finder.network is not None
    values = _in_order(arrays, depth)
    for node in finder.network.model.walk():
        for name in sorted(node.param_names):
            value = next(values)
            if node.get_param(name).shape != value.shape:
                raise SystemExit(f"{node.name}.{name}: {node.get_param(name).shape} is not {value.shape}")
            node.set_param(name, np.ascontiguousarray(value, dtype="f"))
    return finder


def _in_order(arrays: Mapping[str, Any], depth: int) -> Iterator[Any]:
    """The parameters in the order in which the network's layers are walked."""
    yield arrays["transitions"]
    linear = ("output", *(f"views.{n}" for n in range(5)), "vector", "stages")
    for name in linear:
        yield arrays[f"{name}.weight"]
        if not name.startswith("views"):
            yield arrays[f"{name}.bias"]
    for name in ("mixed", *(f"layers.{n}" for n in range(depth))):
        yield from (
            arrays[f"{name}.W"],
            arrays[f"{name}.b"],
            arrays[f"{name}.norm.weight"],
            arrays[f"{name}.norm.bias"],
        )


if __name__ == "__main__":
    main()
