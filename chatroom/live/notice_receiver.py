"""Apply notices to the connections of this process.

`KINDS` has a function for each kind; unknown kinds are ignored, because a newer process may have sent them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.base.models import Notice, Room
from chatroom.live import protocol
from chatroom.live.connections import Connections

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
MAX_SLUGS = 10_000

Run = Callable[..., Awaitable[Any]]


class NoticeReceiver:
    """Applies notices. `count` grows with each, so that who looked something up before knows that it may be old."""

    def __init__(
        self,
        connections: Connections,
        run: Run,
        *,
        find_room: Callable[[str], Room | None],
        hear: Callable[[], Sequence[Notice]],
        renew_site: Callable[[], object],
    ) -> None:
        self.connections = connections
        self._hear = hear
        self._renew_site = renew_site
        self.count = 0
        self._find_room = find_room
        self._run = run
        self._slugs: dict[str, str] = {}

    async def apply(self, notices: Iterable[Notice]) -> None:
        """Do what the notices say, in their order."""
        for notice in notices:
            self.count += 1
            kind = KINDS.get(notice.kind)
            try:
                if kind is not None:
                    await kind(self, notice)
            except Exception:
                log.exception("a notice could not be applied", extra={"kind": notice.kind})

    async def hear(self, _: int) -> None:
        """Apply the notices of other processes."""
        await self.apply(await self._run(self._hear))

    async def find_room(self, room_id: str) -> Room | None:
        """The room as it is now; waits for a database that is away."""
        while True:
            try:
                room: Room | None = await self._run(self._find_room, room_id)
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return room

    async def renew_site(self) -> None:
        """Read what was set for the whole site; while the database is away, it is as it was."""
        with contextlib.suppress(Unavailable):
            await self._run(self._renew_site)

    async def find_slug(self, room_id: str) -> str | None:
        """A room's name in frames, which never changes."""
        if room_id not in self._slugs:
            room = await self.find_room(room_id)
            if room is None:
                return None
            if len(self._slugs) >= MAX_SLUGS:
                self._slugs.clear()
            self._slugs[room_id] = room.slug
        return self._slugs[room_id]


async def _access(receiver: NoticeReceiver, notice: Notice) -> None:
    """Somebody's membership, role or mute in a room changed; `data.why` is `left` when they went by themselves."""
    for connection in receiver.connections.of(notice.user):
        connection.forget_access(notice.room, why=notice.data.get("why", "removed"))


async def _user(receiver: NoticeReceiver, notice: Notice) -> None:
    """Somebody's names, role or ban changed; with `data.end` their connections end, and `data.message` says why."""
    for connection in receiver.connections.of(notice.user):
        if notice.data.get("end"):
            connection.end(4403, _short(notice.data.get("message", "")))
        else:
            connection.forget_access()


async def _room(receiver: NoticeReceiver, notice: Notice) -> None:
    """A room's settings changed: it is read once for all who remember it."""
    room = await receiver.find_room(notice.room or "")
    if room is not None:
        frame = protocol.room(room)
        for connection in list(receiver.connections):
            if connection.see_room(room):
                connection.tell(frame)


async def _rooms(receiver: NoticeReceiver, notice: Notice) -> None:
    """Somebody's list of rooms changed."""
    frame = protocol.rooms()
    for connection in receiver.connections.of(notice.user):
        connection.tell(frame)


async def _read(receiver: NoticeReceiver, notice: Notice) -> None:
    """Somebody has read a room as far as `data.sequence`, on one of their devices."""
    theirs = receiver.connections.of(notice.user)
    slug = await receiver.find_slug(notice.room or "") if theirs else None
    if slug is not None:
        frame = protocol.read(slug, notice.data["sequence"])
        for connection in theirs:
            connection.tell(frame)


async def _held(receiver: NoticeReceiver, notice: Notice) -> None:
    """A message of somebody's is held, or was decided about."""
    theirs = receiver.connections.of(notice.user)
    slug = await receiver.find_slug(notice.room or "") if theirs else None
    if slug is not None:
        frame = protocol.approval(slug)
        for connection in theirs:
            connection.tell(frame)


async def _site(receiver: NoticeReceiver, _: Notice) -> None:
    """Something was set for the whole site."""
    await receiver.renew_site()


async def _missed(receiver: NoticeReceiver, _: Notice) -> None:
    """Notices may have been lost: everything that is remembered is looked up again."""
    for connection in list(receiver.connections):
        connection.forget_access()
        connection.tell(protocol.rooms())


KINDS: dict[str, Callable[[NoticeReceiver, Notice], Awaitable[None]]] = {
    "access": _access,
    "user": _user,
    "room": _room,
    "rooms": _rooms,
    "read": _read,
    "held": _held,
    "site": _site,
    "missed": _missed,
}


def _short(text: str) -> str:
    """As much of a text as the reason of a close frame may be: 123 bytes."""
    return text.encode()[:123].decode(errors="ignore")
