"""A client without a websocket: it asks again and again, and posts by plain HTTP."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from tests.faults.person import ROOM, Person, Task

POLL_SECONDS = 0.7
TIMEOUT_SECONDS = 20.0
PAGE = 100


class Poller(Person):
    """Runs until stopped."""

    def __init__(self, *arguments: Any, ports: Sequence[int], seconds_between: float, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._ports = ports
        self._seconds_between = seconds_between
        self._posting: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Live."""
        async with httpx.AsyncClient(trust_env=False, headers=self.headers, timeout=TIMEOUT_SECONDS) as client:
            speaking = asyncio.create_task(self._speak(client))
            try:
                while not self.is_stopping:
                    self.connection += 1
                    if not await self._read(client):
                        await asyncio.sleep(self.rng.uniform(0.5, 1.5) * POLL_SECONDS)
            finally:
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)

    async def finish(self) -> None:
        """Stop for good."""
        self.is_stopping = True

    def _url(self) -> str:
        return f"http://127.0.0.1:{self.rng.choice(self._ports)}/api/rooms/{ROOM}/messages"

    async def _read(self, client: httpx.AsyncClient) -> bool:
        """Read a page; whether more waits."""
        try:
            answer = await client.get(f"{self._url()}?after={self.cursor}&limit={PAGE}")
            page = answer.json()
        except (httpx.HTTPError, ValueError):
            return False
        if answer.status_code != 200:
            reason = page["error"]["reason"]
            if reason != "unavailable":
                self.log("connect", "failed", reason=reason)
            return False
        for message in page["messages"]:
            self.see(message)
        if page["revision"] != self.cursor:
            self.move_cursor(page["revision"])
        return bool(page["more"])

    async def _speak(self, client: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(self.rng.expovariate(1 / self._seconds_between))
            waiting = [task for task in self.waiting.values() if not task.is_sent]
            task = waiting[0] if waiting else self._think() if self.is_talking else None
            if task is not None:
                await self._post(client, task)

    def _think(self) -> Task | None:
        self.own.clear()  # editing goes over the websocket alone
        return self.think()

    async def _post(self, client: httpx.AsyncClient, task: Task) -> None:
        frame = self.try_(task)
        body = {"text": frame["text"], "client_id": frame["client_id"]}
        try:
            answer = await client.post(self._url(), json=body)
            said = answer.json()
        except (httpx.HTTPError, ValueError):
            task.is_sent = False
            is_dropped = task.is_dropped_on_loss and self.is_talking
            self.log("post", "unknown", client_id=task.client_id, reason="dropped" if is_dropped else "lost")
            if is_dropped:
                del self.waiting[task.client_id]
            return
        if answer.status_code in {200, 201}:
            self.hear_stored(said["client_id"], said["id"], said["sequence"], said["revision"])
        else:
            self.hear_refused(task.client_id, said["error"]["reason"])
