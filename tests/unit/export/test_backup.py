"""A backup is written, checked and restored; whatever is not as it was written is refused with its place."""

import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from chatroom.app import create_app, open_app
from chatroom.base import owners
from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.base.models import Room
from chatroom.export import backup, backup_folder
from chatroom.export import backup_store as store_module
from chatroom.export.backup import BackupError
from chatroom.export.backup_store import BackupStore
from chatroom.files.files_store import PIECE_BYTES
from chatroom.mongo.collections import backed_up
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import COLLECTIONS, Services
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.databases import in_memory
from tests.documents import section, tables
from tests.people import rendered
from tests.visitors import Visitor

KEPT = [each.name for each in backed_up(COLLECTIONS)]
LOBBY = "/api/rooms/lobby/messages"
CELLAR = Room(id="r2", slug="cellar", title="Cellar", kind="private")


def silent(name: str, done: int, expected: int) -> None:
    """Nobody watches."""


def store_of(services: Services) -> BackupStore:
    return services.export.backups


def fill(app: Flask) -> None:
    """Two people, an invitation, two rooms; in the lobby one message is edited and one deleted."""
    alice, bob = signed_in(app, "alice"), signed_in(app, "bob")
    for number in range(6):
        assert (alice if number % 2 else bob).say(f"message {number} ✓ \u2028 {'x' * number}").status_code == 303
    services = services_of(app)
    rooms = RoomStore(services.database)
    memberships = MembershipStore(services.database)
    rooms.ensure(CELLAR)
    user = services.people.users.find_by_username("alice")
    assert user is not None
    memberships.admit(user.id, CELLAR)
    store = services.messages.store
    access = services.rooms.access.get_for(user.id, "lobby")
    messages = store.newest("lobby", 10)
    store.change("lobby", messages[1].id, lambda message: {"text": "edited", "html": "<p>edited</p>"})
    services.messages.writer.change(access.room, services.messages.changes.deleting(access, messages[2].id))
    store.append(CELLAR.id, [rendered("c1", "down here")])
    services.moderation.admission.make_invite(None, uses=3, days=7)


def share(person: Visitor, content: bytes) -> Any:
    """Post a file in the lobby."""
    file = person.post("/api/rooms/lobby/files?name=a.txt", data=content, headers=person.csrf()).json
    return person.post("/api/rooms/lobby/messages", json={"text": "", "files": [file["id"]]}, headers=person.csrf())


@pytest.fixture
def full(app: Flask) -> Services:
    fill(app)
    return services_of(app)


@pytest.fixture
def empty(make_app: MakeApp) -> Services:
    return services_of(make_app())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, Path]]:
    """A room that no test changes, and its backup."""
    app = create_app(Settings(mongo_uri="mongomock://", secret_key="k" * 32, bcrypt_rounds=4))
    app.test_client_class = Visitor
    open_app(app).prepare()
    fill(app)
    path = tmp_path_factory.mktemp("source") / "backup"
    backup.make(store_of(services_of(app)), path, silent)
    yield services_of(app), path
    services_of(app).close()


@pytest.fixture
def folder(source: tuple[Services, Path], tmp_path: Path) -> Path:
    """A backup of the source."""
    return Path(shutil.copytree(source[1], tmp_path / "backup"))


def content(services: Services) -> dict[str, list[dict[str, Any]]]:
    """Every document of what a backup holds."""
    client = services.database.client
    return {
        name: sorted(client[services.database.name][name].find(), key=lambda document: str(document["_id"]))
        for name in KEPT
    }


class TestRoundTrip:
    def test_everything_is_restored(self, source: tuple[Services, Path], empty: Services, folder: Path) -> None:
        full, _ = source
        restored = backup.restore(store_of(empty), folder, silent)
        assert content(empty) == content(full)
        assert restored == backup.verify(COLLECTIONS, folder, silent)
        assert {room: (facts.revision, facts.messages) for room, facts in restored.rooms.items()} == {
            "lobby": (8, 6),
            "r2": (1, 1),
        }

    def test_files_are_restored_without_uploads_during_the_backup(
        self, app: Flask, make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice = signed_in(app, "alice")
        for size in (5, 3 * PIECE_BYTES + 7):
            assert share(alice, b"x" * size).status_code == 201
        files = [message["files"][0] for message in alice.get(LOBBY).json["messages"]]
        read_pieces = BackupStore.read_pieces

        def read_late(store: BackupStore, file_ids: Any) -> Any:
            share(alice, b"late")
            return read_pieces(store, file_ids)

        monkeypatch.setattr(BackupStore, "read_pieces", read_late)
        backup.make(store_of(services_of(app)), tmp_path / "b", silent)
        other = make_app()
        backup.restore(store_of(services_of(other)), tmp_path / "b", silent)
        reader = visitor(other)
        reader.log_in("alice")
        assert [reader.get(f"/files/{file['id']}/a.txt").data for file in files] == [
            b"x" * file["size"] for file in files
        ]
        assert services_of(other).database["files.chunks"].count_documents({}) == 5

    def test_deleted_accounts_are_erased_again_after_a_restore(
        self, full: Services, empty: Services, tmp_path: Path
    ) -> None:
        """The messages may be from a moment before an account was deleted, and the accounts from after it."""
        bob = full.people.users.find_by_username("bob")
        assert bob is not None
        full.people.states.make_former(bob.id, is_erased=True)
        full.people.states.end_leaving(bob.id)
        backup.make(store_of(full), tmp_path / "b", silent)
        backup.restore(store_of(empty), tmp_path / "b", silent)
        said = {"author.id": bob.id, "deleted_at": None}
        assert empty.database["messages"].count_documents(said) > 0
        empty.erasure.account_deletion.finish()
        assert empty.database["messages"].count_documents(said) == 0
        assert empty.database["messages"].distinct("author.name", {"author.id": bob.id}) == ["Former member"]

    def test_people_log_in_with_their_passwords_and_nobody_is_logged_in(
        self, app: Flask, make_app: MakeApp, tmp_path: Path
    ) -> None:
        fill(app)
        alice = visitor(app)
        assert alice.log_in("alice").status_code == 303
        backup.make(store_of(services_of(app)), tmp_path / "b", silent)
        other = make_app()
        backup.restore(store_of(services_of(other)), tmp_path / "b", silent)

        returned = visitor(other)
        cookie = alice.get_cookie("session")
        assert cookie is not None
        returned.set_cookie("session", cookie.value)
        assert not returned.is_signed_in
        assert returned.log_in("alice").status_code == 303
        page = returned.get("/chatroom").text
        assert "message 5" in page
        assert "edited" in page
        assert "message 2" not in page  # deleted

    def test_readers_continue_from_their_cursors_or_reload(
        self, source: tuple[Services, Path], empty: Services, folder: Path
    ) -> None:
        full, _ = source
        backup.restore(store_of(empty), folder, silent)
        for after in range(9):
            assert empty.messages.store.changed_after("lobby", after, 50) == full.messages.store.changed_after(
                "lobby", after, 50
            )
        # The lost room had come further: a reader from there is told to load the room anew.
        room = Room(id="lobby", slug="lobby", title="Lobby")
        with pytest.raises(Refused, match="reload the page"):
            empty.messages.history.after(room, 9, 50)
        # The next message takes the next revision.
        assert empty.messages.store.append("lobby", [rendered("next")])[0].message.revision == 9

    def test_a_draft_that_was_stored_before_is_still_stored_once(self, empty: Services, folder: Path) -> None:
        backup.restore(store_of(empty), folder, silent)
        stored = empty.messages.store.append(CELLAR.id, [rendered("c1", "down here")])[0]
        assert (stored.is_repeated, stored.message.sequence) == (True, 1)

    def test_a_message_approved_during_the_backup_is_posted_once(
        self, app: Flask, make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is read as waiting, and its message comes too: approved again, it is that message."""
        signed_in(app, "alice")
        services = services_of(app)
        services.moderation.newcomers.set_first(None, 2)
        bob = signed_in(app, "bob")
        bob.say("approved in the meantime")
        bob.say("waits")
        held_id = services.moderation.approval.list_all()[0].held.id

        def list_late(_: BackupStore) -> list[str]:
            services.moderation.approval.approve(None, held_id)
            return ["lobby"]

        monkeypatch.setattr(BackupStore, "rooms_with_messages", list_late)
        backup.make(store_of(services), tmp_path / "b", silent)
        other = services_of(make_app())
        backup.restore(store_of(other), tmp_path / "b", silent)
        assert [row.held.text for row in other.moderation.approval.list_all()] == ["approved in the meantime", "waits"]
        other.moderation.approval.approve(None, held_id)
        assert [message.text for message in other.messages.store.newest("lobby", 9)] == ["approved in the meantime"]
        assert other.moderation.newcomers.first == 2

    def test_short_lived_things_and_sessions_are_left_out(self, folder: Path) -> None:
        assert {path.name for path in folder.iterdir()} == {
            "manifest.json",
            *(f"{name}.{kind}" for name in KEPT for kind in ("jsonl", "sums")),
        }
        assert "sessions" not in KEPT

    def test_only_the_owner_can_read_it(self, full: Services, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            backup.make(store_of(full), tmp_path / "b", silent)
        finally:
            os.umask(before)
        assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "b").iterdir()} == {0o600}

    def test_a_room_that_has_only_been_started_counts_as_empty(self, empty: Services, folder: Path) -> None:
        empty.prepare()  # makes the lobby
        backup.restore(store_of(empty), folder, silent)

    def test_progress_is_reported(self, full: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(backup, "REPORT_EVERY", 2)
        told: list[tuple[str, int, int]] = []
        backup.make(store_of(full), tmp_path / "b", lambda *said: told.append(said))
        of_messages = [each for each in told if each[0] == "messages"]
        assert of_messages == [("messages", 2, 7), ("messages", 4, 7), ("messages", 6, 7), ("messages", 7, 7)]
        assert told[0] == ("reports", 0, 0)


class TestWhilePeopleWrite:
    """The log is read by revision: what changes behind the reading comes again ahead of it."""

    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store_module, "PAGE", 3)
        monkeypatch.setattr(backup, "GAP_PAUSE_SECONDS", 0.0)

    def test_a_message_that_changes_during_the_backup_is_restored_in_its_last_state(
        self, full: Services, empty: Services, tmp_path: Path
    ) -> None:
        self.make_while(full, tmp_path, at=3, change=0)
        facts = backup.verify(COLLECTIONS, tmp_path / "b", silent).collections["messages"]
        assert (facts.lines, facts.documents) == (8, 7)
        backup.restore(store_of(empty), tmp_path / "b", silent)
        assert content(empty) == content(full)

    def test_a_message_that_changes_ahead_of_the_reading_is_not_lost(
        self, full: Services, empty: Services, tmp_path: Path
    ) -> None:
        self.make_while(full, tmp_path, at=1, change=5)
        backup.restore(store_of(empty), tmp_path / "b", silent)
        assert content(empty) == content(full)

    def test_the_backup_waits_for_a_new_primary(
        self, full: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = store_of(full)
        whole = store.read_log

        def behind(room: str, after: int) -> Iterator[bytes]:
            lines = list(whole(room, after))
            yield from [line for line in lines if b"message 0" not in line] if after == 0 else lines

        # The message that was read at revision 1 is at 9 in truth, and that is not shown the first time.
        first = full.messages.store.newest("lobby", 10)[0]
        full.messages.store.change("lobby", first.id, lambda message: {"edited_at": message.sent_at})
        monkeypatch.setattr(store, "read_log", behind)
        manifest = backup.make(store, tmp_path / "b", silent)
        assert manifest.rooms["lobby"].missing_revisions == 0
        assert manifest.collections["messages"].documents == 7

    def test_lost_revisions_are_counted(self, full: Services, tmp_path: Path) -> None:
        full.database["messages"].delete_one({"room": "lobby", "sequence": 3})  # which has revision 8, too
        full.database["messages"].delete_one({"room": "lobby", "sequence": 4})
        manifest = backup.make(store_of(full), tmp_path / "b", silent)
        assert manifest.rooms["lobby"].missing_revisions == 2
        assert manifest.rooms["lobby"].revision == 7
        backup.verify(COLLECTIONS, tmp_path / "b", silent)

    def make_while(self, services: Services, tmp_path: Path, *, at: int, change: int) -> None:
        """Make a backup, during which a message changes after so many lines."""
        store = store_of(services)
        messages = services.messages.store.newest("lobby", 10)
        whole = store.read_log

        def watched(room: str, after: int) -> Iterator[bytes]:
            for number, line in enumerate(whole(room, after), 1):
                yield line
                if room == "lobby" and number == at:
                    services.messages.store.change("lobby", messages[change].id, lambda message: {"text": "later"})

        store.read_log = watched  # type: ignore[method-assign]
        backup.make(store, tmp_path / "b", silent)

    def test_a_message_made_by_hand_does_not_stop_it(self, full: Services, empty: Services, tmp_path: Path) -> None:
        """D10."""
        for number, by_hand in enumerate(({"revision": 9}, {"sequence": 10, "revision": 2**53})):
            full.database["messages"].insert_one(
                {**by_hand, "room": "lobby", "revisions": [by_hand["revision"]], "client_id": f"by hand {number}"}
            )
        backup.make(store_of(full), tmp_path / "b", silent)
        backup.restore(store_of(empty), tmp_path / "b", silent)
        assert content(empty) == content(full)


def edit_line(path: Path, number: int, change: Callable[[bytes], bytes]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    path.write_bytes(b"".join(lines))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    path.write_text(json.dumps(manifest, indent=2))


def swap(path: Path) -> None:
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([second, first, *rest]))


def cut(path: Path, octets: int) -> None:
    path.write_bytes(path.read_bytes()[:-octets])


def append(path: Path, more: bytes) -> None:
    path.write_bytes(path.read_bytes() + more)


def in_messages(**changes: int) -> Callable[[Path], None]:
    return lambda folder: edit_manifest(folder, lambda manifest: manifest["collections"]["messages"].update(changes))


def in_manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return lambda folder: edit_manifest(folder, change)


# What is done to a backup, and what the refusal says.
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a letter": (
        lambda folder: edit_line(folder / "messages.jsonl", 3, lambda line: line.replace(b"message", b"massage")),
        r"messages\.jsonl, line 3: altered or cut off",
    ),
    "a bit": (
        lambda folder: edit_line(folder / "users.jsonl", 2, lambda line: line[:30] + bytes([line[30] ^ 1]) + line[31:]),
        r"users\.jsonl, line 2: altered",
    ),
    "a line lost": (
        lambda folder: edit_line(folder / "messages.jsonl", 2, lambda line: b""),
        r"messages\.jsonl, line 2: altered",
    ),
    "a line doubled": (
        lambda folder: edit_line(folder / "messages.jsonl", 2, lambda line: line * 2),
        r"messages\.jsonl, line 3: altered",
    ),
    "two lines swapped": (lambda folder: swap(folder / "messages.jsonl"), r"messages\.jsonl, line 1: altered"),
    "the end cut off": (lambda folder: cut(folder / "messages.jsonl", 5), r"messages\.jsonl, line 7: altered or cut"),
    "the last line end cut off": (lambda folder: cut(folder / "rooms.jsonl", 1), r"rooms\.jsonl, line 2: altered or"),
    "the last line lost": (
        lambda folder: edit_line(folder / "messages.jsonl", 7, lambda line: b""),
        r"messages\.jsonl ends after line 6, and had 7",
    ),
    "all lines lost": (lambda folder: (folder / "users.jsonl").write_bytes(b""), r"users\.jsonl ends after line 0"),
    "a line more": (lambda folder: append(folder / "invites.jsonl", b"{}\n"), r"invites\.jsonl has lines after line 1"),
    "a sum": (
        lambda folder: edit_line(folder / "messages.sums", 4, lambda line: b"00000000\n"),
        r"messages\.sums, line 4: altered",
    ),
    "a sum more": (lambda folder: append(folder / "users.sums", b"00000000\n"), r"users\.sums is not what"),
    "a line and its sum": (
        lambda folder: (
            edit_line(folder / "rooms.jsonl", 1, lambda line: b"{}\n"),
            edit_line(folder / "rooms.sums", 1, lambda line: b"%08x\n" % zlib.crc32(b"{}\n")),
        ),
        r"rooms\.sums is not what manifest\.json says",
    ),
    "a file missing": (lambda folder: (folder / "memberships.jsonl").unlink(), r"memberships\.jsonl: No such file"),
    "sums missing": (lambda folder: (folder / "users.sums").unlink(), r"users\.sums: No such file"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), r"incomplete one: manifest\.json is missing"),
    "manifest cut off": (lambda folder: cut(folder / "manifest.json", 20), r"manifest\.json, line \d+: altered or cut"),
    "manifest empty": (lambda folder: (folder / "manifest.json").write_text(""), r"manifest\.json, line 1: "),
    "manifest no object": (lambda folder: (folder / "manifest.json").write_text("[1]"), r"is not the manifest"),
    "manifest deep": (lambda folder: (folder / "manifest.json").write_text("[" * 100_000), r"is not the manifest"),
    "manifest not UTF-8": (lambda folder: (folder / "manifest.json").write_bytes(b'{"\xff'), r"is not the manifest"),
    "a newer format": (in_manifest(lambda manifest: manifest.update(format=3, more=1)), "format 3, but this version"),
    "newer data": (in_manifest(lambda manifest: manifest.update(data_version=99)), "data version 99 of Chatroom"),
    "format 0": (in_manifest(lambda manifest: manifest.update(format=0)), "there is no format 0"),
    "more lines": (in_messages(lines=8), r"messages\.jsonl ends after line 7, and had 8"),
    "fewer lines": (in_messages(lines=5), r"messages\.jsonl has lines after line 5"),
    "more documents": (in_messages(documents=8), r"and messages\.jsonl have different numbers of documents"),
    "another revision": (
        in_manifest(lambda manifest: manifest["rooms"]["lobby"].update(revision=9)),
        "differ in the rooms",
    ),
    "a lower revision": (
        in_manifest(lambda manifest: manifest["rooms"]["lobby"].update(revision=7)),
        r"messages\.jsonl goes beyond",
    ),
    "a room unknown": (in_manifest(lambda manifest: manifest["rooms"].pop("r2")), r"messages\.jsonl goes beyond"),
    "a collection unknown": (
        in_manifest(
            lambda manifest: manifest["collections"].update({"../users": manifest["collections"].pop("users")})
        ),
        "must list reports, held, saved, messages, hooks, room_invites, memberships, files.files, rooms, avatars, "
        "invites, users, files.chunks, audit, site, and nothing else",
    ),
    "no collection": (
        in_manifest(lambda manifest: manifest["collections"].clear()),
        "must list reports, held, saved, messages",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_with_its_place_and_nothing_is_restored(damage: str, folder: Path) -> None:
    """D11."""
    spoil, said = DAMAGES[damage]
    spoil(folder)
    with pytest.raises(BackupError, match=said) as refusal:
        backup.verify(COLLECTIONS, folder, silent)
    assert "\n" not in str(refusal.value)
    store = BackupStore(in_memory(), COLLECTIONS)
    with pytest.raises(BackupError, match=said):
        backup.restore(store, folder, silent)
    assert store.find_content({}) is None


class TestRestore:
    @pytest.mark.parametrize(
        "collection",
        ["held", "messages", "memberships", "rooms", "users", "invites", "audit", "reports", "hooks", "sessions"],
    )
    def test_is_refused_on_a_database_with_data(self, collection: str, folder: Path, empty: Services) -> None:
        database = empty.database.client[empty.database.name]
        database[collection].insert_one({"_id": "x", "slug": "x", "room": "x", "user": "x"})
        before = content(empty)
        with pytest.raises(BackupError, match=f"not empty: there are {collection}"):
            backup.restore(store_of(empty), folder, silent)
        assert content(empty) == before

    @pytest.mark.parametrize("reason", [KeyboardInterrupt(), BackupError("No room.")])
    def test_an_interrupted_restore_says_so_and_nobody_can_log_in(
        self, reason: BaseException, folder: Path, empty: Services
    ) -> None:
        def stop(name: str, done: int, expected: int) -> None:
            if name == "rooms":
                raise reason

        with pytest.raises(BackupError, match="contains a part of the backup: empty it before"):
            backup.restore(store_of(empty), folder, stop)
        assert empty.people.users.find_by_username("alice") is None
        with pytest.raises(BackupError, match="not empty"):
            backup.restore(store_of(empty), folder, silent)

    def test_documents_written_during_the_restore_are_not_overwritten(
        self, folder: Path, empty: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def intrude(name: str, done: int, expected: int) -> None:
            if name == "rooms":
                empty.people.users.add("alice", "Somebody else", "hash")

        with pytest.raises(BackupError, match=r"users\.jsonl, lines 1 to 2: the database has another document"):
            backup.restore(store_of(empty), folder, intrude)

    def test_lines_that_are_no_documents_are_refused(self, empty: Services) -> None:
        for line in (b"[]\n", b"{}\n", b'{"_id": {"$oid": "x"}}\n', b'{"_id": 1, "at": {"$date": "x"}}\n', b"["):
            with pytest.raises(Refused, match="not a document"):
                store_of(empty).write("users", [line])


class TestFolders:
    def test_that_are_there_are_not_touched(self, full: Services, folder: Path, tmp_path: Path) -> None:
        for path in (folder, tmp_path / "file"):
            (tmp_path / "file").write_text("mine")
            with pytest.raises(BackupError, match="already exists"):
                backup.make(store_of(full), path, silent)
        backup.verify(COLLECTIONS, folder, silent)

    def test_that_are_empty_are_filled(self, full: Services, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        backup.make(store_of(full), tmp_path / "b", silent)
        backup.verify(COLLECTIONS, tmp_path / "b", silent)

    @pytest.mark.parametrize(
        "reason", [KeyboardInterrupt(), BackupError("stop"), OSError(28, "No space left on device")]
    )
    def test_nothing_is_left_of_a_backup_that_was_not_finished(
        self, reason: BaseException, full: Services, tmp_path: Path
    ) -> None:
        def stop(name: str, done: int, expected: int) -> None:
            if name == "users":
                raise reason

        with pytest.raises((KeyboardInterrupt, BackupError)):
            backup.make(store_of(full), tmp_path / "b", stop)
        assert list(tmp_path.iterdir()) == []

    def test_of_a_killed_process_are_no_backup(self, folder: Path) -> None:
        killed = folder.with_name("backup.unfinished-abc")
        shutil.copytree(folder, killed)
        (killed / "manifest.json").unlink()
        with pytest.raises(BackupError, match="incomplete"):
            backup.verify(COLLECTIONS, killed, silent)

    def test_that_are_missing_or_files_are_named(self, full: Services, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for path, said in ((tmp_path / "no", "no/manifest.json: No such"), (tmp_path / "file", "Not a directory")):
            with pytest.raises(BackupError, match=said):
                backup.verify(COLLECTIONS, path, silent)
        with pytest.raises(BackupError, match="no/b cannot be created: No such file"):
            backup.make(store_of(full), tmp_path / "no" / "b", silent)
        with pytest.raises(BackupError, match="file/b cannot be created: Not a directory"):
            backup.make(store_of(full), tmp_path / "file" / "b", silent)

    def test_that_are_not_ours_to_read_are_named(self, full: Services, folder: Path, tmp_path: Path) -> None:
        with as_nobody(folder):
            with pytest.raises(BackupError, match="Permission denied"):
                backup.verify(COLLECTIONS, folder, silent)
            with pytest.raises(BackupError, match="Permission denied"):
                backup.make(store_of(full), folder / "b", silent)


class as_nobody:  # noqa: N801  reads as a sentence
    """Without the right to read a folder, also where the tests run as root."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        self._folder.chmod(0)
        if os.getuid() == 0:
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        os.seteuid(os.getuid())
        self._folder.chmod(0o700)


def run(app: Flask, *words: str) -> Result:
    with app.app_context():
        return app.test_cli_runner().invoke(args=words)


class TestCommands:
    def test_report_what_they_did(self, full: Services, app: Flask, tmp_path: Path) -> None:
        made = run(app, "backup", str(tmp_path / "b"))
        assert (made.exit_code, made.stdout) == (0, f"{tmp_path / 'b'} contains 7 messages, 2 users, 2 rooms.\n")
        assert "messages: 7\n" in made.stderr

    def test_root_makes_none_in_a_folder_of_another_account(
        self, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The account could neither read nor delete this backup."""
        other = SimpleNamespace(**vars(os) | {"geteuid": lambda: 0})
        for module in (backup_folder, owners):
            monkeypatch.setattr(module, "os", other)
        monkeypatch.setattr(backup_folder, "owner_of", lambda _: 7)
        made = run(app, "backup", str(tmp_path / "b"))
        assert made.exit_code == 1
        assert (
            f"belongs to another account ({owners.name_of(7)}). Run: runuser -u {owners.name_of(7)} -- " in made.stderr
        )
        assert not os.listdir(tmp_path)

    def test_verify_needs_no_database(self, folder: Path, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
        app = make_app()
        services = services_of(app)
        services.close()
        monkeypatch.setattr(services, "open", pytest.fail)
        checked = run(app, "verify", str(folder))
        assert (checked.exit_code, checked.exception) == (0, None)
        assert checked.stdout.startswith(f"{folder} is complete: 7 messages, 2 users, 2 rooms, of 20")

    def test_restore(self, folder: Path, make_app: MakeApp) -> None:
        restored = run(make_app(), "restore", str(folder))
        assert restored.exit_code == 0
        assert "now contains 7 messages, 2 users, 2 rooms" in restored.stdout

    @pytest.mark.parametrize("command", ["backup", "verify", "restore"])
    def test_print_errors_in_one_line(self, command: str, app: Flask, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        failed = run(app, command, str(tmp_path / "file"))
        assert failed.exit_code == 1
        assert failed.stdout == ""
        assert failed.stderr.startswith("Error: ")
        assert failed.stderr.count("\n") == 1

    def test_warn_of_lost_revisions(
        self, full: Services, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backup, "GAP_PAUSE_SECONDS", 0.0)
        full.database["messages"].delete_one({"room": "lobby", "sequence": 4})
        made = run(app, "backup", str(tmp_path / "b"))
        assert made.exit_code == 0
        assert "Warning: 1 revisions of the room 'lobby' are missing from the database" in made.stderr


class TestDocs:
    """What docs/operating.md says about the content of a backup."""

    def test_every_file_is_named(self) -> None:
        rows = [row for table in tables(section("docs/operating.md", "Backups")) for row in table]
        (named,) = [row[0] for row in rows if "messages.jsonl" in row[0]]
        assert sorted(re.findall(r"`([\w.]+)\.jsonl`", named)) == sorted(KEPT)

    def test_everything_that_is_left_out_is_named(self) -> None:
        words = {
            "sessions": "Sessions, access tokens",
            "resets": "reset links",
            "subscriptions": "subscriptions to notifications",
            "push_keys": "the keys of Web Push",
            "presences": "Presence",
            **dict.fromkeys(("search_entries", "search_words", "search_cursors"), "the search index"),
            "data_version": "the version of the data",
            **dict.fromkeys(("notices", "leases"), "Presence"),  # of the running processes, as presence
        }
        assert {each.name for each in COLLECTIONS} - set(KEPT) == set(words)
        _, _, left_out = section("docs/operating.md", "Backups").partition("A backup does not contain:")
        assert [word for word in words.values() if word not in left_out] == []
