"""What the tests of runs share: small dumps, a light config, the bytes of a run's tables."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random

from caseframe.config import ExtractConfig

CASE = "A {age}-year-old man underwent hemisacrectomy for osteosarcoma. He walked at 2 weeks without infection."
# What says when and how a run was made, and so is another one each time.
_OWN = {"run.json", "progress.json", "plan.json", "manifest.jsonl", "caseframe.duckdb", ".lock", ".workers"}


def line(pmid: int, age: int = 30, **rest: object) -> str:
    """A record of a JSON Lines file."""
    title = "Sacral osteosarcoma: a case report"
    return json.dumps({"pmid": str(pmid), "title": title, "abstract": CASE.format(age=age)} | rest)


def light(**parts: object) -> ExtractConfig:
    """A config without the network and with small parts."""
    given = {"pipeline": {"entities": "none"}, "output": {"formats": ["csv"], "part_size": 4}}
    return ExtractConfig.model_validate(given | parts)


def write_inputs(folder: Path, files: int = 3, records: int = 20) -> Path:
    """A folder of JSON Lines files in which articles come again and some records are broken."""
    folder.mkdir()
    for file in range(files):
        random = Random(file)
        lines = [line(random.randrange(40), 20 + n) if n % 10 != 9 else "{torn" for n in range(records)]
        (folder / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def tables(out: Path) -> dict[str, str]:
    """Hash of every file that must be the same, whoever did the work."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and path.name not in _OWN]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
