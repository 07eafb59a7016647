"""The columns of tables and the keys of JSON objects: which of them is the title, the abstract, the PMID, and so on.

Names are known by themselves, whatever their case and punctuation (`Article Title`, `article_title`, `TI`); the column
map of the options comes first, and what it names must be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from caseframe.errors import MissingColumn
from caseframe.schema import Article, MeshHeading, Origin, fold_space
from caseframe.sources.abstracts import cut_copyright, split_labels
from caseframe.sources.dates import parse_date
from caseframe.sources.identifiers import clean_pmcid, clean_pmid, find_doi
from caseframe.sources.languages import language_code
from caseframe.sources.medline import mesh_heading
from caseframe.sources.plain import title_and_paragraphs
from caseframe.sources.titles import clean_title

Cell = str | Sequence[str] | Sequence[tuple[str, str]]
"""A value: text, a list of texts, or labelled parts."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title", "article_title", "ti", "document_title", "primary_title", "paper_title", "titel", "titre", "t1"),
    "abstract": (
        "abstract", "abstract_text", "ab", "abstracts", "article_abstract", "abstract_note", "summary", "n2",
        "abstracttext", "paper_abstract", "resumen", "resume",
    ),
    "sections": ("sections", "abstract_sections"),
    "text": ("text", "content", "full_text", "fulltext", "document", "case_text", "patient", "body_text"),
    "body": ("body", "main_text"),
    "pmid": ("pmid", "pubmed_id", "pubmedid", "pm_id", "uid", "pubmed"),
    "pmcid": ("pmcid", "pmc_id", "pmc", "pmcid_id"),
    "doi": ("doi", "article_doi", "digital_object_identifier", "di"),
    "journal": (
        "journal", "journal_title", "journal_book", "source_title", "publication_title", "journal_name", "so", "jt",
        "secondary_title", "container_title", "ta",
    ),
    "date": ("date", "publication_date", "pub_date", "pubdate", "date_published", "dp"),
    "year": ("year", "publication_year", "pub_year", "year_published", "py", "yr"),
    "language": ("language", "lang", "la", "language_of_original_document"),
    "keywords": ("keywords", "author_keywords", "keyword", "kw", "ot", "de", "manual_tags", "key_words"),
    "publication_types": (
        "publication_types", "publication_type", "article_type", "document_type", "pt", "pub_type", "pub_types", "dt",
        "type_of_article",
    ),
    "mesh": ("mesh", "mesh_terms", "mesh_headings", "mh"),
    "authors": ("authors", "author", "au", "author_names", "creators"),
    "vernacular_title": ("vernacular_title", "original_title"),
    "article_id": ("article_id", "id", "record_id", "document_id", "doc_id", "key"),
}  # fmt: skip
TEXTS: Final = frozenset({"title", "abstract", "sections", "text", "body"})
_CURE: Final = "Name it in the config, e.g. input: {columns: {abstract: Summary}}, or rename the column"
_LISTS: Final = re.compile(r"\s*[;|\n]\s*")


def normal_name(name: str) -> str:
    """A name without case and punctuation: `Article Title` is `article_title`."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def known_columns(names: Iterable[str]) -> dict[str, str]:
    """Article attribute -> the name of the column that holds it, as far as names tell; `articleTitle` is known too."""
    normal: dict[str, str] = {}
    for name in names:
        normal.setdefault(normal_name(name), name)
        normal.setdefault(normal_name(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)), name)
    found = {}
    for attribute, candidates in NAMES.items():
        for candidate in candidates:
            if candidate in normal:
                found[attribute] = normal[candidate]
                break
    return found


def map_columns(names: Sequence[str], columns: Mapping[str, str], file: str) -> dict[str, str]:
    """Article attribute -> column. The map given goes before the names' own meaning.

    Raises `MissingColumn` where a mapped column is not there, or none holds text.
    """
    here = ", ".join(name.strip() for name in names[:40]) or "none"
    check_attributes(columns)
    mapped = {}
    for attribute, column in columns.items():
        actual = _actual_name(column, names)
        if actual is None:
            raise MissingColumn(f"{file} has no column {column!r} for the {attribute}; its columns are: {here}", _CURE)
        mapped[attribute] = actual
    taken = set(mapped.values())
    automatic = {key: name for key, name in known_columns(names).items() if name not in taken}
    result = {**automatic, **mapped}
    if not TEXTS & result.keys():
        raise MissingColumn(f"{file} has no column with a title or an abstract; its columns are: {here}", _CURE)
    return result


def check_attributes(columns: Mapping[str, str]) -> None:
    """Refuses a map of something that an article does not have."""
    for attribute in columns:
        if attribute not in NAMES:
            raise MissingColumn(
                f"The column map names {attribute!r}, which articles do not have",
                f"Use one of: {', '.join(NAMES)}",
            )


def _actual_name(column: str, names: Sequence[str]) -> str | None:
    """The column as the file spells it: the same, else the only one that differs in case or blanks."""
    if column in names:
        return column
    alike = [name for name in names if name.strip("\ufeff ").casefold() == column.strip().casefold()]
    return alike[0] if len(alike) == 1 else None


def article(values: Mapping[str, Cell], origin: Origin, *, body: bool = False) -> Article:
    """The article of a row or object, its values by article attribute."""
    title, parts = _title_and_abstract(values)
    dated = parse_date(_text(values, "date"))
    year = parse_date(_text(values, "year"))
    pmid = clean_pmid(_text(values, "pmid"))
    pmcid = clean_pmcid(_text(values, "pmcid"))
    doi = find_doi(_text(values, "doi"))
    own_id = _text(values, "article_id")
    if own_id and not pmid and own_id.startswith("pmid:"):
        pmid = clean_pmid(own_id)
    return Article.build(
        article_id="" if pmid or pmcid or doi else own_id,
        title=title,
        abstract=parts,
        body=[("", paragraph) for paragraph in _text(values, "body", fold=False).splitlines()] if body else (),
        pmid=pmid,
        pmcid=pmcid,
        doi=doi,
        origin=origin,
        vernacular_title=clean_title(_text(values, "vernacular_title")),
        authors=_items(values, "authors"),
        journal=_text(values, "journal"),
        year=year[0] or dated[0],
        date=dated[1] if dated[0] and (year[0] in (None, dated[0])) else year[1],
        language=language_code(_items(values, "language")[0] if _items(values, "language") else ""),
        publication_types=_items(values, "publication_types"),
        mesh=_mesh(values),
        keywords=_items(values, "keywords"),
    )


def _title_and_abstract(values: Mapping[str, Cell]) -> tuple[str, list[tuple[str, str]]]:
    """The title and the parts of the abstract: of the abstract, else the sections, else the text."""
    title = _text(values, "title")
    for attribute in ("abstract", "sections"):
        if parts := _parts(values.get(attribute, "")):
            return title, parts
    whole = _text(values, "text", fold=False)
    if title:
        # The text may begin with the title, which it must not do twice.
        first, _, rest = whole.strip().partition("\n")
        if fold_space(first).rstrip(".") == title.rstrip("."):
            whole = rest
        return title, [("", line) for line in whole.splitlines()]
    found, paragraphs = title_and_paragraphs(whole.splitlines())
    return found, [("", paragraph) for paragraph in paragraphs]


def _parts(cell: Cell) -> list[tuple[str, str]]:
    """The labelled parts of a cell."""
    if isinstance(cell, str):
        text = cut_copyright(cell.strip())
        return split_labels(text) if text else []
    parts = [("", item) if isinstance(item, str) else (item[0], item[1]) for item in cell]
    return [part for part in parts if part[1].strip()]


def _text(values: Mapping[str, Cell], attribute: str, *, fold: bool = True) -> str:
    cell = values.get(attribute, "")
    if not isinstance(cell, str):
        cell = "\n".join(item if isinstance(item, str) else item[1] for item in cell)
    return fold_space(cell) if fold else cell


def _items(values: Mapping[str, Cell], attribute: str) -> tuple[str, ...]:
    """The items of a list, or of text in which `;`, `|` or line ends part them; commas only where there is no other."""
    cell = values.get(attribute, "")
    if isinstance(cell, str):
        parts: Iterable[str] = _LISTS.split(cell)
        if attribute == "keywords" and not _LISTS.search(cell.strip()) and cell.count(",") > 1:
            parts = cell.split(",")
        if cell.startswith("[") and cell.endswith("]"):
            parts = (part.strip(" '\"") for part in cell[1:-1].split(","))
    else:
        parts = (item if isinstance(item, str) else item[1] for item in cell)
    return tuple(dict.fromkeys(text for part in parts if (text := fold_space(part))))


def _mesh(values: Mapping[str, Cell]) -> tuple[MeshHeading, ...]:
    return tuple(mesh_heading(item) for item in _items(values, "mesh") if item.strip("*/ "))
