"""Announce due reminders: to the open pages of their user, and by Web Push.

Only the process that holds the lease announces them. A reminder is taken from the database before it is announced, so
it is announced once, and lost only if the process dies in between; the list Later shows it as due in any case. What
became due while no server ran is announced at the start.
"""

from chatroom.base.models import Notice
from chatroom.messages.markdown.plain import cut, plain_text
from chatroom.outbound.later import Entry, Later
from chatroom.outbound.later_store import SavedStore
from chatroom.outbound.notifications import EXCERPT
from chatroom.outbound.push import Push
from chatroom.site.background import BackgroundThread, Lease
from chatroom.site.leases_store import LeaseStore
from chatroom.site.notices import Notices

LEASE = "reminders"
LEASE_SECONDS = 20.0


class Reminders:
    """Announces due reminders, in a thread."""

    def __init__(self, store: SavedStore, later: Later, push: Push, notices: Notices, leases: LeaseStore) -> None:
        self._store = store
        self._later = later
        self._push = push
        self._notices = notices
        self.thread = BackgroundThread(LEASE, self.announce, lease=Lease(leases, LEASE, LEASE_SECONDS))

    def announce(self) -> None:
        """Announce all reminders that are due."""
        self._push.send_late()
        while self.thread.may_go_on():
            saved = self._store.take_waiting()
            if saved is None:
                return
            self._notices.tell(Notice(kind="later", user=saved.user_id, data={"due": True}))
            self._push.send({saved.user_id}, describe(self._later.find_entry(saved)))


def describe(entry: Entry) -> dict[str, str | int]:
    """Return the content of the notification. Without the right to read the message, it says nothing of it."""
    tag = f"reminder:{entry.saved.id}"  # not like the tags of messages, whose notifications end when they are read
    shown: dict[str, str | int] = {"title": "Reminder", "url": "/later", "tag": tag, "revision": 0}
    room, message = entry.room, entry.message
    if room is None or message is None:
        return shown | {"body": "A message that you saved is due, but you can no longer read it."}
    text = plain_text(message.html) or ", ".join(file.name for file in message.files)
    return shown | {
        "title": f"Reminder: {message.author.shown} in {room.title}",
        "body": cut(text, EXCERPT),
        "url": f"/chatroom/{room.slug}/{message.sequence}",
    }
