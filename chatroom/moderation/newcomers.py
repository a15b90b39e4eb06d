"""Newcomers: users whose first messages are held, if administrators turn this on.

Newcomers are neither moderators, administrators nor bots. Their accounts were created after holding was turned on, or
at most a week earlier.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chatroom.base.access import POWERS, Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import ApprovalState, Notice
from chatroom.moderation.admission import check_administrator
from chatroom.moderation.held_store import KEPT_SECONDS
from chatroom.people.users_store import UserStore
from chatroom.site.acts import Acts
from chatroom.site.audit import SITE
from chatroom.site.authority import By, author_of
from chatroom.site.settings_store import Site

SETTING = "holding"
MOST, SUGGESTED = 20, 3
LOOK_BACK = timedelta(days=7)
"""Accounts up to this age are newcomers when holding is turned on. They may be the reason for it."""
SENT_AGAIN = timedelta(seconds=KEPT_SECONDS)
"""The time in which a client may send a held message again."""


class Newcomers:
    """Determines who is a newcomer, and how many messages of a newcomer are held."""

    def __init__(self, site: Site, user_store: UserStore, acts: Acts, *, clock: Clock = utc_now) -> None:
        self._site = site
        self._user_store = user_store
        self._acts = acts
        self._clock = clock

    @property
    def first(self) -> int:
        """The number of first messages that are held for each newcomer; 0 for none."""
        return int(self._site.get(SETTING, {}).get("first", 0))

    def set_first(self, by: By, first: int) -> None:
        """Set how many first messages of each newcomer are held; 0 for none. Held messages stay held."""
        check_administrator(by)
        if not 0 <= first <= MOST:
            raise Refused("invalid", f"Hold the first 1 to {MOST} messages, or 0 to hold none.")
        since = self._site.get(SETTING, {}).get("since") or self._clock() - LOOK_BACK
        setting = {"first": first, "since": since} if first else None
        self._acts.do(
            "site",
            lambda note: self._site.set(SETTING, setting, note),
            author_of(by),
            "set_holding",
            SITE,
            details={"first": first},
            tell=[Notice(kind="site")],
        )

    def may_be_held(self, access: Access) -> bool:
        """Return whether a post may be held. This does not use the database, because it runs for every post."""
        if self.is_exempt(access):
            return False
        held_at = access.approval_state.held_at
        if self._site.known is None or (held_at is not None and held_at > self._clock() - SENT_AGAIN):
            return True
        return self.seems_one(access)

    def is_exempt(self, access: Access) -> bool:
        """Return, without using the database, whether the user's posts in this room are never held."""
        return access.room.kind == "direct" or access.approval_state.is_exempt

    def seems_one(self, access: Access) -> bool:
        """Return whether the user is a newcomer in this room, by the cached settings only."""
        setting = (self._site.known or {}).get(SETTING, {})
        return access.room.kind != "direct" and _is_one(setting, access.approval_state)

    def is_one(self, user_id: str) -> bool:
        """Return whether the user is a newcomer now, from the database."""
        user = self._user_store.find(user_id)
        return user is not None and _is_one(self._site.get(SETTING, {}), user.approval_state)

    def check_making_rooms(self, user_id: str) -> None:
        """Raise `Refused` (`newcomer`) if the user is a newcomer: newcomers cannot create rooms."""
        if self.first and self.is_one(user_id):
            raise Refused("newcomer", "Until your first messages are approved, you cannot create rooms.")

    def check_direct(self, user_id: str, others: Sequence[str]) -> None:
        """Raise `Refused` (`newcomer`) if a newcomer opens a direct conversation with a user who is no moderator."""
        if not self.first or not self.is_one(user_id):
            return
        for other in others:
            user = self._user_store.find(other)
            if other != user_id and (user is None or not POWERS[user.role]):
                said = "Until your first messages are approved, you can write direct messages to moderators only."
                raise Refused("newcomer", said)


def _is_one(setting: Mapping[str, Any], approval_state: ApprovalState) -> bool:
    return (
        approval_state.approved < setting.get("first", 0)
        and not (approval_state.is_trusted or approval_state.is_exempt)
        and approval_state.since is not None
        and approval_state.since >= setting["since"]
    )
