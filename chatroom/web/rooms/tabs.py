"""The tabs about a room: which of them a member sees, and what all of them show.

A tab is a page with an address of its own. Its view checks the permission again.
"""

from typing import NamedTuple

from flask import Response

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.rooms.fields import badges_of
from chatroom.rooms.members_store import MOST_COUNTED
from chatroom.web.kit.pages import Shown, render
from chatroom.web.kit.services import services


class Tab(NamedTuple):
    """A page about a room. `name` is its template."""

    name: str
    title: str
    endpoint: str


FOR_MEMBERS = (Tab("about", "About", "room_settings.about"), Tab("members", "Members", "room_settings.members"))
FOR_MODERATORS = (Tab("invite", "Invite", "inviting.invite"),)
FOR_ADMINISTRATORS = (
    Tab("general", "General", "room_settings.general"),
    Tab("rules", "Rules", "room_settings.rules"),
    Tab("record", "Record", "room_settings.record"),
    Tab("danger", "Danger", "room_settings.danger"),
)


def tabs_for(access: Access) -> list[Tab]:
    """Return the tabs that this member may open."""
    return [
        *FOR_MEMBERS,
        *(FOR_MODERATORS if access.may_moderate else ()),
        *(FOR_ADMINISTRATORS if access.may_manage else ()),
    ]


def show_tab(name: str, access: Access, **shown: Shown) -> Response:
    """Render a tab."""
    room = access.room
    return render(
        f"rooms/{name}.html",
        section=name,
        tabs=tabs_for(access),
        access=access,
        room=room,
        badges=badges_of(room),
        count=services.rooms.members.count(room),
        most_counted=MOST_COUNTED,
        **shown,
    )


def check_managing(access: Access, refused: str = "Only administrators of this room can change it.") -> Access:
    """Raise `Refused` unless this member manages the room."""
    if not access.may_manage:
        raise Refused("forbidden", refused)
    return access
