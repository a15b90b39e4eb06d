"""What people do with messages: post, change, and read them.

A text is checked and rendered here, once, whichever way it came.
"""

import logging
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from html import escape

import msgspec
import regex

from chatroom.base.access import Access
from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import SERVER_MADE, Author, Draft, Message, Person, Room
from chatroom.files.message_files import MessageFiles
from chatroom.messages.async_store import AsyncMessages, StoreNow
from chatroom.messages.changes import MOST_PINS, Change, Changes
from chatroom.messages.highlighting import Colours
from chatroom.messages.messages_store import MessageStore, Rendered, Stored
from chatroom.messages.rendering import has_code, render, render_plain
from chatroom.site.acts import Acts

log = logging.getLogger(__name__)

VISIBLE = regex.compile(r"[^\s\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u2800]")
HALF_CHARACTER = regex.compile(r"[\ud800-\udfff]")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a room: `revision` is the cursor to continue with, `more` whether there is more that way.

    `newer` is whether there are newer messages than those of a page from the middle of the room.
    """

    messages: list[Message]
    revision: int
    more: bool
    newer: bool = False


class Messages:
    """Post and read messages. `post` is what the live engine replaces while it runs, to store in groups."""

    def __init__(
        self,
        store: MessageStore,
        *,
        max_length: int,
        files: MessageFiles | None = None,
        acts: Acts | None = None,
        find_mentions: Callable[[Access, str], tuple[Person, ...]] = lambda _access, _text: (),
        check_editing: Callable[[Access], None] = lambda _access: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._max_length = max_length
        self._files = files
        self._find_mentions = find_mentions
        self._clock = clock
        self._colours = Colours()
        self.changes = Changes(
            store,
            check_text=self.check_text,
            write_line=self._write_line,
            files=files,
            acts=acts,
            find_mentions=find_mentions,
            check_editing=check_editing,
            colours=self._colours,
            clock=clock,
        )
        self.store_now: AsyncMessages | None = None
        """Set where there is an event loop."""
        self.post_through: Callable[[Room, Draft], Stored] | None = None
        self.change_through: Callable[[Room, Change], Message] | None = None
        self.note_through: Callable[[Room, Draft], None] | None = None

    def draft(
        self,
        author: Author,
        text: str,
        client_id: str | None = None,
        *,
        reply_to: int | None = None,
        has_files: bool = False,
    ) -> Draft:
        """Check a text; raise `Refused` (`empty`, `too_long`, `invalid`) with a sentence for its author."""
        self.check_text(text, may_be_empty=has_files)
        client_id = client_id or SERVER_MADE + secrets.token_urlsafe(12)
        return Draft(author=author, text=text, client_id=client_id, reply_to=reply_to)

    def attach(self, room: Room, draft: Draft, file_ids: Sequence[str]) -> Draft:
        """Give a draft its files, or raise `Refused`; to be called right before it is stored, in a thread."""
        return self._files.attach(room, draft, file_ids) if self._files is not None else draft

    def check_posting(self, access: Access) -> None:
        """Raise `Refused` (`muted`) unless they may say something in the room now."""
        access.check_posting(self._clock())

    def check_reply(self, room: Room, sequence: int | None) -> None:
        """Raise `Refused` (`invalid`) unless what is answered is a message of the room. This asks the database."""
        if sequence is None:
            return
        found = self._store.by_sequences(room.id, [sequence])
        if not found or found[0].kind != "message":
            raise Refused("invalid", "The message that you reply to is not in this room.")

    def check_text(self, text: str, *, may_be_empty: bool = False) -> None:
        """Raise `Refused` unless the text may be a message."""
        if not may_be_empty and VISIBLE.search(text) is None:
            raise Refused("empty", "The message is empty.")
        if 0 < self._max_length < len(text):
            raise Refused(
                "too_long",
                f"The message is too long: {len(text):,} characters, and at most {self._max_length:,} are allowed.",
            )
        if not text.isascii() and HALF_CHARACTER.search(text):
            raise Refused("invalid", "The message contains a lone surrogate (half a character). Please remove it.")

    def with_mentions(self, access: Access, draft: Draft) -> Draft:
        """The draft with whom it names. Where it has an `@`, this asks the database: not on the event loop."""
        mentions = self._find_mentions(access, draft.text)
        return msgspec.structs.replace(draft, mentions=mentions) if mentions else draft

    def with_code(self, draft: Draft) -> Draft:
        """The draft as it will be shown, where it has code: colouring takes long, so not while others' posts wait."""
        if draft.kind != "message" or not has_code(draft.text):
            return draft
        return msgspec.structs.replace(draft, html=self._render(draft))

    def post(self, room: Room, draft: Draft) -> Stored:
        """Store a draft, and answer when a majority has it. Raises `Unavailable` when that is unknown."""
        if self.post_through is not None:
            return self.post_through(room, self.with_code(draft))
        return self.append(room.id, [draft])[0]

    def append(self, room_id: str, drafts: Sequence[Draft], after: int | None = None) -> list[Stored]:
        """Render and store drafts as the room's next messages, in one write."""
        return self._store.append(room_id, [Rendered(draft, self._render(draft)) for draft in drafts], after=after)

    async def append_now(self, room_id: str, drafts: Sequence[Draft], after: int) -> list[Stored] | None:
        """Store drafts as the messages that follow `after`, from the event loop; None where they need `append`.

        That is so where a text has markup, and where the write did not go through at once.
        """
        rendered = _render_all_plain(drafts)
        if self.store_now is None or rendered is None:
            return None
        return await self.store_now.append(room_id, rendered, after)

    def make_ready(self, room_id: str, drafts: Sequence[Draft], after: int) -> StoreNow | None:
        """Do all of `append_now` but the writing, while the database is at work on those before."""
        rendered = _render_all_plain(drafts)
        if self.store_now is None or rendered is None:
            return None
        return self.store_now.make_ready(room_id, rendered, after)

    def note(self, room: Room, author: Author, text: str) -> None:
        """Have the room itself write a line: who joined, what the topic became. It is no Markdown."""
        client_id = SERVER_MADE + secrets.token_urlsafe(12)
        self.post(room, Draft(author=author, text=text, client_id=client_id, kind="event"))

    def change(self, room: Room, change: Change) -> Message:
        """Make a change, and answer when a majority has it. Raises `Unavailable` when that is unknown."""
        if self.change_through is not None:
            return self.change_through(room, change)
        return change(room.id, None)

    def pinned(self, room: Room) -> list[Message]:
        """The pinned messages, the one pinned first first."""
        return self._store.pinned(room.id, MOST_PINS)

    def get(self, room: Room, message_id: str) -> Message:
        """One message; raise `Refused` (`not_found`) when the room has none of that id."""
        return self._store.get(room.id, message_id)

    def at(self, room: Room, sequence: int) -> Message:
        """The message with this sequence; raise `Refused` (`not_found`) when none has it."""
        found = self._store.by_sequences(room.id, [sequence])
        if not found:
            raise Refused("not_found", "There is no such message in this room.")
        return found[0]

    def by_sequences(self, room: Room, sequences: Collection[int]) -> list[Message]:
        """Those of the messages with these sequences that are there, oldest first."""
        return self._store.by_sequences(room.id, sequences)

    def quoted(self, room: Room, messages: Iterable[Message]) -> dict[int, Message]:
        """What these messages answer, by sequence, in one query."""
        wanted = {message.reply_to for message in messages if message.reply_to is not None}
        return {found.sequence: found for found in self._store.by_sequences(room.id, wanted)}

    def newest_revision(self, room: Room) -> int:
        """The cursor of somebody who has seen everything."""
        return self._store.newest_revision(room.id)

    def newest(self, room: Room, limit: int) -> Page:
        """The last messages, oldest first."""
        # The cursor is read before the page: a change in between then arrives twice,
        # which its revision makes harmless, rather than never.
        revision = self._store.newest_revision(room.id)
        found = _shown(room, self._store.newest(room.id, limit + 1))
        return Page(messages=found[-limit:], revision=revision, more=len(found) > limit)

    def before(self, room: Room, sequence: int, limit: int) -> Page:
        """The messages before `sequence`, oldest first."""
        revision = self._store.newest_revision(room.id)
        found = _shown(room, self._store.before(room.id, sequence, limit + 1))
        return Page(messages=found[-limit:], revision=revision, more=len(found) > limit)

    def around(self, room: Room, sequence: int, limit: int) -> Page:
        """The messages on both sides of a sequence, oldest first; raise `Refused` (`not_found`) beyond the newest."""
        revision = self._store.newest_revision(room.id)
        half = limit // 2
        later = self._store.since(room.id, max(sequence, room.cleared_sequence + 1), half + 2)
        if not later:
            raise Refused("not_found", "There is no message with this number yet.")
        earlier = _shown(room, self._store.before(room.id, sequence, half + 1))
        found = earlier[-half:] + later[: half + 1] if half else later[:1]
        return Page(messages=found, revision=revision, more=len(earlier) > half, newer=len(later) > half + 1)

    def first_at(self, room: Room, moment: datetime) -> Message | None:
        """The first message of that moment or later; None when there is none."""
        found = self._store.since(room.id, self._store.first_since(room.id, moment), 1)
        return found[0] if found else None

    def since(self, room: Room, sequence: int, limit: int) -> Page:
        """The messages from `sequence` on, oldest first; `more` is whether there are newer ones."""
        revision = self._store.newest_revision(room.id)
        found = self._store.since(room.id, max(sequence, room.cleared_sequence + 1), limit + 1)
        return Page(messages=found[:limit], revision=revision, more=len(found) > limit, newer=len(found) > limit)

    def after(self, room: Room, revision: int, limit: int) -> Page:
        """What changed after `revision`, by revision; raise `Refused` for a cursor that the room never gave."""
        found = self._store.changed_after(room.id, revision, limit + 1)
        if not found and not self._store.has_come_to(room.id, revision):
            raise Refused("unknown_cursor", "The room has no such revision yet. Please reload the page.")
        page = found[:limit]
        return Page(
            messages=page,
            revision=page[-1].revision if page else revision,
            more=len(found) > limit,
        )

    def _render(self, draft: Draft) -> str:
        if draft.kind != "message":
            return f"<p>{escape(draft.text)}</p>"
        return draft.html or render(draft.text, draft.mentions, self._colours.of(draft.author.id))

    def _write_line(self, room: Room, line: Draft) -> None:
        """Write a line of the room's own behind what its queue is doing; one that cannot be written is left out."""
        if self.note_through is not None:
            self.note_through(room, line)
            return
        try:
            self.append(room.id, [line])
        except ChatroomError:
            log.warning("an event was not written", extra={"room": room.slug})


def _render_all_plain(drafts: Sequence[Draft]) -> list[Rendered] | None:
    """All of them; None where one has markup, or is there twice."""
    rendered = [Rendered(draft, html) for draft in drafts if (html := _render_plain(draft)) is not None]
    return rendered if len({each.key for each in rendered}) == len(drafts) else None


def _render_plain(draft: Draft) -> str | None:
    if draft.html:
        return draft.html
    return render_plain(draft.text) if draft.kind == "message" and not draft.mentions else None


def _shown(room: Room, messages: list[Message]) -> list[Message]:
    """Those that were not cleared: of the others, nobody is shown even the place."""
    return [message for message in messages if message.sequence > room.cleared_sequence]
