"""OncoTree's JSON, a tree of tumour types under the tissues they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept

_SYSTEMS = {"UMLS": "UMLS", "NCI": "NCIT"}


def read_oncotree(content: Mapping[str, Any], file: str) -> Iterator[Concept]:
    """All nodes, parents before children. Raises LexiconError for a node that has not their form."""
    waiting = list(content.values())
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict) or not isinstance(node.get("children"), dict) or not node.get("code"):
            raise LexiconError(
                f"{file}: a node without code or children", "Fetch it again from OncoTree's /api/tumorTypes/tree"
            )
        references = node.get("externalReferences") or {}
        yield Concept(
            f"OncoTree:{node['code']}",
            str(node.get("name", "")),
            xrefs=tuple(
                f"{_SYSTEMS.get(system, system)}:{code}" for system, codes in references.items() for code in codes
            ),
            parents=(f"OncoTree:{node['parent']}",) if node.get("parent") else (),
            place=f"node {node['code']}",
        )
        waiting.extend(reversed(node["children"].values()))
