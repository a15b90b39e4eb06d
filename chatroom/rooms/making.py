"""Create rooms: check the creator's rights, the number of rooms, and the name.

The name of a private room is not reserved, because a refusal would reveal the name.
"""

import secrets
import time
from collections.abc import Callable

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Role, Room, membership_notices
from chatroom.names import check_new_title, make_slug
from chatroom.rooms.access import LOBBY
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.notices import Notices

TRIES = 5


class RoomMaking:
    """Create public and private rooms."""

    def __init__(
        self,
        store: RoomStore,
        notices: Notices,
        *,
        max_per_user: int = 0,
        only_administrators_create: bool = False,
        check_making: Callable[[str], None] = lambda _user_id: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._notices = notices
        self._max_per_user = max_per_user
        self._only_administrators_create = only_administrators_create
        self._check_making = check_making
        self._pause = pause

    def ensure_lobby(self) -> None:
        """Create the lobby."""
        self._store.ensure(LOBBY)

    def may_create(self, site_role: Role) -> bool:
        """Return whether a user with this role may create rooms."""
        return site_role == "administrator" or not self._only_administrators_create

    def create(self, author: Author, site_role: Role, *, title: str, topic: str = "", is_private: bool = False) -> Room:
        """Create a room, with its creator as administrator. Raises `Refused` (`forbidden`, `too_many_rooms`)."""
        if not self.may_create(site_role):
            raise Refused("forbidden", "Only administrators can create rooms.")
        self.check_title(title, is_public=not is_private)
        self._check_making(author.id)
        if 0 < self._max_per_user <= self._store.count_made_by(author.id, self._max_per_user):
            raise Refused("too_many_rooms", f"You have created {self._max_per_user} rooms, which is the limit.")
        for attempt in range(TRIES):
            # Nobody may learn the title of a private room by trying slugs.
            room = Room(
                id=secrets.token_hex(12),
                slug=make_slug(title, is_ended=is_private or attempt > 0),
                title=title,
                kind="private" if is_private else "public",
                topic=topic,
            )
            if not self._store.add(room, author.id):
                continue
            # Another request may have created a room of this title after the first look. Of two requests, at least one
            # sees the other's room here. If both do, both remove theirs, and one of them succeeds after a random pause.
            if is_private or not self._store.has_title(title, but=room.id):
                self._notices.tell(*membership_notices(author.id, room))
                return room
            self._store.remove(room.id)
            self._pause(secrets.randbelow(100) / 1000)
            self.check_title(title, is_public=True)
        raise taken()

    def check_title(self, title: str, *, is_public: bool, room_id: str = "") -> None:
        """Raise `Refused`: `invalid` for a misleading title, `taken` if another room's title looks the same."""
        if room_id != LOBBY.id:
            check_new_title(title)
        if is_public and self._store.has_title(title, but=room_id):
            raise taken()


def taken() -> Refused:
    """Return the refusal of a title that another public room has."""
    return Refused("taken", "A public room has this name, or one that looks the same. Please choose another name.")
