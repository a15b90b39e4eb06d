"""The wiring of this package: its parts and its collections."""

from collections.abc import Callable, Sequence

from chatroom.base.access import Access
from chatroom.base.models import Hook, Room
from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.outbound import hooks_store, later_store, subscriptions_store
from chatroom.outbound.deliveries import Deliveries
from chatroom.outbound.hooks_store import HookStore
from chatroom.outbound.later import Later
from chatroom.outbound.later_store import SavedStore
from chatroom.outbound.public_http import PublicHttp
from chatroom.outbound.push import Push
from chatroom.outbound.reminders import Reminders
from chatroom.outbound.subscriptions_store import SubscriptionStore
from chatroom.outbound.webhooks import IncomingWebhooks, Webhooks
from chatroom.people.wiring import PeopleParts
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("hooks", hooks_store.INDEXES, "kept", ("rooms", "users")),
    CollectionModel("subscriptions", subscriptions_store.INDEXES),
    CollectionModel("push_keys"),
    CollectionModel("saved", later_store.INDEXES, "kept", ("messages", "rooms", "users")),
)


class OutboundParts:
    """The parts of this package.

    `forget` has the functions that remove a deleted account's data.
    `threads` has the background threads that deliver webhooks and announce reminders, which only a server starts.
    """

    def __init__(
        self,
        site: SiteParts,
        people: PeopleParts,
        messages: MessageParts,
        *,
        find_room: Callable[[str], Room | None],
        find_access: Callable[[str, str], Access | None],
        rooms_of: Callable[[str], Sequence[Room]],
    ) -> None:
        """Create the parts.

        `find_room` takes a room's id; `find_access` takes a user's id and a room's slug; `rooms_of` takes a user's id.
        """
        database, settings = site.context.database, site.context.settings
        hooks, subscriptions = HookStore(database), SubscriptionStore(database)
        allowed = PublicHttp([word for part in settings.webhook_allowed_hosts.split(",") if (word := part.strip())])

        def find_manager(hook: Hook, room: Room) -> Access | None:
            """Return the creator's access to the room, or None if the creator is banned or does not manage the room."""
            user = people.users.find(hook.made_by.id)
            access = None if user is None or people.sessions.is_banned(user) else find_access(user.id, room.slug)
            return access if access is not None and access.may_manage else None

        self.push = _make_push(site, people, subscriptions)
        self.webhooks = Webhooks(
            hooks,
            site.acts,
            newest_revision=messages.store.newest_revision,
            is_allowed=allowed.is_allowed,
            is_taken=people.users.has_name,
        )
        self.incoming = IncomingWebhooks(
            hooks,
            messages.posting,
            find_room=find_room,
            find_manager=find_manager,
            is_taken=people.users.has_name,
        )
        self.deliveries = Deliveries(
            hooks, messages.store, site.leases, allowed.post, find_room=find_room, find_manager=find_manager
        )
        self._add_later(site, messages, rooms_of)
        self.forget = (subscriptions.forget, hooks.forget, self.saved.forget)
        self.threads = (self.deliveries.thread, self.reminders.thread)

    def _add_later(self, site: SiteParts, messages: MessageParts, rooms_of: Callable[[str], Sequence[Room]]) -> None:
        self.saved = SavedStore(site.context.database)
        self.later = Later(self.saved, messages.store, site.notices, rooms_of=rooms_of)
        self.reminders = Reminders(self.saved, self.later, self.push, site.notices, site.leases)


def _make_push(site: SiteParts, people: PeopleParts, subscriptions: SubscriptionStore) -> Push:
    anywhere = PublicHttp()
    return Push(
        subscriptions,
        contact=site.context.settings.push_contact,
        poster=anywhere,
        is_allowed=anywhere.is_allowed,
        disturbable=people.statuses.disturbable,
    )
