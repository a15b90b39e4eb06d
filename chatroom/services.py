"""The application without a web framework. It creates the parts of each package, the lowest package first.

Nothing connects before `open`. `prepare` creates the indexes and the lobby.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from chatroom.base.config import Settings
from chatroom.base.errors import Unavailable
from chatroom.base.later import later
from chatroom.erasure import wiring as erasure
from chatroom.export import wiring as export
from chatroom.export.own_data import Beside
from chatroom.files import wiring as files
from chatroom.live import wiring as live
from chatroom.live.bridge import Bridge
from chatroom.messages import wiring as messages
from chatroom.messages.markdown.emoji import find_emoji
from chatroom.messages.posting import Holding
from chatroom.moderation import wiring as moderation
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.mongo.preparation import Preparation
from chatroom.outbound import wiring as outbound
from chatroom.people import wiring as people
from chatroom.rooms import wiring as rooms
from chatroom.search import wiring as search
from chatroom.site import wiring as site
from chatroom.site.acts import FollowUp
from chatroom.site.background import BackgroundThread, Lease, Report
from chatroom.site.upgrades import LEASE_SECONDS, Step, Upgrades, log_progress

PACKAGES = (site, files, people, messages, rooms, outbound, moderation, search, live)
COLLECTIONS: Sequence[CollectionModel] = [each for package in PACKAGES for each in package.COLLECTIONS]
"""All collections of the site, except those in which the `limits` library counts attempts."""
START_SECONDS = 2.0
"""The longest wait for the database at the start. After this time, the server starts without the database."""
Start = Literal["ready", "empty", "waiting"]
"""The outcome of a start: the database has accounts, has no accounts yet, or does not answer yet."""


class Services:
    """The parts of all packages: `services.rooms.links`, for example, is the part from chatroom/rooms/links.py."""

    site: site.SiteParts
    files: files.FileParts
    people: people.PeopleParts
    messages: messages.MessageParts
    rooms: rooms.RoomParts
    outbound: outbound.OutboundParts
    moderation: moderation.ModerationParts
    search: search.SearchParts
    export: export.ExportParts
    erasure: erasure.ErasureParts
    live: live.LiveParts
    threads: Sequence[BackgroundThread]
    """The background threads. Only the server starts them, not `flask run`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bridge = Bridge()
        self._is_open = False
        self._lock = threading.Lock()
        self._preparation = Preparation(self._prepare)

    def open(self) -> None:
        """Create the client and all parts, once. Start the embedded mongod unless another process has started it."""
        if self._is_open:
            return
        with self._lock:
            if not self._is_open:
                context = Context.open(self.settings)
                try:
                    self._wire(context)
                except BaseException:
                    context.close()
                    raise
                self._is_open = True

    def prepare(self) -> None:
        """Create the indexes and the lobby, and bring the data up to date, once. Raise `Unavailable` if this fails.

        Raises `SettingsError` if the data is of a newer version, or needs consent (`UPGRADE`).
        """
        self._preparation.ensure()

    def upgrade(self, report: Report) -> None:
        """Prepare, with the consent of the operator to steps after which older versions cannot use the data."""
        self._upgrade(report, is_agreed=True)

    def start(self) -> Start:
        """Open, and prepare if the database answers. Raise `SettingsError` for an error that waiting cannot solve."""
        self.open()
        if not self.database.is_answering(START_SECONDS):
            return "waiting"
        try:
            self.prepare()
            return "ready" if self.people.users.has_any() else "empty"
        except Unavailable:
            return "waiting"

    def close(self) -> None:
        """Close the client, and end the processes that draw. Stop the embedded mongod if this process started it."""
        with self._lock:
            if self._is_open:
                self._preparation.forget()
                self.files.processes.close()
                self.context.close()
                self._is_open = False

    def _prepare(self) -> None:
        self._upgrade(log_progress(), is_agreed=self.settings.upgrade == "yes")

    def _upgrade(self, report: Report, *, is_agreed: bool) -> None:
        found = self.upgrades.check(is_agreed=is_agreed)  # before anything is written
        self.database.ensure_indexes(COLLECTIONS)
        self.rooms.making.ensure_lobby()
        self.upgrades.run(found, report)

    def _wire(self, context: Context) -> None:
        """Create the parts of each package from the parts of lower packages.

        Some parts need a function of a higher package. `later` looks this function up when it is called.
        """
        self.context, self.database, self.secret_key = context, context.database, context.secret_key
        self.site = site.SiteParts(context, follow_ups=self._follow_ups(), apply_notice=self.bridge.apply)
        self.files = files.FileParts(
            self.site,
            find_message=later(lambda: self.messages.store.find_by_client_id),
            find_held=later(lambda: self.moderation.held.find),
        )
        self.people = people.PeopleParts(
            self.site,
            self.files,
            registration=later(lambda: self.moderation.admission.registration),
            find_emoji=find_emoji,
        )
        self.messages = messages.MessageParts(
            self.site,
            self.files,
            line=self.bridge,
            directory=messages.Directory(
                find_people=later(lambda: self.rooms.members.find_named),
                find_here=later(lambda: self.live.presences.here),
                find_rooms=later(lambda: self.rooms.access_store.find_readable),
            ),
            take_turn=later(lambda: self.rooms.preferences.take_turn),
            is_newcomer=later(lambda: self.moderation.newcomers.seems_one),
            holding=Holding(
                may_hold=later(lambda: self.moderation.newcomers.may_be_held),
                find=later(lambda: self.moderation.holding.find),
                hold=later(lambda: self.moderation.holding.hold),
            ),
        )
        self._wire_above_messages()
        lease = Lease(self.site.leases, "upgrade", LEASE_SECONDS)
        self.upgrades = Upgrades(self.site.versions, lease, self._steps())

    def _wire_above_messages(self) -> None:
        below = self.site, self.people, self.messages
        self.rooms = rooms.RoomParts(
            self.site,
            self.messages,
            check_making=later(lambda: self.moderation.newcomers.check_making_rooms),
            check_direct=later(lambda: self.moderation.newcomers.check_direct),
        )
        self.outbound = outbound.OutboundParts(
            *below,
            find_room=self.rooms.store.find,
            find_access=self.rooms.access.find_for,
            rooms_of=self.rooms.listings.rooms_of,
        )
        self.moderation = moderation.ModerationParts(self.site, self.files, self.people, self.messages, self.rooms)
        self.search = search.SearchParts(*below, self.rooms)
        self.export = export.ExportParts(
            *below,
            self.rooms,
            beside=Beside(self.moderation.held, self.outbound.saved),
            search=self.search,
            collections=COLLECTIONS,
        )
        self.erasure = erasure.ErasureParts(
            *below, self.rooms, outbound=self.outbound, moderation=self.moderation, search=self.search
        )
        self.live = live.LiveParts(*below, self.rooms)
        working = (self.site, self.files, self.outbound, self.moderation, self.search, self.erasure)
        self.threads = [thread for parts in working for thread in parts.threads]

    def _steps(self) -> Sequence[Step]:
        """List the upgrade steps. Never remove or reorder a step: its number is its place (CONTRIBUTING.md)."""
        slugs = self.rooms.former_slugs
        return [
            Step("addresses of direct conversations", slugs.move, shuts_out=slugs.has_any),
            Step("keys of room titles", self.rooms.store.key_titles),
            Step("parts of names", self.people.directory.renew_names),
            Step("saved messages", lambda _changed: None),
        ]

    def _follow_ups(self) -> Mapping[str, FollowUp]:
        """Map the names of acts to the functions that complete these acts."""
        end_sessions = later(lambda: self.moderation.moderation.end_sessions_of)
        finish_decision = later(lambda: self.moderation.decisions.complete_act)
        return {
            "ban": end_sessions,
            "end_sessions": end_sessions,
            "use_reset_link": end_sessions,
            "delete_account": later(lambda: self.erasure.account_deletion.complete),
            "delete_message": later(lambda: self.messages.changes.complete_deletion),
            "approve_message": finish_decision,
            "reject_message": finish_decision,
        }
