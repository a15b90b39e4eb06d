"""Set a new password with a reset link."""

from flask import Blueprint, Response

from chatroom.web.kit.forms import RULES
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.pages import Page, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.people.forms import ResetForm

blueprint = Blueprint("resets", __name__)


def _reset_form(secret: str) -> ResetForm:
    return ResetForm(services.people.resets.find_user(secret))


def _reset_page(secret: str, form: ResetForm | None = None, status: int = 200, msg: str = "") -> Response:
    form = form or _reset_form(secret)
    return render("people/reset.html", status, form=form, username=form.user.username, rules=RULES, msg=msg)


@blueprint.route("/reset/<secret>", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_reset_page, _reset_form)
def reset(form: ResetForm, secret: str) -> Page:
    """Set a new password, for the holder of the link."""
    services.people.resets.use(secret, form.password.data or "")
    return redirect_to("accounts.login", "The new password was set. Log in with it.")
