"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.people.wiring import PeopleParts
from chatroom.rooms import memberships_store, rooms_store
from chatroom.rooms.access import RoomAccess
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.current_rights import RightsNow
from chatroom.rooms.direct import DirectRooms
from chatroom.rooms.direct_store import DirectRoomStore
from chatroom.rooms.events import RoomEvents
from chatroom.rooms.former_slugs_store import FormerSlugs
from chatroom.rooms.links import RoomLinks
from chatroom.rooms.listings_store import ListingStore
from chatroom.rooms.making import RoomMaking
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.membership import RoomMembership
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.rooms.read_positions import ReadPositions
from chatroom.rooms.rooms_store import RoomStore
from chatroom.rooms.settings import RoomSettings
from chatroom.site import codes_store
from chatroom.site.codes_store import CodeStore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("rooms", rooms_store.INDEXES, "kept", ("users",)),
    CollectionModel("memberships", memberships_store.INDEXES, "kept", ("rooms", "users")),
    CollectionModel("room_invites", codes_store.indexes("room", "created_at"), "kept", ("rooms", "users")),
)


class RoomParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the package offers; `forget` is what ends with an account."""

    store: RoomStore
    access_store: AccessStore
    membership_store: MembershipStore
    members: MemberStore
    listings: ListingStore
    preferences: OwnMembershipStore
    access: RoomAccess
    events: RoomEvents
    making: RoomMaking
    membership: RoomMembership
    direct: DirectRooms
    settings: RoomSettings
    links: RoomLinks
    read_positions: ReadPositions
    current_rights: RightsNow
    former_slugs: FormerSlugs
    forget: Sequence[Callable[[str], object]]


class Below(Protocol):
    """The packages below that this one works with."""

    site: SiteParts
    people: PeopleParts
    messages: MessageParts


def make(
    context: Context,
    below: Below,
    *,
    check_making: Callable[[str], None] = lambda _user_id: None,
    check_direct: Callable[[str, Sequence[str]], None] = lambda _user_id, _others: None,
    clock: Clock = utc_now,
) -> RoomParts:
    """Wire the package. `check_making` and `check_direct` refuse who may not make rooms or write to people yet."""
    site, people, messages = below.site, below.people, below.messages
    database, notices, acts = context.database, site.notices, site.acts
    store, memberships = RoomStore(database, clock=clock), MembershipStore(database, clock=clock)
    own, direct = OwnMembershipStore(database, clock=clock), DirectRoomStore(database, clock=clock)
    access_store, members = AccessStore(database), MemberStore(database)
    codes = CodeStore(database, database["room_invites"], owner="created_by_id", clock=clock)
    access = RoomAccess(access_store, store, direct, memberships, notices)
    events = RoomEvents(messages.writer)
    making = RoomMaking(
        store,
        notices,
        max_per_user=context.settings.max_rooms_per_user,
        only_administrators_create=context.settings.room_creation == "administrators",
        check_making=check_making,
    )
    membership = RoomMembership(
        memberships, members, access_store, access=access, events=events, notices=notices, acts=acts
    )
    return RoomParts(
        store=store,
        access_store=access_store,
        membership_store=memberships,
        members=members,
        listings=ListingStore(database),
        preferences=own,
        access=access,
        events=events,
        making=making,
        membership=membership,
        direct=DirectRooms(direct, memberships, notices, check_direct=check_direct),
        settings=RoomSettings(store, making, events, acts, clock=clock),
        links=RoomLinks(codes, store, memberships, membership, acts, clock=clock),
        read_positions=ReadPositions(own, messages.store, notices),
        current_rights=RightsNow(access_store, store, people.session_store, clock=clock),
        former_slugs=FormerSlugs(database),
        forget=(codes.forget,),
    )
