"""Two server processes on one database: what one does for both, who takes over, and what people see of each other."""

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chatroom.base.models import Author, User
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.outbound.subscriptions_store import Subscription, SubscriptionStore
from chatroom.people.profiles import Profile
from chatroom.rooms.access import LOBBY
from chatroom.services import Services
from tests.integration.live.servers import SECONDS, Client, Server, make_tokens, new_name, settings_of
from tests.messaging import append, new_draft
from tests.people import access
from tests.subscribers import Browser
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# Tests listen on this machine, to which nothing is posted otherwise.
EVERYWHERE = """
import chatroom.outbound.public_http as http
http.is_public = lambda address: True
http.is_own = lambda address: False
"""
# What is done once a second is done more often, so that nobody waits for it.
BUSY = """
import chatroom.live.engine, chatroom.site.background
chatroom.live.engine.TICK_SECONDS = chatroom.site.background.PAUSE_SECONDS = 0.2
"""
# Whoever outside does not answer is waited for until the test is over.
PATIENT = """
import chatroom.outbound.deliveries, chatroom.outbound.push
chatroom.outbound.deliveries.TIMEOUT_SECONDS = chatroom.outbound.push.TIMEOUT_SECONDS = 60
"""
# While this file is there, whoever deletes an account stands still after the first messages of many.
HELD = """
import os, time
from chatroom.site.background import BackgroundThread
may_go_on = BackgroundThread.may_go_on
def wait_and_go_on(self, rest_seconds=0.0):
    while self.name == "account_deletion" and rest_seconds and os.path.exists({gate!r}):
        time.sleep(0.02)
    return may_go_on(self, rest_seconds)
BackgroundThread.may_go_on = wait_and_go_on
"""


class Outsider:
    """A server outside: it remembers what was posted to it, and may be slow to answer."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.answers = threading.Event()
        self.answers.set()
        outsider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outsider.taken.append((self.path, dict(self.headers.items()), body))
                outsider.answers.wait(SECONDS)
                with contextlib.suppress(OSError):  # who asked was killed
                    self.send_response(201)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def at(self, path: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for taken, headers, body in self.taken if taken == path]

    def stop(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


class Pair:
    """Two servers, Alice and Bob, and somebody outside."""

    def __init__(self, mongod: EmbeddedMongo, folder: Path) -> None:
        self.name = new_name()
        self.uri = mongod.uri_for(self.name)
        self.alice, self.bob = make_tokens(self.uri, self.name, "alice", "bobby")
        self.services = Services(settings_of(self.uri, self.name))
        self.services.open()
        self.outsider = Outsider()
        self.browser = Browser(f"{self.outsider.url}/push")
        self._subscribe()  # before the servers look who is
        self._folder = folder
        self.gate = folder / "gate"
        self._first = "\n".join([EVERYWHERE, BUSY, PATIENT, HELD.format(gate=str(self.gate))])
        self._started: list[Server] = []
        self.origins: dict[str, Server] = {}

    @property
    def servers(self) -> list[Server]:
        """Two that run; one that was killed has a successor."""
        while len(self.origins) < 2:
            log = self._folder / f"{len(self._started)}.log"
            server = Server(self.uri, self.name, log, first=self._first)
            self._started.append(server)
            self.origins[self.post(server, "who are you?").origin] = server
        return list(self.origins.values())

    def user(self, token: str) -> User:
        found = self.services.people.sessions.find_valid(token)
        assert found is not None
        return found[1]

    def post(self, server: Server, *texts: str) -> Any:
        """Have Bob post at a server; returns the last as it is stored."""
        with contextlib.closing(server.connect(self.bob)) as client:
            for text in texts:
                client_id = secrets.token_hex(8)
                client.post(client_id, text)
                client.wait_for_message(client_id)
        return self.services.messages.store.find_by_client_id(LOBBY.id, self.user(self.bob).id, client_id)

    def edit(self, server: Server, message_id: str, text: str) -> None:
        """Have Bob edit a message at a server."""
        with contextlib.closing(server.connect(self.bob)) as client:
            client.say({"type": "edit", "room": "lobby", "id": message_id, "text": text, "client_id": "edit"})
            client.wait_for(lambda frame: frame["type"] == "stored" and frame["id"] == message_id)

    def holder(self, lease: str) -> str:
        """Who holds a lease, of those that run."""
        wait_until(lambda: (self._lease(lease) or {}).get("holder") in self.origins)
        return str(self._lease(lease)["holder"])

    def kill(self, origin: str) -> Server:
        """Kill a process in the middle of what it does; its leases end now and not later. Returns the other one."""
        self.origins.pop(origin).kill()
        self.services.database["leases"].update_many({"holder": origin}, {"$set": {"expires_at": LONG_AGO}})
        (other,) = self.origins.values()
        return other

    def stop(self) -> None:
        for server in self.origins.values():
            server.terminate()
        self.outsider.stop()
        self.services.close()
        assert [error for server in self._started for error in server.errors()] == []

    def _lease(self, name: str) -> Any:
        return self.services.database["leases"].find_one({"_id": name})

    def _subscribe(self) -> None:
        found = self.services.people.sessions.find_valid(self.alice)
        assert found is not None
        session, alice = found
        p256dh, auth = self.browser.keys
        subscription = Subscription(
            id="alice",
            user_id=alice.id,
            session_id=session.id,
            endpoint=self.browser.endpoint,
            p256dh=p256dh,
            auth=auth,
        )
        SubscriptionStore(self.services.database).put(subscription, 10)


@pytest.fixture(scope="module")
def pair(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair = Pair(mongod, tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


def test_people_at_two_processes_see_each_others_presence_and_typing(pair: Pair) -> None:
    one, two = pair.servers
    with contextlib.closing(two.connect(pair.bob)) as bob:
        bob.wait_for_type("caught_up")
        with contextlib.closing(one.connect(pair.alice)) as alice:
            bob.wait_for(lambda frame: frame["type"] == "presence" and "Alice" in json.dumps(frame))
            alice.wait_for(lambda frame: frame["type"] == "presence" and "Bobby" in json.dumps(frame))
            type_until_seen(alice, bob)
            alice.post("said", "it is said")
            bob.wait_for_message("said")
            bob.wait_for(lambda frame: typists(frame) == [])
        bob.wait_for(lambda frame: frame["type"] == "presence" and pair.user(pair.alice).id in frame.get("left", []))


def test_a_new_name_reaches_the_other_process_without_a_reconnect(pair: Pair) -> None:
    one, two = pair.servers
    with contextlib.closing(two.connect(pair.bob)) as bob, contextlib.closing(one.connect(pair.alice)):
        for name in ("Alice of the Woods", "Alice"):
            pair.services.people.profiles.change(pair.user(pair.alice), Profile(display_name=name))
            bob.wait_for(lambda frame, name=name: frame["type"] == "presence" and f'"{name}"' in json.dumps(frame))


def test_a_notification_comes_once_however_many_processes_there_are(pair: Pair) -> None:
    servers = pair.servers
    expected = []
    with readers(pair) as watching:
        for n in range(3):
            for server in servers:
                message = pair.post(server, f"@alice, look at this: {n}")
                expected.append(f"lobby-{message.sequence}")
        for server in servers:
            message = pair.post(server, "nobody is mentioned yet")
            expected.append(f"lobby-{message.sequence}")
            for again in (server, *servers):
                pair.edit(again, message.id, "@alice, look at this edit")
        for reader in watching:  # the other process has each of them too, and could have told
            reader.wait_for_message(message.client_id)
    wait_until(lambda: set(tags(pair)) >= set(expected))
    assert sorted(tags(pair)) == sorted(expected)


def test_each_event_is_delivered_although_the_process_is_killed(pair: Pair) -> None:
    assert len(pair.servers) == 2
    author = Author(pair.user(pair.alice).id, "Alice")
    pair.services.outbound.webhooks._is_allowed = lambda host: True
    key = pair.services.outbound.webhooks.make_outgoing(
        access(author, LOBBY, "administrator"), author, "Logs", f"{pair.outsider.url}/hook", "event"
    )
    events = [f"event {n}" for n in range(6)]
    holder = pair.holder("deliveries")

    pair.post(pair.origins[holder], events[0])
    wait_until(lambda: told(pair) == events[:1])
    pair.outsider.answers.clear()
    pair.post(pair.origins[holder], *events[1:4])
    wait_until(lambda: told(pair) == events[:2])  # it has the second, and does not say so
    other = pair.kill(holder)
    pair.outsider.answers.set()
    pair.post(other, *events[4:])
    wait_until(lambda: events[5] in told(pair))

    assert told(pair) == [events[0], events[1], *events[1:]]
    ids = [headers["webhook-id"] for headers, _ in pair.outsider.at("/hook")]
    assert ids[1] == ids[2]
    assert len(set(ids)) == len(events)
    receiver = pytest.importorskip("standardwebhooks").Webhook(key)  # of the receiver, by Standard Webhooks
    assert [receiver.verify(body, headers)["message"]["text"] for headers, body in pair.outsider.at("/hook")] == told(
        pair
    )


def test_the_other_process_takes_over_the_index(pair: Pair) -> None:
    assert len(pair.servers) == 2
    holder = pair.holder("indexer")
    pair.post(pair.origins[holder], *(f"before {n}" for n in range(5)))
    other = pair.kill(holder)
    pair.post(other, *(f"after {n}" for n in range(5)))

    database = pair.services.database
    newest = pair.services.messages.store.newest_revision(LOBBY.id)
    wait_until(lambda: (database["search_cursors"].find_one({"_id": LOBBY.id}) or {}).get("revision") == newest)
    assert {each["_id"] for each in database["search_entries"].find()} == {
        each["_id"] for each in database["messages"].find({"room": LOBBY.id})
    }
    found = pair.services.search.search.find(pair.user(pair.bob).id, "before").hits
    found += pair.services.search.search.find(pair.user(pair.bob).id, "after").hits
    assert sorted(hit.message.text for hit in found) == [
        f"{when} {n}" for when in ("after", "before") for n in range(5)
    ]


def test_an_account_deletion_is_finished_after_the_process_is_killed(pair: Pair) -> None:
    assert len(pair.servers) == 2
    services, count = pair.services, 600
    (token,) = make_tokens(pair.uri, pair.name, "carol")
    carol = pair.user(token)
    services.rooms.access.get_for(carol.id, "lobby")
    drafts = [new_draft(Author(carol.id, "Carol"), f"c{n}") for n in range(count)]
    append(services, LOBBY.id, drafts)
    holder = pair.holder("account_deletion")
    other = next(server for origin, server in pair.origins.items() if origin != holder)
    left = {"room": LOBBY.id, "author.id": carol.id, "deleted_at": None}
    messages, users = services.database["messages"], services.database["users"]

    with contextlib.closing(other.connect(token)) as client:
        client.wait_for_type("caught_up")
        pair.gate.touch()
        services.erasure.account_deletion.begin(None, carol, "", is_erased=True)
        wait_until(lambda: messages.count_documents(left) < count)
        assert pair.kill(holder) is other
        assert 0 < messages.count_documents(left) < count, "it was not killed in the middle"
        pair.gate.unlink()
        assert client.close_code(SECONDS) == 4403
    wait_until(lambda: messages.count_documents(left) == 0)
    users.update_one({"_id": carol.id}, {"$set": {"deleted_at": LONG_AGO}})  # the minute is over
    wait_until(lambda: not services.people.states.list_leaving())

    assert messages.distinct("author.name", {"author.id": carol.id}) == ["Former member"]
    revisions = [number for each in messages.find({"room": LOBBY.id}) for number in each["revisions"]]
    assert sorted(revisions) == list(range(1, services.messages.store.newest_revision(LOBBY.id) + 1))


@contextlib.contextmanager
def readers(pair: Pair) -> Iterator[list[Client]]:
    """Alice, at every server."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(each.connect(pair.alice))) for each in pair.servers]
        for client in clients:
            client.wait_for_type("caught_up")
        yield clients


def type_until_seen(writer: Client, reader: Client) -> None:
    """Type as people do, again and again: what was typed once is forgotten after some seconds."""

    def type_once() -> bool:
        writer.say({"type": "typing", "room": "lobby"})
        with contextlib.suppress(TimeoutError):
            reader.wait_for(lambda frame: typists(frame) == ["Alice"], seconds=1)
            return True
        return False

    wait_until(type_once)


def typists(frame: dict[str, Any]) -> list[str] | None:
    return [person["name"] for person in frame["people"]] if frame["type"] == "typing" else None


def told(pair: Pair) -> list[str]:
    """What the webhook was told, in order."""
    return [json.loads(body)["message"]["text"] for _, body in pair.outsider.at("/hook")]


def tags(pair: Pair) -> list[str]:
    """What Alice's browser was told of."""
    return [pair.browser.read(body)["tag"] for _, body in pair.outsider.at("/push")]
