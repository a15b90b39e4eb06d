"""Frames: whatever is sent on a websocket is done or refused with a reason, and the room goes on for everybody else.

An input is a list of frames, made from the protocol's own types, with right and wrong values; then bytes are changed.
The connection, the engine and the store are the real ones, on mongomock and without threads.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import msgspec
from bson import ObjectId

from chatroom.live.protocol import ClientFrame
from chatroom.live.sockets.pace import Paces
from chatroom.rooms.access import LOBBY
from tests.fuzz import Broken
from tests.fuzz.renderer import check_html
from tests.loops import settle
from tests.people import MALLORY
from tests.unit.live.harness import DEN, Client, Process

INPUTS_PER_PROCESS = 200
MOST_TURNS = 10_000
"""Of the loop, for whatever has to happen: many more than it takes. There are no threads, so that time is no matter."""
MOST_FRAMES = 6
WORDS = [
    "",
    "a",
    "a1",
    "hi *you*",
    "\0",
    "\ud800",
    "x" * 70,
    "@alice",
    "<b>",
    "лоб",
    "$ne",
    "👍",
    "html",
    "brief",
    "\u202e",
]
NUMBERS = [0, 1, 2, 3, -1, 2**31, 2**53, 2**63, 2**70, 1.5, 1e308]
ROOMS = ["lobby", "den", "nowhere", "", "LOBBY", "x" * 65, "$where"]
SEEDS = ["0" * 8, "post edit delete", "~" * 60, "\1\2\3\4\5\6\7\10" * 4]


class Source:
    """Choices made from the fuzzer's bytes; when they are used up, the first of all."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """The next byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def choose(self, options: list[Any]) -> Any:
        """One of these."""
        return options[self.byte() % len(options)]

    def rest(self) -> bytes:
        """What was not used."""
        return self._data[self._at :]


class Target:
    """A room with somebody in it who behaves, and Mallory, who sends what the fuzzer makes up."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._note)
        self._failures: list[str] = []
        self._inputs = 0
        self._process: Process | None = None
        self._alice: Client
        self._ids: list[str] = []

    def fuzz(self, data: bytes) -> None:
        """Send one input, and see whether everything holds."""
        self._loop.run_until_complete(self._fuzz(Source(data)))

    def close(self) -> None:
        """End everything that was begun, in whatever state it is."""
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _fuzz(self, source: Source) -> None:
        if self._process is None or self._inputs % INPUTS_PER_PROCESS == 0:
            await self._begin()
        assert self._process is not None
        self._inputs += 1
        mallory = await self._process.connect("mallory", {"room": "lobby", "format": source.choose(["text", "html"])})
        frames = [self._frame(source) for _ in range(1 + source.byte() % MOST_FRAMES)]
        await mallory.say(*frames)
        self._check_answers(mallory, frames)
        if mallory.close_code is None:
            await mallory.leave()
        await self._check_others()
        if not await happens(mallory.task.done):
            raise Broken(f"the connection did not end after {frames!r}")
        if error := mallory.task.exception():
            raise Broken(f"the connection failed after {frames!r}") from error
        if self._failures:
            raise Broken(f"{self._failures} after {frames!r}")

    async def _begin(self) -> None:
        if self._process is not None:
            await self._alice.leave()
            await self._process.engine.stop()
        self._process = Process(tail_messages=20)
        # Else the engine ends them at one of its ticks, which come when a slow machine has got as far as it may.
        for name in ("alice", "mallory"):
            self._process.prolonged[f"session of {name}"] = self._process.now + timedelta(hours=1)
        # Hours pass between two frames: Mallory never has to rest, and goes on as fast as the fuzzer can.
        paces = Paces(itertools.count(step=3600).__next__)
        self._process.endpoint.chat = msgspec.structs.replace(self._process.endpoint.chat, paces=paces)
        self._process.rooms.store.ensure(DEN)
        await self._process.engine.start()
        self._process.post("b1", "b2")
        self._process.post("m1", author=MALLORY)
        self._ids = [message.id for message in self._process.store.newest(LOBBY.id, 3)]
        self._alice = await self._process.connect("alice", {"room": "lobby", "after": 0, "format": "html"})

    def _frame(self, source: Source) -> str:
        """A frame of the protocol with some values that are wrong, or no frame at all."""
        if source.byte() % 16 == 15:
            return source.rest().decode("utf-8", "surrogateescape")
        kind = source.choose(list(get_args(ClientFrame)))
        frame: dict[str, Any] = {"type": kind.__struct_config__.tag}
        for field in msgspec.structs.fields(kind):
            if source.byte() % 8 != 7:
                frame[field.encode_name] = self._value(field.encode_name, source)
        if source.byte() % 16 == 15:
            frame[source.choose(WORDS)] = self._any(source)
        text = json.dumps(frame)
        if source.byte() % 8 == 7:
            cut = source.byte() % len(text)
            text = text[:cut] + chr(source.byte()) + text[cut + source.byte() % 3 :]
        return text

    def _value(self, name: str, source: Source) -> Any:
        if source.byte() % 8 == 7:
            return self._any(source)
        if name == "room":
            return source.choose(ROOMS) if source.byte() % 4 == 3 else "lobby"
        if name == "id":
            return source.choose([*self._ids, str(ObjectId()), "f" * 24, "x"])
        if name in {"after", "sequence", "reply_to", "revision"}:
            return source.choose(NUMBERS)
        if name == "on":
            return source.choose([True, False])
        return source.choose(WORDS) if source.byte() % 2 else source.rest()[:50].decode("utf-8", "replace")

    def _any(self, source: Source) -> Any:
        return source.choose([None, True, [], {}, {"$gt": ""}, [[[[]]]], *NUMBERS, *WORDS])

    def _check_answers(self, client: Client, frames: list[str]) -> None:
        for frame in client.frames("refused"):
            if not frame["message"] or not frame["reason"]:
                raise Broken(f"a refusal without its reason: {frame}")
        if client.close_code not in {None, 1003, 1008}:
            raise Broken(f"closed with {client.close_code} after {frames!r}")

    async def _check_others(self) -> None:
        """Somebody else still talks and is answered, and has got everything, once, in order, harmless."""
        assert self._process is not None
        name = f"control-{self._inputs}"
        await self._alice.say({"type": "post", "room": "lobby", "client_id": name, "text": "still here"})
        if not await happens(lambda: name in {frame.get("client_id") for frame in self._alice.frames("stored")}):
            raise Broken(f"nobody else can post any more: {self._alice.events[-3:]} {self._alice.task}")
        if not await happens(self._is_up_to_date):
            raise Broken("another reader is behind")
        cursor = 0
        for frame in self._alice.frames("changes"):
            if frame["revision"] <= cursor:
                raise Broken("the cursor of another reader went back")
            cursor = frame["revision"]
            for message in frame["messages"]:
                check_html(message.get("html", ""))
        self._alice.events.clear()
        self._alice.events.append({"type": "websocket.accept"})
        await settle()  # what fails after all that is noted with this input, or with the next

    def _is_up_to_date(self) -> bool:
        """Whether Alice was told the newest change of all."""
        assert self._process is not None
        newest = self._process.store.newest_revision(LOBBY.id)
        return newest in {frame["revision"] for frame in self._alice.frames("changes")}

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._failures.append(str(context.get("exception") or context["message"]))


async def happens(is_so: Callable[[], bool]) -> bool:
    """Let the loop turn until it is so; False where it never is."""
    for _ in range(MOST_TURNS):
        if is_so():
            return True
        await asyncio.sleep(0)
    return False
