"""Article ids as people write them, brought to one form: `28120579`, `PMC5290028`, `10.3349/ymj.2017.58.2.453`."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

_PMID: Final = re.compile(
    r"(?:(?:pmid|pubmed(?:\s*id)?)\s*[:#_-]?\s*|\S*pubmed\.ncbi\.nlm\.nih\.gov/|\S*ncbi\.nlm\.nih\.gov/(?:m/)?pubmed/)?"
    r"([1-9]\d{0,8})(?:\.0)?/?",
    re.IGNORECASE,
)
_PMID_TOLD: Final = re.compile(
    r"(?:\bPMID\s*[:#_-]?\s*|pubmed\.ncbi\.nlm\.nih\.gov/|ncbi\.nlm\.nih\.gov/(?:m/)?pubmed/)([1-9]\d{0,8})(?!\d)",
    re.IGNORECASE,
)
_PMCID: Final = re.compile(r"(?<![A-Za-z0-9])PMC[\s:_-]?(\d{1,9})(?!\d)", re.IGNORECASE)
_DOI: Final = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_FILE_PMID: Final = re.compile(r"(?:pmid[:_-]?)?([1-9]\d{5,8})", re.IGNORECASE)
_FILE_PMCID: Final = re.compile(r"PMC[_-]?(\d{1,9})", re.IGNORECASE)


def clean_pmid(text: str) -> str:
    """The digits of a PMID given as number, `PMID: …`, address or `28120579.0`; empty for anything else."""
    found = _PMID.fullmatch(text.strip())
    return found[1] if found else ""


def find_pmid(text: str) -> str:
    """A PMID that is called one, or stands in a PubMed address, anywhere in the text."""
    found = _PMID_TOLD.search(text)
    return found[1] if found else ""


def find_pmcid(text: str) -> str:
    """The first `PMC…` of the text, in capitals."""
    found = _PMCID.search(text)
    return f"PMC{found[1]}" if found else ""


def clean_pmcid(text: str) -> str:
    """A PMCID with its letters, given with or without them; empty for anything else."""
    text = text.strip().removesuffix(".0")
    return f"PMC{text}" if text.isascii() and text.isdigit() and text != "0" else find_pmcid(text)


def find_doi(text: str) -> str:
    """The first DOI of the text, without address and closing punctuation."""
    found = _DOI.search(text)
    if not found:
        return ""
    doi = found[0].rstrip(".,;:'’”")
    while doi.endswith((")", "]")) and doi.count(")") + doi.count("]") > doi.count("(") + doi.count("["):
        doi = doi[:-1].rstrip(".,;")
    return doi


def ids_of_file(file: str) -> tuple[str, str]:
    """PMID and PMCID that a file's name is: `28120579.txt`, `PMC5290028.txt`.

    A PMID has six digits or more here, since files are often just numbered.
    """
    stem = PurePosixPath(file.replace("\\", "/").replace("!", "/")).name.partition(".")[0]
    pmid, pmcid = _FILE_PMID.fullmatch(stem), _FILE_PMCID.fullmatch(stem)
    return pmid[1] if pmid else "", f"PMC{pmcid[1]}" if pmcid else ""
