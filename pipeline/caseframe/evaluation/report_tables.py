"""The tables of a report, as words: the same for Markdown and HTML. `metrics` is the content of `metrics.json`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from caseframe.evaluation.excerpts import Row
from caseframe.evaluation.plots import at_precision_90
from caseframe.evaluation.records import MODES, Kind
from caseframe.pages.text import counted, shortened, visible

Metrics = Mapping[str, Any]
UNKNOWN = "–"
"""What a cell shows where there is no figure."""

_SUMS = {"micro_case": "all of the case (micro)", "micro": "all (micro)", "macro": "mean of the types (macro)"}
CAUSES: Mapping[str, str] = {
    "missed_term": "The words are no term the system knows; nothing was predicted.",
    "left_out": "The words are a known term, but nothing was predicted.",
    "boundary": "The right thing with more or fewer words than the gold's.",
    "wrong_value": "The right place with another value.",
    "normalisation": "The right concept under another canonical name.",
    "wrong_field": "The right words under another field or type.",
    "wrong_assertion": "The right finding told otherwise: present for absent, planned for done.",
    "wrong_patient": "The right finding given to another patient.",
    "general_statement": "A prediction from a sentence that tells nothing of the patient.",
    "duplicate": "A prediction that repeats one already counted.",
    "spurious": "A prediction the gold does not have.",
}
"""Every cause of error and what it means."""
_DIFFERENCE_HEADER = ("First", "Second", "Difference", "p bootstrap", "p randomisation", "p Holm")
_DIFFERENCE_NOTE = (
    "Difference: second less first, in brackets its paired bootstrap interval. p bootstrap and p randomisation "
    "(approximate randomisation) are of two-sided tests on the same articles; p Holm is the latter, corrected for all "
    "rows of the comparison."
)
CHANGES = {"newly_right": "newly right", "newly_wrong": "newly wrong"}
"""What can become of an item from one evaluation to another."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of words: `align` has `l` or `r` a column, the last `totals` rows sum up the others."""

    caption: str
    header: tuple[str, ...]
    align: str
    rows: tuple[tuple[str, ...], ...]
    totals: int = 0
    note: str = ""


def name_of(text: object) -> str:
    """A name of a data set, system or type as a report shows it."""
    return shortened(" ".join(visible(text).split())) or UNKNOWN


def decimal(number: float | None, digits: int = 3) -> str:
    """A score; `–` where there is none."""
    return UNKNOWN if number is None or math.isnan(number) else f"{number:.{digits}f}"


def whole(number: float | None) -> str:
    """A count, thousands parted by commas."""
    return UNKNOWN if number is None or math.isnan(number) else f"{number:,.0f}"


def percent(share: float | None) -> str:
    """A share as a percentage."""
    return UNKNOWN if share is None or math.isnan(share) else f"{100 * share:.0f} %"


def with_interval(row: Metrics, key: str) -> str:
    """A score with the interval that `<key>_low` and `<key>_high` give, where they do."""
    value, low, high = (row.get(name) for name in (key, f"{key}_low", f"{key}_high"))
    interval = f" ({decimal(low)}–{decimal(high)})" if low is not None and high is not None else ""
    return f"{decimal(value)}{interval}"


def results_of(metrics: Metrics) -> list[Metrics]:
    """The results, those of one data set together, in the order of their first."""
    results: list[Metrics] = metrics["results"]
    order = list(dict.fromkeys(result["dataset"] for result in results))
    return sorted(results, key=lambda result: order.index(result["dataset"]))


def type_words(name: str) -> str:
    """A type, or a sum over types, as tables and plots call it."""
    return _SUMS.get(name, name_of(name))


def kind_of(result: Metrics) -> Kind:
    """Whether a result is about fields or spans."""
    return "spans" if result["kind"] == "spans" else "fields"


def rows_of(result: Metrics) -> Mapping[str, Metrics]:
    """The scores of a result by type, with `micro` and `macro` among them."""
    rows: Mapping[str, Metrics] = result["metrics"].get("span" if kind_of(result) == "spans" else "field", {})
    return rows


def types_of(result: Metrics) -> list[str]:
    """The types of a result that have gold or predictions."""
    rows = rows_of(result)
    return [name for name, row in rows.items() if name not in _SUMS and (row.get("gold") or row.get("predicted"))]


def interval_words(metrics: Metrics) -> str:
    """How headers call the intervals: `95 % interval`."""
    level = metrics.get("config", {}).get("metrics", {}).get("level", 0.95)
    return f"{100 * level:g} % interval"


def datasets(metrics: Metrics) -> Table:
    """What was measured on; the first result of a data set speaks for it."""
    rows = []
    for result in _firsts(metrics):
        alignment = result.get("alignment", {})
        notes = "; ".join(f"{visible(note)}: {whole(count)}" for note, count in alignment.get("notes", {}).items())
        rows.append(
            (
                name_of(result["dataset"]),
                result["kind"],
                whole(result.get("articles")),
                whole(result.get("words")),
                whole(alignment.get("annotations")),
                whole(alignment.get("unaligned")),
                notes or UNKNOWN,
                str(result.get("sha256", UNKNOWN))[:12],
            )
        )
    header = ("Data set", "Kind", "Articles", "Words", "Annotations", "Unaligned", "Notes", "SHA-256")
    return Table("Data sets", header, "llrrrrll", tuple(rows))


def systems(metrics: Metrics) -> Table:
    """What was measured, and how long it took."""
    known = {system.get("name"): system for system in metrics.get("config", {}).get("systems", ())}
    rows = [
        (
            name_of(result["system"]),
            _source(known.get(result["system"], {})),
            name_of(result["dataset"]),
            decimal(result.get("seconds"), 1),
            whole(_speed(result)),
        )
        for result in results_of(metrics)
    ]
    return Table("Systems", ("System", "What it is", "Data set", "Seconds", "Words/s"), "lllrr", tuple(rows))


def problems(metrics: Metrics) -> Iterator[str]:
    """What could not be measured, in sentences."""
    for skipped in metrics.get("skipped", ()):
        yield f"{_run(skipped)} was left out: {visible(skipped.get('why', UNKNOWN))}."
    for result in results_of(metrics):
        if result.get("failed"):
            yield f"{_run(result)} failed on {counted(result['failed'], 'article')}; what it failed on counts as empty."
    for result in _firsts(metrics):
        alignment = result.get("alignment", {})
        named = "; ".join(shortened(visible(each)) for each in alignment.get("first_unaligned", ()))
        if alignment.get("unaligned"):
            many = counted(alignment["unaligned"], "annotation")
            first = f" (the first: {named})" if named else ""
            yield f"{name_of(result['dataset'])}: {many} could not be brought onto the text and so not scored{first}."


def _firsts(metrics: Metrics) -> list[Metrics]:
    """The first result of every data set."""
    firsts: dict[str, Metrics] = {}
    for result in metrics["results"]:
        firsts.setdefault(result["dataset"], result)
    return list(firsts.values())


def _source(system: Metrics) -> str:
    """What a system of the config is."""
    command = " ".join(system.get("command") or ())
    given = {"model": system.get("model"), "run": system.get("run"), "command": command}
    named = [f"{kind} {value}" for kind, value in given.items() if value]
    return name_of(named[0] if named else "the shipped pipeline")


def _speed(result: Metrics) -> float | None:
    seconds, words = result.get("seconds"), result.get("words")
    return words / seconds if seconds and words is not None else None


def comparison(metrics: Metrics) -> Table:
    """All systems on all data sets."""
    rows = []
    for result in results_of(metrics):
        first, second = MODES[kind_of(result)][:2]
        micro, macro = (rows_of(result).get(name, {}) for name in ("micro", "macro"))
        rows.append(
            (
                name_of(result["dataset"]),
                name_of(result["system"]),
                whole(micro.get("gold")),
                whole(micro.get("predicted")),
                decimal(micro.get(f"{first}_precision")),
                decimal(micro.get(f"{first}_recall")),
                with_interval(micro, f"{first}_f1"),
                with_interval(micro, f"{second}_f1"),
                with_interval(macro, f"{first}_f1"),
                whole(_speed(result)),
            )
        )
    header = (
        "Data set",
        "System",
        "Gold",
        "Predicted",
        "Precision",
        "Recall",
        "F1",
        "Strict F1",
        "Macro F1",
        "Words/s",
    )
    return Table(
        f"All systems on all data sets (in brackets the {interval_words(metrics)})",
        header,
        "llrrrrrrrr",
        tuple(rows),
        note="Precision, recall and F1 count a field as right where the words overlap and the assertion agrees "
        "(relaxed), a span where it overlaps one of its type. Strict F1 asks for the canonical value of a field "
        "(exact), for the boundaries of a span (strict). Macro F1 is the mean of the types.",
    )


def by_type(result: Metrics, metrics: Metrics) -> Table:
    """A result's scores by field or span type, sums last."""
    rows = rows_of(result)
    kind = kind_of(result)
    first, *others = MODES[kind]
    sums = [name for name in _SUMS if name in rows]
    header = (
        "Field" if kind == "fields" else "Type",
        *("Gold", "Predicted", "Precision", "Recall", f"F1 {first}"),
        *(f"F1 {mode}" for mode in others),
        *(("Filled right", "Filled wrong", "Left empty") if kind == "fields" else ()),
    )
    cells = [
        (
            type_words(name),
            *(whole(rows[name].get(key)) for key in ("gold", "predicted")),
            *(decimal(rows[name].get(f"{first}_{key}")) for key in ("precision", "recall")),
            *(with_interval(rows[name], f"{mode}_f1") for mode in (first, *others)),
            *(
                percent(rows[name].get(key))
                for key in (("filled_right", "filled_wrong", "left_empty") if kind == "fields" else ())
            ),
        )
        for name in (*types_of(result), *sums)
    ]
    note = "Filled right, filled wrong and left empty are shares of the gold's cells." if kind == "fields" else ""
    return Table(
        f"{_run(result)}: scores by {header[0].lower()} (in brackets the {interval_words(metrics)})",
        header,
        "l" + "r" * (len(header) - 1),
        tuple(cells),
        len(sums),
        note,
    )


def assertions(result: Metrics) -> Table | None:
    """Scores by assertion; None where there are none."""
    scores = result["metrics"].get("assertion", {})
    rows = tuple(
        (
            name_of(name),
            *(whole(row.get(key)) for key in ("gold", "predicted")),
            *(decimal(row.get(f"relaxed_{key}")) for key in ("precision", "recall", "f1")),
        )
        for name, row in scores.items()
        if isinstance(row, Mapping)
    )
    if not rows:
        return None
    return Table(
        f"{_run(result)}: scores by assertion",
        ("Assertion", "Gold", "Predicted", "Precision", "Recall", "F1"),
        "lrrrrr",
        rows,
        note=f"The assertion is right in {percent(scores.get('accuracy'))} of {whole(scores.get('pairs'))} pairs that "
        "agree in all else.",
    )


def attributes(result: Metrics) -> Table | None:
    """Accuracy of attributes on matched findings, sums last; None where there are none."""
    scores = result["metrics"].get("attribute", {})
    names = [*(name for name in scores if name != "micro"), *(name for name in scores if name == "micro")]
    rows = tuple(
        (
            type_words(name),
            decimal(scores[name].get("accuracy")),
            *(whole(scores[name].get(key)) for key in ("right", "wrong", "missing", "spurious")),
        )
        for name in names
    )
    if not rows:
        return None
    return Table(
        f"{_run(result)}: attributes of matched findings",
        ("Attribute", "Accuracy", "Right", "Wrong", "Missing", "Spurious"),
        "lrrrrr",
        rows,
        int("micro" in scores),
        "Missing: the gold alone has it; spurious: the system alone has it.",
    )


def causes(items: Sequence[Row], caption: str) -> Table:
    """Causes of error with counts, the most frequent first. `items` are the errors."""
    counts = Counter(item["cause"] for item in items)
    still = Counter(item["cause"] for item in items if item["matched"])
    rows = tuple(
        (
            cause_words(cause),
            whole(count),
            percent(count / len(items)),
            whole(still[cause]),
            CAUSES.get(cause, UNKNOWN),
        )
        for cause, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    )
    return Table(
        caption,
        ("Cause", "Errors", "Share", "Still a match", "What it means"),
        "lrrrl",
        rows,
        note="Still a match: right by the first F1 of the tables, not by the strict one.",
    )


def cause_words(cause: str) -> str:
    """A cause in a reader's words: `missed term`."""
    return name_of(cause.replace("_", " ")) if cause else "no error"


def in_brief(result: Metrics, errors: Sequence[Row]) -> str:
    """A result in one sentence; `errors` are the result's own."""
    first, second = MODES[kind_of(result)][:2]
    micro = rows_of(result).get("micro", {})
    parts = [
        f"{first} F1 {with_interval(micro, f'{first}_f1')} over all, {second} {decimal(micro.get(f'{second}_f1'))}",
        f"precision {decimal(micro.get(f'{first}_precision'))}, recall {decimal(micro.get(f'{first}_recall'))}",
    ]
    curve = result["metrics"].get("risk_coverage")
    if curve:
        parts.append(at_precision_90(curve))
    counts = Counter(item["cause"] for item in errors)
    most = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:3]
    if most:
        parts.append("most errors: " + ", ".join(f"{cause_words(cause)} {whole(count)}" for cause, count in most))
    return f"{_run(result)}: {'; '.join(parts)}."


def _run(result: Metrics) -> str:
    return f"{name_of(result['system'])} on {name_of(result['dataset'])}"


def pair_name(pair: Metrics) -> str:
    """What is compared with what; `pair` is one of the comparisons of `comparison.json`."""
    return f"{name_of(pair['b'])} against {name_of(pair['a'])} on {name_of(pair['dataset'])}"


def signed(number: float) -> str:
    """A difference with its sign."""
    return UNKNOWN if math.isnan(number) else f"{round(number, 3) + 0.0:+.3f}".replace("-", "−")


def chance(p: float) -> str:
    """A p value."""
    return UNKNOWN if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"


def _difference(row: Metrics) -> str:
    return f"{signed(row['difference'])} ({signed(row['low'])} to {signed(row['high'])})"


def difference_in_brief(pair: Metrics) -> str:
    """A comparison in one sentence."""
    mode = MODES[kind_of(pair)][0]
    told = [
        f"{mode} F1 from {decimal(row['a'])} to {decimal(row['b'])}, difference {_difference(row)}, "
        f"p {chance(row['p_randomisation'])}"
        for row in pair["rows"]
        if row["type"] == "micro" and row["mode"] == mode
    ]
    told.append(", ".join(f"{counted(len(pair[change]), 'item')} {words}" for change, words in CHANGES.items()))
    return f"{pair_name(pair)}: {'; '.join(told)}."


def articles_apart(pair: Metrics) -> Iterator[str]:
    """Which articles were compared, and which were not, in sentences."""
    yield f"Compared on the {counted(pair['articles'], 'article')} that both have."
    for side in ("a", "b"):
        alone = pair[f"only_{side}"]
        if alone:
            yield f"Not compared, in {name_of(pair[side])} alone: {counted(len(alone), 'article')}, {_named(alone)}."


def _named(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(map(name_of, names[:most])) + (", …" if len(names) > most else "")


def overview(pairs: Sequence[Metrics]) -> Table:
    """All comparisons, over all types, in every mode."""
    rows = tuple(
        (name_of(pair["dataset"]), name_of(pair["a"]), name_of(pair["b"]), row["mode"], *_difference_cells(row))
        for pair in pairs
        for row in pair["rows"]
        if row["type"] == "micro"
    )
    header = ("Data set", "First", "Second", "F1", *_DIFFERENCE_HEADER)
    return Table(
        "All comparisons, over all types", header, "llll" + "r" * len(_DIFFERENCE_HEADER), rows, note=_DIFFERENCE_NOTE
    )


def differences(pair: Metrics, mode: str) -> Table:
    """The differences of one mode by type, sums last."""
    rows = [row for row in pair["rows"] if row["mode"] == mode]
    parted = [
        *(row for row in rows if row["type"] not in _SUMS),
        *(row for row in rows if row["type"] in _SUMS),
    ]
    header = ("Field" if kind_of(pair) == "fields" else "Type", "Gold", *_DIFFERENCE_HEADER)
    cells = tuple((type_words(row["type"]), whole(row["gold"]), *_difference_cells(row)) for row in parted)
    caption = f"{pair_name(pair)}: F1 {mode}"
    return Table(caption, header, "l" + "r" * 7, cells, sum(row["type"] in _SUMS for row in rows))


def _difference_cells(row: Metrics) -> tuple[str, ...]:
    chances = (chance(row[name]) for name in ("p_bootstrap", "p_randomisation", "p_holm"))
    return decimal(row["a"]), decimal(row["b"]), _difference(row), *chances
