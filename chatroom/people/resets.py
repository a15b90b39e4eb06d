"""Reset links: an administrator gives somebody who forgot their password a link, once good for a new one.

Only the hash of its secret is kept, and a new password ends it. A link that is wrong, used or too old is told apart by
nothing.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chatroom.base.errors import Refused
from chatroom.base.models import User
from chatroom.people.accounts import Accounts
from chatroom.people.resets_store import ResetStore
from chatroom.people.users_store import UserStore
from chatroom.site.acts import Acts
from chatroom.site.audit import about_user
from chatroom.site.authority import By, author_of, check_power

SECRET_BYTES = 24
GOOD_FOR = timedelta(hours=24)
LONGEST_SECRET = 100


class Resets:
    """Make and use reset links."""

    def __init__(
        self,
        store: ResetStore,
        users: UserStore,
        accounts: Accounts,
        acts: Acts,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._users = users
        self._accounts = accounts
        self._acts = acts
        self._clock = clock

    def make(self, by: By, user: User) -> str:
        """Make a link's secret, shown only now; the user's earlier ones are worth nothing any more."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators can create reset links.")
        check_power(by, user)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        ends, version = self._clock() + GOOD_FOR, user.password_version
        self._acts.do(
            "resets",
            lambda note: self._store.add(_id_of(secret), user.id, ends, password_version=version, note=note),
            author_of(by),
            "make_reset_link",
            about_user(user),
            is_new=True,
        )
        return secret

    def find_user(self, secret: str) -> User:
        """Whose link this is; raise `Refused` (`not_found`) when it is not good."""
        return self._get(self._store.find_user(_id_of(secret)) if len(secret) <= LONGEST_SECRET else None)

    def use(self, secret: str, password: str) -> User:
        """Set a new password by a link, which is used up by it; all the user's sessions and tokens end."""
        user = self.find_user(secret)
        made = self._accounts.hash_choice(user, password)  # before the link is used up: it may be refused
        user = self._get(self._store.take(_id_of(secret)))
        self._acts.do(
            "users",
            lambda note: self._accounts.set_hash(user, made, note),
            author_of(user),
            "use_reset_link",
            about_user(user),
            is_new=True,
        )
        return self._users.find(user.id) or user

    def _get(self, owner: tuple[str, int] | None) -> User:
        user_id, password_version = owner or ("", 0)
        user = self._users.find(user_id) if owner else None
        # Whoever has set another password since has no need of the link, and may fear who else has it.
        if user is None or user.password_version != password_version:
            raise Refused("not_found", "This link has expired or has already been used. Please ask for a new one.")
        return user


def _id_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
