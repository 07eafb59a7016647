"""Finding and opening what a user names: files, folders, archives, URLs and standard input.

An `Input` is one file as it lies there; its `parts` are the streams in it that can hold articles: the file itself,
decompressed, or every member of an archive in turn. Compression and archives are known by their first bytes, nothing
is unpacked to disk, and no more is held than a buffer.
"""

from __future__ import annotations

import bz2
import codecs
import hashlib
import importlib
import io
import lzma
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, BinaryIO, Final, Literal, Protocol, cast

import fsspec
import zstandard

from caseframe.errors import BrokenFile, NoArticles, SourceError, UnknownFormat
from caseframe.schema import fold_space
from caseframe.sources.base import HEAD_BYTES


def _fastest_zlib() -> ModuleType:
    """ISA-L's, or, since there are no wheels of it for every machine, Python's own."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


_ZLIB: Final = _fastest_zlib()
STDIN: Final = "-"
_BUFFER: Final = 1 << 17
_STEP: Final = 1 << 14
_ZSTD_STEP: Final = 1 << 8
"""Zstandard expands a step at one go, up to 30,000 times: small steps bound what a hostile file can take."""
_LAYERS: Final = 3
_SUFFIXES: Final = (".gz", ".xz", ".zst", ".bz2")
_ARCHIVE_SUFFIXES: Final = {".tgz": ".tar", ".txz": ".tar", ".tbz2": ".tar", ".tzst": ".tar"}
_NO_ARTICLES: Final = frozenset(
    ".md .rst .png .jpg .jpeg .gif .tif .tiff .svg .bmp .webp .eps .ps .pdf .doc .docx .ppt .pptx .xls .xlsx .odt .ods "
    ".css .js .py .r .sh .bat .ipynb .dtd .xsd .xsl .xslt .ent .mod .rng .log .yaml .yml .toml .ini .cfg .lock .md5 "
    ".sha1 .sha256 .sha512 .sig .asc .mp3 .mp4 .avi .mov .wmv .flv .exe .dll .so .parquet .duckdb .sqlite .db "
    ".ann".split()
)
_NO_ARTICLE_STEMS: Final = frozenset("readme license licence notice copying changelog contributing makefile".split())
Unwanted = Callable[[str], bool]
"""Whether a file of this name, found in a folder or an archive, is to be left out."""
_OFFICE_MEMBERS: Final = frozenset({"[Content_Types].xml", "mimetype"})


@dataclass(frozen=True, slots=True)
class Part:
    """A stream that can hold articles. It is good until the next part is asked for."""

    name: str
    """The file, or `archive!member`: what the records' origin tells."""
    inner_name: str
    """The last name alone, without compression suffix."""
    stream: io.BufferedReader
    """It raises `BrokenFile` where the bytes are damaged or end early."""
    listed: bool = False
    """Whether it was found in a folder or an archive, not named by the user."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read, by its name: a path, a URL or `-`."""

    name: str
    size: int | None = None
    modified: float | None = None
    """Seconds since 1970, where it is known."""
    listed: bool = False

    def open_raw(self) -> BinaryIO:
        """The bytes as they lie there.

        Raises `BrokenFile` where they cannot be had.
        """
        try:
            if self.name == STDIN:
                # Not ours to close: a second handle on what the user pipes in.
                return _buffered(sys.stdin.buffer)
            if is_url(self.name):
                opened: BinaryIO = fsspec.open(self.name, "rb").open()
                return opened
            return Path(self.name).open("rb")
        except Exception as error:
            raise BrokenFile(
                f"The file cannot be opened: {_told(error)}", "Look at its name and permissions"
            ) from error

    def open(self) -> BinaryIO:
        """The bytes, decompressed; of an archive those of the archive."""
        raw = self.open_raw()
        return _Closing(_decompressed(raw, self.name)[0], raw)

    def sha256(self) -> str:
        """Hash of the bytes as they lie there; empty for standard input, which can be read only once."""
        if self.name == STDIN:
            return ""
        digest = hashlib.sha256()
        with self.open_raw() as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def is_archive(self) -> bool:
        """Whether it is a zip or tar archive, compressed or not. Raises `BrokenFile` where it cannot be opened."""
        with closing(self.open_raw()) as raw:
            return bool(_archive_kind(*_decompressed(raw, self.name)))

    @contextmanager
    def stretch(self, start: int, stop: int) -> Iterator[Part]:
        """The bytes from `start` to `stop` as they lie there.

        Raises `BrokenFile` where they cannot be had.
        """
        with closing(self.open_raw()) as raw:
            raw.seek(start)
            yield Part(self.name, _base(self.name), _buffered(_Stretch(raw, stop - start)), self.listed)

    def parts(self, unwanted: Unwanted | None = None) -> Iterator[Part]:
        """The file itself, or the members of an archive in their order, without those whose names are `unwanted`.

        Raises a `SourceError` for what is wrong with the whole, after all that could be had of it.
        """
        with closing(self.open_raw()) as raw:
            stream, inner = _decompressed(raw, self.name)
            kind = _archive_kind(stream, inner)
            if kind == "zip":
                yield from _zip_members(self.name, raw, unwanted or holds_no_articles)
            elif kind == "tar":
                yield from _tar_members(self.name, stream, unwanted or holds_no_articles)
            else:
                yield Part(self.name, inner, stream, self.listed)


def iter_inputs(paths: Iterable[str | Path], unwanted: Unwanted | None = None) -> Iterator[Input]:
    """The files under the paths in a fixed order: paths as given, folders by name, their files before their folders.

    Patterns (`*.xml.gz`, `s3://bucket/**/*.xml`) are filled in. Links to folders are followed, once each. Files that
    are found, not named, are left out where their names are `unwanted`; by default what holds no articles.

    Raises `NoArticles` where a path does not exist or a URL cannot be looked at, before anything is read.
    """
    names = [str(path) for path in paths]
    unwanted = unwanted or holds_no_articles
    for name in names:
        if name != STDIN and not is_url(name) and not Path(name).exists() and not _matches(name):
            raise NoArticles(f"There is no file or folder {name}", "Look at the path")
    remote = {name: list(_remote_inputs(name, unwanted)) for name in names if is_url(name)}
    for name in names:
        if name == STDIN:
            yield Input(STDIN)
        elif is_url(name):
            yield from remote[name]
        elif Path(name).exists():
            yield from _local_inputs(Path(name), unwanted)
        else:
            for found in _matches(name):
                yield from _local_inputs(Path(found), unwanted)


def _matches(pattern: str) -> list[str]:
    return sorted(glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns


def is_url(name: str) -> bool:
    """Whether fsspec is to open it."""
    return "://" in name


def holds_no_articles(name: str) -> bool:
    """Whether a file found in a folder or archive is obviously something else: a picture, a readme, a hidden file."""
    path = PurePosixPath(name.replace("\\", "/"))
    if any(part.startswith(".") and part not in (".", "..") for part in path.parts[-1:]) or "__MACOSX" in path.parts:
        return True
    return path.suffix.lower() in _NO_ARTICLES or path.name.lower().partition(".")[0] in _NO_ARTICLE_STEMS


def _local_inputs(path: Path, unwanted: Unwanted) -> Iterator[Input]:
    if not path.is_dir():
        yield _local_input(path, listed=False)
        return
    seen: set[tuple[int, int]] = set()
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(path, onerror=unreadable.append, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder, name)
            # A link to nothing is listed, so that opening it tells; pipes and devices are not.
            if not unwanted(name) and (file.is_file() or not file.exists()):
                yield _local_input(file, listed=True)
    # A folder that cannot be listed is told of by the attempt to open it.
    yield from (Input(str(error.filename), listed=True) for error in unreadable)


def _local_input(path: Path, *, listed: bool) -> Input:
    try:
        status = path.stat()
    except OSError:
        return Input(str(path), listed=listed)
    return Input(str(path), status.st_size, status.st_mtime, listed)


def _remote_inputs(url: str, unwanted: Unwanted) -> Iterator[Input]:
    """The files at a URL: itself, those of a folder, those of a pattern.

    Raises `NoArticles` where the place cannot be looked at.
    """
    try:
        files, root = fsspec.core.url_to_fs(url)
        # Asking a web server for a listing would fetch the file and look for links in it.
        single = url.startswith(("http://", "https://")) and not url.endswith("/") and not has_magic(root)
        if single:
            found = {}
        elif has_magic(root):
            found = files.glob(root, detail=True)
        else:
            found = files.find(root, detail=True) if files.isdir(root) else {}
    except ImportError as error:
        raise NoArticles(f"{url} needs a package that is not installed: {error}", "Install it with pip") from error
    except Exception as error:
        raise NoArticles(f"{url} cannot be looked at: {_told(error)}", "Look at the URL and your rights") from error
    if not found:
        yield Input(url)
    for name in sorted(found):
        info = found[name]
        if info.get("type") != "directory" and not unwanted(name):
            modified = info.get("mtime", info.get("LastModified", info.get("created")))
            yield Input(files.unstrip_protocol(name), info.get("size"), _seconds(modified), listed=True)


def _seconds(modified: object) -> float | None:
    return modified.timestamp() if isinstance(modified, datetime) else modified if isinstance(modified, float) else None


def _archive_kind(stream: io.BufferedReader, name: str) -> Literal["", "zip", "tar"]:
    head = stream.peek(HEAD_BYTES)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return "tar" if head[257:262] == b"ustar" or (name.endswith(".tar") and b"\0" in head[:100]) else ""


def _zip_members(archive: str, raw: BinaryIO, unwanted: Unwanted) -> Iterator[Part]:
    if not raw.seekable():
        raise UnknownFormat("A zip archive cannot be read from a pipe or inside another file", "Give it as a file")
    try:
        # Reading ahead has moved the file; an archive is read from its end.
        opened = zipfile.ZipFile(raw)
    except (zipfile.BadZipFile, OSError) as error:
        raise BrokenFile(f"The zip archive is damaged: {_told(error)}", "Fetch or pack it again") from error
    with opened as zipped:
        names = zipped.namelist()
        if _OFFICE_MEMBERS.intersection(names):
            raise UnknownFormat("This is an office document", "Save its sheet as CSV or its text as .txt")
        for entry in zipped.infolist():
            if not entry.is_dir() and not unwanted(entry.filename):
                yield _member(archive, entry.filename, partial(zipped.open, entry))


def _tar_members(archive: str, stream: io.BufferedReader, unwanted: Unwanted) -> Iterator[Part]:
    # tarfile drops what it has read when an error comes, so it is told of an end, and the error is raised afterwards.
    patient = _EndsAtError(stream)
    try:
        with tarfile.open(fileobj=cast(Any, patient), mode="r|") as tar:
            for entry in tar:
                if entry.isfile() and not unwanted(entry.name):
                    yield _member(archive, entry.name, partial(tar.extractfile, entry))
    except tarfile.TarError as error:
        if patient.error is None:
            raise BrokenFile(f"The tar archive is damaged: {_told(error)}", _FETCH) from error
    if patient.error:
        raise patient.error


def _member(archive: str, name: str, open_member: Callable[[], Any]) -> Part:
    """The part of a member; one that cannot be opened fails when it is read."""
    full_name = f"{archive}!{name}"
    try:
        stream, inner = _decompressed(open_member(), name)
        if _archive_kind(stream, inner):
            raise UnknownFormat("An archive inside an archive is not read", "Unpack the outer one")
    except Exception as error:
        broken = error if isinstance(error, SourceError) else BrokenFile(f"Cannot be read: {_told(error)}", _FETCH)
        return Part(full_name, _base(name), _buffered(_Raising(broken)), listed=True)
    return Part(full_name, inner, stream, listed=True)


def _decompressed(raw: BinaryIO, name: str) -> tuple[io.BufferedReader, str]:
    """The stream without its compression, and the last name without the suffixes of it."""
    stream = _buffered(raw)
    inner = _base(name)
    for _ in range(_LAYERS):
        head = stream.peek(8)
        unpack = next((unpack for magic, unpack in _CODECS if head.startswith(magic)), None)
        if unpack is None:
            break
        stream = _buffered(unpack(stream))
        inner = _without_suffix(inner)
    return stream, inner


def _base(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def _without_suffix(name: str) -> str:
    """`a.xml` of `a.xml.gz`, `a.tar` of `a.tgz`."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    return path.stem + _ARCHIVE_SUFFIXES.get(suffix, "") if suffix in _SUFFIXES or suffix in _ARCHIVE_SUFFIXES else name


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Guarded(io.RawIOBase):
    """A stream whose every error is a `BrokenFile`, raised only when all that comes before it has been handed out."""

    def __init__(self, source: _Readable) -> None:
        self._source = source
        # A single read of the source at a time: what it returned must not be lost to an error in the next.
        self._read: Callable[[int], bytes] = getattr(source, "read1", source.read)
        self._error: SourceError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer as far as it can."""
        filled = 0
        while filled < len(buffer) and self._error is None:
            try:
                piece = self._read(len(buffer) - filled)
            except Exception as error:
                self._error = _broken(error)
                break
            if not piece:
                return filled
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        if not filled and self._error is not None:
            raise self._error
        return filled


def _buffered(source: _Readable) -> io.BufferedReader:
    return io.BufferedReader(cast(Any, _Guarded(source)), _BUFFER)


class _Closing(io.BufferedReader):
    """A stream that closes the file beneath it."""

    def __init__(self, stream: io.BufferedReader, beneath: BinaryIO) -> None:
        super().__init__(cast(Any, stream), _BUFFER)
        self._beneath = beneath

    def close(self) -> None:
        """Closes both."""
        super().close()
        self._beneath.close()


class _Stretch:
    """The next so many bytes of a source."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end of the stretch."""
        piece = self._source.read(min(size, self._left))
        self._left -= len(piece)
        return piece


class _Raising:
    """A source of which nothing can be read."""

    def __init__(self, error: SourceError) -> None:
        self._error = error

    def read(self, size: int, /) -> bytes:
        """Raises the error."""
        raise self._error


class _EndsAtError:
    """A stream that ends where its source has an error, which it keeps."""

    def __init__(self, source: io.BufferedReader) -> None:
        self._source = source
        self.error: SourceError | None = None

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; fewer only at the end."""
        pieces = []
        try:
            while size > 0 and self.error is None and (piece := self._source.read1(size)):
                pieces.append(piece)
                size -= len(piece)
        except SourceError as error:
            self.error = error
        return b"".join(pieces)


class _Frames(io.RawIOBase):
    """Compressed frames one after the other, each decompressed step by step.

    The modules' own file classes lose what they hold when the data end early (isal), or take it for the end
    (zstandard).
    """

    def __init__(self, source: io.BufferedReader, new_frame: Callable[[], Any], step: int) -> None:
        self._source = source
        self._new_frame = new_frame
        self._step = step
        self._frame: Any = None
        self._input = b""
        self._output = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Some bytes; none at the end.

        Raises `EOFError` where the end comes inside a frame.
        """
        while not self._output:
            if not self._input:
                self._input = self._source.read1(self._step)
                if not self._input:
                    if self._frame is not None:
                        raise EOFError
                    return 0
            if self._frame is None:
                # Files are padded with zeros on some media.
                self._input = self._input.lstrip(b"\0")
                if not self._input:
                    continue
                self._frame = self._new_frame()
            self._output = memoryview(self._decompress())
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _decompress(self) -> bytes:
        """What the next input gives, of a gzip member at most a buffer."""
        frame = self._frame
        if self._step == _ZSTD_STEP:
            output: bytes = frame.decompress(self._input)
            self._input = b""
        else:
            output = frame.decompress(self._input, _BUFFER)
            self._input = frame.unconsumed_tail
        if frame.eof:
            self._input = frame.unused_data
            self._frame = None
        return output


def _gunzip(stream: io.BufferedReader) -> _Readable:
    return _Frames(stream, lambda: _ZLIB.decompressobj(wbits=16 + zlib.MAX_WBITS), _STEP)


def _unzstd(stream: io.BufferedReader) -> _Readable:
    return _Frames(stream, lambda: zstandard.ZstdDecompressor().decompressobj(), _ZSTD_STEP)


_CODECS: Final[tuple[tuple[bytes, Callable[[io.BufferedReader], _Readable]], ...]] = (
    (b"\x1f\x8b", _gunzip),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", _unzstd),
    (b"BZh", bz2.BZ2File),
)
_FETCH: Final = "Fetch or pack it again; what comes before the damage is read"


def _broken(error: Exception) -> SourceError:
    """The error as a user is told of it."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, EOFError):
        return BrokenFile("The file is cut off: its compressed data end early", _FETCH)
    if isinstance(error, tarfile.ReadError) and "unexpected end" in str(error):
        return BrokenFile("The archive is cut off in this member", _FETCH)
    return BrokenFile(f"The file is damaged: {_told(error)}", _FETCH)


def _told(error: BaseException) -> str:
    text = str(error.strerror if isinstance(error, OSError) and error.strerror else error)
    return fold_space(text)[:300] or type(error).__name__


def head_text(head: bytes) -> str:
    """The beginning of a file as text, for telling its format; a character cut at the end is left out."""
    for mark, encoding in _WIDE:
        if head.startswith(mark):
            return head.decode(encoding, "ignore").lstrip("\ufeff")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeError:
        return head.decode("cp1252", "replace")


_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
