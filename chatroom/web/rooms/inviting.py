"""The page "Invite people": it makes a room link, shows the link once, with its QR code, and lists the valid links.

`RoomLinks` decides who may do this. Others read whom they can ask.
"""

import segno
from flask import Response, request, url_for

from chatroom.base.access import Access
from chatroom.base.models import Room
from chatroom.rooms.access import LOBBY
from chatroom.web.kit.login import current_user, get_access, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, refusals_on, render
from chatroom.web.kit.services import services
from chatroom.web.messages.pages import LAST_ROOM, open_room
from chatroom.web.rooms.forms import InviteForm, UsernameForm
from chatroom.web.rooms.tabs import show_tab

MOST_ROOMS = 50
"""The number of other rooms to choose from."""
MOST_NAMED = 5
"""The number of administrators whom a page names."""

blueprint = page_blueprint("inviting")


@blueprint.get("/invite")
def choose() -> Page:
    """Redirect to the page of the room that is open, or else of the first room to which the user may invite people."""
    slugs = [room.slug for room in _rooms_to_invite_to()]
    if current_user.role != "member":
        slugs.append(LOBBY.slug)  # even if they have never opened it
    if not slugs:
        return _nobody()
    last = request.cookies.get(LAST_ROOM, "")
    return redirect_to("inviting.invite", slug=last if last in slugs else slugs[0])


def _invite_page(slug: str, form: InviteForm | None = None, **shown: Shown) -> Response:
    access = get_access(slug) if request.method == "POST" else open_room(slug)
    if not access.may_moderate:
        return _nobody(access.room, 403)
    return show_tab(
        "invite",
        access,
        form=form or InviteForm(),
        member_form=UsernameForm(formdata=None),
        links=services.rooms.links.list_for(access),
        admits_strangers=services.moderation.invitations.may_admit_strangers(access),
        others=[room for room in _rooms_to_invite_to() if room.id != access.room.id][:MOST_ROOMS],
        **shown,
    )


@blueprint.route("/rooms/<slug>/invites", methods=["GET", "POST"])
@form_page(_invite_page, InviteForm)
def invite(form: InviteForm, slug: str) -> Page:
    """Create a room link, and show it once."""
    code = services.rooms.links.make(get_access(slug), uses=form.uses.data, hours=form.hours.data)
    link = url_for("invitations.show", code=code, _external=True)
    return _invite_page(slug, link=link, picture=_qr_code(link))


@blueprint.post("/rooms/<slug>/invites/<invite_id>/end")
@refusals_on(_invite_page)
def revoke(slug: str, invite_id: str) -> Page:
    """Revoke a room link."""
    services.rooms.links.end(get_access(slug), invite_id)
    return redirect_to("inviting.invite", "The link was revoked.", slug=slug)


def _nobody(room: Room | None = None, status: int = 200) -> Response:
    """The page for a user who may not invite people: it names the administrators of the site."""
    return render(
        "rooms/invite_ask.html", status, room=room, people=services.people.directory.administrators(MOST_NAMED)
    )


def _rooms_to_invite_to() -> list[Room]:
    """The rooms to which this user may invite people: first the lobby, then by title."""
    person, role = current_user.person, current_user.role
    rooms = [
        entry.room
        for entry in services.rooms.listings.list_for(current_user.id)
        if Access(room=entry.room, membership=entry.membership, person=person, site_role=role).may_moderate
        and not entry.room.archived_at
    ]
    return sorted(rooms, key=lambda room: (room.id != LOBBY.id, room.title))


def _qr_code(link: str) -> str:
    """The QR code of a link, as the address of a picture: no request for it carries the secret."""
    return segno.make_qr(link, error="m").svg_data_uri(border=4, dark="#000", light="#fff", omitsize=True)
