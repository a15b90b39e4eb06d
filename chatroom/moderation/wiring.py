"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from chatroom.files.wiring import FileParts
from chatroom.messages.wiring import MessageParts
from chatroom.moderation import held_store, reports_store
from chatroom.moderation.admission import Admission
from chatroom.moderation.approval import Approval
from chatroom.moderation.decisions import Decisions
from chatroom.moderation.held_list import HeldList
from chatroom.moderation.held_store import HeldStore
from chatroom.moderation.holding import Holding
from chatroom.moderation.moderation import Moderation
from chatroom.moderation.newcomers import Newcomers
from chatroom.moderation.overview_store import OverviewStore
from chatroom.moderation.reports import Reports
from chatroom.moderation.reports_store import ReportStore
from chatroom.moderation.site_rooms import SiteRooms
from chatroom.moderation.site_rooms_store import SiteRoomStore
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.site.background import BackgroundThread, make_chore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    # Read before the messages: what is approved meanwhile is then in both, rather than in neither.
    CollectionModel("held", held_store.INDEXES, "kept", ("messages", "files.files", "rooms", "users")),
    CollectionModel("reports", reports_store.INDEXES, "kept", ("messages", "rooms", "users")),
)


class ModerationParts(msgspec.Struct, frozen=True):
    """What the package offers; `forget` is what ends with an account, `threads` what it does in the background."""

    moderation: Moderation
    admission: Admission
    newcomers: Newcomers
    holding: Holding
    approval: Approval
    decisions: Decisions
    held_list: HeldList
    reports: Reports
    site_rooms: SiteRooms
    overview: OverviewStore
    held: HeldStore
    forget: Sequence[Callable[[str], object]]
    threads: Sequence[BackgroundThread]


class Below(Protocol):
    """The packages below that this one works with."""

    site: SiteParts
    files: FileParts
    people: PeopleParts
    messages: MessageParts
    rooms: RoomParts


def make(context: Context, below: Below) -> ModerationParts:
    """Wire the package."""
    site, files, people, messages, rooms = below.site, below.files, below.people, below.messages, below.rooms
    database = context.database
    held = HeldStore(database)
    newcomers = Newcomers(site.settings, people.users, site.acts)
    decisions = Decisions(
        held,
        people.users,
        rooms.store,
        rooms.access_store,
        messages.posting,
        files=files.of_messages,
        notices=site.notices,
    )
    return ModerationParts(
        moderation=Moderation(
            people.users,
            people.states,
            rooms.membership_store,
            rooms.membership,
            people.sessions,
            acts=site.acts,
        ),
        admission=Admission(site.settings, people.invites, site.acts, context.settings.registration),
        newcomers=newcomers,
        holding=Holding(held, people.users, messages.store, newcomers=newcomers, notices=site.notices),
        approval=Approval(
            held, rooms.store, rooms.access_store, posting=messages.posting, decisions=decisions, acts=site.acts
        ),
        decisions=decisions,
        held_list=HeldList(held, people.users, rooms.store, rooms.access_store),
        reports=Reports(ReportStore(database), rooms.access_store, messages.history, messages.changes, site.acts),
        site_rooms=SiteRooms(
            SiteRoomStore(database),
            rooms.membership_store,
            rooms.members,
            settings=rooms.settings,
            writer=messages.writer,
            acts=site.acts,
        ),
        overview=OverviewStore(database),
        held=held,
        forget=(held.forget,),
        threads=(make_chore("approval", decisions.finish, site.leases),),
    )
