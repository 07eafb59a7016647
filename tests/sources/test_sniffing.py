"""Each format's own sample is taken by its reader alone; plain text is the last resort."""

from __future__ import annotations

import pytest

from caseframe.sources import bioc_format, delimited, jsonl, medline, plain, pubmed_page, pubmed_text, pubtator, ris

READERS = {
    reader.FORMAT: reader
    for reader in (medline, pubmed_text, pubmed_page, ris, bioc_format, pubtator, delimited, jsonl)
}
TAKEN_BY = {
    "medline": "medline",
    "pubmed_text": "pubmed_text",
    "pubmed_page": "pubmed_page",
    "ris": "ris",
    "bioc xml": "bioc",
    "bioc json": "bioc",
    "pubtator": "pubtator",
    "csv": "delimited",
    "tsv": "delimited",
    "jsonl": "jsonl",
    "json": "jsonl",
    "plain": None,
    "pubmed xml": None,
    "jats": None,
}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_matrix(samples: dict[str, tuple[str, str]], mark: str, end: str) -> None:
    taken = {
        sample: [name for name, reader in READERS.items() if reader.sniff(mark + text.replace("\n", end), file)]
        for sample, (file, text) in samples.items()
    }
    assert taken == {sample: [name] if name else [] for sample, name in TAKEN_BY.items()}


def test_names_without_suffix_are_enough(samples: dict[str, tuple[str, str]]) -> None:
    for sample, (_, text) in samples.items():
        taken = [name for name, reader in READERS.items() if reader.sniff(text, "stdin")]
        assert taken == ([TAKEN_BY[sample]] if TAKEN_BY[sample] else []), sample


def test_plain_takes_what_looks_like_text(samples: dict[str, tuple[str, str]]) -> None:
    assert plain.sniff(samples["plain"][1], "a.txt")
    assert not any(plain.sniff(text, file) for sample, (file, text) in samples.items() if file != "x.txt")


def test_prose_about_formats_is_prose() -> None:
    for text in (
        "Title and abstract, pmid and doi are columns.\nWe explain them.\n",
        "The PMID: what is it?\nAbstract\nA number.\n",
        "1. We opened the hip in 2001. It was fine.\n\nThen we closed it.\n",
        "We write TY  - in notes.\nAnd TI  - too.\n",
    ):
        assert not [name for name, reader in READERS.items() if reader.sniff(text, "a.txt")], text
