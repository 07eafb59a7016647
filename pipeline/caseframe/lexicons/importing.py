"""A terminology becomes a lexicon: names folded, dangerous words left out and listed, the shipped names kept."""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made_by
from pathlib import Path

from caseframe.errors import LexiconError, OutputError
from caseframe.lexicons import COLUMNS, Entry, Lexicon, Term, builtin_lexicon, surface_parts
from caseframe.lexicons.compiled import compile_lexicon, compiled_path
from caseframe.lexicons.folding import canonical
from caseframe.lexicons.hygiene import MAX_CHARACTERS, cleaned, danger_of
from caseframe.lexicons.names import names_path, write_index
from caseframe.lexicons.readers import Concept, open_concepts
from caseframe.schema import FIELDS, Attributes

# What the field modules need to know of a term that nobody described further.
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "diagnosis": {"kind": "disease"},
    "comorbidity": {"kind": "disease"},
    "implant": {"role": "head"},
    "procedure": {"category": "other"},
    "therapy": {"kind": "drug"},
}
_SYSTEM = re.compile(r"[A-Za-z][\w.-]*:\S")


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What to take from a terminology, and as what."""

    field: str = "diagnosis"
    source: str = ""
    """Name of the lexicon, and the system of codes that name none; default: the file's name."""
    branches: tuple[str, ...] = ()
    """Ids or names; only these concepts and what is under them are taken. None: all."""
    related: bool = False
    """Whether related synonyms are taken as well as exact ones."""
    attributes: Mapping[str, str] = made_by(default_factory=dict)
    """Attributes for every concept, instead of the field's defaults."""
    columns: Mapping[str, str] = made_by(default_factory=dict)
    """Tables: headings by what they hold."""
    vocabularies: tuple[str, ...] = ()
    """MRCONSO: the source vocabularies to take."""
    aligned: bool = True
    """Whether concepts that the shipped lexicons know keep the shipped name, code and words."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, and the counts of what it read and left out."""

    path: Path
    left_out: Path
    read: int
    taken: int
    """Concepts of the lexicon: what was read less obsolete ones, other branches, those merged and those left out."""
    words: int
    reasons: Mapping[str, int]
    """Words and concepts left out, by reason."""
    merged: int
    """Concepts that have the name of another one."""


@dataclass(frozen=True, slots=True)
class _LeftOut:
    word: str
    id: str
    reason: str


@dataclass(slots=True)
class _Draft:
    """A concept on its way into the lexicon."""

    id: str
    """As the file has it."""
    preferred: str
    code: str
    attributes: dict[str, str]
    words: dict[tuple[str, ...], str]
    xrefs: list[str]
    parents: list[str]


def import_lexicon(path: Path, folder: Path, settings: ImportSettings | None = None) -> Imported:
    """Reads a terminology and writes `SOURCE.tsv`, its compiled form and `SOURCE.left_out.tsv` into a folder.

    Raises LexiconError, naming file and line, for what cannot be read, an id with two names, a hierarchy in circles, an
    unknown branch, and where nothing is left, OutputError for what cannot be written. Then nothing in the folder has
    changed.
    """
    settings = settings or ImportSettings()
    if settings.field not in FIELDS:
        raise LexiconError(f"field {settings.field!r}", f"One of {', '.join(FIELDS)}")
    name = settings.source or _plain_name(path)
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise LexiconError(f"source {name!r}: no name for a file", "Letters, digits, - and _ with --source")
    concepts = _by_id(open_concepts(path, columns=settings.columns, vocabularies=settings.vocabularies), path)
    left_out: list[_LeftOut] = []
    chosen = _chosen(concepts, settings.branches, path, left_out)
    _refuse_circles({concept.id: concept for concept in chosen}, path)
    drafts, merged = _drafts(chosen, concepts, settings, name, left_out)
    if not drafts:
        raise LexiconError(f"{path}: nothing is left to import of {len(concepts):,} concepts", "Widen the branch")
    entries = [Entry(word, term) for term, words in _terms(drafts, settings, name) for word in words]
    written = _write(folder, name, path, entries, left_out)
    reasons = Counter(item.reason for item in left_out)
    return Imported(*written, len(concepts), len(drafts), len(entries), dict(reasons), merged)


def _plain_name(path: Path) -> str:
    return re.sub(r"\W+", "_", path.name.partition(".")[0]).strip("_") or "lexicon"


def _by_id(concepts: Iterable[Concept], path: Path) -> dict[str, Concept]:
    known: dict[str, Concept] = {}
    for concept in concepts:
        other = known.setdefault(concept.id, concept)
        if other.name != concept.name:
            raise LexiconError(
                f"{path}, {concept.place}: {concept.id} is {concept.name[:80]!r}, but at {other.place} "
                f"{other.name[:80]!r}",
                "An id has one name; mend the file, or name the right columns",
            )
    if not known:
        raise LexiconError(f"{path}: no concepts", "Give a terminology: OBO, JSON, OWL, SKOS, RRF, CSV or TSV")
    return known


def _refuse_circles(concepts: Mapping[str, Concept], path: Path) -> None:
    done: set[str] = set()
    for start in concepts:
        trail: dict[str, Iterator[str]] = {}
        waiting = start
        while waiting:
            if waiting in trail:
                circle = [*list(trail)[list(trail).index(waiting) :], waiting]
                raise LexiconError(
                    f"{path}, {concepts[waiting].place}: a circle of parents: {' -> '.join(circle)[:300]}",
                    "Nothing is a kind of itself: remove one of these parents, or take a --branch without them",
                )
            if waiting not in done and waiting in concepts:
                trail[waiting] = iter(concepts[waiting].parents)
            waiting = ""
            while trail and not waiting:
                last = next(reversed(trail))
                waiting = next(trail[last], "")
                if not waiting:
                    done.add(last)
                    trail.popitem()


def _chosen(
    concepts: Mapping[str, Concept], branches: Iterable[str], path: Path, left_out: list[_LeftOut]
) -> list[Concept]:
    current = [concept for concept in concepts.values() if not concept.obsolete]
    left_out += [_LeftOut(c.name, c.id, "obsolete") for c in concepts.values() if c.obsolete]
    roots = {_root(branch, current, path) for branch in branches}
    if not roots:
        return current
    children: dict[str, list[str]] = {}
    for concept in current:
        for parent in (*concept.parents, *concept.wholes):
            children.setdefault(parent, []).append(concept.id)
    inside, waiting = set(roots), list(roots)
    while waiting:
        below = [child for child in children.get(waiting.pop(), ()) if child not in inside]
        inside.update(below)
        waiting += below
    return [concept for concept in current if concept.id in inside]


def _root(branch: str, concepts: Iterable[Concept], path: Path) -> str:
    wanted = branch.casefold()
    for concept in concepts:
        # The parent of concepts may have no row of its own, as the FDA's medical specialties.
        if wanted in (concept.id.casefold(), concept.name.casefold()):
            return concept.id
    for concept in concepts:
        for parent in concept.parents:
            if wanted == parent.casefold():
                return parent
    raise LexiconError(f"{path}: no concept {branch!r}", "Give an id or a name of the file with --branch")


def _drafts(
    chosen: Iterable[Concept],
    concepts: Mapping[str, Concept],
    settings: ImportSettings,
    name: str,
    left_out: list[_LeftOut],
) -> tuple[dict[str, _Draft], int]:
    """The concepts by preferred name, each with the words that are safe."""
    shipped = builtin_lexicon() if settings.aligned else Lexicon(())
    drafts: dict[str, _Draft] = {}
    preferred_of: dict[str, str] = {}
    merged = 0
    for concept in chosen:
        words = list(_safe_words(concept, settings, left_out))
        if not words:
            left_out.append(_LeftOut(concept.name, concept.id, "concept without a safe word"))
            continue
        known = _shipped_term(words[0], settings.field, shipped)
        preferred = known.preferred if known else _preferred(words[0])
        preferred_of[concept.id] = preferred
        code = concept.id if _SYSTEM.match(concept.id) else f"{name}:{concept.id}"
        if preferred in drafts:
            merged += 1
            drafts[preferred].xrefs.append(code)
        else:
            drafts[preferred] = _draft(concept.id, preferred, code, known, settings)
        draft = drafts[preferred]
        for word in words:
            draft.words.setdefault(tuple(surface_parts(word)), word)
        draft.xrefs += concept.xrefs
        draft.parents += (*concept.parents, *concept.wholes)
    for draft in drafts.values():
        names = (preferred_of.get(parent) or _outside(parent, concepts) for parent in draft.parents)
        draft.parents = [parent for parent in dict.fromkeys(names) if parent and parent != draft.preferred]
    _leave_out_ambiguous(drafts, settings.field, shipped, left_out)
    return drafts, merged


def _draft(identifier: str, preferred: str, code: str, known: Term | None, settings: ImportSettings) -> _Draft:
    attributes = dict(settings.attributes or _DEFAULTS.get(settings.field, {}))
    own = {tuple(surface_parts(preferred)): preferred}
    if known is None:
        return _Draft(identifier, preferred, code, attributes, own, [], [])
    described = {key: str(value) for key, value in known.attributes.items()} or attributes
    return _Draft(identifier, preferred, known.code or code, described, own, [code] if known.code else [], [])


def _outside(parent: str, concepts: Mapping[str, Concept]) -> str:
    """The name of a parent that is no concept of the lexicon: above the branch, or told by name alone."""
    name = concepts[parent].name if parent in concepts else "" if _SYSTEM.match(parent) else parent
    return _preferred(cleaned(name))


def _safe_words(concept: Concept, settings: ImportSettings, left_out: list[_LeftOut]) -> Iterator[str]:
    given = (concept.name, *concept.exact, *(concept.related if settings.related else ()))
    for word in dict.fromkeys(cleaned(word) for word in given if word.strip()):
        if reason := danger_of(word):
            left_out.append(_LeftOut(word[:MAX_CHARACTERS], concept.id, reason))
        else:
            yield word


def _shipped_term(word: str, field: str, shipped: Lexicon) -> Term | None:
    found = [term for term in shipped.lookup(word) if term.field == field]
    return found[0] if len(found) == 1 else None


def _preferred(name: str) -> str:
    """The canonical name; one with capitals that mean something (`HIV infection`) stays as it is."""
    plain = name.translate({ord("|"): "/", ord(";"): ","})
    return plain if any(part.isupper() for part in surface_parts(plain)) else canonical(plain) or plain


def _leave_out_ambiguous(drafts: Mapping[str, _Draft], field: str, shipped: Lexicon, left_out: list[_LeftOut]) -> None:
    """A word of several concepts stays with the one whose name it is; one that is shipped, with its own concept."""
    owners: dict[tuple[str, ...], list[str]] = {}
    for preferred, draft in drafts.items():
        for parts in draft.words:
            owners.setdefault(parts, []).append(preferred)
    for preferred, draft in drafts.items():
        own = tuple(surface_parts(preferred))
        for parts, word in list(draft.words.items()):
            if parts == own:
                continue
            reason = "means several concepts" if len(owners[parts]) > 1 else ""
            known = _shipped_term(word, field, shipped)
            if known is not None and known.preferred != preferred:
                reason = "shipped with another meaning"
            if reason:
                del draft.words[parts]
                left_out.append(_LeftOut(word, draft.id, reason))


def _terms(drafts: Mapping[str, _Draft], settings: ImportSettings, name: str) -> Iterator[tuple[Term, list[str]]]:
    for preferred in sorted(drafts):
        draft = drafts[preferred]
        own = tuple(surface_parts(preferred))
        attributes = dict(draft.attributes)
        for key, values in (("parents", draft.parents), ("xrefs", draft.xrefs)):
            if values:
                attributes[key] = "|".join(value.replace(";", ",") for value in dict.fromkeys(values))
        term = Term(preferred, settings.field, draft.code, Attributes(attributes), name)
        yield term, [preferred, *(word for parts, word in draft.words.items() if parts != own)]


def _write(folder: Path, name: str, source: Path, entries: list[Entry], left_out: list[_LeftOut]) -> tuple[Path, Path]:
    """Makes all of a lexicon, compiled form too, in a folder aside, and only then puts it in the old one's place."""
    rows = ((entry.surface, entry.term.preferred, entry.term.field, *_described(entry)) for entry in entries)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for broken_off in folder.glob(f".{name}.import-*"):
            shutil.rmtree(broken_off, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix=f".{name}.import-", dir=folder))
        try:
            path, list_path = made / f"{name}.tsv", made / f"{name}.left_out.tsv"
            _write_rows(path, f"# Imported from {source.name} by caseframe.", COLUMNS, rows)
            _write_rows(
                list_path,
                f"# Left out of {name}.tsv, and why.",
                ("word", "concept", "reason"),
                ((item.word, item.id, item.reason) for item in left_out),
            )
            compile_lexicon(path, entries)
            write_index(names_path(path), [path], entries)
            _put_in_place((path, compiled_path(path), list_path), folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: {error.strerror or error}", "Give another folder with -o, or make room"
        ) from error
    return folder / path.name, folder / list_path.name


def _put_in_place(made: Sequence[Path], folder: Path) -> None:
    """Moves what was made into the folder, the rows first; where one cannot be moved, all is as it was.

    The rows change in one step. Killed after it, the new lexicon is whole: its compiled form says of which rows it is,
    so that the old one does not count.
    """
    kept = made[0].parent / "kept"
    kept.mkdir()
    done: list[Path] = []
    try:
        for new in made:
            place = folder / new.name
            if new.is_dir() and place.exists():
                place.rename(kept / new.name)
            elif place.exists():
                shutil.copy2(place, kept / new.name)
            done.append(place)
            new.replace(place)
    except BaseException:
        for place in reversed(done):
            if place.is_dir():
                shutil.rmtree(place)
            if (kept / place.name).exists():
                (kept / place.name).replace(place)
            else:
                place.unlink(missing_ok=True)
        raise


def _described(entry: Entry) -> tuple[str, str]:
    if entry.surface != entry.term.preferred:
        return "", ""
    return entry.term.code, ";".join(f"{key}={value}" for key, value in entry.term.attributes.items())


def _write_rows(path: Path, comment: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(f"{comment}\n")
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(header)
        writer.writerows(rows)
