"""Read positions and typing, as frames on connections."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatroom.base.errors import Unavailable
from chatroom.live import read_positions as positions
from chatroom.rooms.access import LOBBY
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.rooms.read_positions import ReadPositions
from tests.loops import in_loop, settle
from tests.people import ALICE, BOB, rendered
from tests.unit.live.harness import DEN, Client, Process, Ticks


async def started(*, beside: Process | None = None) -> Process:
    made = Process(beside.database, "there") if beside else Process()
    made.rooms.store.ensure(DEN)
    for person in (ALICE, BOB):
        made.rooms.membership_store.admit(person.id, DEN)
    await made.engine.start()
    return made


def typing(client: Client) -> list[list[str]]:
    return [[person["name"] for person in frame["people"]] for frame in client.frames("typing")]


def read(sequence: int, room: str = "lobby") -> dict[str, Any]:
    return {"type": "read", "room": room, "sequence": sequence}


class TestRead:
    @in_loop
    async def test_the_first_is_written_at_once_and_then_only_the_last(self, tick: Ticks) -> None:
        process = await started()
        alice = await process.connect()
        await alice.say(read(1))
        assert process.marked == [(ALICE.id, LOBBY.id, 1)]
        await alice.say(read(2), read(4), read(3), read(7, "den"))
        assert len(process.marked) == 1
        await alice.leave()
        await tick()
        assert process.marked[1:] == [(ALICE.id, LOBBY.id, 4), (ALICE.id, DEN.id, 7)]
        assert alice.frames("refused") == []

    @in_loop
    async def test_a_position_names_the_mark_as_unread_that_its_sender_knew(self, tick: Ticks) -> None:
        here = await started()
        there = await started(beside=here)
        page, program = await here.connect(), await here.connect()
        await page.say(read(5) | {"unread_marks": 0})
        await program.say(read(5))
        await page.say(read(6) | {"unread_marks": 0})  # it waits in the queue
        positions = ReadPositions(OwnMembershipStore(there.database), there.store, there.notices)
        there.store.append(LOBBY.id, [rendered(f"b{n}", author=BOB) for n in range(6)])
        positions.mark_unread(there.rooms.access.get_for(ALICE.id, "lobby"), 2)
        await here.engine.receiver.hear(0)
        await settle()
        assert page.frames("read") == [{"type": "read", "room": "lobby", "sequence": 1, "unread_marks": 1}]
        await page.say(read(4) | {"unread_marks": 1})  # opened again
        await program.say(read(3))  # it names no mark, and is about the newest
        await tick()
        assert [place for _, _, place in here.marked] == [5, 5, 4, 3]
        assert here.marks == [0, 0, 1, 1]

    @in_loop
    async def test_an_outage_refuses_nobody_and_stops_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(positions, "PAUSE_SECONDS", 0)
        process = await started()
        calls = []

        def away(*arguments: Any) -> None:
            calls.append(arguments)
            raise Unavailable("away")

        alices = positions.Positions(process.engine.run, away)
        access = process.rooms.access.get_for(ALICE.id, "lobby")
        for sequence in (1, 2):
            alices.put(access, sequence)
            await settle()
        assert len(calls) == 2

    @pytest.mark.parametrize("sequence", [-1, "1", None, 2**53 + 1, 1.5])
    @in_loop
    async def test_an_invalid_position_is_refused(self, sequence: Any) -> None:
        process = await started()
        alice = await process.connect()
        await alice.say({"type": "read", "room": "lobby", "sequence": sequence})
        assert [frame["reason"] for frame in alice.frames("refused")] == ["invalid"]
        assert process.marked == []

    @pytest.mark.parametrize("frame", [read(1, "den"), {"type": "typing", "room": "den"}])
    @in_loop
    async def test_an_outsider_is_refused(self, frame: dict[str, Any]) -> None:
        process = await started()
        mallory = await process.connect("mallory")
        await mallory.say(frame)
        assert [frame["reason"] for frame in mallory.frames("refused")] == ["not_found"]
        assert process.marked == []


class TestTyping:
    @in_loop
    async def test_full_followers_see_typing_and_brief_followers_do_not(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob")
        brief = await process.connect("bob", query={"room": "lobby", "format": "brief"})
        await alice.say({"type": "typing", "room": "lobby"}, {"type": "typing", "room": "lobby"})
        await process.engine.presence.keep_typing(1)
        await settle()
        assert typing(bob) == typing(alice) == [["Alice"]]
        assert typing(brief) == []
        await alice.say({"type": "post", "room": "lobby", "text": "hi"})
        process.now = process.store.newest(LOBBY.id, 1)[0].sent_at
        await process.engine.presence.keep_typing(1)
        await settle()
        assert typing(bob) == [["Alice"], []]

    @in_loop
    async def test_typing_at_another_process_is_shown_until_the_message(self) -> None:
        here = await started()
        there = await started(beside=here)
        alice, bob = await here.connect(), await there.connect("bob")
        await here.engine.presence.keep(1)  # the lease in which it is written
        await alice.say({"type": "typing", "room": "lobby"})
        await here.engine.presence.keep_typing(1)
        await there.engine.presence.keep_typing(2)
        await settle()
        assert typing(bob) == [["Alice"]]
        await alice.say({"type": "post", "room": "lobby", "text": "hi"})
        there.feed.hint(LOBBY.id, 1)
        await settle()
        await there.engine.presence.keep_typing(4)
        await settle()
        assert typing(bob) == [["Alice"], []]

    @in_loop
    async def test_typing_ends_when_the_text_is_cleared_or_the_person_is_gone(self) -> None:
        here = await started()
        there = await started(beside=here)
        alice, bob, near = await here.connect(), await there.connect("bob"), await here.connect("bob")
        await here.engine.presence.keep(1)

        async def tick(number: int) -> None:
            for process in (here, there):
                await process.engine.presence.keep_typing(number)
            await settle()

        await alice.say({"type": "typing", "room": "lobby"})
        await tick(2)
        await alice.say({"type": "typing", "room": "lobby", "on": False})
        await tick(4)
        assert typing(near) == typing(bob) == [["Alice"], []]
        here.now += timedelta(seconds=1)
        await alice.say({"type": "typing", "room": "lobby"})
        await tick(6)
        await alice.leave()
        await tick(7)
        assert typing(near) == [["Alice"], [], ["Alice"], []]

    @in_loop
    async def test_typing_without_the_right_to_post_is_ignored(self) -> None:
        process = await started()
        process.database["memberships"].update_one(
            {"user": ALICE.id, "room": DEN.id}, {"$set": {"muted_until": datetime(2100, 1, 1, tzinfo=UTC)}}
        )
        alice, bob = [await process.connect(name, query={"room": "den"}) for name in ("alice", "bob")]
        await alice.say({"type": "typing", "room": "den"})
        await process.engine.presence.keep_typing(1)
        await settle()
        assert typing(bob) == alice.frames("refused") == []

    @in_loop
    async def test_without_followers_nothing_happens(self) -> None:
        process = await started()
        alice = await process.connect()
        await alice.say({"type": "typing", "room": "den"})
        assert alice.frames("refused") == []
        assert DEN.id not in process.engine.rooms._rooms
