"""Sessions and access tokens, found by a secret that only their user has.

A secret is valid while its session is in the database and has not ended or expired. A change of the password ends it.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from chatroom.base.clock import Clock, as_stored, utc_now
from chatroom.base.models import Scope, Session, User
from chatroom.people.sessions_store import SessionStore
from chatroom.people.tokens import USUAL
from chatroom.people.users_store import UserStore
from chatroom.site.codes_store import hash_of

SECRET_BYTES = 32
TOKEN_PREFIX = "chatroom_"  # noqa: S105  so that scanners for leaked secrets can find it
TOUCH_EVERY = timedelta(minutes=1)
LONGEST_SECRET = 100
LONGEST_LABEL = 200

Kind = Literal["browser", "token"]


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(
        self,
        store: SessionStore,
        user_store: UserStore,
        *,
        idle: timedelta,
        lifetime: timedelta,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._user_store = user_store
        self._idle = idle
        self._lifetime = lifetime
        self._clock = clock

    def begin(self, user: User, *, label: str, address: str) -> str:
        """Log a browser in, and return the secret for its cookie."""
        return self._begin(user, "browser", min(self._idle, self._lifetime), label=label, address=address)

    def create_token(
        self, user: User, *, label: str, days: int = 365, scopes: Iterable[Scope] = USUAL, rooms: Iterable[str] = ()
    ) -> str:
        """Create an access token for a program, and return its secret, which is shown once."""
        wanted = {"scopes": tuple(sorted(set(scopes))), "rooms": tuple(sorted(set(rooms)))}
        return self._begin(user, "token", timedelta(days=days), label=label, address="", **wanted)

    def find_valid(self, secret: str, kind: Kind | None = None) -> tuple[Session, User] | None:
        """Return the session and the user of a secret. Return None if the secret is not valid."""
        if not 0 < len(secret) <= LONGEST_SECRET:
            return None
        session = self._store.find(hash_of(secret))
        if session is None or kind not in {None, session.kind}:
            return None
        user = self._holder_of(session)
        return (self._touch(session), user) if user else None

    def list_for(self, user: User) -> list[Session]:
        """Return the sessions that a user began with the current password, the most recently used first."""
        return [each for each in self._store.list_for(user.id) if each.password_version == user.password_version]

    def end(self, user_id: str, session_id: str) -> bool:
        """End a session of a user. Return False if the user has no such session."""
        return self._store.end(user_id, session_id)

    def end_all(self, user_id: str, *, but: str = "", before: datetime | None = None) -> int:
        """End a user's sessions and tokens, except `but` and those that began after `before`. Return how many ended."""
        return self._store.end_all(user_id, but=but, before=before)

    def forget(self, user_id: str) -> None:
        """End the sessions and tokens of a deleted user, and remove their addresses."""
        self._store.end_all(user_id)
        self._store.forget(user_id)

    def is_banned(self, user: User) -> bool:
        """Return whether the user is banned now. During a ban, no session or token is valid."""
        return user.banned_until is not None and user.banned_until > self._clock()

    def has_been_at(self, user_id: str, address: str) -> bool:
        """Return whether the user has recently logged in from the network of this address."""
        return self._store.has_been_at(user_id, address)

    def prolong(self, session_id: str, *, is_active: bool) -> datetime | None:
        """Prolong a session if its user was active. Return the session's expiry, or None if the session has ended."""
        session = self._store.find(session_id)
        if session is None or self._holder_of(session) is None:
            return None
        return (self._touch(session) if is_active else session).expires_at

    def ended_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Return the id and the end time of each session that ended after `moment` (see `SessionStore.ended_since`)."""
        return self._store.ended_since(moment)

    def _begin(self, user: User, kind: Kind, lasts: timedelta, *, label: str, address: str, **more: Any) -> str:
        now = as_stored(self._clock())
        secret = (TOKEN_PREFIX if kind == "token" else "") + secrets.token_urlsafe(SECRET_BYTES)
        session = Session(
            id=hash_of(secret),
            user_id=user.id,
            kind=kind,
            label=label[:LONGEST_LABEL],
            address=address,
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
            password_version=user.password_version,
            **more,
        )
        self._store.add(session)
        return secret

    def _holder_of(self, session: Session) -> User | None:
        """Return the user of a session, or None if it began with an earlier password, or if the user is banned."""
        user = self._user_store.find(session.user_id)
        if user is None or user.password_version != session.password_version or self.is_banned(user):
            return None
        return user

    def _touch(self, session: Session) -> Session:
        """Store the use of a session, at most once a minute."""
        now = as_stored(self._clock())
        if now - session.seen_at < TOUCH_EVERY:
            return session
        expires_at = session.expires_at
        if session.kind == "browser":
            expires_at = min(now + self._idle, session.created_at + self._lifetime)
        touched = msgspec.structs.replace(session, seen_at=now, expires_at=expires_at)
        self._store.touch(touched)
        return touched
