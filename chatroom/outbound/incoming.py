"""Incoming webhooks: find one by its secret, and post through it.

A webhook has no more rights than its creator, who must still manage the room.
"""

from collections.abc import Callable

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Held, Hook, Room
from chatroom.messages.messages_store import Stored
from chatroom.messages.posting import Posting, Submission
from chatroom.outbound.hooks_store import HookStore
from chatroom.outbound.webhooks import UNKNOWN
from chatroom.site.codes import hash_of

LONGEST_SECRET = 100


class IncomingWebhooks:
    """Posts messages through webhooks."""

    def __init__(
        self,
        store: HookStore,
        posting: Posting,
        *,
        find_room: Callable[[str], Room | None],
        find_maker: Callable[[Hook, Room], Access | None],
    ) -> None:
        self._store = store
        self._posting = posting
        self._find_room = find_room
        self._find_maker = find_maker

    def find(self, secret: str) -> tuple[Hook, Room]:
        """The webhook that posts with this secret, and its room; raise `Refused` (`not_found`) for any other."""
        hook = self._store.find_by_secret(hash_of(secret)) if len(secret) <= LONGEST_SECRET else None
        room = self._find_room(hook.room) if hook else None
        if hook is None or room is None:
            raise Refused("not_found", UNKNOWN)
        return hook, room

    def is_valid(self, hook: Hook, room: Room) -> bool:
        """Return whether the webhook's creator still manages the room."""
        maker = self._find_maker(hook, room)
        return maker is not None and maker.may_manage

    def post(self, hook: Hook, room: Room, text: str, client_id: str | None, address: str) -> Stored | Held:
        """Post a text under the name of the webhook; raise `Refused` if its creator may not post there."""
        maker = self._find_maker(hook, room)
        if maker is None or not maker.may_manage:
            raise Refused("forbidden", "The creator of this webhook no longer manages the room. Create a new one.")
        return self._posting.post(
            Submission(
                access=maker,
                author=Author(hook.id, hook.name, is_bot=True),
                address=address,
                text=text,
                client_id=client_id,
                actor="webhook",
            )
        )
