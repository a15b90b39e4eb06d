"""Register, log in and out, and look after one's account.

A refusal comes back on the same page with what was typed, passwords aside.
"""

from datetime import datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from chatroom.base.errors import Refused, Unavailable
from chatroom.people.accounts import Registration
from chatroom.web.kit import login as signing
from chatroom.web.kit.errors import page_with_status, retry_after_of, status_of, with_retry_after
from chatroom.web.kit.forms import RULES, LoginForm, PasswordForm, RegisterForm
from chatroom.web.kit.lanes import scarce
from chatroom.web.kit.login import Page, current_user, login_required
from chatroom.web.kit.security import form_checks_token, safe_next
from chatroom.web.kit.services import services

INCOMPLETE = "Please fill in every field."
CLOSED = "New accounts are not open here at the moment."

blueprint = Blueprint("accounts", __name__)


class ShownSession(msgspec.Struct):
    """A session as its owner sees it in the list."""

    id: str
    label: str
    address: str
    created_at: datetime
    seen_at: datetime
    is_current: bool


@blueprint.route("/register", methods=["GET", "POST"])
@scarce("passwords")
@form_checks_token
def register() -> Page:
    """Make an account, and sign in with it at once."""
    form = RegisterForm()
    if services.moderation.admission.registration() == "closed":
        return _register_page(form, 403, CLOSED)
    if request.method != "POST":
        form.username.data = request.args.get("username", "")[:64]
        form.next.data = safe_next(request.args.get("next"))
        return _register_page(form)
    if not form.validate():
        return _register_page(form, 400, form.problem)
    wanted = Registration(
        username=form.username.data,
        display_name=form.display_name.data,
        password=form.password.data,
        invite=form.invite.data or "",
    )
    try:
        user = services.people.accounts.register(wanted, signing.address())
    except (Refused, Unavailable) as error:
        return with_retry_after(_register_page(form, status_of(error), str(error)), retry_after_of(error))
    signing.sign_in(user)
    return redirect(form.next.data or url_for("pages.chatroom"), 303)


@blueprint.route("/login", methods=["GET", "POST"])
@scarce("passwords")
@form_checks_token
def login() -> Page:
    """Begin a session."""
    form = LoginForm()
    if request.method != "POST":
        form.next.data = safe_next(request.args.get("next"))
        return _login_page(form)
    if not form.validate():
        return _login_page(form, 400, form.problem)
    if not form.is_complete:
        return _login_page(form, 400, INCOMPLETE)
    try:
        user = services.people.accounts.authenticate(form.username.data, form.password.data, signing.address())
    except (Refused, Unavailable) as error:
        return with_retry_after(_login_page(form, status_of(error), str(error)), retry_after_of(error))
    signing.sign_in(user)
    return redirect(form.next.data or url_for("pages.chatroom"), 303)


@blueprint.post("/logout")
def logout() -> Page:
    """End this session, here and in the database."""
    signing.end_session()
    return redirect(url_for("pages.index"), 303)


@blueprint.get("/account")
@login_required
def account() -> Page:
    """One's names, password and sessions."""
    return _account_page(_password_form())


@blueprint.post("/account/password")
@scarce("passwords")
@login_required
def change_password() -> Page:
    """Change the password; every session and token ends, and this browser begins a new one."""
    form = _password_form()
    if not form.validate():
        return _account_page(form, 400, form.problem)
    try:
        user = services.people.accounts.change_password(
            current_user.user, form.current_password.data or "", form.password.data, signing.address()
        )
    except (Refused, Unavailable) as error:
        if isinstance(error, Refused) and error.reason == "wrong_password":
            form.current_password.errors = ["This is not your current password."]
            return _account_page(form, 400, form.problem)
        return with_retry_after(_account_page(form, status_of(error), str(error)), retry_after_of(error))
    signing.sign_in(user)
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


def _register_page(form: RegisterForm, status: int = 200, msg: str = "") -> Response:
    closed = shown_registration() == "closed"
    is_first = not closed and _needs_first_code()
    return _page("register.html", status, form=form, msg=msg, rules=RULES, closed=closed, is_first=is_first)


def _needs_first_code() -> bool:
    try:
        return services.people.accounts.needs_first_code()
    except Unavailable:  # the page says so already, or will when it is sent
        return False


def _login_page(form: LoginForm, status: int = 200, msg: str = "") -> Response:
    return _page("login.html", status, form=form, msg=msg)


def _account_page(form: PasswordForm, status: int = 200, msg: str = "") -> Response:
    sessions = [
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
    return _page("people/account.html", status, password_form=form, sessions=sessions, rules=RULES, msg=msg)


def _password_form() -> PasswordForm:
    return PasswordForm(current_user.username, current_user.display_name)


def _page(template: str, status: int, **context: Any) -> Response:
    return page_with_status(render_template(template, **context), status)
