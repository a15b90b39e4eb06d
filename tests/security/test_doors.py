"""One way of posting: every door refuses the same, in the same order, and answers what is known already. D03, M05.

The whole application runs on mongomock, with its engine. Nothing that is refused changes anything, so that each door
finds the room as the one before it did.
"""

import asyncio
import io
import itertools
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from chatroom.app import ASGI
from chatroom.base.errors import Refused
from chatroom.base.models import Author, User
from chatroom.live.sockets.socketio_connection import Client
from chatroom.services import Services
from tests.conftest import MakeApp, services_of, signed_in
from tests.security.live import Socket, served
from tests.visitors import Visitor, problem, user_of

LONGEST = 50
POSTS = 30
Outcome = tuple[str, str]
"""`stored` and the message's id, `held` and an id, or the reason of a refusal and its sentence."""


class Place:
    """Bob, a member of the lobby, and a webhook of Alice's, who administers it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.services: Services = services_of(app)
        self.visitors = {name: signed_in(app, name) for name in ("alice", "bob")}
        for visitor in self.visitors.values():
            visitor.get("/chatroom")
        self.alice, self.bob = (user_of(self.services, name) for name in ("alice", "bob"))
        self.token = self.services.people.sessions.create_token(self.bob, label="bot")
        access = self.services.rooms.access.get_for(self.alice.id, "lobby")
        author = Author(self.alice.id, self.alice.display_name)
        self.secret = self.services.outbound.webhooks.make_incoming(access, author, "CI")
        self.hook, self.room = self.services.outbound.incoming.find(self.secret)
        self.sentences: dict[str, str] = {}
        """The reason of each sentence that a program was told: a page shows the sentence alone."""
        self.asgi: ASGI

    def set_room(self, **fields: Any) -> None:
        self.services.database["rooms"].update_one({"_id": "lobby"}, {"$set": fields})

    def take_turn(self, user: User) -> None:
        assert not self.services.rooms.preferences.take_turn(user.id, self.room, "earlier", 60)

    def use_up(self, user_id: str, posts: int) -> None:
        """Post so often, as far as the rate is concerned; it refuses whoever has posted before."""
        with suppress(Refused):
            for _ in range(posts):
                self.services.site.limits.posting.check(user_id, "192.0.2.99")

    def told(self, answer: dict[str, Any]) -> Outcome:
        """What a program was told."""
        if "error" in answer:
            self.sentences[shape(answer["error"]["message"])] = answer["error"]["reason"]
            return answer["error"]["reason"], answer["error"]["message"]
        return ("held" if answer.get("held") else "stored"), answer["id"]


def shape(sentence: str) -> str:
    """A sentence but for its numbers: a wait is shorter a moment later."""
    return re.sub(r"[\d.,]+", "#", sentence)


async def by_websocket(place: Place, **said: Any) -> Outcome:
    socket = Socket(place.asgi, token=place.token)
    assert await socket.open() == 101
    socket.send({"type": "post", "room": "lobby", **said})
    frame = await socket.receive("stored", "held", "refused")
    await socket.leave()
    if frame["type"] == "refused":
        return place.told({"error": frame})
    return frame["type"], frame["id"]


async def by_socketio(place: Place, **said: Any) -> Outcome:
    live = place.asgi._get_live()
    scope = {"type": "websocket", "headers": [(b"authorization", b"Bearer " + place.token.encode())]}
    scope |= {"client": ("192.0.2.7", 5000), "scheme": "ws", "path": "/socket.io/"}
    visitor = await live.engine.run(live.entrance.sign_in, scope)

    async def nothing(*_: Any) -> None: ...

    client = Client(live.engine, live.chat, visitor, emit=nothing, end=nothing)
    serving = asyncio.create_task(client.serve())
    answer = await client.answer("new_message", [{"room": "lobby", **said}])
    client.leave()
    await serving
    return place.told(answer)


async def by_api(place: Place, **said: Any) -> Outcome:
    def ask() -> Any:
        bob = place.visitors["bob"]
        return bob.post("/api/rooms/lobby/messages", json=said, headers=bob.csrf()).json

    return place.told(await asyncio.to_thread(ask))


async def by_webhook(place: Place, **said: Any) -> Outcome:
    def ask() -> Any:
        answer = Visitor.post(place.app.test_client(), f"/hooks/{place.secret}", json=said)
        return {"id": answer.headers["X-Message-Id"]} if answer.text == "ok" else answer.json

    return place.told(await asyncio.to_thread(ask))


async def by_form(place: Place, **said: Any) -> Outcome:
    def send() -> Outcome:
        bob = place.visitors["bob"]
        fields = {"client_id": said["client_id"], "text": said["text"], "reply_to": str(said.get("reply_to", ""))}
        response = bob.post("/chatroom", data={**bob.fields("/rooms"), **fields})
        if response.status_code != 303:
            sentence = problem(response)
            return place.sentences[shape(sentence)], sentence
        services, client_id = place.services, said["client_id"]
        if (message := services.messages.store.find_by_client_id("lobby", place.bob.id, client_id)) is not None:
            return "stored", message.id
        held = services.moderation.held.find("lobby", place.bob.id, client_id)
        assert held
        return "held", held.id

    return await asyncio.to_thread(send)


Door = Callable[..., Awaitable[Outcome]]
DOORS: dict[str, Door] = {
    "API": by_api,  # first: it says which reason a sentence has
    "websocket": by_websocket,
    "Socket.IO": by_socketio,
    "form": by_form,
    "webhook": by_webhook,
}


def mute(place: Place) -> dict[str, Any]:
    for user in (place.alice, place.bob):
        place.services.people.states.set_mute(user.id, datetime.now(UTC) + timedelta(hours=1), "noise")
    return {}


def hurry(place: Place) -> dict[str, Any]:
    for user_id in (place.bob.id, place.hook.id):
        place.use_up(user_id, POSTS)
    return {}


def slow(place: Place) -> dict[str, Any]:
    place.set_room(slow_seconds=60)
    for user in (place.alice, place.bob):
        place.take_turn(user)
    return {}


def hold(place: Place) -> dict[str, Any]:
    place.services.moderation.newcomers.set_first(None, 2)
    return {}


def setting(**fields: Any) -> Callable[[Place], dict[str, Any]]:
    def change(place: Place) -> dict[str, Any]:
        place.set_room(**fields)
        return {}

    return change


def foreign_file(place: Place) -> dict[str, Any]:
    file = place.services.files.uploads.take(place.alice.id, place.room, "a.txt", io.BytesIO(b"words"))
    return {"files": [file.id]}


class Case:
    """What stands in the way of a post: how it comes about, and which doors it does not hold, or cannot carry it."""

    def __init__(self, reason: str, arrange: Callable[[Place], dict[str, Any]], *but: str) -> None:
        self.reason = reason
        self.arrange = arrange
        self.but = but


CASES = {
    # In their order.
    "archived": Case("archived", setting(archived_at=datetime(2026, 11, 21, tzinfo=UTC))),
    "read-only": Case("read_only", setting(is_read_only=True), "webhook"),  # its maker moderates
    "muted": Case("muted", mute),
    "empty": Case("empty", lambda _: {"text": " "}),
    "too long": Case("too_long", lambda _: {"text": "x" * (LONGEST + 1)}, "webhook"),
    "too fast": Case("too_fast", hurry),
    "unknown reply": Case("invalid", lambda _: {"reply_to": 999}, "webhook"),  # carries none
    "foreign file": Case("not_found", foreign_file, "webhook", "form"),  # carry none, or the sender's own
    "slow": Case("too_fast", slow, "webhook"),
    "newcomer": Case("held", hold, "webhook"),
}
EXCLUDE_EACH_OTHER = {("empty", "too long"), ("empty", "foreign file")}  # with a file, a text may be empty
PAIRS = [pair for pair in itertools.combinations(CASES, 2) if pair not in EXCLUDE_EACH_OTHER]


@pytest.fixture
def place(make_app: MakeApp) -> Place:
    return Place(make_app(max_message_length=LONGEST, post_limit_account=f"{POSTS} per hour", post_limit_address="0"))


def expected(door: str, *cases: str) -> str:
    """What is told at a door where these cases apply: the first that holds it."""
    return next((CASES[case].reason for case in cases if door not in CASES[case].but), "stored")


def try_all(place: Place, *cases: str) -> dict[str, str]:
    """What each door tells where these cases apply."""
    said: dict[str, Any] = {"text": "hi"}
    for case in reversed(cases):
        said |= CASES[case].arrange(place)
    told = {}

    async def test() -> None:
        async with served(place.app) as place.asgi:
            if "files" in said:  # which the form does not carry: what it is told instead, a program is told first
                await by_api(place, client_id="plain", **{key: value for key, value in said.items() if key != "files"})
            for number, (name, door) in enumerate(DOORS.items()):
                carried = {key: value for key, value in said.items() if key == "text" or name != "webhook"}
                told[name] = (await door(place, client_id=f"c{number}", **carried))[0]

    asyncio.run(test())
    return told


def test_permitted_users_are_accepted(place: Place) -> None:
    assert try_all(place) == dict.fromkeys(DOORS, "stored")


@pytest.mark.parametrize("case", CASES)
def test_every_entry_point_gives_the_same_refusal(place: Place, case: str) -> None:
    assert try_all(place, case) == {door: expected(door, case) for door in DOORS}


@pytest.mark.parametrize("cases", PAIRS, ids=" and ".join)
def test_every_entry_point_checks_in_the_same_order(place: Place, cases: tuple[str, str]) -> None:
    assert try_all(place, *cases) == {door: expected(door, *cases) for door in DOORS}
    if list(CASES).index(cases[0]) < list(CASES).index("too fast") and "too fast" not in cases:
        # Nobody was charged for what was refused without asking the database.
        for _ in range(POSTS):
            place.services.site.limits.posting.check(place.bob.id, "192.0.2.99")


ENDED = {
    "muted": mute,
    "read-only": setting(is_read_only=True),
    "slow": slow,
    "archived": setting(archived_at=datetime(2026, 11, 21, tzinfo=UTC)),
    "too fast": hurry,
}


@pytest.mark.parametrize("began", ENDED)
def test_a_stored_draft_is_answered_despite_later_restrictions(place: Place, began: str) -> None:
    """D03: the answer to the first try was lost. It must not be said that it failed."""

    async def test() -> None:
        async with served(place.app) as place.asgi:
            first = {name: await door(place, client_id=f"c-{name[:3]}", text="hi") for name, door in DOORS.items()}
            await asyncio.to_thread(ENDED[began], place)
            again = {name: await door(place, client_id=f"c-{name[:3]}", text="hi") for name, door in DOORS.items()}
            assert again == first
            assert all(outcome == "stored" for outcome, _ in first.values())
            assert (await by_api(place, client_id="another", text="hi"))[0] == CASES[began].reason

    asyncio.run(test())
    assert place.services.messages.store.newest_revision("lobby") == len(DOORS)


@pytest.mark.parametrize("began", ENDED)
def test_a_held_draft_is_answered_too(place: Place, began: str) -> None:
    hold(place)
    doors = {name: door for name, door in DOORS.items() if name != "webhook"}  # nothing of a webhook's is held

    async def test() -> None:
        async with served(place.app) as place.asgi:
            first = {name: await door(place, client_id=f"c-{name[:3]}", text="hi") for name, door in doors.items()}
            await asyncio.to_thread(ENDED[began], place)
            again = {name: await door(place, client_id=f"c-{name[:3]}", text="hi") for name, door in doors.items()}
            assert again == first
            assert all(outcome == "held" for outcome, _ in first.values())

    asyncio.run(test())


@pytest.mark.parametrize("case", CASES)
def test_an_approval_checks_the_lasting_rules(place: Place, case: str) -> None:
    """A mute, a wait and a rate end by themselves. The rest was checked when the message was held."""
    hold(place)
    held_id = asyncio.run(_hold_one(place))
    CASES[case].arrange(place)
    approval = place.services.moderation.approval
    if case in {"archived", "read-only"}:
        with pytest.raises(Refused) as refusal:
            approval.approve(None, held_id)
        assert refusal.value.reason == CASES[case].reason
    else:
        approval.approve(None, held_id)
    is_posted = case not in {"archived", "read-only"}
    assert place.services.messages.store.newest_revision("lobby") == is_posted


async def _hold_one(place: Place) -> str:
    async with served(place.app) as place.asgi:
        outcome, held_id = await by_api(place, client_id="c1", text="hi")
    assert outcome == "held"
    return held_id
