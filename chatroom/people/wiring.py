"""The wiring of this package: its parts and its collections."""

from collections.abc import Callable
from datetime import timedelta

from chatroom.base.clock import Clock, utc_now
from chatroom.files.wiring import FileParts
from chatroom.mongo.collections import CollectionModel
from chatroom.people import avatars_store, sessions_store, users_store
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.accounts import Accounts
from chatroom.people.avatars import Avatars
from chatroom.people.avatars_store import AvatarStore
from chatroom.people.directory_store import DirectoryStore
from chatroom.people.passwords import Passwords, make_hasher
from chatroom.people.profiles import Profiles
from chatroom.people.resets import Resets
from chatroom.people.sessions import Sessions
from chatroom.people.sessions_store import SessionStore
from chatroom.people.statuses import FindEmoji, Statuses
from chatroom.people.statuses_store import StatusStore
from chatroom.people.users_store import UserStore
from chatroom.site import codes_store
from chatroom.site.codes_store import CodeStore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("users", users_store.INDEXES, "kept"),
    CollectionModel("sessions", sessions_store.INDEXES, "secret"),
    CollectionModel("resets", codes_store.indexes("user"), "secret"),
    CollectionModel("invites", codes_store.indexes(), "kept", ("users",)),
    CollectionModel("avatars", avatars_store.INDEXES, "kept", ("users",), batch=50),
)


class PeopleParts:
    """The parts of this package. `forget` has the functions that remove a deleted account's data."""

    def __init__(
        self,
        site: SiteParts,
        files: FileParts,
        *,
        registration: Callable[[], str],
        find_emoji: FindEmoji,
        clock: Clock = utc_now,
    ) -> None:
        """Create the parts; `registration` returns who may register now: `open`, `invite` or `closed`."""
        database, settings = site.context.database, site.context.settings
        self.users = UserStore(database, clock=clock)
        self.directory = DirectoryStore(database)
        self.states = AccountStateStore(database, clock=clock)
        self.session_store = SessionStore(database, clock=clock)
        self.sessions = Sessions(
            self.session_store,
            self.users,
            idle=timedelta(minutes=settings.session_idle_minutes),
            lifetime=timedelta(minutes=settings.session_lifetime_minutes),
            clock=clock,
        )
        self.passwords = Passwords(make_hasher(), rounds=settings.bcrypt_rounds, known_words=(settings.site_name,))
        self.invites = CodeStore(database, database["invites"], owner="made_by_id", clock=clock)
        self.accounts = Accounts(
            self.users,
            self.sessions,
            self.invites,
            self.passwords,
            site.limits,
            registration=registration,
            first_key=site.context.secret_key if settings.is_public else "",
        )
        self.profiles = Profiles(self.users, site.acts, site.notices.tell)
        self.statuses = Statuses(StatusStore(database), site.notices.tell, find_emoji, clock=clock)
        reset_codes = CodeStore(database, database["resets"], owner="user", clock=clock)
        self.resets = Resets(reset_codes, self.users, self.accounts, site.acts)
        self.avatars = Avatars(AvatarStore(database), files.drawing, files.processes)
        self.forget = (self.sessions.forget, reset_codes.forget, self.invites.forget, self.avatars.remove)
