"""Direct conversations of two to eight people. The same people always share one conversation."""

import hashlib
from collections.abc import Callable, Sequence

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Room, membership_notices
from chatroom.rooms.direct_store import DirectRoomStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.site.notices import Notices

MOST_PEOPLE = 8
"""The most people in a direct conversation, including the user who opens it."""


class DirectRooms:
    """Open direct conversations."""

    def __init__(
        self,
        store: DirectRoomStore,
        membership_store: MembershipStore,
        notices: Notices,
        *,
        check_direct: Callable[[str, Sequence[str]], None] = lambda _user_id, _others: None,
    ) -> None:
        self._store = store
        self._membership_store = membership_store
        self._notices = notices
        self._check_direct = check_direct

    def open(self, author: Author, others: Sequence[str], *, check_new: Callable[[], None] = lambda: None) -> Room:
        """Find or create the conversation of these people. `check_new` may refuse a new conversation."""
        people = tuple(sorted({author.id, *others}))
        if not 2 <= len(people) <= MOST_PEOPLE:
            raise Refused("invalid", f"Choose 1 to {MOST_PEOPLE - 1} people.")
        room_id = f"direct-{hashlib.sha256(','.join(people).encode()).hexdigest()[:32]}"
        found = self._store.find(room_id, people)
        if found is not None and self._membership_store.find_role(author.id, found) is not None:
            return found
        if self._store.count_accounts(people) < len(people):
            raise Refused("not_found", "One of these people has no account here.")
        self._check_direct(author.id, others)
        check_new()
        room = self._store.add(room_id, people)
        for person in people:
            self._membership_store.admit(person, room)
        for person in people:
            self._notices.tell(*membership_notices(person, room))
        return room
