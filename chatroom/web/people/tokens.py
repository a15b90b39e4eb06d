"""The page of a user's access tokens. A new token needs the user's password, and is shown once."""

from flask import Response, abort

from chatroom.base.errors import Refused
from chatroom.base.models import Session
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, get_access, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.people.forms import TokenForm

MOST_TOKENS = 50
MOST_ROOMS = 20

blueprint = page_blueprint("tokens")


@blueprint.get("/account/tokens")
def tokens(form: TokenForm | None = None, **shown: Shown) -> Response:
    """Show the user's access tokens, the form for a new token, and the `secret` of a new token."""
    return render("people/tokens.html", form=form or TokenForm(formdata=None), tokens=_tokens(), **shown)


@blueprint.post("/account/tokens")
@scarce("passwords")
@form_page(tokens, TokenForm)
def create(form: TokenForm) -> Page:
    """Create a token, and show it once."""
    return tokens(status=201, secret=_create(form), label=form.label.data)


@blueprint.post("/account/tokens/<session_id>/end")
def end(session_id: str) -> Page:
    """End one of the user's own tokens."""
    is_token = session_id in {token.id for token in _tokens()}
    if not is_token or not services.people.sessions.end(current_user.id, session_id):
        abort(404)
    return redirect_to("tokens.tokens", "The token was revoked. Programs that use it are logged out.")


def _create(form: TokenForm) -> str:
    """Create the token that the form describes. If the form names rooms, the token is limited to them."""
    slugs, rooms = form.slugs, []
    if len(slugs) > MOST_ROOMS:
        raise Refused("invalid", f"Name at most {MOST_ROOMS} rooms, or leave the field empty for all your rooms.")
    for slug in slugs:
        try:
            rooms.append(get_access(slug).room.slug)  # the current slug
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
