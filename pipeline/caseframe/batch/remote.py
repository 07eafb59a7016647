"""A run whose folder is a URL: planned and ended in a temporary folder on this machine, kept at the URL.

A worker sends what it wrote of a shard when the shard is done; then comes the shard's line of the manifest, an object
of its own. Here the names of what is there already stand as empty files, which is enough to tell what is missing, until
the last step needs what they hold. `run.json` is sent last.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from caseframe.batch import manifest
from caseframe.batch.rundir import LEDGER_FOLDER, LOCK, MANIFEST, PLAN, PROGRESS, RUN_FILE, TABLES, WORKERS_LOCK
from caseframe.batch.shard import ShardResult
from caseframe.batch.store import Store, files_under
from caseframe.errors import CaseFrameError, OutputError, RunBusy

LINES = "manifest"
"""The folder of the manifest's lines."""
LEASE = "lease.json"
_SMALL = (RUN_FILE, PLAN, PROGRESS)
_OWN = frozenset({LOCK, WORKERS_LOCK, LEASE, PROGRESS, RUN_FILE})
LEASE_SECONDS = 90
"""After so long without a sign of life a run counts as dead."""
_SIGN_SECONDS = 15
_LOOKS = 5
_Stamp = tuple[int, int]


class Mirror:
    """The folder of a run at a URL as it stands on this machine. Use `mirrored` to get one."""

    def __init__(self, store: Store, folder: Path) -> None:
        """Puts down what is there: small files whole, of others the names, the manifest's lines as one file."""
        self.store = store
        self.folder = folder
        names = store.names()
        self._lines = [name for name in names if name.startswith(f"{LINES}/")]
        self._names = [name for name in names if name != LEASE and name not in self._lines]
        for name in self._names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name in _SMALL:
                store.get(name, path)
            else:
                path.touch()
        if self._lines:
            (folder / MANIFEST).write_bytes(b"".join(store.read(self._lines)))
        self._sent = self._stamps()

    def begin(self, done: Collection[int]) -> None:
        """Drops at the URL what was dropped here, and the lines of shards that are not done; sends the plan."""
        kept = {_line_name(number) for number in done}
        self.store.drop(name for name in self._lines if name not in kept)
        self.store.drop(name for name in self._names if not (self.folder / name).exists())
        for name in (RUN_FILE, PLAN):  # where there is no plan, the run is begun anew
            self.store.put(self.folder / name, name)
        self._sent = self._stamps()

    def note(self, result: ShardResult) -> None:
        """Sends the line of a shard, all of whose parts are there."""
        with tempfile.TemporaryDirectory() as folder:
            line = Path(folder, "line")
            line.write_bytes(manifest.line(result))
            self.store.put(line, _line_name(result.number))

    def gather(self) -> None:
        """Fetches all tables and ledgers, which the last step reads."""
        folders = tuple(f"{name}/" for name in (*TABLES, LEDGER_FOLDER))
        for name in self.store.names():
            if name.startswith(folders):
                self.store.get(name, self.folder / name)
        self._sent = self._stamps()

    def finish(self) -> None:
        """Sends what the last step wrote, `run.json` last."""
        for name, stamp in self._stamps().items():
            if name not in _OWN and self._sent.get(name) != stamp:
                self.store.put(self.folder / name, name)
        for name in (PROGRESS, RUN_FILE):
            self.store.put(self.folder / name, name)

    def _stamps(self) -> dict[str, _Stamp]:
        """What changes when a file is written again; files are replaced, never changed."""
        stamps = {}
        for path in files_under(self.folder):
            status = path.stat()
            stamps[path.relative_to(self.folder).as_posix()] = status.st_ino, status.st_mtime_ns
        return stamps


@contextmanager
def mirrored(url: str) -> Iterator[Mirror]:
    """The run at a URL, held against other runs as far as that can be without locks.

    Raises OutputError where the place cannot be reached or written, RunBusy where another run gave a sign of life.
    """
    store = Store(url)
    if is_leased(store):
        raise RunBusy(
            f"{url}: another run is writing there, or was {LEASE_SECONDS} seconds ago",
            "Wait for its end, see caseframe status",
        )
    with tempfile.TemporaryDirectory(prefix="caseframe-", ignore_cleanup_errors=True) as name, _named(name, url):
        folder = Path(name)
        with _lease(store, folder):
            yield Mirror(store, folder)


@contextmanager
def looked_at(url: str) -> Iterator[tuple[Path, bool]]:
    """What tells how a run at a URL stands, in a folder, and whether it works now."""
    store = Store(url)
    with tempfile.TemporaryDirectory(prefix="caseframe-") as folder:
        names = store.names()
        for name in _SMALL:
            if name in names:
                store.get(name, Path(folder, name))
        lines = store.read([name for name in names if name.startswith(f"{LINES}/")])
        Path(folder, MANIFEST).write_bytes(b"".join(lines))
        yield Path(folder), is_leased(store)


def is_leased(store: Store) -> bool:
    """Whether a run at this place gave a sign of life of late, and is not known to be dead."""
    for _ in range(_LOOKS):
        content = store.read([LEASE])
        if not content:
            return False
        try:
            lease = json.loads(content[0])
            age, host, pid = time.time() - float(lease["time"]), str(lease["host"]), int(lease["pid"])
        except (ValueError, KeyError, TypeError):
            time.sleep(0.2)  # where objects do not appear whole, it is just being written
        else:
            return age < LEASE_SECONDS and not (host == socket.gethostname() and not _lives(pid))
    return False


def _lives(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _lease(store: Store, folder: Path) -> Iterator[None]:
    """Gives a sign of life now and then, and tells how far the run is."""
    with tempfile.TemporaryDirectory() as own:
        note = Path(own, LEASE)

        def sign() -> None:
            note.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}))
            store.put(note, LEASE)

        def signs() -> None:
            while not ended.wait(_SIGN_SECONDS):
                with suppress(OutputError, OSError):  # the next one may come through
                    sign()
                    tell()

        def tell() -> None:
            if (folder / PROGRESS).exists():
                store.put(folder / PROGRESS, PROGRESS)

        ended = threading.Event()
        sign()
        thread = threading.Thread(target=signs, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with suppress(OutputError):
                tell()
            with suppress(OutputError):
                store.drop([LEASE])


@contextmanager
def _named(folder: str, url: str) -> Iterator[None]:
    """Errors name the URL, not the temporary folder."""
    try:
        yield
    except CaseFrameError as error:
        error.message = error.message.replace(folder, url)
        raise


def _line_name(number: int) -> str:
    return f"{LINES}/{number:06d}.json"
