"""A user's access tokens: created with the password, shown once, ended at any time."""

from flask import Blueprint, Response, abort, flash, redirect, request, url_for

from chatroom.base.errors import Refused
from chatroom.base.models import Session
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, login_required
from chatroom.web.kit.pages import Page, form_page, render
from chatroom.web.kit.services import services
from chatroom.web.people.forms import TokenForm

MOST_TOKENS = 50
MOST_ROOMS = 20

blueprint = Blueprint("tokens", __name__)


def _tokens_page(
    form: TokenForm | None = None, status: int = 200, msg: str = "", *, secret: str = "", label: str = ""
) -> Response:
    return render(
        "people/tokens.html",
        status,
        form=form or TokenForm(formdata=None),
        msg=msg,
        tokens=_tokens(),
        secret=secret,
        label=label,
        root=request.url_root,
    )


@blueprint.get("/account/tokens")
@login_required
def tokens() -> Page:
    """One's access tokens, and the form for a new one."""
    return _tokens_page()


@blueprint.post("/account/tokens")
@scarce("passwords")
@login_required
@form_page(_tokens_page, TokenForm)
def create(form: TokenForm) -> Page:
    """Create a token, and show it once."""
    return _tokens_page(status=201, secret=_create(form), label=form.label.data)


@blueprint.post("/account/tokens/<session_id>/end")
@login_required
def end(session_id: str) -> Page:
    """End one of one's own tokens."""
    if session_id not in {token.id for token in _tokens()} or not services.people.sessions.end(
        current_user.id, session_id
    ):
        abort(404)
    flash("The token was revoked. Programs that use it are logged out.", "success")
    return redirect(url_for("tokens.tokens"), 303)


def _create(form: TokenForm) -> str:
    """Check what the form asks for against what its owner has, and make it."""
    slugs, rooms = form.slugs, []
    if len(slugs) > MOST_ROOMS:
        raise Refused("invalid", f"Name at most {MOST_ROOMS} rooms, or leave the field empty for all your rooms.")
    for slug in slugs:
        try:
            rooms.append(services.rooms.access.get_for(current_user.id, slug).room.slug)  # as it is called now
        except Refused as refusal:
            raise Refused("invalid", f"You are not a member of a room with the address {slug}.") from refusal
    if len(_tokens()) >= MOST_TOKENS:
        raise Refused("invalid", f"You have {MOST_TOKENS} access tokens, which is the limit. End one first.")
    user = services.people.accounts.authenticate(current_user.username, form.password.data or "", client_address())
    return services.people.sessions.create_token(
        user, label=form.label.data, days=int(form.days.data), scopes=form.scopes.data, rooms=rooms
    )


def _tokens() -> list[Session]:
    return [session for session in services.people.sessions.list_for(current_user.user) if session.kind == "token"]
