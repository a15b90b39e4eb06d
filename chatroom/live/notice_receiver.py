"""Apply notices to the connections of this process.

`KINDS` has a function for each kind of notice. Other kinds, from a newer version of the server, are ignored.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from chatroom.base.errors import Unavailable
from chatroom.base.models import Notice, Room
from chatroom.base.threads import RunInThread
from chatroom.live import protocol
from chatroom.live.connections import Connections, shut_out

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
MAX_SLUGS = 10_000

FindModerators = Callable[[str, bool], Collection[str]]
"""A function that returns the ids of the moderators of a room, and with True also those of the site."""


class NoticeReceiver:
    """Apply and count notices. If `count` grows during a read of the database, the result may be outdated."""

    def __init__(
        self,
        connections: Connections,
        run: RunInThread,
        *,
        find_room: Callable[[str], Room | None],
        hear: Callable[[], Sequence[Notice]],
        renew_site: Callable[[], object],
        find_moderators: FindModerators = lambda _room_id, _with_site: (),
    ) -> None:
        self.connections = connections
        self._hear = hear
        self._renew_site = renew_site
        self._find_moderators = find_moderators
        self.count = 0
        self._find_room = find_room
        self._run = run
        self._slugs: dict[str, str] = {}

    async def apply(self, notices: Iterable[Notice]) -> None:
        """Apply notices in their order."""
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
        """Read a room. While the database does not answer, repeat the read."""
        while True:
            try:
                room: Room | None = await self._run(self._find_room, room_id)
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return room

    async def renew_site(self) -> None:
        """Read the settings of the site again. If the database does not answer, keep the old settings."""
        with contextlib.suppress(Unavailable):
            await self._run(self._renew_site)

    async def tell(self, notice: Notice, make_frame: Callable[[str], bytes]) -> None:
        """Send a frame to the connections of the notice's user. `make_frame` gets the slug of the notice's room."""
        theirs = self.connections.of(notice.user)
        slug = await self._find_slug(notice.room or "") if theirs else None
        if slug is not None:
            frame = make_frame(slug)
            for connection in theirs:
                connection.tell(frame)

    async def tell_moderators(self, notice: Notice, *, with_site: bool) -> None:
        """Tell the browsers of those who may decide that their open cases changed. The notice's user is left out.

        Programs are not told: a token has the rights of a member, unless it has the scope `moderate`.
        """
        with contextlib.suppress(Unavailable):
            moderators = await self._run(self._find_moderators, notice.room or "", with_site)
            for user_id in set(moderators) - {notice.user}:
                for connection in self.connections.of(user_id):
                    if connection.is_by_cookie:
                        connection.tell(protocol.cases())

    async def _find_slug(self, room_id: str) -> str | None:
        """Find the slug of a room, in the cache or in the database."""
        if room_id not in self._slugs:
            room = await self.find_room(room_id)
            if room is None:
                return None
            if len(self._slugs) >= MAX_SLUGS:
                self._slugs.clear()
            self._slugs[room_id] = room.slug
        return self._slugs[room_id]


async def _access(receiver: NoticeReceiver, notice: Notice) -> None:
    """A user's membership, role or mute in a room changed. If the user left the room, `data.why` is `left`."""
    for connection in receiver.connections.of(notice.user):
        connection.forget_access(notice.room, why=notice.data.get("why", "removed"))


async def _user(receiver: NoticeReceiver, notice: Notice) -> None:
    """A user's names, role or ban changed. If `data.end` is true, end the user's connections."""
    for connection in receiver.connections.of(notice.user):
        if notice.data.get("end"):
            shut_out(connection, notice.data.get("message", ""))
        else:
            connection.forget_access()


async def _room(receiver: NoticeReceiver, notice: Notice) -> None:
    """The settings of a room changed. Read the room once for all connections."""
    room = await receiver.find_room(notice.room or "")
    if room is not None:
        frame = protocol.room(room)
        for connection in list(receiver.connections):
            if connection.see_room(room):
                connection.tell(frame)


async def _rooms(receiver: NoticeReceiver, notice: Notice) -> None:
    """A user's list of rooms changed."""
    frame = protocol.rooms()
    for connection in receiver.connections.of(notice.user):
        connection.tell(frame)


async def _read(receiver: NoticeReceiver, notice: Notice) -> None:
    """A user has read a room up to `data.sequence`, after the mark as unread number `data.unread_marks`."""
    place = notice.data["sequence"], notice.data.get("unread_marks", 0)
    if notice.data.get("is_unread"):  # a frame that names no mark is about the newest mark that the connection knows
        for connection in receiver.connections.of(notice.user):
            connection.forget_access(notice.room)
    await receiver.tell(notice, lambda slug: protocol.read(slug, *place))


async def _later(receiver: NoticeReceiver, notice: Notice) -> None:
    """A user's saved messages changed. With `data.due`, a reminder is due now."""
    frame = protocol.later(is_due=bool(notice.data.get("due")))
    for connection in receiver.connections.of(notice.user):
        connection.tell(frame)


async def _held(receiver: NoticeReceiver, notice: Notice) -> None:
    """A message of a user was held, or a moderator approved or rejected a held message."""
    await receiver.tell(notice, protocol.approval)
    await receiver.tell_moderators(notice, with_site=False)


async def _report(receiver: NoticeReceiver, notice: Notice) -> None:
    """A message of the user was reported, or a report about it was decided. The user does not learn of it."""
    await receiver.tell_moderators(notice, with_site=True)


async def _missed(receiver: NoticeReceiver, _: Notice) -> None:
    """Notices may have been lost. All connections must read their rights and lists of rooms again."""
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
    "later": _later,
    "report": _report,
    "site": lambda receiver, _: receiver.renew_site(),
    "missed": _missed,
}
