"""Send the changes of one room to one connection: first the history after its cursor, then new changes.

A slow client delays only its own follower.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chatroom.base.errors import Unavailable
from chatroom.live import protocol
from chatroom.live.protocol import Format
from chatroom.live.tail import SendNow, Tail

STORE_PAUSE_SECONDS = 0.5

Send = Callable[[bytes], Awaitable[None]]
ReadPage = Callable[[int, Format], Awaitable[tuple[bytes, int, int]]]
"""A function that reads changes after a cursor from the store. Returns frame, new cursor and number of messages."""


class News(Protocol):
    """A state that readers get in addition to changes, such as presence. Readers get only its newest version."""

    version: int

    def frame(self, seen: int, /) -> bytes: ...


async def follow(
    send: Send,
    tail: Tail,
    read_page: ReadPage,
    *,
    cursor: int | None,
    format: Format,
    send_now: SendNow,
    news: Sequence[News] = (),
) -> None:
    """Send a room's changes after `cursor`, and its news, until the task is cancelled.

    If `cursor` is None, send only new changes. While the follower waits, the tail sends new changes with `send_now`.
    """
    cursor = tail.revision if cursor is None else cursor
    missed: int | None = 0
    seen = [0] * len(news)
    while True:
        if cursor < tail.start:
            try:
                frame, cursor, count = await read_page(cursor, format)
            except Unavailable:
                await asyncio.sleep(STORE_PAUSE_SECONDS)
                continue
        elif tail.revision > cursor:
            frame, cursor, count = tail.frame(cursor, format)
        elif missed is not None:
            frame, count = protocol.caught_up(tail.slug, cursor, missed), 0
            missed = None
        elif (fresh := next((place for place, each in enumerate(news) if each.version != seen[place]), -1)) >= 0:
            frame, count = news[fresh].frame(seen[fresh]), 0
            seen[fresh] = news[fresh].version
        else:
            cursor = await tail.wait(cursor, format, send_now)
            continue
        if missed is not None:
            missed += count
        await send(frame)
        if count:
            tail.metrics.delivered(count, 1)
