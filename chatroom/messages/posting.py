"""Posting: the one way into a room's log, for websocket, Socket.IO, form, API, webhook and approval.

The checks are in this order; the first three do not use the database:

1. the rules of the room (`chatroom.messages.rules`), 2. the text, 3. the rate;
4. the reply, 5. the files, 6. the turn in a slow room, 7. whether it is held, 8. mentions and code.

If a check refuses a draft that is stored or held already, by its client id, the answer is that of the first time; the
form looks for it before the checks. The rate is counted at step 3, even if a later step refuses. An approved message
was checked when it was held, and goes through `post_approved`.
"""

from collections.abc import Callable, Sequence

import msgspec

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Draft, Held, Message, Room, make_client_id
from chatroom.files.message_files import MessageFiles
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.messages.rendering import has_code
from chatroom.messages.rules import Actor, RoomRules, wait_between
from chatroom.messages.texts import Texts
from chatroom.messages.writer import Change, Writer


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sends. `access` has the rights of the author, or of the user who created the webhook."""

    access: Access
    author: Author
    address: str
    text: str
    client_id: str | None = None
    reply_to: int | None = None
    file_ids: Sequence[str] = ()
    upload: Callable[[], Sequence[str]] | None = None
    """Stores the files that were sent with the form, and returns their ids."""
    actor: Actor = "person"


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the first messages of newcomers: the methods of `chatroom.moderation.holding`."""

    may_hold: Callable[[Access], bool]
    find: Callable[[Access, str], Held | None]
    hold: Callable[[Access, Draft], Held | None]


class Posting:
    """Post from threads of pages and programs (`post`), or from the engine in two steps.

    `check` may be called on the event loop. `complete` follows, in a thread, for a draft that `needs_database`.
    """

    def __init__(
        self,
        writer: Writer,
        store: MessageStore,
        texts: Texts,
        rules: RoomRules,
        *,
        count: Callable[[str, str], None],
        files: MessageFiles,
        holding: Holding,
    ) -> None:
        self._writer = writer
        self._store = store
        self._texts = texts
        self._rules = rules
        self._files = files
        self._holding = holding
        self.count = count
        """Count a post or change of a user from an address, or raise `Refused` (`too_fast`)."""

    def post(self, said: Submission) -> Stored | Held:
        """Post; return when a majority has stored it, or it is held. Raises `Unavailable` if that is unknown."""
        try:
            outcome = self.complete(said, self.check(said))
        except Refused as refusal:
            return self.answer_known(said, refusal)
        return outcome if isinstance(outcome, Held) else self._writer.post(said.access.room, outcome)

    def post_approved(self, room: Room, access: Access | None, draft: Draft) -> Stored:
        """Post an approved message; its author may have left the room (no `access`)."""
        named = self._texts.with_mentions(access, draft) if access is not None else draft
        return self._writer.post(room, self._texts.with_code(named))

    def check_approving(self, access: Access) -> None:
        """Raise `Refused` if a held message cannot be posted. A mute of its author does not matter, because it ends."""
        self._rules.check_lasting(access, "person")

    def change(self, access: Access, change: Change, address: str) -> Message:
        """Make a change (`chatroom.messages.changes`), counted as a post is."""
        self.count(access.user_id, address)
        return self._writer.change(access.room, change)

    def check(self, said: Submission) -> Draft:
        """The draft, after the checks without the database; raise `Refused`."""
        self._rules.check("post", said.access, said.actor)
        self._texts.check(said.text, may_be_empty=bool(said.file_ids or said.upload))
        self.count(said.author.id, said.address)
        client_id = said.client_id or make_client_id()
        return Draft(author=said.author, text=said.text, client_id=client_id, reply_to=said.reply_to)

    def may_post(self, access: Access) -> bool:
        """Whether a user could post now, as far as the rules without the database say."""
        try:
            self._rules.check("post", access, "person")
        except Refused:
            return False
        return True

    def needs_database(self, said: Submission) -> bool:
        """Whether a draft must be completed before it is stored. A plain post need not."""
        return bool(
            said.reply_to is not None
            or said.file_ids
            or "@" in said.text
            or wait_between(said.access, said.actor)
            or self._holding.may_hold(said.access)
            or has_code(said.text)
        )

    def complete(self, said: Submission, draft: Draft) -> Draft | Held:
        """The draft to store, or the held message; raise `Refused`."""
        access = said.access
        self._check_reply(access.room, draft.reply_to)
        if said.upload is None:  # an expired file costs no turn
            draft = self._files.attach(access.room, draft, said.file_ids)
            self._rules.take_turn(access, said.actor, draft.client_id)
        else:  # nothing is stored for a user who must wait for a turn
            self._rules.take_turn(access, said.actor, draft.client_id)
            draft = self._files.attach(access.room, draft, said.upload())
        held = self._holding.hold(access, draft) if said.actor == "person" else None
        return held or self._texts.with_code(self._texts.with_mentions(access, draft))

    def answer_known(self, said: Submission, refusal: Refused) -> Stored | Held:
        """The first answer to a draft that is known; raise `refusal` for any other."""
        known = self.find_known(said)
        if known is None:
            raise refusal
        return known

    def find_known(self, said: Submission) -> Stored | Held | None:
        """What became of a draft that was sent before; raise `Refused` if a moderator, or its author, decided so."""
        if said.client_id is None:
            return None
        message = self._store.find_by_client_id(said.access.room.id, said.author.id, said.client_id)
        if message is not None:
            return Stored(message, is_repeated=True)
        return self._holding.find(said.access, said.client_id) if said.actor == "person" else None

    def _check_reply(self, room: Room, sequence: int | None) -> None:
        if sequence is None:
            return
        found = self._store.by_sequences(room.id, [sequence])
        if not found or found[0].kind != "message":
            raise Refused("invalid", "The message that you reply to is not in this room.")
