"""The page to delete your own account, and the page for administrators to delete another user's account."""

from flask import Response

from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, log_out, page_blueprint
from chatroom.web.kit.pages import Page, Shown, form_page, redirect_to, render
from chatroom.web.kit.services import services
from chatroom.web.people.forms import OthersDeletionForm, OwnDeletionForm

blueprint = page_blueprint("account_deletion")


def _own_form() -> OwnDeletionForm:
    return OwnDeletionForm(current_user.user)


def _own_page(form: OwnDeletionForm | None = None, **shown: Shown) -> Response:
    is_last = services.erasure.account_deletion.is_last_administrator(current_user.user)
    return render("people/account_delete.html", form=form or _own_form(), is_last_administrator=is_last, **shown)


@blueprint.route("/account/delete", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_own_page, _own_form)
def own(form: OwnDeletionForm) -> Page:
    """Delete the user's own account, and log out."""
    services.erasure.account_deletion.delete_own(
        current_user.user, form.password.data, client_address(), is_erased=form.is_erased
    )
    log_out()
    return redirect_to("accounts.login", "Your account was deleted.")


def _others_form(user_id: str) -> OthersDeletionForm:
    person = services.moderation.moderation.get(user_id)
    services.erasure.account_deletion.check(current_user.user, person)
    return OthersDeletionForm(person)


def _others_page(user_id: str, form: OthersDeletionForm | None = None, **shown: Shown) -> Response:
    form = form or _others_form(user_id)
    return render("people/person_delete.html", form=form, person=form.person, **shown)


@blueprint.route("/people/<user_id>/delete", methods=["GET", "POST"])
@form_page(_others_page, _others_form)
def others(form: OthersDeletionForm) -> Page:
    """Delete another user's account, as an administrator."""
    reason = (form.reason.data or "").strip()
    services.erasure.account_deletion.delete(current_user.user, form.person, reason, is_erased=form.is_erased)
    return redirect_to("admin.people", f"The account of {form.person.display_name} was deleted.")
