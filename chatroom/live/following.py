"""The rooms that one connection follows. For each room, a follower (a task) sends the changes of the room."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.live import protocol
from chatroom.live.accesses import Accesses
from chatroom.live.answers import Answers
from chatroom.live.engine import Engine
from chatroom.live.follower import follow
from chatroom.live.protocol import Follow, Format
from chatroom.live.rooms import LiveRoom
from chatroom.live.sockets.visitor import Chat
from chatroom.live.sockets.websocket import Write

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
CLOSED = {
    "left": "You have left this room.",
    "removed": "You are no longer a member of this room.",
    "moved": "This conversation has a new address. Load the page again.",
}


class Following:
    """The followed rooms of one connection. `end` closes the connection if a follower fails."""

    def __init__(
        self,
        engine: Engine,
        chat: Chat,
        accesses: Accesses,
        answers: Answers,
        *,
        write: Write,
        format: Format,
        end: Callable[[int, str], None],
    ) -> None:
        self._engine = engine
        self._chat = chat
        self._accesses = accesses
        self._answers = answers
        self._write = write
        self._format = format
        self._end = end
        self._reading = chat.paces.of(accesses.person.id).reading
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._followed: dict[str, LiveRoom] = {}
        self._mutes: dict[str, datetime | None] = {}
        self._chores: set[asyncio.Task[None]] = set()

    def __contains__(self, slug: str) -> bool:
        return slug in self._followers

    async def follow(self, frame: Follow) -> None:
        """Follow a room from the cursor of the frame, even if it is followed already; raise `Refused`."""
        most = self._chat.limits.rooms_per_connection
        if frame.room not in self._followers and 0 < most <= len(self._followers):
            raise Refused("too_many_rooms", f"One connection follows at most {most} rooms.")
        forgotten = self._accesses.forgotten
        access = await self._accesses.get(frame.room)
        room = access.room
        if room.slug != frame.room:  # the frames would contain the current slug, which the client does not know
            self._answers.put(protocol.closed(frame.room, "moved", CLOSED["moved"], to=room.slug))
            return
        format = frame.format or self._format
        person = None if format == "brief" else self._accesses.person  # a `brief` client is not shown as present
        live = await self._engine.enter(room, person)
        try:
            if frame.after is not None and frame.after > live.tail.revision:
                # Another process may have sent this cursor, and may know newer changes. If not, `after` refuses it.
                await self._engine.run(self._chat.history.after, room, frame.after, 1)
        except BaseException:
            self._engine.leave(live, person)
            raise
        self.unfollow(frame.room)
        follower = asyncio.get_running_loop().create_task(self._run(live, frame.after, format))
        follower.add_done_callback(lambda _: self._engine.leave(live, person))
        self._followers[frame.room] = follower
        self._followed[frame.room] = live
        self._tell_mute(frame.room, access)
        if forgotten != self._accesses.forgotten:  # meanwhile, a notice may have changed the rights in this room
            self._start(self._look_again(frame.room, "removed"))

    def unfollow(self, slug: str) -> None:
        """Stop following a room."""
        self._followed.pop(slug, None)
        self._mutes.pop(slug, None)
        follower = self._followers.pop(slug, None)
        if follower is not None:
            follower.cancel()

    def look_again(self, room_id: str | None, why: str) -> None:
        """Check a followed room (None: all of them), and unfollow it if the user is no longer a member."""
        for slug, live in self._followed.items():
            if room_id in {None, live.room.id}:
                self._start(self._look_again(slug, why))

    def update_person(self) -> None:
        """Update the user's name and picture in the list of present people of each followed room."""
        for live in self._followed.values():
            self._engine.presence.update(live, self._accesses.person)

    def stop(self) -> None:
        """Stop following all rooms."""
        for task in [*self._followers.values(), *self._chores]:
            task.cancel()

    def _start(self, chore: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _look_again(self, slug: str, why: str) -> None:
        """Unfollow a room if the user is no longer a member."""
        while slug in self._followers and slug not in self._accesses:
            forgotten = self._accesses.forgotten
            try:
                access: Access | None = await self._engine.run(
                    self._chat.rooms.find_for, self._accesses.person.id, slug
                )
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if access is None:
                self.unfollow(slug)
                self._answers.put(protocol.closed(slug, why, CLOSED[why]))
            elif forgotten == self._accesses.forgotten:
                self._accesses.put(slug, access)
                self._tell_mute(slug, access)

    def _tell_mute(self, slug: str, access: Access) -> None:
        """Tell the client of a mute, and later of its changes."""
        if access.muted_until != self._mutes.get(slug):
            self._mutes[slug] = access.muted_until
            self._answers.put(protocol.mute(slug, access))

    async def _run(self, live: LiveRoom, cursor: int | None, format: Format) -> None:
        try:
            await follow(
                self._write,
                live.tail,
                partial(self._read_page, live),
                cursor=cursor,
                format=format,
                send_now=self._answers.send_with,
                news=() if format == "brief" else live.news,
            )
        except OSError:
            self._answers.when_gone()  # wakes the task that reads frames, which may wait in `until_few`
        except Exception:
            log.exception("a follower failed; its connection is closed, so that the client reconnects")
            self._end(1011, "internal error")

    async def _read_page(self, live: LiveRoom, cursor: int, format: Format) -> tuple[bytes, int, int]:
        async with self._reading:  # otherwise one user's followers could occupy all store threads
            return await live.reader.read_page(cursor, format)
