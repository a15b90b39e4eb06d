"""Grant or revoke a right in one order: change it, announce it, record it.

One write makes the change and stores a note of it (`chatroom.site.acts_store`). The other steps are repeated from the
note, by the next caller or by `finish`. So after a failure at any step, rights are revoked and the log is complete.
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
from chatroom.site.audit import MOST_KEPT
from chatroom.site.audit_store import Act, AuditStore, Subject

log = logging.getLogger(__name__)

UNFINISHED_AFTER = timedelta(seconds=20)
"""After this time, the caller of an act has finished it, or will never do so."""
PASSING = {"count"}
"""Details that may differ between two tries of the same act."""
BEGUN = "It is decided. What follows from it will be done within a minute."

Cut = Callable[[Note], object]
"""Makes the change in one write that also stores the note; returns False if there was nothing to change."""
FollowUp = Callable[[Act], object]
"""Completes an act after its first write; may be called again."""


class About(TypedDict, total=False):
    """Further properties of an act.

    The moderators of `room` may read the entry; `tell` are the notices to send. If an act is repeated before the first
    is recorded, both are one entry, unless the act created something (`is_new`). After an act with `is_end`, the
    document is deleted.
    """

    reason: str
    details: Mapping[str, Any]
    room: Subject | None
    tell: Sequence[Notice]
    is_new: bool
    is_end: bool


class Acts:
    """Executes acts, and finishes interrupted ones. `follow_ups` maps names of acts to functions that complete them."""

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

    def do(self, place: Place, cut: Cut, actor: Author, act: str, subject: Subject, **about: Unpack[About]) -> bool:
        """Change, announce, record; return False if there was nothing to change. `act` is a word of docs/moderation.md.

        With `is_end`, the result is also True if an earlier try made the change and its answer was lost.
        Raises the errors of `cut`, and `Unavailable` if the change is made and a later step is not yet.
        """
        note = self.note(place, actor, act, subject, **about)
        try:
            if cut(note) is False:
                return note.is_end and self.finish_in(place, act, subject.id, **note.act.details)
        except Unavailable:
            # The change may be stored. Clients that get the bare notices read their rights again, which does no harm.
            for notice in _bare(note.notices):
                self._tell(notice)
            raise
        self.follow(note)
        return True

    def note(self, place: Place, actor: Author, act: str, subject: Subject, **about: Unpack[About]) -> Note:
        """Return the note of an act for a write by the caller, who then calls `follow`."""
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
        """Store the note of an act in a document that only the follow-up changes."""
        self._store.put(note, document_id)

    def follow(self, note: Note) -> None:
        """Announce and record an act; `finish` repeats failed steps. Raise `Unavailable` if a follow-up failed."""
        for notice in note.notices:
            self._tell(notice)
        problem = self._try(self._follow_ups.get(note.act.act, _nothing), note.act)
        if self._try(self._entries.add, note.id, note.act) is None and problem is None:
            self._try(self._store.settle, note)
        if problem is not None:
            raise Unavailable(BEGUN) from problem

    def finish_in(self, place: Place, act: str = "", subject_id: str = "", **details: Any) -> bool:
        """Finish all acts of one collection now; return whether the described act was among them.

        For a caller that finds nothing to change: True means that its own earlier try made the change.
        """
        left = self._list_left(place)
        for note in left:
            self._follow_late(note)
        acts = [note.act for note in left if note.act.act == act and note.act.subject.id == subject_id]
        return any(details.items() <= each.details.items() for each in acts)

    def finish(self, *, is_urgent: bool = False) -> None:
        """Finish interrupted acts that are older than `UNFINISHED_AFTER`, or all of them if `is_urgent`."""
        before = self._now() if is_urgent else self._now() - UNFINISHED_AFTER
        for place in PLACES:
            for note in self._store.list_left(place):
                if note.act.at <= before:
                    self._follow_late(note)

    def _follow_late(self, note: Note) -> None:
        """Finish an act some time later. It may have been undone: the notices make clients read the present state.

        A failure is logged, and does not stop the acts after this one.
        """
        try:
            self._try(self.follow, msgspec.structs.replace(note, notices=_bare(note.notices)))
        except Exception:
            log.exception("what follows from an act failed, and is tried again: %s %s", note.act.act, note.id)

    def _list_left(self, place: Place) -> list[Note]:
        try:
            return self._store.list_left(place)
        except Unavailable:  # the act must not fail because earlier acts cannot be read
            return []

    def _try(self, deed: Callable[..., object], *arguments: object) -> ChatroomError | None:
        try:
            deed(*arguments)
        except ChatroomError as error:
            log.warning("what follows from an act is tried again: %s", error)
            return error
        return None

    def _now(self) -> datetime:
        return as_stored(self._clock())


def _bare(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Return the notices without their data, so that clients read the present state."""
    return tuple(msgspec.structs.replace(notice, data={}) for notice in notices)


def _nothing(_: Act) -> None:
    """Do nothing: most acts are one write."""


def _key_of(act: Act) -> str:
    details = {name: value for name, value in act.details.items() if name not in PASSING}
    same = (act.actor.id, act.act, act.subject.id, act.room.id if act.room else "", act.reason, details)
    return hashlib.sha256(repr(same).encode("utf-8", "surrogatepass")).hexdigest()[:24]
