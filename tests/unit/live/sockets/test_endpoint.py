import asyncio
import json
from typing import Any

import msgspec
import pytest

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Person, Room
from chatroom.live import answers
from chatroom.live import connection as connections
from chatroom.live.sockets.endpoint import Gate
from chatroom.live.sockets.visitor import ConnectionLimits
from chatroom.live.sockets.websocket import EXTENSION
from chatroom.messages.mentions import Unreached
from chatroom.people.tokens import Grant
from chatroom.rooms.access import LOBBY
from tests.loops import in_loop, run, settle
from tests.people import ALICE, BOB, MALLORY, person, rendered
from tests.unit.live.harness import DEN, NO_LIMITS, Client, Process
from tests.waiting import wait_until_in_loop

ORIGIN = "https://room.test"


async def started(**options: Any) -> Process:
    """A process with the lobby, and a den of Alice and Bob."""
    process = Process(**options)
    process.rooms.store.ensure(DEN)
    for each in (ALICE, BOB):
        process.rooms.membership_store.admit(each.id, DEN)
    await process.engine.start()
    return process


FORMER = "dm-" + "0" * 20


def post(client_id: str | None = "a1", text: str = "hi", room: str = "lobby") -> dict[str, Any]:
    frame = {"type": "post", "room": room, "text": text}
    return frame if client_id is None else frame | {"client_id": client_id}


def refusals(client: Client) -> list[tuple[str | None, str]]:
    return [(frame.get("client_id"), frame["reason"]) for frame in client.frames("refused")]


def test_a12_a_64_is_one_address() -> None:
    """A12."""
    gate = Gate(msgspec.structs.replace(NO_LIMITS, connections_per_address=2))
    with gate.address("2001:db8:1:2::1"), gate.address("2001:db8:1:2::2"):
        with pytest.raises(Refused), gate.address("2001:db8:1:2::3"):
            pass
        with gate.address("2001:db8:1:3::1"):
            pass
    with gate.address("2001:db8:1:2::3"):
        pass


class TestHandshake:
    @in_loop
    async def test_a_member_is_let_in_and_follows_the_room_of_the_address(self) -> None:
        process = await started()
        process.post("b1", "b2")
        client = await process.connect(query={"room": "lobby", "after": 1})
        assert client.status is None
        assert client.seen() == ["b2"]
        assert client.frames("caught_up")[0]["missed"] == 1

    @in_loop
    async def test_without_a_cursor_it_follows_from_now_on(self) -> None:
        process = await started()
        process.post("b1")
        client = await process.connect()
        assert [frame["type"] for frame in client.frames()] == ["caught_up"]
        assert client.frames()[0]["revision"] == 1

    @in_loop
    async def test_without_a_room_it_waits_to_be_asked(self) -> None:
        client = await (await started()).connect(query={})
        assert client.events == [{"type": "websocket.accept"}]

    @pytest.mark.parametrize("query", [{"room": "lobby"}, {}])
    @pytest.mark.parametrize("headers", [{"cookie": "session=nobody"}, {"authorization": "Bearer nobody"}, {"x": "y"}])
    @in_loop
    async def test_w01_an_anonymous_client_gets_401(self, headers: dict[str, str], query: dict[str, str]) -> None:
        client = await (await started()).connect(query=query, **headers)
        assert client.status == 401
        assert client.frames() == []
        assert client.task.done()

    @pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://room.test", "", None])
    def test_c04_c05_a_cookie_from_another_site_gets_403(
        self, origin: str | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        headers = {"cookie": "session=alice"} | ({} if origin is None else {"origin": origin})

        async def test() -> None:
            assert (await (await started()).connect(**headers)).status == 403

        run(test)
        assert "Origin" in caplog.text
        assert "session=alice" not in caplog.text

    @in_loop
    async def test_a_cookie_from_this_site_is_let_in(self) -> None:
        client = await (await started()).connect(cookie="session=alice", origin=ORIGIN)
        assert client.status is None

    @in_loop
    async def test_a_public_room_is_joined_before_it_is_followed(self) -> None:
        process = await started()
        room = process.rooms.making.create(BOB, "member", title="Tea")
        client = await process.connect("alice", query={"room": room.slug})
        assert client.status == 403

    @pytest.mark.parametrize("slug", ["den", "nowhere"])
    @in_loop
    async def test_w09_an_outsider_gets_the_same_404_for_a_closed_room_and_for_none(self, slug: str) -> None:
        client = await (await started()).connect("mallory", query={"room": slug})
        assert client.status == 404
        assert client.events[1]["body"] == b"There is no such room, or you are not a member of it."

    @pytest.mark.parametrize(
        "query",
        [
            *[
                {"room": "lobby", "after": value}
                for value in ["-1", "x", "1.5", "9" * 5000, str(2**53 + 1), "[]", "{}", "NaN", "true", "1;drop"]
            ],
            {"room": "r" * 65},
            {"room": "lobby", "format": "xml"},
        ],
    )
    @in_loop
    async def test_i02_an_address_that_is_not_understood_gets_400(self, query: dict[str, str]) -> None:
        client = await (await started()).connect(query=query)
        assert client.status == 400
        assert len(client.events[1]["body"]) < 500

    @pytest.mark.parametrize("slug", ["\ud800", "\0", "\n", "$ne", "../den", "LOBBY", "лобби"])
    @in_loop
    async def test_an_odd_room_name_is_no_room(self, slug: str) -> None:
        process = await started()
        client = Client(process, "alice", {}, {})
        quoted = b"".join(b"%%%02x" % byte for byte in slug.encode("utf-8", "surrogatepass"))
        client.scope["query_string"] = b"room=" + quoted
        await settle()
        assert client.status == 404

    @pytest.mark.parametrize("part", ["sign_in", "get_access"])
    @in_loop
    async def test_a_database_outage_gets_503(self, part: str) -> None:
        process = await started()

        def away(*arguments: Any) -> Any:
            raise Unavailable("The database does not answer.")

        if part == "sign_in":
            entrance = msgspec.structs.replace(process.endpoint.entrance, sign_in=away)
            process.endpoint.entrance = entrance
        else:
            process.rooms.access.get_for = away
        client = await process.connect()
        assert client.status == 503
        assert (b"retry-after", b"5") in client.events[0]["headers"]

    @pytest.mark.parametrize(
        "limits", [{"connections": 2}, {"connections_per_user": 2}, {"connections_per_address": 2}]
    )
    @in_loop
    async def test_l07_too_many_connections_get_503_until_one_leaves(self, limits: dict[str, int]) -> None:
        numbers = {name: getattr(NO_LIMITS, name) for name in NO_LIMITS.__struct_fields__} | limits
        process = await started(limits=ConnectionLimits(**numbers))
        first, second, third = [await process.connect() for _ in range(3)]
        assert [client.status for client in (first, second, third)] == [None, None, 503]
        assert (b"retry-after", b"5") in third.events[0]["headers"]
        await first.leave()
        assert (await process.connect()).status is None
        assert (await process.connect()).status == 503
        await second.leave()

    @in_loop
    async def test_a_refused_handshake_is_not_counted(self) -> None:
        process = await started(
            limits=ConnectionLimits(
                connections=1, connections_per_user=1, connections_per_address=1, rooms_per_connection=0
            )
        )
        for headers in ({"x": "y"}, {"cookie": "session=alice", "origin": "https://evil.test"}):
            for _ in range(3):
                assert (await process.connect(**headers)).status in {401, 403}
        assert (await process.connect("alice", {"room": "nowhere"})).status == 404
        assert (await process.connect()).status is None

    @in_loop
    async def test_a_client_that_leaves_during_the_handshake(self) -> None:
        process = await started()
        client = Client(process, "alice", {"room": "lobby"}, {})
        client.failure = ConnectionResetError("gone")
        await settle()
        assert client.task.done()
        assert isinstance(client.task.exception(), OSError)  # uvicorn's own, which it expects
        assert process.engine.connections == set()

    @in_loop
    async def test_x06_the_format_is_chosen_once(self) -> None:
        process = await started()
        texts = await process.connect(query={"room": "lobby", "format": "text"})
        htmls = await process.connect("bob", query={"room": "lobby", "format": "html"})
        await texts.say(post(text="*hi*"))
        (message,) = texts.frames("changes")[0]["messages"]
        assert message["text"] == "*hi*"
        assert "html" not in message
        (message,) = htmls.frames("changes")[0]["messages"]
        assert message["html"] == "<p><em>hi</em></p>"
        assert "text" not in message


class TestPost:
    @in_loop
    async def test_a_post_is_stored_answered_and_seen_by_all(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob")
        await alice.say(post())
        (stored,) = alice.frames("stored")
        assert stored == {
            "type": "stored",
            "room": "lobby",
            "client_id": "a1",
            "id": stored["id"],
            "sequence": 1,
            "revision": 1,
        }
        assert alice.seen() == bob.seen() == ["a1"]
        assert bob.frames("stored") == []
        (message,) = bob.frames("changes")[0]["messages"]
        assert message["author"] == {"id": ALICE.id, "name": "Alice"}

    @in_loop
    async def test_posts_without_a_client_id_are_stored_each_time(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say(post(None), post(None))
        assert [frame["sequence"] for frame in client.frames("stored")] == [1, 2]
        assert all("client_id" not in frame for frame in client.frames("stored"))
        messages = [m for frame in client.frames("changes") for m in frame["messages"]]
        assert all("client_id" not in message for message in messages)

    @in_loop
    async def test_d03_the_same_client_id_a_hundred_times_is_one_message(self) -> None:
        process = await started()
        client, other = await process.connect(), await process.connect()
        await client.say(*[post() for _ in range(50)])
        await other.say(*[post() for _ in range(50)])
        answers = client.frames("stored") + other.frames("stored")
        assert {(frame["id"], frame["sequence"]) for frame in answers} == {(answers[0]["id"], 1)}
        assert len(answers) == 100
        assert client.seen() == other.seen() == ["a1"]

    @in_loop
    async def test_posting_works_without_following(self) -> None:
        process = await started()
        client = await process.connect(query={})
        await client.say(post(room="den"))
        assert [frame["room"] for frame in client.frames("stored")] == ["den"]
        assert client.frames("changes") == []

    @pytest.mark.parametrize("slug", ["den", "nowhere"])
    @in_loop
    async def test_w09_an_outsider_posts_nowhere(self, slug: str) -> None:
        process = await started()
        mallory = await process.connect("mallory")
        await mallory.say(post(room=slug))
        assert refusals(mallory) == [("a1", "not_found")]
        assert process.store.newest_revision(DEN.id) == 0

    @pytest.mark.parametrize(
        ("text", "reason"),
        [("", "empty"), (" \n\t", "empty"), ("\u200b", "empty"), ("x" * 4001, "too_long")],
    )
    @in_loop
    async def test_l01_a_text_that_may_not_be_is_refused(self, text: str, reason: str) -> None:
        process = await started()
        client = await process.connect()
        await client.say(post(text=text), post("a2", "x" * 4000))
        assert refusals(client) == [("a1", reason)]
        assert client.seen() == ["a2"]

    @in_loop
    async def test_l08_too_fast_is_refused_with_the_time_to_wait(self) -> None:
        process = await started()
        client = await process.connect()
        process.too_fast = True
        await client.say(post())
        process.too_fast = False
        await client.say(post())
        (refused,) = client.frames("refused")
        assert (refused["reason"], refused["client_id"], refused["retry_after"]) == ("too_fast", "a1", 1.5)
        assert client.seen() == ["a1"]
        assert process.posting == [(ALICE.id, "192.0.2.1")] * 2

    @in_loop
    async def test_too_many_waiting_is_refused_as_busy(self) -> None:
        process = await started(max_waiting=2)
        client = await process.connect()
        process.engine.appender._writer._run = never
        await client.say(post("a1"))
        await client.say(post("a2"), post("a3"), post("a4"))
        assert refusals(client) == [("a4", "busy")]

    @in_loop
    async def test_a_draft_that_cannot_be_stored_is_refused_and_affects_no_other(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob")
        append = process.messages.appending.append

        def fail(room: str, drafts: Any, after: int | None) -> Any:
            if any(each.text == "poison" for each in drafts):
                raise ValueError("this cannot be encoded")
            return append(room, drafts, after)

        process.messages.appending.append = fail
        await asyncio.gather(alice.say(post("a1", "poison")), bob.say(post("b1")))
        assert refusals(alice) == [("a1", "unavailable")]
        assert alice.seen() == bob.seen() == ["b1"]

    @in_loop
    async def test_w03_a_frame_cannot_set_its_author(self) -> None:
        process = await started()
        bob = await process.connect("bob")
        await bob.say(post("b1") | {"author": {"id": ALICE.id, "name": "Alice"}}, post("b2"))
        assert [reason for _, reason in refusals(bob)] == ["invalid"]
        assert process.store.newest(LOBBY.id, 9)[0].author == BOB

    @in_loop
    async def test_order_is_kept(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say(*[post(f"a{n}") for n in range(60)])
        assert client.seen() == [f"a{n}" for n in range(60)]
        assert [frame["client_id"] for frame in client.frames("stored")] == [f"a{n}" for n in range(60)]


class TestChange:
    @in_loop
    async def test_an_author_edits_and_deletes(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob")
        await alice.say(post(text="teh"))
        message_id = alice.frames("stored")[0]["id"]
        await alice.say({"type": "edit", "room": "lobby", "id": message_id, "text": "the", "client_id": "e1"})
        await alice.say({"type": "delete", "room": "lobby", "id": message_id})
        stored = alice.frames("stored")
        assert [frame["revision"] for frame in stored] == [1, 2, 3]
        assert [frame.get("client_id") for frame in stored] == ["a1", "e1", None]
        assert {frame["sequence"] for frame in stored} == {1}
        states = [m for frame in bob.frames("changes") for m in frame["messages"]]
        assert [state.get("text") for state in states] == ["teh", "the", None]
        assert "edited_at" in states[1]
        assert "deleted_at" in states[2]
        assert "the" not in json.dumps(states[2])

    @in_loop
    async def test_a_repeated_reaction_counts_once(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob")
        await alice.say(post(text="hi"))
        react = {"type": "react", "room": "lobby", "id": alice.frames("stored")[0]["id"], "emoji": ":tada:"}
        await bob.say(react, react, react | {"emoji": "nothing"})
        assert [frame["revision"] for frame in bob.frames("stored")] == [2, 2]
        assert bob.frames("refused")[0]["reason"] == "invalid"
        await bob.say(react | {"on": False})
        states = [m for frame in alice.frames("changes") for m in frame["messages"]]
        assert [[each["emoji"] for each in state.get("reactions", ())] for state in states] == [[], ["🎉"], []]

    @in_loop
    async def test_moderators_alone_pin(self) -> None:
        process = await started()
        bob = await process.connect("bob")
        await bob.say(post(text="hi"))
        pin = {"type": "pin", "room": "lobby", "id": bob.frames("stored")[0]["id"], "client_id": "p1"}
        await bob.say(pin)
        assert bob.frames("refused")[0]["reason"] == "forbidden"
        process.database["memberships"].update_one({"user": BOB.id, "room": LOBBY.id}, {"$set": {"role": "moderator"}})
        moderator = await process.connect("bob")
        await moderator.say(pin, pin | {"on": False, "client_id": "p2"})
        assert [frame["client_id"] for frame in moderator.frames("stored")] == ["p1", "p2"]
        states = [m for frame in bob.frames("changes") for m in frame["messages"]]
        said = [state for state in states if state.get("kind") != "event"]
        assert ["pinned_at" in state for state in said] == [False, True, False]
        (line,) = [state for state in states if state.get("kind") == "event"]
        assert (line["author"]["id"], line["reply_to"]) == (BOB.id, said[0]["sequence"])
        assert line["text"].endswith(" pinned a message")
        revisions = [state["revision"] for state in states]
        assert revisions == sorted(set(revisions))

    @in_loop
    async def test_mentions_are_looked_up_only_for_texts_with_an_at_sign(self) -> None:
        process = await started()
        looked_up: list[str] = []
        member = Person(id=BOB.id, username="bob", name="Bob")

        def find_mentions(_: Access, text: str) -> tuple[Person, ...]:
            looked_up.append(text)
            return (member,)

        process.messages.texts.find_mentions = find_mentions
        alice = await process.connect()
        await alice.say(post(text="hi"), post("a2", text="hi @bob"), post("a3", text="ho"))
        states = [m for frame in alice.frames("changes") for m in frame["messages"]]
        assert [state.get("mentions") for state in states] == [None, [BOB.id], None]
        assert [state["text"] for state in states] == ["hi", "hi @bob", "ho"]
        assert looked_up == ["hi @bob"]

    @in_loop
    async def test_the_author_learns_which_mentions_notify_nobody(self) -> None:
        process = await started()
        told = Unreached("bob", "Bob is not in this room and will not see this.", may_add=True)
        asked: list[str] = []

        def find_unreached(_: Access, text: str) -> tuple[Unreached, ...]:
            asked.append(text)
            return (told,) if "@bob" in text else ()

        process.messages.texts.find_unreached = find_unreached
        alice = await process.connect()
        await alice.say(post(text="hi"), post("a2", text="hi @bob"), post("a3", text="@alice"))
        first = alice.frames("stored")[0]
        await alice.say({"type": "edit", "room": "lobby", "id": first["id"], "text": "@bob", "client_id": "e1"})
        answers = {frame["client_id"]: frame.get("unreached") for frame in alice.frames("stored")}
        shown = [msgspec.to_builtins(told)]
        assert answers == {"a1": None, "a2": shown, "a3": None, "e1": shown}
        assert asked == ["hi @bob", "@alice", "@bob"]

    @pytest.mark.parametrize("kind", ["edit", "delete"])
    @pytest.mark.parametrize(
        ("name", "which", "reason"),
        [
            ("bob", "alices", "forbidden"),
            ("mallory", "alices", "forbidden"),
            ("alice", "none", "not_found"),
            ("alice", "other room", "not_found"),
        ],
    )
    @in_loop
    async def test_nobody_else_changes_it(self, kind: str, name: str, which: str, reason: str) -> None:
        process = await started()
        (mine,) = process.store.append(LOBBY.id, [rendered("a1")])
        (other,) = process.store.append(DEN.id, [rendered("a1")])
        ids = {"alices": mine.message.id, "none": "0" * 24, "other room": other.message.id}
        client = await process.connect(name)
        frame = {"type": kind, "room": "lobby", "id": ids[which], "client_id": "e1"}
        await client.say(frame | ({"text": "x"} if kind == "edit" else {}))
        assert refusals(client) == [("e1", reason)]
        assert process.store.newest(LOBBY.id, 1) == [mine.message]
        assert process.store.newest(DEN.id, 1) == [other.message]

    @pytest.mark.parametrize(("text", "reason"), [("", "empty"), ("x" * 4001, "too_long")])
    @in_loop
    async def test_an_edit_is_checked_like_a_post(self, text: str, reason: str) -> None:
        process = await started()
        (mine,) = process.store.append(LOBBY.id, [rendered("a1")])
        client = await process.connect()
        await client.say({"type": "edit", "room": "lobby", "id": mine.message.id, "text": text})
        assert refusals(client) == [(None, reason)]

    @in_loop
    async def test_an_edit_is_limited_like_a_post(self) -> None:
        process = await started()
        client = await process.connect()
        process.too_fast = True
        await client.say({"type": "delete", "room": "lobby", "id": "0" * 24})
        assert refusals(client) == [(None, "too_fast")]

    @pytest.mark.parametrize("kind", ["edit", "delete"])
    @in_loop
    async def test_w09_an_outsider_changes_nothing(self, kind: str) -> None:
        process = await started()
        (mine,) = process.store.append(DEN.id, [rendered("a1")])
        mallory = await process.connect("mallory")
        frame = {"type": kind, "room": "den", "id": mine.message.id}
        await mallory.say(frame | ({"text": "x"} if kind == "edit" else {}))
        assert refusals(mallory) == [(None, "not_found")]

    @in_loop
    async def test_a_change_counts_as_activity(self) -> None:
        process = await started()
        (mine,) = process.store.append(LOBBY.id, [rendered("a1")])
        client = await process.connect()
        (connection,) = process.engine.connections
        assert not connection.was_active
        await client.say({"type": "delete", "room": "lobby", "id": mine.message.id})
        assert connection.was_active


class TestFollow:
    @in_loop
    async def test_several_rooms_on_one_connection(self) -> None:
        process = await started()
        process.post("d1", "d2", room=DEN.id)
        client = await process.connect()
        await client.say({"type": "follow", "room": "den", "after": 1})
        await client.say(post("a1"), post("a2", room="den"))
        assert client.seen("lobby") == ["a1"]
        assert client.seen("den") == ["d2", "a2"]

    @in_loop
    async def test_unfollowed_is_silent(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say({"type": "unfollow", "room": "lobby"}, {"type": "unfollow", "room": "nowhere"})
        await client.say(post())
        assert client.frames("changes") == []
        assert len(client.frames("stored")) == 1
        assert process.engine.rooms._rooms[LOBBY.id].connections == 0

    @in_loop
    async def test_another_room_is_followed_in_brief(self) -> None:
        process = await started()
        process.post("d1", "d2", room=DEN.id)
        client = await process.connect(query={"room": "lobby", "format": "html"})
        await client.say({"type": "follow", "room": "den", "after": 1, "format": "brief"})
        await client.say(post(), post(room="den", client_id="d3"))
        (lobby,) = [frame for frame in client.frames("changes") if frame["room"] == "lobby"]
        assert "html" in lobby["messages"][0]
        den = [frame for frame in client.frames("changes") if frame["room"] == "den"]
        assert [set(frame["messages"][0]) for frame in den] == [{"id", "sequence", "revision", "author"}] * 2
        assert [frame["missed"] for frame in client.frames("caught_up")] == [0, 1]

    @in_loop
    async def test_a_brief_follower_is_not_present(self) -> None:
        process = await started()
        client = await process.connect(query={"room": "lobby", "format": "brief"})
        live = process.engine.rooms._rooms[LOBBY.id]
        assert not live.presence.is_watched
        await client.say({"type": "follow", "room": "lobby", "format": "text"})
        assert [person.id for person in live.presence.local()] == [ALICE.id]
        await client.say({"type": "follow", "room": "lobby"})
        await process.engine.presence.keep(1)
        await settle()
        assert live.presence.local() == process.presences.here(LOBBY.id) == client.frames("presence") == []
        assert live.connections == 1
        await client.leave()
        assert live.connections == 0

    @in_loop
    async def test_a_format_that_is_none_is_refused(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say({"type": "follow", "room": "den", "format": "xml"})
        (refused,) = client.frames("refused")
        assert refused["reason"] == "invalid"

    @in_loop
    async def test_following_again_begins_at_the_new_cursor(self) -> None:
        process = await started()
        process.post("b1", "b2")
        client = await process.connect()
        await client.say({"type": "follow", "room": "lobby", "after": 0})
        await client.say(post())
        assert client.seen() == ["b1", "b2", "a1"]
        assert process.engine.rooms._rooms[LOBBY.id].connections == 1

    @pytest.mark.parametrize("slug", ["den", "nowhere"])
    @in_loop
    async def test_w09_an_outsider_follows_nothing(self, slug: str) -> None:
        process = await started()
        mallory = await process.connect("mallory")
        await mallory.say({"type": "follow", "room": slug, "after": 0})
        process.post("d1", room=DEN.id)
        process.feed.hint(DEN.id, 1)
        await settle()
        assert refusals(mallory) == [(None, "not_found")]
        assert mallory.frames("refused")[0]["room"] == slug
        assert mallory.seen("den") == []

    @pytest.mark.parametrize("first", [{"room": "hall"}, {}])
    @in_loop
    async def test_a_token_without_the_scope_does_not_join(self, first: dict[str, str]) -> None:
        """P12: by the address, by following, by posting."""
        process = await started()
        process.rooms.store.ensure(Room(id="hall", slug="hall", title="Hall"))
        process.grant = Grant(scopes=frozenset({"read", "post"}))
        client = await process.connect(query=first)
        if first:
            assert client.status == 404
        else:
            await client.say({"type": "follow", "room": "hall"}, post("a1", room="hall"))
            assert [why for _, why in refusals(client)] == ["not_found", "not_found"]
        assert process.database["memberships"].count_documents({"room": "hall"}) == 0
        assert (await process.connect()).status is None  # in the lobby is everybody

    @pytest.mark.parametrize("is_first", [True, False])
    @in_loop
    async def test_the_former_address_of_a_conversation_refers_to_the_new_one(self, is_first: bool) -> None:
        """U09."""
        process = await started()
        moved = {"_id": "d", "slug": "dm_1", "former_slug": FORMER, "kind": "direct", "title": "", "people": []}
        process.database["rooms"].insert_one(moved)
        process.database["memberships"].insert_one({"user": ALICE.id, "room": "d"})
        client = await process.connect(query={"room": FORMER} if is_first else {})
        if not is_first:
            await client.say({"type": "follow", "room": FORMER})
        (closed,) = client.frames("closed")
        assert (closed["room"], closed["reason"], closed["to"]) == (FORMER, "moved", "dm_1")
        await client.say(post("a1", room=FORMER))  # what was written before
        (stored,) = client.frames("stored")
        assert (stored["room"], stored["client_id"]) == ("dm_1", "a1")
        stranger = await process.connect("mallory", query={"room": FORMER})
        assert stranger.status == 404

    @in_loop
    async def test_a_cursor_that_the_room_never_gave_is_refused_and_changes_nothing(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say({"type": "follow", "room": "lobby", "after": 7})
        assert refusals(client) == [(None, "unknown_cursor")]
        await client.say(post())
        assert client.seen() == ["a1"]
        assert process.engine.rooms._rooms[LOBBY.id].connections == 1

    @in_loop
    async def test_a_cursor_from_another_process_is_valid(self) -> None:
        process = await started()
        first = await process.connect()
        process.post("b1", "b2")  # this process has not heard of it yet
        client = await process.connect(query={"room": "lobby", "after": 2})
        assert refusals(client) == []
        process.feed.hint(LOBBY.id, 2)
        await settle()
        await client.say(post())
        assert client.seen() == ["a1"]
        assert first.seen() == ["b1", "b2", "a1"]

    @in_loop
    async def test_too_many_rooms_are_refused(self) -> None:
        process = await started(
            limits=ConnectionLimits(
                connections=0, connections_per_user=0, connections_per_address=0, rooms_per_connection=1
            )
        )
        client = await process.connect()
        await client.say({"type": "follow", "room": "den"})
        await client.say({"type": "follow", "room": "lobby", "after": 0})
        assert refusals(client) == [(None, "too_many_rooms")]
        await client.say({"type": "unfollow", "room": "lobby"}, {"type": "follow", "room": "den"})
        assert len(refusals(client)) == 1

    @in_loop
    async def test_a_room_that_cannot_be_opened_is_refused_as_unavailable(self) -> None:
        process = await started()
        newest = process.store.newest_revision

        def away(room: str) -> int:
            raise Unavailable("The database does not answer.")

        process.store.newest_revision = away  # type: ignore[method-assign]
        client = await process.connect()
        assert refusals(client) == [(None, "unavailable")]
        assert client.frames("refused")[0]["room"] == "lobby"
        process.store.newest_revision = newest  # type: ignore[method-assign]
        await client.say({"type": "follow", "room": "lobby"})
        assert len(client.frames("caught_up")) == 1


class TestBreakingTheRules:
    @pytest.mark.parametrize(
        "raw", ["", "zzz", "9", "[]", "{}", '{"type":"x"}', "[" * 100_000, '{"type":"post","room":"lobby"}']
    )
    @in_loop
    async def test_w04_an_invalid_frame_is_refused_and_the_connection_stays_open(self, raw: str) -> None:
        process = await started()
        client, other = await process.connect(), await process.connect("bob")
        await client.say(raw, post())
        assert [reason for _, reason in refusals(client)] == ["invalid"]
        assert client.seen() == other.seen() == ["a1"]
        assert client.close_code is None

    @in_loop
    async def test_w04_too_many_in_a_row_close_the_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "MAX_STRIKES", 5)
        process = await started()
        client, other = await process.connect(), await process.connect("bob")
        await client.say(*["zzz"] * 4, post(), *["zzz"] * 4)
        assert client.close_code is None
        await client.say("zzz", "zzz", post("a2"))
        assert client.close_code == 1008
        assert client.task.done()
        assert len(client.frames("refused")) == 9
        assert other.seen() == ["a1"]
        await other.leave()
        assert process.engine.connections == set()
        assert process.engine.rooms._rooms[LOBBY.id].connections == 0

    @pytest.mark.parametrize("trouble", ["busy", "unavailable"])
    @in_loop
    async def test_refusals_without_the_clients_fault_do_not_count(
        self, monkeypatch: pytest.MonkeyPatch, trouble: str
    ) -> None:
        monkeypatch.setattr(connections, "MAX_STRIKES", 3)
        process = await started(max_waiting=1)
        client = await process.connect(query={})
        if trouble == "busy":
            process.engine.appender._writer._run = never
        else:
            process.rooms.access.get_for = away
        await client.say(*[post(f"a{n}") for n in range(12)])
        assert len(refusals(client)) >= 10
        assert {reason for _, reason in refusals(client)} == {trouble}
        assert client.close_code is None

    @in_loop
    async def test_w04_a_binary_frame_closes_the_connection(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say_bytes(b'{"type":"post","room":"lobby","text":"hi"}')
        assert client.close_code == 1003
        assert process.store.newest_revision(LOBBY.id) == 0
        assert client.task.done()


class TestBackpressure:
    @in_loop
    async def test_while_too_many_posts_are_unanswered_nothing_more_is_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(answers, "MAX_IN_FLIGHT", 5)
        process = await started()
        client = await process.connect()
        go = process.engine.hold()
        before = client.reads
        await client.say(*[post(f"a{n}") for n in range(30)])
        assert client.reads - before == 6  # the sixth is read, and waits for room
        go.set()
        await settle()
        assert len(client.frames("stored")) == 30
        assert client.seen() == [f"a{n}" for n in range(30)]

    @in_loop
    async def test_l05_a_client_that_does_not_read_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answers, "MAX_IN_FLIGHT", 5)
        process = await started()
        client, other = await process.connect(), await process.connect("bob")
        client.can_receive.clear()
        await client.say(*[post(f"a{n}") for n in range(30)])
        assert len(other.seen()) < 15  # the rest is not even read
        client.can_receive.set()
        await settle()
        assert len(client.frames("stored")) == 30
        assert client.seen() == other.seen() == [f"a{n}" for n in range(30)]

    @pytest.mark.parametrize("is_following", [True, False])
    @in_loop
    async def test_a_client_that_vanishes_with_unanswered_posts_leaves_no_task(
        self, monkeypatch: pytest.MonkeyPatch, is_following: bool
    ) -> None:
        """Whoever reads its frames waits for its answers, which nobody takes any more."""
        monkeypatch.setattr(answers, "MAX_IN_FLIGHT", 5)
        process = await started()
        client = await process.connect(query={"room": "lobby"} if is_following else {})
        client.can_receive.clear()
        await client.say(*[post(f"a{n}") for n in range(30)])
        assert not client.task.done()
        client.failure = ConnectionResetError("gone")
        client.can_receive.set()
        await settle()
        assert client.task.done()
        assert client.task.exception() is None
        assert process.engine.connections == set()

    @in_loop
    async def test_posts_beyond_the_bound_are_not_stored_once_the_session_has_ended(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(answers, "MAX_IN_FLIGHT", 2)
        process = await started()
        client = await process.connect()
        run_inline = process.engine.run
        process.engine.appender._writer._run = never
        await client.say(*[post(f"a{n}") for n in range(5)])
        (connection,) = process.engine.connections
        connection.end(4401, "the session ended")
        process.engine.appender._writer._run = run_inline
        await settle()
        assert client.task.done()
        assert process.store.newest_revision(LOBBY.id) == 0


class TestTheEnd:
    @in_loop
    async def test_leaving_frees_everything(self) -> None:
        process = await started()
        client = await process.connect()
        await client.say({"type": "follow", "room": "den"}, post())
        await client.leave()
        assert client.task.done()
        assert process.engine.connections == set()
        assert [live.connections for live in process.engine.rooms._rooms.values()] == [0, 0]
        assert process.endpoint.gate._total == 0
        assert not process.endpoint.gate._by_user
        assert not process.endpoint.gate._by_network

    @in_loop
    async def test_s04_nothing_is_received_after_the_session_ended(self) -> None:
        process = await started()
        alice, bob = await process.connect(), await process.connect("bob")
        for connection in list(process.engine.connections):
            if connection.session_id == "session of alice":
                connection.end(4401, "the session ended")
                connection.end(1008, "twice")
        await bob.say(post("b1"))
        await alice.say(post("a1"))
        assert alice.close_code == 4401
        assert alice.events[-1]["type"] == "websocket.close"
        assert alice.seen() == []
        assert alice.task.done()
        assert bob.seen() == ["b1"]

    @in_loop
    async def test_an_answer_after_the_end_is_nobodys(self) -> None:
        process = await started()
        client = await process.connect()
        go = process.engine.hold()
        await client.say(post())
        await client.leave()
        go.set()
        await settle()
        assert process.store.newest_revision(LOBBY.id) == 1  # it is stored all the same
        assert client.frames("stored") == []

    @pytest.mark.parametrize("failure", [ConnectionResetError("gone"), RuntimeError("closed by the server")])
    def test_a_client_that_disconnects_early_is_not_an_error(
        self, failure: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test() -> None:
            process = await started()
            client, other = await process.connect(), await process.connect("bob")
            client.failure = failure
            await other.say(post("b1"))
            await client.say("zzz", post("a1"))
            await client.leave()
            assert client.task.done()
            assert client.task.exception() is None
            await other.say(post("b2"))
            assert other.seen()[-1] == "b2"

        run(test)
        assert not [record for record in caplog.records if record.levelname == "ERROR"]

    @in_loop
    async def test_closing_a_client_that_is_gone_is_no_error(self) -> None:
        process = await started()
        client = await process.connect()
        client.failure = ConnectionResetError("gone")
        next(iter(process.engine.connections)).end(4401, "the session ended")
        await settle()
        await client.leave()
        assert client.task.done()

    def test_a_follower_that_fails_closes_its_connection(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            process = await started()
            client = await process.connect()
            live = process.engine.rooms._rooms[LOBBY.id]

            def fail(cursor: int, format: str) -> Any:
                raise ValueError("a bug")

            live.tail.frame = fail  # type: ignore[method-assign]
            await client.say(post())
            assert client.close_code == 1011

        run(test)
        assert "a follower failed" in caplog.text

    @in_loop
    async def test_a_client_that_leaves_while_its_room_opens_is_not_left_in_it(self) -> None:
        process = await started()
        client = await process.connect(query={})
        go = process.engine.hold()
        await client.say({"type": "follow", "room": "lobby"})
        await client.leave()
        go.set()
        await settle()
        assert client.task.done()
        assert [live.connections for live in process.engine.rooms._rooms.values()] == [0]


@in_loop
async def test_w08_two_tabs_get_each_message_once_and_are_one_person() -> None:
    process = await started()
    first, second = await process.connect(), await process.connect()
    await first.say(post("a1"))
    await second.say(post("a2"))
    assert first.seen() == second.seen() == ["a1", "a2"]
    live = process.engine.rooms._rooms[LOBBY.id]
    await first.leave()
    assert live.presence.local() == [person(ALICE)]
    await second.leave()
    assert live.presence.local() == []


@in_loop
async def test_d03_two_processes_store_a_client_id_once() -> None:
    here = await started()
    there = Process(here.database, "there")
    await there.engine.start()
    one, two = await here.connect(), await there.connect()
    await asyncio.gather(*[client.say(*[post(f"a{n}") for n in range(10)]) for client in (one, two)])

    def both_have_all() -> bool:
        for process in (here, there):
            process.feed.hint(LOBBY.id, 10)
        return all(len(client.seen()) == len(client.frames("stored")) == 10 for client in (one, two))

    await wait_until_in_loop(both_have_all)  # they write in turns
    assert one.seen() == two.seen()
    assert sorted(one.seen()) == sorted(f"a{n}" for n in range(10))
    sequences = [{f["client_id"]: f["sequence"] for f in client.frames("stored")} for client in (one, two)]
    assert sequences[0] == sequences[1]


@in_loop
async def test_an_outsider_of_one_room_is_a_guest_of_the_open_one() -> None:
    process = await started()
    mallory = await process.connect("mallory")
    await mallory.say(post("m1"))
    assert mallory.seen() == ["m1"]
    assert process.store.newest(LOBBY.id, 1)[0].author == MALLORY


async def never(*arguments: Any) -> Any:
    await asyncio.Event().wait()


def away(*arguments: Any) -> Any:
    raise Unavailable("The database does not answer.")


class Wire:
    """The short ways out that our own server offers, and what went over them, write by write."""

    def __init__(self) -> None:
        self.writes: list[list[str]] = []
        self.reads = asyncio.Event()
        self.reads.set()

    @classmethod
    async def of(cls, process: Process, query: dict[str, Any]) -> "tuple[Client, Wire]":
        """Open a connection that has them."""
        wire, client = cls(), Client(process, "alice", query, {})
        client.scope["extensions"] = {EXTENSION: (wire.write, wire.write_now)}
        await settle()
        return client, wire

    def write_now(self, *frames: bytes) -> bool:
        if self.reads.is_set():
            self.writes.append([json.loads(frame)["type"] for frame in frames])
        return self.reads.is_set()

    async def write(self, *frames: bytes) -> None:
        await self.reads.wait()
        self.write_now(*frames)


class TestTheShortWayOut:
    @in_loop
    async def test_an_answer_goes_in_one_write_with_the_news_and_behind_it(self) -> None:
        process = await started()
        client, wire = await Wire.of(process, {"room": "lobby"})
        wire.writes.clear()
        await client.say(post("a1"), post("a2"))
        assert wire.writes == [["changes", "stored", "stored"]]

    @in_loop
    async def test_an_author_who_does_not_follow_is_answered(self) -> None:
        process = await started()
        client, wire = await Wire.of(process, {})
        await client.say(post("a1"), post("a2"))
        assert wire.writes == [["stored", "stored"]]

    @in_loop
    async def test_buffered_frames_arrive_complete_and_in_order(self) -> None:
        process = await started()
        client, wire = await Wire.of(process, {"room": "lobby"})
        wire.writes.clear()
        wire.reads.clear()
        for client_id in ("a1", "a2", "a3"):
            await client.say(post(client_id))
        assert wire.writes == []
        wire.reads.set()
        await settle()
        sent = [kind for frames in wire.writes for kind in frames]
        assert sent.count("stored") == 3
        assert sent.count("changes") >= 1
        await client.say(post("a4"))
        assert wire.writes[-1] == ["changes", "stored"]
