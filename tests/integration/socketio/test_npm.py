"""The stock Socket.IO client of npm, over each of its transports, against the real server. B3."""

import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatroom.app import create_app, open_app
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.web.kit.cookies import SECRET
from tests.integration.live.servers import Server, make_tokens, new_name, settings_of
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.integration

# A server that says how many requests of long-polling wait in it for news.
COUNTING = """
from engineio.async_socket import AsyncSocket
poll, waiting = AsyncSocket.poll, set()
async def counted_poll(self):
    if self.queue.empty():
        waiting.add(self.sid)
        os.write(1, b"%d wait\\n" % len(waiting))
    try:
        return await poll(self)
    finally:
        waiting.discard(self.sid)
        os.write(1, b"%d wait\\n" % len(waiting))
AsyncSocket.poll = counted_poll
"""
TRANSPORTS = [["websocket"], ["polling"], ["polling", "websocket"]]


class Client:
    """The npm client in a process of its own."""

    def __init__(self, folder: Path, address: str, **options: Any) -> None:
        given = json.dumps({"address": address, "reconnection": False, **options})
        self.process = subprocess.Popen(
            ["node", "client.mjs", given], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seen: list[tuple[str, Any]] = []
        self._patience = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        self._patience.start()

    def wait_for(self, *kinds: str) -> Any:
        """The content of the next thing of one of these kinds that was seen."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            kind, content = json.loads(line)
            self.seen.append((kind, content))
            if kind in kinds:
                return content
        raise AssertionError(f"it ended without {kinds}: {self.seen}")

    def emit(self, *event: Any) -> Any:
        """Emit an event, and return its acknowledgement."""
        assert self.process.stdin is not None
        print(json.dumps(event), file=self.process.stdin, flush=True)
        return self.wait_for("ack")

    def close(self) -> None:
        self._patience.cancel()
        self.process.kill()
        self.process.communicate()


class Place:
    """A server, and who may come."""

    def __init__(self, mongod: EmbeddedMongo, folder: Path) -> None:
        self.name = new_name()
        self.uri = mongod.uri_for(self.name)
        self.alice, self.bob, self.carol = make_tokens(self.uri, self.name, "alice", "bobby", "carol")
        self.server = Server(self.uri, self.name, folder / "server.log")
        self.address = f"http://127.0.0.1:{self.server.port}"

    def say(self, token: str, text: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"text": text}).encode()
        request = urllib.request.Request(f"{self.address}/api/rooms/lobby/messages", body, headers)
        urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).close()

    def cookie(self, name: str) -> str:
        """The cookie of a browser in which somebody is logged in."""
        app = create_app(settings_of(self.uri, self.name))
        services = open_app(app)
        user = services.people.users.find_by_username(name)
        assert user
        secret = services.people.sessions.begin(user, label="a browser", address="127.0.0.1")
        signer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        services.close()
        return f"session={signer.dumps({SECRET: secret, '_fresh': True, '_permanent': True})}"

    def end_sessions(self, name: str) -> None:
        app = create_app(settings_of(self.uri, self.name))
        services = open_app(app)
        user = services.people.users.find_by_username(name)
        assert user
        services.people.sessions.end_all(user.id)
        services.close()


@pytest.fixture(scope="module")
def place(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(mongod, tmp_path_factory.mktemp("server"))
    yield place
    place.server.terminate()
    assert place.server.errors() == []


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_talking(place: Place, npm_client: Path, transports: list[str]) -> None:
    """B3: sign in by token, emit `new_message`, be told what was stored, receive everybody's as `message`."""
    client = Client(npm_client, place.address, auth={"token": place.alice}, transports=transports)
    try:
        assert client.wait_for("connect", "connect_error") in transports
        stored = client.emit("new_message", "hello")
        assert set(stored) == {"id", "sequence", "revision", "room", "client_id"}
        again = client.emit("new_message", {"text": "hello", "room": "lobby", "client_id": stored["client_id"]})
        assert again == stored
        place.say(place.bob, "hello to you")
        while client.wait_for("message")["text"] != "hello to you":
            pass
        told = [content for kind, content in client.seen if kind == "message"]
        assert [message["author"]["name"] for message in told] == ["Alice", "Bobby"]
        assert told[0]["id"] == stored["id"]
        page = client.emit("history", {"room": "lobby", "limit": 2})
        assert [message["text"] for message in page["messages"]] == ["hello", "hello to you"]
        assert client.emit("new_message", " ")["error"]["reason"] == "empty"
    finally:
        client.close()


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_by_cookie(place: Place, npm_client: Path, transports: list[str]) -> None:
    """C06: a page of this site may use the browser's session, a page of another may not."""
    headers = {"cookie": place.cookie("bobby"), "origin": place.address}
    client = Client(npm_client, place.address, extraHeaders=headers, transports=transports)
    other = Client(
        npm_client, place.address, extraHeaders={**headers, "origin": "http://evil.test"}, transports=transports
    )
    try:
        assert client.wait_for("connect", "connect_error") in transports
        assert client.emit("new_message", "from a page")["room"] == "lobby"
        assert other.wait_for("connect", "connect_error")["reason"] == "wrong_origin"
    finally:
        client.close()
        other.close()


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_without_a_token(place: Place, npm_client: Path, transports: list[str]) -> None:
    client = Client(npm_client, place.address, auth={"token": "chatroom_wrong"}, transports=transports)
    try:
        assert client.wait_for("connect", "connect_error")["reason"] == "signed_out"
    finally:
        client.close()


@pytest.mark.parametrize("transports", TRANSPORTS[:2], ids="+".join)
def test_the_session_ends(place: Place, npm_client: Path, transports: list[str]) -> None:
    """S04."""
    (token,) = make_tokens(place.uri, place.name, "dave" + transports[0])
    client = Client(npm_client, place.address, auth={"token": token}, transports=transports)
    try:
        client.wait_for("connect")
        place.end_sessions("dave" + transports[0])
        assert client.wait_for("ended") == {"code": 4401, "reason": "the session ended"}
        assert client.wait_for("disconnect") == "io server disconnect"
    finally:
        client.close()


def test_join_with_a_cursor_returns_missed_messages(place: Place, npm_client: Path) -> None:
    """What was missed while away comes after `join` with a cursor, and nothing twice."""
    client = Client(npm_client, place.address, auth={"token": place.carol}, transports=["websocket"])
    try:
        client.wait_for("connect")
        # Answered once the room is followed: what is posted earlier is older than "from now on", and not sent.
        cursor = client.emit("join", "lobby")["revision"]
        for text in ("one", "two"):
            place.say(place.bob, text)
        assert [client.wait_for("message")["text"] for _ in range(2)] == ["one", "two"]
        client.emit("leave", "lobby")
        client.emit("join", {"room": "lobby", "after": cursor})
        told = [content["text"] for kind, content in client.seen if kind == "message"]
        assert told == ["one", "two"] * 2
    finally:
        client.close()


def test_no_client_delays_the_stop(place: Place, tmp_path: Path, npm_client: Path) -> None:
    """A request of long-polling that waits for news is answered when the server ends, and is no error.

    One of the two who wait has gone by then.
    """
    server = Server(place.uri, place.name, tmp_path / "server.log", first=COUNTING)
    address = f"http://127.0.0.1:{server.port}"
    staying, going = (
        Client(npm_client, address, auth={"token": token}, transports=["polling"]) for token in (place.alice, place.bob)
    )
    try:
        for client in (staying, going):
            client.wait_for("connect")
            client.emit("history", {})
        wait_until(lambda: how_many_wait(server) == 2)
        going.process.kill()
        going.process.wait()
        assert server.terminate() == 0
        assert server.errors() == []  # uvicorn would say whom it did not wait for any longer
        assert staying.wait_for("disconnect") in {"transport error", "transport close", "io server disconnect"}
    finally:
        staying.close()
        going.close()
        server.process.kill()


def how_many_wait(server: Server) -> int:
    """What the server has said last."""
    counts = [line.split()[0] for line in server.log.read_text().splitlines() if line.endswith(" wait")]
    return int(counts[-1]) if counts else 0
