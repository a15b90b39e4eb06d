"""Accounts: register, log in, change the password.

An unknown name and a wrong password get the same answer, after the same time.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from secrets import token_urlsafe

import msgspec

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Role, User
from chatroom.names import clean_display_name, clean_username, fold
from chatroom.people.first_account import is_first_code
from chatroom.people.passwords import Passwords
from chatroom.people.sessions import Sessions
from chatroom.people.users_store import UserStore
from chatroom.site.acts_store import Note
from chatroom.site.authority import GONE, ban_words
from chatroom.site.codes_store import CodeStore, is_code
from chatroom.site.limits import Limits

log = logging.getLogger(__name__)

LONGEST_USERNAME = 64
"""The longest text that a log-in looks up, because no user name is longer."""
USED_UP = "This invite has expired or has been used up. Please ask for a new one."
NO_CODE = "This is not an invite code or link. Paste all of it, as you got it."


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a visitor who registers."""

    username: str
    display_name: str
    password: str
    invite: str = ""


class Accounts:
    """Registers users, logs them in, and changes their passwords.

    `registration` returns the present mode: `open`, `invite` or `closed`. `first_key` is the site's secret
    key, for the code of the first account. `first_key` is empty if the first account needs no code.
    """

    def __init__(
        self,
        user_store: UserStore,
        sessions: Sessions,
        invites: CodeStore,
        passwords: Passwords,
        limits: Limits,
        *,
        registration: Callable[[], str],
        first_key: str = "",
    ) -> None:
        self._user_store = user_store
        self._sessions = sessions
        self._invites = invites
        self._passwords = passwords
        self._limits = limits
        self._registration = registration
        self.first_key = first_key

    def register(self, wanted: Registration, address: str, room_links: CodeStore | None = None) -> User:
        """Create the account of a visitor. Raises `Taken`, or `Refused` with the reason.

        If `room_links` is given, the visitor's invite is one of these links, and admits in every mode.
        """
        registration = "invite" if room_links else self._registration()
        if registration == "closed":
            raise Refused("forbidden", "Registration is closed.")
        wanted = self._check(wanted)
        self._limits.registration.enter(address)
        needs_first_code = self.needs_first_code()
        if needs_first_code and not is_first_code(wanted.invite, self.first_key):
            raise Refused("forbidden", "The first account needs a code. The server printed it when it started.")
        if needs_first_code or registration != "invite":
            return self._add(wanted, address)
        code, codes = wanted.invite.strip(), room_links or self._invites
        if not code:
            raise Refused("forbidden", "You need an invite to register here.")
        if codes.take(code) is None:
            raise Refused("forbidden", USED_UP if is_code(code) else NO_CODE)
        try:
            return self._add(wanted, address)
        except Refused:
            codes.give_back(code)
            raise

    def needs_first_code(self) -> bool:
        """Return whether a registration now needs the code that the server printed at its start.

        Only the first account of a public site needs it.
        """
        if self.first_key and self._user_store.has_any():
            self.first_key = ""
        return bool(self.first_key)

    def create(self, wanted: Registration, role: Role = "member") -> User:
        """Create an account from the console, without invite and limits."""
        return self._add(self._check(wanted), "the console", role)

    def create_bot(self, username: str, display_name: str) -> User:
        """Create an account for a program. The program uses a token, and nobody knows the password."""
        if not self._user_store.has_any():
            raise Refused("forbidden", "Create a person's account first: the first account administers the site.")
        wanted = self._check(Registration(username=username, display_name=display_name, password=token_urlsafe(24)))
        return self._add(wanted, "the console", is_bot=True)

    def authenticate(self, username: str, password: str, address: str) -> User:
        """Find a user by name and password. Raises `Refused` (`wrong_password`, `too_fast`, `busy`, `banned`)."""
        username = username.strip()
        key = fold(username[:LONGEST_USERNAME])
        user = self._user_store.find_by_username(username) if len(username) <= LONGEST_USERNAME else None
        is_known_address = self._sessions.has_been_at(user.id if user else "", address)
        self._limits.login.enter(key, address, is_known_address=is_known_address)
        if not self._passwords.verify(password, user.password_hash if user else None) or user is None:
            self._limits.login.fail(address)
            log.warning("a log-in failed", extra={"user": user.id if user else None, "address": address})
            raise Refused("wrong_password", "Wrong user name or password.")
        self._limits.login.succeed(key, address, is_known_address=is_known_address)
        self._refresh_hash(user, password)
        if reason := self._reason_of_ban(user):  # said only to the account's owner
            raise Refused("banned", reason)
        return user

    def find_exclusion(self, user_id: str) -> str | None:
        """Return the sentence that says why a user may not log in: the account is banned or deleted."""
        user = self._user_store.find(user_id)
        return self._reason_of_ban(user) if user else GONE

    def change_password(self, user: User, current: str, new: str, address: str) -> User:
        """Replace the password, if `current` is right, and end all sessions and tokens of the user."""
        self.authenticate(user.username, current, address)
        return self.set_password(user, new)

    def set_password(self, user: User, new: str) -> User:
        """Replace the password, and end all sessions and tokens of the user."""
        return self.set_hash(user, self.hash_choice(user, new))

    def hash_choice(self, user: User, new: str) -> str:
        """Check a new password of this user, and return its hash. Raises `Refused` (`invalid`, `busy`)."""
        self._passwords.check_choice(new, (user.username, user.display_name))
        return self._passwords.hash(new)

    def set_hash(self, user: User, password_hash: str, note: Note | None = None) -> User:
        """Store the hash of a new password, and end all sessions and tokens of the user."""
        changed = self._user_store.change_password(user.id, password_hash, note)
        if changed is None:
            raise Refused("not_found", "This account does not exist.")
        # The new password version has already ended the sessions. `end_all` also closes their connections at once. If
        # `end_all` fails, these connections close within two minutes.
        with suppress(Unavailable):
            self._sessions.end_all(user.id)
        log.info("a password was changed", extra={"user": user.id})
        return changed

    def _reason_of_ban(self, user: User) -> str | None:
        is_banned = self._sessions.is_banned(user)
        return ban_words(user.banned_until, user.ban_reason) if user.banned_until and is_banned else None

    def _check(self, wanted: Registration) -> Registration:
        username = clean_username(wanted.username)
        display_name = clean_display_name(wanted.display_name)
        self._passwords.check_choice(wanted.password, (username, display_name))
        return msgspec.structs.replace(wanted, username=username, display_name=display_name)

    def _add(self, wanted: Registration, address: str, role: Role = "member", *, is_bot: bool = False) -> User:
        password_hash = self._passwords.hash(wanted.password)
        user = self._user_store.add(wanted.username, wanted.display_name, password_hash, role, is_bot=is_bot)
        log.info("an account was created", extra={"user": user.id, "role": user.role, "address": address})
        return user

    def _refresh_hash(self, user: User, password: str) -> None:
        """Renew the hash if the cost has changed. If the server is busy, a later log-in renews the hash."""
        if self._passwords.is_outdated(user.password_hash):
            try:
                self._user_store.replace_hash(user.id, user.password_hash, self._passwords.hash(password))
            except Refused:
                log.info("a password hash was not renewed: too many people are logging in", extra={"user": user.id})
