"""What is done once a second: sessions end, notices are heard, presence and typing are told, the application's chores.

Whatever fails is tried again at the next tick, and stops nothing else.
"""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from chatroom.base.errors import Unavailable
from chatroom.base.models import Notice
from chatroom.live.connections import Connection, Connections
from chatroom.live.notice_receiver import NoticeReceiver
from chatroom.live.presence import typing
from chatroom.live.presence.presence_leases import Leases
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.rights_check import ReadRights, SecondLook
from chatroom.live.rooms import LiveRooms

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
PROLONG_TICKS = 20
CHORE_TICKS = 10


class ProlongSession(Protocol):
    """Until when a session is good now, counted anew if its holder was active; None when it has ended."""

    def __call__(self, session_id: str, *, is_active: bool) -> datetime | None: ...


class Housekeeping:
    """Everything that a clock sets off in one process. What blocks is called by `run`, in a thread."""

    def __init__(
        self,
        rooms: LiveRooms,
        connections: Connections,
        receiver: NoticeReceiver,
        leases: Leases,
        run: Callable[..., Awaitable[Any]],
        *,
        presences: PresenceStore,
        hear: Callable[[], Sequence[Notice]],
        ended_sessions: Callable[[], set[str]],
        prolong_session: ProlongSession,
        read_rights: ReadRights | None = None,
        chores: Sequence[Callable[[], object]] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rooms = rooms
        self._connections = connections
        self._receiver = receiver
        self._leases = leases
        self._presences = presences
        self._run = run
        self._hear_notices = hear
        self._ended_sessions = ended_sessions
        self._prolong_session = prolong_session
        self._second_look = SecondLook(connections, run, read_rights) if read_rights is not None else None
        self._chores = chores
        self._clock = clock
        checks = (self.end_sessions, self.hear, self.look_again)
        self._duties = (*checks, self.keep_presence, self.keep_typing, self._do_chores)
        self._doing_chores: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Do it all, once a second, until cancelled."""
        tick = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            tick += 1
            self._rooms.forget_empty()
            for duty in self._duties:
                try:
                    await duty(tick)
                except Unavailable:
                    continue  # logged where it was noticed; the next tick tries again
                except Exception:
                    log.exception("a chore of the engine failed and is tried again")

    async def end_sessions(self, tick: int) -> None:
        """End the connections of sessions that ended, and ask until when the others are good."""
        if not self._connections:
            return
        ended = await self._run(self._ended_sessions)
        now = self._clock()
        due: dict[str, list[Connection]] = {}
        for connection in self._connections:
            if connection.session_id in ended:
                connection.end(4401, "the session ended")
            elif connection.expires_at <= now or (connection.was_active and _is_turn_of(connection.session_id, tick)):
                due.setdefault(connection.session_id, []).append(connection)
        await asyncio.gather(*(self._look_up_session(*each) for each in due.items()))

    async def hear(self, _: int) -> None:
        """Hear what other processes have told."""
        await self._receiver.apply(await self._run(self._hear_notices))

    async def look_again(self, tick: int) -> None:
        """Hold what connections remember against what is true."""
        if self._second_look is not None:
            await self._second_look.take(tick)

    async def keep_presence(self, tick: int) -> None:
        """Renew the leases of who is here, and show who is in each room."""
        try:
            watched = {live.room.id: live.presence for live in self._rooms if live.presence.is_watched}
            await self._leases.keep(tick, watched)
        finally:
            for live in self._rooms:
                if not live.presence.is_watched:
                    live.presence.forget()
                elif live.presence.publish():
                    live.tail.wake()

    async def keep_typing(self, tick: int) -> None:
        """Tell other processes who types here, and show who types in each room."""
        watched = [live for live in self._rooms if live.presence.is_watched]
        try:
            rooms = {live.room.id: live.typing for live in watched}
            await typing.keep(self._presences, self._run, rooms, tick, self._clock())
        finally:
            for live in watched:
                if live.typing.publish(self._clock()):
                    live.tail.wake()

    async def _look_up_session(self, session_id: str, connections: Sequence[Connection]) -> None:
        """End connections whose time is up, unless another tab has prolonged the session, or a post on one of them."""
        is_active = any(connection.was_active for connection in connections)
        expires_at: datetime | None = await self._run(partial(self._prolong_session, session_id, is_active=is_active))
        for connection in connections:
            if expires_at is None:
                connection.end(4401, "the session ended")
            else:
                connection.expires_at = expires_at
                connection.was_active = False

    async def _do_chores(self, tick: int) -> None:
        """What the application wants done now and then; one that takes long is not begun twice."""
        if tick % CHORE_TICKS == 0 and (self._doing_chores is None or self._doing_chores.done()):
            self._doing_chores = asyncio.get_running_loop().create_task(self._run_chores())

    async def _run_chores(self) -> None:
        for chore in self._chores:
            try:
                await self._run(chore)
            except Unavailable:
                continue  # logged where it was noticed
            except Exception:
                log.exception("a chore of the application failed and is tried again")


def _is_turn_of(session_id: str, tick: int) -> bool:
    """Whether a session is prolonged at this tick: each has its own, so that not everybody's come at once."""
    return zlib.crc32(session_id.encode()) % PROLONG_TICKS == tick % PROLONG_TICKS
