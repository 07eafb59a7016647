"""UMLS MRCONSO.RRF, line by line: for those who have its licence."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import BinaryIO

from caseframe.errors import LexiconError
from caseframe.lexicons.readers.base import Concept, lines_of

# https://www.ncbi.nlm.nih.gov/books/NBK9685/, table of MRCONSO
_CUI, _LANGUAGE, _TERM_STATUS, _STRING_TYPE, _IS_PREFERRED = 0, 1, 2, 4, 6
_SOURCE, _CODE, _STRING, _SUPPRESS, _COLUMNS = 11, 13, 14, 16, 18


def read_mrconso(stream: BinaryIO, file: str, vocabularies: Collection[str] = ()) -> Iterator[Concept]:
    """The English, unsuppressed names by CUI, the preferred one first; of some source vocabularies, or of all.

    The lines of a CUI stand together, as the UMLS writes them, so that memory does not grow with the file. Raises
    LexiconError for lines without the 18 columns.
    """
    for cui, rows in groupby(_rows(stream, file, vocabularies), key=lambda row: row[1][_CUI]):
        group = list(rows)
        best = min(group, key=lambda row: _rank(row[1]))
        names = dict.fromkeys(row[_STRING] for _, row in group)
        xrefs = dict.fromkeys(f"{row[_SOURCE]}:{row[_CODE]}" for _, row in group if row[_CODE] != "NOCODE")
        others = tuple(name for name in names if name != best[1][_STRING])
        yield Concept(f"UMLS:{cui}", best[1][_STRING], others, xrefs=tuple(xrefs), place=f"line {group[0][0]}")


def _rows(stream: BinaryIO, file: str, vocabularies: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in lines_of(stream, file):
        row = line.split("|")
        if len(row) < _COLUMNS:
            raise LexiconError(
                f"{file}, line {number}: {len(row)} of 18 columns", "Give MRCONSO.RRF as the UMLS has it"
            )
        if row[_LANGUAGE] == "ENG" and row[_SUPPRESS] == "N" and (not vocabularies or row[_SOURCE] in vocabularies):
            yield number, row


def _rank(row: list[str]) -> tuple[bool, bool, bool]:
    return row[_TERM_STATUS] != "P", row[_STRING_TYPE] != "PF", row[_IS_PREFERRED] != "Y"
