"""Rooms in the administration: figures, archiving, and appointing an administrator.

These pages never show messages. A title links to the room only if the administrator may enter the room.
"""

from flask import Blueprint, Response, request

from chatroom.base.errors import Refused
from chatroom.moderation.site_rooms import PAGE
from chatroom.moderation.site_rooms_store import MOST_COUNTED
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.login import current_user
from chatroom.web.kit.pages import Page, Shown, redirect_to, refusals_on
from chatroom.web.kit.services import services
from chatroom.web.moderation.admin import LONGEST_NAME, admin_page, administrators_only

LONGEST_PLACE = 200

blueprint = Blueprint("admin_rooms", __name__, url_prefix="/admin/rooms")
blueprint.before_request(administrators_only)


@blueprint.app_template_filter("counted")
def counted(number: int) -> str:
    """Format a number with a thousands separator; `100,000+` if counting stopped there."""
    return f"{number:,}{'+' if number >= MOST_COUNTED else ''}"


@blueprint.get("")
def rooms() -> Page:
    """All public and private rooms by title, or those whose titles start with `q`."""
    wanted = request.args.get("q", "")[:LONGEST_NAME].strip()
    place = (request.args.get("after", "")[:LONGEST_PLACE], request.args.get("id", "")[:LONGEST_PLACE])
    found = services.moderation.site_rooms.list_like(wanted, place, PAGE + 1)
    return admin_page(
        "rooms", rooms=found[:PAGE], q=wanted, next_place=found[PAGE - 1].place if len(found) > PAGE else None
    )


@blueprint.get("/<slug>")
def room(slug: str, **shown: Shown) -> Response:
    """A room in figures, with the acts on it."""
    found = services.moderation.site_rooms.get(slug)
    is_public = found.room.kind == "public"
    return admin_page(
        "room",
        section="rooms",
        found=found,
        room=found.room,
        may_enter=is_public or services.rooms.access.find_for(current_user.id, found.room.slug) is not None,
        entries=services.site.audit.page(room=found.room.id).entries,
        typed={"username": _typed_name(), "reason": request.form.get("reason", "")},
        most=LONGEST_REASON,
        **shown,
    )


@blueprint.post("/<slug>/archive")
@refusals_on(room)
def archive(slug: str) -> Page:
    """Archive or reopen a room."""
    is_archived = request.form.get("archived") == "yes"
    services.moderation.site_rooms.archive(slug, current_user.author, is_archived=is_archived, reason=_typed_reason())
    said = "The room was archived." if is_archived else "The room was reopened."
    return redirect_to("admin_rooms.room", said, slug=slug)


@blueprint.post("/<slug>/appoint")
@refusals_on(room)
def appoint(slug: str) -> Page:
    """Appoint a member as administrator of a room that has none."""
    user = services.people.users.find_by_username(_typed_name())
    if user is None:
        raise Refused("not_found", f"There is no user named {_typed_name()}.")
    services.moderation.site_rooms.appoint(slug, current_user.author, user, _typed_reason())
    return redirect_to("admin_rooms.room", "The member is now an administrator of the room.", slug=slug)


def _typed_name() -> str:
    return request.form.get("username", "")[:LONGEST_NAME]


def _typed_reason() -> str:
    return request.form.get("reason", "")[: LONGEST_REASON + 1]
