"""The page of a room link. People without an account see who invites them, and the name of the room: nothing else."""

import re
from contextlib import suppress
from urllib.parse import unquote

from flask import Blueprint

from chatroom.base.errors import Unavailable
from chatroom.moderation.invitations import Invitation
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.pages import Page, redirect_to, render
from chatroom.web.kit.services import services

PATH = "/join/"

blueprint = Blueprint("invitations", __name__)


@blueprint.get(f"{PATH}<code>")
def show(code: str) -> Page:
    """Who invites to which room."""
    return render("rooms/rooms_join.html", invitation=services.moderation.invitations.get(code), code=code)


@blueprint.post(f"{PATH}<code>")
@login_required
def accept(code: str) -> Page:
    """Join a room by a room link."""
    services.site.limits.coming.check(current_user.id)
    room = services.rooms.links.accept(current_user.author, code)
    return redirect_to("pages.room", slug=room.slug)


def code_in(address: str | None) -> str:
    """Return the code of a room link from the address to which a visitor returns after a log-in, or ""."""
    return address.removeprefix(PATH) if address and address.startswith(PATH) else ""


def code_of(pasted: str) -> str:
    """Return the code of a pasted room link, in whatever it stands. A text without a link is returned as it is."""
    found = re.search(rf"{PATH}([\w-]+)", unquote(pasted))
    return found[1] if found else pasted


def invitation_to(address: str | None) -> Invitation | None:
    """Return the invitation to which a visitor returns, for a page that is shown even if the database is away."""
    code = code_in(address)
    with suppress(Unavailable):
        return services.moderation.invitations.find(code) if code else None
    return None
