"""The parts of this package, made once."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from chatroom.erasure.account_deletion import AccountDeletion
from chatroom.erasure.clearing import Clearing
from chatroom.erasure.departed_memberships import DepartedMemberships
from chatroom.erasure.departed_messages import DepartedMessages
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.erasure.retention import Retention
from chatroom.messages.wiring import MessageParts
from chatroom.moderation.wiring import ModerationParts
from chatroom.mongo.context import Context
from chatroom.outbound.wiring import OutboundParts
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.search.wiring import SearchParts
from chatroom.site.background import BackgroundThread, make_chore
from chatroom.site.wiring import SiteParts


class ErasureParts(msgspec.Struct, frozen=True):
    """What the package offers; `threads` are what it does in the background while a server runs."""

    clearing: Clearing
    retention: Retention
    account_deletion: AccountDeletion
    threads: Sequence[BackgroundThread]


class Below(Protocol):
    """The packages below that this one works with."""

    site: SiteParts
    people: PeopleParts
    messages: MessageParts
    rooms: RoomParts
    outbound: OutboundParts
    moderation: ModerationParts
    search: SearchParts


def make(context: Context, below: Below) -> ErasureParts:
    """Wire the package."""
    site, people, messages, rooms = below.site, below.people, below.messages, below.rooms
    outbound, moderation, search = below.outbound, below.moderation, below.search
    store = ErasureStore(context.database)
    memberships = DepartedMemberships(
        people.users,
        rooms.store,
        rooms.membership_store,
        rooms.members,
        listings=rooms.listings,
        writer=messages.writer,
        notices=site.notices,
    )
    ties = (
        lambda _: site.acts.finish(is_urgent=True),  # what is noted in memberships and links that are to go
        memberships.end_for,  # before the sessions end: open pages hear of both, and say what comes first
        *people.forget,
        *outbound.forget,
        *rooms.forget,
        *moderation.forget,
    )
    departed = DepartedMessages(rooms.store, messages.store, messages.changes, search.indexer, search.store)
    clearing = Clearing(
        store,
        messages.store,
        messages.changes,
        site.leases,
        site.acts,
        writer=messages.writer,
    )
    retention = Retention(store, messages.store, messages.changes)
    deletion = AccountDeletion(people, moderation.moderation, site.acts, departed, site.leases, ties=ties)
    threads = (clearing.thread, deletion.thread, make_chore("retention", retention.sweep, site.leases))
    return ErasureParts(clearing=clearing, retention=retention, account_deletion=deletion, threads=threads)
