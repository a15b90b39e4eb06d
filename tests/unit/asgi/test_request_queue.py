"""A fair share of the threads for each person, and waiting before them; a fake stands in for Flask."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chatroom.asgi import request_queue
from chatroom.asgi.fair_queue import Full, Queue, Width
from chatroom.asgi.request_queue import LEAVE, PERSON, TURNS, RequestQueue, widths
from chatroom.base.threads import Lane, give_back
from tests.loops import in_loop, settle
from tests.waiting import wait_until_in_loop


def count(queue: Queue, person: str) -> tuple[int, int]:
    """How many requests of a person are inside, and how many wait."""
    return queue._inside[person], len(queue._waiting.get(person, ()))


class Line:
    """People before a lane; whoever is inside stays until the test lets them go."""

    def __init__(self, width: Width) -> None:
        self.queue = Queue(width)
        self.inside: list[str] = []
        self._leave: dict[str, Callable[[], None]] = {}

    def come(self, name: str) -> "asyncio.Task[None]":
        """Somebody's request, such as `a1`; the letter is the person."""
        return asyncio.create_task(self._enter(name))

    async def _enter(self, name: str) -> None:
        self._leave[name] = await self.queue.enter(name[0])
        self.inside.append(name)

    async def go(self, name: str) -> None:
        self.inside.remove(name)
        self._leave[name]()
        self._leave[name]()  # again does no harm
        await settle()


class TestQueue:
    """L16."""

    @in_loop
    async def test_waiting_requests_are_admitted_in_order(self) -> None:
        line = Line(Width(1, 1))
        tasks = [line.come(name) for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2")]
        await settle()
        order = []
        while line.inside:
            (name,) = line.inside
            order.append(name)
            await line.go(name)
        assert order == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
        await asyncio.gather(*tasks)

    @in_loop
    async def test_a_person_gets_at_most_a_share_even_with_free_places(self) -> None:
        line = Line(Width(3, 2))
        tasks = [line.come(f"a{number}") for number in range(4)]
        await settle()
        assert line.inside == ["a0", "a1"]
        assert count(line.queue, "a") == (2, 2)
        tasks.append(line.come("b1"))
        await settle()
        assert line.inside == ["a0", "a1", "b1"]
        for name in ("b1", "a0", "a1", "a2", "a3"):
            await line.go(name)
        await asyncio.gather(*tasks)
        assert count(line.queue, "a") == (0, 0)

    @in_loop
    async def test_few_may_wait_for_each_and_for_all(self) -> None:
        line = Line(Width(1, 1, waiting=2, waiting_each=1))
        tasks = [line.come(name) for name in ("a1", "a2", "b1")]
        await settle()
        for name in ("a4", "c1"):
            with pytest.raises(Full):
                await line.come(name)
        for name in ("a1", "a2", "b1"):
            await line.go(name)
        await asyncio.gather(*tasks)

    @in_loop
    async def test_in_a_full_queue_the_person_with_the_most_requests_loses_one(self) -> None:
        """L16: a few who send much do not fill the queue for everybody else."""
        line = Line(Width(1, 1, waiting=4, waiting_each=4))
        tasks = [line.come(name) for name in ("a1", "a2", "a3", "a4", "b1")]
        await settle()
        tasks.append(line.come("c1"))  # has none, the longest queue has three
        await settle()
        assert isinstance(tasks[3].exception(), Full)
        assert [count(line.queue, name)[1] for name in "abc"] == [2, 1, 1]
        for name in ("a5", "b2", "c2"):  # who would be at the longest's length then has no claim
            with pytest.raises(Full):
                await line.come(name)
        order = []
        while line.inside:
            order += line.inside
            await line.go(line.inside[0])
        assert order == ["a1", "a2", "b1", "c1", "a3"]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert count(line.queue, "a") == (0, 0)

    @in_loop
    async def test_a_client_that_leaves_while_it_is_evicted_releases_no_place(self) -> None:
        line = Line(Width(1, 1, waiting=2, waiting_each=2))
        tasks = [line.come(name) for name in ("a1", "a2", "a3")]
        await settle()
        tasks.append(line.come("b1"))
        await asyncio.sleep(0)
        tasks[2].cancel()  # has made room, and has not heard of it
        await settle()
        assert tasks[2].cancelled()
        assert count(line.queue, "a") == (1, 1)
        for name in ("a1", "a2", "b1"):
            await line.go(name)
        await asyncio.gather(*tasks, return_exceptions=True)

    @in_loop
    async def test_a_client_that_leaves_at_its_admission_takes_no_place(self) -> None:
        line = Line(Width(1, 1))
        tasks = [line.come(name) for name in ("a1", "b1", "c1")]
        await settle()
        tasks[1].cancel()
        await line.go("a1")  # before the other one has heard of it
        assert line.inside == ["c1"]
        assert count(line.queue, "b") == (0, 0)
        await line.go("c1")
        tasks.append(line.come("d1"))
        await settle()
        assert line.inside == ["d1"]
        await asyncio.gather(*tasks, return_exceptions=True)

    @in_loop
    async def test_a_client_that_leaves_the_queue_releases_its_place(self) -> None:
        line = Line(Width(1, 1))
        first, second, third = line.come("a1"), line.come("b1"), line.come("c1")
        await settle()
        second.cancel()
        await settle()
        assert count(line.queue, "b") == (0, 0)
        line._leave["a1"]()
        third.cancel()  # at the very moment at which its turn has come
        await settle()
        assert count(line.queue, "c") == (0, 0)
        fourth = line.come("d1")
        await settle()
        assert line.inside == ["a1", "d1"]
        await asyncio.gather(first, second, third, fourth, return_exceptions=True)


class Pages:
    """An application whose requests stay in their threads until the test lets them go."""

    def __init__(self, threads: int = 10) -> None:
        self.inside: list[str] = []
        self.may_go = asyncio.Event()
        self.during: Callable[[Any], None] = lambda _: None
        self.request_queue = RequestQueue(
            self,
            threads=threads,
            find_lane=lambda scope: scope["lane"],
            find_credential=lambda scope: scope["cookie"],
            find_address=lambda scope: scope["address"],
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside.append(scope["cookie"] or scope["address"])
        self.during(scope)
        try:
            await self.may_go.wait()
        finally:
            self.inside.remove(scope["cookie"] or scope["address"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, address: str = "1.1.1.1", cookie: str = "", lane: Lane = "pages") -> int:
        """The status of a request."""
        sent: list[dict[str, Any]] = []

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        scope: dict[str, Any] = {"address": address, "cookie": cookie, "lane": lane}
        await self.request_queue(scope, receive, send)
        return int(sent[0]["status"])

    def start(self, count: int, *arguments: Any, **more: Any) -> "list[asyncio.Task[int]]":
        """So many at once."""
        return [asyncio.create_task(self.ask(*arguments, **more)) for _ in range(count)]


@in_loop
async def test_two_requests_compute_at_a_time_and_a_long_wait_yields_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "TURN_SECONDS", 3600)
    pages = Pages()
    asked = [*pages.start(3, "1.1.1.1"), *pages.start(3, "2.2.2.2")]
    await settle()
    assert len(pages.inside) == TURNS
    pages.during = lambda _: give_back.get()()
    pages.may_go.set()
    assert await asyncio.gather(*asked) == [200] * 6
    pages.may_go.clear()
    asked = [*pages.start(3, "1.1.1.1"), *pages.start(1, "2.2.2.2")]
    await settle()
    assert len(pages.inside) == 3  # a share is two of ten threads
    pages.may_go.set()
    await asyncio.gather(*asked)


@in_loop
async def test_a_turn_that_is_never_returned_does_not_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "TURN_SECONDS", 0.01)
    pages = Pages()
    asked = [task for number in range(6) for task in pages.start(1, f"{number}.1.1.1")]
    await wait_until_in_loop(lambda: len(pages.inside) == 6)
    pages.may_go.set()
    assert await asyncio.gather(*asked) == [200] * 6


@in_loop
async def test_the_thread_is_free_before_a_slow_reader_has_read() -> None:
    """L16: what the answer waits for afterwards holds no place."""
    pages = Pages(threads=1)
    pages.during = lambda scope: scope[LEAVE]()
    asked = pages.start(5)
    await wait_until_in_loop(lambda: len(pages.inside) == 5)
    pages.may_go.set()
    assert await asyncio.gather(*asked) == [200] * 5


@in_loop
async def test_an_account_is_one_person_at_every_address_once_it_is_known() -> None:
    pages = Pages(threads=10)
    pages.may_go.set()
    pages.during = lambda scope: scope.update({PERSON: "alice"})
    for cookie in ("phone", "desk"):
        await pages.ask("1.1.1.1", cookie)
    pages.may_go.clear()
    pages.during = lambda scope: scope.update({PERSON: "alice"}) or give_back.get()()  # type: ignore[func-returns-value]
    asked = [*pages.start(3, "1.1.1.1", "phone"), *pages.start(3, "2.2.2.2", "desk")]
    await settle()
    assert count(pages.request_queue._queues["pages"], "alice") == (2, 4)
    assert pages.inside == ["phone", "phone"]
    asked += pages.start(1, "1.1.1.1", "somebody else there")
    await settle()
    assert pages.inside[2:] == ["somebody else there"]
    pages.may_go.set()
    await asyncio.gather(*asked)


@in_loop
async def test_a_class_behind_one_address_gets_its_scripts_and_is_logged_in() -> None:
    """L16: forty browsers of six connections, or sixty people behind a proxy that is not known as one."""
    for lane, count in (("static", 43 * 6), ("passwords", 60)):
        pages = Pages(threads=40)
        pages.during = lambda scope: scope[LEAVE]()
        asked = pages.start(count, lane=lane)
        await settle()
        pages.may_go.set()
        assert await asyncio.gather(*asked) == [200] * count


@in_loop
async def test_scripts_wait_for_no_pages() -> None:
    pages = Pages(threads=10)
    asked = pages.start(9)
    await settle()
    asked += pages.start(1, "1.1.1.1", "script", lane="static")
    await settle()
    assert "script" in pages.inside
    pages.may_go.set()
    await asyncio.gather(*asked)


@pytest.mark.parametrize("processors", [1, 2, 4, 16])
def test_waiting_for_a_password_hash_is_bounded(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(request_queue, "worker_count", lambda: processors)
    width = widths(40)["passwords"]
    assert width.waiting <= 60 * 3 * processors
    assert 100 <= width.waiting_each < width.waiting


@in_loop
async def test_so_many_credentials_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "MOST_KNOWN", 2)
    pages = Pages()
    pages.may_go.set()
    pages.during = lambda scope: scope.update({PERSON: "alice"})
    for cookie in ("a", "b", "a", "c"):
        await pages.ask(cookie=cookie)
    assert len(pages.request_queue._known) == 2


@in_loop
async def test_a_request_waits_for_its_lane_before_it_takes_a_thread() -> None:
    """L16: 45 pictures of one person, and everybody else's pages."""
    pages = Pages(threads=10)
    pages.during = lambda _: give_back.get()()
    pictures = pages.start(45, "2.2.2.2", lane="pictures")
    await settle()
    assert pages.inside == ["2.2.2.2"]
    assert count(pages.request_queue._queues["pages"], "at 2.2.2.2") == (1, 0)
    others = [*pages.start(1, "1.1.1.1"), *pages.start(1, "2.2.2.2")]
    await settle()
    assert pages.inside == ["2.2.2.2", "1.1.1.1", "2.2.2.2"]
    pages.may_go.set()
    await asyncio.gather(*others)
    statuses = await asyncio.gather(*pictures)
    waiting = widths(10)["pictures"].waiting_each
    assert (statuses.count(200), statuses.count(503)) == (1 + waiting, 44 - waiting)


@in_loop
async def test_probes_do_not_wait() -> None:
    pages = Pages(threads=2)
    asked = [task for number in range(9) for task in pages.start(1, f"{number}.1.1.1")]
    await settle()
    asked += pages.start(1, "probe", lane="probes")
    await settle()
    assert "probe" in pages.inside
    pages.may_go.set()
    await asyncio.gather(*asked)
