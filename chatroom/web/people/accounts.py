"""Register, log in and out, and manage the account.

A refusal shows the same page with its input, except passwords.
"""

from datetime import datetime

import msgspec
from flask import Blueprint, Response, abort, flash, redirect, url_for

from chatroom.base.errors import Refused, Unavailable
from chatroom.web.kit.forms import RULES
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import client_address, current_user, log_in, log_out, login_required
from chatroom.web.kit.pages import Page, form_page, render
from chatroom.web.kit.services import services
from chatroom.web.people.forms import LoginForm, PasswordForm, PictureForm, RegisterForm

CLOSED = "Registration is closed."

blueprint = Blueprint("accounts", __name__)


class ShownSession(msgspec.Struct):
    """A session as its owner sees it in the list."""

    id: str
    label: str
    address: str
    created_at: datetime
    seen_at: datetime
    is_current: bool


def _register_page(form: RegisterForm | None = None, status: int = 200, msg: str = "") -> Response:
    # A refusal is shown while the database is away, too.
    closed = (shown_registration() if msg else services.moderation.admission.registration()) == "closed"
    is_first = not closed and _needs_first_code()
    return render(
        "register.html",
        403 if closed else status,
        form=form or RegisterForm.asked(),
        msg=msg,
        rules=RULES,
        closed=closed,
        is_first=is_first,
    )


@blueprint.route("/register", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_register_page, RegisterForm)
def register(form: RegisterForm) -> Page:
    """Create an account, and log in to it at once."""
    if services.moderation.admission.registration() == "closed":
        raise Refused("forbidden", CLOSED)
    log_in(services.people.accounts.register(form.registration, client_address()))
    return redirect(form.next.data or url_for("pages.chatroom"), 303)


def _login_page(form: LoginForm | None = None, status: int = 200, msg: str = "") -> Response:
    return render("login.html", status, form=form or LoginForm.asked(), msg=msg)


@blueprint.route("/login", methods=["GET", "POST"])
@scarce("passwords")
@form_page(_login_page, LoginForm)
def login(form: LoginForm) -> Page:
    """Begin a session."""
    log_in(services.people.accounts.authenticate(form.username.data, form.password.data, client_address()))
    return redirect(form.next.data or url_for("pages.chatroom"), 303)


@blueprint.post("/logout")
def logout() -> Page:
    """End this session, here and in the database."""
    log_out()
    return redirect(url_for("pages.index"), 303)


def _password_form() -> PasswordForm:
    return PasswordForm(current_user.user)


def account_page(form: PasswordForm | PictureForm | None = None, status: int = 200, msg: str = "") -> Response:
    """The user's names, picture, password and sessions."""
    return render(
        "people/account.html",
        status,
        password_form=form if isinstance(form, PasswordForm) else _password_form(),
        sessions=_sessions(),
        rules=RULES,
        msg="" if isinstance(form, PictureForm) else msg,
        picture_msg=msg if isinstance(form, PictureForm) else "",
    )


@blueprint.get("/account")
@login_required
def account() -> Page:
    """One's names, password and sessions."""
    return account_page()


@blueprint.post("/account/password")
@scarce("passwords")
@login_required
@form_page(account_page, _password_form)
def change_password(form: PasswordForm) -> Page:
    """Change the password; every session and token ends, and this browser begins a new one."""
    user = services.people.accounts.change_password(
        current_user.user, form.current_password.data or "", form.password.data, client_address()
    )
    log_in(user)
    flash("The password was changed. Every other browser was logged out.", "success")
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/sessions/<session_id>/end")
@login_required
def end_session(session_id: str) -> Page:
    """End one of one's own sessions."""
    if session_id == current_user.session.id:
        return logout()
    if not services.people.sessions.end(current_user.id, session_id):
        abort(404)
    flash("The session was ended.", "success")
    return redirect(url_for("accounts.account"), 303)


@blueprint.post("/account/sessions/end-others")
@login_required
def end_other_sessions() -> Page:
    """End all of one's sessions but this one."""
    services.people.sessions.end_all(current_user.id, but=current_user.session.id)
    flash("Every other browser was logged out.", "success")
    return redirect(url_for("accounts.account"), 303)


def shown_registration() -> str:
    """Who may register, as pages offer it."""
    return services.moderation.admission.shown_registration()


def _needs_first_code() -> bool:
    try:
        return services.people.accounts.needs_first_code()
    except Unavailable:  # the page says so already, or will when it is sent
        return False


def _sessions() -> list[ShownSession]:
    return [
        ShownSession(
            id=session.id,
            label=session.label,
            address=session.address,
            created_at=session.created_at,
            seen_at=session.seen_at,
            is_current=session.id == current_user.session.id,
        )
        for session in services.people.sessions.list_for(current_user.user)
        if session.kind == "browser"
    ]
