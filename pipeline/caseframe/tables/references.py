"""RIS and BibTeX of the included articles, for reference managers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from caseframe.tables.evidence import Evidence
from caseframe.tables.files import file_stem, whole_file
from caseframe.tables.rows import Row

# What TeX takes for its own, and what it takes instead.
_TEX = {
    "\\": r"{\textbackslash}", "{": r"{\textbraceleft}", "}": r"{\textbraceright}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"{\textasciitilde}", "^": r"{\textasciicircum}",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _TEX)))


def write_ris(records: Iterable[Evidence], path: Path) -> int:
    """Writes a RIS record for each article with a case; gives their number."""
    count = 0
    with whole_file(path) as stream:
        for article in included(records):
            count += 1
            stream.writelines(f"{tag}  - {value}".rstrip(" ") + "\n" for tag, value in _ris(article))
            stream.write("\n")
    return count


def write_bibtex(records: Iterable[Evidence], path: Path) -> int:
    """Writes an entry, in UTF-8, for each article with a case; gives their number."""
    count = 0
    with whole_file(path) as stream:
        for article in included(records):
            count += 1
            fields = "".join(f"  {name} = {{{value}}},\n" for name, value in _bibtex(article) if value)
            stream.write(f"@article{{caseframe:{file_stem(str(article['article_id']))},\n{fields}}}\n\n")
    return count


def included(records: Iterable[Evidence]) -> Iterator[Row]:
    """The articles that have a case."""
    return (evidence.article for evidence in records if evidence.cases)


def line(value: object) -> str:
    """A value in one line; empty for none."""
    return "" if value is None else " ".join(str(value).split())


def listed(value: object) -> list[str]:
    """The entries of a list cell."""
    return [line(each) for each in value] if isinstance(value, list | tuple) else []


def abstract_of(article: Row) -> str:
    """The text without the title."""
    title, text = str(article["title"] or ""), str(article["text"] or "")
    return text[len(title) :].strip() if title and text.startswith(title) else text


def _ris(article: Row) -> Iterator[tuple[str, str]]:
    yield "TY", "JOUR"
    pmid, pmcid, doi = (line(article[name]) for name in ("pmid", "pmcid", "doi"))
    single = (
        ("TI", line(article["title"])),
        ("T2", line(article["journal"])),
        ("PY", line(article["year"])),
        ("DA", line(article["date"]).replace("-", "/")),
        ("AB", line(abstract_of(article))),
        ("DO", doi),
        ("DB", "PubMed" if pmid else ""),
        ("AN", pmid),
        ("C2", pmcid),
        ("LA", line(article["language"])),
        ("UR", f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid else ""),
        ("ID", line(article["article_id"])),
    )
    yield from ((tag, value) for tag, value in single if value)
    yield from (("AU", name) for name in listed(article["authors"]))
    yield from (("KW", word) for word in listed(article["keywords"]))
    yield "ER", ""


def _bibtex(article: Row) -> Iterator[tuple[str, str]]:
    yield "author", " and ".join(_tex(name) for name in listed(article["authors"]))
    title = _tex(line(article["title"]))
    yield "title", f"{{{title}}}" if title else ""
    for name in ("journal", "year", "pmid", "pmcid"):
        yield name, _tex(line(article[name]))
    doi = line(article["doi"])
    yield "doi", _tex(doi) if set(doi) & set("{}\\%") else doi  # a field that is read as it stands
    yield "keywords", ", ".join(_tex(word) for word in listed(article["keywords"]))


def _tex(text: str) -> str:
    return _SPECIAL.sub(lambda match: _TEX[match[0]], text)
