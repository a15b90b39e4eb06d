"""The wiring of this package."""

from chatroom.erasure.account_deletion import AccountDeletion
from chatroom.erasure.clearing import Clearing
from chatroom.erasure.departed import DepartedMemberships, DepartedMessages
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.erasure.retention import Retention
from chatroom.messages.wiring import MessageParts
from chatroom.moderation.wiring import ModerationParts
from chatroom.outbound.wiring import OutboundParts
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.search.wiring import SearchParts
from chatroom.site.background import make_chore
from chatroom.site.wiring import SiteParts


class ErasureParts:
    """The parts of this package; `threads` has this package's background threads, which only a server starts."""

    def __init__(
        self,
        site: SiteParts,
        people: PeopleParts,
        messages: MessageParts,
        rooms: RoomParts,
        *,
        outbound: OutboundParts,
        moderation: ModerationParts,
        search: SearchParts,
    ) -> None:
        store = ErasureStore(site.context.database)
        memberships = DepartedMemberships(people.users, rooms, messages.writer, site.notices)
        ties = (
            lambda _: site.acts.finish(is_urgent=True),  # first, because memberships and links have notes of acts
            memberships.end_for,  # before the sessions end, because pages show the first notice
            *people.forget,
            *outbound.forget,
            *rooms.forget,
            *moderation.forget,
        )
        departed = DepartedMessages(rooms.store, messages, search)
        self.clearing = Clearing(
            store, messages.store, messages.changes, site.leases, site.acts, writer=messages.writer
        )
        self.retention = Retention(store, messages.store, messages.changes)
        self.account_deletion = AccountDeletion(
            people, moderation.moderation, site.acts, departed, site.leases, ties=ties
        )
        sweeping = make_chore("retention", self.retention.sweep, site.leases)
        self.threads = (self.clearing.thread, self.account_deletion.thread, sweeping)
