"""One's access tokens: made with the password at hand, shown once, ended at any time."""

from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, SelectChoice, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from chatroom.base.errors import Refused, Unavailable
from chatroom.people.passwords import LONGEST
from chatroom.people.sessions import LONGEST_LABEL
from chatroom.people.tokens import SCOPES, USUAL
from chatroom.web.kit import login as signing
from chatroom.web.kit.errors import retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import Form
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import current_user, login_required
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services

DAYS = {"7": "a week", "30": "30 days", "90": "90 days", "365": "a year"}
MOST_TOKENS = 50
MOST_ROOMS = 20

Page = Response | BaseResponse
blueprint = Blueprint("tokens", __name__)


class TokenForm(Form):
    """A new token. Like a new password, it is asked for by one who knows the old one."""

    label = StringField(
        "What is it for?",
        [DataRequired("Please say what it is for."), Length(max=LONGEST_LABEL)],
        render_kw={"maxlength": LONGEST_LABEL, "autocomplete": "off"},
    )
    scopes = SelectMultipleField(
        "What it may do",
        choices=[SelectChoice(*scope) for scope in SCOPES.items()],
        default=list(USUAL),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    rooms = StringField("Rooms", [Length(max=1500)], render_kw={"maxlength": 1500, "autocomplete": "off"})
    days = SelectField("Good for", choices=[SelectChoice(*days) for days in DAYS.items()], default="90")
    password = PasswordField("Your password", render_kw={"required": True, "maxlength": LONGEST})

    @property
    def slugs(self) -> list[str]:
        """The rooms that were named, separated by commas or spaces."""
        return (self.rooms.data or "").replace(",", " ").split()

    def validate_scopes(self, field: Any) -> None:
        """A token that may do nothing is a mistake."""
        if not field.data:
            raise ValidationError("Tick at least one: a token that may do nothing is of no use.")


@blueprint.get("/account/tokens")
@login_required
def tokens() -> Page:
    """One's access tokens, and the form for a new one."""
    return _page(TokenForm())


@blueprint.post("/account/tokens")
@scarce("passwords")
@form_checks_token
@login_required
def create() -> Page:
    """Make a token, and show it: the only time that anybody sees it."""
    form = TokenForm()
    if not form.validate():
        return _page(form, 400, form.problem)
    try:
        secret = _create(form)
    except (Refused, Unavailable) as error:
        if isinstance(error, Refused) and error.reason == "wrong_password":
            form.password.errors = ["This is not your password."]
            return _page(form, 400, form.problem)
        return with_retry_after(_page(form, status_of(error), str(error)), retry_after_of(error))
    return _page(TokenForm(formdata=None), 201, secret=secret, label=form.label.data)


@blueprint.post("/account/tokens/<session_id>/end")
@login_required
def end(session_id: str) -> Page:
    """End one of one's own tokens."""
    if session_id not in {token.id for token in _tokens()} or not services.people.sessions.end(
        current_user.id, session_id
    ):
        abort(404)
    flash("The token was ended. What used it is signed out.", "success")
    return redirect(url_for("tokens.tokens"), 303)


def _create(form: TokenForm) -> str:
    """Check what the form asks for against what its owner has, and make it."""
    slugs, rooms = form.slugs, []
    if len(slugs) > MOST_ROOMS:
        raise Refused("invalid", f"At most {MOST_ROOMS} rooms can be named. Leave the field empty for all of yours.")
    for slug in slugs:
        try:
            rooms.append(services.rooms.rooms.get_for(current_user.id, slug).room.slug)  # as it is called now
        except Refused as refusal:
            raise Refused("invalid", f"You are in no room with the address {slug}.") from refusal
    if len(_tokens()) >= MOST_TOKENS:
        raise Refused("invalid", f"You have {MOST_TOKENS} tokens, which is the most. End one first.")
    user = services.people.accounts.authenticate(current_user.username, form.password.data or "", signing.address())
    return services.people.sessions.create_token(
        user, label=form.label.data, days=int(form.days.data), scopes=form.scopes.data, rooms=rooms
    )


def _tokens() -> list[Any]:
    return [session for session in services.people.sessions.list_for(current_user.user) if session.kind == "token"]


def _page(form: TokenForm, status: int = 200, msg: str = "", *, secret: str = "", label: str = "") -> Response:
    response = make_response(
        render_template(
            "people/tokens.html",
            form=form,
            msg=msg,
            tokens=_tokens(),
            secret=secret,
            label=label,
            root=request.url_root,
        )
    )
    response.status_code = status
    return response
