"""The report: one HTML file that needs no network, and beside it a folder with every picture as SVG, PNG and CSV.

Text from articles enters the page as escaped text, or as data that its script shows through `textContent`; the page's
content policy allows no script but its own. The same run gives the same bytes.
"""

from __future__ import annotations

import itertools
import json
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from caseframe.errors import OutputError
from caseframe.pages.figures import figure_of, save_figure, svg_element
from caseframe.pages.render import write_page
from caseframe.pages.text import counted, shortened, visible
from caseframe.report.facts import Facts, coverage, facts_of
from caseframe.report.flow import Step, flow, reason
from caseframe.report.packing import Packer
from caseframe.report.pictures import Picture, all_pictures, picture_flow, picture_survival
from caseframe.report.survival import LEAST, Sample, implant_survival, kaplan_meier, recurrence_free
from caseframe.schema import FIELDS
from caseframe.tables.choosing import FindingCondition, chosen_cases, unmet
from caseframe.tables.delimited import write_csv
from caseframe.tables.evidence import Evidence, Run

MOST_CASES = 10_000
"""Cases in the table of a page; pictures and counts have all."""
MOST_FAILURES = 20
BIAS = (
    "Pooled from published case reports: the unusual is reported more often, follow-up is short, and what an abstract "
    "leaves out is missing. The curve describes these reports, not the risk of a patient."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the page holds it; without SVG where the cases give none, as the caption then says."""

    name: str
    title: str
    caption: str
    svg: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was written: the page, the folder of pictures, how many cases the page's table lacks."""

    page: Path
    pictures: Path
    cases: int
    cases_left_out: int


def write_report(
    run: Run,
    out: Path | None = None,
    *,
    reviewed: Iterable[Evidence] | None = None,
    where: Sequence[FindingCondition] = (),
) -> Report:
    """Writes the report of a run to `out` (default: `report.html` in the run), its pictures to a folder beside it.

    `reviewed` are the run's articles with corrected values, which the report then shows instead of the run's own. With
    `where` it shows the cases that meet all these conditions.
    Raises RunError where the run cannot be read, OutputError where the report cannot be written.
    """
    out = out or run.path / "report.html"
    if out.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{out} is no name of a page", "Give a file that ends in .html with -o")
    pictures = out.with_name(f"{out.stem}_figures")
    try:
        pictures.mkdir(parents=True, exist_ok=True)
        return _write(run, out, pictures, reviewed, where)
    except OSError as error:
        raise OutputError(
            f"{error.filename or out}: {error.strerror or error}", "Give a place that can be written with -o"
        ) from error


def _write(
    run: Run, out: Path, folder: Path, reviewed: Iterable[Evidence] | None, where: Sequence[FindingCondition]
) -> Report:
    packer, cases, excluded = _collected(run if reviewed is None else reviewed, where)
    kinds = Counter(case.kind for case in cases)
    steps = flow(run.info, excluded, kinds)
    flow_picture, *others = (_shown(picture, folder) for picture in _pictures(cases, steps))
    left_out = max(0, len(cases) - len(packer.cases))
    filled = _filled(cases, folder)
    failures = _failures(run.path / "failures.jsonl")
    page = {
        "title": "Evidence report",
        "meta": _meta(run, where),
        "reviewed": reviewed is not None,
        "brief": list(_in_brief(cases, excluded)),
        "flow": flow_picture,
        "pictures": others,
        "survival": [_shown(part, folder) if isinstance(part, Picture) else part for part in _survival(cases)],
        "bias": BIAS,
        "coverage": filled,
        "cases": counted(len(cases), "case"),
        "table_cases": f"{len(packer.cases):,}",
        "left_out": f"{left_out:,}" if left_out else "",
        "failures": failures,
        "failed": f"{run.info['counts'].get('failed', 0):,}",
        "folder": folder.name,
        "config": visible(json.dumps(run.info["config"], indent=2, ensure_ascii=False)),
        "data": Markup(packer.packed()),
    }
    write_page(out, "caseframe.report", "report.html.j2", page, script="table.js.j2")
    return Report(out, folder, len(cases), left_out)


def _collected(run: Iterable[Evidence], where: Sequence[FindingCondition]) -> tuple[Packer, list[Facts], Counter[str]]:
    packer, excluded = Packer(), Counter[str]()
    cases: list[Facts] = []
    for whole in run:
        evidence = replace(whole, cases=tuple(chosen_cases(where, whole.cases, whole.findings)))
        cases.extend(facts_of(evidence))
        if why := reason(whole) or ("" if evidence.cases else f"not {unmet(where, whole.cases, whole.findings)}"):
            excluded[why] += 1
        elif len(packer.cases) + len(evidence.cases) <= MOST_CASES:
            packer.add(evidence)
    return packer, cases, excluded


def _pictures(cases: Sequence[Facts], steps: Sequence[Step]) -> Iterator[Picture]:
    yield picture_flow(steps)
    yield from all_pictures(cases)


def _survival(cases: Sequence[Facts]) -> Iterator[Picture | Shown]:
    """A curve where there are enough patients, else a sentence that says why there is none."""
    kinds = (
        (
            "recurrence_free",
            "Recurrence-free",
            recurrence_free(cases),
            "Patients enter whose text says whether the disease came back; they leave at recurrence or at the last "
            "time told free of it.",
        ),
        (
            "implant_survival",
            "Implant survival",
            implant_survival(cases),
            "Patients with an implant leave at its loosening, breakage, migration, dislocation, infection or revision, "
            "or at the end of follow-up; what is not told counts as not happened.",
        ),
    )
    for name, title, sample, meaning in kinds:
        if sample.events and len(sample.months) >= LEAST:
            yield picture_survival(name, title, sample, kaplan_meier(sample), meaning)
        else:
            yield Shown(name, title, _too_few(sample))


def _too_few(sample: Sample) -> str:
    left_out = "; ".join(f"{why}: {count:,}" for why, count in sorted(sample.left_out.items()))
    told = f"{counted(len(sample.months), 'patient')} with a time, {counted(sample.events, 'event')}"
    return f"No curve: {told}; it takes {LEAST} patients and an event." + (
        f" Left out: {left_out}." if left_out else ""
    )


def _shown(picture: Picture, folder: Path) -> Shown:
    """Writes a picture's files and gives it for the page."""
    stem = folder / picture.name
    header, rows = picture.data
    write_csv(stem.with_suffix(".csv"), (dict(zip(header, row, strict=True)) for row in rows), header)
    with figure_of(picture.height, picture.width) as figure:
        picture.draw(figure)
        save_figure(figure, stem)
        svg = svg_element(figure, picture.name.replace("_", "-"), picture.title, picture.words)
    return Shown(picture.name, picture.title, picture.caption, Markup(svg))


def _filled(cases: Sequence[Facts], folder: Path) -> list[dict[str, object]]:
    """Every field with the cases that have it and those that lack it; written as `coverage.csv` too."""
    rows = [
        {"field": name, "label": FIELDS[name].label, "told": count, "missing": len(cases) - count}
        for name, count in coverage(cases)
    ]
    write_csv(folder / "coverage.csv", rows, ("field", "label", "told", "missing"))
    return [{**row, "share": round(100 * int(str(row["told"])) / max(1, len(cases)))} for row in rows]


def _meta(run: Run, where: Sequence[FindingCondition]) -> str:
    info = run.info
    parts = [f"CaseFrame {info.get('caseframe', '')}".strip(), f"run {run.path.resolve().name}"]
    parts += [f"condition {condition}" for condition in info["config"].get("select", {}).get("where", [])]
    parts += [f"cases with {condition}" for condition in where]
    return visible(" · ".join(parts))


def _in_brief(cases: Sequence[Facts], excluded: Mapping[str, int]) -> Iterator[str]:
    kinds = Counter(case.kind for case in cases)
    yield (
        f"{counted(len(cases), 'case')}: {counted(kinds['patient'], 'patient')} told singly, "
        f"{counted(kinds['cohort'], 'group')} told together."
        if cases
        else f"No case was found in {counted(sum(excluded.values()), 'article')}."
    )
    ages = [case.age for case in cases if case.kind == "patient" and case.age is not None]
    sexes = Counter(case.sex for case in cases if case.kind == "patient")
    if ages and sexes["female"] + sexes["male"]:
        share = 100 * sexes["female"] / (sexes["female"] + sexes["male"])
        yield (
            f"Median age {statistics.median(ages):g} years (n = {len(ages):,}); {share:.0f} % are female, of those "
            "whose sex is told."
        )
    for words, names in (
        ("diagnoses", [name for case in cases for name in case.diagnoses]),
        ("procedures", [name for case in cases for name, _ in case.procedures]),
    ):
        most = ", ".join(f"{visible(shortened(name, 60))} ({count:,})" for name, count in _ranked(names)[:5])
        if most:
            yield f"Most frequent {words}: {most}."
    follow_up = [case.follow_up for case in cases if case.follow_up]
    if follow_up:
        median = statistics.median(follow_up)
        yield f"Follow-up is told of {counted(len(follow_up), 'case')}, median {median:g} months."


def _ranked(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items(), key=lambda entry: (-entry[1], entry[0]))


def _failures(path: Path) -> list[dict[str, str]]:
    """The first failures: where, what, what to do."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as stream:
        return [_failure(line) for line in itertools.islice(stream, MOST_FAILURES)]


def _failure(line: str) -> dict[str, str]:
    try:
        row = json.loads(line)
    except ValueError:
        row = {"message": "a line of failures.jsonl that cannot be read"}
    where = f"{row.get('file', '')}, record {row.get('record', '')}" if row.get("file") else ""
    return {
        "where": shortened(visible(where)),
        "what": shortened(visible(row.get("message", "")), 300),
        "cure": shortened(visible(row.get("cure", "")), 300),
    }
