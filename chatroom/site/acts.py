"""Grant or revoke each right in this order: make the change, announce it, record it.

One write makes the change and stores a note of the act (`chatroom.site.acts_store`). If a later step fails, the next
caller or `finish` repeats that step from the note.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

import msgspec

from chatroom.base.clock import Clock, as_stored, utc_now
from chatroom.base.errors import ChatroomError, Unavailable
from chatroom.base.models import Author, Notice
from chatroom.site.acts_store import PLACES, ActStore, Note, Place
from chatroom.site.audit import MOST_KEPT, ActName
from chatroom.site.audit_store import Act, AuditStore, Subject

log = logging.getLogger(__name__)

UNFINISHED_AFTER = timedelta(seconds=20)
"""The age at which an unfinished act counts as interrupted."""
PASSING = {"count"}
"""Details that may differ between an act and its repetition."""
BEGUN = "Your decision is stored. The remaining steps follow within a minute."

Write = Callable[[Note], object]
"""Makes the change and stores the note, in one write. Returns False if there was nothing to change."""
FollowUp = Callable[[Act], object]
"""Completes an act after its first write. May be called repeatedly."""


class About(TypedDict, total=False):
    """The optional facts of an act.

    `room`: the administrators of this room may read the entry too. `tell`: the notices to send. `is_end`: the act ends
    the document that has its note. `is_new`: the act creates something, so a repetition is a new act. Otherwise, an act
    that is repeated before it is recorded has one entry in the log.
    """

    reason: str
    details: Mapping[str, Any]
    room: Subject | None
    tell: Sequence[Notice]
    is_new: bool
    is_end: bool


class Acts:
    """Executes acts, and finishes interrupted acts. `follow_ups` maps the names of acts to their follow-ups."""

    def __init__(
        self,
        store: ActStore,
        entries: AuditStore,
        tell: Callable[[Notice], None],
        *,
        follow_ups: Mapping[str, FollowUp] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._entries = entries
        self._tell = tell
        self._clock = clock
        self._follow_ups = follow_ups or {}

    def do(
        self, place: Place, write: Write, actor: Author, act: ActName, subject: Subject, **about: Unpack[About]
    ) -> bool:
        """Make, announce and record a change; return False if nothing had to change. docs/moderation.md lists the acts.

        With `is_end`, also return True if an earlier try succeeded but its answer was lost. Raises the errors of
        `write`. Raises `Unavailable` if the change is made but the act's follow-up failed.
        """
        note = self.note(place, actor, act, subject, **about)
        try:
            if write(note) is False:
                return note.is_end and self.finish_in(place, act, subject.id, **note.act.details)
        except Unavailable:
            # The change may be stored. Notices without data make connections read their rights again.
            for notice in _bare(note.notices):
                self._tell(notice)
            raise
        self.follow(note)
        return True

    def note(self, place: Place, actor: Author, act: ActName, subject: Subject, **about: Unpack[About]) -> Note:
        """Return the note of an act. The caller stores the note together with the change, and then calls `follow`."""
        done = Act(
            at=self._now(),
            actor=Author(actor.id, actor.name),
            act=act,
            subject=subject,
            room=subject if subject.kind == "room" else about.get("room"),
            reason=about.get("reason", "")[:MOST_KEPT],
            details=about.get("details", {}),
        )
        note_id = self._store.new_id()
        key = note_id if about.get("is_new") else _key_of(done)
        left = {each.key: each.id for each in self._list_left(place)}
        return Note(
            id=left.get(key, note_id),
            key=key,
            place=place,
            act=done,
            notices=tuple(about.get("tell", ())),
            is_end=about.get("is_end", False),
        )

    def intend(self, note: Note, document_id: str) -> None:
        """Store the note of a change in a document that it does not affect. The act's follow-up makes the change."""
        self._store.put(note, document_id)

    def follow(self, note: Note) -> None:
        """Announce and record an act; `finish` repeats failed steps. Raises `Unavailable` if the follow-up failed."""
        for notice in note.notices:
            self._tell(notice)
        problem = self._try(self._follow_ups.get(note.act.act, lambda _: None), note.act)
        if self._try(self._entries.add, note.id, note.act) is None and problem is None:
            self._try(self._store.settle, note)
        if problem is not None:
            raise Unavailable(BEGUN) from problem

    def finish_in(self, place: Place, act: str = "", subject_id: str = "", **details: Any) -> bool:
        """Finish the acts of one collection at once; return whether this act, with these details, was among them.

        Call this if there is nothing to change. True means that an earlier try has made the change.
        """
        left = self._list_left(place)
        for note in left:
            self._follow_late(note)
        acts = [note.act for note in left if note.act.act == act and note.act.subject.id == subject_id]
        return any(details.items() <= each.details.items() for each in acts)

    def finish(self, *, is_urgent: bool = False) -> None:
        """Finish acts older than `UNFINISHED_AFTER`; with `is_urgent`, finish all acts."""
        before = self._now() if is_urgent else self._now() - UNFINISHED_AFTER
        for place in PLACES:
            for note in self._store.list_left(place):
                if note.act.at <= before:
                    self._follow_late(note)

    def _follow_late(self, note: Note) -> None:
        """Follow an older act, and log failures. Send bare notices, because the act may have been undone."""
        try:
            self._try(self.follow, msgspec.structs.replace(note, notices=_bare(note.notices)))
        except Exception:
            log.exception("the steps after an act failed and are tried again: %s %s", note.act.act, note.id)

    def _list_left(self, place: Place) -> list[Note]:
        try:
            return self._store.list_left(place)
        except Unavailable:  # a failure to read earlier acts must not stop this one
            return []

    def _try(self, deed: Callable[..., object], *arguments: object) -> ChatroomError | None:
        try:
            deed(*arguments)
        except ChatroomError as error:
            log.warning("the steps after an act are tried again: %s", error)
            return error
        return None

    def _now(self) -> datetime:
        return as_stored(self._clock())


def _bare(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Return the notices without data, so that connections read the present state."""
    return tuple(msgspec.structs.replace(notice, data={}) for notice in notices)


def _key_of(act: Act) -> str:
    details = {name: value for name, value in act.details.items() if name not in PASSING}
    same = (act.actor.id, act.act, act.subject.id, act.room.id if act.room else "", act.reason, details)
    return hashlib.sha256(repr(same).encode("utf-8", "surrogatepass")).hexdigest()[:24]
