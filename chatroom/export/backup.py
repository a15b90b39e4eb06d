"""Write a backup, verify a backup, and restore a backup into an empty database.

No document in a backup refers to a missing document. All messages of a room have the state of one moment. The
moment may differ between rooms.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from chatroom import __version__
from chatroom.base.errors import ChatroomError, Refused
from chatroom.export.backup_folder import (
    FORMAT,
    MANIFEST,
    BackupError,
    Manifest,
    RoomFacts,
    explained,
    read_lines,
    read_manifest,
    unfinished,
    write_lines,
    write_manifest,
)
from chatroom.export.backup_store import BackupStore
from chatroom.messages.messages_store import KEPT_REVISIONS
from chatroom.mongo.collections import CollectionModel, backed_up
from chatroom.rooms.access import LOBBY
from chatroom.site.background import Report
from chatroom.site.upgrades import DATA_VERSION

GAP_TRIES, GAP_PAUSE_SECONDS = 5, 1.0
FURTHEST_JUMP = 50_000_000
"""The maximum jump to a newer revision: a forged revision must not exhaust the memory."""
REPORT_EVERY = 1000


def make(store: BackupStore, folder: Path, report: Report, *, now: datetime | None = None) -> Manifest:
    """Write a backup to a new folder; users can post during this time."""
    version = store.data_version()
    with explained(folder), unfinished(folder) as part:
        logs, files = Logs(), {}
        file_ids: list[str] = []
        for name in store.kept:
            if name == "messages":
                lines = _read_messages(store, logs)
            elif name == "files.chunks":
                lines = store.read_pieces(file_ids)
            elif name == "files.files":
                lines = _read_files(store, file_ids)
            else:
                lines = store.read(name)
            count = logs.take if name == "messages" else _one
            files[name] = write_lines(part, name, _reported(lines, name, store.estimate(name), report), count)
        manifest = Manifest(FORMAT, now or datetime.now(UTC), files, logs.facts(), __version__, version)
        write_manifest(part, manifest)
    return manifest


def verify(collections: Sequence[CollectionModel], folder: Path, report: Report) -> Manifest:
    """Read a whole backup. If a line was altered, raise `BackupError` with the file and the line."""
    names = [each.name for each in backed_up(collections)]
    with explained(folder):
        manifest = read_manifest(folder)
        missing = set(names) - manifest.collections.keys()
        # An older version may have had fewer collections.
        if manifest.collections.keys() - set(names) or (missing and manifest.data_version == DATA_VERSION):
            raise BackupError(f"{folder / MANIFEST} must list {', '.join(names)}, and nothing else.")
        logs = Logs({room: facts.revision for room, facts in manifest.rooms.items()})
        for name, facts in manifest.collections.items():
            count = logs.take if name == "messages" else _one
            lines = _reported(read_lines(folder, name, facts), name, facts.lines, report)
            if sum(map(count, lines)) != facts.documents:
                raise BackupError(f"{folder / MANIFEST} and {name}.jsonl have different numbers of documents.")
        if logs.facts() != manifest.rooms:
            raise BackupError(f"{folder / MANIFEST} and messages.jsonl differ in the rooms.")
    return manifest


def restore(store: BackupStore, folder: Path, report: Report) -> Manifest:
    """Verify a backup, then write it into an empty database."""
    _refuse_content(store)
    manifest = verify(store.collections, folder, lambda name, done, lines: report(f"checking {name}", done, lines))
    _refuse_content(store)
    store.prepare()
    try:
        with explained(folder):
            # The accounts come last, so that nobody can log in to a half-restored site.
            store.set_data_version(manifest.data_version)
            for name in sorted(manifest.collections, key=lambda name: name == "users"):
                facts = manifest.collections[name]
                _restore_lines(store, name, _reported(read_lines(folder, name, facts), name, facts.lines, report))
            store.finish()
    except (ChatroomError, KeyboardInterrupt) as error:
        raise BackupError(
            f"{str(error) or 'Stopped.'} The database now contains a part of the backup: empty it before you try again."
        ) from error
    return manifest


class Logs:
    """The size of each room's log, counted from the lines of its messages.

    `bounds` has the highest allowed revision of each room.
    """

    def __init__(self, bounds: Mapping[str, int] | None = None) -> None:
        self._bounds = bounds
        self._logs: dict[str, _Log] = {}

    def take(self, line: bytes) -> bool:
        """Record one line (one state of a message); return False if an earlier line had the same message."""
        try:
            entry = _entry_decoder.decode(line)
            numbers = [_integer(number) for number in (entry.sequence, entry.revision, *entry.revisions)]
        except ValueError:  # a server never writes such a line, and would ignore it
            return True
        if min(numbers) < 1 or max(numbers) > self.newest(entry.room) + FURTHEST_JUMP:
            return True  # a server never writes such numbers either
        if self._bounds is not None and max(numbers) > self._bounds.get(entry.room, 0):
            raise BackupError(f"messages.jsonl goes beyond what {MANIFEST} says: {entry.room!r}, {max(numbers)}.")
        return self._logs.setdefault(entry.room, _Log()).take(numbers[0], numbers)

    def newest(self, room: str) -> int:
        """Return the newest revision of a room in the lines so far."""
        return self._logs[room].newest if room in self._logs else 0

    def missing(self, room: str) -> int:
        """Count the revisions of a room that no message in the backup has or had; 0 if they cannot be counted."""
        return self._logs[room].missing if room in self._logs else 0

    def facts(self) -> dict[str, RoomFacts]:
        """Return the facts of all rooms, for the manifest."""
        return {room: RoomFacts(log.newest, log.messages, log.missing) for room, log in sorted(self._logs.items())}


class _Log:
    ACCOUNTED, POSTED = 1, 2

    def __init__(self) -> None:
        self.messages = 0
        self._marks = bytearray([self.ACCOUNTED])  # there is no revision 0
        self._is_trimmed = False

    @property
    def newest(self) -> int:
        return len(self._marks) - 1

    @property
    def missing(self) -> int:
        # A message that changed very often has only its last revisions, so missing revisions cannot be counted.
        return 0 if self._is_trimmed else self._marks.count(0)

    def take(self, sequence: int, revisions: list[int]) -> bool:
        self._marks.extend(bytes(max(0, max(revisions) - self.newest)))
        for revision in revisions:
            self._marks[revision] |= self.ACCOUNTED
        is_new = not self._marks[sequence] & self.POSTED
        self._marks[sequence] |= self.POSTED
        self.messages += is_new
        self._is_trimmed |= len(revisions) >= KEPT_REVISIONS
        return is_new


class _Entry(msgspec.Struct):
    """The room and the numbers of a message, in Extended JSON (such as `{"$numberInt": "5"}`)."""

    room: str
    sequence: dict[str, str]
    revision: dict[str, str]
    revisions: list[dict[str, str]] = []


_entry_decoder = msgspec.json.Decoder(_Entry)


def _integer(number: dict[str, str]) -> int:
    for name in ("$numberInt", "$numberLong"):
        if name in number:
            return int(number[name])
    raise ValueError(number)


class _File(msgspec.Struct, rename={"id": "_id"}):
    id: dict[str, str]


_file_decoder = msgspec.json.Decoder(_File)


def _one(_: bytes) -> bool:
    return True


def _read_messages(store: BackupStore, logs: Logs) -> Iterator[bytes]:
    """Yield the lines of every room's log. The caller must give each line to `logs` before it takes the next line."""
    for room in store.rooms_with_messages():
        for _ in range(GAP_TRIES):
            yield from store.read_log(room, logs.newest(room))
            if not logs.missing(room):
                break
            # A newly elected primary may briefly show fewer changes than the previous one.
            time.sleep(GAP_PAUSE_SECONDS)


def _read_files(store: BackupStore, ids: list[str]) -> Iterator[bytes]:
    """Yield the lines of all files, and add each file's id to `ids`."""
    for line in store.read("files.files"):
        ids.append(_file_decoder.decode(line).id["$oid"])
        yield line


def _restore_lines(store: BackupStore, name: str, lines: Iterator[bytes]) -> None:
    first = 1
    while chunk := list(islice(lines, store.batch_of(name))):
        try:
            store.write(name, chunk)
        except Refused as refusal:
            last = first + len(chunk) - 1
            raise BackupError(f"{name}.jsonl, lines {first} to {last}: {refusal.message}.") from refusal
        first += len(chunk)


def _refuse_content(store: BackupStore) -> None:
    content = store.find_content({"rooms": LOBBY.id})  # the server creates the lobby when it starts
    if content is not None:
        raise BackupError(f"The database is not empty: there are {content} in it. Only an empty one can be filled.")


def _reported(lines: Iterable[bytes], name: str, expected: int, report: Report) -> Iterator[bytes]:
    done = 0
    for line in lines:
        yield line
        done += 1
        if done % REPORT_EVERY == 0 and done != expected:
            report(name, done, expected)
    report(name, done, done)
