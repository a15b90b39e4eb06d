"""What notices do to connections: told by one process, applied in two."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from chatroom.base.durations import FOREVER
from chatroom.base.errors import Unavailable
from chatroom.base.models import Notice, Room
from chatroom.live import answers, following
from chatroom.rooms.access import LOBBY
from tests.loops import in_loop, settle
from tests.people import ALICE, BOB
from tests.unit.live.harness import DEN, Client, Process, away

ORIGIN = "https://room.test"


async def started(*, process: Process | None = None) -> Process:
    made = Process(process.database, "there") if process else Process()
    made.rooms.store.ensure(DEN)
    for person in (ALICE, BOB):
        made.rooms.membership_store.admit(person.id, DEN)
    await made.engine.start()
    return made


def expel(process: Process, **data: Any) -> Notice:
    process.database["memberships"].delete_one({"user": ALICE.id, "room": DEN.id})
    return Notice(kind="access", user=ALICE.id, room=DEN.id, data=data)


async def hear(process: Process) -> None:
    await process.engine.receiver.hear(0)
    await settle()


class TestAccess:
    @pytest.mark.parametrize("why", ["removed", "left"])
    @in_loop
    async def test_a_removed_member_is_informed_and_gets_nothing_more(self, why: str) -> None:
        process = await started()
        alice = await process.connect(query={"room": "den"})
        bob = await process.connect("bob", query={"room": "den"})
        process.notices.tell(expel(process, why=why))
        await settle()
        (closed,) = alice.frames("closed")
        assert (closed["room"], closed["reason"]) == ("den", why)
        assert closed["message"]
        await bob.say({"type": "post", "room": "den", "text": "she is gone", "client_id": "b1"})
        assert bob.seen("den") == ["b1"]
        assert alice.seen("den") == []
        assert bob.frames("closed") == []

    @in_loop
    async def test_a_member_learns_of_a_mute_and_of_its_end(self) -> None:
        process = await started()
        alice, bob = [await process.connect(name, query={"room": "den"}) for name in ("alice", "bob")]
        until = datetime(2100, 1, 1, 12, 30, tzinfo=UTC)
        for end in (until, until, FOREVER, None):
            mute = {"muted_until": end, "mute_reason": "too loud"}
            process.database["memberships"].update_one({"user": ALICE.id, "room": DEN.id}, {"$set": mute})
            process.notices.tell(Notice(kind="access", user=ALICE.id, room=DEN.id))
            await settle()
        told = [(frame["message"], frame.get("until")) for frame in alice.frames("mute")]
        assert told == [
            ("You are muted here until 1 January 2100, 12:30 UTC: too loud", "2100-01-01T12:30:00.000Z"),
            ("You are muted here until it is lifted: too loud", None),
            ("", None),
        ]
        assert bob.frames("mute") == []

    @in_loop
    async def test_the_cached_access_does_not_allow_posting(self) -> None:
        process = await started()
        alice = await process.connect(query={})
        await alice.say({"type": "post", "room": "den", "text": "hi", "client_id": "a1"})
        process.notices.tell(expel(process))
        await settle()
        await alice.say({"type": "post", "room": "den", "text": "hi", "client_id": "a2"})
        assert [frame["client_id"] for frame in alice.frames("stored")] == ["a1"]
        assert [(frame["client_id"], frame["reason"]) for frame in alice.frames("refused")] == [("a2", "not_found")]

    @in_loop
    async def test_a_removal_takes_effect_even_if_the_audit_log_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """M14."""
        process = await started()
        for person in (ALICE, BOB):
            names = dict.fromkeys(("username", "display_name", "username_key", "display_name_key"), person.name)
            process.database["users"].insert_one({"_id": person.id, **names, "name_keys": [person.id]})
        process.database["memberships"].update_one({"user": BOB.id}, {"$set": {"role": "administrator"}})
        alice = await process.connect(query={"room": "den"})
        await alice.say({"type": "post", "room": "den", "text": "hi", "client_id": "a1"})
        monkeypatch.setattr(process.rooms.membership._acts._entries, "add", away)
        process.rooms.membership.remove(process.rooms.access.get_for(BOB.id, "den"), ALICE.id)
        await settle()
        assert len(alice.frames("closed")) == 1
        await alice.say({"type": "post", "room": "den", "text": "still here", "client_id": "a2"})
        assert [frame["client_id"] for frame in alice.frames("stored")] == ["a1"]
        monkeypatch.undo()
        process.rooms.membership._acts.finish(is_urgent=True)
        assert [entry["act"] for entry in process.database["audit"].find()] == ["remove_member"]

    @in_loop
    async def test_posting_does_not_rejoin_a_public_room(self) -> None:
        """M17."""
        process = await started()
        room = process.rooms.making.create(BOB, "member", title="Tea")
        await asyncio.to_thread(process.rooms.membership.join, ALICE, room.slug)
        alice = await process.connect(query={"room": room.slug})
        await asyncio.to_thread(process.rooms.membership.leave, process.rooms.access.get_for(ALICE.id, room.slug))
        await settle()
        for frame in ({"type": "post", "text": "hi", "client_id": "a1"}, {"type": "follow"}):
            await alice.say({**frame, "room": room.slug})
        assert [frame["reason"] for frame in alice.frames("refused")] == ["forbidden"] * 2
        assert process.rooms.access.find_for(ALICE.id, room.slug) is None

    @in_loop
    async def test_other_processes_hear_of_it(self) -> None:
        here = await started()
        there = await started(process=here)
        alice = await there.connect(query={"room": "den"})
        here.notices.tell(expel(here))
        await settle()
        assert alice.frames("closed") == []
        await hear(there)
        await hear(there)
        assert len(alice.frames("closed")) == 1

    @in_loop
    async def test_a_changed_right_leaves_the_follower_alone(self) -> None:
        process = await started()
        alice = await process.connect(query={"room": "den"})
        process.database["memberships"].update_one({"user": ALICE.id}, {"$set": {"role": "moderator"}})
        process.notices.tell(Notice(kind="access", user=ALICE.id, room=DEN.id))
        await settle()
        process.post("b1", room=DEN.id)
        process.feed.hint(DEN.id, 1)
        await settle()
        assert alice.seen("den") == ["b1"]
        (connection,) = process.engine.connections
        assert connection._accesses._known["den"].role == "moderator"  # type: ignore[attr-defined]

    @in_loop
    async def test_rights_read_before_a_notice_are_not_cached(self) -> None:
        process = await started()
        alice = await process.connect(query={})
        get_for = process.rooms.access.get_for

        def slow(user_id: str, slug: str) -> Any:
            access = get_for(user_id, slug)
            process.rooms.access.get_for = get_for  # type: ignore[method-assign]
            notice = expel(process)
            for connection in process.engine.connections:
                connection.forget_access(notice.room)
            return access

        process.rooms.access.get_for = slow  # type: ignore[method-assign]
        await alice.say({"type": "follow", "room": "den"})
        assert [frame["reason"] for frame in alice.frames("refused")] == ["not_found"]

    @in_loop
    async def test_a_notice_during_the_handshake_is_not_lost(self) -> None:
        process = await started()
        client = Client(process, "alice", {"room": "den"}, {})
        get_for = process.rooms.access.get_for

        def slow(user_id: str, slug: str) -> Any:
            access = get_for(user_id, slug)
            process.rooms.access.get_for = get_for  # type: ignore[method-assign]
            expel(process)
            process.engine.receiver.count += 1
            return access

        process.rooms.access.get_for = slow  # type: ignore[method-assign]
        await settle()
        assert [frame["type"] for frame in client.frames()] == ["refused"]

    @in_loop
    async def test_an_outage_is_retried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(following, "PAUSE_SECONDS", 0)
        process = await started()
        alice = await process.connect(query={"room": "den"})
        find_for = process.rooms.access.find_for

        def away(user_id: str, slug: str) -> Any:
            process.rooms.access.find_for = find_for  # type: ignore[method-assign]
            raise Unavailable("The database does not answer.")

        process.rooms.access.find_for = away  # type: ignore[method-assign]
        process.notices.tell(expel(process))
        await settle()
        assert len(alice.frames("closed")) == 1


class TestUser:
    @in_loop
    async def test_a_new_name_is_used_at_once(self) -> None:
        process = await started()
        process.database["users"].insert_one({"_id": ALICE.id, "display_name": "Alicia"})
        alice = await process.connect()
        process.database["users"].update_one({"_id": ALICE.id}, {"$set": {"display_name": "Ally"}})
        process.notices.tell(Notice(kind="user", user=ALICE.id))
        await settle()
        await alice.say({"type": "post", "room": "lobby", "text": "hi", "client_id": "a1"})
        assert alice.frames("changes")[-1]["messages"][0]["author"]["name"] == "Ally"
        (live,) = process.engine.rooms._rooms.values()
        assert [person.name for person in live.presence.local()] == ["Ally"]

    @in_loop
    async def test_a_ban_ends_every_connection_with_its_reason(self) -> None:
        process = await started()
        alice, also = await process.connect(), await process.connect(query={})
        bob = await process.connect("bob")
        process.notices.tell(Notice(kind="user", user=ALICE.id, data={"end": True, "message": "é" * 100}))
        await settle()
        assert [client.close_code for client in (alice, also, bob)] == [4403, 4403, None]
        assert alice.events[-1]["reason"] == "é" * 61


class TestRoom:
    @in_loop
    async def test_followers_get_the_notice_and_refresh_their_rights(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob", query={"room": "den"})
        process.database["rooms"].update_one({"_id": LOBBY.id}, {"$set": {"topic": "News", "slow_seconds": 5}})
        process.notices.tell(Notice(kind="room", room=LOBBY.id))
        await settle()
        assert alice.frames("room") == [
            {
                "type": "room",
                "room": "lobby",
                "title": "Lobby",
                "topic": "News",
                "kind": "public",
                "is_read_only": False,
                "slow_seconds": 5,
                "archived": False,
                "closed": {},
            }
        ]
        assert bob.frames("room") == []
        (theirs,) = process.engine.connections.of(ALICE.id)
        assert theirs._accesses._known["lobby"].room.topic == "News"  # type: ignore[attr-defined]

    @in_loop
    async def test_it_is_read_once_however_many_follow(self) -> None:
        process = await started()
        clients = [await process.connect() for _ in range(3)]
        asked: list[str] = []
        find = process.engine.receiver._find_room

        def count(room_id: str) -> Room | None:
            asked.append(room_id)
            return find(room_id)

        process.engine.receiver._find_room = count
        process.notices.tell(Notice(kind="room", room=LOBBY.id))
        await settle()
        assert asked == [LOBBY.id]
        assert [len(client.frames("room")) for client in clients] == [1, 1, 1]


class TestHints:
    @in_loop
    async def test_the_list_of_rooms_and_how_far_one_has_read_go_to_all_of_a_user(self) -> None:
        process = await started()
        for person in (ALICE, BOB):
            process.rooms.access.get_for(person.id, "lobby")
        alice, also, bob = await process.connect(), await process.connect(query={}), await process.connect("bob")
        process.notices.tell(Notice(kind="rooms", user=ALICE.id))
        process.notices.tell(Notice(kind="read", user=ALICE.id, room=LOBBY.id, data={"sequence": 7}))
        await settle()
        for client in (alice, also):
            assert client.frames("rooms") == [{"type": "rooms"}]
            assert client.frames("read") == [{"type": "read", "room": "lobby", "sequence": 7, "unread_marks": 0}]
        assert bob.frames("rooms") == bob.frames("read") == []

    @in_loop
    async def test_a_notice_of_unknown_kind_or_room_does_nothing(self) -> None:
        process = await started()
        alice = await process.connect()
        process.notices.tell(Notice(kind="from tomorrow", user=ALICE.id))
        process.notices.tell(Notice(kind="room", room="nowhere"))
        process.notices.tell(Notice(kind="read", user=ALICE.id, room="nowhere", data={"sequence": 7}))
        await settle()
        assert [frame["type"] for frame in alice.frames()] == ["caught_up"]

    @in_loop
    async def test_after_missed_notices_everything_is_read_again(self) -> None:
        process = await started()
        alice = await process.connect(query={"room": "den"})
        expel(process)
        await process.engine.receiver.apply([Notice(kind="missed")])
        await settle()
        assert {frame["type"] for frame in alice.frames()} >= {"closed", "rooms"}

    @in_loop
    async def test_a_reader_who_does_not_read_is_disconnected(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answers, "MAX_WAITING", 5)
        process = await started()
        alice = await process.connect(query={})
        alice.can_receive.clear()
        for _ in range(20):
            process.notices.tell(Notice(kind="rooms", user=ALICE.id))
        await settle()
        alice.can_receive.set()
        await settle()
        assert alice.close_code == 1011


class TestCases:
    """Open reports and held messages."""

    @pytest.mark.parametrize("kind", ["report", "held"])
    @in_loop
    async def test_only_the_browsers_of_moderators_are_told(self, kind: str) -> None:
        process = await started()
        process.database["memberships"].update_one({"user": BOB.id, "room": DEN.id}, {"$set": {"role": "moderator"}})
        alice, bob = [await process.connect(name, cookie=f"session={name}", origin=ORIGIN) for name in ("alice", "bob")]
        program = await process.connect("bob")
        process.notices.tell(Notice(kind=kind, user="u-mallory", room=DEN.id))
        await settle()
        assert bob.frames("cases") == [{"type": "cases"}]
        assert alice.frames("cases") == program.frames("cases") == []

    @in_loop
    async def test_the_author_of_a_reported_message_is_not_told(self) -> None:
        """A moderator could conclude from it that somebody reported them."""
        process = await started()
        process.database["memberships"].update_one({"user": BOB.id, "room": DEN.id}, {"$set": {"role": "moderator"}})
        bob = await process.connect("bob", cookie="session=bob", origin=ORIGIN)
        process.notices.tell(Notice(kind="report", user=BOB.id, room=DEN.id))
        await settle()
        assert bob.frames("cases") == []

    @in_loop
    async def test_moderators_of_the_site_decide_reports_everywhere_and_hold_in_public_rooms(self) -> None:
        process = await started()
        names = dict.fromkeys(("username", "display_name", "username_key", "display_name_key"), "alice")
        account = {"_id": ALICE.id, **names, "name_keys": [ALICE.id], "role": "moderator"}
        process.database["users"].insert_one(account)
        alice = await process.connect("alice", cookie="session=alice", origin=ORIGIN)
        for kind, room, count in (("held", DEN, 0), ("held", LOBBY, 1), ("report", DEN, 2)):
            process.notices.tell(Notice(kind=kind, user=BOB.id, room=room.id))
            await settle()
            assert len(alice.frames("cases")) == count
