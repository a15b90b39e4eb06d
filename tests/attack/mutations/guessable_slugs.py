"""Make the addresses of direct conversations of their people's ids, and take a key that is there for one's own."""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from chatroom.base.models import Room
from chatroom.names import rooms as names
from chatroom.rooms import making
from chatroom.rooms.direct_store import DirectRoomStore


def apply() -> None:
    """Replace how both kinds of slugs are made."""

    def add(self: DirectRoomStore, room_id: str, people: Sequence[str]) -> Room:
        slug = f"dm-{hashlib.sha256(','.join(people).encode()).hexdigest()[32:52]}"
        made = {"_id": room_id, "slug": slug, "title": "", "kind": "direct", "people": list(people)}
        with suppress(DuplicateKeyError):
            self._rooms.insert_one({**made, "created_at": self._clock()})
        return Room(id=room_id, slug=slug, title="", kind="direct", people=tuple(people))

    def make_slug(title: str, *, is_ended: bool = False) -> str:
        return re.sub(r"[\W_]+", "-", title.casefold()).strip("-") or "room"

    DirectRoomStore.add = add  # type: ignore[method-assign]
    for module in (making, names):
        vars(module)["make_slug"] = make_slug
