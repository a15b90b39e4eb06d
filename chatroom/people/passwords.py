"""Passwords: the rules for them, and their hashes.

Every invalid input raises `Refused`, and no password is ever truncated.
"""

import logging
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from types import SimpleNamespace

from flask_bcrypt import Bcrypt

from chatroom.base.errors import Refused
from chatroom.base.threads import Workers

log = logging.getLogger(__name__)

PASSWORD_RULE = "8 to 256 characters in any script. A long password is better than a complicated one."  # noqa: S105
SHORTEST = 8
LONGEST = 256
SHORTEST_REST = 6
"""The characters of a password that must remain after the names of the user and the site are removed."""

RETRY_AFTER_SECONDS = 3.0
BUSY = "Too many people are logging in right now. Please try again in a moment."


def make_hasher() -> Bcrypt:
    """Return a hasher that applies SHA-256 before bcrypt. Never change this step (docs/decisions/0040-passwords.md)."""
    hasher = Bcrypt()
    hasher.init_app(SimpleNamespace(config={"BCRYPT_HANDLE_LONG_PASSWORDS": True}))
    return hasher


class Passwords:
    """Checks and hashes passwords, a few at a time, in threads of low priority."""

    def __init__(self, hasher: Bcrypt, *, rounds: int, known_words: Iterable[str] = ()) -> None:
        self._hasher = hasher
        self._rounds = rounds
        self._known_words = ("chatroom", *known_words)
        self._workers = Workers("passwords", BUSY, retry_after=RETRY_AFTER_SECONDS)

    def check_choice(self, password: str, own_names: Iterable[str] = ()) -> None:
        """Raise `Refused` (`invalid`), with the reason, unless a user may choose this password."""
        if len(password) > LONGEST:
            raise _invalid(f"The password is too long: at most {LONGEST} characters are allowed.")
        normal = _normal(password)
        if normal is None:
            raise _invalid("The password contains an incomplete character. Please type it again.")
        if len(normal) < SHORTEST:
            raise _invalid(f"The password is too short: it needs at least {SHORTEST} characters.")
        folded = normal.casefold()
        if folded in _common() or re.sub(r"[\W\d_]+$", "", folded) in _common():
            raise _invalid("Many people use this password, so attackers try it first. Please choose another.")
        if _is_mostly(folded, (*self._known_words, *own_names)):
            raise _invalid("The password is too similar to your name or the name of this site. Please choose another.")

    def hash(self, password: str) -> str:
        """Return the hash of a password that `check_choice` has accepted. Raises `Refused` (`busy`)."""
        normal = _normal(password)
        if not normal:
            raise _invalid("Please enter a password.")
        return self._workers.run(lambda: str(self._hasher.generate_password_hash(normal, self._rounds), "ascii"))

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Return whether the password has this hash. Raises `Refused` (`busy`).

        For an unknown user, pass None as `password_hash`. The check then takes as long as for a known user.
        """
        normal = _normal(password) if len(password) <= LONGEST else None
        kept = password_hash if normal is not None and self._is_hash(password_hash) else None
        return self._workers.run(lambda: self._verify(normal or "", kept))

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether the cost of the hash differs from the cost in the settings."""
        return not password_hash.startswith(f"$2b${self._rounds:02d}$")

    def close(self) -> None:
        self._workers.close()

    def _verify(self, password: str, kept: str | None) -> bool:
        try:
            matches: bool = self._hasher.check_password_hash(kept or self._dummy, password)
        except ValueError:
            log.exception("a stored password hash cannot be read")
            return False
        return matches and kept is not None

    def _is_hash(self, password_hash: str | None) -> bool:
        if password_hash is None:
            return False
        if isinstance(password_hash, str) and re.fullmatch(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}", password_hash):
            return True
        log.error("a stored password hash is damaged: that person cannot log in until the password is set again")
        return False

    @property
    def _dummy(self) -> str:
        """A hash whose password nobody knows, with the cost in the settings."""
        return f"$2b${self._rounds:02d}$" + "." * 22 + "O" * 31


def _normal(password: str) -> str | None:
    """Return the password in NFKC. Return None if the password is not valid text."""
    try:
        password.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None
    return unicodedata.normalize("NFKC", password)


def _is_mostly(folded: str, words: Iterable[str]) -> bool:
    spellings = {spelling.casefold() for word in words for spelling in (word, *word.split(), word.replace(" ", ""))}
    known = sorted((spelling for spelling in spellings if len(spelling) >= 3), key=len, reverse=True)
    rest = folded
    for word in known:
        rest = rest.replace(word, "")
    return len(rest) < SHORTEST_REST and rest != folded


@cache
def _common() -> frozenset[str]:
    text = files("chatroom.people").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line.casefold() for line in text.splitlines() if not line.startswith("#"))


def _invalid(message: str) -> Refused:
    return Refused("invalid", message)
