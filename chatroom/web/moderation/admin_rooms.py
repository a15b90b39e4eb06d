"""The rooms in the administration: figures of each, and what is done to one from outside.

What was said in a room is nowhere on these pages; a title leads to the room where the administrator may go anyway.
"""

from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, request, url_for

from chatroom.base.errors import Refused, Unavailable
from chatroom.moderation.site_rooms import PAGE
from chatroom.moderation.site_rooms_store import MOST_COUNTED, SiteRoom
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.login import Page, current_user
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


@blueprint.get("/<slug>")
def room(slug: str) -> Page:
    """A room in figures, what can be done about it, and what was."""
    return _room_page(services.moderation.site_rooms.get(slug))


@blueprint.post("/<slug>/archive")
def archive(slug: str) -> Page:
    """Close the room for writing, or open it again."""
    is_archived = request.form.get("archived") == "yes"
    reason = request.form.get("reason", "")[: LONGEST_REASON + 1]
    return _do(
        slug,
        lambda: services.moderation.site_rooms.archive(
            slug, current_user.author, is_archived=is_archived, reason=reason
        ),
        "The room is archived." if is_archived else "The room is open again.",
    )


@blueprint.post("/<slug>/appoint")
def appoint(slug: str) -> Page:
    """Put a member in charge of a room that nobody manages."""
    typed = request.form.get("username", "")[:LONGEST_NAME]
    reason = request.form.get("reason", "")[: LONGEST_REASON + 1]

    def do() -> None:
        user = services.people.users.find_by_username(typed)
        if user is None:
            raise Refused("not_found", "There is nobody of this user name.")
        services.moderation.site_rooms.appoint(slug, current_user.author, user, reason)

    return _do(slug, do, "They are in charge of the room now.", typed=typed)


def _do(slug: str, deed: Callable[[], object], said: str, typed: str = "") -> Page:
    """Do it and go back to the room, or show there why not."""
    found = services.moderation.site_rooms.get(slug)
    try:
        deed()
    except (Refused, Unavailable) as error:
        page = _room_page(found, status_of(error), msg=str(error), typed=typed)
        return with_retry_after(page, retry_after_of(error))
    flash(said, "success")
    return redirect(url_for("admin_rooms.room", slug=slug), 303)


def _room_page(found: SiteRoom, status: int = 200, *, msg: str = "", typed: str = "") -> Response:
    room = found.room
    return admin_page(
        "room",
        status,
        section="rooms",
        found=found,
        room=room,
        may_enter=room.kind == "public" or services.rooms.rooms.find_for(current_user.id, room.slug) is not None,
        entries=services.site.audit.page(room=room.id).entries,
        msg=msg,
        typed={"username": typed, "reason": request.form.get("reason", "")},
        most=LONGEST_REASON,
    )
