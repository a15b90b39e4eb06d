from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from chatroom.base.errors import Unavailable
from chatroom.base.models import File
from chatroom.files.files_store import PIECE_BYTES, FileStore, KeptFile, make_file_id
from chatroom.mongo.database import Database
from tests.conftest import Clock
from tests.people import ALICE

SIZE = 3 * PIECE_BYTES + 100
CONTENT = b"".join(n.to_bytes(4, "big") for n in range(SIZE // 4))


@pytest.fixture
def files(database: Database, clock: Clock) -> FileStore:
    return FileStore(database, clock=clock)


def pieces(content: bytes = CONTENT) -> Iterator[bytes]:
    return (content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES))


def find(files: FileStore, file_id: str) -> KeptFile | None:
    return files.find_all([file_id]).get(file_id)


def add(files: FileStore, clock: Clock, **more: int) -> File:
    file = File(id=make_file_id(), name="a.bin", type="application/octet-stream", size=len(CONTENT), **more)
    check_at = clock() + timedelta(hours=1)
    files.add(file, pieces(), room_id="lobby", owner_id=ALICE.id, thumbnail=b"small", check_at=check_at)
    return file


def test_a_stored_file_is_unchanged(files: FileStore, clock: Clock) -> None:
    file = add(files, clock, width=3, height=4)

    kept = find(files, file.id)
    assert kept is not None
    assert (kept.file, kept.room_id, kept.owner_id, kept.client_id) == (file, "lobby", ALICE.id, "")
    assert b"".join(files.read(file.id, 0, file.size)) == CONTENT
    assert files.find_copy(file.id, "thumbnail") == b"small"
    assert files.total_bytes() == file.size


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (5, 5), (PIECE_BYTES - 1, PIECE_BYTES + 1), (PIECE_BYTES, 2 * PIECE_BYTES), (100, SIZE), (SIZE - 1, SIZE)],
)
def test_any_part_can_be_read(files: FileStore, clock: Clock, start: int, stop: int) -> None:
    file = add(files, clock)
    assert b"".join(files.read(file.id, start, stop)) == CONTENT[start:stop]


def test_the_tools_of_gridfs_can_read_it(real_database: Database, clock: Clock) -> None:
    from bson import ObjectId
    from gridfs import GridFS

    file = add(FileStore(real_database, clock=clock), clock)
    bucket = GridFS(real_database.client[real_database.name], "files")
    assert bucket.get(ObjectId(file.id)).read() == CONTENT


def test_an_id_that_is_none_finds_nothing(files: FileStore) -> None:
    assert find(files, "x") is find(files, "0" * 24) is None
    assert files.find_all(["x", "0" * 24]) == {}


def test_an_aborted_upload_leaves_nothing(files: FileStore, clock: Clock, database: Database) -> None:
    def broken() -> Iterator[bytes]:
        yield from [b"x"] * 20
        raise OSError("the disk")

    file = File(id=make_file_id(), name="a", type="x/y", size=9)
    with pytest.raises(OSError, match="the disk"):
        files.add(file, broken(), room_id="lobby", owner_id=ALICE.id, thumbnail=b"", check_at=clock())
    assert database["files.files"].count_documents({}) == database["files.chunks"].count_documents({}) == 0


def test_uploads_of_a_dead_process_are_due_for_removal(files: FileStore, clock: Clock, database: Database) -> None:
    file = add(files, clock)
    database["files.files"].update_one({}, {"$set": {"metadata.is_whole": False}})
    assert find(files, file.id) is None
    assert files.take_due(clock()) is None
    clock.advance(hours=2)
    due = files.take_due(clock() + timedelta(minutes=1))
    assert due is not None
    assert (due.file.id, due.is_whole) == (file.id, False)


def test_a_file_that_is_removed_while_it_is_read_ends_the_reading(files: FileStore, clock: Clock) -> None:
    file = add(files, clock)
    reading = files.read(file.id, 0, file.size)
    assert next(reading) == CONTENT[:PIECE_BYTES]
    files.remove(file.id)
    with pytest.raises(Unavailable):
        next(reading)
    assert find(files, file.id) is None
    assert files.find_copy(file.id, "thumbnail") == b""


def test_a_file_is_claimed_once(files: FileStore, clock: Clock) -> None:
    kept = find(files, add(files, clock).id)
    assert kept is not None
    later = clock() + timedelta(days=1)
    assert files.claim(kept, "c1", later)
    assert not files.claim(kept, "c2", later)
    again = find(files, kept.file.id)
    assert again == msgspec.structs.replace(kept, client_id="c1", check_at=later)


def test_due_files_are_given_to_one_process(files: FileStore, clock: Clock) -> None:
    ids = {add(files, clock).id for _ in range(2)}
    clock.advance(hours=2)
    until = clock() + timedelta(minutes=1)
    taken = [files.take_due(until) for _ in range(3)]
    assert {each.file.id for each in taken if each} == ids
    clock.advance(minutes=2)
    assert files.take_due(until) is not None


def test_the_sweep_and_an_author_do_not_both_win(files: FileStore, clock: Clock) -> None:
    add(files, clock)
    clock.advance(hours=2)
    due = files.take_due(clock() + timedelta(minutes=1))
    assert due is not None
    assert files.claim(due, "c1", clock() + timedelta(days=1))
    assert not files.hide(due)
    other = find(files, add(files, clock).id)
    assert other is not None
    assert files.hide(other)
    assert find(files, other.file.id) is None
    assert not files.claim(other, "c1", clock())


def test_files_are_hidden_at_once(files: FileStore, clock: Clock) -> None:
    file = add(files, clock)
    files.hide_all([file.id], clock())
    assert find(files, file.id) is None
    assert files.take_due(clock() + timedelta(minutes=1)) is not None
