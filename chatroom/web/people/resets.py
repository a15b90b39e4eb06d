"""Set a new password by a link that an administrator made."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from chatroom.base.errors import Refused, Unavailable
from chatroom.web.kit.errors import page_with_status, retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import RULES, ResetForm
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import Page
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services

blueprint = Blueprint("resets", __name__)


@blueprint.route("/reset/<secret>", methods=["GET", "POST"])
@scarce("passwords")
@form_checks_token
def reset(secret: str) -> Page:
    """Choose a new password; whoever has the link may."""
    user = services.people.resets.find_user(secret)
    form = ResetForm(user.username, user.display_name)
    if request.method != "POST":
        return _reset_page(form, user.username)
    if not form.validate():
        return _reset_page(form, user.username, 400, form.problem)
    try:
        services.people.resets.use(secret, form.password.data or "")
    except (Refused, Unavailable) as error:
        page = _reset_page(form, user.username, status_of(error), str(error))
        return with_retry_after(page, retry_after_of(error))
    flash("The new password is set. Log in with it.", "success")
    return redirect(url_for("accounts.login"), 303)


def _reset_page(form: ResetForm, username: str, status: int = 200, msg: str = "") -> Response:
    html = render_template("people/reset.html", form=form, username=username, rules=RULES, msg=msg)
    return page_with_status(html, status)
