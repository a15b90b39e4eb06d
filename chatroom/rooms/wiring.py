"""Create the parts of this package, and name its collections."""

from collections.abc import Callable, Sequence

from chatroom.base.clock import Clock, utc_now
from chatroom.messages.wiring import MessageParts
from chatroom.mongo.collections import CollectionModel
from chatroom.rooms import memberships_store, rooms_store
from chatroom.rooms.access import RoomAccess
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.arrangement import RoomArrangement
from chatroom.rooms.current_rights_store import CurrentRightsStore
from chatroom.rooms.direct import DirectRooms
from chatroom.rooms.direct_store import DirectRoomStore
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


class RoomParts:
    """The parts of the package. `forget` has the functions that delete the data of an account."""

    def __init__(
        self,
        site: SiteParts,
        messages: MessageParts,
        *,
        check_making: Callable[[str], None] = lambda _user_id: None,
        check_direct: Callable[[str, Sequence[str]], None] = lambda _user_id, _others: None,
        clock: Clock = utc_now,
    ) -> None:
        """Create the parts. `check_making` and `check_direct` refuse new rooms and conversations of newcomers."""
        database, settings = site.context.database, site.context.settings
        notices, acts = site.notices, site.acts
        self.store = RoomStore(database, clock=clock)
        self.former_slugs = FormerSlugs(database)
        self.access_store = AccessStore(database, clock=clock)
        self.membership_store = MembershipStore(database, clock=clock)
        self.members = MemberStore(database)
        self.listings = ListingStore(database, clock=clock)
        self.preferences = OwnMembershipStore(database, clock=clock)
        direct = DirectRoomStore(database, clock=clock)
        self.access = RoomAccess(self.access_store, self.store, self.membership_store, notices)
        self.making = RoomMaking(
            self.store,
            notices,
            max_per_user=settings.max_rooms_per_user,
            only_administrators_create=settings.room_creation == "administrators",
            check_making=check_making,
        )
        self.membership = RoomMembership(
            self.membership_store,
            self.members,
            self.access_store,
            access=self.access,
            writer=messages.writer,
            notices=notices,
            acts=acts,
        )
        self.direct = DirectRooms(direct, self.membership_store, notices, check_direct=check_direct)
        self.settings = RoomSettings(self.store, self.making, messages.writer, acts, clock=clock)
        codes = CodeStore(database, database["room_invites"], owner="created_by_id", clock=clock)
        self.links = RoomLinks(codes, self.store, self.membership_store, self.membership, acts, clock=clock)
        self.read_positions = ReadPositions(self.preferences, messages.store, notices)
        self.arrangement = RoomArrangement(self.preferences, messages.store, notices)
        self.current_rights = CurrentRightsStore(database, clock=clock)
        self.forget = (codes.forget,)
