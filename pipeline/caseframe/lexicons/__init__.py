"""Terms as data: TSV files with the columns `term`, `preferred`, `field`, `code`, `attributes`, and their loader.

One row a surface form. A row whose `term` equals its `preferred` is the concept's own row and carries its code and
attributes (`key=value`, several joined with `;`); the rows of its synonyms may leave both empty and inherit them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from caseframe.errors import LexiconError
from caseframe.lexicons.compiled import CompiledLexicon, compile_lexicon, compiled_path, open_compiled
from caseframe.lexicons.entries import Entry, Term, surface_parts, surface_variants
from caseframe.schema import FIELDS, Attributes

__all__ = [
    "COLUMNS",
    "CompiledLexicon",
    "Entry",
    "Lexicon",
    "Term",
    "builtin_entries",
    "builtin_lexicon",
    "builtin_paths",
    "load_lexicon",
    "parse_attributes",
    "read_lexicon",
    "surface_parts",
    "surface_variants",
]

COLUMNS = ("term", "preferred", "field", "code", "attributes")


def parse_attributes(cell: str) -> dict[str, str]:
    """Reads `key=value;key=value`."""
    pairs = (item.partition("=") for item in cell.split(";") if item.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_lexicon(path: Path, name: str = "") -> Iterator[Entry]:
    """Reads one TSV file. Lines that start with `#` are comments.

    Raises LexiconError, naming file and line, for a missing column, an unknown field, an attribute without a value, or
    a synonym whose preferred term has no row.
    """
    name = name or path.stem
    rows = list(_rows(path))
    concepts: dict[tuple[str, str], Term] = {}
    for number, row in rows:
        if row["term"] == row["preferred"]:
            attributes = parse_attributes(row["attributes"])
            if "" in attributes or "" in attributes.values():
                raise LexiconError(
                    f"{path}, line {number}: attributes {row['attributes']!r}", "Write key=value;key=value"
                )
            key = row["field"], row["preferred"]
            if key in concepts:
                raise LexiconError(f"{path}, line {number}: {row['preferred']!r} stands twice", "Keep one of the rows")
            concepts[key] = Term(row["preferred"], row["field"], row["code"], Attributes(attributes), name)
    for number, row in rows:
        term = concepts.get((row["field"], row["preferred"]))
        if term is None:
            raise LexiconError(
                f"{path}, line {number}: no row for the preferred term {row['preferred']!r} itself",
                "Add a row whose term equals its preferred",
            )
        yield Entry(row["term"], term)


def load_lexicon(path: Path) -> CompiledLexicon | tuple[Entry, ...]:
    """A lexicon file as it is best matched: compiled where an import compiled it, else its entries.

    A file that was edited after it was compiled is compiled anew. Raises LexiconError as `read_lexicon`.
    """
    compiled = open_compiled(path)
    if compiled is not None:
        return compiled
    entries = tuple(read_lexicon(path))
    if not compiled_path(path).is_dir():
        return entries
    try:
        return compile_lexicon(path, entries)
    except OSError:  # a folder that only its owner can write: the rows do as well, and take more memory
        return entries


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        numbered = ((n, line) for n, line in enumerate(stream, 1) if line.strip() and not line.startswith("#"))
        header: list[str] | None = None
        empty = dict.fromkeys(COLUMNS, "")
        for number, line in numbered:
            cells = [cell.strip() for cell in line.split("\t")]
            if header is None:
                header = cells
                missing = [column for column in COLUMNS if column not in header]
                if missing:
                    raise LexiconError(f"{path}: no column {', '.join(missing)}", f"The header is {' '.join(COLUMNS)}")
                continue
            row = empty | dict(zip(header, cells, strict=False))
            if row["field"] not in FIELDS:
                raise LexiconError(f"{path}, line {number}: field {row['field']!r}", f"One of {', '.join(FIELDS)}")
            if not row["term"] or not row["preferred"]:
                raise LexiconError(f"{path}, line {number}: no term or no preferred", "Fill both, or remove the row")
            yield number, row


def builtin_paths() -> list[Path]:
    """The shipped lexicon files, by name."""
    folder = Path(str(files("caseframe.lexicons") / "data"))
    return sorted(folder.glob("*.tsv"))


@cache
def builtin_entries() -> tuple[Entry, ...]:
    """Every row of the shipped lexicons."""
    return tuple(entry for path in builtin_paths() for entry in read_lexicon(path))


class Lexicon:
    """Terms compiled for matching: a trie over folded word parts, in which hyphen and blank are the same.

    A trie of dicts and not spaCy's PhraseMatcher, since that matches whole tokens: `giant-cell tumour` and `giant cell
    tumour` would need a pattern for every way to set the hyphens.
    """

    def __init__(self, entries: Iterable[Entry], compiled: Iterable[CompiledLexicon] = ()) -> None:
        self.terms: dict[str, Term] = {}
        self._root: dict[str, object] = {}
        self._compiled: list[CompiledLexicon] = []
        for entry in entries:
            self.add(entry)
        for lexicon in compiled:
            self.add_compiled(lexicon)

    def add(self, entry: Entry) -> None:
        """Adds one surface form; `Ewing's sarcoma` also matches without its 's.

        A term that is there already keeps its code and attributes, unless the later lexicon gives some.
        """
        term, key = entry.term, entry.term.key
        if key not in self.terms or term.code or term.attributes:
            self.terms[key] = term
        # Within a field the last lexicon has the last word, so that a user's file goes before the shipped ones.
        field = f"{term.field}:"
        for parts in surface_variants(entry.surface):
            node = self._root
            for part in parts:
                node = node.setdefault(part, {})  # type: ignore[assignment]
            others = [other for other in node.get("", ()) if not other.startswith(field)]  # type: ignore[attr-defined]
            node[""] = [*others, key]

    def add_compiled(self, lexicon: CompiledLexicon) -> None:
        """Adds a compiled lexicon after all that is there; its terms come to `terms` as texts name them."""
        self._compiled.append(lexicon)
        for key in [key for key in self.terms if key in lexicon]:
            self._know(key, lexicon)

    def _know(self, key: str, lexicon: CompiledLexicon) -> None:
        term = lexicon.term(key)
        if key not in self.terms or term.code or term.attributes:
            self.terms[key] = term

    def matches(self, parts: list[str]) -> Iterator[tuple[int, int, list[str]]]:
        """All hits in a list of folded parts, as (start, end, term keys), overlapping ones too."""
        return self._with_compiled(parts) if self._compiled else self._matches(parts)

    def _with_compiled(self, parts: list[str]) -> Iterator[tuple[int, int, list[str]]]:
        hits = {(start, end): keys for start, end, keys in self._matches(parts)}
        for lexicon in self._compiled:
            for start, end, keys in lexicon.matches(parts):
                for key in keys:
                    if key not in self.terms:
                        self._know(key, lexicon)
                fields = {self.terms[key].field for key in keys}
                others = [key for key in hits.get((start, end), ()) if self.terms[key].field not in fields]
                hits[start, end] = others + keys
        return ((start, end, hits[start, end]) for start, end in sorted(hits))

    def _matches(self, parts: list[str]) -> Iterator[tuple[int, int, list[str]]]:
        length = len(parts)
        for start, node in enumerate(map(self._root.get, parts)):
            position = start + 1
            while node is not None:
                keys = node.get("")  # type: ignore[attr-defined]
                if keys is not None:
                    yield start, position, keys
                if position == length:
                    break
                node = node.get(parts[position])  # type: ignore[attr-defined]
                position += 1

    def lookup(self, surface: str) -> list[Term]:
        """The terms that a surface form names, as a whole."""
        parts = surface_parts(surface)
        node: object = self._root
        for part in parts:
            node = node.get(part) if isinstance(node, dict) else None
        keys = node.get("", []) if isinstance(node, dict) else []
        if self._compiled:
            keys = next((keys for *span, keys in self._with_compiled(parts) if span == [0, len(parts)]), [])
        return [self.terms[key] for key in keys]

    def term(self, key: str) -> Term | None:
        """The term of a key, whether or not a text has named it."""
        if key not in self.terms:
            for lexicon in self._compiled:
                if key in lexicon:
                    self._know(key, lexicon)
        return self.terms.get(key)

    def of_field(self, field: str) -> Mapping[str, Term]:
        """The terms of one field by preferred name."""
        return {term.preferred: term for term in self.terms.values() if term.field == field}


@cache
def builtin_lexicon() -> Lexicon:
    """The shipped lexicons, compiled once a process."""
    return Lexicon(builtin_entries())
