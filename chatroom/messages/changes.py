"""Changes of a stored message: a new text, deletion, reactions, pins.

A change is a function. The queue of the room calls this function, and repeats the call while the outcome is unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Draft, FormerMember, Message, Room, make_client_id
from chatroom.files.message_files import MessageFiles
from chatroom.messages.anonymity import is_erased_with, without_name
from chatroom.messages.log_store import MOST_PINS
from chatroom.messages.mentions import mentions_after
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.reactions import check_emoji, react
from chatroom.messages.rules import RoomRules
from chatroom.messages.texts import Texts
from chatroom.messages.versions import add_version
from chatroom.messages.writer import Change, Writer
from chatroom.site.acts import About, Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import about_message, about_room
from chatroom.site.audit_store import Act

ERASED: dict[str, Any] = {
    "text": "",
    "html": "",
    "mentions": [],
    "new_mentions": [],
    "past_mentions": [],
    "versions": [],
    "reactions": [],
    "files": [],
    "pinned_at": None,
}
"""The fields that deletion empties. `sequence` and `reply_to` stay."""

Edit = Callable[[Message], Mapping[str, Any] | None]
"""A function that returns the new fields of a message, or None for no change. It may raise `Refused`."""


class Changes:
    """Create changes of messages. Webhooks cannot change messages.

    The methods `editing`, `deleting` and so on return a change, which is a function. `make` or `Posting.change` runs
    this function.
    """

    def __init__(
        self,
        store: MessageStore,
        texts: Texts,
        rules: RoomRules,
        writer: Writer,
        *,
        files: MessageFiles,
        acts: Acts,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._texts = texts
        self._rules = rules
        self._writer = writer
        self._files = files
        self._acts = acts
        self._clock = clock

    def editing(self, access: Access, message_id: str, text: str, *, seen: int | None = None) -> Change:
        """Return the change that replaces a message's text. Raises `Refused` if the new text is not allowed.

        `seen` is the revision that the author saw. The change refuses to overwrite a later edit (`conflict`).
        """
        self._rules.check("edit", access, "person")
        self._texts.check(text)

        def edit(message: Message) -> Mapping[str, Any] | None:
            _check_author(access, message)
            _check_there(message)
            if message.text == text:
                return None
            if seen is not None and seen < message.text_revision:
                raise Refused("conflict", "The message has changed in the meantime. Read it again first.")
            people = self._texts.find_mentions(access, text)
            html = self._texts.render(access.user_id, text, people, self._texts.find_rooms(access, text))
            now = self._clock()
            # If somebody changes the message after this read, the store calls this function again.
            versions = add_version(self._store.versions_of(message.id), message)
            changed = {"text": text, "html": html, "edited_at": now, "versions": versions}
            return {**changed, **mentions_after(message, people, now)}

        return self._changing(message_id, edit)

    def deleting(self, access: Access, message_id: str, reason: str = "") -> Change:
        """Return the change that deletes a message, for its author or a moderator."""
        notes: list[Note] = []
        """The note of the act, if a moderator deletes the message. All tries share this note."""

        def erase(message: Message) -> Mapping[str, Any] | None:
            if not access.may_moderate:
                _check_author(access, message)
            if message.deleted_at:
                return None
            if message.author.id != access.user_id:
                self._intend(access, message, reason, notes)
            return ERASED | {"deleted_at": self._clock()}

        erasing = self._changing(message_id, erase)

        def change(room_id: str, after: int | None) -> Message:
            changed = erasing(room_id, after)
            for note in notes:
                self._acts.follow(note)
            return changed

        return change

    def clearing(self, sequences: Sequence[int]) -> Change:
        """Return the change that deletes several messages. Its result is the message that changed last."""
        return self._changing_several(sequences, _erasing(self._clock()))

    def removing_author(self, sequences: Sequence[int], former: FormerMember) -> Change:
        """Return the change that removes the name of a former member from several messages."""
        moment = self._clock()

        def remove(message: Message) -> Mapping[str, Any] | None:
            fields = without_name(former, message)
            if is_erased_with(former, message):
                fields |= ERASED | {"deleted_at": moment}
            return fields or None

        return self._changing_several(sequences, remove)

    def reacting(self, access: Access, message_id: str, emoji: str, *, on: bool = True) -> Change:
        """Return the change that adds or removes a reaction of this member."""
        self._rules.check("react", access, "person")
        kept = check_emoji(emoji)
        person = access.author

        def edit(message: Message) -> Mapping[str, Any] | None:
            _check_there(message)
            reactions = react(message.reactions, person, kept, on=on)
            return None if reactions is None else {"reactions": msgspec.to_builtins(reactions)}

        return self._changing(message_id, edit)

    def pinning(self, access: Access, message_id: str, *, on: bool = True) -> Change:
        """Return the change that pins or unpins a message."""
        self._rules.check("pin", access, "person")
        is_new = False

        def edit(message: Message) -> Mapping[str, Any] | None:
            nonlocal is_new
            _check_there(message)
            if (message.pinned_at is not None) == on:
                return None
            if on and len(self._store.pinned(access.room.id)) >= MOST_PINS:
                raise Refused("too_many_pins", f"A room has at most {MOST_PINS} pinned messages. Unpin one first.")
            is_new = on
            return {"pinned_at": self._clock() if on else None}

        pin = self._changing(message_id, edit)

        def change(room_id: str, after: int | None) -> Message:
            changed = pin(room_id, after)
            if is_new:
                self._note_pin(access, changed)
            return changed

        return change

    def expiring(self, message_id: str) -> Change:
        """Return the change with which the server deletes a message, for example after the retention time."""
        return self._changing(message_id, _erasing(self._clock()))

    def make(self, room: Room, change: Change) -> Message:
        """Make a change without a rate limit. For changes by people, use `Posting.change`."""
        return self._writer.change(room, change)

    def complete_deletion(self, act: Act) -> None:
        """Complete an interrupted deletion: delete the message that the act names."""
        room_id = act.room.id if act.room is not None else ""
        for message, _ in self._store.find_all([act.subject.id], [room_id]):
            if not message.deleted_at:
                self.expiring(message.id)(room_id, None)

    def _changing(self, message_id: str, edit: Edit) -> Change:
        store = self._store
        return self._removing_files(edit, lambda room, edit, after: store.change(room, message_id, edit, after=after))

    def _changing_several(self, sequences: Sequence[int], edit: Edit) -> Change:
        return self._removing_files(edit, lambda room, edit, _: self._store.change_several(room, sequences, edit))

    def _removing_files(self, edit: Edit, write: Callable[[str, Edit, int | None], Message | None]) -> Change:
        """Return the change that makes an edit with `write`, and then removes the files that the edit detached."""
        bereft: dict[str, Message] = {}
        """By id: the messages before the edit detached their files."""

        def edit_with_files(message: Message) -> Mapping[str, Any] | None:
            fields = edit(message)
            if message.files and fields and fields.get("files") == []:
                self._files.expect_removal(message)
                bereft[message.id] = message
            return fields

        def change(room_id: str, after: int | None) -> Message:
            changed = write(room_id, edit_with_files, after)
            if changed is None:
                raise Refused("not_found", "There are no such messages in this room.")
            for message in bereft.values():
                self._files.remove(message)
            return changed

        return change

    def _intend(self, access: Access, message: Message, reason: str, notes: list[Note]) -> None:
        if not notes:
            subject = about_message(message.id, message.author, access.room.title)
            details, room = {"message": message.sequence}, about_room(access.room)
            about: About = {"reason": reason, "details": details, "room": room}
            notes.append(self._acts.note("rooms", access.author, "delete_message", subject, **about))
        self._acts.intend(notes[0], access.room.id)

    def _note_pin(self, access: Access, message: Message) -> None:
        """Post an event line that says who pinned the message."""
        client_id = make_client_id(f"pin-{message.id}-{message.revision}")
        text = f"{access.name} pinned a message"
        line = Draft(author=access.author, text=text, client_id=client_id, reply_to=message.sequence, kind="event")
        self._writer.note_soon(access.room, line)


def _erasing(moment: datetime) -> Edit:
    return lambda message: None if message.deleted_at else ERASED | {"deleted_at": moment}


def _check_author(access: Access, message: Message) -> None:
    if message.author.id != access.user_id or message.kind != "message":
        raise Refused("forbidden", "Only the author can change a message.")


def _check_there(message: Message) -> None:
    if message.deleted_at is not None:
        raise Refused("not_found", "The message was deleted.")
