"""Clear a room's history: a page that asks for the room's name, and offers an export first."""

from flask import Blueprint, Response, redirect, request, url_for

from chatroom.base.access import Access
from chatroom.erasure.clearing import check_clearing
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.pages import Page, refusals_on, render
from chatroom.web.kit.services import services

blueprint = Blueprint("clearing", __name__)


def _form_page(slug: str, status: int = 200, msg: str = "") -> Response:
    return render("rooms/clear.html", status, room=_enter(slug).room, typed=_typed(), msg=msg)


@blueprint.get("/chatroom/<slug>/clear")
@login_required
def form(slug: str) -> Page:
    """What it means, and the form."""
    return _form_page(slug)


@blueprint.post("/chatroom/<slug>/clear")
@login_required
@refusals_on(_form_page)
def clear(slug: str) -> Page:
    """Hide everything at once; the rest is done in the background."""
    access, typed = _enter(slug), _typed()
    services.erasure.clearing.clear(access, current_user.author, typed["title"], typed["reason"])
    return redirect(url_for("pages.room", slug=access.room.slug), 303)


def _enter(slug: str) -> Access:
    access = services.rooms.access.get_for(current_user.id, slug)
    check_clearing(access)
    return access


def _typed() -> dict[str, str]:
    return {"title": request.form.get("title", "")[:200], "reason": request.form.get("reason", "")[:500]}
