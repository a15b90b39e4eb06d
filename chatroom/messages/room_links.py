"""Find the rooms that a text names, such as `#garden`: each becomes a link that the author can open.

The author's rights decide, so a guess of a room's address is a link only for those who may open the room. Readers
without access follow the link to the answer that every unknown room has. The HTML of the message keeps the links.
"""

import re
from collections.abc import Callable, Collection

from chatroom.base.access import Access
from chatroom.messages.markdown.rendering import rooms_in

MOST_LINKS = 20
MOST_NAMES = 200
_sign = re.compile(r"#\w")

FindReadable = Callable[[str, Collection[str]], Collection[str]]
"""A function that finds the public and private rooms with these slugs that the user with this id can open."""


def may_name_rooms(text: str) -> bool:
    """Return whether a text may name a room, so that the database must be asked."""
    return "#" in text and _sign.search(text) is not None


class RoomNames:
    """Find the rooms that a text names."""

    def __init__(self, find_readable: FindReadable) -> None:
        self._find_readable = find_readable

    def find(self, access: Access, text: str) -> tuple[str, ...]:
        """Return the slugs of the first 20 rooms that the text names and that its author can open."""
        if not may_name_rooms(text):
            return ()
        names = dict.fromkeys(name.casefold() for possible in rooms_in(text) for name in possible)
        wanted = list(names)[:MOST_NAMES]
        found = self._find_readable(access.user_id, wanted) if wanted else ()
        return tuple(name for name in wanted if name in found)[:MOST_LINKS]
