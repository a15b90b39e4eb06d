"""Profiles of users. A new display name is shown at once; earlier messages keep the old name."""

import unicodedata
from collections.abc import Callable
from datetime import datetime

import msgspec

from chatroom.base.errors import Refused
from chatroom.base.models import Notice, User
from chatroom.base.time_zones import find_zone, zone_names
from chatroom.names import clean_display_name
from chatroom.people.users_store import UserStore
from chatroom.site.acts import Acts
from chatroom.site.audit import about_user

LONGEST_ABOUT = 500


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a profile. `time_zone` is an IANA name, or empty."""

    display_name: str
    about: str = ""
    time_zone: str = ""


class Profiles:
    """Changes profiles."""

    def __init__(self, user_store: UserStore, acts: Acts, tell: Callable[[Notice], object]) -> None:
        self._user_store = user_store
        self._acts = acts
        self._tell = tell

    def change(self, user: User, wanted: Profile) -> None:
        """Store a profile. Raises `Taken`, or `Refused` with the reason."""
        profile = msgspec.structs.asdict(_clean(wanted))
        changed = msgspec.structs.replace(user, **profile)
        told = Notice(kind="user", user=user.id)  # makes connections read the user again
        if changed.display_name == user.display_name:
            self._user_store.set_profile(user, profile)
            self._tell(told)
            return
        self._acts.do(
            "users",
            lambda note: self._user_store.set_profile(user, profile, note),
            changed.person.author,
            "rename",
            about_user(user),
            details={"before": user.display_name},
            tell=[told],
        )


def local_time(user: User, now: datetime) -> str:
    """Return the local time of a user, or "" if the user has no time zone."""
    # The user may have set the zone on a machine that knows more zones.
    zone = find_zone(user.time_zone)
    return f"{now.astimezone(zone):%H:%M}" if zone else ""


def _clean(wanted: Profile) -> Profile:
    display_name, about = clean_display_name(wanted.display_name), _clean_about(wanted.about)
    time_zone = wanted.time_zone.strip()
    if time_zone and time_zone not in zone_names():
        raise Refused("invalid", "This time zone is not known. Please choose one from the list.")
    return msgspec.structs.replace(wanted, display_name=display_name, about=about, time_zone=time_zone)


def _clean_about(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_ABOUT:
        raise Refused("too_long", f"The text is too long: at most {LONGEST_ABOUT} characters are allowed.")
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character != "\n" for character in text):
        raise Refused("invalid", "The text contains a control character. Please type it again.")
    return text
