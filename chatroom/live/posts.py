"""Queue the posts and changes of one connection. Each answer has the client id of its frame."""

from collections.abc import Sequence

from chatroom.base.access import Access
from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import Draft, Held, Room
from chatroom.live import protocol
from chatroom.live.accesses import Accesses
from chatroom.live.answers import Answers
from chatroom.live.engine import Engine
from chatroom.live.protocol import Delete, Edit, Pin, Post, React
from chatroom.live.sockets.visitor import Chat, Visitor
from chatroom.messages.mentions import Unreached
from chatroom.messages.messages_store import Stored
from chatroom.messages.posting import Submission
from chatroom.messages.writer import Change


class Posts:
    """The posts and changes of one connection."""

    __slots__ = "_accesses", "_address", "_answers", "_chat", "_engine"

    def __init__(self, engine: Engine, chat: Chat, visitor: Visitor, accesses: Accesses, answers: Answers) -> None:
        self._engine = engine
        self._chat = chat
        self._address = visitor.address
        self._accesses = accesses
        self._answers = answers

    async def post(self, frame: Post) -> bool:
        """Queue or hold a post, and return True; raise `Refused`.

        If a refused post was stored or held earlier, do not raise: send the earlier answer again, and return False.
        """
        access = await self._accesses.get(frame.room)
        if self._answers.are_many:
            await self._answers.until_few()
        said = Submission(
            access=access,
            author=self._accesses.author,
            address=self._address,
            text=frame.text,
            client_id=frame.client_id,
            reply_to=frame.reply_to,
            file_ids=frame.files,
        )
        posting, room = self._chat.posting, access.room
        try:
            outcome: Draft | Held = posting.check(said)
            if posting.needs_database(said):
                outcome = await self._engine.run(posting.complete, said, outcome)
            unreached = await self._find_unreached(access, frame.text) if "@" in frame.text else ()
        except Refused as refusal:
            if frame.client_id is None:
                raise
            self._answer(room, await self._engine.run(posting.answer_known, said, refusal), frame.client_id)
            return False
        if isinstance(outcome, Draft):
            self._put(room, outcome, frame.client_id, unreached)
        else:
            self._answer(room, outcome, frame.client_id)
        return True

    async def change(self, frame: Edit | Delete | React | Pin) -> None:
        """Queue a change; raise `Refused`."""
        access = await self._accesses.get(frame.room)
        change = self._make_change(access, frame)
        self._chat.posting.count(access.user_id, self._address)
        if self._answers.are_many:
            await self._answers.until_few()
        unreached: Sequence[Unreached] = ()
        if isinstance(frame, Edit) and "@" in frame.text:
            unreached = await self._find_unreached(access, frame.text)
        self._put(access.room, change, frame.client_id, unreached)

    async def _find_unreached(self, access: Access, text: str) -> Sequence[Unreached]:
        found: Sequence[Unreached] = await self._engine.run(self._chat.posting.find_unreached, access, text)
        return found

    def _make_change(self, access: Access, frame: Edit | Delete | React | Pin) -> Change:
        changes = self._chat.changes
        if isinstance(frame, Edit):
            return changes.editing(access, frame.id, frame.text, seen=frame.revision)
        if isinstance(frame, Delete):
            return changes.deleting(access, frame.id)
        if isinstance(frame, React):
            return changes.reacting(access, frame.id, frame.emoji, on=frame.on)
        return changes.pinning(access, frame.id, on=frame.on)

    def _put(self, room: Room, item: Draft | Change, client_id: str | None, unreached: Sequence[Unreached]) -> None:
        def done(outcome: Stored | ChatroomError) -> None:
            if isinstance(outcome, Stored):
                self._answers.settle(protocol.stored(room.slug, outcome.message, client_id, unreached))
            else:
                self._engine.metrics.refused(outcome.reason)
                subject = {"room": room.slug} | ({"client_id": client_id} if client_id else {})
                self._answers.settle(protocol.refused(outcome, subject))

        self._engine.appender.put(room.id, item, done)
        self._answers.expect()

    def _answer(self, room: Room, outcome: Stored | Held, client_id: str | None) -> None:
        if isinstance(outcome, Stored):
            self._answers.put(protocol.stored(room.slug, outcome.message, client_id))
        else:
            self._answers.put(protocol.held(room.slug, outcome))
