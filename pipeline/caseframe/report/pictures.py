"""The pictures of a report: who the patients are, what was done, how they did. Each comes with its data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.ticker import MaxNLocator

from caseframe.pages.figures import GRID, HEAT, INK, MUTED, SERIES, WIDTH, add_legend, axis_label
from caseframe.pages.text import counted
from caseframe.report.facts import Facts
from caseframe.report.flow import Box, Step
from caseframe.report.survival import Curve, Sample, at_risk

UNTOLD = "not told"
REST = "other"
MOST_PATIENTS = 60
"""Bars of a swimmer plot at most."""
Data = tuple[tuple[str, ...], list[tuple[object, ...]]]
"""Header and rows of the data behind a picture."""
# Without the slate, which looks like the grey of what is not told.
_HUES = (*SERIES[:6], *SERIES[7:])
_SEXES = ("female", "male", UNTOLD)
_MARKS = {
    "recurrence": ("X", SERIES[5], "recurrence"),
    "complication": ("^", SERIES[1], "complication"),
    "fusion": ("o", SERIES[2], "fusion or union"),
    "death": ("D", INK, "death"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What to draw and what to say of it; `draw` fills a figure of the given size in inches."""

    name: str
    title: str
    caption: str
    words: str
    """What the picture shows, for those who cannot see it."""
    data: Data
    draw: Callable[[Figure], None]
    height: float
    width: float = WIDTH


def picture_flow(steps: Sequence[Step]) -> Picture:
    """The PRISMA diagram."""
    rows: list[tuple[object, ...]] = []
    for step in steps:
        for side, box in (("kept", step.kept), ("out", step.out)):
            if box:
                rows.append((step.phase, side, box.title, "", box.count))
                rows.extend((step.phase, side, box.title, part, count) for part, count in box.parts)
    heights = [_box_height(step) for step in steps]
    words = "; ".join(f"{step.kept.title} {step.kept.count}" for step in steps)
    return Picture(
        "flow",
        "Flow of records",
        "Flow of records through the run, after PRISMA 2020. What left a box stands to its right.",
        words,
        (("phase", "side", "box", "part", "count"), rows),
        lambda figure: _draw_flow(figure, steps, heights),
        sum(heights) + 0.3 * (len(steps) - 1),
    )


_LINE = 0.19
_MOST_PARTS = 4


def _lines(box: Box) -> list[str]:
    parts = list(box.parts)
    if len(parts) > _MOST_PARTS:
        rest = parts[_MOST_PARTS - 1 :]
        parts = [*parts[: _MOST_PARTS - 1], (f"{len(rest)} more", sum(count for _, count in rest))]
    return [f"{axis_label(_tail(name), 46)} (n = {count:,})" for name, count in parts]


def _tail(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] if path.startswith(("/", "./", "../")) else path


def _box_height(step: Step) -> float:
    return max(0.72, 0.28 + _LINE * (1 + max(len(_lines(box)) for box in (step.kept, step.out) if box)))


def _draw_flow(figure: Figure, steps: Sequence[Step], heights: Sequence[float]) -> None:
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    total = sum(heights) + 0.3 * (len(steps) - 1)
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(total, 0)
    axes.axis("off")
    top = 0.0
    left, wide, right = 0.42, 3.2, 4.05
    for number, (step, height) in enumerate(zip(steps, heights, strict=True)):
        axes.add_patch(Rectangle((0.02, top + 0.01), 0.27, height - 0.02, facecolor=HEAT, alpha=0.18, edgecolor="none"))
        axes.text(0.155, top + height / 2, step.phase, rotation=90, ha="center", va="center", fontsize=7.5)
        _draw_box(axes, step.kept, left, top, wide, height)
        if step.out and step.out.count:
            _draw_box(axes, step.out, right, top, WIDTH - right - 0.02, height)
            _arrow(axes, (left + wide, top + height / 2), (right, top + height / 2))
        if number < len(steps) - 1:
            _arrow(axes, (left + wide / 2, top + height), (left + wide / 2, top + height + 0.3))
        top += height + 0.3


def _draw_box(axes: Axes, box: Box, left: float, top: float, width: float, height: float) -> None:
    axes.add_patch(
        Rectangle((left, top + 0.01), width, height - 0.02, facecolor="none", edgecolor=MUTED, linewidth=0.9)
    )
    lines = _lines(box)
    start = top + (height - _LINE * len(lines)) / 2
    axes.text(left + 0.12, start, f"{box.title} (n = {box.count:,})", va="center", fontsize=9, weight="bold")
    for number, line in enumerate(lines, 1):
        axes.text(left + 0.12, start + _LINE * number, line, va="center", fontsize=8)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=9, color=MUTED, linewidth=0.9, shrinkA=0, shrinkB=1
        )
    )


def picture_ages(cases: Sequence[Facts]) -> Picture | None:
    """Ages by decade, a bar for each sex; single patients only."""
    known = [case for case in cases if case.kind == "patient" and case.age is not None]
    if not known:
        return None
    counts = Counter((_decade(case), _sex(case)) for case in known)
    last = max(decade for decade, _ in counts)
    decades = list(range(0, last + 10, 10))
    labels = [f"{decade}–{decade + 9}" for decade in decades]
    sexes = [sex for sex in _SEXES if any(counts[decade, sex] for decade in decades)]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        series = {sex: [counts[decade, sex] for decade in decades] for sex in sexes}
        _stacked(axes, labels, series)
        axes.set_xlabel("age in years")
        axes.set_ylabel("patients")
        add_legend(figure, axes, always=True)

    rows: list[tuple[object, ...]] = [(labels[n], *(counts[d, sex] for sex in sexes)) for n, d in enumerate(decades)]
    told = sum(case.kind == "patient" for case in cases)
    return Picture(
        "age_sex",
        "Age and sex",
        f"Age and sex of the {len(known):,} of {counted(told, 'single patient')} whose age is told.",
        ", ".join(f"{label}: {sum(counts[d, sex] for sex in sexes)}" for d, label in zip(decades, labels, strict=True)),
        (("age", *sexes), rows),
        draw,
        3.0,
    )


def _decade(case: Facts) -> int:
    return min(int(case.age or 0) // 10 * 10, 110)


def _sex(case: Facts) -> str:
    return case.sex if case.sex in _SEXES else UNTOLD


def picture_sites(cases: Sequence[Facts]) -> Picture | None:
    """Tumour types by site; all diagnoses where none has a morphology code."""
    coded = any(case.tumors for case in cases)
    pairs = Counter(
        (name, site)
        for case in cases
        for name in (case.tumors if coded else case.diagnoses)
        for site in case.sites or (UNTOLD,)
    )
    if not pairs:
        return None
    what = "Tumour type" if coded else "Diagnosis"
    rows = _most(pairs, 0, 18)
    columns = _most(_of_rows(pairs, rows), 1, 13)
    shown = _with_rest(pairs, columns)
    note = "Tumours are diagnoses with an ICD-O-3 morphology code. " if coded else ""
    return Picture(
        "type_by_site",
        f"{what} by site",
        f"Cases by {what.lower()} and site, the most frequent of both. {note}A case with two sites counts at both.",
        _most_words(pairs),
        _pair_rows(pairs, (what.lower(), "site")),
        lambda figure: _heat(figure.add_subplot(), shown, rows, _columns(_of_rows(shown, rows), columns)),
        1.5 + 0.26 * len(rows),
    )


def picture_procedures(cases: Sequence[Facts]) -> Picture | None:
    """Operations by year of publication, stacked by category."""
    counts = Counter(
        (case.year, category or REST)
        for case in cases
        if case.year is not None
        for category in {category for _, category in case.procedures}
    )
    years = sorted({year for year, _ in counts})
    if not years:
        return None
    span = list(range(years[0], years[-1] + 1))
    step = 5 if len(span) > 40 else 1
    bins = list(range(span[0] // step * step, span[-1] + 1, step))
    totals = Counter(category for (_, category), count in counts.items() for _ in range(count))
    kept = [name for name, _ in totals.most_common() if name != REST][: len(_HUES)]
    series = {name: [0] * len(bins) for name in (*kept, REST)}
    for (year, category), count in counts.items():
        series[category if category in kept else REST][(year - bins[0]) // step] += count
    series = {name: row for name, row in series.items() if any(row)}
    labels = [f"{year}" if step == 1 else f"{year}–{year + step - 1}" for year in bins]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        _stacked(axes, labels, series)
        axes.set_xlabel("year of publication")
        axes.set_ylabel("cases")
        add_legend(figure, axes, always=True)

    rows: list[tuple[object, ...]] = [(label, *(row[n] for row in series.values())) for n, label in enumerate(labels)]
    return Picture(
        "procedures_by_year",
        "Procedures by year",
        "Cases with a procedure of a category, by year of publication; a case counts once in each category.",
        ", ".join(f"{name} {sum(row)}" for name, row in series.items()),
        (("year", *series), rows),
        draw,
        3.4,
    )


def picture_implants(cases: Sequence[Facts]) -> Picture | None:
    """Devices by material, and by how they were made."""
    devices = [device for case in cases for device in case.implants]
    if not devices:
        return None
    materials = Counter((device.name, name) for device in devices for name in device.materials or (UNTOLD,))
    makes = Counter((device.name, name.replace("_", " ")) for device in devices for name in device.makes or (UNTOLD,))
    rows = _most(Counter((device.name, "") for device in devices), 0, 16)
    tables = [
        (pairs, _most(_of_rows(pairs, rows), 1, most), title)
        for pairs, most, title in ((materials, 7, "material"), (makes, 4, "make"))
    ]

    def draw(figure: Figure) -> None:
        shown = [_with_rest(pairs, columns) for pairs, columns, _ in tables]
        heads = [_columns(_of_rows(pairs, rows), names) for pairs, (_, names, _) in zip(shown, tables, strict=True)]
        panels = figure.subplots(1, 2, sharey=True, width_ratios=[max(2, len(names)) for names in heads])
        for axes, pairs, names, (_, _, title) in zip(panels, shown, heads, tables, strict=True):
            _heat(axes, pairs, rows, names)
            axes.set_title(title, fontsize=9)

    told = sum(bool(device.materials) for device in devices)
    return Picture(
        "implants",
        "Implants by material and make",
        f"{counted(len(devices), 'implant')}; rows are the most frequent devices. The material of {told:,} is told, "
        f"how it was made of {sum(bool(device.makes) for device in devices):,}.",
        _most_words(materials),
        (
            ("device", "by", "name", "count"),
            [(*pair[:1], title, pair[1], count) for pairs, _, title in tables for pair, count in _sorted(pairs)],
        ),
        draw,
        1.9 + 0.26 * len(rows),
    )


def picture_swimmer(cases: Sequence[Facts]) -> Picture | None:
    """A bar a patient, as long as its follow-up, with what happened."""
    followed = [case for case in cases if case.kind == "patient" and case.follow_up]
    if not followed:
        return None

    def interest(case: Facts) -> tuple[int, float]:
        placed = {event.kind for event in case.events if event.months is not None}
        return (len(placed & set(_MARKS)), _end(case))

    shown = sorted(sorted(followed, key=interest, reverse=True)[:MOST_PATIENTS], key=_end, reverse=True)
    marks = Counter(event.kind for case in followed for event in case.events if event.kind in _MARKS)
    untimed = sum(event.months is None for case in followed for event in case.events if event.kind in _MARKS)
    rows: list[tuple[object, ...]] = []
    for case in followed:
        rows.append((case.case_id, "follow-up", round(case.follow_up or 0, 2)))
        rows.extend(
            (case.case_id, event.kind, "" if event.months is None else round(event.months, 2)) for event in case.events
        )
    which = (
        f"{len(shown)} of {counted(len(followed), 'single patient')} whose follow-up is told, those with the most marks"
        if len(shown) < len(followed)
        else f"{counted(len(shown), 'single patient')} whose follow-up is told"
    )
    untold = f" Without a mark: {counted(untimed, 'event')} whose time is not told." if untimed else ""
    return Picture(
        "swimmer",
        "Follow-up of each patient",
        f"{which}. A bar ends with the follow-up; a mark stands where the text puts the event.{untold}",
        ", ".join(f"{_MARKS[kind][2]} {count}" for kind, count in marks.items()) or "no events",
        (("case", "what", "months"), rows),
        lambda figure: _draw_swimmer(figure, shown),
        1.1 + 0.13 * len(shown),
    )


def _end(case: Facts) -> float:
    return max(
        [case.follow_up or 0.0, *(event.months for event in case.events if event.kind in _MARKS and event.months)]
    )


def _draw_swimmer(figure: Figure, cases: Sequence[Facts]) -> None:
    axes = figure.add_subplot()
    axes.barh(range(len(cases)), [case.follow_up or 0 for case in cases], height=0.55, color=HEAT, alpha=0.35)
    for kind, (marker, colour, name) in _MARKS.items():
        points = [
            (event.months, row)
            for row, case in enumerate(cases)
            for event in case.events
            if event.kind == kind and event.months is not None
        ]
        if points:
            months, places = zip(*points, strict=True)
            axes.plot(months, places, linestyle="none", marker=marker, color=colour, markersize=4.5, label=name)
    axes.set_yticks(range(len(cases)), [axis_label(case.label, 44) for case in cases], fontsize=6)
    axes.set_ylim(len(cases) - 0.3, -0.7)
    axes.set_xlim(left=0)
    axes.set_xticks(_ticks(max(map(_end, cases))))
    axes.set_xlabel("months from the operation")
    axes.grid(axis="y", visible=False)
    add_legend(figure, axes, always=True)


def picture_survival(name: str, title: str, sample: Sample, curve: Curve, meaning: str) -> Picture:
    """A Kaplan-Meier curve with its band, the censored as ticks, the numbers at risk below."""
    last = max(sample.months)
    ticks = _ticks(last)
    counts = at_risk(sample, ticks)
    left_out = "; ".join(f"{why}: {count:,}" for why, count in sorted(sample.left_out.items()))
    median = "not reached" if curve.median is None else f"{curve.median:.0f} months"
    header = ("months", "share", "low", "high", "at risk")
    columns = (curve.months, curve.survival, curve.low, curve.high, at_risk(sample, curve.months))
    rows: list[tuple[object, ...]] = [
        (round(at, 2), *(round(value, 4) for value in shares), count)
        for at, *shares, count in zip(*columns, strict=True)
    ]

    def draw(figure: Figure) -> None:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(8, 0.9))
        _draw_curve(axes, sample, curve)
        axes.set_xlim(0, last * 1.02)
        axes.set_xticks(ticks)
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("months from the operation")
        axes.set_ylabel(title.lower())
        below.axis("off")
        below.set_ylim(0, 1)
        for at, count in zip(ticks, counts, strict=True):
            below.text(at, 0.45, f"{count}", ha="center", va="center", fontsize=8)
        below.text(0, 1.05, "number at risk", fontsize=8, color=MUTED, va="center", ha="left")

    return Picture(
        name,
        title,
        f"Kaplan-Meier estimate with 95 % band (log-log): {counted(len(sample.months), 'patient')}, "
        f"{counted(sample.events, 'event')}, median {median}. {meaning}"
        + (f" Left out: {left_out}." if left_out else ""),
        "; ".join(f"{share:.2f} at {at:.0f} months" for at, share in zip(curve.months, curve.survival, strict=True)),
        (header, rows),
        draw,
        3.7,
    )


def _draw_curve(axes: Axes, sample: Sample, curve: Curve) -> None:
    colour = SERIES[0]
    axes.fill_between(curve.months, curve.low, curve.high, step="post", color=colour, alpha=0.16, linewidth=0)
    axes.step(curve.months, curve.survival, where="post", color=colour, linewidth=1.6)
    censored = sorted(at for at, happened in zip(sample.months, sample.happened, strict=True) if not happened)
    heights = [
        next(share for time, share in zip(curve.months[::-1], curve.survival[::-1], strict=True) if time <= at)
        for at in censored
    ]
    axes.plot(censored, heights, linestyle="none", marker="|", color=colour, markersize=6)
    axes.set_ylim(0, 1.04)


def _ticks(last: float) -> list[float]:
    """Round times from 0 to the end, at most eight."""
    step = next((step for step in (1, 3, 6, 12, 24, 36, 60, 120, 240) if last / step <= 8), math.ceil(last / 8))
    return [float(at) for at in range(0, int(last) + 1, step)]


def _stacked(axes: Axes, labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> None:
    """Bars on each other. Every series has its own colour; the one for what is not told, or other, is grey."""
    bottom = [0] * len(labels)
    for number, (name, counts) in enumerate(series.items()):
        colour = MUTED if name in (UNTOLD, REST) else _HUES[number % len(_HUES)]
        axes.bar(range(len(labels)), counts, 0.82, bottom=bottom, color=colour, label=name.replace("_", " "))
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    every = math.ceil(len(labels) / 14)
    axes.set_xticks(range(0, len(labels), every), labels[::every])
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))


def _heat(axes: Axes, pairs: Mapping[tuple[str, str], int], rows: Sequence[str], columns: Sequence[str]) -> None:
    """Counts in a shaded table; the rest and what is not told have no shade, since they would outshine all else."""
    named = [column for column in columns if column not in (REST, UNTOLD)]
    most = max((pairs.get((row, column), 0) for row in rows for column in named), default=1) or 1
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            if count := pairs.get((row, column), 0):
                shade = 0.1 + 0.6 * count / most if column in named else 0
                axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=HEAT, alpha=shade, edgecolor="none"))
                axes.text(x, y, f"{count}", ha="center", va="center", fontsize=7.5)
    axes.set_xticks(range(len(columns)), [axis_label(name, 26) for name in columns], rotation=45, ha="right")
    axes.set_yticks(range(len(rows)), [axis_label(name, 32) for name in rows])
    axes.set_xticks([x - 0.5 for x in range(1, len(columns))], minor=True)
    axes.set_yticks([y - 0.5 for y in range(1, len(rows))], minor=True)
    axes.grid(visible=False)
    axes.grid(which="minor", color=GRID, linewidth=0.5)
    axes.set_xlim(-0.5, max(len(columns), 2) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(length=0, which="both")


def _most(pairs: Mapping[tuple[str, str], int], side: int, most: int) -> list[str]:
    """The names on one side of pairs, the most frequent first, what is not told last."""
    totals: Counter[str] = Counter()
    for pair, count in pairs.items():
        totals[pair[side]] += count
    names = sorted((name for name in totals if name != UNTOLD), key=lambda name: (-totals[name], name))[:most]
    return [*names, UNTOLD] if UNTOLD in totals else names


def _of_rows(pairs: Mapping[tuple[str, str], int], rows: Sequence[str]) -> dict[tuple[str, str], int]:
    """The pairs of the rows that are shown."""
    return {pair: count for pair, count in pairs.items() if pair[0] in rows}


def _with_rest(pairs: Mapping[tuple[str, str], int], columns: Sequence[str]) -> Counter[tuple[str, str]]:
    """The pairs with all columns but the given ones folded to one."""
    folded: Counter[tuple[str, str]] = Counter()
    for (row, column), count in pairs.items():
        folded[row, column if column in columns else REST] += count
    return folded


def _columns(pairs: Mapping[tuple[str, str], int], columns: Sequence[str]) -> list[str]:
    """The columns that pairs have, the rest and what is not told last."""
    last = [name for name in (REST, UNTOLD) if any(column == name for _, column in pairs)]
    return [*(name for name in columns if name not in last), *last]


def _sorted(pairs: Mapping[tuple[str, str], int]) -> list[tuple[tuple[str, str], int]]:
    return sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))


def _pair_rows(pairs: Mapping[tuple[str, str], int], header: tuple[str, str]) -> Data:
    return ((*header, "cases"), [(*pair, count) for pair, count in _sorted(pairs)])


def _most_words(pairs: Mapping[tuple[str, str], int]) -> str:
    return ", ".join(f"{first} with {second} {count}" for (first, second), count in _sorted(pairs)[:8])


def all_pictures(cases: Sequence[Facts]) -> Iterable[Picture]:
    """The pictures that the cases give."""
    for make in (picture_ages, picture_sites, picture_procedures, picture_implants, picture_swimmer):
        if picture := make(cases):
            yield picture
