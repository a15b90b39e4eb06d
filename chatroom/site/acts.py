"""Grant or revoke a right in one order: change it, announce it, record it.

The change and a note of it are one write (`chatroom.site.acts_store`). The rest is repeated from the note, by the
next caller or by `finish`. So it may fail anywhere: nobody keeps a right, and the audit log is complete.
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
"""Whoever did it has finished by then, or will not."""
PASSING = {"count"}
"""Details that differ when the same is done again."""
BEGUN = "Your decision is stored. The remaining steps follow within a minute."

Cut = Callable[[Note], object]
"""Makes the change in one write that holds the note; False when there was nothing to change."""
FollowUp = Callable[[Act], object]
"""What else an act does, beyond its first write; may be called again."""


class About(TypedDict, total=False):
    """What else may be said of an act.

    With a `room`, those who manage it read the entry too. `tell`: who hears of it. The same act again, while the first
    is not recorded, is recorded once; one that is `is_new` has made something, and is never the same. After what
    `is_end`, the document is good for nothing.
    """

    reason: str
    details: Mapping[str, Any]
    room: Subject | None
    tell: Sequence[Notice]
    is_new: bool
    is_end: bool


class Acts:
    """Execute acts, and finish interrupted ones. `follow_ups` complete an act, by its name."""

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
        """Change, announce, record; False if there was nothing to change. `act` is one word of docs/moderation.md.

        What `is_end` is also done when an earlier try did it, and its answer was lost.
        Raises what `cut` does, and `Unavailable` when the act is done and something that belongs to it is not yet.
        """
        note = self.note(place, actor, act, subject, **about)
        try:
            if cut(note) is False:
                return note.is_end and self.finish_in(place, act, subject.id, **note.act.details)
        except Unavailable:
            # Perhaps it is stored. They are asked anew what they may do, and lose nothing if it is not.
            for notice in _bare(note.notices):
                self._tell(notice)
            raise
        self.follow(note)
        return True

    def note(self, place: Place, actor: Author, act: str, subject: Subject, **about: Unpack[About]) -> Note:
        """The note of an act that is about to be done, for a write of the caller's own; then call `follow`."""
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
        """Note an act in a document that it does not change; what changes then is a follow-up."""
        self._store.put(note, document_id)

    def follow(self, note: Note) -> None:
        """Announce and record a stored act. Failures are left to `finish`."""
        for notice in note.notices:
            self._tell(notice)
        problem = self._try(self._follow_ups.get(note.act.act, _nothing), note.act)
        if self._try(self._entries.add, note.id, note.act) is None and problem is None:
            self._try(self._store.settle, note)
        if problem is not None:
            raise Unavailable(BEGUN) from problem

    def finish_in(self, place: Place, act: str = "", subject_id: str = "", **details: Any) -> bool:
        """Do at once what is left to do in one collection; whether this very act, with these details, was left.

        For who finds that there is nothing to cut: then it was they, and the answer was lost.
        """
        left = self._list_left(place)
        for note in left:
            self._follow_late(note)
        acts = [note.act for note in left if note.act.act == act and note.act.subject.id == subject_id]
        return any(details.items() <= each.details.items() for each in acts)

    def finish(self, *, is_urgent: bool = False) -> None:
        """Do what is left to do after acts that somebody could not finish; `is_urgent`: also of just now."""
        before = self._now() if is_urgent else self._now() - UNFINISHED_AFTER
        for place in PLACES:
            for note in self._store.list_left(place):
                if note.act.at <= before:
                    self._follow_late(note)

    def _follow_late(self, note: Note) -> None:
        """Do what follows some time after an act, when it may be undone: who is told asks anew what is so now.

        One that cannot be followed, for whatever reason, keeps no other from it.
        """
        try:
            self._try(self.follow, msgspec.structs.replace(note, notices=_bare(note.notices)))
        except Exception:
            log.exception("the steps after an act failed and are tried again: %s %s", note.act.act, note.id)

    def _list_left(self, place: Place) -> list[Note]:
        try:
            return self._store.list_left(place)
        except Unavailable:  # nobody keeps a right because a look at earlier acts fails
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
    """The same notices without what they say: whoever hears them asks anew."""
    return tuple(msgspec.structs.replace(notice, data={}) for notice in notices)


def _nothing(_: Act) -> None:
    """Most acts are one write."""


def _key_of(act: Act) -> str:
    details = {name: value for name, value in act.details.items() if name not in PASSING}
    same = (act.actor.id, act.act, act.subject.id, act.room.id if act.room else "", act.reason, details)
    return hashlib.sha256(repr(same).encode("utf-8", "surrogatepass")).hexdigest()[:24]
