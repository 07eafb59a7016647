"""A sheet of random findings for a person to judge, and the precision that the judgements come to.

    python benchmarks/judge_sheet.py articles ARTICLES.jsonl.gz some.jsonl [--number 700] [--without GOLD.jsonl ...]
    caseframe extract some.jsonl -o outputs/some
    python benchmarks/judge_sheet.py draw outputs/some sheet.csv [--number 100] [--read]
    python benchmarks/judge_sheet.py sum benchmarks/judged_findings.csv

`articles` takes random articles of a collection, none of those in the files of `--without` (JSON Lines with
`article_id`); `draw` takes random present findings of a run over them, so that each finding of the collection is as
likely as any other, and with `--read` prints each in its sentence. Both have a `--seed`. The sheet holds no sentence:
article, field, value, offsets into the article's text, and room for `verdict` (`right` or `wrong`, by docs/schema.md)
and `reason`. `sum` prints the precision by field and of all, with the 95 % interval of Wilson.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow.dataset as ds
from scipy.stats import binomtest

COLUMNS = ("article_id", "field", "value", "start", "end", "verdict", "reason")
VERDICTS = ("right", "wrong")

Row = dict[str, str]


def articles(collection: Path, chosen: Path, *, number: int, seed: int, without: Sequence[Path]) -> None:
    """Writes random articles of a collection of JSON Lines."""
    left_out = {_id_of(line) for path in without for line in path.read_text(encoding="utf-8").splitlines()}
    with gzip.open(collection, "rt", encoding="utf-8") as stream:
        lines = [line for line in stream if _id_of(line) not in left_out]
    chosen.write_text("".join(random.Random(seed).sample(lines, number)), encoding="utf-8")


def _id_of(line: str) -> str:
    return str(json.loads(line)["article_id"])


def present_findings(run: Path) -> list[Row]:
    """The present findings of a run, in an order that hangs on nothing but their content."""
    wanted = ["article_id", "field", "value", "start", "end", "text", "sentence"]
    table = ds.dataset(run / "findings").to_table(columns=wanted, filter=ds.field("assertion") == "present")
    rows = [{name: str(cell) for name, cell in row.items()} for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row["article_id"], row["field"], int(row["start"]), row["value"]))


def draw(run: Path, sheet: Path, *, number: int, seed: int, read: bool) -> None:
    """Writes the sheet; with `read` prints each finding with its words in its sentence."""
    rows = random.Random(seed).sample(present_findings(run), number)
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "verdict": "", "reason": ""} for row in rows)
    if read:
        for place, row in enumerate(rows, 1):
            print(f"{place} {row['article_id']} {row['field']}: {row['value']} | {row['text']} | {row['sentence']}")


def read_sheet(path: Path) -> list[Row]:
    """The rows of a judged sheet.

    Raises SystemExit, naming file and line, for a row without one of the two verdicts.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for line, row in enumerate(rows, 2):
        if row["verdict"] not in VERDICTS:
            raise SystemExit(f"{path}, line {line}: verdict {row['verdict']!r}; write one of {', '.join(VERDICTS)}")
    return rows


def precision(rows: Sequence[Row]) -> tuple[int, int, float, float]:
    """How many rows are right, how many there are, and the bounds of the share that is right."""
    right = sum(row["verdict"] == "right" for row in rows)
    interval = binomtest(right, len(rows)).proportion_ci(method="wilson")
    return right, len(rows), float(interval.low), float(interval.high)


def summarize(rows: Sequence[Row]) -> Iterable[str]:
    """One line a field, and one for all."""
    for field in (*sorted({row["field"] for row in rows}), "all"):
        right, count, low, high = precision([row for row in rows if field in (row["field"], "all")])
        yield f"{field:15} {right:3} of {count:3}  {right / count:.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    taking, drawing = commands.add_parser("articles"), commands.add_parser("draw")
    taking.add_argument("collection", type=Path)
    taking.add_argument("chosen", type=Path)
    taking.add_argument("--without", type=Path, nargs="*", default=[])
    drawing.add_argument("run", type=Path)
    drawing.add_argument("sheet", type=Path)
    drawing.add_argument("--read", action="store_true")
    for command, number in ((taking, 700), (drawing, 100)):
        command.add_argument("--number", type=int, default=number)
        command.add_argument("--seed", type=int, default=0)
    commands.add_parser("sum").add_argument("sheet", type=Path)
    given = parser.parse_args()
    if given.command == "articles":
        articles(given.collection, given.chosen, number=given.number, seed=given.seed, without=given.without)
    elif given.command == "draw":
        draw(given.run, given.sheet, number=given.number, seed=given.seed, read=given.read)
    else:
        print("\n".join(summarize(read_sheet(given.sheet))))


if __name__ == "__main__":
    main()
