"""Who may act on a user: an account with a higher role than this user, or the console."""

from datetime import datetime

from chatroom.base.access import POWERS
from chatroom.base.durations import until
from chatroom.base.errors import Refused
from chatroom.base.models import Author, User
from chatroom.site.audit import CONSOLE

GONE = "This account was deleted."
By = User | None
"""The actor: an account, or None for the person at the console."""


def author_of(by: By) -> Author:
    """Return `by` as the actor in the audit log."""
    return CONSOLE if by is None else by.person.author


def has_power(by: By, user: User) -> bool:
    """Return whether `by` may mute and ban this user."""
    return by is None or (by.role != "member" and POWERS[by.role] > POWERS[user.role])


def check_power(by: By, user: User) -> None:
    """Raise `Refused` (`forbidden`) unless `by` may mute and ban this user."""
    if not has_power(by, user):
        raise Refused("forbidden", "You may not do this to a user of the same role, who must lose that role first.")


def ban_words(end: datetime, reason: str) -> str:
    """Return the sentence that banned users see."""
    return f"You are banned {until(end)}: {reason}"
