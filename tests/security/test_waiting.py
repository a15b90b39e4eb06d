"""A real server, and one person who wants all of it: everybody else's pages stay as they were."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import httpx
import pytest

from chatroom.asgi.request_queue import widths
from chatroom.base.config import Settings
from chatroom.base.models import Author
from chatroom.mongo.embedded import EmbeddedMongo
from tests.messaging import append, new_draft
from tests.pictures import make_picture
from tests.security.server import UNLIMITED, Server, serving
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

REQUESTS = 45
LOOKS = 200
PLENTY = {
    "TRUSTED_PROXIES": "1",
    "BCRYPT_ROUNDS": "10",
    "UPLOAD_LIMIT_ACCOUNT": "0",
    "LOGIN_LIMIT_ACCOUNT": "0",
    "LOGIN_LIMIT_ADDRESS": "0",
    "SEARCH_LIMIT": "0",
}
CODE = "```python\n" + "def f(x): return {'a': [x ** 2 for x in range(10)]}  # why\n" * 60 + "```"
SPARE = 14
"""Threads that a server makes beside those of pages: for uploads on their way, for pictures, for passwords."""


@pytest.fixture(scope="module")
def server(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(mongod, tmp_path_factory.mktemp("server"), **UNLIMITED, **PLENTY) as server:
        server.settle()
        author = Author(server.user("alice").id, "Alice")
        lobby = server.services.rooms.store.find("lobby")
        assert lobby is not None
        for start in range(0, 1000, 100):
            drafts = [new_draft(author, f"word {number} " * 20) for number in range(start, start + 100)]
            append(server.services, lobby.id, drafts)
        yield server


class Browser:
    """Somebody's browser, signed in, at an address of their own."""

    def __init__(self, server: Server, name: str, address: str) -> None:
        self.name = name
        self.token = server.token(name)
        limits = httpx.Limits(max_connections=REQUESTS)
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"X-Forwarded-For": address},
            timeout=PATIENCE_SECONDS,
            limits=limits,
        )
        self.csrf = self._token_of("/login")
        answer = self.http.post("/login", data={"csrf_token": self.csrf, "username": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        self.csrf = self._token_of("/account")

    def _token_of(self, path: str) -> str:
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.http.get(path).text)
        assert found
        return found[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, **options: object) -> int:
        """Ask the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.request(method, path, headers=headers, **options).status_code  # type: ignore[arg-type]

    def look(self) -> None:
        """Open the room."""
        assert self.http.get("/chatroom/lobby").status_code == 200


WALL = make_picture("PNG", (2500, 2500), compress_level=9)
"""Small to send and large to decode, though not so large that this test takes long."""


def upload(mallory: Browser, number: int) -> int:
    return mallory.call("POST", f"/api/rooms/lobby/files?name={number}.png", content=WALL)


def show_oneself(mallory: Browser, _: int) -> int:
    files = {"picture": ("me.png", WALL)}
    return mallory.http.post("/account/avatar", data={"csrf_token": mallory.csrf}, files=files).status_code


def log_in(mallory: Browser, number: int) -> int:
    address = {"X-Forwarded-For": "9.9.9.9"}
    with httpx.Client(base_url=mallory.http.base_url, headers=address, timeout=PATIENCE_SECONDS) as page:
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page.get("/login").text)
        form = {"csrf_token": token[1] if token else "", "username": f"nobody{number}", "password": "a wrong one"}
        return page.post("/login", data=form).status_code


def search(mallory: Browser, number: int) -> int:
    return mallory.call("GET", f"/api/search?q=word+{number % 10}")


def export(mallory: Browser, _: int) -> int:
    return mallory.http.get("/account/data").status_code


def read_much(mallory: Browser, _: int) -> int:
    return mallory.call("GET", "/api/rooms/lobby/messages?limit=200")


def open_room(mallory: Browser, _: int) -> int:
    return mallory.http.get("/chatroom/lobby").status_code


def post_code(mallory: Browser, number: int) -> int:
    body = {"client_id": f"c{time.monotonic_ns()}-{number}", "text": CODE}
    return mallory.call("POST", "/api/rooms/lobby/messages", json=body)


ATTACKS = (upload, show_oneself, log_in, search, export, read_much, open_room, post_code)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_one_person_gets_at_most_a_share(server: Server, attack: Callable[[Browser, int], int]) -> None:
    """L16: of the threads, and of the turns: somebody else's page is not behind all that waits."""
    with Browser(server, "bob", "1.1.1.1") as bob, Browser(server, "mallory", "2.2.2.2") as mallory:
        bob.look()
        threads = server.threads
        with ThreadPoolExecutor(REQUESTS) as pool:
            asked = [pool.submit(attack, mallory, number) for number in range(REQUESTS)]
            passed = [served_during(bob.look, asked)]
            while len(passed) < LOOKS and not all(each.done() for each in asked):
                passed.append(served_during(bob.look, asked))
        statuses = {each.result() for each in asked}
    assert statuses <= {200, 201, 303, 401, 429, 503}
    share = widths(Settings().request_threads)["pages"].share
    assert server.threads - threads <= share + SPARE
    assert statistics.median(passed) <= 2 * share


def served_during(look: Callable[[], None], asked: list[Future[int]]) -> int:
    """How many requests of the other one are served meanwhile."""
    before = served(asked)
    look()
    return served(asked) - before


def served(asked: list[Future[int]]) -> int:
    """How many are; who was told to come back was not served."""
    return sum(each.done() and each.result() not in {429, 503} for each in asked)
