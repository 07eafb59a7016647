"""SKOS and OWL in RDF/XML, Turtle or N-Triples, by rdflib (the extra `rdf`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept
from caseframe.lexicons.readers.iris import curie

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

_OBO_IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"


def read_rdf(stream: BinaryIO, file: str, syntax: str) -> Iterator[Concept]:
    """The skos:Concepts and named owl:Classes of a graph, by IRI. Nothing is fetched.

    Raises LexiconError where rdflib is missing or cannot read the file.
    """
    try:
        from rdflib import Graph
    except ImportError:
        raise LexiconError(f"{file}: SKOS and OWL need rdflib", "pip install 'caseframe[rdf]'") from None
    graph = Graph()
    try:
        graph.parse(stream, format=syntax, publicID="urn:file")
    except Exception as error:  # each of rdflib's parsers has errors of its own
        told = " ".join(str(error).split())[:200]
        raise LexiconError(f"{file}: no valid {syntax}: {told}", "Mend it, or fetch it again") from None
    yield from sorted(_concepts(graph), key=lambda concept: concept.id)


def _concepts(graph: Graph) -> Iterator[Concept]:
    from rdflib import RDF, URIRef

    kinds = (URIRef(f"{_SKOS}Concept"), URIRef(f"{_OWL}Class"))
    nodes = {node for kind in kinds for node in graph.subjects(RDF.type, kind) if isinstance(node, URIRef)}
    for node in nodes:
        names = _words(graph, node, f"{_SKOS}prefLabel", f"{_RDFS}label")
        if not names:
            continue
        exact = _words(graph, node, f"{_SKOS}altLabel", f"{_OBO_IN_OWL}hasExactSynonym")
        notation = _words(graph, node, f"{_SKOS}notation")
        parents = {
            parent
            for relation in (f"{_SKOS}broader", f"{_RDFS}subClassOf")
            for parent in graph.objects(node, URIRef(relation))
            if isinstance(parent, URIRef)
        } | set(graph.subjects(URIRef(f"{_SKOS}narrower"), node))
        yield Concept(
            _identifier(graph, node) if not notation else notation[0],
            names[0],
            (*names[1:], *exact),
            _words(graph, node, f"{_OBO_IN_OWL}hasRelatedSynonym"),
            _xrefs(graph, node),
            tuple(sorted(_identifier(graph, parent) for parent in parents)),
            obsolete="true" in _words(graph, node, f"{_OWL}deprecated"),
            place=str(node),
        )


def _identifier(graph: Graph, node: Node) -> str:
    notation = _words(graph, node, f"{_SKOS}notation")
    return notation[0] if notation else curie(str(node))


def _words(graph: Graph, node: Node, *relations: str) -> tuple[str, ...]:
    """English words, and those of no language, in the order of relations and letters."""
    from rdflib import Literal, URIRef

    found: list[str] = []
    for relation in relations:
        values: Iterable[Node] = graph.objects(node, URIRef(relation))
        found += sorted(
            str(value)
            for value in values
            if isinstance(value, Literal) and (not value.language or value.language.lower().startswith("en"))
        )
    return tuple(dict.fromkeys(found))


def _xrefs(graph: Graph, node: Node) -> tuple[str, ...]:
    from rdflib import URIRef

    given = _words(graph, node, f"{_OBO_IN_OWL}hasDbXref")
    matches = graph.objects(node, URIRef(f"{_SKOS}exactMatch"))
    return (*given, *sorted(curie(str(match)) for match in matches))
