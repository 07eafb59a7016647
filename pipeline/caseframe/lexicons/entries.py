"""A term and its surface forms, and the folded parts by which texts meet them."""

from __future__ import annotations

from dataclasses import dataclass

from caseframe.lexicons.folding import fold_parts
from caseframe.schema import Attributes


@dataclass(frozen=True, slots=True)
class Term:
    """A concept of a lexicon: its preferred name, the field it fills, its code and attributes."""

    preferred: str
    field: str
    code: str = ""
    attributes: Attributes = Attributes()
    lexicon: str = ""

    @property
    def key(self) -> str:
        """Stable id, used as a span's `kb_id_`."""
        return f"{self.field}:{self.preferred}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One surface form of a term, as a row of a lexicon file gives it."""

    surface: str
    term: Term


def surface_variants(surface: str) -> list[list[str]]:
    """The folded parts of the forms that a row stands for: as it is, and without its 's."""
    plain = surface.replace("’", "'")
    forms = (plain, plain.replace("'s ", " ")) if "'s " in plain else (plain,)
    return list(map(surface_parts, forms))


def surface_parts(surface: str) -> list[str]:
    """The folded parts of a term or a stretch of text, split as the tokenizer splits (blank, possessive, comma)."""
    plain = surface.replace("’", "'").replace("'s ", " 's ")
    words = plain.replace(",", " , ").replace("(", " ( ").replace(")", " ) ").split()
    return [part for word in words for part in fold_parts(word)]
