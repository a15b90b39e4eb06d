"""Held messages: a moderator approves or rejects a message, or its author withdraws it.

Each message is decided once. `chatroom.moderation.decisions` completes the decision.
"""

from collections.abc import Sequence

import msgspec

from chatroom.base.access import POWERS, Access
from chatroom.base.errors import Refused
from chatroom.base.models import Held, Room, User
from chatroom.files.files_store import KeptFile
from chatroom.messages.posting import Posting
from chatroom.moderation.decisions import Decisions
from chatroom.moderation.held_store import HeldStore
from chatroom.moderation.moderation import WHY
from chatroom.people.users_store import UserStore
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.acts import Acts
from chatroom.site.audit import ActName, about_message, about_room, checked
from chatroom.site.authority import By, author_of

MOST_LISTED = 1000
SHOWN = 50
MOST_COUNTED = 100
ACTS: dict[str, ActName] = {"approved": "approve_message", "rejected": "reject_message"}


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A held message as a moderator sees it. `author` is None if the account was deleted."""

    held: Held
    room: Room | None
    author: User | None


class Approval:
    """Lists, approves, rejects and withdraws held messages."""

    def __init__(
        self,
        store: HeldStore,
        user_store: UserStore,
        room_store: RoomStore,
        access_store: AccessStore,
        *,
        posting: Posting,
        decisions: Decisions,
        acts: Acts,
    ) -> None:
        self._store = store
        self._user_store = user_store
        self._room_store = room_store
        self._access_store = access_store
        self._posting = posting
        self._decisions = decisions
        self._acts = acts

    def list_of(self, access: Access) -> list[Held]:
        """Return this user's waiting and rejected messages in the room."""
        return self._store.list_of(access.user_id, access.room.id) if access.approval_state.held_at is not None else []

    def list_for(self, by: User) -> list[Waiting]:
        """Return the messages that `by` may decide, the oldest first; raise `Refused` if `by` moderates nothing."""
        rooms = self._access_store.moderated_by(by.id)
        if not rooms and not POWERS[by.role]:
            raise Refused("not_found", "The page does not exist, or you may not see it.")
        found = self._store.list_waiting(rooms, is_public=bool(POWERS[by.role]), limit=SHOWN)
        return self._shown([held for held in found if held.author.id != by.id])

    def count_for(self, by: User) -> int:
        """Count the messages that wait for this moderator, up to 100."""
        rooms = self._access_store.moderated_by(by.id)
        return self._store.count_waiting(rooms, is_public=bool(POWERS[by.role]), limit=MOST_COUNTED)

    def list_all(self) -> list[Waiting]:
        """Return all held messages, for the console."""
        return self._shown(self._store.list_waiting(None, is_public=True, limit=MOST_LISTED))

    def approve(self, by: By, held_id: str, *, is_trusting: bool = False) -> None:
        """Approve a held message, and post it. With `is_trusting`, hold none of the author's later messages.

        Raise `Unavailable` if the decision is stored but the message is not posted yet. A thread then posts it soon.
        """
        held = self._get_for(by, held_id, "approved")
        if held.state == "approved":
            return
        room = self._room_store.find(held.room_id)
        access = self._access_store.find(held.author.id, room.slug) if room is not None else None
        if access is None:
            raise Refused("not_found", f"{held.author.name} has left the room: reject the message instead.")
        self._posting.check_approving(access)
        self._decide(by, held, "approved", is_trusting=is_trusting)

    def reject(self, by: By, held_id: str, reason: str, *, with_others: bool = False) -> int:
        """Reject a message; its author sees the reason. `with_others` rejects the author's other held messages too."""
        held = self._get_for(by, held_id, "rejected")
        reason = checked(reason, WHY)
        if held.state == "waiting":
            self._decide(by, held, "rejected", reason)
        others = self._store.list_of(held.author.id) if with_others else []
        count = 1
        for other in others:
            if other.state == "waiting" and self._may_decide(by, other):
                try:
                    self._decide(by, other, "rejected", reason)
                except Refused:
                    continue  # another moderator was faster
                count += 1
        return count

    def withdraw(self, access: Access, held_id: str) -> None:
        """Withdraw a held message, or dismiss a rejected one. A repeated call changes nothing."""
        held = self._store.find_by_id(held_id)
        if held is None or held.author.id != access.user_id or held.room_id != access.room.id:
            raise Refused("not_found", "This message is not waiting for approval.")
        if held.state == "waiting" and self._store.decide(held_id, "withdrawn", access.author):
            self._decisions.complete(held_id)
            return
        state = self._get(held_id).state
        if state == "approved":
            raise Refused("conflict", "This message has been approved in the meantime. You can delete it in the room.")
        self._store.put_away(held_id)
        self._decisions.notify(held)

    def may_see(self, by: By, kept: KeptFile) -> bool:
        """Return whether a file belongs to a held message that this user may decide about."""
        held = self._store.find(kept.room_id, kept.owner_id, kept.client_id) if kept.client_id else None
        if held is None or held.state != "waiting" or all(file.id != kept.file.id for file in held.files):
            return False
        return self._may_decide(by, held)

    def _shown(self, found: Sequence[Held]) -> list[Waiting]:
        rooms = {room_id: self._room_store.find(room_id) for room_id in {held.room_id for held in found}}
        authors = {user_id: self._user_store.find(user_id) for user_id in {held.author.id for held in found}}
        return [Waiting(held=held, room=rooms[held.room_id], author=authors[held.author.id]) for held in found]

    def _decide(self, by: By, held: Held, state: str, reason: str = "", *, is_trusting: bool = False) -> None:
        room = self._room_store.find(held.room_id)
        author = author_of(by)
        if not self._acts.do(
            "held",
            lambda note: self._store.decide(held.id, state, author, reason=reason, is_trusting=is_trusting, note=note),
            author,
            ACTS[state],
            about_message(held.id, held.author, room.title if room else "a deleted room"),
            reason=reason,
            details={"trusted": "yes"} if is_trusting else {},
            room=about_room(room) if room else None,
        ):
            raise _decided(self._get(held.id))

    def _get(self, held_id: str) -> Held:
        held = self._store.find_by_id(held_id)
        if held is None:
            raise _no_such()
        return held

    def _get_for(self, by: By, held_id: str, wanted: str) -> Held:
        """Return a message that waits, or that this user has already decided as `wanted` (a repeated request)."""
        held = self._get(held_id)
        if not self._may_decide(by, held):
            raise _no_such()
        is_theirs = held.state == wanted and held.decided_by is not None and held.decided_by.id == author_of(by).id
        if held.state != "waiting" and not (is_theirs and self._acts.finish_in("held", ACTS[wanted], held.id)):
            raise _decided(held)
        return held

    def _may_decide(self, by: By, held: Held) -> bool:
        if by is None:
            return True
        if by.id == held.author.id:
            return False
        return (held.is_public and POWERS[by.role] > 0) or held.room_id in self._access_store.moderated_by(by.id)


def _decided(held: Held) -> Refused:
    if held.state == "withdrawn":
        return Refused("conflict", "The author withdrew this message in the meantime.")
    by = held.decided_by.name if held.decided_by is not None else "somebody"
    return Refused("conflict", f"Already decided: {by} {held.state} this message.")


def _no_such() -> Refused:
    return Refused("not_found", "There is no such held message, or you may not decide about it.")
