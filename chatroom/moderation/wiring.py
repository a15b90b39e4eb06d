"""The wiring of this package: its parts and its collections."""

from functools import partial

from chatroom.files.wiring import FileParts
from chatroom.messages.wiring import MessageParts
from chatroom.moderation import held_store, reports_store
from chatroom.moderation.admission import Admission
from chatroom.moderation.approval import Approval
from chatroom.moderation.decisions import Decisions
from chatroom.moderation.figures_store import SiteRoomStore, read_overview
from chatroom.moderation.first_steps import FirstSteps
from chatroom.moderation.first_steps_store import FactStore
from chatroom.moderation.held_store import HeldStore
from chatroom.moderation.holding import Holding
from chatroom.moderation.invitations import Invitations
from chatroom.moderation.moderation import Moderation
from chatroom.moderation.naming import Naming
from chatroom.moderation.newcomers import Newcomers
from chatroom.moderation.reports import Reports
from chatroom.moderation.reports_store import ReportStore
from chatroom.moderation.site_rooms import SiteRooms
from chatroom.mongo.collections import CollectionModel
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.site.background import make_chore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    # A backup reads these before the messages. So it contains each message that is approved meanwhile.
    CollectionModel("held", held_store.INDEXES, "kept", ("messages", "files.files", "rooms", "users")),
    CollectionModel("reports", reports_store.INDEXES, "kept", ("messages", "rooms", "users")),
)


class ModerationParts:
    """The parts of this package.

    `forget` has the functions that remove a deleted account's data.
    `threads` has this package's background threads, which only a server starts.
    """

    def __init__(
        self, site: SiteParts, files: FileParts, people: PeopleParts, messages: MessageParts, rooms: RoomParts
    ) -> None:
        database, users, acts, notices = site.context.database, people.users, site.acts, site.notices
        self.held = HeldStore(database)
        self.moderation = Moderation(
            users, people.states, rooms.membership_store, rooms.membership, people.sessions, acts=acts
        )
        self.admission = Admission(site.settings, people.invites, acts, site.context.settings.registration)
        self.invitations = Invitations(rooms.links, rooms.access, rooms.membership, people.accounts, self.admission)
        self.naming = Naming(site.settings, acts, site.context.settings.site_name)
        self.first_steps = FirstSteps(FactStore(database), users, self.naming)
        self.newcomers = Newcomers(site.settings, users, acts)
        self.holding = Holding(self.held, users, messages.store, newcomers=self.newcomers, notices=notices)
        self.decisions = Decisions(
            self.held,
            users,
            rooms.store,
            rooms.access_store,
            messages.posting,
            files=files.of_messages,
            notices=notices,
        )
        self.approval = Approval(
            self.held,
            users,
            rooms.store,
            rooms.access_store,
            posting=messages.posting,
            decisions=self.decisions,
            acts=acts,
        )
        self.reports = Reports(
            ReportStore(database), rooms.access_store, messages.history, messages.changes, acts, notices=notices
        )
        self.site_room_store = SiteRoomStore(database)
        self.site_rooms = SiteRooms(
            self.site_room_store,
            rooms.membership_store,
            rooms.members,
            settings=rooms.settings,
            writer=messages.writer,
            acts=acts,
        )
        self.overview = partial(read_overview, database)
        self.forget = (self.held.forget,)
        self.threads = (make_chore("approval", self.decisions.finish, site.leases),)
