"""Clear a room's history: a page that asks for the room's title, and offers an export first."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.erasure.clearing import check_clearing
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.services import services

blueprint = Blueprint("clearing", __name__)


@blueprint.get("/chatroom/<slug>/clear")
@login_required
def form(slug: str) -> Page:
    """What it means, and the form."""
    return _form(_access(slug))


@blueprint.post("/chatroom/<slug>/clear")
@login_required
def clear(slug: str) -> Page:
    """Hide everything at once; the rest is done in the background."""
    access = _access(slug)
    title, reason = request.form.get("title", "")[:200], request.form.get("reason", "")[:500]
    try:
        services.erasure.clearing.clear(access, current_user.author, title, reason)
    except (Refused, Unavailable) as error:
        response = _form(access, title, reason, str(error))
        response.status_code = status_of(error)
        return with_retry_after(response, retry_after_of(error))
    return redirect(url_for("pages.room", slug=access.room.slug), 303)


def _access(slug: str) -> Access:
    access = services.rooms.rooms.get_for(current_user.id, slug)
    check_clearing(access)
    return access


def _form(access: Access, title: str = "", reason: str = "", msg: str = "") -> Response:
    typed = {"title": title, "reason": reason}
    return make_response(render_template("rooms/clear.html", room=access.room, typed=typed, msg=msg))
