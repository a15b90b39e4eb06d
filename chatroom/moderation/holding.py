"""Hold posts of newcomers until a moderator has decided about them (`chatroom.moderation.approval`).

A draft is held once. If its author sends it again, the answer is the present state of the held message.
"""

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Draft, Held, Notice
from chatroom.messages.messages_store import MessageStore
from chatroom.moderation.held_store import HeldStore, make_held_id
from chatroom.moderation.newcomers import Newcomers
from chatroom.people.users_store import UserStore
from chatroom.site.notices import Notices

MOST_HELD = 10
"""The maximum number of held messages of an author."""
MOST_ON_SITE = 1000


class Holding:
    """Holds drafts instead of storing them as messages."""

    def __init__(
        self,
        store: HeldStore,
        user_store: UserStore,
        message_store: MessageStore,
        *,
        newcomers: Newcomers,
        notices: Notices,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._user_store = user_store
        self._message_store = message_store
        self._newcomers = newcomers
        self._notices = notices
        self._clock = clock

    def find(self, access: Access, client_id: str) -> Held | None:
        """Find the held message of this author and client id; return None if there is none, or if it has been posted.

        Raise `Refused` (`rejected`, `withdrawn`) if the message will never be posted.
        """
        if self._newcomers.is_exempt(access):
            return None
        found = self._store.find(access.room.id, access.user_id, client_id)
        return _checked(found) if found is not None else None

    def hold(self, access: Access, draft: Draft) -> Held | None:
        """Hold the draft of a newcomer, once; return None if the draft must be posted instead.

        Raise the errors of `find`, or `Refused` (`too_many_held`) if too many messages wait.
        """
        if self._newcomers.is_exempt(access):
            return None
        first = self._newcomers.first  # may renew the cached settings for the next line
        if not self._newcomers.may_be_held(access):
            return None
        found = self._store.find(access.room.id, draft.author.id, draft.client_id)
        if found is None:
            if not first or not self._newcomers.seems_one(access) or not self._newcomers.is_one(access.user_id):
                return None
            if self._message_store.find_by_client_id(access.room.id, draft.author.id, draft.client_id) is not None:
                return None  # the draft was posted before holding was turned on
            found = self._keep(access, draft)
        return _checked(found)

    def _keep(self, access: Access, draft: Draft) -> Held:
        if self._store.count_waiting(None, is_public=True, limit=MOST_ON_SITE) >= MOST_ON_SITE:
            raise Refused("too_many_held", "Too many messages are waiting for approval here. Please try again later.")
        now = self._clock()
        # The account is marked first, so that `may_be_held` is true when this draft is sent again.
        self._user_store.mark_held(access.user_id, now)
        held = Held(
            id=make_held_id(),
            room_id=access.room.id,
            is_public=access.room.kind == "public",
            author=draft.author,
            client_id=draft.client_id,
            text=draft.text,
            held_at=now,
            reply_to=draft.reply_to,
            files=draft.files,
        )
        kept = self._store.add(held, MOST_HELD)
        if kept is None:
            raise Refused("too_many_held", f"{MOST_HELD} of your messages are waiting for approval.")
        self._notices.tell(Notice(kind="held", user=kept.author.id, room=kept.room_id))
        return kept


def _checked(held: Held) -> Held | None:
    """Return a held message, or None if it has been posted; raise `Refused` if it will never be posted."""
    if held.state == "rejected":
        raise Refused("rejected", f"A moderator rejected this message: {held.reason}")
    if held.state == "withdrawn":
        raise Refused("withdrawn", "You withdrew this message before it was approved. Please write it again.")
    return None if held.state == "approved" and held.is_done else held
