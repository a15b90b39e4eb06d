"""Rooms in the administration: their figures, and acts on them from outside.

These pages never show messages; a title links to the room only if the administrator may enter it.
"""

from flask import Blueprint, Response, flash, redirect, request, url_for

from chatroom.base.errors import Refused
from chatroom.moderation.site_rooms import PAGE
from chatroom.moderation.site_rooms_store import MOST_COUNTED
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.login import current_user
from chatroom.web.kit.pages import Page, refusals_on
from chatroom.web.kit.services import services
from chatroom.web.moderation.admin import LONGEST_NAME, admin_page, administrators_only

LONGEST_PLACE = 200

blueprint = Blueprint("admin_rooms", __name__, url_prefix="/admin/rooms")
blueprint.before_request(administrators_only)


@blueprint.app_template_filter("counted")
def counted(number: int) -> str:
    """A number with its thousands; `100,000+` where no more were counted."""
    return f"{number:,}{'+' if number >= MOST_COUNTED else ''}"


@blueprint.get("")
def rooms() -> Page:
    """All public and private rooms by title, or those whose titles begin like what was typed."""
    wanted = request.args.get("q", "")[:LONGEST_NAME].strip()
    place = (request.args.get("after", "")[:LONGEST_PLACE], request.args.get("id", "")[:LONGEST_PLACE])
    found = services.moderation.site_rooms.list_like(wanted, place, PAGE + 1)
    return admin_page(
        "rooms", rooms=found[:PAGE], q=wanted, next_place=found[PAGE - 1].place if len(found) > PAGE else None
    )


def _room_page(slug: str, status: int = 200, msg: str = "") -> Response:
    found = services.moderation.site_rooms.get(slug)
    room = found.room
    return admin_page(
        "room",
        status,
        section="rooms",
        found=found,
        room=room,
        may_enter=room.kind == "public" or services.rooms.access.find_for(current_user.id, room.slug) is not None,
        entries=services.site.audit.page(room=room.id).entries,
        msg=msg,
        typed={"username": _typed_name(), "reason": request.form.get("reason", "")},
        most=LONGEST_REASON,
    )


@blueprint.get("/<slug>")
def room(slug: str) -> Page:
    """A room in figures, what can be done about it, and what was."""
    return _room_page(slug)


@blueprint.post("/<slug>/archive")
@refusals_on(_room_page)
def archive(slug: str) -> Page:
    """Close the room for writing, or open it again."""
    is_archived = request.form.get("archived") == "yes"
    services.moderation.site_rooms.archive(slug, current_user.author, is_archived=is_archived, reason=_typed_reason())
    flash("The room was archived." if is_archived else "The room was reopened.", "success")
    return redirect(url_for("admin_rooms.room", slug=slug), 303)


@blueprint.post("/<slug>/appoint")
@refusals_on(_room_page)
def appoint(slug: str) -> Page:
    """Appoint a member as administrator of a room that has none."""
    user = services.people.users.find_by_username(_typed_name())
    if user is None:
        raise Refused("not_found", f"There is no user named {_typed_name()}.")
    services.moderation.site_rooms.appoint(slug, current_user.author, user, _typed_reason())
    flash("The member is now an administrator of the room.", "success")
    return redirect(url_for("admin_rooms.room", slug=slug), 303)


def _typed_name() -> str:
    return request.form.get("username", "")[:LONGEST_NAME]


def _typed_reason() -> str:
    return request.form.get("reason", "")[: LONGEST_REASON + 1]
