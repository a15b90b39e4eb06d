"""Everything that people can do here, wired once over one database, for the pages and for the engine.

Nothing connects before `open`; what the pages need in the database is there after `prepare`.
"""

import secrets
import threading
import time
from typing import Literal

from chatroom.base.access import Access
from chatroom.base.config import Settings
from chatroom.base.errors import Unavailable
from chatroom.base.models import Hook, Room
from chatroom.erasure.account_deletion import AccountDeletion
from chatroom.erasure.clearing import Clearing
from chatroom.erasure.departed_memberships import Departures
from chatroom.erasure.departed_messages import Parting
from chatroom.erasure.retention import Retention
from chatroom.export.export import Exports
from chatroom.export.own_data import OwnData
from chatroom.files import files_store as files
from chatroom.files import pictures
from chatroom.files.files import Files
from chatroom.files.files_store import FileStore
from chatroom.live.presence import presences_store as presences
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.messages import messages_store as messages
from chatroom.messages.appending import Appending
from chatroom.messages.changes import Changes
from chatroom.messages.history import History
from chatroom.messages.mentions import Mentions
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.posting import Posting
from chatroom.messages.rules import RoomRules
from chatroom.messages.texts import Texts
from chatroom.messages.writer import Writer
from chatroom.moderation import held_store as held
from chatroom.moderation import reports_store as reports
from chatroom.moderation.admission import Admission
from chatroom.moderation.approval import Approval
from chatroom.moderation.held_store import HeldStore
from chatroom.moderation.holding import Holding
from chatroom.moderation.moderation import Moderation
from chatroom.moderation.newcomers import Newcomers
from chatroom.moderation.overview_store import OverviewStore
from chatroom.moderation.reports import Reports
from chatroom.moderation.reports_store import ReportStore
from chatroom.moderation.site_rooms import SiteRooms
from chatroom.moderation.site_rooms_store import SiteRoomStore
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.outbound import hooks_store as hooks
from chatroom.outbound import subscriptions_store as subscriptions
from chatroom.outbound.deliveries import Deliveries
from chatroom.outbound.hooks_store import HookStore
from chatroom.outbound.public_http import Outside
from chatroom.outbound.push import Push
from chatroom.outbound.subscriptions_store import SubscriptionStore
from chatroom.outbound.webhooks import Webhooks
from chatroom.people import (
    avatars_store as avatars,
)
from chatroom.people import (
    invites_store as invites,
)
from chatroom.people import (
    resets_store as resets,
)
from chatroom.people import (
    sessions_store as sessions,
)
from chatroom.people import (
    users_store as users,
)
from chatroom.people.accounts import Accounts, make_accounts
from chatroom.people.avatars import Avatars
from chatroom.people.avatars_store import AvatarStore
from chatroom.people.invites_store import InviteStore
from chatroom.people.profiles import Profiles
from chatroom.people.resets import Resets
from chatroom.people.resets_store import ResetStore
from chatroom.people.sessions import Sessions
from chatroom.people.sessions_store import SessionStore
from chatroom.rooms import links_store as room_invites
from chatroom.rooms import rooms_store as rooms
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
from chatroom.search import search_store as search
from chatroom.search.search import Search, make_search
from chatroom.search.search_store import SearchStore
from chatroom.site import audit_store as audit
from chatroom.site import notices_store as notices
from chatroom.site import settings_store as site
from chatroom.site.acts import Acts
from chatroom.site.acts_store import ActStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import AuditStore
from chatroom.site.leases_store import LeaseStore
from chatroom.site.limits import Limits, make_limits
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from chatroom.site.settings import Site
from chatroom.site.settings_store import SiteStore

VISIT_SECONDS = 15
PREPARE_PAUSE_SECONDS = 1.0
Start = Literal["ready", "empty", "waiting"]
"""How a start went: the database answers and has accounts, it has none yet, or it does not answer yet."""
INDEXES = {
    "audit": audit.INDEXES,
    "hooks": hooks.INDEXES,
    "held": held.INDEXES,
    "reports": reports.INDEXES,
    "resets": resets.INDEXES,
    "users": users.INDEXES,
    "sessions": sessions.INDEXES,
    "invites": invites.INDEXES,
    "messages": messages.INDEXES,
    "presences": presences.INDEXES,
    "subscriptions": subscriptions.INDEXES,
    "push_keys": [],
    "notices": notices.INDEXES,
    "room_invites": room_invites.INDEXES,
    "rooms": rooms.INDEXES,
    "memberships": rooms.MEMBERSHIP_INDEXES,
    "site": site.INDEXES,
    "search_entries": search.INDEXES,
    "avatars": avatars.INDEXES,
    "files.files": files.INDEXES,
    "files.chunks": files.CHUNK_INDEXES,
}


START_SECONDS = 2.0
"""For the database, at the start; then the server serves what it can without it, and says that it waits."""


class Services:
    """The application without its framework."""

    settings: Settings
    secret_key: str
    database: Database
    limits: Limits
    accounts: Accounts
    sessions: Sessions
    message_store: MessageStore
    avatars: Avatars
    files: Files
    texts: Texts
    writer: Writer
    history: History
    room_rules: RoomRules
    changes: Changes
    holding: Holding
    posting: Posting
    approval: Approval
    newcomers: Newcomers
    site: Site
    notices: Notices
    rooms: Rooms
    rights: RightsNow
    reading: Reading
    room_settings: RoomSettings
    site_rooms: SiteRooms
    room_invites: RoomInvites
    retention: Retention
    acts: Acts
    audit: Audit
    search: Search
    moderation: Moderation
    exports: Exports
    own_data: OwnData
    clearing: Clearing
    reports: Reports
    push: Push
    resets: Resets
    profiles: Profiles
    admission: Admission
    account_deletion: AccountDeletion
    overview: OverviewStore
    presence: PresenceStore
    visits: PresenceStore
    """The presence of people whose pages ask again and again instead of holding a connection."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.secret_key = settings.secret_key
        self.origin = secrets.token_hex(4)
        self._embedded: EmbeddedMongo | None = None
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._is_prepared = False
        self._prepare_again_at = 0.0

    def open(self) -> None:
        """Make the client and wire everything to it; start the embedded mongod where nobody else has."""
        if self._open.is_set():
            return  # without the lock, which `prepare` holds while it waits for the database
        with self._lock:
            if self._open.is_set():
                return
            settings = self.settings
            uri = settings.mongo_uri
            if settings.is_embedded:
                self._embedded = EmbeddedMongo.launch(settings.data_path, settings.mongo_db)
                uri = self._embedded.wait_until_ready()
                self.secret_key = self.secret_key or self._embedded.folder.keep("secret_key", _make_secret)
            self.secret_key = self.secret_key or _make_secret()  # in memory: nothing outlives the process anyway
            self._wire(Database.connect(settings, uri))
            self._open.set()

    def prepare(self) -> None:
        """Create the indexes and the lobby, and move what is to be moved, once.

        Raises `Unavailable` while the database is away.
        """
        if self._is_prepared:
            return
        with self._lock:
            if not self._is_prepared:
                # One request in turn tries again; those that waited for it share its failure.
                if time.monotonic() < self._prepare_again_at:
                    raise Unavailable("The database does not answer right now. Please try again in a moment.")
                try:
                    self.database.ensure_indexes(INDEXES)
                    self.rooms.ensure_lobby()
                    FormerSlugs(self.database).move()
                    RoomStore(self.database).key_titles()
                except Unavailable:
                    self._prepare_again_at = time.monotonic() + PREPARE_PAUSE_SECONDS
                    raise
                self._is_prepared = True

    def start(self) -> Start:
        """Open and prepare, as far as the database answers; raise `SettingsError` where it never will."""
        self.open()
        if not self.database.is_answering(START_SECONDS):
            return "waiting"
        try:
            self.prepare()
            return "ready" if self.accounts.users.has_any() else "empty"
        except Unavailable:
            return "waiting"

    def close(self) -> None:
        """Give everything back; the embedded mongod, if it is ours, stops."""
        with self._lock:
            if self._open.is_set():
                self.database.close()
                self._open.clear()
                self._is_prepared = False
            if self._embedded is not None:
                self._embedded.stop()
                self._embedded = None

    def _wire(self, database: Database) -> None:
        settings = self.settings
        self.database = database
        self.limits = make_limits(settings, database)
        self.accounts = make_accounts(settings, database, self.limits)
        self.sessions = self.accounts.sessions
        self.message_store = MessageStore(database, origin=self.origin)
        drawing = pictures.make_workers()
        self.avatars = Avatars(AvatarStore(database), drawing)
        held_store = HeldStore(database)
        self.files = Files(
            FileStore(database),
            settings,
            drawing,
            find_message=self.message_store.find_by_client_id,
            find_held=held_store.find,
        )
        room_store = RoomStore(database)
        self.notices = Notices(NoticeStore(database))
        entries = AuditStore(database)
        self.audit = Audit(entries)
        self.acts = Acts(ActStore(database), entries, self.notices.tell)
        self.site = Site(SiteStore(database))
        self.newcomers = Newcomers(self.site, self.accounts.users, self.acts)
        self._wire_messages(database, held_store, room_store)
        self.approval = Approval(
            held_store,
            self.accounts.users,
            room_store,
            self.posting,
            files=self.files,
            notices=self.notices,
            acts=self.acts,
        )
        self.exports = Exports(self.message_store)
        self._wire_rooms(database, room_store)
        self.search = make_search(database, self.message_store, self.accounts.users.find_by_name)
        self.own_data = OwnData(database, self.search.indexer, self.message_store, self.rooms, self.sessions)
        leases = LeaseStore(database, holder=self.origin)
        self.clearing = Clearing(room_store, self.message_store, self.changes, leases, self.acts, writer=self.writer)
        self.reports = Reports(ReportStore(database), room_store, self.history, self.changes, self.acts)
        self.moderation = Moderation(self.accounts.users, room_store, self.rooms, self.sessions, self.acts)
        self.admission = Admission(self.site, self.accounts.invites, self.acts, settings.registration)
        self.accounts.registration = self.admission.registration
        self.accounts.first_key = self.secret_key if settings.is_public else ""
        self.overview = OverviewStore(database)
        self.profiles = Profiles(self.accounts.users, self.acts)
        self.resets = Resets(ResetStore(database), self.accounts, self.acts)
        self.reading = Reading(room_store, self.message_store, self.notices)
        outside = Outside()
        self.push = Push(
            SubscriptionStore(database), contact=settings.push_contact, poster=outside, is_allowed=outside.is_allowed
        )
        self._wire_webhooks(database)
        self._wire_account_deletion(database, room_store)
        lease_seconds = settings.presence_lease_seconds
        self._wire_acts()
        self.rights = RightsNow(MemberStore(database), room_store, SessionStore(database))
        self.presence = PresenceStore(database, process=self.origin, lease_seconds=lease_seconds)
        self.visits = PresenceStore(database, process=f"{self.origin}-pages", lease_seconds=VISIT_SECONDS)

    def _wire_messages(self, database: Database, held: HeldStore, rooms: RoomStore) -> None:
        store, users = self.message_store, self.accounts.users
        self.texts = Texts(self.settings.max_message_length, find_mentions=Mentions(rooms.find_members).find)
        self.writer = Writer(Appending(store, self.texts))
        self.history = History(store)
        self.room_rules = RoomRules(take_turn=MemberStore(database).take_turn, is_newcomer=self.newcomers.seems_one)
        self.changes = Changes(store, self.texts, self.room_rules, self.writer, files=self.files, acts=self.acts)
        self.holding = Holding(held, users, store, newcomers=self.newcomers, notices=self.notices)
        self.posting = Posting(
            self.writer,
            store,
            self.texts,
            self.room_rules,
            count=self.limits.posting.check,
            files=self.files,
            holding=self.holding,
        )

    def _wire_acts(self) -> None:
        ends = self.moderation.end_sessions_of
        decided = self.approval.finish_decision
        self.acts.follow_ups = {
            "ban": ends,
            "end_sessions": ends,
            "use_reset_link": ends,
            "delete_account": self.account_deletion.complete,
            "delete_message": self.changes.complete_deletion,
            "approve_message": decided,
            "reject_message": decided,
        }

    def _wire_rooms(self, database: Database, store: RoomStore) -> None:
        settings = self.settings
        members = MemberStore(database)
        self.rooms = Rooms(
            store,
            members,
            ListingStore(database),
            self.writer,
            self.notices,
            acts=self.acts,
            max_per_user=settings.max_rooms_per_user,
            only_administrators_create=settings.room_creation == "administrators",
            check_making=self.newcomers.check_making_rooms,
            check_direct=self.newcomers.check_direct,
        )
        self.room_settings = RoomSettings(store, self.message_store, self.rooms, self.acts)
        self.site_rooms = SiteRooms(SiteRoomStore(database), members, self.rooms, self.room_settings, self.acts)
        self.room_invites = RoomInvites(RoomInviteStore(database), store, members, self.rooms, self.acts)
        leases = LeaseStore(database, holder=self.origin)
        self.retention = Retention(leases, store, self.message_store, self.changes)

    def _wire_webhooks(self, database: Database) -> None:
        hooks = HookStore(database)
        outside = Outside([word for part in self.settings.webhook_allowed_hosts.split(",") if (word := part.strip())])
        find_room = self.rooms.find
        self.webhooks = Webhooks(
            hooks,
            self.posting,
            self.message_store,
            self.acts,
            find_room=find_room,
            is_allowed=outside.is_allowed,
            find_maker=self._find_maker,
            is_taken=self.accounts.users.has_name,
        )
        leases = LeaseStore(database, holder=self.origin)
        self.deliveries = Deliveries(
            hooks, self.message_store, leases, outside, find_room=find_room, is_good=self.webhooks.is_good
        )

    def _find_maker(self, hook: Hook, room: Room) -> Access | None:
        """Who made a webhook, as a member of its room; None for who is banned, or not in it any more."""
        user = self.accounts.users.find(hook.made_by.id)
        return None if user is None or self.sessions.is_banned(user) else self.rooms.find_for(user.id, room.slug)

    def _wire_account_deletion(self, database: Database, rooms: RoomStore) -> None:
        users, members, listings = self.accounts.users, MemberStore(database), ListingStore(database)
        departures = Departures(users, rooms, members, listings=listings, rooms=self.rooms, notices=self.notices)
        index = SearchStore(database)
        parting = Parting(rooms, self.message_store, self.changes, self.search.indexer, index)
        ties = (
            lambda _: self.acts.finish(is_urgent=True),  # what is noted in memberships and links that are to go
            departures.see_off,  # before the sessions end: open pages hear of both, and say what comes first
            self.sessions.forget,
            SubscriptionStore(database).forget,
            ResetStore(database).forget,
            InviteStore(database).forget,
            RoomInviteStore(database).forget,
            HookStore(database).forget,
            HeldStore(database).forget,
            self.avatars.remove,
        )
        self.account_deletion = AccountDeletion(
            self.accounts,
            self.moderation,
            self.acts,
            parting,
            LeaseStore(database, holder=self.origin),
            ties=ties,
        )


def _make_secret() -> str:
    return secrets.token_hex(32)
