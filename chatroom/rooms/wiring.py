"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Sequence

import msgspec

from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.people.wiring import PeopleParts
from chatroom.rooms import links_store, rooms_store
from chatroom.rooms.current_rights import RightsNow
from chatroom.rooms.former_slugs_store import FormerSlugs
from chatroom.rooms.links import RoomInvites
from chatroom.rooms.links_store import RoomInviteStore
from chatroom.rooms.listings_store import ListingStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.read_positions import Reading
from chatroom.rooms.rooms import Rooms
from chatroom.rooms.rooms_store import RoomStore
from chatroom.rooms.settings import RoomSettings
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("rooms", rooms_store.INDEXES, "kept", ("users",)),
    CollectionModel("memberships", rooms_store.MEMBERSHIP_INDEXES, "kept", ("rooms", "users")),
    CollectionModel("room_invites", links_store.INDEXES, "kept", ("rooms", "users")),
)


class RoomParts(msgspec.Struct, frozen=True):
    """What the package offers; `forget` is what ends with an account."""

    store: RoomStore
    members: MemberStore
    listings: ListingStore
    rooms: Rooms
    settings: RoomSettings
    links: RoomInvites
    read_positions: Reading
    current_rights: RightsNow
    former_slugs: FormerSlugs
    forget: Sequence[Callable[[str], object]]


def make(
    context: Context,
    site: SiteParts,
    people: PeopleParts,
    messages: MessageParts,
    *,
    check_making: Callable[[str], None],
    check_direct: Callable[[str, Sequence[str]], None],
) -> RoomParts:
    """Wire the package. `check_making` and `check_direct` refuse who may not make rooms or write to people yet."""
    database, settings = context.database, context.settings
    store, members, listings = RoomStore(database), MemberStore(database), ListingStore(database)
    rooms = Rooms(
        store,
        members,
        listings,
        messages.writer,
        site.notices,
        acts=site.acts,
        max_per_user=settings.max_rooms_per_user,
        only_administrators_create=settings.room_creation == "administrators",
        check_making=check_making,
        check_direct=check_direct,
    )
    link_store = RoomInviteStore(database)
    return RoomParts(
        store=store,
        members=members,
        listings=listings,
        rooms=rooms,
        settings=RoomSettings(store, messages.store, rooms, site.acts),
        links=RoomInvites(link_store, store, members, rooms, site.acts),
        read_positions=Reading(store, messages.store, site.notices),
        current_rights=RightsNow(members, store, people.session_store),
        former_slugs=FormerSlugs(database),
        forget=(link_store.forget,),
    )
