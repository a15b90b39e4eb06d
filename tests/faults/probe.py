"""Watch the room as a visitor and as an operator would: pages, the sign of life, and what the processes hold.

A look at a process that the harness disturbed meanwhile, or while the harness itself stood still, is not counted.
"""

import asyncio
import contextlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import httpx
import msgspec

from tests.faults.app import App
from tests.faults.process import Resources

LOOK_SECONDS = 1.0
GIVE_UP_SECONDS = 30.0
SIGN_IN_SECONDS = 60.0
STANDSTILL_SECONDS = 0.25
SETTLE_SECONDS = 4.0
"""After a start, so long is a process left alone."""


class Look(msgspec.Struct, frozen=True):
    """One request: what was asked, of which process, how it was answered (0: not at all), and after how long."""

    at: float
    path: str
    app: int
    status: int
    seconds: float
    has_retry_after: bool


class Probe:
    """Looks at every app process once a second."""

    def __init__(self, apps: Sequence[App], clock: Callable[[], float]) -> None:
        self._apps = apps
        self._clock = clock
        self._cookies: dict[str, str] = {}
        self._standstills: list[float] = []
        self.looks: list[Look] = []
        self.forgiven = 0
        self.resources: dict[tuple[str, int], list[Resources]] = defaultdict(list)
        """By process, each start of it for itself."""

    async def sign_in(self, username: str, password: str) -> None:
        """Log in by the form, so that pages can be asked for."""
        async with httpx.AsyncClient(trust_env=False, base_url=self._apps[0].url, timeout=SIGN_IN_SECONDS) as client:
            page = await client.get("/login")
            token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[0]
            fields = {"csrf_token": token, "username": username, "password": password}
            answer = await client.post("/login", data=fields)
            assert answer.status_code == 303, answer.text
            self._cookies = dict(client.cookies)

    async def run(self) -> None:
        """Look until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            limits = httpx.Limits(max_keepalive_connections=0)  # a process that was killed leaves no connection behind
            client = await stack.enter_async_context(
                httpx.AsyncClient(trust_env=False, timeout=GIVE_UP_SECONDS, limits=limits, cookies=self._cookies)
            )
            group = await stack.enter_async_context(asyncio.TaskGroup())
            group.create_task(self._notice_standstills())
            for app in self._apps:
                group.create_task(self._watch(client, app, "/livez"))
                group.create_task(self._watch(client, app, "/chatroom"))
                group.create_task(self._weigh(app))

    async def _watch(self, client: httpx.AsyncClient, app: App, path: str) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            began = time.monotonic()
            if not app.is_serving or began - app.disturbed_at < SETTLE_SECONDS:
                continue
            status, has_retry_after = 0, False
            try:
                answer = await client.get(app.url + path)
                status, has_retry_after = answer.status_code, "Retry-After" in answer.headers
            except httpx.HTTPError:
                pass
            if app.disturbed_at >= began or any(moment >= began for moment in self._standstills[-20:]):
                self.forgiven += 1
                continue
            seconds = time.monotonic() - began
            self.looks.append(Look(self._clock(), path, app.number, status, seconds, has_retry_after))

    async def _notice_standstills(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.05)
            if time.monotonic() - began > STANDSTILL_SECONDS:
                self._standstills.append(time.monotonic())

    async def _weigh(self, app: App) -> None:
        while True:
            await asyncio.sleep(2.0)
            if app.is_serving and time.monotonic() - app.disturbed_at > SETTLE_SECONDS:
                held = app.process.resources()
                if held is not None:
                    self.resources[app.process.name, app.process.pid].append(held)
