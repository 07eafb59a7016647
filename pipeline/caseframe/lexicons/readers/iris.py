"""Short ids of the IRIs that ontologies use: `http://purl.obolibrary.org/obo/UBERON_0000981` is `UBERON:0000981`."""

from __future__ import annotations

import re

_OBO = re.compile(r"https?://purl\.obolibrary\.org/obo/([A-Za-z]+)_(\w+)\Z")


def curie(iri: str) -> str:
    """The short id of an OBO IRI; of another one what follows its last slash or hash, without a system."""
    if match := _OBO.match(iri):
        return f"{match[1]}:{match[2]}"
    return re.split(r"[#/]", iri.rstrip("#/"))[-1] if "://" in iri else iri
