"""Reset links: an administrator creates a link for a user who forgot the password. The link sets one new password.

The link also ends when the password is changed in another way. Wrong, used and expired links get the same answer.
"""

from datetime import timedelta

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import User
from chatroom.people.accounts import Accounts
from chatroom.people.users_store import UserStore
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import about_user
from chatroom.site.authority import By, author_of, check_power
from chatroom.site.codes_store import Code, CodeStore, make_code

LIFETIME = timedelta(hours=24)


class Resets:
    """Create and use reset links."""

    def __init__(
        self, codes: CodeStore, user_store: UserStore, accounts: Accounts, acts: Acts, *, clock: Clock = utc_now
    ) -> None:
        self._codes = codes
        self._user_store = user_store
        self._accounts = accounts
        self._acts = acts
        self._clock = clock

    def make(self, by: By, user: User) -> str:
        """Create a link, and end the user's earlier links. Return the link's secret, which is shown once."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators can create reset links.")
        check_power(by, user)
        about: dict[str, str | int] = {"user": user.id, "password_version": user.password_version}
        secret, code = make_code(self._clock(), LIFETIME, about)

        def add(note: Note) -> None:
            self._codes.replace(user.id)
            self._codes.add(code, note)

        self._acts.do("resets", add, author_of(by), "make_reset_link", about_user(user), is_new=True)
        return secret

    def find_user(self, secret: str) -> User:
        """Return the user of a link. Raises `Refused` (`not_found`) if the link is not valid."""
        return self._get_user(self._codes.find(secret))

    def use(self, secret: str, password: str) -> User:
        """Set a new password. This ends the link, and all sessions and tokens of the user."""
        user = self.find_user(secret)
        made = self._accounts.hash_choice(user, password)  # a refused password must not use up the link
        user = self._get_user(self._codes.take(secret))
        self._acts.do(
            "users",
            lambda note: self._accounts.set_hash(user, made, note),
            author_of(user),
            "use_reset_link",
            about_user(user),
            is_new=True,
        )
        return self._user_store.find(user.id) or user

    def _get_user(self, code: Code | None) -> User:
        user = self._user_store.find(str(code.about["user"])) if code else None
        # After a change of the password, the link is not needed, and a stranger may have it.
        if code is None or user is None or user.password_version != code.about.get("password_version", 0):
            raise Refused("not_found", "This link has expired or has already been used. Please ask for a new one.")
        return user
