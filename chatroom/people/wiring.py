"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.threads import Workers
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
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


class PeopleParts(msgspec.Struct, frozen=True):
    """What the package offers; `forget` is what ends with an account."""

    users: UserStore
    directory: DirectoryStore
    states: AccountStateStore
    session_store: SessionStore
    sessions: Sessions
    accounts: Accounts
    invites: CodeStore
    passwords: Passwords
    profiles: Profiles
    resets: Resets
    avatars: Avatars
    forget: Sequence[Callable[[str], object]]


class Below(Protocol):
    """The packages below that this one works with."""

    site: SiteParts


def make(
    context: Context,
    below: Below,
    *,
    drawing: Workers,
    registration: Callable[[], str],
    clock: Clock = utc_now,
) -> PeopleParts:
    """Wire the package. `registration` is who may make an account now: `open`, `invite` or `closed`."""
    database, settings = context.database, context.settings
    users = UserStore(database, clock=clock)
    session_store = SessionStore(database, clock=clock)
    sessions = Sessions(
        session_store,
        users,
        idle=timedelta(minutes=settings.session_idle_minutes),
        lifetime=timedelta(minutes=settings.session_lifetime_minutes),
        clock=clock,
    )
    passwords = Passwords(make_hasher(), rounds=settings.bcrypt_rounds, known_words=(settings.site_name,))
    invites = CodeStore(database, database["invites"], owner="made_by_id", clock=clock)
    reset_codes = CodeStore(database, database["resets"], owner="user", clock=clock)
    first_key = context.secret_key if settings.is_public else ""
    accounts = Accounts(
        users, sessions, invites, passwords, below.site.limits, registration=registration, first_key=first_key
    )
    avatars = Avatars(AvatarStore(database), drawing)
    return PeopleParts(
        users=users,
        directory=DirectoryStore(database),
        states=AccountStateStore(database, clock=clock),
        session_store=session_store,
        sessions=sessions,
        accounts=accounts,
        invites=invites,
        passwords=passwords,
        profiles=Profiles(users, below.site.acts, below.site.notices.tell),
        resets=Resets(reset_codes, users, accounts, below.site.acts),
        avatars=avatars,
        forget=(sessions.forget, reset_codes.forget, invites.forget, avatars.remove),
    )
