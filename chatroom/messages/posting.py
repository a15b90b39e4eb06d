"""Check every new message, from the websocket, Socket.IO, form, API, webhook or approval.

The checks, in this order: 1. the rules of the room (`chatroom.messages.rules`), 2. the text, 3. the rate, 4. the reply,
5. the files, 6. the turn in a slow room, 7. holding for approval, 8. mentions, rooms and code. Checks 1 to 3 do not use
the database. Check 3 counts the draft even if a later check refuses it.

If the draft of a refused post is stored or held already, the response is the stored or held message. The view
of the HTML form looks for this message before the checks. `post_approved` makes only check 8.
"""

from collections.abc import Callable, Sequence

import msgspec

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Draft, Held, Message, Room, make_client_id
from chatroom.files.message_files import MessageFiles
from chatroom.messages.markdown.rendering import is_slow
from chatroom.messages.mentions import Unreached
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.messages.room_links import may_name_rooms
from chatroom.messages.rules import Actor, RoomRules, wait_between
from chatroom.messages.texts import Texts
from chatroom.messages.writer import Change, Writer


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A post from a client. `access` has the rights of the author, or of the user who created the webhook."""

    access: Access
    author: Author
    address: str
    text: str
    client_id: str | None = None
    reply_to: int | None = None
    file_ids: Sequence[str] = ()
    upload: Callable[[], Sequence[str]] | None = None
    """Stores the files of the form, and returns their ids."""
    actor: Actor = "person"


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """The functions that hold the first messages of newcomers (methods of `chatroom.moderation.holding`)."""

    may_hold: Callable[[Access], bool]
    find: Callable[[Access, str], Held | None]
    hold: Callable[[Access, Draft], Held | None]


class Posting:
    """Post messages: in one step from a thread (`post`), or in two steps from the engine.

    The engine calls `check` on the event loop, and then `complete` in a thread if the draft `needs_database`.
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
        """Count a post or change against the rate of its user and address; raise `Refused` (`too_fast`)."""

    def post(self, said: Submission) -> Stored | Held:
        """Post or hold a message. Return when a majority has stored it. Raises `Unavailable` for an unknown outcome."""
        try:
            outcome = self.complete(said, self.check(said))
        except Refused as refusal:
            return self.answer_known(said, refusal)
        return outcome if isinstance(outcome, Held) else self._writer.post(said.access.room, outcome)

    def post_approved(self, room: Room, access: Access | None, draft: Draft) -> Stored:
        """Post an approved message. `access` is None if the author of the message has left the room."""
        named = self._texts.with_mentions(access, draft) if access is not None else draft
        return self._writer.post(room, self._texts.with_code(named))

    def check_approving(self, access: Access) -> None:
        """Raise `Refused` if a rule of the room forbids posting a held message. A mute of the author does not count."""
        self._rules.check_lasting(access, "person")

    def change(self, access: Access, change: Change, address: str) -> Message:
        """Make a change (`chatroom.messages.changes`), and count it like a post."""
        self.count(access.user_id, address)
        return self._writer.change(access.room, change)

    def check(self, said: Submission) -> Draft:
        """Make the checks that do not use the database. Return the draft. Raises `Refused`."""
        self._rules.check("post", said.access, said.actor)
        self._texts.check(said.text, may_be_empty=bool(said.file_ids or said.upload))
        self.count(said.author.id, said.address)
        client_id = said.client_id or make_client_id()
        return Draft(author=said.author, text=said.text, client_id=client_id, reply_to=said.reply_to)

    def find_unreached(self, access: Access, text: str) -> Sequence[Unreached]:
        """Return the mentions in a text that notify nobody. Queries the database if the text has an `@`.

        The message may be stored already, so a failure is not reported.
        """
        try:
            return self._texts.find_unreached(access, text)
        except Unavailable:
            return ()

    def may_post(self, access: Access) -> bool:
        """Return whether a user may post now. Only the rules that do not use the database are checked."""
        try:
            self._rules.check("post", access, "person")
        except Refused:
            return False
        return True

    def needs_database(self, said: Submission) -> bool:
        """Return whether the draft must pass `complete` before it is stored."""
        return bool(
            said.reply_to is not None
            or said.file_ids
            or "@" in said.text
            or may_name_rooms(said.text)
            or wait_between(said.access, said.actor)
            or self._holding.may_hold(said.access)
            or is_slow(said.text)
        )

    def complete(self, said: Submission, draft: Draft) -> Draft | Held:
        """Make the checks that use the database. Return the draft to store, or the held message. Raises `Refused`."""
        access = said.access
        self._check_reply(access.room, draft.reply_to)
        if said.upload is None:  # a draft with an expired file must take no turn
            draft = self._files.attach(access.room, draft, said.file_ids)
            self._rules.take_turn(access, said.actor, draft.client_id)
        else:  # no file must be stored for a user who must wait
            self._rules.take_turn(access, said.actor, draft.client_id)
            draft = self._files.attach(access.room, draft, said.upload())
        held = self._holding.hold(access, draft) if said.actor == "person" else None
        return held or self._texts.with_code(self._texts.with_mentions(access, draft))

    def answer_known(self, said: Submission, refusal: Refused) -> Stored | Held:
        """Return the stored or held message of an earlier try. Raises `refusal` if there is none."""
        known = self.find_known(said)
        if known is None:
            raise refusal
        return known

    def find_known(self, said: Submission) -> Stored | Held | None:
        """Return the stored or held message of an earlier try. Raises `Refused` if a held message was removed."""
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
