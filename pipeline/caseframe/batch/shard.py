"""The work on one shard: read, judge, extract, write. It needs nothing but the shard and the job, and so can be done
anywhere; what it writes depends on nothing else.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from spacy.language import Language
from spacy.tokens import Doc
from threadpoolctl import threadpool_limits

from caseframe.batch.ledger import EXTRACTED, FAILED, FILTERED, LEDGER, NOTICE, SCREENED
from caseframe.batch.limits import TimeLimit, peak_mib, time_limit
from caseframe.batch.plan import Piece, Shard, read_options
from caseframe.batch.rundir import TABLES, failures_file, ledger_file, part_file
from caseframe.batch.screen import screened_out
from caseframe.batch.select import Condition, parse_conditions
from caseframe.batch.store import Store
from caseframe.batch.watch import Unwatched, Watch
from caseframe.config import ExtractConfig
from caseframe.errors import OutputError, SourceError
from caseframe.lexicons.hierarchy import hierarchy
from caseframe.pipeline import extract_all, load
from caseframe.schema import Article, Deletion, Extraction, Failure, Origin, Record
from caseframe.sources import STDIN, WHOLE_FILE, ReadOptions, read_members, read_stretch
from caseframe.stages.language import is_english
from caseframe.tables.choosing import unmet
from caseframe.tables.parquet import whole_file, write_table
from caseframe.tables.rows import ARTICLES, FINDINGS, Row, article_row, case_rows, cases_schema, finding_rows

# A batch fills the entities' chain once; what is made of its articles is held until all of them are done.
BATCH_ARTICLES = 32
BATCH_CHARACTERS = 100_000
_ROWS_OF_ARTICLES = 64
# So many words are kept for good: to make a word anew for each part takes longer than to tokenize.
_WORDS_KEPT = 10_000
_WARM_UP = Article(
    "warm-up",
    abstract="A 52-year-old man with hypertension underwent hemisacrectomy for a chordoma of the sacrum. "
    "He was well without recurrence after 2 years.",
)
_WARM_UP_SECONDS = 60
_CANNOT_BE_WRITTEN = (pa.ArrowException, UnicodeError, OverflowError)
_REPORT = "Report the article with this message; the rest of the run is not affected"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every shard."""

    out: Path
    config: ExtractConfig
    url: str = ""
    """Where the run is kept, where that is no folder: `out` is then a temporary one, of the machine that started it."""


@dataclass(frozen=True, slots=True)
class Care:
    """How to go on with a shard on which a worker died.

    Batches that begin with one of the records in `singly` are worked on record by record, so that the watcher knows at
    which one; `lost` are the records that no worker survived, by their numbers in the shard, with what is to be said of
    them. Reading ends at `unreadable`, likewise.
    """

    singly: frozenset[int] = frozenset()
    lost: Mapping[int, Failure] = field(default_factory=dict)
    unreadable: Mapping[int, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What came of a shard; it becomes a line of the manifest."""

    number: int
    id: str
    counts: dict[str, int]
    """`read` and the fates, before articles are compared with those of other shards."""
    errors: dict[str, int]
    """Failures by class."""
    digests: dict[str, str]
    """SHA-256 of the inputs that begin here, by their number in the run."""
    chunks: int
    seconds: float
    cpu_seconds: float
    """Processor time, that of loading the pipeline included where this was a process's first shard."""
    peak_mib: int
    """Most memory that the process has held until then."""


def process_shard(shard: Shard, job: Job, watch: Watch | None = None, care: Care | None = None) -> ShardResult:
    """Reads a shard, extracts its articles and writes its parts, ledger and failures; then all of it is on the disk, or
    at the URL.

    Raises OutputError where it cannot be written.
    """
    watch, care = watch or Unwatched(), care or Care()
    if not job.url:
        return _Work(shard, job, watch, care).run()
    with tempfile.TemporaryDirectory(prefix="caseframe-") as folder:
        result = _Work(shard, replace(job, out=Path(folder)), watch, care).run()
        watch.idle()
        Store(job.url).put_all(Path(folder))
    return result


@dataclass(frozen=True, slots=True)
class _Entry:
    seq: int
    source: str
    record: Record
    row: Row
    """Of the ledger."""
    life: int = 0
    """How many deletions of the article were met before."""


@dataclass(frozen=True, slots=True)
class _Rows:
    entry: _Entry
    article: Row
    cases: list[Row]
    findings: list[Row]
    rank: tuple[int, int]
    unmet: str
    """Which condition on what is found the article does not meet."""


class _Work:
    """One shard being worked on."""

    def __init__(self, shard: Shard, job: Job, watch: Watch, care: Care) -> None:
        self.shard = shard
        self.out = job.out
        self.config = job.config
        self.watch = watch
        self.care = care
        self.conditions, self.findings_wanted = parse_conditions(job.config.select.where)
        self.options = read_options(job.config.input)
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.ledger: list[Row] = []
        self.failures: list[tuple[int, Failure, int]] = []
        self.notices: Counter[str] = Counter()
        # Of the next part: the rank of each article, its rows or, when there are many, tables of them.
        self.ranks: dict[str, tuple[int, int]] = {}
        self.pending: dict[str, _Rows] = {}
        self.packed: list[dict[str, pa.Table]] = []
        self.chunks = 0
        self.digests: dict[str, str] = {}
        self.nlp: Language | None = None
        self.zone = ExitStack()
        self.forgets = False

    def run(self) -> ShardResult:
        began, cpu = time.monotonic(), time.process_time()
        # One thread a shard, so that sums come out the same to the last bit wherever it is worked on.
        with threadpool_limits(1), self.zone:
            for batch in self._batches(self._articles()):
                if batch[0].seq in self.care.singly:
                    for entry in batch:
                        self._extract([entry])
                else:
                    self._extract(batch)
            self._write_chunk()
        self._write_ledger()
        return ShardResult(
            self.shard.number,
            self.shard.id,
            dict(self.counts),
            dict(sorted(self.errors.items())),
            self.digests,
            self.chunks,
            round(time.monotonic() - began, 3),
            round(time.process_time() - cpu, 3),
            peak_mib(),
        )

    # Reading and judging

    def _articles(self) -> Iterator[_Entry]:
        """The articles to extract, in order; what becomes of the other records is noted on the way."""
        limit = self.shard.limit
        for entry in self._entries():
            record = entry.record
            if entry.seq in self.care.lost:
                lost = self.care.lost[entry.seq]
                self._fail(entry, replace(lost, origin=record.origin, article_id=record.article_id))
            elif isinstance(record, Failure):
                self._fail(entry, record)
            elif isinstance(record, Deletion):
                self.notices[record.article_id] += 1
                self._settle(entry, NOTICE)
            elif unmet := self._unmet(record):
                self._settle(entry, FILTERED, str(unmet))
            elif why := screened_out(record, self.config.select.screen):
                self._settle(entry, SCREENED, why)
            else:
                yield entry
            self.watch.counted(entry.source, self.counts)
            if limit is not None and self.counts[EXTRACTED] >= limit:
                return

    def _unmet(self, article: Article) -> Condition | None:
        return next((condition for condition in self.conditions if not condition(article)), None)

    def _entries(self) -> Iterator[_Entry]:
        seq = 0

        def step() -> None:
            self.watch.reading(seq)

        for piece in self.shard.pieces:
            step()
            records = read_piece(piece, self.options, step) if seq not in self.care.unreadable else iter(())
            for member, record in records:
                yield self._entry(seq, piece, member, record)
                seq += 1
                if seq in self.care.unreadable:
                    break
                step()
            if seq in self.care.unreadable:
                failure = replace(self.care.unreadable[seq], origin=Origin(piece.source.name, WHOLE_FILE))
                yield self._entry(seq, piece, 0, failure)
                seq += 1
            if piece.begins and piece.source.name != STDIN:
                self.watch.idle()
                self.digests[str(piece.number)] = _digest(piece)

    def _entry(self, seq: int, piece: Piece, member: int, record: Record) -> _Entry:
        self.counts["read"] += 1
        article_id = record.article_id
        row: Row = {
            "shard": self.shard.number,
            "seq": seq,
            "input": piece.number,
            "member": member,
            "record": record.origin.record,
            "article_id": article_id,
            "version": record.version if isinstance(record, Article) else 0,
            "fate": "",
            "why": "",
            "chunk": None,
        }
        self.ledger.append(row)
        return _Entry(seq, piece.source.name, record, row, self.notices[article_id] if article_id else 0)

    def _settle(self, entry: _Entry, fate: str, why: str = "") -> None:
        entry.row["fate"], entry.row["why"] = fate, why
        self.counts[fate] += 1

    def _fail(self, entry: _Entry, failure: Failure) -> None:
        self._settle(entry, FAILED, failure.error)
        self.errors[failure.error] += 1
        self.failures.append((entry.seq, failure, int(str(entry.row["input"]))))

    # Extracting

    def _batches(self, entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
        """Groups of articles, so that the pipeline has a few to work on at once; bounded by their text."""
        most = 1 if self.shard.limit is not None else BATCH_ARTICLES
        batch: list[_Entry] = []
        size = 0
        for entry in entries:
            batch.append(entry)
            size += len(_article(entry).text)
            if len(batch) >= most or size >= BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _extract(self, batch: Sequence[_Entry]) -> None:
        nlp = self._pipeline()
        seconds = self.config.limits.seconds_per_article
        self.watch.working(batch[0].seq, batch[-1].seq)
        try:
            with time_limit(seconds):
                results = list(self._results(nlp, batch))
        except TimeLimit:
            if len(batch) > 1:
                for entry in batch:
                    self._extract([entry])
                return
            results = [_too_slow(batch[0], seconds)]
        for entry, rows in zip(batch, results, strict=True):
            self._take(entry, rows)

    def _results(self, nlp: Language, batch: Sequence[_Entry]) -> Iterator[_Rows | Failure]:
        articles = [_article(entry) for entry in batch]
        for entry, result in zip(batch, extract_all(nlp, articles), strict=True):
            yield _out_of_memory(result) if isinstance(result, Failure) else self._rows(entry, *result)

    def _rows(self, entry: _Entry, doc: Doc, extraction: Extraction) -> _Rows:
        output = self.config.output
        kept = extraction.at_least(output.min_confidence)
        kinds = hierarchy(self.config.pipeline.lexicons, self.config.pipeline.builtin_lexicons)
        cases, findings = case_rows(kept, kinds, evidence=output.evidence), finding_rows(kept, kinds)
        return _Rows(
            entry,
            article_row(kept, english=is_english(doc)),
            cases,
            findings,
            (entry.life, kept.article.version),
            unmet(self.findings_wanted, cases, findings),
        )

    def _take(self, entry: _Entry, rows: _Rows | Failure) -> None:
        """Keeps the rows for the next part, in which every article stands once: by its last word so far."""
        if isinstance(rows, Failure):
            self._fail(entry, rows)
            return
        if rows.unmet:
            self._settle(entry, FILTERED, rows.unmet)
            return
        self._settle(entry, EXTRACTED)
        entry.row["chunk"] = self.chunks
        article_id = _article(entry).article_id
        before = self.ranks.get(article_id)
        if before is None or rows.rank >= before:
            if before is not None and self.pending.pop(article_id, None) is None:
                self.packed = [_without(tables, article_id) for tables in self.packed]
            self.ranks[article_id] = rows.rank
            self.pending[article_id] = rows
        if len(self.ranks) >= self.config.output.part_size:
            self._write_chunk()
        elif len(self.pending) >= _ROWS_OF_ARTICLES:
            self._pack()

    def _pipeline(self) -> Language:
        """The pipeline. Once it knows many words it forgets new ones when a part is written, so that memory is flat."""
        if self.nlp is None:
            self.watch.idle()
            self.nlp = load_pipeline(self.config)
        if not self.forgets and len(self.nlp.vocab) >= _WORDS_KEPT:
            self.zone.enter_context(self.nlp.memory_zone())
            self.forgets = True
        return self.nlp

    # Writing

    def _write_chunk(self) -> None:
        if not self.ranks:
            return
        self.watch.idle()
        self._pack()
        tables = {name: pa.concat_tables([each[name] for each in self.packed]).combine_chunks() for name in TABLES}
        # The articles come last: where they are, the rest is.
        for name in ("findings", "cases", "articles"):
            with _told_of(self.out):
                write_table(part_file(self.out, name, self.shard.number, self.chunks), tables[name])
        self.chunks += 1
        self.ranks.clear()
        self.packed.clear()
        self.zone.close()
        self.forgets = False

    def _pack(self) -> None:
        """Keeps what is pending as tables, which take a tenth of the memory."""
        self.packed.append(self._tables())
        self.pending.clear()

    def _tables(self) -> dict[str, pa.Table]:
        """What is pending as tables; an article whose rows make none (no Unicode, say) becomes a failure."""
        try:
            return _tables(list(self.pending.values()), self.config)
        except _CANNOT_BE_WRITTEN:
            for article_id, rows in list(self.pending.items()):
                try:
                    _tables([rows], self.config)
                except _CANNOT_BE_WRITTEN as error:
                    del self.pending[article_id], self.ranks[article_id]
                    self.counts[EXTRACTED] -= 1
                    self._fail(rows.entry, _unwritable(rows.entry, error))
            return _tables(list(self.pending.values()), self.config)

    def _write_ledger(self) -> None:
        number = self.shard.number
        with _told_of(self.out):
            with whole_file(failures_file(self.out, number)) as stream:
                for _, failure, source in sorted(self.failures, key=lambda each: each[0]):
                    stream.write(failure_line(failure, source).encode("utf-8", "backslashreplace"))
            write_table(ledger_file(self.out, number), pa.Table.from_pylist(self.ledger, schema=LEDGER))


def load_pipeline(config: ExtractConfig) -> Language:
    """The pipeline that a config asks for, one a process; it has loaded all that it loads when it is first used."""
    nlp = load(
        config.pipeline.model,
        lexicons=config.pipeline.lexicons,
        builtin_lexicons=config.pipeline.builtin_lexicons,
        entities=config.pipeline.entities,
        fields=config.pipeline.fields,
    )
    hierarchy(config.pipeline.lexicons, config.pipeline.builtin_lexicons)
    _warm_up(nlp)
    _spare()
    return nlp


@cache
def _spare() -> None:
    """Once a process: what a pipeline is made of stays, so garbage is no longer sought in it, again and again."""
    gc.freeze()


@lru_cache(maxsize=4)
def _warm_up(nlp: Language) -> None:
    """Works on a few words for nothing, so that what is loaded only now costs no article of its time."""
    with suppress(TimeLimit), time_limit(_WARM_UP_SECONDS):
        deque(extract_all(nlp, [_WARM_UP]), maxlen=0)


def failure_line(failure: Failure, source: int) -> str:
    """A line of `failures.jsonl`; `source` is the number of the input."""
    line = {
        "file": failure.origin.file,
        "record": failure.origin.record,
        "format": failure.origin.format,
        "stage": failure.stage,
        "error": failure.error,
        "message": failure.message,
        "cure": failure.cure,
        "article_id": failure.article_id,
        "input": source,
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def read_piece(
    piece: Piece, options: ReadOptions, step: Callable[[], None] | None = None
) -> Iterator[tuple[int, Record]]:
    """The records of a piece, each with the number of its archive's member; `step` is called for those passed over."""
    source = piece.source
    step = step or (lambda: None)
    if piece.start is not None and piece.stop is not None:
        options = replace(options, first=piece.first)
        records = read_stretch(source, piece.start, piece.stop, str(piece.format), options)
        return ((0, record) for record in records if record.origin.record or piece.ends)
    last = piece.last if piece.last is not None else sys.maxsize

    def wanted(number: int) -> bool:
        step()
        # The one behind the last is read too, so that its coming tells that the piece is done.
        return piece.first <= number <= last

    def member_wanted(number: int) -> bool:
        step()
        return number % piece.stripes == piece.stripe

    whole = piece.first == 1 and piece.last is None
    options = options if whole else replace(options, wanted=wanted)
    return _within(piece, read_members(source, piece.format, options, member_wanted))


def _within(piece: Piece, records: Iterator[tuple[int, Record]]) -> Iterator[tuple[int, Record]]:
    """Those that belong to the piece. What is wrong with the file as a whole belongs to its last."""
    last = piece.last if piece.last is not None else sys.maxsize
    for member, record in records:
        number = record.origin.record
        if not number and not member:
            if piece.ends:
                yield member, record
        elif member or piece.first <= number < last:
            yield member, record
        elif number >= last:
            return


def _digest(piece: Piece) -> str:
    """Hash of the input; empty where it cannot be read, which a failure has told."""
    try:
        return piece.source.sha256()
    except (SourceError, OSError):
        return ""


def _article(entry: _Entry) -> Article:
    assert isinstance(entry.record, Article)
    return entry.record


def _tables(rows: Sequence[_Rows], config: ExtractConfig) -> dict[str, pa.Table]:
    cases = cases_schema(evidence=config.output.evidence)
    return {
        "articles": pa.Table.from_pylist([each.article for each in rows], schema=ARTICLES),
        "cases": pa.Table.from_pylist([row for each in rows for row in each.cases], schema=cases),
        "findings": pa.Table.from_pylist([row for each in rows for row in each.findings], schema=FINDINGS),
    }


def _without(tables: Mapping[str, pa.Table], article_id: str) -> dict[str, pa.Table]:
    others = {name: pc.not_equal(table["article_id"], pa.scalar(article_id)) for name, table in tables.items()}
    return {name: table.filter(others[name]) for name, table in tables.items()}


def _too_slow(entry: _Entry, seconds: float | None) -> Failure:
    return Failure(
        entry.record.origin,
        "process",
        "TimeLimit",
        f"The article took longer than {seconds:g} seconds",
        "Raise limits.seconds_per_article in the config if it is worth them; the rest of the run is not affected",
        _article(entry).article_id,
    )


def _out_of_memory(failure: Failure) -> Failure:
    if failure.error != "MemoryError":
        return failure
    return replace(
        failure,
        message="The article took more memory than there is",
        cure="Raise limits.memory_mib in the config if the machine has more; the rest of the run is not affected",
    )


def _unwritable(entry: _Entry, error: Exception) -> Failure:
    message = f"The rows cannot be written: {' '.join(str(error).split())[:300]}"
    return Failure(entry.record.origin, "write", type(error).__name__, message, _REPORT, _article(entry).article_id)


@contextmanager
def _told_of(out: Path) -> Iterator[None]:
    """An error of the file system as one that tells the cure."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{out}: {error.strerror or error}", "Make room or give rights there, then go on with --resume"
        ) from error
