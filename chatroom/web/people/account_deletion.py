"""Delete an account: one's own, with its password, or somebody else's, as an administrator. Pages of their own."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from wtforms import Field, PasswordField, RadioField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import User
from chatroom.people.passwords import LONGEST
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit import login as signing
from chatroom.web.kit.errors import page_with_status, retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import Form
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.security import form_checks_token
from chatroom.web.kit.services import services

WAYS = {"keep": "Keep the messages, under “Former member”", "erase": "Erase the messages, and their files"}
FAREWELL = "Your account is deleted. Thank you for having been here."

blueprint = Blueprint("account_deletion", __name__)


class DeletionForm(Form):
    """What becomes of the messages, and the user name, typed to confirm."""

    way = RadioField(
        "What becomes of the messages?", choices=[SelectChoice(*way) for way in WAYS.items()], validate_choice=False
    )
    confirmation = StringField(
        "User name", render_kw={"required": True, "maxlength": 64, "autocapitalize": "none", "spellcheck": "false"}
    )

    def __init__(self, username: str, **kwargs: Any) -> None:
        self._username = username
        super().__init__(**kwargs)
        self.confirmation.label.text = f"Type the user name, {username}, to confirm"

    @property
    def is_erased(self) -> bool:
        """Whether the messages go."""
        return bool(self.way.data == "erase")

    def validate_way(self, field: Field) -> None:
        """Nothing is chosen in anybody's place."""
        if field.data not in WAYS:
            raise ValidationError("Choose one of the two.")

    def validate_confirmation(self, field: Field) -> None:
        """The user name, as it is."""
        if (field.data or "").strip() != self._username:
            raise ValidationError("This is not the user name.")


class OwnDeletionForm(DeletionForm):
    """Delete one's own account."""

    password = PasswordField("Your password", render_kw={"required": True, "maxlength": LONGEST})

    def validate_password(self, field: Field) -> None:
        """It is looked at only once everything else is right: a try counts as a log-in."""
        if not field.data:
            raise ValidationError("Type your password.")


class OthersDeletionForm(DeletionForm):
    """Delete somebody else's account."""

    reason = StringField("Why (for the audit log; may stay empty)", render_kw={"maxlength": LONGEST_REASON})


@blueprint.route("/account/delete", methods=["GET", "POST"])
@scarce("passwords")
@form_checks_token
@login_required
def own() -> Page:
    """Delete one's own account, and leave."""
    form = OwnDeletionForm(current_user.username)
    if request.method != "POST":
        return _own_page(form)
    if not form.validate():
        return _own_page(form, 400, form.problem)
    user, password = current_user.user, form.password.data
    try:
        services.erasure.account_deletion.delete_own(user, password, signing.address(), is_erased=form.is_erased)
    except (Refused, Unavailable) as error:
        if isinstance(error, Refused) and error.reason == "wrong_password":
            form.password.errors = ["This is not your password."]
            return _own_page(form, 400, form.problem)
        return with_retry_after(_own_page(form, status_of(error), str(error)), retry_after_of(error))
    signing.end_session()
    flash(FAREWELL, "success")
    return redirect(url_for("accounts.login"), 303)


@blueprint.route("/people/<user_id>/delete", methods=["GET", "POST"])
@form_checks_token
@login_required
def others(user_id: str) -> Page:
    """Delete somebody else's account, as an administrator."""
    person = services.moderation.moderation.get(user_id)
    services.erasure.account_deletion.check(current_user.user, person)
    form = OthersDeletionForm(person.username)
    if request.method != "POST":
        return _others_page(person, form)
    if not form.validate():
        return _others_page(person, form, 400, form.problem)
    try:
        services.erasure.account_deletion.delete(
            current_user.user, person, (form.reason.data or "").strip(), is_erased=form.is_erased
        )
    except (Refused, Unavailable) as error:
        page = _others_page(person, form, status_of(error), str(error))
        return with_retry_after(page, retry_after_of(error))
    flash(f"The account of {person.display_name} is deleted.", "success")
    return redirect(url_for("admin.people"), 303)


def _own_page(form: OwnDeletionForm, status: int = 200, msg: str = "") -> Response:
    is_last = services.erasure.account_deletion.is_last_administrator(current_user.user)
    html = render_template("people/account_delete.html", form=form, msg=msg, is_last_administrator=is_last)
    return page_with_status(html, status)


def _others_page(person: User, form: OthersDeletionForm, status: int = 200, msg: str = "") -> Response:
    return page_with_status(render_template("people/person_delete.html", form=form, msg=msg, person=person), status)
