"""OBO Graphs JSON, as the OBO Foundry and ROBOT write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept
from caseframe.lexicons.readers.iris import curie

_PART_OF = ("http://purl.obolibrary.org/obo/BFO_0000050", "part_of")


def read_obograph(content: Mapping[str, Any], file: str) -> Iterator[Concept]:
    """The classes of an OBO graph, in the file's order. Raises LexiconError where a graph has not its form."""
    graphs = content.get("graphs")
    if not isinstance(graphs, list):
        raise LexiconError(f"{file}: no graphs", "OBO Graphs JSON has a list of graphs at its top")
    for graph in graphs:
        parents: dict[str, list[str]] = {}
        wholes: dict[str, list[str]] = {}
        for edge in graph.get("edges") or ():
            above = parents if edge.get("pred") == "is_a" else wholes if edge.get("pred") in _PART_OF else None
            if above is not None:
                above.setdefault(str(edge.get("sub")), []).append(curie(str(edge.get("obj"))))
        for number, node in enumerate(graph.get("nodes") or (), 1):
            if node.get("type", "CLASS") == "CLASS" and node.get("lbl"):
                identifier = str(node.get("id"))
                yield _concept(node, parents.get(identifier, ()), wholes.get(identifier, ()), f"node {number}")


def _concept(node: Mapping[str, Any], parents: Sequence[str], wholes: Sequence[str], place: str) -> Concept:
    meta = node.get("meta") or {}
    words: dict[str, list[str]] = {}
    for synonym in meta.get("synonyms") or ():
        words.setdefault(str(synonym.get("pred")), []).append(str(synonym.get("val", "")))
    return Concept(
        curie(str(node.get("id", ""))),
        str(node["lbl"]),
        tuple(words.get("hasExactSynonym", ())),
        tuple(words.get("hasRelatedSynonym", ())),
        tuple(str(xref.get("val", "")) for xref in meta.get("xrefs") or ()),
        tuple(parents),
        tuple(wholes),
        bool(meta.get("deprecated")),
        place,
    )
