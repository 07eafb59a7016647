"""Folders that are URLs (s3://, gs://, …), through fsspec: objects are sent, fetched and dropped, each as a whole.

Nothing is renamed, appended to or locked there, since object stores can do none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from caseframe.errors import OutputError


class Store:
    """A folder at a URL. Its methods raise OutputError where the place cannot be reached, read or written."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        with self._told():
            self._files: Any
            self._files, root = fsspec.core.url_to_fs(self.url)
            self._root = str(root).rstrip("/")

    def names(self) -> list[str]:
        """The names of all objects, from the folder on; none where there is no such folder."""
        with self._told():
            self._files.invalidate_cache()
            return sorted(str(path)[len(self._root) + 1 :] for path in self._files.find(self._root))

    def put(self, file: Path, name: str) -> None:
        """Sends a file."""
        with self._told():
            try:
                self._files.put_file(str(file), self._path(name))
            except FileNotFoundError:  # a file system with folders that must be made
                self._files.makedirs(str(PurePosixPath(self._path(name)).parent), exist_ok=True)
                self._files.put_file(str(file), self._path(name))

    def put_all(self, folder: Path) -> None:
        """Sends all files under a folder, under their names in it."""
        for file in files_under(folder):
            self.put(file, file.relative_to(folder).as_posix())

    def get(self, name: str, file: Path) -> None:
        """Fetches an object into a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            self._files.get_file(self._path(name), str(file))

    def read(self, names: Sequence[str]) -> list[bytes]:
        """What small objects hold; of those that are not there, nothing."""
        with self._told():
            found: dict[str, bytes | Exception] = (
                self._files.cat([self._path(name) for name in names], on_error="return") if names else {}
            )
        for error in found.values():
            if isinstance(error, Exception) and not isinstance(error, FileNotFoundError):
                with self._told():
                    raise error
        return [content for content in found.values() if isinstance(content, bytes)]

    def drop(self, names: Iterable[str]) -> None:
        """Removes objects."""
        with self._told():
            for name in names:
                self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Any error as one that tells the cure: each kind of store has its own."""
        try:
            yield
        except ImportError as error:
            raise OutputError(f"{self.url} needs a package that is not installed: {error}", "Install it") from error
        except Exception as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise OutputError(
                f"{self.url}: {reason}", "Look at the URL, the network and your rights, then go on with --resume"
            ) from error


def files_under(folder: Path) -> list[Path]:
    """All files under a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
