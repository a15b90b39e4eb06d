"""The files of a backup: lines of Extended JSON, a checksum for each line, and a manifest.

A folder with a manifest is a complete backup. Until the backup is complete, its folder has another name.
"""

import hashlib
import json
import os
import secrets
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from chatroom import __version__
from chatroom.base.errors import ChatroomError
from chatroom.base.owners import name_of, owner_of, run_as
from chatroom.site.upgrades import DATA_VERSION

FORMAT = 2
FIRST_FORMAT = 1
"""The format of backups from before data had versions."""
MANIFEST = "manifest.json"
LONGEST_LINE = 128_000_000
"""A document has at most 16 MB. Its JSON has at most about six times as many bytes."""


class BackupError(ChatroomError):
    """A backup cannot be written, read or restored; the text states the place and the reason."""


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checksums and counts of a file. If a document has several lines, only the last line is valid."""

    lines: int
    documents: int
    sha256: str
    sums_sha256: str


class RoomFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size of a room's log. The missing revisions were missing in the database, too."""

    revision: int
    messages: int
    missing_revisions: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a backup, with checksums."""

    format: int
    made_at: datetime
    collections: dict[str, FileFacts]
    rooms: dict[str, RoomFacts]
    release: str = ""
    data_version: int = 0


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Create a folder that is renamed to `folder` at the end, or removed after an error."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} already exists and is not empty: choose a new folder.")
    part = folder.with_name(f"{folder.name}.unfinished-{secrets.token_hex(3)}")
    try:
        if (owner := owner_of(folder.parent)) != 0 and os.geteuid() == 0:
            name = name_of(owner)
            raise BackupError(f"{folder.parent} belongs to another account ({name}). {run_as(name)}")
        part.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(f"{folder} cannot be created: {error.strerror}.") from error
    try:
        yield part
        _sync(part)
        part.rename(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn errors of the operating system into `BackupError`."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{error.filename or folder}: {error.strerror or error}.") from error


def write_lines(folder: Path, name: str, lines: Iterable[bytes], count: Callable[[bytes], bool]) -> FileFacts:
    """Write lines, and their checksums to a second file; `count` returns whether a line has a new document."""
    digest, sums_digest = hashlib.sha256(), hashlib.sha256()
    total = documents = 0
    with _create(folder / f"{name}.jsonl") as file, _create(folder / f"{name}.sums") as sums:
        for line in lines:
            sum_line = _sum(line)
            file.write(line)
            sums.write(sum_line)
            digest.update(line)
            sums_digest.update(sum_line)
            total += 1
            documents += count(line)
    return FileFacts(total, documents, digest.hexdigest(), sums_digest.hexdigest())


def read_lines(folder: Path, name: str, facts: FileFacts) -> Iterator[bytes]:
    """Yield the lines of a file; raise `BackupError` at the first line that was altered."""
    path, sums_path = folder / f"{name}.jsonl", folder / f"{name}.sums"
    digest = hashlib.sha256()
    with path.open("rb") as file, sums_path.open("rb") as sums:
        are_sums_good = hashlib.file_digest(sums, "sha256").hexdigest() == facts.sums_sha256
        sums.seek(0)
        for number in range(1, facts.lines + 1):
            line = file.readline(LONGEST_LINE)
            if not line:
                raise BackupError(f"{path} ends after line {number - 1}, and had {facts.lines}.")
            if sums.readline(100) != _sum(line):
                raise BackupError(f"{path if are_sums_good else sums_path}, line {number}: altered or cut off.")
            digest.update(line)
            yield line
        if file.read(1):
            raise BackupError(f"{path} has lines after line {facts.lines}, which must be its last.")
    if not are_sums_good or digest.hexdigest() != facts.sha256:
        raise BackupError(f"{sums_path if not are_sums_good else path} is not what {MANIFEST} says.")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest."""
    with _create(folder / MANIFEST) as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest; raise `BackupError` if this version cannot read it."""
    path = folder / MANIFEST
    if folder.is_dir() and not path.exists():
        raise BackupError(f"{folder} is not a backup, or an incomplete one: {MANIFEST} is missing.")
    try:
        content = json.loads(path.read_bytes())
        format = content["format"]
        if isinstance(format, int) and format > FORMAT:
            raise BackupError(f"{path} has format {format}, but this version reads {FORMAT}: update the site.")
        manifest = msgspec.convert(content, Manifest)
    except json.JSONDecodeError as error:
        raise BackupError(f"{path}, line {error.lineno}: altered or cut off ({error.msg}).") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:  # msgspec.ValidationError is a ValueError
        raise BackupError(f"{path} is not the manifest of a backup: {error}.") from error
    if manifest.format not in {FIRST_FORMAT, FORMAT}:
        raise BackupError(f"{path}: there is no format {manifest.format}; this version reads {FORMAT}.")
    if manifest.data_version > DATA_VERSION:
        raise BackupError(
            f"{path} has data version {manifest.data_version} of Chatroom {manifest.release}, but this is Chatroom "
            f"{__version__} with data version {DATA_VERSION}: update the site."
        )
    return manifest


@contextmanager
def _create(path: Path) -> Iterator[BinaryIO]:
    """Create a file that only its owner can read; it is on disk when the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb", buffering=1 << 18) as file:
        yield file
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sum(line: bytes) -> bytes:
    return b"%08x\n" % zlib.crc32(line)
