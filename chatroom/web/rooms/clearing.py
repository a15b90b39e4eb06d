"""The page to clear a room's history."""

from flask import Response, request

from chatroom.base.access import Access
from chatroom.erasure.clearing import check_clearing
from chatroom.web.kit.login import current_user, get_access, page_blueprint
from chatroom.web.kit.pages import Page, Shown, redirect_to, refusals_on, render
from chatroom.web.kit.services import services

blueprint = page_blueprint("clearing")


@blueprint.get("/chatroom/<slug>/clear", endpoint="form")
def clearing_form(slug: str, **shown: Shown) -> Response:
    """The page with the form to clear the room's history."""
    return render("rooms/clear.html", room=_enter(slug).room, typed=_typed(), **shown)


@blueprint.post("/chatroom/<slug>/clear")
@refusals_on(clearing_form)
def clear(slug: str) -> Page:
    """Hide the room's messages at once. A background thread erases them later."""
    access, typed = _enter(slug), _typed()
    services.erasure.clearing.clear(access, current_user.author, typed["title"], typed["reason"])
    return redirect_to("pages.room", slug=access.room.slug)


def _enter(slug: str) -> Access:
    access = get_access(slug)
    check_clearing(access)
    return access


def _typed() -> dict[str, str]:
    return {"title": request.form.get("title", "")[:200], "reason": request.form.get("reason", "")[:500]}
