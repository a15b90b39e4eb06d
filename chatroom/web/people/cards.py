"""A person as the person's page and the small card over the chat show them."""

from datetime import UTC, datetime
from typing import Literal

import msgspec
from flask import Flask

from chatroom.base.access import Access
from chatroom.base.models import FORMER_MEMBER, Author, Person, Quiet, Role, Status, User
from chatroom.people.statuses import current_status, quiet_until
from chatroom.rooms.members_store import MEMBERS_PAGE
from chatroom.web.kit.services import services
from chatroom.web.kit.times import times_of_reader

WEEK_DAYS = 7
Seen = Literal["here", "today", "week", ""]
"""When somebody used the site last, as coarse as others see it."""
SEEN: dict[str, str] = {"here": "Here now", "today": "Last seen today", "week": "Last seen this week", "": ""}


class PersonCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person. `status` is present only until it ends. `quiet_until` is the time until which nothing is to disturb."""

    id: str
    name: str
    username: str
    is_bot: bool = False
    role: Role = "member"
    """The role on the site."""
    room_role: Role = "member"
    """The role in the asked room."""
    about: str = ""
    time_zone: str = ""
    status: Status | None = None
    quiet_until: datetime | None = None
    seen: Seen = ""


class AwayPerson(msgspec.Struct, frozen=True):
    """A member of a room who is not in the room now. `here`: the person has another page of the site open."""

    person: Person
    seen: Seen


def register(app: Flask) -> None:
    """Give templates the filters about people."""
    app.jinja_env.filters.update(as_status=shown_status, quiet_until=shown_quiet, has_page=has_page)


def card_of(user: User, access: Access | None = None) -> PersonCard:
    """Return what members of the site see of a user. `access` is the reader's access to a room of the user."""
    now = datetime.now(UTC)
    there = services.rooms.access.find_for(user.id, access.room.slug) if access else None
    return PersonCard(
        id=user.id,
        name=user.display_name,
        username=user.username,
        is_bot=user.is_bot,
        role=user.role,
        room_role=there.membership.role if there else "member",
        about=user.about,
        time_zone=user.time_zone,
        status=current_status(user.status, now),
        quiet_until=quiet_until(user.quiet, now),
        seen=seen_of([user.id])[user.id],
    )


def seen_of(user_ids: list[str]) -> dict[str, Seen]:
    """Return when these users used the site last: here now, today, in the last seven days, or "" for longer ago."""
    here = services.live.presences.here_among(user_ids)
    seen_at = services.people.session_store.seen_at([each for each in user_ids if each not in here])
    return {each: "here" if each in here else _step(seen_at.get(each)) for each in user_ids}


def away_from(access: Access) -> tuple[list[AwayPerson], bool]:
    """Return some members of a room who are not in it now, those who were here last first, and whether there are more.

    Of a large room, these are the first members by user name.
    """
    room = access.room
    found = services.rooms.members.list_page(room)
    here = {person.id for person in services.live.presences.here(room.id)} | {access.user_id}
    people = [member.person for member in found[:MEMBERS_PAGE] if member.person.id not in here]
    seen = seen_of([person.id for person in people])
    away = [AwayPerson(person, seen[person.id]) for person in people]
    order = list(SEEN)
    return sorted(away, key=lambda each: order.index(each.seen)), len(found) > MEMBERS_PAGE


def shown_status(status: Status | None) -> Status | None:
    """A template filter: the status unless it has ended."""
    return current_status(status, datetime.now(UTC))


def shown_quiet(quiet: Quiet | None) -> datetime | None:
    """A template filter: when the person may be disturbed again, or None."""
    return quiet_until(quiet, datetime.now(UTC))


def has_page(author: Author) -> bool:
    """A template filter: whether the author's name is a link. Deleted accounts have no page."""
    return author.name != FORMER_MEMBER


def _step(seen_at: datetime | None) -> Seen:
    if seen_at is None:
        return ""
    times = times_of_reader()
    days = (times.day_of(datetime.now(UTC)) - times.day_of(seen_at)).days
    return "today" if days <= 0 else "week" if days < WEEK_DAYS else ""
