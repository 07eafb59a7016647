"""How fast the whole extraction is, on one core: reading, pipeline, Parquet; where the time goes; what it finds.

    python benchmarks/throughput.py DATA [--articles 1000] [--profile 1000]

Runs over DATA/articles/case_report_abstracts.jsonl.gz (all 9,307 abstracts unless told otherwise). First a run as
`caseframe extract` makes it, timed as a whole, then the components one by one over the first abstracts. A field module
that reads what another one noted on the Doc (conditions, study design) is cheap where it comes second.
"""

from __future__ import annotations

import os

# One core means one: numerical libraries start their threads when they are imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[name] = "1"

import argparse  # noqa: E402
import itertools  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from pathlib import Path  # noqa: E402

import pyarrow as pa  # noqa: E402
from spacy.language import Language  # noqa: E402

from caseframe.batch.run import run_extraction  # noqa: E402
from caseframe.config import ExtractConfig  # noqa: E402
from caseframe.fields.cases import deal  # noqa: E402
from caseframe.fields.component import MODULES, finders  # noqa: E402
from caseframe.pipeline import CASES, load  # noqa: E402
from caseframe.schema import FIELDS, Article  # noqa: E402
from caseframe.sources import open_articles  # noqa: E402
from caseframe.stages.extensions import make_doc  # noqa: E402
from caseframe.tables.parquet import read_rows  # noqa: E402


class Clock:
    """Seconds by name."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._last = time.perf_counter()

    def start(self) -> None:
        self._last = time.perf_counter()

    def stop(self, name: str) -> None:
        now = time.perf_counter()
        self.spent[name] += now - self._last
        self._last = now


def peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / (1 << 10)


def whole_run(source: Path, articles: int | None) -> float:
    """Abstracts a second of a run as users make it."""
    config = ExtractConfig.model_validate({"select": {"limit": articles}, "output": {"formats": []}})
    loaded = peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        summary = run_extraction([source], Path(folder) / "run", config)
        fields = Counter(str(row["field"]) for row in read_rows(Path(folder) / "run" / "findings", ["field"]))
    count = summary.counts["articles"]
    print(
        f"whole run: {count:,} abstracts, {summary.failed} failed, {summary.seconds:.1f} s, "
        f"{count / summary.seconds:.0f} abstracts/s, {1000 * summary.seconds / count:.2f} ms an abstract"
    )
    print(f"peak memory {peak_mib():.0f} MiB ({loaded:.0f} MiB before the run)")
    print(f"{summary.counts['cases']:,} cases, {summary.counts['findings']:,} findings")
    for name in FIELDS:
        print(f"  {name:16} {fields[name]:7,}  {fields[name] / count:6.2f} an abstract")
    return count / summary.seconds


def profile(nlp: Language, source: Path, count: int, rate: float) -> None:
    clock = Clock()
    articles: list[Article] = []
    for record in itertools.islice(open_articles(source), count):
        clock.stop("reading")
        if isinstance(record, Article):
            articles.append(record)
        clock.start()
    finds = list(zip(MODULES, finders(), strict=True))
    tokens = 0
    for article in articles:
        clock.start()
        doc = make_doc(nlp, article)
        clock.stop("tokenizer")
        tokens += len(doc)
        for name, component in nlp.pipeline:
            if name == CASES:
                continue
            clock.start()
            doc = component(doc)
            clock.stop(name)
        findings = []
        for name, find in finds:
            clock.start()
            findings.extend(find(doc))
            clock.stop(f"fields.{name}")
        clock.start()
        deal(doc, article, findings)
        clock.stop("fields.cases (dealing, confidence)")
    total = sum(clock.spent.values())
    print(f"by component, {len(articles):,} abstracts, {tokens:,} tokens, {total:.1f} s:")
    mean = tokens / len(articles)
    print(f"{mean:.0f} tokens an abstract; {tokens / total:,.0f} tokens/s here, {mean * rate:,.0f} in the whole run")
    for name, seconds in clock.spent.items():
        print(f"  {name:36} {seconds:7.2f} s  {1000 * seconds / len(articles):6.3f} ms  {seconds / total:6.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--articles", type=int, help="so many abstracts only")
    parser.add_argument("--profile", type=int, default=1000, help="so many abstracts for the times by component")
    options = parser.parse_args()
    source = options.data / "articles" / "case_report_abstracts.jsonl.gz"
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.perf_counter()
    nlp = load()
    print(f"loading: {time.perf_counter() - began:.1f} s")
    rate = whole_run(source, options.articles)
    profile(nlp, source, min(options.profile, options.articles or options.profile), rate)


if __name__ == "__main__":
    main()
