"""Writes CaseFrame's lexicons as one plain TSV file, for systems whose environment has no caseframe.

    python benchmarks/peers/export_lexicon.py .peers/lexicon.tsv

One line a surface form: `form`, `field`, `case`. `case` is `exact` for short words in capitals, which CaseFrame never
lets meet an everyday word (`ALL`, `GIST`), else `any`. When CaseFrame matches, it folds plurals, British spellings,
hyphens and apostrophes. So that the peers know as much, these variants are written out.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from lexicon import COLUMNS, Form

from caseframe.lexicons import Entry, builtin_entries
from caseframe.lexicons.folding import american

_BRITISH = (
    (r"tumor", "tumour"),
    (r"(?<!o)edem", "oedem"),
    (r"(?<!o)esoph", "oesoph"),
    (r"rrhea", "rrhoea"),
    (r"pnea", "pnoea"),
    (r"(?<!a)emi(?=a|c)", "aemi"),
    (r"\bhem(?=at|or|op|og|ol|ang)", "haem"),
    (r"\bfet(?=al|us)", "foet"),
    (r"\bpediatr", "paediatr"),
    (r"nesthe", "naesthe"),
    (r"cesarean", "caesarean"),
    (r"ization", "isation"),
)


def forms(entries: Iterable[Entry]) -> Iterator[Form]:
    """The forms of lexicon rows, each once a field, in order."""
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        for form in variants(entry.surface):
            exact = bool(re.fullmatch(r"[A-Z]{2,5}s?", form))
            key = form if exact else form.lower(), entry.term.field
            if key not in seen:
                seen.add(key)
                yield Form(form, entry.term.field, exact)


def variants(surface: str) -> Iterator[str]:
    """The form and its other ways of writing: possessive, hyphens, British spelling, and each in the plural."""
    plain = surface.replace("’", "'")
    bare = plain.replace("'s ", " ")
    spaced = re.sub("[-_]", " ", bare)
    for form in dict.fromkeys((plain, plain.replace("'", "’"), bare, spaced, british(bare), british(spaced))):
        yield form
        if re.search(r"[a-z]$", form):
            yield plural(form)


def british(form: str) -> str:
    """The British spelling of each word that CaseFrame folds back to the word: `oedema` for `edema`."""
    return " ".join(_british_word(word) for word in form.split(" "))


@cache
def _british_word(word: str) -> str:
    spelling = word
    for pattern, replacement in _BRITISH:
        spelling = re.sub(pattern, replacement, spelling)
    return spelling if american(spelling.lower()) == american(word.lower()) else word


def plural(form: str) -> str:
    """The plural of the last word: `biopsy` gives `biopsies`. A form in the plural stays as it is."""
    for ending, many in (("[^aeiou]y", "ies"), ("sis", "ses"), ("ss|x|ch|sh", None), ("s", "")):
        if re.search(f"(?:{ending})$", form):
            if many is None:
                return form + "es"
            return form[: len(form) - (3 if ending == "sis" else 1)] + many if many else form
    return form + "s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, help="the TSV file to write")
    path = parser.parse_args().file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writerow(COLUMNS)
        for form in forms(builtin_entries()):
            writer.writerow((form.form, form.field, "exact" if form.exact else "any"))


if __name__ == "__main__":
    main()
