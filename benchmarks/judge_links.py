"""A sheet of linked findings to judge by hand, how right the links are, and how many findings have one.

    caseframe extract case_report_abstracts.jsonl.gz -o RUN
    python benchmarks/judge_links.py draw RUN sheet.csv --number 150 --read    # tumors and sites, so many of each
    python benchmarks/judge_links.py sum benchmarks/judged_links.csv
    python benchmarks/judge_links.py cover RUN

A link is `right` where the code is that of what the words name, as exactly as the system has it: the morphology of the
tumor, whatever its place, grade or course; the site's own code in ICD-O-3, or that of the organ or region it belongs to
where ICD-O-3 has none for it. It is `broader` where a more exact code exists and the one given is of a thing that it is
a kind of or lies in, and `wrong` where it is neither. Whether the finding itself is right is not asked. Bounds are the
95 % interval of Wilson. Sentences are printed, never written.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow.dataset as ds
from scipy.stats import binomtest

COLUMNS = ("article_id", "field", "value", "start", "end", "code", "link_name", "link_score", "verdict", "reason")
VERDICTS = ("right", "broader", "wrong")
_SHOWN = ("groups", "attributes", "text", "sentence")
# A diagnosis is of a tumor by what stands above it, or by its words.
_TUMOR = re.compile(
    r"(?:\w{2}oma|tumor|cancer|neoplasm|neoplasia|malignancy|leukemia|carcinoid|sarcomatosis|carcinomatosis|"
    r"lymphoproliferative disease|mycosis fungoides|histiocytosis|myelodysplastic syndrome)(?: [a-z]{1,3})?(?: of .*)?"
    r"\Z"
)
_NO_TUMOR = re.compile(
    r"(?:hemat|granul|glauc|c|trach|scot|st|ather|staphyl|ser|bil|urin|tubercul|aspergill|hygr|mycet|cephalhemat|"
    r"syphil|gumm|coll?b|leishmani|empy|sympt|erythem|traum|mucor|rhinoscler|pneumat)oma?(?: of .*)?\Z|"
    r"ectoma|stoma\Z|disease|syndrome\Z"
)

Row = dict[str, str]


def is_tumor(row: Row) -> bool:
    """Whether a diagnosis is of a tumor, linked or not."""
    if '"behavior"' in row["attributes"] or "'neoplasm'" in row["groups"]:
        return True
    return bool(_TUMOR.search(row["value"])) and not _NO_TUMOR.search(row["value"].rsplit(" of ")[0])


def present(run: Path) -> dict[str, list[Row]]:
    """The present tumors and sites of a run, in an order that hangs on nothing but their content."""
    table = ds.dataset(run / "findings").to_table(
        columns=[*COLUMNS[:-2], *_SHOWN], filter=(ds.field("assertion") == "present")
    )
    rows = [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in table.to_pylist()]
    rows.sort(key=lambda row: (row["article_id"], row["field"], int(row["start"]), row["value"]))
    return {
        "tumor": [row for row in rows if row["field"] == "diagnosis" and is_tumor(row)],
        "site": [row for row in rows if row["field"] == "site"],
    }


def draw(run: Path, sheet: Path, *, number: int, seed: int, read: bool) -> None:
    """Writes the sheet; with `read` prints each finding with its words in its sentence."""
    chosen: list[Row] = []
    for rows in present(run).values():
        chosen += random.Random(seed).sample([row for row in rows if row["code"]], number)
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "verdict": "", "reason": ""} for row in chosen)
    for place, row in enumerate(chosen if read else (), 1):
        print(
            f"{place} {row['value']} -> {row['code']} {row['link_name']} {row['link_score']}"
            f" | {row['text']} | {row['sentence']}"
        )


def cover(run: Path) -> Iterable[str]:
    """How many of the present tumors and sites have a code, all findings counted."""
    for name, rows in present(run).items():
        coded = sum(bool(row["code"]) for row in rows)
        yield f"{name:6} {coded:,} of {len(rows):,} have a code: {coded / len(rows):.3f}"


def summarize(path: Path) -> Iterable[str]:
    """Right, broader and wrong for tumors, sites and all. Raises SystemExit for a row without a verdict."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for line, row in enumerate(rows, 2):
        if row["verdict"] not in VERDICTS:
            raise SystemExit(f"{path}, line {line}: verdict {row['verdict']!r}; write one of {', '.join(VERDICTS)}")
    for field in ("diagnosis", "site", "all"):
        of_field = [row["verdict"] for row in rows if field in (row["field"], "all")]
        right, broader = of_field.count("right"), of_field.count("broader")
        bounds = binomtest(right, len(of_field)).proportion_ci(method="wilson")
        yield (
            f"{field:9} right {right} of {len(of_field)} = {right / len(of_field):.3f} ({bounds.low:.3f} to "
            f"{bounds.high:.3f}), broader {broader}, right or broader {(right + broader) / len(of_field):.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw")
    drawing.add_argument("run", type=Path)
    drawing.add_argument("sheet", type=Path)
    drawing.add_argument("--read", action="store_true")
    drawing.add_argument("--number", type=int, default=150)
    drawing.add_argument("--seed", type=int, default=0)
    commands.add_parser("cover").add_argument("run", type=Path)
    commands.add_parser("sum").add_argument("sheet", type=Path)
    given = parser.parse_args()
    if given.command == "draw":
        draw(given.run, given.sheet, number=given.number, seed=given.seed, read=given.read)
    else:
        print("\n".join(cover(given.run) if given.command == "cover" else summarize(given.sheet)))


if __name__ == "__main__":
    main()
