"""A row a study for Covidence and RevMan: who, what was done, what came of it, under the heads of their forms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from caseframe.schema import FIELDS
from caseframe.tables.delimited import write_csv
from caseframe.tables.evidence import Evidence
from caseframe.tables.references import included, line, listed
from caseframe.tables.rows import Row

# The heads of RevMan's table of included studies, and the fields that go under each.
_PARTS = {
    "Participants": ("n_patients", "age", "sex", "diagnosis", "site", "metastasis", "comorbidity", "symptom"),
    "Interventions": ("procedure", "implant", "margin", "therapy"),
    "Outcomes": ("outcome", "complication", "recurrence", "disease_status", "vital_status", "follow_up", "measurement"),
    "Notes": ("imaging",),
}
COLUMNS = ("Study ID", "Title", "Authors", "Journal", "Year", "DOI", "PMID", "Methods", *_PARTS)
_INITIALS = re.compile(r"[A-Z]{1,3}\Z")


def write_studies(records: Iterable[Evidence], path: Path) -> int:
    """Writes a row for each article with a case; `records` is read twice. Gives the number of rows.

    Study IDs are RevMan's, `Name Year`, with a letter where several studies share one.
    """
    shared = Counter(map(_study, included(records)))
    used: Counter[str] = Counter()

    def row(evidence: Evidence) -> Row:
        article, study = evidence.article, _study(evidence.article)
        letter = _letters(used[study]) if shared[study] > 1 else ""
        used[study] += 1
        return {
            "Study ID": f"{study}{letter}",
            "Title": line(article["title"]),
            "Authors": "; ".join(listed(article["authors"])),
            "Journal": line(article["journal"]),
            "Year": article["year"],
            "DOI": line(article["doi"]),
            "PMID": line(article["pmid"]),
            "Methods": str(evidence.cases[0]["study_design"] or "").replace("_", " "),
            **{part: _told(evidence.cases, names) for part, names in _PARTS.items()},
        }

    return write_csv(path, (row(evidence) for evidence in records if evidence.cases), COLUMNS)


def _study(article: Row) -> str:
    """`Name Year`; the PMID or another id where the authors are not known."""
    authors = listed(article["authors"])
    name = _last_name(authors[0]) if authors else ""
    if not name:
        name = f"PMID {article['pmid']}" if article["pmid"] else str(article["article_id"])
    return f"{name} {article['year'] or ''}".strip()


def _last_name(author: str) -> str:
    """`Gu` of `Gu, Xiaoyong`, `Gu X` and `Xiaoyong Gu`; a group's name as it is."""
    if "," in author:
        return author.partition(",")[0].strip()
    words = author.split()
    if len(words) > 1 and _INITIALS.match(words[-1]):
        return " ".join(words[:-1])
    return words[-1] if len(words) in (2, 3) else author


def _letters(number: int) -> str:
    """a, b, … z, aa, ab …"""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _told(cases: Sequence[Row], names: Sequence[str]) -> str:
    """What the cases tell of some fields, `Age: 34 years; Sex: male`; several cases are numbered."""
    parts = []
    for case in cases:
        told = [f"{FIELDS[name].label}: {_value(name, case[name])}" for name in names if case[name] not in (None, "")]
        if told:
            parts.append((f"Case {case['case']}: " if len(cases) > 1 else "") + "; ".join(told))
    return " | ".join(parts)


def _value(name: str, value: object) -> str:
    if isinstance(value, int | float):
        unit = FIELDS[name].unit
        return f"{value:g}" + (f" {unit}{'' if value == 1 else 's'}" if unit else "")
    return str(value).replace("_", " ")
